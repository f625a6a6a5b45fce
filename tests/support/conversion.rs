//! Rule books and applications over raw stubs: published, applied for, decided.

use crate::institution::Institution;
use crate::session::{Caller, Gated, Session};
use crate::statement::{Draft, envelope, seal, unique};
use credit_log::envelope::SigningKey;
use credit_log::hash;
use credit_proto::v1::{
    ApplicationStatus, Bucket, ConversionAction, ConversionPurpose, DecisionOutcome, KeyPurpose, RecordKind,
    Role, RuleBookAction,
};
use credit_proto::{payload_type, v1};
use credit_rpc::v1::conversion_service_client::ConversionServiceClient;
use credit_rpc::v1::rule_book_service_client::RuleBookServiceClient;
use credit_rules::book::Book;
use prost::Message;
use std::collections::BTreeMap;
use tonic::{Response, Status};

/// The label of a commitment to particulars.
pub(crate) const PARTICULARS: &str = "creditbank/particulars/v1";

/// A college that accepts and awards, with a book of its own that is in force.
pub(crate) struct College {
    /// The college.
    pub(crate) institution: Institution,
    /// The book.
    pub(crate) book: Book,
}

impl College {
    /// The programme of the book.
    pub(crate) fn programme(&self) -> String {
        format!("{}:BA", self.institution.id)
    }

    /// The book's id.
    pub(crate) fn book_id(&self) -> String {
        self.book.id.to_string()
    }
}

/// A book of a college for records of a school: a course for its own credit, used up for ever and decided without an
/// officer; a waiver for an examination; hours that use nothing up; and an award for three credits and the waiver.
pub(crate) fn book_text(id: &str, version: u32, college: &str, school: &str) -> String {
    format!(
        r#"schema = "rulebook/1"
id = "{id}"
version = {version}
effective = {{ from = 2020-01-01 }}
retroactive = true
labels = {{ zh = "测试规则", en = "Rules of a test" }}
evidence = [{{ kind = "sample", cite = "a test" }}]
[standards.T_XF]
label = {{ zh = "学分", en = "Credit" }}
step = "0.5 cr"
[programmes."{college}:BA"]
label = {{ zh = "本科", en = "Bachelor" }}
institution = "{college}"
std = "T_XF"
total = "60 cr"
[[programmes."{college}:BA".requirement]]
id = "elective"
labels = {{ zh = "选修", en = "Electives" }}
credit = "30 cr"
[[programmes."{college}:BA".requirement]]
id = "language"
labels = {{ zh = "外语", en = "Language" }}
courses = "{college}:ENG"
[[rule]]
id = "transfer"
kind = "transfer"
labels = {{ zh = "课程", en = "Courses" }}
evidence = [{{ kind = "sample", cite = "a test" }}]
when = {{ record_kind = "formal_course", issuer = "{school}", std = "T_XF", min_grade = {{ scale = "cn.pct100", at_least = "60" }} }}
convert = {{ from = "credit_value", std = "T_XF", round = "floor", step = "0.5 cr" }}
award = {{ pool = "elective", trim = true }}
cap = {{ per = "rule", max = "20 cr" }}
consumption = "consume_global"
auto = true
[[rule]]
id = "english"
kind = "examination"
labels = {{ zh = "英语免修", en = "English is waived" }}
evidence = [{{ kind = "sample", cite = "a test" }}]
when = {{ record_kind = "exam", issuer = "{school}", passed = true }}
award = {{ course = "{college}:ENG", waive = true }}
cap = {{ per = "target", max = "5 cr" }}
[scales."cn.pct100"]
label = {{ zh = "百分制", en = "Per cent" }}
min = 0
max = 100
pass = "60"
[[award]]
id = "diploma"
labels = {{ zh = "文凭", en = "Diploma" }}
evidence = [{{ kind = "sample", cite = "a test" }}]
institution = "{college}"
std = "T_XF"
consumption = "consume_global"
requirement = [
  {{ id = "credit", labels = {{ zh = "学分", en = "Credit" }}, credit = "2.5 cr", counts = {{ pool = "elective" }} }},
  {{ id = "english", labels = {{ zh = "英语", en = "English" }}, courses = "{college}:ENG" }},
]
"#
    )
}

