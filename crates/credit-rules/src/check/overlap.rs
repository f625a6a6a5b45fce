//! S3: no two rules of one kind can match the same record for the same target, unless one says that it goes before the
//! other or both say that the best is chosen.
//!
//! Rules are told apart by what they name before any two are held against each other: by target, then by whichever of
//! course, issuer, kind of record, standard and kind of hours leaves the fewest pairs. Rules of bundles are no part of
//! it: they take several records together, which is another use of them, and the plan's to choose.

use super::rule_box::{Goal, RuleBox, base};
use crate::book::Book;
use crate::finding::{Code, Findings};
use crate::limits::OVERLAP_PAIRS_MAX;
use crate::path::At;
use crate::value::Name;
use std::collections::{BTreeMap, BTreeSet};

/// What rules may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Course,
    Issuer,
    Kind,
    Standard,
    Hours,
}

const SIDES: [Side; 5] = [Side::Course, Side::Issuer, Side::Kind, Side::Standard, Side::Hours];

/// A list shorter than this is not worth dividing.
const SHORT: usize = 8;

pub(super) fn check(book: &Book, boxes: &[RuleBox<'_>], found: &mut Findings) {
    let mut buckets: BTreeMap<(Goal<'_>, Option<&Name>), Vec<&RuleBox<'_>>> = BTreeMap::new();
    for one in boxes.iter().filter(|one| one.rule.bundle.is_none()) {
        for goal in &one.goals {
            // A pool is filled from many sources; two kinds of rules for it are a choice. For a course they are worth a
            // look.
            let kind = match goal {
                Goal::Pool(_) => Some(&one.rule.kind),
                Goal::Course(_) => None,
            };
            buckets.entry((*goal, kind)).or_default().push(one);
        }
    }
    let mut pairs = Pairs { clashes: BTreeSet::new(), left: OVERLAP_PAIRS_MAX, over: false };
    for list in buckets.values() {
        pairs.within(list, &SIDES);
    }
    tell(book, &pairs, found);
}

fn tell(book: &Book, pairs: &Pairs, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    if pairs.over {
        found.add(
            Code::OverlapBudget,
            rules,
            format!("须两两比较的规则超过 {OVERLAP_PAIRS_MAX} 对（OVERLAP_PAIRS_MAX）"),
            format!("more than {OVERLAP_PAIRS_MAX} pairs of rules have to be compared (OVERLAP_PAIRS_MAX)"),
        );
    }
    for (first, second) in &pairs.clashes {
        let Some((one, other)) = book.rules.get(*first).zip(book.rules.get(*second)) else { continue };
        let code = if one.kind == other.kind { Code::RulesOverlap } else { Code::KindsOverlap };
        found.add(
            code,
            rules.index(*second),
            format!("规则 {} 与 {} 可适用于同一成果、同一去向", one.id, other.id),
            format!("the rules {} and {} can hold for the same record and target", one.id, other.id),
        );
    }
}

struct Pairs {
    clashes: BTreeSet<(usize, usize)>,
    left: usize,
    over: bool,
}

/// Rules by what they name of one side, and those that name nothing.
struct Divided<'l, 'b> {
    named: BTreeMap<&'b str, Vec<&'l RuleBox<'b>>>,
    general: Vec<&'l RuleBox<'b>>,
}

impl<'l, 'b> Divided<'l, 'b> {
    fn by(side: Side, list: &[&'l RuleBox<'b>]) -> Self {
        let mut divided = Self { named: BTreeMap::new(), general: Vec::new() };
        for one in list {
            match names(side, one) {
                Some(names) => {
                    for name in names {
                        divided.named.entry(name).or_default().push(one);
                    }
                }
                None => divided.general.push(one),
            }
        }
        divided
    }

    /// How many pairs are left to be compared.
    fn pairs(&self) -> usize {
        let square = |count: usize| count.saturating_mul(count) >> 1;
        let general = self.general.len();
        self.named.values().fold(square(general), |sum, list| {
            let own = square(list.len()).saturating_add(list.len().saturating_mul(general));
            sum.saturating_add(own)
        })
    }
}

/// What a rule names of a side, where it names each exactly.
fn names<'b>(side: Side, one: &RuleBox<'b>) -> Option<BTreeSet<&'b str>> {
    match side {
        Side::Course => Some(one.courses.as_ref()?.iter().map(|course| base(course)).collect()),
        Side::Issuer => {
            let set = one.issuers.as_ref().or(one.group.map(|group| group.1))?;
            set.iter().all(|issuer| !issuer.ends_with('.')).then(|| set.clone())
        }
        Side::Kind => {
            let own = &one.rule.when.record_kind;
            (!own.is_empty()).then(|| own.iter().map(|kind| kind_word(*kind)).collect())
        }
        Side::Standard => one.std.map(|std| [std.as_str()].into()),
        Side::Hours => one.rule.when.hour_kind.map(|hour| [hour_word(hour)].into()),
    }
}

