//! What a book declares, and that what it names is declared.

use crate::book::{Book, FactKind, Level, Of, Rule};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::{Limit, Name, Symbol, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What a book declares, by name.
pub(super) struct Ids<'b> {
    pub(super) book: &'b Book,
    pub(super) rules: BTreeMap<&'b Name, usize>,
    pub(super) kinds: BTreeSet<&'b Name>,
    pub(super) maps: BTreeSet<&'b str>,
    /// Pools and requirements that take credit, of programmes and awards.
    pub(super) pools: BTreeSet<&'b Name>,
    /// Those of programmes alone.
    programme_pools: BTreeSet<&'b Name>,
    /// The requirements of each programme.
    pub(super) requirements: BTreeMap<&'b Name, BTreeSet<&'b Name>>,
    /// Those of all programmes.
    pub(super) all_requirements: BTreeSet<&'b Name>,
    /// Courses that a requirement names.
    pub(super) courses: BTreeSet<&'b Name>,
    /// Whether some programme takes whatever comes.
    pub(super) takes_all: bool,
}

impl<'b> Ids<'b> {
    /// What a book declares.
    pub(super) fn of(book: &'b Book) -> Self {
        let mut ids = Self {
            book,
            rules: book.rules.iter().enumerate().map(|(index, rule)| (&rule.id, index)).collect(),
            kinds: book.rules.iter().map(|rule| &rule.kind).collect(),
            maps: book.grade_maps.iter().map(|map| map.id.as_str()).collect(),
            pools: BTreeSet::new(),
            programme_pools: BTreeSet::new(),
            requirements: BTreeMap::new(),
            all_requirements: BTreeSet::new(),
            courses: BTreeSet::new(),
            takes_all: book.programmes.values().any(|programme| programme.requirements.is_empty()),
        };
        for (name, programme) in &book.programmes {
            let own = programme.requirements.iter();
            ids.programme_pools.extend(own.clone().flat_map(|one| one.pool.iter().chain([&one.id])));
            ids.all_requirements.extend(own.clone().map(|one| &one.id));
            ids.requirements.insert(name, own.map(|one| &one.id).collect());
        }
        let of_programmes = book.programmes.values().flat_map(|programme| &programme.requirements);
        let of_awards = book.awards.iter().flat_map(|award| &award.requirements);
        for requirement in of_programmes.chain(of_awards) {
            let mut open = vec![requirement];
            while let Some(one) = open.pop() {
                ids.pools.insert(&one.id);
                ids.pools.extend(&one.pool);
                ids.pools.extend(&one.counts.pool);
                ids.courses.extend(&one.courses);
                open.extend(&one.any_of);
            }
        }
        ids
    }

    pub(super) fn standard(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.book.standards.contains_key(name);
        unknown(Code::UnknownStandard, ("学分标准", "standard"), name, known, at, found);
    }

    pub(super) fn group(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.book.groups.contains_key(name);
        unknown(Code::UnknownGroup, ("机构组", "group"), name, known, at, found);
    }

    pub(super) fn ladder(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.book.ladders.contains_key(name);
        unknown(Code::UnknownLadder, ("等级体系", "ladder"), name, known, at, found);
    }

    pub(super) fn scale(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.book.scales.contains_key(name);
        unknown(Code::UnknownScale, ("成绩制", "scale"), name, known, at, found);
    }

    pub(super) fn programme(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.book.programmes.contains_key(name);
        unknown(Code::UnknownProgramme, ("专业", "programme"), name, known, at, found);
    }

    pub(super) fn rule(&self, name: Option<&Name>, at: At<'_>, found: &mut Findings) {
        let known = |name: &Name| self.rules.contains_key(name);
        unknown(Code::UnknownRule, ("规则", "rule"), name, known, at, found);
    }

