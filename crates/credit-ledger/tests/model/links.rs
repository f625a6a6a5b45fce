//! The chains of subjects.

use super::Model;
use credit_types::{Event, Link, Subject};

impl Model {
    /// The links of the entry that would hold these events.
    pub(crate) fn links(&self, events: &[Event]) -> Vec<Link> {
        let mut subjects: Vec<Subject> = events.iter().filter_map(Event::subject).collect();
        subjects.sort_by_key(|subject| (subject.kind(), subject.id_bytes().to_vec()));
        subjects.dedup();
        subjects.into_iter().map(|subject| self.link(subject, events)).collect()
    }

    fn link(&self, subject: Subject, events: &[Event]) -> Link {
        let mut earlier = self.entries.iter().filter(|entry| entry.subjects.contains(&subject));
        let sequence = u64::try_from(earlier.clone().count()).unwrap() + 1;
        let previous = earlier.next_back().map(|entry| entry.leaf);
        let numbered = (0_u32..).zip(events);
        let about = numbered.filter(|(_, event)| event.subject().as_ref() == Some(&subject));
        let events = about.map(|(number, _)| number).collect();
        Link { subject, sequence, previous, events }
    }
}
