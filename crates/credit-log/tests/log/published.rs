//! Vectors and a log that others published: the 518 vectors of transparency-dev/merkle and a log of Tessera.

use std::path::{Path, PathBuf};

use serde_json::Value;

use credit_log::checkpoint::Checkpoint;
use credit_log::hash::{leaf_hash, sha256};
use credit_log::inclusion::prove;
use credit_log::note::VerifierKey;
use credit_log::subtree::Subtree;
use credit_log::tile::{TileKind, TilePath, decode_entries, decode_hashes};
use credit_log::tree::{Frontier, Tiles, root_at};
use credit_log::{Hash, checkpoint, consistency, inclusion};

use crate::{base64, hash64};

/// A folder of the shared data, or `None` with a word about it; CI makes its absence a failure.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if found.is_dir() {
        return Some(found);
    }
    let required = std::env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|what| what == "data"), "no shared data");
    eprintln!("skipped: no shared data");
    None
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A hash, or `None`: some vectors have a field that is none.
fn hash_of(value: &Value) -> Option<Hash> {
    base64(value.as_str().unwrap()).try_into().ok()
}

/// A root, for which some vectors have words where only equality matters: their hash stands for them.
fn root_of(value: &Value) -> Hash {
    hash_of(value).unwrap_or_else(|| sha256(&base64(value.as_str().unwrap())))
}

fn proof_of(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash_of).collect())
}

/// Runs all vectors of a folder, so many good and so many bad ones. A vector whose fields are no hashes can't even be
/// asked, which refuses it.
fn check(kind: &str, count: (usize, usize), verdict: impl Fn(&Value) -> Option<bool>, otherwise: &[&str]) {
    let Some(folder) = shared("merkle-vectors") else { return };
    let (mut good, mut bad, mut differ) = (0, 0, Vec::new());
    for file in json_files(&folder.join(kind)) {
        let vector: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let want = !vector["wantErr"].as_bool().unwrap();
        if verdict(&vector).unwrap_or(false) != want {
            differ.push(vector["desc"].as_str().unwrap().to_owned());
        }
        good += usize::from(want);
        bad += usize::from(!want);
    }
    assert_eq!(differ, otherwise);
    assert_eq!((good, bad), count);
}

#[test]
fn the_published_inclusion_vectors_are_judged_as_they_should_be() {
    let verdict = |vector: &Value| {
        let (leaf, root) = (hash_of(&vector["leafHash"])?, hash_of(&vector["root"])?);
        let (index, size) = (vector["leafIdx"].as_u64()?, vector["treeSize"].as_u64()?);
        Some(inclusion::verify(&leaf, index, size, &proof_of(&vector["proof"])?, &root).is_ok())
    };
    check("inclusion", (6, 92), verdict, &[]);
}

#[test]
fn the_published_consistency_vectors_are_judged_as_they_should_be() {
    let verdict = |vector: &Value| {
        let (old_root, new_root) = (root_of(&vector["root1"]), root_of(&vector["root2"]));
        let (old, new) = (vector["size1"].as_u64()?, vector["size2"].as_u64()?);
        Some(consistency::verify(old, new, &proof_of(&vector["proof"])?, &old_root, &new_root).is_ok())
    };
    // The publishers refuse to compare with an empty tree at all; a C2SP witness starts from one, with an
    // empty proof, and so does this crate.
    check("consistency", (6, 92), verdict, &["size1 is zero and size2 is not zero"]);
}

#[test]
fn the_published_subtree_vectors_are_judged_as_they_should_be() {
    let part = |vector: &Value| Subtree::new(vector["start"].as_u64()?, vector["end"].as_u64()?);
    let inclusion = |vector: &Value| {
        let (leaf, root) = (hash_of(&vector["leafHash"])?, hash_of(&vector["root"])?);
        let (index, proof) = (vector["leafIdx"].as_u64()?, proof_of(&vector["proof"])?);
        Some(part(vector)?.verify_inclusion(&leaf, index, &proof, &root).is_ok())
    };
    check("subtreeinclusion", (12, 192), inclusion, &[]);
    let consistency = |vector: &Value| {
        let (own_root, root) = (root_of(&vector["root1"]), root_of(&vector["root2"]));
        let (size, proof) = (vector["size"].as_u64()?, proof_of(&vector["proof"])?);
        Some(part(vector)?.verify_consistency(size, &proof, &own_root, &root).is_ok())
    };
    check("subtreeconsistency", (12, 106), consistency, &[]);
}

/// A folder of tiles, read as any static client reads it.
struct Folder(PathBuf);

impl Folder {
    fn read(&self, kind: TileKind, index: u64, width: u16) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.0.join(TilePath { kind, index, width }.encode()))
    }
}

impl Tiles for Folder {
    type Error = std::io::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, std::io::Error> {
        let bytes = self.read(TileKind::Hashes(level), index, width)?;
        decode_hashes(&bytes).map_err(std::io::Error::other)
    }
}

