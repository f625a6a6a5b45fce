//! What a record costs on the disk, by part, read from the stopped ledger.

use super::super::Context;
use super::super::rebuild::Stopped;
use super::squeeze::{Sample, Squeezed};
use super::unmeasured;
use crate::ending::CommandError;
use credit_store::Store as _;

/// Entries read at once.
const STEP: u64 = 4_096;
/// Rows read at once.
const PAGE: usize = 16_384;
/// The most bytes read at once.
const READ_BYTES_MAX: usize = 4 << 20;

/// Bytes by part.
#[derive(Default)]
pub(super) struct Parts {
    cores: u64,
    secrets: u64,
    heads_and_links: u64,
    statements: u64,
    events: u64,
    items: u64,
    rows: u64,
    disk: u64,
    squeezed: Vec<Squeezed>,
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Parts {
    /// Each part with its names.
    pub(super) fn rows(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            ("条目核心", "cores", self.cores),
            ("条目秘密", "secrets", self.secrets),
            ("头与链节", "heads and links", self.heads_and_links),
            ("声明", "statements", self.statements),
            ("事件", "events", self.events),
            ("密封明细", "sealed items", self.items),
            ("索引行", "index rows", self.rows),
            ("磁盘占用", "on disk", self.disk),
        ]
    }

    /// The bytes of all that is not made anew from the rest: entries, statements, sealed items.
    pub(super) fn content(&self) -> u64 {
        let log = self.cores.saturating_add(self.secrets).saturating_add(self.heads_and_links);
        let said = self.statements.saturating_add(self.events).saturating_add(self.items);
        log.saturating_add(said)
    }

    /// The bytes on the disk.
    pub(super) fn disk(&self) -> u64 {
        self.disk
    }

    /// What compression would gain and cost.
    pub(super) fn squeezed(&self) -> &[Squeezed] {
        &self.squeezed
    }

    fn part(&mut self, part: &[u8]) {
        let bytes = length(part);
        let sum = match part.first() {
            Some(3) => &mut self.statements,
            Some(4) => &mut self.events,
            _ => &mut self.heads_and_links,
        };
        *sum = sum.saturating_add(bytes);
    }
}

/// Bytes a record, with one decimal.
pub(super) fn per(bytes: u64, records: u64) -> String {
    let tenths = bytes.saturating_mul(10).checked_div(records).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Reads the stopped ledger of the home.
pub(super) fn of(context: &Context) -> Result<Parts, CommandError> {
    let stopped = Stopped::open(&context.home.ledger())?;
    let store = &stopped.store;
    let mut parts = Parts::default();
    let mut entries_sample = Sample::new("条目", "entries");
    let mut items_sample = Sample::new("密封明细", "sealed items");
    let mut rows_sample = Sample::new("索引行", "index rows");
    let size = store.size().map_err(unmeasured)?;
    let mut at = 0u64;
    while at < size {
        let entries =
            store.entries(at..size.min(at.saturating_add(STEP)), READ_BYTES_MAX).map_err(unmeasured)?;
        let next = at.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        for entry in &entries {
            parts.cores = parts.cores.saturating_add(length(&entry.core));
            parts.secrets = parts.secrets.saturating_add(length(&entry.secret));
            entry.parts.iter().for_each(|part| parts.part(part));
            entries_sample.push(&[entry.core.as_slice(), &entry.secret, &entry.parts.concat()].concat());
        }
        let mut body_at = at;
        while body_at < next {
            let bodies = store.bodies(body_at..next, READ_BYTES_MAX).map_err(unmeasured)?;
            body_at = body_at.saturating_add(u64::try_from(bodies.len()).unwrap_or(u64::MAX).max(1));
            for (id, sealed) in bodies.iter().flat_map(|body| &body.items) {
                parts.items = parts.items.saturating_add(length(id)).saturating_add(length(sealed));
                items_sample.push(sealed);
            }
        }
        at = next;
    }
    let (mut from, to) = (Vec::new(), vec![0xff; 257]);
    loop {
        let page = store.scan(&from, &to, PAGE).map_err(unmeasured)?;
        for (key, value) in &page {
            parts.rows = parts.rows.saturating_add(length(key)).saturating_add(length(value));
            rows_sample.push(&[key.as_slice(), value].concat());
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => break,
        }
    }
    for sample in [entries_sample, items_sample, rows_sample] {
        parts.squeezed.extend(sample.squeezed()?);
    }
    parts.disk = store.disk_bytes().map_err(unmeasured)?;
    stopped.close()?;
    Ok(parts)
}
