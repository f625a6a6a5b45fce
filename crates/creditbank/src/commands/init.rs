//! `creditbank init`: makes the keys of a ledger, has its authority sign entry 0, and writes what clients pin.

mod stage;

use super::Context;
use super::serve::server_keys;
use crate::ending::{CommandError, Ending, Exit, unwritable};
use crate::home::ServerKey;
use crate::keyfile::{Algorithm, Holds, KeyFile};
use crate::language::Phrase;
use credit_client::{AuthoritySigner, Trust, format_trust};
use credit_log::envelope::{PublicKey, SigningKey};
use credit_service::clock::Clock;
use credit_service::{Ledger, ServerKeys, random};
use credit_types::genesis::{DEV_ORIGIN_PREFIX, NOTICE_DAYS_MIN, PROTOCOL};
use credit_types::{Digest, Genesis, Header, Kid, LogId, Policy, SignerId};
use stage::Stage;
use std::fs;
use std::path::{Path, PathBuf};

/// How many keys the authority of a trial ledger has, and how many must sign.
const DEV_AUTHORITY: (usize, u32) = (3, 2);

/// Makes a ledger.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  \
    creditbank init --dev\n  \
    creditbank init --origin bank.example.cn/log --authority-key a1.key --authority-key a2.key --authority-key a3.pub --threshold 2 --encrypt")]
pub(crate) struct Args {
    /// Trial ledger with an authority of its own, which can never become a real one · 试用账本，不能转为正式账本
    #[arg(long, conflicts_with_all = ["authority_key", "threshold"])]
    dev: bool,
    /// Name in checkpoints: a URL without scheme; of a trial ledger it begins with `dev.` · 账本来源名
    #[arg(long, required_unless_present = "dev")]
    origin: Option<String>,
    /// Keys of the authority: key files sign, public halves are only named · 主管方密钥文件，可给多个
    #[arg(long, value_name = "FILE", required_unless_present = "dev")]
    authority_key: Vec<PathBuf>,
    /// How many of them must sign; by default more than half · 需要几把主管方密钥签名，缺省为多数
    #[arg(long, value_name = "COUNT")]
    threshold: Option<u32>,
    /// Days between publishing a rule book and its activation · 规则公示天数
    #[arg(long, value_name = "DAYS")]
    notice_days: Option<u32>,
    /// Authority signatures that activate a rule book; 0 for the threshold · 启用规则所需签名数
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    quorum: u32,
    /// Days in which a decision may be appealed · 申诉天数
    #[arg(long, value_name = "DAYS", default_value_t = 15)]
    appeal_days: u32,
    /// Days after which an unanswered application lapses · 申请失效天数
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    lapse_days: u32,
    /// Days in which a batch takes records · 批次开放天数
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    batch_days: u32,
    /// Greatest age of an anchor in days · 锚点最长天数
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    anchor_days: u32,
    /// How far back an owner alone may declare a key suspect, in days · 机构自行追溯密钥存疑的天数
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    suspect_days: u32,
    /// Minutes east of UTC of all civil dates · 民用日期相对 UTC 的分钟数
    #[arg(long, value_name = "MINUTES", default_value_t = 480, allow_negative_numbers = true)]
    civil_offset_minutes: i32,
    /// Witness policy (C2SP tlog-policy): its SHA-256 is pinned for ever, itself in the trust file · 见证策略文件
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Name a second checkpoint key, `keys/checkpoint-2.key`, so that the first can be exchanged for it one day · 另备第二把检查点密钥，供日后轮换
    #[arg(long)]
    second_checkpoint_key: bool,
    /// Encrypt the keys even if the passphrase has to be asked for · 加密保存密钥，必要时询问口令
    #[arg(long)]
    encrypt: bool,
}

/// Makes a ledger in the home.
pub(crate) fn run(context: &mut Context, args: Args) -> Ending {
    let home = context.home.clone();
    if stage::finish_interrupted(&home)? {
        context.output.note(Phrase::InitFinished, &[&home.root().display()]);
    }
    if home.trust().exists() || home.ledger().exists() {
        return Err(CommandError::new(Exit::Refused, Phrase::HomeTaken, &[&home.root().display()]));
    }
    let origin = origin(&args)?;
    let notice_days = args.notice_days.unwrap_or(if args.dev { 0 } else { NOTICE_DAYS_MIN });
    if !args.dev && notice_days < NOTICE_DAYS_MIN {
        return Err(CommandError::usage(Phrase::NoticeTooShort, &[&notice_days, &NOTICE_DAYS_MIN]));
    }
    let stage = Stage::open(&home)?;
    let log_id = make(context, &args, &stage, &origin, notice_days)?;
    stage.keep()?;
    tell(context, &origin, &log_id.to_string(), args.dev);
    Ok(Exit::Done)
}

