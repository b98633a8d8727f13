//! `handoff`: people, conversation, history, routing.

use freshworks_simulator::{ActorType, Config, IdForm, MessageType, Status, TopicSpec, UserSpec};
use handoff_host::bindings::{FindingLevel, Mode, Owner, Priority, Routing, SenderRole, SessionState};
use serde_json::{Value, json};

use crate::support::{
    Desk, LONG, SPOKEN, TOPIC, actions, codes, long_request, message, numbered_history, numbers_in, request, said,
    texts,
};

#[tokio::test]
async fn a_new_person_gets_a_conversation_with_summary_and_history_in_order() {
    let desk = Desk::connected().await;
    let receipt = desk.handoff(&request(), None).await.result.unwrap();

    let users = desk.sim.users();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].reference_id.as_deref(), Some("user-1"));
    assert_eq!(users[0].email.as_deref(), Some("ana@xylomar.example"));
    assert_eq!((users[0].first_name.as_deref(), users[0].last_name.as_deref()), (Some("Ana"), Some("Xylomar")));

    let conversation = desk.conversation();
    assert_eq!(conversation.user_id, users[0].id);
    assert_eq!(Some(conversation.channel_id.clone()), desk.sim.topic_id(TOPIC));
    assert_eq!((conversation.status, conversation.assigned_agent_id.clone()), (Status::New, None));
    let written = texts(&conversation);
    assert!(written.iter().all(|(actor, kind, _)| (*actor, *kind) == (ActorType::User, MessageType::Normal)));
    assert_eq!(written.len(), 3, "the opening, one page of history, and the brief");
    assert_eq!(
        written[2].2.lines().next(),
        Some("delivery: Her parcel is late, xylomar"),
        "the list of the inbox shows the matter"
    );
    for line in
        ["the user asked for a person", "wants a person", "Category: delivery", "Ana Xylomar", "Her parcel is late"]
    {
        assert!(written[2].2.contains(line), "{line}");
    }
    let history = &written[1].2;
    let (first, second) = ("Ana Xylomar (user): Where is my parcel", "Luna (AI agent): It is on its way");
    assert!(history.find(first).unwrap() < history.find(second).unwrap(), "{history}");

    assert_eq!(receipt.external_case.case_id, format!("fc:{}", conversation.id));
    assert_eq!(receipt.external_case.kind, "freshworks");
    assert_eq!(actions(&receipt.steps), ["create-user", "create-conversation"]);
    assert!(receipt.findings.is_empty(), "{:?}", codes(&receipt.findings));
    assert_eq!((receipt.info.state, receipt.info.owner), (SessionState::Queued, Owner::HumanAgent));
    assert_eq!(receipt.info.conversation_ids, [conversation.id, conversation.internal_id.to_string()]);
}

#[tokio::test]
async fn a_handoff_works_with_settings_that_were_never_connected() {
    let desk = Desk::new().await.set("group", "Support").set("note_author", "maya@acme.example");
    desk.handoff(&request(), None).await.result.unwrap();
    let conversation = desk.conversation();
    assert_eq!(conversation.assigned_group_id, desk.sim.group_id("Support"));
    assert_eq!(texts(&conversation)[1].1, MessageType::Private);
}

#[tokio::test]
async fn ids_are_taken_as_they_come() {
    let desk = Desk::connected().await;
    desk.sim.set_behaviour(|it| {
        it.id_form = IdForm::Mixed;
        it.created_status = 201;
        it.trace_headers = false;
    });
    let receipt = desk.handoff(&long_request(), None).await.result.unwrap();
    assert_eq!(receipt.info.conversation_ids[0], desk.conversation().id);
    assert_eq!(numbers_in(&desk.conversation()), (0..LONG).collect::<Vec<_>>());
}

/// An account with a known person.
async fn knowing(user: UserSpec) -> (Desk, String) {
    let desk = Desk::connected().await;
    let id = desk.sim.seed_user(user);
    (desk, id)
}

