//! Holds these tests against the contract: no function, and no error that a function documents, goes without a test.

use std::collections::BTreeSet;
use std::path::Path;

use wit_parser::{Resolve, TypeDefKind};

use crate::support::{plugin, reaching};
use crate::{
    close, connect, describe, erase, estimates_and_ratings, handoff_errors, peek, preview, relay, tick, undelivered,
    webhook,
};

/// Kinds of error, or `ok`, each with the name of the test that shows it.
pub(crate) type Covered = &'static [(&'static str, &'static str)];

/// The tests of each function of the contract, with their source files.
const COVERED: [(&str, Covered, &str); 12] = [
    ("describe", describe::COVERED, include_str!("describe.rs")),
    ("connect", connect::COVERED, include_str!("connect.rs")),
    ("preview", preview::COVERED, include_str!("preview.rs")),
    ("handoff", handoff_errors::COVERED, include_str!("handoff_errors.rs")),
    ("relay", relay::COVERED, include_str!("relay.rs")),
    ("close", close::COVERED, include_str!("close.rs")),
    ("undelivered", undelivered::COVERED, include_str!("undelivered.rs")),
    ("rate", estimates_and_ratings::COVERED, include_str!("estimates_and_ratings.rs")),
    ("peek", peek::COVERED, include_str!("peek.rs")),
    ("on-webhook", webhook::COVERED, include_str!("webhook.rs")),
    ("tick", tick::COVERED, include_str!("tick.rs")),
    ("erase", erase::COVERED, include_str!("erase.rs")),
];

/// What cannot be caused from outside, and why.
const CANNOT_HAPPEN: [(&str, &str, &str); 13] = [
    ("handoff", "internal", "a bug, by definition"),
    ("on-webhook", "internal", "a bug, by definition"),
    ("relay", "internal", "a bug, by definition"),
    ("close", "internal", "a bug, by definition"),
    ("tick", "internal", "a bug, by definition"),
    ("tick", "needs-email", "it files no ticket"),
    ("relay", "needs-email", "it files no ticket"),
    ("close", "needs-email", "it files no ticket"),
    ("erase", "unsupported", "this version has the capability"),
    ("tick", "unsupported", "this version has the capability"),
    ("close", "not-found", "the end must never fail for ever: it becomes a finding"),
    ("close", "unauthorized", "the end must never fail for ever: it becomes a finding"),
    ("close", "rejected", "the end must never fail for ever: it becomes a finding"),
];

struct Contract {
    /// Name and documentation of each function.
    functions: Vec<(String, String)>,
    kinds: BTreeSet<String>,
}

fn contract() -> Contract {
    let mut resolve = Resolve::default();
    resolve.push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")).unwrap();
    let (_, interface) =
        resolve.interfaces.iter().find(|(_, interface)| interface.name.as_deref() == Some("connector")).unwrap();
    let docs = |function: &wit_parser::Function| function.docs.contents.clone().unwrap_or_default();
    let functions = interface.functions.iter().map(|(name, function)| (name.clone(), docs(function))).collect();
    let TypeDefKind::Enum(kinds) = &resolve.types[interface.types["error-kind"]].kind else { panic!("no enum") };
    Contract { functions, kinds: kinds.cases.iter().map(|case| case.name.clone()).collect() }
}

impl Contract {
    fn docs(&self, name: &str) -> &str {
        &self.functions.iter().find(|(function, _)| function == name).unwrap().1
    }

    /// The kinds that the documentation names after `Errors:`, including those by reference to another function.
    fn errors(&self, name: &str) -> BTreeSet<String> {
        let Some((_, errors)) = self.docs(name).split_once("Errors:") else { return BTreeSet::new() };
        let words: Vec<&str> = errors.split('`').skip(1).step_by(2).collect();
        let own = words.iter().filter(|word| self.kinds.contains(**word)).map(|word| (*word).to_owned());
        let inherited = words.iter().filter(|word| **word != name && self.functions.iter().any(|(it, _)| it == **word));
        own.chain(inherited.flat_map(|word| self.errors(word))).collect()
    }

    /// The capability without which the function returns `unsupported`.
    fn capability(&self, name: &str) -> Option<&str> {
        self.docs(name).split_once("without the capability `")?.1.split('`').next()
    }
}

#[tokio::test]
async fn every_function_and_every_error_that_it_documents_has_a_test() {
    let contract = contract();
    let exported: BTreeSet<&str> = contract.functions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(exported, COVERED.iter().map(|(name, ..)| *name).collect());
    let capabilities = plugin().describe(&reaching(&[]), None).await.result.unwrap().capabilities;

    for (function, covered, source) in COVERED {
        for (word, test) in covered {
            assert!(*word == "ok" || contract.kinds.contains(*word), "{function}: no error kind {word}");
            assert!(source.contains(&format!("async fn {test}()")), "{function}: no test {test}");
        }
        let missing = contract.capability(function).is_some_and(|word| !capabilities.iter().any(|it| it == word));
        let wanted: BTreeSet<String> = if missing {
            BTreeSet::from(["unsupported".to_owned()])
        } else {
            contract.errors(function).into_iter().chain(["ok".to_owned()]).collect()
        };
        for word in wanted {
            let shown = covered.iter().any(|(it, _)| *it == word);
            // With its capability, a function must not return this.
            let excused = CANNOT_HAPPEN.iter().any(|(it, kind, _)| *it == function && *kind == word);
            assert!(shown || excused, "{function}: no test shows `{word}`");
            assert!(!(shown && excused), "{function}: `{word}` can happen after all");
        }
    }
}

#[test]
fn the_documentation_of_the_contract_is_read() {
    let contract = contract();
    assert_eq!(contract.kinds.len(), 13);
    assert_eq!(contract.errors("handoff").len(), 11);
    assert_eq!(contract.errors("relay"), contract.errors("handoff"));
    assert_eq!(contract.errors("on-webhook").len(), 6);
    assert!(contract.errors("peek").is_empty());
    assert_eq!(contract.capability("tick"), Some("tick"));
}
