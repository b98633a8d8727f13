//! The tables of the README, the diagram of the architecture and the description of the API, made from the contract and the code,
//! so that they cannot grow old.
//!
//! Each stands between `<!-- name -->` and `<!-- end name -->`.

use anyhow::{Context, Result, bail};
use freshworks_handoff::lifecycle::{self, Action, Input, State};
use freshworks_handoff::manual;
use freshworks_handoff::settings::schema::JSON_SCHEMA;
use serde_json::Value;
use wit_parser::{Resolve, TypeDefKind};

use crate::process;

/// Writes the tables, or with `check` fails where one is out of step.
pub(crate) fn run(check: bool) -> Result<()> {
    for (file, contents) in [("README.md", contents()?), ("ARCHITECTURE.md", states())] {
        let path = process::root().join(file);
        let old = std::fs::read_to_string(&path)?;
        let mut new = old.clone();
        for (name, content) in contents {
            new = replace(&new, name, &content).with_context(|| file.to_owned())?;
        }
        if new == old {
            continue;
        }
        if check {
            bail!("{file} is out of step with the code: run `cargo xtask tables`");
        }
        std::fs::write(path, new)?;
        process::say(&format!("{file} has new tables"));
    }
    openapi(check)
}

/// The description of the bridge's API, which the app serves.
fn openapi(check: bool) -> Result<()> {
    const FILE: &str = "spin/src/openapi.json";
    let mut cargo = process::cargo_command();
    cargo.args(["run", "--quiet", "--locked", "--features", "schema", "--example", "openapi"]);
    let new = process::output(cargo.args(["--manifest-path", "spin/Cargo.toml"]))?;
    let path = process::root().join(FILE);
    if new == std::fs::read_to_string(&path)? {
        return Ok(());
    }
    if check {
        bail!("{FILE} is out of step with the code: run `cargo xtask tables`");
    }
    std::fs::write(path, new)?;
    process::say(&format!("{FILE} is new"));
    Ok(())
}

/// The table of states as a diagram, and in full.
fn states() -> Vec<(&'static str, String)> {
    let mut arrows: Vec<(State, State, Vec<&str>)> = Vec::new();
    let moves =
        State::ALL.into_iter().flat_map(|from| Input::ALL.map(|input| (from, input, lifecycle::step(from, input))));
    for (from, input, (to, _)) in moves.filter(|(from, _, (to, _))| from != to) {
        match arrows.iter_mut().find(|(known_from, known_to, _)| (*known_from, *known_to) == (from, to)) {
            Some((.., words)) => words.push(input.words()),
            None => arrows.push((from, to, vec![input.words()])),
        }
    }
    let mut diagram = "```mermaid\nstateDiagram-v2\n    [*] --> requesting\n".to_owned();
    for (from, to, words) in arrows {
        diagram += &format!("    {} --> {}: {}\n", from.word(), to.word(), words.join(" / "));
    }
    diagram += "```\n";

    let head: Vec<&str> = std::iter::once("Input").chain(State::ALL.map(State::word)).collect();
    let cell = |from: State, input: Input| {
        let (to, action) = lifecycle::step(from, input);
        let action = match action {
            Action::Go => "go".to_owned(),
            Action::HandBack => "hand back".to_owned(),
            Action::Done => "done".to_owned(),
            Action::Ignore(why) => format!("`{why}`"),
            Action::Refuse => "refuse".to_owned(),
        };
        if to == from { action } else { format!("{action} → **{}**", to.word()) }
    };
    let row = |input: Input| std::iter::once(input.words().to_owned()).chain(State::ALL.map(|from| cell(from, input)));
    let rows: Vec<Vec<String>> = Input::ALL.map(|input| row(input).collect()).to_vec();
    vec![("state diagram", diagram), ("state table", table(&head, &rows))]
}

