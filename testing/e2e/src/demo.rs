//! The story: an AI agent is stuck, a human agent helps, the AI agent has the conversation back; and an instance dies on the way.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use e2e::{Environment, Store, delight_settings};
use freshworks_simulator::{Assignee, Conversation, MessageType};
use platform_simulator::{Config, Delight, Kind, Seen, UserSpec};
use serde_json::Value;
use spin_emulator::{RedisServer, SqliteFile};

use crate::screen::{Screen, Side};

/// How to play.
#[derive(Args)]
pub(crate) struct Options {
    /// Keep the state in a Redis (a real `redis-server`) instead of SQLite.
    #[arg(long)]
    redis: bool,
}

/// Nothing takes as long as this unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const HISTORY: [(bool, &str); 6] = [
    (true, "Hola, ¿dónde está mi paquete? Pedido 4711-ES."),
    (false, "¡Hola Ana! El pedido 4711-ES está con el transportista."),
    (true, "Eso dice la página desde hace una semana 🙄"),
    (false, "El último escaneo fue en Lisboa, el 18 de noviembre."),
    (true, "Vivo en Coimbra. ¿Puedo hablar con una persona?"),
    (false, "Claro, ahora mismo."),
];
/// The AI agent's context.
const TOPIC: &str = "Late parcel";
const SUMMARY: &str = "4711-ES has not moved since Lisbon, 18 November. Ana lives in Coimbra and asks for a person.";
const ANSWER: &str = "Hola Ana, soy Maya. Se perdió: hoy sale uno nuevo.";
const NOTE: &str = "INTERNAL: the carrier confirms the loss, up to 60 EUR is fine.";
const THANKS: &str = "¡Gracias! A la Rua da Sofia 12, 3.º esq.";
const LATE: &str = "Y una cosa más: es para el día 27.";
const FILE: &str = "confirmación 1.pdf";

