//! The book of the invented city, held against the city's own institutions, frameworks and catalogue: whatever it names
//! is there, and whatever the city attests can be converted by the rules that speak of it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use credit_rules::award::{Held, verdict};
use credit_rules::book::Book;
use credit_rules::input::{Question, Record, Use};
use credit_rules::program::Program;
use credit_rules::value::{Credit, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const DEGREE: &str = "cn.yunjiang.openuniv:ADMIN-AD";
const SOFTWARE: &str = "cn.yunjiang.openuniv:SOFT-AD";
const PASSPORT: &str = "cn.yunjiang.creditbank:PASSPORT";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("ledger-data").join(name)
}

fn book() -> Book {
    let text = std::fs::read_to_string(data("rulebooks/yunjiang-city/book.toml")).unwrap();
    Book::from_toml(&text).unwrap()
}

/// All members of a list in the files of a folder.
fn members(folder: &str, list: &str) -> Vec<Table> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data(folder)).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let table: Table = toml::from_str(&text).unwrap();
        let list = table.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        found.extend(list.into_iter().map(|one| one.as_table().unwrap().clone()));
    }
    found
}

fn word<'t>(table: &'t Table, key: &str) -> &'t str {
    table[key].as_str().unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// What the city attests, each by each of its issuers, with the best result.
fn records() -> Vec<Record> {
    let mut records = Vec::new();
    for item in members("catalogue", "item") {
        for issuer in item["issuers"].as_array().unwrap() {
            let issuer = issuer.as_str().unwrap();
            let mut record = Table::new();
            let mut set = |key: &str, value: &str| drop(record.insert(key.to_owned(), value.into()));
            let code = format!("{issuer}:{}@{}", word(&item, "code"), item["version"].as_integer().unwrap());
            set("id", &code);
            set("course", &code);
            set("issuer", issuer);
            set("kind", &word(&item, "kind").to_lowercase());
            set("earned_on", "2026-05-04");
            set("attendance", "100 %");
            set("title", item["title"]["zh"].as_str().unwrap());
            for (key, from) in
                [("subject", "subject_code"), ("occupation", "occupation_code"), ("lineage", "lineage_key")]
            {
                if item.contains_key(from) {
                    set(key, word(&item, from));
                }
            }
            if let Some(amount) = item.get("amount") {
                set("credit", &format!("{} cr", amount["credits"].as_str().unwrap()));
                set("std", amount["scheme"].as_str().unwrap());
            }
            if let Some(minutes) = item.get("minutes") {
                set("hours", &format!("{} min", minutes["minutes"].as_integer().unwrap()));
                let kind = match minutes["hour_kind"].as_str().unwrap() {
                    "CONTACT" => "contact",
                    "NOTIONAL" => "learning",
                    "CONTINUING" => "ce",
                    "PRACTICE" => "practice",
                    other => panic!("{other}"),
                };
                set("hour_kind", kind);
            }
            if let Some(level) = item.get("level") {
                set("level", level["level"].as_str().unwrap());
                set("ladder", level["framework"].as_str().unwrap());
            }
            match word(&item, "assessment") {
                "SCORE_100" => {
                    set("score", "95");
                    set("score_scale", "cn.pct100");
                }
                "GRADE_5" => {
                    set("grade", "优秀");
                    set("grade_scale", "cn.five");
                }
                "GRADE_3" => {
                    set("grade", "优秀");
                    set("grade_scale", "cn.three");
                }
                _ => {}
            }
            if !["PARTICIPATION", "NONE"].contains(&word(&item, "assessment")) {
                record.insert("passed".to_owned(), true.into());
            }
            records.push(record.try_into().unwrap_or_else(|error| panic!("{code}: {error}")));
        }
    }
    records
}

fn question(programme: &str, records: Vec<Record>) -> Question {
    let text = format!("on = 2026-11-23\nprogramme = \"{programme}\"\nrecords = []");
    Question { records, ..toml::from_str(&text).unwrap() }
}

