//! Whether a command happens.

mod account;
mod batch;
mod deposit;
mod key;
mod record;
mod registry;

pub use deposit::lacking;

use crate::row::Context;
use crate::view::View;
use credit_types::genesis::PROTOCOL;
use credit_types::{CivilDate, Command, Event, Reason, Rejection};

/// A command under judgement: what is looked at, and the refusal that stands first among those found so far.
pub(crate) struct Judgement<'a> {
    /// The rows.
    pub(crate) view: &'a View,
    /// Where the entry would stand.
    pub(crate) context: &'a Context,
    first: Option<Rejection>,
}

impl<'a> Judgement<'a> {
    /// Begins without a refusal.
    pub(crate) fn new(view: &'a View, context: &'a Context) -> Self {
        Self { view, context, first: None }
    }

    /// Adds a refusal. The order of [`Reason`] decides which one is given, not the order in which they are found.
    pub(crate) fn refuse(&mut self, rejection: impl Into<Rejection>) {
        let rejection = rejection.into();
        if self.first.as_ref().is_none_or(|first| rejection.reason < first.reason) {
            self.first = Some(rejection);
        }
    }

    /// Adds a refusal unless a condition holds. It is only made where it is needed: hardly ever, and it has texts.
    pub(crate) fn require<R: Into<Rejection>>(&mut self, holds: bool, rejection: impl FnOnce() -> R) {
        if !holds {
            self.refuse(rejection());
        }
    }

    /// The civil date of the entry; `None` where no log says which offset counts, or the clock is out of all bounds.
    pub(crate) fn today(&self) -> Option<CivilDate> {
        let log = self.view.log()?;
        CivilDate::at(self.context.recorded_at_us, log.genesis.civil_offset_minutes).ok()
    }

    /// Ends with the refusal that stands first.
    pub(crate) fn end(self) -> Result<(), Rejection> {
        self.first.map_or(Ok(()), Err)
    }
}

/// Decides a command: its events, or the refusal that stands first in [`Reason`]. Changes nothing. Every row that
/// [`reads`](crate::reads) names must be loaded.
pub fn decide(view: &View, context: &Context, command: &Command) -> Result<Vec<Event>, Rejection> {
    if context.protocol != PROTOCOL {
        return Err(Reason::ProtocolUnknown.into());
    }
    let judgement = Judgement::new(view, context);
    match command {
        Command::CreateLedger(statement) => registry::create_ledger(judgement, statement),
        Command::StartServer(statement) => registry::start_server(judgement, statement),
        Command::AdmitInstitution(statement) => registry::admit_institution(judgement, statement),
        Command::PublishFramework(statement) => registry::publish_framework(judgement, statement),
        Command::AddKey(statement) => key::add(judgement, statement),
        Command::RetireKey(statement) => key::retire(judgement, statement),
        Command::ReportKeyCompromise(statement) => key::report_compromise(judgement, statement),
        Command::OpenAccount(statement, draw) => account::open(judgement, statement, draw),
        Command::ChangeAccountStatus(statement) => account::change_status(judgement, statement),
        Command::DepositRecord(statement, check) => record::deposit(judgement, statement, check),
        Command::CorrectRecord(statement, check) => record::correct(judgement, statement, check),
        Command::ChangeRecordStatus(statement) => record::change_status(judgement, statement),
        Command::OpenBatch(statement) => batch::open(judgement, statement),
        Command::SubmitChunk(chunk) => batch::submit_chunk(judgement, chunk),
        Command::CloseBatch(statement) => batch::close(judgement, statement),
    }
}
