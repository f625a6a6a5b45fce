//! `creditbank witness`: a witness that cosigns the checkpoints of logs it knows. It needs no ledger.

mod book;
mod serve;

use super::Context;
use super::connect::trust;
use super::recorded::seconds_text;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::keyfile::{Algorithm, KeyFile};
use crate::language::Phrase;
use book::{Book, Place};
use credit_log::cosignature::{Cosigner, CosignerKey};
use credit_log::note::VerifierKey;
use credit_log::policy::{POLICY_BYTES_MAX, Policy};
use credit_service::witness::{StateError, Witness, WitnessError, WitnessLog, WitnessedHead, look};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Commands about a witness.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a witness: its key, its list of logs, its state · 建立见证者：密钥、日志清单与状态
    #[command(after_help = "Examples · 示例:\n  \
        creditbank witness init --name witness.example.cn/w1\n  \
        creditbank witness init --name witness.example.cn/w1 --dir /srv/witness --listen 0.0.0.0:7380 --encrypt")]
    Init {
        /// Where the witness is · 见证者所在
        #[command(flatten)]
        at: At,
        /// Its name in cosignatures: a URL without scheme, unique for ever · 见证者名称
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Where it will be served · 服务地址
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7380")]
        listen: SocketAddr,
        /// Encrypt the key even if the passphrase has to be asked for · 加密保存密钥，必要时询问口令
        #[arg(long)]
        encrypt: bool,
    },
    /// Take a log into the list; serve picks it up when it is started anew · 把日志加入清单，重启服务后生效
    #[command(after_help = "Examples · 示例:\n  \
        creditbank witness add-log --trust bank/trust.toml\n  \
        creditbank witness add-log --origin log.example.cn --key log.example.cn+1c604424+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n  \
        creditbank witness add-log --policy logs.policy")]
    AddLog {
        /// Where the witness is · 见证者所在
        #[command(flatten)]
        at: At,
        /// The trust file of a ledger: its origin and checkpoint keys · 账本的信任文件
        #[arg(long, value_name = "FILE", group = "log")]
        trust: Option<PathBuf>,
        /// A policy (C2SP tlog-policy) whose logs are taken · 策略文件，取其中的日志
        #[arg(long, value_name = "FILE", group = "log")]
        policy: Option<PathBuf>,
        /// The first line of the log's checkpoints · 日志检查点的来源名
        #[arg(long, value_name = "ORIGIN", group = "log", requires = "key")]
        origin: Option<String>,
        /// A verifier key of the log; can be given several times · 日志的验证密钥，可给多个
        #[arg(long, value_name = "VKEY", requires = "origin")]
        key: Vec<String>,
    },
    /// Show the witness's key, the line for policies, and what it has cosigned · 显示公钥、策略行与已联署的日志
    #[command(after_help = "Examples · 示例:\n  creditbank witness show")]
    Show {
        /// Where the witness is · 见证者所在
        #[command(flatten)]
        at: At,
        /// The address that others reach it at, for the line of policies · 供策略行使用的对外地址
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Run the witness until it is told to stop · 运行见证服务
    #[command(after_help = "Examples · 示例:\n  creditbank witness serve\n  \
                            creditbank witness serve --dir /srv/witness --listen 0.0.0.0:7380")]
    Serve {
        /// Where the witness is · 见证者所在
        #[command(flatten)]
        at: At,
        /// Where to serve; port 0 takes a free one; by default what init was told · 服务地址，端口 0 表示任取空闲端口
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
}

/// Where the witness is.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Folder of the witness; by default witness/ in the home · 见证者目录，缺省为账本目录中的 witness/
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl At {
    fn place(&self, context: &Context) -> Place {
        Place::new(self.dir.clone().unwrap_or_else(|| context.home.witness()))
    }
}

/// Runs a command about a witness.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Init { at, name, listen, encrypt } => {
            init(context, &at.place(context), &name, listen, encrypt)
        }
        Command::AddLog { at, trust, policy, origin, key } => {
            let place = at.place(context);
            let logs = match (trust, policy, origin) {
                (Some(path), _, _) => of_trust(context, &path)?,
                (None, Some(path), _) => of_policy(&path)?,
                (None, None, Some(origin)) => vec![of_keys(origin, &key)?],
                (None, None, None) => return Err(CommandError::usage(Phrase::WitnessNoLogNamed, &[])),
            };
            add(context, &place, logs)
        }
        Command::Show { at, url } => show(context, &at.place(context), url.as_deref()),
        Command::Serve { at, listen } => serve::run(context, &at.place(context), listen).await,
    }
}