fn contents() -> Result<Vec<(&'static str, String)>> {
    let mut resolve = Resolve::default();
    resolve.push_path(process::root().join("wit"))?;
    let embed = std::fs::read_to_string(process::root().join("host-test/examples/embed.rs"))?;
    Ok(vec![
        ("settings", settings()?),
        ("events", enum_table(&resolve, "event-kind", "Event", "What happened")?),
        ("errors", enum_table(&resolve, "error-kind", "Error", "What to do")?),
        ("findings", triples(manual::FINDINGS, ["Check", "Code", "Meaning"])),
        ("ignored", words(&manual::IGNORED, "`detail` of `ignored`", "Why there is nothing to do")),
        ("steps", words(&manual::STEPS, "Step", "What was done")),
        ("decisions", triples(&manual::DECISIONS, ["Subject", "Rule", "What was chosen"])),
        ("capabilities", words(&manual::CAPABILITIES, "Capability", "What this version can do")),
        ("embed", format!("```rust\n{embed}```\n")),
    ])
}

fn replace(text: &str, name: &str, content: &str) -> Result<String> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&start).with_context(|| format!("there is no `{}`", start.trim()))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("there is no `{end}`"))?;
    Ok(format!("{before}{start}{content}{end}{after}"))
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let cell = |text: &String| text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = rows.iter().map(|row| line(&row.iter().map(cell).collect::<Vec<_>>()));
    line(&head) + &rule + &rows.collect::<String>()
}

fn settings() -> Result<String> {
    let schema: Value = serde_json::from_str(JSON_SCHEMA)?;
    let properties = schema["properties"].as_object().context("the schema has no properties")?;
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for (name, property) in properties {
        let kind = match property["type"].as_str().unwrap_or_default() {
            "array" => "list of texts".to_owned(),
            "integer" => format!("{} to {}", property["minimum"], property["maximum"]),
            "object" if property["readOnly"] == true => "written by `connect`".to_owned(),
            "object" => "texts by name".to_owned(),
            "boolean" => "true or false".to_owned(),
            _ if property["writeOnly"] == true => "secret".to_owned(),
            _ => match property["enum"].as_array() {
                Some(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                None => "text".to_owned(),
            },
        };
        let default = match &property["default"] {
            Value::Null if name == "chat_url" => "**needed**".to_owned(),
            Value::Null => String::new(),
            Value::Array(items) => items
                .iter()
                .map(|item| format!("`{}`", item.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(", "),
            other => format!("`{other}`"),
        };
        let text = |key: &str| property[key].as_str().unwrap_or_default().to_owned();
        rows.push((
            property["x-order"].as_u64().unwrap_or(99),
            vec![format!("`{name}`"), text("title"), kind, default, text("description")],
        ));
    }
    rows.sort();
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    Ok(table(&["Setting", "In the form", "Kind", "Default", "What it is for"], &rows))
}

fn enum_table(resolve: &Resolve, name: &str, head: &str, meaning: &str) -> Result<String> {
    let found = resolve.types.iter().find(|(_, definition)| definition.name.as_deref() == Some(name));
    let (_, definition) = found.with_context(|| format!("the contract has no `{name}`"))?;
    let TypeDefKind::Enum(cases) = &definition.kind else { bail!("`{name}` is no enum") };
    let row =
        |case: &wit_parser::EnumCase| vec![format!("`{}`", case.name), case.docs.contents.clone().unwrap_or_default()];
    Ok(table(&[head, meaning], &cases.cases.iter().map(row).collect::<Vec<_>>()))
}

fn triples(triples: &[(&str, &str, &str)], head: [&str; 3]) -> String {
    let row =
        |(one, two, meaning): &(&str, &str, &str)| vec![format!("`{one}`"), format!("`{two}`"), (*meaning).to_owned()];
    table(&head, &triples.iter().map(row).collect::<Vec<_>>())
}

fn words(words: &[(&str, &str)], head: &str, meaning: &str) -> String {
    let row = |(word, meaning): &(&str, &str)| vec![format!("`{word}`"), (*meaning).to_owned()];
    table(&[head, meaning], &words.iter().map(row).collect::<Vec<_>>())
}
