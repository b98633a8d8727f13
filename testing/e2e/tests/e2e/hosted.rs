//! The build without SQLite, whose timer can only send `GET`. `cargo xtask deploy` builds it, and runs this with it.

use e2e::{Environment, Store};
use platform_simulator::Config;
use serde_json::{Value, json};
use spin_emulator::{RedisServer, SqliteFile};

use crate::cast::OnDelight;
use crate::round::round_on_delight;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the build without SQLite: `cargo xtask deploy`"]
async fn a_round_without_sqlite_and_its_timer_by_get() {
    let redis = RedisServer::start().await.unwrap();
    let it = OnDelight::start(Store::Redis(redis.url()), 2, Config::default()).await;
    round_on_delight(&it, "ana").await;

    let token = async |scope: &str| {
        let wanted = json!({ "name": scope, "scopes": [scope] });
        let made = it.stage.api.call("POST", "/v1/tokens", &wanted).await.unwrap().body;
        made["token"].as_str().unwrap().to_owned()
    };
    let (timer, metrics) = (token("tick").await, token("metrics").await);
    let send = async |method: &str, token: &str| {
        it.stage.api.send(method, &format!("/cron/{token}"), &[], Vec::new()).await.unwrap()
    };
    let called = send("GET", &timer).await;
    assert!(called.status == 200 && called.body["done"].is_u64(), "{called:?}");
    // What the token says counts, not what stands in the request besides it.
    assert_eq!(send("GET", &metrics).await.status, 403);
    let admin = [("authorization", format!("Bearer {}", e2e::TOKEN))];
    let path = format!("/cron/{metrics}");
    assert_eq!(it.stage.api.send("GET", &path, &admin, Vec::new()).await.unwrap().status, 403);
    for refused in ["fwh_nobody", e2e::TOKEN, ""] {
        assert_eq!(send("GET", refused).await.status, 401, "{refused}");
    }
    assert_eq!(send("POST", &timer).await.status, 401);
    let log = it.stage.log();
    assert!(!log.contains(&timer) && !log.contains(&metrics), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the build without SQLite: `cargo xtask deploy`"]
async fn without_sqlite_and_without_redis_the_log_says_what_to_set() {
    let stage = Environment::start(Store::Sqlite(SqliteFile::default()), 1, &[]).await.unwrap();
    let health = stage.api.call("GET", "/v1/health", &Value::Null).await.unwrap();
    assert_eq!(health.status, 503);
    assert!(stage.log().contains("this build has no SQLite: set the variable redis_url"), "{}", stage.log());
}
