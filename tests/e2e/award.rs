//! Awards and what is owed of continuing education, over the wire.

use crate::conversion_support::{Asked, granted_names, learner};
use crate::session::refusal;
use crate::shared::busy;
use crate::statement::{Draft, today, unique};
use credit_proto::v1::{
    self, ApplicationStatus, Bucket, DecisionOutcome, KeyPurpose, RecordKind, RecordStatus, RuleBookAction,
};
use credit_rules::book::{Book, PeriodRule};
use credit_rules::cases::Cases;
use credit_rules::value::Limit;
use serde_json::Value;

#[tokio::test]
async fn an_award_is_undone_by_a_reversal_of_the_authority() {
    let session = busy().await;
    let college = session.college().await;
    let learner = learner(&session).await;
    let (index, _) = session.applied(&learner.both(&session, &college)).await;
    session.decide(&college, index, DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    let records = granted_names(&session, &college, index).await;
    // One of the two is not enough: the requirement that stays open is named.
    let without = Asked::award(&college, &learner.account, &records[1..]);
    let request = session.application(&without).await;
    let refused = refusal("NOTHING_GRANTED", session.apply(request).await);
    assert!(refused.message.contains("english"), "{}", refused.message);

    let award = Asked::award(&college, &learner.account, &records);
    let (award_index, status) = session.applied(&award).await;
    assert_eq!(status, ApplicationStatus::UnderReview);
    session.decide(&college, award_index, DecisionOutcome::Approve, |_| {}).await.expect("an award");
    let diploma = learner.granted(&session, &college, award_index).await;
    assert_eq!(diploma[0].facts.as_ref().unwrap().kind(), RecordKind::Qualification);
    assert_eq!(learner.sums(&session).await, [(Bucket::Redeemed, 5_000)]);

    let own = college.institution.key(KeyPurpose::Decisions);
    let regulator = session.world.regulator.key(KeyPurpose::Status);
    refusal("KEY_UNKNOWN", session.reverse(&college, award_index, &[], &[&own]).await);
    refusal("KEY_UNKNOWN", session.reverse(&college, award_index, &[], &[&regulator]).await);
    let reversed =
        session.reverse(&college, award_index, &[], &[&own, &regulator]).await.expect("a reversal");
    assert_eq!(reversed.into_inner().status(), ApplicationStatus::Reversed);
    let diploma = learner.granted(&session, &college, award_index).await;
    assert_eq!(diploma[0].status(), RecordStatus::Revoked);
    assert_eq!(learner.sums(&session).await, [(Bucket::Available, 2_500), (Bucket::Redeemed, 2_500)]);
    let view = session.conversion(award_index).await.application.unwrap();
    let steps: Vec<ApplicationStatus> = view.steps.iter().map(v1::ApplicationStep::status).collect();
    let expected = [ApplicationStatus::UnderReview, ApplicationStatus::Posted, ApplicationStatus::Reversed];
    assert_eq!(steps, expected, "the old steps stay");
    // Once undone it may be granted again.
    session.applied(&award).await;
}

/// The shipped cases of a calendar year that is counted in hours, moved to the present year.
#[tokio::test]
async fn compliance_of_a_calendar_year_is_judged_over_the_wire() {
    let session = busy().await;
    let folder = crate::office::root().join("ledger-data/rulebooks/cn-cpd");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of a book");
    let mut book = Book::from_toml(&text("book.toml")).expect("a book");
    book.retroactive = true;
    book.id = unique("test.cpd-").parse().expect("an id");
    let published =
        session.publish_book(session.publication(&book).await).await.expect("a book is published");
    let after = published.into_inner().position.unwrap().leaf_hash;
    session.change_book(&book, &after, RuleBookAction::Activate).await.expect("a book is activated");
    let (now, mut judged) = (today(), 0);
    for case in Cases::from_toml(&text("cases.toml")).expect("cases").tests {
        let Some(asked) = case.compliance else { continue };
        let rule = book.compliance.iter().find(|rule| rule.id == asked.compliance).expect("a rule");
        if rule.period != PeriodRule::CalendarYear || !matches!(rule.total, Limit::Time(_)) {
            continue;
        }
        let account = session.account().await.account_ref;
        for activity in &asked.activities {
            let Limit::Time(time) = activity.amount else { panic!("{}: an activity in hours", case.id) };
            // What would lie ahead of today is done today: the year is the same.
            let day = (activity.on.0.month(), activity.on.0.day()).min((now.month, now.day));
            let draft = Draft::of(RecordKind::Cpd, &account).with(|draft| {
                draft.facts.amount = None;
                draft.facts.level = None;
                draft.facts.hour_kind = v1::HourKind::Continuing.into();
                draft.facts.minutes = i32::try_from(time.minutes(book.xs_minutes).unwrap()).unwrap();
                draft.facts.awarded_on = Some(v1::CivilDate { year: now.year, month: day.0, day: day.1 });
                draft.details.start_on = None;
                draft.details.end_on = None;
                let class = activity.class.as_ref().map(ToString::to_string).unwrap_or_default();
                draft.details.lineage_key = if class.is_empty() { class } else { format!("cpd/{class}") };
            });
            session.deposit(&session.world.school, &draft).await;
        }
        let request = v1::CheckComplianceRequest {
            account_ref: account.clone(),
            book_id: book.id.to_string(),
            version: 0,
            rule: asked.compliance.to_string(),
            on: Some(now),
        };
        let caller = session.learner(&account);
        let answer = caller.conversions().check_compliance(request).await.expect("a verdict").into_inner();
        assert_eq!(answer.compliant, asked.expect.compliant, "{}", case.id);
        let verdict: Value = serde_json::from_slice(&answer.verdict).expect("JSON");
        assert_eq!(verdict["from"], format!("{}-01-01", now.year));
        if let Some(Limit::Time(total)) = asked.expect.total {
            assert_eq!(verdict["have"], total.minutes(book.xs_minutes).unwrap(), "{}", case.id);
        }
        judged += 1;
    }
    assert!(judged >= 4, "{judged} cases were judged");
}
