//! Records: one by its issuer and id, all of an account.

use super::balance::Judge;
use super::page::{self, Room, Tokens, foreign};
use super::{account_row, invalid, leaf_bytes};
use crate::access::{Principal, Sight, account_asked, record_seen};
use crate::failure::{Failure, fault};
use crate::reader::Reader;
use credit_ledger::{RecordRow, Row, RowId};
use credit_proto::{Secret as _, Signable as _, Stage, v1};
use credit_types::{AccountRef, Bucket, InstitutionId, Reason, RecordDetails, RecordId, RecordStatus, Role};
use std::sync::Arc;

/// The name of the list of records, in its tokens.
const RECORDS: &str = "records";
/// An upper bound of a record view's bytes on the wire, details apart.
const VIEW_BYTES: usize = 1_024;
/// The most records that one page looks at; an institution sees only its own among them.
const LOOKED_AT_MAX: usize = 4_096;

/// One record. Who may not read it is not told whether it is there.
pub(crate) fn get(
    reader: &Reader,
    principal: &Principal,
    asked: v1::GetRecordRequest,
) -> Result<v1::GetRecordResponse, Failure> {
    let v1::GetRecordRequest { issuer_id, record_id } = asked;
    let (row, sight) = seen(reader, principal, issuer_id, &record_id)?;
    let mut judge = Judge::now(reader)?;
    Ok(v1::GetRecordResponse { record: Some(view(reader, &mut judge, &row, sight == Sight::Details)?) })
}

/// The row of a record that the caller may read, and how much of it.
pub(crate) fn seen(
    reader: &Reader,
    principal: &Principal,
    issuer_id: String,
    record_id: &[u8],
) -> Result<(RecordRow, Sight), Failure> {
    let issuer = InstitutionId::new(issuer_id).map_err(|error| invalid("issuer_id", error.to_string()))?;
    let record = RecordId::from_slice(record_id).map_err(|error| invalid("record_id", error.to_string()))?;
    let row = match reader.row(&RowId::Record(issuer.clone(), record))? {
        Some(Row::Record(row)) => Some(row),
        _ => None,
    };
    let seen = row.and_then(|row| Some((record_seen(principal, &row.issuer, row.facts.account_ref)?, row)));
    let Some((sight, row)) = seen else {
        // Auditors and regulators see all there is, and an issuer all that is its own: they may know that a record is
        // not there.
        let overseer = *principal == Principal::Auditor || principal.holds(Role::Regulator);
        let knows = overseer || principal.institution() == Some(&issuer);
        return Err(if knows { Reason::RecordUnknown.into() } else { Failure::Denied });
    };
    Ok((Arc::unwrap_or_clone(row), sight))
}

/// Whether a caller's list of an account's records can be made at all; an institution may name any account, and finds
/// its own records there or none.
fn listed_account(reader: &Reader, principal: &Principal, account_ref: &[u8]) -> Result<AccountRef, Failure> {
    let account = account_asked(principal, account_ref)?;
    match principal {
        Principal::Institution(_) => {}
        Principal::Learner(_) | Principal::Auditor | Principal::Anonymous => {
            account_row(reader, account)?.ok_or_else(|| super::account::missing(principal))?;
        }
    }
    Ok(account)
}

fn position(bytes: &[u8]) -> Option<(RecordId, InstitutionId)> {
    let (record, issuer) = bytes.split_at_checked(16)?;
    let issuer = InstitutionId::new(std::str::from_utf8(issuer).ok()?).ok()?;
    Some((RecordId::from_slice(record).ok()?, issuer))
}

/// The records of an account by record id; for an institution those it issued.
pub(crate) fn list(
    reader: &Reader,
    principal: &Principal,
    tokens: &Tokens,
    asked: &v1::ListRecordsRequest,
) -> Result<v1::ListRecordsResponse, Failure> {
    let v1::ListRecordsRequest { account_ref, page_size, page_token, with_details } = asked;
    let account = listed_account(reader, principal, account_ref)?;
    let viewer = principal.institution().map(InstitutionId::as_str).unwrap_or_default();
    let filter = [account.as_bytes(), viewer.as_bytes()].concat();
    let after = match tokens.read(RECORDS, &filter, page_token)? {
        None => None,
        Some(bytes) => Some(position(&bytes).ok_or_else(foreign)?),
    };
    let limit = page::size(*page_size, page::SIZE_MAX);
    let own_only = principal.institution().is_some();
    let looked_at = if own_only { LOOKED_AT_MAX } else { limit };
    let mut judge = Judge::now(reader)?;
    let mut room = Room::default();
    let mut records = Vec::new();
    let mut last: Option<(RecordId, InstitutionId)> = after.clone();
    let rows = reader.records_of(account, after, looked_at)?;
    let at_end = rows.len() < looked_at;
    for row in rows {
        let here = (row.facts.record_id, row.issuer.clone());
        if record_seen(principal, &row.issuer, row.facts.account_ref) == Some(Sight::Details) {
            if records.len() == limit {
                return Ok(answer(tokens, &filter, records, last));
            }
            let view = view(reader, &mut judge, &row, *with_details)?;
            let details = view.opened.as_ref().map_or(0, details_bytes);
            if !room.takes(VIEW_BYTES.saturating_add(details)) {
                return Ok(answer(tokens, &filter, records, last));
            }
            records.push(view);
        }
        last = Some(here);
    }
    Ok(answer(tokens, &filter, records, if at_end { None } else { last }))
}

