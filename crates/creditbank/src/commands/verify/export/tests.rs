//! An export with one thing wrong: wherever it is, it is found, and nothing crashes.

use super::super::super::bench::small_export;
use super::super::pipeline::{WINDOW_BYTES_MAX, WINDOW_ENTRIES_MAX};
use super::*;
use crate::home::Home;
use crate::keyfile::Passphrases;
use crate::language::Language;
use crate::output::{Format, Output};
use clap::Parser as _;
use credit_verify::{Broken, Verdict};
use std::fs;
use std::path::PathBuf;

/// Positions of the sweep: at least so many.
const SWEEP_MIN: usize = 2_000;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    resources: Resources,
}

struct Bench {
    _folder: tempfile::TempDir,
    export: PathBuf,
    trust: Trust,
    context: Context,
    resources: Resources,
}

/// A small export with details, and who checks it.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    let trust = small_export(&export, 7, 12).unwrap();
    let context = Context {
        output: Output { language: Language::En, format: Format::Json },
        home: Home::new(folder.path()),
        passphrases: Passphrases::new(Language::En, Vec::new(), None),
    };
    let resources = Line::parse_from(["x", "--memory", "16"]).resources;
    Bench { _folder: folder, export, trust, context, resources }
}

impl Bench {
    fn verdict(&self) -> Verdict {
        report(&self.context, &self.export, self.trust.clone(), &self.resources)
            .unwrap_or_else(|error| panic!("{error:?}"))
            .verdict
    }

    #[track_caller]
    fn breaks(&self, code: &str) -> Broken {
        match self.verdict() {
            Verdict::Broken(broken) => {
                assert_eq!(broken.rule.code(), code, "{broken}");
                broken
            }
            other @ (Verdict::Ok | Verdict::NeedsNewer { .. }) => panic!("{code}: {other:?}"),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.export.join("manifest"), self.export.join("checkpoint")];
        for folder in ["entries", "details"] {
            files.extend(self.export.join(folder).read_dir().unwrap().map(|item| item.unwrap().path()));
        }
        files
    }
}

#[test]
fn every_flipped_byte_of_every_file_is_found() {
    let bench = bench();
    assert_eq!(bench.verdict(), Verdict::Ok);
    let files = bench.files();
    let total: usize = files.iter().map(|file| fs::read(file).unwrap().len()).sum();
    let step = (total / SWEEP_MIN).max(1);
    let mut tried = 0;
    for (skipped, file) in files.into_iter().enumerate() {
        let sound = fs::read(&file).unwrap();
        // Each file is swept from another byte on; short files have every byte tried.
        let step = if sound.len() < 512 { 1 } else { step };
        for at in (skipped % step..sound.len()).step_by(step) {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (tried % 8);
            fs::write(&file, &bytes).unwrap();
            let verdict = bench.verdict();
            assert!(matches!(verdict, Verdict::Broken(_)), "{} byte {at}: {verdict:?}", file.display());
            tried += 1;
        }
        fs::write(&file, &sound).unwrap();
    }
    assert!(tried >= SWEEP_MIN, "{tried} of {total} bytes");
    assert_eq!(bench.verdict(), Verdict::Ok);
}

#[test]
fn no_file_is_missing_added_renamed_longer_or_shorter() {
    let bench = bench();
    for file in bench.files() {
        let sound = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        bench.breaks("FILE_MISSING");
        let moved = file.with_file_name("000000000001");
        fs::write(&moved, &sound).unwrap();
        let Verdict::Broken(broken) = bench.verdict() else { panic!("{}", file.display()) };
        assert!(["FILE_MISSING", "FILE_UNLISTED"].contains(&broken.rule.code()), "{broken}");
        fs::remove_file(&moved).unwrap();
        for length in [0, sound.len() - 1, sound.len() + 1] {
            let mut bytes = sound.clone();
            bytes.resize(length, 0);
            fs::write(&file, &bytes).unwrap();
            assert!(matches!(bench.verdict(), Verdict::Broken(_)), "{} {length}", file.display());
        }
        fs::write(&file, &sound).unwrap();
    }
    for name in ["more", "unfinished", "entries/more", "details/000000000001", "entries/000000000000.part"] {
        fs::write(bench.export.join(name), b"x").unwrap();
        bench.breaks("FILE_UNLISTED");
        fs::remove_file(bench.export.join(name)).unwrap();
    }
    fs::create_dir(bench.export.join("folder")).unwrap();
    bench.breaks("FILE_UNLISTED");
    fs::remove_dir(bench.export.join("folder")).unwrap();
    std::os::unix::fs::symlink(bench.export.join("manifest"), bench.export.join("link")).unwrap();
    bench.breaks("FILE_UNLISTED");
    fs::remove_file(bench.export.join("link")).unwrap();
    assert_eq!(bench.verdict(), Verdict::Ok);
}

