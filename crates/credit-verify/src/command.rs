//! The command behind an entry: what was signed, and what the bank asserted beside it.
//!
//! What the bank drew or looked up (account ids, that aliases and fingerprints were new) can't be computed from the
//! log. It is taken from the events, as an input of the decision.

use credit_log::commitment::{DETAILS_LABEL, EXPLANATION_LABEL, IDENTITY_LABEL, commit};
use credit_proto::{Secret as _, Stage, Statement, payload_type};
use credit_types::{
    AccountRef, AliasCheck, ChunkLeaves, Command, DepositCheck, Details, Digest, Event, Header, Kid,
    OpeningDraw, RecordDetails, RecordFacts, Signed,
};

use crate::report::Stop;
use crate::rule::Rule;

/// Details as they lie behind a commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedDetails {
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The canonical payload of the details.
    pub payload: Vec<u8>,
}

/// Where details come from, for a reader with a mandate. What it gives is held against the commitment.
pub trait DetailsSource {
    /// The details of a record of an account; `None` where this reader doesn't have them.
    fn details(&self, account: AccountRef, commitment: Digest) -> Option<OpenedDetails>;

    /// An entry begins: what was asked for before counts no more. An entry may be read twice.
    fn begin(&self) {}

    /// Another secret part of the entry that is being read; `None` where this reader doesn't have it.
    fn secret(&self, _payload_type: &str, _commitment: Digest) -> Option<OpenedDetails> {
        None
    }

    /// How many secret parts the source has for the entry that nobody has asked for.
    fn left(&self) -> usize {
        0
    }

    /// Whether the source claims to have the details of every record: one that it lacks then breaks a rule.
    fn is_complete(&self) -> bool {
        false
    }
}

/// What a reader may see of details, and whether any were missing.
pub(crate) struct Mandate<'d> {
    source: Option<&'d dyn DetailsSource>,
    /// Whether a decision went without details.
    pub(crate) closed: bool,
}

impl<'d> Mandate<'d> {
    /// Begins with nothing missing.
    pub(crate) fn new(source: Option<&'d dyn DetailsSource>) -> Self {
        Self { source, closed: false }
    }

    /// What the bank asserted for a deposit: that the outcome was new under this version of the pepper.
    pub(crate) fn deposit(
        &mut self,
        facts: &RecordFacts,
        fingerprint_version: u32,
    ) -> Result<DepositCheck, Stop> {
        let opened =
            self.source.and_then(|source| source.details(facts.account_ref, facts.details_commitment));
        let details = if let Some(opened) = opened {
            read(&opened, facts.details_commitment)?
        } else if self.source.is_some_and(DetailsSource::is_complete) {
            let detail = format!("nothing opens {}", facts.details_commitment);
            return Err(Stop::broken(Rule::DetailsMissing, detail));
        } else {
            self.closed = true;
            Details::Closed
        };
        Ok(DepositCheck { details, fingerprint_version, fingerprint_taken: false })
    }
}

fn read(opened: &OpenedDetails, commitment: Digest) -> Result<Details, Stop> {
    opens(DETAILS_LABEL, payload_type::RECORD_DETAILS, opened, commitment)?;
    let details = RecordDetails::read(&opened.payload, Stage::Replay);
    let details = details.map_err(|error| Stop::broken(Rule::DetailsWrong, error.to_string()))?;
    Ok(Details::Known(Box::new(details)))
}

/// That a secret part is the one that was committed to.
fn opens(label: &str, payload_type: &str, opened: &OpenedDetails, commitment: Digest) -> Result<(), Stop> {
    let OpenedDetails { salt, payload } = opened;
    if commit(label, salt, payload_type, payload) == commitment.0 {
        return Ok(());
    }
    Err(Stop::broken(Rule::DetailsWrong, format!("they do not open {commitment}")))
}

