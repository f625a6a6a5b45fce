//! Boxes over finitely many atoms a side: what rows of a table and conditions of rules come down to once every value that
//! anybody names has been told from every other.

use crate::limits::PIECES_MAX;

/// A set of the atoms of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atoms(Vec<u64>);

impl Atoms {
    /// None of `count` atoms.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Those of `count` atoms for which this holds.
    pub(super) fn of(count: usize, holds: impl Fn(usize) -> bool) -> Self {
        let mut atoms = Self::none(count);
        for index in (0..count).filter(|index| holds(*index)) {
            atoms.add(index);
        }
        atoms
    }

    /// All of `count` atoms.
    pub(super) fn all(count: usize) -> Self {
        Self::of(count, |_| true)
    }

    /// Adds one.
    pub(super) fn add(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index >> 6) {
            *word |= 1 << (index & 63);
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether both have one.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(own, other)| own & other != 0)
    }

    fn both(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own & other).collect())
    }

    fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own & !other).collect())
    }

    /// Its atoms, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let count = self.0.len().saturating_mul(64);
        (0..count).filter(|index| self.0.get(index >> 6).is_some_and(|word| word >> (index & 63) & 1 == 1))
    }

    /// Its first atom in both.
    pub(super) fn first_of_both(&self, other: &Self) -> Option<usize> {
        self.both(other).iter().next()
    }
}

/// A box: on each side some atoms.
pub(super) type GridBox = Vec<Atoms>;

/// Whether two boxes share a point.
pub(super) fn meet(one: &GridBox, other: &GridBox) -> bool {
    one.iter().zip(other).all(|(one, other)| one.meets(other))
}

/// What of a box is left when others are taken away, in disjoint pieces; `None` where that looks at more
/// than [`PIECES_MAX`].
pub(super) fn left_over<'b>(
    whole: &GridBox,
    taken: impl IntoIterator<Item = &'b GridBox>,
) -> Option<Vec<GridBox>> {
    left_over_in(whole, taken, PIECES_MAX)
}

fn left_over_in<'b>(
    whole: &GridBox,
    taken: impl IntoIterator<Item = &'b GridBox>,
    pieces_max: usize,
) -> Option<Vec<GridBox>> {
    let mut pieces = if whole.iter().any(Atoms::is_empty) { Vec::new() } else { vec![whole.clone()] };
    let mut looked = 0_usize;
    for taken in taken {
        let mut next = Vec::new();
        for mut piece in pieces {
            looked = looked.saturating_add(1);
            if looked > pieces_max {
                return None;
            }
            if !meet(&piece, taken) {
                next.push(piece);
                continue;
            }
            for (side, taken) in taken.iter().enumerate() {
                let Some(own) = piece.get_mut(side) else { continue };
                let (outside, inside) = (own.without(taken), own.both(taken));
                *own = inside;
                if !outside.is_empty() {
                    let mut part = piece.clone();
                    if let Some(own) = part.get_mut(side) {
                        *own = outside;
                    }
                    next.push(part);
                }
            }
        }
        pieces = next;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atoms(of: &[usize]) -> Atoms {
        Atoms::of(100, |index| of.contains(&index))
    }

    fn points(pieces: &[GridBox]) -> Vec<(usize, usize)> {
        let mut points: Vec<_> = pieces
            .iter()
            .flat_map(|piece| piece[0].iter().flat_map(|x| piece[1].iter().map(move |y| (x, y))))
            .collect();
        points.sort_unstable();
        points
    }

    #[test]
    fn what_is_left_is_what_no_box_has() {
        let whole = vec![atoms(&[0, 1, 70]), atoms(&[5, 6, 99])];
        let taken = [vec![atoms(&[0, 1]), atoms(&[5])], vec![atoms(&[1, 70]), atoms(&[6, 99])]];
        let left = left_over(&whole, &taken).unwrap();
        assert_eq!(points(&left), [(0, 6), (0, 99), (70, 5)]);
        let all = [vec![atoms(&[0]), Atoms::all(100)], vec![atoms(&[1, 70]), Atoms::all(100)]];
        assert!(left_over(&whole, &all).unwrap().is_empty());
        assert!(meet(&whole, &taken[0]) && !meet(&taken[0], &taken[1]));
    }

    #[test]
    fn pieces_are_bounded() {
        // Each point of the diagonal cuts its piece in two and two again.
        let whole = vec![Atoms::all(10), Atoms::all(10)];
        let taken: Vec<GridBox> = (0..10).map(|point| vec![atoms(&[point]), atoms(&[point])]).collect();
        let made = (1..100).find(|most| left_over_in(&whole, &taken, *most).is_some()).unwrap();
        assert_eq!(
            left_over_in(&whole, &taken, made).unwrap().len(),
            points(&left_over(&whole, &taken).unwrap()).len() / 9
        );
        assert!(left_over_in(&whole, &taken, made - 1).is_none());
    }
}
