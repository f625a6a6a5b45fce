//! What has changed of a page since it was written. A settling of random accounts meets most pages with one record: to write
//! what is new beside a page takes a fifth of the work of writing the page anew, which is done once a patch has grown.

use super::super::file::Place;
use super::page::{self, Reader, RowRef};
use super::scan::merged;
use crate::Row;

/// A patch of more bytes goes into its page.
pub(super) const PATCH_BYTES_MAX: usize = 2 << 10;

/// In front of a value in a patch: whether there is one.
const THERE: u8 = 1;
const GONE: u8 = 0;

/// Where a page stands, and the patch that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) page: Place,
    pub(super) patch: Option<Place>,
}

impl Standing {
    /// A page that was written whole.
    pub(super) fn whole(page: Place) -> Self {
        Self { page, patch: None }
    }

    /// The bytes that the engine keeps: one place or two.
    pub(super) fn encoded(self) -> Vec<u8> {
        self.places().flat_map(Place::encoded).collect()
    }

    pub(super) fn decoded(bytes: &[u8]) -> Option<Self> {
        let (page, patch) = bytes.split_at_checked(Place::BYTES)?;
        let patch = if patch.is_empty() { None } else { Some(Place::decoded(patch)?) };
        Some(Self { page: Place::decoded(page)?, patch })
    }

    /// All that is to be free once nobody is pointed here.
    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        std::iter::once(self.page).chain(self.patch)
    }
}

/// A change of a row: its key, and its value unless it is gone.
pub(super) type ChangeRef<'a> = (&'a [u8], Option<&'a [u8]>);

/// The changes of a patch, as rows of which each value says whether it is there.
pub(super) struct Patch(Vec<Row>);

impl Patch {
    /// A patch of changes, ascending.
    pub(super) fn of(changes: &[ChangeRef<'_>]) -> Self {
        Self(changes.iter().map(|(key, value)| (key.to_vec(), marked(*value))).collect())
    }

    /// Takes a patch apart; `Err` of bytes that are none.
    pub(super) fn open(bytes: &[u8]) -> Result<Self, ()> {
        let rows = page::rows(bytes)?;
        if rows.iter().all(|(_, value)| unmarked(value).is_ok()) { Ok(Self(rows)) } else { Err(()) }
    }

    /// This patch with later changes, ascending.
    pub(super) fn and(self, later: &[ChangeRef<'_>]) -> Self {
        let later = later.iter().map(|(key, value)| (key.to_vec(), Some(marked(*value))));
        Self(merged(self.0, later).collect())
    }

    /// Its bytes, if it is small enough to stand beside a page.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let rows: Vec<RowRef<'_>> =
            self.0.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        page::alone(&rows, PATCH_BYTES_MAX)
    }

    /// Its changes, ascending.
    pub(super) fn changes(&self) -> impl Iterator<Item = ChangeRef<'_>> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_slice(), unmarked(value).ok()?)))
    }
}

fn marked(value: Option<&[u8]>) -> Vec<u8> {
    match value {
        Some(value) => [&[THERE], value].concat(),
        None => vec![GONE],
    }
}

/// What a value in a patch says; `Err` of one that is not ours.
fn unmarked(value: &[u8]) -> Result<Option<&[u8]>, ()> {
    match value.split_first() {
        Some((&THERE, value)) => Ok(Some(value)),
        Some((&GONE, [])) => Ok(None),
        _ => Err(()),
    }
}

