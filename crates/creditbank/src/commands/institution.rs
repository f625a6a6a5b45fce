//! `creditbank institution`: admits institutions and keeps their keys in the log.

mod admit;
mod key;

pub(super) use admit::admit_generated;

use super::Context;
use super::connect::{Caller, Connect, client};
use super::keys::{institution_id, purpose};
use super::labels::{institution_kind, purpose as purpose_label, role};
use super::recorded::Writing;
use crate::ending::{Ending, Exit};
use crate::home::purpose_name;
use crate::language::Phrase;
use credit_client::{InstitutionView, KeyHistory};
use credit_log::envelope::{kid_text, parse_kid_text};
use credit_types::{InstitutionId, KeyPurpose, Kid};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Institutions asked for at once.
const PAGE: u32 = 200;

/// Commands about institutions.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Admit institutions with their first keys · 机构准入并登记首批密钥
    #[command(
        after_help = "Examples · 示例:\n  creditbank institution admit --file ledger-data/institutions/city.toml --id cn.yunjiang.openuniv --generate-keys"
    )]
    Admit(admit::Args),
    /// List institutions · 列出机构
    #[command(after_help = "Examples · 示例:\n  creditbank institution list")]
    List {
        /// Where the ledger is · 账本所在
        #[command(flatten)]
        connect: Connect,
    },
    /// Show an institution with its keys · 查看机构及其密钥
    #[command(after_help = "Examples · 示例:\n  creditbank institution show cn.yunjiang.openuniv")]
    Show {
        /// The institution · 机构标识
        #[arg(value_parser = institution_id)]
        institution: InstitutionId,
        /// Where the ledger is · 账本所在
        #[command(flatten)]
        connect: Connect,
    },
    /// Add a key; it signs too, as a proof of possession · 登记新密钥
    #[command(
        after_help = "Examples · 示例:\n  creditbank institution add-key cn.yunjiang.openuniv --key records-2027.key --purpose records"
    )]
    AddKey {
        /// The owner · 密钥所属机构
        #[arg(value_parser = institution_id)]
        institution: InstitutionId,
        /// The new key, with its secret · 新密钥文件
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// What it may sign; can be given several times · 密钥用途，可给多个
        #[arg(long, value_name = "PURPOSE", value_parser = purpose, required = true)]
        purpose: Vec<KeyPurpose>,
        /// Who decides · 由谁决定
        #[command(flatten)]
        by: key::By,
    },
    /// Retire a key; what it signed stays · 停用密钥，已签内容不变
    #[command(
        after_help = "Examples · 示例:\n  creditbank institution retire-key cn.yunjiang.openuniv --kid ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )]
    RetireKey {
        /// The owner · 密钥所属机构
        #[arg(value_parser = institution_id)]
        institution: InstitutionId,
        /// The key's id · 密钥标识
        #[arg(long, value_name = "KID", value_parser = kid)]
        kid: Kid,
        /// Who decides · 由谁决定
        #[command(flatten)]
        by: key::By,
    },
    /// Report a key as compromised · 报告密钥泄露
    #[command(
        after_help = "Examples · 示例:\n  creditbank institution report-key cn.yunjiang.openuniv --kid ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA --suspect-from 120"
    )]
    ReportKey {
        /// The owner · 密钥所属机构
        #[arg(value_parser = institution_id)]
        institution: InstitutionId,
        /// The key's id · 密钥标识
        #[arg(long, value_name = "KID", value_parser = kid)]
        kid: Kid,
        /// First index whose use of the key is in doubt · 自第几条起存疑
        #[arg(long, value_name = "INDEX")]
        suspect_from: u64,
        /// Who decides · 由谁决定
        #[command(flatten)]
        by: key::By,
    },
}

/// Reads a key's id.
pub(crate) fn kid(text: &str) -> Result<Kid, String> {
    parse_kid_text(text).map(Kid).map_err(|error| error.to_string())
}

