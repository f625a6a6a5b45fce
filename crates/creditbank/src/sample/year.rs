//! A demonstration year: records in any number, drawn from a seed.

use super::catalogue::CatalogueItem;
use super::coverage::covers;
use super::draft::{Award, draft};
use super::learner::SampleLearner;
use super::profiles::PROFILES;
use super::splitmix::{SplitMix, Stream};
use super::{Sample, SampleError};
use crate::mapping::DraftRecord;
use credit_types::date::NoSuchDate;
use credit_types::limits::ACCOUNT_RECORDS_MAX;
use credit_types::{CivilDate, InstitutionAdmission, InstitutionId, RecordKind, StudentNumber};
use std::collections::BTreeMap;

/// The most learners.
pub(crate) const LEARNERS_MAX: u32 = 1_000_000;
/// The days in which records are awarded: a year without its leap day.
pub(crate) const WINDOW_DAYS: i32 = 365;
/// Steps through the learners in a round. A prime larger than [`LEARNERS_MAX`] meets each once.
const LEARNER_STEP: u64 = 1_000_003;

/// What year is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct YearPlan {
    /// The seed.
    pub(crate) seed: u64,
    /// Count of learners, 1 to [`LEARNERS_MAX`].
    pub(crate) learners: u32,
    /// Count of records, up to 65,536 for each learner.
    pub(crate) records: u64,
    /// The last day on which a record is awarded; the first is 364 days before. Learning may have begun earlier.
    pub(crate) ends_on: CivilDate,
}

/// A year that can't be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum YearError {
    /// Too few or too many learners.
    #[error("must have 1 to {LEARNERS_MAX} learners, has {0}")]
    Learners(u32),
    /// More records than the accounts can hold.
    #[error("must have at most {max} records for its learners, has {records}")]
    Records {
        /// The most records.
        max: u64,
        /// Count of records asked for.
        records: u64,
    },
    /// A date before 1900 or after 2199.
    #[error("could not reckon a date")]
    Date(#[source] NoSuchDate),
    /// No institution was accredited for anything that a learner does in that year.
    #[error("no accreditation covers the year: choose a later one")]
    NothingToAttest,
    /// A profile names an institution that the city does not have.
    #[error("could not find an institution of the city")]
    Institution(#[source] SampleError),
}

/// A record of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YearRecord {
    /// Whose it is: the learner's index.
    pub(crate) learner: u32,
    /// Who attests it.
    pub(crate) issuer: InstitutionId,
    /// The record.
    pub(crate) draft: DraftRecord,
}

/// A demonstration year. As an iterator it gives its records in order; the first records of a larger year are those of
/// a smaller one with as many learners.
pub(crate) struct Year<'a> {
    sample: &'a Sample,
    plan: YearPlan,
    begins_on: CivilDate,
    /// Positions of institutions by id.
    positions: BTreeMap<&'a str, usize>,
    /// Items with the positions of their issuers, by kind.
    offers: BTreeMap<RecordKind, Vec<(&'a CatalogueItem, Vec<usize>)>>,
    next: u64,
}

impl<'a> Year<'a> {
    /// Takes a plan within its bounds.
    pub(crate) fn new(sample: &'a Sample, plan: YearPlan) -> Result<Self, YearError> {
        if !(1..=LEARNERS_MAX).contains(&plan.learners) {
            return Err(YearError::Learners(plan.learners));
        }
        let max = u64::from(plan.learners).saturating_mul(u64::from(ACCOUNT_RECORDS_MAX));
        if plan.records > max {
            return Err(YearError::Records { max, records: plan.records });
        }
        let first = plan.ends_on.days().saturating_sub(WINDOW_DAYS).saturating_add(1);
        let positions: BTreeMap<&str, usize> = sample
            .institutions
            .iter()
            .enumerate()
            .map(|(position, institution)| (institution.institution_id.as_str(), position))
            .collect();
        for suffix in PROFILES.iter().flat_map(|profile| profile.enrolments.concat().concat()) {
            let id = format!("{PREFIX}{suffix}");
            if !positions.contains_key(id.as_str()) {
                return Err(YearError::Institution(SampleError::value("institution", &id, "is not known")));
            }
        }
        let mut offers: BTreeMap<RecordKind, Vec<(&CatalogueItem, Vec<usize>)>> = BTreeMap::new();
        for item in &sample.catalogue {
            let issuers = item.issuers.iter().filter_map(|id| positions.get(id.as_str()).copied()).collect();
            offers.entry(item.kind).or_default().push((item, issuers));
        }
        let begins_on = CivilDate::from_days(first).map_err(YearError::Date)?;
        Ok(Self { sample, plan, begins_on, positions, offers, next: 0 })
    }

    /// The learners in order.
    pub(crate) fn learners(&self) -> impl Iterator<Item = Result<SampleLearner, YearError>> {
        (0..self.plan.learners).map(|index| SampleLearner::draw(self, index))
    }

