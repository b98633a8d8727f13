//! Tickets: chosen or asked for, filed once, complete, and answered.

use std::sync::Arc;

use freshworks_simulator::{
    Availability, Config, Fault, How, Match, Simulator, Ticket, TicketProduct, UnknownRequester,
};
use host_test::CredentialInjector;
use host_test::bindings::{
    CloseReason, EventKind, HandoffRequest, Message, Mode, Owner, Part, PartKind, Priority, Receipt, Routing,
    SessionState, Update,
};
use serde_json::json;

use crate::file_host::{BYTES, FileHost, content};
use crate::support::{
    API_KEY, Desk, NOW, SPOKEN, StopAt, actions, codes, kinds, long_request, numbered_history, part, plugin, reaching,
    refused, request, said, user_message,
};
use crate::watch::watched;

const TICKET_KEY: &str = "ticket-key-Wuplakett-2";

async fn desk() -> Desk {
    of(Config::default()).await
}

async fn of(config: Config) -> Desk {
    Desk::of(Config { ticket_api_key: TICKET_KEY.into(), ..config }).await.with_tickets().connect_now().await
}

fn ticket_request() -> HandoffRequest {
    HandoffRequest { mode: Mode::Ticket, ..request() }
}

#[track_caller]
fn only_ticket(sim: &Simulator) -> Ticket {
    let mut all = sim.tickets();
    assert_eq!(all.len(), 1, "tickets");
    all.remove(0)
}

async fn filed(desk: &Desk) -> Receipt {
    desk.handoff(&ticket_request(), None).await.result.unwrap()
}

async fn tick(desk: &Desk, session: &mut Vec<u8>) -> Update {
    let update = desk.tick(session, NOW + 60_000).await.result.unwrap();
    session.clone_from(update.session.as_ref().unwrap());
    update
}

#[tokio::test]
async fn everything_that_is_known_is_in_the_ticket() {
    let desk = desk().await.set("context", json!({ "order": "ticket.cf_order" })).set("ticket_group", "Support");
    let desk = desk.set("ticket_tags", json!(["ai-agent"])).connect_now().await;
    let request = HandoffRequest {
        context: vec![("order".into(), "4711".into())],
        routing: Routing { topic: None, group: None, agent: None, priority: Some(Priority::High) },
        ..ticket_request()
    };
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    let ticket = only_ticket(&desk.sim);
    assert_eq!(receipt.external_case.case_id, format!("fd:{}", ticket.id));
    assert_eq!((receipt.info.state, receipt.info.owner), (SessionState::Ticketed, Owner::AiAgent));
    assert_eq!(receipt.info.ticket_id, Some(ticket.id.to_string()));
    assert_eq!(actions(&receipt.steps), ["create-ticket"]);
    assert!(receipt.findings.is_empty(), "{:?}", codes(&receipt.findings));

    assert_eq!(ticket.subject, "delivery");
    assert_eq!((ticket.status, ticket.priority, ticket.source), (2, 3, 7));
    assert_eq!(ticket.requester.facts.email.as_deref(), Some("ana@xylomar.example"));
    assert_eq!(ticket.requester.facts.name.as_deref(), Some("Ana Xylomar"));
    assert_eq!(ticket.custom_fields["cf_order"], "4711");
    assert_eq!(ticket.group_id, desk.sim.ticket_group_id("Support"));
    assert!(ticket.tags.contains(&"ai-agent".to_owned()) && ticket.tags.len() == 2);
    for words in ["Reason: the user asked for a person", "Her parcel is late", "Where is my parcel", "It is on its way"]
    {
        assert!(ticket.description_text.contains(words), "{words}: {}", ticket.description_text);
    }
    assert_eq!(desk.lines(), ["POST /api/v2/tickets"], "one request, and none to Freshchat");
}

#[tokio::test]
async fn nothing_that_people_write_is_markup() {
    let desk = desk().await;
    let mut request = ticket_request();
    request.user.name = Some("Ana <img src=x onerror=alert(1)>".into());
    request.summary = Some(said("<script>alert(1)</script> & \"more\""));
    request.history[0].parts[0].text = Some(said("</p><a href=\"https://evil.example\">click</a>"));
    desk.handoff(&request, None).await.result.unwrap();
    let ticket = only_ticket(&desk.sim);
    let tags = ticket.description.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap());
    let strange: Vec<&str> = tags.filter(|tag| !["p", "/p", "br"].contains(tag)).collect();
    assert!(strange.is_empty(), "{strange:?} in {}", ticket.description);
}

