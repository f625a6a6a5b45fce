//! `creditbank serve`: runs the ledger until it is told to stop.

use super::Context;
use super::config;
use crate::ending::{CommandError, Ending, Exit};
use crate::home::ServerKey;
use crate::keyfile::{Algorithm, KeyFile, Passphrases, signing_key};
use crate::language::Phrase;
use crate::output::Format;
use credit_service::{Health, Ledger, ServerKeys, serve};
use credit_types::genesis::DEV_ORIGIN_PREFIX;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The name that the tokens of a trial ledger carry as their issuer.
pub(super) const DEV_ISSUER: &str = "dev-issuer";

/// Runs the ledger.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples · 示例:\n  creditbank serve --dev\n  creditbank serve --listen 0.0.0.0:50051 --passphrase-file /run/secrets/ledger"
)]
pub(crate) struct Args {
    /// Trial ledger: tokens are issued by a key in the home · 试用：用账本目录中的密钥签发访问令牌
    #[arg(long)]
    dev: bool,
    /// Accept a clock far ahead of the last entry · 接受远远超前于最后一条记录的时钟
    #[arg(long)]
    accept_clock: bool,
    /// The configuration · 配置
    #[command(flatten)]
    flags: config::Flags,
}

/// Opens the ledger, serves it, and closes it on SIGTERM or SIGINT.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let mut extra = Vec::new();
    if args.dev {
        extra.push(("dev".to_owned(), "true".to_owned()));
    }
    let mut config = config::effective(context, &args.flags, extra.clone())?;
    if config.dev && context.home.trust().exists() {
        let origin = super::connect::trust(context, None)?.origin;
        if !origin.starts_with(DEV_ORIGIN_PREFIX) {
            return Err(CommandError::usage(Phrase::NotATrial, &[&origin]));
        }
    }
    if config.dev && config.issuer.is_none() {
        extra.extend(dev_issuer(context)?);
        config = config::effective(context, &args.flags, extra)?;
    }
    if !config.data_dir.join("store").exists() {
        return Err(CommandError::usage(Phrase::NoLedger, &[&config.data_dir.display()]));
    }
    start_logging(context.output.format);
    let keys = server_keys(|key| context.home.server_key(key), &mut context.passphrases)?;
    // Signals are caught before the ledger is open: one that comes while it opens must not cut it off.
    let mut signals = Signals::new()?;
    let policy = config.witness_policy.as_deref().map(super::witness::read_policy).transpose()?;
    let options = config.open_options(args.accept_clock, policy);
    let ledger = Ledger::open(&config.data_dir, keys, options).await?;
    let origin = ledger.reader().genesis().origin.clone();
    // The trust file was asked before; here the log itself is.
    if config.dev && !ledger.reader().genesis().is_dev() {
        ledger.stop().await;
        return Err(CommandError::usage(Phrase::NotATrial, &[&origin]));
    }
    let health = *ledger.health().borrow();
    if let Health::ReadOnly(code) = health {
        context.output.note(Phrase::ServesReadOnly, &[&code]);
    }
    let shutdown = async move { signals.any().await };
    let serving = serve(ledger, &config, shutdown).await.map_err(not_served)?;
    let url = format!("http://{}", serving.address);
    let metrics = serving.metrics_address.map(|address| format!("http://{address}/metrics"));
    // Programs wait for this line, so it is the same in both languages.
    context.output.raw_line(&format!("listening on {url}"));
    if let Some(metrics) = &metrics {
        context.output.raw_line(&format!("metrics on {metrics}"));
    }
    let log = serving.log_address.map(|address| format!("http://{address}"));
    if let Some(log) = &log {
        context.output.raw_line(&format!("log on {log}"));
    }
    context
        .output
        .json(&serde_json::json!({ "listening": url, "metrics": metrics, "log": log, "origin": origin }));
    serving.stopped().await.map_err(not_served)?;
    Ok(Exit::Done)
}

/// A service that did not run to its end.
pub(super) fn not_served(cause: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(Exit::Unreachable, Phrase::NotServed, &[]).because(cause)
}

/// The secrets of the server.
pub(super) fn server_keys(
    path: impl Fn(ServerKey) -> PathBuf,
    passphrases: &mut Passphrases,
) -> Result<ServerKeys, CommandError> {
    let [checkpoint, statement, operator, root] =
        [ServerKey::Checkpoint, ServerKey::Statement, ServerKey::Operator, ServerKey::Root].map(&path);
    let second = path(ServerKey::SecondCheckpoint);
    Ok(ServerKeys {
        checkpoint: signing_key(&checkpoint, passphrases)?,
        second_checkpoint: if second.exists() { Some(signing_key(&second, passphrases)?) } else { None },
        statement: signing_key(&statement, passphrases)?,
        operator: signing_key(&operator, passphrases)?,
        root: KeyFile::read(&root)?.open(Algorithm::Root, passphrases)?,
    })
}

/// The token issuer of a trial ledger, made where there is none, as keys of the configuration.
fn dev_issuer(context: &mut Context) -> Result<Vec<(String, String)>, CommandError> {
    let path = context.home.issuer_key();
    let file = if path.exists() {
        KeyFile::read(&path)?
    } else {
        let passphrase = context.passphrases.given()?;
        KeyFile::generate(&path, Algorithm::Ed25519, passphrase)?
    };
    context.output.note(Phrase::DevIssuer, &[&path.display()]);
    Ok(vec![
        ("issuer_name".to_owned(), DEV_ISSUER.to_owned()),
        ("issuer_public_key".to_owned(), public_hex(&path, &file)?),
    ])
}

fn public_hex(path: &Path, file: &KeyFile) -> Result<String, CommandError> {
    let public =
        file.public().ok_or_else(|| CommandError::usage(Phrase::KeyFileNoPublic, &[&path.display()]))?;
    Ok(super::labels::hex(&public.bytes()))
}

pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to catch them.
    pub(super) fn new() -> Result<Self, CommandError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(not_served)?,
            interrupt: signal(SignalKind::interrupt()).map_err(not_served)?,
        })
    }

    /// Waits for the first of them.
    pub(super) async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The server's log, on standard error; `RUST_LOG` chooses what of it, by default `info`.
pub(super) fn start_logging(format: Format) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log that is there already stays.
    let _ = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
}
