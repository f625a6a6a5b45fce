//! A PostgreSQL server of its own: made in a scratch folder, run on a socket, gone at the end however it ends.

use super::super::unmeasured;
use crate::ending::CommandError;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Where packages put what is not in the path.
const PACKAGED: &str = "/usr/lib/postgresql";
/// What has to be there.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pgbench", "psql"];
/// Looks at whether it has started.
const LOOKS_MAX: u32 = 300;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// What differs from the defaults: it listens on a socket alone, and no checkpoint falls into a measurement. It is as
/// durable as it comes: `fsync`, `full_page_writes` and `synchronous_commit` are on.
pub(super) const SETTINGS: [&str; 3] = ["listen_addresses=", "max_wal_size=4GB", "checkpoint_timeout=30min"];

/// Where the programs of PostgreSQL are.
pub(super) fn programs(told: Option<&Path>) -> Option<PathBuf> {
    let whole = |folder: &PathBuf| PROGRAMS.iter().all(|name| folder.join(name).is_file());
    if let Some(told) = told {
        return Some(told.to_owned()).filter(whole);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir(PACKAGED)
        .into_iter()
        .flatten()
        .filter_map(|item| {
            let item = item.ok()?;
            let version = item.file_name().to_str()?.parse().ok()?;
            Some((version, item.path().join("bin")))
        })
        .collect();
    packaged.sort();
    let newest_first = packaged.into_iter().rev().map(|(_, folder)| folder);
    std::env::split_paths(&path).chain(newest_first).find(whole)
}

/// Whom it runs as where this program runs as root, which it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account {
    user: u32,
    group: u32,
}

/// The account of a list of accounts that PostgreSQL may run as.
fn account(passwd: &str) -> Option<Account> {
    let of = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some(Account { user: fields.next()?.ok()?, group: fields.next()?.ok()? })
    };
    of("postgres").or_else(|| of("nobody"))
}

/// A server that runs.
pub(super) struct Cluster {
    bin: PathBuf,
    account: Option<Account>,
    /// Its data, and beside it whatever it is fed.
    pub(super) folder: PathBuf,
    /// Where its socket is: a path of its own, for a socket's is short.
    socket: PathBuf,
    child: Option<Child>,
    /// What it says of itself.
    pub(super) version: String,
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).trim().to_owned()
}

impl Cluster {
    /// Makes one in a folder and starts it.
    pub(super) fn start(bin: &Path, folder: &Path) -> Result<Self, CommandError> {
        let account = if rustix::process::geteuid().is_root() {
            let passwd = fs::read_to_string("/etc/passwd").map_err(unmeasured)?;
            let none =
                || unmeasured(anyhow::anyhow!("it refuses to run as root, and there is no other account"));
            Some(account(&passwd).ok_or_else(none)?)
        } else {
            None
        };
        let socket = std::env::temp_dir().join(format!("creditbank-pg-{}", std::process::id()));
        let mut cluster = Self {
            bin: bin.to_owned(),
            account,
            folder: folder.to_owned(),
            socket,
            child: None,
            version: String::new(),
        };
        for folder in [cluster.folder.clone(), cluster.socket.clone()] {
            cluster.make_folder(&folder)?;
        }
        cluster.version = said(&cluster.run("postgres", &["--version"], Stdio::null())?);
        let data = cluster.data();
        let data = data.to_string_lossy();
        let arguments = ["-D", &data, "-U", "bench", "-A", "trust", "--no-locale", "-E", "UTF8"];
        cluster.run("initdb", &arguments, Stdio::null())?;
        let mut command = cluster.command("postgres");
        command.args(["-D", &data, "-k"]).arg(&cluster.socket);
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        let log = fs::File::create(cluster.folder.join("log")).map_err(unmeasured)?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        cluster.child = Some(child.map_err(unmeasured)?);
        cluster.wait()?;
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes a folder that the server's account owns.
    fn make_folder(&self, folder: &Path) -> Result<(), CommandError> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(unmeasured)?;
        }
        fs::create_dir_all(folder).map_err(unmeasured)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(unmeasured)?;
        if let Some(Account { user, group }) = self.account {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).map_err(unmeasured)?;
        }
        Ok(())
    }

    /// A program of PostgreSQL, run as its account, knowing of no other server.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env_clear().env("LC_ALL", "C").current_dir(&self.folder);
        if let Some(Account { user, group }) = self.account {
            command.gid(group).uid(user);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str], input: Stdio) -> Result<Output, CommandError> {
        let output = self.command(program).args(arguments).stdin(input).output().map_err(unmeasured)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(unmeasured(anyhow::anyhow!("{program} ended with {}: {}", output.status, said(&output))))
    }

    /// Runs a program of PostgreSQL against the server; gives what it says.
    pub(super) fn client(&self, program: &str, arguments: &[&str]) -> Result<String, CommandError> {
        let socket = self.socket.to_string_lossy();
        let arguments = [&["-h", &socket, "-U", "bench"], arguments, &["postgres"]].concat();
        self.run(program, &arguments, Stdio::null()).map(|output| said(&output))
    }

    fn wait(&mut self) -> Result<(), CommandError> {
        for _ in 0..LOOKS_MAX {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait().map_err(unmeasured)?
            {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(unmeasured(anyhow::anyhow!("postgres ended with {status}: {log}")));
            }
            if self.client("psql", &["-qc", "SELECT 1", "-d"]).is_ok() {
                return Ok(());
            }
            sleep(PAUSE);
        }
        Err(unmeasured(anyhow::anyhow!("postgres did not start in time")))
    }
}

impl Drop for Cluster {
    /// Stops it at once, and removes what it has written.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            // SIGINT is its fast stop: it ends its workers first. What is gone already needs no stop.
            if let Some(pid) = pid
                && rustix::process::kill_process(pid, rustix::process::Signal::INT).is_err()
            {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
        // The next run makes way for itself.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_dir_all(&self.socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533::/:/x\npostgres:x:103:105:,,,:/v:/x\n";
        assert_eq!(account(passwd), Some(Account { user: 103, group: 105 }));
        assert_eq!(account("nobody:x:9:8::/:/x"), Some(Account { user: 9, group: 8 }));
        assert_eq!(account("root:x:0:0:root:/root:/bin/bash"), None);
        assert_eq!(account("postgres:x:a:b"), None);
    }

    #[test]
    fn programs_are_taken_from_one_folder_that_has_all() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(programs(Some(folder.path())), None);
        for name in PROGRAMS {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(programs(Some(folder.path())), Some(folder.path().to_owned()));
    }
}
