//! Checks what everybody can see of a log, over HTTP: checkpoint, tiles, bundles of cores. What entries hold is not
//! among it, and the report says so.

use super::super::Context;
use super::super::connect::trust;
use super::broken_text;
use super::page::{Checked, Page, Scope};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use crate::public_log::LogSource as _;
use crate::public_log::http::HttpLog;
use crate::public_log::tree::{CheckedTree, TreeError};
use credit_client::{ClientError, FileHeads, HeadStore as _, Trust};
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::tile::{TileKind, decode_entries};
use credit_types::Digest;
use credit_verify::{Broken, CoreVerifier, CoresReport, Head, Rule, Verdict};
use std::path::Path;
use std::time::Duration;

/// How often a checkpoint older than one already seen is asked for again: the service shows a head up to a second before
/// it is published.
pub(crate) const OLDER_TRIES_MAX: u32 = 5;
/// How long to wait before that.
const OLDER_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });

/// The last head that was seen, as it is kept.
struct Seen {
    heads: FileHeads,
    note: Option<String>,
    head: Option<Checkpoint>,
}

/// Checks a public log.
pub(super) fn run(context: &Context, url: &str, trust_file: Option<&Path>, html: Option<&Path>) -> Ending {
    let trust = trust(context, trust_file)?;
    let page = html.map(|path| Page::new(context, path, Scope::Cores, url, &trust)).transpose()?;
    let source = HttpLog::new(url);
    let seen = seen(context, &trust)?;
    let note = newest(&source, &trust, seen.head.as_ref())?;
    let (report, files) = check(context, &source, &trust, &note, seen.head.as_ref(), page.as_ref())?;
    let newer = seen.head.as_ref().is_none_or(|head| head.size < report.size);
    if report.verdict == Verdict::Ok && newer {
        // If another process has kept a newer head meanwhile, that one stays.
        seen.heads.replace(seen.note.as_deref(), &note).map_err(ClientError::from)?;
    }
    let exit = tell(context, url, &report, files);
    if let Some(page) = page {
        page.write(context, &trust, Checked::Cores(&report, files), Some(&note))?;
    }
    Ok(exit)
}

fn seen(context: &Context, trust: &Trust) -> Result<Seen, CommandError> {
    let heads = FileHeads::new(context.home.heads(), trust.log_id).map_err(ClientError::from)?;
    let note = heads.load().map_err(ClientError::from)?;
    let head = match &note {
        None => None,
        Some(note) => Some(
            checkpoint::open(note, &trust.checkpoint_keys, &trust.origin)
                .map_err(|cause| CommandError::new(Exit::Broken, Phrase::HeadNotKept, &[]).because(cause))?,
        ),
    };
    Ok(Seen { heads, note, head })
}

/// The published checkpoint, once it is no older than what was seen, or after a while as it is.
fn newest(source: &HttpLog, trust: &Trust, seen: Option<&Checkpoint>) -> Result<String, CommandError> {
    let mut tries = 1u32;
    loop {
        let note = source.checkpoint()?;
        let shown = checkpoint::open(&note, &trust.checkpoint_keys, &trust.origin);
        let older = shown.is_ok_and(|shown| seen.is_some_and(|seen| seen.size > shown.size));
        if !older || tries >= OLDER_TRIES_MAX {
            return Ok(note);
        }
        tries = tries.saturating_add(1);
        std::thread::sleep(OLDER_PAUSE);
    }
}

/// Checks everything under a note; gives the report and how many files were read.
fn check(
    context: &Context,
    source: &HttpLog,
    trust: &Trust,
    note: &str,
    seen: Option<&Checkpoint>,
    page: Option<&Page<'_>>,
) -> Result<(CoresReport, u64), CommandError> {
    let heads = seen.map(|seen| Head { size: seen.size, root: Digest(seen.root) });
    let mut verifier = CoreVerifier::new(trust.clone()).with_heads(heads);
    let mut files = 0u64;
    let read = match checkpoint::open(note, &trust.checkpoint_keys, &trust.origin) {
        Ok(head) => read(context, source, &head, &mut verifier, (&mut files, page)),
        // The report says what is wrong with it, and that no entry was looked at.
        Err(cause) => Err(Wrong::Broken(Broken {
            index: 0,
            rule: Rule::CheckpointInvalid,
            detail: with_causes(&cause),
        })),
    };
    let mut report = verifier.finish(note);
    match read {
        Ok(()) => {}
        Err(Wrong::Broken(broken)) => report.verdict = Verdict::Broken(broken),
        Err(Wrong::Ended(error)) => return Err(error),
    }
    Ok((report, files))
}