#[tokio::test]
async fn a_long_history_goes_as_a_file_and_is_complete() {
    let desk = desk().await;
    let request = HandoffRequest { history: numbered_history(600, 400), ..ticket_request() };
    desk.handoff(&request, None).await.result.unwrap();
    let ticket = only_ticket(&desk.sim);
    assert!(ticket.description.len() < 200 * 1024);
    let file = ticket.attachments.iter().find(|file| file.name == "conversation.txt").unwrap();
    let text = String::from_utf8(file.content.clone()).unwrap();
    for number in 0..600 {
        assert!(text.contains(&format!("(message {number})")), "{number}");
    }
    assert_eq!(ticket.status, 2, "plain fields of the form are seen");
    assert_eq!(ticket.tags.len(), 1);
}

#[tokio::test]
async fn files_of_the_history_go_with_the_ticket() {
    let files = FileHost::start().await;
    let desk = desk().await.set("file_hosts", json!([files.address()]));
    let file_origin = format!("http://{}", files.address());
    let sandbox = reaching(&[desk.sim.origin(), desk.sim.ticket_origin(), file_origin.as_str()]);
    let desk = Desk { sandbox, ..desk };
    let of = |name: &str| {
        let url = Some(format!("{file_origin}/chloe/{name}"));
        Part { url, name: Some(name.into()), ..part(PartKind::File) }
    };
    let with_files = Message { parts: vec![of("bill.pdf"), of("none.txt")], ..user_message("3", "") };
    let mut request = ticket_request();
    request.history.push(with_files);
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["file-as-link"]);
    let ticket = only_ticket(&desk.sim);
    let names: Vec<&str> = ticket.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["bill.pdf"]);
    assert!(ticket.attachments[0].content == content(BYTES));
    assert!(ticket.description_text.contains("none.txt"), "what cannot be carried can be read");
    assert!(files.seen().iter().all(|headers| !headers.contains_key("authorization")));
}

#[tokio::test]
async fn freshservice_takes_tickets_too() {
    let desk = of(Config { ticket_product: TicketProduct::Freshservice, ..Config::default() }).await;
    let desk = desk.set("ticket_domain", "acme.freshservice.com");
    let receipt = filed(&desk).await;
    let ticket = only_ticket(&desk.sim);
    assert_eq!(receipt.external_case.case_id, format!("fs:{}", ticket.id));
    assert_eq!(ticket.source, 4);
    let agent = desk.sim.ticket_agent_id("Maya Chen").unwrap();
    desk.sim.ticket_reply(ticket.id, agent, &said("It is found")).unwrap();
    let update = tick(&desk, &mut receipt.session.clone()).await;
    assert_eq!(kinds(&update.events), [EventKind::TicketReplied]);
}

#[tokio::test]
async fn a_ticket_by_phone_number_has_a_name() {
    let desk = desk().await;
    let mut request = ticket_request();
    (request.user.email, request.user.phone, request.user.name) = (None, Some("+15550100".into()), None);
    desk.handoff(&request, None).await.result.unwrap();
    let facts = only_ticket(&desk.sim).requester.facts;
    assert_eq!((facts.phone.as_deref(), facts.name.as_deref()), (Some("+15550100"), Some("user-1")));
}

#[tokio::test]
async fn a_ticket_whose_filing_had_no_clear_answer_is_filed_once() {
    for (how, after) in [
        (How::Cut, true),
        (How::CutMidBody, true),
        (How::status(500), true),
        (How::Garbage, true),
        (How::Cut, false),
        (How::status(500), false),
    ] {
        for unknown in [UnknownRequester::Refuse, UnknownRequester::Empty] {
            let desk = desk().await;
            desk.sim.set_behaviour(|it| it.unknown_requester = unknown);
            let fault = Fault::new(Match::path("/api/v2/tickets").method("POST"), how.clone());
            desk.sim.fail(if after { fault.after_effect() } else { fault });
            let error = refused(desk.handoff(&ticket_request(), None).await);
            let receipt = desk.handoff(&ticket_request(), error.session.as_deref()).await.result.unwrap();
            assert_eq!(receipt.external_case.case_id, format!("fd:{}", only_ticket(&desk.sim).id), "{how:?} {after}");
        }
    }
}

