//! `creditbank award`: awards. Whether a learner's records fulfil one, its grant, and its reversal by order.

use super::Context;
use super::connect::{Caller, Reading, client, reader};
use super::convert::{Wanted, applied_for, officer, quote, quote_of, tell_applied};
use super::keys::institution_id;
use super::reason::words;
use super::recorded::Writing;
use super::rules::book_name;
use super::signer;
use super::token::Bearer;
use crate::ending::Ending;
use credit_client::NewReversal;
use credit_types::{BookName, ConversionPurpose, DecisionOutcome, InstitutionId, KeyPurpose};
use serde_json::json;

/// Commands about awards.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show whether an award is fulfilled, and what is missing; nothing is written · 查看是否满足兑换条件及所缺，不写入账本
    #[command(
        after_help = "Examples · 示例:\n  creditbank award check --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --award passport"
    )]
    Check(Check),
    /// Apply for an award; with --grant it is granted too · 申请兑换；加 --grant 同时授予
    #[command(
        after_help = "The registrar's registry key signs the application, which says that the learner's will was seen. With --grant the awarding institution's decisions key, in the same home, signs the decision; without it the officer runs `creditbank convert decide`.\n登记机构的 registry 密钥签署申请；加 --grant 时，同一主目录中授予机构的 decisions 密钥签署决定，否则由其人员另行运行 convert decide。\n\nExamples · 示例:\n  creditbank award grant --as cn.yunjiang.creditbank --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --award passport --consent form-2026-119\n  creditbank award grant --as cn.yunjiang.creditbank --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --award passport --grant"
    )]
    Grant(Box<Grant>),
    /// Take an award back by order, signed by the awarding institution and a regulator · 依法令冲销，由授予机构与监管机构共同签名
    #[command(
        after_help = "The awarding institution's decisions key and the regulator's status key sign one statement: both are in the home. Records that are not kept are free again.\n授予机构的 decisions 密钥与监管机构的 status 密钥共同签署，两者都在主目录中；未写明保留的成果恢复可用。\n\nExamples · 示例:\n  creditbank award reverse 131 --as cn.yunjiang.creditbank --regulator cn.yunjiang.education --order-ref 2026-77 --keep 0"
    )]
    Reverse(Reverse),
}

/// Asks whether an award is fulfilled.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// What is asked · 查询内容
    #[command(flatten)]
    wanted: Wanted,
    /// The award of the book · 规则书中的兑换项目
    #[arg(long, value_name = "AWARD", value_parser = book_name)]
    award: BookName,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Applies for an award.
#[derive(Debug, clap::Args)]
pub(crate) struct Grant {
    /// The registrar that signs with its registry key · 登记机构，用其 registry 密钥签名
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    registrar: InstitutionId,
    /// What is asked · 申请内容
    #[command(flatten)]
    wanted: Wanted,
    /// The award of the book · 规则书中的兑换项目
    #[arg(long, value_name = "AWARD", value_parser = book_name)]
    award: BookName,
    /// Grant it too, by the awarding institution's decisions key in the home · 同时由授予机构的 decisions 密钥授予
    #[arg(long)]
    grant: bool,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Takes an award back.
#[derive(Debug, clap::Args)]
pub(crate) struct Reverse {
    /// The application that it was granted by: index of its entry · 据以授予的申请：其条目序号
    application: u64,
    /// The awarding institution · 授予机构
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    institution: InstitutionId,
    /// The regulator that signs as well · 共同签名的监管机构
    #[arg(long, value_name = "ID", value_parser = institution_id)]
    regulator: InstitutionId,
    /// Reference of the order · 法令文号
    #[arg(long, value_name = "REF")]
    order_ref: String,
    /// Position, in the request, of a record that stays used; several times · 仍视为已使用的成果在申请中的位置，可给多个
    #[arg(long, value_name = "POSITION")]
    keep: Vec<u32>,
    /// Words about it; kept sealed, only their commitment is in the log · 说明，加密保存
    #[arg(long, value_name = "TEXT")]
    explanation: Option<String>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Runs a command about awards.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Check(args) => check(context, args).await,
        Command::Grant(args) => grant(context, *args).await,
        Command::Reverse(args) => reverse(context, args).await,
    }
}

async fn check(context: &mut Context, args: Check) -> Ending {
    let Check { wanted, award, reading } = args;
    let client = reader(context, &reading, &Bearer::Learner(wanted.account))?;
    let quoted = quote_of(&client, &wanted, ConversionPurpose::Award, &award).await?;
    quote(context, &client, &quoted, None).await
}

async fn grant(context: &mut Context, args: Grant) -> Ending {
    let Grant { registrar, wanted, award, grant, writing } = args;
    let signer = signer::institution(context, &registrar, &[KeyPurpose::Registry])?;
    let as_registrar = client(context, &writing.connect, Caller::Institution(signer))?;
    let quoted = quote_of(&as_registrar, &wanted, ConversionPurpose::Award, &award).await?;
    if !quoted.would_be_made() {
        return quote(context, &as_registrar, &quoted, None).await;
    }
    // Whose key is missing is said before anything is held for the application.
    let as_awarder = if grant {
        let signer = signer::institution(context, &quoted.quote.institution_id, &[KeyPurpose::Decisions])?;
        Some(client(context, &writing.connect, Caller::Institution(signer))?)
    } else {
        None
    };
    let count = if grant { 2 } else { 1 };
    let applied = as_registrar.request_conversion(&applied_for(&quoted)).await?;
    let application = applied.recorded.index;
    let first = writing.of(1, count);
    let (document, mut exit) = tell_applied(context, &as_registrar, &first, application, &applied).await?;
    let mut decided = None;
    if let Some(as_awarder) = as_awarder {
        let decision = officer(&as_awarder, application, DecisionOutcome::Approve, None).await?;
        let applied = as_awarder.decide_conversion(&decision).await?;
        let second = writing.of(2, count);
        let (document, end) = tell_applied(context, &as_awarder, &second, application, &applied).await?;
        exit = exit.or(end);
        decided = Some(document);
    }
    context.output.json(&json!({ "requested": document, "decided": decided }));
    Ok(exit)
}

async fn reverse(context: &mut Context, args: Reverse) -> Ending {
    let Reverse { application, institution, regulator, order_ref, keep, explanation, writing } = args;
    let awarder = signer::institution(context, &institution, &[KeyPurpose::Decisions])?;
    let regulator = signer::institution(context, &regulator, &[KeyPurpose::Status])?;
    let client = client(context, &writing.connect, Caller::Institution(awarder))?;
    let after = client.get_conversion(application).await?.view.last_entry;
    let explanation = explanation.as_deref().map(words);
    let reversal = NewReversal { after, application, order_ref, kept: keep, explanation };
    let applied = client.reverse_award(&reversal, &regulator).await?;
    let (document, exit) = tell_applied(context, &client, &writing, application, &applied).await?;
    context.output.json(&document);
    Ok(exit)
}
