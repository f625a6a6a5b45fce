//! `creditbank convert`: credit at another institution. What would be granted is quoted, applied for, decided and moved on;
//! every decision can be read back with why.

mod decide;
mod documents;
mod quoted;
mod told;
mod wanted;

pub(super) use decide::{officer, tell_applied};
pub(super) use documents::{granted_document, item_document};
pub(super) use quoted::{applied_for, quote_of};
pub(super) use told::quote;
pub(super) use wanted::Wanted;

use super::Context;
use super::connect::{Caller, Reading, client, reader};
use super::keys::institution_id;
use super::recorded::Writing;
use super::rules::book_name;
use super::signer;
use super::token::{Bearer, account_ref};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_types::{AccountRef, BookName, ConversionAction, ConversionPurpose, InstitutionId, KeyPurpose};
use serde_json::json;
use std::path::PathBuf;

/// Applications asked for at once.
const PAGE: u32 = 200;

/// Commands about applications for credit.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what would be granted, and why; nothing is written · 试算可认定的学分并说明理由，不写入账本
    #[command(
        after_help = "Without --record all of the account that may be used. A fact is what a rule asks and no record says.\n不写 --record 即账户中可用的全部成果；--fact 是规则要问而成果没有写明的事实。\n\nExamples · 示例:\n  creditbank convert quote --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --into cn.yunjiang.openuniv:SOFT-AD\n  creditbank convert quote --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --into cn.yunjiang.openuniv:SOFT-AD --record cn.yunjiang.skills/0199f0a0c0de8000800000000000abcd --fact 0:content_match=85 --enrolled-on 2026-09-01 --html quote.html"
    )]
    Quote(Quote),
    /// Apply, signed by the registrar who saw the learner's consent · 由登记机构签名，代学习者提出申请
    #[command(
        after_help = "The records are held until it is decided. Where the book and the institution's auto-approval say so, it is posted at once.\n成果随即冻结，直至作出决定；规则书与接收机构的自动审批都允许时，当即入账。\n\nExamples · 示例:\n  creditbank convert request --as cn.yunjiang.creditbank --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --into cn.yunjiang.openuniv:SOFT-AD --consent form-2026-118"
    )]
    Request(Box<Request>),
    /// Decide an application, signed by the institution that was asked · 由被申请的机构签名，作出决定
    #[command(
        after_help = "After a first appeal another key of the institution decides, after a second one a regulator. Of --partly each --item is POSITION=CREDITS:REASON or POSITION=decline:REASON; what is not named is granted as proposed.\n第一次申诉后由本机构另一把密钥决定，第二次申诉后由监管机构决定。--partly 须配 --item：位置=学分:原因，或 位置=decline:原因；没有写明的按拟认定通过。\n\nExamples · 示例:\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --approve\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --approve --provisional-until 2027-01-31\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --reject evidence-insufficient --opinion '无法核实'\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --ask evidence-insufficient\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --key other-officer.key --approve\n  creditbank convert decide 118 --as cn.yunjiang.openuniv --partly --item 0=2.5:content-match-low --item 1=decline:duplicate-subject"
    )]
    Decide(Box<decide::Decide>),
    /// Withdraw before a decision, signed by a registrar · 作出决定前撤回，由登记机构签名
    #[command(after_help = "Examples · 示例:\n  creditbank convert withdraw 118 --as cn.yunjiang.creditbank")]
    Withdraw(decide::Step),
    /// Appeal a rejection, signed by a registrar · 对不予通过提出申诉，由登记机构签名
    #[command(
        after_help = "Examples · 示例:\n  creditbank convert appeal 118 --as cn.yunjiang.creditbank --explanation '补交成绩单'"
    )]
    Appeal(decide::Step),
    /// Answer what was asked, signed by a registrar · 补充材料后继续审核，由登记机构签名
    #[command(after_help = "Examples · 示例:\n  creditbank convert answer 118 --as cn.yunjiang.creditbank")]
    Answer(decide::Step),
    /// Make provisional credit final, signed by the institution · 确认暂入账的学分，由该机构签名
    #[command(after_help = "Examples · 示例:\n  creditbank convert confirm 118 --as cn.yunjiang.openuniv")]
    Confirm(decide::Step),
    /// Take provisional credit back, signed by the institution · 撤销暂入账的学分，由该机构签名
    #[command(after_help = "Examples · 示例:\n  creditbank convert rescind 118 --as cn.yunjiang.openuniv")]
    Rescind(decide::Step),
    /// Show an application with why · 查看申请及其理由
    #[command(
        after_help = "Examples · 示例:\n  creditbank convert show 118\n  creditbank convert show 118 --html decision.html"
    )]
    Show(Show),
    /// List applications of an account, or those made to an institution · 列出账户的申请，或向机构提出的申请
    #[command(
        after_help = "Examples · 示例:\n  creditbank convert list --account 00112233445566778899aabbccddeeff\n  creditbank convert list --as cn.yunjiang.openuniv --open"
    )]
    List(List),
}

