//! Changes of status that come too late, too often, or from the wrong hand.

use crate::institution::Institution;
use crate::session::{Session, refusal};
use crate::shared::quiet;
use crate::statement::{Draft, today_plus};
use credit_proto::v1;
use credit_proto::v1::{AccountAction, KeyPurpose, RecordAction};
use credit_types::limits::STATUS_STEPS_MAX;

/// A record of the school's in an account of its own.
async fn deposited(session: &Session<'_>) -> Vec<u8> {
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    session.deposit(&session.world.school, &draft).await;
    draft.facts.record_id
}

/// Sends a change that must be refused.
async fn refused(session: &Session<'_>, signer: &Institution, change: v1::RecordStatusChange, reason: &str) {
    let request = session.record_change_request(signer, change).await;
    session.refused(reason, session.of(signer).records().change_record_status(request)).await;
}

#[tokio::test]
async fn an_old_reinstatement_is_stale() {
    let session = quiet().await;
    let school = &session.world.school;
    let id = deposited(&session).await;
    session.record_must(school, &id, RecordAction::Suspend).await;
    let reinstate = session.record_change(school, &id, RecordAction::Reinstate).await;
    let first = session.record_change_request(school, reinstate.clone()).await;
    session.of(school).records().change_record_status(first.clone()).await.expect("a record is reinstated");
    session.record_must(school, &id, RecordAction::Suspend).await;
    // The very same statement is answered as before and changes nothing; a new one on the old state is refused.
    let before = session.size().await;
    let again = session.of(school).records().change_record_status(first).await.expect("a retry is answered");
    assert!(again.into_inner().position.unwrap().replayed);
    assert_eq!(session.size().await, before);
    refused(&session, school, reinstate, "STALE_STATEMENT").await;
    assert_eq!(session.record(school, &id).await.status, i32::from(v1::RecordStatus::Suspended));
}

#[tokio::test]
async fn a_status_changes_only_from_the_one_it_fits() {
    let session = quiet().await;
    let school = &session.world.school;
    let id = deposited(&session).await;
    let reinstate = session.record_change(school, &id, RecordAction::Reinstate).await;
    refused(&session, school, reinstate, "RECORD_NOT_SUSPENDED").await;
    session.record_must(school, &id, RecordAction::Suspend).await;
    let suspend = session.record_change(school, &id, RecordAction::Suspend).await;
    refused(&session, school, suspend, "RECORD_ALREADY_SUSPENDED").await;
    session.record_must(school, &id, RecordAction::Revoke).await;
    for action in [RecordAction::Suspend, RecordAction::Reinstate, RecordAction::Revoke] {
        let change = session.record_change(school, &id, action).await;
        refused(&session, school, change, "RECORD_REVOKED").await;
    }
    let draft = Draft::course(&session.record(school, &id).await.facts.unwrap().account_ref);
    refusal("RECORD_REVOKED", session.correct(school, &id, &draft).await);
}

#[tokio::test]
async fn a_record_is_changed_by_its_issuer_or_by_order() {
    let session = quiet().await;
    let (school, regulator) = (&session.world.school, &session.world.regulator);
    let id = deposited(&session).await;
    let other = Institution::school();
    session.admit(&other).await;
    let suspend = session.record_change(school, &id, RecordAction::Suspend).await;
    refused(&session, &other, suspend.clone(), "SIGNER_NOT_ALLOWED").await;
    refused(&session, regulator, suspend.clone(), "ORDER_REF_MISSING").await;
    let ordered =
        |reference: &str| v1::RecordStatusChange { order_ref: reference.to_owned(), ..suspend.clone() };
    refused(&session, regulator, ordered(&"9".repeat(65)), "FIELD_INVALID").await;
    session.change_record(regulator, ordered(&"9".repeat(64))).await.expect("a regulator suspends by order");
}

#[tokio::test]
async fn a_change_names_its_record_and_account_truly() {
    let session = quiet().await;
    let school = &session.world.school;
    let id = deposited(&session).await;
    let stranger = session.account().await.account_ref;
    let revoke = session.record_change(school, &id, RecordAction::Revoke).await;
    let change = |edit: &dyn Fn(&mut v1::RecordStatusChange)| {
        let mut change = revoke.clone();
        edit(&mut change);
        change
    };
    let cases: [(v1::RecordStatusChange, &str); 7] = [
        (change(&|c| c.account_ref.clone_from(&stranger)), "RECORD_OF_ANOTHER_ACCOUNT"),
        (change(&|c| c.record_id[15] ^= 1), "RECORD_UNKNOWN"),
        (change(&|c| c.after = vec![1; 32]), "FIELD_INVALID"),
        (change(&|c| c.action = RecordAction::Suspend.into()), "FIELD_INVALID"),
        (change(&|c| c.reason = v1::StatusReason::Superseded.into()), "FIELD_INVALID"),
        (change(&|c| c.action = 0), "FIELD_INVALID"),
        (change(&|c| c.effective_from = Some(today_plus(2))), "EFFECTIVE_IN_FUTURE"),
    ];
    for (change, reason) in cases {
        refused(&session, school, change, reason).await;
    }
    session.change_record(school, revoke).await.expect("the true one is taken");
}

