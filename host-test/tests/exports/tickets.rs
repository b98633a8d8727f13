//! Tickets: chosen or requested, filed once, complete, and answered.

use std::sync::Arc;

use freshworks_simulator::{
    Availability, Config, Fault, Gone, How, Match, Simulator, Ticket, TicketField, TicketFieldKind, TicketProduct,
    UnknownRequester,
};
use handoff_host::CredentialInjector;
use handoff_host::bindings::{
    CloseReason, ErrorKind, EventKind, HandoffRequest, Message, Mode, Outcome, Owner, Part, PartKind, Priority,
    Receipt, Routing, SessionState, Update,
};
use serde_json::{Value, json};

use crate::file_host::{BYTES, FileHost, content};
use crate::support::{
    API_KEY, Desk, NOW, SPOKEN, StopAt, actions, codes, kinds, long_request, numbered_history, part, plugin, reaching,
    refused, refused_as, request, said, user_message,
};
use crate::watch::watched;

const TICKET_KEY: &str = "ticket-key-Wuplakett-2";

async fn desk() -> Desk {
    of(Config::default()).await
}

async fn of(config: Config) -> Desk {
    let is_service = config.ticket_product == TicketProduct::Freshservice;
    let desk = Desk::of(Config { ticket_api_key: TICKET_KEY.into(), ..config }).await.with_tickets();
    let desk = if is_service { desk.set("ticket_domain", "acme.freshservice.com") } else { desk };
    desk.connect_now().await
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

async fn tick(desk: &Desk, session: &mut String) -> Update {
    let update = desk.tick(session, NOW + 60_000).await.result.unwrap();
    session.clone_from(update.session.as_ref().unwrap());
    update
}

#[tokio::test]
async fn everything_that_is_known_is_in_the_ticket() {
    let desk = desk().await.set("context", json!({ "order": "ticket.cf_order" })).set("ticket_group", "Support");
    let desk = desk.set("ticket_tags", json!(["ai-agent"])).connect_now().await;
    let request = HandoffRequest {
        context: Some(vec![("order".into(), "4711".into())]),
        routing: Some(Routing { topic: None, group: None, agent: None, priority: Some(Priority::High), skill: None }),
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
    request.history.as_mut().unwrap()[0].parts[0].text = Some(said("</p><a href=\"https://evil.example\">click</a>"));
    desk.handoff(&request, None).await.result.unwrap();
    let ticket = only_ticket(&desk.sim);
    let tags = ticket.description.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap());
    let strange: Vec<&str> = tags.filter(|tag| !["p", "/p", "br"].contains(tag)).collect();
    assert!(strange.is_empty(), "{strange:?} in {}", ticket.description);
}

#[tokio::test]
async fn a_long_history_goes_as_a_file_and_is_complete() {
    let desk = desk().await;
    let request = HandoffRequest { history: Some(numbered_history(600, 400)), ..ticket_request() };
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
    request.history.as_mut().unwrap().push(with_files);
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
        assert_eq!(desk.sim.tickets().len() + desk.sim.conversations().len(), 1, "outside business hours: {nobody}");
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
    assert!(live.external_case.case_id.starts_with("fc:"), "a person with a ticket can still get a live handoff");
}

#[tokio::test]
async fn without_an_available_agent_a_ticket_is_filed() {
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
async fn temporary_failures_do_not_cause_a_ticket() {
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
    assert!(tick(&desk, &mut session).await.events.is_empty(), "reported once");
}

#[tokio::test]
async fn of_an_answer_by_mail_only_what_the_agent_wrote_is_passed_on() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let ticket = only_ticket(&desk.sim);
    let maya = desk.sim.ticket_agent_id("Maya Chen").unwrap();
    let answer = said("It is found");
    // The whole ticket, with the end user's address, is quoted below the answer.
    let ours = &ticket.description;
    assert!(ours.contains("ana@xylomar.example"));
    let headed = "<b>From:</b> Ana &lt;ana@xylomar.example&gt;<br><b>Sent:</b> Friday<br><b>To:</b> lead@acme.example<br><b>Subject:</b> delivery<br>";
    for quoted in [
        format!(
            "<div class=\"freshdesk_quote\"><blockquote class=\"freshdesk_quote\">{ours} lead@acme.example</blockquote></div>"
        ),
        format!(
            "<div class=\"gmail_quote\">On Fri, 27 Nov 2026, Ana &lt;ana@xylomar.example&gt; wrote:<br><blockquote>{ours}</blockquote></div>"
        ),
        format!("<br>On Fri, 27 Nov 2026, Ana &lt;ana@xylomar.example&gt; wrote:<br>{ours}"),
        format!("<br>-----Original Message-----<br>{headed}{ours}"),
        format!("<br>{headed}{ours}"),
        ours.clone(),
    ] {
        desk.sim.ticket_reply(ticket.id, maya, &format!("<p>{answer}</p>{quoted}")).unwrap();
        let update = tick(&desk, &mut session).await;
        assert_eq!(kinds(&update.events), [EventKind::TicketReplied]);
        let parts = &update.events[0].message.as_ref().unwrap().parts;
        assert_eq!(
            parts.iter().map(|part| part.text.as_deref().unwrap()).collect::<Vec<_>>(),
            [answer.as_str()],
            "{quoted}"
        );
    }
    // An answer with nothing but a quote is not reported.
    desk.sim.ticket_reply(ticket.id, maya, &format!("<blockquote>{ours}</blockquote>")).unwrap();
    assert!(tick(&desk, &mut session).await.events.is_empty());
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
async fn the_end_and_the_reopening_of_a_ticket_are_reported() {
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

const HOUR: u64 = 60 * 60 * 1000;

/// A desk with a field of each type.
fn typed(product: TicketProduct) -> Config {
    let choices = || vec!["Gold".to_owned(), "Silver".to_owned()];
    Config {
        ticket_product: product,
        ticket_fields: vec![
            "cf_order".into(),
            TicketField::new("cf_count", TicketFieldKind::Number),
            TicketField::new("cf_price", TicketFieldKind::Decimal),
            TicketField::new("cf_urgent", TicketFieldKind::Checkbox),
            TicketField::new("cf_day", TicketFieldKind::Date),
            TicketField::new("cf_plan", TicketFieldKind::Dropdown(choices())),
        ],
        ..Config::default()
    }
}

/// Each value of the context goes into the ticket field of its name.
async fn with_context(desk: Desk, values: &[(&str, &str)]) -> (Desk, HandoffRequest) {
    let map: serde_json::Map<String, Value> =
        values.iter().map(|(name, _)| ((*name).to_owned(), json!(format!("ticket.{name}")))).collect();
    let context = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (desk.set("context", map).connect_now().await, HandoffRequest { context: Some(context), ..ticket_request() })
}

#[tokio::test]
async fn values_are_written_by_the_type_of_their_field() {
    let values = [
        ("cf_order", "0815"),
        ("cf_count", "3"),
        ("cf_price", "12.50"),
        ("cf_urgent", "yes"),
        ("cf_day", "2026-11-27T10:00:00Z"),
        ("cf_plan", "gold"),
    ];
    for product in [TicketProduct::Freshdesk, TicketProduct::Freshservice] {
        let desk = of(typed(product)).await;
        let (desk, request) = with_context(desk, &values).await;
        // In a form, which goes with files, everything is text.
        for history in [request.history.clone(), Some(numbered_history(600, 400))] {
            let request = HandoffRequest { history, ..request.clone() };
            let receipt = desk.handoff(&request, None).await.result.unwrap();
            assert!(receipt.findings.is_empty(), "{:?}", receipt.findings);
            let fields = desk.sim.tickets().pop().unwrap().custom_fields;
            let expected = json!({
                "cf_order": "0815", "cf_count": 3, "cf_price": 12.5, "cf_urgent": true, "cf_day": "2026-11-27",
                "cf_plan": "Gold",
            });
            assert_eq!(Value::Object(fields), expected, "{product:?}");
        }
        assert_eq!(desk.lines(), ["POST /api/v2/tickets"; 2], "one request each: nothing was refused");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_stays_behind_alone() {
    let values = [("cf_count", "three"), ("cf_urgent", "maybe"), ("cf_plan", "Bronze"), ("cf_order", "7")];
    let (desk, request) = with_context(of(typed(TicketProduct::Freshdesk)).await, &values).await;
    let plan = desk.preview(&request).await.result.unwrap();
    assert_eq!(codes(&plan.findings), ["field-value"; 3]);
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["field-value"; 3]);
    assert!(receipt.findings.iter().all(|finding| !finding.detail.contains("Bronze")), "no text of people");
    assert_eq!(Value::Object(only_ticket(&desk.sim).custom_fields), json!({ "cf_order": "7" }));
}

#[tokio::test]
async fn only_the_field_that_is_refused_is_left_out() {
    let map = json!({ "order": "ticket.cf_order", "nowhere": "ticket.cf_nowhere", "count": "ticket.cf_count" });
    // Not connected since: the types are not known, and one name is wrong.
    let desk = of(typed(TicketProduct::Freshdesk)).await.set("context", map).set("ticket_group", "Support");
    let context = [("order", "4711"), ("nowhere", "x"), ("count", "3")];
    let context = context.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let receipt =
        desk.handoff(&HandoffRequest { context: Some(context), ..ticket_request() }, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["field-refused", "field-refused"]);
    assert!(receipt.findings[0].detail.contains("cf_") && receipt.findings[0].remedy.is_some());
    let ticket = only_ticket(&desk.sim);
    assert_eq!(Value::Object(ticket.custom_fields), json!({ "cf_order": "4711" }));
    assert_eq!(ticket.group_id, desk.sim.ticket_group_id("Support"), "the group stays");
}

#[tokio::test]
async fn what_nothing_can_mend_is_not_tried_for_ever() {
    let body = |field: &str| {
        let errors = json!([{ "field": field, "message": "m", "code": "invalid_value" }]);
        How::Status {
            code: 400,
            headers: Vec::new(),
            body: json!({ "description": "Validation failed", "errors": errors }).to_string(),
        }
    };
    for (how, posts) in [(body("subject"), 1), (body("cf_order"), 2), (How::ticket_status(400), 1)] {
        let (desk, request) = with_context(desk().await, &[("cf_order", "7")]).await;
        desk.sim.fail(Fault::new(Match::path("/api/v2/tickets").method("POST"), how).times(99));
        refused_as(desk.handoff(&request, None).await, ErrorKind::Rejected);
        assert_eq!(desk.lines(), vec!["POST /api/v2/tickets"; posts]);
    }
}

#[tokio::test]
async fn mandatory_fields_of_every_desk_are_filled_by_settings_and_context() {
    for (product, required, filled) in [
        (TicketProduct::Freshdesk, ["type", "product_id"], json!({ "type": "question", "product_id": "42" })),
        (
            TicketProduct::Freshservice,
            ["department_id", "category"],
            json!({ "department_id": "7", "category": "Chat" }),
        ),
    ] {
        let desk = Desk::of(Config { ticket_product: product, ..Config::default() }).await.with_tickets();
        let is_service = product == TicketProduct::Freshservice;
        let desk = if is_service { desk.set("ticket_domain", "acme.freshservice.com") } else { desk };
        desk.sim.set_behaviour(|it| it.ticket_required = required.map(str::to_owned).to_vec());

        let about = |connection: handoff_host::bindings::Connection| {
            let all = connection.findings.into_iter().filter(|finding| finding.check == "ticket-fields");
            all.map(|finding| (finding.code, finding.remedy.unwrap_or_default())).collect::<Vec<_>>()
        };
        let found = about(desk.connect().await.result.unwrap());
        assert_eq!(found.len(), 2, "{found:?}");
        for (code, remedy) in found {
            assert_eq!(code, "ticket-field-mandatory");
            assert!(remedy.contains("`ticket_fields`") && remedy.contains("`context`"), "{remedy}");
        }
        let error = refused_as(desk.handoff(&ticket_request(), None).await, ErrorKind::Rejected);
        assert!(error.remedy.unwrap().contains("`ticket_fields`"));

        let desk = desk.set("ticket_fields", filled.clone()).connect_now().await;
        desk.handoff(&ticket_request(), None).await.result.unwrap();
        let ticket = only_ticket(&desk.sim);
        match product {
            TicketProduct::Freshdesk => {
                assert_eq!((ticket.kind.as_deref(), &ticket.other["product_id"]), (Some("Question"), &json!(42)));
            }
            TicketProduct::Freshservice => {
                assert_eq!(Value::Object(ticket.other), json!({ "department_id": 7, "category": "Chat" }));
            }
        }
    }
    // A value of the context goes before that of the settings.
    let desk = desk().await.set("ticket_fields", json!({ "type": "Question" }));
    let (desk, request) = with_context(desk, &[("type", "Problem")]).await;
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(only_ticket(&desk.sim).kind.as_deref(), Some("Problem"));
}

#[tokio::test]
async fn connect_names_fields_that_do_not_exist_and_values_that_do_not_fit() {
    let desk = Desk::of(typed(TicketProduct::Freshdesk)).await.with_tickets();
    let codes_of = |fields: Value| {
        let desk = &desk;
        async move {
            let mut settings = desk.settings.clone();
            settings["ticket_fields"] = fields;
            let call = plugin().connect(&desk.sandbox, &settings.to_string()).await;
            let connection = watched(call).result.unwrap();
            let about = connection.findings.into_iter().filter(|finding| finding.check == "ticket-fields");
            about.map(|finding| finding.code).collect::<Vec<_>>()
        }
    };
    assert_eq!(codes_of(json!({ "cf_count": "3" })).await, ["ticket-fields-known"]);
    assert_eq!(codes_of(json!({ "cf_nowhere": "3" })).await, ["ticket-fields-missing"]);
    assert_eq!(codes_of(json!({ "cf_count": "three", "cf_plan": "Tin" })).await, ["ticket-field-value"; 2]);
    let unread = Fault::new(Match::path("/api/v2/ticket_fields"), How::ticket_status(403));
    desk.sim.fail(unread);
    assert_eq!(codes_of(json!({ "cf_count": "3" })).await, ["api-key-lacks-rights"]);
    let error = refused(desk.set("ticket_fields", json!({ "a b": "x" })).connect().await);
    assert_eq!(error.field.as_deref(), Some("settings.ticket_fields"));
}

/// A ticket with a file of the end user.
async fn with_file(files: &FileHost) -> (Desk, HandoffRequest, String) {
    let desk = desk().await.set("file_hosts", json!([files.address()]));
    let file_origin = format!("http://{}", files.address());
    let sandbox = reaching(&[desk.sim.origin(), desk.sim.ticket_origin(), file_origin.as_str()]);
    let url = format!("{file_origin}/chloe/bill.pdf");
    let file = Part { url: Some(url.clone()), name: Some("bill.pdf".into()), ..part(PartKind::File) };
    let mut request = ticket_request();
    request.history.as_mut().unwrap().push(Message { parts: vec![file], ..user_message("3", "") });
    (Desk { sandbox, ..desk }, request, url)
}

#[tokio::test]
async fn a_refused_file_is_left_out_with_a_line_and_a_link() {
    let files = FileHost::start().await;
    for too_large in [None, Some(400), Some(413)] {
        let (desk, request, url) = with_file(&files).await;
        desk.sim.set_behaviour(|it| match too_large {
            None => it.refused_files = vec![".pdf".into()],
            Some(status) => (it.max_ticket_bytes, it.ticket_too_large_status) = (Some(BYTES), status),
        });
        let receipt = desk.handoff(&request, None).await.result.unwrap();
        assert_eq!(codes(&receipt.findings), ["file-refused"], "{too_large:?}");
        let ticket = only_ticket(&desk.sim);
        assert!(ticket.attachments.is_empty());
        let line = format!("bill.pdf: {url}");
        assert!(ticket.description_text.contains(&line), "{}", ticket.description_text);
        assert!(ticket.tags.len() == 1 && ticket.description_text.contains("Her parcel is late"), "all else stays");
    }
}

#[tokio::test]
async fn the_file_of_a_long_conversation_goes_after_those_of_people() {
    let files = FileHost::start().await;
    let (desk, mut request, _) = with_file(&files).await;
    let file = request.history.as_mut().unwrap().pop().unwrap();
    request.history = Some(numbered_history(600, 400));
    request.history.as_mut().unwrap().push(file);
    desk.sim.set_behaviour(|it| it.refused_files = vec![".pdf".into()]);
    desk.handoff(&request, None).await.result.unwrap();
    let names: Vec<String> = only_ticket(&desk.sim).attachments.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["conversation.txt"]);

    let other = desk_without_files(&files).await;
    let receipt = other.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["file-refused", "file-refused"]);
    let ticket = only_ticket(&other.sim);
    assert!(ticket.attachments.is_empty() && ticket.description_text.contains("(message 0)"));
    assert!(!ticket.description_text.contains("is in the file"), "no promise that is not kept");
}

async fn desk_without_files(files: &FileHost) -> Desk {
    let (desk, ..) = with_file(files).await;
    desk.sim.set_behaviour(|it| it.refused_files = vec![".pdf".into(), ".txt".into()]);
    desk
}

#[tokio::test]
async fn a_refused_address_is_requested_again() {
    let desk = desk().await;
    let mut request = ticket_request();
    request.user.email = Some("ana@localhost".into());
    let error = refused_as(desk.handoff(&request, None).await, ErrorKind::NeedsEmail);
    assert_eq!(error.field.as_deref(), Some("request.user.email"));
    assert!(desk.sim.tickets().is_empty());
    request.user.email = Some("ana@xylomar.example".into());
    desk.handoff(&request, error.session.as_deref()).await.result.unwrap();
    assert_eq!(only_ticket(&desk.sim).requester.facts.email.as_deref(), Some("ana@xylomar.example"));
}

#[tokio::test]
async fn where_the_address_is_refused_the_phone_number_will_do() {
    let desk = desk().await;
    let mut request = ticket_request();
    (request.user.email, request.user.phone) = (Some("ana@localhost".into()), Some("+15550100".into()));
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["address-refused"]);
    assert_eq!(only_ticket(&desk.sim).requester.facts.phone.as_deref(), Some("+15550100"));
}

#[tokio::test]
async fn a_refused_list_is_not_taken_for_an_empty_one() {
    for product in [TicketProduct::Freshdesk, TicketProduct::Freshservice] {
        // The list by address is refused, then the whole list too.
        for refusals in [1, 2] {
            let desk = of(Config { ticket_product: product, ..Config::default() }).await;
            desk.sim.fail(Fault::new(Match::path("/api/v2/tickets").method("POST"), How::Cut).after_effect());
            let mut session = refused(desk.handoff(&ticket_request(), None).await).session;
            let refusal = Fault::new(Match::path("/api/v2/tickets").method("GET"), How::ticket_status(400));
            desk.sim.fail(refusal.times(refusals));
            if refusals == 2 {
                let call = desk.handoff(&ticket_request(), session.as_deref()).await;
                session = refused_as(call, ErrorKind::OutcomeUnknown).session;
            }
            let receipt = desk.handoff(&ticket_request(), session.as_deref()).await.result.unwrap();
            assert_eq!(actions(&receipt.steps), ["adopt-ticket"], "{product:?}");
            only_ticket(&desk.sim);
        }
    }
}

#[tokio::test]
async fn a_ticket_desk_without_access_does_not_prevent_live_conversations() {
    let desk = desk().await;
    desk.sim.set_ticket_api_key("revoked");
    let again = HandoffRequest { mode: Mode::Automatic, retry: true, ..request() };
    let receipt = desk.handoff(&again, None).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fc:"));
    let error = refused_as(desk.handoff(&ticket_request(), None).await, ErrorKind::Unauthorized);
    assert!(error.remedy.is_some());
}

#[tokio::test]
async fn a_ticket_of_unknown_outcome_does_not_prevent_a_live_conversation() {
    let desk = desk().await;
    desk.sim.fail(Fault::new(Match::path("/api/v2/tickets").method("POST"), How::Cut).after_effect());
    let session = refused(desk.handoff(&ticket_request(), None).await).session;
    let receipt = desk.handoff(&request(), session.as_deref()).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fc:"));
}

/// The AI agent has it, the platform was notified once, and a new ticket can be filed.
async fn ended(desk: &Desk, update: &Update) {
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    assert_eq!(update.events[0].outcome, Some(Outcome::Failed));
    let info = update.info.as_ref().unwrap();
    assert_eq!((info.state, info.owner), (SessionState::Returned, Owner::AiAgent));
    let before = desk.sim.tickets().len();
    let receipt = desk.handoff(&ticket_request(), update.session.as_deref()).await.result.unwrap();
    assert_eq!((receipt.info.state, desk.sim.tickets().len()), (SessionState::Ticketed, before + 1));
}

#[tokio::test]
async fn a_ticket_that_is_gone_has_ended_and_another_can_be_filed() {
    for gone in [Gone::Deleted, Gone::Spam, Gone::Erased] {
        let desk = desk().await;
        let mut session = filed(&desk).await.session;
        desk.sim.put_ticket_away(only_ticket(&desk.sim).id, Some(gone)).unwrap();
        let update = tick(&desk, &mut session).await;
        assert_eq!(codes(&update.findings), ["ticket-gone"], "{gone:?}");
        assert!(tick(&desk, &mut session).await.events.is_empty(), "reported once");
        ended(&desk, &update).await;
    }
}

#[tokio::test]
async fn a_single_404_does_not_end_a_ticket() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    desk.sim.fail(Fault::new(Match::path("/api/v2/tickets/*"), How::ticket_status(404)));
    let update = tick(&desk, &mut session).await;
    assert_eq!((kinds(&update.events), codes(&update.findings)), (vec![], vec![]));
    assert_eq!(update.info.unwrap().state, SessionState::Ticketed);
    assert_eq!(desk.sim.faults_left(), 0, "it was met");
}

