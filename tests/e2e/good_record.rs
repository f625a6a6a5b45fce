//! Records as they should be: each kind, a stream, corrections, status.

use crate::client::{amount, client_of, client_with, institution_id, new_account, new_record};
use crate::session::Session;
use crate::shared::busy;
use crate::statement::Draft;
use credit_client::{NewCorrection, NewStatusChange, RecordOutcome};
use credit_proto::v1;
use credit_types::{
    AccountRef, Bucket, CorrectionReason, Reason, RecordAction, RecordKind, RecordStatus, StatusReason, Text,
};
use tokio_stream::StreamExt as _;

const KINDS: [RecordKind; 10] = [
    RecordKind::FormalCourse,
    RecordKind::NondegreeCourse,
    RecordKind::SkillGrade,
    RecordKind::XCert,
    RecordKind::Qualification,
    RecordKind::Exam,
    RecordKind::Cpd,
    RecordKind::Activity,
    RecordKind::Experience,
    RecordKind::Award,
];

/// An account opened by the client.
async fn account(session: &Session<'_>) -> AccountRef {
    let registrar = client_of(session.world, &session.world.registrar);
    registrar.open_account(&new_account(None)).await.expect("an account").account_ref
}

#[tokio::test]
async fn each_kind_of_record_is_deposited_and_proved() {
    let session = busy().await;
    let account = account(&session).await;
    let school = client_of(session.world, &session.world.school);
    let mut last = 0;
    for kind in KINDS {
        let mut record = new_record(kind, account);
        if kind == RecordKind::Activity {
            record.amount = None;
        }
        let recorded = school.submit_record(&record).await.expect("a record");
        assert!(!recorded.replayed && recorded.index > last, "{kind:?}");
        last = recorded.index;
        let view = school
            .get_record(&institution_id(&session.world.school), record.record_id)
            .await
            .expect("a record");
        assert_eq!((view.index, view.status, view.bucket), (last, RecordStatus::Valid, Bucket::Available));
        assert_eq!((view.facts.kind, view.facts.amount.clone()), (kind, record.amount.clone()));
        assert_eq!(view.details.as_ref(), Some(&record.details));
    }
    let learner = client_with(session.world, session.world.learner_token(account.as_bytes()));
    let records = learner.list_records(None, 0, "", true).await.expect("one's own records").items;
    assert_eq!(records.len(), KINDS.len());
    assert!(records.is_sorted_by_key(|record| record.facts.record_id));
    assert!(records.iter().all(|record| record.details.is_some()));
    assert_eq!(learner.get_account(None).await.expect("one's own account").records, 10);
}

#[tokio::test]
async fn a_stream_goes_on_after_a_refusal_and_answers_in_order() {
    let session = busy().await;
    let account = account(&session).await;
    let school = client_of(session.world, &session.world.school);
    let mut records: Vec<_> = (0..40).map(|_| new_record(RecordKind::Cpd, account)).collect();
    records[7].amount = Some(amount(1));
    records[13].record_id = records[2].record_id;
    records[20].account_ref = AccountRef([9; 16]);
    records[39].subject_code = "0511".to_owned();
    let mut told = Vec::new();
    let outcomes =
        school.submit_records(&records, &mut |progress| told.push(progress)).await.expect("a stream");
    assert_eq!(outcomes.len(), records.len());
    for (number, outcome) in outcomes.iter().enumerate() {
        let wanted = match number {
            7 => Some(Reason::AmountOffStep),
            13 => Some(Reason::RecordExists),
            20 => Some(Reason::AccountUnknown),
            _ => None,
        };
        let refused = match outcome {
            RecordOutcome::Recorded(_) => None,
            RecordOutcome::Refused(refusal) => refusal.known(),
        };
        assert_eq!(refused, wanted, "record {number}");
    }
    assert!(!told.is_empty());
    let auditor = client_with(session.world, session.world.auditor_token());
    assert_eq!(auditor.get_account(Some(account)).await.expect("an account").records, 37);
}

/// By raw messages, so that what cannot even be read is in the stream too.
#[tokio::test]
async fn a_stream_takes_garbage_as_one_refusal_among_others() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let school = &session.world.school;
    let mut requests = Vec::new();
    for number in 0..6 {
        let request = session.submission(school, &Draft::course(&account)).await;
        let v1::SubmitRecordRequest { mut envelope, details, want_receipt } = request;
        match number {
            1 => envelope.as_mut().unwrap().payload = vec![0xff; 100],
            2 => envelope = None,
            4 => envelope.as_mut().unwrap().signatures[0].signature[3] ^= 1,
            _ => {}
        }
        requests.push(v1::SubmitRecordsRequest { envelope, details, want_receipt });
    }
    let answer =
        session.of(school).records().submit_records(tokio_stream::iter(requests)).await.expect("a stream");
    let answers: Vec<v1::SubmitRecordsResponse> =
        answer.into_inner().map(|answer| answer.expect("an answer")).collect().await;
    let reasons: Vec<(u64, String)> = answers
        .into_iter()
        .map(|answer| match answer.outcome.expect("an outcome") {
            v1::submit_records_response::Outcome::Position(position) => {
                let (index, _) = session.world.proved(position.receipt.as_ref().expect("a receipt"));
                assert_eq!(index, position.index);
                (answer.number, String::new())
            }
            v1::submit_records_response::Outcome::Refusal(refusal) => {
                assert!(!refusal.message_en.is_empty() && !refusal.message_zh.is_ascii());
                assert!(!refusal.retryable);
                (answer.number, refusal.reason)
            }
        })
        .collect();
    let wanted = ["", "PAYLOAD_NOT_CANONICAL", "FIELD_INVALID", "", "SIGNATURE_INVALID", ""];
    let wanted: Vec<(u64, String)> = (0..).zip(wanted.map(str::to_owned)).collect();
    assert_eq!(reasons, wanted);
}

