//! Checks an export with nothing but a trust file: every file under the signed manifest, then the log in them.

#[cfg(test)]
mod tests;

use super::super::Context;
use super::super::connect::trust;
use super::memory::Resources;
use super::page::{Checked, Page, Scope, counting};
use super::pipeline::{Load, Loaded, Window, is_full, push_all, scratch_failed};
use super::shelf::ExportShelf;
use crate::ending::{CommandError, Ending, unreadable};
use crate::language::Phrase;
use credit_log::checkpoint;
use credit_log::hash::sha256;
use credit_proto::FILE_MANIFEST_BYTES_MAX;
use credit_types::{Digest, ManifestFile};
use credit_verify::{
    EXPORT_CHECKPOINT, EXPORT_FILE_BYTES_MAX, EXPORT_FILE_ENTRIES_MAX, EXPORT_MANIFEST, EntrySecrets, Export,
    Head, Report, Rule, Trust, Verifier, open_export, read_entry, read_secrets, skip_entry, skip_secrets,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The most files and folders looked at: more than a manifest can list.
const NAMES_MAX: usize = 1 << 20;

/// What is wrong: the rule, and what was found.
type Finding = (Rule, String);

/// Checks an export.
pub(super) fn run(
    context: &mut Context,
    dir: &Path,
    trust_file: Option<&Path>,
    resources: &Resources,
    html: Option<&Path>,
) -> Ending {
    let trust = trust(context, trust_file)?;
    let page = html.map(|path| Page::new(context, path, Scope::Export, dir.display(), &trust)).transpose()?;
    let report = counted_report(context, dir, trust.clone(), resources, page.as_ref())?;
    let exit = super::tell(context, &report, None);
    if let Some(page) = page {
        let note = read(&dir.join(EXPORT_CHECKPOINT), EXPORT_FILE_BYTES_MAX).ok();
        let note = note.and_then(|note| String::from_utf8(note).ok());
        page.write(context, &trust, Checked::Whole(&report, None), note.as_deref())?;
    }
    Ok(exit)
}

/// What comes of checking an export.
pub(in super::super) fn report(
    context: &Context,
    dir: &Path,
    trust: Trust,
    resources: &Resources,
) -> Result<Report, CommandError> {
    counted_report(context, dir, trust, resources, None)
}

/// The same, which counts the entries for a page.
fn counted_report(
    context: &Context,
    dir: &Path,
    trust: Trust,
    resources: &Resources,
    page: Option<&Page<'_>>,
) -> Result<Report, CommandError> {
    let mut verifier = Verifier::within(Some(trust.clone()), &resources.memory());
    let opened = match opened(dir, &trust)? {
        Ok(opened) => opened,
        Err((rule, detail)) => {
            verifier.broken(rule, detail);
            return verifier.finish(None).map_err(scratch_failed);
        }
    };
    let Opened { export, note } = opened;
    let head = Head { size: export.size, root: export.root };
    let shelf = ExportShelf::new(dir, &export);
    let mut verifier = verifier.with_heads([head]).with_blobs(&shelf);
    let bar = context.output.progress(Phrase::ProgressVerify, export.size);
    push_all(
        &mut verifier,
        Some(&shelf),
        Resources::threads(),
        |give| read_all(dir, &export, &mut |load| give(counting(page, load))),
        |done| bar.set_position(done),
    )?;
    bar.finish_and_clear();
    verifier.finish(Some(&note)).map_err(scratch_failed)
}

/// What an export says of itself, under its signature.
struct Opened {
    export: Export,
    note: String,
}

/// The manifest, the list of files and the checkpoint; all that can be said before an entry is read.
fn opened(dir: &Path, trust: &Trust) -> Result<Result<Opened, Finding>, CommandError> {
    let path = dir.join(EXPORT_MANIFEST);
    if !path.exists() {
        return Ok(Err((Rule::FileMissing, EXPORT_MANIFEST.to_owned())));
    }
    let manifest = read(&path, FILE_MANIFEST_BYTES_MAX).map_err(unreadable(&path))?;
    let export = match open_export(&manifest, trust) {
        Ok(export) => export,
        Err(fault) => {
            let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}"));
            return Ok(Err((Rule::ManifestInvalid, format!("{fault}{}", cause.unwrap_or_default()))));
        }
    };
    if let Err(finding) = listed(dir, &export).map_err(unreadable(dir))? {
        return Ok(Err(finding));
    }
    let path = dir.join(EXPORT_CHECKPOINT);
    let bytes = read(&path, EXPORT_FILE_BYTES_MAX).map_err(unreadable(&path))?;
    let file = export.files.iter().find(|file| file.name == EXPORT_CHECKPOINT);
    if !file.is_some_and(|file| credit_verify::is_file(file, &bytes)) {
        return Ok(Err((Rule::FileWrong, EXPORT_CHECKPOINT.to_owned())));
    }
    let invalid = |detail: String| Ok(Err((Rule::CheckpointInvalid, detail)));
    let Ok(note) = String::from_utf8(bytes) else { return invalid("it is no text".to_owned()) };
    match checkpoint::open(&note, &trust.checkpoint_keys, &trust.origin) {
        Ok(signed) if (signed.size, Digest(signed.root)) == (export.size, export.root) => {
            Ok(Ok(Opened { export, note }))
        }
        Ok(signed) => invalid(format!("it is of {} entries, the manifest of {}", signed.size, export.size)),
        Err(error) => invalid(error.to_string()),
    }
}

