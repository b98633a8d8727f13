//! Prints the input of `cargo xtask tables` as JSON: the settings' schema, every word that programs may match, and the table of
//! states. A separate program, so that starting a task does not build the core.

use freshworks_handoff::conversation::lifecycle::{self, Action, Input};
use freshworks_handoff::settings::schema::JSON_SCHEMA;
use freshworks_handoff::vocabulary;
use handoff_contract::model::SessionState;
use serde_json::{Value, json};

fn main() {
    let moves = Input::ALL
        .into_iter()
        .flat_map(|input| SessionState::ALL.map(|from| (from, input, lifecycle::step(from, input))));
    let moves: Vec<Value> = moves
        .map(|(from, input, (to, action))| {
            let action = match action {
                Action::Go => "go".to_owned(),
                Action::HandBack => "hand back".to_owned(),
                Action::Done => "done".to_owned(),
                Action::Ignore(why) => format!("`{why}`"),
                Action::Refuse => "refuse".to_owned(),
            };
            json!({ "input": input.words(), "from": from.word(), "to": to.word(), "action": action })
        })
        .collect();
    let vocabulary = json!({
        "settings": serde_json::from_str::<Value>(JSON_SCHEMA).unwrap_or_default(),
        "findings": vocabulary::FINDINGS,
        "ignored": vocabulary::IGNORED,
        "transferred": vocabulary::TRANSFERRED,
        "ended": vocabulary::ENDED,
        "steps": vocabulary::STEPS,
        "decisions": vocabulary::DECISIONS,
        "capabilities": vocabulary::CAPABILITIES,
        "moves": moves,
    });
    println!("{vocabulary}");
}
