//! EDGE: the store in Spin's SQLite. Each function is one statement, or one whose order makes the rest harmless.

use freshworks_handoff::model::{ConversationKey, Timestamp};
use spin_sdk::sqlite::{Connection as Database, QueryResult, RowResult, Value};

use crate::state::{Connection, Handoff, LEASE_MS, Lease, State, StateError};

/// Made anew where they are missing, so that a new deployment needs no step of its own.
const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS connections (id TEXT PRIMARY KEY, settings TEXT NOT NULL, account TEXT, connected INTEGER NOT NULL, \
     checked_at INTEGER NOT NULL, callback_url TEXT NOT NULL, callback_secret TEXT NOT NULL, webhook_secret TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS handoffs (connection TEXT NOT NULL, id TEXT NOT NULL, application TEXT NOT NULL DEFAULT '', \
     channel TEXT NOT NULL DEFAULT '', conversation TEXT NOT NULL DEFAULT '', session BLOB, state TEXT NOT NULL DEFAULT 'requesting', \
     owner TEXT NOT NULL DEFAULT 'ai-agent', next_tick_at INTEGER, updated_at INTEGER NOT NULL, lease INTEGER NOT NULL, \
     leased_until INTEGER NOT NULL, in_use INTEGER NOT NULL, was_in_use INTEGER NOT NULL, PRIMARY KEY (connection, id))",
    "CREATE TABLE IF NOT EXISTS conversations (connection TEXT NOT NULL, conversation TEXT NOT NULL, handoff TEXT NOT NULL, \
     PRIMARY KEY (connection, conversation))",
    "CREATE INDEX IF NOT EXISTS handoffs_due ON handoffs (next_tick_at) WHERE next_tick_at IS NOT NULL",
];
const COLUMNS: &str =
    "connection, id, application, channel, conversation, session, state, owner, next_tick_at, updated_at";

/// The default database of the app.
pub(crate) struct SpinState {
    database: Database,
}

impl SpinState {
    pub(crate) fn open() -> Result<Self, StateError> {
        let state = Self { database: Database::open_default().map_err(failed)? };
        for table in TABLES {
            state.run(table, &[])?;
        }
        Ok(state)
    }

    fn run(&self, statement: &str, parameters: &[Value]) -> Result<QueryResult, StateError> {
        self.database.execute(statement, parameters).map_err(failed)
    }

    fn handoffs(&self, condition: &str, parameters: &[Value]) -> Result<Vec<Handoff>, StateError> {
        let found = self.run(&format!("SELECT {COLUMNS} FROM handoffs WHERE {condition}"), parameters)?;
        found.rows.iter().map(read_handoff).collect()
    }
}

