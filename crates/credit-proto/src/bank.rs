//! What the bank signs with a statement key of the log: heads of subjects, balances, the status of a record.

use credit_types::limits::BALANCE_LINES_MAX;
use credit_types::{
    AccountRef, BalanceLine, BalanceStatement, Digest, FrameworkId, InstitutionId, LogId, RecordId,
    RecordStatus, RecordStatusStatement, SchemeId, Subject, SubjectHead, SubjectKind,
};

use crate::enumeration::{Enumerated as _, optional_number};
use crate::field::{
    ascending, count, date, date_wire, ensure, enumeration, named, optional_enumeration, optional_named,
    optional_sized, range, required, sized,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::strict::{self, Canonical};
use crate::v1;

/// What the bank says under a statement key of the log.
pub trait BankSigned: Sized {
    /// Its payload type.
    const TYPE: &'static str;
    /// Its message.
    type Wire: Canonical;

    /// The message.
    fn to_wire(&self) -> Self::Wire;

    /// Takes a canonical message apart and checks every bound.
    fn from_wire(wire: Self::Wire) -> Result<Self, InvalidField>;

    /// The canonical payload: what is signed.
    fn payload(&self) -> Vec<u8> {
        strict::encode(&self.to_wire())
    }

    /// Reads a payload.
    fn from_payload(bytes: &[u8]) -> Result<Self, InvalidField> {
        Self::from_wire(strict::decode(bytes)?)
    }
}

impl BankSigned for SubjectHead {
    const TYPE: &'static str = payload_type::SUBJECT_HEAD;
    type Wire = v1::SubjectHead;

    fn to_wire(&self) -> v1::SubjectHead {
        let Self { log_id, subject, sequence, leaf_hash, size, root } = self;
        v1::SubjectHead {
            log_id: log_id.0.to_vec(),
            subject_kind: subject.kind().number(),
            subject_id: subject.id_bytes().to_vec(),
            sequence: *sequence,
            leaf_hash: leaf_hash.map(|hash| hash.0.to_vec()).unwrap_or_default(),
            size: *size,
            root: root.0.to_vec(),
        }
    }

    fn from_wire(wire: v1::SubjectHead) -> Result<Self, InvalidField> {
        let v1::SubjectHead { log_id, subject_kind, subject_id, sequence, leaf_hash, size, root } = wire;
        let leaf_hash = optional_sized("leaf_hash", &leaf_hash, Digest::from_slice)?;
        let linked = leaf_hash.is_some() == (sequence > 0);
        ensure(linked, "leaf_hash", "must be present with a sequence and only then: set both or neither")?;
        Ok(Self {
            log_id: sized("log_id", &log_id, LogId::from_slice)?,
            subject: subject(subject_kind, &subject_id)?,
            sequence,
            leaf_hash,
            size: range("size", size, 1..=u64::MAX)?,
            root: sized("root", &root, Digest::from_slice)?,
        })
    }
}

/// A subject, from the two fields `subject_kind` and `subject_id`.
pub(crate) fn subject(kind: i32, id: &[u8]) -> Result<Subject, InvalidField> {
    let text = || {
        let text = std::str::from_utf8(id);
        text.map_err(|_| InvalidField::new("subject_id", "must be ASCII: correct it"))
    };
    let named = |error| InvalidField::new("subject_id", format!("{error}: correct it"));
    match enumeration("subject_kind", kind)? {
        SubjectKind::Account => sized("subject_id", id, AccountRef::from_slice).map(Subject::Account),
        SubjectKind::Institution => InstitutionId::new(text()?).map(Subject::Institution).map_err(named),
        SubjectKind::Log => {
            ensure(id.is_empty(), "subject_id", "must be absent for the log itself: leave it out")?;
            Ok(Subject::Log)
        }
        SubjectKind::Book => FrameworkId::new(text()?).map(Subject::Book).map_err(named),
    }
}

impl BankSigned for BalanceStatement {
    const TYPE: &'static str = payload_type::BALANCE_STATEMENT;
    type Wire = v1::BalanceStatement;

    fn to_wire(&self) -> v1::BalanceStatement {
        let Self { head, as_of, lines } = self;
        v1::BalanceStatement {
            head: Some(head.to_wire()),
            as_of: Some(date_wire(*as_of)),
            lines: lines.iter().map(line_wire).collect(),
        }
    }

    fn from_wire(wire: v1::BalanceStatement) -> Result<Self, InvalidField> {
        let v1::BalanceStatement { head, as_of, lines: wires } = wire;
        let head = required("head", head).and_then(|head| SubjectHead::from_wire(head).at("head"))?;
        let account = head.subject.kind() == SubjectKind::Account;
        ensure(account, "head.subject_kind", "must be ACCOUNT: only an account has a balance")?;
        count("lines", &wires, 0..=BALANCE_LINES_MAX)?;
        let mut lines = Vec::with_capacity(wires.len());
        for (position, wire) in wires.into_iter().enumerate() {
            lines.push(line(wire).at_element("lines", position)?);
        }
        let keys: Vec<_> =
            lines.iter().map(|line| (&line.scheme, line.kind, line.bucket, line.hour_kind)).collect();
        ascending("lines", &keys)?;
        Ok(Self { head, as_of: date("as_of", as_of)?, lines })
    }
}

fn line(wire: v1::BalanceLine) -> Result<BalanceLine, InvalidField> {
    let v1::BalanceLine { scheme, kind, bucket, credits_milli, hour_kind, minutes, records } = wire;
    let scheme = optional_named("scheme", scheme, SchemeId::new)?;
    let hour_kind = optional_enumeration("hour_kind", hour_kind)?;
    let credits_milli = range("credits_milli", credits_milli, 0..=i64::MAX)?;
    let minutes = range("minutes", minutes, 0..=i64::MAX)?;
    let credited = scheme.is_some() || credits_milli == 0;
    ensure(credited, "scheme", "is missing for credits: set it")?;
    let timed = hour_kind.is_some() || minutes == 0;
    ensure(timed, "hour_kind", "is missing for minutes: set it")?;
    Ok(BalanceLine {
        scheme,
        kind: enumeration("kind", kind)?,
        bucket: enumeration("bucket", bucket)?,
        credits_milli,
        hour_kind,
        minutes,
        records: range("records", records, 1..=u32::MAX)?,
    })
}

fn line_wire(line: &BalanceLine) -> v1::BalanceLine {
    let BalanceLine { scheme, kind, bucket, credits_milli, hour_kind, minutes, records } = line;
    v1::BalanceLine {
        scheme: scheme.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        kind: kind.number(),
        bucket: bucket.number(),
        credits_milli: *credits_milli,
        hour_kind: optional_number(*hour_kind),
        minutes: *minutes,
        records: *records,
    }
}

impl BankSigned for RecordStatusStatement {
    const TYPE: &'static str = payload_type::RECORD_STATUS_STATEMENT;
    type Wire = v1::RecordStatusStatement;

    fn to_wire(&self) -> v1::RecordStatusStatement {
        let Self {
            log_id,
            account_ref,
            issuer_id,
            record_id,
            status,
            status_index,
            status_entry,
            superseded_by,
            key_suspect,
            size,
            root,
            recorded_at_us,
        } = self;
        v1::RecordStatusStatement {
            log_id: log_id.0.to_vec(),
            account_ref: account_ref.0.to_vec(),
            issuer_id: issuer_id.as_str().to_owned(),
            record_id: record_id.0.to_vec(),
            status: status.number(),
            status_index: *status_index,
            status_entry: status_entry.0.to_vec(),
            superseded_by: superseded_by.map(|id| id.0.to_vec()).unwrap_or_default(),
            key_suspect: *key_suspect,
            size: *size,
            root: root.0.to_vec(),
            recorded_at_us: *recorded_at_us,
        }
    }

    fn from_wire(wire: v1::RecordStatusStatement) -> Result<Self, InvalidField> {
        let v1::RecordStatusStatement {
            log_id,
            account_ref,
            issuer_id,
            record_id,
            status,
            status_index,
            status_entry,
            superseded_by,
            key_suspect,
            size,
            root,
            recorded_at_us,
        } = wire;
        let status: RecordStatus = enumeration("status", status)?;
        let superseded_by = optional_sized("superseded_by", &superseded_by, RecordId::from_uuid)?;
        let named_by_status = superseded_by.is_some() == (status == RecordStatus::Superseded);
        let problem = "must be present with the status SUPERSEDED and only then: set both or neither";
        ensure(named_by_status, "superseded_by", problem)?;
        ensure(size > status_index, "size", "must be more than status_index: sign for a later head")?;
        Ok(Self {
            log_id: sized("log_id", &log_id, LogId::from_slice)?,
            account_ref: sized("account_ref", &account_ref, AccountRef::from_slice)?,
            issuer_id: named("issuer_id", issuer_id, InstitutionId::new)?,
            record_id: sized("record_id", &record_id, RecordId::from_uuid)?,
            status,
            status_index,
            status_entry: sized("status_entry", &status_entry, Digest::from_slice)?,
            superseded_by,
            key_suspect,
            size,
            root: sized("root", &root, Digest::from_slice)?,
            recorded_at_us: range("recorded_at_us", recorded_at_us, 0..=i64::MAX)?,
        })
    }
}
