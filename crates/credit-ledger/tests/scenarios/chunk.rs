//! What becomes of the leaves of a chunk.

use super::check;
use expect_test::expect;

#[test]
fn a_leaf_that_is_refused_leaves_the_others_in_peace() {
    check(
        "
        batch b1 a records 5
        chunk b1 0 ann/r1 ann/r2! - bob/r1 cid/r3
        deposit a r2 ann
        balance ann 2026-06-01
        balance bob 2026-06-01
        ",
        expect![[r#"
            batch b1 a records 5                                             ok 7: BatchOpened
            chunk b1 0 ann/r1 ann/r2! - bob/r1 cid/r3                        ok 8: BatchChunk(1 OUTCOME_EXISTS, 2 COMMITMENT_MISMATCH, 3 RECORD_EXISTS, 4 ACCOUNT_UNKNOWN), RecordDeposited, BatchClosed(1+4)
            deposit a r2 ann                                                 ok 9: RecordDeposited
            balance ann 2026-06-01                                           CN_XF Available 6000 in 2
            balance bob 2026-06-01
        "#]],
    );
}

/// The leaves ascend by (account, record), so their order does not tell.
#[test]
fn one_record_id_under_two_accounts_enters_once() {
    check(
        "
        batch b1 a records 4
        chunk b1 0 ann/r1 ann/r2 bob/r1 bob/r3
        ",
        expect![[r#"
            batch b1 a records 4                                             ok 7: BatchOpened
            chunk b1 0 ann/r1 ann/r2 bob/r1 bob/r3                           ok 8: BatchChunk(2 RECORD_EXISTS), 3 × RecordDeposited, BatchClosed(3+1)
        "#]],
    );
}

#[test]
fn a_refused_leaf_does_not_take_its_id() {
    check(
        "
        batch b1 a records 2
        chunk b1 0 ann/r1! bob/r1
        ",
        expect![[r#"
            batch b1 a records 2                                             ok 7: BatchOpened
            chunk b1 0 ann/r1! bob/r1                                        ok 8: BatchChunk(0 OUTCOME_EXISTS), RecordDeposited, BatchClosed(1+1)
        "#]],
    );
}

#[test]
fn leaves_see_how_full_the_account_is() {
    check(
        "
        pretend ann 65534
        batch b1 a records 5
        chunk b1 0 ann/r1! ann/r2 ann/r3 ann/r4 bob/r5
        ",
        expect![[r#"
            pretend ann 65534
            batch b1 a records 5                                             ok 7: BatchOpened
            chunk b1 0 ann/r1! ann/r2 ann/r3 ann/r4 bob/r5                   ok 8: BatchChunk(0 OUTCOME_EXISTS, 3 ACCOUNT_FULL), 3 × RecordDeposited, BatchClosed(3+2)
        "#]],
    );
}

#[test]
fn one_account_ref_is_opened_once_in_a_chunk() {
    check(
        "
        batch b1 a openings 5
        chunk b1 0 k1@cid k2@cid k3@ann k4@dan! k5@dan
        deposit a r1 cid
        ",
        expect![[r#"
            batch b1 a openings 5                                            ok 7: BatchOpened
            chunk b1 0 k1@cid k2@cid k3@ann k4@dan! k5@dan                   ok 8: BatchChunk(1 to 2 ACCOUNT_EXISTS, 3 ALIAS_EXISTS), 2 × AccountOpened, BatchClosed(2+3)
            deposit a r1 cid                                                 ok 9: RecordDeposited
        "#]],
    );
}

#[test]
fn a_chunk_may_lose_all_its_leaves() {
    check(
        "
        batch b1 a records 2
        chunk b1 0 - -
        batch b2 a records 65
        chunk b2 0 count=64 kind=grade
        chunk b2 1 ann/a
        ",
        expect![[r#"
            batch b1 a records 2                                             ok 7: BatchOpened
            chunk b1 0 - -                                                   ok 8: BatchChunk(0 to 1 COMMITMENT_MISMATCH), BatchClosed(0+2)
            batch b2 a records 65                                            ok 9: BatchOpened
            chunk b2 0 count=64 kind=grade                                   ok 10: BatchChunk(0 to 63 NOT_ACCREDITED)
            chunk b2 1 ann/a                                                 ok 11: BatchChunk, RecordDeposited, BatchClosed(1+64)
        "#]],
    );
}

#[test]
fn accepted_leaves_alone_set_the_order() {
    check(
        "
        batch b1 a records 66
        chunk b1 0 count=64 kind=grade
        chunk b1 1 ann/a ann/b
        batch b2 a records 66
        chunk b2 0 count=64
        chunk b2 1 ann/a ann/b
        ",
        expect![[r#"
            batch b1 a records 66                                            ok 7: BatchOpened
            chunk b1 0 count=64 kind=grade                                   ok 8: BatchChunk(0 to 63 NOT_ACCREDITED)
            chunk b1 1 ann/a ann/b                                           ok 9: BatchChunk, 2 × RecordDeposited, BatchClosed(2+64)
            batch b2 a records 66                                            ok 10: BatchOpened
            chunk b2 0 count=64                                              ok 11: BatchChunk, 64 × RecordDeposited
            chunk b2 1 ann/a ann/b                                           LEAF_ORDER_WRONG leaves
        "#]],
    );
}

#[test]
fn a_batch_is_closed_early_and_counts_what_came() {
    check(
        "
        batch b1 a records 130
        chunk b1 0 count=64
        close b1 a
        balance ann 2026-06-01
        ",
        expect![[r#"
            batch b1 a records 130                                           ok 7: BatchOpened
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            close b1 a                                                       ok 9: BatchClosed(64+0)
            balance ann 2026-06-01                                           CN_XF Available 192000 in 64
        "#]],
    );
}

#[test]
fn the_last_chunk_closes_the_batch() {
    check(
        "
        batch b1 a records 64
        chunk b1 0 count=64
        close b1 a
        batch b2 a openings 1
        chunk b2 0 cid
        ",
        expect![[r#"
            batch b1 a records 64                                            ok 7: BatchOpened
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited, BatchClosed(64+0)
            close b1 a                                                       BATCH_CLOSED manifest_index
            batch b2 a openings 1                                            ok 9: BatchOpened
            chunk b2 0 cid                                                   ok 10: BatchChunk, AccountOpened, BatchClosed(1+0)
        "#]],
    );
}
