use super::*;
use credit_log::tile::encode_entries;

/// A log in memory; one file of it may be bent or gone.
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    fn new(size: u64) -> (Self, Hash) {
        let (mut edge, mut files) = (TileEdge::new(), BTreeMap::new());
        let mut bundle: Vec<Vec<u8>> = Vec::new();
        let mut put = |kind, index, width, bytes| {
            files.insert(TilePath { kind, index, width }.encode(), bytes);
        };
        for index in 0..size {
            let core = format!("entry {index}").into_bytes();
            for tile in edge.append(leaf_hash(&core)) {
                put(TileKind::Hashes(tile.level), tile.index, TILE_WIDTH, encode_hashes(&tile.hashes));
            }
            bundle.push(core);
            if bundle.len() == 256 {
                put(TileKind::Entries, index / 256, TILE_WIDTH, encode_entries(&bundle).unwrap());
                bundle.clear();
            }
        }
        for (level, hashes) in (0u8..).zip(edge.edge()) {
            if !hashes.is_empty() {
                let width = u16::try_from(hashes.len()).unwrap();
                put(TileKind::Hashes(level), full_tiles(level, size), width, encode_hashes(hashes));
            }
        }
        if !bundle.is_empty() {
            let width = u16::try_from(bundle.len()).unwrap();
            put(TileKind::Entries, size / 256, width, encode_entries(&bundle).unwrap());
        }
        (Self { files }, edge.root())
    }
}

impl LogSource for Memory {
    fn checkpoint(&self) -> Result<String, SourceError> {
        Err(SourceError::new("checkpoint", anyhow::anyhow!("there is none")))
    }

    fn file(&self, path: &TilePath) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.files.get(&path.encode()).cloned())
    }
}

/// Reads every file; gives the count.
fn read_all(source: &Memory, size: u64, root: &Hash) -> Result<usize, TreeError> {
    let tree = CheckedTree::new(source, size, root)?;
    let mut read = BTreeMap::new();
    for path in tree.paths(TileKind::Entries) {
        read.insert(path.encode(), tree.bundle_bytes(&path)?);
    }
    for level in tree.levels() {
        for path in tree.paths(TileKind::Hashes(level)) {
            read.insert(path.encode(), tree.tile_bytes(level, path.index)?);
        }
    }
    assert!(read.iter().all(|(path, bytes)| source.files.get(path) == Some(bytes)));
    Ok(read.len())
}

#[test]
fn a_whole_log_is_read_and_every_smaller_root_with_it() {
    for size in [1, 2, 255, 256, 257, 511, 512, 65_536, 66_000] {
        let (source, root) = Memory::new(size);
        assert_eq!(read_all(&source, size, &root).unwrap(), source.files.len(), "{size}");
        let tree = CheckedTree::new(&source, size, &root).unwrap();
        for smaller in [1, size / 3 + 1, size] {
            assert_eq!(tree.root_at(smaller).unwrap(), Memory::new(smaller).1, "{smaller} of {size}");
        }
    }
}

#[test]
fn a_flipped_bit_a_cut_or_a_missing_file_is_found_wherever_it_is() {
    let size = 600;
    let (mut source, root) = Memory::new(size);
    let names: Vec<String> = source.files.keys().cloned().collect();
    assert_eq!(names.len(), 7);
    for name in names {
        let whole = source.files[&name].clone();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            source.files.insert(name.clone(), bent);
            assert!(read_all(&source, size, &root).is_err(), "{name} at {at}");
        }
        for other in [whole[..whole.len() - 32].to_vec(), [whole.as_slice(), &[0; 32]].concat(), Vec::new()] {
            source.files.insert(name.clone(), other);
            assert!(read_all(&source, size, &root).is_err(), "{name}");
        }
        source.files.remove(&name);
        let missing = read_all(&source, size, &root).unwrap_err();
        assert!(matches!(&missing, TreeError::Missing { path, .. } if *path == name), "{missing}");
        source.files.insert(name, whole);
    }
    assert!(read_all(&source, size, &root).is_ok());
    assert!(matches!(read_all(&source, size, &[7; 32]), Err(TreeError::Root)));
}

#[test]
fn a_bundle_names_the_first_entry_that_it_holds() {
    let path = |kind, index| TilePath { kind, index, width: 1 };
    assert_eq!(first_below(&path(TileKind::Entries, 3)), 768);
    assert_eq!(first_below(&path(TileKind::Hashes(0), 3)), 768);
    assert_eq!(first_below(&path(TileKind::Hashes(1), 1)), 65_536);
    assert_eq!(first_below(&path(TileKind::Hashes(63), u64::MAX)), u64::MAX);
}