/// Makes everything in the stage.
fn make(
    context: &mut Context,
    args: &Args,
    stage: &Stage,
    origin: &str,
    notice_days: u32,
) -> Result<LogId, CommandError> {
    let authority =
        if args.dev { dev_authority(context, stage, args.encrypt)? } else { authority(context, args)? };
    let witness_policy = args.witness_policy.as_deref().map(super::witness::read_policy).transpose()?;
    make_server_keys(context, stage, args)?;
    let keys = server_keys(|key| stage.place(|home| home.server_key(key)), &mut context.passphrases)?;
    let named = |key: &SigningKey| vec![noun(&key.public())];
    let genesis = Genesis {
        nonce: random::bytes()?,
        protocol: PROTOCOL,
        origin: origin.to_owned(),
        checkpoint_keys: checkpoint_keys(&keys),
        statement_keys: named(&keys.statement),
        operator_keys: named(&keys.operator),
        authority_keys: authority.named,
        authority_threshold: authority.threshold,
        witness_policy_hash: witness_policy.as_ref().map(|policy| Digest(policy.digest())),
        registry_log: None,
        civil_offset_minutes: args.civil_offset_minutes,
        policy: Policy {
            notice_days,
            quorum: args.quorum,
            appeal_days: args.appeal_days,
            lapse_days: args.lapse_days,
            batch_days: args.batch_days,
            anchor_days: args.anchor_days,
            suspect_days: args.suspect_days,
        },
        continues: None,
    };
    let envelope = AuthoritySigner::new(authority.signers)
        .sign(&header()?, &genesis, &[])
        .map_err(credit_client::ClientError::from)?;
    let log_id = Ledger::create(&stage.staged().ledger(), &envelope, keys)?;
    let trust = Trust::of_genesis(log_id, &genesis)
        .map_err(|cause| CommandError::usage(Phrase::TrustNotMade, &[]).because(cause))?;
    let trust = Trust { witness_policy, ..trust };
    write_file(&stage.staged().config(), &config_text(args.dev, args.witness_policy.as_deref()))?;
    // The trust file comes last: where it is, everything is.
    write_file(&stage.staged().trust(), &format_trust(&trust))?;
    Ok(log_id)
}

fn tell(context: &Context, origin: &str, log_id: &str, dev: bool) {
    let (output, home) = (&context.output, context.home.root().display());
    output.line(Phrase::LedgerMade, &[&origin, &home]);
    output.line(Phrase::LogIdIs, &[&log_id]);
    output.line(Phrase::TrustIsIn, &[&context.home.trust().display()]);
    let serve = if dev { "creditbank serve --dev" } else { "creditbank serve" };
    output.line(Phrase::NextServe, &[&serve]);
    if dev {
        output.line(Phrase::DevIsForTrial, &[]);
    } else {
        output.line(Phrase::KeepAuthorityOffline, &[]);
    }
    output.json(&serde_json::json!({
        "log_id": log_id,
        "origin": origin,
        "home": context.home.root().display().to_string(),
        "trust": context.home.trust().display().to_string(),
        "dev": dev,
    }));
}

fn origin(args: &Args) -> Result<String, CommandError> {
    let origin = if let Some(origin) = &args.origin {
        origin.clone()
    } else {
        let tail = super::labels::hex(&random::bytes::<4>()?);
        format!("{DEV_ORIGIN_PREFIX}creditbank/{tail}")
    };
    if origin.starts_with(DEV_ORIGIN_PREFIX) == args.dev {
        Ok(origin)
    } else {
        Err(CommandError::usage(Phrase::OriginWrong, &[&origin, &DEV_ORIGIN_PREFIX]))
    }
}

/// The server's keys; those that are there already are taken, so that they can be made on another machine.
fn make_server_keys(context: &mut Context, stage: &Stage, args: &Args) -> Result<(), CommandError> {
    let second = args.second_checkpoint_key.then_some((ServerKey::SecondCheckpoint, Algorithm::Ed25519));
    let keys = [
        (ServerKey::Checkpoint, Algorithm::Ed25519),
        (ServerKey::Statement, Algorithm::Ed25519),
        (ServerKey::Operator, Algorithm::Ed25519),
        (ServerKey::Root, Algorithm::Root),
    ];
    for (key, algorithm) in keys.into_iter().chain(second) {
        let path = context.home.server_key(key);
        if path.exists() {
            context.output.note(Phrase::KeyTaken, &[&path.display()]);
        } else {
            generate(context, &path, &stage.staged().server_key(key), algorithm, args.encrypt)?;
        }
    }
    Ok(())
}

