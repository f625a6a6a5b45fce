//! The command behind an entry: what was signed, and what the bank asserted beside it.
//!
//! What the bank drew or looked up (account ids, that aliases and fingerprints were new) can't be computed from the
//! log. It is taken from the events, as an input of the decision.

use credit_log::commitment::{
    DETAILS_LABEL, EXPLANATION_LABEL, IDENTITY_LABEL, PARTICULARS_LABEL, RECKONING_LABEL, commit,
};
use credit_proto::{Secret as _, Stage, Statement, payload_type};
use credit_types::{
    AccountRef, AliasCheck, Assessment, BookCheck, ChunkLeaves, Command, ConversionParticulars,
    ConversionRequest, DepositCheck, Details, Digest, Event, Header, Kid, OpeningDraw, RecordDetails,
    RecordFacts, RuleBookPublication, Signed,
};

use crate::derived::Applied;
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

    /// The details of a record that an earlier entry has deposited, by that entry's index; `None` where this reader
    /// doesn't have them. Entries are not asked for in any order.
    fn earlier(&self, _index: u64, _account: AccountRef, _commitment: Digest) -> Option<OpenedDetails> {
        None
    }

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
            Details::Known(Box::new(read_details(&opened, facts.details_commitment)?))
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

/// Details, once they are known to be those that were committed to.
pub(crate) fn read_details(opened: &OpenedDetails, commitment: Digest) -> Result<RecordDetails, Stop> {
    opens(DETAILS_LABEL, payload_type::RECORD_DETAILS, opened, commitment)?;
    let details = RecordDetails::read(&opened.payload, Stage::Replay);
    details.map_err(|error| Stop::broken(Rule::DetailsWrong, error.to_string()))
}

/// That a secret part is the one that was committed to.
fn opens(label: &str, payload_type: &str, opened: &OpenedDetails, commitment: Digest) -> Result<(), Stop> {
    let OpenedDetails { salt, payload } = opened;
    if commit(label, salt, payload_type, payload) == commitment.0 {
        return Ok(());
    }
    Err(Stop::broken(Rule::DetailsWrong, format!("they do not open {commitment}")))
}

/// Holds what is secret beside details (identities, explanations, particulars) against its commitments, where a source
/// claims to have it all, and asks that it has nothing else. Gives what an application is reckoned again from, wherever
/// the source has that.
pub(crate) fn others(command: &Command, source: &dyn DetailsSource) -> Result<Option<Applied>, Stop> {
    let complete = source.is_complete();
    if !complete && !matches!(command, Command::RequestConversion(..)) {
        return Ok(None);
    }
    let (mut particulars, mut explanation) = (ConversionParticulars::default(), None);
    for (label, payload_type, commitment) in beside_details(command) {
        let Some(opened) = source.secret(payload_type, commitment) else {
            if complete {
                return Err(Stop::broken(Rule::DetailsMissing, format!("nothing opens {commitment}")));
            }
            return Ok(None);
        };
        opens(label, payload_type, &opened, commitment)?;
        if label == PARTICULARS_LABEL {
            let read = ConversionParticulars::read(&opened.payload, Stage::Replay);
            particulars = read.map_err(|error| Stop::broken(Rule::DetailsWrong, error.to_string()))?;
        } else if label == RECKONING_LABEL {
            explanation = Some(opened.payload);
        }
    }
    let left = source.left();
    if complete && left > 0 {
        let detail = format!("{left} secret parts open nothing in the entry");
        return Err(Stop::broken(Rule::DetailsWrong, detail));
    }
    Ok(explanation.map(|explanation| Applied { particulars, explanation }))
}

/// The commitments of a command to what is secret beside details, in their order: label, payload type and commitment.
fn beside_details(command: &Command) -> Vec<(&'static str, &'static str, Digest)> {
    let identity = |commitment: Digest| (IDENTITY_LABEL, payload_type::ACCOUNT_IDENTITY, commitment);
    let explanation = |commitment: Digest| (EXPLANATION_LABEL, payload_type::STATUS_EXPLANATION, commitment);
    match command {
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
        | Command::CloseBatch(_)
        | Command::UpgradeProtocol(_)
        | Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_) => Vec::new(),
        Command::RequestConversion(statement, assessment) => {
            let particulars =
                |commitment: Digest| (PARTICULARS_LABEL, payload_type::CONVERSION_PARTICULARS, commitment);
            let reckoning = assessment.explanation_commitment;
            let reckoning = (RECKONING_LABEL, payload_type::CONVERSION_EXPLANATION, reckoning);
            statement.body.particulars_commitment.map(particulars).into_iter().chain([reckoning]).collect()
        }
        Command::DecideConversion(statement) => {
            statement.body.opinion_commitment.map(explanation).into_iter().collect()
        }
        Command::StepConversion(statement) => {
            statement.body.explanation_commitment.map(explanation).into_iter().collect()
        }
        Command::ReverseAward(statement) => {
            statement.body.explanation_commitment.map(explanation).into_iter().collect()
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
        Statement::UpgradeProtocol(header, body) => Command::UpgradeProtocol(signed(header, body, signers)),
        Statement::PublishRuleBook(header, body) => {
            let check = Box::new(as_stated(&body));
            Command::PublishRuleBook(Box::new(signed(header, *body, signers)), check)
        }
        Statement::ChangeRuleBook(header, body) => {
            Command::ChangeRuleBook(Box::new(signed(header, *body, signers)))
        }
        Statement::GiveAutoApproval(header, body) => {
            Command::GiveAutoApproval(Box::new(signed(header, *body, signers)))
        }
        Statement::RequestConversion(header, body) => {
            let assessment = as_recorded(&body, events).ok_or_else(|| missing("an application"))?;
            let statement = Box::new(signed(header, *body, signers));
            Command::RequestConversion(statement, Box::new(assessment))
        }
        Statement::DecideConversion(header, body) => {
            Command::DecideConversion(Box::new(signed(header, *body, signers)))
        }
        Statement::StepConversion(header, body) => {
            Command::StepConversion(Box::new(signed(header, *body, signers)))
        }
        Statement::ReverseAward(header, body) => {
            Command::ReverseAward(Box::new(signed(header, *body, signers)))
        }
    })
}

/// What a book says of itself, as long as nobody has read it: what its publication says.
fn as_stated(publication: &RuleBookPublication) -> BookCheck {
    let RuleBookPublication { book, digest: _, size_bytes, effective_from, effective_until, select_by } =
        publication;
    BookCheck {
        book: book.clone(),
        size_bytes: *size_bytes,
        effective_from: *effective_from,
        effective_until: *effective_until,
        select_by: *select_by,
    }
}

/// What was reckoned for a request, as its entry has it. Whose the target is and whether no officer decides is for the
/// book to say; until it is read, it says what the entry needs.
fn as_recorded(request: &ConversionRequest, events: &[Event]) -> Option<Assessment> {
    let (items, explanation_commitment) = events.iter().find_map(|event| {
        let Event::ConversionRequested { items, explanation_commitment, .. } = event else { return None };
        Some((items.clone(), *explanation_commitment))
    })?;
    let at_once =
        |event: &Event| matches!(event, Event::ConversionChanged(change) if change.auto_approval.is_some());
    Some(Assessment {
        owner: Some(request.institution_id.clone()),
        items,
        automatic: events.iter().any(at_once),
        refusal: None,
        explanation_commitment,
    })
}

fn signed<B>(header: Header, body: B, signers: Vec<Kid>) -> Signed<B> {
    Signed { header, body, signers }
}
