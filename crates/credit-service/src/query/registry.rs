//! Institutions, their keys, frameworks. Open to everybody.

use super::page::{self, Room, Tokens, foreign};
use super::{invalid, key_row, leaf_bytes};
use crate::failure::Failure;
use crate::reader::Reader;
use credit_ledger::{InstitutionRow, KeyRow, Row, RowId};
use credit_proto::{Signable as _, v1};
use credit_types::{FrameworkId, InstitutionId, KeyAddition, Kid, Reason};

/// The name of the list of institutions, in its tokens.
const INSTITUTIONS: &str = "institutions";

/// An institution with its keys.
pub(crate) fn institution(
    reader: &Reader,
    asked: v1::GetInstitutionRequest,
) -> Result<v1::GetInstitutionResponse, Failure> {
    let v1::GetInstitutionRequest { institution_id } = asked;
    let id =
        InstitutionId::new(institution_id).map_err(|error| invalid("institution_id", error.to_string()))?;
    match reader.row(&RowId::Institution(id))? {
        Some(Row::Institution(row)) => {
            Ok(v1::GetInstitutionResponse { institution: Some(view(reader, &row)?) })
        }
        _ => Err(Failure::NotFound("institution")),
    }
}

/// Institutions by id.
pub(crate) fn institutions(
    reader: &Reader,
    tokens: &Tokens,
    asked: &v1::ListInstitutionsRequest,
) -> Result<v1::ListInstitutionsResponse, Failure> {
    let v1::ListInstitutionsRequest { page_size, page_token } = asked;
    let after = match tokens.read(INSTITUTIONS, &[], page_token)? {
        None => None,
        Some(bytes) => {
            let id = String::from_utf8(bytes).ok().and_then(|id| InstitutionId::new(id).ok());
            Some(id.ok_or_else(foreign)?)
        }
    };
    let limit = page::size(*page_size, page::INSTITUTIONS_MAX);
    let mut room = Room::default();
    let mut institutions: Vec<v1::InstitutionView> = Vec::new();
    let mut last = None;
    // One more than the page tells whether there is a next one.
    for row in reader.institutions(after, limit.saturating_add(1))? {
        let view = view(reader, &row)?;
        let full = institutions.len() == limit || !room.takes(view_bytes(&view));
        if full {
            let next_page_token = last.map(|id| next(tokens, &id)).unwrap_or_default();
            return Ok(v1::ListInstitutionsResponse { institutions, next_page_token });
        }
        last = Some(row.admission.institution_id.clone());
        institutions.push(view);
    }
    Ok(v1::ListInstitutionsResponse { institutions, next_page_token: String::new() })
}

fn next(tokens: &Tokens, last: &InstitutionId) -> String {
    tokens.issue(INSTITUTIONS, &[], last.as_str().as_bytes())
}

/// An upper bound of the bytes of an institution on the wire.
fn view_bytes(view: &v1::InstitutionView) -> usize {
    const KEY_BYTES: usize = 320;
    let admission =
        view.admission.as_ref().map_or(0, |admission| credit_proto::strict::encode(admission).len());
    admission.saturating_add(32).saturating_add(view.keys.len().saturating_mul(KEY_BYTES))
}

/// A key with its history.
pub(crate) fn signing_key(
    reader: &Reader,
    asked: &v1::GetSigningKeyRequest,
) -> Result<v1::GetSigningKeyResponse, Failure> {
    let kid = Kid::from_slice(&asked.kid).map_err(|error| invalid("kid", error.to_string()))?;
    let row = key_row(reader, kid)?.ok_or(Failure::from(Reason::KeyNotFound))?;
    Ok(v1::GetSigningKeyResponse { key: Some(key_history(reader, &row)?) })
}

/// A framework's latest version.
pub(crate) fn framework(
    reader: &Reader,
    asked: v1::GetFrameworkRequest,
) -> Result<v1::GetFrameworkResponse, Failure> {
    let v1::GetFrameworkRequest { framework_id } = asked;
    let id = FrameworkId::new(framework_id).map_err(|error| invalid("framework_id", error.to_string()))?;
    match reader.row(&RowId::Framework(id))? {
        Some(Row::Framework(row)) => Ok(v1::GetFrameworkResponse {
            framework: Some(row.framework.to_wire(None)),
            published_index: row.published_index,
        }),
        _ => Err(Reason::FrameworkUnknown.into()),
    }
}

fn view(reader: &Reader, row: &InstitutionRow) -> Result<v1::InstitutionView, Failure> {
    let mut rows = Vec::with_capacity(row.keys.len());
    for kid in &row.keys {
        let key = key_row(reader, *kid)?;
        rows.push(key.ok_or_else(|| Failure::Fault("an institution's key has no row".to_owned()))?);
    }
    rows.sort_by_key(|key| (key.active_from_index, key.key.key.kid));
    let keys = rows.iter().map(|key| key_history(reader, key));
    Ok(v1::InstitutionView {
        admission: Some(row.admission.to_wire(None)),
        admitted_index: row.admitted_index,
        keys: keys.collect::<Result<_, _>>()?,
    })
}

fn key_history(reader: &Reader, row: &KeyRow) -> Result<v1::KeyHistory, Failure> {
    let addition = KeyAddition { institution_id: row.owner.clone(), key: row.key.clone() };
    let v1::KeyAddition { header: _, institution_id, key } = addition.to_wire(None);
    Ok(v1::KeyHistory {
        kid: row.key.key.kid.as_bytes().to_vec(),
        institution_id,
        key,
        active_from_index: row.active_from_index,
        retired_from_index: row.retired_index,
        compromised_index: row.compromised.map(|compromised| compromised.index),
        suspect_from_index: row.compromised.map(|compromised| compromised.suspect_from_index),
        last_status_entry: leaf_bytes(reader, row.last_status_index)?,
    })
}
