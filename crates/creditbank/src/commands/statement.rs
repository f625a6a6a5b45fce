//! `creditbank statement`: an account's history, entry by entry, held against the bank's signed head of it.

use super::Context;
use super::balance::{Asking, ask, document, show};
use super::connect::{Reading, reader};
use super::convert::{granted_document, item_document};
use super::labels::{
    account_status, account_status_code, application_status, application_status_code, bucket, bucket_code,
    instant, record_status, record_status_code,
};
use super::token::{Bearer, account_ref};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::{Language, Phrase};
use crate::output::thousandths;
use credit_client::{AccountEntry, AccountEvent, ChangedConversion, Client, Sums, add_up};
use credit_types::{AccountRef, ApplicationStatus, Digest, Posting, RecordMoved, SubjectHead};
use serde_json::{Value, json};

/// Entries asked for at once.
const PAGE: u32 = 1_000;
/// China's offset from UTC, in which times are shown.
const OFFSET_MINUTES: i32 = 480;

/// Shows a statement.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  creditbank statement 00112233445566778899aabbccddeeff\n  \
                  creditbank statement 00112233445566778899aabbccddeeff --prove")]
pub(crate) struct Args {
    /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
    #[arg(value_parser = account_ref)]
    account: AccountRef,
    /// What to ask for · 查询条件
    #[command(flatten)]
    asking: Asking,
    /// Have every entry proved with all that it says, not only the last · 逐条验证内容，而不仅是最后一条
    #[arg(long)]
    prove: bool,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Shows a statement.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let Args { account, asking, prove, reading } = args;
    let client = reader(context, &reading, &Bearer::Learner(account))?;
    let (balance, signed) = ask(&client, account, &asking).await?;
    let history = history(&client, account, balance.head.size).await?;
    complete(&history, &balance.head)?;
    if prove {
        let bar = context.output.progress(Phrase::ProgressVerify, balance.head.sequence);
        proved(&client, account, &history, |done| bar.set_position(done)).await?;
        bar.finish_and_clear();
    }
    let sums = add_up(&history, &balance)
        .map_err(|cause| CommandError::new(Exit::Broken, Phrase::StatementSumsDiffer, &[]).because(cause))?;
    let language = context.output.language;
    let rows: Vec<Vec<String>> = history.iter().flat_map(|entry| lines(entry, language)).collect();
    let header = [
        Phrase::ColumnSequence,
        Phrase::ColumnIndex,
        Phrase::ColumnTime,
        Phrase::ColumnEvent,
        Phrase::ColumnMoved,
    ];
    context.output.table(&header, &rows);
    show(context, &balance, signed.is_some());
    context.output.line(if prove { Phrase::StatementProved } else { Phrase::StatementComplete }, &[]);
    let (sums, phrase) = match sums {
        Sums::Equal => ("EQUAL", Phrase::StatementAddsUp),
        Sums::KeySuspect => ("KEY_SUSPECT", Phrase::StatementAddsUpSuspect),
        Sums::OneId => ("ONE_ID", Phrase::StatementOneId),
        Sums::Newer => ("NEWER", Phrase::StatementNotAddedUp),
    };
    context.output.line(phrase, &[]);
    context.output.json(&json!({
        "account_ref": account.to_string(),
        "entries": history.iter().map(entry_document).collect::<Vec<_>>(),
        "balance": document(&balance, signed.is_some()),
        "proved": prove,
        "sums": sums,
    }));
    Ok(Exit::Done)
}

/// The account's entries below a size of the log, oldest first.
async fn history(client: &Client, account: AccountRef, size: u64) -> Result<Vec<AccountEntry>, CommandError> {
    let (mut token, mut history) = (String::new(), Vec::new());
    loop {
        let page = client.list_postings(Some(account), PAGE, &token).await?;
        history.extend(page.items.into_iter().filter(|entry| entry.index < size));
        match page.next {
            Some(next) => token = next,
            None => return Ok(history),
        }
    }
}

