//! The database as a file.

use std::path::Path;

use serde_json::json;
use spin_emulator::{Options, SqliteFile};

use crate::store::{StateApp, now, open};

async fn app(path: &Path) -> StateApp {
    StateApp::start(Options { sqlite: SqliteFile::at(path), ..Options::default() }).await
}

/// The file's own word for it: 1 is a rollback journal, 2 a write-ahead log (SQLite's file format, section 1.3.3).
fn has_write_ahead_log(path: &Path) -> bool {
    let head = std::fs::read(path).unwrap();
    head[18] == 2 && head[19] == 2
}

#[tokio::test]
async fn a_new_database_keeps_a_write_ahead_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = app(&path).await;
    app.put(&open("c", "h", 1), &[]).await;
    assert!(has_write_ahead_log(&path));
}

#[tokio::test]
async fn a_database_of_an_earlier_version_gets_a_write_ahead_log_from_the_timer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = app(&path).await;
    app.put(&open("c", "h", 1), &[]).await;
    SqliteFile::at(&path).run("PRAGMA journal_mode = DELETE").unwrap();
    assert!(!has_write_ahead_log(&path));
    app.ask("forget", json!([now()])).await;
    assert!(has_write_ahead_log(&path));
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await["id"], "h");
}
