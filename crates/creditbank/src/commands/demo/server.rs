//! The real server, as a process of its own.

use super::failed;
use crate::ending::CommandError;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server; killed if it is dropped without being stopped.
pub(in super::super) struct Server {
    child: Child,
    /// Where it listens.
    pub(in super::super) url: String,
}

fn unstarted<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("服务器未能启动", "the server did not start")(cause)
}

fn unstopped<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("服务器未能正常停止", "the server did not stop well")(cause)
}

impl Server {
    /// Starts this program's `serve` on a free port and waits until it listens.
    pub(in super::super) fn start(home: &Path) -> Result<Self, CommandError> {
        let program = std::env::current_exe().map_err(unstarted)?;
        let mut child = Command::new(program)
            .arg("--home")
            .arg(home)
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(unstarted)?;
        let told = child.stdout.take();
        let mut server = Self { child, url: String::new() };
        for line in told.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            if let Some(url) = line.map_err(unstarted)?.strip_prefix("listening on ") {
                url.clone_into(&mut server.url);
                return Ok(server);
            }
        }
        Err(unstarted(anyhow::anyhow!("it ended before it listened")))
    }

    /// Kills it at once, as a power cut would the process.
    pub(in super::super) fn kill(mut self) {
        self.kill_running();
    }

    /// The same for a server whose place is kept for the next.
    pub(in super::super) fn kill_running(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The most memory it has held, in KiB, where the system tells.
    pub(in super::super) fn peak_kib(&self) -> Option<u64> {
        self.kib("VmHWM:")
    }

    /// The memory that it holds, in KiB, where the system tells.
    pub(in super::super) fn rss_kib(&self) -> Option<u64> {
        self.kib("VmRSS:")
    }

    fn kib(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    }

    /// Asks it to stop and waits until it has.
    pub(in super::super) fn stop(mut self) -> Result<(), CommandError> {
        self.stop_running()
    }

    /// The same for a server whose place is kept for the next.
    pub(in super::super) fn stop_running(&mut self) -> Result<(), CommandError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(unstopped)?;
        }
        let status = self.child.wait().map_err(unstopped)?;
        if status.success() { Ok(()) } else { Err(unstopped(anyhow::anyhow!("it ended with {status}"))) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
