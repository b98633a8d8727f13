//! Measures how well masking finds card numbers, and its false positives, and compares that with
//! `docs/security/masking.md`.

use freshworks_handoff::text::masking::Masking;

const CARDS: &str = include_str!("../fixtures/masking/test-cards.tsv");
const TEXTS: &str = include_str!("../fixtures/masking/support-texts.txt");
const RECORDED: &str = include_str!("../docs/security/masking.md");
/// Texts in the corpus.
const MAX_TEXTS: usize = 40_000;
/// Generated card numbers.
const GENERATED: usize = 240;
const MASK: &str = "[masked: card number]";

/// As accounts have it that choose nothing.
fn by_default() -> Masking {
    Masking::parse(&["card-numbers", "tokens"].map(str::to_owned)).unwrap()
}

/// The same numbers on every machine (xorshift64*).
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'A' + self.below(26) as u8)).collect()
    }

    /// `#`: a digit, `?`: a letter.
    fn fill(&mut self, pattern: &str) -> String {
        let one = |letter| match letter {
            '#' => self.digits(1),
            '?' => self.letters(1),
            letter => letter.to_string(),
        };
        pattern.chars().map(one).collect()
    }

    /// With the check digit of Luhn.
    fn checked(&mut self, begin: &str, length: usize) -> String {
        let body = begin.to_owned() + &self.digits(length - 1 - begin.len());
        let digit = (0..10).find(|digit| passes(&format!("{body}{digit}"))).unwrap();
        format!("{body}{digit}")
    }
}

fn passes(digits: &str) -> bool {
    let values = digits.bytes().rev().map(|digit| u32::from(digit - b'0')).enumerate();
    values.map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }).sum::<u32>() % 10
        == 0
}

fn published() -> Vec<&'static str> {
    CARDS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').next().unwrap()).collect()
}

/// Numbers of the large networks in the lengths that they use.
fn generated(draw: &mut Draw) -> Vec<String> {
    const ISSUED: [(&str, usize); 24] = [
        ("4", 16),
        ("4", 13),
        ("4", 19),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("300", 14),
        ("305", 14),
        ("36", 14),
        ("38", 14),
        ("6011", 16),
        ("644", 16),
        ("65", 16),
        ("3528", 16),
        ("3589", 16),
        ("62", 16),
        ("62", 19),
        ("2200", 16),
        ("5018", 16),
        ("6763", 18),
        ("8171", 19),
    ];
    (0..GENERATED)
        .map(|number| draw.checked(ISSUED[number % ISSUED.len()].0, ISSUED[number % ISSUED.len()].1))
        .collect()
}

fn grouped(number: &str, separator: &str) -> String {
    let sizes: &[usize] = match number.len() {
        14 => &[4, 6, 4],
        15 => &[4, 6, 5],
        _ => &[4, 4, 4, 4, 3],
    };
    let (mut groups, mut rest) = (Vec::new(), number);
    for size in sizes {
        let (group, behind) = rest.split_at(rest.len().min(*size));
        groups.push(group);
        rest = behind;
    }
    groups.retain(|group| !group.is_empty());
    groups.join(separator)
}

fn in_script(number: &str, zero: u32) -> String {
    number.bytes().map(|digit| char::from_u32(zero + u32::from(digit - b'0')).unwrap()).collect()
}

/// Spellings of a card number, including attempts to evade a filter.
fn written(number: &str) -> Vec<String> {
    let separators = [
        " ",
        "-",
        ".",
        "/",
        "_",
        "  ",
        "   ",
        "\t",
        "\n",
        "\r\n",
        " - ",
        ",",
        "\u{a0}",
        "\u{2009}",
        "\u{202f}",
        "\u{3000}",
        "\u{2011}",
        "\u{2013}",
        "\u{2014}",
        "\u{2212}",
        "\u{b7}",
        "\u{2022}",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{200d}",
        "\u{202e}",
        " \u{200b}",
        "|",
        "*",
        "~",
        ";",
    ];
    let mut all: Vec<String> = separators.iter().map(|separator| grouped(number, separator)).collect();
    all.push(number.to_owned());
    for separator in [" ", "-", "\u{200b}", "\u{fe0f}\u{20e3}", "\u{336}"] {
        all.push(number.chars().map(String::from).collect::<Vec<_>>().join(separator));
    }
    let pairs = number.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
    all.push(pairs.collect::<Vec<_>>().join(" "));
    for zero in [0xff10, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0x1040, 0x1d7ce, 0x1d7f6, 0x1ccf0] {
        all.push(in_script(number, zero));
        all.push(in_script(&grouped(number, "").replace(' ', ""), zero));
    }
    let (first, rest) = number.split_at(4);
    all.push(in_script(first, 0x966) + " " + rest);
    all
}

