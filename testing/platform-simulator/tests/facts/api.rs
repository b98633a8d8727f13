//! The calls of the API.

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use platform_simulator::{Config, Delight, Effect, Fault, How, Kind};
use serde_json::{Value, json};

use crate::{ana, call, call_as, exchange, json_of, messages_of};

async fn fetch(it: &Delight, path: &str) -> (u16, String, Vec<u8>) {
    exchange(Request::get(format!("{}{path}", it.origin())).body(Full::default()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_repeated_dedup_id_shows_nothing_new() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/messages");
    let body = json!({ "message_type": "ADMM", "message": "Maya joined", "dedup_id": "1" });
    let (status, first) = call(&it, "POST", &path, &body).await.unwrap();
    let (_, again) = call(&it, "POST", &path, &body).await.unwrap();
    assert_eq!((status, &first["message_id"]), (200, &again["message_id"]));
    assert_eq!(it.seen_by_user(&channel).len(), 1);
}

#[tokio::test]
async fn only_members_write_and_only_with_the_token() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/messages");
    let body = json!({ "message_type": "MESG", "user_id": "maya", "message": "Hi" });
    call(&it, "POST", "/v3/users", &json!({ "user_id": "maya", "nickname": "Maya", "profile_url": "" })).await;
    assert_eq!(call(&it, "POST", &path, &body).await.unwrap().0, 400);
    let invite = format!("/v3/group_channels/{channel}/invite");
    assert_eq!(call(&it, "POST", &invite, &json!({ "user_ids": ["maya"] })).await.unwrap().0, 200);
    assert_eq!(call_as(&it, "wrong", "POST", &path, &body).await.unwrap().0, 401);
    assert_eq!(call(&it, "POST", &path, &body).await.unwrap().0, 200);
    assert_eq!(it.seen_by_user(&channel)[0].name, "Maya");
    let (status, error) = call(&it, "POST", "/v3/group_channels/none/messages", &body).await.unwrap();
    assert_eq!((status, &error["code"]), (400, &json!(400_201)));
}

#[tokio::test]
async fn lists_go_both_ways_from_a_time_and_include_it() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    for text in ["one", "two", "three"] {
        it.user_says(&channel, text);
    }
    let list = async |query: String| {
        let (status, found) =
            call(&it, "GET", &format!("/v3/group_channels/{channel}/messages?{query}"), &Value::Null).await.unwrap();
        let texts: Vec<String> = found["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["message"].as_str().unwrap().to_owned())
            .collect();
        let at = found["messages"].as_array().and_then(|all| all.get(1)?["created_at"].as_u64()).unwrap_or(0);
        (status, texts, at)
    };
    let (_, all, middle) = list("message_ts=0&prev_limit=0&next_limit=200".into()).await;
    assert_eq!(all, ["one", "two", "three"]);
    assert_eq!(list(format!("message_ts={middle}&prev_limit=200&next_limit=0")).await.1, ["one", "two"]);
    assert_eq!(list(format!("message_ts={middle}&prev_limit=0&next_limit=1")).await.1, ["two", "three"]);
    assert_eq!(list("message_ts=0&next_limit=201".into()).await.0, 400);
    assert_eq!(list("prev_limit=1".into()).await.0, 400);
}

#[tokio::test]
async fn the_webhooks_secret_is_made_once_and_categories_are_known() {
    let it = Delight::start(Config::default()).await.unwrap();
    let path = "/v3/ai_agent/settings/webhook";
    assert!(call(&it, "GET", path, &Value::Null).await.unwrap().1["signature_secret"].is_null());
    let body = json!({ "enabled": true, "url": "http://127.0.0.1:1/", "category_subscriptions": ["handoff"] });
    let (_, first) = call(&it, "PUT", path, &body).await.unwrap();
    let (_, again) = call(&it, "PUT", path, &body).await.unwrap();
    assert!(first["signature_secret"].is_string() && first["signature_secret"] == again["signature_secret"]);
    for wrong in [json!(["nonsense"]), json!(["*", "handoff"])] {
        let body = json!({ "category_subscriptions": wrong });
        assert_eq!(call(&it, "PUT", path, &body).await.unwrap().0, 400);
    }
    let closed = Delight::start(Config { may_set_webhook: false, ..Config::default() }).await.unwrap();
    assert_eq!(call(&closed, "PUT", path, &body).await.unwrap().0, 403);
}

#[tokio::test]
async fn the_context_is_replaced_and_faults_may_come_after_the_effect() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[("plan", "pro")]);
    let path = format!("/v3/ai_agent/ai_agents/helper/channels/{channel}/ai_agent_context");
    assert_eq!(call(&it, "GET", &path, &Value::Null).await.unwrap().1["context"]["plan"], "pro");
    it.fail(Fault::new("PUT", "ai_agent_context", How::Cut, Effect::After));
    assert!(call(&it, "PUT", &path, &json!({ "context": { "a": "b" } })).await.is_none());
    assert_eq!(it.context(&channel)["context"], json!({ "a": "b" }));
    it.fail(Fault::new("PUT", "ai_agent_context", How::Status(500), Effect::Before));
    assert_eq!(call(&it, "PUT", &path, &json!({})).await.unwrap().0, 500);
    assert_eq!(it.context(&channel)["context"], json!({ "a": "b" }));
}

