//! Entries on their way to a verifier: read on one thread, prepared on all cores, judged in their order here.
//!
//! So many windows are on their way at once and no more, however slow a core is; the verdict is that of one thread.

use crate::ending::{CommandError, Exit};
use crate::language::Phrase;
use credit_log::strict_batch::BatchSeed;
use credit_service::random;
use credit_verify::{
    DetailsSource, EarlierSecrets, EntrySecrets, Halt, OwnedEntry, Prepared, Preparer, Rule, Verifier,
    WithEarlier,
};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// The most entries of a window. Their signatures are checked together, each the cheaper the more there are; beyond so
/// many, what is gained is lost again by entries that are no longer near at hand when they are judged.
pub(in super::super) const WINDOW_ENTRIES_MAX: usize = 1_024;
/// A window that has so many bytes takes no more entries; the last one may go beyond it.
pub(in super::super) const WINDOW_BYTES_MAX: usize = 2 << 20;
/// Windows on their way for each thread: one in work, and one waiting on either side of it.
const WINDOWS_PER_THREAD: usize = 3;

/// Whether a window with so many entries and bytes takes no more.
pub(in super::super) fn is_full(entries: usize, bytes: usize) -> bool {
    entries >= WINDOW_ENTRIES_MAX || bytes >= WINDOW_BYTES_MAX
}

/// An entry with its secret parts, where there is a mandate for them.
pub(in super::super) struct Loaded {
    pub(in super::super) entry: OwnedEntry,
    pub(in super::super) secrets: Option<EntrySecrets>,
}

/// What a window holds, and what is wrong behind it.
#[derive(Default)]
pub(in super::super) struct Window {
    pub(in super::super) entries: Vec<Loaded>,
    pub(in super::super) fault: Option<(Rule, String)>,
}

/// Makes a window; run on any thread.
pub(in super::super) type Load<'w> = Box<dyn FnOnce() -> Window + Send + 'w>;

/// A window that was prepared.
type Ready = (Vec<(Loaded, Prepared)>, Option<(Rule, String)>);

fn details(loaded: &Loaded) -> Option<&dyn DetailsSource> {
    loaded.secrets.as_ref().map(|secrets| secrets as &dyn DetailsSource)
}

/// Pushes what `read` hands over into the verifier, and tells how far it is. What breaks a rule ends it early; the
/// verifier's report names it. `read` hands windows over in order, and ends once nobody wants more. Where there is a
/// mandate for details, `earlier` has those of the entries before the one that is judged.
pub(in super::super) fn push_all<'w>(
    verifier: &mut Verifier<'_>,
    earlier: Option<&dyn EarlierSecrets>,
    threads: usize,
    read: impl FnOnce(&mut dyn FnMut(Load<'w>) -> bool) -> Result<(), CommandError> + Send,
    mut advance: impl FnMut(u64),
) -> Result<(), CommandError> {
    let windows_max = threads.saturating_mul(WINDOWS_PER_THREAD).max(1);
    let (load_to, load_from) = sync_channel::<(u64, Load<'w>)>(windows_max);
    let (ready_to, ready_from) = sync_channel::<(u64, Ready)>(windows_max);
    let (permit_to, permit_from) = sync_channel::<()>(windows_max);
    for _ in 0..windows_max {
        // The channel holds as many.
        let _ = permit_to.try_send(());
    }
    let load_from = Mutex::new(load_from);
    let preparer = verifier.preparer().with_seed(BatchSeed(random::bytes()?));
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut number = 0u64;
            read(&mut |load| {
                let sent = permit_from.recv().is_ok() && load_to.send((number, load)).is_ok();
                number = number.saturating_add(1);
                sent
            })
        });
        for _ in 0..threads.max(1) {
            let (preparer, ready_to, load_from) = (preparer.clone(), ready_to.clone(), &load_from);
            scope.spawn(move || prepare_all(&preparer, load_from, &ready_to));
        }
        drop(ready_to);
        judge_all(verifier, earlier, &ready_from, &permit_to, &mut advance);
        // Whoever still waits to hand something over hears that nobody wants it.
        drop((ready_from, permit_to));
        match reader.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn prepare_all(
    preparer: &Preparer,
    load_from: &Mutex<Receiver<(u64, Load<'_>)>>,
    ready_to: &SyncSender<(u64, Ready)>,
) {
    loop {
        let next = load_from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, load)) = next else { return };
        let Window { entries, fault } = load();
        let read: Vec<_> = entries.iter().map(|loaded| (loaded.entry.bytes(), details(loaded))).collect();
        let prepared = preparer.prepare_all(&read);
        let prepared = entries.into_iter().zip(prepared).collect();
        if ready_to.send((number, (prepared, fault))).is_err() {
            return;
        }
    }
}

fn judge_all(
    verifier: &mut Verifier<'_>,
    earlier: Option<&dyn EarlierSecrets>,
    ready_from: &Receiver<(u64, Ready)>,
    permit_to: &SyncSender<()>,
    advance: &mut impl FnMut(u64),
) {
    let mut waiting: BTreeMap<u64, Ready> = BTreeMap::new();
    let mut next = 0u64;
    while let Ok((number, ready)) = ready_from.recv() {
        waiting.insert(number, ready);
        while let Some((entries, fault)) = waiting.remove(&next) {
            next = next.saturating_add(1);
            for (loaded, prepared) in entries {
                let own = details(&loaded);
                let with = own.zip(earlier).map(|(own, earlier)| WithEarlier::new(own, earlier));
                let source = with.as_ref().map(|with| with as &dyn DetailsSource).or(own);
                let pushed = verifier.push_prepared(&loaded.entry.bytes(), source, prepared);
                if pushed.is_err() {
                    return;
                }
            }
            if let Some((rule, detail)) = fault {
                // The report says it.
                let _: Halt = verifier.broken(rule, detail);
                return;
            }
            advance(verifier.size());
            // A reader that is done takes no more permits.
            let _ = permit_to.try_send(());
        }
    }
}

/// Scratch files that fail say nothing of the log.
pub(in super::super) fn scratch_failed(cause: credit_verify::ScratchError) -> CommandError {
    CommandError::new(Exit::Unreachable, Phrase::ScratchFailed, &[]).because(cause)
}
