//! Chunks of batches in scenarios.

use super::script::World;
use super::statement::{leaf_of, opening_of};
use super::words::{self, Line};
use credit_types::limits::CHUNK_LEAVES_MAX;
use credit_types::{
    ChunkCommand, ChunkLeaf, ChunkLeaves, LeafType, OpeningLeaf, Reason, RecordLeaf, RefusedLeaf,
};

/// `chunk BATCH NUMBER LEAF…`. A leaf is `ACCOUNT/RECORD`, or the name of an account to open; `LEAF!` has its
/// fingerprint or alias taken; `NAME@ACCOUNT` is ordered by NAME and draws ACCOUNT; `-` was refused before. Options
/// that speak of facts hold for all leaves; `count=64` makes so many leaves.
pub(super) fn chunk(world: &World, line: &Line<'_>) -> ChunkCommand {
    let manifest_index = world.batch(line.word(0));
    let chunk: u32 = line.word(1).parse().unwrap();
    let batch = world.shell.model.batch(manifest_index);
    let leaf_type = batch.map_or(LeafType::Record, |batch| batch.manifest.body.leaf_type);
    let leaf_type = match line.option("leaves") {
        Some("records") => LeafType::Record,
        Some("openings") => LeafType::Opening,
        _ => leaf_type,
    };
    let first = usize::try_from(chunk).unwrap() * CHUNK_LEAVES_MAX;
    let count: usize = line.or("count", "0").parse().unwrap();
    let made: Vec<String> = (first..first + count).map(|number| format!("ann/m{number:05}")).collect();
    let leaves: Vec<&str> = line.words[2..].iter().copied().chain(made.iter().map(String::as_str)).collect();
    let mut refused = Vec::new();
    for (leaf, position) in leaves.iter().zip(first..) {
        if *leaf == "-" {
            let position = line.option("refused").map_or(position, |text| text.parse().unwrap());
            let (leaf_hash, reason) = (words::digest("-"), Reason::CommitmentMismatch);
            refused.push(RefusedLeaf { position: u32::try_from(position).unwrap(), leaf_hash, reason });
        }
    }
    let leaves = leaves.into_iter().filter(|leaf| *leaf != "-");
    let leaves = match leaf_type {
        LeafType::Record => ChunkLeaves::Records(leaves.map(|leaf| record_leaf(line, leaf)).collect()),
        LeafType::Opening => ChunkLeaves::Openings(leaves.map(opening_leaf).collect()),
    };
    ChunkCommand { manifest_index, chunk, path: Vec::new(), leaves, refused }
}

fn record_leaf(line: &Line<'_>, text: &str) -> RecordLeaf {
    let name = text.trim_end_matches('!');
    let (account, id) = name.split_once('/').expect("a record leaf is ACCOUNT/RECORD");
    let (body, mut check) = leaf_of(line, id, account);
    check.fingerprint_taken |= text.ends_with('!');
    ChunkLeaf { leaf_hash: words::digest(name), body, check }
}

fn opening_leaf(text: &str) -> OpeningLeaf {
    let name = text.trim_end_matches('!');
    let (order, account) = name.split_once('@').unwrap_or((name, name));
    let (body, check) = opening_of(account, text.ends_with('!'));
    ChunkLeaf { leaf_hash: words::leaf_hash(order), body, check }
}
