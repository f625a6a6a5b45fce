//! Which pages there are and where they stand, as far as it has been found out: the engine need not be asked.

use super::super::row_key::{Key, RowKey, wanted};
use super::Ends;
use super::patch::Standing;
use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most pages that are known at once, of about 150 bytes each: those of some ten million records. With one more all are
/// forgotten.
pub(super) const BOUNDS_MAX: usize = 1 << 20;

/// What was one page, and the lower ends and places of those that it is now.
pub(super) struct Stretch {
    pub(super) lower: Vec<u8>,
    pub(super) upper: Vec<u8>,
    pub(super) pages: Vec<(Vec<u8>, Standing)>,
}

/// The lower ends of pages with their upper ends and places.
#[derive(Default)]
pub(super) struct Bounds(Mutex<Known>);

type Known = BTreeMap<RowKey, Page>;

/// A page that is known by its lower end.
struct Page {
    /// Its upper end; `None`: the lower end of the next page that is known.
    upper: Option<Box<[u8]>>,
    standing: Standing,
}

/// The first page that is known from a key on, which itself may be left out.
fn next<'a>(known: &'a Known, from: Bound<&'a dyn Key>) -> Option<&'a [u8]> {
    known.range::<dyn Key, _>((from, Unbounded)).next().map(|(lower, _)| lower.bytes())
}

impl Bounds {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ends and the place of the page that a row belongs to.
    pub(super) fn find(&self, row: &[u8]) -> Option<Ends> {
        let known = self.known();
        let row_key = wanted(row);
        let up_to: Bound<&dyn Key> = Included(&row_key);
        let (lower, page) = known.range::<dyn Key, _>((Unbounded, up_to)).next_back()?;
        let upper = match &page.upper {
            Some(upper) => upper.as_ref(),
            None => next(&known, Excluded(&row_key))?,
        };
        (row < upper).then(|| (lower.bytes().to_vec(), upper.to_vec(), page.standing))
    }

    /// Notes a page, if `still` says that no page has changed since it was read.
    pub(super) fn note(&self, lower: &[u8], upper: &[u8], standing: Standing, still: impl FnOnce() -> bool) {
        let mut known = self.known();
        if still() {
            if known.len() >= BOUNDS_MAX {
                known.clear();
            }
            put(&mut known, lower, upper, standing);
        }
    }

    /// Puts the pages that there are now in the place of those that were between their ends. Where there is none any more,
    /// the page before reaches further and is forgotten. `then` is done before anything else is noted.
    pub(super) fn replace(&self, stretches: Vec<Stretch>, then: impl FnOnce()) {
        let mut known = self.known();
        for Stretch { lower: from, upper: to, pages } in stretches {
            let (first, end) = (wanted(&from), wanted(&to));
            let (first, end): (&dyn Key, &dyn Key) = (&first, &end);
            let within = known.range::<dyn Key, _>((Included(first), Excluded(end)));
            let gone: Vec<Vec<u8>> = within.map(|(lower, _)| lower.bytes().to_vec()).collect();
            let mut before = known.range_mut::<dyn Key, _>((Unbounded, Excluded(first)));
            if pages.is_empty() {
                let last = before.next_back().map(|(lower, _)| lower.bytes().to_vec());
                if let Some((_, page)) = before.next_back() {
                    page.upper = page.upper.take().or_else(|| last.as_deref().map(Into::into));
                }
                if let Some(last) = last {
                    known.remove::<dyn Key>(&wanted(&last));
                }
            } else if let Some((_, page)) = before.next_back()
                && page.upper.as_deref() == Some(from.as_slice())
            {
                page.upper = None;
            }
            for lower in gone {
                known.remove::<dyn Key>(&wanted(&lower));
            }
            // From behind, so that each finds the one that it reaches up to.
            let mut upper = to;
            for (lower, standing) in pages.into_iter().rev() {
                put(&mut known, &lower, &upper, standing);
                upper = lower;
            }
        }
        if known.len() > BOUNDS_MAX {
            known.clear();
        }
        then();
    }
}

/// Adds a page.
fn put(known: &mut Known, lower: &[u8], upper: &[u8], standing: Standing) {
    let found = next(known, Included(&wanted(upper))) == Some(upper);
    let upper = (!found).then(|| upper.into());
    known.insert(RowKey::new(lower.into()), Page { upper, standing });
}

