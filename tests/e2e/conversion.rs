//! Credit that moves between institutions, and awards, over the wire.

use crate::bank::Bank;
use crate::conversion_support::{Asked, College, book_text, granted_names, learner};
use crate::session::{Session, World, refusal};
use crate::shared::{busy, quiet};
use crate::statement::{Draft, today, today_plus, unique};
use credit_log::commitment::commit;
use credit_proto::v1::{
    ApplicationStatus, Bucket, ConversionAction, DecisionOutcome, KeyPurpose, RecordAction, RecordStatus,
    RuleBookAction,
};
use credit_proto::{payload_type, v1};
use credit_rules::book::Book;
use serde_json::Value;

/// The label of a commitment to an explanation.
const RECKONING: &str = "creditbank/reckoning/v1";

#[tokio::test]
async fn a_conversion_goes_from_a_quote_to_credit_at_another_institution() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let asked = learner.both(&session, &college);

    let before = session.size().await;
    let quote = session.quote(&asked).await.expect("a quote");
    assert_eq!(session.size().await.min(before), before, "a quote writes nothing of its own");
    assert_eq!((quote.institution_id.as_str(), quote.version), (college.institution.id.as_str(), 1));
    assert!(quote.refusal.is_none() && !quote.automatic, "{quote:?}");
    let rules: Vec<(&str, i64)> =
        quote.items.iter().map(|item| (item.rule.as_str(), item.credits_milli)).collect();
    assert_eq!(rules, [("english", 0), ("transfer", 2_500)]);
    let explained: Value = serde_json::from_slice(&quote.explanation).expect("JSON");
    assert_eq!(explained["awarded_milli"], 2_500);

    let (index, status) = session.applied(&asked).await;
    assert_eq!(status, ApplicationStatus::UnderReview);
    assert_eq!(learner.bucket(&session, &learner.course).await, Bucket::Reserved);
    let told = session.conversion(index).await;
    let view = told.application.unwrap();
    assert_eq!(view.items, quote.items, "what is proposed is what was quoted");
    assert_eq!(told.explanation, quote.explanation);
    let salt: [u8; 32] = told.explanation_salt.try_into().expect("32 bytes");
    let opened = commit(RECKONING, &salt, payload_type::CONVERSION_EXPLANATION, &told.explanation);
    assert_eq!(opened.as_slice(), view.explanation_commitment, "the log commits to the explanation");

    let decided =
        session.decide(&college, index, DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    assert_eq!(decided.into_inner().status(), ApplicationStatus::Posted);
    assert_eq!(learner.bucket(&session, &learner.course).await, Bucket::Redeemed);
    let granted = learner.granted(&session, &college, index).await;
    assert_eq!(granted.len(), 2);
    let credit: Vec<i64> = granted
        .iter()
        .filter_map(|record| Some(record.facts.as_ref()?.amount.as_ref()?.credits_milli))
        .collect();
    assert_eq!(credit, [2_500]);
    assert!(granted.iter().all(|record| record.bucket() == Bucket::Available));
    assert_eq!(granted[0].facts.as_ref().unwrap().awarded_on, Some(today()));
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);

    // What was granted is nobody's to take away alone, and no source of more.
    let own = granted[0].facts.as_ref().unwrap().record_id.clone();
    let change = session.record_change(&college.institution, &own, RecordAction::Revoke).await;
    refusal("RECORD_OF_APPLICATION", session.change_record(&college.institution, change).await);
    let again = Asked { records: vec![(college.institution.id.clone(), own)], ..asked.clone() };
    let request = session.application(&again).await;
    refusal("RECORD_GRANTED", session.apply(request).await);
    let request = session.application(&learner.course_only(&session, &college)).await;
    refusal("RECORD_USED", session.apply(request).await);
}

#[tokio::test]
async fn an_auto_approval_posts_at_once_what_the_book_allows() {
    let session = busy().await;
    let college = session.college().await;
    session.auto_approve(&college, &["transfer"]).await;
    let first = learner(&session).await;
    let quote = session.quote(&first.course_only(&session, &college)).await.expect("a quote");
    assert!(quote.automatic);
    let (index, status) = session.applied(&first.course_only(&session, &college)).await;
    assert_eq!(status, ApplicationStatus::Posted);
    let view = session.conversion(index).await.application.unwrap();
    assert!(view.auto_approval_index.is_some());
    assert_eq!(first.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);
    // The examination's rule is not automatic by the book: an officer decides.
    let second = learner(&session).await;
    let (_, status) = session.applied(&second.both(&session, &college)).await;
    assert_eq!(status, ApplicationStatus::UnderReview);
}

