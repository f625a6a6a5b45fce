//! Applications before they are ordered: what the book grants is reckoned on the preparing thread, and again by the writer
//! only where the account has changed since.

use crate::failure::{Failure, fault};
use crate::random;
use crate::reader::Reader;
use crate::vault::SecretPart;
use credit_ledger::assess::{self, Beside};
use credit_ledger::{Row, RowId, View, reads};
use credit_log::commitment::{RECKONING_LABEL, commit};
use credit_proto::payload_type;
use credit_rules::program::Program;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{
    AccountRef, Assessment, CivilDate, Command, ConversionParticulars, ConversionRequest, Digest,
    RecordDetails, Subject,
};
use std::sync::Arc;

/// What belongs to an application beside its command.
pub(crate) struct ConversionSide {
    pub(crate) account_ref: AccountRef,
    /// What the learner states.
    pub(crate) particulars: ConversionParticulars,
    /// The particulars, where there are any, and the explanation.
    pub(crate) particulars_secret: Option<SecretPart>,
    pub(crate) explanation: Option<SecretPart>,
    /// The book; `None` where no such version is published, which the decision refuses.
    pub(crate) book: Option<(Arc<Program>, Digest)>,
    /// For which last entry of the account, and which day, it was reckoned.
    pub(crate) reckoned: Option<(Option<u64>, CivilDate)>,
}

impl ConversionSide {
    /// The secret parts in the order of their commitments.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretPart> {
        self.particulars_secret.iter().chain(&self.explanation)
    }
}

/// An assessment with the explanation that it commits to.
pub(crate) struct Assessed {
    pub(crate) assessment: Assessment,
    pub(crate) explanation: Option<SecretPart>,
}

/// Reckons an application with rows that are loaded.
pub(crate) fn assessed(
    view: &View,
    today: CivilDate,
    request: &ConversionRequest,
    side: &ConversionSide,
    details: &[Option<RecordDetails>],
) -> Result<Assessed, Failure> {
    let Some((program, digest)) = &side.book else {
        let assessment = nothing();
        return Ok(Assessed { assessment, explanation: None });
    };
    let book = program.book();
    let owner = assess::owner(book, request.purpose, &request.target);
    let beside = Beside { program, digest: *digest, details, particulars: &side.particulars };
    let reckoned = assess::reckon(view, today, request, beside);
    let salt: [u8; 32] = random::bytes()?;
    let commitment =
        Digest(commit(RECKONING_LABEL, &salt, payload_type::CONVERSION_EXPLANATION, &reckoned.explanation));
    let explanation = SecretPart { commitment, salt, payload: reckoned.explanation };
    let automatic = assess::automatic(book, &reckoned.items);
    let refusal = reckoned.refusal.map(Box::new);
    let items = if refusal.is_some() { Vec::new() } else { reckoned.items };
    let assessment = Assessment { owner, items, automatic, refusal, explanation_commitment: commitment };
    Ok(Assessed { assessment, explanation: Some(explanation) })
}

/// The assessment of an application that was not reckoned.
pub(crate) fn nothing() -> Assessment {
    Assessment {
        owner: None,
        items: Vec::new(),
        automatic: false,
        refusal: None,
        explanation_commitment: Digest([0; 32]),
    }
}

/// The rows that a command names, under the signed head.
pub(crate) fn view_of(reader: &Reader, command: &Command) -> Result<View, Failure> {
    let mut view = View::new();
    for _ in 0..READ_ROUNDS_MAX {
        let missing = reads(command, &view);
        if missing.is_empty() {
            break;
        }
        for id in missing {
            let row = reader.row(&id)?;
            view.insert(id, row);
        }
    }
    Ok(view)
}

/// The details of a request's records under the signed head, as far as the records are there.
pub(crate) fn details_of(
    reader: &Reader,
    view: &View,
    request: &ConversionRequest,
) -> Result<Vec<Option<RecordDetails>>, Failure> {
    let of = |name: &credit_types::RecordName| match view
        .get(&RowId::Record(name.issuer.clone(), name.record_id))
    {
        Some(Row::Record(row))
            if row.facts.account_ref == request.account_ref && row.application.is_none() =>
        {
            reader.details(row)
        }
        _ => Ok(None),
    };
    request.records.iter().map(of).collect()
}

/// The civil date of an instant in the ledger's offset.
pub(crate) fn civil_date(reader: &Reader, instant_us: i64) -> Result<CivilDate, Failure> {
    CivilDate::at(instant_us, reader.genesis().civil_offset_minutes).map_err(fault("date an entry"))
}

/// Index of an account's last entry under the signed head.
pub(crate) fn last_entry(reader: &Reader, account: AccountRef) -> Result<Option<u64>, Failure> {
    match reader.row(&RowId::Subject(Subject::Account(account)))? {
        Some(Row::Subject(row)) => Ok(Some(row.last_index)),
        _ => Ok(None),
    }
}
