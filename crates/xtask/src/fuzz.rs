//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, which looks at what an input reaches. The fuzzer's crate
//! is written below `target/` and is no part of the workspace, so that nobody who builds the product needs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// What makes the compiler tell libFuzzer where an input has been.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=on -Coverflow-checks=on";

const CARGO_TOML: &str = r#"[package]
name = "creditbank-fuzz"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
credit-client = { path = "ROOT/crates/credit-client" }
credit-log = { path = "ROOT/crates/credit-log" }
credit-proto = { path = "ROOT/crates/credit-proto" }
credit-rules = { path = "ROOT/crates/credit-rules" }
credit-types = { path = "ROOT/crates/credit-types" }
credit-verify = { path = "ROOT/crates/credit-verify" }
libfuzzer-sys = "0.4"
serde_json = "1"

[workspace]
"#;

const MAIN_RS: &str = r#"#![no_main]
#[path = "ROOT/tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    use std::sync::OnceLock;
    static TARGET: OnceLock<targets::Target> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("the name of a target");
        targets::TARGETS.into_iter().find(|(known, _)| *known == name).expect("a known target").1
    });
    let _taken = target(bytes);
});
"#;

/// Fuzzes one target for so many seconds. New inputs of interest are kept in `target/fuzz/found`, a failing one in
/// `target/fuzz/failed`: made small, it belongs into `tests/fuzz/corpus`.
pub(crate) fn fuzz(root: &Path, target: &str, seconds: u32) -> Result<()> {
    let corpus = root.join("tests/fuzz/corpus").join(target);
    if !corpus.is_dir() {
        bail!("there is no target {target}; they are the folders of tests/fuzz/corpus");
    }
    let folder = root.join("target/fuzz");
    let (found, failed) = (folder.join("found").join(target), folder.join("failed"));
    for dir in [&folder.join("src"), &found, &failed] {
        fs::create_dir_all(dir).context("could not make the fuzzer's folder")?;
    }
    let shown = root.display().to_string();
    for (name, text) in [("Cargo.toml", CARGO_TOML), ("src/main.rs", MAIN_RS)] {
        fs::write(folder.join(name), text.replace("ROOT", &shown))
            .context("could not write the fuzzer's crate")?;
    }
    lock(root, &folder)?;
    let status = Command::new(env!("CARGO"))
        .current_dir(&folder)
        // With a target named, the flags are for it alone and not for what builds it.
        .args(["run", "--release", "--target-dir", "build", "--target", &host()?, "--"])
        .args([&found, &corpus])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{target}-", failed.display()))
        .args(["-max_len=65536", "-timeout=10", "-print_final_stats=1"])
        .env("RUSTFLAGS", COVERAGE)
        .env("FUZZ_TARGET", target)
        .status()
        .context("could not run cargo")?;
    if !status.success() {
        bail!("target {target} failed; the input is in {}", failed.display());
    }
    Ok(())
}

/// Sees that the fuzzer's crate takes the versions that the product is built with; cargo adds its own to them once.
fn lock(root: &Path, folder: &Path) -> Result<()> {
    let ours = fs::read(root.join("Cargo.lock")).context("could not read the lock file")?;
    let taken = folder.join("product.lock");
    if fs::read(&taken).is_ok_and(|taken| taken == ours) {
        return Ok(());
    }
    fs::write(folder.join("Cargo.lock"), &ours).context("could not write the fuzzer's lock file")?;
    fs::write(&taken, &ours).context("could not write the fuzzer's lock file")
}

/// The machine's own target.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("could not run rustc")?;
    let told = String::from_utf8(output.stdout).context("rustc says no text")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say its host")
}

/// Reads `TARGET [--seconds N]`.
pub(crate) fn options<'w>(words: &[&'w str]) -> Result<(&'w str, u32)> {
    match words {
        [target] => Ok((target, 60)),
        [target, "--seconds", seconds] => Ok((target, seconds.parse().context("--seconds needs a number")?)),
        _ => bail!("fuzz takes the name of a target, and --seconds with a number"),
    }
}
