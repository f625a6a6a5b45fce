//! What a caller wants recorded, before it is committed to and signed.

use credit_log::commitment::{DETAILS_LABEL, EXPLANATION_LABEL, IDENTITY_LABEL, PARTICULARS_LABEL, commit};
use credit_proto::{Secret, v1};
use credit_types::{
    AccountIdentity, AccountRef, Amount, CivilDate, ConversionParticulars, CorrectionReason, Digest,
    InstitutionId, Level, Minutes, RecordAction, RecordDetails, RecordFacts, RecordId, RecordKind,
    StatusReason, Text,
};

use crate::error::ClientError;
use crate::random;

/// A record to be deposited. The client draws the salt, commits to the details and signs the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// The learner's account.
    pub account_ref: AccountRef,
    /// The issuer's id for it: see [`record_id_from_row`](crate::record_id_from_row) and
    /// [`new_record_id`](crate::new_record_id).
    pub record_id: RecordId,
    /// What it attests.
    pub kind: RecordKind,
    /// The credit; `None`: nothing is posted.
    pub amount: Option<Amount>,
    /// The learning time.
    pub minutes: Option<Minutes>,
    /// The level.
    pub level: Option<Level>,
    /// Subject code; empty if only an occupation is named.
    pub subject_code: String,
    /// Occupation code; empty if only a subject is named.
    pub occupation_code: String,
    /// The day of the award.
    pub awarded_on: CivilDate,
    /// The last day of validity.
    pub valid_until: Option<CivilDate>,
    /// Whether the issuer offers it for conversion.
    pub credit_eligible: bool,
    /// The secret part.
    pub details: RecordDetails,
}

/// A correction to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCorrection {
    /// Leaf hash of the superseded record's last status entry, as reading the record gives it.
    pub after: Digest,
    /// The record that is superseded.
    pub supersedes: RecordId,
    /// Why.
    pub reason: CorrectionReason,
    /// The corrected record, under an id of its own.
    pub record: NewRecord,
    /// Words about it, kept secret like details.
    pub explanation: Option<Text>,
}

/// A revocation, suspension or reinstatement of a record to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatusChange {
    /// Leaf hash of the record's last status entry; `None` in a revocation.
    pub after: Option<Digest>,
    /// The account.
    pub account_ref: AccountRef,
    /// The record's issuer.
    pub issuer_id: InstitutionId,
    /// The record.
    pub record_id: RecordId,
    /// What is done.
    pub action: RecordAction,
    /// Why.
    pub reason: StatusReason,
    /// The order's reference; empty if there is none.
    pub order_ref: String,
    /// The day from which it holds.
    pub effective_from: Option<CivilDate>,
    /// Words about it, kept secret like details.
    pub explanation: Option<Text>,
}

/// A secret part with the commitment that the statement carries.
pub(crate) struct Committed {
    pub(crate) commitment: Digest,
    pub(crate) salt: [u8; 32],
    pub(crate) payload: Vec<u8>,
}

impl Committed {
    /// Commits to a record's details.
    pub(crate) fn details(details: &RecordDetails) -> Result<Self, ClientError> {
        Self::to("details", DETAILS_LABEL, details)
    }

    /// Commits to the identity behind an account.
    pub(crate) fn identity(identity: &AccountIdentity) -> Result<Self, ClientError> {
        Self::to("identity", IDENTITY_LABEL, identity)
    }

    /// Commits to an explanation or an officer's opinion, where there is one.
    pub(crate) fn explanation(explanation: Option<&Text>) -> Result<Option<Self>, ClientError> {
        explanation.map(|text| Self::to("explanation", EXPLANATION_LABEL, text)).transpose()
    }

    /// Commits to what a learner states beside the records, where there is something.
    pub(crate) fn particulars(
        particulars: Option<&ConversionParticulars>,
    ) -> Result<Option<Self>, ClientError> {
        particulars.map(|stated| Self::to("particulars", PARTICULARS_LABEL, stated)).transpose()
    }

    /// Checks a secret part against every bound that the bank will check it against, and commits to it under a salt
    /// of its own.
    fn to<S: Secret>(field: &str, label: &str, secret: &S) -> Result<Self, ClientError> {
        let payload = secret.payload();
        S::from_payload(&payload).map_err(|invalid| invalid.within(field))?;
        let salt = random::salt()?;
        Ok(Self { commitment: Digest(commit(label, &salt, S::TYPE, &payload)), salt, payload })
    }

    /// The part as it is sent.
    pub(crate) fn wire(self) -> v1::SecretPart {
        v1::SecretPart { salt: self.salt.to_vec(), payload: self.payload }
    }
}

impl NewRecord {
    /// The facts with a commitment.
    pub(crate) fn facts(&self, details_commitment: Digest) -> RecordFacts {
        RecordFacts {
            record_id: self.record_id,
            account_ref: self.account_ref,
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use credit_types::{Credits, SchemeId};

    /// A record that the bank would take by its form.
    pub(crate) fn record(account: u8, record: u8) -> NewRecord {
        let scheme = SchemeId::new("CN_XF").unwrap();
        let credits = Credits::from_milli(3_000).unwrap();
        let id = crate::record_id_from_row(&[1; 32], &[record]);
        let title = Text { zh: "高等数学".to_owned(), en: String::new() };
        NewRecord {
            account_ref: AccountRef([account; 16]),
            record_id: id,
            kind: RecordKind::FormalCourse,
            amount: Some(Amount { scheme, credits }),
            minutes: None,
            level: None,
            subject_code: "0701".to_owned(),
            occupation_code: String::new(),
            awarded_on: CivilDate::new(2026, 7, 1).unwrap(),
            valid_until: None,
            credit_eligible: true,
            details: RecordDetails {
                catalogue_ref: "MATH-101@1".to_owned(),
                title,
                ..RecordDetails::default()
            },
        }
    }

    #[test]
    fn a_commitment_is_to_the_bytes_that_are_sent_under_a_salt_of_its_own() {
        let details = record(1, 1).details;
        let one = Committed::details(&details).unwrap();
        let other = Committed::details(&details).unwrap();
        assert_eq!(one.payload, other.payload);
        assert_ne!(one.salt, other.salt);
        let want = commit("creditbank/details/v1", &one.salt, RecordDetails::TYPE, &one.payload);
        assert_eq!(one.commitment, Digest(want));
        assert_eq!(RecordDetails::from_payload(&one.payload).unwrap(), details);
    }

    #[test]
    fn each_kind_of_secret_has_its_own_label() {
        let identity = AccountIdentity { name: "李雷".to_owned(), ..AccountIdentity::default() };
        let committed = Committed::identity(&identity).unwrap();
        let want =
            commit("creditbank/identity/v1", &committed.salt, AccountIdentity::TYPE, &committed.payload);
        assert_eq!(committed.commitment, Digest(want));
        let text = Text { zh: String::new(), en: "found wrong".to_owned() };
        let committed = Committed::explanation(Some(&text)).unwrap().unwrap();
        let want = commit("creditbank/explanation/v1", &committed.salt, Text::TYPE, &committed.payload);
        assert_eq!(committed.commitment, Digest(want));
        assert!(Committed::explanation(None).unwrap().is_none());
    }

    #[test]
    fn a_secret_that_the_bank_would_refuse_is_refused_here_by_its_field() {
        let mut details = record(1, 1).details;
        details.catalogue_ref = String::new();
        let refused = Committed::details(&details).map(|_| ());
        assert!(
            matches!(refused, Err(ClientError::Invalid { field, .. }) if field == "details.catalogue_ref")
        );
    }
}
