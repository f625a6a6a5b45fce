//! What was committed goes from the journal into the store's files: blocks and tiles behind those that are there, rows into
//! pages. First the files, durably; then the engine hears where everything stands; last what is true now, and once that is
//! durable, the journal's part of it goes. Cut off anywhere, it begins again: what has changed already changes to the same.

use super::blocks::Blocks;
use super::engine::Engine;
use super::journal::Journal;
use super::memory::Memory;
use super::open::{self, Settled};
use super::rows::Rows;
use crate::StoreError;
use crate::background::{self, give_way};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

/// Everything that settling needs.
pub(super) struct Settling {
    pub(super) engine: Arc<Engine>,
    pub(super) memory: Arc<Memory>,
    pub(super) blocks: Arc<Blocks>,
    pub(super) rows: Arc<Rows>,
    pub(super) journal: Arc<Mutex<Journal>>,
    /// What has settled; held by whoever settles.
    pub(super) settled: Mutex<Settled>,
}

impl Settling {
    fn journal<T>(&self, act: impl FnOnce(&mut Journal) -> T) -> T {
        act(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets what is fresh settle from now on. Only the writer calls it.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        let below = self.engine.write(|| self.journal(Journal::rotate))?;
        self.memory.begin_to_settle(below);
        Ok(())
    }

    /// Settles everything. Only the writer calls it.
    pub(super) fn all(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.begin()?;
        self.settle()
    }

    /// Settles what has begun to.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(recent) = self.memory.settling() else { return Ok(()) };
        self.engine.require_space(u64::try_from(self.memory.limit()).unwrap_or(u64::MAX))?;
        self.engine.write(|| {
            let blocks = self.blocks.write(&recent, settled.blocks_end)?;
            if !self.rows.settle(&recent.rows)? {
                return Ok(());
            }
            self.blocks.sync()?;
            let now =
                Settled { head: recent.head, blocks_end: blocks.end, journal_from: recent.journal_below };
            self.blocks.point(blocks, settled.head.size)?;
            open::write_settled(&self.engine.db, now)?;
            self.engine.sync()?;
            *settled = now;
            self.memory.settled();
            self.journal(|journal| journal.settled(now.journal_from))
        })
    }
}

/// The thread that settles; it ends when this is dropped.
pub(super) struct Settler {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Settler {
    /// Starts settling whenever woken.
    pub(super) fn start(settling: Arc<Settling>) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let settle = move || {
            give_way(background::SETTLING);
            while woken.recv().is_ok() {
                // A failure stops the store, and whoever writes next hears why; no space is asked for again.
                let _ = settling.settle();
            }
        };
        let thread = std::thread::Builder::new().name("store-settler".to_owned()).spawn(settle)?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// Says that something waits to settle.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // One that is to look already will see it too.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}
