//! Which lines of which offers a maximum is about, and by what it tells them apart.

use crate::answer::{Line, Offer, Place};
use crate::book::{AppliesTo, Book, CapPer, Family, KindOrAll, Programme, Rule, YearOf};
use crate::evaluate::half;
use crate::input::{Question, Record, Use};
use crate::value::{Many, Name};
use credit_types::CivilDate;
use std::collections::{BTreeMap, BTreeSet};

/// What is looked up while maxima are laid out.
pub(crate) struct Lookup<'a> {
    /// The book.
    pub(crate) book: &'a Book,
    /// The question.
    pub(crate) question: &'a Question,
    /// The programme.
    pub(crate) programme: Option<&'a Programme>,
    /// The records, by id.
    pub(crate) records: BTreeMap<&'a Name, &'a Record>,
    /// The rules, by id.
    pub(crate) rules: BTreeMap<&'a Name, &'a Rule>,
}

impl<'a> Lookup<'a> {
    /// Of a question.
    pub(crate) fn new(book: &'a Book, question: &'a Question) -> Self {
        Self {
            book,
            question,
            programme: question.programme.as_ref().and_then(|name| book.programmes.get(name)),
            records: question.records.iter().map(|record| (&record.id, record)).collect(),
            rules: book.rules.iter().map(|rule| (&rule.id, rule)).collect(),
        }
    }

