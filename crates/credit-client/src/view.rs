//! What the bank says of things, as nouns. It is the bank's word: what must be proved is asked for with a receipt.

use credit_proto::{InvalidField, Reading, Signable, Stage, v1};
use credit_types::{
    AccountRef, AccountStatus, AssuranceLevel, Bucket, Digest, FrameworkPublication, IdError,
    InstitutionAdmission, InstitutionId, InstitutionKey, KeyAddition, Kid, LogId, RecordDetails, RecordFacts,
    RecordId, RecordStatus,
};
use credit_verify::verify_details;

use crate::error::ClientError;
use crate::signer::admit;

/// An account, without identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account_ref: AccountRef,
    /// Its status.
    pub status: AccountStatus,
    /// How well the person was identified.
    pub assurance: AssuranceLevel,
    /// Index of the entry that opened it.
    pub opened_index: u64,
    /// Leaf hash of its last status entry, to be named as `after`.
    pub last_status_entry: Digest,
    /// Sequence of its last link, from 1.
    pub last_sequence: u64,
    /// Count of its records.
    pub records: u32,
    /// Whether it rests on a suspect key.
    pub key_suspect: bool,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView {
    /// The signed facts.
    pub facts: RecordFacts,
    /// The issuer.
    pub issuer_id: InstitutionId,
    /// Its status.
    pub status: RecordStatus,
    /// The bucket its credit is in today, views included.
    pub bucket: Bucket,
    /// Index of the entry that deposited it.
    pub index: u64,
    /// Leaf hash of its last status entry, to be named as `after`.
    pub last_status_entry: Digest,
    /// The record that superseded it.
    pub superseded_by: Option<RecordId>,
    /// The details, for who may read them and while they are not erased; they open the commitment in the facts.
    pub details: Option<RecordDetails>,
}

/// A key with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    /// The owner.
    pub institution_id: InstitutionId,
    /// The key and its purposes.
    pub key: InstitutionKey,
    /// Index of the entry that added it.
    pub active_from_index: u64,
    /// Index of the entry that retired it.
    pub retired_from_index: Option<u64>,
    /// Index of the entry that reported it.
    pub compromised_index: Option<u64>,
    /// The first suspect index; present with `compromised_index`.
    pub suspect_from_index: Option<u64>,
    /// Leaf hash of its last status entry, to be named as `after`.
    pub last_status_entry: Digest,
}

/// An institution with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionView {
    /// Its admission.
    pub admission: InstitutionAdmission,
    /// Index of the entry that admitted it.
    pub admitted_index: u64,
    /// Its keys, by activation.
    pub keys: Vec<KeyHistory>,
}

/// Reads the answers of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers {
    pub(crate) call: &'static str,
    pub(crate) log_id: LogId,
}

/// What was checked at admission is not checked again: tables of letters change.
const READING: Reading = Reading { admit, stage: Stage::Replay };

impl Answers {
    /// Something wrong with the answer.
    pub(crate) fn wrong(self, problem: impl std::fmt::Display) -> ClientError {
        ClientError::answer(self.call, problem)
    }

    /// A part of the answer that must be there.
    pub(crate) fn some<T>(self, field: &str, value: Option<T>) -> Result<T, ClientError> {
        value.ok_or_else(|| self.wrong(format!("{field} is missing")))
    }

    /// An id or digest.
    pub(crate) fn id<T>(self, field: &str, made: Result<T, IdError>) -> Result<T, ClientError> {
        made.map_err(|error| self.wrong(format!("{field} {error}")))
    }

    fn field<T>(self, read: Result<T, InvalidField>) -> Result<T, ClientError> {
        read.map_err(|error| self.wrong(error))
    }

    /// A body without its header. Some statements can't be read without one, so it is put there for reading.
    pub(crate) fn body<B: Signable>(
        self,
        mut wire: B::Wire,
        header: fn(&mut B::Wire) -> &mut Option<v1::StatementHeader>,
    ) -> Result<B, ClientError> {
        header(&mut wire).get_or_insert_with(|| v1::StatementHeader {
            log_id: self.log_id.as_bytes().to_vec(),
            statement_id: READING_ID.to_vec(),
            signer_id: "authority".to_owned(),
            anchor: None,
        });
        self.field(B::from_wire(wire, READING)).map(|(_, body)| body)
    }

