//! Records: facts, corrections, status.

use credit_types::limits::{
    CLASS_HOUR_MINUTES_MAX, CODE_BYTES_MAX, LEVEL_TENTHS_MAX, MINUTES_MAX, REFERENCE_BYTES_MAX,
};
use credit_types::{
    AccountRef, Amount, Credits, Digest, FrameworkId, Header, InstitutionId, Level, Minutes, RecordAction,
    RecordCorrection, RecordFacts, RecordId, RecordStatusChange, SchemeId,
};

use crate::account::stated_reason;
use crate::enumeration::Enumerated as _;
use crate::field::{
    ascii, date, date_wire, ensure, enumeration, named, optional_date, optional_enumeration, optional_sized,
    range, required, sized,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::Reading;
use crate::statement::{Leaf, Signable, header, header_wire, optional_header};
use crate::v1;

impl Signable for RecordFacts {
    const TYPE: &'static str = payload_type::RECORD_FACTS;
    type Wire = v1::RecordFacts;

    fn to_wire(&self, header: Option<&Header>) -> v1::RecordFacts {
        let minutes = self.minutes.as_ref();
        v1::RecordFacts {
            header: header_wire(header),
            record_id: self.record_id.0.to_vec(),
            account_ref: self.account_ref.0.to_vec(),
            kind: self.kind.number(),
            amount: self.amount.as_ref().map(amount_wire),
            hour_kind: minutes.map_or(0, |minutes| minutes.hour_kind.number()),
            minutes: minutes.map_or(0, |minutes| minutes.minutes),
            class_hour_minutes: minutes.map_or(0, |minutes| minutes.class_hour_minutes),
            level: self.level.as_ref().map(level_wire),
            subject_code: self.subject_code.clone(),
            occupation_code: self.occupation_code.clone(),
            awarded_on: Some(date_wire(self.awarded_on)),
            valid_until: self.valid_until.map(date_wire),
            details_commitment: self.details_commitment.0.to_vec(),
            credit_eligible: self.credit_eligible,
        }
    }

    fn from_wire(wire: v1::RecordFacts, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::RecordFacts {
            header,
            record_id,
            account_ref,
            kind,
            amount: amount_wire,
            hour_kind,
            minutes: minutes_wire,
            class_hour_minutes,
            level: level_wire,
            subject_code,
            occupation_code,
            awarded_on,
            valid_until,
            details_commitment,
            credit_eligible,
        } = wire;
        let header = optional_header(header)?;
        let coded = !(subject_code.is_empty() && occupation_code.is_empty());
        let facts = Self {
            record_id: sized("record_id", &record_id, RecordId::from_uuid)?,
            account_ref: sized("account_ref", &account_ref, AccountRef::from_slice)?,
            kind: enumeration("kind", kind)?,
            amount: amount_wire.map(amount).transpose().at("amount")?,
            minutes: minutes(hour_kind, minutes_wire, class_hour_minutes)?,
            level: level_wire.map(level).transpose().at("level")?,
            subject_code: ascii("subject_code", subject_code, 0..=CODE_BYTES_MAX)?,
            occupation_code: ascii("occupation_code", occupation_code, 0..=CODE_BYTES_MAX)?,
            awarded_on: date("awarded_on", awarded_on)?,
            valid_until: optional_date("valid_until", valid_until)?,
            details_commitment: sized("details_commitment", &details_commitment, Digest::from_slice)?,
            credit_eligible,
        };
        ensure(coded, "subject_code", "is missing, and so is occupation_code: set one of them at least")?;
        Ok((header, facts))
    }
}

impl Leaf for RecordFacts {}

/// An amount: its number is signed on the wire so that a negative one is refused by name.
pub(crate) fn amount(wire: v1::Amount) -> Result<Amount, InvalidField> {
    let v1::Amount { credit_scheme, credits_milli } = wire;
    Ok(Amount {
        scheme: named("credit_scheme", credit_scheme, SchemeId::new)?,
        credits: credits(credits_milli)?,
    })
}

/// A number of milli-credits, under the name that it has in every message.
pub(crate) fn credits(milli: i64) -> Result<Credits, InvalidField> {
    let remedy = match milli {
        i64::MIN..0 => "credit is never negative, a loss is a status change or correction",
        0 => "leave the amount out where nothing is credited",
        1.. => "count in thousandths of a credit",
    };
    Credits::from_milli(milli)
        .map_err(|error| InvalidField::new("credits_milli", format!("{error}: {remedy}")))
}

fn amount_wire(amount: &Amount) -> v1::Amount {
    let Amount { scheme, credits } = amount;
    v1::Amount { credit_scheme: scheme.as_str().to_owned(), credits_milli: credits.milli() }
}

fn minutes(hour_kind: i32, minutes: i32, class_hour_minutes: i32) -> Result<Option<Minutes>, InvalidField> {
    range("minutes", minutes, 0..=MINUTES_MAX)?;
    range("class_hour_minutes", class_hour_minutes, 0..=CLASS_HOUR_MINUTES_MAX)?;
    let hour_kind = optional_enumeration("hour_kind", hour_kind)?;
    if minutes > 0 {
        let hour_kind = required("hour_kind", hour_kind)?;
        return Ok(Some(Minutes { hour_kind, minutes, class_hour_minutes }));
    }
    let problem = "must be absent without minutes: set minutes too, or leave it out";
    ensure(hour_kind.is_none(), "hour_kind", problem)?;
    ensure(class_hour_minutes == 0, "class_hour_minutes", problem)?;
    Ok(None)
}

fn level(wire: v1::Level) -> Result<Level, InvalidField> {
    let v1::Level { framework, level_tenths } = wire;
    Ok(Level {
        framework: named("framework", framework, FrameworkId::new)?,
        tenths: range("level_tenths", level_tenths, 0..=LEVEL_TENTHS_MAX)?,
    })
}

fn level_wire(level: &Level) -> v1::Level {
    let Level { framework, tenths } = level;
    v1::Level { framework: framework.as_str().to_owned(), level_tenths: *tenths }
}

impl Signable for RecordCorrection {
    const TYPE: &'static str = payload_type::RECORD_CORRECTION;
    type Wire = v1::RecordCorrection;

    fn to_wire(&self, header: Option<&Header>) -> v1::RecordCorrection {
        let Self { after, supersedes, reason, facts, explanation_commitment } = self;
        v1::RecordCorrection {
            header: header_wire(header),
            after: after.0.to_vec(),
            supersedes: supersedes.0.to_vec(),
            reason: reason.number(),
            facts: Some(facts.to_wire(None)),
            explanation_commitment: explanation_commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(
        wire: v1::RecordCorrection,
        reading: Reading,
    ) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::RecordCorrection {
            header: header_wire,
            after,
            supersedes,
            reason,
            facts,
            explanation_commitment,
        } = wire;
        let header = header(header_wire)?;
        let facts = required("facts", facts)?;
        let (inner, facts) = RecordFacts::from_wire(facts, reading).at("facts")?;
        ensure(
            inner.is_none(),
            "facts.header",
            "must be absent in a correction, which has its own: leave it out",
        )?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            supersedes: sized("supersedes", &supersedes, RecordId::from_uuid)?,
            reason: enumeration("reason", reason)?,
            facts,
            explanation_commitment: optional_sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}

impl Signable for RecordStatusChange {
    const TYPE: &'static str = payload_type::RECORD_STATUS_CHANGE;
    type Wire = v1::RecordStatusChange;

    fn to_wire(&self, header: Option<&Header>) -> v1::RecordStatusChange {
        v1::RecordStatusChange {
            header: header_wire(header),
            after: self.after.map(|hash| hash.0.to_vec()).unwrap_or_default(),
            account_ref: self.account_ref.0.to_vec(),
            issuer_id: self.issuer_id.as_str().to_owned(),
            record_id: self.record_id.0.to_vec(),
            action: self.action.number(),
            reason: self.reason.number(),
            order_ref: self.order_ref.clone(),
            effective_from: self.effective_from.map(date_wire),
            explanation_commitment: self
                .explanation_commitment
                .map(|hash| hash.0.to_vec())
                .unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::RecordStatusChange, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::RecordStatusChange {
            header: header_wire,
            after,
            account_ref,
            issuer_id,
            record_id,
            action,
            reason,
            order_ref,
            effective_from,
            explanation_commitment,
        } = wire;
        let header = header(header_wire)?;
        let after = optional_sized("after", &after, Digest::from_slice)?;
        let action = enumeration("action", action)?;
        match action {
            RecordAction::Revoke => {
                let problem = "must be absent in a revocation, which is never stale: leave it out";
                ensure(after.is_none(), "after", problem)?;
            }
            RecordAction::Suspend | RecordAction::Reinstate => {
                required("after", after)?;
            }
        }
        let body = Self {
            after,
            account_ref: sized("account_ref", &account_ref, AccountRef::from_slice)?,
            issuer_id: named("issuer_id", issuer_id, InstitutionId::new)?,
            record_id: sized("record_id", &record_id, RecordId::from_uuid)?,
            action,
            reason: stated_reason(reason)?,
            order_ref: ascii("order_ref", order_ref, 0..=REFERENCE_BYTES_MAX)?,
            effective_from: optional_date("effective_from", effective_from)?,
            explanation_commitment: optional_sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}
