//! Applications as they stand in events: what is proposed, what moves, what is granted.

use credit_types::limits::{APPLICATION_ITEMS_MAX, APPLICATION_RECORDS_MAX};
use credit_types::{
    ApplicationStatus, BookName, CivilDate, ConversionChange, ConvertedPlace, Digest, Event, Granted, Kid,
    ProposedItem, RecordId, RecordMoved, RecordName, SchemeId,
};

use crate::conversion::{
    application, item_position, optional_credits, optional_credits_wire, record_name, record_name_wire,
};
use crate::entry::account;
use crate::enumeration::Enumerated as _;
use crate::event::{posting_wire, postings};
use crate::field::{
    ascending, count, date_wire, ensure, enumeration, named, optional_date, optional_named, required, sized,
};
use crate::invalid::{At as _, InvalidField};
use crate::v1;

/// The event of an application as it stands in the log; any other event is returned as it is.
pub(crate) fn application_event(event: &Event, wire: v1::Event) -> v1::Event {
    if let Event::ConversionRequested { statement, items, explanation_commitment, moved } = event {
        let body = v1::ConversionRequested {
            account_ref: statement.body.account_ref.0.to_vec(),
            items: items.iter().map(item_wire).collect(),
            explanation_commitment: explanation_commitment.0.to_vec(),
            moved: moved.iter().map(moved_wire).collect(),
        };
        return v1::Event { conversion_requested: Some(body), ..wire };
    }
    if let Event::ConversionChanged(change) = event {
        let body = v1::ConversionChanged {
            account_ref: change.account_ref.0.to_vec(),
            application_index: change.application,
            status: change.status.number(),
            moved: change.moved.iter().map(moved_wire).collect(),
            granted: change.granted.iter().map(granted_wire).collect(),
            granted_on: change.granted_on.map(date_wire),
            auto_approval_index: change.auto_approval.unwrap_or_default(),
        };
        return v1::Event { conversion_changed: Some(body), ..wire };
    }
    wire
}

/// What an application says beside its request.
pub(crate) struct Requested {
    /// What is proposed.
    pub(crate) items: Vec<ProposedItem>,
    /// Salted commitment to the explanation.
    pub(crate) explanation_commitment: Digest,
    /// The records that are held.
    pub(crate) moved: Vec<RecordMoved>,
}

/// The body of an application's first event; the records are those of the request.
pub(crate) fn requested_body(
    wire: &v1::ConversionRequested,
    records: &[RecordName],
) -> Result<Requested, InvalidField> {
    let v1::ConversionRequested { account_ref: _, items: item_wires, explanation_commitment, moved: wires } =
        wire;
    count("items", item_wires, 1..=APPLICATION_ITEMS_MAX)?;
    let mut items = Vec::with_capacity(item_wires.len());
    for (position, wire) in item_wires.iter().enumerate() {
        items.push(item(wire, records.len()).at_element("items", position)?);
    }
    let moved = moved(wires)?;
    for (position, RecordMoved { record, postings: _ }) in moved.iter().enumerate() {
        let asked = records.binary_search(record).is_ok();
        let problem = "must be a record of the request: leave it out";
        ensure(asked, "record", problem).at_element("moved", position)?;
    }
    ascending("moved", moved.iter().map(|moved| &moved.record))?;
    let explanation_commitment = sized("explanation_commitment", explanation_commitment, Digest::from_slice)?;
    Ok(Requested { items, explanation_commitment, moved })
}

fn item(wire: &v1::ProposedItem, records: usize) -> Result<ProposedItem, InvalidField> {
    let v1::ProposedItem {
        rule,
        place_kind,
        place: place_name,
        credit_scheme,
        credits_milli,
        sources,
        consumption,
        award_level,
        programme,
        rule_kind,
    } = wire;
    ensure(!sources.is_empty(), "sources", "is missing: name one record of the request at least")?;
    ascending("sources", sources)?;
    let within = sources.iter().all(|source| usize::try_from(*source).is_ok_and(|source| source < records));
    ensure(within, "sources", "must be positions of records of the request: correct them")?;
    Ok(ProposedItem {
        rule: named("rule", rule.clone(), BookName::new)?,
        rule_kind: optional_named("rule_kind", rule_kind.clone(), BookName::new)?,
        place: place(*place_kind, place_name)?,
        scheme: named("credit_scheme", credit_scheme.clone(), SchemeId::new)?,
        credits: optional_credits(*credits_milli)?,
        sources: sources.clone(),
        consumption: enumeration("consumption", *consumption)?,
        programme: optional_named("programme", programme.clone(), BookName::new)?,
        award_level: optional_named("award_level", award_level.clone(), BookName::new)?,
    })
}

/// An item as it stands in a message.
pub fn item_wire(item: &ProposedItem) -> v1::ProposedItem {
    let name = |name: &Option<BookName>| name.as_ref().map(|n| n.as_str().to_owned()).unwrap_or_default();
    v1::ProposedItem {
        rule: item.rule.as_str().to_owned(),
        place_kind: place_kind(&item.place).into(),
        place: item.place.name().as_str().to_owned(),
        credit_scheme: item.scheme.as_str().to_owned(),
        credits_milli: optional_credits_wire(item.credits),
        sources: item.sources.clone(),
        consumption: item.consumption.number(),
        award_level: name(&item.award_level),
        programme: name(&item.programme),
        rule_kind: name(&item.rule_kind),
    }
}