#[tokio::test]
async fn a_filing_that_was_stopped_anywhere_is_done_once() {
    for (index, after) in [(0, false), (0, true)] {
        let desk = desk().await;
        let calm = desk.sandbox.clone();
        let desk = Desk { sandbox: calm.clone().interceptor(Arc::new(StopAt { index, after })), ..desk };
        assert!(desk.handoff(&ticket_request(), None).await.result.is_err());
        let desk = Desk { sandbox: calm, ..desk };
        let again = HandoffRequest { retry: true, ..ticket_request() };
        desk.handoff(&again, None).await.result.unwrap();
        only_ticket(&desk.sim);
        desk.handoff(&again, None).await.result.unwrap();
        only_ticket(&desk.sim);
    }
}

#[tokio::test]
async fn with_mode_automatic_a_lost_try_is_adopted_whatever_it_was() {
    for nobody in [false, true] {
        let desk = desk().await.set("availability", "hours");
        let automatic = HandoffRequest { mode: Mode::Automatic, ..request() };
        desk.sim.set_behaviour(|it| it.within_business_hours = !nobody);
        desk.handoff(&automatic, None).await.result.unwrap();
        // Its session is lost, and the hours have changed.
        desk.sim.set_behaviour(|it| it.within_business_hours = nobody);
        desk.handoff(&HandoffRequest { retry: true, ..automatic }, None).await.result.unwrap();
        assert_eq!(desk.sim.tickets().len() + desk.sim.conversations().len(), 1, "nobody there: {nobody}");
    }
}

#[tokio::test]
async fn the_same_session_again_does_nothing() {
    let desk = desk().await;
    let first = filed(&desk).await;
    desk.sim.clear_journal();
    for mode in [Mode::Ticket, Mode::Automatic] {
        let again = HandoffRequest { mode, ..request() };
        let receipt = desk.handoff(&again, Some(&first.session)).await.result.unwrap();
        assert_eq!(receipt.external_case.case_id, first.external_case.case_id);
        assert!(receipt.steps.is_empty());
    }
    assert!(desk.lines().is_empty());
    let live = desk.handoff(&request(), Some(&first.session)).await.result.unwrap();
    assert!(live.external_case.case_id.starts_with("fc:"), "whoever has a ticket may ask for a person");
}

#[tokio::test]
async fn when_nobody_is_there_a_ticket_is_filed() {
    let desk = desk().await.set("availability", "hours");
    desk.sim.set_behaviour(|it| it.within_business_hours = false);
    let receipt = desk.handoff(&HandoffRequest { mode: Mode::Automatic, ..request() }, None).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fd:"));
    let mode = receipt.decisions.iter().find(|decision| decision.subject == "mode").unwrap();
    assert_eq!((mode.rule.as_str(), mode.choice.as_str()), ("outside-hours", "ticket"));
    assert!(desk.sim.conversations().is_empty() && desk.sim.users().is_empty(), "nothing else was made");
}

#[tokio::test]
async fn when_no_human_agent_is_available_a_ticket_is_filed() {
    for (availability, prefix) in [(Availability::Away, "fd:"), (Availability::Available, "fc:")] {
        let mut config = Config::default();
        config.agents.iter_mut().for_each(|agent| agent.availability = Availability::Busy);
        config.agents[0].availability = availability;
        let desk = of(config).await.set("availability", "agents").set("group", "Support");
        let receipt = desk.handoff(&HandoffRequest { mode: Mode::Automatic, ..request() }, None).await.result.unwrap();
        assert!(receipt.external_case.case_id.starts_with(prefix), "{availability:?}");
    }
}

#[tokio::test]
async fn a_live_conversation_that_is_refused_for_good_becomes_a_ticket() {
    for status in [401, 403, 404, 400] {
        let desk = desk().await;
        desk.sim.fail(Fault::new(Match::path("/v2/users"), How::status(status)).times(9));
        let automatic = HandoffRequest { mode: Mode::Automatic, ..request() };
        let receipt = desk.handoff(&automatic, None).await.result.unwrap();
        assert!(receipt.external_case.case_id.starts_with("fd:"), "{status}");
        assert_eq!(codes(&receipt.findings).last(), Some(&"live-failed"));
    }
}

#[tokio::test]
async fn trouble_that_passes_is_no_reason_for_a_ticket() {
    let desk = desk().await;
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::status(503)));
    let automatic = HandoffRequest { mode: Mode::Automatic, ..request() };
    let error = refused(desk.handoff(&automatic, None).await);
    assert!(desk.sim.tickets().is_empty());
    let receipt = desk.handoff(&automatic, error.session.as_deref()).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fc:"));
}