#[test]
fn whatever_the_book_names_is_in_the_city() {
    let book = book();
    let institutions = members("institutions", "institution");
    let institutions: BTreeSet<&str> = institutions.iter().map(|one| word(one, "institution_id")).collect();
    let there = |id: &Name| {
        let id = id.as_str();
        institutions.contains(id)
            || (id.ends_with('.') && institutions.iter().any(|other| other.starts_with(id)))
    };
    let courses: BTreeSet<String> = records()
        .iter()
        .map(|record| record.course.as_ref().unwrap().as_str().rsplit_once('@').unwrap().0.to_owned())
        .collect();
    for issuer in book.groups.values().flatten().chain(book.rules.iter().flat_map(|rule| &rule.when.issuer)) {
        assert!(there(issuer), "no institution {issuer}");
    }
    let targets = book.rules.iter().flat_map(|rule| &rule.award).filter_map(|target| target.course.as_ref());
    let required = book.programmes.values().flat_map(|own| &own.requirements).flat_map(|own| &own.courses);
    for course in targets.chain(required).chain(book.rules.iter().flat_map(|rule| &rule.when.course)) {
        assert!(courses.contains(course.as_str()), "the catalogue has no {course}");
    }
    let schemes: BTreeSet<String> =
        members("frameworks", "scheme").iter().map(|scheme| word(scheme, "scheme_id").to_owned()).collect();
    for std in book.standards.keys() {
        assert!(schemes.contains(std.as_str()), "no scheme {std}");
    }
    for programme in book.programmes.values() {
        assert!(there(&programme.institution), "no institution {}", programme.institution);
        let parts = programme.requirements.iter().filter_map(|own| own.credit);
        let parts: i64 = parts.map(|credit| credit.0).sum();
        assert!(
            [0, programme.total.0].contains(&parts),
            "{}: {parts} of its requirements",
            programme.label.en
        );
    }
}

#[test]
fn every_rule_takes_something_that_the_city_attests() {
    let book = book();
    let rules: BTreeSet<Name> = book.rules.iter().map(|rule| rule.id.clone()).collect();
    let program = Program::new(book).unwrap();
    let mut used: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for programme in [DEGREE, SOFTWARE, PASSPORT] {
        for offer in program.answer(&question(programme, records())).unwrap().offers {
            used.entry(offer.rule).or_default().extend(offer.records);
        }
    }
    let idle: Vec<&Name> = rules.iter().filter(|rule| !used.contains_key(*rule)).collect();
    assert!(idle.is_empty(), "{idle:?} take nothing");
    // Points of the community never count to a degree.
    let community = ["community-activities", "community-courses"].map(name);
    for programme in [DEGREE, SOFTWARE] {
        let offers = program.answer(&question(programme, records())).unwrap().offers;
        assert!(offers.iter().all(|offer| !community.contains(&offer.rule)));
    }
}

#[test]
fn whoever_has_everything_gets_what_the_ceilings_leave() {
    let program = Program::new(book()).unwrap();
    // One of each, of its first issuer, so that nothing is there twice.
    let mut seen = BTreeSet::new();
    let once: Vec<Record> =
        records().into_iter().filter(|record| seen.insert(record.title.clone())).collect();
    let allocated = program.allocate(&question(DEGREE, once.clone())).unwrap();
    // 60 % of 76 in steps of half a credit: the ceiling itself, so that nothing better is possible.
    assert_eq!(Credit(allocated.credit_milli), Credit(45_500));
    let passport = program.allocate(&question(PASSPORT, once.clone())).unwrap();
    let grants: Vec<Use> = passport
        .grants
        .iter()
        .map(|grant| {
            let record = passport.offers[grant.offer].records[0].clone();
            let credit: i64 = grant.lines.iter().map(|line| line.credit.0).sum();
            let text =
                format!("record = \"{record}\"\ntarget = \"community\"\ncredit = \"{}\"", Credit(credit));
            toml::from_str(&text).unwrap()
        })
        .collect();
    let on = question(PASSPORT, Vec::new()).on;
    let award = |id: &str| program.book().awards.iter().find(|award| award.id == name(id)).unwrap();
    let held: Vec<Held> =
        grants.iter().map(|granted| Held::of_grant(program.book(), award("passport"), granted, on)).collect();
    let reached = verdict(program.book(), award("passport"), on, &held).unwrap();
    assert_eq!(reached.step, Some(name("gold")), "{} points", reached.total);
    let double = award("shuangzheng");
    let held: Vec<Held> = once.iter().map(|record| Held::of_record(double, record)).collect();
    assert!(verdict(program.book(), double, on, &held).unwrap().granted);
}
