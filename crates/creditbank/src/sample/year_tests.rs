use super::coverage::covers;
use super::learner::{DISTRICT, check_character};
use super::profiles::{PROFILES, PROFILES_COUNT, SHARES, profile_of};
use super::year::{LEARNERS_MAX, WINDOW_DAYS, YearError};
use super::*;
use credit_types::limits::{ACCOUNT_RECORDS_MAX, REFERENCE_BYTES_MAX, STUDENT_NUMBERS_MAX};
use credit_types::{AssuranceLevel, CivilDate, RecordKind};
use std::collections::{BTreeMap, BTreeSet};

fn plan(seed: u64, learners: u32, records: u64) -> YearPlan {
    YearPlan { seed, learners, records, ends_on: "2026-11-22".parse().unwrap() }
}

#[test]
fn the_same_plan_gives_the_same_year_and_another_seed_another() {
    let sample = Sample::load().unwrap();
    let draw = |plan| -> Vec<_> { Year::new(&sample, plan).unwrap().map(Result::unwrap).collect() };
    let year = draw(plan(7, 50, 500));
    assert_eq!(year.len(), 500);
    assert_eq!(draw(plan(7, 50, 500)), year);
    assert_eq!(draw(plan(7, 50, 200)), year[..200]);
    let other = draw(plan(8, 50, 500));
    let same = year.iter().zip(&other).filter(|(a, b)| a.draft.details == b.draft.details).count();
    assert!(same < 50, "{same} of 500 records are the same under another seed");
    let single = Year::new(&sample, plan(7, 50, 500)).unwrap().record(123).unwrap();
    assert_eq!(single, year[123]);
}

/// Each record is one that its issuer may deposit, for a learner who is known to it, within the year.
#[test]
fn every_record_is_within_its_bounds_and_covered() {
    let sample = Sample::load().unwrap();
    let plan = plan(1, 2_000, 20_000);
    let first = CivilDate::from_days(plan.ends_on.days() - WINDOW_DAYS + 1).unwrap();
    let year = Year::new(&sample, plan).unwrap();
    let learners: Vec<_> = year.learners().map(Result::unwrap).collect();
    assert_eq!(learners.len(), 2_000);
    let mut kinds: BTreeMap<(RecordKind, bool), u32> = BTreeMap::new();
    let (mut issuers, mut items) = (BTreeSet::new(), BTreeSet::new());
    let (mut keys, mut certificates) = (BTreeSet::new(), BTreeSet::new());
    let mut counts = vec![0_u32; 2_000];
    for record in year {
        let record = record.unwrap();
        let draft = &record.draft;
        let issuer = sample.institutions.iter().find(|known| known.institution_id == record.issuer).unwrap();
        let reference = &draft.details.catalogue_ref;
        let item = sample.catalogue.iter().find(|item| item.catalogue_ref == *reference).unwrap();
        assert!(item.issuers.contains(&record.issuer));
        assert!(covers(issuer, item, draft.awarded_on), "{reference} by {}", record.issuer);
        assert!((first..=plan.ends_on).contains(&draft.awarded_on), "{}", draft.awarded_on);
        let (start, end) = (draft.details.start_on.unwrap(), draft.details.end_on.unwrap());
        assert!(start <= end && end <= draft.awarded_on);
        assert!(draft.valid_until.is_none_or(|last| last > draft.awarded_on));
        let learner = usize::try_from(record.learner).unwrap();
        counts[learner] += 1;
        let numbers = &learners[learner].identity.student_numbers;
        let number = numbers.iter().find(|number| number.institution_id == record.issuer).unwrap();
        assert_eq!(number.number, draft.learner_number);
        assert!(draft.details.certificate_no.len() <= REFERENCE_BYTES_MAX);
        if !draft.details.certificate_no.is_empty() {
            assert!(certificates.insert(draft.details.certificate_no.clone()));
        }
        assert_eq!(draft.details.score_milli.is_some(), !draft.details.score_scale_id.is_empty());
        assert!(draft.details.score_milli.is_none_or(|score| (60_000..=100_000).contains(&score)));
        assert_eq!(draft.details.evidence.is_empty(), draft.kind != RecordKind::Experience);
        assert!(keys.insert(draft.row_key.clone()));
        *kinds.entry((draft.kind, draft.amount.is_some())).or_default() += 1;
        issuers.insert(record.issuer);
        items.insert(reference.clone());
    }
    assert_eq!(kinds.keys().map(|(kind, _)| kind).collect::<BTreeSet<_>>().len(), 10);
    assert!(kinds[&(RecordKind::Activity, false)] > kinds[&(RecordKind::Activity, true)]);
    let accredited =
        sample.institutions.iter().filter(|institution| !institution.accreditations.is_empty()).count();
    assert_eq!(issuers.len(), accredited, "an issuer attests nothing");
    assert_eq!(items.len(), sample.catalogue.len(), "an item is never attested");
    assert!(counts.iter().all(|count| *count == 10));
}

