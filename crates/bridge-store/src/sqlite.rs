//! EDGE: the store in Spin's SQLite.
//!
//! Each function is one statement, and so one atomic step: what belongs to it in other tables, triggers do. A transaction would
//! need several calls on one connection, which not every SQLite behind Spin's interface offers. (`next_delivery` is two: that a
//! delivery is done stands in its handoff already, so nothing depends on both.)

use handoff_contract::model::Timestamp;
use spin_sdk::sqlite::{Connection as Database, Error, RowResult, Value};

use crate::open::{entries, from_json, logged, reseal, to_json};
use handoff_bridge::access::vault::Keys;
use handoff_bridge::metrics::counters::{Count, LOGGED_MS, Logged, trends_begin};
use handoff_bridge::state::{
    Connection, Due, DueHandoff, EachConnection, HANDOFF, Handoff, Lease, MAX_UNSURE, MAX_WAITING, MAX_WAITING_BYTES,
    MAX_WAITING_BYTES_OF_ALL, MAX_WAITING_OF_ALL, Record, Resealed, Rest, Saved, State, StateError, StoredDelivery,
};

/// In this order: see the last.
const LAYOUT: [&str; 35] = [
    // `connection` is JSON, sealed: see `vault`.
    "CREATE TABLE IF NOT EXISTS connections (id TEXT PRIMARY KEY, connection TEXT NOT NULL)",
    // `handoff` is JSON, NULL before the first save; the columns after it say what queries look for in it. `leased_until` is 0
    // when the lease was given back. `unsure` is a JSON array of words. `named` is a JSON array of the conversations of the
    // last save, for the trigger.
    "CREATE TABLE IF NOT EXISTS handoffs (
        connection TEXT NOT NULL,
        id TEXT NOT NULL,
        handoff TEXT,
        is_open INTEGER NOT NULL DEFAULT 0,
        is_over INTEGER NOT NULL DEFAULT 1,
        next_tick_at INTEGER,
        updated_at INTEGER NOT NULL,
        lease INTEGER NOT NULL,
        leased_until INTEGER NOT NULL,
        doing TEXT NOT NULL,
        unsure TEXT NOT NULL DEFAULT '[]',
        named TEXT NOT NULL DEFAULT '[]',
        PRIMARY KEY (connection, id)
    )",
    // `conversation` is a JSON string: see `text_keys`.
    "CREATE TABLE IF NOT EXISTS conversations (
        connection TEXT NOT NULL,
        conversation TEXT NOT NULL,
        handoff TEXT NOT NULL,
        PRIMARY KEY (connection, conversation)
    )",
    "CREATE INDEX IF NOT EXISTS conversations_of ON conversations (connection, handoff)",
    "CREATE INDEX IF NOT EXISTS handoffs_due ON handoffs (next_tick_at) WHERE next_tick_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS handoffs_open ON handoffs (connection, updated_at) WHERE is_open",
    // Few, and for seconds each: asked for by every webhook that is not known.
    "CREATE INDEX IF NOT EXISTS handoffs_begun ON handoffs (connection, doing) WHERE doing <> ''",
    "CREATE INDEX IF NOT EXISTS handoffs_over ON handoffs (updated_at) WHERE is_over",
    // A conversation that is known already is not written again.
    "CREATE TRIGGER IF NOT EXISTS handoff_saved AFTER UPDATE OF named ON handoffs
    BEGIN
        INSERT INTO conversations (connection, conversation, handoff)
        SELECT NEW.connection, value, NEW.id FROM json_each(NEW.named) WHERE true
        ON CONFLICT (connection, conversation) DO UPDATE SET handoff = excluded.handoff WHERE handoff <> excluded.handoff;
    END",
    "CREATE TRIGGER IF NOT EXISTS handoff_removed AFTER DELETE ON handoffs
    BEGIN
        DELETE FROM conversations WHERE connection = OLD.connection AND handoff = OLD.id;
    END",
    "CREATE TRIGGER IF NOT EXISTS connection_removed AFTER DELETE ON connections
    BEGIN
        DELETE FROM handoffs WHERE connection = OLD.id;
    END",
    // Before its table, which is missed then: a database may be older than both.
    "CREATE TRIGGER IF NOT EXISTS connection_removed_with_counts AFTER DELETE ON connections
    BEGIN
        DELETE FROM counts WHERE connection = OLD.id;
    END",
    "CREATE TABLE IF NOT EXISTS counts (
        connection TEXT NOT NULL,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        counted_at INTEGER NOT NULL,
        PRIMARY KEY (connection, name)
    ) WITHOUT ROWID",
    // As above.
    "CREATE TRIGGER IF NOT EXISTS handoff_removed_with_inbox AFTER DELETE ON handoffs
    BEGIN
        DELETE FROM inbox WHERE connection = OLD.connection AND handoff = OLD.id;
    END",
    // Deliveries that wait to be worked off. `delivery` is JSON; it stands last, so that sums over `bytes` read little.
    "CREATE TABLE IF NOT EXISTS inbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        connection TEXT NOT NULL,
        handoff TEXT NOT NULL,
        id TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        UNIQUE (connection, handoff, id)
    )",
    // Everything that storing a delivery asks for, so that no delivery is read for it.
    "CREATE INDEX IF NOT EXISTS inbox_order ON inbox (connection, handoff, number, bytes)",
    "CREATE INDEX IF NOT EXISTS inbox_due ON inbox (due_at)",
    "CREATE TRIGGER IF NOT EXISTS connection_removed_with_rest AFTER DELETE ON connections
    BEGIN
        DELETE FROM resting WHERE connection = OLD.id;
    END",
    "CREATE TABLE IF NOT EXISTS resting (
        connection TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS records (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS records_expire ON records (kind, expires_at, name)",
    // By the end user's id, as JSON: see `text_keys`. An index over what is stored anyway needs no column that an older version of the
    // app would leave empty.
    "CREATE INDEX IF NOT EXISTS handoffs_of_person ON handoffs (connection, handoff -> '$.platform.user')",
    "CREATE INDEX IF NOT EXISTS handoffs_over_of ON handoffs (connection, updated_at) WHERE is_over",
    // What was erased leaves its lease alone.
    "CREATE TRIGGER IF NOT EXISTS handoff_erased AFTER UPDATE OF handoff ON handoffs WHEN NEW.handoff IS NULL
    BEGIN
        DELETE FROM conversations WHERE connection = NEW.connection AND handoff = NEW.id;
        DELETE FROM inbox WHERE connection = NEW.connection AND handoff = NEW.id;
    END",
    "CREATE INDEX IF NOT EXISTS handoffs_ended ON handoffs (connection, updated_at)
        WHERE NOT is_open AND handoff IS NOT NULL",
    // As above.
    "CREATE TRIGGER IF NOT EXISTS connection_removed_with_log AFTER DELETE ON connections
    BEGIN
        DELETE FROM log WHERE connection = OLD.id;
    END",
    "CREATE TRIGGER IF NOT EXISTS handoff_removed_with_log AFTER DELETE ON handoffs
    BEGIN
        DELETE FROM log WHERE connection = OLD.connection AND handoff = OLD.id;
    END",
    "CREATE TRIGGER IF NOT EXISTS handoff_erased_with_log AFTER UPDATE OF handoff ON handoffs WHEN NEW.handoff IS NULL
    BEGIN
        DELETE FROM log WHERE connection = NEW.connection AND handoff = NEW.id;
    END",
    // Deliveries, and what became of them. `entry` is JSON without the handoff, which is empty where there is none.
    "CREATE TABLE IF NOT EXISTS log (
        connection TEXT NOT NULL,
        id TEXT NOT NULL,
        handoff TEXT NOT NULL,
        at INTEGER NOT NULL,
        is_bad INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (connection, id)
    ) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS log_order ON log (connection, is_bad, at)",
    "CREATE INDEX IF NOT EXISTS log_of ON log (connection, handoff)",
    // What is written into it goes into counts and log, as one step. Nothing is kept for a connection that has gone meanwhile.
    "CREATE VIEW IF NOT EXISTS tallied AS
        SELECT '' AS connection, '[]' AS amounts, '[]' AS entries, 0 AS at, 0 AS log_begins, '' AS hours_begin, '' AS days_begin",
    "CREATE TRIGGER IF NOT EXISTS tallied_kept INSTEAD OF INSERT ON tallied
    WHEN EXISTS (SELECT 1 FROM connections WHERE id = NEW.connection)
    BEGIN
        INSERT INTO counts (connection, name, value, counted_at)
        SELECT NEW.connection, json_extract(value, '$[0]'), json_extract(value, '$[1]'), NEW.at FROM json_each(NEW.amounts) WHERE true
        ON CONFLICT (connection, name) DO UPDATE SET value = value + excluded.value, counted_at = excluded.counted_at;
        DELETE FROM counts WHERE connection = NEW.connection
            AND (name BETWEEN 'hour|' AND NEW.hours_begin OR name BETWEEN 'day|' AND NEW.days_begin);
        INSERT INTO log (connection, id, handoff, at, is_bad, first_at, tries, entry)
        SELECT NEW.connection, one.value ->> '$[0]',
            COALESCE((SELECT known.id FROM handoffs AS known WHERE known.connection = NEW.connection
                AND known.id = one.value ->> '$[1]' AND known.handoff IS NOT NULL), ''),
            one.value ->> '$[2]', one.value ->> '$[3]', one.value ->> '$[2]', one.value ->> '$[5]', one.value ->> '$[6]'
        FROM json_each(NEW.entries) AS one WHERE one.value ->> '$[4]' = '0'
            OR NOT EXISTS (SELECT 1 FROM log AS known WHERE known.connection = NEW.connection AND known.id = one.value ->> '$[0]')
        ON CONFLICT (connection, id) DO UPDATE SET
            handoff = excluded.handoff, at = excluded.at, is_bad = excluded.is_bad, tries = tries + excluded.tries, entry = excluded.entry;
        DELETE FROM log WHERE NEW.entries <> '[]' AND connection = NEW.connection AND is_bad IN (0, 1) AND at < NEW.log_begins;
        DELETE FROM log WHERE NEW.entries <> '[]' AND connection = NEW.connection AND is_bad = 0 AND at < (
            SELECT at FROM log WHERE connection = NEW.connection AND is_bad = 0 ORDER BY at DESC LIMIT 1 OFFSET 499);
        DELETE FROM log WHERE NEW.entries <> '[]' AND connection = NEW.connection AND is_bad = 1 AND at < (
            SELECT at FROM log WHERE connection = NEW.connection AND is_bad = 1 ORDER BY at DESC LIMIT 1 OFFSET 499);
    END",
    // What stands in the record has had its effects.
    "CREATE TRIGGER IF NOT EXISTS handoff_saved_with_inbox AFTER UPDATE OF handoff ON handoffs WHEN NEW.handoff IS NOT NULL
    BEGIN
        DELETE FROM inbox WHERE connection = NEW.connection AND handoff = NEW.id
            AND id IN (SELECT value FROM json_each(NEW.handoff, '$.worked_off'));
    END",
    // Always empty. It is made last, and LEASE, with which every handoff begins, names it: no handoff gets into tables whose
    // triggers are not there, even when whoever made them was stopped half-way. A new number makes an older database get what
    // was added.
    "CREATE TABLE IF NOT EXISTS layout_4 (complete INTEGER)",
];

