//! `creditbank rules`: reads a rule book, checks it, tests it, tells it in sentences and pictures, without a ledger; and
//! publishes it in one, activates and abolishes it there, and reads it back.

mod answered;
mod load;
mod page;
mod past;
mod published;
mod told;

pub(super) use page::render_explanation;
pub(super) use published::{book_id, book_name, read_book};
pub(super) use told::{decision_documents, decision_lines, spoken};

use super::Context;
use super::connect::Connect;
use crate::ending::{CommandError, Ending, Exit, unwritable};
use crate::language::Phrase;
use credit_rules::book::Book;
use credit_rules::cases::run;
use credit_rules::check::{Surroundings, check};
use credit_rules::diff::diff;
use credit_rules::finding::{Document, Finding};
use credit_rules::parse::locate;
use credit_rules::program::Program;
use credit_types::{CivilDate, RuleBookAction};
use load::{Faults, Loaded};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Commands about rule books.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check a rule book; exit code 1 where something is wrong · 检查规则书，有错误时退出码为 1
    #[command(
        after_help = "Examples · 示例:\n  creditbank rules check ledger-data/rulebooks/yunjiang-city\n  creditbank rules check new/book.toml --against old/book.toml --published-on 2026-09-01"
    )]
    Check {
        /// The book, or the folder with its book.toml and cases.toml · 规则书文件，或其所在目录
        #[arg(value_name = "DIR|FILE")]
        book: PathBuf,
        /// An earlier version of the same book; can be given several times · 同一规则书的先前版本，可给多个
        #[arg(long, value_name = "FILE")]
        against: Vec<PathBuf>,
        /// Another book that is in force, through which credit could go round; several times · 同时施行的其他规则书，可给多个
        #[arg(long, value_name = "FILE")]
        beside: Vec<PathBuf>,
        /// The day on which it is to be published · 计划公布的日期
        #[arg(long, value_name = "DAY")]
        published_on: Option<CivilDate>,
    },
    /// Run the worked cases beside a book; exit code 1 where one fails · 运行规则书旁的算例，有不符时退出码为 1
    #[command(after_help = "Examples · 示例:\n  creditbank rules test ledger-data/rulebooks/yunjiang-city")]
    Test {
        /// The folder with book.toml and cases.toml · 规则书与算例所在目录
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Tell a book, or a decision under it, in sentences · 用文字说明规则书，或按它作出的决定
    #[command(
        after_help = "Examples · 示例:\n  creditbank rules explain ledger-data/rulebooks/yunjiang-city --lang zh\n  creditbank rules explain ledger-data/rulebooks/yunjiang-city --case senior-electrician"
    )]
    Explain {
        /// The book, or its folder · 规则书文件，或其所在目录
        #[arg(value_name = "DIR|FILE")]
        book: PathBuf,
        /// What is asked of it · 要说明的提问
        #[command(flatten)]
        asked: Asked,
    },
    /// Write a page with tables and pictures of a book, or of a decision under it · 生成规则书或决定的网页，含表格与图
    #[command(
        after_help = "Examples · 示例:\n  creditbank rules render ledger-data/rulebooks/yunjiang-city -o book.html\n  creditbank rules render ledger-data/rulebooks/yunjiang-city --case senior-electrician -o decision.html"
    )]
    Render {
        /// The book, or its folder · 规则书文件，或其所在目录
        #[arg(value_name = "DIR|FILE")]
        book: PathBuf,
        /// What is asked of it · 要说明的提问
        #[command(flatten)]
        asked: Asked,
        /// Where the page is written; replaces what is there · 网页写入的文件，已有的被替换
        #[arg(short = 'o', long = "page", value_name = "FILE", default_value = "page.html")]
        page: PathBuf,
    },
    /// Say what differs between two versions · 说明两版规则书的差别
    #[command(
        after_help = "With --ledger every application of a stopped ledger that was filed under the old book's id is reckoned again under either version, with the details that the root key of the home opens, on its own day, as if either version had been in force then: whose credit would have been another. Applications that were refused left no trace.\n加 --ledger 时，对已停止账本中按该规则书提出的每份申请，用主目录中的根密钥解开明细，以其当日，视两版当时均已施行，各重算一次，列出结果不同者；当时被拒绝的申请没有留下记录。\n\nExamples · 示例:\n  creditbank rules diff old/book.toml new/book.toml\n  creditbank rules diff old/book.toml new/book.toml --ledger --last 100\n  creditbank rules diff old/book.toml new/book.toml --ledger --dir /srv/ledger"
    )]
    Diff {
        /// The old version, or its folder · 旧版文件或目录
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The new version, or its folder · 新版文件或目录
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// What it would have changed of past applications
        #[command(flatten)]
        past: past::Past,
    },
    /// Publish a version in the ledger, signed by the authority · 由主管方签名，在账本中公布规则书
    #[command(
        after_help = "The book is checked first and not sent where something is wrong. It is in force once it is activated, when its notice is over; then every institution and learner can read it, and applications are reckoned under it.\n先检查规则书，有错误则不提交。公示期满并激活后施行，人人可读，申请按它计算。\n\nExamples · 示例:\n  creditbank rules publish ledger-data/rulebooks/yunjiang-city\n  creditbank rules publish ledger-data/rulebooks/yunjiang-city --activate"
    )]
    Publish(published::Publish),
    /// Bring a published version into force, signed by the authority's quorum · 由主管方签名，使已公布的版本施行
    #[command(after_help = "Examples · 示例:\n  creditbank rules activate cn.yunjiang.bank 1")]
    Activate(published::Change),
    /// End a version: nothing more is filed under it, signed by the authority · 由主管方签名，废止一个版本
    #[command(after_help = "Examples · 示例:\n  creditbank rules abolish cn.yunjiang.bank 1")]
    Abolish(published::Change),
    /// List the books of the ledger · 列出账本中的规则书
    #[command(after_help = "Examples · 示例:\n  creditbank rules list")]
    List {
        /// Where the ledger is · 账本所在
        #[command(flatten)]
        connect: Connect,
    },
    /// Show the versions of a book of the ledger, or what one says · 查看账本中规则书的各版，或其内容
    #[command(
        after_help = "The text is verified: its publication is proved to be in the log, and the bytes have the hash that it names.\n内容经过验证：公布条目已证明在账本中，字节与其中的哈希相符。\n\nExamples · 示例:\n  creditbank rules show cn.yunjiang.bank\n  creditbank rules show cn.yunjiang.bank 1 --text"
    )]
    Show(published::Show),
    /// Let rules be applied without an officer, signed by the accepting institution · 由接收机构签名，允许规则自动审批
    #[command(
        after_help = "Without --rule every rule of the book that the book itself leaves to it. The newest for a version counts; one whose day is past ends it.\n不写 --rule 即书中允许自动审批的全部规则。同一版以最新一份为准，日期已过即停止。\n\nExamples · 示例:\n  creditbank rules auto-approve cn.yunjiang.bank 1 --institution cn.yunjiang.univ --until 2027-08-31\n  creditbank rules auto-approve cn.yunjiang.bank 1 --institution cn.yunjiang.univ --rule bookkeeping --until 2027-08-31"
    )]
    AutoApprove(published::AutoApprove),
    /// Show the SHA-256 of a book's canonical bytes · 显示规则书规范字节的 SHA-256
    #[command(after_help = "Examples · 示例:\n  creditbank rules hash ledger-data/rulebooks/yunjiang-city")]
    Hash {
        /// The book, or its folder · 规则书文件，或其所在目录
        #[arg(value_name = "DIR|FILE")]
        book: PathBuf,
    },
    /// Write a book's canonical bytes to standard output · 输出规则书的规范字节
    #[command(
        after_help = "Examples · 示例:\n  creditbank rules canonical ledger-data/rulebooks/yunjiang-city > book.json"
    )]
    Canonical {
        /// The book, or its folder · 规则书文件，或其所在目录
        #[arg(value_name = "DIR|FILE")]
        book: PathBuf,
    },
}

