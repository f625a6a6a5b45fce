//! Rule books in a ledger: published, activated, abolished, applied without an officer, read back.

use super::load::{self, Loaded};
use super::{examined, told};
use crate::commands::Context;
use crate::commands::connect::{Caller, Connect, client};
use crate::commands::keys::institution_id;
use crate::commands::labels::instant;
use crate::commands::recorded::{self, Writing};
use crate::commands::signer;
use crate::ending::{CommandError, Ending, Exit};
use crate::language::{Language, Phrase};
use credit_client::{Client, RuleBookVersion};
use credit_ledger::assess;
use credit_rules::book::Book;
use credit_rules::finding::Severity;
use credit_service::clock::Clock;
use credit_types::{
    AutoApproval, BookCheck, BookDate, BookName, BookVersion, CivilDate, FrameworkId, InstitutionId,
    KeyPurpose, RuleBookAction, RuleBookPublication,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Books asked for at once.
const PAGE: u32 = 200;
/// China's offset from UTC, in which times are shown.
const OFFSET_MINUTES: i32 = 480;

/// Publishes a version.
#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// The book, or the folder with its book.toml and cases.toml · 规则书文件，或其所在目录
    #[arg(value_name = "DIR|FILE")]
    book: PathBuf,
    /// Activate it too; the ledger refuses while the notice lasts · 同时激活；公示期未满时账本拒绝
    #[arg(long)]
    activate: bool,
    /// Keys of the authority; by default those in the home · 主管方密钥文件
    #[arg(long, value_name = "FILE")]
    authority_key: Vec<PathBuf>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Activates or abolishes a version.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// The book's id · 规则书标识
    #[arg(value_parser = book_id)]
    book: FrameworkId,
    /// Its version · 版本
    #[arg(value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    book_version: u32,
    /// Keys of the authority; by default those in the home · 主管方密钥文件
    #[arg(long, value_name = "FILE")]
    authority_key: Vec<PathBuf>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Shows a book.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The book's id · 规则书标识
    #[arg(value_parser = book_id)]
    book: FrameworkId,
    /// This version only; with --text by default the one in force · 只看这一版；与 --text 同用时缺省为施行的版本
    #[arg(value_name = "VERSION")]
    book_version: Option<u32>,
    /// Tell what the book says, in sentences · 用文字说明规则书的内容
    #[arg(long)]
    text: bool,
    /// Where the ledger is · 账本所在
    #[command(flatten)]
    connect: Connect,
}