/// What an application asks for.
#[derive(Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) college: &'a College,
    pub(crate) account_ref: Vec<u8>,
    pub(crate) purpose: ConversionPurpose,
    pub(crate) target: String,
    pub(crate) records: Vec<(String, Vec<u8>)>,
}

impl<'a> Asked<'a> {
    /// Credit of the college's programme for records of an institution.
    pub(crate) fn credit(college: &'a College, account: &[u8], issuer: &Institution, ids: &[&[u8]]) -> Self {
        Self {
            college,
            account_ref: account.to_vec(),
            purpose: ConversionPurpose::Credit,
            target: college.programme(),
            records: ids.iter().map(|id| (issuer.id.clone(), id.to_vec())).collect(),
        }
    }

    /// The college's award for records of anybody.
    pub(crate) fn award(college: &'a College, account: &[u8], records: &[(String, Vec<u8>)]) -> Self {
        Self {
            college,
            account_ref: account.to_vec(),
            purpose: ConversionPurpose::Award,
            target: "diploma".to_owned(),
            records: records.to_vec(),
        }
    }

    fn names(&self) -> Vec<v1::RecordName> {
        let mut records = self.records.clone();
        records.sort();
        records.into_iter().map(|(issuer_id, record_id)| v1::RecordName { issuer_id, record_id }).collect()
    }
}

impl Caller {
    /// The stubs of the conversion service.
    pub(crate) fn conversions(&self) -> ConversionServiceClient<Gated> {
        self.gated(ConversionServiceClient::with_interceptor)
    }
}