/// A page, and where the next one goes on: behind the last record that was looked at.
fn answer(
    tokens: &Tokens,
    filter: &[u8],
    records: Vec<v1::RecordView>,
    last: Option<(RecordId, InstitutionId)>,
) -> v1::ListRecordsResponse {
    let next = last.map(|(record, issuer)| {
        tokens.issue(RECORDS, filter, &[record.as_bytes(), issuer.as_str().as_bytes()].concat())
    });
    v1::ListRecordsResponse { records, next_page_token: next.unwrap_or_default() }
}

/// An upper bound of the bytes on the wire of details, which stand there twice: read, and as they were committed to.
fn details_bytes(opened: &v1::OpenedSecret) -> usize {
    let v1::OpenedSecret { payload_type, salt, payload } = opened;
    let once = payload_type.len().saturating_add(salt.len()).saturating_add(32);
    payload.len().saturating_mul(2).saturating_add(once)
}

/// What the bank knows of a record.
fn view(
    reader: &Reader,
    judge: &mut Judge<'_>,
    row: &RecordRow,
    with_details: bool,
) -> Result<v1::RecordView, Failure> {
    let (status, bucket) = judge.state(row)?;
    let opened = if with_details { reader.opened_details(row)? } else { None };
    let details =
        opened.as_ref().map(|opened| RecordDetails::read(&opened.payload, Stage::Replay)).transpose();
    let details = details.map_err(fault("decode details"))?;
    Ok(v1::RecordView {
        facts: Some(row.facts.to_wire(None)),
        issuer_id: row.issuer.as_str().to_owned(),
        status: status_wire(status).into(),
        bucket: bucket_wire(bucket).into(),
        index: row.deposited_index,
        last_status_entry: leaf_bytes(reader, row.last_status_index)?,
        superseded_by: row.superseded_by.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        details: details.map(|details| details.to_wire()),
        opened,
    })
}

fn status_wire(status: RecordStatus) -> v1::RecordStatus {
    match status {
        RecordStatus::Valid => v1::RecordStatus::Valid,
        RecordStatus::Suspended => v1::RecordStatus::Suspended,
        RecordStatus::Revoked => v1::RecordStatus::Revoked,
        RecordStatus::Superseded => v1::RecordStatus::Superseded,
    }
}

fn bucket_wire(bucket: Bucket) -> v1::Bucket {
    match bucket {
        Bucket::Issued => v1::Bucket::Issued,
        Bucket::Available => v1::Bucket::Available,
        Bucket::Reserved => v1::Bucket::Reserved,
        Bucket::Redeemed => v1::Bucket::Redeemed,
        Bucket::Revoked => v1::Bucket::Revoked,
        Bucket::Suspended => v1::Bucket::Suspended,
        Bucket::Expired => v1::Bucket::Expired,
        Bucket::KeySuspect => v1::Bucket::KeySuspect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_gives_its_record_back() {
        let (record, issuer) = (RecordId([7; 16]), InstitutionId::new("cn.x.school").unwrap());
        let bytes = [record.as_bytes(), issuer.as_str().as_bytes()].concat();
        assert_eq!(position(&bytes), Some((record, issuer)));
        assert_eq!(position(&bytes[..15]), None);
        // `cn` alone is no institution.
        assert_eq!(position(&bytes[..18]), None);
    }

    #[test]
    fn the_bound_of_the_bytes_of_details_is_one() {
        let title = Some(v1::Text { zh: "学".repeat(80), en: String::new() });
        let details = v1::RecordDetails { title, ..v1::RecordDetails::default() };
        let payload = prost::Message::encode_to_vec(&details);
        let opened = v1::OpenedSecret {
            payload_type: RecordDetails::TYPE.to_owned(),
            salt: vec![1; 32],
            payload: payload.clone(),
        };
        let bound = details_bytes(&opened);
        let view =
            v1::RecordView { details: Some(details), opened: Some(opened), ..v1::RecordView::default() };
        assert!(prost::Message::encoded_len(&view) <= bound);
    }

    #[test]
    fn the_bound_of_a_record_views_bytes_is_one() {
        let long = |count: usize| "x".repeat(count);
        let date = || Some(v1::CivilDate { year: 2199, month: 12, day: 31 });
        let facts = v1::RecordFacts {
            header: None,
            record_id: vec![1; 16],
            account_ref: vec![1; 16],
            kind: v1::RecordKind::Award.into(),
            amount: Some(v1::Amount { credit_scheme: long(32), credits_milli: i64::MAX }),
            hour_kind: v1::HourKind::Practice.into(),
            minutes: i32::MAX,
            class_hour_minutes: i32::MAX,
            level: Some(v1::Level { framework: long(64), level_tenths: i32::MAX }),
            subject_code: long(16),
            occupation_code: long(16),
            awarded_on: date(),
            valid_until: date(),
            details_commitment: vec![1; 32],
            credit_eligible: true,
        };
        let view = v1::RecordView {
            facts: Some(facts),
            issuer_id: long(64),
            status: v1::RecordStatus::Superseded.into(),
            bucket: v1::Bucket::KeySuspect.into(),
            index: u64::MAX,
            last_status_entry: vec![1; 32],
            superseded_by: vec![1; 16],
            details: None,
            opened: None,
        };
        assert!(prost::Message::encoded_len(&view) + 8 <= VIEW_BYTES);
    }
}
