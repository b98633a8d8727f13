//! A real `redis-server`, for as long as a test needs it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server with nothing in it. Ends with its value.
pub(crate) struct Redis {
    child: Child,
    pub(crate) port: u16,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        // Below the ports that systems hand out: nobody is given this one while the server is away. Far apart for test
        // programs that run beside this one.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let first = 20_000 + u16::try_from(std::process::id() % 500).unwrap() * 20;
        for _ in 0..20 {
            if let Some(server) = Self::try_start_on(first + NEXT.fetch_add(1, Ordering::Relaxed)).await {
                return server;
            }
        }
        panic!("no free port for redis-server");
    }

    pub(crate) async fn start_on(port: u16) -> Self {
        Self::try_start_on(port).await.expect("the port has been taken")
    }

    /// `None` when the server ends at once: the port is taken.
    async fn try_start_on(port: u16) -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&folders).chain(["/usr/bin".into(), "/usr/local/bin".into()]);
        let program = found.map(|folder| folder.join("redis-server")).find(|file| Path::is_file(file));
        let program = program.expect("redis-server is not installed: run `cargo xtask test`");
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, port };
        let started = Instant::now();
        while !server.answers().await {
            if server.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some(server)
    }

    /// Whether it is this server that answers, and not another one on its port.
    async fn answers(&self) -> bool {
        let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await else { return false };
        let mut answer = Vec::new();
        let asked = stream.write_all(b"INFO server\r\nQUIT\r\n").await.is_ok();
        asked
            && stream.read_to_end(&mut answer).await.is_ok()
            && String::from_utf8_lossy(&answer).contains(&format!("\r\nprocess_id:{}\r\n", self.child.id()))
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