    /// An account.
    pub(crate) fn account(self, view: v1::AccountView) -> Result<AccountView, ClientError> {
        let v1::AccountView {
            account_ref,
            status,
            assurance,
            opened_index,
            last_status_entry,
            last_sequence,
            records,
            key_suspect,
        } = view;
        Ok(AccountView {
            account_ref: self.id("account_ref", AccountRef::from_slice(&account_ref))?,
            status: self.some("status", account_status(status))?,
            assurance: self.some("assurance", assurance_level(assurance))?,
            opened_index,
            last_status_entry: self.id("last_status_entry", Digest::from_slice(&last_status_entry))?,
            last_sequence,
            records,
            key_suspect,
        })
    }

    /// The facts of a record. What an application granted has no code, which every deposit has: another one stands in
    /// its place for reading.
    fn facts(self, mut wire: v1::RecordFacts) -> Result<RecordFacts, ClientError> {
        let granted = wire.subject_code.is_empty() && wire.occupation_code.is_empty();
        if granted {
            READING_CODE.clone_into(&mut wire.subject_code);
        }
        let (_, mut facts) = self.field(RecordFacts::from_wire(wire, READING))?;
        if granted {
            facts.subject_code.clear();
        }
        Ok(facts)
    }

    /// A record.
    pub(crate) fn record(self, view: v1::RecordView) -> Result<RecordView, ClientError> {
        let v1::RecordView {
            facts,
            issuer_id,
            status,
            bucket,
            index,
            last_status_entry,
            superseded_by,
            // What the bank read out of them; they are read here out of what was committed to.
            details: _,
            opened,
        } = view;
        let facts = self.facts(self.some("facts", facts)?)?;
        let superseded_by = match superseded_by.as_slice() {
            [] => None,
            bytes => Some(self.id("superseded_by", RecordId::from_uuid(bytes))?),
        };
        let details = opened.map(|opened| verify_details(&opened, facts.details_commitment)).transpose()?;
        Ok(RecordView {
            facts,
            issuer_id: self.id("issuer_id", InstitutionId::new(issuer_id))?,
            status: self.some("status", record_status(status))?,
            bucket: self.some("bucket", self::bucket(bucket))?,
            index,
            last_status_entry: self.id("last_status_entry", Digest::from_slice(&last_status_entry))?,
            superseded_by,
            details,
        })
    }

    /// A key.
    pub(crate) fn key(self, history: v1::KeyHistory) -> Result<KeyHistory, ClientError> {
        let v1::KeyHistory {
            kid,
            institution_id,
            key,
            active_from_index,
            retired_from_index,
            compromised_index,
            suspect_from_index,
            last_status_entry,
        } = history;
        let addition = v1::KeyAddition { header: None, institution_id, key };
        let KeyAddition { institution_id, key } =
            self.body(addition, |wire: &mut v1::KeyAddition| &mut wire.header)?;
        let kid = self.id("kid", Kid::from_slice(&kid))?;
        if key.key.kid != kid {
            return Err(self.wrong("a key stands under another key's id"));
        }
        Ok(KeyHistory {
            institution_id,
            key,
            active_from_index,
            retired_from_index,
            compromised_index,
            suspect_from_index,
            last_status_entry: self.id("last_status_entry", Digest::from_slice(&last_status_entry))?,
        })
    }

    /// An institution.
    pub(crate) fn institution(self, view: v1::InstitutionView) -> Result<InstitutionView, ClientError> {
        let v1::InstitutionView { admission, admitted_index, keys } = view;
        let admission = self.some("admission", admission)?;
        let admission: InstitutionAdmission =
            self.body(admission, |wire: &mut v1::InstitutionAdmission| &mut wire.header)?;
        let keys = keys.into_iter().map(|key| self.key(key)).collect::<Result<_, _>>()?;
        Ok(InstitutionView { admission, admitted_index, keys })
    }

