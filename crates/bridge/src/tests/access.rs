//! Who may do what: tokens and their scopes, guessing, the audit log.

use freshworks_handoff::http::Http;
use serde_json::{Value, json};

use super::{App, SECRET, START, TOKEN, ask, body, connection, freshchat, handed_over, request};
use crate::access::Need;
use crate::http::OutgoingResponse;
use crate::problem::Problem;
use crate::route::{ROUTES, route};
use crate::service::Policy;
use crate::testing::{Memory, Outside};

const MINUTE: u64 = 60_000;

impl<H: Http> App<'_, H> {
    /// A new token; `drawn` makes it another one than those before.
    fn token(&self, drawn: u8, name: &str, scopes: &[&str], expires_at: Option<u64>) -> (String, String) {
        let wanted = json!({ "name": name, "scopes": scopes, "expires_at": expires_at });
        let app = App { drawn: [drawn; 24], policy: self.policy.clone(), ..*self };
        let answer = app.ask_with_token("POST", "/v1/tokens", &wanted, 1_000);
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| body(&answer)[name].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    }

    fn with(&self, token: &str, method: &str, path: &str, body: &Value, at: u64) -> OutgoingResponse {
        self.ask(&[("authorization", &format!("Bearer {token}"))], method, path, body, at)
    }
}

fn names(answer: &OutgoingResponse, list: &str, name: &str) -> Vec<String> {
    let all = body(answer)[list].as_array().unwrap();
    all.iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_tenants_token_does_not_see_let_alone_change_another_tenant() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 2_000);
    let app = App::plain(&http, &state);
    let (_, own) = app.token(1, "tenant", &["connection:other"], None);
    let asked = http.asked.borrow().len();
    let before = state.connections.borrow().clone();
    // Every route there is, with the names of the other tenant and with one that nobody has.
    for (method, template, _) in ROUTES {
        for name in ["acme", "nobody"] {
            let path = template.replace("{connection}", name).replace("{handoff}", handoff.rsplit('/').next().unwrap());
            let path = path.replace(['{', '}'], "");
            let is_person = path.starts_with("/v1/people/");
            // Of all, of another one, and of its own in a way that might be read otherwise.
            let queries = ["?", "?connection=", "?connection=other&connection=", "?connexion=other&connection="];
            for query in if is_person { &queries[..] } else { &[""] } {
                let query = if query.ends_with('=') { format!("{query}{name}") } else { String::new() };
                let need = route(method, &path).unwrap().need(query.trim_start_matches('?'));
                if matches!(need, Need::Nothing | Need::Token) {
                    continue;
                }
                let path = format!("{path}{query}");
                let refused = app.with(&own, method, &path, &Value::Null, 3_000);
                assert_eq!(refused, OutgoingResponse::from(Problem::not_permitted()), "{method} {path}");
            }
        }
    }
    assert_eq!((http.asked.borrow().len(), &*state.connections.borrow()), (asked, &before), "nothing has happened");
    assert_eq!(names(&app.with(&own, "GET", "/v1/connections", &Value::Null, 3_000), "connections", "id"), ["other"]);
    // Its own it may use and change.
    let begun = app.with(&own, "POST", "/v1/connections/other/handoffs", &request(), 3_000);
    assert_eq!(begun.status, 200, "{begun:?}");
    assert_eq!(app.with(&own, "DELETE", "/v1/connections/other", &Value::Null, 4_000).status, 204);
}

#[test]
fn a_tenant_sees_and_erases_people_of_its_own_connection_only() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 2_000);
    // The same person's id, with the same platform's application, at another tenant.
    let begun = ask(&http, &state, "POST", "/v1/connections/other/handoffs", &request(), 2_000);
    let app = App::plain(&http, &state);
    let (_, own) = app.token(1, "tenant", &["connection:other"], None);
    let person =
        |method: &str, query: &str| app.with(&own, method, &format!("/v1/people/user-1{query}"), &Value::Null, 3_000);
    let held = |answer: &OutgoingResponse| names(answer, "handoffs", "connection");
    assert_eq!(held(&person("GET", "?connection=other")), ["other"], "{begun:?}");
    for refused in
        ["", "?connection=acme", "?connection=Other", "?connection=other&connection=other", "?connection=oth%65r"]
    {
        for method in ["GET", "DELETE"] {
            assert_eq!(person(method, refused), OutgoingResponse::from(Problem::not_permitted()), "{method} {refused}");
        }
    }
    let erased = person("DELETE", "?connection=other&freshworks=true");
    assert_eq!((erased.status, held(&erased)), (200, vec!["other".to_owned()]), "{erased:?}");
    assert_eq!(held(&person("GET", "?connection=other")), [""; 0]);
    let left = app.ask_with_token("GET", "/v1/people/user-1", &Value::Null, 3_000);
    assert_eq!(held(&left), ["acme"], "the other tenant's stays");
    let audit = app.ask_with_token("GET", "/v1/audit", &Value::Null, 3_000);
    let entry = &body(&audit)["entries"][0];
    assert_eq!(
        (&entry["who"], &entry["what"], &entry["connection"]),
        (&json!("tenant"), &json!("person-erased"), &json!("other"))
    );
    // Its own connection may be gone: that is no reason to look at others.
    app.with(&own, "DELETE", "/v1/connections/other", &Value::Null, 4_000);
    assert_eq!(person("GET", "?connection=other").status, 404);
}

