//! What a record must be to enter an account.

use super::{check, refused};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_deposit_names_an_account() {
    refused(
        Reason::AccountUnknown,
        "
        deposit a r1 cid
        ",
        expect![[r#"
            deposit a r1 cid                                                 ACCOUNT_UNKNOWN account_ref
        "#]],
    );
}

#[test]
fn a_record_id_is_used_once() {
    refused(
        Reason::RecordExists,
        "
        deposit a r1 ann
        deposit a r1 ann
        deposit a r1 bob
        correct a r1 r1 ann
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit a r1 ann                                                 RECORD_EXISTS record_id @7
            deposit a r1 bob                                                 RECORD_EXISTS record_id @7
            correct a r1 r1 ann                                              RECORD_EXISTS record_id @7
        "#]],
    );
}

#[test]
fn an_outcome_is_recorded_once() {
    refused(
        Reason::OutcomeExists,
        "
        deposit a r1 ann fingerprint=taken
        ",
        expect![[r#"
            deposit a r1 ann fingerprint=taken                               OUTCOME_EXISTS
        "#]],
    );
}

#[test]
fn an_award_does_not_lie_in_the_future() {
    refused(
        Reason::AwardedInFuture,
        "
        deposit a r1 ann awarded=2026-05-29
        deposit a r2 ann awarded=2026-05-30
        ",
        expect![[r#"
            deposit a r1 ann awarded=2026-05-29                              ok 7: RecordDeposited
            deposit a r2 ann awarded=2026-05-30                              AWARDED_IN_FUTURE awarded_on
        "#]],
    );
}

#[test]
fn validity_does_not_end_before_the_award() {
    refused(
        Reason::ValidityBeforeAward,
        "
        deposit a r1 ann awarded=2026-01-10 until=2026-01-10
        deposit a r2 ann awarded=2026-01-10 until=2026-01-09
        ",
        expect![[r#"
            deposit a r1 ann awarded=2026-01-10 until=2026-01-10             ok 7: RecordDeposited
            deposit a r2 ann awarded=2026-01-10 until=2026-01-09             VALIDITY_BEFORE_AWARD valid_until
        "#]],
    );
}

#[test]
fn learning_starts_before_it_ends() {
    refused(
        Reason::DatesBackwards,
        "
        deposit a r1 ann start=2026-01-10 end=2026-01-10
        deposit a r2 ann start=2026-01-02 end=2026-01-01
        deposit a r2 ann end=2026-01-11
        deposit a r2 ann start=2026-01-11
        ",
        expect![[r#"
            deposit a r1 ann start=2026-01-10 end=2026-01-10                 ok 7: RecordDeposited
            deposit a r2 ann start=2026-01-02 end=2026-01-01                 DATES_BACKWARDS details
            deposit a r2 ann end=2026-01-11                                  DATES_BACKWARDS details
            deposit a r2 ann start=2026-01-11                                DATES_BACKWARDS details
        "#]],
    );
}

#[test]
fn dates_that_cannot_be_read_are_not_judged() {
    check(
        "
        deposit a r1 ann details=closed start=2027-01-01
        ",
        expect![[r#"
            deposit a r1 ann details=closed start=2027-01-01                 ok 7: RecordDeposited
        "#]],
    );
}

#[test]
fn an_accreditation_covers_the_kind() {
    refused(
        Reason::NotAccredited,
        "
        deposit a r1 ann kind=activity
        deposit a r2 ann kind=grade
        deposit b r1 ann kind=grade awarded=2026-01-01 subject=04
        ",
        expect![[r#"
            deposit a r1 ann kind=activity                                   ok 7: RecordDeposited
            deposit a r2 ann kind=grade                                      NOT_ACCREDITED
            deposit b r1 ann kind=grade awarded=2026-01-01 subject=04        NOT_ACCREDITED
        "#]],
    );
}

#[test]
fn an_accreditation_is_in_force_at_the_award() {
    refused(
        Reason::AccreditationNotInForce,
        "
        deposit b r1 ann level=nqf:60 awarded=2025-12-31
        deposit b r2 ann level=nqf:60 awarded=2020-01-01
        deposit b r3 ann level=nqf:60 awarded=2019-12-31
        deposit b r3 ann level=nqf:60 awarded=2026-01-01
        ",
        expect![[r#"
            deposit b r1 ann level=nqf:60 awarded=2025-12-31                 ok 7: RecordDeposited
            deposit b r2 ann level=nqf:60 awarded=2020-01-01                 ok 8: RecordDeposited
            deposit b r3 ann level=nqf:60 awarded=2019-12-31                 ACCREDITATION_NOT_IN_FORCE
            deposit b r3 ann level=nqf:60 awarded=2026-01-01                 ACCREDITATION_NOT_IN_FORCE
        "#]],
    );
}

#[test]
fn an_accreditation_covers_the_level() {
    refused(
        Reason::LevelNotAccredited,
        "
        deposit b r1 ann level=nqf:50 awarded=2025-01-01
        deposit b r2 ann level=nqf:70 awarded=2025-01-01
        deposit b r3 ann level=nqf:80 awarded=2025-01-01
        deposit b r3 ann level=nqf:40 awarded=2025-01-01
        deposit b r3 ann level=other:60 awarded=2025-01-01
        deposit b r3 ann awarded=2025-01-01
        ",
        expect![[r#"
            deposit b r1 ann level=nqf:50 awarded=2025-01-01                 ok 7: RecordDeposited
            deposit b r2 ann level=nqf:70 awarded=2025-01-01                 ok 8: RecordDeposited
            deposit b r3 ann level=nqf:80 awarded=2025-01-01                 LEVEL_NOT_ACCREDITED
            deposit b r3 ann level=nqf:40 awarded=2025-01-01                 LEVEL_NOT_ACCREDITED
            deposit b r3 ann level=other:60 awarded=2025-01-01               LEVEL_NOT_ACCREDITED
            deposit b r3 ann awarded=2025-01-01                              LEVEL_NOT_ACCREDITED
        "#]],
    );
}

#[test]
fn an_accreditation_covers_every_code_that_is_named() {
    refused(
        Reason::SubjectNotAccredited,
        "
        deposit b r1 ann level=nqf:50 awarded=2025-01-01 subject=06
        deposit b r2 ann level=nqf:50 awarded=2025-01-01 subject=none occupation=6-31-01
        deposit b r3 ann level=nqf:50 awarded=2025-01-01 subject=061 occupation=6-31
        deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=07
        deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=06 occupation=6-30
        deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=6-31
        ",
        expect![[r#"
            deposit b r1 ann level=nqf:50 awarded=2025-01-01 subject=06      ok 7: RecordDeposited
            deposit b r2 ann level=nqf:50 awarded=2025-01-01 subject=none occupation=6-31-01 ok 8: RecordDeposited
            deposit b r3 ann level=nqf:50 awarded=2025-01-01 subject=061 occupation=6-31 ok 9: RecordDeposited
            deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=07      SUBJECT_NOT_ACCREDITED
            deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=06 occupation=6-30 SUBJECT_NOT_ACCREDITED
            deposit b r4 ann level=nqf:50 awarded=2025-01-01 subject=6-31    SUBJECT_NOT_ACCREDITED
        "#]],
    );
}

#[test]
fn one_accreditation_that_covers_all_is_enough() {
    refused(
        Reason::NotAccredited,
        "
        admit c accreditations=narrow,wide
        deposit c r1 ann kind=activity
        deposit c r2 ann level=nqf:60 awarded=2025-01-01
        deposit c r3 ann awarded=2019-12-31
        deposit c r3 ann kind=grade
        admit d accreditations=none
        deposit d r1 ann
        ",
        expect![[r#"
            admit c accreditations=narrow,wide                               ok 7: InstitutionAdmitted
            deposit c r1 ann kind=activity                                   ok 8: RecordDeposited
            deposit c r2 ann level=nqf:60 awarded=2025-01-01                 ok 9: RecordDeposited
            deposit c r3 ann awarded=2019-12-31                              ACCREDITATION_NOT_IN_FORCE
            deposit c r3 ann kind=grade                                      NOT_ACCREDITED
            admit d accreditations=none                                      ok 10: InstitutionAdmitted
            deposit d r1 ann                                                 NOT_ACCREDITED
        "#]],
    );
}

#[test]
fn a_level_is_of_a_framework_that_is_published() {
    refused(
        Reason::FrameworkUnknown,
        "
        deposit a r1 ann level=other:60
        ",
        expect![[r#"
            deposit a r1 ann level=other:60                                  FRAMEWORK_UNKNOWN level.framework
        "#]],
    );
}

#[test]
fn a_level_is_on_the_scale() {
    refused(
        Reason::LevelNotInFramework,
        "
        framework bare 1
        deposit a r1 ann level=nqf:80
        deposit a r2 ann level=nqf:90
        deposit a r2 ann level=nqf:65
        deposit a r2 ann level=bare:10
        ",
        expect![[r#"
            framework bare 1                                                 ok 7: FrameworkPublished
            deposit a r1 ann level=nqf:80                                    ok 8: RecordDeposited
            deposit a r2 ann level=nqf:90                                    LEVEL_NOT_IN_FRAMEWORK level.tenths
            deposit a r2 ann level=nqf:65                                    LEVEL_NOT_IN_FRAMEWORK level.tenths
            deposit a r2 ann level=bare:10                                   LEVEL_NOT_IN_FRAMEWORK level.tenths
        "#]],
    );
}

#[test]
fn a_scheme_is_registered() {
    refused(
        Reason::SchemeUnknown,
        "
        deposit a r1 ann amount=3000:QF_HK
        ",
        expect![[r#"
            deposit a r1 ann amount=3000:QF_HK                               SCHEME_UNKNOWN amount.credit_scheme
        "#]],
    );
}

#[test]
fn an_amount_is_a_multiple_of_the_step() {
    refused(
        Reason::AmountOffStep,
        "
        deposit a r1 ann amount=500:CN_XF
        deposit a r2 ann amount=750:CN_XF
        ",
        expect![[r#"
            deposit a r1 ann amount=500:CN_XF                                ok 7: RecordDeposited
            deposit a r2 ann amount=750:CN_XF                                AMOUNT_OFF_STEP amount.credits_milli
        "#]],
    );
}
