//! The list of known differences, and checks of its evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::definitions::{Definitions, Difference};
use super::{Side, webhook_parts};

/// A row of the list.
struct Row {
    side: Side,
    definition: String,
    differences: Vec<String>,
    /// The published bodies that show them, as paths below `fixtures`.
    evidence: Vec<String>,
}

fn fixture(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The rows of the table; each has a reason and a source.
fn rows() -> Vec<Row> {
    let text = fixture("definitions/known-differences.md");
    let table = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [side, definition, differences, reason, source] = cells[..] else { panic!("five cells: {line}") };
        assert!(reason.len() > 10 && source.len() > 10, "a reason and a source: {line}");
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        Row {
            side: Side::named(side),
            definition: definition.to_owned(),
            differences: quoted(differences),
            evidence: quoted(source)
                .into_iter()
                .filter(|path| path.starts_with("api/") || path.starts_with("webhook/"))
                .collect(),
        }
    };
    table.map(row).collect()
}

/// All of them, by side.
pub(super) fn known() -> BTreeMap<Side, BTreeSet<Difference>> {
    let mut all: BTreeMap<Side, BTreeSet<Difference>> = BTreeMap::new();
    for Row { side, definition, differences, .. } in rows() {
        for difference in differences {
            let entry = (definition.clone(), difference);
            assert!(all.entry(side).or_default().insert(entry.clone()), "{entry:?} is listed twice");
        }
    }
    all
}

/// The differences of a published body.
fn differences_of(definitions: &Definitions, path: &str) -> BTreeSet<Difference> {
    let body: Value = serde_json::from_str(&fixture(path)).unwrap();
    if path.starts_with("webhook/") {
        let parts = webhook_parts(&body).into_iter();
        return parts.flat_map(|(definition, part)| definitions.differences(definition, part)).collect();
    }
    let name = path.trim_start_matches("api/").split('.').next().unwrap();
    definitions.differences(name, &body)
}

#[test]
fn published_bodies_show_the_differences_that_are_said_to_come_from_them() {
    let definitions = Definitions::read();
    let mut shown = 0;
    for row in rows().into_iter().filter(|row| !row.evidence.is_empty()) {
        let found: BTreeSet<Difference> =
            row.evidence.iter().flat_map(|path| differences_of(&definitions, path)).collect();
        for difference in row.differences {
            let entry = (row.definition.clone(), difference);
            assert!(found.contains(&entry), "{entry:?} is not in {:?}, where there is {found:?}", row.evidence);
            shown += 1;
        }
    }
    assert!(shown > 20, "{shown}");
}