    /// A framework.
    pub(crate) fn framework(
        self,
        wire: v1::FrameworkPublication,
    ) -> Result<FrameworkPublication, ClientError> {
        self.body(wire, |wire: &mut v1::FrameworkPublication| &mut wire.header)
    }
}

/// A subject code that names no subject.
const READING_CODE: &str = "0";
/// A UUIDv7 that names no statement.
const READING_ID: [u8; 16] = [0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0];

/// The noun of a number.
pub(crate) fn account_status(number: i32) -> Option<AccountStatus> {
    match v1::AccountStatus::try_from(number).ok()? {
        v1::AccountStatus::Unspecified => None,
        v1::AccountStatus::Active => Some(AccountStatus::Active),
        v1::AccountStatus::Suspended => Some(AccountStatus::Suspended),
        v1::AccountStatus::Closed => Some(AccountStatus::Closed),
    }
}

fn assurance_level(number: i32) -> Option<AssuranceLevel> {
    match v1::AssuranceLevel::try_from(number).ok()? {
        v1::AssuranceLevel::Unspecified => None,
        v1::AssuranceLevel::None => Some(AssuranceLevel::None),
        v1::AssuranceLevel::Phone => Some(AssuranceLevel::Phone),
        v1::AssuranceLevel::Document => Some(AssuranceLevel::Document),
        v1::AssuranceLevel::DocumentFace => Some(AssuranceLevel::DocumentFace),
    }
}

/// The noun of a number.
pub(crate) fn record_status(number: i32) -> Option<RecordStatus> {
    match v1::RecordStatus::try_from(number).ok()? {
        v1::RecordStatus::Unspecified => None,
        v1::RecordStatus::Valid => Some(RecordStatus::Valid),
        v1::RecordStatus::Suspended => Some(RecordStatus::Suspended),
        v1::RecordStatus::Revoked => Some(RecordStatus::Revoked),
        v1::RecordStatus::Superseded => Some(RecordStatus::Superseded),
    }
}

