//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod award;
pub(crate) mod balance;
pub(crate) mod bench;
pub(crate) mod compliance;
pub(crate) mod config;
mod connect;
pub(crate) mod convert;
pub(crate) mod demo;
mod evidence;
pub(crate) mod export;
pub(crate) mod framework;
pub(crate) mod init;
pub(crate) mod institution;
pub(crate) mod keys;
mod labels;
pub(crate) mod ledger;
pub(crate) mod monitor;
pub(crate) mod publish;
mod reason;
pub(crate) mod rebuild;
pub(crate) mod record;
mod recorded;
pub(crate) mod rules;
pub(crate) mod serve;
mod signer;
pub(crate) mod statement;
pub(crate) mod submit;
pub(crate) mod token;
pub(crate) mod verify;
pub(crate) mod witness;

use crate::args::{Cli, Command};
use crate::ending::{CommandError, Ending, Exit};
use crate::home::Home;
use crate::keyfile::Passphrases;
use crate::language::Phrase;
use crate::output::Output;
use clap::CommandFactory as _;

/// What every command works with.
pub(crate) struct Context {
    /// The way to the terminal.
    pub(crate) output: Output,
    /// Where the ledger and its keys are.
    pub(crate) home: Home,
    /// The way to passphrases.
    pub(crate) passphrases: Passphrases,
}

/// Runs a command.
pub(crate) fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Demo(args) => block_on(demo::run(context, args)),
        Command::Init(args) => init::run(context, args),
        Command::Serve(args) => block_on(serve::run(context, args)),
        Command::Config(args) => config::run(context, &args),
        Command::Keys(command) => keys::run(context, command),
        Command::Institution(command) => block_on(institution::run(context, command)),
        Command::Framework(command) => block_on(framework::run(context, command)),
        Command::Account(command) => block_on(account::run(context, command)),
        Command::Submit(args) => block_on(submit::run(context, args)),
        Command::Record(command) => block_on(record::run(context, command)),
        Command::Balance(args) => block_on(balance::run(context, args)),
        Command::Statement(args) => block_on(statement::run(context, args)),
        Command::Export(args) => export::run(context, &args),
        Command::Verify(args) => verify::run(context, args),
        Command::Monitor(args) => block_on(monitor::run(context, args)),
        Command::Publish(args) => publish::run(context, args),
        Command::Rebuild(args) => rebuild::run(context, &args),
        Command::Convert(command) => block_on(convert::run(context, command)),
        Command::Award(command) => block_on(award::run(context, command)),
        Command::Compliance(command) => block_on(compliance::run(context, command)),
        Command::Ledger(command) => block_on(ledger::run(context, command)),
        Command::Rules(command) => block_on(rules::run_command(context, command)),
        Command::Token(command) => token::run(context, command),
        Command::Witness(command) => block_on(witness::run(context, command)),
        Command::Bench(args) => block_on(bench::run(context, args)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "creditbank", &mut script);
            crate::output::Output::document(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
    }
}

/// Runs what waits for the network to its end.
pub(crate) fn block_on(work: impl Future<Output = Ending>) -> Ending {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(credit_service::BLOCKING_THREADS_MAX)
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|cause| CommandError::new(Exit::Unreachable, Phrase::NoRuntime, &[]).because(cause))?;
    runtime.block_on(work)
}
