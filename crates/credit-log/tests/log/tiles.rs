//! Tiles around the sizes where they become full.

use std::collections::BTreeMap;
use std::convert::Infallible;

use credit_log::tile::{FullTile, TileEdge, full_tiles, partial_width};
use credit_log::tree::{Frontier, PartsError, ReadError, SIZE_MAX, Tiles, node, root_at, root_of};
use credit_log::{Hash, consistency, inclusion};

use crate::leaves;

/// All full tiles of a tree, and its edge.
#[derive(Default)]
pub(crate) struct Memory {
    full: Full,
    edge: TileEdge,
}

/// Full tiles by level and index.
#[derive(Default)]
struct Full(BTreeMap<(u8, u64), Vec<Hash>>);

impl Tiles for Full {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0.get(&(level, index)).cloned().unwrap_or_default())
    }
}

impl Memory {
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut memory = Self::default();
        for leaf in leaves {
            memory.append(*leaf);
        }
        memory
    }

    fn append(&mut self, leaf: Hash) -> usize {
        let completed = self.edge.append(leaf);
        let count = completed.len();
        for FullTile { level, index, hashes } in completed {
            assert_eq!(hashes.len(), 256);
            assert!(self.full.0.insert((level, index), hashes).is_none(), "a tile became full twice");
        }
        count
    }
}

impl Tiles for Memory {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        self.edge.over(&self.full).tile(level, index, width)
    }
}

/// Refuses every tile that a static source would not have: wrong widths, and none at all.
struct Exact<'a>(&'a Memory, u64);

impl Tiles for Exact<'_> {
    type Error = String;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, String> {
        let want = match index.cmp(&full_tiles(level, self.1)) {
            std::cmp::Ordering::Less => 256,
            std::cmp::Ordering::Equal => partial_width(level, self.1),
            std::cmp::Ordering::Greater => 0,
        };
        if width != want || want == 0 {
            return Err(format!("no tile {level}/{index} of width {width}"));
        }
        let mut hashes = self.0.tile(level, index, width).unwrap_or_default();
        hashes.truncate(usize::from(width));
        Ok(hashes)
    }
}

#[test]
fn proofs_hold_where_tiles_become_full() {
    let hashes = leaves(65_538);
    let mut memory = Memory::default();
    let mut frontier = Frontier::new();
    let mut roots = BTreeMap::new();
    let sizes = [1u64, 2, 255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 65_538];
    for (leaf, size) in hashes.iter().zip(1u64..) {
        let completed = memory.append(*leaf);
        frontier.append(*leaf);
        assert_eq!(completed, usize::from(size % 256 == 0) + usize::from(size % 65_536 == 0));
        if sizes.contains(&size) {
            assert_eq!(memory.edge.root(), frontier.root(), "size {size}");
            let same = TileEdge::from_parts(size, memory.edge.edge().to_vec()).unwrap();
            assert_eq!((same.root(), same.size()), (frontier.root(), size));
            assert_eq!(TileEdge::load(&Exact(&memory, size), size).unwrap().root(), frontier.root());
            roots.insert(size, frontier.root());
        }
    }
    assert_eq!(root_of(&hashes), frontier.root());
    assert_eq!(memory.full.0.len(), 256 + 1);
    for size in sizes {
        let source = Exact(&memory, size);
        assert_eq!(root_at(&source, size).unwrap(), roots[&size], "size {size}");
        for index in [0, 1, 127, 254, 255, 256, 257, 511, 65_279, 65_280, 65_534, 65_535, 65_536, 65_537] {
            if index < size {
                let path = inclusion::prove(&source, index, size).unwrap();
                let leaf = &hashes[usize::try_from(index).unwrap()];
                assert_eq!(inclusion::verify(leaf, index, size, &path, &roots[&size]), Ok(()));
            }
        }
        for old in sizes.into_iter().filter(|old| *old <= size) {
            let proof = consistency::prove(&source, old, size).unwrap();
            assert_eq!(consistency::verify(old, size, &proof, &roots[&old], &roots[&size]), Ok(()));
        }
    }
}