fn failed(error: spin_sdk::sqlite::Error) -> StateError {
    StateError(error.to_string())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn column<'a, T: TryFrom<&'a Value>>(row: &'a RowResult, index: usize) -> Result<T, StateError> {
    row.get(index).ok_or_else(|| StateError(format!("column {index} is not what was stored")))
}

fn unsigned(row: &RowResult, index: usize) -> Result<u64, StateError> {
    column::<i64>(row, index).map(|number| u64::try_from(number).unwrap_or(0))
}

fn read_handoff(row: &RowResult) -> Result<Handoff, StateError> {
    let words = |index| column::<&str>(row, index).map(str::to_owned);
    Ok(Handoff {
        connection: words(0)?,
        id: words(1)?,
        key: ConversationKey { application: words(2)?, channel: words(3)?, conversation: words(4)? },
        session: row.get::<&[u8]>(5).map(<[u8]>::to_vec),
        state: words(6)?,
        owner: words(7)?,
        next_tick_at: row.get::<i64>(8).and_then(|at| u64::try_from(at).ok()),
        updated_at: unsigned(row, 9)?,
    })
}

impl State for SpinState {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        let statement = "SELECT id, settings, account, connected, checked_at, callback_url, callback_secret, webhook_secret \
                         FROM connections WHERE id = ?1";
        let found = self.run(statement, &[text(id)])?;
        let read = |row: &RowResult| {
            let words = |index| column::<&str>(row, index).map(str::to_owned);
            Ok(Connection {
                id: words(0)?,
                settings: words(1)?,
                account: row.get::<&str>(2).map(str::to_owned),
                connected: column::<bool>(row, 3)?,
                checked_at: unsigned(row, 4)?,
                callback_url: words(5)?,
                callback_secret: words(6)?,
                webhook_secret: words(7)?,
            })
        };
        found.rows.first().map(read).transpose()
    }

    fn save_connection(&self, connection: &Connection) -> Result<(), StateError> {
        let parameters = [
            text(&connection.id),
            text(&connection.settings),
            connection.account.as_deref().map_or(Value::Null, text),
            Value::Integer(connection.connected.into()),
            number(connection.checked_at),
            text(&connection.callback_url),
            text(&connection.callback_secret),
            text(&connection.webhook_secret),
        ];
        self.run("INSERT OR REPLACE INTO connections VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &parameters).map(drop)
    }

    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError> {
        let mut found = self.handoffs("connection = ?1 AND id = ?2", &[text(connection), text(id)])?;
        Ok(found.pop())
    }

    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        let condition = "connection = ?1 AND owner = 'human-agent' ORDER BY updated_at DESC LIMIT ?2";
        self.handoffs(condition, &[text(connection), number(limit.into())])
    }

    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError> {
        for conversation in conversations {
            let statement = "SELECT handoff FROM conversations WHERE connection = ?1 AND conversation = ?2";
            let found = self.run(statement, &[text(connection), text(conversation)])?;
            if let Some(row) = found.rows.first() {
                return column::<&str>(row, 0).map(|id| Some(id.to_owned()));
            }
        }
        Ok(None)
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<(String, String)>, StateError> {
        let statement = "SELECT connection, id FROM handoffs WHERE next_tick_at <= ?1 ORDER BY next_tick_at LIMIT ?2";
        let found = self.run(statement, &[number(now), number(limit.into())])?;
        let read = |row: &RowResult| Ok((column::<&str>(row, 0)?.to_owned(), column::<&str>(row, 1)?.to_owned()));
        found.rows.iter().map(read).collect()
    }

    fn lease(&self, connection: &str, id: &str, now: Timestamp) -> Result<Option<Lease>, StateError> {
        // One statement: takes a new or a free one, or one whose time is up, and says which.
        let statement = format!(
            "INSERT INTO handoffs (connection, id, updated_at, lease, leased_until, in_use, was_in_use) VALUES (?1, ?2, ?3, 1, ?4, 1, 0) \
             ON CONFLICT (connection, id) DO UPDATE SET lease = lease + 1, leased_until = ?4, was_in_use = in_use, in_use = 1 \
             WHERE in_use = 0 OR leased_until <= ?3 RETURNING {COLUMNS}, lease, was_in_use"
        );
        let parameters = [text(connection), text(id), number(now), number(now.saturating_add(LEASE_MS))];
        let taken = self.run(&statement, &parameters)?;
        let read = |row: &RowResult| {
            let number = unsigned(row, 10)?;
            let handoff = read_handoff(row)?;
            let handoff = Some(handoff).filter(|handoff| handoff.session.is_some());
            Ok(Lease { handoff, number, unclean: column::<bool>(row, 11)? })
        };
        taken.rows.first().map(read).transpose()
    }

    fn save(&self, handoff: &Handoff, conversations: &[String], lease: u64) -> Result<bool, StateError> {
        // First, so that no webhook comes upon a handoff that cannot be found. It may name one that is not saved then: its
        // webhooks find the session before, which ignores what it does not know.
        for conversation in conversations {
            let parameters = [text(&handoff.connection), text(conversation), text(&handoff.id)];
            self.run("INSERT OR REPLACE INTO conversations VALUES (?1, ?2, ?3)", &parameters)?;
        }
        let statement = "UPDATE handoffs SET application = ?3, channel = ?4, conversation = ?5, session = ?6, state = ?7, owner = ?8, \
                         next_tick_at = ?9, updated_at = ?10, in_use = 0 WHERE connection = ?1 AND id = ?2 AND lease = ?11 \
                         RETURNING lease";
        let parameters = [
            text(&handoff.connection),
            text(&handoff.id),
            text(&handoff.key.application),
            text(&handoff.key.channel),
            text(&handoff.key.conversation),
            handoff.session.clone().map_or(Value::Null, Value::Blob),
            text(&handoff.state),
            text(&handoff.owner),
            handoff.next_tick_at.map_or(Value::Null, number),
            number(handoff.updated_at),
            number(lease),
        ];
        Ok(!self.run(statement, &parameters)?.rows.is_empty())
    }

    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError> {
        let statement = "UPDATE handoffs SET in_use = 0 WHERE connection = ?1 AND id = ?2 AND lease = ?3";
        self.run(statement, &[text(connection), text(id), number(lease)]).map(drop)
    }

    fn forget(&self, before: Timestamp) -> Result<(), StateError> {
        let over = "owner = 'ai-agent' AND in_use = 0 AND next_tick_at IS NULL AND updated_at < ?1";
        let conversations = format!(
            "DELETE FROM conversations WHERE EXISTS (SELECT 1 FROM handoffs WHERE handoffs.connection = conversations.connection \
             AND handoffs.id = conversations.handoff AND {over})"
        );
        self.run(&conversations, &[number(before)])?;
        self.run(&format!("DELETE FROM handoffs WHERE {over}"), &[number(before)]).map(drop)
    }
}
