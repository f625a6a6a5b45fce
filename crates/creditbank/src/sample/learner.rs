//! An invented learner.

use super::names::{FAMILY, GIVEN_FIRST, GIVEN_SECOND};
use super::profiles::{PROFILES, PROFILES_COUNT, profile_of};
use super::splitmix::{SplitMix, Stream};
use super::year::{Year, YearError};
use credit_types::{AccountIdentity, AssuranceLevel, CivilDate, DocumentKind, StudentNumber};

/// The district of the invented resident identity numbers: GB/T 2260 gives it to nobody.
pub(super) const DISTRICT: &str = "990100";
/// The districts in which the learners live.
const HOMES: [&str; 4] = ["990101", "990102", "990103", "990104"];
/// Count of sequence numbers of a day that one profile has: a resident identity number has three digits for all.
const SEQUENCES: u32 = 125;
/// Steps through the identity numbers of a profile. A prime larger than their count meets each once.
const IDENTITY_STEP: u64 = 4_000_037;

// The sequence numbers of all profiles fit three digits.
const _: () = assert!(PROFILES_COUNT * SEQUENCES <= 1_000);
// The profile with the longest range of birth years has fewer identity numbers than the step.
const _: () = assert!(60 * 366 * (SEQUENCES as u64) < IDENTITY_STEP);

/// An invented learner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleLearner {
    /// Which one, from 0.
    pub(crate) index: u32,
    /// How well the person was identified.
    pub(crate) assurance: AssuranceLevel,
    /// Who the person is. Only a learner who was identified by a document has one.
    pub(crate) identity: AccountIdentity,
    /// Positions, among the city's institutions, of those where the person learns; ascending.
    pub(super) enrolments: Vec<usize>,
    /// Which profile.
    pub(super) profile: usize,
}

impl SampleLearner {
    /// The learner of that index; the same for any count of learners and records.
    pub(super) fn draw(year: &Year, index: u32) -> Result<Self, YearError> {
        let (number, profile, rank) = profile_of(index);
        let seed = year.seed();
        let mut draws = SplitMix::stream(seed, Stream::Learner, u64::from(index));
        let mut enrolments = year.enrolments(number, &mut draws);
        enrolments.sort_unstable();
        enrolments.dedup();
        let begun = draws.below(7).saturating_add(2019);
        let student_numbers = year.student_numbers(&enrolments, |position| {
            format!("{begun}{:03}{index:07}", position.saturating_add(101))
        });
        let (birth_date, document_number) = resident_id(seed, number, rank)?;
        let assurance = match draws.below(20) {
            0 => AssuranceLevel::None,
            1..=3 => AssuranceLevel::DocumentFace,
            _ => AssuranceLevel::Document,
        };
        let shown = assurance >= AssuranceLevel::Document;
        let mut part = |parts: &[&'static str]| draws.pick(parts).copied().unwrap_or_default();
        let name = [part(&FAMILY), part(&GIVEN_FIRST), part(&GIVEN_SECOND)].concat();
        Ok(Self {
            index,
            assurance,
            identity: AccountIdentity {
                name,
                document_kind: shown.then_some(DocumentKind::ResidentId),
                document_country: if shown { "CHN".to_owned() } else { String::new() },
                document_number: if shown { document_number } else { String::new() },
                birth_date: Some(birth_date),
                // There is no range of numbers that nobody has.
                phone: String::new(),
                district_code: draws.pick(&HOMES).copied().unwrap_or_default().to_owned(),
                employer_usci: year.usci(profile.employer),
                student_numbers: sorted(student_numbers),
            },
            enrolments,
            profile: number,
        })
    }
}

fn sorted(mut numbers: Vec<StudentNumber>) -> Vec<StudentNumber> {
    numbers.sort_by(|a, b| a.institution_id.cmp(&b.institution_id));
    numbers
}

/// A date of birth and a resident identity number (GB 11643) that no other learner of the seed has: profiles have
/// sequence numbers of their own, and within a profile the rank is stepped through all dates and numbers.
fn resident_id(seed: u64, profile: usize, rank: u32) -> Result<(CivilDate, String), YearError> {
    let (from, to) = PROFILES.get(profile).map_or((1940, 1940), |profile| profile.born);
    let first = CivilDate::new(from, 1, 1).map_err(YearError::Date)?.days();
    let last = CivilDate::new(to, 12, 31).map_err(YearError::Date)?.days();
    let days = u64::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(1);
    let count = days.saturating_mul(u64::from(SEQUENCES));
    let profile = u64::try_from(profile).unwrap_or(0);
    let offset = SplitMix::stream(seed, Stream::Identity, profile).below(count);
    let place =
        u64::from(rank).wrapping_mul(IDENTITY_STEP).wrapping_add(offset).checked_rem(count).unwrap_or(0);
    let day = place.checked_rem(days).unwrap_or(0);
    let sequence =
        place.checked_div(days).unwrap_or(0).saturating_add(profile.saturating_mul(u64::from(SEQUENCES)));
    let birth = CivilDate::from_days(first.saturating_add(i32::try_from(day).unwrap_or(0)))
        .map_err(YearError::Date)?;
    let body = format!("{DISTRICT}{:04}{:02}{:02}{sequence:03}", birth.year(), birth.month(), birth.day());
    let check = check_character(&body);
    Ok((birth, format!("{body}{check}")))
}

/// ISO 7064 MOD 11-2 over 17 digits.
pub(super) fn check_character(digits: &str) -> char {
    let sum = digits
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .fold(0_u32, |sum, digit| sum.saturating_add(digit).saturating_mul(2).checked_rem(11).unwrap_or(0));
    match 12_u32.saturating_sub(sum).checked_rem(11) {
        Some(10) => 'X',
        Some(value) => char::from_digit(value, 10).unwrap_or('0'),
        None => '0',
    }
}