#[tokio::test]
async fn a_correction_stays_with_its_record_and_account() {
    let session = quiet().await;
    let school = &session.world.school;
    let id = deposited(&session).await;
    let account = session.record(school, &id).await.facts.unwrap().account_ref;
    let stranger = session.account().await.account_ref;
    let before = session.size().await;
    refusal("RECORD_OF_ANOTHER_ACCOUNT", session.correct(school, &id, &Draft::course(&stranger)).await);
    let same_id = Draft::course(&account).with(|draft| draft.facts.record_id.clone_from(&id));
    refusal("RECORD_EXISTS", session.correct(school, &id, &same_id).await);
    refusal(
        "AMOUNT_OFF_STEP",
        session.correct(school, &id, &Draft::course(&account).amount("T_XF", 1)).await,
    );
    assert_eq!(session.size().await, before);
    session.correct(school, &id, &Draft::course(&account)).await.expect("a correction");
    refusal("RECORD_SUPERSEDED", session.correct(school, &id, &Draft::course(&account)).await);
    let suspend = session.record_change(school, &id, RecordAction::Suspend).await;
    refused(&session, school, suspend, "RECORD_SUPERSEDED").await;
}

#[tokio::test]
async fn an_accounts_status_changes_only_from_the_one_it_fits() {
    let session = quiet().await;
    let (registrar, regulator, school) =
        (&session.world.registrar, &session.world.regulator, &session.world.school);
    let account = session.account().await.account_ref;
    let refused = async |signer: &Institution, purpose, change: v1::AccountStatusChange, reason: &str| {
        let before = session.size().await;
        refusal(reason, session.change_account(signer, purpose, change).await);
        assert_eq!(session.size().await, before);
    };
    let reinstate = session.account_change(&account, AccountAction::Reinstate).await;
    refused(registrar, KeyPurpose::Registry, reinstate, "ACCOUNT_NOT_SUSPENDED").await;
    let suspend = session.account_change(&account, AccountAction::Suspend).await;
    refused(school, KeyPurpose::Registry, suspend.clone(), "ROLE_MISSING").await;
    refused(registrar, KeyPurpose::Status, suspend.clone(), "KEY_PURPOSE_WRONG").await;
    refused(regulator, KeyPurpose::Status, suspend.clone(), "ORDER_REF_MISSING").await;
    let order = v1::AccountStatusChange { order_ref: "YJ-1".to_owned(), ..suspend.clone() };
    session
        .change_account(regulator, KeyPurpose::Status, order)
        .await
        .expect("a regulator suspends by order");
    refused(registrar, KeyPurpose::Registry, suspend, "ACCOUNT_NOT_ACTIVE").await;
    let close = session.account_change(&account, AccountAction::Close).await;
    let unseen = v1::AccountStatusChange { after: vec![9; 32], ..close.clone() };
    refused(registrar, KeyPurpose::Registry, unseen, "STALE_STATEMENT").await;
    session.change_account(registrar, KeyPurpose::Registry, close).await.expect("a suspended account closes");
    for action in [AccountAction::Suspend, AccountAction::Reinstate, AccountAction::Close] {
        let change = session.account_change(&account, action).await;
        refused(registrar, KeyPurpose::Registry, change, "ACCOUNT_CLOSED").await;
    }
}

#[tokio::test]
async fn a_status_changes_so_often_and_no_more() {
    let session = quiet().await;
    let school = &session.world.school;
    let id = deposited(&session).await;
    for step in 0..STATUS_STEPS_MAX {
        let action = if step % 2 == 0 { RecordAction::Suspend } else { RecordAction::Reinstate };
        session.record_must(school, &id, action).await;
    }
    let one_more = session.record_change(school, &id, RecordAction::Suspend).await;
    refused(&session, school, one_more, "STATUS_LIMIT_REACHED").await;
    session.record_must(school, &id, RecordAction::Revoke).await;
}
