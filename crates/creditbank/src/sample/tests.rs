#![expect(clippy::arithmetic_side_effects, reason = "tests count with small numbers")]

//! Every shipped file is within the bounds of the statements that are made of it.

use super::*;
use credit_types::limits::{
    ACCREDITATIONS_MAX, CLASS_HOUR_MINUTES_MAX, CODE_BYTES_MAX, LEVEL_RANGES_MAX, LEVEL_TENTHS_MAX,
    MINUTES_MAX, PREFIXES_MAX, REFERENCE_BYTES_MAX, SCHEMES_MAX, TEXT_BYTES_MAX, VALIDITY_YEARS_MAX,
};
use credit_types::{CivilDate, CreditScheme, InstitutionId, RecordKind, Role, Text};
use std::collections::{BTreeMap, BTreeSet};

/// The schemes that the product ships.
const SCHEMES: [&str; 15] = [
    "CATS",
    "CEU",
    "CN_XF",
    "CN_XS",
    "CPD_POINT",
    "ECTS",
    "IN_NCRF",
    "KR_HJ",
    "QF_GD",
    "QF_HK",
    "SCQF",
    "TW_XF",
    "US_QH",
    "US_SH",
    "ZA_NQF",
];

fn sample() -> Sample {
    Sample::load().unwrap()
}

#[track_caller]
fn check_text(text: &Text) {
    for part in [&text.zh, &text.en] {
        assert!(!part.is_empty() && part.len() <= TEXT_BYTES_MAX, "{text:?}");
        assert!(!part.chars().any(char::is_control), "{text:?}");
    }
}

#[track_caller]
fn check_ascii(text: &str, bytes_max: usize) {
    assert!((1..=bytes_max).contains(&text.len()), "{text:?}");
    assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x7E)), "{text:?}");
}

/// The check character of a unified social credit identifier (GB 32100) over its first 17.
fn usci_check(usci: &str) -> char {
    let letters: Vec<char> = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().collect();
    let mut weight = 1;
    let mut sum = 0;
    for letter in usci.chars().take(17) {
        sum = (sum + letters.iter().position(|known| *known == letter).unwrap() * weight) % 31;
        weight = weight * 3 % 31;
    }
    letters[(31 - sum) % 31]
}

#[test]
fn the_schemes_are_the_shipped_ones_each_of_one_framework() {
    let sample = sample();
    let mut schemes: Vec<&CreditScheme> = Vec::new();
    let mut ids = BTreeSet::new();
    for framework in &sample.frameworks {
        assert!(ids.insert(&framework.framework_id), "{} is there twice", framework.framework_id);
        assert_eq!(framework.version, 1);
        check_text(&framework.title);
        assert!(framework.schemes.len() <= SCHEMES_MAX);
        assert!(framework.schemes.is_sorted_by(|a, b| a.scheme_id < b.scheme_id));
        if let Some(scale) = framework.levels {
            assert!(0 <= scale.min_tenths && scale.max_tenths <= LEVEL_TENTHS_MAX && scale.step_tenths >= 1);
            assert!(scale.has(scale.min_tenths) && scale.has(scale.max_tenths));
        }
        assert!(framework.levels.is_some() || !framework.schemes.is_empty());
        for scheme in &framework.schemes {
            check_text(&scheme.label);
            assert!((1..=1_000_000).contains(&scheme.step_milli), "{scheme:?}");
            assert!((0..=1_000_000).contains(&scheme.notional_minutes), "{scheme:?}");
            schemes.push(scheme);
        }
    }
    let mut names: Vec<&str> = schemes.iter().map(|scheme| scheme.scheme_id.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, SCHEMES);
    for id in ["cn.nqf", "cn.skill8", "uk.fheq", "eu.ects"] {
        assert!(ids.iter().any(|known| known.as_str() == id), "{id}");
    }
}