fn place(kind: i32, name: &str) -> Result<ConvertedPlace, InvalidField> {
    let place = match v1::PlaceKind::try_from(kind) {
        Ok(v1::PlaceKind::Course) => ConvertedPlace::Course,
        Ok(v1::PlaceKind::Requirement) => ConvertedPlace::Requirement,
        Ok(v1::PlaceKind::Standard) => ConvertedPlace::Standard,
        Ok(v1::PlaceKind::Unspecified) | Err(_) => {
            return Err(InvalidField::new("place_kind", "is missing: set it to a known value"));
        }
    };
    named("place", name.to_owned(), BookName::new).map(place)
}

fn place_kind(place: &ConvertedPlace) -> v1::PlaceKind {
    match place {
        ConvertedPlace::Course(_) => v1::PlaceKind::Course,
        ConvertedPlace::Requirement(_) => v1::PlaceKind::Requirement,
        ConvertedPlace::Standard(_) => v1::PlaceKind::Standard,
    }
}

/// The records whose credit an event moves.
fn moved(wires: &[v1::RecordMoved]) -> Result<Vec<RecordMoved>, InvalidField> {
    count("moved", wires, 0..=APPLICATION_RECORDS_MAX)?;
    let mut moved = Vec::with_capacity(wires.len());
    for (position, wire) in wires.iter().enumerate() {
        moved.push(record_moved(wire).at_element("moved", position)?);
    }
    Ok(moved)
}

fn record_moved(wire: &v1::RecordMoved) -> Result<RecordMoved, InvalidField> {
    let v1::RecordMoved { record, postings: moved } = wire;
    let record = required("record", record.clone())?;
    Ok(RecordMoved { record: record_name(record).at("record")?, postings: postings(moved)? })
}

fn moved_wire(moved: &RecordMoved) -> v1::RecordMoved {
    let RecordMoved { record, postings } = moved;
    v1::RecordMoved {
        record: Some(record_name_wire(record)),
        postings: postings.iter().map(posting_wire).collect(),
    }
}

/// The body of an event by which an application went on.
pub(crate) fn change(
    wire: &v1::ConversionChanged,
    kid: Kid,
    confirmable_until: Option<CivilDate>,
) -> Result<ConversionChange, InvalidField> {
    let v1::ConversionChanged {
        account_ref,
        application_index,
        status,
        moved: moved_wires,
        granted: granted_wires,
        granted_on,
        auto_approval_index,
    } = wire;
    let status = enumeration("status", *status)?;
    let granted = granted(granted_wires)?;
    let granted_on = optional_date("granted_on", *granted_on)?;
    let dated = granted.is_empty() == granted_on.is_none();
    ensure(dated, "granted_on", "must be present with granted and only then: set both or neither")?;
    Ok(ConversionChange {
        account_ref: account(account_ref)?,
        application: application(*application_index)?,
        status,
        moved: moved(moved_wires)?,
        granted,
        granted_on,
        // Entry 0 is the genesis, never an auto-approval.
        auto_approval: (*auto_approval_index > 0).then_some(*auto_approval_index),
        provisional_until: match status {
            ApplicationStatus::Provisional => confirmable_until,
            ApplicationStatus::UnderReview
            | ApplicationStatus::InfoRequested
            | ApplicationStatus::Posted
            | ApplicationStatus::Rejected
            | ApplicationStatus::Appealed
            | ApplicationStatus::Withdrawn
            | ApplicationStatus::Lapsed
            | ApplicationStatus::Rescinded
            | ApplicationStatus::Reversed => None,
        },
        kid,
    })
}

/// What came into being, ascending by position, or is taken back.
fn granted(wires: &[v1::Granted]) -> Result<Vec<Granted>, InvalidField> {
    count("granted", wires, 0..=APPLICATION_ITEMS_MAX)?;
    let mut granted = Vec::with_capacity(wires.len());
    for (position, wire) in wires.iter().enumerate() {
        granted.push(grant(wire).at_element("granted", position)?);
    }
    ascending("granted", granted.iter().map(|grant: &Granted| grant.position))?;
    Ok(granted)
}

fn grant(wire: &v1::Granted) -> Result<Granted, InvalidField> {
    let v1::Granted { record_id, position, credits_milli } = wire;
    Ok(Granted {
        record_id: sized("record_id", record_id, RecordId::from_uuid)?,
        position: item_position(*position)?,
        credits: optional_credits(*credits_milli)?,
    })
}

/// A grant as it stands in a message.
pub fn granted_wire(granted: &Granted) -> v1::Granted {
    let Granted { record_id, position, credits } = granted;
    v1::Granted {
        record_id: record_id.0.to_vec(),
        position: *position,
        credits_milli: optional_credits_wire(*credits),
    }
}

/// The number of an application's status in messages.
pub fn status_number(status: ApplicationStatus) -> i32 {
    status.number()
}