    /// A level of a ladder that is declared.
    pub(super) fn level(&self, ladder: &Name, level: Option<Level>, at: At<'_>, found: &mut Findings) {
        let Some((ladder_of, level)) = self.book.ladders.get(ladder).zip(level) else { return };
        if !ladder_of.levels.iter().any(|own| own.level == level) {
            found.add(
                Code::UnknownLevel,
                at,
                format!("等级体系 {ladder} 没有等级 {level}"),
                format!("the ladder {ladder} has no level {level}"),
            );
        }
    }

    /// A grade of a scale that is declared.
    pub(super) fn grade(&self, scale: &Name, grade: &Symbol, at: At<'_>, found: &mut Findings) {
        let Some(of) = self.book.scales.get(scale) else { return };
        let number = crate::value::decimal(grade.as_str(), 3);
        let has = match (of.min, of.max) {
            (Some(min), Some(max)) => number.is_some_and(|number| (min.0..=max.0).contains(&number)),
            (Some(_) | None, None) | (None, Some(_)) => of.words.iter().any(|word| word == grade),
        };
        if !has {
            found.add(
                Code::UnknownGrade,
                at,
                format!("成绩制 {scale} 没有成绩 {grade}"),
                format!("the scale {scale} has no grade {grade}"),
            );
        }
    }

    /// That class hours have a length.
    pub(super) fn time(&self, time: Option<Time>, at: At<'_>, found: &mut Findings) {
        if let Some(Time::ClassHours(hours)) = time
            && self.book.xs_minutes.is_none()
        {
            found.add(
                Code::ClassHours,
                at,
                format!("用了 {hours} 学时，但未写明每学时几分钟"),
                format!("{hours} class hours are used, and the book does not say how long one is"),
            );
        }
    }

    /// That a maximum says of what it is a share, and only then.
    pub(super) fn limit(&self, limit: Option<Limit>, of: Option<Of>, at: At<'_>, found: &mut Findings) {
        if let Some(Limit::Time(time)) = limit {
            self.time(Some(time), at.key("max"), found);
        }
        let share = matches!(limit, Some(Limit::Share(_)));
        if of == Some(Of::AwardedCredit) {
            found.add(
                Code::OfAwarded,
                at.key("of"),
                "不能取已授学分的百分比：上限会取决于结果",
                "a share of what was awarded is refused: the maximum would depend on the answer",
            );
        } else if share && of.is_none() {
            let en = "the share does not say of what it is taken";
            found.add(Code::PercentWithoutOf, at.key("max"), "百分比未写明是什么的百分比", en);
        } else if !share && of.is_some() {
            found.add(
                Code::OfWithoutPercent,
                at.key("of"),
                "没有百分比却写了 of",
                "of is said without a share",
            );
        }
    }

    /// Whether some programme of the book takes credit of these pools or for this course.
    pub(super) fn taken(&self, pools: &[Name], course: Option<&Name>) -> bool {
        self.takes_all
            || pools.iter().any(|pool| self.programme_pools.contains(pool))
            || course.is_some_and(|course| self.courses.contains(course))
    }
}

/// Says that a name is not declared.
pub(super) fn unknown(
    code: Code,
    what: (&str, &str),
    name: Option<&Name>,
    known: impl Fn(&Name) -> bool,
    at: At<'_>,
    found: &mut Findings,
) {
    if let Some(name) = name.filter(|name| !known(name)) {
        let (zh, en) = what;
        found.add(code, at, format!("没有{zh} {name}"), format!("there is no {en} {name}"));
    }
}

/// What sort of fact a rule declares under a name.
pub(super) fn fact<'r>(
    rule: &'r Rule,
    name: &Name,
    at: At<'_>,
    found: &mut Findings,
) -> Option<&'r FactKind> {
    let kind = rule.facts.get(name);
    if kind.is_none() {
        found.add(
            Code::UndeclaredFact,
            at,
            format!("规则 {} 未声明事实 {name}", rule.id),
            format!("the rule {} does not declare the fact {name}", rule.id),
        );
    }
    kind
}