/// What is asked of a book, instead of what it says.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// A question as TOML: records, a programme, a day; explains the decision · 提问文件（成果、专业、日期），说明所作的决定
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    question: Option<PathBuf>,
    /// The id of a worked case beside the book; explains the decision · 规则书旁算例的编号，说明所作的决定
    #[arg(long, value_name = "ID")]
    case: Option<String>,
}

/// Runs a command about rule books.
pub(crate) async fn run_command(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Check { book, against, beside, published_on } => {
            check_book(context, &book, &against, &beside, published_on)
        }
        Command::Test { folder } => test(context, &folder),
        Command::Explain { book, asked } => explain(context, &book, &asked),
        Command::Render { book, asked, page } => render(context, &book, &asked, &page),
        Command::Diff { old, new, past } => differences(context, &old, &new, &past),
        Command::Publish(args) => published::publish(context, args).await,
        Command::Activate(args) => published::change(context, args, RuleBookAction::Activate).await,
        Command::Abolish(args) => published::change(context, args, RuleBookAction::Abolish).await,
        Command::List { connect } => published::list(context, &connect).await,
        Command::Show(args) => published::show(context, args).await,
        Command::AutoApprove(args) => published::auto_approve(context, args).await,
        Command::Hash { book } => hash(context, &book),
        Command::Canonical { book } => canonical(context, &book),
    }
}

/// Goes on with what was read, or tells what is wrong with it and ends.
macro_rules! or_told {
    ($context:expr, $read:expr) => {
        match $read? {
            Ok(read) => read,
            Err(faults) => return Ok(told::faults($context, &faults)),
        }
    };
}

fn check_book(
    context: &Context,
    path: &Path,
    against: &[PathBuf],
    beside: &[PathBuf],
    published_on: Option<CivilDate>,
) -> Ending {
    let loaded = or_told!(context, load::book(path));
    let (mut previous, mut others) = (Vec::new(), Vec::new());
    for (paths, books) in [(against, &mut previous), (beside, &mut others)] {
        for path in paths {
            books.push(or_told!(context, load::book(path)).book);
        }
    }
    let faults = or_told!(context, examined(&loaded, &previous, &others, published_on));
    told::about(context, &loaded);
    Ok(told::checked(context, Some(&loaded), &faults))
}

