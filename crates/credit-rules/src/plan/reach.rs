//! What of a cap can be used at all: offers grant in lumps, so that of 4.5 credits only 4 may be within reach. Bounding
//! by what is within reach is what makes small caps with few offers exact.

/// Caps of fewer units than this are looked at: as many as bits of a word.
pub(super) const REACH_UNITS_MAX: i64 = 127;

/// Sums within reach, one bit each, from 0 to [`REACH_UNITS_MAX`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Sums with one of the group at hand, or none.
    sums: u128,
    /// Sums without the group at hand.
    before: u128,
    group: usize,
}

impl Reach {
    /// Nothing is used.
    pub(super) fn nothing() -> Self {
        Self { sums: 1, before: 1, group: usize::MAX }
    }

    /// One more offer may use `least` units, or more by up to `steps` times `step`. Of a group at most one is used;
    /// offers of a group come one after the other, and `usize::MAX` is a group of each one's own.
    pub(super) fn or(&mut self, group: usize, least: i64, step: i64, steps: i64) {
        if group != self.group || group == usize::MAX {
            self.group = group;
            self.before = self.sums;
        }
        let mut sums = shifted(self.before, least);
        let mut covered = 0_i64;
        while covered < steps && sums != 0 {
            let more = steps.saturating_sub(covered).min(covered.saturating_add(1));
            sums |= shifted(sums, more.saturating_mul(step));
            covered = covered.saturating_add(more);
        }
        self.sums |= sums;
    }

    /// The largest sum within reach that is at most `left`, of 0 to [`REACH_UNITS_MAX`].
    pub(super) fn most(&self, left: i64) -> i64 {
        let above = u32::try_from(REACH_UNITS_MAX.saturating_sub(left)).unwrap_or(0);
        let within = self.sums.checked_shl(above).unwrap_or(0);
        left.saturating_sub(i64::from(within.leading_zeros()))
    }
}

fn shifted(sums: u128, by: i64) -> u128 {
    u32::try_from(by).ok().and_then(|by| sums.checked_shl(by)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lumps_reach_their_sums_only() {
        let mut reach = Reach::nothing();
        reach.or(1, 3, 1, 0);
        reach.or(1, 4, 1, 0);
        reach.or(2, 5, 1, 0);
        // 0, 3, 4, 5, 8, 9: the first two exclude each other.
        for (left, most) in [(0, 0), (2, 0), (3, 3), (4, 4), (7, 5), (8, 8), (127, 9)] {
            assert_eq!(reach.most(left), most, "{left}");
        }
    }

    #[test]
    fn steps_fill_what_lumps_leave() {
        let mut reach = Reach::nothing();
        reach.or(usize::MAX, 50, 1, 0);
        reach.or(usize::MAX, 0, 5, 9);
        for (left, most) in [(4, 0), (5, 5), (49, 45), (54, 50), (96, 95), (127, 95)] {
            assert_eq!(reach.most(left), most, "{left}");
        }
        reach.or(usize::MAX, 127, 1, 3);
        assert_eq!(reach.most(127), 127);
        assert_eq!(reach.most(126), 95);
    }
}
