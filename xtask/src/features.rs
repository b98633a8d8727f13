//! `FEATURES.md` against the tests: each row names tests that have just passed, or says why the feature is not possible.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;

/// Rows of the comparison with other products; our own rows follow.
const COMPARED: usize = 56;
const NOT_POSSIBLE: &str = "not possible:";

/// Names of tests that have passed.
pub(crate) type Passed = BTreeSet<String>;

/// Runs `node --test` with the reporter `spec`, shows everything but the tests that pass, and returns those.
pub(crate) fn passed_in_node(node: &mut Command) -> Result<Passed> {
    let mut passed = Passed::new();
    process::lines(node, &mut |line| match line.trim().strip_prefix("✔ ").and_then(|rest| rest.rsplit_once(" (")) {
        Some((name, _)) => drop(passed.insert(name.to_owned())),
        None => println!("{line}"),
    })?;
    Ok(passed)
}

/// Fails if a row names no test that has passed.
pub(crate) fn check(passed: &Passed) -> Result<()> {
    let text = std::fs::read_to_string(process::root().join("FEATURES.md")).context("FEATURES.md")?;
    let faults = faults(&text, passed);
    ensure!(faults.is_empty(), "FEATURES.md:\n  {}", faults.join("\n  "));
    process::say(&format!("FEATURES.md: {} rows, all shown by tests or explained", rows(&text).count()));
    Ok(())
}

/// The cells of each row that begins with a number.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(cells)
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    cells.first()?.parse::<usize>().ok().map(|_| cells)
}

fn faults(text: &str, passed: &Passed) -> Vec<String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for (index, cells) in rows(text).enumerate() {
        count += 1;
        let number = cells[0];
        if number != (index + 1).to_string() {
            faults.push(format!("row {number} is where row {} belongs", index + 1));
        }
        let [_, feature, how, shown] = cells[..] else {
            faults.push(format!("row {number} has {} cells, not 4", cells.len()));
            continue;
        };
        if feature.is_empty() || how.is_empty() {
            faults.push(format!("row {number} does not describe the feature"));
        }
        if let Some(reason) = shown.strip_prefix(NOT_POSSIBLE) {
            if reason.trim().len() < 40 {
                faults.push(format!("row {number} does not say why it is not possible"));
            }
            continue;
        }
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            faults.push(format!("row {number} names no test"));
        }
        for test in tests.into_iter().filter(|test| !passed.contains(*test)) {
            faults.push(format!("row {number} names `{test}`, which has not passed"));
        }
    }
    if count < COMPARED {
        faults.push(format!("there are {count} rows for {COMPARED} features to compare"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(change: impl Fn(usize) -> String) -> String {
        let rows: Vec<String> = (1..=COMPARED).map(change).collect();
        format!("# Title\n\n| # | feature | how | shown by |\n|--:|---|---|---|\n{}\n", rows.join("\n"))
    }

    fn passed() -> Passed {
        ["a::b".to_owned()].into()
    }

    #[test]
    fn a_table_whose_tests_have_passed_is_right() {
        assert_eq!(faults(&table(|row| format!("| {row} | x | y | `a::b` |")), &passed()), [""; 0]);
    }

    #[test]
    fn a_row_without_a_passing_test_is_a_fault() {
        for (cells, word) in [
            ("x | y | `a::c`", "has not passed"),
            ("x | y | `a::b`, `a::c`", "has not passed"),
            ("x | y | a::b", "names no test"),
            ("x | y | not possible: because", "does not say why"),
            ("x |  | `a::b`", "does not describe"),
            ("x | `a::b`", "cells"),
        ] {
            let text = table(|row| match row {
                7 => format!("| 7 | {cells} |"),
                _ => format!("| {row} | x | y | `a::b` |"),
            });
            let faults = faults(&text, &passed());
            assert!(faults.len() == 1 && faults[0].contains("row 7") && faults[0].contains(word), "{faults:?}");
        }
    }

    #[test]
    fn a_row_that_is_missing_is_a_fault() {
        let text = table(|row| if row == 3 { String::new() } else { format!("| {row} | x | y | `a::b` |") });
        assert!(!faults(&text, &passed()).is_empty());
    }
}