/// Why reading ends early.
enum Wrong {
    /// The log is not what its head says.
    Broken(Broken),
    /// It could not be read.
    Ended(CommandError),
}

impl From<TreeError> for Wrong {
    fn from(error: TreeError) -> Self {
        let index = match &error {
            TreeError::Source(_) => return Self::Ended(error.into()),
            TreeError::Missing { path: _, first } | TreeError::Wrong { path: _, first } => *first,
            TreeError::Root => 0,
        };
        Self::Broken(Broken { index, rule: Rule::RootWrong, detail: error.to_string() })
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Every bundle and every tile, against the head; every core, in order.
fn read(
    context: &Context,
    source: &HttpLog,
    head: &Checkpoint,
    verifier: &mut CoreVerifier,
    (files, page): (&mut u64, Option<&Page<'_>>),
) -> Result<(), Wrong> {
    let tree = CheckedTree::new(source, head.size, &head.root)?;
    let bar = context.output.progress(Phrase::ProgressVerify, head.size);
    for path in tree.paths(TileKind::Entries) {
        let bytes = tree.bundle_bytes(&path)?;
        for core in decode_entries(&bytes).unwrap_or_default() {
            if let Some(page) = page {
                page.entry(core, &[]);
            }
            // What is wrong with it is in the report.
            if verifier.push(core).is_err() {
                bar.finish_and_clear();
                return Ok(());
            }
            bar.inc(1);
        }
        tree.tile_bytes(0, path.index)?;
        *files = files.saturating_add(2);
    }
    for level in tree.levels().skip(1) {
        for path in tree.paths(TileKind::Hashes(level)) {
            tree.tile_bytes(level, path.index)?;
            *files = files.saturating_add(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn tell(context: &Context, url: &str, report: &CoresReport, files: u64) -> Exit {
    let output = &context.output;
    let CoresReport { size, root, verdict } = report;
    output.line(Phrase::VerifiedCores, &[size, &files, &url]);
    output.line(Phrase::VerifiedRoot, &[root]);
    let (exit, word, broken) = match verdict {
        Verdict::Ok => {
            output.line(Phrase::CoresHold, &[]);
            (Exit::Done, "OK", None)
        }
        Verdict::Broken(broken) => {
            let text = broken_text(broken);
            output.text(&text);
            (Exit::Broken, "BROKEN", Some((broken, text)))
        }
        Verdict::NeedsNewer { index, what } => {
            output.line(Phrase::LogNeedsNewer, &[index, what]);
            (Exit::NeedsNewer, "NEEDS_NEWER_VERIFIER", None)
        }
    };
    output.line(Phrase::CoresOnly, &[]);
    let scope = Phrase::CoresOnly.text();
    output.json(&serde_json::json!({
        "verdict": word,
        "scope": "CORES",
        "scope_zh": scope.zh,
        "scope_en": scope.en,
        "size": size,
        "root": root.to_string(),
        "files": files,
        "first_bad_index": broken.as_ref().map(|(broken, _)| broken.index),
        "rule": broken.as_ref().map(|(broken, _)| broken.rule.code()),
        "detail": broken.as_ref().map(|(broken, _)| &broken.detail),
        "message_zh": broken.as_ref().map(|(_, text)| &text.zh),
        "message_en": broken.as_ref().map(|(_, text)| &text.en),
    }));
    exit
}

#[cfg(test)]
mod tests {
    use super::super::super::monitor::listener::answering;
    use super::*;
    use credit_log::envelope::SigningKey;
    use credit_log::note::NoteSigner;
    use credit_types::LogId;

    #[test]
    fn an_older_checkpoint_is_asked_for_again_and_not_for_ever() {
        let signer = NoteSigner::new("dev.test", SigningKey::from_seed([1; 32])).unwrap();
        let trust = Trust {
            log_id: LogId([3; 32]),
            origin: "dev.test".to_owned(),
            checkpoint_keys: vec![signer.verifier().clone()],
            statement_keys: Vec::new(),
            witness_policy: None,
        };
        let head = |size| Checkpoint { origin: "dev.test".to_owned(), size, root: [7; 32] };
        let note = |size| checkpoint::sign(&head(size), &signer).unwrap();
        let most = usize::try_from(OLDER_TRIES_MAX).unwrap();
        for (older, shown) in [(0, 9), (most - 1, 9), (most, 8)] {
            let mut answers = vec![(200, note(8)); older];
            answers.push((200, note(9)));
            let (url, _) = answering(answers);
            let found = newest(&HttpLog::new(&url), &trust, Some(&head(9))).unwrap();
            assert_eq!(found, note(shown), "{older} older ones");
        }
    }
}
