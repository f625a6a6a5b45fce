use super::*;
use crate::spreadsheet::Spreadsheet;
use std::path::Path;

/// Where the project keeps data that others made; `None` with a note where it is not there.
fn shared_data() -> Option<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word.trim() == "data"), "shared data is required");
    println!("skipped: no shared data");
    None
}

#[test]
fn oulad_is_fifteen_thousand_records_and_seventeen_thousand_rows_that_are_not_credit() {
    let Some(folder) = shared_data() else { return };
    let mapping = Mapping::parse(include_str!("../../../../ledger-data/mappings/oulad.toml")).unwrap();
    let file = std::fs::File::open(folder.join("oulad/studentInfo.csv")).unwrap();
    let mut sheet = Spreadsheet::open(file, mapping.layout()).unwrap();
    let columns = mapping.columns(sheet.header()).unwrap();
    let mut learners = BTreeSet::new();
    let mut row_keys = BTreeSet::new();
    let mut credits_milli = 0_i64;
    let mut minutes = 0_i64;
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let mut ends = BTreeMap::new();
    while let Some(row) = sheet.next_row().unwrap() {
        match mapping.row(&columns, &row.fields) {
            RowOutcome::Record(draft) => {
                let amount = draft.amount.unwrap();
                assert_eq!(amount.scheme.as_str(), "CATS");
                credits_milli = credits_milli.checked_add(amount.credits.milli()).unwrap();
                minutes = minutes.checked_add(i64::from(draft.minutes.unwrap().minutes)).unwrap();
                ends.insert(draft.details.catalogue_ref, draft.awarded_on.to_string());
                learners.insert(draft.learner_number);
                assert!(row_keys.insert(draft.row_key), "line {} has the key of another row", row.line);
            }
            RowOutcome::NotCredit { reason } => {
                let count = reasons.entry(reason).or_default();
                *count = count.checked_add(1).unwrap();
            }
            RowOutcome::Bad(bad) => panic!("line {}: {bad:?}", row.line),
        }
    }
    assert_eq!(row_keys.len(), 15_385);
    assert_eq!(learners.len(), 14_581);
    assert_eq!(credits_milli, 777_840_000);
    assert_eq!(minutes, 777_840 * 600);
    assert_eq!(reasons, BTreeMap::from([("FAILED".to_owned(), 7_052), ("WITHDRAWN".to_owned(), 10_156)]));
    assert_eq!(ends.len(), 22);
    // 1 October 2013 + 268 days, 1 February 2014 + 234 days.
    assert_eq!(ends["OULAD-AAA@2013J"], "2014-06-26");
    assert_eq!(ends["OULAD-BBB@2014B"], "2014-09-23");
}

/// The mapping stands alone: its table of lengths is the data set's.
#[test]
fn the_lengths_are_those_of_the_data_set() {
    let Some(folder) = shared_data() else { return };
    let text = include_str!("../../../../ledger-data/mappings/oulad.toml");
    let form: MappingForm = toml::from_str(text).unwrap();
    let file = std::fs::File::open(folder.join("oulad/courses.csv")).unwrap();
    let mut sheet = Spreadsheet::open(file, crate::spreadsheet::Layout::default()).unwrap();
    let mut lengths = BTreeMap::new();
    while let Some(row) = sheet.next_row().unwrap() {
        let [module, presentation, days] = row.fields.try_into().unwrap();
        lengths.insert(format!("{module}/{presentation}"), Scalar(days));
    }
    assert_eq!(lengths.len(), 22);
    assert_eq!(form.lookup["length_days"], lengths);
}