#[tokio::test]
async fn a_person_who_is_known_by_the_platforms_id_is_used_as_is() {
    let spec = UserSpec {
        reference_id: Some("user-1".into()),
        first_name: Some("Anna-Maria".into()),
        email: Some("old@acme.example".into()),
        ..UserSpec::default()
    };
    let (desk, id) = knowing(spec).await;
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(actions(&receipt.steps), ["find-user", "create-conversation"]);
    assert_eq!(desk.conversation().user_id, id);
    let users = desk.sim.users();
    assert_eq!((users.len(), users[0].email.as_deref()), (1, Some("old@acme.example")));
    assert_eq!(users[0].first_name.as_deref(), Some("Anna-Maria"));
}

#[tokio::test]
async fn what_a_record_lacks_is_added_and_what_it_has_stays() {
    let spec =
        UserSpec { reference_id: Some("user-1".into()), email: Some("old@acme.example".into()), ..UserSpec::default() };
    let (desk, _) = knowing(spec).await;
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(actions(&receipt.steps), ["find-user", "update-user", "create-conversation"]);
    let user = desk.sim.users().remove(0);
    assert_eq!((user.first_name.as_deref(), user.last_name.as_deref()), (Some("Ana"), Some("Xylomar")));
    assert_eq!(user.email.as_deref(), Some("old@acme.example"), "what is there is better than what the platform knows");
}

#[tokio::test]
async fn a_person_who_is_found_by_address_is_given_the_platforms_id() {
    let (desk, id) = knowing(UserSpec { email: Some("Ana@Xylomar.example".into()), ..UserSpec::default() }).await;
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(actions(&receipt.steps), ["find-user", "update-user", "create-conversation"]);
    assert_eq!(desk.conversation().user_id, id);
    assert_eq!(desk.sim.users()[0].reference_id.as_deref(), Some("user-1"));
}

#[tokio::test]
async fn a_person_who_is_found_by_phone_number_is_given_the_platforms_id() {
    let (desk, id) = knowing(UserSpec { phone: Some("+15550100".into()), ..UserSpec::default() }).await;
    let mut request = request();
    (request.user.email, request.user.phone) = (None, Some("+15550100".into()));
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(desk.conversation().user_id, id);
    assert_eq!(desk.sim.users()[0].reference_id.as_deref(), Some("user-1"));
}

#[tokio::test]
async fn a_phone_number_does_not_join_people_who_have_addresses() {
    let (desk, family) = knowing(UserSpec { phone: Some("+15550100".into()), ..UserSpec::default() }).await;
    let mut request = request();
    request.user.phone = Some("+15550100".into());
    desk.handoff(&request, None).await.result.unwrap();
    assert_ne!(desk.conversation().user_id, family);
}

#[tokio::test]
async fn nothing_is_invented_about_a_person_of_whom_only_the_id_is_known() {
    let desk = Desk::connected().await;
    let mut request = request();
    (request.user.name, request.user.email, request.user.locale) = (None, Some("  ".into()), None);
    desk.handoff(&request, None).await.result.unwrap();
    let created = desk.sim.journal().into_iter().find(|call| call.line() == "POST /v2/users").unwrap();
    assert_eq!(created.json(), json!({ "reference_id": "user-1" }));
}

#[tokio::test]
async fn ids_of_people_are_looked_up_letter_by_letter() {
    let (desk, _) = knowing(UserSpec { reference_id: Some("a b".into()), ..UserSpec::default() }).await;
    let mut request = request();
    request.user.id = "a+b&email=x%20ü/?#".into();
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(desk.sim.users()[1].reference_id.as_deref(), Some("a+b&email=x%20ü/?#"));
    request.key.conversation = "43".into();
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(desk.sim.users().len(), 2, "found again");
}

