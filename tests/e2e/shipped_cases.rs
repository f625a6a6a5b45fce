//! The worked cases of the books that ship, once more over the wire: the book is published in a ledger, its records are
//! deposited, and a quote has to grant what the engine grants for the case.
//!
//! A ledger decides today, so every date of a case is moved by as many days; a case that comes out otherwise only because
//! another day has begun is left out, and so is one that asks about what a record of the ledger can't be (an unverified
//! one, an earlier use that was not made here).

use crate::bank::Bank;
use crate::institution::{Institution, KINDS, accreditation};
use crate::office::root;
use crate::session::{Session, World};
use crate::statement::{Draft, today, unique};
use credit_ledger::assess::scheme_of;
use credit_proto::v1;
use credit_proto::v1::{ConversionPurpose, Role, RuleBookAction};
use credit_rules::allocate::Allocated;
use credit_rules::answer::Place;
use credit_rules::book::Book;
use credit_rules::cases::Cases;
use credit_rules::input::{FactValue, Question, Record};
use credit_rules::program::Program;
use credit_rules::value::{Day, Name};
use credit_types::{CivilDate, DeliveryMode, FrameworkId, HourKind, InstitutionId, RecordKind};
use std::collections::{BTreeMap, BTreeSet};

/// The fewest cases that come out over the wire on any day of the year.
const LEAST: usize = 80;

/// What a plan grants: rule, place, milli-credits and the ids of its records.
type Granted = BTreeSet<(String, String, i64, Vec<String>)>;

fn granted(allocated: &Allocated) -> Granted {
    let mut found = Granted::new();
    for grant in &allocated.grants {
        let offer = &allocated.offers[grant.offer];
        let records: Vec<String> = offer.records.iter().map(Name::to_string).collect();
        for line in &grant.lines {
            let (Place::Course(place) | Place::Requirement(place) | Place::Standard(place)) = &line.place;
            found.insert((offer.rule.to_string(), place.to_string(), line.credit.0, records.clone()));
        }
    }
    found
}

fn civil(date: v1::CivilDate) -> CivilDate {
    CivilDate::new(date.year, date.month, date.day).expect("a date")
}

fn wire(day: Day) -> v1::CivilDate {
    v1::CivilDate { year: day.0.year(), month: day.0.month(), day: day.0.day() }
}

/// The same question on another day, with every date moved as far.
fn moved(question: &Question, to: CivilDate) -> Option<Question> {
    let days = to.days() - question.on.0.days();
    let shift = |day: Day| Some(Day(CivilDate::from_days(day.0.days() + days).ok()?));
    let mut question = question.clone();
    question.on = Day(to);
    question.learner.born_on = question.learner.born_on.and_then(shift);
    question.learner.enrolled_on = question.learner.enrolled_on.and_then(shift);
    for record in &mut question.records {
        record.earned_on = shift(record.earned_on)?;
        record.valid_until = record.valid_until.and_then(shift);
    }
    Some(question)
}

/// Whether the ledger can hold such a record.
fn holds(record: &Record) -> bool {
    let plain = record.recognised
        && record.verified
        && record.renewed_on.is_none()
        && record.recorded_on.is_none()
        && record.valid_for.is_none();
    let units = (record.credit.is_none() || record.std.is_some())
        && record.hours.is_none() == record.hour_kind.is_none()
        && record.level.is_none() == record.ladder.is_none();
    let own_course = record.course.as_ref().is_none_or(|course| {
        course.as_str().split_once(':').is_some_and(|(issuer, _)| issuer == record.issuer.as_str())
    });
    let scored = record.score.is_none() == record.score_scale.is_none();
    let issuer = InstitutionId::new(record.issuer.as_str()).is_ok();
    plain && units && own_course && scored && issuer
}

