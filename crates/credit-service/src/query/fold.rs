//! The past: what the entries up to an index make of an account or an institution's keys. Rows know the present only;
//! a chain of links knows all of it.

use crate::failure::Failure;
use crate::reader::Reader;
use credit_ledger::{AccountRow, Context, KeyRow, RecordRow, Row, RowId, View, event_reads, evolve};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{AccountRef, Event, InstitutionId, Kid, Subject};
use std::collections::BTreeMap;

/// The most entries that are folded for one answer: far more than a person's learning life has.
pub(crate) const ENTRIES_MAX: usize = 100_000;
/// Entries of a chain read at once.
const PAGE: usize = 1_000;

/// An account as it stood after an entry.
pub(crate) struct Past {
    pub(crate) account: AccountRow,
    pub(crate) records: Vec<RecordRow>,
    /// Sequence of its last link.
    pub(crate) sequence: u64,
    /// Index of the last link's entry.
    pub(crate) last_index: u64,
}

/// Folds a subject's chain up to and with an index; gives the rows, and the last link that lies within.
fn fold(reader: &Reader, subject: &Subject, up_to: u64) -> Result<(View, Option<(u64, u64)>), Failure> {
    let mut view = View::new();
    let mut last = None;
    let mut next = 1u64;
    for _ in 0..ENTRIES_MAX.div_ceil(PAGE) {
        let chain = reader.subject_chain(subject, next, PAGE)?;
        for &(sequence, index) in &chain {
            if index > up_to {
                return Ok((view, last));
            }
            apply(reader, subject, index, &mut view)?;
            last = Some((sequence, index));
            next = sequence.saturating_add(1);
        }
        if chain.len() < PAGE {
            return Ok((view, last));
        }
    }
    Err(super::invalid(
        "at_index",
        format!("lies behind more than {ENTRIES_MAX} entries; ask for a smaller one"),
    ))
}

/// Takes over what an entry says about the subject.
fn apply(reader: &Reader, subject: &Subject, index: u64, view: &mut View) -> Result<(), Failure> {
    let (core, _, events) = reader.events(index)?;
    let own: Vec<Event> =
        events.into_iter().filter(|event| event.subject().as_ref() == Some(subject)).collect();
    for _ in 0..READ_ROUNDS_MAX {
        let missing = event_reads(&own, view);
        if missing.is_empty() {
            break;
        }
        for id in missing {
            // All that the subject's chain does not make itself is what an institution was admitted with, which no
            // event changes.
            let institution =
                matches!(id, RowId::Institution(_)) && !matches!(subject, Subject::Institution(_));
            let row = if institution { reader.row(&id)? } else { None };
            view.insert(id, row);
        }
    }
    let context = Context { index, recorded_at_us: core.recorded_at_us, protocol: PROTOCOL };
    for event in &own {
        evolve(view, &context, event);
    }
    Ok(())
}

/// An account after the entry of an index; `None` where it was not opened by then.
pub(crate) fn account_at(reader: &Reader, account: AccountRef, up_to: u64) -> Result<Option<Past>, Failure> {
    let (view, last) = fold(reader, &Subject::Account(account), up_to)?;
    let Some((sequence, last_index)) = last else { return Ok(None) };
    let row = view.account(account).cloned();
    let row = row.ok_or_else(|| Failure::Fault("an account's chain does not open it".to_owned()))?;
    let records = view.iter().filter_map(|(_, row)| match row {
        Row::Record(record) => Some(record.as_ref().clone()),
        Row::Log(_)
        | Row::Institution(_)
        | Row::Key(_)
        | Row::Framework(_)
        | Row::Scheme(_)
        | Row::Account(_)
        | Row::Command(_)
        | Row::Batch(_)
        | Row::OpenBatches(_)
        | Row::Subject(_)
        | Row::Book(_)
        | Row::AutoApprovals(_)
        | Row::Application(_)
        | Row::Uses(_)
        | Row::Head(_)
        | Row::Leaf(_) => None,
    });
    let records = records.collect();
    Ok(Some(Past { account: row, records, sequence, last_index }))
}

/// The keys of an institution as they stood after the entry of an index.
pub(crate) fn keys_at(
    reader: &Reader,
    institution: &InstitutionId,
    up_to: u64,
) -> Result<BTreeMap<Kid, KeyRow>, Failure> {
    let (view, _) = fold(reader, &Subject::Institution(institution.clone()), up_to)?;
    let keys = view.iter().filter_map(|(id, row)| match (id, row) {
        (RowId::Key(kid), Row::Key(row)) => Some((*kid, row.as_ref().clone())),
        _ => None,
    });
    Ok(keys.collect())
}
