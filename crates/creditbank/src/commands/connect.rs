//! The way to a running ledger: where it is, what is pinned of it, and who calls.

use super::Context;
use super::token::{Bearer, LIFE_MAX_S, issue};
use crate::ending::{CommandError, unreadable};
use crate::language::{Language, Phrase};
use credit_client::{Client, ClientBuilder, FileHeads, InstitutionSigner, TokenSource, Trust, parse_trust};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The variable that holds an access token.
const TOKEN_VARIABLE: &str = "CREDITBANK_TOKEN";

/// The variable that says where the ledger is served.
const URL_VARIABLE: &str = "CREDITBANK_URL";
/// Where it is served if nobody says.
const URL: &str = "http://127.0.0.1:50051";

/// Where the ledger is and what is pinned of it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Connect {
    /// Where the ledger is served · 账本服务地址
    #[arg(long, env = URL_VARIABLE, value_name = "URL", default_value = URL)]
    pub(crate) url: String,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
}

/// The same with who reads.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Reading {
    /// Where the ledger is · 账本所在
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Who reads · 读取身份
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Who reads.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Who {
    /// File with an access token; else the variable `CREDITBANK_TOKEN`; else, of a trial ledger, one is issued ·
    /// 访问令牌文件；否则取环境变量；试用账本会自行签发
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Read as this institution, by its tokens key in the home · 以该机构身份读取
    #[arg(long = "as", value_name = "ID", value_parser = super::keys::institution_id, conflicts_with = "token_file")]
    pub(crate) institution: Option<credit_types::InstitutionId>,
}

impl Who {
    /// Whether nothing says who reads: no token, no institution, and no issuer of a trial ledger in the home.
    pub(super) fn is_nobody(&self, context: &Context) -> bool {
        let Self { token_file, institution } = self;
        let token = std::env::var(TOKEN_VARIABLE).is_ok_and(|token| !token.is_empty());
        token_file.is_none() && institution.is_none() && !token && !context.home.issuer_key().exists()
    }
}

impl Connect {
    /// The ledger at an address; without one, where the environment says, or where it is served if nobody says.
    pub(super) fn at(url: Option<String>, trust: Option<PathBuf>) -> Self {
        let environment = || std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty());
        Self { url: url.or_else(environment).unwrap_or_else(|| URL.to_owned()), trust }
    }
}

/// Reads what is pinned of the ledger.
pub(super) fn trust(context: &Context, path: Option<&Path>) -> Result<Trust, CommandError> {
    let path = path.map_or_else(|| context.home.trust(), Path::to_path_buf);
    let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
    parse_trust(&text)
        .map_err(|cause| CommandError::usage(Phrase::TrustWrong, &[&path.display()]).because(cause))
}

/// Who calls.
pub(super) enum Caller {
    /// Nobody in particular.
    Anybody,
    /// An institution, which signs too.
    Institution(InstitutionSigner),
    /// Whoever was given this token.
    Bearer(String),
}

/// A client that remembers the heads it has seen in the home.
pub(super) fn client(context: &Context, connect: &Connect, caller: Caller) -> Result<Client, CommandError> {
    client_keeping(context, connect, caller, None)
}

/// The same, which keeps in a folder what it signs about keys before it sends it.
pub(super) fn client_keeping(
    context: &Context,
    connect: &Connect,
    caller: Caller,
    outbox: Option<&Path>,
) -> Result<Client, CommandError> {
    let trust = trust(context, connect.trust.as_deref())?;
    let heads = FileHeads::new(context.home.heads(), trust.log_id)
        .map_err(|cause| CommandError::from(credit_client::ClientError::from(cause)))?;
    let language = match context.output.language {
        Language::En => credit_client::Language::English,
        Language::Zh => credit_client::Language::Chinese,
    };
    let builder = ClientBuilder::new(&connect.url, trust).heads(Arc::new(heads)).language(language);
    let builder = match outbox {
        None => builder,
        Some(folder) => builder.outbox(folder),
    };
    let builder = match caller {
        Caller::Anybody => builder,
        Caller::Institution(signer) => builder.signer(signer),
        Caller::Bearer(token) => builder.token(TokenSource::Bearer(token)),
    };
    Ok(builder.build()?)
}

/// A client that reads: as whom it was told, or, of a trial ledger whose issuer key is in the home, as `default`.
pub(super) fn reader(
    context: &mut Context,
    reading: &Reading,
    default: &Bearer,
) -> Result<Client, CommandError> {
    let caller = if let Some(path) = &reading.who.token_file {
        Caller::Bearer(fs::read_to_string(path).map_err(unreadable(path))?.trim().to_owned())
    } else if let Some(institution) = &reading.who.institution {
        Caller::Institution(super::signer::institution(context, institution, &[])?)
    } else if let Some(token) = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()) {
        Caller::Bearer(token)
    } else if context.home.issuer_key().exists() {
        let audience = trust(context, reading.connect.trust.as_deref())?.origin;
        Caller::Bearer(issue(context, &audience, default, LIFE_MAX_S)?)
    } else {
        Caller::Anybody
    };
    client(context, &reading.connect, caller)
}
