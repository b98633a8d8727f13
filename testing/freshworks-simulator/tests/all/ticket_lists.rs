//! Lists of tickets, and related look-ups.

use freshworks_simulator::{Config, UnknownRequester};
use serde_json::{Value, json};

use crate::ticket_desk::{Desk, ana, message, refused};

fn subjects(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|ticket| ticket["subject"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_newest_ticket_comes_first_and_without_its_description() {
    let it = Desk::start().await;
    for subject in ["one", "two", "three"] {
        it.open(subject).await;
    }
    let list = it.get("/api/v2/tickets").await.ok();
    assert_eq!(subjects(&list), ["three", "two", "one"]);
    assert!(list[0].get("description").is_none() && list[0].get("description_text").is_none());
    assert!(list[0].get("requester").is_none());
    let list = it.get("/api/v2/tickets?include=description,requester&order_type=asc").await.ok();
    assert_eq!(subjects(&list), ["one", "two", "three"]);
    assert_eq!((&list[0]["description"], &list[0]["description_text"]), (&json!("late"), &json!("late")));
    assert_eq!(list[0]["requester"]["email"], "ana@example.org");
    it.sim.ticket_status(1, 3).unwrap();
    let list = it.get("/api/v2/tickets?order_by=updated_at").await.ok();
    assert_eq!(subjects(&list), ["one", "three", "two"]);
}

#[tokio::test]
async fn tickets_are_found_by_their_requester_and_their_time() {
    let it = Desk::start().await;
    it.open("one").await;
    let mut other = ana();
    (other["email"], other["subject"]) = (json!("tom+x@example.org"), json!("two"));
    other["unique_external_id"] = json!("u-2");
    let two = it.ticket(other).await;
    it.sim.ticket_status(1, 4).unwrap();
    let found = |query: String| {
        let it = &it;
        async move {
            let list = it.get(&format!("/api/v2/tickets?{query}")).await.ok();
            subjects(&list).join(" ")
        }
    };
    assert_eq!(found("email=ANA@example.org".into()).await, "one");
    assert_eq!(found("email=tom%2Bx%40example.org".into()).await, "two");
    assert_eq!(found("unique_external_id=u-2".into()).await, "two");
    assert_eq!(found(format!("requester_id={}", two["requester_id"])).await, "two");
    assert_eq!(found("email=ana%40example.org&unique_external_id=u-2".into()).await, "");
    assert_eq!(found("filter=new_and_my_open".into()).await, "two");
    assert_eq!(found("filter=deleted".into()).await, "");
    assert_eq!(found("updated_since=2015-01-19".into()).await, "two one");
    assert_eq!(found(format!("updated_since={}", two["created_at"].as_str().unwrap())).await, "two one");
    assert_eq!(found("updated_since=2999-01-01T00:00:00Z".into()).await, "");
}

#[tokio::test]
async fn a_filter_by_an_unknown_person_is_refused_or_finds_nothing() {
    let it = Desk::start().await;
    for name in ["email", "unique_external_id", "requester_id"] {
        let answer = it.get(&format!("/api/v2/tickets?{name}=7")).await;
        assert_eq!(refused(&answer), [(name.to_owned(), "invalid_value".to_owned())]);
        assert_eq!(message(&answer), format!("There is no contact matching the given {name}"));
    }
    it.sim.set_behaviour(|behaviour| behaviour.unknown_requester = UnknownRequester::Empty);
    assert_eq!(it.get("/api/v2/tickets?email=nobody@example.org").await.ok(), json!([]));
}

#[tokio::test]
async fn a_list_comes_in_pages_behind_links() {
    let it = Desk::start().await;
    for number in 1..=5 {
        it.open(&number.to_string()).await;
    }
    let mut path = "/api/v2/tickets?email=ana%40example.org&per_page=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = it.get(&path).await;
        pages.push(subjects(&answer.json()).join(" "));
        let Some(link) = answer.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        let url = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
        path = url.strip_prefix(it.sim.ticket_origin()).unwrap().to_owned();
    }
    assert_eq!(pages, ["5 4", "3 2", "1"]);
    assert_eq!(it.get("/api/v2/tickets?page=9").await.ok(), json!([]));
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused() {
    let it = Desk::start().await;
    for (query, code) in [
        ("per_page=101", "invalid_value"),
        ("page=0", "invalid_value"),
        ("order_by=subject", "invalid_value"),
        ("order_type=up", "invalid_value"),
        ("filter=mine", "invalid_value"),
        ("include=conversations", "invalid_value"),
        ("updated_since=yesterday", "datatype_mismatch"),
        ("created_since=2026-01-01", "invalid_field"),
    ] {
        let answer = it.get(&format!("/api/v2/tickets?{query}")).await;
        let field = query.split('=').next().unwrap();
        assert_eq!(refused(&answer), [(field.to_owned(), code.to_owned())], "{query}");
    }
}

#[tokio::test]
async fn the_fields_of_tickets_are_listed_with_their_choices() {
    let it = Desk::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.ticket_required = vec!["type".into()]);
    let fields = it.get("/api/v2/ticket_fields").await.ok();
    let field = |name: &str| {
        let mut all = fields.as_array().unwrap().iter();
        all.find(|field| field["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!(field("status")["choices"]["2"], json!(["Open", "Open"]));
    assert_eq!(field("priority")["choices"], json!({ "Low": 1, "Medium": 2, "High": 3, "Urgent": 4 }));
    assert_eq!(field("source")["choices"]["Chat"], 7);
    assert_eq!(
        (&field("ticket_type")["required_for_agents"], &field("group")["required_for_agents"]),
        (&json!(true), &json!(false))
    );
    let custom = field("cf_order");
    assert_eq!(
        (&custom["default"], &custom["type"], &custom["label"]),
        (&json!(false), &json!("custom_text"), &json!("order"))
    );
}

#[tokio::test]
async fn groups_the_own_agent_and_requesters_can_be_looked_up() {
    let config = Config { ticket_groups: vec!["Support".into(), "Billing".into()], ..Config::default() };
    let it = Desk::with(config).await;
    let groups = it.get("/api/v2/groups").await.ok();
    assert_eq!((&groups[1]["name"], groups[1]["id"].as_u64()), (&json!("Billing"), it.sim.ticket_group_id("Billing")));
    let own = it.get("/api/v2/agents/me").await.ok();
    assert_eq!(own["id"].as_u64(), it.sim.ticket_agent_id("Maya Chen"));
    assert_eq!(own["contact"]["email"], "maya@acme.example");

    let mut body = ana();
    body["unique_external_id"] = json!("u-1");
    let id = it.ticket(body).await["requester_id"].clone();
    for query in ["email=ANA%40example.org", "unique_external_id=u-1"] {
        let found = it.get(&format!("/api/v2/contacts?{query}")).await.ok();
        assert_eq!((found.as_array().unwrap().len(), &found[0]["id"]), (1, &id), "{query}");
    }
    assert_eq!(it.get("/api/v2/contacts?email=nobody%40example.org").await.ok(), json!([]));
}
