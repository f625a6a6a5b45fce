//! Conditions of a rule. One function says whether each holds; who asks decides whether it also says why.

use super::guard::CompiledGuard;
use super::prepared::rank;
use super::{Id, Names, Prepared, Program, ProgramError, fault};
use crate::answer::Check;
use crate::book::{Book, LevelValue, Scale, When};
use crate::reason::Reason;
use crate::value::{Credit, Day, Name, Percent, Period, Symbol, Time, Window};
use credit_types::{CivilDate, HourKind};

/// A condition over one record.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Of one of these issuers, or issuers that begin so.
    Issuer(Vec<Id>),
    /// Of a group of issuers.
    Group(Id),
    /// Of these kinds, as bits.
    Kind(u16),
    /// Of one of these courses.
    Course(Vec<Id>),
    /// Of a subject that begins with one of these.
    Subject(Vec<Id>),
    /// Of an occupation that begins with one of these.
    Occupation(Vec<Id>),
    /// Credit in this standard.
    Std(Id),
    /// Time of this sort.
    Hour(HourKind),
    /// At least so many minutes.
    MinMinutes(i64),
    /// At most so many minutes.
    MaxMinutes(i64),
    /// At least so much credit.
    MinCredit(i64),
    /// At least this grade.
    Grade(Box<GradeTest>),
    /// At least so much attendance.
    Attendance(Percent),
    /// Passed.
    Passed,
    /// Of an issuer accredited for it.
    Recognised,
    /// Verified.
    Verified,
    /// Content that agrees at least so much.
    Content(Percent),
    /// Assessed in one of these ways.
    Assessment(Vec<Id>),
    /// Delivered in one of these ways, as bits.
    Mode(u8),
    /// Earned in a window.
    Earned(Window),
    /// Entered by a day.
    RecordedBy(Day),
    /// Earned no longer ago than this.
    MaxAge(Period),
    /// Valid on the day of the decision.
    Valid,
    /// By a learner of at least this age.
    LearnerAge(Period),
    /// At a level.
    Level(Box<LevelTest>),
    /// A condition over facts.
    Guard(CompiledGuard),
}

/// A least grade.
#[derive(Debug, Clone)]
pub(crate) struct GradeTest {
    scale_name: Name,
    scale: Scale,
    at_least: Symbol,
    rank: i64,
}

/// A level that must be reached.
#[derive(Debug, Clone)]
pub(crate) struct LevelTest {
    ladder: Name,
    at_least: Option<LevelValue>,
    at_most: Option<LevelValue>,
}

/// How a condition came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome3 {
    /// It holds.
    Holds,
    /// It does not.
    Fails(Reason),
    /// It can't be known.
    Unknown(Reason),
}

impl Outcome3 {
    fn of(holds: bool, reason: Reason) -> Self {
        if holds { Self::Holds } else { Self::Fails(reason) }
    }

    /// Whether a value is stated and passes.
    fn at<T>(value: Option<T>, reason: Reason, passes: impl FnOnce(T) -> bool) -> Self {
        value.map_or(Self::Unknown(Reason::FactMissing), |value| Self::of(passes(value), reason))
    }
}

/// Who asks: quickly, or for an explanation.
pub(crate) trait Sink {
    /// Takes an outcome; whether to go on.
    fn take(&mut self, test: &Test, record: &Prepared<'_>, outcome: Outcome3) -> bool;
}

/// Stops at the first condition that does not hold.
#[derive(Debug, Default)]
pub(crate) struct Quick;

impl Sink for Quick {
    fn take(&mut self, _: &Test, _: &Prepared<'_>, outcome: Outcome3) -> bool {
        outcome == Outcome3::Holds
    }
}

/// Writes every condition down.
#[derive(Debug)]
pub(crate) struct Collect<'w> {
    /// The conditions as they are written.
    pub(crate) when: &'w When,
    /// What was found.
    pub(crate) checks: Vec<Check>,
    /// Whether a condition that says which records the rule is about at all does not hold.
    pub(crate) strange: bool,
}

