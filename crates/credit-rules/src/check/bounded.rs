//! S5: nothing grants without end. A rule has a maximum, or a maximum over many rules holds for it, or each use takes its
//! record away; or it says why not.

use crate::book::{AppliesTo, Book, CapPer, Constraint, Consumption, KindOrAll, Rule};
use crate::finding::{Code, Findings};
use crate::path::At;

pub(super) fn check(book: &Book, found: &mut Findings) {
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
            || book.constraints.iter().any(|constraint| holds_for(constraint, rule));
        if !bounded {
            let en = "a record may be used again and again, and there is no maximum";
            found.add(Code::Unbounded, rules.index(index), "同一成果可反复使用, 且没有上限", en);
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

/// Whether a maximum over many rules holds for all that a rule grants.
fn holds_for(constraint: &Constraint, rule: &Rule) -> bool {
    let AppliesTo { programme, award_from, rule: rules, requirement, issuer, issuer_group, external } =
        &constraint.applies_to;
    let limits = constraint.max.is_some() || constraint.count.is_some();
    let of_kind = award_from.is_empty()
        || award_from.iter().any(|from| match from {
            KindOrAll::All => true,
            KindOrAll::Kind(kind) => *kind == rule.kind,
        });
    let of_rule = rules.is_empty() || rules.iter().any(|own| *own == rule.id);
    // One that looks at programmes, requirements or issuers may leave others free.
    let everywhere = programme.is_empty()
        && requirement.is_empty()
        && issuer.is_empty()
        && issuer_group.is_none()
        && !external
        && constraint.except.is_none();
    limits && of_kind && of_rule && everywhere
}