#[tokio::test]
async fn after_a_time_out_a_ticket_can_be_filed() {
    let desk = desk().await.set("queue_timeout_minutes", 5);
    let live = desk.handoff(&request(), None).await.result.unwrap();
    let update = desk.tick(&live.session, NOW + 6 * 60_000).await.result.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    let receipt = desk.handoff(&ticket_request(), update.session.as_deref()).await.result.unwrap();
    assert_eq!(receipt.info.state, SessionState::Ticketed);
    only_ticket(&desk.sim);
    assert!(!receipt.info.conversation_ids.is_empty(), "late webhooks still find it");
}

#[tokio::test]
async fn answers_come_back_once_and_our_own_words_do_not() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let id = only_ticket(&desk.sim).id;
    let maya = desk.sim.ticket_agent_id("Maya Chen").unwrap();
    assert!(tick(&desk, &mut session).await.events.is_empty());
    desk.sim.ticket_reply(id, maya, &format!("<p>It is <b>found</b></p><p>{SPOKEN} &amp; Maya</p>")).unwrap();
    desk.sim.requester_replies(id, &said("thanks")).unwrap();
    desk.sim.ticket_note(id, maya, &said("public note"), false).unwrap();
    let update = tick(&desk, &mut session).await;
    assert_eq!(kinds(&update.events), [EventKind::TicketReplied, EventKind::TicketReplied]);
    let text = |index: usize| update.events[index].message.as_ref().unwrap().parts[0].text.clone().unwrap();
    assert!(text(0).contains("It is found") && text(0).contains(&format!("{SPOKEN} & Maya")), "{}", text(0));
    assert!(!text(0).contains('<') && text(1).contains("public note"));
    assert!(tick(&desk, &mut session).await.events.is_empty(), "told once");
}

#[tokio::test]
async fn notes_among_agents_are_not_passed_on() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let maya = desk.sim.ticket_agent_id("Maya Chen").unwrap();
    desk.sim.ticket_note(only_ticket(&desk.sim).id, maya, &said("she is angry"), true).unwrap();
    assert!(tick(&desk, &mut session).await.events.is_empty());
}

#[tokio::test]
async fn the_end_of_a_ticket_is_told_and_so_is_its_coming_back() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let id = only_ticket(&desk.sim).id;
    desk.sim.ticket_status(id, 4).unwrap();
    let update = tick(&desk, &mut session).await;
    assert_eq!(kinds(&update.events), [EventKind::Resolved]);
    assert_eq!(update.events[0].detail.as_deref(), Some("ticket"));
    assert_eq!(update.info.unwrap().state, SessionState::Returned);
    desk.sim.ticket_status(id, 2).unwrap();
    let update = tick(&desk, &mut session).await;
    assert_eq!(kinds(&update.events), [EventKind::Reopened]);
    assert_eq!(update.info.unwrap().state, SessionState::Ticketed);
    assert!(tick(&desk, &mut session).await.events.is_empty());
}

#[tokio::test]
async fn what_the_end_user_adds_goes_under_the_ticket() {
    for how in [None, Some(How::Cut), Some(How::status(500)), Some(How::CutMidBody)] {
        let desk = desk().await;
        let mut session = filed(&desk).await.session;
        let message = user_message("m1", &said("It is <blue>"));
        if let Some(how) = how {
            desk.sim.fail(Fault::new(Match::path("/api/v2/tickets/*/notes"), how).after_effect());
            session = refused(desk.relay(&session, &message).await).session.unwrap();
        }
        let update = desk.relay(&session, &message).await.result.unwrap();
        session = update.session.unwrap();
        assert_eq!(update.info.unwrap().owner, Owner::AiAgent);
        let entries = only_ticket(&desk.sim).entries;
        assert_eq!(entries.len(), 1, "once");
        assert!(entries[0].incoming && entries[0].private && entries[0].body_text.contains("It is <blue>"));
        assert!(tick(&desk, &mut session).await.events.is_empty(), "our own words do not come back");
        let closed = desk.close(&session, CloseReason::UserLeft).await.result.unwrap();
        assert!(closed.events.is_empty(), "the AI agent has it already");
    }
}

#[tokio::test]
async fn fields_that_are_refused_do_not_keep_the_ticket_from_coming() {
    let desk = desk().await.set("context", json!({ "order": "ticket.cf_nowhere" }));
    let context = vec![("order".to_owned(), "4711".to_owned())];
    let receipt = desk.handoff(&HandoffRequest { context, ..ticket_request() }, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["fields-refused"]);
    only_ticket(&desk.sim);
}