impl Session<'_> {
    /// The stubs of the rule book service.
    pub(crate) fn rule_books(&self) -> RuleBookServiceClient<Gated> {
        self.anyone().gated(RuleBookServiceClient::with_interceptor)
    }

    /// The messages that publish a book.
    pub(crate) async fn publication(&self, book: &Book) -> Vec<v1::PublishRuleBookRequest> {
        let blob = book.canonical();
        let day = |day: Option<credit_rules::value::Day>| {
            day.map(|day| v1::CivilDate { year: day.0.year(), month: day.0.month(), day: day.0.day() })
        };
        let body = v1::RuleBookPublication {
            header: Some(self.header("authority").await),
            book_id: book.id.to_string(),
            version: book.version,
            sha256: hash::sha256(&blob).to_vec(),
            size_bytes: u32::try_from(blob.len()).expect("a small book"),
            effective_from: day(book.effective.from),
            effective_until: day(book.effective.until),
            select_by: v1::BookDate::Decision.into(),
        };
        let keys = self.world.authority();
        let keys: Vec<&SigningKey> = keys.iter().collect();
        let signed = envelope(payload_type::RULE_BOOK_PUBLICATION, body.encode_to_vec(), &keys);
        let first =
            v1::PublishRuleBookRequest { envelope: Some(signed), want_receipt: true, ..Default::default() };
        let pieces = blob.chunks(1_000).map(|piece| v1::PublishRuleBookRequest {
            piece: piece.to_vec(),
            ..v1::PublishRuleBookRequest::default()
        });
        [first].into_iter().chain(pieces).collect()
    }

    /// Sends a book.
    pub(crate) async fn publish_book(
        &self,
        messages: Vec<v1::PublishRuleBookRequest>,
    ) -> Result<Response<v1::PublishRuleBookResponse>, Status> {
        self.rule_books().publish_rule_book(tokio_stream::iter(messages)).await
    }

    /// Activates or abolishes a version.
    pub(crate) async fn change_book(
        &self,
        book: &Book,
        after: &[u8],
        action: RuleBookAction,
    ) -> Result<Response<v1::ChangeRuleBookResponse>, Status> {
        let body = v1::RuleBookChange {
            header: Some(self.header("authority").await),
            after: after.to_vec(),
            book_id: book.id.to_string(),
            version: book.version,
            action: action.into(),
        };
        let keys = self.world.authority();
        let keys: Vec<&SigningKey> = keys.iter().collect();
        let signed = envelope(payload_type::RULE_BOOK_CHANGE, body.encode_to_vec(), &keys);
        let request = v1::ChangeRuleBookRequest { envelope: Some(signed), want_receipt: true };
        self.rule_books().change_rule_book(request).await
    }

    /// A college with its book in force, which is of records of the world's school.
    pub(crate) async fn college(&self) -> College {
        let roles = [Role::Acceptor, Role::Awarder];
        let institution = Institution::named(unique("cn.test.college-"), &roles);
        self.admit(&institution).await;
        let text = book_text(&unique("test.book-"), 1, &institution.id, &self.world.school.id);
        let book = Book::from_toml(&text).unwrap_or_else(|findings| panic!("{findings:?}"));
        let published = self.publish_book(self.publication(&book).await).await.expect("a book is published");
        let published = published.into_inner().position.expect("a position");
        let changed = self.change_book(&book, &published.leaf_hash, RuleBookAction::Activate).await;
        changed.expect("a book is activated");
        College { institution, book }
    }

    /// Lets a college's book be applied without an officer.
    pub(crate) async fn auto_approve(&self, college: &College, rules: &[&str]) {
        let institution = &college.institution;
        let body = v1::AutoApproval {
            header: Some(self.header(&institution.id).await),
            book_id: college.book_id(),
            version: college.book.version,
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            until: Some(crate::statement::today_plus(30)),
        };
        let key = institution.key(KeyPurpose::Decisions);
        let signed = envelope(payload_type::AUTO_APPROVAL, body.encode_to_vec(), &[&key]);
        let request = v1::GiveAutoApprovalRequest { envelope: Some(signed), want_receipt: true };
        let mut stubs = self.of(institution).gated(RuleBookServiceClient::with_interceptor);
        stubs.give_auto_approval(request).await.expect("an auto-approval is given");
    }

    /// A quote, as the world's registrar asks for it.
    pub(crate) async fn quote(&self, asked: &Asked<'_>) -> Result<v1::QuoteConversionResponse, Status> {
        let request = v1::QuoteConversionRequest {
            account_ref: asked.account_ref.clone(),
            purpose: asked.purpose.into(),
            book_id: asked.college.book_id(),
            version: 0,
            target: asked.target.clone(),
            records: asked.names(),
            particulars: None,
        };
        let caller = self.of(&self.world.registrar);
        caller.conversions().quote_conversion(request).await.map(Response::into_inner)
    }

    /// The call by which the world's registrar applies.
    pub(crate) async fn application(&self, asked: &Asked<'_>) -> v1::RequestConversionRequest {
        let particulars =
            v1::ConversionParticulars { consent_ref: "paper 7".to_owned(), ..Default::default() };
        let sealed = seal(PARTICULARS, payload_type::CONVERSION_PARTICULARS, particulars.encode_to_vec());
        let registrar = &self.world.registrar;
        let body = v1::ConversionRequest {
            header: Some(self.header(&registrar.id).await),
            account_ref: asked.account_ref.clone(),
            purpose: asked.purpose.into(),
            institution_id: asked.college.institution.id.clone(),
            book_id: asked.college.book_id(),
            version: asked.college.book.version,
            target: asked.target.clone(),
            records: asked.names(),
            particulars_commitment: sealed.commitment,
        };
        let key = registrar.key(KeyPurpose::Registry);
        let signed = envelope(payload_type::CONVERSION_REQUEST, body.encode_to_vec(), &[&key]);
        v1::RequestConversionRequest {
            envelope: Some(signed),
            particulars: Some(sealed.part),
            want_receipt: true,
        }
    }

    /// Sends an application.
    pub(crate) async fn apply(
        &self,
        request: v1::RequestConversionRequest,
    ) -> Result<Response<v1::RequestConversionResponse>, Status> {
        let caller = self.of(&self.world.registrar);
        caller.conversions().request_conversion(request).await
    }

    /// Applies; gives the index of the application and where it stands.
    pub(crate) async fn applied(&self, asked: &Asked<'_>) -> (u64, ApplicationStatus) {
        let request = self.application(asked).await;
        let answer = self.apply(request).await.expect("an application is taken").into_inner();
        let status = answer.status();
        let position = answer.position.expect("a position");
        self.world.proved(position.receipt.as_ref().expect("a receipt"));
        (position.index, status)
    }

    /// An application as an auditor sees it.
    pub(crate) async fn conversion(&self, index: u64) -> v1::GetConversionResponse {
        let request = v1::GetConversionRequest { application_index: index };
        let caller = self.auditor();
        caller.conversions().get_conversion(request).await.expect("an application").into_inner()
    }

    /// A decision of an application as it stands, ready to be sent.
    pub(crate) async fn decision(
        &self,
        college: &College,
        index: u64,
        outcome: DecisionOutcome,
        change: impl FnOnce(&mut v1::ConversionDecision),
    ) -> v1::ConversionDecision {
        let view = self.conversion(index).await.application.expect("an application");
        let reason = match outcome {
            DecisionOutcome::Reject | DecisionOutcome::Ask => v1::DecisionReason::EvidenceInsufficient.into(),
            DecisionOutcome::Approve | DecisionOutcome::Partly | DecisionOutcome::Unspecified => 0,
        };
        let mut body = v1::ConversionDecision {
            header: Some(self.header(&college.institution.id).await),
            after: view.last_entry,
            application_index: index,
            outcome: outcome.into(),
            explanation_commitment: view.explanation_commitment,
            reason,
            ..v1::ConversionDecision::default()
        };
        change(&mut body);
        body
    }

    /// Sends a decision that one key has signed.
    pub(crate) async fn decide_with(
        &self,
        institution: &Institution,
        key: &SigningKey,
        body: &v1::ConversionDecision,
    ) -> Result<Response<v1::DecideConversionResponse>, Status> {
        let signed = envelope(payload_type::CONVERSION_DECISION, body.encode_to_vec(), &[key]);
        let request =
            v1::DecideConversionRequest { envelope: Some(signed), opinion: None, want_receipt: true };
        let caller = self.of(institution);
        caller.conversions().decide_conversion(request).await
    }

    /// Decides, as the college's officer.
    pub(crate) async fn decide(
        &self,
        college: &College,
        index: u64,
        outcome: DecisionOutcome,
        change: impl FnOnce(&mut v1::ConversionDecision),
    ) -> Result<Response<v1::DecideConversionResponse>, Status> {
        let body = self.decision(college, index, outcome, change).await;
        let key = college.institution.key(KeyPurpose::Decisions);
        self.decide_with(&college.institution, &key, &body).await
    }

    /// Moves an application on: a learner's step by the registrar, others by the college.
    pub(crate) async fn step(
        &self,
        college: &College,
        index: u64,
        action: ConversionAction,
    ) -> Result<Response<v1::StepConversionResponse>, Status> {
        let of_college = matches!(action, ConversionAction::Confirm | ConversionAction::Rescind);
        let signer = if of_college { &college.institution } else { &self.world.registrar };
        let purpose = if of_college { KeyPurpose::Decisions } else { KeyPurpose::Registry };
        let view = self.conversion(index).await.application.expect("an application");
        let body = v1::ConversionStep {
            header: Some(self.header(&signer.id).await),
            after: view.last_entry,
            application_index: index,
            action: action.into(),
            explanation_commitment: Vec::new(),
        };
        let signed = envelope(payload_type::CONVERSION_STEP, body.encode_to_vec(), &[&signer.key(purpose)]);
        let request =
            v1::StepConversionRequest { envelope: Some(signed), explanation: None, want_receipt: true };
        let caller = self.of(signer);
        caller.conversions().step_conversion(request).await
    }

    /// Takes an award back, by order of the world's regulator.
    pub(crate) async fn reverse(
        &self,
        college: &College,
        index: u64,
        kept: &[u32],
        keys: &[&SigningKey],
    ) -> Result<Response<v1::ReverseAwardResponse>, Status> {
        let view = self.conversion(index).await.application.expect("an application");
        let body = v1::AwardReversal {
            header: Some(self.header(&college.institution.id).await),
            after: view.last_entry,
            application_index: index,
            regulator_id: self.world.regulator.id.clone(),
            order_ref: "order 9".to_owned(),
            kept: kept.to_vec(),
            explanation_commitment: Vec::new(),
        };
        let signed = envelope(payload_type::AWARD_REVERSAL, body.encode_to_vec(), keys);
        let request =
            v1::ReverseAwardRequest { envelope: Some(signed), explanation: None, want_receipt: true };
        let caller = self.of(&college.institution);
        caller.conversions().reverse_award(request).await
    }
}