/// The context: before, after.
const AROUND: [(&str, &str); 20] = [
    ("", ""),
    ("My card is ", ", thanks"),
    ("card ", " 12/27"),
    ("", " 123"),
    ("", " exp 12/2027 cvv 123"),
    ("", " 12/27 123"),
    ("(", ")"),
    ("card:", "."),
    ("visa", "exp"),
    ("x", "y"),
    ("カード", "です"),
    ("№", "é"),
    ("Order 112-1234567-1234567 paid with ", ""),
    ("on 2026-11-27 with ", ""),
    ("+351 912 345 678, ", ""),
    ("a\n", "\nb"),
    ("\"", "\""),
    ("<b>", "</b>"),
    ("{\"pan\":\"", "\"}"),
    ("4111 1111 1111 1111 ", " 5555 5555 5555 4444"),
];

fn digits_left(text: &str) -> usize {
    text.chars().filter(|letter| letter.is_numeric()).count()
}

/// Every number in every writing in every surrounding: how many, and those that stayed readable.
fn recall(numbers: &[&str]) -> (usize, Vec<String>) {
    let masking = by_default();
    let (mut tried, mut missed) = (0, Vec::new());
    for number in numbers {
        for written in written(number) {
            for (before, behind) in AROUND {
                tried += 1;
                let text = format!("{before}{written}{behind}");
                let masked = masking.apply(&text).0;
                // The context may be masked with it, but nothing of the number may remain.
                if !masked.contains(MASK) || digits_left(&masked) > digits_left(before) + digits_left(behind) {
                    missed.push(text);
                }
            }
        }
    }
    (tried, missed)
}

#[test]
fn every_published_test_card_is_masked_however_it_is_written() {
    let numbers = published();
    assert!(numbers.len() >= 140 && numbers.iter().all(|number| passes(number)), "the set itself");
    let (tried, missed) = recall(&numbers);
    assert_eq!(missed.len(), 0, "{tried} tried; {:?}", missed.iter().take(5).collect::<Vec<_>>());
    recorded(&format!("| published test cards | {} | {tried} | 100 % |", numbers.len()));
}