fn kind_word(kind: crate::book::KindName) -> &'static str {
    use credit_types::RecordKind as Kind;
    match kind.0 {
        Kind::FormalCourse => "formal_course",
        Kind::NondegreeCourse => "nondegree_course",
        Kind::SkillGrade => "skill_grade",
        Kind::XCert => "x_cert",
        Kind::Qualification => "qualification",
        Kind::Exam => "exam",
        Kind::Cpd => "cpd",
        Kind::Activity => "activity",
        Kind::Experience => "experience",
        Kind::Award => "award",
    }
}

fn hour_word(hour: crate::book::HourName) -> &'static str {
    use credit_types::HourKind as Hour;
    match hour.0 {
        Hour::Contact => "contact",
        Hour::Notional => "learning",
        Hour::Continuing => "ce",
        Hour::Practice => "practice",
    }
}

impl Pairs {
    /// Compares all of a list with each other, divided by the side that helps most. It calls itself at most once for
    /// each side.
    fn within(&mut self, list: &[&RuleBox<'_>], sides: &[Side]) {
        let every = list.len().saturating_mul(list.len()) >> 1;
        let best = sides
            .iter()
            .map(|side| (*side, Divided::by(*side, list)))
            .min_by_key(|(_, divided)| divided.pairs())
            .filter(|(_, divided)| list.len() > SHORT && divided.pairs() < every);
        let Some((side, divided)) = best else {
            for (place, one) in list.iter().enumerate() {
                self.across(&[*one], list.get(place.saturating_add(1)..).unwrap_or_default());
            }
            return;
        };
        let rest: Vec<Side> = sides.iter().copied().filter(|other| *other != side).collect();
        for named in divided.named.values() {
            self.within(named, &rest);
            self.across(named, &divided.general);
        }
        self.within(&divided.general, &rest);
    }

    /// Compares each of one list with each of another.
    fn across(&mut self, list: &[&RuleBox<'_>], others: &[&RuleBox<'_>]) {
        for one in list {
            for other in others {
                let Some(left) = self.left.checked_sub(1) else {
                    self.over = true;
                    return;
                };
                self.left = left;
                if one.index != other.index && one.meets(other) && !one.settled(other) {
                    let (first, second) = (one.index.min(other.index), one.index.max(other.index));
                    self.clashes.insert((first, second));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_bounded() {
        let rule = "[[rule]]\nid = \"r#\"\nkind = \"k\"\nlabels = { zh = \"规\", en = \"r\" }\naward = { pool = \"p\" }\n";
        let rules: String = (0..5).map(|number| rule.replace('#', &number.to_string())).collect();
        let head = "schema = \"rulebook/1\"\nid = \"b\"\nversion = 1\neffective = {}\nlabels = { zh = \"书\", en = \"b\" }\n";
        let book = Book::from_toml(&format!("{head}{rules}")).unwrap();
        let groups = super::super::rule_box::groups(&book);
        let boxes = super::super::rule_box::boxes(&book, &groups);
        let list: Vec<&RuleBox<'_>> = boxes.iter().collect();
        for (left, over) in [(10, false), (9, true)] {
            let mut pairs = Pairs { clashes: BTreeSet::new(), left, over: false };
            pairs.within(&list, &SIDES);
            assert_eq!((pairs.over, pairs.clashes.len()), (over, left));
        }
    }
}