/// The chain is without gaps and ends at the head that the balance names.
fn complete(history: &[AccountEntry], head: &SubjectHead) -> Result<(), CommandError> {
    let gap = (1u64..).zip(history).find(|(number, entry)| entry.sequence != *number);
    let last = history.last().map_or(0, |entry| entry.sequence);
    if gap.is_none() && last == head.sequence {
        return Ok(());
    }
    let missing = gap.map_or(last.saturating_add(1), |(number, _)| number);
    Err(CommandError::new(Exit::Broken, Phrase::StatementHasGap, &[&missing, &head.sequence]))
}

/// Every entry is in the log, says there what was listed, and its link names the one before it.
async fn proved(
    client: &Client,
    account: AccountRef,
    history: &[AccountEntry],
    advance: impl Fn(u64),
) -> Result<(), CommandError> {
    let mut previous: Option<Digest> = None;
    for entry in history {
        let proved = client.prove_posting(account, entry.index).await?;
        if proved.entry != *entry || entry.previous != previous {
            return Err(CommandError::new(Exit::Broken, Phrase::EntryNotProved, &[&entry.index]));
        }
        previous = Some(proved.leaf_hash);
        advance(entry.sequence);
    }
    Ok(())
}

fn lines(entry: &AccountEntry, language: Language) -> Vec<Vec<String>> {
    let row = |event: &AccountEvent| {
        let (what, postings) = event_text(event, language);
        let moved: Vec<String> = postings.iter().map(|posting| posting_text(posting, language)).collect();
        vec![
            entry.sequence.to_string(),
            entry.index.to_string(),
            instant(entry.recorded_at_us, OFFSET_MINUTES),
            what,
            moved.join("; "),
        ]
    };
    entry.events.iter().map(row).collect()
}

fn event_text(event: &AccountEvent, language: Language) -> (String, Vec<&Posting>) {
    let (text, postings): (_, Vec<&Posting>) = match event {
        AccountEvent::Opened => (Phrase::EventOpened.text(), Vec::new()),
        AccountEvent::StatusChanged { status } => {
            (Phrase::EventStatus.with(&[&language.of(&account_status(*status))]), Vec::new())
        }
        AccountEvent::RecordDeposited { record_id, postings } => {
            (Phrase::EventDeposited.with(&[record_id]), postings.iter().collect())
        }
        AccountEvent::RecordStatusChanged { issuer_id: _, record_id, status, postings } => {
            let status = record_status(*status);
            (Phrase::EventRecordStatus.with(&[record_id, &language.of(&status)]), postings.iter().collect())
        }
        AccountEvent::ConversionRequested { items, moved } => {
            (Phrase::EventApplied.with(&[&items.len()]), postings_of(moved))
        }
        AccountEvent::ConversionChanged(changed) => {
            let ChangedConversion { application, status, moved, granted, .. } = changed.as_ref();
            let status_text = application_status(*status);
            let places: [&dyn std::fmt::Display; 3] =
                [application, &language.of(&status_text), &granted.len()];
            let phrase = match status {
                _ if granted.is_empty() => Phrase::EventApplication,
                ApplicationStatus::Rescinded | ApplicationStatus::Reversed => Phrase::EventTakenBack,
                ApplicationStatus::UnderReview
                | ApplicationStatus::InfoRequested
                | ApplicationStatus::Posted
                | ApplicationStatus::Provisional
                | ApplicationStatus::Rejected
                | ApplicationStatus::Appealed
                | ApplicationStatus::Withdrawn
                | ApplicationStatus::Lapsed => Phrase::EventGranted,
            };
            (phrase.with(&places), postings_of(moved))
        }
        AccountEvent::Newer { kind } => (Phrase::EventNewer.with(&[kind]), Vec::new()),
    };
    (language.of(&text).to_owned(), postings)
}

fn postings_of(moved: &[RecordMoved]) -> Vec<&Posting> {
    moved.iter().flat_map(|moved| &moved.postings).collect()
}

