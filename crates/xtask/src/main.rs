//! Chores of this repository: `cargo xtask proto` and `cargo xtask docs` write what is generated and committed,
//! and with `--check` only say which of it is out of date. Nothing here is part of the product.
//!
//! Start reading at `proto.rs` (the wire contract) or `docs.rs` (the reference pages).

mod docs;
mod fresh;
mod fuzz;
mod lint;
mod page_api;
mod page_errors;
mod page_limits;
mod page_rules;
mod proto;
mod soak;
mod table;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <chore> [--check]

  proto   lint proto/, generate messages, stubs and the schema table from it
  docs    generate the reference pages under docs/

  soak crash [--cycles N] [--seed N]   kill the real server N times under load and check what it kept
  soak fdatasync                       build the server without the store's own sync; the tests must find it out

  fuzz TARGET [--seconds N]            give a parser of tests/fuzz inputs by libFuzzer, N seconds long

  --check   write nothing; fail if a committed file differs from what would be generated";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to do if the terminal is gone; the exit code still says it.
            let _gone = writeln!(std::io::stderr().lock(), "{failure:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    let root = root()?;
    match words {
        ["proto"] => fresh::settle(&root, &proto::generate(&root)?, fresh::Mode::Write),
        ["proto", "--check"] => fresh::settle(&root, &proto::generate(&root)?, fresh::Mode::Check),
        ["docs"] => fresh::settle(&root, &docs::generate(&root)?, fresh::Mode::Write),
        ["docs", "--check"] => fresh::settle(&root, &docs::generate(&root)?, fresh::Mode::Check),
        ["soak", "crash", options @ ..] => {
            let (cycles, seed) = soak::options(options)?;
            soak::crash(&root, cycles, seed)
        }
        ["soak", "fdatasync"] => soak::fdatasync(&root),
        ["fuzz", options @ ..] => {
            let (target, seconds) = fuzz::options(options)?;
            fuzz::fuzz(&root, target, seconds)
        }
        _ => bail!("{USAGE}"),
    }
}

/// The folder of the workspace, two above this crate's.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(Path::to_path_buf).context("could not find the workspace's folder")
}
