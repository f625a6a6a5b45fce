//! Records that the bank must not take: amounts, dates, accreditation, accounts, doubles.

use crate::institution::{Institution, KINDS, accreditation};
use crate::session::Session;
use crate::shared::quiet;
use crate::statement::{Draft, date, identity, today_plus, uuid_v7};
use credit_proto::v1;
use credit_proto::v1::{AccountAction, RecordKind, Role};
use credit_types::limits::{CLASS_HOUR_MINUTES_MAX, CREDITS_MILLI_MAX, MINUTES_MAX};

#[tokio::test]
async fn an_amount_is_one_to_its_maximum_and_on_its_schemes_step() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let school = &session.world.school;
    for milli in [1, CREDITS_MILLI_MAX] {
        session.deposit(school, &Draft::course(&account).amount("T_MILLI", milli)).await;
    }
    for milli in [0, -1, i64::MIN, CREDITS_MILLI_MAX + 1, i64::MAX] {
        let refused =
            session.refused_record("FIELD_INVALID", &Draft::course(&account).amount("T_MILLI", milli)).await;
        assert!(refused.field.ends_with("amount.credits_milli"), "{milli}: {}", refused.field);
    }
    for milli in [1, 499, 501, 2_499, CREDITS_MILLI_MAX - 1] {
        session.refused_record("AMOUNT_OFF_STEP", &Draft::course(&account).amount("T_XF", milli)).await;
    }
    session.deposit(school, &Draft::course(&account).amount("T_XF", 500)).await;
    session.refused_record("SCHEME_UNKNOWN", &Draft::course(&account).amount("T_NONE", 500)).await;
    for scheme in ["", "t_xf", "T-XF", &"T".repeat(33)] {
        session.refused_record("FIELD_INVALID", &Draft::course(&account).amount(scheme, 500)).await;
    }
}

#[tokio::test]
async fn minutes_and_class_hours_are_within_their_bounds() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let with = |hour_kind: i32, minutes, class_hour_minutes| {
        Draft::course(&account).with(|draft| {
            draft.facts.hour_kind = hour_kind;
            draft.facts.minutes = minutes;
            draft.facts.class_hour_minutes = class_hour_minutes;
        })
    };
    let contact = i32::from(v1::HourKind::Contact);
    session.deposit(&session.world.school, &with(contact, MINUTES_MAX, CLASS_HOUR_MINUTES_MAX)).await;
    session.deposit(&session.world.school, &with(0, 0, 0)).await;
    for wrong in [
        with(contact, MINUTES_MAX + 1, 45),
        with(contact, -1, 45),
        with(contact, 45, CLASS_HOUR_MINUTES_MAX + 1),
        with(contact, 45, -1),
        with(contact, 0, 0),
        with(0, 45, 0),
        with(0, 0, 45),
    ] {
        session.refused_record("FIELD_INVALID", &wrong).await;
    }
}

#[tokio::test]
async fn dates_run_forward() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let with = |start: i32, end: i32, awarded: i32| {
        Draft::course(&account).with(|draft| {
            draft.details.start_on = Some(today_plus(start));
            draft.details.end_on = Some(today_plus(end));
            draft.facts.awarded_on = Some(today_plus(awarded));
        })
    };
    let school = &session.world.school;
    session.deposit(school, &with(-7, -7, -7)).await;
    session.refused_record("DATES_BACKWARDS", &with(-6, -7, -5)).await;
    session.refused_record("DATES_BACKWARDS", &with(-9, -7, -8)).await;
    session.refused_record("AWARDED_IN_FUTURE", &with(-9, -8, 2)).await;
    let until = |days: i32| with(-9, -8, -7).with(|draft| draft.facts.valid_until = Some(today_plus(days)));
    session.deposit(school, &until(-7)).await;
    session.refused_record("VALIDITY_BEFORE_AWARD", &until(-8)).await;
}

/// An issuer of formal courses alone: levels 5 and 6, subjects that begin with 04, awards of 2020 to 2025.
fn narrow() -> Institution {
    Institution::named(crate::statement::unique("cn.test.narrow-"), &[Role::Issuer]).accredited(
        v1::Accreditation {
            kinds: vec![RecordKind::FormalCourse.into()],
            levels: vec![v1::LevelRange { framework: "test.nqf".to_owned(), min_tenths: 50, max_tenths: 60 }],
            subject_prefixes: vec!["04".to_owned()],
            valid_from: Some(date(2020, 1, 1)),
            valid_to: Some(date(2025, 12, 31)),
            ..accreditation()
        },
    )
}