/// A record as it is deposited.
fn draft(book: &Book, record: &Record, account: &[u8]) -> Option<Draft> {
    let minutes = match record.hours {
        Some(hours) => i32::try_from(hours.minutes(book.xs_minutes)?).ok().filter(|minutes| *minutes > 0)?,
        None => 0,
    };
    let amount = match (record.credit.filter(|credit| credit.0 > 0), &record.std) {
        (Some(credit), Some(std)) => {
            Some(v1::Amount { credit_scheme: scheme_of(std)?.as_str().to_owned(), credits_milli: credit.0 })
        }
        (Some(_), None) => return None,
        (None, _) => None,
    };
    let level = match (record.level, &record.ladder) {
        (Some(level), Some(ladder)) => {
            let framework = FrameworkId::new(ladder.as_str()).ok()?.as_str().to_owned();
            Some(v1::Level { framework, level_tenths: level.0 })
        }
        _ => None,
    };
    let code = |name: &Option<Name>| name.as_ref().map(Name::to_string).unwrap_or_default();
    let course = record.course.as_ref().and_then(|course| course.as_str().split_once(':'));
    let (subject, occupation) = (code(&record.subject), code(&record.occupation));
    if subject.len() > 16 || occupation.len() > 16 {
        return None;
    }
    let nameless = subject.is_empty() && occupation.is_empty();
    Some(Draft::of(kind(record.record_kind()), account).with(|draft| {
        draft.facts.amount = amount;
        draft.facts.minutes = minutes;
        draft.facts.class_hour_minutes = 0;
        draft.facts.hour_kind = record.hour_kind.map_or(0, |kind| hour_kind(kind.0).into());
        draft.facts.level = level;
        draft.facts.subject_code = if nameless { "0".to_owned() } else { subject };
        draft.facts.occupation_code = occupation;
        draft.facts.awarded_on = Some(wire(record.earned_on));
        draft.facts.valid_until = record.valid_until.map(wire);
        let title = record.title.as_ref().map_or("成果", |title| title.as_str());
        draft.details = v1::RecordDetails {
            catalogue_ref: course.map_or_else(|| unique("none-"), |(_, code)| code.to_owned()),
            title: Some(v1::Text { zh: title.to_owned(), en: String::new() }),
            score_milli: record.score.map(|score| score.0),
            score_scale_id: code(&record.score_scale),
            grade: record.grade.as_ref().map(|grade| grade.as_str().to_owned()).unwrap_or_default(),
            grade_scale_id: code(&record.grade_scale),
            pass_state: match record.passed {
                Some(true) => v1::PassState::Passed.into(),
                Some(false) => v1::PassState::Failed.into(),
                None => 0,
            },
            attendance_permille: record.attendance.and_then(|share| i32::try_from(share.0 / 10).ok()),
            certificate_no: unique("T-"),
            lineage_key: code(&record.lineage),
            mode: record.mode.map_or(0, |mode| delivery(mode.0).into()),
            ..v1::RecordDetails::default()
        };
    }))
}

fn kind(kind: RecordKind) -> v1::RecordKind {
    match kind {
        RecordKind::FormalCourse => v1::RecordKind::FormalCourse,
        RecordKind::NondegreeCourse => v1::RecordKind::NondegreeCourse,
        RecordKind::SkillGrade => v1::RecordKind::SkillGrade,
        RecordKind::XCert => v1::RecordKind::XCert,
        RecordKind::Qualification => v1::RecordKind::Qualification,
        RecordKind::Exam => v1::RecordKind::Exam,
        RecordKind::Cpd => v1::RecordKind::Cpd,
        RecordKind::Activity => v1::RecordKind::Activity,
        RecordKind::Experience => v1::RecordKind::Experience,
        RecordKind::Award => v1::RecordKind::Award,
    }
}

fn hour_kind(kind: HourKind) -> v1::HourKind {
    match kind {
        HourKind::Contact => v1::HourKind::Contact,
        HourKind::Notional => v1::HourKind::Notional,
        HourKind::Continuing => v1::HourKind::Continuing,
        HourKind::Practice => v1::HourKind::Practice,
    }
}

fn delivery(mode: DeliveryMode) -> v1::DeliveryMode {
    match mode {
        DeliveryMode::FaceToFace => v1::DeliveryMode::FaceToFace,
        DeliveryMode::Online => v1::DeliveryMode::Online,
        DeliveryMode::Blended => v1::DeliveryMode::Blended,
        DeliveryMode::SelfStudy => v1::DeliveryMode::SelfStudy,
    }
}

