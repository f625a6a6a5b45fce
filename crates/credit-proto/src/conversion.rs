//! Applications for credit and awards: what registrars, officers and regulators sign, and what a learner states.

use credit_types::limits::{
    APPLICATION_ITEMS_MAX, APPLICATION_RECORDS_MAX, CONVERSION_FACTS_MAX, FACT_VALUE_BYTES_MAX, MET_MAX,
    REFERENCE_BYTES_MAX,
};
use credit_types::{
    AccountRef, AwardReversal, BookName, ConversionDecision, ConversionFact, ConversionParticulars,
    ConversionRequest, ConversionStep, Credits, DecidedItem, DecisionOutcome, DecisionReason, Digest, Header,
    InstitutionId, RecordId, RecordName,
};

use crate::enumeration::{Enumerated as _, optional_number};
use crate::field::{
    ascending, ascii, count, date_wire, ensure, enumeration, named, optional_date, optional_enumeration,
    optional_sized, range, required, sized, words,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Reading, Stage};
use crate::record::credits;
use crate::rule_book::{book, book_names, book_names_wire};
use crate::statement::{Secret, Signable, header, header_wire};
use crate::v1;

impl Signable for ConversionRequest {
    const TYPE: &'static str = payload_type::CONVERSION_REQUEST;
    type Wire = v1::ConversionRequest;