/// What the static checks find in a book and the cases beside it; the fault alone where the cases can't be read.
fn examined(
    loaded: &Loaded,
    previous: &[Book],
    others: &[Book],
    published_on: Option<CivilDate>,
) -> Result<Result<Faults, Faults>, CommandError> {
    let cases = match load::cases_beside(loaded)? {
        None => None,
        Some(Ok(cases)) => Some(cases),
        Some(Err(faults)) => return Ok(Err(faults)),
    };
    let findings = check(
        &loaded.book,
        &Surroundings { cases: cases.as_ref().map(|file| &file.cases), previous, others, published_on },
    );
    // The findings of either file have their places in its own text.
    let (mut of_cases, mut findings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.document == Document::Cases);
    for (text, findings) in
        [(loaded.text.as_ref(), &mut findings), (cases.as_ref().map(|file| &file.text), &mut of_cases)]
    {
        if let Some(text) = text {
            locate(text, findings);
        }
    }
    findings.append(&mut of_cases);
    Ok(Ok(Faults { book: loaded.path.clone(), cases: cases.map(|file| file.path), findings }))
}

fn test(context: &Context, folder: &Path) -> Ending {
    let loaded = or_told!(context, load::book(folder));
    let Some(cases) = load::cases_beside(&loaded)? else {
        return Err(CommandError::usage(Phrase::RulesCasesMissing, &[&folder.display()]));
    };
    let file = or_told!(context, Ok::<_, CommandError>(cases));
    let results = run(&program(&loaded)?, &file.cases);
    told::about(context, &loaded);
    let failed = results.iter().filter(|result| !result.passed()).count();
    let passed = results.len().saturating_sub(failed);
    for result in results.iter().filter(|result| !result.passed()) {
        context.output.line(Phrase::RulesCaseFailed, &[&result.id]);
        for difference in &result.differences {
            let places: [&dyn std::fmt::Display; 3] =
                [&difference.field, &difference.expected, &difference.got];
            context.output.line(Phrase::RulesCaseDiffers, &places);
        }
    }
    context.output.line(Phrase::RulesTested, &[&results.len(), &passed, &failed]);
    let documents: Vec<_> = results
        .iter()
        .map(|result| {
            let differences: Vec<_> = result
                .differences
                .iter()
                .map(|own| json!({ "field": own.field, "expected": own.expected, "got": own.got }))
                .collect();
            json!({ "id": result.id, "passed": result.passed(), "differences": differences })
        })
        .collect();
    context.output.json(&json!({
        "book": told::identity(&loaded), "passed": passed, "failed": failed, "cases": documents,
    }));
    Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
}

/// A book made ready.
fn program(loaded: &Loaded) -> Result<Program, CommandError> {
    Program::new(loaded.book.clone())
        .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&loaded.path.display()]).because(cause))
}

fn explain(context: &Context, path: &Path, asked: &Asked) -> Ending {
    let loaded = or_told!(context, load::book(path));
    match or_told!(context, answered::answered(&loaded, asked)) {
        None => told::book(context, &loaded),
        Some(explanation) => told::decision(context, &loaded, &explanation),
    }
    Ok(Exit::Done)
}

fn render(context: &Context, path: &Path, asked: &Asked, to: &Path) -> Ending {
    let loaded = or_told!(context, load::book(path));
    let language = context.output.language;
    let hash = loaded.hash().to_string();
    let text = match or_told!(context, answered::answered(&loaded, asked)) {
        None => page::render_book(&loaded.book, &hash, language),
        Some(explanation) => page::render_explanation(&loaded.book, &explanation, language),
    };
    std::fs::write(to, text).map_err(unwritable(to))?;
    context.output.line(Phrase::RulesPageWritten, &[&to.display()]);
    context.output.json(&json!({ "book": told::identity(&loaded), "page": to.display().to_string() }));
    Ok(Exit::Done)
}

fn differences(context: &mut Context, old: &Path, new: &Path, past: &past::Past) -> Ending {
    let old = or_told!(context, load::book(old));
    let new = or_told!(context, load::book(new));
    let found = diff(&old.book, &new.book);
    told::about(context, &old);
    told::about(context, &new);
    told::differences(context, &found);
    let past = past::applications(context, &old, &new, past)?;
    context.output.json(&json!({
        "old": told::identity(&old), "new": told::identity(&new), "differences": found, "applications": past,
    }));
    Ok(Exit::Done)
}

fn hash(context: &Context, path: &Path) -> Ending {
    let loaded = or_told!(context, load::book(path));
    context.output.raw_line(&loaded.hash().to_string());
    context.output.json(&told::identity(&loaded));
    Ok(Exit::Done)
}

fn canonical(context: &Context, path: &Path) -> Ending {
    let loaded = or_told!(context, load::book(path));
    crate::output::Output::bytes(&loaded.book.canonical());
    Ok(Exit::Done)
}
