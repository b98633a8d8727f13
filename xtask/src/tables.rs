//! The documentation's tables, the architecture's diagram and the API's description, generated from the contract and the code, so
//! that they stay up to date.
//!
//! Each is between `<!-- name -->` and `<!-- end name -->`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use wit_parser::{Resolve, TypeDefKind};

use crate::{process, python_types, typescript};

/// What `examples/vocabulary.rs` of the core prints.
#[derive(Deserialize)]
struct Vocabulary {
    settings: Value,
    findings: Vec<[String; 3]>,
    ignored: Vec<[String; 2]>,
    transferred: Vec<[String; 2]>,
    ended: Vec<[String; 2]>,
    steps: Vec<[String; 2]>,
    decisions: Vec<[String; 3]>,
    capabilities: Vec<[String; 2]>,
    moves: Vec<Move>,
}

/// One cell of the table of states. Cells of one input are consecutive, in the order of the states.
#[derive(Deserialize)]
struct Move {
    input: String,
    from: String,
    to: String,
    action: String,
}

fn vocabulary() -> Result<Vocabulary> {
    let mut cargo = process::cargo_command();
    cargo.args(["run", "--quiet", "--package", "freshworks-handoff", "--example", "vocabulary"]);
    Ok(serde_json::from_str(&process::output(&mut cargo)?)?)
}

/// Writes the tables, or with `check` fails if one is out of date.
pub(crate) fn run(check: bool) -> Result<()> {
    let vocabulary = vocabulary()?;
    for (file, contents) in contents(&vocabulary)? {
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
            bail!("{file} is out of date with the code: run `cargo xtask tables`");
        }
        std::fs::write(path, new)?;
        process::say(&format!("{file} has been updated"));
    }
    // Published crates hold no files of other folders.
    let wit = std::fs::read_to_string(process::root().join("wit/connector.wit"))?;
    whole("crates/contract/src/connector.wit", &wit, check)?;
    python(&vocabulary.settings, check)?;
    typescript::write(check)?;
    openapi(check)
}

/// Types, exceptions and methods of the Python package.
fn python(settings: &Value, check: bool) -> Result<()> {
    let mut resolve = Resolve::default();
    resolve.push_path(process::root().join("wit"))?;
    python_types::files(&resolve, settings)?.iter().try_for_each(|(file, new)| whole(file, new, check))
}

/// The description of the bridge's API, which the app serves.
fn openapi(check: bool) -> Result<()> {
    let mut cargo = process::cargo_command();
    cargo.args(["run", "--quiet", "--locked", "--package", "handoff-bridge", "--example", "openapi"]);
    whole("crates/bridge/src/http/openapi.json", &process::output(&mut cargo)?, check)
}

/// Writes a file that is made as a whole.
fn whole(file: &str, new: &str, check: bool) -> Result<()> {
    let path = process::root().join(file);
    if std::fs::read_to_string(&path).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if check {
        bail!("{file} is out of date with the code: run `cargo xtask tables`");
    }
    std::fs::write(path, new)?;
    process::say(&format!("{file} has been updated"));
    Ok(())
}

/// The table of states, as a diagram and in full.
fn states(moves: &[Move]) -> Tables {
    let mut states: Vec<&str> = Vec::new();
    for step in moves {
        if !states.contains(&step.from.as_str()) {
            states.push(&step.from);
        }
    }
    let mut diagram = "```mermaid\nstateDiagram-v2\n    [*] --> requesting\n".to_owned();
    for from in &states {
        let mut arrows: Vec<(&str, Vec<&str>)> = Vec::new();
        for step in moves.iter().filter(|step| step.from == *from && step.to != *from) {
            match arrows.iter_mut().find(|(to, _)| *to == step.to) {
                Some((_, inputs)) => inputs.push(&step.input),
                None => arrows.push((&step.to, vec![&step.input])),
            }
        }
        for (to, inputs) in arrows {
            diagram += &format!("    {from} --> {to}: {}\n", inputs.join(" / "));
        }
    }
    diagram += "```\n";

    let head: Vec<&str> = std::iter::once("Input").chain(states.iter().copied()).collect();
    let cell = |step: &Move| match step.to == step.from {
        true => step.action.clone(),
        false => format!("{} → **{}**", step.action, step.to),
    };
    let row =
        |steps: &[Move]| steps.iter().take(1).map(|step| step.input.clone()).chain(steps.iter().map(cell)).collect();
    let rows: Vec<Vec<String>> = moves.chunks(states.len().max(1)).map(row).collect();
    vec![("state diagram", diagram), ("state table", table(&head, &rows))]
}

