//! What differs between the same part of two books.

use super::written::{Thing, fields};
use super::{Change, Difference, Part, changed, place};
use crate::value::Label;
use std::collections::BTreeMap;

type Things = BTreeMap<String, Thing>;

/// What is new or says something else, in the order of the new book, and then what is gone.
pub(super) fn between(
    part: Part,
    what: (&str, &str),
    (key, old, new): (&str, Things, Things),
) -> Vec<Difference> {
    let (zh, en) = what;
    let mut in_order: Vec<(&String, &Thing)> = new.iter().collect();
    in_order.sort_by(|one, other| one.1.place.cmp(&other.1.place));
    let mut all = Vec::new();
    for (id, thing) in in_order {
        let path = place(key, &thing.place);
        let Some(before) = old.get(id) else {
            let says = Label { zh: format!("新增{zh} {id}"), en: format!("{en} {id} is new") };
            all.push(one(part, (id, Change::Added), path, says));
            continue;
        };
        let fields = fields(&before.fields, &thing.fields);
        if !fields.is_empty() {
            all.push(changed(part, (id, what), path, fields));
        }
    }
    for (id, thing) in old.iter().filter(|(id, _)| !new.contains_key(*id)) {
        let says = Label { zh: format!("删去{zh} {id}"), en: format!("{en} {id} is gone") };
        all.push(one(part, (id, Change::Removed), place(key, &thing.place), says));
    }
    all
}

fn one(part: Part, (id, change): (&str, Change), path: crate::path::BookPath, says: Label) -> Difference {
    Difference { part, id: id.to_owned(), change, path, says, fields: Vec::new() }
}