#[test]
fn a_partial_tile_is_never_hashed_upwards() {
    let memory = Memory::of(&leaves(511));
    let widths: Vec<usize> = memory.edge.edge().iter().map(Vec::len).collect();
    assert_eq!(widths, [255, 1]);
    assert_eq!(memory.edge.edge()[1][0], root_of(&leaves(256)));
    assert!(memory.full.0.keys().eq([(0, 0)].iter()));
}

#[test]
fn an_edge_is_restored_at_every_size_and_grows_on() {
    let hashes = leaves(600);
    let mut edge = TileEdge::new();
    let mut full = Full::default();
    for (leaf, size) in hashes.iter().zip(0u64..) {
        let restored = TileEdge::from_parts(size, edge.edge().to_vec()).unwrap();
        let (mut one, mut other) = (edge.clone(), restored);
        assert_eq!(one.append(*leaf), other.append(*leaf), "size {size}");
        assert_eq!(one.root(), other.root());
        assert_eq!(one.frontier(), other.frontier());
        let loaded = TileEdge::load(&edge.over(&full), size).unwrap();
        assert_eq!(loaded.root(), edge.root());
        for tile in edge.append(*leaf) {
            full.0.insert((tile.level, tile.index), tile.hashes);
        }
    }
}

#[test]
fn an_edge_of_other_widths_is_refused() {
    let edge = Memory::of(&leaves(300)).edge;
    let parts = edge.edge().to_vec();
    assert!(matches!(TileEdge::from_parts(301, parts.clone()), Err(PartsError::Hashes { .. })));
    assert!(matches!(TileEdge::from_parts(556, parts.clone()), Err(PartsError::Hashes { .. })));
    assert!(matches!(TileEdge::from_parts(300, parts[..1].to_vec()), Err(PartsError::Hashes { .. })));
    let mut higher = parts.clone();
    higher.push(vec![[1; 32]]);
    assert!(matches!(TileEdge::from_parts(300, higher), Err(PartsError::Hashes { .. })));
    let mut spare = parts.clone();
    spare.push(vec![]);
    assert_eq!(TileEdge::from_parts(300, spare).unwrap(), edge);
    assert_eq!(TileEdge::from_parts(0, vec![]).unwrap(), TileEdge::new());
    let beyond = SIZE_MAX + 1;
    assert_eq!(TileEdge::from_parts(beyond, vec![]), Err(PartsError::Size { size: beyond }));
}

#[test]
fn an_edge_reaches_the_largest_tree() {
    // 2^63 − 1 = seven full bytes of 255 and one of 127.
    let mut partial = vec![vec![[9; 32]; 255]; 7];
    partial.push(vec![[9; 32]; 127]);
    assert_eq!(TileEdge::from_parts(SIZE_MAX, partial).unwrap().size(), SIZE_MAX);
}

#[test]
fn a_source_with_too_few_hashes_is_found_out() {
    let memory = Memory::of(&leaves(300));
    let short = ReadError::Short { level: 0, index: 1, want: 45, have: 44 };
    assert_eq!(inclusion::prove(&memory, 3, 301), Err(short.clone()));
    assert_eq!(root_at(&memory, 301), Err(short));
    assert!(matches!(TileEdge::load(&memory, 301), Err(ReadError::Short { .. })));
    assert!(matches!(root_at(&Exact(&memory, 299), 300), Err(ReadError::Tile { level: 0, index: 1, .. })));
    assert!(matches!(node(&memory, 0, 300), Err(ReadError::Short { .. })));
    assert!(matches!(node(&memory, 62, u64::MAX), Err(ReadError::OutOfRange(_))));
    assert!(node(&memory, 255, 0).is_err());
}

#[test]
fn a_node_is_the_root_over_its_leaves() {
    let hashes = leaves(1024);
    let memory = Memory::of(&hashes);
    for level in 0..=10u8 {
        let span = 1usize << level;
        for (below, index) in hashes.chunks(span).zip(0..) {
            assert_eq!(node(&memory, level, index).unwrap(), root_of(below), "{level} {index}");
        }
    }
}
