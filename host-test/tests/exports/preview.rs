//! `preview`: the plan matches the later handoff, and creates nothing.

use freshworks_simulator::{Fault, How, Match, UserSpec};
use handoff_host::bindings::{ErrorKind, HandoffRequest, Mode, Priority, Routing};
use serde_json::{Value, json};

use crate::support::{
    Desk, SPOKEN, actions, codes, long_request, nowhere, reaching, refused, refused_at_once, request, texts,
};

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_plan_is_what_the_handoff_then_does"),
    ("invalid-settings", "unusable_arguments_are_refused_before_any_request"),
    ("invalid-request", "unusable_arguments_are_refused_before_any_request"),
    ("unauthorized", "each_trouble_of_the_account_has_its_kind"),
    ("not-found", "a_topic_that_is_gone_is_not_found"),
    ("rate-limited", "each_trouble_of_the_account_has_its_kind"),
    ("unavailable", "each_trouble_of_the_account_has_its_kind"),
    ("malformed", "each_trouble_of_the_account_has_its_kind"),
];

#[tokio::test]
async fn a_plan_is_what_the_handoff_then_does() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").set("group", "Support");
    let desk = desk.set("context", json!({ "order": "shown, conversation.cf_reference", "plan": "user.plan" }));
    let desk = desk.connect_now().await;
    let request = HandoffRequest {
        context: Some(vec![
            ("order".into(), "4711".into()),
            ("plan".into(), "gold".into()),
            ("token".into(), "x".into()),
        ]),
        routing: Some(Routing { topic: None, group: None, agent: None, priority: Some(Priority::High), skill: None }),
        ..long_request()
    };
    let plan = desk.preview(&request).await.result.unwrap();
    assert_eq!(plan.mode, Mode::Live);
    assert!(desk.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", desk.lines());
    assert!(desk.sim.users().is_empty() && desk.sim.conversations().is_empty());
    assert!(plan.fields.contains(&("cf_reference".into(), "4711".into())), "{:?}", plan.fields);
    assert!(
        plan.fields.contains(&("user.plan".into(), "gold".into()))
            && plan.fields.contains(&("priority".into(), "High".into()))
    );
    assert_eq!(codes(&plan.findings), ["context-left-out"]);

    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(actions(&plan.steps), actions(&receipt.steps));
    assert_eq!(codes(&plan.findings), codes(&receipt.findings));
    let rules = |decisions: &[handoff_host::bindings::Decision]| -> Vec<(String, String)> {
        decisions.iter().map(|decision| (decision.subject.clone(), decision.rule.clone())).collect()
    };
    let (planned, mut done) = (rules(&plan.decisions), rules(&receipt.decisions));
    done.sort();
    let mut sorted = planned.clone();
    sorted.sort();
    assert_eq!(sorted, done);
    let written: Vec<String> = texts(&desk.conversation()).into_iter().map(|(.., text)| text).collect();
    assert_eq!(plan.texts, written, "what human agents read is what was shown before");
    let brief = written.last().unwrap();
    assert!(brief.contains("4711") && !brief.contains("token"));
}

#[tokio::test]
async fn a_known_user_is_found_and_not_made_again() {
    let desk = Desk::connected().await;
    desk.handoff(&request(), None).await.result.unwrap();
    let plan = desk.preview(&request()).await.result.unwrap();
    assert_eq!(actions(&plan.steps), ["find-user", "create-conversation"]);
}

#[tokio::test]
async fn a_record_that_would_be_completed_is_in_the_plan() {
    let desk = Desk::connected().await;
    desk.sim.seed_user(UserSpec { email: Some("ana@xylomar.example".into()), ..UserSpec::default() });
    let plan = desk.preview(&request()).await.result.unwrap();
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(actions(&plan.steps), ["find-user", "update-user", "create-conversation"]);
    assert_eq!(actions(&plan.steps), actions(&receipt.steps));
}

#[tokio::test]
async fn unusable_arguments_are_refused_before_any_request() {
    let desk = Desk::connected().await;
    let mut nobody = request();
    nobody.user.id.clear();
    assert_eq!(refused_at_once(desk.preview(&nobody).await).kind, ErrorKind::InvalidRequest);
    let elsewhere = desk.set("test_origin", Value::Null).set("chat_url", "acme.freshdesk.com");
    assert_eq!(refused_at_once(elsewhere.preview(&request()).await).kind, ErrorKind::InvalidSettings);
}

#[tokio::test]
async fn a_topic_that_is_gone_is_not_found() {
    let desk = Desk::new().await.set("topics", json!(["Nowhere"]));
    let error = refused(desk.preview(&request()).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("settings.topics")));
}

#[tokio::test]
async fn each_trouble_of_the_account_has_its_kind() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::rate_limit(7), ErrorKind::RateLimited),
        (How::status(503), ErrorKind::Unavailable),
        (How::Garbage, ErrorKind::Malformed),
    ] {
        let desk = Desk::connected().await;
        desk.sim.fail(Fault::new(Match::path("/v2/users"), how).times(9));
        let error = refused(desk.preview(&request()).await);
        assert_eq!(error.kind, kind, "{:?}", error.log);
    }
    let gone = nowhere();
    let desk = Desk::connected().await.set("test_origin", gone.as_str());
    let desk = Desk { sandbox: reaching(&[gone.as_str()]), ..desk };
    let error = refused(desk.preview(&request()).await);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(!error.message.contains(SPOKEN));
}