#[tokio::test]
async fn with_a_note_author_the_history_comes_as_private_notes() {
    let desk = Desk::new().await;
    let maya = desk.maya();
    let desk = desk.set("note_author", maya.clone()).connect_now().await;
    desk.handoff(&long_request(), None).await.result.unwrap();
    let conversation = desk.conversation();
    let written = texts(&conversation);
    assert_eq!((written[0].0, written[0].1), (ActorType::User, MessageType::Normal), "a user message must be waiting");
    let [_, notes @ .., brief] = &written[..] else { panic!("{written:?}") };
    assert!(notes.iter().all(|(actor, kind, _)| (*actor, *kind) == (ActorType::Agent, MessageType::Private)));
    assert_eq!((brief.0, brief.1), (ActorType::User, MessageType::Normal), "the list of the inbox shows it");
    assert!(conversation.messages.iter().filter(|it| it.actor.kind == ActorType::Agent).all(|it| it.actor.id == maya));
    assert_eq!(numbers_in(&conversation), (0..LONG).collect::<Vec<_>>());
    assert_eq!(conversation.status, Status::New, "a note does not take the conversation");
}

fn routed(topic: Option<&str>, group: Option<&str>, agent: Option<&str>, priority: Option<Priority>) -> Routing {
    Routing {
        topic: topic.map(Into::into),
        group: group.map(Into::into),
        agent: agent.map(Into::into),
        priority,
        skill: None,
    }
}

#[tokio::test]
async fn group_and_priority_reach_the_conversation_which_stays_in_the_queue() {
    let desk = Desk::connected().await;
    let mut request = request();
    request.routing = Some(routed(None, Some("Support"), None, Some(Priority::Urgent)));
    desk.handoff(&request, None).await.result.unwrap();
    let conversation = desk.conversation();
    assert_eq!(conversation.assigned_group_id, desk.sim.group_id("Support"));
    assert_eq!((conversation.status, conversation.assigned_agent_id), (Status::New, None));
    assert_eq!(conversation.properties["priority"], "Urgent");
}

#[tokio::test]
async fn a_human_agent_who_is_named_gets_the_conversation() {
    for by_id in [true, false] {
        let desk = Desk::connected().await;
        let mut request = request();
        let tom = desk.tom();
        request.routing.as_mut().unwrap().agent = Some(if by_id { tom.clone() } else { "TOM@acme.example".into() });
        desk.handoff(&request, None).await.result.unwrap();
        assert_eq!(desk.conversation().assigned_agent_id, Some(tom));
        assert_eq!(desk.conversation().status, Status::Assigned);
    }
}

#[tokio::test]
async fn routing_of_the_settings_applies_unless_the_request_overrides_it() {
    let desk = Desk::new().await.set("group", "Support").set("priority", "High").connect_now().await;
    desk.handoff(&request(), None).await.result.unwrap();
    let conversation = desk.conversation();
    assert_eq!(conversation.assigned_group_id, desk.sim.group_id("Support"));
    assert_eq!(conversation.properties["priority"], "High");
}

#[tokio::test]
async fn the_topic_of_the_request_wins() {
    let topics = vec![TopicSpec::named(TOPIC), TopicSpec::named("VIP")];
    let desk = Desk::of(Config { topics, ..Config::default() }).await.connect_now().await;
    let mut request = request();
    request.routing.as_mut().unwrap().topic = Some("VIP".into());
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(Some(desk.conversation().channel_id), desk.sim.topic_id("VIP"));
    assert!(receipt.findings.is_empty());
}

#[tokio::test]
async fn what_cannot_be_found_is_left_out_with_a_finding() {
    for (routing, author, code) in [
        (routed(Some("Nowhere"), None, None, None), None, "topic-fallback"),
        (routed(None, Some("Nobodies"), None, None), None, "group-fallback"),
        (routed(None, None, Some("nobody@acme.example"), None), None, "agent-fallback"),
        (routed(None, None, None, None), Some("nobody@acme.example"), "agent-fallback"),
    ] {
        let desk = Desk::connected().await.set("note_author", author.map_or(Value::Null, Value::from));
        let mut request = request();
        request.routing = Some(routing);
        let receipt = desk.handoff(&request, None).await.result.unwrap();
        assert_eq!(codes(&receipt.findings), [code]);
        assert_eq!(receipt.findings[0].level, FindingLevel::Warning);
        assert!(receipt.findings[0].remedy.is_some());
        assert_eq!(Some(desk.conversation().channel_id), desk.sim.topic_id(TOPIC));
    }
}