fn within(account: &[u8], awarded: v1::CivilDate, level: i32, subject: &str) -> Draft {
    Draft::course(account).with(|draft| {
        draft.facts.awarded_on = Some(awarded);
        draft.facts.level = Some(v1::Level { framework: "test.nqf".to_owned(), level_tenths: level });
        subject.clone_into(&mut draft.facts.subject_code);
        draft.details.start_on = None;
        draft.details.end_on = None;
    })
}

#[tokio::test]
async fn an_accreditation_covers_kind_day_level_and_subject() {
    let session = quiet().await;
    let narrow = narrow();
    session.admit(&narrow).await;
    let account = session.account().await.account_ref;
    for (awarded, level, subject) in [(date(2020, 1, 1), 50, "04"), (date(2025, 12, 31), 60, "0413")] {
        session.deposit(&narrow, &within(&account, awarded, level, subject)).await;
    }
    let day = date(2024, 6, 30);
    let right = || within(&account, day, 50, "0411");
    let of_kind = |kind: RecordKind| right().with(|draft| draft.facts.kind = kind.into());
    let cases = [
        (of_kind(RecordKind::Exam), "NOT_ACCREDITED"),
        (within(&account, date(2019, 12, 31), 50, "0411"), "ACCREDITATION_NOT_IN_FORCE"),
        (within(&account, date(2026, 1, 1), 50, "0411"), "ACCREDITATION_NOT_IN_FORCE"),
        (within(&account, day, 40, "0411"), "LEVEL_NOT_ACCREDITED"),
        (within(&account, day, 70, "0411"), "LEVEL_NOT_ACCREDITED"),
        (right().with(|draft| draft.facts.level = None), "LEVEL_NOT_ACCREDITED"),
        (within(&account, day, 50, "0511"), "SUBJECT_NOT_ACCREDITED"),
        (right().with(|draft| draft.facts.occupation_code = "4-01".to_owned()), "SUBJECT_NOT_ACCREDITED"),
    ];
    for (draft, reason) in cases {
        let request = session.submission(&narrow, &draft).await;
        session.refused(reason, session.send(&narrow, request)).await;
    }
}

#[tokio::test]
async fn an_institution_without_accreditation_deposits_nothing() {
    let session = quiet().await;
    let bare = Institution::named(crate::statement::unique("cn.test.bare-"), &[Role::Issuer]);
    session.admit(&bare).await;
    let account = session.account().await.account_ref;
    for kind in KINDS {
        let request = session.submission(&bare, &Draft::of(kind, &account)).await;
        session.refused("NOT_ACCREDITED", session.send(&bare, request)).await;
    }
}

#[tokio::test]
async fn a_level_is_on_a_published_scale() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let at = |framework: &str, level_tenths| {
        let level = v1::Level { framework: framework.to_owned(), level_tenths };
        Draft::course(&account).with(|draft| draft.facts.level = Some(level))
    };
    let school = &session.world.school;
    session.deposit(school, &at("test.nqf", 10)).await;
    session.deposit(school, &at("test.nqf", 100)).await;
    for level in [0, 9, 55, 110, 1_000] {
        session.refused_record("LEVEL_NOT_IN_FRAMEWORK", &at("test.nqf", level)).await;
    }
    for level in [-1, 1_001] {
        session.refused_record("FIELD_INVALID", &at("test.nqf", level)).await;
    }
    session.refused_record("FRAMEWORK_UNKNOWN", &at("test.other", 10)).await;
}

#[tokio::test]
async fn an_account_must_be_there_and_open() {
    let session = quiet().await;
    session.refused_record("ACCOUNT_UNKNOWN", &Draft::course(&uuid_v7())).await;
    for length in [0, 15, 17] {
        session.refused_record("FIELD_INVALID", &Draft::course(&vec![7; length])).await;
    }
    let account = session.account().await.account_ref;
    session.account_must(&account, AccountAction::Suspend).await;
    session.deposit(&session.world.school, &Draft::course(&account)).await;
    session.account_must(&account, AccountAction::Close).await;
    session.refused_record("ACCOUNT_CLOSED", &Draft::course(&account)).await;
}

