//! Checks a running ledger from outside: every entry with its parts, under the head it shows.

use super::super::Context;
use super::super::connect::{Reading, reader, trust};
use super::super::token::Bearer;
use super::memory::Resources;
use super::page::{Checked, Page, Scope};
use super::pipeline::scratch_failed;
use crate::ending::{CommandError, Ending};
use crate::language::Phrase;
use credit_client::LogEntry;
use credit_log::strict_batch::BatchSeed;
use credit_service::random;
use credit_verify::{DetailsSource, EntryBytes, Head, Verifier};
use std::path::Path;

/// Entries asked for at once.
const PAGE: u32 = 1_000;

/// Checks a running ledger up to its head. The head must continue the last one that this home has seen.
pub(super) async fn run(
    context: &mut Context,
    reading: &Reading,
    resources: &Resources,
    html: Option<&Path>,
) -> Ending {
    let pinned = trust(context, reading.connect.trust.as_deref())?;
    let place = &reading.connect.url;
    let page = html.map(|path| Page::new(context, path, Scope::Running, place, &pinned)).transpose()?;
    let client = reader(context, reading, &Bearer::Auditor)?;
    let seen = client.seen().await?;
    let head = client.head().await?;
    let seen = seen.map(|seen| Head { size: seen.size, root: seen.root });
    let mut verifier = Verifier::within(Some(pinned.clone()), &resources.memory()).with_heads(seen);
    let preparer = verifier.preparer().with_seed(BatchSeed(random::bytes()?));
    let bar = context.output.progress(Phrase::ProgressVerify, head.size);
    let mut next = 0u64;
    'log: while next < head.size {
        let left = u32::try_from(head.size.saturating_sub(next)).unwrap_or(u32::MAX);
        let (some, _) = client.list_entries(next, PAGE.min(left), true).await?;
        if some.is_empty() {
            break;
        }
        // What is shown before an entry without its parts is judged before that is said.
        let shown: Vec<(EntryBytes<'_>, Option<&dyn DetailsSource>)> = some
            .iter()
            .map_while(|LogEntry { core, secret, parts }| {
                secret.as_ref().map(|secret| (EntryBytes { core, secret, parts }, None))
            })
            .collect();
        for ((bytes, details), prepared) in shown.iter().zip(preparer.prepare_all(&shown)) {
            if let Some(page) = &page {
                page.entry(bytes.core, bytes.parts);
            }
            if verifier.push_prepared(bytes, *details, prepared).is_err() {
                break 'log;
            }
            next = next.saturating_add(1);
        }
        if shown.len() < some.len() {
            return Err(CommandError::usage(Phrase::PartsNotShown, &[]));
        }
        bar.set_position(next);
    }
    bar.finish_and_clear();
    let report = verifier.finish(Some(&head.checkpoint)).map_err(scratch_failed)?;
    let exit = super::tell(context, &report, None);
    if let Some(page) = page {
        page.write(context, &pinned, Checked::Whole(&report, None), Some(&head.checkpoint))?;
    }
    Ok(exit)
}
