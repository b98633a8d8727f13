//! A handoff's decisions and their reports: topic, group, human agent, availability, context.

use freshworks_simulator::{AgentFilters, AgentSpec, Availability, Config, Fault, How, Match, TopicSpec, UserSpec};
use handoff_host::bindings::{Decision, HandoffRequest, Mode, Priority, Routing};
use serde_json::json;

use crate::support::{Desk, codes, request, texts};

fn rule<'a>(decisions: &'a [Decision], subject: &str) -> &'a str {
    let found = decisions.iter().find(|decision| decision.subject == subject);
    found.map_or("none", |decision| decision.rule.as_str())
}

/// An account with topics of several languages.
async fn with_languages() -> Desk {
    let desk = Desk::new().await;
    for name in ["Atendimento", "Hilfe"] {
        desk.sim.add_topic(TopicSpec::named(name));
    }
    desk.set("topic_by_locale", json!({ "pt-BR": "Atendimento", "de": "Hilfe" })).connect_now().await
}

fn of_locale(locale: &str) -> HandoffRequest {
    let mut request = request();
    request.user.locale = Some(locale.into());
    request
}

#[tokio::test]
async fn the_topic_follows_the_end_users_language() {
    for (locale, topic, by) in [
        ("pt-BR", "Atendimento", "locale"),
        ("pt_br", "Atendimento", "locale"),
        ("de-AT", "Hilfe", "locale"),
        ("fr", "Sendbird Integration", "settings"),
        ("", "Sendbird Integration", "settings"),
    ] {
        let desk = with_languages().await;
        let receipt = desk.handoff(&of_locale(locale), None).await.result.unwrap();
        assert_eq!(desk.conversation().channel_id, desk.sim.topic_id(topic).unwrap(), "{locale}");
        assert_eq!(rule(&receipt.decisions, "topic"), by, "{locale}");
        assert!(desk.lines().iter().all(|line| !line.contains("channels")), "connect has looked it up");
    }
}

#[tokio::test]
async fn a_topic_that_the_request_names_goes_before_the_language() {
    let desk = with_languages().await;
    let mut request = of_locale("de");
    request.routing.as_mut().unwrap().topic = Some("Inbox".into());
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(desk.conversation().channel_id, desk.sim.topic_id("Inbox").unwrap());
    assert_eq!(rule(&receipt.decisions, "topic"), "request");
}

#[tokio::test]
async fn a_topic_of_a_language_that_does_not_exist_is_a_finding_of_connect_and_a_fallback_at_a_handoff() {
    let desk = Desk::new().await.set("topic_by_locale", json!({ "pt": "Nowhere" }));
    let connection = desk.connect().await.result.unwrap();
    assert!(connection.connected, "handoffs go to the topic of all other languages");
    assert!(codes(&connection.findings).contains(&"topic-missing"));
    let receipt = desk.handoff(&of_locale("pt"), None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["topic-fallback"]);
    assert_eq!(desk.conversation().channel_id, desk.sim.topic_id("Sendbird Integration").unwrap());
}

#[tokio::test]
async fn every_decision_is_reported_with_its_rule() {
    let desk = Desk::new().await.set("group", "Support").set("note_author", "maya@acme.example");
    let desk = desk.set("priority", "low").connect_now().await;
    let routing = Routing {
        topic: None,
        group: None,
        agent: Some("tom@acme.example".into()),
        priority: Some(Priority::Urgent),
        skill: None,
    };
    let receipt = desk.handoff(&HandoffRequest { routing: Some(routing), ..request() }, None).await.result.unwrap();
    let told: Vec<(&str, &str)> =
        receipt.decisions.iter().map(|decision| (decision.subject.as_str(), decision.rule.as_str())).collect();
    let expected = [
        ("mode", "requested"),
        ("user", "created"),
        ("topic", "settings"),
        ("group", "settings"),
        ("agent", "request"),
        ("priority", "request"),
        ("history", "private-notes"),
    ];
    assert_eq!(told, expected);
    let again = desk.handoff(&request(), Some(&receipt.session)).await.result.unwrap();
    assert!(again.decisions.is_empty(), "nothing was chosen again");
}

