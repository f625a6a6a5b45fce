//! The names of a book as numbers.

use crate::book::{Book, Bundle, When, stands_for};
use crate::value::Name;
use std::collections::BTreeMap;

/// The number of a name; [`Id::STRANGE`] for one that the book does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u32);

impl Id {
    /// A name that the book does not have; it equals no name of the book.
    pub(crate) const STRANGE: Self = Self(u32::MAX);
}

/// The names of a book.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ids: BTreeMap<String, Id>,
    /// Subject and occupation codes of conditions, each of which stands for all that begin with it.
    prefixes: Vec<(String, Id)>,
    /// The groups, with their members.
    groups: Vec<(Id, Vec<Name>)>,
}

impl Names {
    /// The names that a book's conditions mention.
    pub(crate) fn of(book: &Book) -> Self {
        let mut names = Self::default();
        for rule in &book.rules {
            names.add_when(&rule.when);
            // Breadth first: the depth was bounded when it was read.
            let mut open: Vec<&Bundle> = rule.bundle.iter().collect();
            while let Some(bundle) = open.pop() {
                bundle.course.iter().for_each(|course| names.add(course));
                bundle.record.iter().for_each(|when| names.add_when(when));
                open.extend(bundle.all.iter().flatten().chain(bundle.any.iter().flatten()));
                open.extend(bundle.n_of.iter().flat_map(|n_of| &n_of.of));
            }
        }
        for standard in book.standards.keys() {
            names.add(standard);
        }
        for (group, members) in &book.groups {
            names.add(group);
            names.groups.push((names.id(group), members.0.clone()));
        }
        names.prefixes.sort();
        names.prefixes.dedup();
        names
    }

    fn add_when(&mut self, when: &When) {
        for list in [&when.issuer, &when.course, &when.assessment] {
            list.iter().for_each(|name| self.add(name));
        }
        for list in [&when.subject, &when.occupation] {
            for name in list {
                self.add(name);
                self.prefixes.push((name.to_string(), self.id(name)));
            }
        }
        when.std.iter().chain(&when.issuer_group).for_each(|name| self.add(name));
    }

    fn add(&mut self, name: &Name) {
        let next = u32::try_from(self.ids.len()).map_or(Id::STRANGE, Id);
        self.ids.entry(name.to_string()).or_insert(next);
    }

    /// The number of a name.
    pub(crate) fn id(&self, name: &Name) -> Id {
        self.of_text(name.as_str())
    }

    /// The number of a text.
    pub(crate) fn of_text(&self, text: &str) -> Id {
        self.ids.get(text).copied().unwrap_or(Id::STRANGE)
    }

    /// The numbers of all codes that a code begins with, ascending.
    pub(crate) fn prefixes(&self, code: &str) -> Vec<Id> {
        let mut ids: Vec<Id> = self
            .prefixes
            .iter()
            .filter(|(prefix, _)| code.starts_with(prefix.as_str()))
            .map(|(_, id)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The groups that an issuer belongs to, ascending.
    pub(crate) fn groups(&self, issuer: &Name) -> Vec<Id> {
        let mut ids: Vec<Id> = self
            .groups
            .iter()
            .filter(|(_, members)| members.iter().any(|member| stands_for(member, issuer)))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }
}
