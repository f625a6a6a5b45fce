//! Whether what an application proposes follows: from the book, the rows, the details of its records and what the learner
//! states, reckoned again. The items must be those recorded, and the explanation, byte for byte, the one committed to.

use credit_ledger::assess::{self, Beside};
use credit_ledger::{Context, View};
use credit_types::{
    Assessment, CivilDate, ConversionParticulars, ConversionRequest, Digest, RecordDetails, RecordName,
};

use crate::books::Ready;
use crate::command::{DetailsSource, read_details};
use crate::report::{Stop, ensure};
use crate::rule::Rule;

/// What an application's entry has in secret, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    /// What the learner states; the default where nothing is committed to.
    pub(crate) particulars: ConversionParticulars,
    /// How the bank says that it came to the proposal: canonical JSON.
    pub(crate) explanation: Vec<u8>,
}

/// What an application is reckoned again from.
pub(crate) struct Basis<'b> {
    /// The rows that its decision was made with.
    pub(crate) view: &'b View,
    /// Where its entry stands.
    pub(crate) context: &'b Context,
    /// The book, with the hash that it is published under.
    pub(crate) book: (&'b Ready, Digest),
    /// Its secret parts; `None` where they can't be read here.
    pub(crate) applied: Option<&'b Applied>,
    /// Where details of earlier entries come from.
    pub(crate) details: Option<&'b dyn DetailsSource>,
}

/// The day of an entry; `None` where its time lies beyond the calendar.
pub(crate) fn day(view: &View, context: &Context) -> Option<CivilDate> {
    let offset = view.log()?.genesis.civil_offset_minutes;
    CivilDate::at(context.recorded_at_us, offset).ok()
}

/// Reckons an application again, and gives the details that it was reckoned from; `None` where this reader has not all
/// that it takes.
pub(crate) fn derived(
    basis: &Basis<'_>,
    request: &ConversionRequest,
    recorded: &Assessment,
) -> Result<Option<Vec<Option<RecordDetails>>>, Stop> {
    let Basis { view, context, book: (ready, digest), applied, details } = basis;
    let (Some(applied), Some(source)) = (applied, details) else { return Ok(None) };
    let Some(details) = earlier(view, request, *source)? else { return Ok(None) };
    let underived = |detail: &str| Stop::broken(Rule::ConversionNotDerived, detail);
    let today = day(view, context).ok_or_else(|| underived("its entry has no day"))?;
    let Applied { particulars, explanation } = applied;
    let beside = Beside { program: &ready.program, digest: *digest, details: &details, particulars };
    let reckoned = assess::reckon(view, today, request, beside);
    if let Some(refusal) = reckoned.refusal {
        return Err(underived(&format!("nothing is granted: {refusal}")));
    }
    if reckoned.items != recorded.items {
        let pairs = reckoned.items.iter().zip(&recorded.items);
        let first = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        let (ours, theirs) = (reckoned.items.len(), recorded.items.len());
        return Err(underived(&format!("item {first} differs: {ours} are reckoned, {theirs} are recorded")));
    }
    let same = reckoned.explanation == *explanation;
    ensure(same, Rule::ConversionNotDerived, "its explanation is another one than was reckoned")?;
    Ok(Some(details))
}

/// The details of a request's records, in their order, out of the entries that deposited them; `None` where one is not
/// to be had. What an application granted has none.
fn earlier(
    view: &View,
    request: &ConversionRequest,
    source: &dyn DetailsSource,
) -> Result<Option<Vec<Option<RecordDetails>>>, Stop> {
    let mut all = Vec::with_capacity(request.records.len());
    for RecordName { issuer, record_id } in &request.records {
        let row = view.record(issuer, *record_id).filter(|row| row.application.is_none());
        let Some(row) = row else {
            all.push(None);
            continue;
        };
        let commitment = row.facts.details_commitment;
        let opened = source.earlier(row.deposited_index, row.facts.account_ref, commitment);
        let Some(opened) = opened else { return Ok(None) };
        all.push(Some(read_details(&opened, commitment)?));
    }
    Ok(Some(all))
}
