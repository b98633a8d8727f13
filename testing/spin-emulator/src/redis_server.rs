//! A real Redis server, for tests and demonstrations.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// A server that is empty at first. It ends with its value.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    speaks_tls: bool,
    /// The folder of its data and its socket.
    folder: PathBuf,
}

impl RedisServer {
    /// Starts one on a free port of this machine. Every write is in a file before it is acknowledged, so that the server can stop
    /// and restart.
    ///
    /// # Errors
    ///
    /// When `redis-server` is not installed, or no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_on_free_port(None).await
    }

    /// The same with TLS, and nothing but TLS, on its port. `certificate` and `key` are PEM text.
    ///
    /// # Errors
    ///
    /// As [`start`](RedisServer::start), and when the server cannot use the certificate.
    pub async fn start_with_tls(certificate: &str, key: &str) -> anyhow::Result<Self> {
        Self::start_on_free_port(Some((certificate, key))).await
    }

    async fn start_on_free_port(tls: Option<(&str, &str)>) -> anyhow::Result<Self> {
        // Below the ephemeral ports, so the port stays free while the server is down. Far apart for concurrent test
        // programs.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let first = 10_000 + u16::try_from(std::process::id() % 500)? * 40;
        for _ in 0..40 {
            let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 40;
            let folder = std::env::temp_dir().join(format!("redis-server-{}-{port}", std::process::id()));
            std::fs::create_dir_all(&folder)?;
            if let Some((certificate, key)) = tls {
                std::fs::write(folder.join(CERTIFICATE), certificate)?;
                std::fs::write(folder.join(KEY), key)?;
            }
            if let Some(child) = try_start(port, tls.is_some(), &folder).await? {
                return Ok(Self { child, port, speaks_tls: tls.is_some(), folder });
            }
        }
        bail!("no free port for redis-server")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://host:port`, or `rediss://` with TLS.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.speaks_tls { "rediss" } else { "redis" }, self.port)
    }

    /// Runs a command: for tests that start from the data of an earlier version.
    ///
    /// # Errors
    ///
    /// When the server refuses it.
    pub async fn run(&self, command: &[String]) -> anyhow::Result<()> {
        let mut on = redis::Client::open(self.url())?.get_multiplexed_async_connection().await?;
        let (name, arguments) = command.split_first().context("no command")?;
        Ok(redis::cmd(name).arg(arguments).query_async(&mut on).await?)
    }

    /// All its data, a line for each key: for tests that check that something is absent.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn dump(&self) -> anyhow::Result<String> {
        let socket = format!("redis+unix://{}", self.folder.join(SOCKET).display());
        let mut on = redis::Client::open(socket)?.get_multiplexed_async_connection().await?;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut on).await?;
        let mut lines = String::new();
        for key in keys {
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut on).await?;
            let (command, range): (&str, &[&str]) = match kind.as_str() {
                "hash" => ("HGETALL", &[]),
                "set" => ("SMEMBERS", &[]),
                "zset" => ("ZRANGE", &["0", "-1"]),
                "list" => ("LRANGE", &["0", "-1"]),
                _ => ("GET", &[]),
            };
            let held: redis::Value = redis::cmd(command).arg(&key).arg(range).query_async(&mut on).await?;
            let mut texts = Vec::new();
            texts_of(&held, &mut texts);
            lines.push_str(&format!("{key} | {}\n", texts.join(" | ")));
        }
        Ok(lines)
    }

    /// Kills it.
    ///
    /// # Errors
    ///
    /// When it cannot be killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop).context("redis-server does not end")
    }

    /// Restarts it, with its data.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = try_start(self.port, self.speaks_tls, &self.folder).await?.context("the port has been taken")?;
        Ok(())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Files in the folder of a server.
const SOCKET: &str = "redis.sock";
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// `None` when the server ends at once: the port is taken.
async fn try_start(port: u16, speaks_tls: bool, folder: &Path) -> anyhow::Result<Option<Child>> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&folders).chain(["/usr/bin".into(), "/usr/local/bin".into()]);
    let program = found.find_map(|folder| Some(folder.join("redis-server")).filter(|file| file.is_file()));
    let mut child = Command::new(program.context("redis-server is not installed: run `cargo xtask test`")?)
        .args(["--bind", "127.0.0.1", "--save", "", "--unixsocket", SOCKET])
        .args(match speaks_tls {
            false => vec!["--port".to_owned(), port.to_string()],
            true => {
                let tls = format!("--port 0 --tls-port {port} --tls-auth-clients no --tls-cert-file {CERTIFICATE} --tls-key-file {KEY}");
                tls.split(' ').map(str::to_owned).collect()
            }
        })
        // Every write is in the file before it is acknowledged.
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    while !answers(&folder.join(SOCKET), child.id()).await {
        if child.try_wait()?.is_some() {
            return Ok(None);
        }
        if started.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            bail!("redis-server does not answer");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Some(child))
}

/// Whether this server (not an earlier one) responds and has loaded its data. It listens on its port, with or without TLS,
/// before it responds here.
async fn answers(socket: &Path, process: u32) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket).await else { return false };
    let mut answer = Vec::new();
    let asked = stream.write_all(b"INFO\r\nQUIT\r\n").await.is_ok();
    asked
        && stream.read_to_end(&mut answer).await.is_ok()
        && [&format!("\r\nprocess_id:{process}\r\n"), "\r\nloading:0\r\n"]
            .iter()
            .all(|line| String::from_utf8_lossy(&answer).contains(*line))
}

fn texts_of(value: &redis::Value, texts: &mut Vec<String>) {
    match value {
        redis::Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(bytes).into_owned()),
        redis::Value::Array(values) | redis::Value::Set(values) => {
            values.iter().for_each(|value| texts_of(value, texts));
        }
        other => texts.push(format!("{other:?}")),
    }
}
