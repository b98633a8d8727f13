//! Every word that programs may match, with its meaning: findings, steps, reasons, capabilities.
//!
//! The documentation's tables are generated from these. Only words listed here may leave the core; tests check the
//! sources against this list.

/// Words of findings: check, code, meaning.
pub const FINDINGS: &[(&str, &str, &str)] = &[
    ("chat-url", "chat-url-valid", "requests go to the account's address"),
    ("chat-url", "chat-url-refused", "the Chat URL is not the address of a Freshchat account; no request was made"),
    ("account", "account-open", "address and API key belong together"),
    ("account", "api-key-refused", "Freshworks does not accept the key"),
    ("account", "api-key-lacks-rights", "the key may not read the account"),
    ("account", "address-is-no-freshchat", "the address is not a Freshchat account"),
    ("account", "unreachable", "the address returns no usable response"),
    ("account", "rate-limited", "Freshworks limits the rate of requests"),
    ("account", "host-not-allowed", "the host refuses requests to the address"),
    ("topic", "topic-found", "handoffs go to this topic"),
    ("topic", "topic-duplicate", "several topics have the name; an active one is used"),
    ("topic", "topic-disabled", "the topic is switched off"),
    ("topic", "topic-other-case", "a topic differs only in case, spaces or quotation marks"),
    ("topic", "topic-missing", "no topic has a name from the settings"),
    ("topic", "topic-fallback", "at a handoff: the requested topic does not exist, another one is used"),
    ("topic", "unreadable", "the topics could not be read"),
    ("topic", "api-key-lacks-rights", "the key may not read topics"),
    ("group", "group-found", "the group exists"),
    ("group", "group-missing", "no group has the name"),
    ("group", "group-fallback", "at a handoff: the group does not exist; the topic's own rules assign"),
    ("group", "unreadable", "the groups could not be read"),
    ("group", "api-key-lacks-rights", "the key may not read groups"),
    ("agent", "agent-found", "the human agent exists and is active"),
    ("agent", "agent-inactive", "the human agent is deactivated or deleted"),
    ("agent", "agent-missing", "no such human agent exists"),
    ("agent", "lookup-mismatch", "Freshworks returned a different human agent than requested"),
    ("agent", "agent-fallback", "at a handoff: no such human agent; none is assigned"),
    ("agent", "unreadable", "the human agents could not be read"),
    ("agent", "api-key-lacks-rights", "the key may not read human agents"),
    ("note-author", "agent-found", "private notes can be written in that name"),
    ("note-author", "agent-inactive", "notes in that name would be lost"),
    ("note-author", "agent-missing", "no such human agent exists"),
    ("note-author", "lookup-mismatch", "Freshworks returned a different human agent than requested"),
    ("note-author", "agent-fallback", "at a handoff: no such human agent; the history is sent as messages of the user"),
    ("webhook-key", "webhook-key-valid", "the key can be used"),
    ("webhook-key", "webhook-key-missing", "no key is set: webhooks will be refused"),
    ("webhook-key", "webhook-key-broken", "the key is truncated or contains invalid characters"),
    ("webhook-key", "webhook-key-is-private", "it is a private key"),
    ("webhook-key", "webhook-key-is-a-certificate", "it is a certificate"),
    ("webhook-key", "webhook-key-not-rsa", "it is not an RSA public key"),
    ("webhook-key", "webhook-key-too-short", "it has fewer than 2048 bits"),
    (
        "note-author",
        "author-refused",
        "at a handoff or close: a note in that name was refused; it was sent as a message of the user",
    ),
    ("user", "address-refused", "at a handoff: Freshworks refused the e-mail address or phone number; it was left out"),
    (
        "user",
        "address-taken",
        "at a handoff: the person was created without e-mail address and phone number, which belong to another record",
    ),
    (
        "user",
        "lookup-mismatch",
        "at a handoff or erasure: the search for the person returned other people's records, which were ignored",
    ),
    ("user", "lookup-refused", "at a handoff: Freshworks refused the search for the person, who counts as unknown"),
    ("webhook-key", "webhook-key-too-long", "it has more than 4096 bits"),
    ("settings", "setting-unknown", "a setting has no effect; a similar one is suggested"),
    ("user", "reference-refused", "at a handoff: a known person could not be given the platform's id"),
    (
        "end-note",
        "end-note-refused",
        "at a close: the note for the human agents was refused; the conversation ended anyway",
    ),
    ("note", "note-left-out", "at `undelivered`: the conversation has ended or is deleted; the note would be lost"),
    (
        "resolution",
        "end-untold",
        "at a close or tick: the end could not be written to Freshworks; the AI agent has the conversation",
    ),
    ("conversation", "conversation-gone", "at a tick: the conversation is deleted; it counts as ended"),
    (
        "conversation",
        "conversation-unreadable",
        "at a tick: the conversation could not be read for too long; it counts as ended",
    ),
    (
        "resolution",
        "resolution-refused",
        "at a close: Freshworks refused to resolve; the AI agent has the conversation anyway",
    ),
    ("context", "context-left-out", "at a handoff: context values that the settings do not name were not carried over"),
    (
        "context",
        "properties-refused",
        "at a handoff: Freshworks refused properties from the context; they were left out",
    ),
    ("context", "properties-known", "the account has the properties that the context goes to"),
    ("context", "properties-missing", "the account lacks properties that the context goes to"),
    ("context", "unreadable", "the properties of the account could not be read"),
    ("context", "api-key-lacks-rights", "the key may not read the account's properties"),
    ("user", "update-refused", "at a handoff: the record of a known person could not be completed"),
    ("user", "needs-email", "in a plan: a ticket needs an e-mail address; none is known"),
    ("user", "user-unknown", "at an erasure: no Freshchat record has the platform's id; nothing was deleted"),
    ("ticket-desk", "tickets-stay", "at an erasure: contact and tickets in the ticket desk were not deleted"),
    ("mode", "live-failed", "at a handoff: no live conversation could be opened; a ticket was filed"),
    ("availability", "outside-hours", "at a handoff: outside business hours; the conversation waits"),
    ("availability", "nobody-available", "at a handoff: no human agent is available; the conversation waits"),
    ("availability", "availability-unknown", "at a handoff: availability could not be determined"),
    ("ticket", "field-refused", "at a handoff: the ticket was filed without a field that the ticket desk refused"),
    ("ticket", "field-value", "at a handoff: a value does not fit the type of its ticket field; it was left out"),
    ("ticket", "ticket-gone", "at a tick or relay: the ticket is deleted or marked as spam; it counts as ended"),
    ("ticket", "ticket-unreadable", "at a tick: the ticket could not be read for too long; it counts as ended"),
    ("ticket-group", "ticket-group-found", "the group of the ticket desk exists"),
    ("ticket-group", "ticket-group-missing", "the ticket desk has no group of that name"),
    ("ticket-group", "ticket-group-fallback", "at a handoff: the ticket desk has no such group; its own rules assign"),
    ("ticket-group", "unreadable", "the groups of the ticket desk could not be read"),
    ("ticket-group", "api-key-lacks-rights", "the key of the ticket desk may not read groups"),
    ("ticket-fields", "ticket-fields-known", "the ticket desk has all fields that the settings fill"),
    ("ticket-fields", "ticket-fields-missing", "the ticket desk lacks fields that the settings fill"),
    ("ticket-fields", "ticket-field-mandatory", "the ticket desk requires a field that no setting fills"),
    ("ticket-fields", "ticket-field-value", "a value of the settings does not fit the type of its field"),
    ("ticket-fields", "unreadable", "the fields of the ticket desk could not be read; values are sent as text"),
    ("ticket-fields", "api-key-lacks-rights", "the key of the ticket desk may not read the fields of tickets"),
    ("ticket-desk", "ticket-desk-open", "address and API key of the ticket desk belong together"),
    (
        "ticket-desk",
        "ticket-domain-refused",
        "the address does not belong to Freshdesk or Freshservice; no request was made",
    ),
    ("ticket-desk", "ticket-key-refused", "the ticket desk does not accept its API key"),
    ("ticket-desk", "ticket-key-lacks-rights", "the key of the ticket desk may not read tickets"),
    ("ticket-desk", "ticket-desk-unreachable", "the ticket desk returns no usable response"),
    ("files", "file-as-link", "files were sent as links"),
    ("files", "file-refused", "at a handoff: the ticket desk refused files; the ticket says where they are"),
    ("files", "file-without-address", "files had no URL and could not be sent"),
    ("summary", "summary-unreadable", "at the end: the human agents' messages could not be read for the summary"),
    ("skill", "skill-property-known", "the account has the property that the skill goes into"),
    ("skill", "skill-property-missing", "the account lacks the property that the skill goes into"),
    ("skill", "skill-property-unknown", "the account's properties could not be read to check the one for the skill"),
    (
        "skill",
        "skill-left-out",
        "at a handoff: no setting says where the skill goes, or it is a ticket, which has none",
    ),
    ("skill", "skill-refused", "at a handoff: Freshworks refused the properties; the skill was left out"),
    ("estimate", "estimate-unknown", "at a handoff: Freshworks returned no waiting times"),
    ("rating", "rating-in-doubt", "at `rate`: whether an earlier try arrived is unknown; it is not sent again"),
];

