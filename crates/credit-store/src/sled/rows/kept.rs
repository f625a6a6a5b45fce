//! Pages that were read lately, by where they stand: a statement is prepared from the pages that it is decided on a moment
//! later.

use super::super::file::Place;
use super::super::stored::Stored;
use super::patch::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many pages are kept, and up to as many that were kept before them.
const PAGES_KEPT_MAX: usize = 1_024;
/// A page of more bytes is not kept: some hold one large row.
const PAGE_KEPT_BYTES_MAX: usize = 16 << 10;

/// The pages.
#[derive(Default)]
pub(super) struct Kept(Mutex<Generations>);

type Pages = BTreeMap<Standing, Arc<Stored>>;

/// When there are enough young ones, they become the old ones, and what was old is dropped: what is asked for again and
/// again stays.
#[derive(Default)]
struct Generations {
    young: Pages,
    old: Pages,
}

impl Kept {
    fn pages(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands there, if it was read lately.
    pub(super) fn get(&self, standing: Standing) -> Option<Arc<Stored>> {
        let mut pages = self.pages();
        if let Some(page) = pages.young.get(&standing) {
            return Some(Arc::clone(page));
        }
        let page = pages.old.remove(&standing)?;
        pages.put(standing, Arc::clone(&page));
        Some(page)
    }

    /// Keeps what was read, if `still` says that no place has become free since before it was known to stand there.
    pub(super) fn keep(&self, standing: Standing, page: &Arc<Stored>, still: impl FnOnce() -> bool) {
        if page.bytes().len() > PAGE_KEPT_BYTES_MAX {
            return;
        }
        let mut pages = self.pages();
        if still() {
            pages.put(standing, Arc::clone(page));
        }
    }

    /// Forgets what stands at places that others will have.
    pub(super) fn forget(&self, places: &[Place]) {
        let places: BTreeSet<u64> = places.iter().map(|place| place.offset).collect();
        let stays = |standing: &Standing| standing.places().all(|place| !places.contains(&place.offset));
        let Generations { young, old } = &mut *self.pages();
        young.retain(|standing, _| stays(standing));
        old.retain(|standing, _| stays(standing));
    }
}

impl Generations {
    fn put(&mut self, standing: Standing, page: Arc<Stored>) {
        if self.young.len() >= PAGES_KEPT_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(standing, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(page: u64, patch: Option<u64>) -> Standing {
        let place = |offset| Place { offset, length: 1 };
        Standing { page: place(page), patch: patch.map(place) }
    }

    fn page(bytes: usize) -> Arc<Stored> {
        Arc::new(Stored::made(vec![1; bytes]))
    }

    #[test]
    fn a_page_is_kept_until_one_of_its_places_is_free() {
        let kept = Kept::default();
        let (whole, patched) = (standing(1, None), standing(2, Some(3)));
        kept.keep(whole, &page(5), || false);
        assert!(kept.get(whole).is_none());
        for freed in [Place { offset: 2, length: 9 }, Place { offset: 3, length: 9 }] {
            kept.keep(whole, &page(5), || true);
            kept.keep(patched, &page(6), || true);
            assert_eq!(kept.get(patched).map(|page| page.bytes().len()), Some(6));
            assert!(kept.get(standing(2, None)).is_none(), "another patch is another page");
            kept.forget(&[freed]);
            assert!(kept.get(patched).is_none() && kept.get(whole).is_some());
        }
        kept.keep(patched, &page(PAGE_KEPT_BYTES_MAX), || true);
        kept.keep(standing(4, None), &page(PAGE_KEPT_BYTES_MAX + 1), || true);
        assert!(kept.get(patched).is_some() && kept.get(standing(4, None)).is_none());
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let kept = Kept::default();
        let number = |number: usize| standing(u64::try_from(number).unwrap(), None);
        let most = 2 * PAGES_KEPT_MAX;
        for page_number in 0..3 * PAGES_KEPT_MAX {
            kept.keep(number(page_number), &page(1), || true);
            assert!(kept.get(number(0)).is_some());
            let pages = kept.pages();
            assert!(pages.young.len() <= PAGES_KEPT_MAX && pages.young.len() + pages.old.len() <= most);
        }
        assert!(kept.get(number(1)).is_none());
        assert!(kept.get(number(3 * PAGES_KEPT_MAX - 1)).is_some());
    }
}
