//! What was measured, by figure and round.

use super::known::{KNOWN, Known};
use super::stats::{Spread, permille};
use std::collections::BTreeMap;

/// PostgreSQL's best rate in batches: the best median of the three sizes.
pub(super) const POSTGRES_BATCH: &str = "postgres_batch";
/// What one submission costs at least: a durable append, a signature check and a call.
pub(super) const UNARY_FLOOR: &str = "unary_floor";

/// Samples of figures, one a round.
#[derive(Debug, Default)]
pub(super) struct Figures {
    samples: BTreeMap<&'static str, Vec<u64>>,
}

impl Figures {
    /// Notes a round's sample; the id is one of the catalogue's.
    pub(super) fn put(&mut self, id: &str, value: u64) {
        let known = KNOWN.iter().find(|known| known.id == id);
        assert!(known.is_some(), "{id} is not in the catalogue");
        if let Some(known) = known {
            self.samples.entry(known.id).or_default().push(value);
        }
    }

    /// The samples of a figure, in the order of the rounds.
    pub(super) fn samples(&self, id: &str) -> &[u64] {
        self.samples.get(id).map_or(&[], Vec::as_slice)
    }

    /// Least, middle and greatest of a figure.
    pub(super) fn spread(&self, id: &str) -> Option<Spread> {
        Spread::of(self.samples(id))
    }

    /// The middle of a figure, or of what is made of figures.
    pub(super) fn median(&self, id: &str) -> Option<u64> {
        match id {
            POSTGRES_BATCH => {
                self.best(&["postgres_batch_1000", "postgres_batch_5000", "postgres_batch_20000"])
            }
            UNARY_FLOOR => {
                let check = 1_000_000u64.checked_div(self.median("verify_one_core")?)?;
                let durable = self.median("fdatasync_p50")?;
                Some(durable.saturating_add(check).saturating_add(self.median("rpc_1_p50")?))
            }
            id => self.spread(id).map(|spread| spread.median),
        }
    }

    /// The best median of some rates.
    pub(super) fn best(&self, ids: &[&str]) -> Option<u64> {
        ids.iter().filter_map(|id| self.median(id)).max()
    }

    /// The middle of a figure in thousandths of what bounds it.
    pub(super) fn of_bound(&self, known: &Known) -> Option<u64> {
        permille(self.median(known.id)?, self.median(known.bound?)?)
    }

    /// The middle of a figure in thousandths of PostgreSQL's.
    pub(super) fn of_postgres(&self, known: &Known) -> Option<u64> {
        permille(self.median(known.id)?, self.median(known.postgres?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str) -> &'static Known {
        KNOWN.iter().find(|known| known.id == id).unwrap()
    }

    #[test]
    fn a_figure_is_held_against_the_middle_of_its_bound() {
        let mut figures = Figures::default();
        assert_eq!(figures.of_bound(known("scattered")), None);
        for (ours, bound) in [(10, 100), (30, 50), (20, 40)] {
            figures.put("scattered", ours);
            figures.put("verify", bound);
        }
        assert_eq!(figures.spread("scattered"), Some(Spread { min: 10, median: 20, max: 30 }));
        assert_eq!(figures.of_bound(known("scattered")), Some(400));
        assert_eq!(figures.of_postgres(known("scattered")), None);
        figures.put("postgres_batch_1000", 5);
        figures.put("postgres_batch_5000", 10);
        assert_eq!(figures.of_postgres(known("scattered")), Some(2_000));
    }

    #[test]
    fn the_floor_of_a_submission_is_the_sum_of_its_parts() {
        let mut figures = Figures::default();
        for (id, value) in [("verify_one_core", 20_000), ("fdatasync_p50", 900)] {
            figures.put(id, value);
            assert_eq!(figures.median(UNARY_FLOOR), None);
        }
        figures.put("rpc_1_p50", 60);
        assert_eq!(figures.median(UNARY_FLOOR), Some(1_010));
    }
}
