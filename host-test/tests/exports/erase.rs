//! `erase` deletes only the person's own record in Freshchat.

use freshworks_simulator::{Fault, How, Match, UserDeletion, UserSearch, UserSpec};
use handoff_host::bindings::{Erasure, ErrorKind};
use handoff_host::{Call, CallError};
use serde_json::Value;

use crate::support::{
    Desk, Talk, actions, codes, nowhere, plugin, reaching, refused, refused_as, refused_at_once, request, said,
};
use crate::watch::watched;

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "only_the_persons_record_and_conversations_are_deleted"),
    ("invalid-settings", "unusable_arguments_are_refused_before_any_request"),
    ("invalid-request", "unusable_arguments_are_refused_before_any_request"),
    ("unauthorized", "each_trouble_of_the_account_has_its_kind_and_a_repeat_finishes"),
    ("not-found", "a_refused_search_is_an_error_and_not_an_empty_result"),
    ("rejected", "a_refused_search_is_an_error_and_not_an_empty_result"),
    ("rate-limited", "each_trouble_of_the_account_has_its_kind_and_a_repeat_finishes"),
    ("unavailable", "an_account_that_cannot_be_reached_is_unavailable"),
    ("outcome-unknown", "each_trouble_of_the_account_has_its_kind_and_a_repeat_finishes"),
    ("malformed", "a_look_up_that_is_not_json_is_malformed"),
];

/// The platform's id of the person of [`request`].
const ANA: &str = "user-1";

async fn erase(desk: &Desk, person: &str) -> Call<Erasure> {
    watched(plugin().erase(&desk.sandbox, &desk.json(), person).await)
}

fn of(reference: Option<&str>) -> UserSpec {
    UserSpec {
        first_name: Some("Bea".into()),
        email: Some("ana@xylomar.example".into()),
        reference_id: reference.map(str::to_owned),
        ..UserSpec::default()
    }
}

/// Ana's conversation, and records that resemble hers: the same address, an id with the same prefix or in another case.
async fn among_others() -> (Talk, Vec<String>) {
    let desk = Desk::connected().await;
    let others = [None, Some("user-10"), Some("USER-1"), Some("user")];
    let others: Vec<String> = others.map(|reference| desk.sim.seed_user(of(reference))).to_vec();
    let mut anonymous = request();
    anonymous.user.email = None;
    (Talk::of(desk, &anonymous).await, others)
}

fn users(talk: &Talk) -> Vec<String> {
    talk.desk.sim.users().into_iter().map(|user| user.id).collect()
}

#[tokio::test]
async fn only_the_persons_record_and_conversations_are_deleted() {
    for (behaviour, told) in [
        (UserDeletion::Done, "deleted, with the person's conversations"),
        (UserDeletion::Accepted, "Freshworks has accepted the deletion and carries it out in its own time"),
    ] {
        let (talk, others) = among_others().await;
        talk.desk.sim.set_behaviour(|it| it.user_deletion = behaviour);
        let bea = &others[0];
        let topic = talk.desk.sim.topic_id(crate::support::TOPIC).unwrap();
        let (theirs, _) = talk.desk.sim.user_starts(&topic, bea, &said("my card is gone")).await.unwrap();
        let own = talk.conversation().user_id;

        let erasure = erase(&talk.desk, ANA).await.result.unwrap();
        assert_eq!(actions(&erasure.steps), ["delete-user"]);
        assert_eq!((erasure.steps[0].target.as_str(), erasure.steps[0].detail.as_str()), (own.as_str(), told));
        assert!(erasure.findings.is_empty(), "{:?}", codes(&erasure.findings));
        assert_eq!(talk.desk.lines(), ["GET /v2/users".to_owned(), format!("DELETE /v2/users/{own}")]);
        assert_eq!(users(&talk), others, "the records of others stay");
        let left: Vec<String> = talk.desk.sim.conversations().into_iter().map(|it| it.id).collect();
        assert_eq!(left, [theirs], "the conversations of others stay");
    }
}

#[tokio::test]
async fn records_of_others_that_the_search_returns_are_left_alone() {
    for search in [UserSearch::Everybody, UserSearch::Prefix] {
        let (talk, others) = among_others().await;
        talk.desk.sim.set_behaviour(|it| it.user_search = search);
        let erasure = erase(&talk.desk, ANA).await.result.unwrap();
        assert_eq!(erasure.steps.len(), 1, "{search:?}");
        assert_eq!(codes(&erasure.findings), ["lookup-mismatch"], "{search:?}");
        assert_eq!(users(&talk), others, "{search:?}");
        // And if no returned record is the person's.
        let again = erase(&talk.desk, ANA).await.result.unwrap();
        assert_eq!((again.steps.len(), users(&talk)), (0, others), "{search:?}");
    }
}