/// What a case states beside its records, by their positions in the request.
fn particulars(question: &Question, positions: &BTreeMap<String, u32>) -> v1::ConversionParticulars {
    let mut facts = Vec::new();
    for record in &question.records {
        let at = positions[record.id.as_str()];
        let mut state = |name: &str, value: String| {
            facts.push(v1::ConversionFact { record: at, name: name.to_owned(), value });
        };
        for (name, value) in &record.facts {
            let value = match value {
                FactValue::Bool(value) => value.to_string(),
                FactValue::Number(number) => number.to_string(),
                FactValue::Word(word) => word.as_str().to_owned(),
            };
            state(name.as_str(), value);
        }
        if let Some(share) = record.content_match {
            state("content_match", share.to_string());
        }
        for (name, value) in [("assessment", &record.assessment), ("project", &record.project)] {
            if let Some(value) = value {
                state(name, value.to_string());
            }
        }
    }
    facts.sort_by(|one, other| (one.record, &one.name).cmp(&(other.record, &other.name)));
    let mut met: Vec<String> = question.learner.met.iter().map(Name::to_string).collect();
    met.sort();
    v1::ConversionParticulars {
        born_on: question.learner.born_on.map(wire),
        enrolled_on: question.learner.enrolled_on.map(wire),
        met,
        facts,
        consent_ref: String::new(),
    }
}

/// The institutions, schemes and ladders that a ledger has by now.
#[derive(Default)]
struct There {
    institutions: BTreeSet<String>,
    schemes: BTreeSet<String>,
    ladders: BTreeSet<String>,
}

impl There {
    /// Admits whoever a question names, and publishes what its records are counted in.
    async fn bring(&mut self, session: &Session<'_>, question: &Question, owner: &str, std: &Name) {
        let issuers = question.records.iter().map(|record| record.issuer.to_string());
        for id in issuers.chain([owner.to_owned()]) {
            if self.institutions.insert(id.clone()) {
                session.admit(&institution(&id)).await;
            }
        }
        let stds = question.records.iter().filter_map(|record| record.std.as_ref()).chain([std]);
        let schemes: BTreeSet<String> =
            stds.filter_map(scheme_of).map(|scheme| scheme.as_str().to_owned()).collect();
        let new: Vec<String> = schemes.into_iter().filter(|id| self.schemes.insert(id.clone())).collect();
        let ladders =
            question.records.iter().filter_map(|record| record.ladder.as_ref().map(Name::to_string));
        for ladder in ladders.collect::<BTreeSet<_>>() {
            if FrameworkId::new(ladder.as_str()).is_ok() && self.ladders.insert(ladder.clone()) {
                session.publish(framework(&ladder, &[])).await;
            }
        }
        if !new.is_empty() {
            session.publish(framework(&unique("test.schemes-"), &new)).await;
        }
    }
}

fn institution(id: &str) -> Institution {
    Institution::named(id, &[Role::Issuer, Role::Acceptor, Role::Awarder])
        .accredited(v1::Accreditation { kinds: KINDS.map(i32::from).to_vec(), ..accreditation() })
}

fn framework(id: &str, schemes: &[String]) -> v1::FrameworkPublication {
    let label = |text: &str| Some(v1::Text { zh: "测试".to_owned(), en: text.to_owned() });
    let scheme = |id: &String| v1::CreditScheme {
        scheme_id: id.clone(),
        kind: v1::SchemeKind::Credit.into(),
        step_milli: 1,
        notional_minutes: 0,
        label: label(id),
    };
    v1::FrameworkPublication {
        header: None,
        framework_id: id.to_owned(),
        version: 1,
        title: label(id),
        schemes: schemes.iter().map(scheme).collect(),
        levels: Some(v1::LevelScale { min_tenths: 0, max_tenths: 1_000, step_tenths: 1 }),
    }
}

