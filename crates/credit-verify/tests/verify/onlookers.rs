//! Whoever looks on sees every application once, with the rows as they stood and with what it was reckoned from.

use std::cell::RefCell;
use std::collections::BTreeMap;

use credit_ledger::assess::{self, Beside};
use credit_ledger::{Row, RowId, View};
use credit_rules::book::Book;
use credit_rules::program::Program;
use credit_types::{
    CivilDate, ConversionParticulars, ConversionPurpose, ConversionRequest, ProposedItem, RecordDetails,
};
use credit_verify::{Application, DetailsSource, Onlooker, Secrets, Verdict, Verifier};

use crate::bank::Bank;
use crate::college::{BOOK, Shelf, book_bytes, publication};
use crate::conversions::{converted, stated};
use crate::rows;

/// An application as it was shown.
struct Shown {
    index: u64,
    day: CivilDate,
    view: View,
    request: ConversionRequest,
    items: Vec<ProposedItem>,
    secrets: Option<(Vec<Option<RecordDetails>>, ConversionParticulars)>,
}

#[derive(Default)]
struct Looking(RefCell<Vec<Shown>>);

impl Onlooker for Looking {
    fn application(&self, application: &Application<'_>) {
        let Application { index, day, view, request, items, secrets } = *application;
        let secrets = secrets.map(|Secrets { details, particulars }| {
            (details.to_vec(), ConversionParticulars::clone(particulars))
        });
        self.0.borrow_mut().push(Shown {
            index,
            day: day.unwrap(),
            view: view.clone(),
            request: request.clone(),
            items: items.to_vec(),
            secrets,
        });
    }
}

/// The applications of a log by their rows at its end.
fn applications(bank: &Bank) -> Vec<u64> {
    let named = bank.rows.keys();
    named.filter_map(|id| if let RowId::Application(at) = id { Some(*at) } else { None }).collect()
}

/// All that is shown of a log, so many entries read ahead.
fn shown(bank: &Bank, details: Option<&dyn DetailsSource>, ahead: usize) -> Vec<Shown> {
    let (shelf, looking) = (Shelf::of_book(), Looking::default());
    let mut verifier = Verifier::new(Some(bank.trust())).with_blobs(&shelf).with_onlooker(&looking);
    let preparer = verifier.preparer();
    for entries in bank.entries.chunks(ahead) {
        let prepared: Vec<_> = entries.iter().map(|raw| preparer.prepare(&raw.bytes(), details)).collect();
        for (raw, prepared) in entries.iter().zip(prepared) {
            verifier.push_prepared(&raw.bytes(), details, prepared).unwrap();
        }
    }
    assert_eq!(verifier.finish(Some(&bank.checkpoint())).unwrap().verdict, Verdict::Ok);
    drop(verifier);
    looking.0.into_inner()
}

/// The rows before each entry, as a verifier has them on which nobody looks on.
fn rows_before(bank: &Bank) -> Vec<BTreeMap<RowId, Row>> {
    let mut verifier = Verifier::new(None);
    let mut all = Vec::new();
    for raw in &bank.entries {
        all.push(rows(&mut verifier));
        verifier.push(&raw.bytes()).unwrap();
    }
    all
}

#[test]
fn every_application_is_shown_once_with_the_rows_before_it() {
    let bank = converted(1);
    let before = rows_before(&bank);
    for ahead in [1, bank.entries.len()] {
        let all = shown(&bank, Some(&bank.vault), ahead);
        let indexes: Vec<u64> = all.iter().map(|one| one.index).collect();
        assert_eq!(indexes, applications(&bank));
        for Shown { index, view, request, items, .. } in &all {
            let before = &before[usize::try_from(*index).unwrap()];
            // Heads and leaves are the tree's; all else is as the entries before have made it.
            for (id, row) in view.iter().filter(|(id, _)| !matches!(id, RowId::Head(_) | RowId::Leaf(_))) {
                assert_eq!(before.get(id), Some(row), "{index}: {id:?}");
            }
            let Some(Row::Application(row)) = bank.rows.get(&RowId::Application(*index)) else { panic!() };
            assert_eq!((&row.request, &row.items), (request, items));
            assert!(view.uses(request.account_ref).is_none_or(|row| !row.applications.contains(index)));
        }
    }
}

#[test]
fn what_is_shown_is_all_that_it_takes_to_reckon_it_again() {
    let bank = converted(2);
    let program = Program::new(Book::from_toml(BOOK).unwrap()).unwrap();
    let digest = publication(&book_bytes()).digest;
    let all = shown(&bank, Some(&bank.vault), 1);
    for Shown { index, day, view, request, items, secrets } in &all {
        let (details, particulars) = secrets.as_ref().unwrap();
        let beside = Beside { program: &program, digest, details, particulars };
        assert_eq!(&assess::reckon(view, *day, request, beside).items, items, "{index}");
    }
    assert_eq!(all[0].secrets.as_ref().unwrap().1, stated("exam"));
    assert_eq!(all.last().unwrap().request.purpose, ConversionPurpose::Award);
    // Whoever has no mandate is shown them too, but nothing that is secret.
    let closed = shown(&bank, None, 1);
    assert_eq!(closed.len(), all.len());
    assert!(closed.iter().all(|one| one.secrets.is_none()));
}
