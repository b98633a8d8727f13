//! Deletes what Freshchat holds about one person, on request.
//!
//! A deletion cannot be undone, so the wrong record must never go: a record counts only when it carries exactly the platform's id,
//! whatever the search returns. Addresses are not tried. Several people share them, and a record that was found by one may have been
//! merged with somebody else's since.

use std::borrow::Cow;

use crate::freshchat::endpoints::{DeleteUser, FindUsers, Identity};
use crate::http::Http;
use crate::http::client::{Client, Failure, FailureKind};
use crate::settings::Settings;
use handoff_contract::error::Error;
use handoff_contract::model::{Finding, Step};

/// As `end-user.id` of the contract.
const MAX_ID: usize = 255;

/// What was deleted, and what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// One for each record that was deleted.
    pub steps: Vec<Step>,
    /// What stays, and who can delete it.
    pub findings: Vec<Finding>,
}

/// Deletes the records that carry the platform's id of this person. May be repeated: what is gone counts as done.
pub fn erase(http: &dyn Http, settings: &str, user_id: &str) -> Result<Erasure, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Client::chat(http, &settings)?;
    // A search for nothing could return anybody.
    if user_id.trim().is_empty() || user_id.chars().count() > MAX_ID {
        let fault = format!("the person's id is empty or longer than {MAX_ID} characters");
        return Err(Error::request("user-id", fault, "Pass the id with which the person was handed over."));
    }
    let search = FindUsers { by: Identity::Reference, value: user_id };
    let found = freshchat.call(&search).map_err(told)?;
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|user| search.is_answered_by(user));
    let mut findings = Vec::new();
    if !others.is_empty() {
        findings.push(Finding::warning(
            "user",
            "lookup-mismatch",
            "Freshworks answered the search for this person with records of others, which were left alone",
            "Report it. Look in Freshchat whether the person has a record.",
        ));
    }
    let mut steps = Vec::new();
    for user in &own {
        let detail = match freshchat.call(&DeleteUser { id: &user.id }) {
            Ok(true) => "Freshworks has accepted the deletion and carries it out in its own time",
            Ok(false) => "deleted, with the person's conversations",
            Err(failure) if failure.kind == FailureKind::NotFound => "was gone already",
            Err(failure) => return Err(told(failure)),
        };
        steps.push(Step::new("delete-user", user.id.as_str(), detail));
    }
    if own.is_empty() {
        findings.push(Finding::ok(
            "user",
            "user-unknown",
            "no record of Freshchat carries this id; nothing was deleted",
        ));
    }
    if settings.ticket_desk()?.is_some() {
        findings.push(Finding::warning(
            "ticket-desk",
            "tickets-stay",
            "contact and tickets of the ticket desk were not deleted",
            "Delete the person's tickets and contact in the ticket desk, for good.",
        ));
    }
    Ok(Erasure { steps, findings })
}

/// There is no session to repeat with, and none is needed.
fn told(failure: Failure) -> Error {
    let remedy: Cow<'static, str> = match failure.kind {
        FailureKind::NotFound => {
            "Check the Chat URL; report it with the log text of this error when it is right.".into()
        }
        FailureKind::RateLimited | FailureKind::Unavailable | FailureKind::OutcomeUnknown => {
            "Repeat after the wait: what was deleted before stays deleted.".into()
        }
        _ => return failure.into_error(),
    };
    failure.into_error().at("user-id").with_remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;
    use handoff_contract::error::ErrorKind;

    const SETTINGS: &str = r#"{ "chat_url": "acme", "api_key": "k" }"#;
    const FOUND: &str = r#"{ "users": [{ "id": "r-1", "reference_id": "u-1" }] }"#;

    fn codes(erasure: &Erasure) -> Vec<&str> {
        erasure.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn only_records_with_exactly_this_id_are_deleted() {
        let answer = r#"{ "users": [
            { "id": "r-2", "reference_id": "u-10" }, { "id": "r-3", "reference_id": "U-1" }, { "id": "r-4" },
            { "id": "r-5", "reference_id": "u-1 " }, { "id": "r-1", "reference_id": "u-1" }
        ] }"#;
        let http = Script::default().then(200, answer).then(200, "");
        let erasure = erase(&http, SETTINGS, "u-1").unwrap();
        assert_eq!(http.sent(), ["Get /v2/users?reference_id=u-1", "Delete /v2/users/r-1"]);
        assert_eq!(codes(&erasure), ["lookup-mismatch"]);
    }

    #[test]
    fn a_person_who_is_not_known_costs_one_look() {
        let http = Script::default().then(200, r#"{ "users": [] }"#);
        let erasure = erase(&http, SETTINGS, "u-1").unwrap();
        assert_eq!((erasure.steps.len(), codes(&erasure)), (0, vec!["user-unknown"]));
        assert!(http.is_used_up());
    }

    #[test]
    fn what_is_gone_counts_as_done_and_what_is_accepted_is_told_apart() {
        for (status, body, told) in [
            (404, r#"{ "status": "NOT_FOUND" }"#, "was gone already"),
            (
                202,
                r#"{ "code": 202, "status": "ACCEPTED" }"#,
                "Freshworks has accepted the deletion and carries it out in its own time",
            ),
            (204, "", "deleted, with the person's conversations"),
        ] {
            let http = Script::default().then(200, FOUND).then(status, body);
            let erasure = erase(&http, SETTINGS, "u-1").unwrap();
            assert_eq!(erasure.steps, [Step::new("delete-user", "r-1", told)]);
        }
    }

    #[test]
    fn a_refused_search_or_deletion_is_never_taken_for_done() {
        for script in [
            Script::default().then(400, ""),
            Script::default().then(404, ""),
            Script::default().then(200, FOUND).then(400, ""),
            Script::default().then(200, FOUND).then(500, ""),
        ] {
            assert!(erase(&script, SETTINGS, "u-1").is_err());
        }
    }

    #[test]
    fn a_blank_id_asks_for_nobody() {
        let http = Script::default();
        for id in ["", " \u{a0}", &"x".repeat(256)] {
            let error = erase(&http, SETTINGS, id).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("user-id")));
        }
        assert!(http.sent().is_empty());
    }

    #[test]
    fn a_ticket_desk_keeps_what_it_has_and_the_finding_says_so() {
        let settings =
            r#"{ "chat_url": "acme", "api_key": "k", "ticket_domain": "acme.freshdesk.com", "ticket_api_key": "t" }"#;
        let http = Script::default().then(200, FOUND).then(200, "");
        assert_eq!(codes(&erase(&http, settings, "u-1").unwrap()), ["tickets-stay"]);
    }
}
