//! The commitments of an entry: what of it lies in the vault.

use credit_types::{AccountOpening, AccountRef, Digest, RecordFacts};

use crate::entry::{DecodedParts, StatementPart, WireEvent};
use crate::field::{required, sized};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Reading, Stage};
use crate::statement::{Leaf as _, Statement, read_statement};

/// A commitment of an entry: whose it is, the payload type behind it, and itself.
pub type Committed = (AccountRef, &'static str, Digest);

/// The commitments to the secret parts of an account in an entry, in the order of its statements; of a correction the
/// details before the explanation, of an application the particulars before the bank's explanation. An item of the
/// vault is named after them.
pub fn commitments_of(parts: &DecodedParts, account: AccountRef) -> Result<Vec<Digest>, InvalidField> {
    let all = commitments(parts)?.into_iter();
    Ok(all.filter(|(about, _, _)| *about == account).map(|(_, _, hash)| hash).collect())
}

/// The commitments to all secret parts of an entry, in the same order.
pub fn commitments(parts: &DecodedParts) -> Result<Vec<Committed>, InvalidField> {
    let mut commitments = Vec::new();
    for (number, statement) in parts.statements.iter().enumerate() {
        let of_statement = match statement {
            StatementPart::Signed(envelope) => {
                let (payload_type, payload) = (envelope.payload_type.as_str(), envelope.payload.as_slice());
                signed(payload_type, payload, &parts.events)
            }
            // The chunk's own event is the first.
            StatementPart::Leaf { manifest_index: _, position: _, facts } => {
                leaf(facts, parts.events.get(number.saturating_add(1)))
            }
        };
        commitments.extend(of_statement.at_element("statements", number)?);
    }
    Ok(commitments)
}

fn leaf(facts: &[u8], event: Option<&WireEvent>) -> Result<Vec<Committed>, InvalidField> {
    if let Some(account) = opened(event) {
        let identity = AccountOpening::leaf(facts)?.identity_commitment;
        return Ok(vec![(account, payload_type::ACCOUNT_IDENTITY, identity)]);
    }
    let facts = RecordFacts::leaf(facts)?;
    Ok(vec![(facts.account_ref, payload_type::RECORD_DETAILS, facts.details_commitment)])
}

/// The account that an event opens.
fn opened(event: Option<&WireEvent>) -> Option<AccountRef> {
    let body = event?.account_opened.as_ref()?;
    AccountRef::from_slice(&body.account_ref).ok()
}

/// The commitment to the bank's own explanation of what it proposes; events of earlier applications may come first.
fn reckoned(events: &[WireEvent]) -> Result<Digest, InvalidField> {
    let body = events.iter().find_map(|event| event.conversion_requested.as_ref());
    let body = required("conversion_requested", body)?;
    sized("explanation_commitment", &body.explanation_commitment, Digest::from_slice)
        .at("conversion_requested")
}

/// The account whose application an entry moves on.
fn changed(events: &[WireEvent]) -> Option<AccountRef> {
    let body = events.iter().find_map(|event| event.conversion_changed.as_ref())?;
    AccountRef::from_slice(&body.account_ref).ok()
}

fn signed(payload_type: &str, payload: &[u8], events: &[WireEvent]) -> Result<Vec<Committed>, InvalidField> {
    let secret = [
        payload_type::ACCOUNT_OPENING,
        payload_type::ACCOUNT_STATUS_CHANGE,
        payload_type::RECORD_FACTS,
        payload_type::RECORD_CORRECTION,
        payload_type::RECORD_STATUS_CHANGE,
        payload_type::CONVERSION_REQUEST,
        payload_type::CONVERSION_DECISION,
        payload_type::CONVERSION_STEP,
        payload_type::AWARD_REVERSAL,
    ];
    if !secret.contains(&payload_type) {
        return Ok(Vec::new());
    }
    let (details, identity, explanation) =
        (payload_type::RECORD_DETAILS, payload_type::ACCOUNT_IDENTITY, payload_type::STATUS_EXPLANATION);
    // None of these statements holds a key.
    let reading = Reading { admit: |_| None, stage: Stage::Replay };
    let (account, commitments) = match read_statement(payload_type, payload, reading)? {
        Statement::OpenAccount(_, body) => {
            (opened(events.first()), vec![Some((identity, body.identity_commitment))])
        }
        Statement::ChangeAccountStatus(_, body) => {
            (Some(body.account_ref), vec![body.explanation_commitment.map(|hash| (explanation, hash))])
        }
        Statement::DepositRecord(_, body) => {
            (Some(body.account_ref), vec![Some((details, body.details_commitment))])
        }
        Statement::CorrectRecord(_, body) => {
            let explained = body.explanation_commitment.map(|hash| (explanation, hash));
            (Some(body.facts.account_ref), vec![Some((details, body.facts.details_commitment)), explained])
        }
        Statement::ChangeRecordStatus(_, body) => {
            (Some(body.account_ref), vec![body.explanation_commitment.map(|hash| (explanation, hash))])
        }
        Statement::RequestConversion(_, body) => {
            let stated = body.particulars_commitment;
            let stated = stated.map(|hash| (payload_type::CONVERSION_PARTICULARS, hash));
            let reckoned = Some((payload_type::CONVERSION_EXPLANATION, reckoned(events)?));
            (Some(body.account_ref), vec![stated, reckoned])
        }
        Statement::DecideConversion(_, body) => {
            (changed(events), vec![body.opinion_commitment.map(|hash| (explanation, hash))])
        }
        Statement::StepConversion(_, body) => {
            (changed(events), vec![body.explanation_commitment.map(|hash| (explanation, hash))])
        }
        Statement::ReverseAward(_, body) => {
            (changed(events), vec![body.explanation_commitment.map(|hash| (explanation, hash))])
        }
        Statement::Genesis(..)
        | Statement::AdmitInstitution(..)
        | Statement::PublishFramework(..)
        | Statement::AddKey(..)
        | Statement::RetireKey(..)
        | Statement::ReportKeyCompromise(..)
        | Statement::OpenBatch(..)
        | Statement::CloseBatch(..)
        | Statement::StartServer(..)
        | Statement::UpgradeProtocol(..)
        | Statement::PublishRuleBook(..)
        | Statement::ChangeRuleBook(..)
        | Statement::GiveAutoApproval(..) => (None, Vec::new()),
    };
    Ok(account
        .into_iter()
        .flat_map(|about| {
            commitments.iter().flatten().map(move |(payload_type, hash)| (about, *payload_type, *hash))
        })
        .collect())
}