/// The tables of a document by their names.
type Tables = Vec<(&'static str, String)>;

/// Each document with its tables.
fn contents(vocabulary: &Vocabulary) -> Result<Vec<(&'static str, Tables)>> {
    let mut resolve = Resolve::default();
    resolve.push_path(process::root().join("wit"))?;
    Ok(vec![
        ("docs/settings.md", vec![("settings", settings(&vocabulary.settings)?)]),
        ("docs/findings.md", vec![("findings", findings(&vocabulary.findings)?)]),
        (
            "docs/events.md",
            vec![
                ("events", enum_table(&resolve, "event-kind", "Event", "What happened")?),
                ("ignored", words(&vocabulary.ignored, "`detail` of `ignored`", "Why there is nothing to do")),
                ("transferred", words(&vocabulary.transferred, "`detail` of `transferred`", "Where it went")),
                ("ended", words(&vocabulary.ended, "`detail` of `resolved` and `reopened`", "What it is about")),
            ],
        ),
        ("docs/errors.md", vec![("errors", enum_table(&resolve, "error-kind", "Error", "What to do")?)]),
        (
            "docs/receipts.md",
            vec![
                ("steps", words(&vocabulary.steps, "Step", "What was done")),
                ("decisions", triples(&vocabulary.decisions, ["Subject", "Rule", "What was chosen"])),
                ("capabilities", words(&vocabulary.capabilities, "Capability", "What this version can do")),
            ],
        ),
        ("ARCHITECTURE.md", states(&vocabulary.moves)),
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

fn settings(schema: &Value) -> Result<String> {
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
        // `<property>` is a placeholder, not HTML.
        let text = |key: &str| property[key].as_str().unwrap_or_default().replace('<', "\\<");
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
    let TypeDefKind::Enum(cases) = &definition.kind else { bail!("`{name}` is not an enum") };
    let row =
        |case: &wit_parser::EnumCase| vec![format!("`{}`", case.name), case.docs.contents.clone().unwrap_or_default()];
    Ok(table(&[head, meaning], &cases.cases.iter().map(row).collect::<Vec<_>>()))
}

fn triples(triples: &[[String; 3]], head: [&str; 3]) -> String {
    let row = |[one, two, meaning]: &[String; 3]| vec![format!("`{one}`"), format!("`{two}`"), meaning.clone()];
    table(&head, &triples.iter().map(row).collect::<Vec<_>>())
}

/// The table of findings, each with its remedy. Remedies are in a separate file: they are prose for admins, and the plugin does not need
/// them.
fn findings(findings: &[[String; 3]]) -> Result<String> {
    const FILE: &str = "docs/remedies.txt";
    let text = std::fs::read_to_string(process::root().join(FILE))?;
    let mut remedies: Vec<(&str, &str, &str)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, remedy) = line.split_once(": ").with_context(|| format!("{FILE}: no remedy in `{line}`"))?;
        let (check, code) = name.split_once(' ').with_context(|| format!("{FILE}: no check and code in `{line}`"))?;
        remedies.push((check, code, remedy));
    }
    let mut rows = Vec::new();
    for [check, code, meaning] in findings {
        let found = remedies.iter().position(|(one, other, _)| one == check && other == code);
        let place = found.with_context(|| format!("{FILE} has no remedy for `{check} {code}`: add a line"))?;
        let (_, _, remedy) = remedies.remove(place);
        rows.push(vec![format!("`{check}`"), format!("`{code}`"), meaning.clone(), remedy.to_owned()]);
    }
    if let Some((check, code, _)) = remedies.first() {
        bail!("{FILE}: there is no finding `{check} {code}`");
    }
    Ok(table(&["Check", "Code", "Meaning", "Cause and remedy"], &rows))
}

fn words(words: &[[String; 2]], head: &str, meaning: &str) -> String {
    let row = |[word, meaning]: &[String; 2]| vec![format!("`{word}`"), meaning.clone()];
    table(&[head, meaning], &words.iter().map(row).collect::<Vec<_>>())
}