#[test]
fn a_log_of_tessera_is_read_whole() {
    let Some(folder) = shared("tessera-log") else { return };
    let log = Folder(folder.join("log"));
    let origin = "example.com/log/testdata";
    let vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    let keys = [VerifierKey::parse(vkey).unwrap()];
    let heads: Vec<_> = (0..=15u64)
        .map(|size| {
            let note = std::fs::read_to_string(log.0.join(format!("checkpoint.{size}"))).unwrap();
            let head = checkpoint::open(&note, &keys, origin).unwrap();
            assert_eq!(head.size, size);
            head
        })
        .collect();
    let bundle = log.read(TileKind::Entries, 0, 15).unwrap();
    let entries = decode_entries(&bundle).unwrap();
    assert_eq!(entries.concat(), b"onetwothreefourfivesixseveneitnaintenileventwelfthreetenfourtenfivten");
    every_file_is_whole(&log, &entries);
    every_file_with_a_flipped_bit_is_refused(&log, &heads, &keys);
    let mut frontier = Frontier::new();
    for (head, size) in heads.iter().zip(0u64..) {
        assert_eq!(frontier.root(), head.root, "size {size}");
        assert_eq!(root_at(&log, size).unwrap(), head.root, "size {size}");
        for index in 0..size {
            let leaf = leaf_hash(entries[usize::try_from(index).unwrap()]);
            let path = prove(&log, index, size).unwrap();
            assert_eq!(inclusion::verify(&leaf, index, size, &path, &head.root), Ok(()));
        }
        for (before, old) in heads.iter().zip(0..=size) {
            let proof = consistency::prove(&log, old, size).unwrap();
            assert_eq!(consistency::verify(old, size, &proof, &before.root, &head.root), Ok(()));
        }
        if let Some(entry) = entries.get(usize::try_from(size).unwrap()) {
            frontier.append(leaf_hash(entry));
        }
    }
}

/// Each partial tile and bundle of the log says the same as the largest one.
fn every_file_is_whole(log: &Folder, entries: &[&[u8]]) {
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for width in 1..=15u16 {
        let at = usize::from(width);
        assert_eq!(log.tile(0, 0, width).unwrap(), hashes[..at], "tile of width {width}");
        let bundle = log.read(TileKind::Entries, 0, width).unwrap();
        assert_eq!(decode_entries(&bundle).unwrap(), entries[..at], "bundle of width {width}");
    }
    assert!(log.read(TileKind::Hashes(0), 0, 16).is_err());
    assert_eq!(files_below(&log.0).len(), 17 + 15 + 15, "a file of the log was not looked at");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// A flipped bit in any byte of a checkpoint, tile or bundle leads to a refusal or to another root.
fn every_file_with_a_flipped_bit_is_refused(log: &Folder, heads: &[Checkpoint], keys: &[VerifierKey]) {
    for (head, size) in heads.iter().zip(0u16..) {
        let note = std::fs::read(log.0.join(format!("checkpoint.{size}"))).unwrap();
        for at in 0..note.len() {
            let mut bent = note.clone();
            bent[at] ^= 1;
            let opened = std::str::from_utf8(&bent)
                .ok()
                .and_then(|note| checkpoint::open(note, keys, &head.origin).ok());
            assert_eq!(opened, None, "checkpoint {size}, byte {at}");
        }
        if size == 0 {
            continue;
        }
        let tile = log.read(TileKind::Hashes(0), 0, size).unwrap();
        for at in 0..tile.len() {
            let mut bent = tile.clone();
            bent[at] ^= 1;
            assert_ne!(
                credit_log::tree::root_of(&decode_hashes(&bent).unwrap()),
                head.root,
                "tile {size}, {at}"
            );
        }
        let bundle = log.read(TileKind::Entries, 0, size).unwrap();
        for at in 0..bundle.len() {
            let mut bent = bundle.clone();
            bent[at] ^= 1;
            let root = decode_entries(&bent).ok().map(|entries| {
                credit_log::tree::root_of(&entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>())
            });
            assert_ne!(root, Some(head.root), "bundle {size}, byte {at}");
        }
    }
}

/// The leaves of the same log, so that its figures are checked without the shared data too.
#[test]
fn the_figures_of_a_log_of_tessera_are_ours() {
    let words = "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten";
    let hashes: Vec<Hash> = words.split(' ').map(|word| leaf_hash(word.as_bytes())).collect();
    let tree = crate::tiles::Memory::of(&hashes);
    for (size, root) in [
        (0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        (1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek="),
        (2, "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4="),
        (3, "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk="),
        (7, "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U="),
        (8, "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY="),
        (15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
    ] {
        assert_eq!(root_at(&tree, size).unwrap(), hash64(root), "size {size}");
    }
    let grown = [
        "2Q0P5jSR+TdkwdXWyx+GbBWX0KZbNZkWzCjyTPSozsw=",
        "ThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKWs=",
        "ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=",
        "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
        "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=",
    ];
    assert_eq!(consistency::prove(&tree, 7, 15).unwrap(), grown.map(hash64));
    let five = [
        "yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=",
        "nk9gCR+floFqznAPtqjjcnnV64dge2jQB95D5t164Hg=",
        "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
        "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=",
    ];
    assert_eq!(prove(&tree, 4, 15).unwrap(), five.map(hash64));
}
