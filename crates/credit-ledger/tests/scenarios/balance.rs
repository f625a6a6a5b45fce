//! What balances show: validity, changes of status, suspect keys.

use super::check;
use expect_test::expect;

#[test]
fn credit_expires_after_its_last_day() {
    check(
        "
        deposit a r1 ann until=2027-01-31
        balance ann 2027-01-31
        balance ann 2027-02-01
        record a r1 ann suspend
        balance ann 2027-02-01
        ",
        expect![[r#"
            deposit a r1 ann until=2027-01-31                                ok 7: RecordDeposited
            balance ann 2027-01-31                                           CN_XF Available 3000 in 1
            balance ann 2027-02-01                                           CN_XF Expired 3000 in 1
            record a r1 ann suspend                                          ok 8: RecordStatusChanged(Suspended)
            balance ann 2027-02-01                                           CN_XF Suspended 3000 in 1
        "#]],
    );
}

#[test]
fn an_issuer_s_default_validity_counts_from_the_award() {
    check(
        "
        admit c years=2
        deposit c r1 ann awarded=2024-02-29
        deposit c r2 ann awarded=2024-02-29 until=2030-01-01
        balance ann 2026-02-28
        balance ann 2026-03-01
        ",
        expect![[r#"
            admit c years=2                                                  ok 7: InstitutionAdmitted
            deposit c r1 ann awarded=2024-02-29                              ok 8: RecordDeposited
            deposit c r2 ann awarded=2024-02-29 until=2030-01-01             ok 9: RecordDeposited
            balance ann 2026-02-28                                           CN_XF Available 6000 in 2
            balance ann 2026-03-01                                           CN_XF Available 3000 in 1, CN_XF Expired 3000 in 1
        "#]],
    );
}

#[test]
fn a_record_without_an_amount_is_counted() {
    check(
        "
        deposit a r1 ann amount=none
        deposit a r2 ann amount=none
        record a r2 ann revoke
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann amount=none                                     ok 7: RecordDeposited
            deposit a r2 ann amount=none                                     ok 8: RecordDeposited
            record a r2 ann revoke                                           ok 9: RecordStatusChanged(Revoked)
            balance ann 2026-06-01                                           - Available 0 in 1, - Revoked 0 in 1
        "#]],
    );
}

#[test]
fn a_correction_moves_the_old_amount_to_revoked() {
    check(
        "
        deposit a r1 ann amount=3000:CN_XF
        correct a r1 r2 ann amount=2500:CN_XF
        correct a r2 r3 ann amount=none
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann amount=3000:CN_XF                               ok 7: RecordDeposited
            correct a r1 r2 ann amount=2500:CN_XF                            ok 8: RecordStatusChanged(Superseded), RecordDeposited
            correct a r2 r3 ann amount=none                                  ok 9: RecordStatusChanged(Superseded), RecordDeposited
            balance ann 2026-06-01                                           - Available 0 in 1, CN_XF Revoked 5500 in 2
        "#]],
    );
}

#[test]
fn what_rests_on_a_suspect_key_is_marked() {
    check(
        "
        deposit a r1 ann
        deposit a r2 ann
        report a.records from=8
        balance ann 2026-06-01
        report a.records from=7 by=authority
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit a r2 ann                                                 ok 8: RecordDeposited
            report a.records from=8                                          ok 9: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1, CN_XF KeySuspect 3000 in 1
            report a.records from=7 by=authority                             ok 10: KeyCompromised
            balance ann 2026-06-01                                           CN_XF KeySuspect 6000 in 2
        "#]],
    );
}

#[test]
fn a_leaf_is_suspect_if_its_manifest_is() {
    check(
        "
        batch b1 a records 65
        deposit a a1 ann
        chunk b1 0 count=64
        report a.records from=9
        balance ann 2026-06-01
        report a.records from=7 by=authority
        balance ann 2026-06-01
        ",
        expect![[r#"
            batch b1 a records 65                                            ok 7: BatchOpened
            deposit a a1 ann                                                 ok 8: RecordDeposited
            chunk b1 0 count=64                                              ok 9: BatchChunk, 64 × RecordDeposited
            report a.records from=9                                          ok 10: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1, CN_XF KeySuspect 192000 in 64
            report a.records from=7 by=authority                             ok 11: KeyCompromised
            balance ann 2026-06-01                                           CN_XF KeySuspect 195000 in 65
        "#]],
    );
}

/// The key that let the first one in is suspect only with the second report.
#[test]
fn suspicion_goes_to_any_depth() {
    check(
        "
        addkey a a.keys2
        addkey a a.keys3 sign=a.keys2,a.keys3
        addkey a a.records2 sign=a.keys3,a.records2
        deposit a r1 ann sign=a.records2
        deposit a r2 ann
        retire a.records2
        report a.keys from=8
        balance ann 2026-06-01
        report a.keys from=7 by=authority
        balance ann 2026-06-01
        ",
        expect![[r#"
            addkey a a.keys2                                                 ok 7: KeyAdded
            addkey a a.keys3 sign=a.keys2,a.keys3                            ok 8: KeyAdded
            addkey a a.records2 sign=a.keys3,a.records2                      ok 9: KeyAdded
            deposit a r1 ann sign=a.records2                                 ok 10: RecordDeposited
            deposit a r2 ann                                                 ok 11: RecordDeposited
            retire a.records2                                                ok 12: KeyRetired
            report a.keys from=8                                             ok 13: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 6000 in 2
            report a.keys from=7 by=authority                                ok 14: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1, CN_XF KeySuspect 3000 in 1
        "#]],
    );
}

#[test]
fn the_authority_vouches_for_the_keys_it_adds() {
    check(
        "
        addkey a a.records2 by=authority
        deposit a r1 ann sign=a.records2
        report a.keys from=2
        balance ann 2026-06-01
        ",
        expect![[r#"
            addkey a a.records2 by=authority                                 ok 7: KeyAdded
            deposit a r1 ann sign=a.records2                                 ok 8: RecordDeposited
            report a.keys from=2                                             ok 9: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1
        "#]],
    );
}

#[test]
fn what_is_in_an_account_opened_by_a_suspect_key_is_marked() {
    check(
        "
        open cid
        deposit a r1 cid
        deposit a r2 cid
        record a r2 cid revoke
        report a.registry from=7
        balance cid 2026-06-01
        deposit a r3 cid until=2026-05-31
        balance cid 2026-06-01
        ",
        expect![[r#"
            open cid                                                         ok 7: AccountOpened
            deposit a r1 cid                                                 ok 8: RecordDeposited
            deposit a r2 cid                                                 ok 9: RecordDeposited
            record a r2 cid revoke                                           ok 10: RecordStatusChanged(Revoked)
            report a.registry from=7                                         ok 11: KeyCompromised
            balance cid 2026-06-01                                           CN_XF Revoked 3000 in 1, CN_XF KeySuspect 3000 in 1
            deposit a r3 cid until=2026-05-31                                ok 12: RecordDeposited
            balance cid 2026-06-01                                           CN_XF Revoked 3000 in 1, CN_XF KeySuspect 6000 in 2
        "#]],
    );
}

#[test]
fn a_suspect_revocation_reads_as_a_suspension() {
    check(
        "
        deposit a r1 ann
        deposit a r2 ann
        record a r1 ann revoke
        record a r2 ann suspend
        record a r2 ann reinstate
        report a.status from=9
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            deposit a r2 ann                                                 ok 8: RecordDeposited
            record a r1 ann revoke                                           ok 9: RecordStatusChanged(Revoked)
            record a r2 ann suspend                                          ok 10: RecordStatusChanged(Suspended)
            record a r2 ann reinstate                                        ok 11: RecordStatusChanged(Valid)
            report a.status from=9                                           ok 12: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Suspended 6000 in 2
        "#]],
    );
}

#[test]
fn a_suspect_suspension_stays_one_until_it_is_lifted() {
    check(
        "
        addkey a a.status2
        deposit a r1 ann
        record a r1 ann suspend
        report a.status from=9
        balance ann 2026-06-01
        record a r1 ann reinstate sign=a.status2
        balance ann 2026-06-01
        ",
        expect![[r#"
            addkey a a.status2                                               ok 7: KeyAdded
            deposit a r1 ann                                                 ok 8: RecordDeposited
            record a r1 ann suspend                                          ok 9: RecordStatusChanged(Suspended)
            report a.status from=9                                           ok 10: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Suspended 3000 in 1
            record a r1 ann reinstate sign=a.status2                         ok 11: RecordStatusChanged(Valid)
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1
        "#]],
    );
}

#[test]
fn a_suspect_correction_is_no_loss() {
    check(
        "
        deposit a r1 ann
        addkey a a.records2
        correct a r1 r2 ann sign=a.records2
        report a.records2 from=9
        balance ann 2026-06-01
        ",
        expect![[r#"
            deposit a r1 ann                                                 ok 7: RecordDeposited
            addkey a a.records2                                              ok 8: KeyAdded
            correct a r1 r2 ann sign=a.records2                              ok 9: RecordStatusChanged(Superseded), RecordDeposited
            report a.records2 from=9                                         ok 10: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Suspended 3000 in 1, CN_XF KeySuspect 3000 in 1
        "#]],
    );
}

/// As many keys as an institution may have, each let in by the one before.
#[test]
fn suspicion_goes_through_all_keys_of_an_institution() {
    check(
        "
        addkey a a.keys0
        repeat 185 addkey a a.keys# sign=a.keys@,a.keys#
        addkey a a.records2 sign=a.keys185,a.records2
        addkey a a.records3
        deposit a r1 ann sign=a.records2
        report a.keys from=8
        balance ann 2026-06-01
        report a.keys from=7 by=authority
        balance ann 2026-06-01
        ",
        expect![[r#"
            addkey a a.keys0                                                 ok 7: KeyAdded
            repeat 185 addkey a a.keys# sign=a.keys@,a.keys#                 ok each time
            addkey a a.records2 sign=a.keys185,a.records2                    ok 193: KeyAdded
            addkey a a.records3                                              KEY_LIMIT_REACHED
            deposit a r1 ann sign=a.records2                                 ok 194: RecordDeposited
            report a.keys from=8                                             ok 195: KeyCompromised
            balance ann 2026-06-01                                           CN_XF Available 3000 in 1
            report a.keys from=7 by=authority                                ok 196: KeyCompromised
            balance ann 2026-06-01                                           CN_XF KeySuspect 3000 in 1
        "#]],
    );
}
