//! The bridge on a real Spin, where `cargo xtask test` finds one.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
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
    /// Where Spin is: `REAL_SPIN` says it, else the PATH.
    pub(crate) fn program() -> PathBuf {
        std::env::var_os("REAL_SPIN").unwrap_or_else(|| "spin".into()).into()
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
        // Spin 3.4 to 4.0 reach nothing at all where a host of the manifest is set to an empty text.
        for (name, value) in options.variables.iter().filter(|(_, value)| !value.is_empty()) {
            up.args(["--variable", &format!("{name}={value}")]);
        }
        let log = std::fs::File::create(folder.join("log"))?;
        // `spin up` starts `spin trigger http`, which would outlive it: both end together.
        up.process_group(0);
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
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = group.map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at the address through a child, as `spin up` does through `spin trigger http`.
    const SPIN: &str = "#!/bin/sh
while [ $# -gt 0 ]; do
    if [ \"$1\" = --listen ]; then address=$2; fi
    shift
done
python3 -m http.server --bind ${address%:*} ${address#*:} &
wait
";

    #[tokio::test]
    async fn nothing_of_spin_survives() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("spin");
        std::fs::write(&program, SPIN).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let spin = RealSpin::start(&program, Path::new("bridge.wasm"), &Options::default()).await.unwrap();
        let address = spin.origin().trim_start_matches("http://").to_owned();
        TcpStream::connect(&address).await.unwrap();
        drop(spin);
        // The kernel takes a moment to close the socket of a process that was killed.
        let dropped = Instant::now();
        while TcpStream::connect(&address).await.is_ok() {
            assert!(dropped.elapsed() < Duration::from_secs(10), "a child of spin has survived");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
