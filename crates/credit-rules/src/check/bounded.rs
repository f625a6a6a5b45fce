//! S5: nothing grants without end. A rule has a maximum, or a maximum over many rules holds for it, or each use takes its
//! record away; or it says why not.

use crate::book::{AppliesTo, Book, CapPer, Constraint, Consumption, KindOrAll, Rule};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::Name;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(book: &Book, found: &mut Findings) {
    let over_all = OverAll::of(book);
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let consumes = match rule.consumption {
            Consumption::ConsumeGlobal
            | Consumption::OnceForAllDegrees
            | Consumption::ExclusivePerProgramme
            | Consumption::ExclusivePerAwardLevel => true,
            Consumption::NonConsuming => false,
        };
        let waives = rule.award.iter().all(|target| target.waive);
        let bounded = consumes
            || waives
            || rule.uncapped.is_some()
            || rule.no_articulation.is_some()
            || rule.cap.iter().any(|cap| (cap.max.is_some() || cap.count.is_some()) && over_many(cap.per))
            || over_all.holds_for(rule);
        if !bounded {
            let en = "a record may be used again and again, and there is no maximum";
            found.add(Code::Unbounded, rules.index(index), "同一成果可反复使用，且没有上限", en);
        }
    }
}

/// Whether a maximum adds up over records.
fn over_many(per: CapPer) -> bool {
    match per {
        CapPer::Record | CapPer::Project => false,
        CapPer::Rule
        | CapPer::Target
        | CapPer::Kind
        | CapPer::Issuer
        | CapPer::Institution
        | CapPer::LearnerYear
        | CapPer::Semester
        | CapPer::Lineage
        | CapPer::Occupation
        | CapPer::Subject
        | CapPer::Programme => true,
    }
}

/// Maxima over many rules, whatever programme, requirement or issuer.
#[derive(Default)]
struct OverAll<'b> {
    /// Whether one is over every rule.
    every: bool,
    kinds: BTreeSet<&'b Name>,
    /// By rule, those that name rules: each with the kinds that it names besides, if it does.
    rules: BTreeMap<&'b Name, Vec<&'b [KindOrAll]>>,
}

impl<'b> OverAll<'b> {
    fn of(book: &'b Book) -> Self {
        let mut over = Self::default();
        for constraint in book.constraints.iter().filter(|constraint| everywhere(constraint)) {
            let kinds = constraint.applies_to.award_from.0.as_slice();
            for rule in &constraint.applies_to.rule {
                over.rules.entry(rule).or_default().push(kinds);
            }
            if constraint.applies_to.rule.is_empty() {
                over.every |= kinds.is_empty();
                for kind in kinds {
                    match kind {
                        KindOrAll::All => over.every = true,
                        KindOrAll::Kind(kind) => {
                            over.kinds.insert(kind);
                        }
                    }
                }
            }
        }
        over
    }

    fn holds_for(&self, rule: &Rule) -> bool {
        let meant = |kinds: &&[KindOrAll]| {
            kinds.is_empty()
                || kinds.iter().any(|kind| match kind {
                    KindOrAll::All => true,
                    KindOrAll::Kind(kind) => *kind == rule.kind,
                })
        };
        self.every
            || self.kinds.contains(&rule.kind)
            || self.rules.get(&rule.id).is_some_and(|lists| lists.iter().any(meant))
    }
}

/// Whether a constraint is a maximum that looks at rules and kinds alone: one that looks at programmes, requirements or
/// issuers may leave others free.
fn everywhere(constraint: &Constraint) -> bool {
    let AppliesTo { programme, award_from: _, rule: _, requirement, issuer, issuer_group, external } =
        &constraint.applies_to;
    (constraint.max.is_some() || constraint.count.is_some())
        && programme.is_empty()
        && requirement.is_empty()
        && issuer.is_empty()
        && issuer_group.is_none()
        && !external
        && constraint.except.is_none()
}