impl Sink for Collect<'_> {
    fn take(&mut self, test: &Test, record: &Prepared<'_>, outcome: Outcome3) -> bool {
        let (ok, reason) = match outcome {
            Outcome3::Holds => (Some(true), None),
            Outcome3::Fails(reason) => (Some(false), Some(reason)),
            Outcome3::Unknown(reason) => (None, Some(reason)),
        };
        self.strange |= ok != Some(true) && test.says_what();
        let (p, want, got) = test.told(self.when, record);
        self.checks.push(Check { p: p.to_owned(), want, got, ok, reason });
        true
    }
}

/// Whether all conditions hold.
pub(crate) fn holds(tests: &[Test], record: &Prepared<'_>, program: &Program, sink: &mut impl Sink) -> bool {
    let mut all = true;
    for test in tests {
        let outcome = test.outcome(record, program);
        all &= outcome == Outcome3::Holds;
        if !sink.take(test, record, outcome) {
            return false;
        }
    }
    all
}

impl Test {
    /// Whether it says which records a rule is about, rather than what is asked of them.
    pub(crate) fn says_what(&self) -> bool {
        match self {
            Self::Issuer(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Course(_)
            | Self::Subject(_)
            | Self::Occupation(_)
            | Self::Std(_)
            | Self::Hour(_) => true,
            Self::MinMinutes(_)
            | Self::MaxMinutes(_)
            | Self::MinCredit(_)
            | Self::Grade(_)
            | Self::Attendance(_)
            | Self::Passed
            | Self::Recognised
            | Self::Verified
            | Self::Content(_)
            | Self::Assessment(_)
            | Self::Mode(_)
            | Self::Earned(_)
            | Self::RecordedBy(_)
            | Self::MaxAge(_)
            | Self::Valid
            | Self::LearnerAge(_)
            | Self::Level(_)
            | Self::Guard(_) => false,
        }
    }

    /// How it comes out for a record.
    pub(crate) fn outcome(&self, record: &Prepared<'_>, program: &Program) -> Outcome3 {
        use Outcome3 as O;
        let facts = record.record;
        let meets = |ids: &[Id], own: &[Id]| own.iter().any(|id| ids.contains(id));
        match self {
            Self::Issuer(ids) => O::of(ids.contains(&record.issuer), Reason::IssuerNotNamed),
            Self::Group(id) => O::of(record.groups.contains(id), Reason::IssuerNotNamed),
            Self::Kind(bits) => O::of(bits & bit(facts.record_kind()) != 0, Reason::ConditionFalse),
            Self::Course(ids) => O::of(meets(ids, &record.courses), Reason::ConditionFalse),
            Self::Subject(ids) => O::of(meets(ids, &record.subjects), Reason::ConditionFalse),
            Self::Occupation(ids) => O::of(meets(ids, &record.occupations), Reason::ConditionFalse),
            Self::Std(id) => O::of(record.std == *id, Reason::ConditionFalse),
            Self::Hour(kind) => {
                O::of(facts.hour_kind.is_some_and(|hour| hour.0 == *kind), Reason::ConditionFalse)
            }
            Self::MinMinutes(least) => O::at(record.minutes, Reason::TooSmall, |own| own >= *least),
            Self::MaxMinutes(most) => O::at(record.minutes, Reason::TooLarge, |own| own <= *most),
            Self::MinCredit(least) => O::at(facts.credit, Reason::TooSmall, |own| own.0 >= *least),
            Self::Grade(test) => test.outcome(record),
            Self::Attendance(least) => {
                O::at(facts.attendance, Reason::AttendanceLow, |share| share >= *least)
            }
            Self::Passed => O::at(facts.passed, Reason::NotPassed, |passed| passed),
            Self::Recognised => O::of(facts.recognised, Reason::IssuerNotAccredited),
            Self::Verified => O::of(facts.verified, Reason::EvidenceInsufficient),
            Self::Content(least) => {
                O::at(facts.content_match, Reason::ContentMatchLow, |share| share >= *least)
            }
            Self::Assessment(ids) => O::of(ids.contains(&record.assessment), Reason::ConditionFalse),
            Self::Mode(bits) => {
                O::at(facts.mode, Reason::ConditionFalse, |mode| bits & mode_bit(mode.0) != 0)
            }
            Self::Earned(window) => O::of(window.has(facts.earned_on.0), Reason::OutsideWindow),
            Self::RecordedBy(day) => O::at(facts.recorded_on, Reason::EnteredLate, |own| own <= *day),
            Self::MaxAge(age) => {
                // A day beyond the calendar is never reached.
                let end = age.after(facts.earned_on.0);
                O::of(end.is_none_or(|end| record.on <= end), Reason::Expired)
            }
            Self::Valid => {
                let own = facts.valid_for.and_then(|period| period.after(facts.earned_on.0));
                let end = earliest([facts.valid_until.map(|day| day.0), own]);
                O::of(end.is_none_or(|end| record.on <= end), Reason::Expired)
            }
            Self::LearnerAge(age) => {
                let grown = record.born_on.and_then(|born| age.after(born));
                O::at(grown, Reason::LearnerTooYoung, |day| day <= record.on)
            }
            Self::Level(test) => test.outcome(record, program),
            Self::Guard(guard) => guard.outcome(record),
        }
    }

    /// The courses that it names.
    pub(crate) fn courses(&self) -> Option<&Vec<Id>> {
        if let Self::Course(courses) = self { Some(courses) } else { None }
    }

    /// Its name in the book, what it asks for, and what the record has.
    fn told(&self, when: &When, record: &Prepared<'_>) -> (&'static str, String, String) {
        let facts = record.record;
        let join = |names: &crate::value::Many<Name>| words(names.iter());
        let minutes = |minutes: i64| Time::Minutes(minutes).to_string();
        match self {
            Self::Issuer(_) => ("issuer", join(&when.issuer), facts.issuer.to_string()),
            Self::Group(_) => ("issuer_group", text(when.issuer_group.as_ref()), facts.issuer.to_string()),
            Self::Kind(_) => ("record_kind", words(when.record_kind.iter()), facts.kind.to_string()),
            Self::Course(_) => ("course", join(&when.course), text(facts.course.as_ref())),
            Self::Subject(_) => ("subject", join(&when.subject), text(facts.subject.as_ref())),
            Self::Occupation(_) => ("occupation", join(&when.occupation), text(facts.occupation.as_ref())),
            Self::Std(_) => ("std", text(when.std.as_ref()), text(facts.std.as_ref())),
            Self::Hour(_) => ("hour_kind", text(when.hour_kind.as_ref()), text(facts.hour_kind.as_ref())),
            Self::MinMinutes(least) => ("min_hours", minutes(*least), text(record.minutes.map(minutes))),
            Self::MaxMinutes(most) => ("max_hours", minutes(*most), text(record.minutes.map(minutes))),
            Self::MinCredit(least) => ("min_credit", Credit(*least).to_string(), text(facts.credit.as_ref())),
            Self::Grade(test) => ("min_grade", test.at_least.to_string(), test.got(record)),
            Self::Attendance(least) => ("min_attendance", least.to_string(), text(facts.attendance.as_ref())),
            Self::Passed => ("passed", "true".to_owned(), text(facts.passed.as_ref())),
            Self::Recognised => ("recognised_issuer", "true".to_owned(), facts.recognised.to_string()),
            Self::Verified => ("verified", "true".to_owned(), facts.verified.to_string()),
            Self::Content(least) => {
                ("min_content_match", least.to_string(), text(facts.content_match.as_ref()))
            }
            Self::Assessment(_) => ("assessment", join(&when.assessment), text(facts.assessment.as_ref())),
            Self::Mode(_) => ("mode", words(when.mode.iter()), text(facts.mode.as_ref())),
            Self::Earned(window) => ("earned", window_text(*window), facts.earned_on.0.to_string()),
            Self::RecordedBy(day) => {
                ("recorded_by", day.0.to_string(), text(facts.recorded_on.map(|day| day.0)))
            }
            Self::MaxAge(age) => ("max_age", age.to_string(), facts.earned_on.0.to_string()),
            Self::Valid => {
                ("valid_on_decision", record.on.to_string(), text(facts.valid_until.map(|day| day.0)))
            }
            Self::LearnerAge(age) => ("min_learner_age", age.to_string(), text(record.born_on)),
            Self::Level(test) => ("level", test.want(), LevelTest::got(record)),
            Self::Guard(guard) => ("guard", guard.text(), guard.got(record)),
        }
    }
}

impl GradeTest {
    fn outcome(&self, record: &Prepared<'_>) -> Outcome3 {
        let own = self.own(record).and_then(|grade| rank(&self.scale, &grade));
        own.map_or(Outcome3::Unknown(Reason::GradeMissing), |own| {
            Outcome3::of(own >= self.rank, Reason::ScoreBelowMin)
        })
    }

