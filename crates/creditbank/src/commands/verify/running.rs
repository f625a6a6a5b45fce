//! Checks a running ledger from outside: every entry with its parts, under the head it shows.

use super::super::Context;
use super::super::connect::{Reading, reader, trust};
use super::super::token::Bearer;
use super::memory::Resources;
use super::page::{Checked, Page, Scope, counting};
use super::pipeline::{Load, Loaded, Window, is_full, push_all, scratch_failed};
use super::shelf::ServerShelf;
use crate::ending::{CommandError, Ending};
use crate::language::Phrase;
use credit_client::Client;
use credit_verify::{Head, OwnedEntry, Verifier};
use std::path::Path;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

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
    let handle = Handle::current();
    // The books are asked for after the head: what is published under it is among them.
    let shelf = ServerShelf::new(&client, &handle).await?;
    let mut verifier = Verifier::within(Some(pinned.clone()), &resources.memory()).with_heads(seen);
    if let Some(shelf) = &shelf {
        verifier = verifier.with_blobs(shelf);
    }
    let bar = context.output.progress(Phrase::ProgressVerify, head.size);
    // Pages are asked for on the reader's thread, so that the next one is on its way while this one is verified.
    let pushed = block_in_place(|| {
        push_all(
            &mut verifier,
            None,
            Resources::threads(),
            |give| {
                let give = &mut |load| give(counting(page.as_ref(), load));
                handle.block_on(read_all(&client, head.size, give))
            },
            |done| bar.set_position(done),
        )
    });
    bar.finish_and_clear();
    // A rule that is broken before the page that failed is found whatever else happens.
    if verifier.halted().is_none() {
        pushed?;
    }
    if let Some(cause) = shelf.as_ref().and_then(ServerShelf::failed) {
        return Err(cause.into());
    }
    let report = verifier.finish(Some(&head.checkpoint)).map_err(scratch_failed)?;
    let exit = super::tell(context, &report, None);
    if let Some(page) = page {
        page.write(context, &pinned, Checked::Whole(&report, None), Some(&head.checkpoint))?;
    }
    Ok(exit)
}

/// Every entry of a log of so many, in windows, until nobody wants more.
async fn read_all(
    client: &Client,
    size: u64,
    give: &mut dyn FnMut(Load<'static>) -> bool,
) -> Result<(), CommandError> {
    let mut next = 0u64;
    while next < size {
        let left = u32::try_from(size.saturating_sub(next)).unwrap_or(u32::MAX);
        let (page, _) = client.list_entries(next, PAGE.min(left), true).await?;
        if page.is_empty() {
            // The report says that the log is shorter than its head.
            return Ok(());
        }
        next = next.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        let mut page = page.into_iter();
        loop {
            let (mut entries, mut bytes) = (Vec::new(), 0usize);
            let mut shown = true;
            while !is_full(entries.len(), bytes) {
                let Some(entry) = page.next() else { break };
                let Some(secret) = entry.secret else {
                    shown = false;
                    break;
                };
                bytes = entry.parts.iter().map(Vec::len).fold(bytes, usize::saturating_add);
                let entry = OwnedEntry { core: entry.core, secret, parts: entry.parts };
                entries.push(Loaded { entry, secrets: None });
            }
            if entries.is_empty() && shown {
                break;
            }
            let wanted = give(Box::new(move || Window { entries, fault: None }));
            if !shown {
                return Err(CommandError::usage(Phrase::PartsNotShown, &[]));
            }
            if !wanted {
                return Ok(());
            }
        }
    }
    Ok(())
}