/// Makes a key in the stage; who is asked for a passphrase is told the place where it will lie.
fn generate(
    context: &mut Context,
    path: &Path,
    staged: &Path,
    algorithm: Algorithm,
    encrypt: bool,
) -> Result<KeyFile, CommandError> {
    let passphrase = if encrypt {
        Some(context.passphrases.for_new(&path.display().to_string())?)
    } else {
        context.passphrases.given()?
    };
    KeyFile::generate(staged, algorithm, passphrase)
}

/// The keys that may ever sign this log's checkpoints: none can be added later.
fn checkpoint_keys(keys: &ServerKeys) -> Vec<credit_types::PublicKey> {
    let both = std::iter::once(&keys.checkpoint).chain(&keys.second_checkpoint);
    let mut named: Vec<_> = both.map(|key| noun(&key.public())).collect();
    named.sort_by_key(|key| key.bytes);
    named
}

struct Authority {
    named: Vec<credit_types::PublicKey>,
    threshold: u32,
    signers: Vec<SigningKey>,
}

impl Authority {
    /// Keys in the order of a genesis; only as many sign as must.
    fn new(
        mut named: Vec<credit_types::PublicKey>,
        threshold: u32,
        mut signers: Vec<SigningKey>,
    ) -> Result<Self, CommandError> {
        let needed = usize::try_from(threshold).unwrap_or(usize::MAX);
        if threshold == 0 || named.len() < needed || signers.len() < needed {
            let have = signers.len();
            return Err(CommandError::usage(Phrase::AuthorityTooFew, &[&threshold, &have]));
        }
        named.sort_by_key(|key| key.bytes);
        signers.truncate(needed);
        Ok(Self { named, threshold, signers })
    }
}

fn dev_authority(context: &mut Context, stage: &Stage, encrypt: bool) -> Result<Authority, CommandError> {
    let (count, threshold) = DEV_AUTHORITY;
    let mut signers = Vec::new();
    for number in 1..=count {
        let path = context.home.authority_key(number);
        let key = if path.exists() {
            KeyFile::read(&path)?
        } else {
            generate(context, &path, &stage.staged().authority_key(number), Algorithm::Ed25519, encrypt)?
        };
        signers.push(key.signing(&mut context.passphrases)?);
    }
    let named = signers.iter().map(|key| noun(&key.public())).collect();
    Authority::new(named, threshold, signers)
}

fn authority(context: &mut Context, args: &Args) -> Result<Authority, CommandError> {
    let (mut named, mut signers) = (Vec::new(), Vec::new());
    for path in &args.authority_key {
        let file = KeyFile::read(path)?;
        let public =
            file.public().ok_or_else(|| CommandError::usage(Phrase::KeyFileNoPublic, &[&path.display()]))?;
        named.push(noun(public));
        if file.holds() != Holds::PublicOnly {
            signers.push(file.signing(&mut context.passphrases)?);
        }
    }
    let half = u32::try_from(named.len()).unwrap_or(u32::MAX) / 2;
    let threshold = args.threshold.unwrap_or(half.saturating_add(1));
    Authority::new(named, threshold, signers)
}

fn noun(key: &PublicKey) -> credit_types::PublicKey {
    credit_types::PublicKey { bytes: key.bytes(), kid: Kid(key.kid()) }
}

/// The header of entry 0: the log it begins has neither a name nor a head yet.
fn header() -> Result<Header, CommandError> {
    Ok(Header {
        log_id: None,
        statement_id: random::command_id(Clock::default().now_us())?,
        signer: SignerId::Authority,
        anchor: None,
    })
}

fn config_text(dev: bool, witness_policy: Option<&Path>) -> String {
    let head =
        "# creditbank config shows every key and what holds. · 运行 creditbank config 查看全部配置项。";
    // A server is started elsewhere than where the ledger was made.
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let quoted = |path: &Path| toml::Value::String(whole(path).display().to_string());
    let policy = witness_policy.map(|path| format!("witness_policy = {}\n", quoted(path)));
    format!("{head}\ndev = {dev}\n{}", policy.unwrap_or_default())
}

fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    fs::write(path, text).map_err(unwritable(path))
}