/// The bytes of a page with a patch; `Err` where one of them is not ours.
pub(super) fn patched(page: &[u8], patch: &[u8]) -> Result<Vec<u8>, ()> {
    let (mut rows, mut changes) = (Reader::new(page), Reader::new(patch));
    let mut writer = page::Writer::new(page.len().saturating_add(patch.len()));
    let (mut row, mut change) = (rows.next_value().transpose()?, changes.next_value().transpose()?);
    loop {
        match (row, change) {
            (None, None) => return Ok(writer.done()),
            (Some(value), None) => {
                writer.push(rows.key(), value);
                row = rows.next_value().transpose()?;
            }
            (Some(value), Some(_)) if rows.key() < changes.key() => {
                writer.push(rows.key(), value);
                row = rows.next_value().transpose()?;
            }
            (_, Some(marked)) => {
                if row.is_some() && rows.key() == changes.key() {
                    row = rows.next_value().transpose()?;
                }
                if let Some(value) = unmarked(marked)? {
                    writer.push(changes.key(), value);
                }
                change = changes.next_value().transpose()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::drawn::drawing;
    use super::*;
    use std::collections::BTreeMap;

    fn place(offset: u64) -> Place {
        Place { offset, length: 9 }
    }

    fn bytes(rows: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let mut writer = page::Writer::new(0);
        for (key, value) in rows {
            writer.push(key, value);
        }
        writer.done()
    }

    #[test]
    fn a_standing_comes_back_with_a_patch_and_without() {
        for standing in [Standing::whole(place(1)), Standing { page: place(1), patch: Some(place(2)) }] {
            let encoded = standing.encoded();
            assert_eq!(Standing::decoded(&encoded), Some(standing));
            for end in (0..encoded.len()).filter(|end| *end != Place::BYTES) {
                assert_eq!(Standing::decoded(&encoded[..end]), None);
            }
            assert_eq!(Standing::decoded(&[encoded.as_slice(), &[0]].concat()), None);
        }
        let both = Standing { page: place(1), patch: Some(place(2)) };
        assert_eq!(both.places().collect::<Vec<_>>(), [place(1), place(2)]);
    }

    #[test]
    fn a_page_with_patches_is_the_page_with_all_their_changes() {
        let mut random = drawing(5);
        let key = |number: u64| format!("key/{number:03}").into_bytes();
        let value = |byte: u8, length: u64| vec![byte; usize::try_from(length).unwrap()];
        for _ in 0..300 {
            let rows: BTreeMap<Vec<u8>, Vec<u8>> =
                (0..random(30)).map(|_| (key(random(60)), value(1, random(9)))).collect();
            let mut model = rows.clone();
            let mut patch = Patch::of(&[]);
            for round in 2..5u8 {
                let changes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = (0..random(12))
                    .map(|_| (key(random(60)), (random(3) > 0).then(|| value(round, random(9)))))
                    .collect();
                for (key, value) in &changes {
                    match value {
                        Some(value) => drop(model.insert(key.clone(), value.clone())),
                        None => drop(model.remove(key)),
                    }
                }
                let changes: Vec<ChangeRef<'_>> =
                    changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
                patch = patch.and(&changes);
                let stored = patch.bytes().unwrap();
                patch = Patch::open(&stored).unwrap();
                let page = bytes(&rows.clone().into_iter().collect::<Vec<_>>());
                let expected: Vec<(Vec<u8>, Vec<u8>)> = model.clone().into_iter().collect();
                assert_eq!(patched(&page, &stored), Ok(bytes(&expected)));
            }
        }
    }

    #[test]
    fn a_patch_that_is_too_large_or_not_ours_is_none() {
        let value = |length: usize| vec![7; length];
        let of = |length: usize| Patch::of(&[(b"key", Some(value(length).as_slice()))]).bytes();
        let most = (0..PATCH_BYTES_MAX).rev().find(|length| of(*length).is_some()).unwrap();
        assert!(most > PATCH_BYTES_MAX - 20 && of(most + 1).is_none());
        for marked in [vec![], vec![2, 1], vec![GONE, 1]] {
            let patch = bytes(&[(b"key".to_vec(), marked)]);
            assert!(Patch::open(&patch).is_err());
            assert!(patched(&[], &patch).is_err());
        }
        assert!(Patch::open(&[0, 9]).is_err());
    }
}
