//! Whether a command happens.

mod account;
mod application;
mod batch;
mod book;
mod deposit;
mod key;
mod record;
mod registry;
mod request;
mod step;

pub use application::is_over;
pub use deposit::lacking;
pub use request::foresee;

use crate::row::{Context, Row, RowId};
use crate::view::View;
use credit_types::genesis::{PROTOCOL, PROTOCOL_CONVERSIONS};
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
    if !(1..=PROTOCOL).contains(&context.protocol) {
        return Err(Reason::ProtocolUnknown.into());
    }
    if context.protocol < protocol_of(command) {
        return Err(Reason::ProtocolTooOld.into());
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
        Command::UpgradeProtocol(statement) => registry::upgrade_protocol(judgement, statement),
        Command::PublishRuleBook(statement, check) => book::publish(judgement, statement, check),
        Command::ChangeRuleBook(statement) => book::change(judgement, statement),
        Command::GiveAutoApproval(statement) => book::give_auto_approval(judgement, statement),
        Command::RequestConversion(statement, assessment) => {
            request::request(judgement, statement, assessment)
        }
        Command::DecideConversion(statement) => application::decide(judgement, statement),
        Command::StepConversion(statement) => step::step(judgement, statement),
        Command::ReverseAward(statement) => step::reverse(judgement, statement),
    }
}

/// The protocol that a command comes with. An upgrade is possible in every one.
fn protocol_of(command: &Command) -> u32 {
    match command {
        Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::RequestConversion(..)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_) => PROTOCOL_CONVERSIONS,
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_)
        | Command::OpenAccount(..)
        | Command::ChangeAccountStatus(_)
        | Command::DepositRecord(..)
        | Command::CorrectRecord(..)
        | Command::ChangeRecordStatus(_)
        | Command::OpenBatch(_)
        | Command::SubmitChunk(_)
        | Command::CloseBatch(_)
        | Command::UpgradeProtocol(_) => 1,
    }
}

/// The protocol that the log follows where a command would stand: what its row says, or what a genesis begins with.
pub fn protocol(view: &View, command: &Command) -> u32 {
    match (view.get(&RowId::Log), command) {
        (Some(Row::Log(log)), _) => log.protocol,
        (_, Command::CreateLedger(statement)) => statement.body.protocol,
        (_, _) => PROTOCOL,
    }
}