/// Asks what would be granted.
#[derive(Debug, clap::Args)]
pub(crate) struct Quote {
    /// What is asked · 试算内容
    #[command(flatten)]
    wanted: Wanted,
    /// The programme of the book · 规则书中的专业
    #[arg(long = "into", value_name = "PROGRAMME", value_parser = book_name)]
    target: BookName,
    /// Write why as a page for people to this file too · 另将理由写成网页文件
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Applies.
#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    /// The registrar that signs with its registry key · 登记机构，用其 registry 密钥签名
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    registrar: InstitutionId,
    /// What is asked · 申请内容
    #[command(flatten)]
    wanted: Wanted,
    /// The programme of the book · 规则书中的专业
    #[arg(long = "into", value_name = "PROGRAMME", value_parser = book_name)]
    target: BookName,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Shows an application.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The application: index of its entry · 申请：其条目序号
    application: u64,
    /// Write why as a page for people to this file too · 另将理由写成网页文件
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Lists applications.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The account: 32 hexadecimal digits; without it those made to the reading institution · 账户；不写则列出向本机构提出的
    #[arg(long, value_name = "ACCOUNT", value_parser = account_ref, required_unless_present = "institution")]
    account: Option<AccountRef>,
    /// Only those that an officer is to decide · 只列待审核的
    #[arg(long)]
    open: bool,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Runs a command about applications.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Quote(args) => quote_command(context, args).await,
        Command::Request(args) => request(context, *args).await,
        Command::Decide(args) => decide::decide(context, *args).await,
        Command::Withdraw(args) => decide::step(context, args, ConversionAction::Withdraw).await,
        Command::Appeal(args) => decide::step(context, args, ConversionAction::Appeal).await,
        Command::Answer(args) => decide::step(context, args, ConversionAction::Answer).await,
        Command::Confirm(args) => decide::step(context, args, ConversionAction::Confirm).await,
        Command::Rescind(args) => decide::step(context, args, ConversionAction::Rescind).await,
        Command::Show(args) => show(context, args).await,
        Command::List(args) => list(context, args).await,
    }
}

async fn quote_command(context: &mut Context, args: Quote) -> Ending {
    let Quote { wanted, target, html, reading } = args;
    let client = reader(context, &reading, &Bearer::Learner(wanted.account))?;
    let quoted = quote_of(&client, &wanted, ConversionPurpose::Credit, &target).await?;
    told::quote(context, &client, &quoted, html.as_deref()).await
}

async fn request(context: &mut Context, args: Request) -> Ending {
    let Request { registrar, wanted, target, writing } = args;
    let signer = signer::institution(context, &registrar, &[KeyPurpose::Registry])?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    let quoted = quote_of(&client, &wanted, ConversionPurpose::Credit, &target).await?;
    if !quoted.would_be_made() {
        return told::quote(context, &client, &quoted, None).await;
    }
    let applied = client.request_conversion(&applied_for(&quoted)).await?;
    let application = applied.recorded.index;
    let (document, exit) = tell_applied(context, &client, &writing, application, &applied).await?;
    context.output.json(&document);
    Ok(exit)
}

async fn show(context: &mut Context, args: Show) -> Ending {
    let Show { application, html, reading } = args;
    let client = reader(context, &reading, &Bearer::Auditor)?;
    let opened = client.get_conversion(application).await?;
    client.prove_conversion(&opened.view).await?;
    told::application(context, &client, &opened, html.as_deref()).await
}

async fn list(context: &mut Context, args: List) -> Ending {
    let List { account, open, reading } = args;
    let default = account.map_or(Bearer::Auditor, Bearer::Learner);
    let client = reader(context, &reading, &default)?;
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let page = client.list_conversions(account, open, PAGE, &token).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    told::applications(context, &found);
    let documents: Vec<_> = found.iter().map(documents::application).collect();
    context.output.json(&json!({ "applications": documents }));
    Ok(Exit::Done)
}

/// A client of an institution that reads by its tokens key and signs by its keys for some purposes.
fn acting(
    context: &mut Context,
    institution: &InstitutionId,
    purpose: KeyPurpose,
    writing: &Writing,
) -> Result<credit_client::Client, CommandError> {
    let signer = signer::institution(context, institution, &[purpose])?;
    client(context, &writing.connect, Caller::Institution(signer))
}

/// A page for people is made of a conversion only.
pub(super) fn no_page() -> CommandError {
    CommandError::usage(Phrase::ConvertNoPage, &[])
}
