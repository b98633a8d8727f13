//! Instances crash repeatedly while several messages of each conversation are in flight, with concurrent closes and ticks.
//! Every caller retries with the same ids until it gets a response, in any order.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e2e::Store;
use freshworks_simulator::Status;
use serde_json::json;
use spin_emulator::{RedisServer, SqliteFile};

use crate::cast::{OnGeneric, Player, texts, within};

const CONVERSATIONS: usize = 12;
/// Senders of one conversation; each sends its next message when the one before is confirmed.
const SENDERS: usize = 3;
const KILLS: u64 = 24;
/// Each sender sends at least this many, and continues until the last kill.
const LEAST_MESSAGES: usize = 9;
/// Between two messages of a sender.
const PAUSE: Duration = Duration::from_millis(250);

/// Draws the same numbers for the same seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The responses to one sender's messages, oldest first.
type Told = Vec<(String, u16)>;

async fn send(player: Player, name: String, sender: usize, kills: Arc<AtomicU64>) -> (String, usize, Told) {
    let handoff = player.id(&name).await;
    let mut told = Told::new();
    while told.len() < LEAST_MESSAGES || kills.load(Ordering::Relaxed) < KILLS {
        let text = format!("<{name} {sender} {:03}>", told.len());
        let status = player
            .relay(&handoff, &format!("{sender}-{:03}", told.len()), json!({ "kind": "text", "text": text }))
            .await;
        told.push((text, status));
        if status != 200 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    (name, sender, told)
}

/// Every third conversation is closed while its messages are in flight.
fn is_closed(number: usize) -> bool {
    number.is_multiple_of(3)
}

async fn close_at_half(player: Player, name: String, kills: Arc<AtomicU64>) {
    let handoff = player.id(&name).await;
    while kills.load(Ordering::Relaxed) < KILLS / 2 {
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(player.close(&handoff).await, 200, "{name} is closed");
}

async fn tick(player: Player, names: Vec<String>, kills: Arc<AtomicU64>) {
    let mut handoffs = Vec::new();
    for name in &names {
        handoffs.push(player.id(name).await);
    }
    while kills.load(Ordering::Relaxed) < KILLS {
        for handoff in &handoffs {
            assert_eq!(player.tick(handoff).await, 200);
        }
    }
}

async fn messages_at_once_survive_kills(store: Store, seed: u64) {
    let mut it = OnGeneric::start(store, 2).await;
    let player = it.player();
    let names: Vec<String> = (0..CONVERSATIONS).map(|number| format!("c-{number:02}")).collect();
    for name in &names {
        within("a handoff", player.hand_over(name, false)).await;
    }
    let kills = Arc::new(AtomicU64::new(0));
    let mut others = tokio::task::JoinSet::new();
    let mut senders = tokio::task::JoinSet::new();
    for (number, name) in names.iter().enumerate() {
        for sender in 0..SENDERS {
            senders.spawn(send(player.clone(), name.clone(), sender, kills.clone()));
        }
        if is_closed(number) {
            others.spawn(close_at_half(player.clone(), name.clone(), kills.clone()));
        }
    }
    let never_closed = names.iter().enumerate().filter(|(number, _)| !is_closed(*number)).map(|(_, name)| name.clone());
    others.spawn(tick(player.clone(), never_closed.collect(), kills.clone()));

    let mut draw = Draw(seed);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(600 + draw.below(1_400))).await;
        it.stage.kill(0).await.unwrap();
        it.stage.kill(0).await.unwrap();
        kills.fetch_add(1, Ordering::Relaxed);
    }
    let told = within("every message is answered", senders.join_all()).await;
    within("every close and tick is answered", others.join_all()).await;

    let (mut sent, mut lost, mut twice, mut disorder) = (0, Vec::new(), Vec::new(), Vec::new());
    for (number, name) in names.iter().enumerate() {
        let conversation = it.conversation(&format!("{name}: my parcel is lost"));
        let texts = texts(&conversation);
        let mut seen: HashMap<&str, usize> = HashMap::new();
        texts.iter().for_each(|text| *seen.entry(text.as_str()).or_default() += 1);
        for (_, sender, told) in told.iter().filter(|(of, ..)| of == name) {
            for (text, status) in told {
                let count = seen.get(text.as_str()).copied().unwrap_or(0);
                sent += 1;
                // One that was refused, because the conversation had ended, may have arrived before that.
                lost.extend((*status == 200 && count == 0).then(|| text.clone()));
                twice.extend((count > 1).then(|| text.clone()));
                assert!(*status == 200 || is_closed(number), "{text} was answered with {status}");
            }
            let of_sender = format!("<{name} {sender} ");
            let mut arrived: Vec<&String> = texts.iter().filter(|text| text.starts_with(&of_sender)).collect();
            let before = arrived.clone();
            arrived.sort();
            disorder.extend((arrived != before).then(|| of_sender.clone()));
        }
        let notes = texts.iter().filter(|text| text.contains("will not see further messages")).count();
        assert_eq!(notes, usize::from(is_closed(number)), "{name}: notes about the end");
        assert_eq!(conversation.status == Status::Resolved, is_closed(number), "{name}: {:?}", conversation.status);
    }
    println!(
        "seed {seed}: {KILLS} kills of both instances, {sent} messages, {} lost, {} twice, {} senders out of order",
        lost.len(),
        twice.len(),
        disorder.len()
    );
    assert!(sent >= 300, "{sent} messages");
    assert_eq!((lost, twice, disorder), (Vec::new(), Vec::new(), Vec::new()));
}

/// The seed of a run: the environment's `KILLS_SEED`, or always the same.
fn seed() -> u64 {
    std::env::var("KILLS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(14)
}

#[tokio::test(flavor = "multi_thread")]
async fn several_messages_at_once_survive_kills_with_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    messages_at_once_survive_kills(Store::Sqlite(SqliteFile::at(&folder.path().join("bridge.db"))), seed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_messages_at_once_survive_kills_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    messages_at_once_survive_kills(Store::Redis(redis.url()), seed()).await;
}
