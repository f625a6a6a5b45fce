//! A quote: what the ledger's engine says of what is asked.

use super::wanted::Wanted;
use crate::ending::CommandError;
use credit_client::{Client, ConversionQuery, NewConversion, Quote};
use credit_types::{
    AccountRef, BookName, BookVersion, ConversionParticulars, ConversionPurpose, FrameworkId,
};

/// A quote with what it was asked for.
pub(in crate::commands) struct Quoted {
    pub(in crate::commands) account: AccountRef,
    pub(in crate::commands) purpose: ConversionPurpose,
    pub(in crate::commands) book_id: FrameworkId,
    pub(in crate::commands) target: BookName,
    pub(in crate::commands) particulars: Option<ConversionParticulars>,
    pub(in crate::commands) quote: Quote,
}

impl Quoted {
    /// Whether an application for it would be made: something would be proposed, and nothing refused.
    pub(in crate::commands) fn would_be_made(&self) -> bool {
        self.quote.refusal.is_none() && !self.quote.items.is_empty()
    }
}

/// Asks for a quote. Where facts are stated of records that nobody names, the records are asked for first.
pub(in crate::commands) async fn quote_of(
    client: &Client,
    wanted: &Wanted,
    purpose: ConversionPurpose,
    target: &BookName,
) -> Result<Quoted, CommandError> {
    let mut records = wanted.record.clone();
    records.sort();
    records.dedup();
    let query = |records, particulars| ConversionQuery {
        account_ref: Some(wanted.account),
        purpose,
        book_id: wanted.book.clone(),
        version: wanted.book_version,
        target: target.clone(),
        records,
        particulars,
    };
    if wanted.needs_records() {
        records = client.quote_conversion(&query(Vec::new(), None)).await?.records;
    }
    let particulars = wanted.particulars(&records)?;
    let quote = client.quote_conversion(&query(records, particulars.clone())).await?;
    Ok(Quoted {
        account: wanted.account,
        purpose,
        book_id: wanted.book.clone(),
        target: target.clone(),
        particulars,
        quote,
    })
}

/// The application for what was quoted.
pub(in crate::commands) fn applied_for(quoted: &Quoted) -> NewConversion {
    let Quoted { account, purpose, book_id, target, particulars, quote } = quoted;
    NewConversion {
        account_ref: *account,
        purpose: *purpose,
        institution_id: quote.institution_id.clone(),
        book: BookVersion { book_id: book_id.clone(), version: quote.version },
        target: target.clone(),
        records: quote.records.clone(),
        particulars: particulars.clone(),
    }
}
