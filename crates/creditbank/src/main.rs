//! The one binary: makes and runs a ledger, keeps keys, submits, reads, verifies.
//!
//! A command is a file in `commands/`; it gets a [`commands::Context`], says what it found through [`output::Output`]
//! and ends with an [`ending::Exit`]. Start reading at [`args::Command`].

mod args;
mod commands;
mod durable;
mod ending;
mod home;
mod keyfile;
mod language;
mod mapping;
mod output;
mod public_log;
mod sample;
mod scratch;
mod spreadsheet;

use args::Cli;
use clap::Parser as _;
use commands::Context;
use home::Home;
use keyfile::Passphrases;
use language::Language;
use mimalloc::MiMalloc;
use output::Output;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Verifying a log makes and drops many small things, and often drops on one thread what another has made: the system's
/// allocator takes about twice as long over that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    let language = globals.lang.unwrap_or_else(|| Language::of_locale(&locale()));
    let output = Output { language, format: globals.output };
    let environment = std::env::var(keyfile::PASSPHRASE_VARIABLE).ok().map(Zeroizing::new);
    let mut context = Context {
        output,
        home: Home::new(globals.home),
        passphrases: Passphrases::new(language, globals.passphrase_file, environment),
    };
    match commands::run(&mut context, command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            error.exit.into()
        }
    }
}

/// The locale of messages, by POSIX's order of variables.
fn locale() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default()
}
