//! Accounts and balances as they should be: status, the present, the past, a date, the bank's signature.

use crate::client::{client_of, client_with};
use crate::session::Session;
use crate::shared::busy;
use crate::statement::{Draft, date, today, today_plus};
use credit_client::BalanceQuery;
use credit_log::envelope::PublicKey;
use credit_proto::v1::{AccountAction, AccountStatus, Bucket, RecordAction};
use credit_proto::{payload_type, v1};
use credit_types::AccountRef;
use prost::Message;

/// A balance as raw messages tell it.
async fn balance(session: &Session<'_>, request: v1::GetBalanceRequest) -> v1::GetBalanceResponse {
    let answer = session.auditor().accounts().get_balance(request).await.expect("a balance").into_inner();
    let statement = answer.balance.as_ref().expect("a balance");
    assert_eq!(statement.head.as_ref().unwrap().log_id, session.world.log_id);
    answer
}

fn of(account: &[u8]) -> v1::GetBalanceRequest {
    v1::GetBalanceRequest { account_ref: account.to_vec(), ..v1::GetBalanceRequest::default() }
}

/// Bucket, milli-credits, minutes and count of each line.
fn lines(answer: &v1::GetBalanceResponse) -> Vec<(Bucket, i64, i64, u32)> {
    let lines = &answer.balance.as_ref().unwrap().lines;
    lines.iter().map(|line| (line.bucket(), line.credits_milli, line.minutes, line.records)).collect()
}

#[tokio::test]
async fn an_account_is_suspended_reinstated_and_closed() {
    let session = busy().await;
    let account = session.account().await;
    let opened = session.view(&account.account_ref).await;
    assert_eq!(
        (opened.status(), opened.last_sequence, opened.key_suspect),
        (AccountStatus::Active, 1, false)
    );
    assert_eq!(opened.assurance(), v1::AssuranceLevel::Document);
    for (action, status) in [
        (AccountAction::Suspend, AccountStatus::Suspended),
        (AccountAction::Reinstate, AccountStatus::Active),
        (AccountAction::Suspend, AccountStatus::Suspended),
        (AccountAction::Close, AccountStatus::Closed),
    ] {
        session.account_must(&account.account_ref, action).await;
        assert_eq!(session.view(&account.account_ref).await.status(), status);
    }
    let closed = session.view(&account.account_ref).await;
    assert_eq!((closed.last_sequence, closed.opened_index), (5, opened.opened_index));
    assert_ne!(closed.last_status_entry, opened.last_status_entry);
}

#[tokio::test]
async fn a_balance_is_true_now_and_after_any_earlier_entry() {
    let session = busy().await;
    let school = &session.world.school;
    let account = session.account().await.account_ref;
    let opened = session.view(&account).await.opened_index;
    let first = Draft::course(&account).amount("T_XF", 1_000);
    let one = session.deposit(school, &first).await.index;
    let two = session.deposit(school, &Draft::course(&account).amount("T_XF", 500)).await.index;
    session.record_must(school, &first.facts.record_id, RecordAction::Revoke).await;
    let revoked = session.record(school, &first.facts.record_id).await;
    let at = async |index: Option<u64>| {
        lines(&balance(&session, v1::GetBalanceRequest { at_index: index, ..of(&account) }).await)
    };
    let after_two = vec![(Bucket::Available, 1_500, 3_600, 2)];
    let now = vec![(Bucket::Available, 500, 1_800, 1), (Bucket::Revoked, 1_000, 1_800, 1)];
    assert_eq!(at(Some(opened)).await, []);
    assert_eq!(at(Some(one)).await, [(Bucket::Available, 1_000, 1_800, 1)]);
    assert_eq!(at(Some(two - 1)).await, [(Bucket::Available, 1_000, 1_800, 1)]);
    assert_eq!(at(Some(two)).await, after_two);
    assert_eq!(at(None).await, now);
    assert_eq!(at(Some(session.size().await - 1)).await, now);
    assert_eq!(revoked.status(), v1::RecordStatus::Revoked);
    // Before it was opened there was no account; after the head there is no entry.
    let before = v1::GetBalanceRequest { at_index: Some(opened - 1), ..of(&account) };
    let refused = session.auditor().accounts().get_balance(before).await;
    crate::session::refusal("ACCOUNT_UNKNOWN", refused);
    let beyond = v1::GetBalanceRequest { at_index: Some(u64::MAX), ..of(&account) };
    crate::session::refusal("FIELD_INVALID", session.auditor().accounts().get_balance(beyond).await);
}

#[tokio::test]
async fn credit_expires_in_the_view_of_a_later_date_only() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let until = today_plus(30);
    let short = Draft::course(&account).with(|draft| draft.facts.valid_until = Some(until));
    session.deposit(&session.world.school, &short).await;
    session.deposit(&session.world.school, &Draft::course(&account)).await;
    let on = async |day: v1::CivilDate| {
        lines(&balance(&session, v1::GetBalanceRequest { as_of: Some(day), ..of(&account) }).await)
    };
    let all = vec![(Bucket::Available, 5_000, 3_600, 2)];
    assert_eq!(on(today()).await, all);
    assert_eq!(on(until).await, all, "the last day of validity counts");
    let part = vec![(Bucket::Available, 2_500, 1_800, 1), (Bucket::Expired, 2_500, 1_800, 1)];
    assert_eq!(on(today_plus(31)).await, part);
    assert_eq!(on(date(2199, 12, 31)).await, part);
    assert_eq!(lines(&balance(&session, of(&account)).await), all);
    let wrong = v1::GetBalanceRequest { as_of: Some(date(2026, 2, 30)), ..of(&account) };
    crate::session::refusal("FIELD_INVALID", session.auditor().accounts().get_balance(wrong).await);
}