/// Between two polls the ticket was restored and answered.
#[tokio::test]
async fn a_reopening_is_reported_before_the_answers_that_came_with_it() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let (id, maya) = (only_ticket(&desk.sim).id, desk.sim.ticket_agent_id("Maya Chen").unwrap());
    desk.sim.ticket_status(id, 4).unwrap();
    assert_eq!(kinds(&tick(&desk, &mut session).await.events), [EventKind::Resolved]);
    desk.sim.ticket_status(id, 2).unwrap();
    desk.sim.ticket_reply(id, maya, "<p>One more thing</p>").unwrap();
    let update = tick(&desk, &mut session).await;
    assert_eq!(kinds(&update.events), [EventKind::Reopened, EventKind::TicketReplied]);
}

#[tokio::test]
async fn words_for_a_ticket_that_is_gone_go_to_the_ai_agent() {
    for gone in [Gone::Deleted, Gone::Spam, Gone::Erased] {
        let desk = desk().await;
        let session = filed(&desk).await.session;
        desk.sim.put_ticket_away(only_ticket(&desk.sim).id, Some(gone)).unwrap();
        let update = desk.relay(&session, &user_message("m1", &said("hello"))).await.result.unwrap();
        assert_eq!(codes(&update.findings), ["ticket-gone"], "{gone:?}");
        ended(&desk, &update).await;
        let again = desk.relay(update.session.as_deref().unwrap(), &user_message("m1", &said("hello"))).await;
        assert!(again.result.unwrap().events.is_empty(), "reported once");
    }
}