#[test]
fn institutions_are_within_the_bounds_of_an_admission() {
    let sample = sample();
    let mut admitted: BTreeSet<&InstitutionId> = BTreeSet::new();
    let mut uscis = BTreeSet::new();
    for institution in &sample.institutions {
        let id = &institution.institution_id;
        assert!(id.as_str().starts_with("cn.yunjiang."), "{id}");
        check_text(&institution.name);
        assert!(!institution.roles.is_empty(), "{id}");
        assert!(institution.parent_id.as_ref().is_none_or(|parent| admitted.contains(parent)), "{id}");
        assert!(admitted.insert(id), "{id} is there twice");
        assert_eq!(institution.district_code.len(), 6, "{id}");
        assert!(institution.district_code.starts_with("9901"), "{id}");
        assert!(institution.default_validity_years <= VALIDITY_YEARS_MAX);
        if !institution.usci.is_empty() {
            assert_eq!(institution.usci.len(), 18, "{id}");
            assert_eq!(institution.usci.chars().last(), Some(usci_check(&institution.usci)), "{id}");
            assert_eq!(institution.usci.get(2..8), Some(institution.district_code.as_str()), "{id}");
            assert!(uscis.insert(&institution.usci), "{id}");
        }
        assert_eq!(institution.roles.contains(&Role::Issuer), !institution.accreditations.is_empty(), "{id}");
        assert!(institution.accreditations.len() <= ACCREDITATIONS_MAX, "{id}");
        for accreditation in &institution.accreditations {
            check_ascii(&accreditation.accreditation_no, REFERENCE_BYTES_MAX);
            check_ascii(&accreditation.authority, REFERENCE_BYTES_MAX);
            assert!(!accreditation.kinds.is_empty(), "{id}");
            assert!(accreditation.levels.len() <= LEVEL_RANGES_MAX, "{id}");
            assert!(accreditation.levels.is_sorted_by(|a, b| a.framework < b.framework), "{id}");
            for range in &accreditation.levels {
                let framework = sample.frameworks.iter().find(|known| known.framework_id == range.framework);
                let scale = framework.unwrap().levels.unwrap();
                assert!(scale.has(range.min_tenths) && scale.has(range.max_tenths), "{id}");
                assert!(range.min_tenths <= range.max_tenths, "{id}");
            }
            for prefixes in [&accreditation.subject_prefixes, &accreditation.occupation_prefixes] {
                assert!(prefixes.len() <= PREFIXES_MAX, "{id}");
                for prefix in prefixes {
                    check_ascii(prefix, CODE_BYTES_MAX);
                }
            }
            assert!(accreditation.valid_to.is_none_or(|last| accreditation.valid_from <= last), "{id}");
        }
    }
    let children = sample.institutions.iter().filter(|institution| institution.parent_id.is_some()).count();
    assert_eq!((sample.institutions.len(), children), (23, 7));
    for role in
        [Role::Issuer, Role::Evaluator, Role::Acceptor, Role::Awarder, Role::Registrar, Role::Regulator]
    {
        assert!(sample.institutions.iter().any(|institution| institution.roles.contains(&role)), "{role:?}");
    }
}

#[test]
fn catalogue_items_are_within_the_bounds_of_a_record() {
    let sample = sample();
    let schemes: BTreeMap<&str, &CreditScheme> = sample
        .frameworks
        .iter()
        .flat_map(|framework| &framework.schemes)
        .map(|scheme| (scheme.scheme_id.as_str(), scheme))
        .collect();
    let mut refs = BTreeSet::new();
    let mut kinds: BTreeMap<RecordKind, usize> = BTreeMap::new();
    for item in &sample.catalogue {
        let name = &item.catalogue_ref;
        check_ascii(name, REFERENCE_BYTES_MAX);
        assert!(refs.insert(name), "{name} is there twice");
        *kinds.entry(item.kind).or_default() += 1;
        check_text(&item.title);
        // One code: a subject or an occupation.
        assert!(item.subject_code.is_empty() != item.occupation_code.is_empty(), "{name}");
        check_ascii(&format!("{}{}", item.subject_code, item.occupation_code), CODE_BYTES_MAX);
        if let Some(amount) = &item.amount {
            assert_eq!(amount.credits.milli() % schemes[amount.scheme.as_str()].step_milli, 0, "{name}");
        }
        if let Some(level) = &item.level {
            let framework = sample.frameworks.iter().find(|known| known.framework_id == level.framework);
            assert!(framework.unwrap().levels.unwrap().has(level.tenths), "{name}");
        }
        if let Some(minutes) = item.minutes {
            assert!((1..=MINUTES_MAX).contains(&minutes.minutes), "{name}");
            assert!((0..=CLASS_HOUR_MINUTES_MAX).contains(&minutes.class_hour_minutes), "{name}");
        }
        assert!(item.validity_years <= VALIDITY_YEARS_MAX, "{name}");
        assert!(item.lineage_key.is_empty() || item.lineage_key.len() <= REFERENCE_BYTES_MAX, "{name}");
        check_ascii(&item.language, 16);
    }
    assert!(refs.len() >= 60);
    assert_eq!(kinds.len(), 10);
}

