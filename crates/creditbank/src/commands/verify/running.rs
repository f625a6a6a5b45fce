//! Checks a running ledger from outside: every entry with its parts, under the head it shows.

use super::super::Context;
use super::super::connect::{Reading, reader, trust};
use super::super::token::Bearer;
use super::memory::Resources;
use super::page::{Checked, Page, Scope};
use super::pipeline::scratch_failed;
use crate::ending::{CommandError, Ending};
use crate::language::Phrase;
use credit_verify::{EntryBytes, Head, Verifier};
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
    let bar = context.output.progress(Phrase::ProgressVerify, head.size);
    let mut next = 0u64;
    'log: while next < head.size {
        let left = u32::try_from(head.size.saturating_sub(next)).unwrap_or(u32::MAX);
        let (some, _) = client.list_entries(next, PAGE.min(left), true).await?;
        if some.is_empty() {
            break;
        }
        for entry in some {
            let Some(secret) = entry.secret else {
                return Err(CommandError::usage(Phrase::PartsNotShown, &[]));
            };
            let bytes = EntryBytes { core: &entry.core, secret: &secret, parts: &entry.parts };
            if let Some(page) = &page {
                page.entry(&entry.core, &entry.parts);
            }
            if verifier.push(&bytes).is_err() {
                break 'log;
            }
            next = next.saturating_add(1);
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
