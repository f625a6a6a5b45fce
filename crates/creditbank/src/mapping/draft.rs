//! A record before its issuer gives it an id, an account and a commitment.

use credit_types::{
    AccountRef, Amount, CivilDate, Digest, Level, Minutes, RecordDetails, RecordFacts, RecordId, RecordKind,
};

/// What a row says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DraftRecord {
    /// Names the row for ever: the issuer derives the record's id from it, so that a file imported twice names the
    /// same records.
    pub(crate) row_key: Vec<u8>,
    /// The learner's number at the issuer, 1 to 64 printable ASCII bytes.
    pub(crate) learner_number: String,
    /// What it attests.
    pub(crate) kind: RecordKind,
    /// The credit.
    pub(crate) amount: Option<Amount>,
    /// The learning time.
    pub(crate) minutes: Option<Minutes>,
    /// The level.
    pub(crate) level: Option<Level>,
    /// Subject code; empty if only an occupation is named.
    pub(crate) subject_code: String,
    /// Occupation code; empty if only a subject is named.
    pub(crate) occupation_code: String,
    /// The day of the award.
    pub(crate) awarded_on: CivilDate,
    /// The last day of validity.
    pub(crate) valid_until: Option<CivilDate>,
    /// Whether the issuer offers it for conversion.
    pub(crate) credit_eligible: bool,
    /// The secret part.
    pub(crate) details: RecordDetails,
}

impl DraftRecord {
    /// The facts to be signed, with what the issuer adds.
    pub(crate) fn facts(
        &self,
        record_id: RecordId,
        account_ref: AccountRef,
        details_commitment: Digest,
    ) -> RecordFacts {
        RecordFacts {
            record_id,
            account_ref,
            kind: self.kind,
            amount: self.amount.clone(),
            minutes: self.minutes,
            level: self.level.clone(),
            subject_code: self.subject_code.clone(),
            occupation_code: self.occupation_code.clone(),
            awarded_on: self.awarded_on,
            valid_until: self.valid_until,
            details_commitment,
            credit_eligible: self.credit_eligible,
        }
    }
}