/// An item whose issuer may not attest it would be refused in every demonstration.
#[test]
fn each_item_is_covered_by_an_accreditation_of_each_of_its_issuers() {
    let sample = sample();
    let day: CivilDate = "2026-11-23".parse().unwrap();
    for item in &sample.catalogue {
        assert!(!item.issuers.is_empty(), "{}", item.catalogue_ref);
        for id in &item.issuers {
            let issuer = sample.institutions.iter().find(|known| known.institution_id == *id);
            assert!(coverage::covers(issuer.unwrap(), item, day), "{} by {id}", item.catalogue_ref);
        }
    }
}

#[test]
fn coverage_asks_for_kind_level_code_and_day() {
    let sample = sample();
    let skills =
        sample.institutions.iter().find(|known| known.institution_id.as_str() == "cn.yunjiang.skills");
    let welder = sample.catalogue.iter().find(|item| item.catalogue_ref == "SG-6-18-02-04-4@1").unwrap();
    let covers =
        |item: &CatalogueItem, day: &str| coverage::covers(skills.unwrap(), item, day.parse().unwrap());
    assert!(covers(welder, "2022-06-01"));
    assert!(!covers(welder, "2022-05-31"));
    let changed = |change: fn(&mut CatalogueItem)| {
        let mut item = welder.clone();
        change(&mut item);
        covers(&item, "2024-01-01")
    };
    assert!(!changed(|item| item.kind = RecordKind::XCert));
    assert!(!changed(|item| item.level = None));
    assert!(!changed(|item| item.level.as_mut().unwrap().tenths = 90));
    assert!(!changed(|item| item.occupation_code = "2-01-01-01".to_owned()));
    assert!(!changed(|item| std::mem::swap(&mut item.occupation_code, &mut item.subject_code)));
    assert!(changed(|item| item.level.as_mut().unwrap().tenths = 10));
}

/// What the mapping of OULAD sets is what the international college may attest.
#[test]
fn the_international_college_may_attest_oulad() {
    let sample = sample();
    let college =
        sample.institutions.iter().find(|known| known.institution_id.as_str() == "cn.yunjiang.international");
    let mut item = sample.catalogue.iter().find(|item| item.catalogue_ref == "YJIC-UK101@1").unwrap().clone();
    assert_eq!(item.level.as_ref().unwrap().tenths, 40);
    for code in ["0388", "0588"] {
        code.clone_into(&mut item.subject_code);
        for day in ["2013-09-29", "2015-06-27"] {
            assert!(coverage::covers(college.unwrap(), &item, day.parse().unwrap()), "{code} {day}");
        }
    }
}

#[test]
fn data_of_another_form_is_refused() {
    let refused = |text: &str| parse::<TextForm>("x.toml", text).err().unwrap().to_string();
    assert_eq!(refused("zh = \"a\"\nen = \"b\"\nfr = \"c\""), "could not read x.toml");
    assert_eq!(refused("zh = \"a\""), "could not read x.toml");
    let known = institutions::level("5.55").unwrap_err().to_string();
    assert_eq!(known, "level \"5.55\" \"5.55\" has too many decimals");
    assert!(institutions::institution_id("nobody").is_err());
    assert!(frameworks::scheme_id("xf").is_err() && frameworks::credits_milli("1e3").is_err());
}
