//! `fermyon:spin/key-value`, as a table of the app's database.

use rusqlite::{Connection, OptionalExtension as _};
use wasmtime::component::Resource;

use crate::bindings::key_value::{Error, Host, HostStore};
use crate::sqlite::Lazy;
use crate::state::State;

/// Has a name that no app would choose.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS emulator_key_value (key TEXT PRIMARY KEY, value BLOB NOT NULL)";

/// The component's handle.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Store(Lazy);

impl State {
    async fn with_store<T: Send + 'static>(
        &mut self,
        store: &Resource<Store>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> wasmtime::Result<Result<T, Error>> {
        let connection = self.table.get(store)?.0.clone();
        let work = move |connection: &Connection| {
            connection.execute(TABLE, [])?;
            work(connection)
        };
        Ok(self.app.database.run(&connection, work).await.map_err(Error::Other))
    }
}

impl Host for State {}

impl HostStore for State {
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        if label != "default" {
            return Ok(Err(Error::AccessDenied));
        }
        Ok(Ok(self.table.push(Store(Lazy::default()))?))
    }

    async fn get(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let select = "SELECT value FROM emulator_key_value WHERE key = ?1";
        self.with_store(&store, move |found| found.query_row(select, [key], |row| row.get(0)).optional()).await
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let replace = "INSERT OR REPLACE INTO emulator_key_value VALUES (?1, ?2)";
        self.with_store(&store, move |connection| connection.execute(replace, (key, value)).map(drop)).await
    }

    async fn delete(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<(), Error>> {
        let delete = "DELETE FROM emulator_key_value WHERE key = ?1";
        self.with_store(&store, move |connection| connection.execute(delete, [key]).map(drop)).await
    }

    async fn exists(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<bool, Error>> {
        let select = "SELECT EXISTS (SELECT 1 FROM emulator_key_value WHERE key = ?1)";
        self.with_store(&store, move |connection| connection.query_row(select, [key], |row| row.get(0))).await
    }

    async fn get_keys(&mut self, store: Resource<Store>) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let work = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT key FROM emulator_key_value")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        self.with_store(&store, work).await
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
