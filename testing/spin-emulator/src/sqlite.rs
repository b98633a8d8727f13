//! `fermyon:spin/sqlite`, and its database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use wasmtime::component::Resource;

use crate::bindings::sqlite::{Error, Host, HostConnection, QueryResult, RowResult, Value};
use crate::state::State;

/// Concurrent statements of one app. As many as requests: with fewer, statements waiting for a transaction could block its
/// own last statement.
const STATEMENTS: u32 = crate::component::REQUESTS;

/// A database. Clones are the same one.
#[derive(Clone)]
pub struct SqliteFile(Arc<Place>);

struct Place {
    name: PathBuf,
    flags: OpenFlags,
    /// Keeps a database in memory alive between connections.
    anchor: OnceLock<Mutex<Connection>>,
}

impl std::fmt::Debug for SqliteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SqliteFile").field(&self.0.name).finish()
    }
}

impl Default for SqliteFile {
    fn default() -> Self {
        Self::in_memory()
    }
}

impl SqliteFile {
    /// A new, empty database that lives until the last clone is dropped.
    pub fn in_memory() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // SQLite's own file system in memory: with the leading slash, all connections of the process see one file.
        let name = format!("file:/emulator-{}?vfs=memdb", COUNT.fetch_add(1, Ordering::Relaxed));
        Self::place(name.into(), OpenFlags::SQLITE_OPEN_URI)
    }

    /// The database in this file, which is made with its folder when an app starts on it.
    pub fn at(path: &Path) -> Self {
        Self::place(path.to_owned(), OpenFlags::empty())
    }

    fn place(name: PathBuf, flags: OpenFlags) -> Self {
        let flags =
            flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self(Arc::new(Place { name, flags, anchor: OnceLock::new() }))
    }

    /// The database's content, a line for each row: for tests that check that something is absent.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn dump(&self) -> anyhow::Result<String> {
        let connection = self.connect()?;
        let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let tables = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut lines = String::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                lines.push_str(&table);
                for column in 0..columns {
                    let value = match row.get_ref(column)? {
                        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                            String::from_utf8_lossy(bytes).into_owned()
                        }
                        other => format!("{other:?}"),
                    };
                    lines.push_str(" | ");
                    lines.push_str(&value);
                }
                lines.push('\n');
            }
        }
        Ok(lines)
    }

    /// Runs statements on the database, creating it if necessary: for tests that start from the data of an earlier version.
    ///
    /// # Errors
    ///
    /// When a statement fails; those before it have taken effect.
    pub fn run(&self, statements: &str) -> anyhow::Result<()> {
        self.prepare()?;
        Ok(self.connect()?.execute_batch(statements)?)
    }

    fn is_in_memory(&self) -> bool {
        self.0.flags.contains(OpenFlags::SQLITE_OPEN_URI)
    }

    /// As Spin does it, for each instance anew (`InProcConnection::create_connection` in its `sqlite-inproc`): the library's defaults.
    /// Those are a rollback journal, a wait for the disk at each step of a transaction (`synchronous` is FULL), and five seconds of
    /// patience with other connections.
    fn connect(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(&self.0.name, self.0.flags)
    }

    /// Creates the database if there is none.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        if !self.is_in_memory() {
            let Some(folder) = self.0.name.parent() else { return Ok(()) };
            return std::fs::create_dir_all(folder).with_context(|| format!("the folder {}", folder.display()));
        }
        if self.0.anchor.get().is_none() {
            let connection = self.connect().with_context(|| format!("the database {}", self.0.name.display()))?;
            // Another app may have been faster; then this connection is one too many, and closes.
            let _ = self.0.anchor.set(Mutex::new(connection));
        }
        Ok(())
    }
}

/// A connection that is made when it is first used.
pub(crate) type Lazy = Arc<Mutex<Option<Connection>>>;

/// One app's access to its database.
pub(crate) struct Database {
    file: SqliteFile,
    running: Arc<Semaphore>,
}

impl Database {
    pub(crate) fn new(file: SqliteFile) -> Self {
        Self { file, running: Arc::new(Semaphore::new(STATEMENTS as usize)) }
    }

    /// Runs `work` on a thread that may block. Dropping the future does not stop it: a statement is never interrupted.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        connection: &Lazy,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let permit = self.running.clone().acquire_owned().await.map_err(|_| "the app has been stopped")?;
        let (file, connection) = (self.file.clone(), connection.clone());
        let task = tokio::task::spawn_blocking(move || {
            let result = match &mut *connection.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(connection) => work(connection),
                empty => file.connect().and_then(|connection| work(empty.insert(connection))),
            };
            // If the instance has ended, this closes the connection and rolls back; only then is the statement finished.
            drop(connection);
            drop(permit);
            result
        });
        match task.await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Prevents further statements.
    pub(crate) fn close(&self) {
        self.running.close();
    }

    /// Waits for running statements.
    pub(crate) async fn finish(&self) {
        // A closed semaphore gives no permits; it only gets back those of finished statements.
        while self.running.available_permits() < STATEMENTS as usize {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.close();
    }
}

/// The component's handle.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct SqlConnection(Lazy);

impl Host for State {}

impl HostConnection for State {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<SqlConnection>, Error>> {
        if database != "default" {
            return Ok(Err(Error::AccessDenied));
        }
        Ok(Ok(self.table.push(SqlConnection(Lazy::default()))?))
    }

    async fn execute(
        &mut self,
        connection: Resource<SqlConnection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let connection = self.table.get(&connection)?.0.clone();
        let work = move |connection: &Connection| execute(connection, &statement, parameters);
        Ok(self.app.database.run(&connection, work).await.map_err(Error::Io))
    }

    async fn drop(&mut self, connection: Resource<SqlConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn execute(connection: &Connection, statement: &str, parameters: Vec<Value>) -> rusqlite::Result<QueryResult> {
    let mut statement = connection.prepare_cached(statement)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query(rusqlite::params_from_iter(parameters.into_iter().map(to_sql)))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values =
            (0..columns.len()).map(|index| row.get_ref(index).map(from_sql)).collect::<rusqlite::Result<_>>()?;
        rows.push(RowResult { values });
    }
    drop(found);
    Ok(QueryResult { columns, rows })
}

fn to_sql(value: Value) -> SqlValue {
    match value {
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Real(number) => SqlValue::Real(number),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
        Value::Null => SqlValue::Null,
    }
}

fn from_sql(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Null => Value::Null,
    }
}
