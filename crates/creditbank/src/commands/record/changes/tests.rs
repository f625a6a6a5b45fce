use super::*;
use credit_types::{AccountRef, FrameworkId, HourKind, RecordId, RecordKind, SchemeId};

fn record() -> NewRecord {
    let amount =
        Amount { scheme: SchemeId::new("CN_XF").unwrap(), credits: Credits::from_milli(4_000).unwrap() };
    NewRecord {
        account_ref: AccountRef([1; 16]),
        record_id: RecordId([2; 16]),
        kind: RecordKind::FormalCourse,
        amount: Some(amount),
        minutes: Some(Minutes { hour_kind: HourKind::Contact, minutes: 3_240, class_hour_minutes: 45 }),
        level: Some(Level { framework: FrameworkId::new("cn.nqf").unwrap(), tenths: 50 }),
        subject_code: "0804".to_owned(),
        occupation_code: String::new(),
        awarded_on: CivilDate::new(2026, 7, 8).unwrap(),
        valid_until: Some(CivilDate::new(2034, 7, 8).unwrap()),
        credit_eligible: true,
        details: RecordDetails {
            catalogue_ref: "YJOU-0411@1".to_owned(),
            title: Text { zh: "基础会计".to_owned(), en: String::new() },
            score_milli: Some(86_000),
            score_scale_id: "0-100".to_owned(),
            attendance_permille: Some(965),
            ..RecordDetails::default()
        },
    }
}

type Seen = Vec<(&'static str, String, String)>;

fn changed(toml: &str) -> Result<Seen, (&'static str, Text)> {
    let mut corrected = record();
    parse(toml).unwrap().apply(&mut corrected).map_err(|wrong| (wrong.field, wrong.problem))?;
    let differences = differences(&record(), &corrected);
    Ok(differences.into_iter().map(|one| (one.field, one.before, one.after)).collect())
}

/// A value of every field that is not the record's own: every field can be changed, and its change is seen.
#[test]
fn every_field_can_be_changed_and_nothing_else_changes_with_it() {
    let values = [
        ("kind", "EXAM"),
        ("scheme", "CATS"),
        ("credits", "2.5"),
        ("hour_kind", "NOTIONAL"),
        ("minutes", "90"),
        ("class_hour_minutes", "40"),
        ("framework", "uk.fheq"),
        ("level", "4.5"),
        ("subject_code", "0701"),
        ("occupation_code", "4-01-02"),
        ("awarded_on", "2026-07-09"),
        ("valid_until", "2035-01-01"),
        ("credit_eligible", "false"),
        ("catalogue_ref", "YJOU-0411@2"),
        ("title_zh", "会计学"),
        ("title_en", "Accounting"),
        ("score", "88.5"),
        ("score_scale", "0-150"),
        ("grade", "优"),
        ("grade_scale", "five"),
        ("pass_state", "PASSED"),
        ("attendance_percent", "97.5"),
        ("start_on", "2026-02-20"),
        ("end_on", "2026-06-24"),
        ("term", "2026-1"),
        ("certificate_no", "C-1"),
        ("attempt", "2"),
        ("mode", "ONLINE"),
        ("assessor_id", "cn.x.assessor"),
        ("lineage_key", "k"),
        ("language", "zh-CN"),
        ("contact_minutes", "10"),
        ("notional_minutes", "20"),
    ];
    assert_eq!(
        values.map(|(field, _)| field).to_vec(),
        fields(&record()).iter().map(|one| one.0).collect::<Vec<_>>()
    );
    for (field, value) in values {
        let seen = changed(&format!("{field} = {value:?}")).unwrap();
        let [(name, before, after)] = seen.as_slice() else { panic!("{field}: {seen:?}") };
        assert_eq!((*name, after.as_str()), (field, value));
        assert_ne!(before, after);
        assert!(changed(&format!("{field} = {before:?}")).unwrap().is_empty(), "{field} stays {before}");
    }
}

#[test]
fn an_empty_text_takes_a_value_away_where_a_record_can_do_without() {
    let gone = |field: &str| changed(&format!("{field} = \"\""));
    assert_eq!(gone("credits").unwrap().len(), 2, "an amount is a scheme and a number");
    assert_eq!(gone("minutes").unwrap().len(), 3);
    assert_eq!(gone("level").unwrap().len(), 2);
    for field in ["valid_until", "score", "attendance_percent"] {
        let seen = gone(field).unwrap();
        assert_eq!((seen.len(), seen[0].0, seen[0].2.as_str()), (1, field, ""));
    }
    for field in ["kind", "awarded_on", "credit_eligible"] {
        let (named, problem) = gone(field).unwrap_err();
        assert_eq!(named, field);
        assert!(problem.zh.contains("不能") && problem.en.contains("can't"), "{problem:?}");
    }
}

#[test]
fn what_is_no_value_of_its_kind_is_refused_by_its_field() {
    for (field, value) in [
        ("kind", "COURSE"),
        ("credits", "four"),
        ("credits", "-1"),
        ("credits", "0.0001"),
        ("scheme", "no scheme!"),
        ("minutes", "1.5"),
        ("level", "101"),
        ("awarded_on", "2026/7/9"),
        ("valid_until", "2026-02-30"),
        ("credit_eligible", "yes"),
        ("attendance_percent", "101"),
        ("assessor_id", "Not An Id"),
        ("mode", "线上"),
    ] {
        let (named, problem) = changed(&format!("{field} = {value:?}")).unwrap_err();
        assert_eq!(named, field, "{value}");
        assert!(!problem.zh.is_empty() && !problem.en.is_empty(), "{field} {value}");
    }
    for wrong in ["credit = 4", "score = 88.5", "credits", "account_ref = \"x\""] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_amount_has_a_scheme_and_a_number_or_is_not_there() {
    let mut bare = NewRecord { amount: None, minutes: None, level: None, ..record() };
    for (toml, field) in [
        ("credits = 4", "credits"),
        ("scheme = \"CN_XF\"", "scheme"),
        ("minutes = 90", "minutes"),
        ("hour_kind = \"CONTACT\"", "hour_kind"),
        ("level = 5", "level"),
        ("framework = \"cn.nqf\"", "framework"),
    ] {
        assert_eq!(parse(toml).unwrap().apply(&mut bare.clone()).unwrap_err().field, field);
    }
    let whole = "credits = 4\nscheme = \"CN_XF\"\nminutes = 90\nhour_kind = \"CONTACT\"\nlevel = 5\nframework = \"cn.nqf\"";
    parse(whole).unwrap().apply(&mut bare).unwrap();
    assert!(bare.amount.is_some() && bare.minutes.is_some() && bare.level.is_some());
}

#[test]
fn options_go_before_the_file() {
    let options = Changes { score: Some(Scalar("90".to_owned())), ..Changes::default() };
    let file = parse("score = 10\ngrade = \"优\"").unwrap();
    let mut corrected = record();
    options.over(file).apply(&mut corrected).unwrap();
    assert_eq!((corrected.details.score_milli, corrected.details.grade.as_str()), (Some(90_000), "优"));
}