#[tokio::test]
async fn of_two_applications_at_once_one_reserves_the_record() {
    const AT_ONCE: usize = 64;
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let asked = learner.course_only(&session, &college);
    let mut requests = Vec::new();
    for _ in 0..AT_ONCE {
        requests.push(session.application(&asked).await);
    }
    let caller = session.of(&session.world.registrar);
    let mut running = tokio::task::JoinSet::new();
    for request in requests {
        let mut stubs = caller.conversions();
        running.spawn(async move { stubs.request_conversion(request).await });
    }
    let outcomes = running.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, AT_ONCE - 1));
    for outcome in refused {
        refusal("RECORD_RESERVED", outcome);
    }
    assert_eq!(learner.sums(&session).await, [(Bucket::Reserved, 2_500)]);
}

#[tokio::test]
async fn a_redemption_sent_again_debits_once() {
    let session = busy().await;
    let college = session.college().await;
    session.auto_approve(&college, &[]).await;
    let learner = learner(&session).await;
    let request = session.application(&learner.course_only(&session, &college)).await;
    let first = session.apply(request.clone()).await.expect("an application").into_inner();
    let again = session.apply(request).await.expect("the same answer").into_inner();
    let (one, two) = (first.position.clone().unwrap(), again.position.clone().unwrap());
    assert_eq!((one.index, &one.leaf_hash, first.status), (two.index, &two.leaf_hash, again.status));
    assert!(!one.replayed && two.replayed);
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);
}

#[tokio::test]
async fn what_is_withdrawn_or_lapsed_is_free_again() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let asked = learner.course_only(&session, &college);
    let (index, _) = session.applied(&asked).await;
    let step = session.step(&college, index, ConversionAction::Withdraw).await.expect("a withdrawal");
    assert_eq!(step.into_inner().status(), ApplicationStatus::Withdrawn);
    assert_eq!(learner.bucket(&session, &learner.course).await, Bucket::Available);
    refusal("APPLICATION_STATE_WRONG", session.step(&college, index, ConversionAction::Withdraw).await);
    let (_, status) = session.applied(&asked).await;
    assert_eq!(status, ApplicationStatus::UnderReview);
}

#[tokio::test]
async fn an_officer_asks_and_then_grants_a_part() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.both(&session, &college)).await;
    let asked = session.decide(&college, index, DecisionOutcome::Ask, |_| {}).await.expect("a question");
    assert_eq!(asked.into_inner().status(), ApplicationStatus::InfoRequested);
    refusal(
        "APPLICATION_STATE_WRONG",
        session.decide(&college, index, DecisionOutcome::Approve, |_| {}).await,
    );
    session.step(&college, index, ConversionAction::Answer).await.expect("an answer");
    let lowered = v1::DecidedItem {
        position: 1,
        credits_milli: 2_000,
        reason: v1::DecisionReason::ContentMatchLow.into(),
    };
    let declined = v1::DecidedItem {
        position: 0,
        credits_milli: 0,
        reason: v1::DecisionReason::EvidenceInsufficient.into(),
    };
    let raised = v1::DecidedItem { credits_milli: 3_000, ..lowered };
    let wrong =
        session.decide(&college, index, DecisionOutcome::Partly, |body| body.items = vec![raised]).await;
    assert_eq!(refusal("DECISION_ITEM_WRONG", wrong).field, "items[0]");
    let decided = session
        .decide(&college, index, DecisionOutcome::Partly, |body| body.items = vec![declined, lowered])
        .await
        .expect("a decision");
    assert_eq!(decided.into_inner().status(), ApplicationStatus::Posted);
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_000), (Bucket::Redeemed, 2_500)]);
    assert_eq!(learner.bucket(&session, &learner.exam).await, Bucket::Available);
}