/// Reads a file of at most so many bytes; of a longer one, a byte more.
fn read(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Every file of the manifest is there with its length, and nothing else is; blobs are what their names say.
fn listed(dir: &Path, export: &Export) -> io::Result<Result<(), Finding>> {
    let names: BTreeSet<&str> = export.files.iter().map(|file| file.name.as_str()).collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for item in dir.join(&folder).read_dir()? {
            let item = item?;
            let leaf = item.file_name().to_string_lossy().into_owned();
            let name = if folder.is_empty() { leaf } else { format!("{folder}/{leaf}") };
            let kind = item.file_type()?;
            let below = format!("{name}/");
            let wanted = names.range(below.as_str()..).next();
            let is_folder = kind.is_dir() && wanted.is_some_and(|file| file.starts_with(&below));
            if is_folder && folder.is_empty() {
                folders.push(name);
            } else if kind.is_file() && (names.contains(name.as_str()) || name == EXPORT_MANIFEST) {
                found.insert(name);
            } else {
                return Ok(Err((Rule::FileUnlisted, name)));
            }
            if found.len() > NAMES_MAX {
                return Ok(Err((Rule::FileUnlisted, "there are too many files".to_owned())));
            }
        }
    }
    for file in &export.files {
        if !found.contains(&file.name) {
            return Ok(Err((Rule::FileMissing, file.name.clone())));
        }
        if dir.join(&file.name).metadata()?.len() != file.bytes {
            return Ok(Err((Rule::FileWrong, format!("{} has another length", file.name))));
        }
        let blob = file.name.starts_with(credit_verify::EXPORT_BLOBS);
        if blob && !credit_verify::is_file(file, &read(&dir.join(&file.name), EXPORT_FILE_BYTES_MAX)?) {
            return Ok(Err((Rule::FileWrong, file.name.clone())));
        }
    }
    Ok(Ok(()))
}

/// A file in memory, and whether it is the one that the manifest lists.
struct Held {
    name: String,
    bytes: Arc<Vec<u8>>,
    is_right: bool,
}

fn hold(dir: &Path, file: &ManifestFile) -> Result<Held, CommandError> {
    let path = dir.join(&file.name);
    let bytes = read(&path, EXPORT_FILE_BYTES_MAX).map_err(unreadable(&path))?;
    let is_right = bytes.len() <= EXPORT_FILE_BYTES_MAX && sha256(&bytes) == file.sha256.0;
    Ok(Held { name: file.name.clone(), bytes: Arc::new(bytes), is_right })
}

/// Hands over a fault where the entries so far end.
fn fault<'w>(rule: Rule, detail: String, give: &mut dyn FnMut(Load<'w>) -> bool) {
    // Nobody who wants no more needs to hear it.
    let _ = give(Box::new(move || Window { entries: Vec::new(), fault: Some((rule, detail)) }));
}