#[tokio::test]
async fn outside_business_hours_the_conversation_waits_with_a_finding() {
    for mode in [Mode::Live, Mode::Automatic] {
        let desk = Desk::new().await.set("availability", "hours").set("group", "Support").connect_now().await;
        desk.sim.set_behaviour(|it| it.within_business_hours = false);
        let receipt = desk.handoff(&HandoffRequest { mode, ..request() }, None).await.result.unwrap();
        assert_eq!(codes(&receipt.findings), ["outside-hours"]);
        assert_eq!(rule(&receipt.decisions, "mode"), "outside-hours");
        assert!(receipt.external_case.case_id.starts_with("fc:"), "the handoff still succeeds");
        let asked: Vec<String> = desk.lines().into_iter().filter(|line| line.contains("business-hours")).collect();
        assert_eq!(asked, ["GET /v2/business-hours/within-bh"]);
    }
}

#[tokio::test]
async fn during_business_hours_there_is_no_finding() {
    let desk = Desk::new().await.set("availability", "hours").connect_now().await;
    let receipt = desk.handoff(&HandoffRequest { mode: Mode::Automatic, ..request() }, None).await.result.unwrap();
    assert!(receipt.findings.is_empty());
    assert_eq!(rule(&receipt.decisions, "mode"), "default");
}

#[tokio::test]
async fn unknown_business_hours_do_not_prevent_a_handoff() {
    for how in [How::status(400), How::status(503), How::Garbage, How::Cut] {
        let desk = Desk::new().await.set("availability", "hours").connect_now().await;
        desk.sim.fail(Fault::new(Match::path("/v2/business-hours/within-bh"), how).times(2));
        let receipt = desk.handoff(&request(), None).await.result.unwrap();
        assert_eq!(codes(&receipt.findings), ["availability-unknown"]);
    }
}

/// An account of 150 human agents. Maya, in Support, is as given; Tom, in no group, is available; the others are not.
fn crowd(maya: Availability) -> Config {
    let mut config = Config::default();
    config.agents[0].availability = maya;
    config.agents.extend((0..148).map(|number| AgentSpec {
        availability: Availability::Unavailable,
        groups: vec!["Support".into()],
        ..AgentSpec::named(&format!("Agent {number}"), &format!("{number}@acme.example"))
    }));
    // The lists of the account begin with those who do not fit.
    config.agents.rotate_left(2);
    config
}

/// The requests about agents, and whether the handoff found an available one.
async fn asked_of_agents(desk: &Desk, request: &HandoffRequest) -> (Vec<String>, bool) {
    let receipt = desk.handoff(request, None).await.result.unwrap();
    let asked = desk.sim.journal().into_iter().filter(|exchange| exchange.path.starts_with("/v2/agents"));
    let asked = asked.map(|exchange| format!("{}?{}", exchange.path, exchange.query.unwrap_or_default()));
    (asked.collect(), !codes(&receipt.findings).contains(&"nobody-available"))
}

async fn asking_for_agents(config: Config) -> Desk {
    Desk::of(config).await.set("availability", "agents").set("group", "Support").connect_now().await
}

#[tokio::test]
async fn an_available_agent_of_the_group_is_found_with_one_request() {
    let desk = asking_for_agents(crowd(Availability::Available)).await;
    let group = desk.sim.group_id("Support").unwrap();
    let question = format!("/v2/agents?groups={group}&availability_status=AVAILABLE&items_per_page=1");
    assert_eq!(asked_of_agents(&desk, &request()).await, (vec![question], true));
}

#[tokio::test]
async fn only_a_complete_list_shows_that_no_agent_is_available() {
    let desk = asking_for_agents(crowd(Availability::Busy)).await;
    let (asked, somebody) = asked_of_agents(&desk, &request()).await;
    assert!(!somebody);
    assert_eq!(asked.len(), 3, "the question, and two pages of agents: {asked:?}");
}

#[tokio::test]
async fn agents_that_a_filter_should_exclude_do_not_count_as_available() {
    for (filters, maya) in [
        (AgentFilters::Ignored, Availability::Available),
        (AgentFilters::Ignored, Availability::Unavailable),
        (AgentFilters::Refused, Availability::Available),
        (AgentFilters::Refused, Availability::Away),
    ] {
        let desk = asking_for_agents(crowd(maya)).await;
        desk.sim.set_behaviour(|behaviour| behaviour.agent_filters = filters);
        let (asked, somebody) = asked_of_agents(&desk, &request()).await;
        assert_eq!(somebody, maya == Availability::Available, "{filters:?} {maya:?}");
        assert!(asked.len() > 1, "{filters:?}: the list was read");
    }
}

