//! Log, id, anchor, signer.

use super::{check, refused, refused_from_nothing};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_log_has_one_genesis() {
    refused(
        Reason::LedgerExists,
        "
        ledger
        ",
        expect![[r#"
            ledger                                                           LEDGER_EXISTS @0
        "#]],
    );
}

#[test]
fn a_statement_names_the_log_it_is_meant_for() {
    refused(
        Reason::LogIdMismatch,
        "
        open cid log=none
        open cid log=another
        ",
        expect![[r#"
            open cid log=none                                                LOG_ID_MISMATCH header.log_id
            open cid log=another                                             LOG_ID_MISMATCH header.log_id
        "#]],
    );
}

#[test]
fn nothing_happens_before_there_is_a_log() {
    refused_from_nothing(
        Reason::LogIdMismatch,
        "
        start
        open ann
        ",
        expect![[r#"
            start                                                            LOG_ID_MISMATCH header.log_id
            open ann                                                         LOG_ID_MISMATCH header.log_id
        "#]],
    );
}

#[test]
fn a_statement_id_names_one_statement() {
    refused(
        Reason::CommandIdReused,
        "
        open cid id=x
        open dan id=x
        open dan id=x by=b
        open cid id=x
        ",
        expect![[r#"
            open cid id=x                                                    ok 7: AccountOpened
            open dan id=x                                                    COMMAND_ID_REUSED header.statement_id @7
            open dan id=x by=b                                               ok 8: AccountOpened
            open cid id=x                                                    COMMAND_ID_REUSED header.statement_id @7
        "#]],
    );
}

#[test]
fn every_statement_but_a_single_deposit_names_a_head() {
    refused(
        Reason::AnchorMissing,
        "
        deposit a r1 ann anchor=none
        correct a r1 r2 ann anchor=none
        ",
        expect![[r#"
            deposit a r1 ann anchor=none                                     ok 7: RecordDeposited
            correct a r1 r2 ann anchor=none                                  ANCHOR_MISSING header.anchor
        "#]],
    );
}

#[test]
fn a_genesis_names_no_head() {
    refused_from_nothing(
        Reason::AnchorUnknown,
        "
        ledger anchor=1
        ",
        expect![[r#"
            ledger anchor=1                                                  ANCHOR_UNKNOWN header.anchor
        "#]],
    );
}

#[test]
fn an_anchor_is_a_size_that_the_log_has_had() {
    refused(
        Reason::AnchorUnknown,
        "
        open cid anchor=7
        open dan anchor=9
        open dan anchor=0
        ",
        expect![[r#"
            open cid anchor=7                                                ok 7: AccountOpened
            open dan anchor=9                                                ANCHOR_UNKNOWN header.anchor.size
            open dan anchor=0                                                ANCHOR_UNKNOWN header.anchor.size
        "#]],
    );
}

#[test]
fn an_anchor_has_the_roots_of_this_log() {
    refused(
        Reason::AnchorForged,
        "
        open cid anchor=3
        deposit a r1 ann anchor=3!
        ",
        expect![[r#"
            open cid anchor=3                                                ok 7: AccountOpened
            deposit a r1 ann anchor=3!                                       ANCHOR_FORGED header.anchor.root
        "#]],
    );
}

/// At exactly anchor_days it still is; one day more and it is not.
#[test]
fn an_anchor_is_fresh_enough() {
    refused(
        Reason::AnchorStale,
        "
        wait 30d
        open cid anchor=7
        wait 1d
        open dan anchor=8
        open eva anchor=7
        ",
        expect![[r#"
            wait 30d
            open cid anchor=7                                                ok 7: AccountOpened
            wait 1d
            open dan anchor=8                                                ok 8: AccountOpened
            open eva anchor=7                                                ANCHOR_STALE header.anchor
        "#]],
    );
}

/// The newest head itself is too old. Only a deposit without an anchor gets the log going again.
#[test]
fn a_log_that_rested_for_long_is_taken_up_at_its_newest_head() {
    check(
        "
        wait 31d
        start anchor=6
        start
        admit c
        start anchor=7
        ",
        expect![[r#"
            wait 31d
            start anchor=6                                                   ANCHOR_STALE header.anchor
            start                                                            ok 7: ServerStarted
            admit c                                                          ok 8: InstitutionAdmitted
            start anchor=7                                                   ANCHOR_STALE header.anchor
        "#]],
    );
}

/// A server that starts on an older head than the last one doesn't know what it would continue.
#[test]
fn a_server_starts_on_the_newest_head_only() {
    check(
        "
        open cid
        start anchor=7
        start anchor=8!
        start anchor=none
        start
        ",
        expect![[r#"
            open cid                                                         ok 7: AccountOpened
            start anchor=7                                                   ANCHOR_STALE header.anchor
            start anchor=8!                                                  ANCHOR_FORGED header.anchor.root
            start anchor=none                                                ANCHOR_MISSING header.anchor
            start                                                            ok 8: ServerStarted
        "#]],
    );
}

#[test]
fn an_institution_is_admitted_before_it_signs() {
    refused(
        Reason::SignerUnknown,
        "
        deposit c r1 ann
        start by=c
        framework f 1 by=c
        ",
        expect![[r#"
            deposit c r1 ann                                                 SIGNER_UNKNOWN header.signer_id
            start by=c                                                       SIGNER_UNKNOWN header.signer_id
            framework f 1 by=c                                               SIGNER_UNKNOWN header.signer_id
        "#]],
    );
}

#[test]
fn the_evidence_table_says_who_signs() {
    refused(
        Reason::SignerNotAllowed,
        "
        open cid by=authority
        start by=authority
        framework f 1 by=a
        framework f 1 by=operator
        addkey b b.records2 by=a
        retire b.records by=a
        report b.records by=a
        record b r1 ann revoke by=a
        deposit a r1 ann by=operator
        ",
        expect![[r#"
            open cid by=authority                                            SIGNER_NOT_ALLOWED header.signer_id
            start by=authority                                               SIGNER_NOT_ALLOWED header.signer_id
            framework f 1 by=a                                               SIGNER_NOT_ALLOWED header.signer_id
            framework f 1 by=operator                                        SIGNER_NOT_ALLOWED header.signer_id
            addkey b b.records2 by=a                                         SIGNER_NOT_ALLOWED header.signer_id
            retire b.records by=a                                            SIGNER_NOT_ALLOWED header.signer_id
            report b.records by=a                                            SIGNER_NOT_ALLOWED header.signer_id
            record b r1 ann revoke by=a                                      SIGNER_NOT_ALLOWED header.signer_id
            deposit a r1 ann by=operator                                     SIGNER_NOT_ALLOWED header.signer_id
        "#]],
    );
}

#[test]
fn a_role_is_needed() {
    refused(
        Reason::RoleMissing,
        "
        deposit g r1 ann
        open cid by=g
        account ann close by=g order=7
        batch b1 g openings 1
        batch b1 g records 1
        ",
        expect![[r#"
            deposit g r1 ann                                                 ROLE_MISSING
            open cid by=g                                                    ROLE_MISSING
            account ann close by=g order=7                                   ROLE_MISSING
            batch b1 g openings 1                                            ROLE_MISSING
            batch b1 g records 1                                             ROLE_MISSING
        "#]],
    );
}