/// Plays; whether everything was as it must be.
pub(crate) async fn play(options: &Options) -> Result<bool> {
    let mut screen = Screen::new();
    let redis = if options.redis { Some(RedisServer::start().await?) } else { None };
    let store = redis.as_ref().map_or_else(|| Store::Sqlite(SqliteFile::default()), |redis| Store::Redis(redis.url()));
    // Repeats for as long as it takes an instance to be replaced.
    let platform =
        Delight::start(Config { tries: 40, retry_wait: Duration::from_millis(250), ..Config::default() }).await?;
    let mut stage = Environment::start(store, 2, &[platform.origin()]).await?;

    screen.title(1, "An admin connects a Freshworks account and an AI agent");
    let answer = stage.connect("acme", &delight_settings(&platform)).await?;
    platform.set_chat_webhook(answer.body["webhooks"]["chat"].as_str().map(str::to_owned));
    for finding in answer.body["findings"].as_array().into_iter().flatten() {
        let word = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        screen.plain(&format!("{:8} {:17} {}", word("level"), word("check"), word("detail")));
    }
    screen.plain(&format!(
        "bridge {} (two instances, state in {}), Freshworks {}, Delight {}",
        stage.front.origin(),
        if options.redis { "Redis" } else { "SQLite" },
        stage.freshworks.origin(),
        platform.origin()
    ));
    stage.freshworks.clear_journal();

    screen.title(2, "The AI agent is stuck and hands over");
    let person =
        UserSpec { id: "ana-7".into(), nickname: "Ana Silva".into(), photo: "https://p.example/ana.png".into() };
    let facts = [("email", "ana.silva@example.com"), ("plan", "pro"), ("topic", TOPIC), ("summary", SUMMARY)];
    let channel = platform.user_opens(&person, &facts);
    for (by_user, text) in HISTORY {
        if by_user {
            platform.user_says(&channel, text)
        } else {
            platform.ai_says(&channel, text)
        };
        screen.line(Side::Messenger, &format!("{}: {text}", if by_user { "Ana Silva" } else { "Helper (AI agent)" }));
    }
    platform.hand_off(&channel);
    within("the handoff", platform.settle()).await?;
    stage.freshworks.settled().await;
    let opened = stage.freshworks.journal().len();
    let conversation = stage.freshworks.conversations().pop().context("there is no conversation")?;
    screen.line(Side::Bridge, &format!("opens {} with {opened} requests to Freshworks", conversation.id));
    for text in texts(&conversation).iter().flat_map(|text| text.lines()) {
        screen.plain(&format!("               | {text}"));
    }

    screen.title(3, "A human agent helps");
    let maya = stage.freshworks.agent_id("Maya Chen").context("no such agent")?;
    stage.freshworks.assign(&conversation.id, &maya, Assignee::Agent(&maya)).await?;
    stage.freshworks.reply(&conversation.id, &maya, ANSWER).await?;
    stage.freshworks.note(&conversation.id, &maya, NOTE).await?;
    screen.line(Side::Inbox, &format!("Maya Chen takes it, writes: {ANSWER}"));
    screen.line(Side::Inbox, "Maya Chen writes a private note");
    let seen = within("the answer", platform.wait_for(&channel, |seen| has(seen, ANSWER))).await?;
    for seen in seen.iter().skip(HISTORY.len()) {
        let name = if seen.kind == Kind::System { "--".to_owned() } else { seen.name.clone() };
        screen.line(Side::Messenger, &format!("{name}: {}", seen.text));
    }

    screen.title(4, "The user answers, while an instance of the bridge is killed");
    platform.user_says(&channel, THANKS);
    platform.user_sends_file(&channel, FILE, "application/pdf", b"%PDF-1.7");
    platform.user_says(&channel, LATE);
    stage.kill(0).await?;
    screen.line(Side::Messenger, &format!("Ana Silva: {THANKS} [{FILE}] {LATE}"));
    screen.line(Side::Bridge, "an instance is killed midway; the next one looks before it writes");
    within("the platform's repeats", platform.settle()).await?;
    let now = stage.freshworks.conversation(&conversation.id).context("the conversation is gone")?;
    for text in texts(&now).iter().skip(conversation.messages.len()) {
        screen.line(Side::Inbox, text);
    }

    screen.title(5, "It is resolved, and the AI agent has it back");
    stage.freshworks.resolve(&conversation.id, &maya).await?;
    screen.line(Side::Inbox, "Maya Chen resolves");
    let gone = "The support team has left the conversation. The AI agent answers again.";
    let seen = within("the return", platform.wait_for(&channel, |seen| has(seen, gone))).await?;
    stage.freshworks.settled().await;
    let told = async {
        // The line comes first, the context after it.
        while platform.context(&channel)["context"]["handoff_outcome"].is_null() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the outcome", told).await?;
    let context = platform.context(&channel)["context"].clone();
    screen.line(Side::Messenger, &format!("-- {gone}"));
    screen.line(Side::Platform, &format!("the AI agent's context: {context}"));
    platform.user_says(&channel, "¿Y cuándo llega?");
    platform.settle().await;

    screen.title(6, "What must hold");
    let after = stage.freshworks.conversation(&conversation.id).context("the conversation is gone")?;
    let inbox = texts(&after);
    let in_inbox = |words: &str| inbox.iter().filter(|text| text.contains(words)).count();
    let answer = seen.iter().filter(|seen| seen.text == ANSWER).collect::<Vec<_>>();
    // The brief says some of it again.
    let is_read = |words: &str| inbox.iter().any(|text| text.matches(words).count() == 1);
    let brief = texts(&conversation).pop().unwrap_or_default();
    screen.claim(
        "the inbox opened at the brief, with the AI agent's summary, and its list showed the issue",
        brief.starts_with("Late parcel: 4711-ES has not moved since Lisbon, 18 November\n") && brief.contains(SUMMARY),
    );
    screen.claim("the human agent read all six messages", HISTORY.iter().all(|(_, text)| is_read(text)));
    screen.claim(
        "the user saw the answer once, with the human agent's name and photo",
        matches!(answer[..], [one] if one.name == "Maya Chen" && !one.photo.is_empty()),
    );
    screen.claim(
        "the user never saw the private note",
        !platform.seen_by_user(&channel).iter().any(|seen| seen.text.contains("INTERNAL")),
    );
    screen.claim(
        "both messages and the file reached the human agent once, although an instance crashed",
        [THANKS, LATE, FILE].iter().all(|words| in_inbox(words) == 1),
    );
    screen.claim("one conversation was opened", stage.freshworks.conversations().len() == 1);
    screen.claim(
        "the AI agent's context says how it ended, and keeps its other values",
        context["handoff_outcome"] == "resolved" && context["plan"] == "pro",
    );
    screen.claim("the human agent has left the channel", platform.members(&channel).len() == 2);
    screen.claim("later messages go to the AI agent", in_inbox("cuándo llega") == 0);
    screen.claim(
        "private notes are in the inbox",
        after.messages.iter().any(|message| message.message_type == MessageType::Private),
    );
    let secrets = [stage.freshworks.api_key(), platform.config().api_token.clone(), THANKS.to_owned()];
    let log = stage.log();
    screen.claim(
        "the bridge's log has no secret and no message text",
        !secrets.iter().any(|secret| log.contains(secret)),
    );
    Ok(screen.verdict())
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.with_context(|| format!("timed out waiting for {what}"))
}

fn has(seen: &[Seen], words: &str) -> bool {
    seen.iter().any(|seen| seen.text == words)
}

fn texts(conversation: &Conversation) -> Vec<String> {
    let words = |part: &Value| part["text"]["content"].as_str().or(part["file"]["name"].as_str()).map(str::to_owned);
    let text = |parts: &[Value]| parts.iter().filter_map(words).collect::<Vec<_>>().join("\n");
    conversation.messages.iter().map(|message| text(&message.parts)).collect()
}