fn posting_text(posting: &Posting, language: Language) -> String {
    let (from, to) = (bucket(posting.from), bucket(posting.to));
    let (milli, scheme) = (posting.amount.credits.milli(), &posting.amount.scheme);
    format!("{} {scheme} {} → {}", thousandths(milli), language.of(&from), language.of(&to))
}

fn entry_document(entry: &AccountEntry) -> Value {
    json!({
        "index": entry.index,
        "recorded_at_us": entry.recorded_at_us,
        "sequence": entry.sequence,
        "previous": entry.previous.map(|hash| hash.to_string()),
        "events": entry.events.iter().map(event_document).collect::<Vec<_>>(),
    })
}

fn event_document(event: &AccountEvent) -> Value {
    let postings = |postings: &[Posting]| {
        let one = |posting: &Posting| {
            json!({
                "from": bucket_code(posting.from),
                "to": bucket_code(posting.to),
                "credit_scheme": posting.amount.scheme.as_str(),
                "credits_milli": posting.amount.credits.milli(),
            })
        };
        postings.iter().map(one).collect::<Vec<_>>()
    };
    let moved_document = |moved: &[RecordMoved]| {
        let one = |moved: &RecordMoved| {
            json!({
                "issuer_id": moved.record.issuer.as_str(),
                "record_id": moved.record.record_id.to_string(),
                "postings": postings(&moved.postings),
            })
        };
        moved.iter().map(one).collect::<Vec<_>>()
    };
    match event {
        AccountEvent::Opened => json!({ "kind": "ACCOUNT_OPENED" }),
        AccountEvent::StatusChanged { status } => {
            json!({ "kind": "ACCOUNT_STATUS_CHANGED", "status": account_status_code(*status) })
        }
        AccountEvent::RecordDeposited { record_id, postings: moved } => {
            json!({ "kind": "RECORD_DEPOSITED", "record_id": record_id.to_string(), "postings": postings(moved) })
        }
        AccountEvent::RecordStatusChanged { issuer_id, record_id, status, postings: moved } => json!({
            "kind": "RECORD_STATUS_CHANGED",
            "issuer_id": issuer_id.as_str(),
            "record_id": record_id.to_string(),
            "status": record_status_code(*status),
            "postings": postings(moved),
        }),
        AccountEvent::ConversionRequested { items, moved } => json!({
            "kind": "CONVERSION_REQUESTED",
            "items": items.iter().map(item_document).collect::<Vec<_>>(),
            "moved": moved_document(moved),
        }),
        AccountEvent::ConversionChanged(changed) => json!({
            "kind": "CONVERSION_CHANGED",
            "application_index": changed.application,
            "status": application_status_code(changed.status),
            "moved": moved_document(&changed.moved),
            "granted": changed.granted.iter().map(granted_document).collect::<Vec<_>>(),
            "granted_on": changed.granted_on.map(|day| day.to_string()),
            "auto_approval_index": changed.auto_approval,
        }),
        AccountEvent::Newer { kind } => json!({ "kind": kind }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{LogId, Subject};

    fn entry(sequence: u64) -> AccountEntry {
        AccountEntry {
            index: sequence,
            recorded_at_us: 0,
            sequence,
            previous: None,
            events: vec![AccountEvent::Opened],
        }
    }

    #[test]
    fn a_history_with_a_gap_or_without_its_end_is_not_complete() {
        let head = |sequence| SubjectHead {
            log_id: LogId([1; 32]),
            subject: Subject::Account(AccountRef([1; 16])),
            sequence,
            leaf_hash: None,
            size: 9,
            root: Digest([2; 32]),
        };
        let history: Vec<AccountEntry> = (1..=3).map(entry).collect();
        assert!(complete(&history, &head(3)).is_ok());
        for (broken, sequence) in [(&history[..2], 3), (&history[1..], 3), (&history[..], 4), (&[], 1)] {
            assert_eq!(complete(broken, &head(sequence)).unwrap_err().exit, Exit::Broken);
        }
        let skipped = [entry(1), entry(3)];
        assert!(complete(&skipped, &head(3)).unwrap_err().text.en.contains('2'));
    }
}
