//! What is said of a write that is in the log, and the receipt that is kept of it.

mod witnessed;

pub(super) use witnessed::{seconds_text, witness_state};

use super::Context;
use super::connect::Connect;
use crate::ending::{CommandError, Exit, unwritable};
use crate::language::Phrase;
use credit_client::{Client, Recorded, WITNESS_WAIT_MAX};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Where a write goes, and where its receipt is kept.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Writing {
    /// Where the ledger is · 账本所在
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Keep the receipt in this file; `creditbank verify receipt` reads it · 把回执保存到文件
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Wait until enough witnesses have cosigned, at most so many seconds; 30 if none are given ·
    /// 等待足够的见证者联署，最多若干秒，缺省 30 秒
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30",
        value_parser = clap::value_parser!(u64).range(1..=WITNESS_WAIT_MAX.as_secs())
    )]
    pub(crate) wait_for_witnesses: Option<u64>,
}

/// What was said of a write.
pub(super) struct Told {
    /// The same for a JSON document.
    pub(super) document: Value,
    /// How the command ends on its account.
    pub(super) exit: Exit,
}

impl Writing {
    /// Where the receipt of one of several writes is kept: under a name with its number, from 1, where there are more.
    pub(super) fn of(&self, number: usize, count: usize) -> Self {
        let mut writing = self.clone();
        if let Some(path) = writing.receipt.as_mut().filter(|_| count > 1) {
            path.as_mut_os_string().push(format!(".{number}"));
        }
        writing
    }
}

/// Keeps the receipt, says where the entry stands, and gives the same for a JSON document. Where it is asked for,
/// witnesses are waited for first.
pub(super) async fn tell(
    context: &Context,
    client: &Client,
    writing: &Writing,
    recorded: &Recorded,
) -> Result<Told, CommandError> {
    let Recorded { statement_id, index, leaf_hash, recorded_at_us, replayed, receipt } = recorded;
    let waited = witnessed::wait(context, client, writing, *index).await?;
    let receipt = waited.as_ref().map_or(receipt, |waited| &waited.receipt);
    let exit = waited.as_ref().map_or(Exit::Done, |waited| waited.exit);
    if let Some(path) = &writing.receipt {
        std::fs::write(path, receipt.to_bytes()).map_err(unwritable(path))?;
    }
    let phrase = if *replayed { Phrase::RecordedBefore } else { Phrase::Recorded };
    context.output.line(phrase, &[index, leaf_hash]);
    if let Some(path) = &writing.receipt {
        context.output.line(Phrase::ReceiptKept, &[&path.display()]);
    }
    let mut document = json!({
        "index": index,
        "leaf_hash": leaf_hash.to_string(),
        "statement_id": statement_id.to_string(),
        "recorded_at_us": recorded_at_us,
        "replayed": replayed,
    });
    if let Some(waited) = &waited {
        document = with(document, json!({ "witness_state": witness_state(&waited.witnesses) }));
    }
    Ok(Told { document, exit })
}

/// The same document with more in it.
pub(super) fn with(mut document: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut document, more) {
        fields.extend(more);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_writes_keeps_a_receipt_of_its_own() {
        let connect = Connect { url: String::new(), trust: None };
        let receipt = Some(PathBuf::from("a.receipt"));
        let writing = Writing { connect, receipt, wait_for_witnesses: None };
        assert_eq!(writing.of(1, 1).receipt, Some(PathBuf::from("a.receipt")));
        assert_eq!(writing.of(2, 3).receipt, Some(PathBuf::from("a.receipt.2")));
    }

    #[test]
    fn a_document_takes_more_fields() {
        assert_eq!(with(json!({ "index": 1 }), json!({ "kid": "x" })), json!({ "index": 1, "kid": "x" }));
    }
}
