//! Compares a text with its golden file, and shows differences.

use std::path::Path;

use similar::{ChangeTag, TextDiff};

/// Set to rewrite golden files instead of failing.
const UPDATE: &str = "UPDATE_GOLDEN";

/// True while golden files are written: tests that read them would find incomplete ones.
pub(crate) fn updating() -> bool {
    std::env::var_os(UPDATE).is_some_and(|value| value == "1")
}

/// Fails with the lines that differ, or rewrites the file.
#[track_caller]
pub(crate) fn hold_against(golden: &Path, text: &str) {
    if updating() {
        std::fs::write(golden, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    let name = golden.file_name().unwrap_or_default().display();
    assert!(
        expected == text,
        "{name} differs; if that is intended, {UPDATE}=1 rewrites it:\n{}",
        difference(&expected, text)
    );
}

/// The lines that differ with two around them, as in a patch. Lines are numbered as in the golden file.
fn difference(expected: &str, found: &str) -> String {
    let lines = TextDiff::from_lines(expected, found);
    let mut shown = String::new();
    for (index, group) in lines.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            shown.push_str("      ...\n");
        }
        for change in group.iter().flat_map(|operation| lines.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let number = change.old_index().map_or_else(String::new, |index| (index + 1).to_string());
            shown.push_str(&format!("{number:>5} {sign} {}\n", change.value().trim_end_matches('\n')));
        }
    }
    shown
}

#[test]
fn a_difference_shows_the_line_its_number_and_its_neighbours() {
    let golden = "one\ntwo\nthree\nfour\nfive\nsix\n";
    assert_eq!(
        difference(golden, "one\ntwo\nthree\nfour\n5\nsix\n"),
        "    3   three\n    4   four\n    5 - five\n      + 5\n    6   six\n"
    );
    assert_eq!(difference(golden, golden), "");
}