#[tokio::test]
async fn an_appeal_is_decided_by_another_officer_and_at_last_by_the_regulator() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.course_only(&session, &college)).await;
    session.decide(&college, index, DecisionOutcome::Reject, |_| {}).await.expect("a rejection");
    assert_eq!(
        learner.bucket(&session, &learner.course).await,
        Bucket::Reserved,
        "held while it may be appealed"
    );
    session.step(&college, index, ConversionAction::Appeal).await.expect("an appeal");
    refusal("SAME_OFFICER", session.decide(&college, index, DecisionOutcome::Reject, |_| {}).await);
    let second = college.institution.spare_key("second officer");
    session.add_key(&college.institution, &second, KeyPurpose::Decisions).await;
    let body = session.decision(&college, index, DecisionOutcome::Reject, |_| {}).await;
    session.decide_with(&college.institution, &second, &body).await.expect("a second rejection");
    session.step(&college, index, ConversionAction::Appeal).await.expect("a second appeal");
    let regulator = &session.world.regulator;
    let header = session.header(&regulator.id).await;
    let set = |body: &mut v1::ConversionDecision| body.header = Some(header);
    let body = session.decision(&college, index, DecisionOutcome::Approve, set).await;
    let key = regulator.key(KeyPurpose::Decisions);
    let decided = session.decide_with(regulator, &key, &body).await.expect("the regulator decides");
    assert_eq!(decided.into_inner().status(), ApplicationStatus::Posted);
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);
}

#[tokio::test]
async fn a_revoked_waiver_opens_the_requirement_again() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.both(&session, &college)).await;
    let until = |body: &mut v1::ConversionDecision| body.provisional_until = Some(today_plus(30));
    let decided = session.decide(&college, index, DecisionOutcome::Approve, until).await.expect("a decision");
    assert_eq!(decided.into_inner().status(), ApplicationStatus::Provisional);
    let records = granted_names(&session, &college, index).await;
    let award = Asked::award(&college, &learner.account, &records);
    // Provisional credit carries no award yet.
    let quote = session.quote(&award).await.expect("a quote");
    assert_eq!(quote.refusal.expect("a refusal").reason, "RECORD_NOT_AVAILABLE");
    session.step(&college, index, ConversionAction::Rescind).await.expect("it is taken back");
    for record in learner.granted(&session, &college, index).await {
        assert_eq!((record.status(), record.bucket()), (RecordStatus::Revoked, Bucket::Revoked));
    }
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Revoked, 2_500)]);
    let request = session.application(&award).await;
    refusal("RECORD_REVOKED", session.apply(request).await);
    // Its records are free, and a confirmed waiver meets the requirement.
    let (index, _) = session.applied(&learner.both(&session, &college)).await;
    session.decide(&college, index, DecisionOutcome::Approve, until).await.expect("a decision");
    session.step(&college, index, ConversionAction::Confirm).await.expect("it is confirmed");
    let records = granted_names(&session, &college, index).await;
    let quote = session.quote(&Asked::award(&college, &learner.account, &records)).await.expect("a quote");
    assert!(quote.refusal.is_none(), "{:?}", quote.refusal);
}

#[tokio::test]
async fn a_source_that_is_revoked_later_changes_no_award_and_asks_for_a_review() {
    let session = busy().await;
    let college = session.college().await;
    session.auto_approve(&college, &[]).await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.course_only(&session, &college)).await;
    assert!(!session.conversion(index).await.application.unwrap().review_due);
    let id = &learner.course.facts.record_id;
    session.record_must(&session.world.school, id, RecordAction::Revoke).await;
    let view = session.conversion(index).await.application.unwrap();
    assert!(view.review_due);
    assert_eq!(view.status(), ApplicationStatus::Posted);
    let granted = learner.granted(&session, &college, index).await;
    assert_eq!((granted[0].status(), granted[0].bucket()), (RecordStatus::Valid, Bucket::Available));
    // The record is revoked, and what was redeemed of it stays redeemed.
    let source = session.record(&session.world.school, id).await;
    assert_eq!((source.status(), source.bucket()), (RecordStatus::Revoked, Bucket::Redeemed));
}