#[tokio::test]
async fn repeating_an_erasure_succeeds() {
    let (talk, others) = among_others().await;
    erase(&talk.desk, ANA).await.result.unwrap();
    let again = erase(&talk.desk, ANA).await.result.unwrap();
    assert_eq!((again.steps.len(), codes(&again.findings)), (0, vec!["user-unknown"]));
    assert_eq!(users(&talk), others);
}

#[tokio::test]
async fn every_record_with_the_id_goes() {
    let (talk, others) = among_others().await;
    talk.desk.sim.seed_user(of(Some(ANA)));
    // The response to the first deletion is lost: the retry continues with the second.
    let deletions = Match::path("/v2/users/*").method("DELETE");
    talk.desk.sim.fail(Fault::new(deletions, How::Cut).after_effect());
    assert_eq!(refused(erase(&talk.desk, ANA).await).kind, ErrorKind::OutcomeUnknown);
    assert_eq!(erase(&talk.desk, ANA).await.result.unwrap().steps.len(), 1);
    assert_eq!(users(&talk), others);
}

#[tokio::test]
async fn a_record_that_goes_meanwhile_counts_as_done() {
    let (talk, _) = among_others().await;
    let deletions = Match::path("/v2/users/*").method("DELETE");
    talk.desk.sim.fail(Fault::new(deletions, How::status(404)));
    let erasure = erase(&talk.desk, ANA).await.result.unwrap();
    assert_eq!(erasure.steps[0].detail, "was gone already");
}

#[tokio::test]
async fn a_ticket_desk_is_named_as_what_stays() {
    let talk = Talk::of(Desk::new().await.with_tickets().connect_now().await, &request()).await;
    let erasure = erase(&talk.desk, ANA).await.result.unwrap();
    assert_eq!(codes(&erasure.findings), ["tickets-stay"]);
    let asked = talk.desk.lines();
    assert!(asked.iter().all(|line| line.contains("/v2/users")), "the ticket desk is not asked: {asked:?}");
}

#[tokio::test]
async fn unusable_arguments_are_refused_before_any_request() {
    let (talk, others) = among_others().await;
    for unusable in [String::new(), " ".to_owned(), "x".repeat(256)] {
        let error = refused_at_once(erase(&talk.desk, &unusable).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("user-id")));
    }
    let all = users(&talk).len();
    assert_eq!(all, others.len() + 1, "no record is deleted");
    let elsewhere = talk.desk.set("test_origin", Value::Null).set("chat_url", "acme.freshdesk.com");
    assert_eq!(refused_at_once(erase(&elsewhere, ANA).await).kind, ErrorKind::InvalidSettings);
}

#[tokio::test]
async fn each_trouble_of_the_account_has_its_kind_and_a_repeat_finishes() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::rate_limit(7), ErrorKind::RateLimited),
        (How::status(503), ErrorKind::OutcomeUnknown),
        (How::CutMidBody, ErrorKind::OutcomeUnknown),
        (How::Cut, ErrorKind::OutcomeUnknown),
    ] {
        for after in [false, true] {
            let (talk, others) = among_others().await;
            let fault = Fault::new(Match::path("/v2/users/*").method("DELETE"), how.clone());
            talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
            let outcome = erase(&talk.desk, ANA).await;
            // A request that surely changed nothing may be repeated at once.
            if let Err(CallError::Plugin(error)) = &outcome.result {
                assert_eq!(error.kind, kind, "{:?}", error.log);
                assert_eq!(error.session, None);
            }
            erase(&talk.desk, ANA).await.result.unwrap();
            assert_eq!(users(&talk), others, "{how:?} {after}");
        }
    }
}

#[tokio::test]
async fn a_refused_search_is_an_error_and_not_an_empty_result() {
    for (search, kind) in [(UserSearch::Refused, ErrorKind::Rejected), (UserSearch::NotFound, ErrorKind::NotFound)] {
        let (talk, _) = among_others().await;
        talk.desk.sim.set_behaviour(|it| it.user_search = search);
        let error = refused_as(erase(&talk.desk, ANA).await, kind);
        assert!(error.remedy.is_some());
    }
    let (talk, others) = among_others().await;
    talk.desk.sim.set_behaviour(|it| it.user_deletion = UserDeletion::Refused);
    refused_as(erase(&talk.desk, ANA).await, ErrorKind::Rejected);
    assert_eq!(users(&talk).len(), others.len() + 1);
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_unavailable() {
    let (talk, _) = among_others().await;
    let gone = nowhere();
    let desk = Desk { sandbox: reaching(&[gone.as_str()]), ..talk.desk.set("test_origin", gone.as_str()) };
    assert_eq!(refused(erase(&desk, ANA).await).kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_look_up_that_is_not_json_is_malformed() {
    let (talk, _) = among_others().await;
    talk.desk.sim.fail(Fault::new(Match::path("/v2/users").method("GET"), How::Garbage).times(9));
    assert_eq!(refused(erase(&talk.desk, ANA).await).kind, ErrorKind::Malformed);
}