/// Holds what is secret beside details (identities, explanations) against its commitments, where a source claims to
/// have it all, and asks that it has nothing else.
pub(crate) fn others(command: &Command, source: &dyn DetailsSource) -> Result<(), Stop> {
    if !source.is_complete() {
        return Ok(());
    }
    let identity = |commitment: Digest| (IDENTITY_LABEL, payload_type::ACCOUNT_IDENTITY, commitment);
    let explanation = |commitment: Digest| (EXPLANATION_LABEL, payload_type::STATUS_EXPLANATION, commitment);
    let committed: Vec<(&str, &str, Digest)> = match command {
        Command::OpenAccount(statement, _) => vec![identity(statement.body.identity_commitment)],
        Command::SubmitChunk(chunk) => match &chunk.leaves {
            ChunkLeaves::Openings(leaves) => {
                leaves.iter().map(|leaf| identity(leaf.body.identity_commitment)).collect()
            }
            ChunkLeaves::Records(_) => Vec::new(),
        },
        Command::ChangeAccountStatus(statement) => {
            statement.body.explanation_commitment.map(explanation).into_iter().collect()
        }
        Command::CorrectRecord(statement, _) => {
            statement.body.explanation_commitment.map(explanation).into_iter().collect()
        }
        Command::ChangeRecordStatus(statement) => {
            statement.body.explanation_commitment.map(explanation).into_iter().collect()
        }
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_)
        | Command::DepositRecord(..)
        | Command::OpenBatch(_)
        | Command::CloseBatch(_) => Vec::new(),
    };
    for (label, payload_type, commitment) in committed {
        let Some(opened) = source.secret(payload_type, commitment) else {
            return Err(Stop::broken(Rule::DetailsMissing, format!("nothing opens {commitment}")));
        };
        opens(label, payload_type, &opened, commitment)?;
    }
    match source.left() {
        0 => Ok(()),
        left => {
            Err(Stop::broken(Rule::DetailsWrong, format!("{left} secret parts open nothing in the entry")))
        }
    }
}

/// What the bank drew for an opening.
pub(crate) fn draw(event: &Event) -> Option<OpeningDraw> {
    let Event::AccountOpened { account_ref, aliases, .. } = event else { return None };
    let aliases = aliases.iter().map(|asserted| AliasCheck { asserted: *asserted, taken: false }).collect();
    Some(OpeningDraw { account_ref: *account_ref, aliases })
}

/// The version under which a deposit's fingerprint was found new.
pub(crate) fn fingerprint(event: &Event) -> Option<u32> {
    let Event::RecordDeposited { fingerprint_version, .. } = event else { return None };
    Some(*fingerprint_version)
}

/// The command that a statement with these verified signers asks for.
pub(crate) fn of_statement(
    statement: Statement,
    signers: Vec<Kid>,
    events: &[Event],
    mandate: &mut Mandate<'_>,
) -> Result<Command, Stop> {
    let missing = |what: &str| Stop::broken(Rule::EventsWrong, format!("the entry has no event of {what}"));
    let mut deposit = |facts: &RecordFacts| {
        let version = events.iter().find_map(fingerprint).ok_or_else(|| missing("a deposit"))?;
        mandate.deposit(facts, version).map(Box::new)
    };
    Ok(match statement {
        Statement::Genesis(header, body) => Command::CreateLedger(Box::new(signed(header, *body, signers))),
        Statement::StartServer(header, body) => Command::StartServer(signed(header, body, signers)),
        Statement::AdmitInstitution(header, body) => {
            Command::AdmitInstitution(Box::new(signed(header, *body, signers)))
        }
        Statement::PublishFramework(header, body) => {
            Command::PublishFramework(Box::new(signed(header, *body, signers)))
        }
        Statement::AddKey(header, body) => Command::AddKey(Box::new(signed(header, *body, signers))),
        Statement::RetireKey(header, body) => Command::RetireKey(signed(header, body, signers)),
        Statement::ReportKeyCompromise(header, body) => {
            Command::ReportKeyCompromise(signed(header, body, signers))
        }
        Statement::OpenAccount(header, body) => {
            let draw = events.iter().find_map(draw).ok_or_else(|| missing("an opening"))?;
            Command::OpenAccount(signed(header, body, signers), draw)
        }
        Statement::ChangeAccountStatus(header, body) => {
            Command::ChangeAccountStatus(signed(header, *body, signers))
        }
        Statement::DepositRecord(header, body) => {
            let check = deposit(&body)?;
            Command::DepositRecord(Box::new(signed(header, *body, signers)), check)
        }
        Statement::CorrectRecord(header, body) => {
            let check = deposit(&body.facts)?;
            Command::CorrectRecord(Box::new(signed(header, *body, signers)), check)
        }
        Statement::ChangeRecordStatus(header, body) => {
            Command::ChangeRecordStatus(Box::new(signed(header, *body, signers)))
        }
        Statement::OpenBatch(header, body) => Command::OpenBatch(signed(header, body, signers)),
        Statement::CloseBatch(header, body) => Command::CloseBatch(signed(header, body, signers)),
    })
}

fn signed<B>(header: Header, body: B, signers: Vec<Kid>) -> Signed<B> {
    Signed { header, body, signers }
}