#[test]
fn every_generated_card_is_masked_however_it_is_written() {
    let numbers = generated(&mut Draw(0x5eed));
    let (tried, missed) = recall(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(missed.len(), 0, "{tried} tried; {:?}", missed.iter().take(5).collect::<Vec<_>>());
    recorded(&format!("| generated numbers | {GENERATED} | {tried} | 100 % |"));
}

/// A number of a kind that support texts hold.
fn number(draw: &mut Draw, kind: &str) -> String {
    let pattern = match kind {
        // Shopify, Amazon, eBay, AliExpress (two of sixteen), WooCommerce, Magento, marketplaces with dates.
        "order" => draw.one(&[
            "#####",
            "######",
            "11#-#######-#######",
            "##-#####-#####",
            "30##############",
            "81##############",
            "1000#####",
            "2026112#-######",
            "ORD-########",
            "W##########",
            "R#########",
            "40#-#######-#######",
            "#####",
            "SO-#####",
            "#########",
            "#######",
        ]),
        // UPS, USPS (IMpb, 20 digits, S10), FedEx 12, 15 and 20, DHL, Deutsche Post, DPD, GLS, Royal Mail, China Post.
        "tracking" => draw.one(&[
            "1Z???#########0###",
            "92##9##############################",
            "9400##################",
            "9205##################",
            "7###############",
            "############",
            "6#############",
            "96##################",
            "##########",
            "JJD0##################",
            "0034043#############",
            "0#############",
            "###########",
            "??#########GB",
            "L?#########CN",
            "9361 28## #### #### #### ##",
            "SF#############",
        ]),
        "phone" => draw.one(&[
            "+1 (###) ###-####",
            "+1-###-###-####",
            "(###) ###-####",
            "###-###-####",
            "+44 7### ######",
            "07### ######",
            "+49 151 ########",
            "0151/########",
            "+351 9## ### ###",
            "+33 6 ## ## ## ##",
            "06 ## ## ## ##",
            "+91 #####-#####",
            "+55 (11) 9####-####",
            "+86 13# #### ####",
            "+81 90-####-####",
            "+62 812-####-####",
            "00491761#######",
        ]),
        "invoice" => draw.one(&["INV-2026-#####", "RE########", "2026/####", "10########", "F26-######"]),
        "amount" => draw.one(&["€ 1.###,##", "$##.##", "£###.##", "##,## EUR", "R$ 1.###,##", "¥##,###"]),
        "transaction" => draw.one(&[
            "TXN##########",
            "##############",
            "pi_#?#?#?#?#?#?",
            "########-####",
            "####################",
            "PAYID-?######??#######",
        ]),
        "ticket" => "######",
        "serial" => draw.one(&["C02?#??#?###", "SN############", "R58M#######?", "########", "5CD#######"]),
        "postcode" => draw.one(&["#####", "SW1A 1AA", "####-###", "###-####"]),
        "timestamp" => draw.one(&["2026-11-2#T1#:##:##.###Z", "2026-11-2# 1#:4#:3#", "2#/11/2026 1#:2#:3#.######"]),
        "epoch" => draw.one(&["1795######", "1795#########", "1795############"]),
        "customer" => draw.one(&["########", "##########", "1000##############", "K-######"]),
        "snowflake" => draw.one(&["1#################", "10################", "17#################"]),
        "date" => draw.one(&["2#.11.2026", "11/2#/2026", "2026-11-2#", "1# Nov 2026", "1#/12/1987"]),
        "time" => draw.one(&["1#:30", "9.15", "17h3#"]),
        "flight" => "####",
        "pnr" => "??#?##",
        // IATA: airline, 10 digits.
        "ticket_air" => draw.one(&["220-##########", "016##########", "125 ##########"]),
        "meter" => "#####.#",
        "vat" => draw.one(&["DE#########", "GB### #### ##", "FR## #########", "PT#########", "NL#########B01"]),
        "gps" => draw.one(&[
            "47.######, 8.######",
            "-33.######, 151.######",
            "40.######,-74.######",
            "48°12'##.#\"N 16°22'##.#\"E",
        ]),
        "build" => draw.one(&["2026112#.####", "22H##", "10.0.#####.####"]),
        "octet" => "##",
        "passport" => draw.one(&["C#?#?####", "#########"]),
        "coupon" => draw.one(&["SAVE##-????-####", "####-####-####"]),
        // GS1: a company's prefix of any country, Germany and Spain among them.
        "sscc" => "(00) #400##############",
        "mac" => return (0..6).map(|_| format!("{:02X}", draw.below(256))).collect::<Vec<_>>().join(":"),
        "uuid" => {
            return [8, 4, 4, 4, 12]
                .map(|length| (0..length).map(|_| format!("{:x}", draw.below(16))).collect::<String>())
                .join("-");
        }
        // Type allocation codes begin with the body that gave them out; the last digit is a check digit of Luhn.
        "imei" => {
            let begin = draw.one(&["35", "35", "35", "86", "01", "99"]);
            let imei = draw.checked(begin, 15);
            return match draw.below(4) {
                0 => format!("{} {} {} {}", &imei[..2], &imei[2..8], &imei[8..14], &imei[14..]),
                1 => format!("{}-{}-{}-{}", &imei[..2], &imei[2..8], &imei[8..14], &imei[14..]),
                _ => imei,
            };
        }
        "iccid" => {
            let begin = draw.one(&["8949", "8901", "8944", "8935"]);
            return draw.checked(begin, 19);
        }
        "ean" => {
            let begin = draw
                .one(&["0", "0", "301", "400", "45", "471", "501", "590", "690", "693", "842", "880", "885", "978"])
                .to_owned();
            return begin.clone() + &draw.digits(13 - begin.len());
        }
        other => panic!("the corpus has a kind `{other}` that nothing fills"),
    };
    draw.fill(pattern)
}

fn filled(draw: &mut Draw, template: &str) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, (kind, behind))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        text.push_str(&number(draw, kind));
        rest = behind;
    }
    text + rest
}

#[test]
fn one_support_text_in_a_hundred_at_most_is_masked_without_need() {
    let masking = by_default();
    let mut draw = Draw(0xc0ffee);
    let templates: Vec<&str> = TEXTS.lines().filter(|line| !line.starts_with('#')).collect();
    let mut touched = Vec::new();
    for number in 0..MAX_TEXTS {
        let text = filled(&mut draw, templates[number % templates.len()]);
        if masking.apply(&text).1 > 0 {
            touched.push(text);
        }
    }
    let rate = touched.len() as f64 / MAX_TEXTS as f64 * 100.0;
    assert!(rate <= 1.0, "{rate} %: {:#?}", touched.iter().take(40).collect::<Vec<_>>());
    recorded(&format!("| support texts | {MAX_TEXTS} | {} | {rate:.2} % |", touched.len()));
}

/// Without context, so that only the number decides.
#[test]
fn the_rate_of_each_kind_of_number_is_recorded() {
    let masking = by_default();
    let rate = |kind: &&str| {
        let (mut draw, tried) = (Draw(0xd1ce), 10_000);
        let touched = (0..tried).filter(|_| masking.apply(&number(&mut draw, kind)).1 > 0).count();
        format!("| {kind} | {:.2} % |", touched as f64 * 100.0 / f64::from(tried))
    };
    recorded(&KINDS.iter().map(rate).collect::<Vec<_>>().join("\n"));
}

const KINDS: [&str; 13] = [
    "order",
    "tracking",
    "phone",
    "imei",
    "iccid",
    "ean",
    "transaction",
    "snowflake",
    "epoch",
    "gps",
    "sscc",
    "serial",
    "timestamp",
];

#[track_caller]
fn recorded(lines: &str) {
    println!("{lines}");
    assert!(RECORDED.contains(&format!("\n{lines}\n")), "docs/security/masking.md does not say:\n{lines}");
}
