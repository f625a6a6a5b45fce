//! Rows go from memory into pages, and pages go when a table is cleared.

use super::super::changes::Changes;
use super::super::engine::failed;
use super::super::file::Place;
use super::super::key;
use super::super::pages::PageWriter;
use super::bounds::Stretch;
use super::page::RowRef;
use super::patch::{ChangeRef, Patch, Standing};
use super::{PAGE, PATCH, Rows, frame, no_page, page, standing, stored};
use crate::{Row, StoreError, prefix_end};
use std::ops::{Bound, Range};
use std::sync::atomic::Ordering;

/// The pages that the engine hears of in one step: while it takes a step in, nobody else can write or read.
const STEP_PAGES: usize = 512;
/// The pages that are made durable in one step. Until then they stand beside those whose place they take.
const DURABLE_PAGES: usize = 8_192;

/// Pages that were written, and that the engine does not know of yet.
#[derive(Default)]
struct NewPages {
    stretches: Vec<Stretch>,
    /// Where those stand in whose place they come.
    old: Vec<Place>,
}

/// A page with its ends; `standing` is `None` where none has been written yet.
struct Opened {
    lower: Vec<u8>,
    upper: Vec<u8>,
    standing: Option<Standing>,
}

impl Rows {
    /// Merges changes into pages, durably. In steps, so that the places of old pages are free for the next ones. `false`:
    /// the store was closed meanwhile, and the journal still has them all.
    pub(in super::super) fn settle(&self, changes: &Changes) -> Result<bool, StoreError> {
        let mut from = changes.first();
        while let Some(first) = from {
            if self.engine.stopped().is_some() {
                return Ok(false);
            }
            let (new, next) = self.to_pages(changes, first)?;
            self.pages.sync()?;
            let free = self.point(new)?;
            self.engine.sync()?;
            self.free(&free);
            from = next;
        }
        Ok(true)
    }