#[tokio::test]
async fn a_record_id_is_used_once() {
    let session = quiet().await;
    let [account, other] = [session.account().await.account_ref, session.account().await.account_ref];
    let draft = Draft::course(&account);
    let index = session.deposit(&session.world.school, &draft).await.index;
    let refused = session.refused_record("RECORD_EXISTS", &draft).await;
    assert_eq!(refused.index, Some(index));
    let amended = draft.clone().amount("T_XF", 9_000);
    assert_eq!(session.refused_record("RECORD_EXISTS", &amended).await.index, Some(index));
    let elsewhere = draft.clone().with(|draft| draft.facts.account_ref = other);
    assert_eq!(session.refused_record("RECORD_EXISTS", &elsewhere).await.index, Some(index));
    // Ids are each issuer's own.
    let neighbour = Institution::school();
    session.admit(&neighbour).await;
    session.deposit(&neighbour, &draft).await;
    for (version, taken) in [(0x80, true), (0x40, false), (0x10, false)] {
        let mut id = uuid_v7().to_vec();
        id[6] = version;
        let draft = Draft::course(&account).with(|draft| draft.facts.record_id = id);
        if taken {
            session.deposit(&session.world.school, &draft).await;
        } else {
            session.refused_record("FIELD_INVALID", &draft).await;
        }
    }
}

/// The same certificate again under another id.
fn again(draft: &Draft) -> Draft {
    draft.clone().with(|draft| draft.facts.record_id = uuid_v7().to_vec())
}

#[tokio::test]
async fn one_outcome_is_recorded_once() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account).with(|draft| draft.details.certificate_no = "Ｔ-４２ ab".to_owned());
    session.deposit(&session.world.school, &draft).await;
    session.refused_record("OUTCOME_EXISTS", &again(&draft)).await;
    // Width, case and spaces don't make another certificate; a later version of the catalogue doesn't either.
    for number in ["T-42 ab", "T-42ab", " Ｔ-４２ａｂ"] {
        let same = again(&draft).with(|draft| draft.details.certificate_no = number.to_owned());
        session.refused_record("OUTCOME_EXISTS", &same).await;
    }
    let newer = again(&draft).with(|draft| draft.details.catalogue_ref = "T-0411@2".to_owned());
    session.refused_record("OUTCOME_EXISTS", &newer).await;
    let differ: [fn(&mut Draft); 3] = [
        |draft| draft.details.certificate_no = "T-43".to_owned(),
        |draft| draft.details.catalogue_ref = "T-0412@1".to_owned(),
        |draft| draft.facts.awarded_on = Some(today_plus(-1)),
    ];
    for change in differ {
        session.deposit(&session.world.school, &again(&draft).with(change)).await;
    }
    // What was taken back may be recorded again.
    session.record_must(&session.world.school, &draft.facts.record_id, v1::RecordAction::Revoke).await;
    session.deposit(&session.world.school, &again(&draft)).await;
}

#[tokio::test]
async fn one_person_has_one_account() {
    let session = quiet().await;
    let person = identity(Some((&session.world.school.id, "S-77")));
    let account = session.account_of(&person).await;
    let registrar = session.of(&session.world.registrar);
    let open = async |person: v1::AccountIdentity| {
        let request = session.opening(&person).await;
        let refused = session.refused("ALIAS_EXISTS", registrar.accounts().open_account(request)).await;
        assert_eq!(refused.index, None, "a refusal does not say whose it is");
    };
    open(person.clone()).await;
    let renamed = v1::AccountIdentity { name: "别名".to_owned(), ..person.clone() };
    open(renamed).await;
    let only_number =
        v1::AccountIdentity { student_numbers: person.student_numbers.clone(), ..identity(None) };
    open(only_number).await;
    let only_document = v1::AccountIdentity { student_numbers: Vec::new(), ..person };
    open(only_document).await;
    assert_eq!(session.view(&account.account_ref).await.records, 0);
}

/// A record that is refused does not use its id up, nor its statement_id.
#[tokio::test]
async fn a_refusal_leaves_nothing_behind() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let school = &session.world.school;
    let draft = Draft::course(&account);
    session.refused_record("AMOUNT_OFF_STEP", &draft.clone().amount("T_XF", 1)).await;
    let header = session.header(&school.id).await;
    let key = school.key(v1::KeyPurpose::Records);
    let wrong = draft.clone().amount("T_XF", 1).submission(header.clone(), &key);
    session.refused("AMOUNT_OFF_STEP", session.send(school, wrong)).await;
    let right = draft.submission(header, &key);
    let position =
        session.send(school, right).await.expect("the corrected record").into_inner().position.unwrap();
    assert!(!position.replayed);
    assert_eq!(view_of(&session, &account).await, 1);
}

async fn view_of(session: &Session<'_>, account: &[u8]) -> u32 {
    session.view(account).await.records
}
