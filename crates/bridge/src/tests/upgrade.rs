//! State that earlier versions have written (`fixtures/state`): this version goes on with it. And what an older version makes of newer state.

use serde_json::{Value, json};

use super::{ask, body, freshchat, message};
use crate::state::{Handoff, Saved, State};
use crate::testing::{Memory, Outside, keys};

/// What the tests' bridges encrypt with.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// After everything that was recorded.
const LATER: u64 = 1_795_900_000_000;
/// Recorded from the bridge of that day, and the version of its sessions: the first of 0.1 with all of its stores, and the last.
const RECORDED: [(&str, &str); 2] = [
    (include_str!("../../../../fixtures/state/2026-11-24/redis.jsonl"), "fwh3"),
    (include_str!("../../../../fixtures/state/2026-11-27/redis.jsonl"), "fwh4"),
];

/// The Freshchat of the other tests, in which every conversation is assigned.
fn open_conversations(line: &str) -> (u16, String) {
    let id = line.strip_prefix("Get ").and_then(|line| line.split("/conversations/").nth(1));
    match id.filter(|id| !id.contains('/')) {
        Some(id) => (200, json!({ "conversation_id": id, "status": "assigned" }).to_string()),
        None => freshchat(line),
    }
}

/// The fields of each hash whose key begins so.
fn hashes(recorded: &str, prefix: &str) -> Vec<Vec<(String, String)>> {
    let commands = recorded.lines().map(|line| serde_json::from_str::<Vec<String>>(line).unwrap());
    let own = commands.filter(|command| command[0] == "HSET" && command[1].starts_with(prefix));
    own.map(|command| command[2..].chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()).collect()
}

/// What was recorded, in memory; answers the handoffs.
fn restored(recorded: &str) -> (Memory, Vec<Handoff>) {
    let state = Memory::default();
    *state.keys.borrow_mut() = keys(KEY, "");
    for (id, stored) in hashes(recorded, "fwh:connections").remove(0) {
        state.connections.borrow_mut().insert(id, stored);
    }
    let mut conversations = hashes(recorded, "fwh:conversations/shop").remove(0);
    let mut handoffs = Vec::new();
    for fields in hashes(recorded, "fwh:handoff/shop/") {
        let (_, stored) = fields.into_iter().find(|(name, _)| name == "handoff").unwrap();
        let handoff: Handoff = serde_json::from_str(&stored).unwrap();
        let own = |pair: &(String, String)| pair.1 == handoff.id;
        let known: Vec<String> = conversations.extract_if(.., |pair| own(pair)).map(|(name, _)| name).collect();
        assert!(!known.is_empty());
        let lease = state.lease("shop", &handoff.id, "", LATER, 1, false).unwrap().unwrap();
        assert_ne!(state.save(&handoff, &known, &[], lease.number).unwrap(), Saved::Overtaken);
        handoffs.push(handoff);
    }
    (state, handoffs)
}

#[test]
fn state_of_earlier_versions_is_read_and_goes_on() {
    for (recorded, version) in RECORDED {
        let (state, handoffs) = restored(recorded);
        assert_eq!(handoffs.len(), 2, "{version}");
        for handoff in &handoffs {
            assert!(handoff.session.as_ref().unwrap().starts_with(version.as_bytes()));
        }
        let http = Outside::new(open_conversations);
        let connections = ask(&http, &state, "GET", "/v1/connections", &Value::Null, LATER);
        assert_eq!(body(&connections)["connections"].as_array().map(Vec::len), Some(2), "{connections:?}");
        let open = ask(&http, &state, "GET", "/v1/connections/shop/handoffs", &Value::Null, LATER);
        let open = body(&open)["handoffs"].as_array().unwrap();
        assert_eq!(open.len(), 1, "{version}: {open:?}");
        let path = format!("/v1/connections/shop/handoffs/{}", open[0]["id"].as_str().unwrap());

        // What was relayed then is not sent again; what is new is.
        let asked = http.asked.borrow().len();
        assert_eq!(ask(&http, &state, "POST", &format!("{path}/messages"), &message("m1"), LATER).status, 200);
        assert_eq!(http.asked.borrow().len(), asked, "{version}: {:?}", http.asked.borrow());
        let relayed = ask(&http, &state, "POST", &format!("{path}/messages"), &message("m3"), LATER);
        assert_eq!(relayed.status, 200, "{version}: {relayed:?}");
        assert!(http.asked.borrow().len() > asked);

        let looked = ask(&http, &state, "POST", "/v1/tick", &Value::Null, LATER + 60_000);
        assert_eq!(body(&looked)["failed"], 0, "{version}: {looked:?}");
        let closed = ask(&http, &state, "POST", &format!("{path}/close"), &json!({ "reason": "user-left" }), LATER);
        assert_eq!(body(&closed)["owner"], "ai-agent", "{version}: {closed:?}");
        let ended = handoffs.iter().find(|handoff| !handoff.is_open()).unwrap();
        let shown =
            ask(&http, &state, "GET", &format!("/v1/connections/shop/handoffs/{}", ended.id), &Value::Null, LATER);
        assert_eq!(body(&shown)["owner"], "ai-agent", "{version}");
    }
}

#[test]
fn what_a_newer_version_has_written_is_refused_and_left_as_it_is() {
    let (state, handoffs) = restored(RECORDED[1].0);
    let known = handoffs.into_iter().find(Handoff::is_open).unwrap();
    let mut newer = known.clone();
    newer.session.as_mut().unwrap()[3] = b'9';
    let replace = |handoff: &Handoff| {
        let lease = state.lease("shop", &handoff.id, "", LATER, 1, false).unwrap().unwrap();
        assert_ne!(state.save(handoff, &[], &[], lease.number).unwrap(), Saved::Overtaken);
    };
    replace(&newer);
    let http = Outside::new(freshchat);
    let path = format!("/v1/connections/shop/handoffs/{}/messages", known.id);
    let refused = ask(&http, &state, "POST", &path, &message("m3"), LATER);
    assert_eq!((refused.status, &body(&refused)["kind"]), (400, &json!("invalid-request")), "{refused:?}");
    assert!(body(&refused).to_string().contains("another version"), "{refused:?}");
    assert!(http.asked.borrow().is_empty(), "nothing was sent");
    assert_eq!(state.handoff("shop", &known.id).unwrap().unwrap().session, newer.session);
    // The newer version, again.
    replace(&known);
    assert_eq!(ask(&http, &state, "POST", &path, &message("m3"), LATER).status, 200);
}
