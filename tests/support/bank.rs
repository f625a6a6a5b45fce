//! A ledger of its own in a temporary folder, run by the real binary.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// The longest that a start, a stop or a command may take, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// A ledger and, while it runs, its server.
pub(crate) struct Bank {
    folder: TempDir,
    settings: Vec<(String, String)>,
    running: Mutex<Option<Running>>,
}

/// A server that runs.
struct Running {
    child: Child,
    endpoint: String,
    metrics: Option<String>,
    log: String,
    /// Ends the server when this process ends, however it ends; a ledger kept in a static is never dropped.
    guard: Child,
}

impl Bank {
    /// The binary.
    pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_creditbank");

    /// Makes a trial ledger; it does not run yet. `settings` are keys of the configuration.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("creditbank-").tempdir().expect("a temporary folder");
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let bank = Self { folder, settings, running: Mutex::new(None) };
        let made = bank.run(&["init", "--dev"]);
        assert!(made.status.success(), "init: {}", text(&made));
        bank
    }

    /// Makes a trial ledger and starts its server on a free port.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let bank = Self::new(settings);
        bank.serve();
        bank
    }

    /// The folder of the ledger and its keys.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder around the home, for files of a test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server listens, as `http://host:port`.
    pub(crate) fn endpoint(&self) -> String {
        self.running().as_ref().expect("the server runs").endpoint.clone()
    }

    /// Where metrics are served, if they are.
    pub(crate) fn metrics(&self) -> Option<String> {
        self.running().as_ref().expect("the server runs").metrics.clone()
    }

    /// Where the public log is served.
    pub(crate) fn public_log(&self) -> String {
        self.running().as_ref().expect("the server runs").log.clone()
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.running().as_ref().expect("the server runs").child.id()
    }

    /// Everything that the servers of this ledger have written to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read(self.log_file())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The binary with this ledger's home and nothing of the caller's own settings; speaks English.
    pub(crate) fn command(&self) -> Command {
        self.command_of(Self::BINARY)
    }

    /// Any program in the same surroundings: a tracer of the binary, or another build of it.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CREDITBANK_") {
                command.env_remove(name);
            }
        }
        command
            .env("CREDITBANK_HOME", self.home())
            .env("LC_ALL", "C")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Output {
        self.command().args(arguments).output().expect("the binary runs")
    }

    /// Runs a command that must succeed and returns what it wrote to standard output.
    pub(crate) fn must<S: AsRef<std::ffi::OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Starts the server and waits until it takes calls.
    pub(crate) fn serve(&self) {
        self.try_serve(&[]).unwrap_or_else(|output| panic!("the server did not start: {output}"));
    }

    /// Starts the server with more arguments; the error is how it ended, and what it wrote instead of its address.
    pub(crate) fn try_serve(&self, arguments: &[&str]) -> Result<(), String> {
        self.launch(self.command(), arguments)
    }

    /// Starts the server where it listened before.
    pub(crate) fn serve_at(&self, endpoint: &str) {
        let listen = endpoint.strip_prefix("http://").expect("an address");
        // By default the public log is on the port after that one, which may be anybody's by now.
        let started = self.begin(self.command(), listen, &["--set", "log_listen=127.0.0.1:0"]);
        started.unwrap_or_else(|output| panic!("the server did not start: {output}"));
    }

    /// The same by a program that ends up as the server's own process.
    pub(crate) fn launch(&self, command: Command, arguments: &[&str]) -> Result<(), String> {
        self.begin(command, "127.0.0.1:0", arguments)
    }

    fn begin(&self, mut command: Command, listen: &str, arguments: &[&str]) -> Result<(), String> {
        let mut running = self.running();
        assert!(running.is_none(), "the server runs already");
        let log: File =
            OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log file");
        command.args(["serve", "--dev", "--listen", listen]);
        for (key, value) in &self.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server's process starts");
        let guard = watchdog(child.id(), self.folder.path());
        let lines = lines_of(&mut child);
        let wants_metrics = self.settings.iter().any(|(key, _)| key == "metrics_listen");
        let (mut endpoint, mut metrics, mut public) = (None, None, None);
        // The public log is the last to be told of: a trial ledger always has one.
        while endpoint.is_none() || public.is_none() || (wants_metrics && metrics.is_none()) {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    endpoint = endpoint.or_else(|| line.strip_prefix("listening on ").map(str::to_owned));
                    metrics = metrics.or_else(|| line.strip_prefix("metrics on ").map(str::to_owned));
                    public = public.or_else(|| line.strip_prefix("log on ").map(str::to_owned));
                }
                Err(error) => {
                    if error == RecvTimeoutError::Timeout {
                        let _ = child.kill();
                    }
                    let ended = child.wait().expect("a child ends");
                    release(guard);
                    return Err(format!("{ended}\n{error}\n{}", self.log()));
                }
            }
        }
        *running =
            endpoint.zip(public).map(|(endpoint, log)| Running { child, endpoint, metrics, log, guard });
        Ok(())
    }

    /// Asks the server to stop; does not wait.
    pub(crate) fn ask_to_stop(&self) {
        signal("TERM", self.pid());
    }

    /// Waits for a server that was asked to stop.
    pub(crate) fn wait(&self) -> ExitStatus {
        self.wait_at_most(PATIENCE)
    }

    /// Waits so long for a server that was asked to stop.
    pub(crate) fn wait_at_most(&self, most: Duration) -> ExitStatus {
        let mut running = self.running().take().expect("the server runs");
        let ended =
            wait_within(most, "the server to end", || running.child.try_wait().expect("a child's status"));
        release(running.guard);
        ended
    }

    /// Stops the server as an operator does, and waits for it.
    pub(crate) fn stop(&self) -> ExitStatus {
        self.ask_to_stop();
        self.wait()
    }

    /// Ends the server between two instructions.
    pub(crate) fn kill9(&self) {
        let mut running = self.running().take().expect("the server runs");
        running.child.kill().expect("a signal is sent");
        running.child.wait().expect("a child ends");
        release(running.guard);
    }

    /// Stops the server and starts it again, on another port.
    pub(crate) fn restart(&self) {
        let ended = self.stop();
        assert!(ended.success(), "the server ended with {ended}: {}", self.log());
        self.serve();
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log());
        }
        if let Some(mut running) = self.running().take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
            release(running.guard);
        }
    }
}