#[tokio::test]
async fn a_signed_balance_proves_itself_without_the_server() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let deposited = session.deposit(&session.world.school, &Draft::course(&account)).await;
    let answer = balance(&session, v1::GetBalanceRequest { want_signed: true, ..of(&account) }).await;
    let signed = answer.signed.expect("a signed balance");
    assert_eq!(signed.payload_type, payload_type::BALANCE_STATEMENT);
    let statement = v1::BalanceStatement::decode(&*signed.payload).expect("a statement");
    assert_eq!(Some(&statement), answer.balance.as_ref());
    assert_eq!(statement.encode_to_vec(), signed.payload);
    let [signature] = signed.signatures.as_slice() else { panic!("{signed:?}") };
    let key: &PublicKey = session
        .world
        .statement_keys
        .iter()
        .find(|key| key.kid().to_vec() == signature.kid)
        .expect("a statement key");
    let bytes: [u8; 64] = signature.signature.clone().try_into().expect("64 bytes");
    key.verify_statement(&signed.payload_type, &signed.payload, &bytes).expect("the bank's signature");
    let head = statement.head.expect("a head");
    assert_eq!(
        (head.subject_id, head.sequence, head.leaf_hash),
        (account.clone(), 2, deposited.leaf_hash.clone())
    );
    let receipt = answer.receipt.expect("a receipt");
    assert_eq!(session.world.proved(&receipt), (deposited.index, deposited.leaf_hash));
    // The receipt opens the head and the account's link, and nothing else of the entry.
    let kinds: Vec<u8> = receipt.parts.iter().map(|part| part.part[0]).collect();
    assert_eq!(kinds, [1, 2]);
    let link = v1::Link::decode(&receipt.parts[1].part[1..]).expect("a link");
    assert_eq!((link.subject_id, link.sequence, link.events), (account.clone(), 2, vec![0]));
    // Our own client checks the same.
    let client = client_with(session.world, session.world.learner_token(&account));
    let asked =
        BalanceQuery { want_signed: true, min_entry_index: Some(deposited.index), ..BalanceQuery::default() };
    let checked = client.get_balance(asked).await.expect("a balance that verifies");
    assert_eq!(checked.statement.lines.len(), 1);
    assert!(checked.signed.is_some());
}

#[tokio::test]
async fn a_reader_may_ask_for_its_own_write_to_be_counted_in() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let index = session.deposit(&session.world.school, &Draft::course(&account)).await.index;
    let asked = |min| v1::GetBalanceRequest { min_entry_index: Some(min), ..of(&account) };
    assert_eq!(lines(&balance(&session, asked(index)).await).len(), 1);
    crate::session::refusal("NOT_FOUND", session.auditor().accounts().get_balance(asked(u64::MAX)).await);
}

#[tokio::test]
async fn minutes_without_credit_stand_in_lines_of_their_own() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let school = &session.world.school;
    let activity = || Draft::of(v1::RecordKind::Activity, &account).with(|draft| draft.facts.amount = None);
    session.deposit(school, &activity()).await;
    session.deposit(school, &activity().with(|draft| draft.facts.minutes = 200)).await;
    session
        .deposit(school, &activity().with(|draft| draft.facts.hour_kind = v1::HourKind::Practice.into()))
        .await;
    session.deposit(school, &Draft::course(&account)).await;
    let answer = balance(&session, of(&account)).await;
    let told: Vec<(String, i64, i64, u32)> = answer
        .balance
        .unwrap()
        .lines
        .into_iter()
        .map(|line| (line.scheme, line.credits_milli, line.minutes, line.records))
        .collect();
    assert_eq!(
        told,
        [(String::new(), 0, 2_000, 2), (String::new(), 0, 1_800, 1), ("T_XF".to_owned(), 2_500, 1_800, 1),]
    );
}

#[tokio::test]
async fn accounts_are_found_by_number_and_by_ones_own_student_number() {
    let session = busy().await;
    let school = &session.world.school;
    let mark = crate::statement::unique("A-");
    let person = crate::statement::identity(Some((&school.id, &mark)));
    let account = session.account_of(&person).await;
    let by = |by: v1::account_query::By| v1::AccountQuery { by: Some(by) };
    let student = |number: &str| by(v1::account_query::By::StudentNumber(number.to_owned()));
    let number = |number: &str| by(v1::account_query::By::AccountNumber(number.to_owned()));
    let queries =
        vec![student(&mark), student("nobody"), number(&account.number), number("0000000000000000")];
    let found = session.of(school).accounts().resolve_accounts(v1::ResolveAccountsRequest { queries }).await;
    let found: Vec<Vec<u8>> =
        found.expect("answers").into_inner().accounts.into_iter().map(|found| found.account_ref).collect();
    let own = account.account_ref.clone();
    assert_eq!(found, [own.clone(), Vec::new(), own.clone(), Vec::new()]);
    // ISO 7064 MOD 11,10: fifteen random digits and a check digit.
    assert_eq!(account.number.len(), 16);
    let sum = account.number[..15].bytes().fold(10, |product, digit| {
        let sum = (product + u32::from(digit - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    assert_eq!((11 - sum) % 10, u32::from(account.number.as_bytes()[15] - b'0'));
    let client = client_of(session.world, school);
    let ours = client.resolve_accounts(&[credit_client::AccountQuery::StudentNumber(mark)]).await;
    assert_eq!(ours.expect("an account"), [Some(AccountRef::from_slice(&own).unwrap())]);
}
