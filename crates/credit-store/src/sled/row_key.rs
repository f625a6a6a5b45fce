//! Keys of rows in memory. There are some hundred thousand of them, and each row that is written or read is looked for among
//! them: so the first bytes of a key stand where keys are compared, and the rest is looked at only where they are the same.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// The numbers that hold the first bytes of a key: those of most keys differ within them.
const HEAD_NUMBERS: usize = 4;

type Head = [u64; HEAD_NUMBERS];

/// A key in the map.
pub(super) struct RowKey {
    head: Head,
    bytes: Box<[u8]>,
}

/// A key that is looked for.
pub(super) struct Wanted<'a> {
    head: Head,
    bytes: &'a [u8],
}

/// What keys are compared by: the order is that of their bytes.
pub(super) trait Key {
    fn head(&self) -> &Head;
    fn bytes(&self) -> &[u8];
}

impl Key for RowKey {
    fn head(&self) -> &Head {
        &self.head
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Key for Wanted<'_> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn bytes(&self) -> &[u8] {
        self.bytes
    }
}

impl Ord for dyn Key + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        // Behind a shorter key stand zeros, than which no byte is less.
        self.head().cmp(other.head()).then_with(|| self.bytes().cmp(other.bytes()))
    }
}

impl PartialOrd for dyn Key + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn Key + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for dyn Key + '_ {}

impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs): (&dyn Key, &dyn Key) = (self, other);
        mine.cmp(theirs)
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RowKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for RowKey {}

impl<'a> Borrow<dyn Key + 'a> for RowKey {
    fn borrow(&self) -> &(dyn Key + 'a) {
        self
    }
}

impl RowKey {
    pub(super) fn new(bytes: Box<[u8]>) -> Self {
        Self { head: head(&bytes), bytes }
    }
}

fn head(key: &[u8]) -> Head {
    let mut head = Head::default();
    for (number, bytes) in head.iter_mut().zip(key.chunks(size_of::<u64>())) {
        let mut padded = [0; size_of::<u64>()];
        for (to, byte) in padded.iter_mut().zip(bytes) {
            *to = *byte;
        }
        *number = u64::from_be_bytes(padded);
    }
    head
}

pub(super) fn wanted(bytes: &[u8]) -> Wanted<'_> {
    Wanted { head: head(bytes), bytes }
}
