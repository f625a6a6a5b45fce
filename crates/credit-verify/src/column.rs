//! A list of fixed-width items that only grows: the newest in memory, the others in a scratch file.

use crate::scratch::{Memory, ScratchError, ScratchFile};

/// Items of `WIDTH` bytes by their number.
pub(crate) struct Column<const WIDTH: usize> {
    memory: Memory,
    /// The most items in memory.
    room: usize,
    /// Count of items in the file.
    filed: u64,
    file: Option<Box<dyn ScratchFile>>,
    held: Vec<[u8; WIDTH]>,
}

impl<const WIDTH: usize> Column<WIDTH> {
    /// An empty list that keeps at most so many bytes in memory, if the memory is bounded at all.
    pub(crate) fn new(memory: &Memory, bytes: usize) -> Self {
        let room = bytes.checked_div(WIDTH).unwrap_or(1).max(2);
        Self { memory: memory.clone(), room, filed: 0, file: None, held: Vec::new() }
    }

    /// Another list with the same items; `None` once some are in a file.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { memory, room, filed, file, held } = self;
        let alike =
            || Self { memory: memory.clone(), room: *room, filed: *filed, file: None, held: held.clone() };
        file.is_none().then(alike)
    }

    /// Adds an item.
    pub(crate) fn push(&mut self, item: [u8; WIDTH]) -> Result<(), ScratchError> {
        if self.memory.is_bounded() && self.held.len() >= self.room {
            if self.file.is_none() {
                self.file = self.memory.file()?;
            }
            let older = self.held.len().div_ceil(2);
            if let Some(file) = &mut self.file {
                file.append(self.held.get(..older).unwrap_or_default().as_flattened())?;
                self.held.drain(..older);
                self.filed = self.filed.saturating_add(u64::try_from(older).unwrap_or(u64::MAX));
            }
        }
        self.held.push(item);
        Ok(())
    }

    /// An item; `None` beyond the last.
    pub(crate) fn get(&self, number: u64) -> Result<Option<[u8; WIDTH]>, ScratchError> {
        Ok(self.range(number, 1)?.pop())
    }

    /// So many items from one on, fewer where the list ends.
    pub(crate) fn range(&self, from: u64, count: usize) -> Result<Vec<[u8; WIDTH]>, ScratchError> {
        let mut items = Vec::with_capacity(count);
        if let Some(file) = &self.file
            && from < self.filed
        {
            let filed = usize::try_from(self.filed.saturating_sub(from)).unwrap_or(usize::MAX);
            items.resize(count.min(filed), [0; WIDTH]);
            let width = u64::try_from(WIDTH).unwrap_or(u64::MAX);
            file.read(from.saturating_mul(width), items.as_flattened_mut())?;
        }
        let left = count.saturating_sub(items.len());
        let first = from.max(self.filed).saturating_sub(self.filed);
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(self.held.len());
        items.extend(self.held.iter().skip(first).take(left));
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::InMemory;
    use std::sync::Arc;

    #[test]
    fn an_item_is_found_wherever_it_lies() {
        for memory in [Memory::default(), Memory::bounded(0, Arc::new(InMemory))] {
            let mut column = Column::<4>::new(&memory, 64);
            for number in 0..100u32 {
                column.push(number.to_be_bytes()).unwrap();
                assert_eq!(column.get(u64::from(number)).unwrap(), Some(number.to_be_bytes()));
                assert_eq!(column.get(u64::from(number) + 1).unwrap(), None);
                assert_eq!(column.get(u64::from(number / 2)).unwrap(), Some((number / 2).to_be_bytes()));
            }
            let all: Vec<[u8; 4]> = (0..100u32).map(u32::to_be_bytes).collect();
            for from in 0..=100usize {
                for count in [0, 1, 7, 200] {
                    let expected = all.get(from..(from + count).min(100)).unwrap();
                    assert_eq!(column.range(from as u64, count).unwrap(), expected);
                }
            }
        }
    }
}