fn init(context: &mut Context, place: &Place, name: &str, listen: SocketAddr, encrypt: bool) -> Ending {
    if place.config().exists() {
        return Err(CommandError::new(Exit::Refused, Phrase::WitnessTaken, &[&place.shown()]));
    }
    let path = place.key();
    let file = if path.exists() {
        context.output.note(Phrase::KeyTaken, &[&path.display()]);
        KeyFile::read(&path)?
    } else {
        super::keys::generate(context, &path, Algorithm::Cosignature, encrypt)?
    };
    let key = named(name, &file, &path)?;
    Witness::create(place.root(), &key)
        .map_err(|cause| CommandError::usage(Phrase::WitnessNotMade, &[&place.shown()]).because(cause))?;
    // The list comes last: where it is, everything is.
    Book::new(name, listen).create(place)?;
    context.output.line(Phrase::WitnessMade, &[&name, &place.shown()]);
    context.output.line(Phrase::WitnessKeyIs, &[&key.text()]);
    context.output.line(Phrase::NextServe, &[&"creditbank witness add-log, creditbank witness serve"]);
    context.output.json(&serde_json::json!({
        "name": name,
        "key": key.text(),
        "dir": place.shown(),
        "listen": listen.to_string(),
    }));
    Ok(Exit::Done)
}

/// The public half of the witness's key, under its name.
fn named(name: &str, file: &KeyFile, path: &Path) -> Result<CosignerKey, CommandError> {
    if file.algorithm() != Algorithm::Cosignature {
        let (wanted, found) = (Algorithm::Cosignature.name(), file.algorithm().name());
        return Err(CommandError::usage(Phrase::KeyFileAlgorithm, &[&path.display(), &wanted, &found]));
    }
    let public =
        file.public().ok_or_else(|| CommandError::usage(Phrase::KeyFileNoPublic, &[&path.display()]))?;
    CosignerKey::new(name, public.clone())
        .map_err(|cause| CommandError::usage(Phrase::WitnessNameWrong, &[&name]).because(cause))
}

fn of_trust(context: &Context, path: &Path) -> Result<Vec<WitnessLog>, CommandError> {
    let trust = trust(context, Some(path))?;
    Ok(vec![WitnessLog { origin: trust.origin, keys: trust.checkpoint_keys }])
}

/// Reads a policy file.
pub(super) fn read_policy(path: &Path) -> Result<Policy, CommandError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let most = u64::try_from(POLICY_BYTES_MAX).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(unreadable(path))?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable(path))?;
    Policy::parse(&bytes)
        .map_err(|cause| CommandError::usage(Phrase::PolicyWrong, &[&path.display()]).because(cause))
}

fn of_policy(path: &Path) -> Result<Vec<WitnessLog>, CommandError> {
    let policy = read_policy(path)?;
    if policy.logs().is_empty() {
        return Err(CommandError::usage(Phrase::PolicyNoLogs, &[&path.display()]));
    }
    let log = |log: &credit_log::policy::PolicyLog| WitnessLog {
        origin: log.key.name().to_owned(),
        keys: vec![log.key.clone()],
    };
    Ok(policy.logs().iter().map(log).collect())
}

fn of_keys(origin: String, texts: &[String]) -> Result<WitnessLog, CommandError> {
    let key = |text: &String| {
        VerifierKey::parse(text)
            .map_err(|cause| CommandError::usage(Phrase::WitnessLogKeyWrong, &[text]).because(cause))
    };
    Ok(WitnessLog { origin, keys: texts.iter().map(key).collect::<Result<_, _>>()? })
}

