//! Chunks of batches: their leaves must lead to the root that the manifest signs, and then make a command.

use std::collections::BTreeMap;

use credit_log::{Hash, batch};
use credit_proto::batch::leaf_payload_type;
use credit_proto::entry::{DecodedParts, StatementPart};
use credit_types::{ChunkCommand, ChunkLeaf, ChunkLeaves, Command, Digest, Event, LeafType, RefusedLeaf};

use crate::command::{Mandate, draw, fingerprint};
use crate::known::ManifestFacts;
use crate::report::Stop;
use crate::rule::Rule;

/// The command of a chunk of this batch. A refused leaf is known by its hash alone, so that it was rightly refused is
/// its sender's to say, who has the leaf and the reason given.
pub(crate) fn command(
    manifest: &ManifestFacts,
    parts: &DecodedParts,
    events: &[Event],
    mandate: &mut Mandate<'_>,
) -> Result<Command, Stop> {
    let Some((Event::BatchChunk { manifest_index, chunk, path, refused, .. }, after)) = events.split_first()
    else {
        return Err(Stop::broken(Rule::EventsWrong, "a chunk's entry begins with the chunk"));
    };
    let accepted = accepted(manifest, &parts.statements);
    check_root(manifest, *chunk, &accepted, refused, path)?;
    let (mut records, mut openings) = (Vec::new(), Vec::new());
    for ((_, leaf_hash), event) in accepted.into_iter().zip(after) {
        let leaf_hash = Digest(leaf_hash);
        let follows = match (manifest.info.leaf_type, event) {
            (LeafType::Record, Event::RecordDeposited { facts, .. }) => {
                let check = mandate.deposit(facts, fingerprint(event).unwrap_or_default())?;
                records.push(ChunkLeaf { leaf_hash, body: (**facts).clone(), check });
                true
            }
            (LeafType::Opening, Event::AccountOpened { opening, .. }) => {
                openings.extend(draw(event).map(|check| ChunkLeaf { leaf_hash, body: *opening, check }));
                true
            }
            (LeafType::Record | LeafType::Opening, _) => false,
        };
        if !follows {
            return Err(Stop::broken(Rule::EventsWrong, "a leaf is of another kind than its batch"));
        }
    }
    let leaves = match manifest.info.leaf_type {
        LeafType::Record => ChunkLeaves::Records(records),
        LeafType::Opening => ChunkLeaves::Openings(openings),
    };
    Ok(Command::SubmitChunk(ChunkCommand {
        manifest_index: *manifest_index,
        chunk: *chunk,
        path: path.clone(),
        leaves,
        refused: refused.clone(),
    }))
}

/// Position and leaf hash of each accepted leaf, in their order.
fn accepted(manifest: &ManifestFacts, statements: &[StatementPart]) -> Vec<(u32, Hash)> {
    let leaf_type = leaf_payload_type(manifest.info.leaf_type);
    let hash = |statement: &StatementPart| match statement {
        StatementPart::Leaf { manifest_index: _, position, facts } => {
            Some((*position, batch::record_leaf(leaf_type, facts)))
        }
        StatementPart::Signed(_) => None,
    };
    statements.iter().filter_map(hash).collect()
}

/// Accepted and refused leaves together, in the order of their positions, are a chunk of the manifest.
fn check_root(
    manifest: &ManifestFacts,
    chunk: u32,
    accepted: &[(u32, Hash)],
    refused: &[RefusedLeaf],
    path: &[Digest],
) -> Result<(), Stop> {
    let mut by_position: BTreeMap<u32, Hash> = accepted.iter().copied().collect();
    by_position.extend(refused.iter().map(|leaf| (leaf.position, leaf.leaf_hash.0)));
    let hashes: Vec<Hash> = by_position.into_values().collect();
    let path: Vec<Hash> = path.iter().map(|hash| hash.0).collect();
    batch::verify_chunk(&manifest.root.0, u64::from(manifest.record_count), u64::from(chunk), &hashes, &path)
        .map_err(|error| Stop::broken(Rule::ChunkRootWrong, format!("chunk {chunk}: {error}")))
}
