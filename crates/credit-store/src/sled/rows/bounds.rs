//! Which pages there are and where they stand, as far as it has been found out: the engine need not be asked.

use super::super::row_key::{Key, RowKey, wanted};
use super::Ends;
use super::patch::Standing;
use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most pages that are known at once, of about 200 bytes each; with one more all are forgotten.
pub(super) const BOUNDS_MAX: usize = 1 << 18;

/// What was one page, and the lower ends and places of those that it is now.
pub(super) struct Stretch {
    pub(super) lower: Vec<u8>,
    pub(super) upper: Vec<u8>,
    pub(super) pages: Vec<(Vec<u8>, Standing)>,
}

/// The lower ends of pages with their upper ends and places.
#[derive(Default)]
pub(super) struct Bounds(Mutex<Known>);

type Known = BTreeMap<RowKey, (Box<[u8]>, Standing)>;

impl Bounds {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ends and the place of the page that a row belongs to.
    pub(super) fn find(&self, row: &[u8]) -> Option<Ends> {
        let known = self.known();
        let row_key = wanted(row);
        let up_to: Bound<&dyn Key> = Included(&row_key);
        let (lower, (upper, standing)) = known.range::<dyn Key, _>((Unbounded, up_to)).next_back()?;
        (row < upper.as_ref()).then(|| (lower.bytes().to_vec(), upper.to_vec(), *standing))
    }

    /// Notes a page, if `still` says that no page has changed since it was read.
    pub(super) fn note(&self, lower: &[u8], upper: &[u8], standing: Standing, still: impl FnOnce() -> bool) {
        let mut known = self.known();
        if still() {
            if known.len() >= BOUNDS_MAX {
                known.clear();
            }
            known.insert(RowKey::new(lower.into()), (upper.into(), standing));
        }
    }

    /// Puts the pages that there are now in the place of those that were between their ends. Where there is none any more,
    /// the page before reaches further and is forgotten. `then` is done before anything else is noted.
    pub(super) fn replace(&self, stretches: Vec<Stretch>, then: impl FnOnce()) {
        let mut known = self.known();
        for Stretch { lower: from, upper: to, pages } in stretches {
            let (first, end) = (wanted(&from), wanted(&to));
            let (first, end): (&dyn Key, &dyn Key) = (&first, &end);
            let before = known.range::<dyn Key, _>((Unbounded, Excluded(first))).next_back();
            let before = before.filter(|_| pages.is_empty()).map(|(lower, _)| lower.bytes().to_vec());
            let within = known.range::<dyn Key, _>((Included(first), Excluded(end)));
            let within = within.map(|(lower, _)| lower.bytes().to_vec());
            let gone: Vec<Vec<u8>> = within.chain(before).collect();
            for lower in gone {
                known.remove::<dyn Key>(&wanted(&lower));
            }
            let uppers: Vec<Vec<u8>> =
                pages.iter().skip(1).map(|(lower, _)| lower.clone()).chain([to]).collect();
            let pages = pages.into_iter().zip(uppers);
            known.extend(
                pages.map(|((lower, standing), upper)| (RowKey::new(lower.into()), (upper.into(), standing))),
            );
        }
        if known.len() > BOUNDS_MAX {
            known.clear();
        }
        then();
    }
}

#[cfg(test)]
mod tests {
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