fn add(context: &Context, place: &Place, logs: Vec<WitnessLog>) -> Ending {
    let mut book = Book::read(place)?;
    let own = KeyFile::read(&place.key())?.public().cloned();
    let origins: Vec<String> = logs.iter().map(|log| log.origin.clone()).collect();
    for log in logs {
        if log.keys.iter().any(|key| Some(key.key()) == own.as_ref()) {
            return Err(unusable(WitnessError::OwnKey { origin: log.origin }));
        }
        book.add(log).map_err(unusable)?;
    }
    book.replace(place)?;
    for origin in &origins {
        context.output.line(Phrase::WitnessLogAdded, &[origin]);
    }
    context.output.line(Phrase::WitnessRestart, &[]);
    context.output.json(&serde_json::json!({ "added": origins, "logs": book.logs.len() }));
    Ok(Exit::Done)
}

fn unusable(cause: WitnessError) -> CommandError {
    CommandError::usage(Phrase::WitnessUnusable, &[]).because(cause)
}

fn show(context: &Context, place: &Place, url: Option<&str>) -> Ending {
    let book = Book::read(place)?;
    let key = named(&book.name, &KeyFile::read(&place.key())?, &place.key())?;
    let line = format!("witness {} {} {}", book.alias(), key.text(), url.unwrap_or("URL"));
    context.output.line(Phrase::WitnessKeyIs, &[&key.text()]);
    context.output.line(Phrase::WitnessPolicyLine, &[&line]);
    let heads = seen(context, place, &book, &key)?;
    let head = |origin: &str| heads.iter().flatten().find(|head| head.origin == origin);
    let (mut rows, mut logs) = (Vec::new(), Vec::new());
    for log in &book.logs {
        let keys: Vec<String> = log.keys.iter().map(VerifierKey::text).collect();
        let head = head(&log.origin);
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let time = head.filter(|head| head.time_s > 0).map(|head| seconds_text(head.time_s));
        let size = head.map(|head| head.size.to_string());
        rows.push(vec![log.origin.clone(), shown(size), shown(time), keys.join(" ")]);
        let evidence = head.and_then(|head| head.evidence.as_ref());
        if evidence.is_some() {
            context.output.note(Phrase::WitnessHasEvidence, &[&log.origin]);
        }
        logs.push(serde_json::json!({
            "origin": log.origin,
            "keys": keys,
            "size": head.map(|head| head.size),
            "time_s": head.map(|head| head.time_s),
            "evidence": evidence,
        }));
    }
    let header = [Phrase::ColumnOrigin, Phrase::ColumnIndex, Phrase::ColumnTime, Phrase::ColumnKid];
    context.output.table(&header, &rows);
    context.output.json(&serde_json::json!({
        "name": book.name,
        "key": key.text(),
        "policy_line": line,
        "listen": book.listen.to_string(),
        "logs": logs,
    }));
    Ok(Exit::Done)
}

/// What was last cosigned of each log; `None` while the witness runs.
fn seen(
    context: &Context,
    place: &Place,
    book: &Book,
    key: &CosignerKey,
) -> Result<Option<Vec<WitnessedHead>>, CommandError> {
    let origins: Vec<&str> = book.logs.iter().map(|log| log.origin.as_str()).collect();
    match look(place.root(), key, &origins) {
        Ok(heads) => Ok(Some(heads)),
        Err(StateError::InUse) => {
            context.output.note(Phrase::WitnessRuns, &[]);
            Ok(None)
        }
        Err(cause) => Err(unusable(cause.into())),
    }
}

/// Opens the witness with its key and its list.
fn open(context: &mut Context, place: &Place, book: &Book) -> Result<Witness, CommandError> {
    let path = place.key();
    let file = KeyFile::read(&path)?;
    let key = named(&book.name, &file, &path)?;
    let seed = file.open(Algorithm::Cosignature, &mut context.passphrases)?;
    let cosigner = Cosigner::new(key.name(), credit_log::envelope::SigningKey::from_seed(*seed))
        .map_err(|cause| CommandError::usage(Phrase::WitnessNameWrong, &[&book.name]).because(cause))?;
    Witness::open(place.root(), cosigner, book.logs.clone()).map_err(unusable)
}