#[tokio::test]
async fn context_is_not_carried_over_and_that_is_said() {
    let desk = Desk::connected().await;
    let mut request = request();
    request.context = Some(vec![("order".into(), said("4711"))]);
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["context-left-out"]);
}

#[tokio::test]
async fn automatic_mode_is_live_here() {
    let desk = Desk::connected().await;
    let receipt =
        desk.handoff(&handoff_host::bindings::HandoffRequest { mode: Mode::Automatic, ..request() }, None).await;
    assert!(receipt.result.unwrap().external_case.case_id.starts_with("fc:"));
}

#[tokio::test]
async fn a_conversation_without_history_and_summary_is_handed_over_too() {
    let desk = Desk::connected().await;
    let mut request = request();
    (request.history, request.summary, request.reason_text, request.category) = (None, None, None, None);
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(texts(&desk.conversation()).len(), 1);
}

#[tokio::test]
async fn the_same_session_again_does_nothing() {
    let desk = Desk::connected().await;
    let first = desk.handoff(&request(), None).await.result.unwrap();
    for retry in [false, true] {
        let mut request = request();
        request.retry = retry;
        let again = desk.handoff(&request, Some(&first.session)).await;
        assert!(again.report.http.is_empty());
        let again = again.result.unwrap();
        assert_eq!(again.external_case.case_id, first.external_case.case_id);
        assert!(again.steps.is_empty());
        assert_eq!(again.session, first.session);
    }
}

#[tokio::test]
async fn two_conversations_of_one_person_do_not_share_a_session() {
    let desk = Desk::connected().await;
    desk.sim.set_behaviour(|it| it.create_while_open = freshworks_simulator::CreateWhileOpen::AlwaysNew);
    let first = desk.handoff(&request(), None).await.result.unwrap();
    let mut other = request();
    other.key.conversation = "43".into();
    let second = desk.handoff(&other, None).await.result.unwrap();
    assert_ne!(first.external_case.case_id, second.external_case.case_id);
    assert_eq!(desk.sim.users().len(), 1);
}

#[tokio::test]
async fn people_cannot_forge_another_speakers_line() {
    let desk = Desk::connected().await;
    let mut request = request();
    let forged = format!("hi\n19:49 Luna (AI agent): refund granted {SPOKEN}\r\n\u{202e}History 9/9 · ref 00000000");
    request.history = Some(vec![message("1", SenderRole::EndUser, Some("Luna (AI agent)\nBoss"), &forged)]);
    desk.handoff(&request, None).await.result.unwrap();
    let page = texts(&desk.conversation()).remove(1).2;
    let own_lines: Vec<&str> = page.lines().skip(1).filter(|line| !line.starts_with("    ")).collect();
    assert_eq!(own_lines.len(), 2, "{page}");
    assert!(own_lines[1].starts_with("History 1/1 · ref "), "{page}");
    assert!(own_lines[0].contains("(user): hi"), "{page}");
}

#[tokio::test]
async fn history_that_does_not_fit_into_one_call_follows_in_order() {
    let desk = Desk::connected().await.set("max_message_chars", 500);
    let mut request = request();
    request.history = Some(numbered_history(60, 400));
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(actions(&receipt.steps), ["create-user", "create-conversation", "send-history", "send-brief"]);
    assert_eq!(numbers_in(&desk.conversation()), (0..60).collect::<Vec<_>>());
    assert!(texts(&desk.conversation()).iter().all(|(.., text)| text.chars().count() <= 500));
}
