//! Tables that are read and written by indices of our own making.

/// Reads and writes by index. An index outside reads as the default and writes nothing: every index here comes from the
/// table's own length, and whatever the planner says is checked against the model by code that shares nothing with it.
pub(super) trait Table<T> {
    /// What stands there.
    fn at(&self, index: usize) -> T;
    /// Puts something there.
    fn put(&mut self, index: usize, value: T);
}

impl<T: Copy + Default> Table<T> for [T] {
    #[inline]
    fn at(&self, index: usize) -> T {
        self.get(index).copied().unwrap_or_default()
    }

    #[inline]
    fn put(&mut self, index: usize, value: T) {
        if let Some(place) = self.get_mut(index) {
            *place = value;
        }
    }
}

/// Adds to what stands there.
#[inline]
pub(super) fn add(table: &mut [i64], index: usize, value: i64) {
    if let Some(place) = table.get_mut(index) {
        *place = place.saturating_add(value);
    }
}

/// The largest multiple of a step that is at most a value.
#[inline]
pub(super) fn floor(value: i64, step: i64) -> i64 {
    value.saturating_sub(value.checked_rem_euclid(step).unwrap_or(0))
}

/// The greatest common divisor; of 0 and a number, that number.
pub(super) fn divisor(mut one: i64, mut other: i64) -> i64 {
    while other != 0 {
        (one, other) = (other, one.checked_rem(other).unwrap_or(0));
    }
    one
}