    /// Writes the pages that changes from a key on make of those that are there; gives the key with which to go on.
    fn to_pages<'a>(
        &self,
        changes: &'a Changes,
        first: &'a [u8],
    ) -> Result<(NewPages, Option<&'a [u8]>), StoreError> {
        let mut new = NewPages::default();
        let mut writer = self.pages.writer();
        let mut from = Some(first);
        while let Some(first) = from
            && new.stretches.len() < DURABLE_PAGES
        {
            let Opened { lower, upper, standing } = self.page_of(first)?;
            let mut rest = changes.range(first, None).peekable();
            let mine: Vec<ChangeRef<'_>> =
                std::iter::from_fn(|| rest.next_if(|(key, _)| *key < upper.as_slice())).collect();
            from = rest.peek().map(|(key, _)| *key);
            let pages = self.changed(&mut writer, &lower, standing, &mine, &mut new.old)?;
            new.stretches.push(Stretch { lower, upper, pages });
        }
        writer.finish()?;
        Ok((new, from))
    }

    /// Writes what changes make of a page: a patch beside it, while that is small, else new pages. `old` hears of places
    /// that will be free.
    fn changed(
        &self,
        writer: &mut PageWriter<'_>,
        lower: &[u8],
        standing: Option<Standing>,
        changes: &[ChangeRef<'_>],
        old: &mut Vec<Place>,
    ) -> Result<Vec<(Vec<u8>, Standing)>, StoreError> {
        let Some(standing) = standing else {
            return write(writer, lower, &merged(&[], changes.iter().copied()));
        };
        let patch = match standing.patch {
            None => Patch::of(changes),
            Some(place) => {
                let stored = self.read(PATCH, &key::patch(lower), place)?;
                Patch::open(stored.bytes()).map_err(|()| no_page(lower))?.and(changes)
            }
        };
        if let Some(bytes) = patch.bytes() {
            let place = writer.push(&stored::close(&key::patch(lower), &bytes))?;
            old.extend(standing.patch);
            return Ok(vec![(lower.to_vec(), Standing { patch: Some(place), ..standing })]);
        }
        let page = self.read(PAGE, &key::page(lower), standing.page)?;
        let rows = page::rows(page.bytes()).map_err(|()| no_page(lower))?;
        old.extend(standing.places());
        write(writer, lower, &merged(&rows, patch.changes()))
    }

    /// The rows of a page with its patch.
    fn rows_of(&self, lower: &[u8], standing: Standing) -> Result<Vec<Row>, StoreError> {
        // Only who asks here lets places become free.
        let freed = self.freed.load(Ordering::Acquire);
        page::rows(self.stored(lower, standing, freed)?.bytes()).map_err(|()| no_page(lower))
    }

    /// Tells the engine of pages that are durable; gives the places that are free once it has synced.
    fn point(&self, new: NewPages) -> Result<Vec<Place>, StoreError> {
        let NewPages { stretches, old } = new;
        let mut stretches = stretches.into_iter().peekable();
        while stretches.peek().is_some() {
            let step: Vec<Stretch> = stretches.by_ref().take(STEP_PAGES).collect();
            let mut batch = ::sled::Batch::default();
            for stretch in &step {
                change(&mut batch, stretch);
            }
            self.change_pages(step, || self.engine.apply(batch))?;
        }
        Ok(old)
    }

    /// Lets others have places that nobody is pointed to any more.
    fn free(&self, places: &[Place]) {
        self.freed.fetch_add(1, Ordering::AcqRel);
        self.kept.forget(places);
        self.pages.free(places);
    }

    /// The page for a row. Nobody but who asks changes pages meanwhile.
    fn page_of(&self, row: &[u8]) -> Result<Opened, StoreError> {
        let Some((lower, upper, standing)) = self.page_at(row, &|| true)? else {
            let lower = row.get(..1).unwrap_or_default().to_vec();
            return Ok(Opened { upper: self.upper_of(&lower)?, lower, standing: None });
        };
        Ok(Opened { lower, upper, standing: Some(standing) })
    }

    /// The upper end of the page with this lower end: the next one's lower end, or the end of the table.
    pub(super) fn upper_of(&self, lower: &[u8]) -> Result<Vec<u8>, StoreError> {
        let end = prefix_end(lower.get(..1).unwrap_or_default());
        let behind = (Bound::Excluded(key::page(lower)), Bound::Excluded(key::page(&end)));
        let next = self.engine.db.range(behind).next();
        let next = next.transpose().map_err(|cause| failed("look for the next page of rows", cause))?;
        Ok(next.map_or(end, |(key, _)| key.get(1..).unwrap_or_default().to_vec()))
    }

    /// Removes the rows that begin with a prefix, all of which have settled; `first` goes before the first of them. A
    /// page of which every row goes is not looked into: one that is corrupt can still be removed.
    pub(in super::super) fn clear(&self, prefix: &[u8], first: ::sled::Batch) -> Result<(), StoreError> {
        self.engine.apply(first)?;
        self.engine.sync()?;
        let mut old = Vec::new();
        let cut = self.cut_ends(prefix, &mut old)?;
        let everything = Stretch { lower: Vec::new(), upper: prefix_end(&[]), pages: Vec::new() };
        self.change_pages(vec![everything], || {
            let Some(keys) = cut else { return Ok(()) };
            // A place that can't be read is lost until the store is opened again.
            self.engine.remove(&keys, |key, value| {
                old.extend(standing(key, value).into_iter().flat_map(Standing::places));
            })
        })?;
        self.engine.sync()?;
        self.free(&old);
        Ok(())
    }

    /// Takes rows with a prefix out of the pages that hold others too; gives the keys between which all others go.
    fn cut_ends(&self, prefix: &[u8], old: &mut Vec<Place>) -> Result<Option<Range<Vec<u8>>>, StoreError> {
        let end = prefix_end(prefix);
        let inside = |key: &[u8]| key >= prefix && key < end.as_slice();
        if let Some(begin) = self.page_before(prefix)?
            && !inside(begin.lower())
            && self.upper_of(begin.lower())?.as_slice() > prefix
        {
            old.extend(self.filter(begin.lower(), inside)?);
        }
        // From here on every page begins inside; only the last may reach out of it.
        let last = self.engine.db.range(key::page(prefix)..key::page(&end)).next_back();
        let last = last.transpose().map_err(|cause| failed("look for the last page of rows", cause))?;
        let Some((last, _)) = last else { return Ok(None) };
        let lower = last.get(1..).unwrap_or_default();
        if self.upper_of(lower)? > end {
            old.extend(self.filter(lower, inside)?);
            return Ok(Some(key::page(prefix)..last.to_vec()));
        }
        Ok(Some(key::page(prefix)..key::page(&end)))
    }

    /// Takes rows out of the page with this lower end; gives its old place.
    fn filter(&self, lower: &[u8], out: impl Fn(&[u8]) -> bool) -> Result<Vec<Place>, StoreError> {
        let Opened { lower, upper, standing } = self.page_of(lower)?;
        let rows = standing.map_or(Ok(Vec::new()), |standing| self.rows_of(&lower, standing))?;
        let rows = rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
        let kept: Vec<RowRef<'_>> = rows.filter(|(key, _)| !out(key)).collect();
        let mut writer = self.pages.writer();
        let pages = write(&mut writer, &lower, &kept)?;
        writer.finish()?;
        self.pages.sync()?;
        let stretches = vec![Stretch { lower, upper, pages }];
        self.point(NewPages { stretches, old: standing.into_iter().flat_map(Standing::places).collect() })
    }
}

/// What the engine hears of a stretch.
fn change(batch: &mut ::sled::Batch, stretch: &Stretch) {
    if stretch.pages.is_empty() {
        batch.remove(key::page(&stretch.lower));
    }
    for (lower, standing) in &stretch.pages {
        let key = key::page(lower);
        let value = frame(&key, &standing.encoded());
        batch.insert(key, value);
    }
}

/// Rows with changes, both ascending.
fn merged<'a>(
    rows: &'a [Row],
    changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> Vec<RowRef<'a>> {
    let mut merged = Vec::with_capacity(rows.len());
    let mut rows = rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).peekable();
    for (key, value) in changes {
        while let Some(row) = rows.next_if(|(before, _)| *before < key) {
            merged.push(row);
        }
        let _replaced = rows.next_if(|(same, _)| *same == key);
        merged.extend(value.map(|value| (key, value)));
    }
    merged.extend(rows);
    merged
}

/// Writes rows as the pages from a lower end on; gives their lower ends and places.
fn write(
    writer: &mut PageWriter<'_>,
    lower: &[u8],
    rows: &[RowRef<'_>],
) -> Result<Vec<(Vec<u8>, Standing)>, StoreError> {
    let mut written = Vec::new();
    for (number, (first, page)) in page::pages(rows).into_iter().enumerate() {
        // The first keeps its lower end: rows before its first one still belong to it.
        let lower = if number == 0 { lower } else { first };
        let place = writer.push(&stored::close(&key::page(lower), &page))?;
        written.push((lower.to_vec(), Standing::whole(place)));
    }
    Ok(written)
}
