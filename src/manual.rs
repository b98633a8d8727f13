//! Every word that programs may match, with its meaning: findings, steps, reasons, capabilities.
//!
//! The tables of the README are made from these. A word that is not here must not leave the core; tests hold the
//! sources against this list.

/// Words of findings: check, code, meaning.
pub const FINDINGS: [(&str, &str, &str); 48] = [
    ("chat-url", "chat-url-valid", "requests go to the account's address"),
    ("chat-url", "chat-url-refused", "the Chat URL is no address of a Freshchat account; no request was made"),
    ("account", "account-open", "address and API key belong together"),
    ("account", "api-key-refused", "Freshworks does not accept the key"),
    ("account", "api-key-lacks-rights", "the key may not read the account"),
    ("account", "address-is-no-freshchat", "something else answers at the address"),
    ("account", "unreachable", "no usable answer comes from the address"),
    ("account", "rate-limited", "Freshworks asks to send fewer requests"),
    ("account", "host-not-allowed", "the host refuses requests to the address"),
    ("topic", "topic-found", "handoffs go to this topic"),
    ("topic", "topic-duplicate", "several topics bear the name; one that is switched on is used"),
    ("topic", "topic-disabled", "the topic is switched off"),
    ("topic", "topic-other-case", "a topic differs only in case, spaces or quotation marks"),
    ("topic", "topic-missing", "no topic bears a name of the settings"),
    ("topic", "topic-fallback", "at a handoff: the topic asked for does not exist, another of the settings is used"),
    ("topic", "unreadable", "the topics could not be read"),
    ("topic", "api-key-lacks-rights", "the key may not read topics"),
    ("group", "group-found", "the group exists"),
    ("group", "group-missing", "no group bears the name"),
    ("group", "group-fallback", "at a handoff: the group does not exist, the topic's own rules assign"),
    ("group", "unreadable", "the groups could not be read"),
    ("group", "api-key-lacks-rights", "the key may not read groups"),
    ("agent", "agent-found", "the human agent exists and is active"),
    ("agent", "agent-inactive", "the human agent is deactivated or deleted"),
    ("agent", "agent-missing", "there is no such human agent"),
    ("agent", "agent-fallback", "at a handoff: there is no such human agent, none is assigned"),
    ("agent", "unreadable", "the human agents could not be read"),
    ("agent", "api-key-lacks-rights", "the key may not read human agents"),
    ("note-author", "agent-found", "private notes can be written in that name"),
    ("note-author", "agent-inactive", "notes in that name would be lost"),
    ("note-author", "agent-missing", "there is no such human agent"),
    (
        "note-author",
        "agent-fallback",
        "at a handoff: there is no such human agent, the history comes as messages of the user",
    ),
    ("webhook-key", "webhook-key-valid", "the key can be used"),
    ("webhook-key", "webhook-key-missing", "no key is set: webhooks will be refused"),
    ("webhook-key", "webhook-key-broken", "letters are missing or foreign"),
    ("webhook-key", "webhook-key-is-private", "it is a private key"),
    ("webhook-key", "webhook-key-is-a-certificate", "it is a certificate"),
    ("webhook-key", "webhook-key-not-rsa", "it is no RSA public key"),
    ("webhook-key", "webhook-key-too-short", "it has fewer than 2048 bits"),
    (
        "note-author",
        "author-refused",
        "at a handoff or close: a note in that name was refused; it came as a message of the user",
    ),
    (
        "user",
        "address-refused",
        "at a handoff: the person was created without e-mail address and phone number, which Freshworks refused",
    ),
    ("webhook-key", "webhook-key-too-long", "it has more than 4096 bits"),
    ("settings", "setting-unknown", "a setting has no effect; a similar one is suggested"),
    ("user", "reference-refused", "at a handoff: a known person could not be given the platform's id"),
    (
        "end-note",
        "end-note-refused",
        "at a close: the note for the human agents was refused; the end came all the same",
    ),
    (
        "resolution",
        "resolution-refused",
        "at a close: Freshworks refused to resolve; the AI agent has the conversation all the same",
    ),
    ("context", "context-left-out", "at a handoff: context values were not carried over"),
    ("files", "file-as-link", "at a relay: files were passed on as links"),
];

