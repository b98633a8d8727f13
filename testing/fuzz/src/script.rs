//! Inputs from scripts.

/// Building blocks of inputs.
pub struct Material {
    /// Whole inputs that the target accepts.
    pub seeds: &'static [&'static [u8]],
    /// Tokens that it is sensitive to.
    pub tokens: &'static [&'static str],
}

/// Of one input. Longer ones are for the growth tests.
const MAX_BYTES: usize = 16 * 1024;
const MAX_REPEATS: usize = 256;

/// A script's input. The first byte selects the kind: raw bytes, concatenated tokens, a mutated seed, or repetitions.
pub fn input(material: &Material, script: &[u8]) -> Vec<u8> {
    let Some((how, rest)) = script.split_first() else { return Vec::new() };
    let mut made = match how % 4 {
        0 => rest.to_vec(),
        1 => row(material, rest),
        2 => changed(material, rest),
        _ => repeated(material, rest),
    };
    made.truncate(MAX_BYTES);
    made
}

fn token(material: &Material, byte: u8) -> &'static [u8] {
    material.tokens.get(usize::from(byte) % material.tokens.len().max(1)).map_or(b"", |token| token.as_bytes())
}

/// Each byte is a token, or a printable letter.
fn row(material: &Material, script: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    for byte in script {
        match byte {
            0..=159 => made.extend_from_slice(token(material, *byte)),
            byte => made.push(b' ' + (byte - 160)),
        }
    }
    made
}

/// The first byte chooses a seed; every four bytes after it mutate it: operation, position (two bytes), and token.
fn changed(material: &Material, script: &[u8]) -> Vec<u8> {
    let Some((which, changes)) = script.split_first() else { return Vec::new() };
    let seed = material.seeds.get(usize::from(*which) % material.seeds.len().max(1));
    let mut made = seed.map(|seed| seed.to_vec()).unwrap_or_default();
    for change in changes.chunks_exact(4).take(64) {
        let [what, high, low, with] = *change else { continue };
        let place = usize::from(u16::from_be_bytes([high, low])) % (made.len() + 1);
        match what % 6 {
            0 => drop(made.splice(place..place, token(material, with).iter().copied())),
            1 => drop(made.splice(place..made.len().min(place + usize::from(with % 32)), [])),
            2 => {
                if let Some(byte) = made.get_mut(place) {
                    *byte = with;
                }
            }
            3 => {
                let piece: Vec<u8> = made.iter().skip(place).take(usize::from(with)).copied().collect();
                made.splice(place..place, piece);
            }
            4 => drop(made.splice(place..made.len().min(place + 1), token(material, with).iter().copied())),
            _ => made.truncate(place.max(made.len() / 2)),
        }
        if made.len() > MAX_BYTES {
            break;
        }
    }
    made
}

/// Three tokens in turn, again and again, between two others.
fn repeated(material: &Material, script: &[u8]) -> Vec<u8> {
    let at = |place: usize| script.get(place).copied().unwrap_or_default();
    let unit = [token(material, at(2)), token(material, at(3)), token(material, at(4))].concat();
    let repeats = usize::from(at(5)) % MAX_REPEATS + 1;
    let mut made = token(material, at(0)).to_vec();
    made.extend(unit.repeat(repeats));
    made.extend_from_slice(token(material, at(1)));
    made.extend(row(material, script.get(6..).unwrap_or_default()));
    made
}
