//! Rows without a write each. They gather in memory, and settle sorted and merged into pages of neighbouring rows: a page
//! that many changes meet is written once, and what few change stands in a patch beside it. The engine knows where pages and
//! patches stand.

mod bounds;
mod kept;
mod page;
mod patch;
mod scan;
mod to_pages;

use bounds::{Bounds, Stretch};
use kept::Kept;
use patch::Standing;

use super::engine::{Engine, failed};
use super::file::Place;
use super::key;
use super::memory::{InMemory, Memory};
use super::pages::PageFile;
use super::stored::{self, Stored};
use super::value::{corrupt, frame, unframe};
use crate::{Row, StoreError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often pages are read anew because places became free meanwhile, which happens once a settling.
const TRIES: usize = 1_000;

/// The rows of a store.
pub(super) struct Rows {
    engine: Arc<Engine>,
    memory: Arc<Memory>,
    pages: PageFile,
    /// The page of each table that was looked into last: who asks for a row often asks for its neighbours next.
    last: Mutex<BTreeMap<u8, Arc<Page>>>,
    /// The ends of pages that have been found out, and where they stand.
    bounds: Bounds,
    /// Pages that were read lately.
    kept: Kept,
    /// Counts the beginnings and the ends of changes of pages: odd while one is under way. What was read at one even
    /// count is still so while it is the same.
    changes: AtomicU64,
    /// Counts how often places of pages have become free.
    freed: AtomicU64,
}

/// A page as it was read.
struct Page {
    /// Rows from here on belong to it.
    lower: Vec<u8>,
    /// Up to here.
    upper: Vec<u8>,
    /// What [`Rows::changes`] said before it was read.
    as_of: u64,
    stored: Arc<Stored>,
}

impl Page {
    fn has(&self, key: &[u8], as_of: u64) -> bool {
        self.as_of == as_of && self.lower.as_slice() <= key && key < self.upper.as_slice()
    }
}

/// The lower and the upper end of a page, and where it stands.
type Ends = (Vec<u8>, Vec<u8>, Standing);

/// A page that is known to be there.
struct Found {
    /// Its key in the engine.
    key: Vec<u8>,
    standing: Standing,
}

impl Found {
    fn lower(&self) -> &[u8] {
        self.key.get(1..).unwrap_or_default()
    }
}

impl Rows {
    /// The rows of an open engine, and of what memory holds.
    pub(super) fn open(
        engine: Arc<Engine>,
        memory: Arc<Memory>,
        pages: PageFile,
    ) -> Result<Self, StoreError> {
        let (bounds, length) = (Bounds::default(), pages.bytes()?);
        // From behind, so that each page finds the one that it reaches up to.
        let mut behind: Option<Found> = None;
        for pair in engine.db.scan_prefix([key::PAGES]).rev() {
            let (key, value) = pair.map_err(|cause| failed("look for pages of rows", cause))?;
            let found = Found { standing: standing(&key, &value)?, key: key.to_vec() };
            found.standing.places().try_for_each(|place| pages.found(place, length))?;
            if let Some(behind) = behind.take_if(|behind| behind.lower().first() == found.lower().first()) {
                bounds.note(found.lower(), behind.lower(), found.standing, || true);
            }
            behind = Some(found);
        }
        let (changes, freed) = (AtomicU64::new(0), AtomicU64::new(0));
        let kept = Kept::default();
        Ok(Self { engine, memory, pages, last: Mutex::default(), bounds, kept, changes, freed })
    }

    /// The bytes of the file of pages.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        self.pages.bytes()
    }

    /// The value of a row.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.memory.row(key) {
            InMemory::There(value) => return Ok(Some(value)),
            InMemory::Gone => return Ok(None),
            InMemory::No => {}
        }
        let Some(page) = self.page_for(key)? else { return Ok(None) };
        page::find(page.stored.bytes(), key).map_err(|()| no_page(&page.lower))
    }

    /// The page that has the row, if it is there: the one looked into last, or from the file.
    fn page_for(&self, key: &[u8]) -> Result<Option<Arc<Page>>, StoreError> {
        let Some(table) = key.first() else { return Ok(None) };
        for _ in 0..TRIES {
            let freed = self.freed.load(Ordering::Acquire);
            // Memory has been looked into before: what has left it meanwhile has changed this count before that.
            let as_of = self.changes.load(Ordering::Acquire);
            let still = || as_of.is_multiple_of(2) && self.changes.load(Ordering::Acquire) == as_of;
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
            if let Some(page) = last.filter(|page| page.has(key, as_of) && still()) {
                return Ok(Some(page));
            }
            let read = self.read_page(key, (as_of, freed), &still);
            if self.freed.load(Ordering::Acquire) != freed {
                // Its place may have been another page's by the time it was read.
                continue;
            }
            // A page that is being replaced is as good as the one that comes: what differs is in memory.
            let Some(page) = read?.map(Arc::new) else { return Ok(None) };
            if still() {
                self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(*table, Arc::clone(&page));
            }
            return Ok(Some(page));
        }
        Err(moving())
    }

    /// Reads the page that the row belongs to. Its ends are right only if no page has changed meanwhile.
    fn read_page(
        &self,
        key: &[u8],
        (as_of, freed): (u64, u64),
        still: &dyn Fn() -> bool,
    ) -> Result<Option<Page>, StoreError> {
        let Some((lower, upper, standing)) = self.page_at(key, still)? else { return Ok(None) };
        let stored = self.stored(&lower, standing, freed)?;
        Ok(Some(Page { lower, upper, as_of, stored }))
    }

    /// The ends and the place of the page that a row belongs to. They are noted if no page has changed meanwhile.
    fn page_at(&self, key: &[u8], still: &dyn Fn() -> bool) -> Result<Option<Ends>, StoreError> {
        if let Some(known) = self.bounds.find(key) {
            return Ok(Some(known));
        }
        for _ in 0..TRIES {
            let Some(found) = self.page_before(key)? else { return Ok(None) };
            let upper = self.upper_of(found.lower())?;
            // Else it has been cut between the two looks.
            if key < upper.as_slice() {
                self.bounds.note(found.lower(), &upper, found.standing, still);
                return Ok(Some((found.lower().to_vec(), upper, found.standing)));
            }
        }
        Err(moving())
    }

    /// A page with its patch. `freed` is what [`Rows::freed`] said before it was known to stand there; where it says more
    /// afterwards, what is given may be another page.
    fn stored(&self, lower: &[u8], standing: Standing, freed: u64) -> Result<Arc<Stored>, StoreError> {
        if let Some(kept) = self.kept.get(standing) {
            return Ok(kept);
        }
        let page = self.read(PAGE, &key::page(lower), standing.page)?;
        let whole = match standing.patch {
            None => page,
            Some(place) => {
                let patch = self.read(PATCH, &key::patch(lower), place)?;
                let whole = patch::patched(page.bytes(), patch.bytes());
                Stored::made(whole.map_err(|()| no_page(lower))?)
            }
        };
        let whole = Arc::new(whole);
        self.kept.keep(standing, &whole, || self.freed.load(Ordering::Acquire) == freed);
        Ok(whole)
    }

    /// What stands at a place.
    fn read(&self, what: &'static str, name: &[u8], place: Place) -> Result<Stored, StoreError> {
        let bytes = self.pages.read(place)?;
        let bytes = bytes.ok_or_else(|| corrupt(what, name, "the file ends before it"))?;
        Stored::open(what, name, bytes)
    }

    /// Changes pages, as the stretches say, so that nobody takes one from before for one from after.
    fn change_pages(
        &self,
        stretches: Vec<Stretch>,
        act: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.changes.fetch_add(1, Ordering::AcqRel);
        let done = act();
        self.bounds.replace(stretches, || {
            self.changes.fetch_add(1, Ordering::AcqRel);
        });
        done
    }

    /// The page that has the row, if it is there: that of the same table with the greatest lower end not above the key.
    fn page_before(&self, key: &[u8]) -> Result<Option<Found>, StoreError> {
        let Some(table) = key.get(..1) else { return Ok(None) };
        let found = self.engine.db.range(key::page(table)..=key::page(key)).next_back();
        let found = found.transpose().map_err(|cause| failed("look for a page of rows", cause))?;
        found
            .map(|(key, value)| Ok(Found { standing: standing(&key, &value)?, key: key.to_vec() }))
            .transpose()
    }
}

/// What errors call a page.
const PAGE: &str = "page of rows";
/// What errors call what has changed of one.
const PATCH: &str = "patch of a page of rows";

/// The error of a read that settlings overtake again and again.
fn moving() -> StoreError {
    StoreError::DataLoss { detail: "pages of rows move without end".to_owned() }
}

/// Where a value of the engine says that a page stands.
fn standing(key: &[u8], value: &[u8]) -> Result<Standing, StoreError> {
    let standing = Standing::decoded(unframe("place of a page", key, value)?);
    standing.ok_or_else(|| corrupt("place of a page", key, "it has another length"))
}

/// The error for a page that is not what was written.
fn no_page(lower: &[u8]) -> StoreError {
    corrupt(PAGE, &key::page(lower), "it is no list of rows")
}

/// The rows of a page of an earlier layout, which was the same within its frame.
pub(super) fn rows_of(page: &[u8]) -> Option<Vec<Row>> {
    page::rows(page).ok()
}

/// Rows as one page.
#[cfg(test)]
pub(super) fn page_of(rows: &[page::RowRef<'_>]) -> Vec<u8> {
    page::pages(rows).into_iter().flat_map(|(_, page)| page).collect()
}

#[cfg(test)]
mod tests;
