//! Networks, stores and instances fail. Nothing is lost or duplicated.

use std::time::Duration;

use e2e::Store;
use freshworks_simulator::{Assignee, Fault as FreshworksFault, How as FreshworksHow, Match, WebhookFault as Lost};
use platform_simulator::{Config, Effect, Fault, How, WebhookFault};
use serde_json::{Value, json};
use spin_emulator::{RedisServer, SqliteFile};

use crate::cast::{OnDelight, OnGeneric, count, texts, within};

fn file() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Sqlite(SqliteFile::at(&folder.path().join("bridge.db")));
    (folder, store)
}

async fn away_for_two_seconds(redis: &mut RedisServer) -> anyhow::Result<()> {
    redis.stop()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.start_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_goes_away_for_two_seconds_in_the_middle() {
    let mut redis = RedisServer::start().await.unwrap();
    let it = OnDelight::start(Store::Redis(redis.url()), 2, Config::default()).await;
    let (channel, conversation) = it.handed_over("ana").await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    it.stage.freshworks.assign(&conversation.id, &maya, Assignee::Agent(&maya)).await.unwrap();

    let meanwhile = async {
        it.platform.user_says(&channel, "Are you there?");
        it.platform.settle().await;
        it.stage.freshworks.reply(&conversation.id, &maya, "I am here").await.unwrap();
        let asked = std::time::Instant::now();
        let health = it.stage.api.call("GET", "/v1/health", &Value::Null).await.unwrap();
        (health.status, asked.elapsed())
    };
    let away = away_for_two_seconds(&mut redis);
    let ((status, took), back) = within("both ends", async { tokio::join!(meanwhile, away) }).await;
    back.unwrap();
    assert_eq!(status, 503);
    assert!(took < Duration::from_secs(1), "the bridge says at once that its store is away: {took:?}");

    // Freshworks resends its webhook; the platform has given up, and the next poll finds its message.
    let arrived = |seen: &[platform_simulator::Seen]| seen.iter().any(|seen| seen.text == "I am here");
    let seen = within("the answer arrives", it.platform.wait_for(&channel, arrived)).await;
    assert_eq!(seen.iter().filter(|seen| seen.text == "I am here").count(), 1);
    assert!(it.platform.given_up() > 0);
    assert_eq!(count(&it.stage, &conversation.id, "Are you there?"), 0);
    it.look("acme").await;
    it.look("acme").await;
    assert_eq!(count(&it.stage, &conversation.id, "Are you there?"), 1);
}

/// Faults everywhere, several concurrent conversations, both directions; then one tick each.
async fn all_goes_wrong_on_delight(store: Store, instances: usize) {
    const USERS: [&str; 6] = ["ana", "bea", "cai", "dan", "eve", "fay"];
    let patient = Config { tries: 20, ..Config::default() };
    let it = OnDelight::start(store, instances, patient).await;
    let freshworks = &it.stage.freshworks;
    let any = Match::any;
    freshworks.fail(FreshworksFault::new(any().every(7), FreshworksHow::Cut).after_effect().times(12));
    freshworks.fail(FreshworksFault::new(any().every(11), FreshworksHow::status(500)).times(8));
    freshworks.fail(FreshworksFault::new(any().every(13), FreshworksHow::rate_limit(1)).times(4));
    for fault in [Lost::Duplicate, Lost::Drop, Lost::Reorder, Lost::CorruptSignature, Lost::LoseMessageType] {
        freshworks.fail_webhook(fault);
    }
    it.platform.fail(Fault::new("", "/v3/", How::Cut, Effect::After).every(5).times(20));
    it.platform.fail(Fault::new("", "/v3/", How::Status(500), Effect::Before).every(7).times(12));
    let doubled = [WebhookFault::Doubled; 12];
    it.platform.fail_webhooks(&doubled);

    let maya = freshworks.agent_id("Maya Chen").unwrap();
    let play = |user: &'static str| {
        let (it, maya) = (&it, &maya);
        async move {
            let (channel, conversation) = it.handed_over(user).await;
            for turn in 0..4 {
                it.platform.user_says(&channel, &format!("{user} asks {turn}"));
                it.stage.freshworks.reply(&conversation.id, maya, &format!("answer {turn} to {user}")).await.unwrap();
            }
            (user, channel, conversation.id)
        }
    };
    let played = within("all have played", futures_util::future::join_all(USERS.map(play))).await;
    within("the platform's webhooks", it.platform.settle()).await;
    within("Freshworks' webhooks", it.stage.settled("acme")).await.unwrap();
    freshworks.clear_faults();
    it.look("acme").await;
    it.look("acme").await;
    for (user, channel, conversation) in played {
        let seen = it.platform.seen_by_user(&channel);
        for turn in 0..4 {
            let asked = count(&it.stage, &conversation, &format!("{user} asks {turn}"));
            let answered = seen.iter().filter(|seen| seen.text == format!("answer {turn} to {user}")).count();
            assert_eq!((asked, answered), (1, 1), "{user}, {turn}: {}", it.stage.log());
        }
        let opened = freshworks
            .conversations()
            .iter()
            .filter(|one| texts(one).concat().contains(&format!("{user}: my parcel")))
            .count();
        assert_eq!(opened, 1, "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_everywhere_lose_and_double_nothing_with_sqlite() {
    all_goes_wrong_on_delight(Store::Sqlite(Default::default()), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_everywhere_lose_and_double_nothing_with_redis_and_two_instances() {
    let redis = RedisServer::start().await.unwrap();
    all_goes_wrong_on_delight(Store::Redis(redis.url()), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_and_an_outage_on_any_platform_with_redis_and_two_instances() {
    const CONVERSATIONS: [&str; 6] = ["c-1", "c-2", "c-3", "c-4", "c-5", "c-6"];
    let mut redis = RedisServer::start().await.unwrap();
    let it = OnGeneric::start(Store::Redis(redis.url()), 2).await;
    let freshworks = it.stage.freshworks.clone();
    freshworks.fail(FreshworksFault::new(Match::any().every(7), FreshworksHow::Cut).after_effect().times(12));
    freshworks.fail(FreshworksFault::new(Match::any().every(11), FreshworksHow::status(500)).times(8));
    for fault in [Lost::Duplicate, Lost::Reorder, Lost::CorruptSignature, Lost::LoseMessageType] {
        freshworks.fail_webhook(fault);
    }
    it.platform.fail(&[How::Status(500), How::Cut, How::Delay(Duration::from_millis(300)), How::Status(429), How::Cut]);

    let maya = freshworks.agent_id("Maya Chen").unwrap();
    let play = |name: &'static str| {
        let (player, maya) = (it.player(), &maya);
        async move {
            let by_webhook = name > "c-3";
            player.hand_over(name, by_webhook).await;
            let conversation = player.conversation(&format!("{name}: my parcel is lost")).id;
            for turn in 0..3 {
                let part = json!({ "kind": "text", "text": format!("{name} asks {turn}") });
                player.say(name, &format!("m-{turn}"), part, by_webhook).await;
                player.freshworks().reply(&conversation, maya, &format!("answer {turn} to {name}")).await.unwrap();
            }
            conversation
        }
    };
    let away = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        away_for_two_seconds(&mut redis).await
    };
    let all = futures_util::future::join_all(CONVERSATIONS.map(play));
    let (played, back) = within("all have played", async { tokio::join!(all, away) }).await;
    back.unwrap();
    within("Freshworks' webhooks", it.stage.settled("acme")).await.unwrap();
    for (name, conversation) in CONVERSATIONS.into_iter().zip(played) {
        let events = it.platform.events(name);
        for turn in 0..3 {
            let text = format!("answer {turn} to {name}");
            let answered = events.iter().filter(|event| event["message"]["parts"][0]["text"] == text).count();
            let asked = count(&it.stage, &conversation, &format!("{name} asks {turn}"));
            assert_eq!((asked, answered), (1, 1), "{name}, {turn}: {}", it.stage.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_that_freshworks_refuses_temporarily_succeeds_later() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    it.stage.freshworks.fail(FreshworksFault::new(Match::any(), FreshworksHow::status(503)).times(500));
    let channel = it.opened("ana");
    it.platform.hand_off(&channel);
    it.platform.settle().await;
    assert_eq!(it.stage.freshworks.conversations().len(), 0);
    it.platform.user_says(&channel, "Hello?");
    it.platform.settle().await;

    it.stage.freshworks.clear_faults();
    it.look("acme").await;
    let conversations = it.stage.freshworks.conversations();
    assert_eq!(conversations.len(), 1);
    // Messages since the handoff request were handed over, too.
    assert_eq!(count(&it.stage, &conversations[0].id, "Hello?"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_that_can_never_come_about_is_said_so() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    it.stage.freshworks.set_api_key("another key");
    let channel = it.opened("ana");
    it.platform.hand_off(&channel);
    it.platform.settle().await;
    let seen = it.platform.seen_by_user(&channel);
    let told = seen.iter().filter(|seen| seen.text == "The support team cannot be reached at the moment.").count();
    assert_eq!(told, 1, "{seen:?}");
    assert_eq!(it.platform.context(&channel)["context"]["handoff_outcome"], "failed");
    assert_eq!(it.platform.given_up(), 0, "the platform got a response; it need not retry");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_that_is_no_longer_wanted_is_not_tried_again() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    it.stage.freshworks.fail(FreshworksFault::new(Match::any(), FreshworksHow::status(503)).times(500));
    let channel = it.opened("ana");
    it.platform.hand_off(&channel);
    it.platform.settle().await;
    it.platform.close(&channel, "user_resolved");
    it.platform.settle().await;
    it.stage.freshworks.clear_faults();
    it.look("acme").await;
    let open = it.stage.api.call("GET", "/v1/connections/acme/handoffs", &Value::Null).await.unwrap();
    assert_eq!(open.body["handoffs"], json!([]));
    assert_eq!(it.stage.freshworks.conversations().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_fails_on_either_side_takes_effect_once() {
    for fails_at_freshworks in [false, true] {
        let it =
            OnDelight::start(Store::Sqlite(Default::default()), 1, Config { tries: 20, ..Config::default() }).await;
        let (channel, conversation) = it.handed_over("ana").await;
        if fails_at_freshworks {
            let fault = FreshworksFault::new(Match::any().method("PUT"), FreshworksHow::status(503));
            it.stage.freshworks.fail(fault.times(3));
        }
        it.platform.fail(Fault::new("PUT", "ai_agent_context", How::Status(500), Effect::Before).times(3));
        it.platform.close(&channel, "user_resolved");
        within("the end", it.platform.settle()).await;
        within("its echoes", it.stage.freshworks.settled()).await;
        let after = it.stage.freshworks.conversation(&conversation.id).unwrap();
        assert_eq!(after.status, freshworks_simulator::Status::Resolved);
        let notes = texts(&after).iter().filter(|text| text.contains("will not see further messages")).count();
        assert_eq!(notes, 1, "{:?}", texts(&after));
        assert!(it.platform.context(&channel)["context"]["handoff_outcome"].is_string());
        assert_eq!(it.platform.given_up(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_handoff_during_the_human_part_loses_nothing() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config { tries: 1, ..Config::default() }).await;
    let (channel, conversation) = it.handed_over("ana").await;
    // Neither webhook of this message arrives; then the user presses the button once more.
    it.platform.fail_webhooks(&[WebhookFault::Dropped, WebhookFault::Dropped]);
    it.platform.user_says(&channel, "still lost");
    it.platform.settle().await;
    it.platform.hand_off(&channel);
    it.platform.settle().await;
    it.look("acme").await;
    assert_eq!(count(&it.stage, &conversation.id, "still lost"), 1);
    assert_eq!(it.stage.freshworks.conversations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_to_the_ai_agent_after_the_return_stays_there() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let (channel, conversation) = it.handed_over("ana").await;
    let freshworks = &it.stage.freshworks;
    let maya = freshworks.agent_id("Maya Chen").unwrap();
    freshworks.resolve(&conversation.id, &maya).await.unwrap();
    freshworks.settled().await;
    it.platform.user_says(&channel, "for the AI agent");
    it.platform.settle().await;

    freshworks.reopen(&conversation.id, &maya).await.unwrap();
    freshworks.settled().await;
    it.platform.user_says(&channel, "for the human agent");
    it.platform.settle().await;
    it.look("acme").await;
    let said = |words: &str| count(&it.stage, &conversation.id, words);
    assert_eq!((said("for the AI agent"), said("for the human agent")), (0, 1));
}

/// The same on Delight and with Redis. Its webhooks are repeated for long enough to outlast a lease: a handoff that the platform has
/// stopped telling about cannot be known.
#[tokio::test(flavor = "multi_thread")]
async fn instances_killed_on_delight_with_redis_lose_and_double_nothing() {
    const USERS: usize = 30;
    let redis = RedisServer::start().await.unwrap();
    let patient = Config { tries: 40, retry_wait: Duration::from_millis(250), ..Config::default() };
    let mut it = OnDelight::start(Store::Redis(redis.url()), 2, patient).await;
    let freshworks = it.stage.freshworks.clone();
    let maya = freshworks.agent_id("Maya Chen").unwrap();
    let channels: Vec<(String, String)> =
        (0..USERS).map(|number| format!("u{number:02}")).map(|user| (it.opened(&user), user)).collect();
    for (channel, _) in &channels {
        it.platform.hand_off(channel);
        it.platform.user_says(channel, "asks 0");
        it.platform.user_says(channel, "asks 1");
    }
    for kill in 0..4 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        it.stage.kill(kill % 2).await.unwrap();
    }
    within("the platform's webhooks", it.platform.settle()).await;
    let conversation_of = |user: &str| {
        let words = format!("{user}: my parcel is lost");
        let mut found = freshworks.conversations();
        found.retain(|one| texts(one).iter().any(|text| text.contains(&words)));
        assert_eq!(found.len(), 1, "{user}");
        found.remove(0).id
    };
    let answers = async {
        for (_, user) in &channels {
            freshworks.reply(&conversation_of(user), &maya, &format!("answer to {user}")).await.unwrap();
        }
    };
    let kills = async {
        for kill in 0..4 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            it.stage.kill(kill % 2).await.unwrap();
        }
    };
    within("all are answered", async { tokio::join!(answers, kills) }).await;
    within("Freshworks' webhooks", it.stage.settled("acme")).await.unwrap();
    it.look("acme").await;
    for (channel, user) in &channels {
        let conversation = conversation_of(user);
        let asked = [0, 1].map(|turn| count(&it.stage, &conversation, &format!("asks {turn}")));
        let seen = it.platform.seen_by_user(channel);
        let answered = seen.iter().filter(|seen| seen.text == format!("answer to {user}")).count();
        assert_eq!((asked, answered), ([1, 1], 1), "{user}: {}", it.stage.log());
    }
}

/// 100 conversations at once, both directions, while instances are killed at random points.
#[tokio::test(flavor = "multi_thread")]
async fn instances_killed_under_load_lose_and_double_nothing() {
    const CONVERSATIONS: usize = 100;
    const KILLS: u64 = 12;
    let (_folder, store) = file();
    let mut it = OnGeneric::start(store, 2).await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    let player = it.player();
    let play = |number: usize| {
        let (player, maya) = (player.clone(), maya.clone());
        async move {
            let name = format!("c-{number:03}");
            player.hand_over(&name, number.is_multiple_of(2)).await;
            for turn in 0..2 {
                let text = format!("{name} asks {turn}");
                player
                    .say(&name, &format!("m-{turn}"), json!({ "kind": "text", "text": text }), number.is_multiple_of(2))
                    .await;
                let conversation = player.conversation(&format!("{name}: my parcel is lost")).id;
                player.freshworks().reply(&conversation, &maya, &format!("answer {turn} to {name}")).await.unwrap();
            }
        }
    };
    let mut playing = tokio::task::JoinSet::new();
    for number in 0..CONVERSATIONS {
        playing.spawn(play(number));
    }
    // The same points in every run, as far as that is in our hands.
    let mut random = 42_u64;
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(100 + (random >> 33) % 900)).await;
        it.stage.kill((kill % 2) as usize).await.unwrap();
    }
    let all = async {
        while let Some(played) = playing.join_next().await {
            played.unwrap()
        }
    };
    tokio::time::timeout(Duration::from_secs(150), all).await.expect("all have played");
    within("all webhooks are told", it.stage.settled("acme")).await.unwrap();

    for number in 0..CONVERSATIONS {
        let name = format!("c-{number:03}");
        let conversation = it.conversation(&format!("{name}: my parcel is lost")).id;
        let answers = |events: &[Value]| events.iter().filter(|event| event["kind"] == "agent-message").count() >= 2;
        let events = within("both answers are told", it.platform.wait_for(&name, answers)).await;
        for turn in 0..2 {
            let asked = count(&it.stage, &conversation, &format!("{name} asks {turn}"));
            let text = format!("answer {turn} to {name}");
            let answered = events.iter().filter(|event| event["message"]["parts"][0]["text"] == text).count();
            assert_eq!((asked, answered), (1, 1), "{name}, {turn}");
        }
    }
    let (repeated, refused) = it.platform.counts();
    assert_eq!(refused, 0);
    println!("{KILLS} kills, {repeated} events came again and were told by their ids");
}