const HANDING_OVER: &str = "
    SELECT 1 FROM handoffs WHERE connection = ?1 AND doing <> '' AND doing = ?2 AND leased_until > ?3 LIMIT 1";

/// Lets readers go on while somebody writes, and a write end with one wait for the disk in place of three. Spin opens its databases
/// with a rollback journal (`InProcConnection` in its `sqlite-inproc` sets no mode). The file remembers it. Not every SQLite behind
/// Spin's interface knows it.
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL";

/// New, given back, or its time is up. In the last case (0 is "given back") what was begun under it becomes unsure, once for each
/// word, and the oldest word goes when there are too many.
const LEASE: &str = "
    INSERT INTO handoffs (connection, id, doing, updated_at, lease, leased_until)
    SELECT ?1, ?2, ?3, ?4, 1, ?5 WHERE NOT EXISTS (SELECT 1 FROM layout_4)
        AND (?7 = 0 OR EXISTS (SELECT 1 FROM handoffs WHERE connection = ?1 AND id = ?2 AND handoff IS NOT NULL))
    ON CONFLICT (connection, id) DO UPDATE SET
        lease = lease + 1,
        leased_until = ?5,
        doing = ?3,
        unsure = CASE
            WHEN leased_until = 0 OR doing = '' THEN unsure
            WHEN EXISTS (SELECT 1 FROM json_each(unsure) WHERE value = doing) THEN unsure
            WHEN json_array_length(unsure) < ?6 THEN json_insert(unsure, '$[#]', doing)
            ELSE json_insert(json_remove(unsure, '$[0]'), '$[#]', doing)
        END
    WHERE leased_until <= ?4
    RETURNING lease, unsure, handoff, (
        SELECT delivery FROM inbox WHERE number = (SELECT MIN(number) FROM inbox WHERE connection = ?1 AND handoff = ?2))";