    /// The record's grade or score in this scale.
    fn own(&self, record: &Prepared<'_>) -> Option<Symbol> {
        let facts = record.record;
        if facts.score_scale.as_ref() == Some(&self.scale_name) {
            return facts.score.and_then(|score| score.to_string().parse().ok());
        }
        let same = facts.grade_scale.as_ref() == Some(&self.scale_name);
        same.then(|| facts.grade.clone()).flatten()
    }

    fn got(&self, record: &Prepared<'_>) -> String {
        self.own(record).map(|grade| grade.to_string()).unwrap_or_default()
    }
}

impl LevelTest {
    fn outcome(&self, record: &Prepared<'_>, program: &Program) -> Outcome3 {
        let facts = record.record;
        let (Some(level), Some(ladder)) = (facts.level, facts.ladder.as_ref()) else {
            return Outcome3::Unknown(Reason::FactMissing);
        };
        let Some(own) = crate::level::carried(&program.book, ladder, level, &self.ladder) else {
            return Outcome3::Fails(Reason::LevelUnmapped);
        };
        let height = |level: LevelValue| crate::level::height(&program.book, &self.ladder, level);
        if self.at_least.is_some_and(|least| height(own) < height(least)) {
            return Outcome3::Fails(Reason::LevelTooLow);
        }
        Outcome3::of(self.at_most.is_none_or(|most| height(own) <= height(most)), Reason::LevelTooHigh)
    }