#[tokio::test]
async fn files_keep_their_names() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    it.user_sends_file(&channel, "confirmación #1?.pdf", "application/pdf", b"%PDF");
    let seen = it.seen_by_user(&channel).remove(0);
    assert_eq!(seen.file_name, "confirmación #1?.pdf");
    let path = seen.url.strip_prefix(it.origin()).unwrap();
    assert!(path.is_ascii() && !path.contains(' '));
    assert_eq!(fetch(&it, path).await, (200, "application/pdf".to_owned(), b"%PDF".to_vec()));
}

#[tokio::test]
async fn encrypted_files_open_to_the_token_alone_and_several_share_a_message() {
    let it = Delight::start(Config { private_files: true, ..Config::default() }).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    it.user_sends_files(&channel, &[("a.png", "image/png", b"one"), ("b.png", "image/png", b"two")]);
    let path = format!("{}?message_ts=0&next_limit=9", messages_of(&channel));
    let listed = call(&it, "GET", &path, &Value::Null).await.unwrap().1["messages"][0].take();
    assert_eq!((&listed["type"], &listed["message"]), (&json!("FILE"), &json!("a.png, b.png")));
    let second = &listed["files"][1];
    assert_eq!((&second["name"], &second["require_auth"]), (&json!("b.png"), &json!(true)));
    let path = second["url"].as_str().unwrap().strip_prefix(it.origin()).unwrap();
    assert_eq!(fetch(&it, path).await.0, 403);
    let request = hyper::Request::get(format!("{}{path}", it.origin())).header("api-token", &it.config().api_token);
    let answer = crate::exchange(request.body(Default::default()).unwrap()).await;
    assert_eq!(answer, Some((200, "image/png".to_owned(), b"two".to_vec())));
}

#[tokio::test]
async fn lists_go_from_a_message_as_from_its_time() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let ids = ["one", "two", "three"].map(|text| it.user_says(&channel, text));
    let path = messages_of(&channel);
    let list = async |query: &str| call(&it, "GET", &format!("{path}?{query}"), &Value::Null).await.unwrap();
    let (status, found) = list(&format!("message_id={}&prev_limit=1&next_limit=0", ids[1])).await;
    let found: Vec<&str> =
        found["messages"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!((status, found), (200, vec!["one", "two"]));
    assert_eq!(list("message_id=1").await.1["code"], 400_201);
    assert_eq!(list("message_id=one").await.0, 400);
}

