//! Accounts.

use super::{check, refused};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_status_change_names_an_account() {
    refused(
        Reason::AccountUnknown,
        "
        account cid suspend
        ",
        expect![[r#"
            account cid suspend                                              ACCOUNT_UNKNOWN account_ref
        "#]],
    );
}

#[test]
fn an_account_ref_is_drawn_once() {
    refused(
        Reason::AccountExists,
        "
        open cid
        open cid by=b
        ",
        expect![[r#"
            open cid                                                         ok 7: AccountOpened
            open cid by=b                                                    ACCOUNT_EXISTS @7
        "#]],
    );
}

#[test]
fn one_person_one_account() {
    refused(
        Reason::AliasExists,
        "
        open cid alias=taken
        ",
        expect![[r#"
            open cid alias=taken                                             ALIAS_EXISTS
        "#]],
    );
}

/// What is in it can still be revoked.
#[test]
fn a_closed_account_is_read_only() {
    refused(
        Reason::AccountClosed,
        "
        deposit a r1 ann
        account ann suspend
        account ann close
        deposit a r2 ann
        correct a r1 r2 ann
        record a r1 ann revoke
        account ann reinstate
        account ann close
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            account ann suspend                                              ok 8: AccountStatusChanged(Suspended)
            account ann close                                                ok 9: AccountStatusChanged(Closed)
            deposit a r2 ann                                                 ACCOUNT_CLOSED @9
            correct a r1 r2 ann                                              ACCOUNT_CLOSED @9
            record a r1 ann revoke                                           ok 10: RecordStatusChanged(Revoked)
            account ann reinstate                                            ACCOUNT_CLOSED @9
            account ann close                                                ACCOUNT_CLOSED @9
        "#]],
    );
}

#[test]
fn a_suspended_account_takes_deposits() {
    refused(
        Reason::AccountNotActive,
        "
        account ann suspend
        deposit a r1 ann
        account ann suspend
        ",
        expect![[r#"
            account ann suspend                                              ok 7: AccountStatusChanged(Suspended)
            deposit a r1 ann                                                 ok 8: RecordDeposited
            account ann suspend                                              ACCOUNT_NOT_ACTIVE @7
        "#]],
    );
}

#[test]
fn what_is_not_suspended_is_not_reinstated() {
    refused(
        Reason::AccountNotSuspended,
        "
        account ann reinstate
        ",
        expect![[r#"
            account ann reinstate                                            ACCOUNT_NOT_SUSPENDED @5
        "#]],
    );
}

/// One person has one account from a document on: whoever leaves the document out doesn't say so.
#[test]
fn an_account_has_its_number_and_what_its_assurance_rests_on() {
    check(
        "
        open cid aliases=document
        open cid aliases=number
        open cid aliases=number,document,document
        open cid aliases=number,number,document
        open cid assurance=face aliases=number,student
        open cid assurance=phone aliases=number,student,student
        open dan assurance=none aliases=number,document
        open eve assurance=face aliases=number,document
        ",
        expect![[r#"
            open cid aliases=document                                        FIELD_INVALID aliases
            open cid aliases=number                                          FIELD_INVALID assurance
            open cid aliases=number,document,document                        FIELD_INVALID assurance
            open cid aliases=number,number,document                          FIELD_INVALID aliases
            open cid assurance=face aliases=number,student                   FIELD_INVALID assurance
            open cid assurance=phone aliases=number,student,student          ok 7: AccountOpened
            open dan assurance=none aliases=number,document                  ok 8: AccountOpened
            open eve assurance=face aliases=number,document                  ok 9: AccountOpened
        "#]],
    );
}

#[test]
fn an_account_has_at_most_65536_records() {
    refused(
        Reason::AccountFull,
        "
        pretend ann 65534
        deposit a r1 ann
        deposit a r2 ann
        deposit a r3 ann
        correct a r1 r3 ann
        ",
        expect![[r#"
            pretend ann 65534
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit a r2 ann                                                 ok 8: RecordDeposited
            deposit a r3 ann                                                 ACCOUNT_FULL
            correct a r1 r3 ann                                              ACCOUNT_FULL
        "#]],
    );
}

#[test]
fn a_regulator_cites_the_order() {
    refused(
        Reason::OrderRefMissing,
        "
        deposit a r1 ann
        record a r1 ann suspend by=g order=7
        account ann suspend by=g purpose=status order=7
        account bob suspend by=g purpose=status
        record a r1 ann reinstate by=g
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend by=g order=7                             ok 8: RecordStatusChanged(Suspended)
            account ann suspend by=g purpose=status order=7                  ok 9: AccountStatusChanged(Suspended)
            account bob suspend by=g purpose=status                          ORDER_REF_MISSING order_ref
            record a r1 ann reinstate by=g                                   ORDER_REF_MISSING order_ref
        "#]],
    );
}

#[test]
fn who_has_both_offices_acts_in_the_one_the_key_is_for() {
    refused(
        Reason::OrderRefMissing,
        "
        admit c roles=registrar,regulator
        account ann suspend by=c
        account bob suspend by=c purpose=status order=7
        account bob reinstate by=c purpose=status
        account bob reinstate by=c
        account bob suspend by=c purpose=status
        ",
        expect![[r#"
            admit c roles=registrar,regulator                                ok 7: InstitutionAdmitted
            account ann suspend by=c                                         ok 8: AccountStatusChanged(Suspended)
            account bob suspend by=c purpose=status order=7                  ok 9: AccountStatusChanged(Suspended)
            account bob reinstate by=c purpose=status                        KEY_PURPOSE_WRONG signatures
            account bob reinstate by=c                                       ok 10: AccountStatusChanged(Active)
            account bob suspend by=c purpose=status                          ORDER_REF_MISSING order_ref
        "#]],
    );
}

#[test]
fn an_account_is_suspended_and_reinstated_32_times() {
    refused(
        Reason::StatusLimitReached,
        "
        repeat 32 account ann suspend ; account ann reinstate
        account ann suspend
        ",
        expect![[r#"
            repeat 32 account ann suspend ; account ann reinstate            ok each time
            account ann suspend                                              STATUS_LIMIT_REACHED
        "#]],
    );
}

#[test]
fn an_account_can_always_be_closed() {
    check(
        "
        repeat 32 account ann suspend ; account ann reinstate
        account ann close
        ",
        expect![[r#"
            repeat 32 account ann suspend ; account ann reinstate            ok each time
            account ann close                                                ok 71: AccountStatusChanged(Closed)
        "#]],
    );
}

#[test]
fn an_old_reinstatement_is_not_played_twice() {
    refused(
        Reason::StaleStatement,
        "
        account ann suspend
        account ann reinstate
        account ann suspend
        account ann reinstate after=7
        ",
        expect![[r#"
            account ann suspend                                              ok 7: AccountStatusChanged(Suspended)
            account ann reinstate                                            ok 8: AccountStatusChanged(Active)
            account ann suspend                                              ok 9: AccountStatusChanged(Suspended)
            account ann reinstate after=7                                    STALE_STATEMENT after @9
        "#]],
    );
}
