//! Authorisation with the real component: what the store holds, and what callers can and cannot see.

use e2e::{ENCRYPTION_KEY, Store, TOKEN};
use platform_simulator::Config;
use serde_json::{Value, json};
use spin_emulator::{RedisServer, SqliteFile};

use crate::cast::OnDelight;

/// Routes whose purpose is to show messages or a photo.
const OF_PEOPLE: [&str; 2] = ["/v1/people/{person}", "/v1/connections/{connection}/photos/{photo}"];

/// Every path that shows something, as the API describes itself, for the one handoff that is open.
async fn showing(it: &OnDelight) -> Vec<String> {
    let described = it.stage.api.call("GET", "/v1/openapi.json", &Value::Null).await.unwrap().body;
    let handoffs = it.stage.api.call("GET", "/v1/connections/acme/handoffs", &Value::Null).await.unwrap().body;
    let handoff = handoffs["handoffs"][0]["id"].as_str().unwrap();
    let paths = described["paths"].as_object().unwrap().iter();
    let shown = paths.filter(|(path, operations)| {
        operations.get("get").is_some() && !OF_PEOPLE.contains(&path.as_str()) && !path.ends_with("openapi.json")
    });
    let filled = shown.map(|(path, _)| path.replace("{connection}", "acme").replace("{handoff}", handoff));
    filled.chain(["/v1/connections/acme/handoffs?which=ended".to_owned()]).collect()
}

/// Uses everything that has a secret. Returns the secrets, none of which may appear anywhere.
async fn secrets_of_use(it: &OnDelight) -> Vec<String> {
    it.handed_over("ana").await;
    let wanted = json!({ "name": "acme-platform", "scopes": ["connection:acme"] });
    let created = it.stage.api.call("POST", "/v1/tokens", &wanted).await.unwrap();
    let token = created.body["token"].as_str().unwrap().to_owned();
    let login = json!({ "token": token }).to_string().into_bytes();
    let logged_in = it.stage.api.send("POST", "/console/session", &[], login).await.unwrap();
    let cookie = logged_in.headers.iter().find(|(name, _)| name == "set-cookie").unwrap().1.clone();
    let cookie = cookie.split([';', '=']).nth(1).unwrap().to_owned();
    let csrf = logged_in.body["csrf_token"].as_str().unwrap().to_owned();
    let before = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    let change = json!({ "overlap_hours": 1 });
    it.stage.api.call("POST", "/v1/connections/acme/webhook-secret", &change).await.unwrap();
    let old_path = before.body["webhooks"]["freshchat"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let config = it.platform.config();
    let own = [TOKEN.to_owned(), ENCRYPTION_KEY.to_owned(), token, cookie, csrf, old_path];
    own.into_iter().chain([it.stage.freshworks.api_key(), config.api_token.clone()]).collect()
}

fn assert_absent(secrets: &[String], text: &str, place: &str) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{place} holds {secret}");
    }
}