const RENEW: &str = "
    UPDATE handoffs SET leased_until = ?4
    WHERE connection = ?1 AND id = ?2 AND lease = ?3 AND leased_until <> 0
    RETURNING lease";

/// The number alone decides: a lease whose time is up is good as long as nobody has taken it, and a save whose answer was lost
/// can be repeated.
const SAVE: &str = "
    UPDATE handoffs SET
        handoff = ?4, is_open = ?5, is_over = ?6, next_tick_at = ?7, updated_at = ?8, unsure = ?9, named = ?10,
        doing = '', leased_until = 0
    WHERE connection = ?1 AND id = ?2 AND lease = ?3
    RETURNING EXISTS (SELECT 1 FROM inbox WHERE connection = ?1 AND handoff = ?2
        AND id NOT IN (SELECT value FROM json_each(?4, '$.worked_off')))";

/// The row stays even if nothing was ever saved: a number that is used twice would let whoever was overtaken save.
const GIVE_BACK: &str = "
    UPDATE handoffs SET doing = '', leased_until = 0 WHERE connection = ?1 AND id = ?2 AND lease = ?3";

/// A lease that was never given back counts as one for as long as what is over is kept: what is unsure about it matters.
const FORGET: &str = "
    DELETE FROM handoffs WHERE is_over AND updated_at < ?1 AND leased_until < ?1
        AND connection NOT IN (SELECT value FROM json_each(?2))";

