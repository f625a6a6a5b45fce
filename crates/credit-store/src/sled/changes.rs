//! Changes of rows by key.

use super::row_key::{Key, RowKey, wanted};
use crate::RowChange;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A row's key, and its value; `None`: the row is gone.
pub(super) type Change = (Box<[u8]>, Option<Box<[u8]>>);

/// A change by its key.
pub(super) fn keyed(change: &RowChange) -> Change {
    match change {
        RowChange::Put { key, value } => (key.as_slice().into(), Some(value.as_slice().into())),
        RowChange::Delete { key } => (key.as_slice().into(), None),
    }
}

/// The latest change of each row, ascending by key.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<RowKey, Option<Box<[u8]>>>);

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The change of a row, if there is one.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Box<[u8]>>> {
        self.0.get::<dyn Key>(&wanted(key))
    }

    /// Notes a change; gives the bytes of the value in the one before of the same row, if there was one.
    pub(super) fn insert(&mut self, (bytes, value): Change) -> Option<usize> {
        let before = self.0.insert(RowKey::new(bytes), value)?;
        Some(before.map_or(0, |value| value.len()))
    }

    /// The key of the first.
    pub(super) fn first(&self) -> Option<&[u8]> {
        self.0.first_key_value().map(|(key, _)| key.bytes())
    }

    /// The changes from a key on, up to another one.
    pub(super) fn range<'a>(
        &'a self,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let (from, to) = (wanted(from), to.map(wanted));
        let from: Bound<&dyn Key> = Bound::Included(&from);
        let to: Bound<&dyn Key> = to.as_ref().map_or(Bound::Unbounded, |to| Bound::Excluded(to));
        self.0.range::<dyn Key, _>((from, to)).map(|(key, value)| (key.bytes(), value.as_deref()))
    }
}

impl Extend<Change> for Changes {
    fn extend<T: IntoIterator<Item = Change>>(&mut self, changes: T) {
        for change in changes {
            self.insert(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_bytes() {
        let mut keys: Vec<Vec<u8>> =
            vec![Vec::new(), vec![0], vec![0; 31], vec![0; 32], vec![0; 33], vec![0xff; 40]];
        for length in [7, 8, 9, 31, 32, 33, 200] {
            for last in [0, 1, 0xff] {
                keys.push([vec![b'a'; length], vec![last]].concat());
                keys.push([vec![b'a'; length], vec![last, 0]].concat());
            }
        }
        let mut changes = Changes::default();
        for key in keys.iter().rev() {
            assert!(changes.insert((key.as_slice().into(), Some(key.as_slice().into()))).is_none());
        }
        keys.sort();
        let seen: Vec<&[u8]> = changes.range(&[], None).map(|(key, _)| key).collect();
        assert_eq!(seen, keys);
        assert_eq!(changes.first(), Some(keys[0].as_slice()));
        for (place, key) in keys.iter().enumerate() {
            assert_eq!(changes.get(key), Some(&Some(key.as_slice().into())));
            assert_eq!(changes.range(key, None).count(), keys.len() - place);
            assert_eq!(changes.range(&[], Some(key)).count(), place);
        }
        assert_eq!(changes.get(b"b"), None);
        assert_eq!(changes.insert((keys[3].as_slice().into(), None)), Some(keys[3].len()));
        assert_eq!(changes.get(&keys[3]), Some(&None));
        assert_eq!(changes.insert((keys[3].as_slice().into(), None)), Some(0));
    }
}
