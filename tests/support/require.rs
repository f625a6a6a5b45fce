//! Tools that a machine may lack.

use std::process::{Command, Stdio};

/// Says why a test can't run here; fails where the environment says that it has to.
pub(crate) fn skip(tool: &str, why: &str) {
    let required = std::env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == tool), "{tool} is required here, and {why}");
    println!("skipped: {why}");
}

/// Whether system calls can be traced here; where not, says so.
pub(crate) fn can_trace() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-D", "-f", "-q", "-y", "-xx", "-o", "/dev/null", "--", "true"]);
    let traced = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match traced {
        Ok(status) if status.success() => true,
        Ok(status) => {
            skip("strace", &format!("strace may not trace here: {status}"));
            false
        }
        Err(error) => {
            skip("strace", &format!("there is no strace: {error}"));
            false
        }
    }
}

/// The build without the store's own sync, if there is one.
pub(crate) fn build_without_the_sync() -> Option<String> {
    let binary = std::env::var("CREDITBANK_SKIP_BINARY").ok();
    if binary.is_none() {
        println!("skipped: no build without the sync; `cargo xtask soak fdatasync` makes one");
    }
    binary.filter(|_| can_trace())
}