async fn current_path(it: &OnDelight) -> String {
    let now = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    now.body["webhooks"]["freshchat"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_sqlite_store_holds_no_secret_and_no_token() {
    let sqlite = SqliteFile::default();
    let it = OnDelight::start(Store::Sqlite(sqlite.clone()), 1, Config::default()).await;
    let mut secrets = secrets_of_use(&it).await;
    secrets.push(current_path(&it).await);
    let stored = sqlite.dump().unwrap();
    assert!(stored.contains("acme | fwh1.") && stored.contains("acme-platform"), "{stored}");
    assert_absent(&secrets, &stored, "SQLite");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_redis_store_holds_no_secret_and_no_token() {
    let redis = RedisServer::start().await.unwrap();
    let it = OnDelight::start(Store::Redis(redis.url()), 1, Config::default()).await;
    let mut secrets = secrets_of_use(&it).await;
    secrets.push(current_path(&it).await);
    let stored = redis.dump().await.unwrap();
    assert!(stored.contains("acme | fwh1.") && stored.contains("acme-platform"), "{stored}");
    assert_absent(&secrets, &stored, "Redis");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_and_no_log_shows_a_secret_or_message_text() {
    let it = OnDelight::start(Store::Sqlite(SqliteFile::default()), 1, Config::default()).await;
    let mut secrets = secrets_of_use(&it).await;
    secrets.push("my parcel is lost".to_owned());
    let paths = showing(&it).await;
    assert!(paths.len() > 12, "{paths:?}");
    for path in paths {
        let shown = it.stage.api.call("GET", &path, &Value::Null).await.unwrap();
        assert_eq!(shown.status, 200, "{path}: {shown:?}");
        assert_absent(&secrets, &shown.body.to_string(), &path);
    }
    let rotated = it.stage.api.call("POST", "/v1/rotate", &Value::Null).await.unwrap();
    assert_absent(&secrets, &rotated.body.to_string(), "rotate");
    assert_absent(&secrets, &it.stage.log(), "the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_token_and_session_reach_their_own_connection_until_they_end() {
    let it = OnDelight::start(Store::Sqlite(SqliteFile::default()), 1, Config::default()).await;
    let wanted = json!({ "name": "acme-platform", "scopes": ["connection:acme"] });
    let created = it.stage.api.call("POST", "/v1/tokens", &wanted).await.unwrap().body;
    let bearer = [("authorization", format!("Bearer {}", created["token"].as_str().unwrap()))];
    let status = async |path: &str| it.stage.api.send("GET", path, &bearer, Vec::new()).await.unwrap().status;
    assert_eq!(status("/v1/connections/acme").await, 200);
    for path in ["/v1/connections/other", "/v1/connections/nobody", "/v1/tokens", "/v1/audit", "/metrics"] {
        assert_eq!(status(path).await, 403, "{path}");
    }
    // Logging out ends the session, even for a copied cookie.
    let login = json!({ "token": created["token"] }).to_string().into_bytes();
    let logged_in = it.stage.api.send("POST", "/console/session", &[], login).await.unwrap();
    let cookie = logged_in.headers.iter().find(|(name, _)| name == "set-cookie").unwrap().1.clone();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = logged_in.body["csrf_token"].as_str().unwrap().to_owned();
    let by_cookie = async |method: &str, path: &str| {
        let headers = [("cookie", cookie.clone()), ("x-csrf-token", csrf.clone())];
        it.stage.api.send(method, path, &headers, Vec::new()).await.unwrap().status
    };
    assert_eq!(by_cookie("GET", "/v1/connections/acme").await, 200);
    assert_eq!(by_cookie("DELETE", "/console/session").await, 204);
    assert_eq!(by_cookie("GET", "/v1/connections/acme").await, 401);
    let revoke = format!("/v1/tokens/{}", created["id"].as_str().unwrap());
    assert_eq!(it.stage.api.call("DELETE", &revoke, &Value::Null).await.unwrap().status, 204);
    assert_eq!(status("/v1/connections/acme").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_webhook_of_freshworks_is_refused_when_it_is_old() {
    let it = OnDelight::start(Store::Sqlite(SqliteFile::default()), 1, Config::default()).await;
    let shown = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    let url = shown.body["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    let send = async |action_time: &str| {
        let message = json!({
            "message_parts": [{ "text": { "content": "from elsewhere" } }], "conversation_id": "not-ours", "id": "m-1",
            "actor_type": "agent", "actor_id": "maya", "message_type": "normal", "created_time": action_time,
        });
        let actor = json!({ "actor_type": "agent", "actor_id": "maya" });
        let data = json!({ "message": message });
        let event = json!({ "actor": actor, "action": "message_create", "action_time": action_time, "data": data });
        let body = event.to_string().into_bytes();
        let headers = [("x-freshchat-signature", it.stage.freshworks.sign(&body))];
        it.stage.api.send("POST", &url, &headers, body).await.unwrap()
    };
    assert_eq!(send("2099-01-01T00:00:00.000Z").await.status, 204);
    let stale = send("2025-07-10T19:47:55.442Z").await;
    assert_eq!((stale.status, &stale.body["kind"]), (422, &json!("stale")), "{stale:?}");
    let activity = it.stage.api.call("GET", "/v1/connections/acme/activity", &Value::Null).await.unwrap();
    assert_eq!(activity.body["webhook"]["why"], "stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_bridge_is_upgraded_and_its_key_is_rotated_without_losing_a_handoff() {
    let sqlite = SqliteFile::default();
    let mut it = OnDelight::start(Store::Sqlite(sqlite.clone()), 1, Config::default()).await;
    it.stage.set_variable("encryption_key", "plaintext");
    it.stage.kill(0).await.unwrap();
    let rotated = it.stage.api.call("POST", "/v1/rotate", &Value::Null).await.unwrap();
    assert_eq!(rotated.body["unreadable"], json!(["acme"]), "the key is not there: {rotated:?}");
    // As before encryption was added.
    it.stage.set_variable("encryption_key_old", ENCRYPTION_KEY);
    it.stage.kill(0).await.unwrap();
    assert_eq!(it.stage.api.call("POST", "/v1/rotate", &Value::Null).await.unwrap().body["written"], 1);
    assert!(sqlite.dump().unwrap().contains(&it.stage.freshworks.api_key()));
    let (channel, conversation) = it.handed_over("ana").await;
    // And then with its own key.
    it.stage.set_variable("encryption_key", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    it.stage.set_variable("encryption_key_old", "");
    it.stage.kill(0).await.unwrap();
    it.platform.user_says(&channel, "still there");
    it.platform.settle().await;
    assert_eq!(crate::cast::count(&it.stage, &conversation.id, "still there"), 1);
    assert_eq!(it.stage.api.call("POST", "/v1/rotate", &Value::Null).await.unwrap().body["written"], 1);
    assert!(!sqlite.dump().unwrap().contains(&it.stage.freshworks.api_key()));
}