/// Gives an auto-approval.
#[derive(Debug, clap::Args)]
pub(crate) struct AutoApprove {
    /// The book's id · 规则书标识
    #[arg(value_parser = book_id)]
    book: FrameworkId,
    /// Its version · 版本
    #[arg(value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    book_version: u32,
    /// The accepting institution, which signs with its decisions key · 接收机构，用其 decisions 密钥签名
    #[arg(long, value_name = "ID", value_parser = institution_id)]
    institution: InstitutionId,
    /// A rule; can be given several times, none for all · 规则，可给多个，不写即全部
    #[arg(long, value_name = "RULE", value_parser = book_name)]
    rule: Vec<BookName>,
    /// The last day on which it holds · 有效的最后一天
    #[arg(long, value_name = "DATE")]
    until: CivilDate,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Reads the id of a rule book.
pub(in crate::commands) fn book_id(text: &str) -> Result<FrameworkId, String> {
    FrameworkId::new(text).map_err(|error| error.to_string())
}

/// Reads an id of a rule book's own: a rule, a programme, an award.
pub(in crate::commands) fn book_name(text: &str) -> Result<BookName, String> {
    BookName::new(text).map_err(|error| error.to_string())
}

/// The statement that publishes a book, from what the book says of itself.
fn publication(loaded: &Loaded, canonical: &[u8]) -> Result<RuleBookPublication, CommandError> {
    let check = assess::check_of(&loaded.book, canonical.len());
    let BookCheck { book, size_bytes, effective_from, effective_until, select_by } =
        check.ok_or_else(|| CommandError::usage(Phrase::RulesNotPublishable, &[&loaded.path.display()]))?;
    Ok(RuleBookPublication {
        book,
        digest: loaded.hash(),
        size_bytes,
        effective_from,
        effective_until,
        select_by,
    })
}

/// Publishes a version.
pub(super) async fn publish(context: &mut Context, args: Publish) -> Ending {
    let Publish { book: path, activate, authority_key, writing } = args;
    let loaded = match load::book(&path)? {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(told::faults(context, &faults)),
    };
    // The ledger looks at the day too: a book that would take effect before it is published has to say so.
    let today = CivilDate::at(Clock::default().now_us(), OFFSET_MINUTES).ok();
    let (Ok(faults) | Err(faults)) = examined(&loaded, &[], &[], today)?;
    if faults.findings.iter().any(|finding| finding.severity == Severity::Error) {
        told::about(context, &loaded);
        return Ok(told::checked(context, Some(&loaded), &faults));
    }
    let canonical = loaded.book.canonical();
    let publication = publication(&loaded, &canonical)?;
    let authority = signer::authority(context, &authority_key)?;
    let client = client(context, &writing.connect, Caller::Anybody)?;
    let BookVersion { book_id, version } = publication.book.clone();
    let count = if activate { 2 } else { 1 };
    let recorded = client.publish_rule_book(&authority, &publication, &canonical).await?;
    context.output.line(Phrase::RulesPublished, &[&book_id, &version, &publication.digest]);
    let told = recorded::tell(context, &client, &writing.of(1, count), &recorded).await?;
    let (mut exit, mut activated) = (told.exit, Value::Null);
    if activate {
        let known = version_of(&client, &book_id, version).await?;
        let recorded = client.change_rule_book(&authority, &known, RuleBookAction::Activate).await?;
        context.output.line(Phrase::RulesActivated, &[&book_id, &version]);
        let told = recorded::tell(context, &client, &writing.of(2, count), &recorded).await?;
        (exit, activated) = (exit.or(told.exit), told.document);
    }
    let more = json!({
        "book_id": book_id.as_str(), "version": version, "sha256": publication.digest.to_string(),
        "size_bytes": publication.size_bytes, "activated": activated,
    });
    context.output.json(&recorded::with(told.document, more));
    Ok(exit)
}

/// A version as the ledger knows it.
async fn version_of(
    client: &Client,
    book_id: &FrameworkId,
    version: u32,
) -> Result<RuleBookVersion, CommandError> {
    let versions = client.get_rule_book(book_id).await?;
    let found = versions.into_iter().find(|known| known.publication.book.version == version);
    found.ok_or_else(|| CommandError::usage(Phrase::RulesNoSuchVersion, &[book_id, &version]))
}

/// Activates or abolishes a version.
pub(super) async fn change(context: &mut Context, args: Change, action: RuleBookAction) -> Ending {
    let Change { book, book_version: version, authority_key, writing } = args;
    let authority = signer::authority(context, &authority_key)?;
    let client = client(context, &writing.connect, Caller::Anybody)?;
    let known = version_of(&client, &book, version).await?;
    let recorded = client.change_rule_book(&authority, &known, action).await?;
    let phrase = match action {
        RuleBookAction::Activate => Phrase::RulesActivated,
        RuleBookAction::Abolish => Phrase::RulesAbolished,
    };
    context.output.line(phrase, &[&book, &version]);
    let told = recorded::tell(context, &client, &writing, &recorded).await?;
    let more = json!({ "book_id": book.as_str(), "version": version });
    context.output.json(&recorded::with(told.document, more));
    Ok(told.exit)
}

/// Says which rules an institution applies without an officer.
pub(super) async fn auto_approve(context: &mut Context, args: AutoApprove) -> Ending {
    let AutoApprove { book, book_version: version, institution, mut rule, until, writing } = args;
    rule.sort();
    rule.dedup();
    let signer = signer::institution(context, &institution, &[KeyPurpose::Decisions])?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    let named = BookVersion { book_id: book.clone(), version };
    let approval = AutoApproval { book: named, rules: rule, until };
    let recorded = client.give_auto_approval(&approval).await?;
    let phrase =
        if approval.rules.is_empty() { Phrase::RulesAutoApprovedAll } else { Phrase::RulesAutoApproved };
    context.output.line(phrase, &[&institution, &book, &version, &until, &approval.rules.len()]);
    let told = recorded::tell(context, &client, &writing, &recorded).await?;
    let rules: Vec<&str> = approval.rules.iter().map(BookName::as_str).collect();
    let more = json!({
        "book_id": book.as_str(), "version": version, "institution_id": institution.as_str(),
        "rules": rules, "until": until.to_string(),
    });
    context.output.json(&recorded::with(told.document, more));
    Ok(told.exit)
}

/// Lists the books of the ledger.
pub(super) async fn list(context: &mut Context, connect: &Connect) -> Ending {
    let client = client(context, connect, Caller::Anybody)?;
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let page = client.list_rule_books(PAGE, &token).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    tell_versions(context, &found);
    context.output.json(&json!({ "newest": found.iter().map(document).collect::<Vec<_>>() }));
    Ok(Exit::Done)
}

/// Shows the versions of a book, or what one of them says.
pub(super) async fn show(context: &mut Context, args: Show) -> Ending {
    let Show { book, book_version: version, text, connect } = args;
    let client = client(context, &connect, Caller::Anybody)?;
    if text {
        let (known, read) = read_book(&client, &book, version.unwrap_or(0)).await?;
        let path = PathBuf::from(format!("{book} {}", known.publication.book.version));
        let loaded = Loaded { path, text: None, book: read };
        told::about(context, &loaded);
        context.output.line(Phrase::RulesTextProved, &[&known.published_index]);
        told::book(context, &loaded);
        return Ok(Exit::Done);
    }
    let mut found = client.get_rule_book(&book).await?;
    found.retain(|known| version.is_none_or(|version| known.publication.book.version == version));
    if found.is_empty() {
        return Err(CommandError::usage(Phrase::RulesNoSuchVersion, &[&book, &version.unwrap_or(0)]));
    }
    tell_versions(context, &found);
    let versions: Vec<Value> = found.iter().map(document).collect();
    context.output.json(&json!({ "book_id": book.as_str(), "versions": versions }));
    Ok(Exit::Done)
}

/// A book as it was published, proved, and read; version 0 is the one in force.
pub(in crate::commands) async fn read_book(
    client: &Client,
    book_id: &FrameworkId,
    version: u32,
) -> Result<(RuleBookVersion, Book), CommandError> {
    let (known, bytes) = client.read_rule_book(book_id, version).await?;
    let book = Book::from_canonical(&bytes).map_err(|findings| {
        let first = findings.first().map(|finding| format!("{}: {}", finding.path, finding.message.en));
        let version = known.publication.book.version;
        CommandError::new(Exit::NeedsNewer, Phrase::RulesUnreadable, &[book_id, &version])
            .because(anyhow::anyhow!(first.unwrap_or_default()))
    })?;
    Ok((known, book))
}

fn tell_versions(context: &Context, versions: &[RuleBookVersion]) {
    let language = context.output.language;
    let rows: Vec<Vec<String>> = versions.iter().map(|known| row(known, language)).collect();
    if rows.is_empty() {
        context.output.line(Phrase::RulesNoneInLedger, &[]);
        return;
    }
    let header = [
        Phrase::ColumnBook,
        Phrase::ColumnVersion,
        Phrase::ColumnStatus,
        Phrase::ColumnEffective,
        Phrase::ColumnPublished,
        Phrase::ColumnHash,
    ];
    context.output.table(&header, &rows);
}

/// Where a version stands.
fn standing(known: &RuleBookVersion) -> (&'static str, Phrase) {
    match (known.abolished_index, known.activated_index, known.in_force) {
        (Some(_), _, _) => ("ABOLISHED", Phrase::RulesStandsAbolished),
        (None, _, true) => ("IN_FORCE", Phrase::RulesStandsInForce),
        (None, Some(_), false) => ("ACTIVATED", Phrase::RulesStandsActivated),
        (None, None, false) => ("PUBLISHED", Phrase::RulesStandsPublished),
    }
}

fn row(known: &RuleBookVersion, language: Language) -> Vec<String> {
    let RuleBookPublication { book, digest, effective_from, effective_until, .. } = &known.publication;
    let day = |day: Option<CivilDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let published = instant(known.published_at_us, OFFSET_MINUTES);
    let published = published.split(' ').next().unwrap_or_default().to_owned();
    vec![
        book.book_id.to_string(),
        book.version.to_string(),
        language.of(&standing(known).1.text()).to_owned(),
        format!("{} … {}", day(*effective_from), day(*effective_until)),
        format!("{published} ({})", known.published_index),
        digest.to_string(),
    ]
}

fn document(known: &RuleBookVersion) -> Value {
    let RuleBookPublication { book, digest, size_bytes, effective_from, effective_until, select_by } =
        &known.publication;
    let select_by = match select_by {
        BookDate::Decision => "DECISION",
        BookDate::Earned => "EARNED",
        BookDate::Enrolled => "ENROLLED",
    };
    json!({
        "book_id": book.book_id.as_str(),
        "version": book.version,
        "sha256": digest.to_string(),
        "size_bytes": size_bytes,
        "effective_from": effective_from.map(|day| day.to_string()),
        "effective_until": effective_until.map(|day| day.to_string()),
        "select_by": select_by,
        "status": standing(known).0,
        "published_index": known.published_index,
        "published_at_us": known.published_at_us,
        "activated_index": known.activated_index,
        "abolished_index": known.abolished_index,
        "last_entry": known.last_entry.to_string(),
        "in_force": known.in_force,
    })
}