/// What the ledger would grant for a question of a book that is in force there; `None` where it can't hold its records.
async fn over_the_wire(session: &Session<'_>, book: &Book, question: &Question) -> Option<Granted> {
    let account = session.account().await.account_ref;
    let mut names: Vec<(String, Vec<u8>, String)> = Vec::new();
    for record in &question.records {
        let draft = draft(book, record, &account)?;
        let issuer = institution(record.issuer.as_str());
        let request = session.submission(&issuer, &draft).await;
        session.send(&issuer, request).await.ok()?;
        names.push((issuer.id.clone(), draft.facts.record_id.clone(), record.id.to_string()));
    }
    names.sort();
    let positions: BTreeMap<String, u32> =
        (0..).zip(&names).map(|(at, (_, _, id))| (id.clone(), at)).collect();
    let request = v1::QuoteConversionRequest {
        account_ref: account,
        purpose: ConversionPurpose::Credit.into(),
        book_id: book.id.to_string(),
        version: 0,
        target: question.programme.as_ref()?.to_string(),
        records: names
            .iter()
            .map(|(issuer_id, record_id, _)| v1::RecordName {
                issuer_id: issuer_id.clone(),
                record_id: record_id.clone(),
            })
            .collect(),
        particulars: Some(particulars(question, &positions)),
    };
    let caller = session.of(&session.world.registrar);
    let quote = caller.conversions().quote_conversion(request).await.expect("a quote").into_inner();
    let items = quote.items.into_iter().map(|item| {
        let mut records: Vec<String> =
            item.sources.iter().map(|at| names[usize::try_from(*at).expect("an index")].2.clone()).collect();
        records.sort();
        (item.rule, item.place, item.credits_milli, records)
    });
    Some(items.collect())
}

#[tokio::test]
async fn worked_cases_of_the_books_that_ship_come_out_over_the_wire() {
    let world = World::over(Bank::start(&[]));
    let session = Session::new(&world).await;
    let day = civil(today());
    let (mut there, mut same, mut left) = (There::default(), 0_usize, BTreeMap::<&str, usize>::new());
    let folder = root().join("ledger-data/rulebooks");
    let mut folders: Vec<_> =
        folder.read_dir().expect("books").map(|item| item.expect("a book").path()).collect();
    folders.sort();
    for folder in folders.into_iter().filter(|path| path.is_dir()) {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of a book");
        let mut book = Book::from_toml(&text("book.toml")).expect("a book");
        let cases = Cases::from_toml(&text("cases.toml")).expect("cases");
        // A ledger of today takes it up today.
        book.retroactive = true;
        let program = Program::new(book.clone()).expect("a program");
        let mut in_force = false;
        for case in &cases.tests {
            let mut leave = |why: &'static str| *left.entry(why).or_default() += 1;
            let Some(question) = case.convert.as_ref().and_then(|asked| cases.question(asked)) else {
                leave("is no conversion");
                continue;
            };
            let programme = question.programme.as_ref().and_then(|name| book.programmes.get(name));
            let Some(programme) =
                programme.filter(|own| InstitutionId::new(own.institution.as_str()).is_ok())
            else {
                leave("has no programme of an institution");
                continue;
            };
            if !question.uses.is_empty() || !question.records.iter().all(holds) {
                leave("asks about what no record of a ledger is");
                continue;
            }
            let Some(shifted) = moved(&question, day) else {
                leave("has a date that can't be moved");
                continue;
            };
            let expected = granted(&program.allocate(&question).expect("an answer"));
            if granted(&program.allocate(&shifted).expect("an answer")) != expected {
                leave("comes out otherwise on another day");
                continue;
            }
            there.bring(&session, &shifted, programme.institution.as_str(), &programme.std).await;
            if !in_force {
                let published = session.publish_book(session.publication(&book).await).await;
                let published = published.unwrap_or_else(|status| panic!("{}: {status:?}", book.id));
                let position = published.into_inner().position.expect("a position");
                session
                    .change_book(&book, &position.leaf_hash, RuleBookAction::Activate)
                    .await
                    .expect("a book is activated");
                in_force = true;
            }
            match over_the_wire(&session, &book, &shifted).await {
                Some(found) => {
                    assert_eq!(found, expected, "{} of {}", case.id, book.id);
                    same += 1;
                }
                None => leave("has a record that the ledger refuses"),
            }
        }
    }
    println!("{same} worked cases came out over the wire; left out: {left:?}");
    assert!(same >= LEAST, "{same} came out, {left:?} were left out");
}