#[tokio::test]
async fn a_restored_ticket_continues() {
    let desk = desk().await;
    let mut session = filed(&desk).await.session;
    let id = only_ticket(&desk.sim).id;
    desk.sim.put_ticket_away(id, Some(Gone::Deleted)).unwrap();
    assert_eq!(kinds(&tick(&desk, &mut session).await.events), [EventKind::ReturnedToAi]);
    desk.sim.put_ticket_away(id, None).unwrap();
    let update = tick(&desk, &mut session).await;
    assert_eq!(kinds(&update.events), [EventKind::Reopened]);
    assert_eq!(update.info.unwrap().state, SessionState::Ticketed);
}

#[tokio::test]
async fn a_desk_that_refuses_us_is_an_error_first_and_the_end_after_a_day() {
    for trouble in ["key", "suspended", "no-desk"] {
        let desk = desk().await;
        let session = filed(&desk).await.session;
        let desk = match trouble {
            "key" => {
                desk.sim.set_ticket_api_key("revoked");
                desk
            }
            "suspended" => {
                for path in ["/api/v2/tickets/*", "/api/v2/tickets/*/notes"] {
                    desk.sim.fail(Fault::new(Match::path(path), How::ticket_status(403)).times(99));
                }
                desk
            }
            _ => desk.set("test_ticket_origin", Value::Null),
        };
        let kind = if trouble == "no-desk" { ErrorKind::InvalidSettings } else { ErrorKind::Unauthorized };
        refused_as(desk.tick(&session, NOW + HOUR).await, kind);
        refused_as(desk.relay(&session, &user_message("m1", &said("hello"))).await, kind);
        let update = desk.tick(&session, NOW + 25 * HOUR).await.result.unwrap();
        assert_eq!(codes(&update.findings), ["ticket-unreadable"], "{trouble}");
        assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
        assert_eq!(update.info.unwrap().state, SessionState::Returned);

        // Polling ends with the reopen window.
        let (mut session, mut now, mut looks) = (update.session.unwrap(), NOW + 25 * HOUR, 0);
        loop {
            let update = desk.tick(&session, now).await.result.unwrap();
            assert!(update.events.is_empty());
            let Some(next) = update.info.unwrap().next_tick_at else { break };
            (session, now, looks) = (update.session.unwrap(), next, looks + 1);
            assert!(looks < 20, "{trouble}");
        }
        // Mended, or by a person: the next handoff is a new one.
        let live = desk.handoff(&request(), Some(&session)).await.result.unwrap();
        assert!(live.external_case.case_id.starts_with("fc:"));
    }
}

#[tokio::test]
async fn a_desk_that_cannot_be_reached_ends_the_ticket_after_a_week() {
    let desk = desk().await;
    let session = filed(&desk).await.session;
    desk.sim.fail(Fault::new(Match::path("/api/v2/tickets/*"), How::ticket_status(503)).times(99));
    refused_as(desk.tick(&session, NOW + 25 * HOUR).await, ErrorKind::Unavailable);
    let update = desk.tick(&session, NOW + 8 * 24 * HOUR).await.result.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    assert_eq!(codes(&update.findings), ["ticket-unreadable"]);
}
