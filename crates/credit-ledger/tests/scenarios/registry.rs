//! Genesis, servers, institutions, frameworks.

use super::{refused, refused_from_nothing};
use credit_types::Reason;
use expect_test::expect;

/// This protocol knows one log, and an envelope that takes the authority's signatures and those of new keys.
#[test]
fn a_genesis_asks_for_nothing_that_its_protocol_cannot_keep() {
    refused_from_nothing(
        Reason::FieldInvalid,
        "
        ledger registry=another
        ledger continues=another
        ledger threshold=9
        ",
        expect![[r#"
            ledger registry=another                                          FIELD_INVALID registry_log
            ledger continues=another                                         FIELD_INVALID continues
            ledger threshold=9                                               FIELD_INVALID authority_threshold
        "#]],
    );
}

#[test]
fn a_real_ledger_gives_notice() {
    refused_from_nothing(
        Reason::FieldInvalid,
        "
        ledger origin=bank.example notice=6
        ",
        expect![[r#"
            ledger origin=bank.example notice=6                              FIELD_INVALID policy.notice_days
        "#]],
    );
}

#[test]
fn a_trial_ledger_need_not_give_notice() {
    refused_from_nothing(
        Reason::LedgerExists,
        "
        ledger origin=dev.bank.example notice=0
        ledger
        ",
        expect![[r#"
            ledger origin=dev.bank.example notice=0                          ok 0: LedgerCreated
            ledger                                                           LEDGER_EXISTS @0
        "#]],
    );
}

#[test]
fn a_genesis_is_signed_by_its_own_authority() {
    refused_from_nothing(
        Reason::ThresholdNotMet,
        "
        ledger by=operator
        ledger by=a
        ledger log=another
        ledger sign=auth.1,auth.9
        ledger sign=auth.1,op.1
        ledger sign=none
        ledger sign=auth.3
        ",
        expect![[r#"
            ledger by=operator                                               SIGNER_NOT_ALLOWED header.signer_id
            ledger by=a                                                      SIGNER_UNKNOWN header.signer_id
            ledger log=another                                               LOG_ID_MISMATCH header.log_id
            ledger sign=auth.1,auth.9                                        KEY_UNKNOWN signatures
            ledger sign=auth.1,op.1                                          KEY_OF_ANOTHER signatures
            ledger sign=none                                                 THRESHOLD_NOT_MET signatures
            ledger sign=auth.3                                               THRESHOLD_NOT_MET signatures
        "#]],
    );
}

#[test]
fn an_institution_has_two_ways_to_its_keys() {
    refused(
        Reason::FieldInvalid,
        "
        admit c keys=c.keys+recovery,c.recovery
        admit d keys=d.keys+recovery,d.records
        ",
        expect![[r#"
            admit c keys=c.keys+recovery,c.recovery                          ok 7: InstitutionAdmitted
            admit d keys=d.keys+recovery,d.records                           FIELD_INVALID keys
        "#]],
    );
}

#[test]
fn an_institution_is_admitted_once() {
    refused(
        Reason::InstitutionExists,
        "
        admit a keys=c.keys,c.recovery
        ",
        expect![[r#"
            admit a keys=c.keys,c.recovery                                   INSTITUTION_EXISTS institution_id @2
        "#]],
    );
}

#[test]
fn a_parent_is_admitted_first() {
    refused(
        Reason::ParentUnknown,
        "
        admit c parent=a
        admit e parent=d
        admit f parent=f
        ",
        expect![[r#"
            admit c parent=a                                                 ok 7: InstitutionAdmitted
            admit e parent=d                                                 PARENT_UNKNOWN parent_id
            admit f parent=f                                                 PARENT_UNKNOWN parent_id
        "#]],
    );
}

#[test]
fn a_framework_s_version_rises() {
    refused(
        Reason::FrameworkVersionNotNewer,
        "
        framework nqf 2 levels=10-80/10
        framework nqf 4 levels=10-80/10
        framework nqf 4 levels=10-80/10
        ",
        expect![[r#"
            framework nqf 2 levels=10-80/10                                  ok 7: FrameworkPublished
            framework nqf 4 levels=10-80/10                                  ok 8: FrameworkPublished
            framework nqf 4 levels=10-80/10                                  FRAMEWORK_VERSION_NOT_NEWER version @8
        "#]],
    );
}

/// A scale may come with a later version, but never changes or goes.
#[test]
fn a_framework_keeps_its_levels() {
    refused(
        Reason::FrameworkLevelsChanged,
        "
        framework f 1
        framework f 2 levels=10-70/5
        framework f 3
        framework nqf 2 levels=10-90/10
        ",
        expect![[r#"
            framework f 1                                                    ok 7: FrameworkPublished
            framework f 2 levels=10-70/5                                     ok 8: FrameworkPublished
            framework f 3                                                    FRAMEWORK_LEVELS_CHANGED levels @8
            framework nqf 2 levels=10-90/10                                  FRAMEWORK_LEVELS_CHANGED levels @1
        "#]],
    );
}

#[test]
fn a_scheme_belongs_to_one_framework() {
    refused(
        Reason::SchemeOfAnother,
        "
        framework f 1 schemes=CN_XF:500
        ",
        expect![[r#"
            framework f 1 schemes=CN_XF:500                                  SCHEME_OF_ANOTHER schemes
        "#]],
    );
}

#[test]
fn a_scheme_keeps_its_step() {
    refused(
        Reason::SchemeChanged,
        "
        framework nqf 2 levels=10-80/10 schemes=CN_XF:500,CN_XS:1
        framework nqf 3 levels=10-80/10 schemes=CN_XS:10
        ",
        expect![[r#"
            framework nqf 2 levels=10-80/10 schemes=CN_XF:500,CN_XS:1        ok 7: FrameworkPublished
            framework nqf 3 levels=10-80/10 schemes=CN_XS:10                 SCHEME_CHANGED schemes
        "#]],
    );
}

/// Protocol 2 brought conversions: a log of protocol 1 knows none of their statements until it is upgraded.
#[test]
fn a_log_of_an_earlier_protocol_takes_nothing_that_came_later() {
    refused(
        Reason::ProtocolTooOld,
        "
        activate b 1 by=nobody sign=none
        ",
        expect![[r#"
            activate b 1 by=nobody sign=none                                 PROTOCOL_TOO_OLD
        "#]],
    );
}

#[test]
fn a_log_goes_on_to_newer_protocols_only() {
    refused(
        Reason::ProtocolNotNewer,
        "
        upgrade 2 format=2
        upgrade 1
        upgrade 3
        upgrade 2 by=operator
        upgrade 2 sign=auth.1
        upgrade 2
        start protocol=1
        start protocol=2
        upgrade 2
        ",
        expect![[r#"
            upgrade 2 format=2                                               PROTOCOL_NOT_NEWER protocol
            upgrade 1                                                        PROTOCOL_NOT_NEWER protocol
            upgrade 3                                                        PROTOCOL_NOT_NEWER protocol
            upgrade 2 by=operator                                            SIGNER_NOT_ALLOWED header.signer_id
            upgrade 2 sign=auth.1                                            THRESHOLD_NOT_MET signatures
            upgrade 2                                                        ok 7: ProtocolUpgraded
            start protocol=1                                                 PROTOCOL_UNKNOWN protocol
            start protocol=2                                                 ok 8: ServerStarted
            upgrade 2                                                        PROTOCOL_NOT_NEWER protocol
        "#]],
    );
}

#[test]
fn a_server_speaks_the_log_s_protocol() {
    refused(
        Reason::ProtocolUnknown,
        "
        start
        start protocol=2
        ",
        expect![[r#"
            start                                                            ok 7: ServerStarted
            start protocol=2                                                 PROTOCOL_UNKNOWN protocol
        "#]],
    );
}