/// Words of steps in receipts: action, meaning.
pub const STEPS: [(&str, &str); 10] = [
    ("find-user", "the person is known by the platform's id, or by a verified e-mail address or phone number"),
    ("delete-user", "at an erasure: a record with the platform's id was deleted, or will be"),
    ("update-user", "the platform's id was added to a person known by a verified e-mail address or phone number"),
    ("create-user", "the person was unknown"),
    ("create-conversation", "with as much of the history as fits into one request, and the brief if that is all"),
    ("adopt-conversation", "created by an earlier try"),
    ("send-history", "the rest of the history"),
    ("send-brief", "the brief, if the history did not fit into the first request"),
    ("create-ticket", "a ticket with summary and history"),
    ("adopt-ticket", "created by an earlier try"),
];

/// Reported decisions: subject, rule, meaning.
pub const DECISIONS: [(&str, &str, &str); 27] = [
    ("mode", "requested", "live conversation or ticket, as requested"),
    ("mode", "default", "a live conversation: nothing prevents it"),
    ("mode", "begun-before", "what an earlier try began or created"),
    ("mode", "outside-hours", "outside business hours"),
    ("mode", "nobody-available", "no human agent is available"),
    ("mode", "live-failed", "a ticket, because no live conversation could be opened"),
    ("user", "by-platform-id", "the record that has the platform's id"),
    ("user", "by-email", "the record with the e-mail address, which is verified"),
    ("user", "by-phone", "the record with the phone number, which is verified"),
    ("user", "created", "a new record"),
    ("topic", "request", "the topic that the request names"),
    ("topic", "locale", "the topic for the end user's locale"),
    ("topic", "settings", "the first of the settings that exists"),
    ("topic", "fallback", "the first of the settings that exists, because the requested one does not"),
    ("group", "request", "the group that the request names"),
    ("group", "settings", "the group of the settings"),
    ("agent", "request", "the human agent that the request names"),
    ("agent", "settings", "the human agent of the settings"),
    ("priority", "request", "the priority that the request names"),
    ("priority", "settings", "the priority of the settings"),
    ("skill", "request", "the property that the requested skill was written into"),
    ("history", "private-notes", "as notes in the name of the configured author"),
    ("history", "messages", "as messages of the user, because no author of notes is configured"),
    ("context", "settings", "how many values the settings let through"),
    ("masking", "settings", "how many places were masked"),
    ("file", "uploaded", "files that were uploaded"),
    ("file", "linked", "files that were sent as links"),
];

