//! Batches and their chunks, as they are refused.

use super::{check, refused};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_signer_has_at_most_16_open_batches() {
    refused(
        Reason::BatchLimitReached,
        "
        repeat 16 batch b# a records 2
        batch b16 a records 2
        batch b16 b records 2
        close b7 a
        batch b17 a openings 1
        batch b18 a openings 1
        ",
        expect![[r#"
            repeat 16 batch b# a records 2                                   ok each time
            batch b16 a records 2                                            BATCH_LIMIT_REACHED
            batch b16 b records 2                                            ok 23: BatchOpened
            close b7 a                                                       ok 24: BatchClosed(0+0)
            batch b17 a openings 1                                           ok 25: BatchOpened
            batch b18 a openings 1                                           BATCH_LIMIT_REACHED
        "#]],
    );
}

#[test]
fn a_batch_is_named_by_its_manifest() {
    refused(
        Reason::BatchUnknown,
        "
        close nothing a
        close nothing a purpose=registry
        chunk nothing 0 ann/r1
        ",
        expect![[r#"
            close nothing a                                                  BATCH_UNKNOWN manifest_index
            close nothing a purpose=registry                                 BATCH_UNKNOWN manifest_index
            chunk nothing 0 ann/r1                                           BATCH_UNKNOWN manifest_index
        "#]],
    );
}

#[test]
fn a_batch_is_closed_by_its_own_signer() {
    refused(
        Reason::BatchOfAnother,
        "
        batch b1 a records 2
        close b1 b
        ",
        expect![[r#"
            batch b1 a records 2                                             ok 7: BatchOpened
            close b1 b                                                       BATCH_OF_ANOTHER manifest_index
        "#]],
    );
}

#[test]
fn a_closed_batch_takes_no_leaf() {
    refused(
        Reason::BatchClosed,
        "
        batch b1 a records 1
        chunk b1 0 ann/r1
        chunk b1 1
        close b1 a
        batch b2 a records 2
        close b2 a
        chunk b2 0 ann/r2 ann/r3
        ",
        expect![[r#"
            batch b1 a records 1                                             ok 7: BatchOpened
            chunk b1 0 ann/r1                                                ok 8: BatchChunk, RecordDeposited, BatchClosed(1+0)
            chunk b1 1                                                       BATCH_CLOSED
            close b1 a                                                       BATCH_CLOSED manifest_index
            batch b2 a records 2                                             ok 9: BatchOpened
            close b2 a                                                       ok 10: BatchClosed(0+0)
            chunk b2 0 ann/r2 ann/r3                                         BATCH_CLOSED
        "#]],
    );
}

#[test]
fn a_batch_expires_closed_or_not() {
    refused(
        Reason::BatchExpired,
        "
        batch b1 a records 65
        wait 7d
        chunk b1 0 count=64
        batch b2 a records 1
        wait 1d
        chunk b1 1 ann/r1
        close b1 a
        wait 7d
        chunk b2 0 ann/r2
        ",
        expect![[r#"
            batch b1 a records 65                                            ok 7: BatchOpened
            wait 7d
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            batch b2 a records 1                                             ok 9: BatchOpened
            wait 1d
            chunk b1 1 ann/r1                                                BATCH_EXPIRED
            close b1 a                                                       ok 10: BatchClosed(64+0)
            wait 7d
            chunk b2 0 ann/r2                                                BATCH_EXPIRED
        "#]],
    );
}

#[test]
fn chunks_enter_in_order() {
    refused(
        Reason::ChunkOutOfOrder,
        "
        batch b1 a records 130
        chunk b1 1 count=64
        chunk b1 0 count=64
        chunk b1 2 ann/r1 ann/r2
        ",
        expect![[r#"
            batch b1 a records 130                                           ok 7: BatchOpened
            chunk b1 1 count=64                                              CHUNK_OUT_OF_ORDER chunk
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            chunk b1 2 ann/r1 ann/r2                                         CHUNK_OUT_OF_ORDER chunk
        "#]],
    );
}

#[test]
fn a_chunk_has_its_own_size() {
    refused(
        Reason::ChunkSizeWrong,
        "
        batch b1 a records 65
        chunk b1 0 count=63
        chunk b1 0 count=65
        chunk b1 0 count=64
        chunk b1 1 ann/r1 ann/r2
        chunk b1 1 - refused=3
        ",
        expect![[r#"
            batch b1 a records 65                                            ok 7: BatchOpened
            chunk b1 0 count=63                                              CHUNK_SIZE_WRONG
            chunk b1 0 count=65                                              CHUNK_SIZE_WRONG
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            chunk b1 1 ann/r1 ann/r2                                         CHUNK_SIZE_WRONG
            chunk b1 1 - refused=3                                           CHUNK_SIZE_WRONG refused
        "#]],
    );
}

#[test]
fn leaves_ascend_over_the_whole_batch() {
    refused(
        Reason::LeafOrderWrong,
        "
        batch b1 a records 66
        chunk b1 0 count=64
        chunk b1 1 ann/r2 ann/r1
        chunk b1 1 ann/r2 ann/r2
        chunk b1 1 bob/r1 ann/r2
        chunk b1 1 ann/m00063 ann/r1
        ",
        expect![[r#"
            batch b1 a records 66                                            ok 7: BatchOpened
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            chunk b1 1 ann/r2 ann/r1                                         LEAF_ORDER_WRONG leaves
            chunk b1 1 ann/r2 ann/r2                                         LEAF_ORDER_WRONG leaves
            chunk b1 1 bob/r1 ann/r2                                         LEAF_ORDER_WRONG leaves
            chunk b1 1 ann/m00063 ann/r1                                     LEAF_ORDER_WRONG leaves
        "#]],
    );
}

#[test]
fn a_chunk_enters_once() {
    refused(
        Reason::CommandIdReused,
        "
        batch b1 a records 65
        chunk b1 0 count=64
        chunk b1 0 count=64
        ",
        expect![[r#"
            batch b1 a records 65                                            ok 7: BatchOpened
            chunk b1 0 count=64                                              ok 8: BatchChunk, 64 × RecordDeposited
            chunk b1 0 count=64                                              COMMAND_ID_REUSED @8
        "#]],
    );
}

#[test]
fn leaves_are_of_the_manifest_s_type() {
    refused(
        Reason::PayloadTypeWrong,
        "
        batch b1 a records 1
        chunk b1 0 cid leaves=openings
        ",
        expect![[r#"
            batch b1 a records 1                                             ok 7: BatchOpened
            chunk b1 0 cid leaves=openings                                   PAYLOAD_TYPE_WRONG leaves
        "#]],
    );
}

#[test]
fn no_leaf_rests_on_a_compromised_key() {
    refused(
        Reason::KeyCompromised,
        "
        batch b1 a records 1
        report a.records from=7
        chunk b1 0 ann/r1
        ",
        expect![[r#"
            batch b1 a records 1                                             ok 7: BatchOpened
            report a.records from=7                                          ok 8: KeyCompromised
            chunk b1 0 ann/r1                                                KEY_COMPROMISED @8
        "#]],
    );
}

#[test]
fn a_retired_key_is_judged_at_the_manifest() {
    check(
        "
        batch b1 a records 1
        retire a.records
        chunk b1 0 ann/r1
        ",
        expect![[r#"
            batch b1 a records 1                                             ok 7: BatchOpened
            retire a.records                                                 ok 8: KeyRetired
            chunk b1 0 ann/r1                                                ok 9: BatchChunk, RecordDeposited, BatchClosed(1+0)
        "#]],
    );
}

#[test]
fn a_batch_of_openings_needs_a_registry_key_to_close() {
    refused(
        Reason::KeyPurposeWrong,
        "
        batch b1 a openings 2
        close b1 a
        close b1 b
        batch b2 a openings 2
        close b2 a purpose=registry
        close b1 a
        ",
        expect![[r#"
            batch b1 a openings 2                                            ok 7: BatchOpened
            close b1 a                                                       KEY_PURPOSE_WRONG signatures
            close b1 b                                                       KEY_PURPOSE_WRONG signatures
            batch b2 a openings 2                                            ok 8: BatchOpened
            close b2 a purpose=registry                                      ok 9: BatchClosed(0+0)
            close b1 a                                                       KEY_PURPOSE_WRONG signatures
        "#]],
    );
}