#[cfg(test)]
mod tests {
    use super::super::super::drawn::drawing;
    use super::super::super::file::Place;
    use super::*;

    fn at(offset: u64) -> Standing {
        Standing::whole(Place { offset, length: 1 })
    }

    #[test]
    fn a_page_is_found_within_its_ends_only() {
        let bounds = Bounds::default();
        bounds.note(b"b", b"d", at(7), || true);
        bounds.note(b"x", b"z", at(8), || false);
        let found = Some((b"b".to_vec(), b"d".to_vec(), at(7)));
        assert_eq!((bounds.find(b"b"), bounds.find(b"cc")), (found.clone(), found));
        assert_eq!((bounds.find(b"a"), bounds.find(b"d"), bounds.find(b"y")), (None, None, None));
    }

    #[test]
    fn what_changes_is_known_as_it_is_and_what_goes_takes_the_page_before_along() {
        let bounds = Bounds::default();
        for (lower, upper) in [(b"a", b"c"), (b"c", b"e"), (b"e", b"g"), (b"g", b"i")] {
            bounds.note(lower, upper, at(1), || true);
        }
        let stretch = |pages| Stretch { lower: b"e".to_vec(), upper: b"g".to_vec(), pages };
        bounds.replace(vec![stretch(vec![(b"e".to_vec(), at(2)), (b"f".to_vec(), at(3))])], || ());
        assert_eq!(bounds.find(b"e1"), Some((b"e".to_vec(), b"f".to_vec(), at(2))));
        assert_eq!(bounds.find(b"f1"), Some((b"f".to_vec(), b"g".to_vec(), at(3))));
        bounds.replace(vec![stretch(Vec::new())], || ());
        let known: Vec<bool> =
            [b"b", b"d", b"f", b"h"].iter().map(|row| bounds.find(*row).is_some()).collect();
        assert_eq!(known, [true, false, false, true]);
    }

    /// Whatever is noted, cut, taken away and forgotten: what is found is what there is.
    #[test]
    fn what_is_found_is_what_there_is() {
        let mut random = drawing(11);
        let key = |number: u64| format!("k{number:04}").into_bytes();
        for _ in 0..60 {
            let bounds = Bounds::default();
            // The pages that there are, by their lower ends; the last one reaches up to the end.
            let mut there: BTreeMap<Vec<u8>, Standing> = BTreeMap::from([(key(0), at(0))]);
            let end = key(1_000);
            let mut found = 0;
            for step in 1..200u64 {
                let row = key(random(1_000));
                let upper_of = |there: &BTreeMap<Vec<u8>, Standing>, lower: &[u8]| {
                    let behind = there.range::<[u8], _>((Excluded(lower), Unbounded)).next();
                    behind.map_or(end.clone(), |(lower, _)| lower.clone())
                };
                let page = there.range(..=row.clone()).next_back();
                let page = page.map(|(lower, at)| (lower.clone(), upper_of(&there, lower), *at));
                let seen = bounds.find(&row);
                found += usize::from(seen.is_some());
                assert!(seen.is_none() || seen == page, "{seen:?} {page:?}");
                let Some((lower, upper, standing)) = page else { continue };
                match random(4) {
                    0 | 1 => bounds.note(&lower, &upper, standing, || true),
                    2 => {
                        let mut pages = vec![(lower.clone(), at(step))];
                        if row > lower {
                            pages.push((row, at(step + 1_000)));
                        }
                        there.extend(pages.clone());
                        bounds.replace(vec![Stretch { lower, upper, pages }], || ());
                    }
                    _ if there.len() > 1 && lower > key(0) => {
                        there.remove(&lower);
                        bounds.replace(vec![Stretch { lower, upper, pages: Vec::new() }], || ());
                    }
                    _ => {}
                }
            }
            assert!(found > 40, "{found}");
        }
    }

    #[test]
    fn no_more_pages_are_known_than_may_be() {
        let bounds = Bounds::default();
        let note =
            |number: usize| bounds.note(&number.to_be_bytes(), &(number + 1).to_be_bytes(), at(0), || true);
        (0..BOUNDS_MAX).for_each(note);
        assert_eq!(bounds.known().len(), BOUNDS_MAX);
        note(BOUNDS_MAX);
        assert_eq!(bounds.known().len(), 1);
    }
}