    /// The records of an offer.
    pub(crate) fn of<'o>(&'o self, offer: &'o Offer) -> impl Iterator<Item = &'a Record> + 'o {
        offer.records.iter().filter_map(|id| self.records.get(id).copied())
    }

    /// By what a maximum tells a line apart: one key for each of its sums that the line counts to.
    pub(crate) fn keys(&self, per: CapPer, year: YearOf, offer: &Offer, line: &Line) -> BTreeSet<String> {
        let one = |text: &str| BTreeSet::from([text.to_owned()]);
        let each = |key: &dyn Fn(&Record) -> Option<String>| self.of(offer).filter_map(key).collect();
        match per {
            CapPer::Rule | CapPer::Kind | CapPer::Programme => one(""),
            CapPer::Target => match &line.place {
                Place::Course(name) | Place::Requirement(name) | Place::Standard(name) => one(name.as_str()),
            },
            CapPer::Institution => {
                if self.of(offer).any(|record| self.external(&record.issuer)) {
                    one("")
                } else {
                    BTreeSet::new()
                }
            }
            CapPer::LearnerYear => each(&|record| Some(self.year(year, record.earned_on.0))),
            CapPer::Semester => each(&|record| Some(self.semester(year, record.earned_on.0))),
            CapPer::Record => each(&|record| Some(record.id.to_string())),
            CapPer::Issuer => each(&|record| Some(record.issuer.to_string())),
            CapPer::Project => each(&|record| record.project.as_ref().map(Name::to_string)),
            CapPer::Lineage => each(&|record| record.lineage.as_ref().map(Name::to_string)),
            CapPer::Occupation => each(&|record| record.occupation.as_ref().map(Name::to_string)),
            CapPer::Subject => each(&|record| record.subject.as_ref().map(Name::to_string)),
        }
    }

    /// The same of an earlier use; `None` where that use does not say.
    pub(crate) fn key_of_use(&self, per: CapPer, year: YearOf, earlier: &Use) -> Option<String> {
        let text = |name: &Option<Name>| name.as_ref().map(Name::to_string);
        match per {
            CapPer::Rule | CapPer::Kind | CapPer::Programme => Some(String::new()),
            CapPer::Target => text(&earlier.target),
            CapPer::Institution => {
                earlier.issuer.as_ref().filter(|issuer| self.external(issuer)).map(|_| String::new())
            }
            CapPer::LearnerYear => earlier.earned_on.map(|day| self.year(year, day.0)),
            CapPer::Semester => earlier.earned_on.map(|day| self.semester(year, day.0)),
            CapPer::Record => Some(earlier.record.to_string()),
            CapPer::Issuer => text(&earlier.issuer),
            // Of these an earlier use counts where its record is asked about again; otherwise nobody can say.
            CapPer::Project => text(&self.records.get(&earlier.record)?.project),
            CapPer::Lineage => text(&self.records.get(&earlier.record)?.lineage),
            CapPer::Occupation => text(&self.records.get(&earlier.record)?.occupation),
            CapPer::Subject => text(&self.records.get(&earlier.record)?.subject),
        }
    }

    fn day(&self, year: YearOf, earned: CivilDate) -> CivilDate {
        match year {
            YearOf::EarnedOn => earned,
            YearOf::DecisionDate => self.question.on.0,
        }
    }

    fn year(&self, year: YearOf, earned: CivilDate) -> String {
        self.day(year, earned).year().to_string()
    }

    fn semester(&self, year: YearOf, earned: CivilDate) -> String {
        let day = self.day(year, earned);
        format!("{}-{}", day.year(), half(day.month()))
    }

    /// Whether an issuer is another institution than the programme's own.
    pub(crate) fn external(&self, issuer: &Name) -> bool {
        self.programme.is_none_or(|programme| programme.institution != *issuer)
    }

    /// Whether credit is meant.
    pub(crate) fn applies(&self, to: &AppliesTo, offer: &Offer, line: &Line) -> bool {
        let AppliesTo { programme, award_from, rule, requirement, issuer, issuer_group, external } = to;
        let kind = self.rules.get(&offer.rule).map(|rule| &rule.kind);
        among(programme, self.question.programme.as_ref())
            && of_kind(award_from, kind)
            && among(rule, Some(&offer.rule))
            && (requirement.is_empty()
                || self.requirement(line).is_some_and(|own| requirement.iter().any(|name| *name == own)))
            && (issuer.is_empty()
                || self.of(offer).any(|record| issuer.iter().any(|own| *own == record.issuer)))
            && issuer_group
                .as_ref()
                .is_none_or(|group| self.of(offer).any(|record| self.book.in_group(group, &record.issuer)))
            && (!external || self.of(offer).any(|record| self.external(&record.issuer)))
    }

    /// Whether an earlier use is meant.
    pub(crate) fn applies_to_use(&self, to: &AppliesTo, earlier: &Use) -> bool {
        let AppliesTo { programme, award_from, rule, requirement, issuer, issuer_group, external } = to;
        let of = earlier.issuer.as_ref();
        among(programme, earlier.programme.as_ref())
            && of_kind(award_from, earlier.kind.as_ref())
            && among(rule, earlier.rule.as_ref())
            && among(requirement, earlier.target.as_ref())
            && among(issuer, of)
            && issuer_group
                .as_ref()
                .is_none_or(|group| of.is_some_and(|issuer| self.book.in_group(group, issuer)))
            && (!external || of.is_some_and(|issuer| self.external(issuer)))
    }

    /// The requirement of the programme to which a line goes.
    pub(crate) fn requirement(&self, line: &Line) -> Option<Name> {
        match &line.place {
            Place::Requirement(name) => Some(name.clone()),
            Place::Course(course) => {
                let mut own = self.programme?.requirements.iter();
                let named = own.find(|own| own.courses.iter().any(|name| name == course));
                named.map(|requirement| requirement.id.clone())
            }
            Place::Standard(_) => None,
        }
    }

    /// The families of which only the best counts, that an offer belongs to.
    pub(crate) fn families(&self, family: Family, offer: &Offer) -> BTreeSet<String> {
        let key = |record: &Record| match family {
            Family::HighestPerOccupation => record.occupation.as_ref().map(Name::to_string),
            Family::HighestPerLineage => record.lineage.as_ref().map(Name::to_string),
            Family::HighestPerTitle => record.title.as_ref().map(|title| plain_title(title.as_str())),
            Family::HighestPerCourse => record.course.as_ref().map(|course| {
                course.as_str().rsplit_once('@').map_or(course.as_str(), |(plain, _)| plain).to_owned()
            }),
        };
        self.of(offer).filter_map(key).collect()
    }
}

/// Whether a list names something; an empty one asks nothing.
fn among(list: &Many<Name>, name: Option<&Name>) -> bool {
    list.is_empty() || name.is_some_and(|name| list.iter().any(|own| own == name))
}

/// Whether a list names a kind.
fn of_kind(list: &Many<KindOrAll>, kind: Option<&Name>) -> bool {
    let meant = |own: &KindOrAll| match own {
        KindOrAll::All => true,
        KindOrAll::Kind(own) => Some(own) == kind,
    };
    list.is_empty() || list.iter().any(meant)
}

/// A title without what does not tell two subjects apart: width, case, spaces and punctuation.
pub(crate) fn plain_title(title: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    title.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