/// Waits until a condition gives something, a bounded time.
pub(crate) fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, condition)
}

/// Waits until a condition gives something, so long and no longer.
pub(crate) fn wait_within<T>(most: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let tries = most.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        if let Some(found) = condition() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("waited {most:?} for {what}");
}

/// Sends a signal by name; the standard library only knows KILL.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
    assert!(sent.expect("a shell runs").success(), "kill -{name} {pid}");
}

/// What a command wrote, for messages.
pub(crate) fn text(output: &Output) -> String {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, lossy(&output.stdout), lossy(&output.stderr))
}

/// The lines of a child's standard output, read to the end so that it never blocks.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel();
    let stdout = child.stdout.take().expect("a pipe");
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // A reader that has heard enough has gone; the pipe is still emptied.
            let _ = to.send(line);
        }
    });
    lines
}

/// A process that waits for the end of this one (its input closes then), and cleans up after it.
fn watchdog(pid: u32, folder: &Path) -> Child {
    Command::new("sh")
        .args(["-c", "cat >/dev/null; kill -9 \"$1\"; rm -rf \"$2\"", "watchdog"])
        .arg(pid.to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell runs")
}

/// Calls the watchdog off: its server has ended, and the process id may soon be another's.
fn release(mut guard: Child) {
    let _ = guard.kill();
    let _ = guard.wait();
}