#[test]
fn another_logs_export_is_not_this_ones() {
    let bench = bench();
    let other = tempfile::tempdir().unwrap();
    let trust = small_export(&other.path().join("export"), 8, 12).unwrap();
    let broken = Bench { trust: trust.clone(), ..bench }.breaks("MANIFEST_INVALID");
    assert_eq!(broken.index, 0);
}

#[test]
fn a_file_of_entries_that_is_wrong_names_the_entry() {
    let bench = bench();
    let file = bench.export.join("entries/000000000000");
    let sound = fs::read(&file).unwrap();
    let (mut at, mut index) = (0, 0u64);
    while at < sound.len() {
        let rest = skip_entry(&sound[at..]).unwrap();
        let end = sound.len() - rest.len();
        let mut bytes = sound.clone();
        bytes[end - 1] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let broken = bench.breaks("PARTS_ROOT_WRONG");
        assert_eq!(broken.index, index);
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(bench.breaks("FRAME_WRONG").index, index);
        (at, index) = (end, index + 1);
    }
    assert!(index > 10);
}

/// How many entries of a file in memory were handed over in each window, and what is wrong behind them.
fn windows(bytes: Vec<u8>) -> (Vec<usize>, Option<Finding>) {
    let held = Held { name: "entries/000000000000".to_owned(), bytes: Arc::new(bytes), is_right: true };
    let (mut entries, mut wrong) = (Vec::new(), None);
    give_file(0, &held, None, false, &mut |load: Load<'static>| {
        let Window { entries: loaded, fault } = load();
        entries.push(loaded.len());
        wrong = fault;
        true
    });
    (entries, wrong)
}

/// The entries of a file in memory that were handed over, and what is wrong behind them.
fn handed_over(bytes: Vec<u8>) -> (usize, Option<Finding>) {
    let (entries, wrong) = windows(bytes);
    (entries.into_iter().sum(), wrong)
}

#[test]
fn a_window_is_bounded_in_entries_and_bytes() {
    let frames = |count: usize, part_bytes: usize| {
        let parts = [vec![0; part_bytes]];
        let entry = credit_verify::EntryBytes { core: &[], secret: &[0; 32], parts: &parts };
        let mut bytes = Vec::new();
        for _ in 0..count {
            credit_verify::write_entry(&entry, &mut bytes).unwrap();
        }
        bytes
    };
    let most = WINDOW_ENTRIES_MAX;
    assert_eq!(windows(frames(most, 1)), (vec![most], None));
    assert_eq!(windows(frames(most + 1, 1)), (vec![most, 1], None));
    // The entry that reaches the bytes is the last of its window.
    let part_bytes = 40_000;
    let frame = frames(1, part_bytes).len();
    let many = WINDOW_BYTES_MAX.div_ceil(frame);
    assert!((most / 100..most).contains(&many), "{many}");
    assert_eq!(windows(frames(many, part_bytes)), (vec![many], None));
    assert_eq!(windows(frames(2 * many + 1, part_bytes)), (vec![many, many, 1], None));
}

#[test]
fn a_file_of_entries_is_bounded_in_entries_and_bytes() {
    let most = usize::try_from(EXPORT_FILE_ENTRIES_MAX).unwrap();
    let mut bytes = Vec::new();
    let empty = credit_verify::EntryBytes { core: &[], secret: &[0; 32], parts: &[] };
    for _ in 0..most {
        credit_verify::write_entry(&empty, &mut bytes).unwrap();
    }
    assert_eq!(handed_over(bytes.clone()), (most, None));
    credit_verify::write_entry(&empty, &mut bytes).unwrap();
    let (entries, wrong) = handed_over(bytes);
    assert_eq!((entries, wrong.unwrap().0), (most, Rule::FrameWrong));

    let folder = tempfile::tempdir().unwrap();
    let longest = EXPORT_FILE_BYTES_MAX;
    for (length, is_right) in [(longest, true), (longest + 1, false)] {
        let zeros = vec![0; length];
        fs::write(folder.path().join("x"), &zeros).unwrap();
        let bytes = u64::try_from(length).unwrap();
        let file = ManifestFile { name: "x".to_owned(), bytes, sha256: Digest(sha256(&zeros)) };
        assert_eq!(hold(folder.path(), &file).unwrap().is_right, is_right, "{length}");
    }
}
