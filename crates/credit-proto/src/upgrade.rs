//! The announcement of a newer protocol or format: the one thing that lets a log go on beyond what a reader knows.
//!
//! One of what this software speaks is an entry like any other. Of one beyond that it reads nothing that follows, but
//! it reads the announcement itself, so that a verifier can ask for the authority's signatures before it says that it
//! needs newer software.

use credit_types::genesis::{FORMAT, PROTOCOL};
use credit_types::{Header, ProtocolUpgrade};

use crate::entry::{DecodedParts, StatementPart};
use crate::event::upgraded;
use crate::field::{ensure, range};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Reading, Stage};
use crate::statement::{Signable, header, header_wire};
use crate::v1;

/// The protocol below which there is none: no log announces it.
const PROTOCOL_FIRST: u32 = 1;

impl Signable for ProtocolUpgrade {
    const TYPE: &'static str = payload_type::PROTOCOL_UPGRADE;
    type Wire = v1::ProtocolUpgrade;

    fn to_wire(&self, header: Option<&Header>) -> v1::ProtocolUpgrade {
        let Self { protocol, format } = *self;
        v1::ProtocolUpgrade { header: header_wire(header), protocol, format }
    }

    fn from_wire(wire: v1::ProtocolUpgrade, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::ProtocolUpgrade { header: header_wire, protocol, format } = wire;
        let header = header(header_wire)?;
        let body = Self {
            protocol: range("protocol", protocol, PROTOCOL_FIRST..=u32::MAX)?,
            format: range("format", format, FORMAT..=u32::MAX)?,
        };
        let newer = body.protocol > PROTOCOL_FIRST || body.format > FORMAT;
        ensure(newer, "protocol", "announces nothing newer: raise the protocol or the format")?;
        Ok((header, body))
    }
}

/// Whether an event is an announcement.
fn announces(event: &v1::Event) -> bool {
    event.kind == i32::from(v1::EventKind::ProtocolUpgraded)
}

/// The upgrade beyond this software that an entry announces; `None` for an entry that announces none, or one that this
/// software speaks. Refused where event and statement don't say the same, or where anything else stands in the entry.
pub fn announced(parts: &DecodedParts) -> Result<Option<ProtocolUpgrade>, InvalidField> {
    if !parts.events.iter().any(announces) {
        return Ok(None);
    }
    let ([event], [StatementPart::Signed(envelope)]) = (parts.events.as_slice(), parts.statements.as_slice())
    else {
        return Err(InvalidField::new("events", "an upgrade stands alone: leave out all else"));
    };
    let typed = envelope.payload_type == payload_type::PROTOCOL_UPGRADE;
    ensure(typed, "events[0]", "does not follow from its statements")?;
    // An announcement holds no key.
    let reading = Reading { admit: |_| None, stage: Stage::Replay };
    let read = ProtocolUpgrade::read(&envelope.payload, reading).at("statements[0].envelope.payload")?;
    let upgrade = read.1;
    let expected = v1::Event {
        kind: v1::EventKind::ProtocolUpgraded.into(),
        statements: vec![0],
        protocol_upgraded: Some(upgraded(upgrade)),
        ..v1::Event::default()
    };
    ensure(*event == expected, "events[0]", "does not follow from its statements")?;
    let newer = upgrade.protocol > PROTOCOL || upgrade.format > FORMAT;
    Ok(newer.then_some(upgrade))
}