/// Every file of entries with its file of secret parts, in windows, until nobody wants more.
fn read_all<'w>(
    dir: &Path,
    export: &Export,
    give: &mut dyn FnMut(Load<'w>) -> bool,
) -> Result<(), CommandError> {
    let mut next = 0u64;
    let mut details = export.details.iter().peekable();
    let with_details = !export.details.is_empty();
    for (first, file) in &export.entries {
        if *first != next {
            fault(Rule::FrameWrong, format!("{} should begin at entry {next}", file.name), give);
            return Ok(());
        }
        let entries = hold(dir, file)?;
        let secrets = match details.next_if(|(index, _)| index == first) {
            Some((_, file)) => Some(hold(dir, file)?),
            None => None,
        };
        let Some(end) = give_file(next, &entries, secrets.as_ref(), with_details, give) else {
            return Ok(());
        };
        next = end;
        for held in [Some(entries), secrets].into_iter().flatten() {
            if !held.is_right {
                fault(Rule::FileWrong, held.name, give);
                return Ok(());
            }
        }
    }
    if let Some((_, file)) = details.next() {
        fault(Rule::FrameWrong, format!("{} belongs to no file of entries", file.name), give);
    }
    Ok(())
}

/// The frames of a file, handed over in windows; the index behind the last. `None`: nobody wants more, or a frame is
/// wrong, which was handed over too.
fn give_file<'w>(
    first: u64,
    entries: &Held,
    secrets: Option<&Held>,
    with_details: bool,
    give: &mut dyn FnMut(Load<'w>) -> bool,
) -> Option<u64> {
    let (mut index, mut at, mut secret_at) = (first, 0usize, 0usize);
    while at < entries.bytes.len() {
        let (begin, secret_begin, begin_index) = (at, secret_at, index);
        let (mut wrong, mut count) = (None, 0usize);
        let bytes_of = |at: usize, secret_at: usize| {
            at.saturating_sub(begin).saturating_add(secret_at.saturating_sub(secret_begin))
        };
        while at < entries.bytes.len() && !is_full(count, bytes_of(at, secret_at)) {
            let rest = entries.bytes.get(at..).unwrap_or_default();
            let too_many = index.saturating_sub(first) >= EXPORT_FILE_ENTRIES_MAX;
            let end = if too_many { None } else { skip_entry(rest).ok() };
            let Some(end) = end else {
                wrong = Some((Rule::FrameWrong, format!("{} at byte {at}", entries.name)));
                break;
            };
            at = entries.bytes.len().saturating_sub(end.len());
            if let Some(held) = secrets {
                secret_at = behind(&held.bytes, secret_at, index);
            }
            index = index.saturating_add(1);
            count = count.saturating_add(1);
        }
        let (of_entries, of_secrets) = (begin..at, secret_begin..secret_at);
        let (bytes, secret_bytes) = (Arc::clone(&entries.bytes), secrets.map(|held| Arc::clone(&held.bytes)));
        let stop = wrong.is_some();
        let load = move || {
            let secrets = secret_bytes.as_deref();
            let mut made = window(begin_index, &bytes, of_entries, secrets, of_secrets, with_details);
            made.fault = made.fault.or(wrong);
            made
        };
        if !give(Box::new(load)) || stop {
            return None;
        }
    }
    if let Some(held) = secrets
        && secret_at < held.bytes.len()
    {
        fault(Rule::FrameWrong, format!("{} at byte {secret_at}", held.name), give);
        return None;
    }
    Some(index)
}

/// Where the frame of an entry's secret parts ends; where it would begin, if there is none.
fn behind(bytes: &[u8], at: usize, index: u64) -> usize {
    match skip_secrets(bytes.get(at..).unwrap_or_default()) {
        Ok((about, rest)) if about == index => bytes.len().saturating_sub(rest.len()),
        Ok(_) | Err(_) => at,
    }
}

/// Reads the frames of a window.
fn window(
    first: u64,
    entries: &[u8],
    of_entries: Range<usize>,
    secrets: Option<&Vec<u8>>,
    of_secrets: Range<usize>,
    with_details: bool,
) -> Window {
    let mut window = Window::default();
    let mut rest = entries.get(of_entries).unwrap_or_default();
    let mut secret_rest = secrets.and_then(|bytes| bytes.get(of_secrets)).unwrap_or_default();
    let mut index = first;
    while let Ok((entry, after)) = read_entry(rest) {
        rest = after;
        let mut own = Vec::new();
        match read_secrets(secret_rest) {
            Ok((about, found, after)) if about == index => {
                own = found;
                secret_rest = after;
            }
            Ok(_) => {}
            // What is left is not a frame: the entry before it is right, and here something else stands.
            Err(_) if secret_rest.is_empty() => {}
            Err(error) => {
                window.fault = Some((Rule::FrameWrong, error.to_string()));
                return window;
            }
        }
        window.entries.push(Loaded { entry, secrets: with_details.then(|| EntrySecrets::new(own)) });
        index = index.saturating_add(1);
    }
    window
}
