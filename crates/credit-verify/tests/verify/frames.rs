//! Frames of exports: a corpus of what is one and what is none, and everything near it.

use std::fs;
use std::path::Path;

use credit_verify::{
    EntryBytes, FrameError, OwnedEntry, SecretPart, read_entry, read_secrets, skip_entry, skip_secrets,
    write_entry, write_secrets,
};

/// What is near each text of the corpus: so many mutations.
const MUTATIONS: u64 = 2_000;

/// A text of the corpus: its name, what it holds, its bytes.
fn corpus() -> Vec<(String, String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/frames");
    let mut texts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|item| {
            let path = item.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(path).unwrap();
            let (kind, hex) = text.split_once('\n').unwrap();
            let digits: Vec<u8> = hex.trim().bytes().collect();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            (name, kind.to_owned(), digits.chunks(2).map(byte).collect())
        })
        .collect();
    texts.sort();
    assert!(texts.len() > 20);
    texts
}

fn entries(mut bytes: &[u8]) -> Result<Vec<OwnedEntry>, FrameError> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let skipped = skip_entry(bytes);
        let read = read_entry(bytes);
        assert_eq!(skipped.clone().ok(), read.clone().ok().map(|(_, rest)| rest));
        let (entry, rest) = read?;
        assert!(rest.len() < bytes.len());
        let mut written = Vec::new();
        let OwnedEntry { core, secret, parts } = &entry;
        write_entry(&EntryBytes { core, secret, parts }, &mut written).unwrap();
        assert_eq!(written, bytes[..bytes.len() - rest.len()], "a frame has one form");
        found.push(entry);
        bytes = rest;
    }
    Ok(found)
}

fn secrets(mut bytes: &[u8]) -> Result<Vec<(u64, Vec<SecretPart>)>, FrameError> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (index, secrets, rest) = read_secrets(bytes)?;
        assert_eq!(skip_secrets(bytes), Ok((index, rest)));
        let mut written = Vec::new();
        write_secrets(index, &secrets, &mut written).unwrap();
        assert_eq!(written, bytes[..bytes.len() - rest.len()], "a frame has one form");
        found.push((index, secrets));
        bytes = rest;
    }
    Ok(found)
}

fn is_frames(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        "entry" => entries(bytes).is_ok(),
        "secrets" => secrets(bytes).is_ok(),
        other => panic!("{other}"),
    }
}

#[test]
fn the_corpus_is_judged_as_its_names_say() {
    for (name, kind, bytes) in corpus() {
        let ok = name.starts_with("ok-");
        assert!(ok || name.starts_with("bad-"), "{name}");
        assert_eq!(is_frames(&kind, &bytes), ok, "{name}");
    }
}

#[test]
fn nothing_near_the_corpus_is_read_otherwise_than_written() {
    let mut state = 1u64;
    let mut random = move |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % end.max(1)
    };
    for (_, kind, sound) in corpus() {
        for _ in 0..MUTATIONS {
            let mut bytes = sound.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(5) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at.min(bytes.len()), u8::try_from(random(256)).unwrap()),
                    2 if !bytes.is_empty() => drop(bytes.remove(at)),
                    3 => bytes.extend_from_slice(&sound.clone()[..random(sound.len())]),
                    _ => {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << random(8);
                        }
                    }
                }
            }
            // Whatever is read is what would be written; the functions assert it.
            is_frames(&kind, &bytes);
        }
    }
}
