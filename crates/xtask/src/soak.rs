//! Long runs of what the tests do in short: `cargo xtask soak crash` kills the real server again and again, and
//! `cargo xtask soak fdatasync` shows that a build without the store's own sync does not pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Runs the crash test of package creditbank with this many cycles from this seed.
pub(crate) fn crash(root: &Path, cycles: u32, seed: u64) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["test", "-p", "creditbank", "--test", "crash", "--", "--nocapture", "kill_"])
        .env("CREDITBANK_CRASH_CYCLES", cycles.to_string())
        .env("CREDITBANK_SEED", seed.to_string())
        .status()
        .context("could not run cargo")?;
    if !status.success() {
        bail!("the crash soak failed: {cycles} cycles, seed {seed}");
    }
    Ok(())
}

/// Builds the binary without the store's own fdatasync, and runs the tests that must find it out.
pub(crate) fn fdatasync(root: &Path) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // A folder of its own: the feature would otherwise slip into the binary that all other tests run.
    let target = root.join(target).join("skip-fdatasync");
    let built = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "build",
            "-p",
            "creditbank",
            "--bin",
            "creditbank",
            "--features",
            "skip-fdatasync",
            "--target-dir",
        ])
        .arg(&target)
        .status()
        .context("could not run cargo")?;
    if !built.success() {
        bail!("the build without the sync failed");
    }
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["test", "-p", "creditbank", "--test", "crash", "--", "--nocapture", "the_sync"])
        .env("CREDITBANK_SKIP_BINARY", target.join("debug").join("creditbank"))
        .status()
        .context("could not run cargo")?;
    if !status.success() {
        bail!("a build without the sync was not found out");
    }
    Ok(())
}

/// Reads `--cycles N --seed N` in any order.
pub(crate) fn options(words: &[&str]) -> Result<(u32, u64)> {
    let (mut cycles, mut seed) = (200, 1);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let value = rest.next().with_context(|| format!("{word} needs a number"))?;
        match *word {
            "--cycles" => cycles = value.parse().context("--cycles needs a number")?,
            "--seed" => seed = value.parse().context("--seed needs a number")?,
            other => bail!("unknown option {other}"),
        }
    }
    Ok((cycles, seed))
}