/// Words of `detail` in `ignored` events.
pub const IGNORED: [(&str, &str); 17] = [
    ("already-returned", "the human part had already ended"),
    ("closing", "the platform has asked for the end"),
    ("duplicate", "already reported"),
    ("empty-message", "the message has no readable content"),
    ("end-user-message", "written by the end user: the platform already has it, or it is our own echo"),
    ("foreign-channel", "from another topic"),
    ("foreign-conversation", "not from this session's conversation"),
    ("not-a-conversation-event", "the webhook names no conversation"),
    ("not-ended", "reopened although it had not ended"),
    ("own-message", "written by this connector"),
    ("private-note", "a note among human agents"),
    ("reopen-too-late", "reopened after the reopen window had passed: the AI agent keeps the conversation"),
    ("stale", "older than the known state"),
    ("superseded", "a change of a conversation that was replaced by a newer one"),
    ("system-message", "written by Freshchat itself or by a bot"),
    ("unchanged-assignment", "assigned to the current assignee again"),
    ("unknown-action", "a webhook type unknown to this version"),
];

/// Words of `detail` in `transferred` events.
pub const TRANSFERRED: [(&str, &str); 3] = [
    ("to-agent", "from one human agent to another"),
    ("to-group", "to a group; no human agent has it now"),
    ("to-nobody", "back to the queue; no human agent has it now"),
];