/// A learner with a course of 2.5 credits and an examination of the world's school.
pub(crate) struct Learner {
    pub(crate) account: Vec<u8>,
    pub(crate) course: Draft,
    pub(crate) exam: Draft,
}

pub(crate) async fn learner(session: &Session<'_>) -> Learner {
    let account = session.account().await.account_ref;
    let course = Draft::course(&account);
    session.deposit(&session.world.school, &course).await;
    let exam = Draft::of(RecordKind::Exam, &account).with(|draft| draft.facts.amount = None);
    session.deposit(&session.world.school, &exam).await;
    Learner { account, course, exam }
}

impl Learner {
    pub(crate) fn course_only<'a>(&self, session: &Session<'_>, college: &'a College) -> Asked<'a> {
        Asked::credit(college, &self.account, &session.world.school, &[&self.course.facts.record_id])
    }

    pub(crate) fn both<'a>(&self, session: &Session<'_>, college: &'a College) -> Asked<'a> {
        let ids: [&[u8]; 2] = [&self.course.facts.record_id, &self.exam.facts.record_id];
        Asked::credit(college, &self.account, &session.world.school, &ids)
    }

    pub(crate) async fn bucket(&self, session: &Session<'_>, draft: &Draft) -> Bucket {
        session.record(&session.world.school, &draft.facts.record_id).await.bucket()
    }