/// An issuer makes used credit new neither by a correction nor by revoking it and depositing it once more.
#[tokio::test]
async fn what_was_used_is_used_under_another_name_as_well() {
    let session = quiet().await;
    let college = session.college().await;
    session.auto_approve(&college, &[]).await;
    let learner = learner(&session).await;
    let school = &session.world.school;
    let (index, _) = session.applied(&learner.course_only(&session, &college)).await;
    let mut again = learner.course.clone();
    again.facts.record_id = Draft::course(&learner.account).facts.record_id;
    session.correct(school, &learner.course.facts.record_id, &again).await.expect("a correction");
    let asked = Asked::credit(&college, &learner.account, school, &[&again.facts.record_id]);
    let request = session.application(&asked).await;
    let refused = session.refused("NOTHING_GRANTED", session.apply(request)).await;
    assert!(refused.message.contains("ALREADY_USED"), "{}", refused.message);
    session.record_must(school, &again.facts.record_id, RecordAction::Revoke).await;
    assert!(session.conversion(index).await.application.unwrap().review_due);
    again.facts.record_id = Draft::course(&learner.account).facts.record_id;
    session.refused_record("OUTCOME_EXISTS", &again).await;
    // What was never used may be deposited again once it was revoked.
    session.record_must(school, &learner.exam.facts.record_id, RecordAction::Revoke).await;
    let mut exam = learner.exam.clone();
    exam.facts.record_id = Draft::course(&learner.account).facts.record_id;
    session.deposit(school, &exam).await;
}

#[tokio::test]
async fn what_may_not_be_applied_for_is_refused_by_name() {
    let session = quiet().await;
    let college = session.college().await;
    let own = learner(&session).await;
    let other = learner(&session).await;
    let school = &session.world.school;
    let unknown = Draft::course(&own.account);
    let expired = Draft::course(&own.account).with(|draft| {
        draft.facts.awarded_on = Some(today_plus(-90));
        draft.facts.valid_until = Some(today_plus(-1));
        draft.details.end_on = None;
    });
    let kept = Draft::course(&own.account).with(|draft| draft.facts.credit_eligible = false);
    let poor = Draft::course(&own.account).with(|draft| draft.details.score_milli = Some(59_000));
    for draft in [&expired, &kept, &poor] {
        session.deposit(school, draft).await;
    }
    let of = |draft: &Draft| Asked::credit(&college, &own.account, school, &[&draft.facts.record_id]);
    let good = own.course_only(&session, &college);
    let cases: Vec<(&str, &str, Asked<'_>)> = vec![
        ("RECORD_UNKNOWN", "records[0]", of(&unknown)),
        ("RECORD_OF_ANOTHER_ACCOUNT", "records[0]", of(&other.course)),
        ("RECORD_EXPIRED", "records[0]", of(&expired)),
        ("RECORD_NOT_OFFERED", "records[0]", of(&kept)),
        ("NOTHING_GRANTED", "records", of(&poor)),
        ("TARGET_UNKNOWN", "target", Asked { target: "nowhere:BA".to_owned(), ..good.clone() }),
        ("ACCOUNT_UNKNOWN", "account_ref", Asked { account_ref: vec![7; 16], ..good.clone() }),
    ];
    for (reason, field, asked) in cases {
        let request = session.application(&asked).await;
        let refused = session.refused(reason, session.apply(request)).await;
        assert_eq!(refused.field, field, "{reason}: {}", refused.message);
    }
    let request = session.application(&of(&poor)).await;
    let refused = session.refused("NOTHING_GRANTED", session.apply(request)).await;
    assert!(refused.message.contains("SCORE_BELOW_MIN"), "{}", refused.message);
    // Nothing was held by any of it.
    assert_eq!(own.bucket(&session, &own.course).await, Bucket::Available);
    let (index, _) = session.applied(&good).await;
    let changed = session
        .decision(&college, index, DecisionOutcome::Approve, |body| body.explanation_commitment = vec![3; 32])
        .await;
    let key = college.institution.key(KeyPurpose::Decisions);
    let call = session.decide_with(&college.institution, &key, &changed);
    let refused = session.refused("EXPLANATION_MISMATCH", call).await;
    assert_eq!(refused.field, "explanation_commitment");
    let mut stale = session.decision(&college, index, DecisionOutcome::Approve, |_| {}).await;
    stale.after = vec![9; 32];
    let call = session.decide_with(&college.institution, &key, &stale);
    assert_eq!(session.refused("STALE_STATEMENT", call).await.field, "after");
    let foreign = session.college().await;
    let header = session.header(&foreign.institution.id).await;
    let set = |body: &mut v1::ConversionDecision| body.header = Some(header);
    let body = session.decision(&college, index, DecisionOutcome::Approve, set).await;
    let key = foreign.institution.key(KeyPurpose::Decisions);
    session.refused("APPLICATION_OF_ANOTHER", session.decide_with(&foreign.institution, &key, &body)).await;
}