const FORGET_OF: &str = "
    DELETE FROM handoffs WHERE connection = ?1 AND is_over AND updated_at < ?2 AND leased_until < ?2";

/// As the index `handoffs_of_person` has it; without that, it looks at every handoff.
const OF_PERSON: &str = "
    SELECT handoff FROM handoffs WHERE connection = ?1 AND handoff -> '$.platform.user' = ?2 ORDER BY id";

/// Takes a lease, so the trigger is there. `named` goes too: it holds conversations.
const ERASE: &str = "
    UPDATE handoffs SET
        handoff = NULL, is_open = 0, is_over = 1, next_tick_at = NULL, updated_at = ?4, unsure = '[]', named = '[]',
        doing = '', leased_until = 0
    WHERE connection = ?1 AND id = ?2 AND lease = ?3
    RETURNING lease";

const HANDOFF_OF: &str = "
    SELECT handoff FROM json_each(?2) AS asked
    CROSS JOIN conversations ON connection = ?1 AND conversation = asked.value
    ORDER BY asked.key LIMIT 1";

const OPEN: &str = "
    SELECT handoff FROM handoffs WHERE connection = ?1 AND is_open ORDER BY updated_at DESC, id DESC LIMIT ?2";

/// Each connection's handoffs have turns; all first turns come before all second ones. The last column counts what is due whether or
/// not it is named: of a connection that rests, nothing is before its time, and then its first turn alone.
const DUE: &str = "
    WITH due AS (
        SELECT connection, id, MIN(at) AS at FROM (
            SELECT connection, id, next_tick_at AS at FROM handoffs WHERE next_tick_at <= ?1
            UNION ALL
            SELECT connection, handoff, due_at FROM inbox WHERE due_at <= ?1
        ) GROUP BY connection, id
    ), turns AS (
        SELECT connection, id, at,
            ROW_NUMBER() OVER (PARTITION BY connection ORDER BY at, id) AS turn, COUNT(*) OVER () AS everything
        FROM due
    )
    SELECT turns.connection, id, resting.since, everything,
        resting.since IS NULL OR (turn = 1 AND resting.until <= ?1) AS is_named
    FROM turns LEFT JOIN resting ON resting.connection = turns.connection
    ORDER BY is_named DESC, resting.since IS NOT NULL, turn, at, turns.connection LIMIT ?2";

const REST: &str = "
    INSERT INTO resting (connection, since, until)
    SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM connections WHERE id = ?1)
    ON CONFLICT (connection) DO UPDATE SET since = excluded.since, until = excluded.until";

/// Nothing waits for a handoff that has gone meanwhile. A delivery that waits already makes a row, too, so that an answer without
/// one says that there is no room.
const STORE_DELIVERY: &str = "
    INSERT INTO inbox (connection, handoff, id, bytes, due_at, delivery)
    SELECT ?1, ?2, ?3, ?4, COALESCE((SELECT MIN(due_at) FROM inbox WHERE connection = ?1 AND handoff = ?2), ?5), ?6
    WHERE EXISTS (SELECT 1 FROM handoffs WHERE connection = ?1 AND id = ?2)
        AND (SELECT COUNT(*) < ?7 AND COALESCE(SUM(bytes), 0) + ?4 <= ?8 FROM inbox WHERE connection = ?1 AND handoff = ?2)
        AND (SELECT COUNT(*) < ?9 AND COALESCE(SUM(bytes), 0) + ?4 <= ?10 FROM inbox WHERE connection = ?1)
    ON CONFLICT (connection, handoff, id) DO UPDATE SET id = excluded.id
    RETURNING number";

