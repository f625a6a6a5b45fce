//! Batches: the manifest, and its early end.

use credit_types::limits::BATCH_LEAVES_MAX;
use credit_types::{BatchClose, BatchManifest, Digest, Header, LeafType};

use crate::field::{range, sized};
use crate::invalid::InvalidField;
use crate::payload_type;
use crate::reading::Reading;
use crate::statement::{Signable, header, header_wire};
use crate::v1;

/// The payload type of the leaves of a batch.
pub fn leaf_payload_type(leaf_type: LeafType) -> &'static str {
    match leaf_type {
        LeafType::Record => payload_type::RECORD_FACTS,
        LeafType::Opening => payload_type::ACCOUNT_OPENING,
    }
}

fn leaf_type(payload_type: &str) -> Result<LeafType, InvalidField> {
    match payload_type {
        payload_type::RECORD_FACTS => Ok(LeafType::Record),
        payload_type::ACCOUNT_OPENING => Ok(LeafType::Opening),
        "" => Err(InvalidField::new("leaf_payload_type", "is missing: set it")),
        _ => {
            let problem = "must be the type of record-facts.v1 or account-opening.v1: correct it";
            Err(InvalidField::new("leaf_payload_type", problem))
        }
    }
}

impl Signable for BatchManifest {
    const TYPE: &'static str = payload_type::BATCH_MANIFEST;
    type Wire = v1::BatchManifest;

    fn to_wire(&self, header: Option<&Header>) -> v1::BatchManifest {
        let Self { leaf_type, record_count, root } = self;
        v1::BatchManifest {
            header: header_wire(header),
            leaf_payload_type: leaf_payload_type(*leaf_type).to_owned(),
            record_count: *record_count,
            root: root.0.to_vec(),
        }
    }

    fn from_wire(wire: v1::BatchManifest, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::BatchManifest { header: header_wire, leaf_payload_type, record_count, root } = wire;
        let header = header(header_wire)?;
        let body = Self {
            leaf_type: leaf_type(&leaf_payload_type)?,
            record_count: range("record_count", record_count, 1..=BATCH_LEAVES_MAX)?,
            root: sized("root", &root, Digest::from_slice)?,
        };
        Ok((header, body))
    }
}

impl Signable for BatchClose {
    const TYPE: &'static str = payload_type::BATCH_CLOSE;
    type Wire = v1::BatchClose;

    fn to_wire(&self, header: Option<&Header>) -> v1::BatchClose {
        let Self { manifest_index } = self;
        v1::BatchClose { header: header_wire(header), manifest_index: *manifest_index }
    }

    fn from_wire(wire: v1::BatchClose, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::BatchClose { header: header_wire, manifest_index } = wire;
        Ok((header(header_wire)?, Self { manifest_index }))
    }
}
