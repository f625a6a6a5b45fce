//! Applications as they are judged, for whoever asks something else of them than whether they are right: what another
//! book would have granted, for one. The rows of that moment are gone a moment later.

use credit_ledger::View;
use credit_types::{CivilDate, ConversionParticulars, ConversionRequest, ProposedItem, RecordDetails};

/// Is shown every application of a log once, in the order of the log.
pub trait Onlooker {
    /// An application whose entry was found right.
    fn application(&self, application: &Application<'_>);
}

/// An application for credit or for an award, with the rows as they stood before it.
#[derive(Debug, Clone, Copy)]
pub struct Application<'a> {
    /// Index of its entry.
    pub index: u64,
    /// The day of its entry; `None` where its time lies beyond the calendar.
    pub day: Option<CivilDate>,
    /// The rows that its decision was made with: its records and the uses of its account among them.
    pub view: &'a View,
    /// What was asked for.
    pub request: &'a ConversionRequest,
    /// What was proposed.
    pub items: &'a [ProposedItem],
    /// What was secret of it; `None` where this reader has not all that it takes to reckon it again, the book included.
    pub secrets: Option<Secrets<'a>>,
}

/// The secret parts that an application was reckoned from.
#[derive(Debug, Clone, Copy)]
pub struct Secrets<'a> {
    /// The details of the request's records, in their order; of a record that an application granted there are none.
    pub details: &'a [Option<RecordDetails>],
    /// What the learner states.
    pub particulars: &'a ConversionParticulars,
}