const NEXT_DELIVERY: &str = "
    SELECT delivery FROM inbox
    WHERE number = (SELECT MIN(number) FROM inbox WHERE connection = ?1 AND handoff = ?2)";

/// Numbers grow with the time of arrival, so one delivery is read.
const OLDEST_WAITING: &str = "
    SELECT delivery ->> '$.received_at' FROM inbox
    WHERE number = (SELECT MIN(number) FROM inbox WHERE connection = ?1)";

const ALL_CONNECTIONS: &str = "SELECT id, connection FROM connections ORDER BY id";

const SAVE_CONNECTION: &str = "
    INSERT INTO connections (id, connection) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET connection = excluded.connection";

const COUNT: &str = "
    INSERT INTO tallied (connection, amounts, entries, at, log_begins, hours_begin, days_begin)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const LOG: &str = "
    SELECT handoff, first_at, tries, entry FROM log
    WHERE connection = ?1 AND is_bad IN (1, ?2) AND at >= ?3 ORDER BY at DESC, id";

const ENDED: &str = "
    SELECT handoff FROM handoffs WHERE connection = ?1 AND NOT is_open AND handoff IS NOT NULL
    ORDER BY updated_at DESC, id DESC LIMIT ?2";

const PUT_RECORD: &str = "
    INSERT INTO records (kind, name, value, expires_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
    WHERE ?6 = 0 OR expires_at <= ?5
    RETURNING name";

const COUNT_UP: &str = "
    INSERT INTO records (kind, name, value, expires_at) VALUES (?1, ?2, '1', ?4)
    ON CONFLICT (kind, name) DO UPDATE SET
        value = CASE WHEN expires_at <= ?3 THEN '1' ELSE CAST(value AS INTEGER) + 1 END,
        expires_at = CASE WHEN expires_at <= ?3 THEN ?4 ELSE expires_at END
    RETURNING CAST(value AS INTEGER)";

const TRIM_RECORDS: &str = "
    DELETE FROM records WHERE kind = ?1 AND (expires_at <= ?2 OR name IN (
        SELECT name FROM records WHERE kind = ?1 ORDER BY expires_at DESC, name DESC LIMIT -1 OFFSET ?3
    ))";

/// The app's database with the label `default`. Its tables are made when they are first missed.
pub(crate) struct SqliteState {
    database: Database,
    keys: Keys,
}

impl SqliteState {
    pub(crate) fn open(keys: Keys) -> Result<Self, StateError> {
        Database::open_default().map(|database| Self { database, keys }).map_err(failed)
    }

    /// Runs one statement. Looking for the tables first would be a second one, every time.
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<RowResult>, StateError> {
        let run = || self.database.execute(statement, parameters).map(|result| result.rows);
        match run() {
            Err(Error::Io(words)) if words.contains("no such table") => {
                self.write_ahead();
                for part in LAYOUT {
                    self.database.execute(part, &[]).map_err(failed)?;
                }
                run().map_err(failed)
            }
            result => result.map_err(failed),
        }
    }

    /// Where it cannot be had, everything works without.
    fn write_ahead(&self) {
        let _ = self.database.execute(WRITE_AHEAD, &[]);
    }

    fn handoffs(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Handoff>, StateError> {
        let rows = self.run(statement, parameters)?;
        rows.iter().map(|row| from_json(words(row, 0)?)).collect()
    }

    /// Id, and what is stored, of each connection that a statement finds.
    fn sealed(&self, statement: &str, parameters: &[Value]) -> Result<Vec<(String, String)>, StateError> {
        let rows = self.run(statement, parameters)?;
        rows.iter().map(|row| Ok((words(row, 0)?.to_owned(), words(row, 1)?.to_owned()))).collect()
    }

    fn connections_from(&self, statement: &str, parameters: &[Value]) -> Result<EachConnection, StateError> {
        let open = |(id, stored): (String, String)| {
            let connection = self.keys.open(&id, &stored).and_then(|text| from_json(&text));
            (id, connection)
        };
        Ok(self.sealed(statement, parameters)?.into_iter().map(open).collect())
    }

    fn records_from(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Record>, StateError> {
        let read = |row: &RowResult| {
            let expires_at = row.get::<u64>(2).ok_or_else(|| StateError("SQLite: a record has no end".to_owned()))?;
            Ok(Record { name: words(row, 0)?.to_owned(), value: words(row, 1)?.to_owned(), expires_at })
        };
        self.run(statement, parameters)?.iter().map(read).collect()
    }
}

/// SQLite's words name tables and columns, never values.
fn failed(error: Error) -> StateError {
    StateError(match error {
        Error::Io(words) => format!("SQLite: {words}"),
        Error::NoSuchDatabase | Error::AccessDenied => {
            "SQLite: the component may not use the database `default` (sqlite_databases in spin.toml)".to_owned()
        }
        Error::InvalidConnection => "SQLite: the connection is lost".to_owned(),
        Error::DatabaseFull => "SQLite: the database is full".to_owned(),
    })
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn words(row: &RowResult, index: usize) -> Result<&str, StateError> {
    row.get(index).ok_or_else(|| StateError(format!("SQLite: column {index} is not what was stored")))
}

/// Conversations as JSON strings in a JSON array. A conversation may hold anything, and SQLite's functions for JSON end a text
/// at a NUL; in a JSON string there is none.
fn text_keys(conversations: &[String]) -> Result<Value, StateError> {
    let keys = conversations.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
    to_json(&keys).map(Value::Text)
}

impl State for SqliteState {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        let found = self.connections_from("SELECT id, connection FROM connections WHERE id = ?1", &[text(id)])?;
        found.into_iter().next().map(|(_, connection)| connection).transpose()
    }

    fn each_connection(&self) -> Result<EachConnection, StateError> {
        self.connections_from(ALL_CONNECTIONS, &[])
    }

    fn save_connection(&self, connection: &Connection) -> Result<(), StateError> {
        let sealed = self.keys.seal(&connection.id, to_json(connection)?)?;
        self.run(SAVE_CONNECTION, &[text(&connection.id), Value::Text(sealed)]).map(drop)
    }

    fn remove_connection(&self, id: &str) -> Result<(), StateError> {
        self.run("DELETE FROM connections WHERE id = ?1", &[text(id)])?;
        // The trigger has done this, except for what a request leased that had begun before.
        self.run("DELETE FROM handoffs WHERE connection = ?1", &[text(id)]).map(drop)
    }

    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError> {
        let statement = "SELECT handoff FROM handoffs WHERE connection = ?1 AND id = ?2 AND handoff IS NOT NULL";
        let found = self.handoffs(statement, &[text(connection), text(id)])?;
        Ok(found.into_iter().next())
    }

    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        self.handoffs(OPEN, &[text(connection), number(limit.into())])
    }

    fn ended_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        self.handoffs(ENDED, &[text(connection), number(limit.into())])
    }

    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError> {
        let rows = self.run(HANDOFF_OF, &[text(connection), text_keys(conversations)?])?;
        rows.first().map(|row| words(row, 0).map(str::to_owned)).transpose()
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Due, StateError> {
        // One row at least, for the sum.
        let rows = self.run(DUE, &[number(now), number(u64::from(limit).max(1))])?;
        let all = rows.first().and_then(|row| row.get::<u64>(3)).unwrap_or(0);
        let named = rows.iter().filter(|row| row.get::<u64>(4) == Some(1)).take(limit as usize);
        let read = |row: &RowResult| {
            let (connection, id) = (words(row, 0)?.to_owned(), words(row, 1)?.to_owned());
            Ok(DueHandoff { connection, id, resting_since: row.get::<u64>(2) })
        };
        Ok(Due { all, first: named.map(read).collect::<Result<_, StateError>>()? })
    }

    fn rest(&self, connection: &str, rest: Option<Rest>) -> Result<(), StateError> {
        match rest {
            Some(Rest { since, until }) => self.run(REST, &[text(connection), number(since), number(until)]),
            None => self.run("DELETE FROM resting WHERE connection = ?1", &[text(connection)]),
        }
        .map(drop)
    }

    fn store_delivery(
        &self,
        connection: &str,
        handoff: &str,
        delivery: &StoredDelivery,
        due_at: Timestamp,
    ) -> Result<bool, StateError> {
        let json = to_json(delivery)?;
        let parameters = [
            text(connection),
            text(handoff),
            text(&delivery.id),
            number(json.len() as u64),
            number(due_at),
            Value::Text(json),
            number(MAX_WAITING),
            number(MAX_WAITING_BYTES),
            number(MAX_WAITING_OF_ALL),
            number(MAX_WAITING_BYTES_OF_ALL),
        ];
        Ok(!self.run(STORE_DELIVERY, &parameters)?.is_empty())
    }

    fn next_delivery(
        &self,
        connection: &str,
        handoff: &str,
        done: Option<&str>,
    ) -> Result<Option<StoredDelivery>, StateError> {
        if let Some(done) = done {
            let statement = "DELETE FROM inbox WHERE connection = ?1 AND handoff = ?2 AND id = ?3";
            self.run(statement, &[text(connection), text(handoff), text(done)])?;
        }
        let rows = self.run(NEXT_DELIVERY, &[text(connection), text(handoff)])?;
        rows.first().map(|row| from_json(words(row, 0)?)).transpose()
    }

    fn put_off(&self, connection: &str, handoff: &str, until: Timestamp) -> Result<(), StateError> {
        let statement = "UPDATE inbox SET due_at = ?3 WHERE connection = ?1 AND handoff = ?2";
        self.run(statement, &[text(connection), text(handoff), number(until)]).map(drop)
    }

    fn oldest_waiting(&self, connection: &str) -> Result<Option<Timestamp>, StateError> {
        let rows = self.run(OLDEST_WAITING, &[text(connection)])?;
        Ok(rows.first().and_then(|row| row.get::<u64>(0)))
    }

    fn waiting(&self, connection: &str) -> Result<u64, StateError> {
        let rows = self.run("SELECT COUNT(*) FROM inbox WHERE connection = ?1", &[text(connection)])?;
        Ok(rows.first().and_then(|row| row.get::<u64>(0)).unwrap_or(0))
    }

    fn is_handing_over(&self, connection: &str, now: Timestamp) -> Result<bool, StateError> {
        Ok(!self.run(HANDING_OVER, &[text(connection), text(HANDOFF), number(now)])?.is_empty())
    }

    fn lease(
        &self,
        connection: &str,
        id: &str,
        doing: &str,
        now: Timestamp,
        for_ms: u64,
        known: bool,
    ) -> Result<Option<Lease>, StateError> {
        let most = Value::Integer(i64::try_from(MAX_UNSURE).unwrap_or(i64::MAX));
        let (until, known) = (number(now.saturating_add(for_ms)), Value::Integer(known.into()));
        let rows = self.run(LEASE, &[text(connection), text(id), text(doing), number(now), until, most, known])?;
        let read = |row: &RowResult| {
            let number = row.get::<u64>(0).ok_or_else(|| StateError("SQLite: a lease has no number".to_owned()))?;
            let handoff = row.get::<&str>(2).map(from_json).transpose()?;
            let next = row.get::<&str>(3).map(from_json).transpose()?;
            Ok(Lease { handoff, number, unsure: from_json(words(row, 1)?)?, next })
        };
        rows.first().map(read).transpose()
    }

    fn renew(&self, connection: &str, id: &str, lease: u64, now: Timestamp, for_ms: u64) -> Result<bool, StateError> {
        let until = number(now.saturating_add(for_ms));
        let rows = self.run(RENEW, &[text(connection), text(id), number(lease), until])?;
        Ok(!rows.is_empty())
    }

    fn save(
        &self,
        handoff: &Handoff,
        conversations: &[String],
        unsure: &[String],
        lease: u64,
    ) -> Result<Saved, StateError> {
        let parameters = [
            text(&handoff.connection),
            text(&handoff.id),
            number(lease),
            Value::Text(to_json(handoff)?),
            Value::Integer(handoff.is_open().into()),
            Value::Integer(handoff.is_over().into()),
            handoff.next_tick_at.map_or(Value::Null, number),
            number(handoff.updated_at),
            Value::Text(to_json(&unsure)?),
            text_keys(conversations)?,
        ];
        let rows = self.run(SAVE, &parameters)?;
        let stored = |row: &RowResult| Saved::Stored { has_waiting: row.get::<u64>(0) != Some(0) };
        Ok(rows.first().map_or(Saved::Overtaken, stored))
    }

    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError> {
        self.run(GIVE_BACK, &[text(connection), text(id), number(lease)]).map(drop)
    }

    fn forget(&self, before: Timestamp, own: &[(String, Timestamp)]) -> Result<(), StateError> {
        // Others may have read when the tables were made; then it could not be changed.
        self.write_ahead();
        let others: Vec<&str> = own.iter().map(|(connection, _)| connection.as_str()).collect();
        self.run(FORGET, &[number(before), Value::Text(to_json(&others)?)])?;
        own.iter()
            .try_for_each(|(connection, before)| self.run(FORGET_OF, &[text(connection), number(*before)]).map(drop))
    }

    fn handoffs_of_person(&self, connection: &str, person: &str) -> Result<Vec<Handoff>, StateError> {
        self.handoffs(OF_PERSON, &[text(connection), Value::Text(to_json(&person)?)])
    }

    fn conversations_of(&self, connection: &str, handoff: &str) -> Result<Vec<String>, StateError> {
        let statement =
            "SELECT conversation FROM conversations WHERE connection = ?1 AND handoff = ?2 ORDER BY conversation";
        let rows = self.run(statement, &[text(connection), text(handoff)])?;
        rows.iter().map(|row| from_json(words(row, 0)?)).collect()
    }

    fn deliveries(&self, connection: &str, handoff: &str) -> Result<Vec<StoredDelivery>, StateError> {
        let statement = "SELECT delivery FROM inbox WHERE connection = ?1 AND handoff = ?2 ORDER BY number";
        let rows = self.run(statement, &[text(connection), text(handoff)])?;
        rows.iter().map(|row| from_json(words(row, 0)?)).collect()
    }

    fn erase(&self, connection: &str, id: &str, lease: u64, now: Timestamp) -> Result<bool, StateError> {
        Ok(!self.run(ERASE, &[text(connection), text(id), number(lease), number(now)])?.is_empty())
    }

    fn count(
        &self,
        connection: &str,
        amounts: &[(String, u64)],
        log: &[Logged],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let [hours_begin, days_begin] = trends_begin(now).map(Value::Text);
        let parameters = [
            text(connection),
            Value::Text(to_json(&amounts)?),
            Value::Text(to_json(&entries(log))?),
            number(now),
            number(now.saturating_sub(LOGGED_MS)),
            hours_begin,
            days_begin,
        ];
        self.run(COUNT, &parameters).map(drop)
    }

    fn log(&self, connection: &str, since: Timestamp, only_bad: bool) -> Result<Vec<Logged>, StateError> {
        let rows = self.run(LOG, &[text(connection), number(only_bad.into()), number(since)])?;
        let read = |row: &RowResult| {
            let (handoff, whole) = (words(row, 0)?, |index| row.get::<u64>(index).unwrap_or(0));
            logged(handoff, whole(1), whole(2), words(row, 3)?)
        };
        rows.iter().map(read).collect()
    }

    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError> {
        let statement = "SELECT name, value, counted_at FROM counts WHERE connection = ?1 ORDER BY name";
        let rows = self.run(statement, &[text(connection)])?;
        let whole = |row: &RowResult, index| {
            row.get::<u64>(index).ok_or_else(|| StateError("SQLite: a count is no number".to_owned()))
        };
        rows.iter()
            .map(|row| Ok(Count { name: words(row, 0)?.to_owned(), value: whole(row, 1)?, at: whole(row, 2)? }))
            .collect()
    }

    fn reseal(&self) -> Result<Resealed, StateError> {
        let statement = "UPDATE connections SET connection = ?3 WHERE id = ?1 AND connection = ?2 RETURNING id";
        let replace = |id: &str, before: &str, after: &str| {
            Ok(!self.run(statement, &[text(id), text(before), text(after)])?.is_empty())
        };
        reseal(&self.keys, self.sealed(ALL_CONNECTIONS, &[])?, replace)
    }

    fn put_record(&self, kind: &str, record: &Record, now: Timestamp, only_new: bool) -> Result<bool, StateError> {
        let Record { name, value, expires_at } = record;
        let only_new = Value::Integer(only_new.into());
        let parameters = [text(kind), text(name), text(value), number(*expires_at), number(now), only_new];
        Ok(!self.run(PUT_RECORD, &parameters)?.is_empty())
    }

    fn record(&self, kind: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StateError> {
        let statement = "SELECT name, value, expires_at FROM records WHERE kind = ?1 AND name = ?2 AND expires_at > ?3";
        Ok(self.records_from(statement, &[text(kind), text(name), number(now)])?.pop())
    }

    fn records(&self, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Record>, StateError> {
        let statement = "
            SELECT name, value, expires_at FROM records WHERE kind = ?1 AND expires_at > ?2 ORDER BY name DESC LIMIT ?3";
        self.records_from(statement, &[text(kind), number(now), number(limit.into())])
    }

    fn remove_record(&self, kind: &str, name: &str) -> Result<bool, StateError> {
        let statement = "DELETE FROM records WHERE kind = ?1 AND name = ?2 RETURNING name";
        Ok(!self.run(statement, &[text(kind), text(name)])?.is_empty())
    }

    fn count_up(&self, kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> Result<u64, StateError> {
        let rows = self.run(COUNT_UP, &[text(kind), text(name), number(now), number(expires_at)])?;
        let sum = rows.first().and_then(|row| row.get::<u64>(0));
        sum.ok_or_else(|| StateError("SQLite: a count is no number".to_owned()))
    }

    fn trim_records(&self, kind: &str, now: Timestamp, most: u32) -> Result<(), StateError> {
        self.run(TRIM_RECORDS, &[text(kind), number(now), number(most.into())]).map(drop)
    }
}
