//! Corrections and changes of status.

use super::{check, refused};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_revocation_follows_nothing_and_all_else_something() {
    refused(
        Reason::FieldInvalid,
        "
        deposit a r1 ann
        record a r1 ann revoke after=7
        record a r1 ann suspend after=none
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann revoke after=7                                   FIELD_INVALID after
            record a r1 ann suspend after=none                               FIELD_INVALID after
        "#]],
    );
}

#[test]
fn what_is_changed_is_there() {
    refused(
        Reason::RecordUnknown,
        "
        correct a r0 r1 ann
        record a r0 ann revoke
        ",
        expect![[r#"
            correct a r0 r1 ann                                              RECORD_UNKNOWN supersedes
            record a r0 ann revoke                                           RECORD_UNKNOWN record_id
        "#]],
    );
}

#[test]
fn a_record_stays_in_its_account() {
    refused(
        Reason::RecordOfAnotherAccount,
        "
        deposit a r1 ann
        correct a r1 r2 bob
        record a r1 bob revoke
        record a r1 nobody suspend
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            correct a r1 r2 bob                                              RECORD_OF_ANOTHER_ACCOUNT account_ref
            record a r1 bob revoke                                           RECORD_OF_ANOTHER_ACCOUNT account_ref
            record a r1 nobody suspend                                       RECORD_OF_ANOTHER_ACCOUNT account_ref
        "#]],
    );
}

#[test]
fn a_revoked_record_stays_revoked() {
    refused(
        Reason::RecordRevoked,
        "
        deposit a r1 ann
        record a r1 ann revoke
        record a r1 ann reinstate
        correct a r1 r2 ann
        record a r1 ann revoke
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann revoke                                           ok 8: RecordStatusChanged(Revoked)
            record a r1 ann reinstate                                        RECORD_REVOKED @8
            correct a r1 r2 ann                                              RECORD_REVOKED @8
            record a r1 ann revoke                                           RECORD_REVOKED @8
        "#]],
    );
}

#[test]
fn a_superseded_record_stays_superseded() {
    refused(
        Reason::RecordSuperseded,
        "
        deposit a r1 ann
        record a r1 ann suspend
        correct a r1 r2 ann
        record a r1 ann reinstate
        correct a r1 r3 ann
        record a r1 ann revoke
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            correct a r1 r2 ann                                              ok 9: RecordStatusChanged(Superseded), RecordDeposited
            record a r1 ann reinstate                                        RECORD_SUPERSEDED @9
            correct a r1 r3 ann                                              RECORD_SUPERSEDED @9
            record a r1 ann revoke                                           RECORD_SUPERSEDED @9
        "#]],
    );
}

#[test]
fn what_is_in_force_is_not_reinstated() {
    refused(
        Reason::RecordNotSuspended,
        "
        deposit a r1 ann
        record a r1 ann reinstate
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann reinstate                                        RECORD_NOT_SUSPENDED @7
        "#]],
    );
}

#[test]
fn what_is_suspended_is_not_suspended_again() {
    refused(
        Reason::RecordAlreadySuspended,
        "
        deposit a r1 ann
        record a r1 ann suspend
        record a r1 ann suspend
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            record a r1 ann suspend                                          RECORD_ALREADY_SUSPENDED @8
        "#]],
    );
}

/// An order binds the issuer, and no order lifts what the issuer looks into itself.
#[test]
fn nobody_lifts_what_the_other_has_suspended() {
    check(
        "
        deposit a r1 ann
        record a r1 ann suspend
        record a r1 ann reinstate by=g order=7
        record a r1 ann reinstate
        record a r1 ann suspend by=g order=7
        record a r1 ann reinstate
        record a r1 ann reinstate by=g order=8
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            record a r1 ann reinstate by=g order=7                           SIGNER_NOT_ALLOWED header.signer_id @8
            record a r1 ann reinstate                                        ok 9: RecordStatusChanged(Valid)
            record a r1 ann suspend by=g order=7                             ok 10: RecordStatusChanged(Suspended)
            record a r1 ann reinstate                                        SIGNER_NOT_ALLOWED header.signer_id @10
            record a r1 ann reinstate by=g order=8                           ok 11: RecordStatusChanged(Valid)
        "#]],
    );
}

/// Else an issuer could keep an order away by suspending first and reinstating at will.
#[test]
fn an_order_takes_a_suspension_over() {
    check(
        "
        deposit a r1 ann
        record a r1 ann suspend
        record a r1 ann suspend by=g order=7
        record a r1 ann suspend by=g order=8
        record a r1 ann suspend
        balance ann 2026-06-01
        record a r1 ann reinstate after=8
        record a r1 ann reinstate by=g order=9
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            record a r1 ann suspend by=g order=7                             ok 9: RecordStatusChanged(Suspended)
            record a r1 ann suspend by=g order=8                             RECORD_ALREADY_SUSPENDED @9
            record a r1 ann suspend                                          RECORD_ALREADY_SUSPENDED @9
            balance ann 2026-06-01                                           CN_XF Suspended 3000 in 1
            record a r1 ann reinstate after=8                                SIGNER_NOT_ALLOWED header.signer_id @9
            record a r1 ann reinstate by=g order=9                           ok 10: RecordStatusChanged(Valid)
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1
        "#]],
    );
}

/// The 64 changes of an issuer leave room for an order, which is lifted again; 128 are enough for an order too.
#[test]
fn an_order_finds_room_when_the_issuers_changes_are_used_up() {
    refused(
        Reason::StatusLimitReached,
        "
        deposit a r1 ann
        repeat 32 record a r1 ann suspend ; record a r1 ann reinstate
        record a r1 ann suspend
        repeat 32 record a r1 ann suspend by=g order=7 ; record a r1 ann reinstate by=g order=7
        record a r1 ann suspend by=g order=7
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            repeat 32 record a r1 ann suspend ; record a r1 ann reinstate    ok each time
            record a r1 ann suspend                                          STATUS_LIMIT_REACHED
            repeat 32 record a r1 ann suspend by=g order=7 ; record a r1 ann reinstate by=g order=7 ok each time
            record a r1 ann suspend by=g order=7                             STATUS_LIMIT_REACHED
        "#]],
    );
}

#[test]
fn a_change_follows_the_last_one() {
    refused(
        Reason::StaleStatement,
        "
        deposit a r1 ann
        record a r1 ann suspend
        record a r1 ann reinstate after=7
        correct a r1 r2 ann after=7
        retire a.records after=3
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            record a r1 ann reinstate after=7                                STALE_STATEMENT after @8
            correct a r1 r2 ann after=7                                      STALE_STATEMENT after @8
            retire a.records after=3                                         STALE_STATEMENT after @2
        "#]],
    );
}

#[test]
fn a_status_changes_at_most_64_times() {
    refused(
        Reason::StatusLimitReached,
        "
        deposit a r1 ann
        repeat 32 record a r1 ann suspend ; record a r1 ann reinstate
        record a r1 ann suspend
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            repeat 32 record a r1 ann suspend ; record a r1 ann reinstate    ok each time
            record a r1 ann suspend                                          STATUS_LIMIT_REACHED
        "#]],
    );
}

#[test]
fn what_ends_a_record_is_possible_for_ever() {
    check(
        "
        deposit a r1 ann
        deposit a r2 ann
        repeat 32 record a r1 ann suspend ; record a r1 ann reinstate
        repeat 32 record a r2 ann suspend ; record a r2 ann reinstate
        record a r1 ann suspend
        record a r1 ann revoke
        correct a r2 r3 ann
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit a r2 ann                                                 ok 8: RecordDeposited
            repeat 32 record a r1 ann suspend ; record a r1 ann reinstate    ok each time
            repeat 32 record a r2 ann suspend ; record a r2 ann reinstate    ok each time
            record a r1 ann suspend                                          STATUS_LIMIT_REACHED
            record a r1 ann revoke                                           ok 137: RecordStatusChanged(Revoked)
            correct a r2 r3 ann                                              ok 138: RecordStatusChanged(Superseded), RecordDeposited
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1, CN_XF Revoked 6000 in 2
        "#]],
    );
}

/// In the ledger's civil time, UTC+8, it is the 29th already.
#[test]
fn a_change_takes_effect_at_once_or_earlier() {
    refused(
        Reason::EffectiveInFuture,
        "
        deposit a r1 ann
        record a r1 ann suspend effective=2026-05-29
        record a r1 ann reinstate effective=2026-05-30
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            record a r1 ann suspend effective=2026-05-29                     ok 8: RecordStatusChanged(Suspended)
            record a r1 ann reinstate effective=2026-05-30                   EFFECTIVE_IN_FUTURE effective_from
        "#]],
    );
}

#[test]
fn the_issuer_of_a_record_is_part_of_its_name() {
    check(
        "
        deposit a r1 ann
        deposit b r1 ann level=nqf:60 awarded=2024-05-01
        record a r1 ann revoke
        record b r1 ann revoke by=a
        record b r1 ann suspend
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit b r1 ann level=nqf:60 awarded=2024-05-01                 ok 8: RecordDeposited
            record a r1 ann revoke                                           ok 9: RecordStatusChanged(Revoked)
            record b r1 ann revoke by=a                                      SIGNER_NOT_ALLOWED header.signer_id
            record b r1 ann suspend                                          ok 10: RecordStatusChanged(Suspended)
            balance ann 2026-06-01                                           CN_XF Revoked 3000 in 1, CN_XF Suspended 3000 in 1
        "#]],
    );
}