/// Words of steps in receipts: action, meaning.
pub const STEPS: [(&str, &str); 6] = [
    ("find-user", "the person was known: by the platform's id, e-mail address or phone number"),
    ("update-user", "a person known by e-mail address or phone number was given the platform's id"),
    ("create-user", "the person was not known"),
    ("create-conversation", "with summary and as much of the history as one request carries"),
    ("adopt-conversation", "an earlier try had created it"),
    ("send-history", "the rest of the history"),
];

/// Words of `detail` in `ignored` events.
pub const IGNORED: [(&str, &str); 17] = [
    ("already-returned", "the human part had ended already"),
    ("closing", "the platform has asked for the end"),
    ("duplicate", "the same thing was reported before"),
    ("empty-message", "nothing readable is in the message"),
    ("end-user-message", "written by the end user: the platform has it already, or it is our own echo"),
    ("foreign-channel", "of a topic that is not ours"),
    ("foreign-conversation", "not of the conversation of this session"),
    ("not-a-conversation-event", "the webhook names no conversation"),
    ("not-ended", "reopened although it had not ended"),
    ("own-message", "written by this connector"),
    ("private-note", "a note among human agents"),
    ("reopen-too-late", "reopened after the reopen window had passed: the AI agent keeps the conversation"),
    ("stale", "older than what is known already"),
    ("superseded", "a change of a conversation that a newer one has replaced"),
    ("system-message", "written by Freshchat itself or by a bot"),
    ("unchanged-assignment", "it went to the one who had it"),
    ("unknown-action", "a kind of webhook that this version does not know"),
];

/// Words of `detail` in `transferred` events.
pub const TRANSFERRED: [(&str, &str); 3] = [
    ("to-agent", "from one human agent to another"),
    ("to-group", "to a group; no human agent has it now"),
    ("to-nobody", "back to the queue; no human agent has it now"),
];

/// Words of `capabilities`.
pub const CAPABILITIES: [(&str, &str); 8] = [
    ("live", "live conversations in Freshchat"),
    ("relay-text", "text of the end user reaches the human agents; files as links"),
    ("close", "the platform can end the human part"),
    ("webhook-signature", "webhooks are verified"),
    ("private-notes", "the history can come as private notes"),
    ("routing", "topic, group, human agent and priority can be chosen"),
    ("resume", "a handoff, relay or close that was cut off goes on without doubling anything"),
    ("tick", "time-outs, and repair after lost webhooks"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("manual.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push_str(text.split("#[cfg(test)]").next().unwrap());
            }
        }
    }

    fn all_sources() -> String {
        let mut all = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        all
    }

    /// The texts that are the first arguments of each call; calls whose first `count` arguments are not all literals are
    /// passed over.
    fn literals_behind(sources: &str, call: &str, count: usize) -> Vec<Vec<String>> {
        let literals = |text: &str| {
            let pieces: Vec<&str> = text.split('"').take(2 * count).collect();
            let between_is_comma = |(index, piece): (usize, &&str)| piece.trim() == if index == 0 { "" } else { "," };
            let are_arguments = pieces.iter().step_by(2).enumerate().all(between_is_comma);
            are_arguments.then(|| pieces.iter().skip(1).step_by(2).map(|piece| (*piece).to_owned()).collect())
        };
        sources.split(call).skip(1).filter_map(literals).collect()
    }

    #[test]
    fn every_finding_of_the_sources_is_in_the_manual() {
        let sources = all_sources();
        let mut found = 0;
        for call in ["Finding::ok(", "Finding::warning(", "Finding::failure("] {
            for words in literals_behind(&sources, call, 2) {
                found += 1;
                let known = FINDINGS.iter().any(|(check, code, _)| *check == words[0] && *code == words[1]);
                assert!(known, "{words:?}");
            }
        }
        assert!(found > 15, "the scan found only {found}");
    }

    #[test]
    fn every_word_of_the_manual_is_in_the_sources() {
        let sources = all_sources();
        let codes = FINDINGS.iter().map(|(_, code, _)| *code);
        let words = STEPS.iter().chain(&IGNORED).chain(&TRANSFERRED).map(|(word, _)| *word);
        for word in codes.chain(words) {
            assert!(sources.contains(&format!("\"{word}\"")), "{word}");
        }
    }

    #[test]
    fn every_step_of_the_sources_is_in_the_manual() {
        for words in literals_behind(&all_sources(), "Step::new(", 1) {
            assert!(STEPS.iter().any(|(action, _)| *action == words[0]), "{words:?}");
        }
    }
}