    fn to_wire(&self, header: Option<&Header>) -> v1::ConversionRequest {
        let commitment = self.particulars_commitment;
        v1::ConversionRequest {
            header: header_wire(header),
            account_ref: self.account_ref.0.to_vec(),
            purpose: self.purpose.number(),
            institution_id: self.institution_id.as_str().to_owned(),
            book_id: self.book.book_id.as_str().to_owned(),
            version: self.book.version,
            target: self.target.as_str().to_owned(),
            records: self.records.iter().map(record_name_wire).collect(),
            particulars_commitment: commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::ConversionRequest, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::ConversionRequest {
            header: header_wire,
            account_ref,
            purpose,
            institution_id,
            book_id,
            version,
            target,
            records: record_wires,
            particulars_commitment,
        } = wire;
        let header = header(header_wire)?;
        count("records", &record_wires, 1..=APPLICATION_RECORDS_MAX)?;
        let mut records = Vec::with_capacity(record_wires.len());
        for (position, wire) in record_wires.into_iter().enumerate() {
            records.push(record_name(wire).at_element("records", position)?);
        }
        ascending("records", &records)?;
        let body = Self {
            account_ref: sized("account_ref", &account_ref, AccountRef::from_slice)?,
            purpose: enumeration("purpose", purpose)?,
            institution_id: named("institution_id", institution_id, InstitutionId::new)?,
            book: book(book_id, version)?,
            target: named("target", target, BookName::new)?,
            records,
            particulars_commitment: optional_sized(
                "particulars_commitment",
                &particulars_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}

/// A record by its issuer and the issuer's id.
pub fn record_name(wire: v1::RecordName) -> Result<RecordName, InvalidField> {
    let v1::RecordName { issuer_id, record_id } = wire;
    Ok(RecordName {
        issuer: named("issuer_id", issuer_id, InstitutionId::new)?,
        record_id: sized("record_id", &record_id, RecordId::from_uuid)?,
    })
}

/// The name of a record as it stands in a message.
pub fn record_name_wire(name: &RecordName) -> v1::RecordName {
    let RecordName { issuer, record_id } = name;
    v1::RecordName { issuer_id: issuer.as_str().to_owned(), record_id: record_id.0.to_vec() }
}

/// The position of a record in a request.
pub(crate) fn record_position(field: &str, position: u32) -> Result<u32, InvalidField> {
    position_of(field, position, APPLICATION_RECORDS_MAX)
}

/// The position of an item in a proposal.
pub(crate) fn item_position(position: u32) -> Result<u32, InvalidField> {
    position_of("position", position, APPLICATION_ITEMS_MAX)
}

fn position_of(field: &str, position: u32, elements_max: usize) -> Result<u32, InvalidField> {
    let last = u32::try_from(elements_max.saturating_sub(1)).unwrap_or(u32::MAX);
    range(field, position, 0..=last)
}

/// A number of milli-credits that may be absent.
pub(crate) fn optional_credits(milli: i64) -> Result<Option<Credits>, InvalidField> {
    if milli == 0 { Ok(None) } else { credits(milli).map(Some) }
}

/// The same as it stands in a message.
pub(crate) fn optional_credits_wire(credits: Option<Credits>) -> i64 {
    credits.map_or(0, Credits::milli)
}

/// The index of an application's entry. Entry 0 is the genesis, so that 0 only ever says that it was left out.
pub(crate) fn application(index: u64) -> Result<u64, InvalidField> {
    range("application_index", index, 1..=u64::MAX)
}

impl Secret for ConversionParticulars {
    const TYPE: &'static str = payload_type::CONVERSION_PARTICULARS;
    type Wire = v1::ConversionParticulars;

    fn to_wire(&self) -> v1::ConversionParticulars {
        let Self { born_on, enrolled_on, met, facts, consent_ref } = self;
        v1::ConversionParticulars {
            born_on: born_on.map(date_wire),
            enrolled_on: enrolled_on.map(date_wire),
            met: book_names_wire(met),
            facts: facts.iter().map(fact_wire).collect(),
            consent_ref: consent_ref.clone(),
        }
    }

    fn from_wire(wire: v1::ConversionParticulars, stage: Stage) -> Result<Self, InvalidField> {
        let v1::ConversionParticulars { born_on, enrolled_on, met, facts: fact_wires, consent_ref } = wire;
        count("facts", &fact_wires, 0..=CONVERSION_FACTS_MAX)?;
        let mut facts = Vec::with_capacity(fact_wires.len());
        for (position, wire) in fact_wires.into_iter().enumerate() {
            facts.push(fact(wire, stage).at_element("facts", position)?);
        }
        ascending("facts", facts.iter().map(|fact: &ConversionFact| (fact.record, &fact.name)))?;
        Ok(Self {
            born_on: optional_date("born_on", born_on)?,
            enrolled_on: optional_date("enrolled_on", enrolled_on)?,
            met: book_names("met", met, MET_MAX)?,
            facts,
            consent_ref: ascii("consent_ref", consent_ref, 0..=REFERENCE_BYTES_MAX)?,
        })
    }
}

fn fact(wire: v1::ConversionFact, stage: Stage) -> Result<ConversionFact, InvalidField> {
    let v1::ConversionFact { record, name, value } = wire;
    ensure(!value.is_empty(), "value", "is missing: set it to a number, true, false or a word")?;
    Ok(ConversionFact {
        record: record_position("record", record)?,
        name: named("name", name, BookName::new)?,
        value: words("value", value, FACT_VALUE_BYTES_MAX, stage)?,
    })
}

fn fact_wire(fact: &ConversionFact) -> v1::ConversionFact {
    let ConversionFact { record, name, value } = fact;
    v1::ConversionFact { record: *record, name: name.as_str().to_owned(), value: value.clone() }
}

impl Signable for ConversionDecision {
    const TYPE: &'static str = payload_type::CONVERSION_DECISION;
    type Wire = v1::ConversionDecision;

    fn to_wire(&self, header: Option<&Header>) -> v1::ConversionDecision {
        v1::ConversionDecision {
            header: header_wire(header),
            after: self.after.0.to_vec(),
            application_index: self.application,
            outcome: self.outcome.number(),
            explanation_commitment: self.explanation_commitment.0.to_vec(),
            items: self.items.iter().map(decided_item_wire).collect(),
            reason: optional_number(self.reason),
            provisional_until: self.provisional_until.map(date_wire),
            opinion_commitment: self.opinion_commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::ConversionDecision, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::ConversionDecision {
            header: header_wire,
            after,
            application_index,
            outcome,
            explanation_commitment,
            items: item_wires,
            reason,
            provisional_until,
            opinion_commitment,
        } = wire;
        let header = header(header_wire)?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            application: application(application_index)?,
            outcome: enumeration("outcome", outcome)?,
            explanation_commitment: sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
            items: decided_items(item_wires)?,
            reason: optional_enumeration("reason", reason)?,
            provisional_until: optional_date("provisional_until", provisional_until)?,
            opinion_commitment: optional_sized(
                "opinion_commitment",
                &opinion_commitment,
                Digest::from_slice,
            )?,
        };
        check_together(&body)?;
        Ok((header, body))
    }
}

/// What the outcome of a decision asks of its other fields.
fn check_together(decision: &ConversionDecision) -> Result<(), InvalidField> {
    let (items, reason) = (decision.items.as_slice(), decision.reason);
    match decision.outcome {
        DecisionOutcome::Partly => count("items", items, 1..=APPLICATION_ITEMS_MAX)?,
        DecisionOutcome::Approve | DecisionOutcome::Reject | DecisionOutcome::Ask => {
            ensure(items.is_empty(), "items", "must be absent unless the outcome is PARTLY: leave them out")?;
        }
    }
    match decision.outcome {
        DecisionOutcome::Reject | DecisionOutcome::Ask => {
            let _: DecisionReason = required("reason", reason)?;
            let problem = "must be absent where nothing is granted: leave it out";
            ensure(decision.provisional_until.is_none(), "provisional_until", problem)
        }
        DecisionOutcome::Approve | DecisionOutcome::Partly => {
            let problem = "must be absent unless the outcome is REJECT or ASK: leave it out";
            ensure(reason.is_none(), "reason", problem)
        }
    }
}

fn decided_items(wires: Vec<v1::DecidedItem>) -> Result<Vec<DecidedItem>, InvalidField> {
    count("items", &wires, 0..=APPLICATION_ITEMS_MAX)?;
    let mut items = Vec::with_capacity(wires.len());
    for (position, wire) in wires.into_iter().enumerate() {
        items.push(decided_item(wire).at_element("items", position)?);
    }
    ascending("items", items.iter().map(|item: &DecidedItem| item.position))?;
    Ok(items)
}

fn decided_item(wire: v1::DecidedItem) -> Result<DecidedItem, InvalidField> {
    let v1::DecidedItem { position, credits_milli, reason } = wire;
    Ok(DecidedItem {
        position: item_position(position)?,
        credits: optional_credits(credits_milli)?,
        reason: enumeration("reason", reason)?,
    })
}

fn decided_item_wire(item: &DecidedItem) -> v1::DecidedItem {
    let DecidedItem { position, credits, reason } = *item;
    v1::DecidedItem { position, credits_milli: optional_credits_wire(credits), reason: reason.number() }
}

impl Signable for ConversionStep {
    const TYPE: &'static str = payload_type::CONVERSION_STEP;
    type Wire = v1::ConversionStep;

    fn to_wire(&self, header: Option<&Header>) -> v1::ConversionStep {
        let Self { after, application, action, explanation_commitment } = self;
        v1::ConversionStep {
            header: header_wire(header),
            after: after.0.to_vec(),
            application_index: *application,
            action: action.number(),
            explanation_commitment: explanation_commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::ConversionStep, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::ConversionStep {
            header: header_wire,
            after,
            application_index,
            action,
            explanation_commitment,
        } = wire;
        let header = header(header_wire)?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            application: application(application_index)?,
            action: enumeration("action", action)?,
            explanation_commitment: optional_sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}

impl Signable for AwardReversal {
    const TYPE: &'static str = payload_type::AWARD_REVERSAL;
    type Wire = v1::AwardReversal;

    fn to_wire(&self, header: Option<&Header>) -> v1::AwardReversal {
        let Self { after, application, regulator_id, order_ref, kept, explanation_commitment } = self;
        v1::AwardReversal {
            header: header_wire(header),
            after: after.0.to_vec(),
            application_index: *application,
            regulator_id: regulator_id.as_str().to_owned(),
            order_ref: order_ref.clone(),
            kept: kept.clone(),
            explanation_commitment: explanation_commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::AwardReversal, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::AwardReversal {
            header: header_wire,
            after,
            application_index,
            regulator_id,
            order_ref,
            kept,
            explanation_commitment,
        } = wire;
        let header = header(header_wire)?;
        count("kept", &kept, 0..=APPLICATION_RECORDS_MAX)?;
        for (position, record) in kept.iter().enumerate() {
            record_position("", *record).at_element("kept", position)?;
        }
        ascending("kept", &kept)?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            application: application(application_index)?,
            regulator_id: named("regulator_id", regulator_id, InstitutionId::new)?,
            order_ref: ascii("order_ref", order_ref, 1..=REFERENCE_BYTES_MAX)?,
            kept,
            explanation_commitment: optional_sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}

/// The number of a purpose in messages.
pub fn purpose_number(purpose: credit_types::ConversionPurpose) -> i32 {
    purpose.number()
}

/// The purpose of a number in messages.
pub fn purpose_of(number: i32) -> Result<credit_types::ConversionPurpose, InvalidField> {
    enumeration("purpose", number)
}