/// The ten kinds are there in a year of a few hundred records, whatever the seed.
#[test]
fn a_small_year_has_all_kinds() {
    let sample = Sample::load().unwrap();
    for seed in 0..10 {
        let year = Year::new(&sample, plan(seed, 100, 800)).unwrap();
        let kinds: BTreeSet<_> = year.map(|record| record.unwrap().draft.kind).collect();
        assert_eq!(kinds.len(), 10, "seed {seed}");
    }
}

#[test]
fn no_two_learners_have_a_number_in_common_and_none_is_a_real_persons() {
    let sample = Sample::load().unwrap();
    let year = Year::new(&sample, plan(3, 50_000, 0)).unwrap();
    let (mut documents, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut without = 0;
    for learner in year.learners() {
        let learner = learner.unwrap();
        let identity = learner.identity;
        assert!(!identity.name.is_empty() && identity.name.len() <= 128);
        assert!((1..=STUDENT_NUMBERS_MAX).contains(&identity.student_numbers.len()));
        assert!(identity.student_numbers.is_sorted_by(|a, b| a.institution_id < b.institution_id));
        for number in identity.student_numbers {
            assert!(numbers.insert((number.institution_id, number.number)));
        }
        if learner.assurance < AssuranceLevel::Document {
            assert!(identity.document_kind.is_none() && identity.document_number.is_empty());
            without += 1;
            continue;
        }
        let document = identity.document_number;
        assert!(document.len() == 18 && document.starts_with(DISTRICT));
        assert!(document.ends_with(check_character(&document[..17])));
        assert_eq!(document[6..14], identity.birth_date.unwrap().to_string().replace('-', ""));
        assert!(documents.insert(document));
    }
    assert_eq!(documents.len() + without, 50_000);
    assert!((1_000..5_000).contains(&without));
    // The example of GB 11643.
    assert_eq!(check_character("11010519491231002"), 'X');
}

#[test]
fn profiles_have_room_for_all_learners() {
    let mut ranks: BTreeMap<usize, u32> = BTreeMap::new();
    for learner in 0..SHARES * 3 {
        let (number, profile, rank) = profile_of(learner);
        assert_eq!(ranks.get(&number).copied().unwrap_or(0), rank, "{profile:?}");
        ranks.insert(number, rank + 1);
    }
    assert_eq!(PROFILES.iter().map(|profile| profile.share).sum::<u32>(), SHARES);
    assert_eq!(PROFILES.len(), usize::try_from(PROFILES_COUNT).unwrap());
    for (number, profile) in PROFILES.iter().enumerate() {
        assert_eq!(ranks[&number], profile.share * 3);
        let years = u32::try_from(profile.born.1 - profile.born.0 + 1).unwrap();
        assert!(LEARNERS_MAX / SHARES * profile.share <= years * 365 * 125, "{number}");
        assert!(profile.enrolments.iter().all(|alternatives| !alternatives.is_empty()));
    }
}

#[test]
fn a_year_ends_at_its_limits() {
    let sample = Sample::load().unwrap();
    let year = |learners, records| Year::new(&sample, plan(1, learners, records));
    assert!(year(LEARNERS_MAX, 0).is_ok());
    assert!(matches!(year(LEARNERS_MAX + 1, 0), Err(YearError::Learners(_))));
    assert!(matches!(year(0, 0), Err(YearError::Learners(0))));
    let most = u64::from(ACCOUNT_RECORDS_MAX) * 3;
    assert!(year(3, most).is_ok());
    assert!(matches!(year(3, most + 1), Err(YearError::Records { .. })));
    let last = Year::new(&sample, plan(1, LEARNERS_MAX, 0)).unwrap().record(u64::MAX).unwrap();
    assert!(last.learner < LEARNERS_MAX);
}

/// Before the city had any accreditation there is nothing to attest, and the first day of all is no panic.
#[test]
fn a_year_without_accreditations_is_refused() {
    let sample = Sample::load().unwrap();
    let ends = |ends_on: &str| YearPlan { ends_on: ends_on.parse().unwrap(), ..plan(1, 20, 20) };
    let early = Year::new(&sample, ends("1990-12-31")).unwrap().next().unwrap();
    assert!(matches!(early, Err(YearError::NothingToAttest)));
    assert!(matches!(Year::new(&sample, ends("1900-06-30")), Err(YearError::Date(_))));
}
