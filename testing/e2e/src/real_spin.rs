//! The bridge on a real Spin, if installed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use spin_emulator::Options;
use tokio::net::TcpStream;

/// `spin up`. Ends with its value.
#[derive(Debug)]
pub(crate) struct RealSpin {
    child: Child,
    origin: String,
    folder: PathBuf,
}

impl RealSpin {
    /// `spin` on the PATH; Debian has another program of that name, which knows no `up`.
    pub(crate) fn program() -> Option<PathBuf> {
        let folders = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&folders).map(|folder| folder.join("spin")).find(|file| file.is_file())?;
        let help = Command::new(&found).args(["up", "--help"]).output().ok()?;
        String::from_utf8_lossy(&help.stdout).contains("--listen").then_some(found)
    }

    /// Starts the component with the project's own manifest, allowed to reach this machine as well.
    pub(crate) async fn start(program: &Path, component: &Path, options: &Options) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("e2e-spin-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let manifest = include_str!("../../../spin/spin.toml");
        let component = std::path::absolute(component)?;
        let source = "../target/wasm32-wasip2/bridge/freshworks_bridge.wasm";
        let hosts = "allowed_outbound_hosts = [";
        for text in [source, hosts] {
            if manifest.matches(text).count() != 1 {
                bail!("spin.toml has changed: it no longer says {text}");
            }
        }
        let manifest = manifest.replace(source, &component.display().to_string());
        let manifest = manifest.replace(hosts, "allowed_outbound_hosts = [\"http://127.0.0.1:*\", ");
        std::fs::write(folder.join("spin.toml"), manifest)?;
        let mut up = Command::new(program);
        up.arg("up").arg("--from").arg(folder.join("spin.toml")).args(["--listen", &format!("127.0.0.1:{port}")]);
        up.arg("--state-dir").arg(folder.join("state")).current_dir(&folder);
        for (name, value) in &options.variables {
            up.args(["--variable", &format!("{name}={value}")]);
        }
        let log = std::fs::File::create(folder.join("log"))?;
        let child = up.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut spin = Self { child, origin: format!("http://127.0.0.1:{port}"), folder };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if spin.child.try_wait()?.is_some() || started.elapsed() > Duration::from_secs(60) {
                return Err(anyhow::anyhow!("{}", spin.log())).context("spin does not start");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(spin)
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for RealSpin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