#[tokio::test]
async fn a_book_is_published_checked_activated_once_and_abolished() {
    let session = quiet().await;
    let college = session.college().await;
    let id = unique("test.book-");
    let text = |version| book_text(&id, version, &college.institution.id, &session.world.school.id);
    let book = Book::from_toml(&text(1)).expect("a book");
    let messages = session.publication(&book).await;
    // A flipped byte, a missing book, a book with an error.
    let mut bent = messages.clone();
    let piece = &mut bent[1].piece;
    let last = piece.len() - 1;
    piece[last] ^= 1;
    let refused = session.refused("BOOK_MISMATCH", session.publish_book(bent)).await;
    assert_eq!(refused.field, "sha256");
    session.refused("BOOK_BLOB_MISSING", session.publish_book(messages[..1].to_vec())).await;
    let faulty = text(1)
        .replace("cap = { per = \"rule\", max = \"20 cr\" }", "cap = []")
        .replace("consume_global\"\nauto", "non_consuming\"\nauto");
    let faulty = Book::from_toml(&faulty).expect("it can be read");
    let messages_of_faulty = session.publication(&faulty).await;
    let refused = session.refused("BOOK_FAULTY", session.publish_book(messages_of_faulty)).await;
    assert!(refused.message.contains("S5"), "{}", refused.message);

    let published = session.publish_book(messages).await.expect("a book").into_inner().position.unwrap();
    let again = session.publication(&book).await;
    session.refused("BOOK_VERSION_NOT_NEWER", session.publish_book(again)).await;
    let learner = learner(&session).await;
    let early = College { institution: college.institution.clone(), book };
    let request = session.application(&learner.course_only(&session, &early)).await;
    session.refused("BOOK_NOT_IN_FORCE", session.apply(request)).await;
    let activated = session.change_book(&early.book, &published.leaf_hash, RuleBookAction::Activate).await;
    let activated = activated.expect("it comes into force").into_inner().position.unwrap();
    let twice = session.change_book(&early.book, &activated.leaf_hash, RuleBookAction::Activate);
    session.refused("BOOK_STATE_WRONG", twice).await;
    let stale = session.change_book(&early.book, &published.leaf_hash, RuleBookAction::Abolish);
    session.refused("STALE_STATEMENT", stale).await;

    // Everybody reads it as it was signed.
    let request = v1::GetRuleBookRequest { book_id: id.clone() };
    let versions = session.rule_books().get_rule_book(request).await.expect("a book").into_inner().versions;
    assert_eq!(versions.len(), 1);
    assert!(versions[0].in_force);
    let request = v1::ReadRuleBookRequest { book_id: id.clone(), version: 0 };
    let mut pieces = session.rule_books().read_rule_book(request).await.expect("a text").into_inner();
    let mut text_read = Vec::new();
    while let Some(piece) = pieces.message().await.expect("a piece") {
        text_read.extend(piece.piece);
    }
    assert_eq!(text_read, early.book.canonical());

    let (index, _) = session.applied(&learner.course_only(&session, &early)).await;
    let abolished = session.change_book(&early.book, &activated.leaf_hash, RuleBookAction::Abolish).await;
    abolished.expect("it is abolished");
    // What was filed under it is decided under it; nothing more is filed.
    session.decide(&early, index, DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    let other = self::learner(&session).await;
    let request = session.application(&other.course_only(&session, &early)).await;
    session.refused("BOOK_NOT_IN_FORCE", session.apply(request)).await;
}

#[tokio::test]
async fn each_caller_sees_the_applications_that_concern_them() {
    let session = busy().await;
    let college = session.college().await;
    let stranger = session.college().await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.course_only(&session, &college)).await;
    let get = async |caller: &crate::session::Caller| {
        let request = v1::GetConversionRequest { application_index: index };
        caller.conversions().get_conversion(request).await
    };
    let own = get(&session.learner(&learner.account)).await.expect("one's own").into_inner();
    assert!(!own.explanation.is_empty() && own.precedents.is_empty());
    assert!(get(&session.of(&college.institution)).await.is_ok());
    assert!(get(&session.of(&session.world.regulator)).await.unwrap().into_inner().explanation.is_empty());
    refusal("PERMISSION_DENIED", get(&session.of(&stranger.institution)).await);
    let other = session.account().await.account_ref;
    refusal("PERMISSION_DENIED", get(&session.learner(&other)).await);
    let list = async |caller: crate::session::Caller, account_ref: Vec<u8>| {
        let request = v1::ListConversionsRequest { account_ref, open_only: true, ..Default::default() };
        let answer = caller.conversions().list_conversions(request).await.expect("a list");
        let found: Vec<u64> =
            answer.into_inner().applications.iter().map(|view| view.application_index).collect();
        found
    };
    assert_eq!(list(session.of(&college.institution), Vec::new()).await, [index]);
    assert_eq!(list(session.of(&stranger.institution), Vec::new()).await, Vec::<u64>::new());
    assert_eq!(list(session.learner(&learner.account), Vec::new()).await, [index]);
    // A second learner's application finds the first as a precedent, once it is decided.
    session.decide(&college, index, DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    let second = self::learner(&session).await;
    let (later, _) = session.applied(&second.course_only(&session, &college)).await;
    let request = v1::GetConversionRequest { application_index: later };
    let caller = session.of(&college.institution);
    let told = caller.conversions().get_conversion(request).await.expect("an application").into_inner();
    assert_eq!(told.precedents, [index]);
}

#[tokio::test]
async fn a_ledger_with_conversions_is_verified_rebuilt_and_taken_up_again() {
    let world = World::over(Bank::start(&[]));
    let session = Session::new(&world).await;
    let college = session.college().await;
    session.auto_approve(&college, &["transfer"]).await;
    let first = learner(&session).await;
    session.applied(&first.course_only(&session, &college)).await;
    let second = learner(&session).await;
    let (index, _) = session.applied(&second.both(&session, &college)).await;
    session.decide(&college, index, DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    let award = Asked::award(&college, &second.account, &granted_names(&session, &college, index).await);
    let (award_index, _) = session.applied(&award).await;
    session.decide(&college, award_index, DecisionOutcome::Approve, |_| {}).await.expect("an award");
    let own = college.institution.key(KeyPurpose::Decisions);
    let regulator = world.regulator.key(KeyPurpose::Status);
    session.reverse(&college, award_index, &[], &[&own, &regulator]).await.expect("a reversal");
    let third = learner(&session).await;
    let (held, _) = session.applied(&third.both(&session, &college)).await;
    let sums = second.sums(&session).await;
    assert!(world.bank.stop().success());
    // Everything is decided again: the books from their blobs, the proposals from the details in the vault.
    let said = world.bank.must(&["verify", "--details"]);
    assert!(said.contains(" 0 structure only") && said.contains("the log holds"), "{said}");
    world.bank.must(&["rebuild", "--check"]);
    world.bank.must(&["rebuild"]);
    world.bank.must(&["rebuild", "--check"]);
    let export = world.bank.folder().join("export").display().to_string();
    world.bank.must(&["export", &export, "--details"]);
    let said = world.bank.must(&["verify", "export", &export]);
    assert!(said.contains(" 0 structure only") && said.contains("the log holds"), "{said}");
    // A book of another byte is found, and so is one that is missing.
    let blob = world.bank.folder().join("export/blobs").read_dir().expect("blobs").next().expect("a book");
    let blob = blob.expect("a book").path();
    let mut bytes = std::fs::read(&blob).expect("a book");
    bytes[10] ^= 1;
    std::fs::write(&blob, bytes).expect("a book");
    let output = world.bank.run(&["verify", "export", &export]);
    assert!(!output.status.success(), "{}", crate::bank::text(&output));

    world.bank.serve();
    let session = Session::new(&world).await;
    assert_eq!(second.sums(&session).await, sums);
    session.decide(&college, held, DecisionOutcome::Approve, |_| {}).await.expect("what was held is decided");
    assert_eq!(third.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);
}