#[test]
fn a_token_does_what_its_scopes_say_until_it_ends_or_is_revoked() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    let app = App::plain(&http, &state);
    let (_, metrics) = app.token(1, "prometheus", &["metrics"], None);
    let (timer, tick) = app.token(2, "cron", &["tick"], Some(START + 10 * MINUTE));
    let (_, admin) = app.token(3, "second-admin", &["admin"], None);
    let status =
        |token: &str, method: &str, path: &str, at: u64| app.with(token, method, path, &Value::Null, at).status;
    let paths = [("GET", "/metrics"), ("POST", "/v1/tick"), ("GET", "/v1/connections/acme"), ("GET", "/v1/audit")];
    for (token, expected) in [(&metrics, [200, 403, 403, 403]), (&tick, [403, 200, 403, 403]), (&admin, [200; 4])] {
        assert_eq!(paths.map(|(method, path)| status(token, method, path, 2_000)), expected);
    }
    assert_eq!(status(&tick, "POST", "/v1/tick", 10 * MINUTE), 401, "it has ended");
    let listed = app.with(&admin, "GET", "/v1/tokens", &Value::Null, 2_000);
    assert_eq!(names(&listed, "tokens", "name"), ["cron", "prometheus", "second-admin"]);
    assert!(!body(&listed).to_string().contains("fwh_"), "their texts are not shown again");
    let revoke = format!("/v1/tokens/{timer}");
    assert_eq!(app.with(&admin, "DELETE", &revoke, &Value::Null, 3_000).status, 204);
    assert_eq!(status(&tick, "POST", "/v1/tick", 3_000), 401);
    assert_eq!(app.with(&admin, "DELETE", &revoke, &Value::Null, 3_000).status, 404);
}

#[test]
fn the_store_holds_no_token_and_no_session() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    let (_, token) = app.token(1, "tenant", &["connection:acme"], None);
    let logged_in = app.ask(&[], "POST", "/console/session", &json!({ "token": token }), 2_000);
    let cookie = logged_in.headers.iter().find(|(name, _)| *name == "set-cookie").unwrap().1.clone();
    let value = cookie.split([';', '=']).nth(1).unwrap();
    let stored = format!("{:?}", state.records.borrow());
    for secret in [token.as_str(), &token[4..], TOKEN, value, body(&logged_in)["csrf_token"].as_str().unwrap()] {
        assert!(!stored.contains(secret), "{secret}: {stored}");
    }
}

#[test]
fn what_is_no_token_is_refused_with_its_field() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    for (wrong, field) in [
        (json!({ "name": "a b", "scopes": ["admin"] }), "token.name"),
        (json!({ "name": "a", "scopes": [] }), "token.scopes"),
        (json!({ "name": "a", "scopes": ["everything"] }), "token.scopes[0]"),
        (json!({ "name": "a", "scopes": ["tick"], "expires_at": 500 }), "token.expires_at"),
        (json!({ "name": "a", "scopes": ["tick"], "expires": 500 }), "token.expires"),
    ] {
        let refused = app.ask_with_token("POST", "/v1/tokens", &wrong, 1_000);
        assert_eq!((refused.status, &body(&refused)["field"]), (400, &json!(field)), "{wrong}");
    }
}

#[test]
fn a_first_token_that_is_too_short_lets_nobody_in_and_health_says_so() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App { token: "twenty-three-characters", ..App::plain(&http, &state) };
    assert_eq!(app.with("twenty-three-characters", "GET", "/v1/connections", &Value::Null, 1_000).status, 401);
    let health = app.ask(&[], "GET", "/v1/health", &Value::Null, 1_000);
    assert_eq!(health.status, 503);
    assert!(body(&health)["detail"].as_str().unwrap().contains("api_token"), "{health:?}");
    let app = App { token: "twenty-four-characters-x", ..App::plain(&http, &state) };
    assert_eq!(app.with("twenty-four-characters-x", "GET", "/v1/connections", &Value::Null, 1_000).status, 200);
}

