//! A rule of the ticket desk makes the next look come now; nothing that it says is believed.

use super::*;

/// A Freshchat and a desk with one ticket, which an agent has answered.
fn desk(line: &str) -> (u16, String) {
    let body = match line.split("/api/v2").nth(1) {
        None => return freshchat(line),
        Some(path) if path.starts_with("/tickets/17/conversations") => {
            r#"[{"id": 5, "body_text": "It is found", "private": false, "incoming": false, "user_id": 3}]"#
        }
        Some("/tickets/17") => r#"{"id": 17, "status": 2}"#,
        Some("/tickets") => r#"{"id": 17, "tags": []}"#,
        Some(_) => "[]",
    };
    (200, body.to_owned())
}

fn ticket_connection() -> Value {
    let mut connection = connection();
    connection["settings"]["ticket_domain"] = json!("acme.freshdesk.com");
    connection["settings"]["ticket_api_key"] = json!("k-2");
    connection
}

fn filed<H: Http>(http: &H, state: &Memory) -> (Value, String) {
    let connected = ask(http, state, "PUT", "/v1/connections/acme", &ticket_connection(), 1_000);
    assert_eq!(connected.status, 200, "{connected:?}");
    let rule = body(&connected)["webhooks"]["tickets"].clone();
    let mut request = request();
    request["mode"] = json!("ticket");
    request["user"]["email"] = json!("ana@example.com");
    let answer = ask(http, state, "POST", "/v1/connections/acme/handoffs", &request, 2_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    (rule, body(&answer)["id"].as_str().unwrap().to_owned())
}

fn nudge<H: Http>(http: &H, state: &Memory, secret: &str, ticket: Value) -> OutgoingResponse {
    let body = json!({ "ticket_id": ticket });
    ask_as(http, state, &[("x-webhook-secret", secret)], "POST", "/webhooks/freshdesk/acme", &body, 3_000)
}

#[test]
fn an_answer_is_told_at_once_and_what_the_webhook_says_is_not_believed() {
    let (http, state) = (Outside::new(desk), Memory::default());
    let (rule, _) = filed(&http, &state);
    let secret = rule["secret"].as_str().unwrap();
    assert_eq!(rule["url"], "https://bridge.example/webhooks/freshdesk/acme");
    assert_eq!(
        (&rule["header"], &rule["content"]),
        (&json!("X-Webhook-Secret"), &json!("{\"ticket_id\": \"{{ticket.id}}\"}"))
    );
    http.asked.borrow_mut().clear();
    assert_eq!(nudge(&http, &state, secret, json!("17")).status, 204);
    let asked = http.asked.borrow().clone();
    let told = asked.iter().filter(|line| line.contains("platform.example")).count();
    assert_eq!((asked.iter().filter(|line| line.contains("/tickets/17")).count(), told), (2, 1), "{asked:?}");
    // The same again: read anew, and told once.
    assert_eq!(nudge(&http, &state, secret, json!(17)).status, 204);
    assert_eq!(http.asked.borrow().iter().filter(|line| line.contains("platform.example")).count(), 1);
}

#[test]
fn whoever_lacks_the_secret_causes_nothing() {
    let (http, state) = (Outside::new(desk), Memory::default());
    let (rule, _) = filed(&http, &state);
    let path_secret = Base64UrlUnpadded::encode_string(&[7; 24]);
    assert_ne!(rule["secret"], path_secret, "not the secret of the other webhooks");
    http.asked.borrow_mut().clear();
    for secret in ["", "wrong", path_secret.as_str(), super::TOKEN] {
        assert_eq!(
            nudge(&http, &state, secret, json!("17")),
            OutgoingResponse::from(Problem::not_allowed()),
            "{secret}"
        );
    }
    assert!(http.asked.borrow().is_empty());
}

#[test]
fn other_tickets_and_unreadable_bodies_cause_nothing() {
    let (http, state) = (Outside::new(desk), Memory::default());
    let (rule, _) = filed(&http, &state);
    let secret = rule["secret"].as_str().unwrap();
    http.asked.borrow_mut().clear();
    assert_eq!(nudge(&http, &state, secret, json!("18")).status, 204);
    assert_eq!(nudge(&http, &state, secret, json!("{{ticket.id}}")).status, 400);
    assert!(http.asked.borrow().is_empty());
}

#[test]
fn what_the_desk_refuses_is_acknowledged_and_what_may_pass_comes_again() {
    for (status, expected) in [(401, 204), (503, 503)] {
        let answer = move |line: &str| {
            let is_look = line.starts_with("Get") && line.contains("/tickets/17");
            if is_look { (status, "{}".to_owned()) } else { desk(line) }
        };
        let (http, state) = (Outside::new(answer), Memory::default());
        let (rule, _) = filed(&http, &state);
        assert_eq!(nudge(&http, &state, rule["secret"].as_str().unwrap(), json!("17")).status, expected);
    }
}

#[test]
fn words_for_a_ticket_that_is_gone_tell_the_platform_that_the_ai_agent_answers() {
    let answer = |line: &str| match line.split("/api/v2").nth(1) {
        Some("/tickets/17" | "/tickets/17/notes") => (404, String::new()),
        _ => desk(line),
    };
    let (http, state) = (Outside::new(answer), Memory::default());
    let (_, handoff) = filed(&http, &state);
    http.asked.borrow_mut().clear();
    let path = format!("/v1/connections/acme/handoffs/{handoff}/messages");
    let relayed = ask(&http, &state, "POST", &path, &message("m1"), 3_000);
    assert_eq!((relayed.status, &body(&relayed)["state"]), (200, &json!("returned")));
    assert_eq!(http.asked.borrow().iter().filter(|line| line.contains("platform.example")).count(), 1, "it was told");
}

#[test]
fn without_a_ticket_desk_there_is_no_rule_to_paste() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let connected = ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    assert_eq!(body(&connected)["webhooks"]["tickets"], Value::Null);
}