/// Runs a command about institutions.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Admit(args) => admit::run(context, args).await,
        Command::List { connect } => list(context, &connect).await,
        Command::Show { institution, connect } => show(context, &institution, &connect).await,
        Command::AddKey { institution, key, purpose, by } => {
            key::add(context, &institution, &key, purpose, &by).await
        }
        Command::RetireKey { institution, kid, by } => key::retire(context, &institution, kid, &by).await,
        Command::ReportKey { institution, kid, suspect_from, by } => {
            key::report(context, &institution, kid, suspect_from, &by).await
        }
    }
}

async fn list(context: &mut Context, connect: &Connect) -> Ending {
    let client = client(context, connect, Caller::Anybody)?;
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let page = client.list_institutions(PAGE, &token).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    let language = context.output.language;
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|view| {
            let admission = &view.admission;
            vec![
                admission.institution_id.to_string(),
                language.of(&admission.name).to_owned(),
                language.of(&institution_kind(admission.kind)).to_owned(),
                roles(context, view),
                view.admitted_index.to_string(),
            ]
        })
        .collect();
    let header = [
        Phrase::ColumnInstitution,
        Phrase::ColumnName,
        Phrase::ColumnKind,
        Phrase::ColumnRoles,
        Phrase::ColumnIndex,
    ];
    context.output.table(&header, &rows);
    let documents: Vec<Value> = found.iter().map(document).collect();
    context.output.json(&json!({ "institutions": documents }));
    Ok(Exit::Done)
}

fn roles(context: &Context, view: &InstitutionView) -> String {
    let language = context.output.language;
    let names = view.admission.roles.iter().map(|of| language.of(&role(*of)).to_owned());
    names.collect::<Vec<_>>().join(" ")
}

async fn show(context: &mut Context, institution: &InstitutionId, connect: &Connect) -> Ending {
    let client = client(context, connect, Caller::Anybody)?;
    let view = client.get_institution(institution).await?;
    let output = &context.output;
    let language = output.language;
    let (name, roles) = (language.of(&view.admission.name), roles(context, &view));
    output.line(Phrase::InstitutionShown, &[institution, &name, &roles, &view.admitted_index]);
    let rows: Vec<Vec<String>> = view
        .keys
        .iter()
        .map(|history| {
            let purposes = history.key.purposes.iter();
            let purposes: Vec<String> =
                purposes.map(|of| language.of(&purpose_label(*of)).to_owned()).collect();
            vec![
                kid_text(&history.key.key.kid.0),
                purposes.join(" "),
                history.active_from_index.to_string(),
                state(context, history),
            ]
        })
        .collect();
    let header = [Phrase::ColumnKid, Phrase::ColumnPurposes, Phrase::ColumnActiveFrom, Phrase::ColumnStatus];
    output.table(&header, &rows);
    output.json(&document(&view));
    Ok(Exit::Done)
}

fn state(context: &Context, history: &KeyHistory) -> String {
    let text = match (history.compromised_index, history.suspect_from_index, history.retired_from_index) {
        (Some(reported), suspect, _) => {
            Phrase::KeyCompromised.with(&[&reported, &suspect.unwrap_or(reported)])
        }
        (None, _, Some(retired)) => Phrase::KeyRetired.with(&[&retired]),
        (None, _, None) => Phrase::KeyActive.text(),
    };
    context.output.language.of(&text).to_owned()
}

fn document(view: &InstitutionView) -> Value {
    let admission = &view.admission;
    let keys: Vec<Value> = view
        .keys
        .iter()
        .map(|history| {
            let purposes: Vec<&str> = history.key.purposes.iter().map(|of| purpose_name(*of)).collect();
            json!({
                "kid": kid_text(&history.key.key.kid.0),
                "purposes": purposes,
                "active_from_index": history.active_from_index,
                "retired_from_index": history.retired_from_index,
                "compromised_index": history.compromised_index,
                "suspect_from_index": history.suspect_from_index,
                "last_status_entry": history.last_status_entry.to_string(),
            })
        })
        .collect();
    json!({
        "institution_id": admission.institution_id.as_str(),
        "name": { "zh": admission.name.zh, "en": admission.name.en },
        "roles": admission.roles.iter().map(|of| role(*of).en.to_uppercase()).collect::<Vec<_>>(),
        "district_code": admission.district_code,
        "admitted_index": view.admitted_index,
        "keys": keys,
    })
}
