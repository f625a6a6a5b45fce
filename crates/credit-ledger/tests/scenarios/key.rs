//! Signing keys, and what is said about keys.

use super::{check, refused, refused_from_nothing};
use credit_types::Reason;
use expect_test::expect;

#[test]
fn a_signing_key_is_known() {
    refused(
        Reason::KeyUnknown,
        "
        open cid sign=nobody.registry
        open cid sign=none
        start sign=none
        addkey a a.records2 sign=a.records2
        ",
        expect![[r#"
            open cid sign=nobody.registry                                    KEY_UNKNOWN signatures
            open cid sign=none                                               KEY_UNKNOWN signatures
            start sign=none                                                  KEY_UNKNOWN signatures
            addkey a a.records2 sign=a.records2                              KEY_UNKNOWN signatures
        "#]],
    );
}

#[test]
fn a_signing_key_is_the_signer_s_own() {
    refused(
        Reason::KeyOfAnother,
        "
        open cid sign=b.registry
        open cid sign=auth.1
        start sign=op.1,log.2
        framework f 1 sign=auth.1,auth.2,a.keys
        framework f 1 sign=auth.1,auth.2,op.1
        ",
        expect![[r#"
            open cid sign=b.registry                                         KEY_OF_ANOTHER signatures
            open cid sign=auth.1                                             KEY_OF_ANOTHER signatures
            start sign=op.1,log.2                                            KEY_OF_ANOTHER signatures
            framework f 1 sign=auth.1,auth.2,a.keys                          KEY_OF_ANOTHER signatures
            framework f 1 sign=auth.1,auth.2,op.1                            KEY_OF_ANOTHER signatures
        "#]],
    );
}

#[test]
fn a_compromised_key_signs_nothing() {
    refused(
        Reason::KeyCompromised,
        "
        report a.records from=7
        deposit a r1 ann
        retire a.records
        ",
        expect![[r#"
            report a.records from=7                                          ok 7: KeyCompromised
            deposit a r1 ann                                                 KEY_COMPROMISED signatures @7
            retire a.records                                                 KEY_COMPROMISED kid @7
        "#]],
    );
}

#[test]
fn a_suspect_range_only_grows() {
    refused(
        Reason::KeyCompromised,
        "
        report a.records from=6
        report a.records from=6 by=authority
        report a.records from=5
        report a.records from=4 sign=a.keys
        report a.recovery from=9
        report a.keys from=10
        ",
        expect![[r#"
            report a.records from=6                                          ok 7: KeyCompromised
            report a.records from=6 by=authority                             KEY_COMPROMISED kid @7
            report a.records from=5                                          ok 8: KeyCompromised
            report a.records from=4 sign=a.keys                              ok 9: KeyCompromised
            report a.recovery from=9                                         ok 10: KeyCompromised
            report a.keys from=10                                            KEY_COMPROMISED signatures @10
        "#]],
    );
}

#[test]
fn a_retired_key_signs_nothing_new() {
    refused(
        Reason::KeyRetired,
        "
        retire a.records
        retire a.records
        report a.records from=3
        deposit a r1 ann
        retire a.keys
        retire a.keys
        addkey a a.records2
        ",
        expect![[r#"
            retire a.records                                                 ok 7: KeyRetired
            retire a.records                                                 KEY_RETIRED kid @7
            report a.records from=3                                          ok 8: KeyCompromised
            deposit a r1 ann                                                 KEY_COMPROMISED signatures @8
            retire a.keys                                                    ok 9: KeyRetired
            retire a.keys                                                    KEY_RETIRED signatures @9
            addkey a a.records2                                              KEY_RETIRED signatures @9
        "#]],
    );
}

#[test]
fn a_key_signs_only_what_it_is_for() {
    refused(
        Reason::KeyPurposeWrong,
        "
        deposit a r1 ann sign=a.status
        open cid sign=a.records
        account ann suspend sign=a.status order=7
        record a r1 ann revoke sign=a.records
        addkey a a.keys2 sign=a.records,a.keys2
        batch b1 a openings 1 sign=a.records
        ",
        expect![[r#"
            deposit a r1 ann sign=a.status                                   KEY_PURPOSE_WRONG signatures
            open cid sign=a.records                                          KEY_PURPOSE_WRONG signatures
            account ann suspend sign=a.status order=7                        KEY_PURPOSE_WRONG signatures
            record a r1 ann revoke sign=a.records                            KEY_PURPOSE_WRONG signatures
            addkey a a.keys2 sign=a.records,a.keys2                          KEY_PURPOSE_WRONG signatures
            batch b1 a openings 1 sign=a.records                             KEY_PURPOSE_WRONG signatures
        "#]],
    );
}

#[test]
fn a_new_key_signs_for_itself() {
    refused(
        Reason::PossessionMissing,
        "
        addkey a a.records2 sign=a.keys
        addkey a a.records2 by=authority sign=auth.1,auth.3
        admit c keys=c.keys,c.recovery sign=auth.1,auth.2,c.keys
        ",
        expect![[r#"
            addkey a a.records2 sign=a.keys                                  POSSESSION_MISSING signatures
            addkey a a.records2 by=authority sign=auth.1,auth.3              POSSESSION_MISSING signatures
            admit c keys=c.keys,c.recovery sign=auth.1,auth.2,c.keys         POSSESSION_MISSING signatures
        "#]],
    );
}

#[test]
fn the_authority_signs_k_of_n() {
    refused(
        Reason::ThresholdNotMet,
        "
        framework f 1 sign=auth.1,auth.3
        framework f 2 sign=auth.1,auth.2,auth.3
        framework f 3 sign=auth.2
        addkey a a.records2 by=authority sign=auth.2,a.records2
        retire a.records by=authority sign=none
        ",
        expect![[r#"
            framework f 1 sign=auth.1,auth.3                                 ok 7: FrameworkPublished
            framework f 2 sign=auth.1,auth.2,auth.3                          ok 8: FrameworkPublished
            framework f 3 sign=auth.2                                        THRESHOLD_NOT_MET signatures
            addkey a a.records2 by=authority sign=auth.2,a.records2          THRESHOLD_NOT_MET signatures
            retire a.records by=authority sign=none                          THRESHOLD_NOT_MET signatures
        "#]],
    );
}

#[test]
fn no_signature_is_more_than_needed() {
    refused(
        Reason::SignatureNotNeeded,
        "
        addkey a a.registry2
        open cid sign=a.registry,a.registry2
        retire a.records sign=a.keys,a.recovery
        start sign=op.1,op.2
        ",
        expect![[r#"
            addkey a a.registry2                                             ok 7: KeyAdded
            open cid sign=a.registry,a.registry2                             SIGNATURE_NOT_NEEDED signatures
            retire a.records sign=a.keys,a.recovery                          SIGNATURE_NOT_NEEDED signatures
            start sign=op.1,op.2                                             SIGNATURE_NOT_NEEDED signatures
        "#]],
    );
}

#[test]
fn a_key_has_one_owner_for_ever() {
    refused(
        Reason::KeyExists,
        "
        addkey a a.records2
        retire a.records2
        addkey a a.records2
        admit c keys=c.keys,c.recovery,a.records2
        addkey a a.keys2 kid=op.1
        addkey b a.records sign=b.keys,a.records
        ",
        expect![[r#"
            addkey a a.records2                                              ok 7: KeyAdded
            retire a.records2                                                ok 8: KeyRetired
            addkey a a.records2                                              KEY_EXISTS key @7
            admit c keys=c.keys,c.recovery,a.records2                        KEY_EXISTS keys @7
            addkey a a.keys2 kid=op.1                                        KEY_EXISTS key @0
            addkey b a.records sign=b.keys,a.records                         KEY_EXISTS key @2
        "#]],
    );
}

#[test]
fn a_genesis_names_no_key_twice() {
    refused_from_nothing(
        Reason::KeyExists,
        "
        ledger operators=op.1,log.2
        ",
        expect![[r#"
            ledger operators=op.1,log.2                                      KEY_EXISTS
        "#]],
    );
}

/// Five first keys and 187 more are the most that an institution adds itself; retired ones count. The authority has
/// room for 64 more: whoever has stolen a key does not use that up.
#[test]
fn an_institution_has_at_most_192_keys_of_its_own_and_256_in_all() {
    refused(
        Reason::KeyLimitReached,
        "
        repeat 187 addkey a a.records#
        retire a.records7
        addkey a a.status2
        repeat 64 addkey a a.registry# by=authority
        addkey a a.status3 by=authority
        ",
        expect![[r#"
            repeat 187 addkey a a.records#                                   ok each time
            retire a.records7                                                ok 194: KeyRetired
            addkey a a.status2                                               KEY_LIMIT_REACHED
            repeat 64 addkey a a.registry# by=authority                      ok each time
            addkey a a.status3 by=authority                                  KEY_LIMIT_REACHED
        "#]],
    );
}

/// The keys of every day can be stolen; the way back is not theirs to take.
#[test]
fn a_recovery_key_is_changed_by_recovery_or_the_authority() {
    check(
        "
        retire a.recovery
        report a.recovery from=2 sign=a.keys
        addkey a a.recovery2
        addkey a a.recovery2 sign=a.recovery,a.recovery2
        addkey a a.recovery3 by=authority
        retire a.recovery2 sign=a.recovery
        retire a.recovery3 by=authority
        report a.recovery from=2
        report a.keys from=2 by=authority
        ",
        expect![[r#"
            retire a.recovery                                                KEY_PURPOSE_WRONG signatures
            report a.recovery from=2 sign=a.keys                             KEY_PURPOSE_WRONG signatures
            addkey a a.recovery2                                             KEY_PURPOSE_WRONG signatures
            addkey a a.recovery2 sign=a.recovery,a.recovery2                 ok 7: KeyAdded
            addkey a a.recovery3 by=authority                                ok 8: KeyAdded
            retire a.recovery2 sign=a.recovery                               ok 9: KeyRetired
            retire a.recovery3 by=authority                                  ok 10: KeyRetired
            report a.recovery from=2                                         ok 11: KeyCompromised
            report a.keys from=2 by=authority                                ok 12: KeyCompromised
        "#]],
    );
}

#[test]
fn a_statement_about_a_key_names_one() {
    refused(
        Reason::KeyNotFound,
        "
        retire a.nobody
        report op.1 by=authority
        report a.nobody
        ",
        expect![[r#"
            retire a.nobody                                                  KEY_NOT_FOUND kid
            report op.1 by=authority                                         KEY_NOT_FOUND kid
            report a.nobody                                                  KEY_NOT_FOUND kid
        "#]],
    );
}

#[test]
fn a_key_is_not_suspect_before_it_is_one() {
    refused(
        Reason::SuspectBeforeActivation,
        "
        addkey a a.records2
        report a.records2 from=6
        ",
        expect![[r#"
            addkey a a.records2                                              ok 7: KeyAdded
            report a.records2 from=6                                         SUSPECT_BEFORE_ACTIVATION suspect_from_index @7
        "#]],
    );
}

#[test]
fn a_key_is_not_suspect_from_the_future_on() {
    refused(
        Reason::SuspectInFuture,
        "
        report a.records from=8
        report a.records from=7
        report a.status from=9
        ",
        expect![[r#"
            report a.records from=8                                          SUSPECT_IN_FUTURE suspect_from_index
            report a.records from=7                                          ok 7: KeyCompromised
            report a.status from=9                                           SUSPECT_IN_FUTURE suspect_from_index
        "#]],
    );
}

#[test]
fn an_owner_alone_reaches_back_so_far() {
    refused(
        Reason::SuspectTooFarBack,
        "
        wait 30d
        report a.records from=4
        wait 1d
        deposit a r1 ann anchor=none sign=a.nobody
        report a.status from=4 by=authority anchor=8
        report a.registry from=7 anchor=8
        report a.keys from=6 anchor=8
        ",
        expect![[r#"
            wait 30d
            report a.records from=4                                          ok 7: KeyCompromised
            wait 1d
            deposit a r1 ann anchor=none sign=a.nobody                       KEY_UNKNOWN signatures
            report a.status from=4 by=authority anchor=8                     ok 8: KeyCompromised
            report a.registry from=7 anchor=8                                ok 9: KeyCompromised
            report a.keys from=6 anchor=8                                    SUSPECT_TOO_FAR_BACK suspect_from_index
        "#]],
    );
}