#[test]
fn whoever_guesses_is_refused_and_nobody_else() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    let from = |address: &str, token: &str, at: u64| {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("spin-client-addr", address)];
        app.ask(&headers, "GET", "/v1/connections", &Value::Null, at)
    };
    for number in 0..20 {
        assert_eq!(from("203.0.113.9:4711", &format!("guess-{number}"), 1_000).status, 401);
    }
    let refused = from("203.0.113.9:4712", TOKEN, 2_000);
    assert_eq!((refused.status, &body(&refused)["kind"]), (429, &json!("slow-down")), "even with the right one");
    assert!(refused.headers.iter().any(|(name, value)| *name == "retry-after" && value == "299"), "{refused:?}");
    assert_eq!(from("198.51.100.7:1", TOKEN, 2_000).status, 200, "somebody else is not");
    // Nor is the console a way around it.
    let log_in = app.ask(
        &[("spin-client-addr", "203.0.113.9:1")],
        "POST",
        "/console/session",
        &json!({ "token": TOKEN }),
        2_000,
    );
    assert_eq!(log_in.status, 429);
    assert_eq!(from("203.0.113.9:1", TOKEN, 1_000 + 5 * MINUTE).status, 200, "after a while");
    let audit = ask(&http, &state, "GET", "/v1/audit", &Value::Null, 3_000);
    assert!(names(&audit, "entries", "what").contains(&"address-refused".to_owned()));
}

#[test]
fn behind_a_proxy_that_is_not_named_nobody_is_shut_out() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let forged = |app: &App<'_, _>, address: &str, token: &str| {
        let token = format!("Bearer {token}");
        let headers =
            [("authorization", token.as_str()), ("x-forwarded-for", address), ("spin-client-addr", "127.0.0.1:1")];
        app.ask(&headers, "GET", "/v1/connections", &Value::Null, 1_000).status
    };
    let app = App::plain(&http, &state);
    for _ in 0..50 {
        assert_eq!(forged(&app, "203.0.113.9", "wrong"), 401);
    }
    assert_eq!(forged(&app, "203.0.113.9", TOKEN), 200);
    // With the operator's word that the proxy sets it, it counts.
    let policy = Policy { address_header: "x-forwarded-for".to_owned(), ..Policy::default() };
    let app = App { policy, ..App::plain(&http, &state) };
    for number in 0..20 {
        // What the client has put in front does not.
        assert_eq!(forged(&app, &format!("198.51.100.{number}, 203.0.113.9"), "wrong"), 401);
    }
    assert_eq!(forged(&app, "203.0.113.9", TOKEN), 429);
    assert_eq!(forged(&app, "198.51.100.1", TOKEN), 200);
}

#[test]
fn guesses_from_everywhere_leave_each_address_fewer() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    let from = |number: u32, token: &str| {
        let (token, address) = (format!("Bearer {token}"), format!("203.0.{}.{}:1", number / 256, number % 256));
        let headers = [("authorization", token.as_str()), ("spin-client-addr", address.as_str())];
        app.ask(&headers, "GET", "/v1/connections", &Value::Null, 1_000).status
    };
    (0..1_000).for_each(|number| assert_eq!(from(number, "wrong"), 401));
    assert_eq!([from(2_000, "a"), from(2_000, "b"), from(2_000, "c"), from(2_000, TOKEN)], [401, 401, 401, 429]);
    assert_eq!(from(2_001, TOKEN), 200);
}

#[test]
fn the_audit_log_says_who_changed_what_and_no_secret() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    let (_, own) = app.token(1, "tenant", &["connection:acme"], None);
    app.with(&own, "PUT", "/v1/connections/acme", &connection(), 2_000);
    let mut changed = connection();
    changed["settings"]["api_key"] = json!("k-2-of-the-account");
    changed["settings"]["group"] = json!("Support");
    app.with(&own, "PUT", "/v1/connections/acme?save=anyway", &changed, 3_000);
    app.ask_with_token("POST", "/v1/rotate", &Value::Null, 4_000);
    app.with(&own, "DELETE", "/v1/connections/acme", &Value::Null, 5_000);
    let log = app.ask_with_token("GET", "/v1/audit", &Value::Null, 6_000);
    let told: Vec<(String, String)> =
        names(&log, "entries", "who").into_iter().zip(names(&log, "entries", "what")).collect();
    let entry = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    assert_eq!(
        told,
        [
            entry("tenant", "connection-removed"),
            entry("api_token", "secrets-rotated"),
            entry("tenant", "connection-saved"),
            entry("tenant", "connection-saved"),
            entry("api_token", "token-created"),
        ]
    );
    assert_eq!(body(&log)["entries"][2]["detail"], "settings.api_key, settings.group");
    assert_eq!(body(&log)["entries"][2]["connection"], "acme");
    let text = body(&log).to_string();
    assert!(!["k-2-of-the-account", SECRET, TOKEN, own.as_str()].iter().any(|secret| text.contains(secret)), "{text}");
}

#[test]
fn the_audit_log_forgets_the_oldest() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App::plain(&http, &state);
    for at in 0..1_003 {
        app.ask_with_token("POST", "/v1/rotate", &Value::Null, 1_000 + at);
    }
    let log = app.ask_with_token("GET", "/v1/audit", &Value::Null, 9_000);
    let entries = body(&log)["entries"].as_array().unwrap();
    assert_eq!(
        (entries.len(), &entries[0]["at"], &entries[999]["at"]),
        (1_000, &json!(START + 2_002), &json!(START + 1_003))
    );
}
