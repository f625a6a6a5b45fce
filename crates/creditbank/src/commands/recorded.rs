//! What is said of a write that is in the log, and the receipt that is kept of it.

use super::Context;
use super::connect::Connect;
use crate::ending::{CommandError, unwritable};
use crate::language::Phrase;
use credit_client::Recorded;
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

/// Keeps the receipt, says where the entry stands, and gives the same for a JSON document.
pub(super) fn tell(context: &Context, writing: &Writing, recorded: &Recorded) -> Result<Value, CommandError> {
    let Recorded { statement_id, index, leaf_hash, recorded_at_us, replayed, receipt } = recorded;
    if let Some(path) = &writing.receipt {
        std::fs::write(path, receipt.to_bytes()).map_err(unwritable(path))?;
    }
    let phrase = if *replayed { Phrase::RecordedBefore } else { Phrase::Recorded };
    context.output.line(phrase, &[index, leaf_hash]);
    if let Some(path) = &writing.receipt {
        context.output.line(Phrase::ReceiptKept, &[&path.display()]);
    }
    Ok(json!({
        "index": index,
        "leaf_hash": leaf_hash.to_string(),
        "statement_id": statement_id.to_string(),
        "recorded_at_us": recorded_at_us,
        "replayed": replayed,
    }))
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
        let writing = Writing { connect, receipt: Some(PathBuf::from("a.receipt")) };
        assert_eq!(writing.of(1, 1).receipt, Some(PathBuf::from("a.receipt")));
        assert_eq!(writing.of(2, 3).receipt, Some(PathBuf::from("a.receipt.2")));
    }

    #[test]
    fn a_document_takes_more_fields() {
        assert_eq!(with(json!({ "index": 1 }), json!({ "kid": "x" })), json!({ "index": 1, "kid": "x" }));
    }
}