#[tokio::test]
async fn an_empty_search_does_not_make_agents_unavailable() {
    let desk = asking_for_agents(crowd(Availability::Available)).await;
    let nobody = How::Status { code: 200, headers: Vec::new(), body: r#"{"agents": []}"#.into() };
    desk.sim.fail(Fault::new(Match::path("/v2/agents"), nobody));
    assert!(asked_of_agents(&desk, &request()).await.1);
}

#[tokio::test]
async fn only_the_requested_agent_is_checked() {
    for (availability, there) in [(Availability::Available, true), (Availability::Busy, false)] {
        let mut config = crowd(Availability::Available);
        config.agents.last_mut().unwrap().availability = availability;
        let desk = Desk::of(config).await.set("availability", "agents").set("agent", "tom@acme.example");
        let desk = desk.connect_now().await;
        let only = format!("/v2/agents/{}?", desk.tom());
        assert_eq!(asked_of_agents(&desk, &request()).await, (vec![only], there), "{availability:?}");
    }
}

#[tokio::test]
async fn without_the_setting_availability_costs_no_request() {
    let desk = Desk::connected().await;
    desk.handoff(&HandoffRequest { mode: Mode::Automatic, ..request() }, None).await.result.unwrap();
    assert_eq!(desk.lines().len(), 4);
}

#[tokio::test]
async fn values_of_the_context_go_where_the_settings_say_and_nowhere_else() {
    let map = json!({ "order": "conversation.cf_reference", "plan": "user.plan", "page": "shown" });
    let desk = Desk::new().await.set("context", map).connect_now().await;
    let context =
        [("order", "4711"), ("plan", "gold"), ("page", "checkout"), ("Order", "x"), ("session_token", "s3cret")];
    let context = context.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let receipt = desk.handoff(&HandoffRequest { context: Some(context), ..request() }, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["context-left-out"]);
    assert!(receipt.findings[0].detail.starts_with('2'), "{}", receipt.findings[0].detail);
    let conversation = desk.conversation();
    assert_eq!(conversation.properties["cf_reference"], "4711");
    assert_eq!(desk.sim.users()[0].properties, [("plan".to_owned(), "gold".to_owned())]);
    let all: String = texts(&conversation).into_iter().map(|(.., text)| text).collect();
    assert!(all.contains("checkout"), "{all}");
    assert!(!all.contains("4711") && !all.contains("gold") && !all.contains("s3cret"), "{all}");
    assert_eq!(desk.lines().len(), 4, "no request more");
}

#[tokio::test]
async fn properties_that_the_account_does_not_have_are_found_by_connect() {
    let desk = Desk::new().await.set("context", json!({ "order": "conversation.cf_nowhere" }));
    let connection = desk.connect().await.result.unwrap();
    assert!(connection.connected && codes(&connection.findings).contains(&"properties-missing"));
    let finding = connection.findings.iter().find(|finding| finding.code == "properties-missing").unwrap();
    assert!(finding.detail.contains("cf_nowhere") && finding.remedy.as_ref().unwrap().contains("cf_reference"));
}

#[tokio::test]
async fn properties_that_are_refused_do_not_keep_the_handoff_from_coming() {
    let desk = Desk::new().await.set("context", json!({ "order": "conversation.cf_reference" })).connect_now().await;
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::status(400)));
    let context = vec![("order".to_owned(), "4711".to_owned())];
    let receipt = desk.handoff(&HandoffRequest { context: Some(context), ..request() }, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["properties-refused"]);
    assert!(!desk.conversation().properties.contains_key("cf_reference"));
}

#[tokio::test]
async fn properties_of_a_known_user_are_set_too() {
    let desk = Desk::new().await.set("context", json!({ "plan": "user.plan" })).connect_now().await;
    desk.sim.seed_user(UserSpec {
        reference_id: Some("user-1".into()),
        first_name: Some("Ana".into()),
        email: Some("ana@xylomar.example".into()),
        ..UserSpec::default()
    });
    let context = vec![("plan".to_owned(), "gold".to_owned())];
    desk.handoff(&HandoffRequest { context: Some(context), ..request() }, None).await.result.unwrap();
    assert_eq!(desk.sim.users()[0].properties, [("plan".to_owned(), "gold".to_owned())]);
}