/// Words of `detail` in `resolved` and `reopened` events.
pub const ENDED: [(&str, &str); 1] = [("ticket", "the ticket, not a live conversation")];

/// Words of `capabilities`.
pub const CAPABILITIES: [(&str, &str); 17] = [
    ("live", "live conversations in Freshchat"),
    ("relay-text", "text of the end user reaches the human agents"),
    ("relay-files", "files of the end user are uploaded from hosts that the settings name; others are sent as links"),
    ("close", "the platform can end the human part"),
    ("webhook-signature", "webhooks are verified"),
    ("private-notes", "the history can be sent as private notes"),
    ("routing", "topic, group, human agent, priority and skill can be chosen"),
    ("resume", "an interrupted handoff, relay or close continues without duplicating anything"),
    ("tick", "time-outs, and repair after lost webhooks"),
    ("tickets", "tickets in Freshdesk or Freshservice, with answers back"),
    ("preview", "shows what a handoff would do, without doing it"),
    ("context", "context values, by an allow-list"),
    ("masking", "secrets and personal data are masked, by the setting `masking`"),
    ("summary", "the AI agent gets what the human agents wrote"),
    ("undelivered", "human agents learn which messages did not reach the end user"),
    ("erase", "a person's record in Freshchat is deleted on request, with the person's conversations"),
    ("ratings", "the end user's rating of the human part reaches Freshchat"),
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
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("vocabulary.rs") {
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

    /// The literals that are the first arguments of each call; calls whose first `count` arguments are not all literals
    /// are skipped.
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
        let rules = DECISIONS.iter().flat_map(|(subject, rule, _)| [*subject, *rule]);
        let words = STEPS.iter().chain(&IGNORED).chain(&ENDED).chain(&TRANSFERRED).map(|(word, _)| *word);
        for word in codes.chain(rules).chain(words) {
            assert!(sources.contains(&format!("\"{word}\"")), "{word}");
        }
    }

    #[test]
    fn every_decision_of_the_sources_is_in_the_manual() {
        let found = literals_behind(&all_sources(), "self.decide(", 2);
        assert!(found.len() > 8, "the scan found only {}", found.len());
        for words in found {
            let known = DECISIONS.iter().any(|(subject, rule, _)| *subject == words[0] && *rule == words[1]);
            assert!(known, "{words:?}");
        }
    }

    #[test]
    fn every_step_of_the_sources_is_in_the_manual() {
        for words in literals_behind(&all_sources(), "Step::new(", 1) {
            assert!(STEPS.iter().any(|(action, _)| *action == words[0]), "{words:?}");
        }
    }
}