    /// The record of an index.
    pub(crate) fn record(&self, index: u64) -> Result<YearRecord, YearError> {
        let mut draws = SplitMix::stream(self.plan.seed, Stream::Record, index);
        let learner = SampleLearner::draw(self, self.learner_of(index))?;
        let kinds = PROFILES.get(learner.profile).map_or(&[][..], |profile| profile.kinds);
        let first = weighted(kinds, &mut draws);
        let in_turn = kinds.iter().cycle().skip(first).take(kinds.len());
        for (kind, _) in in_turn {
            let awarded_on = self.award_day(*kind, &mut draws)?;
            let offers = self.offers_to(&learner, *kind, awarded_on);
            let Some((item, issuer)) = draws.pick(&offers).copied() else { continue };
            let number = learner
                .identity
                .student_numbers
                .iter()
                .find(|number| number.institution_id == issuer.institution_id)
                .map(|number| number.number.clone())
                .unwrap_or_default();
            let award = Award { item, issuer, awarded_on, index, row_key: self.row_key(index), number };
            let draft = draft(award, &mut draws).map_err(YearError::Date)?;
            let issuer = issuer.institution_id.clone();
            return Ok(YearRecord { learner: learner.index, issuer, draft });
        }
        Err(YearError::NothingToAttest)
    }

    /// Rounds over all learners, each round in an order of its own: no account has two records more than another.
    fn learner_of(&self, index: u64) -> u32 {
        let learners = u64::from(self.plan.learners);
        let round = index.checked_div(learners).unwrap_or(0);
        let offset = SplitMix::stream(self.plan.seed, Stream::Round, round).below(learners);
        let place = index.checked_rem(learners).unwrap_or(0).saturating_mul(LEARNER_STEP);
        let learner = place.saturating_add(offset).checked_rem(learners).unwrap_or(0);
        u32::try_from(learner).unwrap_or(0)
    }

    /// What the learner's institutions may attest of a kind on a day.
    fn offers_to(
        &self,
        learner: &SampleLearner,
        kind: RecordKind,
        awarded_on: CivilDate,
    ) -> Vec<(&'a CatalogueItem, &'a InstitutionAdmission)> {
        let mut offers = Vec::new();
        for (item, issuers) in self.offers.get(&kind).into_iter().flatten() {
            for position in issuers.iter().filter(|position| learner.enrolments.contains(position)) {
                if let Some(issuer) = self.sample.institutions.get(*position)
                    && covers(issuer, item, awarded_on)
                {
                    offers.push((*item, issuer));
                }
            }
        }
        offers
    }

    /// A day of the window: after the examinations of January or July for courses of programmes, any other else.
    fn award_day(&self, kind: RecordKind, draws: &mut SplitMix) -> Result<CivilDate, YearError> {
        let any = draws.small(365);
        let season = draws.small(20);
        let winter = draws.below(2) == 0;
        if kind == RecordKind::FormalCourse {
            let years = [self.begins_on.year(), self.plan.ends_on.year()];
            for year in years {
                let first = CivilDate::new(year, if winter { 1 } else { 7 }, 8).map_err(YearError::Date)?;
                let days = first.days().saturating_add(season);
                if (self.begins_on.days()..=self.plan.ends_on.days()).contains(&days) {
                    return CivilDate::from_days(days).map_err(YearError::Date);
                }
            }
        }
        CivilDate::from_days(self.begins_on.days().saturating_add(any)).map_err(YearError::Date)
    }

    /// Names the record for ever: all that its content depends on, but the data itself.
    fn row_key(&self, index: u64) -> Vec<u8> {
        let YearPlan { seed, learners, records: _, ends_on } = self.plan;
        format!("demo-year/{seed}/{learners}/{ends_on}/{index}").into_bytes()
    }

    pub(super) fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// Where a learner of a profile learns.
    pub(super) fn enrolments(&self, profile: usize, draws: &mut SplitMix) -> Vec<usize> {
        let choices = PROFILES.get(profile).map_or(&[][..], |profile| profile.enrolments);
        let mut enrolments = Vec::new();
        for alternatives in choices {
            for suffix in draws.pick(alternatives).copied().unwrap_or_default() {
                enrolments.extend(self.position(suffix));
            }
        }
        enrolments
    }

    pub(super) fn student_numbers(
        &self,
        enrolments: &[usize],
        number: impl Fn(usize) -> String,
    ) -> Vec<StudentNumber> {
        let institution = |position: &usize| {
            let institution = self.sample.institutions.get(*position)?;
            let institution_id = institution.institution_id.clone();
            Some(StudentNumber { institution_id, number: number(*position) })
        };
        enrolments.iter().filter_map(institution).collect()
    }

    pub(super) fn usci(&self, suffix: Option<&str>) -> String {
        let position = suffix.and_then(|suffix| self.position(suffix));
        let institution = position.and_then(|position| self.sample.institutions.get(position));
        institution.map(|institution| institution.usci.clone()).unwrap_or_default()
    }

    fn position(&self, suffix: &str) -> Option<usize> {
        self.positions.get(format!("{PREFIX}{suffix}").as_str()).copied()
    }
}

impl Iterator for Year<'_> {
    type Item = Result<YearRecord, YearError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.plan.records {
            return None;
        }
        let index = self.next;
        self.next = index.saturating_add(1);
        Some(self.record(index))
    }
}

/// What the ids of the city's institutions begin with.
const PREFIX: &str = "cn.yunjiang.";

/// The position of a kind, by the weights.
fn weighted(kinds: &[(RecordKind, u64)], draws: &mut SplitMix) -> usize {
    let total = kinds.iter().fold(0_u64, |sum, (_, weight)| sum.saturating_add(*weight));
    let mut left = draws.below(total);
    for (position, (_, weight)) in kinds.iter().enumerate() {
        if left < *weight {
            return position;
        }
        left = left.saturating_sub(*weight);
    }
    0
}