/// The noun of a number.
pub(crate) fn bucket(number: i32) -> Option<Bucket> {
    match v1::Bucket::try_from(number).ok()? {
        v1::Bucket::Unspecified => None,
        v1::Bucket::Issued => Some(Bucket::Issued),
        v1::Bucket::Available => Some(Bucket::Available),
        v1::Bucket::Reserved => Some(Bucket::Reserved),
        v1::Bucket::Redeemed => Some(Bucket::Redeemed),
        v1::Bucket::Revoked => Some(Bucket::Revoked),
        v1::Bucket::Suspended => Some(Bucket::Suspended),
        v1::Bucket::Expired => Some(Bucket::Expired),
        v1::Bucket::KeySuspect => Some(Bucket::KeySuspect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::commitment::{DETAILS_LABEL, commit};
    use credit_log::envelope::SigningKey;
    use credit_proto::Secret as _;
    use credit_types::{KeyPurpose, PublicKey, SchemeKind, Text};
    use std::collections::BTreeSet;

    const ANSWERS: Answers = Answers { call: "Call", log_id: LogId([1; 32]) };

    fn key(seed: u8) -> InstitutionKey {
        let public = SigningKey::from_seed([seed; 32]).public();
        let key = PublicKey { bytes: public.bytes(), kid: Kid(public.kid()) };
        InstitutionKey { key, purposes: BTreeSet::from([KeyPurpose::Records, KeyPurpose::Status]) }
    }

    fn history(seed: u8) -> v1::KeyHistory {
        let institution_id = InstitutionId::new("cn.x.school").unwrap();
        let wire = KeyAddition { institution_id, key: key(seed) }.to_wire(None);
        v1::KeyHistory {
            kid: key(seed).key.kid.as_bytes().to_vec(),
            institution_id: wire.institution_id,
            key: wire.key,
            active_from_index: 4,
            retired_from_index: None,
            compromised_index: Some(9),
            suspect_from_index: Some(5),
            last_status_entry: vec![3; 32],
        }
    }

    #[test]
    fn a_key_is_read_with_its_history_and_under_its_own_id() {
        let read = ANSWERS.key(history(1)).unwrap();
        assert_eq!(read.key, key(1));
        assert_eq!((read.compromised_index, read.suspect_from_index), (Some(9), Some(5)));
        let swapped = v1::KeyHistory { kid: history(2).kid, ..history(1) };
        assert!(matches!(ANSWERS.key(swapped), Err(ClientError::BadAnswer { call: "Call", .. })));
    }

    #[test]
    fn a_framework_is_read_without_the_header_that_it_was_signed_with() {
        let label = Text { zh: "学分".to_owned(), en: String::new() };
        let framework = FrameworkPublication {
            framework_id: credit_types::FrameworkId::new("cn.nqf").unwrap(),
            version: 1,
            title: label.clone(),
            schemes: vec![credit_types::CreditScheme {
                scheme_id: credit_types::SchemeId::new("CN_XF").unwrap(),
                kind: SchemeKind::Credit,
                step_milli: 500,
                notional_minutes: 0,
                label,
            }],
            levels: None,
        };
        assert_eq!(ANSWERS.framework(framework.to_wire(None)).unwrap(), framework);
    }

    #[test]
    fn a_record_is_read_with_its_details_and_refused_with_what_is_not_known() {
        let record = crate::draft::tests::record(1, 1);
        let (salt, payload) = ([9; 32], record.details.payload());
        let commitment = Digest(commit(DETAILS_LABEL, &salt, RecordDetails::TYPE, &payload));
        let opened =
            v1::OpenedSecret { payload_type: RecordDetails::TYPE.to_owned(), salt: salt.to_vec(), payload };
        let view = v1::RecordView {
            facts: Some(record.facts(commitment).to_wire(None)),
            issuer_id: "cn.x.school".to_owned(),
            status: v1::RecordStatus::Valid.into(),
            bucket: v1::Bucket::Available.into(),
            index: 7,
            last_status_entry: vec![5; 32],
            superseded_by: Vec::new(),
            details: None,
            opened: Some(opened.clone()),
        };
        let read = ANSWERS.record(view.clone()).unwrap();
        assert_eq!(read.facts, record.facts(commitment));
        assert_eq!(read.details, Some(record.details.clone()));
        assert_eq!((read.status, read.bucket), (RecordStatus::Valid, Bucket::Available));
        for bent in [
            v1::RecordView { facts: None, ..view.clone() },
            v1::RecordView { status: 0, ..view.clone() },
            v1::RecordView { bucket: 99, ..view.clone() },
            v1::RecordView { last_status_entry: vec![5; 31], ..view.clone() },
            v1::RecordView { superseded_by: vec![1; 16], ..view.clone() },
        ] {
            assert!(matches!(ANSWERS.record(bent), Err(ClientError::BadAnswer { .. })));
        }
        let bend = |change: fn(&mut v1::OpenedSecret)| {
            let mut bent = opened.clone();
            change(&mut bent);
            ANSWERS.record(v1::RecordView { opened: Some(bent), ..view.clone() }).unwrap_err()
        };
        for error in [
            bend(|opened| opened.salt[0] ^= 1),
            bend(|opened| opened.salt.truncate(31)),
            bend(|opened| opened.payload.extend([0x58, 1])),
            bend(|opened| opened.payload_type.push('2')),
        ] {
            assert!(matches!(error, ClientError::BadReceipt(_)), "{error}");
        }
        // What the bank read out of them is not looked at, let alone shown.
        let told = v1::RecordView { details: Some(record.details.to_wire()), opened: None, ..view };
        assert_eq!(ANSWERS.record(told).unwrap().details, None);
    }

    #[test]
    fn every_number_of_an_enum_has_its_noun_and_none_else() {
        let known = |read: fn(i32) -> bool| (-1..20).filter(|number| read(*number)).collect::<Vec<i32>>();
        assert_eq!(known(|n| account_status(n).is_some()), [1, 2, 3]);
        assert_eq!(known(|n| assurance_level(n).is_some()), [1, 2, 3, 4]);
        assert_eq!(known(|n| record_status(n).is_some()), [1, 2, 3, 4]);
        assert_eq!(known(|n| bucket(n).is_some()), [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