    fn want(&self) -> String {
        let Self { ladder, at_least, at_most } = self;
        format!("{ladder} {}..{}", text(at_least.as_ref()), text(at_most.as_ref()))
    }

    fn got(record: &Prepared<'_>) -> String {
        format!("{} {}", text(record.record.ladder.as_ref()), text(record.record.level.as_ref()))
            .trim()
            .to_owned()
    }
}

/// The earliest of some days; `None` where there is none.
pub(crate) fn earliest(days: impl IntoIterator<Item = Option<CivilDate>>) -> Option<CivilDate> {
    days.into_iter().flatten().min()
}

/// The text of a value; empty where there is none.
fn text<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Several values as one text.
fn words<T: std::fmt::Display>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

fn window_text(window: Window) -> String {
    format!("{}..{}", text(window.from.map(|day| day.0)), text(window.until.map(|day| day.0)))
}

/// The bit of a kind of record.
pub(crate) fn bit(kind: credit_types::RecordKind) -> u16 {
    use credit_types::RecordKind as Kind;
    match kind {
        Kind::FormalCourse => 1,
        Kind::NondegreeCourse => 1 << 1,
        Kind::SkillGrade => 1 << 2,
        Kind::XCert => 1 << 3,
        Kind::Qualification => 1 << 4,
        Kind::Exam => 1 << 5,
        Kind::Cpd => 1 << 6,
        Kind::Activity => 1 << 7,
        Kind::Experience => 1 << 8,
        Kind::Award => 1 << 9,
    }
}

/// The bit of a way of delivery.
fn mode_bit(mode: credit_types::DeliveryMode) -> u8 {
    use credit_types::DeliveryMode as Mode;
    match mode {
        Mode::FaceToFace => 1,
        Mode::Online => 1 << 1,
        Mode::Blended => 1 << 2,
        Mode::SelfStudy => 1 << 3,
    }
}

/// The conditions that a book states; the cheapest and most telling come first.
pub(crate) fn of(book: &Book, names: &Names, when: &When, rule: &Name) -> Result<Vec<Test>, ProgramError> {
    let ids = |many: &crate::value::Many<Name>| many.iter().map(|name| names.id(name)).collect::<Vec<Id>>();
    let minutes = |time: Time| {
        time.minutes(book.xs_minutes).ok_or_else(|| fault(rule, "class hours without a length of xs_minutes"))
    };
    let mut tests = Vec::new();
    let mut add = |asked: bool, test: Test| {
        if asked {
            tests.push(test);
        }
    };
    add(
        !when.record_kind.is_empty(),
        Test::Kind(when.record_kind.iter().fold(0, |bits, kind| bits | bit(kind.0))),
    );
    add(!when.course.is_empty(), Test::Course(ids(&when.course)));
    add(!when.issuer.is_empty(), Test::Issuer(ids(&when.issuer)));
    add(!when.subject.is_empty(), Test::Subject(ids(&when.subject)));
    add(!when.occupation.is_empty(), Test::Occupation(ids(&when.occupation)));
    add(!when.assessment.is_empty(), Test::Assessment(ids(&when.assessment)));
    add(!when.mode.is_empty(), Test::Mode(when.mode.iter().fold(0, |bits, mode| bits | mode_bit(mode.0))));
    add(when.passed, Test::Passed);
    add(when.recognised_issuer, Test::Recognised);
    add(when.verified, Test::Verified);
    add(when.valid_on_decision, Test::Valid);
    add(!when.earned.is_open(), Test::Earned(when.earned));
    tests.extend(when.issuer_group.iter().map(|group| Test::Group(names.id(group))));
    tests.extend(when.std.iter().map(|std| Test::Std(names.id(std))));
    tests.extend(when.hour_kind.iter().map(|kind| Test::Hour(kind.0)));
    for (time, test) in [
        (when.min_hours, Test::MinMinutes as fn(i64) -> Test),
        (when.max_hours, Test::MaxMinutes as fn(i64) -> Test),
    ] {
        tests.extend(time.map(minutes).transpose()?.map(test));
    }
    tests.extend(when.min_credit.map(|credit| Test::MinCredit(credit.0)));
    tests.extend(when.min_attendance.map(Test::Attendance));
    tests.extend(when.min_content_match.map(Test::Content));
    tests.extend(when.recorded_by.map(Test::RecordedBy));
    tests.extend(when.max_age.map(Test::MaxAge));
    tests.extend(when.min_learner_age.map(Test::LearnerAge));
    if let Some(grade) = &when.min_grade {
        let scale =
            book.scales.get(&grade.scale).ok_or_else(|| fault(rule, "a scale that the book lacks"))?;
        let rank = rank(scale, &grade.at_least).ok_or_else(|| fault(rule, "a grade that its scale lacks"))?;
        let test = GradeTest {
            scale_name: grade.scale.clone(),
            scale: scale.clone(),
            at_least: grade.at_least.clone(),
            rank,
        };
        tests.push(Test::Grade(Box::new(test)));
    }
    if let Some(level) = &when.level {
        let crate::book::LevelGuard { ladder, at_least, at_most } = level.clone();
        tests.push(Test::Level(Box::new(LevelTest { ladder, at_least, at_most })));
    }
    Ok(tests)
}
