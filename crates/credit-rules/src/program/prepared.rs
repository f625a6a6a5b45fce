//! A record made ready to be asked about: its names as numbers, its time in minutes, its grades as ranks.

use super::{Id, Program};
use crate::book::{Column, Number, Scale};
use crate::input::{FactValue, Question, Record};
use crate::value::{Name, Symbol};
use credit_types::CivilDate;

/// What a column of a table or a factor finds in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'q> {
    /// A word.
    Word(&'q str),
    /// A number in thousandths.
    Number(i64),
}

/// A record made ready.
#[derive(Debug, Clone)]
pub struct Prepared<'q> {
    /// The record.
    pub(crate) record: &'q Record,
    /// Its issuer.
    pub(crate) issuer: Id,
    /// The groups of its issuer, ascending.
    pub(crate) groups: Vec<Id>,
    /// Its course, with its version and without.
    pub(crate) courses: [Id; 2],
    /// Codes of the book that its subject begins with, ascending.
    pub(crate) subjects: Vec<Id>,
    /// Codes of the book that its occupation begins with, ascending.
    pub(crate) occupations: Vec<Id>,
    /// The standard of its credit.
    pub(crate) std: Id,
    /// How it was assessed.
    pub(crate) assessment: Id,
    /// Its time in minutes.
    pub(crate) minutes: Option<i64>,
    /// The day of the decision.
    pub(crate) on: CivilDate,
    /// The learner's day of birth.
    pub(crate) born_on: Option<CivilDate>,
    /// The day that picks the rule's version.
    pub(crate) picked_on: CivilDate,
}

impl<'q> Prepared<'q> {
    /// Makes a record ready.
    pub(crate) fn new(program: &Program, record: &'q Record, question: &Question) -> Self {
        let names = &program.names;
        let plain = |course: &Name| course.as_str().rsplit_once('@').map(|(plain, _)| names.of_text(plain));
        let id = |name: &Option<Name>| name.as_ref().map_or(Id::STRANGE, |name| names.id(name));
        let picked = match program.book.select_by {
            crate::book::SelectBy::DecisionDate => Some(question.on),
            crate::book::SelectBy::EarnedOn => Some(record.earned_on),
            crate::book::SelectBy::EnrolledOn => question.learner.enrolled_on,
        };
        Self {
            record,
            issuer: names.id(&record.issuer),
            groups: names.groups(&record.issuer),
            courses: [id(&record.course), record.course.as_ref().and_then(plain).unwrap_or(Id::STRANGE)],
            subjects: record.subject.as_ref().map(|code| names.prefixes(code.as_str())).unwrap_or_default(),
            occupations: record
                .occupation
                .as_ref()
                .map(|code| names.prefixes(code.as_str()))
                .unwrap_or_default(),
            std: id(&record.std),
            assessment: id(&record.assessment),
            minutes: record.hours.and_then(|time| time.minutes(program.book.xs_minutes)),
            on: question.on.0,
            born_on: question.learner.born_on.map(|day| day.0),
            picked_on: picked.unwrap_or(question.on).0,
        }
    }

    /// A number that the record states as a fact, in thousandths.
    pub(crate) fn number(&self, fact: &Name) -> Option<i64> {
        match self.record.facts.get(fact)? {
            FactValue::Number(Number(milli)) => Some(*milli),
            FactValue::Bool(_) | FactValue::Word(_) => None,
        }
    }

    /// What a column finds; `None` where the record does not say. A level comes as it is, whatever its ladder.
    pub(crate) fn column(
        &self,
        column: &Column,
        program: &'q Program,
        programme: Option<&Name>,
    ) -> Option<Value<'q>> {
        let record = self.record;
        let word = |name: &'q Option<Name>| name.as_ref().map(|name| Value::Word(name.as_str()));
        match column {
            Column::Level => {
                record.level.and_then(|level| i64::from(level.0).checked_mul(100)).map(Value::Number)
            }
            Column::Grade => record.grade.as_ref().map(|grade| Value::Word(grade.as_str())),
            Column::Score => record.score.map(|score| Value::Number(score.0)),
            Column::Hours => self
                .minutes
                .and_then(|minutes| minutes.checked_mul(1_000)?.checked_div(60))
                .map(Value::Number),
            Column::Credit => record.credit.map(|credit| Value::Number(credit.0)),
            Column::Kind => Some(Value::Word(kind_word(record))),
            Column::Course => word(&record.course),
            Column::Subject => word(&record.subject),
            Column::Occupation => word(&record.occupation),
            Column::Issuer => Some(Value::Word(record.issuer.as_str())),
            Column::Fact(fact) => record.facts.get(fact).map(|value| match value {
                FactValue::Bool(true) => Value::Word("true"),
                FactValue::Bool(false) => Value::Word("false"),
                FactValue::Number(Number(milli)) => Value::Number(*milli),
                FactValue::Word(word) => Value::Word(word.as_str()),
            }),
            Column::Programme(fact) => {
                let programme = program.book.programmes.get(programme?)?;
                programme.facts.get(fact).map(|number| Value::Number(number.0))
            }
        }
    }
}

/// The word of a record's kind.
fn kind_word(record: &Record) -> &'static str {
    use credit_types::RecordKind as Kind;
    match record.record_kind() {
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

/// Where a grade stands in its scale: higher is better; `None` where the scale does not have it.
pub(crate) fn rank(scale: &Scale, grade: &Symbol) -> Option<i64> {
    if scale.words.is_empty() {
        let number = crate::value::decimal(grade.as_str(), 3)?;
        let above = scale.min.is_none_or(|min| min.0 <= number);
        let below = scale.max.is_none_or(|max| number <= max.0);
        let better = if scale.descending { number.checked_neg()? } else { number };
        return (above && below).then_some(better);
    }
    let place = scale.words.iter().position(|word| word == grade)?;
    let place = i64::try_from(place).ok()?;
    if scale.descending { place.checked_neg() } else { Some(place) }
}