/// As many as are verified together, on a stream of their own.
#[tokio::test]
async fn of_a_thousand_records_only_the_one_with_a_false_signature_is_refused_and_it_is_named() {
    const COUNT: u64 = 1_000;
    const FALSE: u64 = 613;
    let session = busy().await;
    let account = session.account().await.account_ref;
    let school = &session.world.school;
    let mut requests = Vec::new();
    for number in 0..COUNT {
        let request = session.submission(school, &Draft::course(&account)).await;
        let v1::SubmitRecordRequest { mut envelope, details, .. } = request;
        if number == FALSE {
            envelope.as_mut().unwrap().signatures[0].signature[40] ^= 1;
        }
        requests.push(v1::SubmitRecordsRequest { envelope, details, want_receipt: false });
    }
    let answer =
        session.of(school).records().submit_records(tokio_stream::iter(requests)).await.expect("a stream");
    let answers: Vec<v1::SubmitRecordsResponse> =
        answer.into_inner().map(|answer| answer.expect("an answer")).collect().await;
    let refused: Vec<(u64, String)> = answers
        .iter()
        .filter_map(|answer| match answer.outcome.as_ref().expect("an outcome") {
            v1::submit_records_response::Outcome::Position(_) => None,
            v1::submit_records_response::Outcome::Refusal(refusal) => {
                Some((answer.number, refusal.reason.clone()))
            }
        })
        .collect();
    assert_eq!(refused, [(FALSE, "SIGNATURE_INVALID".to_owned())]);
    assert_eq!(answers.len(), usize::try_from(COUNT).unwrap());
}

#[tokio::test]
async fn a_correction_supersedes_and_keeps_the_sum_true() {
    let session = busy().await;
    let account = account(&session).await;
    let school = client_of(session.world, &session.world.school);
    let issuer = institution_id(&session.world.school);
    let wrong = new_record(RecordKind::FormalCourse, account);
    school.submit_record(&wrong).await.expect("a record");
    let before = school.get_record(&issuer, wrong.record_id).await.expect("a record");
    let mut right = new_record(RecordKind::FormalCourse, account);
    right.amount = Some(amount(4_000));
    // The very same outcome: a correction may name it again.
    right.details.certificate_no.clone_from(&wrong.details.certificate_no);
    let correction = NewCorrection {
        after: before.last_status_entry,
        supersedes: wrong.record_id,
        reason: CorrectionReason::Amount,
        record: right.clone(),
        explanation: Some(Text {
            zh: "学分录入有误".to_owned(), en: "the amount was mistyped".to_owned()
        }),
    };
    let recorded = school.correct_record(&correction).await.expect("a correction");
    let old = school.get_record(&issuer, wrong.record_id).await.expect("a record");
    assert_eq!((old.status, old.bucket), (RecordStatus::Superseded, Bucket::Revoked));
    assert_eq!(old.superseded_by, Some(right.record_id));
    let new = school.get_record(&issuer, right.record_id).await.expect("a record");
    assert_eq!((new.status, new.bucket, new.index), (RecordStatus::Valid, Bucket::Available, recorded.index));
    assert_eq!(sums(&session, account).await, [(Bucket::Available, 4_000), (Bucket::Revoked, 2_500)]);
}

/// The credits of an account by bucket.
async fn sums(session: &Session<'_>, account: AccountRef) -> Vec<(Bucket, i64)> {
    let auditor = client_with(session.world, session.world.auditor_token());
    let asked =
        credit_client::BalanceQuery { account_ref: Some(account), want_signed: true, ..Default::default() };
    let balance = auditor.get_balance(asked).await.expect("a balance");
    balance.statement.lines.iter().map(|line| (line.bucket, line.credits_milli)).collect()
}

#[tokio::test]
async fn a_record_is_suspended_reinstated_and_revoked() {
    let session = busy().await;
    let account = account(&session).await;
    let school = client_of(session.world, &session.world.school);
    let issuer = institution_id(&session.world.school);
    let record = new_record(RecordKind::XCert, account);
    school.submit_record(&record).await.expect("a record");
    let steps = [
        (RecordAction::Suspend, RecordStatus::Suspended, Bucket::Suspended),
        (RecordAction::Reinstate, RecordStatus::Valid, Bucket::Available),
        (RecordAction::Suspend, RecordStatus::Suspended, Bucket::Suspended),
        (RecordAction::Revoke, RecordStatus::Revoked, Bucket::Revoked),
    ];
    for (action, status, bucket) in steps {
        let view = school.get_record(&issuer, record.record_id).await.expect("a record");
        let change = NewStatusChange {
            after: (action != RecordAction::Revoke).then_some(view.last_status_entry),
            account_ref: account,
            issuer_id: issuer.clone(),
            record_id: record.record_id,
            action,
            reason: StatusReason::Investigation,
            order_ref: String::new(),
            effective_from: Some(record.awarded_on),
            explanation: Some(Text { zh: "核查".to_owned(), en: String::new() }),
        };
        school.change_record_status(&change).await.expect("a change of status");
        let view = school.get_record(&issuer, record.record_id).await.expect("a record");
        assert_eq!((view.status, view.bucket), (status, bucket), "{action:?}");
        assert_eq!(sums(&session, account).await, [(bucket, 2_500)]);
    }
}