#[tokio::test]
async fn a_refusal_names_the_fields_at_fault() {
    let desk = desk().await;
    desk.sim.set_behaviour(|it| it.ticket_required = vec!["type".into()]);
    let error = refused(desk.handoff(&ticket_request(), None).await);
    assert!(error.log.as_deref().unwrap().contains("type missing_field"), "{:?}", error.log);
    assert!(error.remedy.is_some());
}

#[tokio::test]
async fn connect_checks_the_ticket_desk() {
    let codes_of = |desk: Desk| async move {
        let connection = desk.connect().await.result.unwrap();
        let about = connection.findings.into_iter().filter(|finding| finding.check.starts_with("ticket"));
        about.map(|finding| finding.code).collect::<Vec<_>>()
    };
    let desk = || async { Desk::of(Config { ticket_api_key: TICKET_KEY.into(), ..Config::default() }).await };
    assert!(codes_of(desk().await).await.is_empty(), "not set up: not checked");
    assert_eq!(codes_of(desk().await.with_tickets()).await, ["ticket-desk-open"]);
    let wrong = desk().await.with_tickets().set("ticket_api_key", API_KEY);
    assert_eq!(codes_of(wrong).await, ["ticket-key-refused"]);
    let group = desk().await.with_tickets().set("ticket_group", "Support");
    assert_eq!(codes_of(group).await, ["ticket-desk-open", "ticket-group-found"]);
    let missing = desk().await.with_tickets().set("ticket_group", "Nowhere");
    assert_eq!(codes_of(missing).await, ["ticket-desk-open", "ticket-group-missing"]);
    let chat = desk().await.set("ticket_domain", "acme.freshchat.com");
    assert_eq!(codes_of(chat).await, ["ticket-domain-refused"]);
}

#[tokio::test]
async fn a_ticket_desk_that_cannot_be_used_does_not_stop_live_conversations() {
    let desk = Desk::connected().await.set("ticket_domain", "acme.example.com");
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fc:"));
    let error = refused(desk.handoff(&ticket_request(), None).await);
    assert_eq!(error.field.as_deref(), Some("settings.ticket_domain"));
}

#[tokio::test]
async fn each_service_gets_its_own_key_and_no_other() {
    let desk = desk().await;
    filed(&desk).await;
    let live = HandoffRequest { mode: Mode::Live, ..long_request() };
    desk.handoff(&live, None).await.result.unwrap();
    let journal = desk.sim.journal();
    assert!(journal.iter().all(|exchange| exchange.authorized), "each is let in");
    let both =
        journal.iter().any(|it| it.path.starts_with("/api/v2")) && journal.iter().any(|it| it.path.starts_with("/v2"));
    assert!(both);
}

#[tokio::test]
async fn the_host_can_keep_both_keys() {
    let desk = desk().await;
    let json = desk.json();
    let descriptor = plugin().describe(&desk.sandbox, Some(&json)).await.result.unwrap();
    let mut settings = desk.settings.as_object().unwrap().clone();
    let injector = CredentialInjector::take_from(&descriptor.outbound, &mut settings).unwrap();
    assert!(!settings.contains_key("api_key") && !settings.contains_key("ticket_api_key"));
    let sandbox = desk.sandbox.clone().credentials(injector);
    let settings = serde_json::Value::Object(settings).to_string();
    for mode in [Mode::Live, Mode::Ticket] {
        let call = plugin().handoff(&sandbox, &settings, &HandoffRequest { mode, ..request() }, None, NOW).await;
        watched(call).result.unwrap();
    }
    assert_eq!((desk.sim.tickets().len(), desk.sim.conversations().len()), (1, 1));
}

#[tokio::test]
async fn a_plan_shows_the_ticket() {
    let desk = desk().await;
    let plan = desk.preview(&ticket_request()).await.result.unwrap();
    assert_eq!((plan.mode, actions(&plan.steps)), (Mode::Ticket, vec!["create-ticket"]));
    assert!(plan.fields.contains(&("subject".into(), "delivery".into())));
    assert!(plan.texts[0].contains("Her parcel is late"));
    assert!(desk.sim.tickets().is_empty() && desk.lines().is_empty());

    let mut nobody = ticket_request();
    nobody.user.email = None;
    let plan = desk.preview(&nobody).await.result.unwrap();
    assert_eq!(codes(&plan.findings), ["needs-email"]);
}
