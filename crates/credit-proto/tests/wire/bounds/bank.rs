//! Subject heads, balances, manifests of files.

use credit_proto::{BankSigned, v1};
use credit_types::limits::*;
use credit_types::{BalanceStatement, FileManifest, SubjectHead};

use super::{check, day, institution, x};
use crate::samples;

#[test]
fn subject_heads() {
    check(
        &samples::subject_head().to_wire(),
        SubjectHead::from_payload,
        &[
            ("log_id", |_| {}, |w| w.log_id.clear()),
            ("subject_kind", |_| {}, |w| w.subject_kind = 0),
            ("subject_id", |_| {}, |w| w.subject_id.push(0)),
            (
                "subject_id",
                |w| {
                    w.subject_kind = 3;
                    w.subject_id.clear();
                },
                |w| w.subject_kind = 3,
            ),
            (
                "subject_id",
                |w| {
                    w.subject_kind = 2;
                    w.subject_id = institution(ID_BYTES_MAX).into_bytes();
                },
                |w| {
                    w.subject_kind = 2;
                    w.subject_id = institution(ID_BYTES_MAX + 1).into_bytes();
                },
            ),
            (
                "subject_id",
                |w| {
                    w.subject_kind = 4;
                    w.subject_id = x(ID_BYTES_MAX).into_bytes();
                },
                // Sixteen bytes of 0xA1, an account's, are no text.
                |w| w.subject_kind = 4,
            ),
            ("leaf_hash", |w| w.sequence = 1, |w| w.sequence = 0),
            (
                "leaf_hash",
                |w| {
                    w.sequence = 0;
                    w.leaf_hash.clear();
                },
                |w| w.leaf_hash.clear(),
            ),
            ("size", |w| w.size = 1, |w| w.size = 0),
            ("root", |w| w.size = u64::MAX, |w| w.root.clear()),
        ],
    );
}

/// As many lines as are asked for, ascending.
fn lines(count: usize) -> Vec<v1::BalanceLine> {
    let line = |n: usize| v1::BalanceLine {
        scheme: format!("S{n:031}"),
        kind: 10,
        bucket: 8,
        credits_milli: i64::MAX,
        hour_kind: 4,
        minutes: i64::MAX,
        records: u32::MAX,
    };
    (0..count).map(line).collect()
}

#[test]
fn balances() {
    check(
        &samples::balance().to_wire(),
        BalanceStatement::from_payload,
        &[
            ("head", |_| {}, |w| w.head = None),
            ("head.size", |_| {}, |w| w.head.as_mut().unwrap().size = 0),
            (
                "head.subject_kind",
                |_| {},
                |w| {
                    let head = w.head.as_mut().unwrap();
                    head.subject_kind = 3;
                    head.subject_id.clear();
                },
            ),
            ("as_of", |w| w.as_of = Some(day(2199, 12, 31)), |w| w.as_of = None),
            // The greatest lines that there are still make a message.
            ("lines", |w| w.lines = lines(BALANCE_LINES_MAX), |w| w.lines = lines(BALANCE_LINES_MAX + 1)),
            ("lines[1]", |w| w.lines.clear(), |w| w.lines.swap(0, 1)),
            ("lines[1]", |_| {}, |w| w.lines[1] = w.lines[0].clone()),
            ("lines[1].scheme", |w| w.lines[1].credits_milli = 0, |w| w.lines[1].scheme.clear()),
            ("lines[1].kind", |_| {}, |w| w.lines[1].kind = 0),
            ("lines[1].bucket", |w| w.lines[1].bucket = 8, |w| w.lines[1].bucket = 0),
            ("lines[1].credits_milli", |_| {}, |w| w.lines[1].credits_milli = -1),
            (
                "lines[1].hour_kind",
                |w| (w.lines[1].hour_kind, w.lines[1].minutes) = (0, 0),
                |w| w.lines[1].hour_kind = 0,
            ),
            ("lines[1].minutes", |w| w.lines[1].minutes = 0, |w| w.lines[1].minutes = -1),
            ("lines[1].records", |w| w.lines[1].records = 1, |w| w.lines[1].records = 0),
        ],
    );
}

#[test]
fn manifests_of_files() {
    check(
        &samples::file_manifest().to_wire(),
        FileManifest::from_payload,
        &[
            ("log_id", |_| {}, |w| w.log_id.clear()),
            ("kind", |w| w.kind = 1, |w| w.kind = 0),
            ("size", |w| w.size = 1, |w| w.size = 0),
            ("root", |w| w.size = u64::MAX, |w| w.root.clear()),
            ("files", |w| w.files.truncate(1), |w| w.files.clear()),
            ("files[1]", |_| {}, |w| w.files.swap(0, 1)),
            ("files[1]", |_| {}, |w| w.files[1] = w.files[0].clone()),
            (
                "files[1].name",
                |w| w.files[1].name = x(FILE_NAME_BYTES_MAX),
                |w| w.files[1].name = x(FILE_NAME_BYTES_MAX + 1),
            ),
            ("files[0].name", |w| w.files[0].name = "a b".to_owned(), |w| w.files[0].name.clear()),
            ("files[0].bytes", |w| w.files[0].bytes = 1, |w| w.files[0].bytes = 0),
            ("files[0].sha256", |_| {}, |w| w.files[0].sha256.truncate(31)),
        ],
    );
}