    /// The records that an application has granted, by its college.
    pub(crate) async fn granted(
        &self,
        session: &Session<'_>,
        college: &College,
        index: u64,
    ) -> Vec<v1::RecordView> {
        let view = session.conversion(index).await.application.unwrap();
        let mut records = Vec::new();
        for granted in view.granted {
            records.push(session.record(&college.institution, &granted.record_id).await);
        }
        records
    }

    /// Sums of the balance by bucket, of credit alone.
    pub(crate) async fn sums(&self, session: &Session<'_>) -> Vec<(Bucket, i64)> {
        let request = v1::GetBalanceRequest { account_ref: self.account.clone(), ..Default::default() };
        let answer = session.auditor().accounts().get_balance(request).await.expect("a balance").into_inner();
        let lines = answer.balance.unwrap().lines;
        let mut sums: BTreeMap<Bucket, i64> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.credits_milli > 0) {
            *sums.entry(line.bucket()).or_default() += line.credits_milli;
        }
        sums.into_iter().collect()
    }
}

/// What an application has granted, as the names of records.
pub(crate) async fn granted_names(
    session: &Session<'_>,
    college: &College,
    index: u64,
) -> Vec<(String, Vec<u8>)> {
    let view = session.conversion(index).await.application.unwrap();
    view.granted.into_iter().map(|granted| (college.institution.id.clone(), granted.record_id)).collect()
}