#[tokio::test]
async fn a_file_comes_with_its_bytes_in_a_form_or_with_its_address_as_json() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let form = [
        "--edge\r\nContent-Disposition: form-data; name=\"message_type\"\r\n\r\nFILE",
        "--edge\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\nana",
        "--edge\r\nContent-Disposition: form-data; name=\"dedup_id\"\r\n\r\nf-1",
        "--edge\r\nContent-Disposition: form-data; name=\"custom_type\"\r\n\r\nfrom-agent",
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a label.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF",
        "--edge--\r\n",
    ];
    let send = async |form: &[&str]| {
        let request = Request::post(format!("{}{}", it.origin(), messages_of(&channel)))
            .header("api-token", &it.config().api_token)
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Full::new(Bytes::from(form.join("\r\n"))));
        let (status, _, bytes) = exchange(request.unwrap()).await.unwrap();
        (status, json_of(&bytes))
    };
    let (status, first) = send(&form).await;
    assert_eq!((status, &first["type"], &first["file"]["size"]), (200, &json!("FILE"), &json!(4)));
    assert_eq!(send(&form).await.1["message_id"], first["message_id"]);
    assert_eq!(send(&[&form[..2], &form[5..]].concat()).await.0, 400, "a form without a file");

    let body =
        json!({ "message_type": "FILE", "user_id": "ana", "url": "https://files.example/b.png", "file_name": "b.png" });
    assert_eq!(call(&it, "POST", &messages_of(&channel), &body).await.unwrap().0, 200);
    let seen = it.seen_by_user(&channel);
    let files: Vec<_> = seen.iter().map(|it| (it.kind, it.file_name.as_str(), it.custom_type.as_str())).collect();
    assert_eq!(files, [(Kind::File, "a label.pdf", "from-agent"), (Kind::File, "b.png", "")]);
    assert_eq!(seen[1].url, "https://files.example/b.png");
    let path = seen[0].url.strip_prefix(it.origin()).unwrap();
    assert_eq!(fetch(&it, path).await, (200, "application/pdf".to_owned(), b"%PDF".to_vec()));
}

#[tokio::test]
async fn ten_users_may_be_typing_at_once() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/typing");
    for (users, status) in [(10, 200), (11, 400)] {
        let users: Vec<String> = (0..users).map(|number| format!("u-{number}")).collect();
        assert_eq!(call(&it, "POST", &path, &json!({ "user_ids": users })).await.unwrap().0, status);
    }
}

#[tokio::test]
async fn a_channels_metadata_grows_and_goes() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/metadata");
    let call = async |method: &str, body: Value| call(&it, method, &path, &body).await.unwrap();
    call("POST", json!({ "metadata": { "a": "1" } })).await;
    assert_eq!(call("PUT", json!({ "metadata": { "b": "2" } })).await.1, json!({ "a": "1", "b": "2" }));
    assert_eq!(call("DELETE", Value::Null).await, (200, json!({})));
    assert_eq!(call("GET", Value::Null).await, (200, json!({})));
    assert_eq!(call("PATCH", Value::Null).await.0, 405);
}

#[tokio::test]
async fn the_webhooks_settings_are_read_and_put_and_nothing_else() {
    let it = Delight::start(Config::default()).await.unwrap();
    let path = "/v3/ai_agent/settings/webhook";
    let body = json!({ "enabled": true, "url": "http://127.0.0.1:1/", "category_subscriptions": ["handoff"] });
    for method in ["POST", "DELETE", "PATCH"] {
        assert_eq!(call(&it, method, path, &body).await.unwrap().0, 405, "{method}");
    }
    let (status, settings) = call(&it, "GET", path, &Value::Null).await.unwrap();
    assert_eq!((status, &settings["enabled"]), (200, &json!(false)));
    for category in ["conversation:redacted", "conversation:analyzed"] {
        assert!(settings["available_categories"].as_array().unwrap().contains(&json!(category)));
    }
}

#[tokio::test]
async fn a_fault_hits_as_often_as_it_says() {
    let it = Delight::start(Config::default()).await.unwrap();
    let fault = || Fault::new("GET", "/v3/users/", How::Status(500), Effect::Before);
    it.fail(fault().times(0));
    it.fail(fault().every(2).times(2));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(call(&it, "GET", "/v3/users/helper", &Value::Null).await.unwrap().0);
    }
    assert_eq!(statuses, [200, 500, 200, 500, 200, 200]);
}
