//! A college that takes credit of the university over and grants an award, by one small book.

use std::collections::BTreeMap;

use credit_ledger::assess::{self, Beside};
use credit_ledger::{View, reads};
use credit_log::commitment::{PARTICULARS_LABEL, RECKONING_LABEL, commit};
use credit_log::hash::sha256;
use credit_proto::entry::StatementPart;
use credit_proto::{Secret as _, payload_type};
use credit_rules::book::Book;
use credit_rules::program::Program;
use credit_types::{
    AccountRef, Assessment, AutoApproval, BookCheck, BookDate, BookName, BookVersion, CivilDate, Command,
    ConversionAction, ConversionDecision, ConversionParticulars, ConversionPurpose, ConversionRequest,
    ConversionStep, DecisionOutcome, Digest, FrameworkId, Genesis, KeyPurpose, Policy, ProtocolUpgrade,
    RecordDetails, RecordId, RecordName, Role, RuleBookAction, RuleBookChange, RuleBookPublication, Signed,
};
use credit_verify::{Blobs, OpenedDetails};

use crate::bank::{Bank, SECOND_US, signed};
use crate::story::{AUTHORITY, CENTRE, UNIV, day, genesis, institution};

/// The book: a rule that needs no officer, one that does, one that asks for what the learner states, and an award.
pub(crate) const BOOK: &str = r#"
schema = "rulebook/1"
id = "cn.city"
version = 1
effective = { from = 2026-01-01 }
labels = { zh = "示例市", en = "Sample city" }

[standards]
CN_XF = { label = { zh = "学分", en = "credit" }, step = "0.5 cr" }

[programmes.BA]
label = { zh = "本科", en = "BA" }
institution = "cn.college"
std = "CN_XF"
total = "40 cr"
requirement = [{ id = "core", labels = { zh = "核心", en = "core" }, credit = "20 cr" }]

[[rule]]
id = "algebra"
kind = "formal_course"
labels = { zh = "线性代数", en = "Linear algebra" }
when = { course = "cn.univ:LA-101@1" }
convert = { fixed = "2 cr", std = "CN_XF" }
award = { pool = "core", trim = true }
cap = { per = "rule", max = "10 cr" }
auto = true

[[rule]]
id = "history"
kind = "formal_course"
labels = { zh = "历史", en = "History" }
when = { course = "cn.univ:HI-101@1" }
convert = { fixed = "1.5 cr", std = "CN_XF" }
award = { pool = "core", trim = true }
cap = { per = "rule", max = "10 cr" }

[[rule]]
id = "drawing"
kind = "formal_course"
labels = { zh = "绘画", en = "Drawing" }
when = { course = "cn.univ:DR-101@1", assessment = "exam" }
convert = { fixed = "1 cr", std = "CN_XF" }
award = { pool = "core", trim = true }
cap = { per = "rule", max = "10 cr" }

[[award]]
id = "micro"
labels = { zh = "微证书", en = "Micro-credential" }
institution = "cn.college"
std = "CN_XF"
ladder = [{ id = "one", labels = { zh = "一级", en = "first" }, credit = "2 cr" }]
"#;

pub(crate) const COLLEGE: &str = "cn.college";
pub(crate) const OTHER: &str = "cn.other";
/// The course that the book takes over with no officer, one that takes an officer, and one that takes an exam.
pub(crate) const ALGEBRA: &str = "LA-101@1";
pub(crate) const HISTORY: &str = "HI-101@1";
pub(crate) const DRAWING: &str = "DR-101@1";
/// The notice of a book in the test's ledger.
const NOTICE_DAYS: u32 = 7;
const DAY_US: i64 = 86_400 * SECOND_US;

/// The canonical bytes of the book.
pub(crate) fn book_bytes() -> Vec<u8> {
    Book::from_toml(BOOK).unwrap().canonical()
}

pub(crate) fn name(text: &str) -> BookName {
    BookName::new(text).unwrap()
}

pub(crate) fn version() -> BookVersion {
    BookVersion { book_id: FrameworkId::new("cn.city").unwrap(), version: 1 }
}

/// Public blobs in memory.
#[derive(Clone, Default)]
pub(crate) struct Shelf(pub(crate) BTreeMap<Digest, Vec<u8>>);

impl Shelf {
    /// The shelf with the book.
    pub(crate) fn of_book() -> Self {
        let bytes = book_bytes();
        Self(BTreeMap::from([(Digest(sha256(&bytes)), bytes)]))
    }
}

impl Blobs for Shelf {
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.0.get(digest).cloned()
    }
}

/// The genesis of a ledger with notice, in a protocol.
pub(crate) fn with_notice(protocol: u32) -> Genesis {
    let policy = Policy { notice_days: NOTICE_DAYS, ..genesis().policy };
    Genesis { protocol, policy, ..genesis() }
}

/// What is signed to publish bytes as the book.
pub(crate) fn publication(bytes: &[u8]) -> RuleBookPublication {
    RuleBookPublication {
        book: version(),
        digest: Digest(sha256(bytes)),
        size_bytes: u32::try_from(bytes.len()).unwrap(),
        effective_from: Some(day("2026-01-01")),
        effective_until: None,
        select_by: BookDate::Decision,
    }
}

/// An application before it is recorded.
pub(crate) struct Application {
    pub(crate) statement: Signed<ConversionRequest>,
    pub(crate) part: StatementPart,
    pub(crate) assessment: Assessment,
}

impl Application {
    pub(crate) fn command(&self) -> Command {
        Command::RequestConversion(Box::new(self.statement.clone()), Box::new(self.assessment.clone()))
    }
}

impl Bank {
    /// A ledger of protocol 2 with a college, another one, and a regulator, before there is a book.
    pub(crate) fn with_college(protocol: u32) -> Self {
        let mut bank = Self::founded_on(with_notice(protocol));
        if protocol == 1 {
            bank.upgrade(2);
        }
        for id in [COLLEGE, OTHER] {
            bank.admit(id, &[Role::Acceptor, Role::Awarder]);
            for officer in ["officer-1", "officer-2"] {
                bank.add_key(id, &format!("{id}/{officer}"), KeyPurpose::Decisions);
            }
        }
        bank
    }

    /// The same with the book in force.
    pub(crate) fn with_book(protocol: u32) -> Self {
        let mut bank = Self::with_college(protocol);
        let published = bank.publish(publication(&book_bytes()));
        bank.wait(NOTICE_DAYS);
        bank.activate(published);
        bank
    }

    pub(crate) fn wait(&mut self, days: u32) {
        self.now_us += i64::from(days) * DAY_US;
    }

    pub(crate) fn upgrade(&mut self, protocol: u32) -> u64 {
        self.act("authority", ProtocolUpgrade { protocol, format: 1 }, &AUTHORITY, Command::UpgradeProtocol)
    }

    /// Publishes the book as it stands on the shelf.
    pub(crate) fn publish(&mut self, body: RuleBookPublication) -> u64 {
        let check = assess::check_of(&Book::from_toml(BOOK).unwrap(), book_bytes().len()).unwrap();
        self.act("authority", body, &AUTHORITY, |s| Command::PublishRuleBook(Box::new(s), Box::new(check)))
    }

    /// Publishes without having read a book.
    pub(crate) fn publish_as_said(&mut self, body: RuleBookPublication) -> u64 {
        let RuleBookPublication { book, digest: _, size_bytes, effective_from, effective_until, select_by } =
            body.clone();
        let check = BookCheck { book, size_bytes, effective_from, effective_until, select_by };
        self.act("authority", body, &AUTHORITY, |s| Command::PublishRuleBook(Box::new(s), Box::new(check)))
    }

    pub(crate) fn activation(&self, published: u64) -> RuleBookChange {
        RuleBookChange { after: self.leaf(published), book: version(), action: RuleBookAction::Activate }
    }

    pub(crate) fn activate(&mut self, published: u64) -> u64 {
        let body = self.activation(published);
        self.act("authority", body, &AUTHORITY, |s| Command::ChangeRuleBook(Box::new(s)))
    }

    /// The college applies the first rule with no officer.
    pub(crate) fn approve_ahead(&mut self) -> u64 {
        let body = AutoApproval { book: version(), rules: vec![name("algebra")], until: day("2027-06-30") };
        let officer = format!("{COLLEGE}/officer-1");
        self.act(COLLEGE, body, &[&officer], |s| Command::GiveAutoApproval(Box::new(s)))
    }

    /// What is asked for credit of the programme, with records of the university.
    pub(crate) fn asks(account_ref: AccountRef, records: &[RecordId]) -> ConversionRequest {
        let named = |id: &RecordId| RecordName { issuer: institution(UNIV), record_id: *id };
        let mut records: Vec<RecordName> = records.iter().map(named).collect();
        records.sort();
        ConversionRequest {
            account_ref,
            purpose: ConversionPurpose::Credit,
            institution_id: institution(COLLEGE),
            book: version(),
            target: name("BA"),
            records,
            particulars_commitment: None,
        }
    }

    /// Puts a secret part into the vault, and commits to it.
    pub(crate) fn seal(&mut self, label: &str, payload_type: &str, payload: Vec<u8>) -> Digest {
        let salt = sha256(&self.uuid());
        let commitment = Digest(commit(label, &salt, payload_type, &payload));
        self.vault.0.insert(commitment, OpenedDetails { salt, payload });
        commitment
    }

    /// Commits to how a proposal was reckoned.
    pub(crate) fn seal_reckoning(&mut self, explanation: Vec<u8>) -> Digest {
        self.seal(RECKONING_LABEL, payload_type::CONVERSION_EXPLANATION, explanation)
    }

    /// The day of the next entry.
    pub(crate) fn today(&self) -> CivilDate {
        CivilDate::at(self.now_us, genesis().civil_offset_minutes).unwrap()
    }

    /// An application as an honest bank reckons it, in the name of a registrar.
    pub(crate) fn application(
        &mut self,
        mut request: ConversionRequest,
        particulars: Option<&ConversionParticulars>,
    ) -> Application {
        request.particulars_commitment = particulars.map(|stated| {
            self.seal(PARTICULARS_LABEL, payload_type::CONVERSION_PARTICULARS, stated.payload())
        });
        let header = self.header(CENTRE);
        let (statement, part) = signed(header, request, &[&format!("{CENTRE}/registry")]);
        let request = &statement.body;
        let book = Book::from_toml(BOOK).unwrap();
        let nothing = Assessment {
            owner: assess::owner(&book, request.purpose, &request.target),
            items: Vec::new(),
            automatic: false,
            refusal: None,
            explanation_commitment: Digest([0; 32]),
        };
        let command = Command::RequestConversion(Box::new(statement.clone()), Box::new(nothing.clone()));
        let mut view = View::new();
        self.load(&mut view, |view| reads(&command, view));
        let details: Vec<Option<RecordDetails>> = request
            .records
            .iter()
            .map(|name| {
                let row = view.record(&name.issuer, name.record_id)?;
                let opened = self.vault.0.get(&row.facts.details_commitment)?;
                row.application.is_none().then(|| RecordDetails::from_payload(&opened.payload).unwrap())
            })
            .collect();
        let stated = particulars.cloned().unwrap_or_default();
        let program = Program::new(book).unwrap();
        let digest = publication(&book_bytes()).digest;
        let beside = Beside { program: &program, digest, details: &details, particulars: &stated };
        let reckoned = assess::reckon(&view, self.today(), request, beside);
        assert_eq!(reckoned.refusal, None);
        let assessment = Assessment {
            automatic: assess::automatic(program.book(), &reckoned.items),
            items: reckoned.items,
            explanation_commitment: self.seal_reckoning(reckoned.explanation),
            ..nothing
        };
        Application { statement, part, assessment }
    }

    /// Applies, and records it.
    pub(crate) fn apply(
        &mut self,
        request: ConversionRequest,
        particulars: Option<&ConversionParticulars>,
    ) -> u64 {
        let application = self.application(request, particulars);
        self.record(&application.command(), vec![application.part])
    }

    /// What an officer decides of an application that nobody has decided yet.
    pub(crate) fn decision(&self, application: u64, outcome: DecisionOutcome) -> ConversionDecision {
        let id = credit_ledger::RowId::Application(application);
        let Some(credit_ledger::Row::Application(row)) = self.rows.get(&id) else { panic!("{id:?}") };
        ConversionDecision {
            after: self.leaf(row.last_index),
            application,
            outcome,
            explanation_commitment: row.explanation_commitment,
            items: Vec::new(),
            reason: None,
            provisional_until: None,
            opinion_commitment: None,
        }
    }

    pub(crate) fn decide_by(&mut self, officer: &str, body: ConversionDecision) -> u64 {
        let key = format!("{COLLEGE}/{officer}");
        self.act(COLLEGE, body, &[&key], |s| Command::DecideConversion(Box::new(s)))
    }

    /// A step of an application, by a registrar or the college.
    pub(crate) fn step(&mut self, application: u64, action: ConversionAction) -> u64 {
        let after = self.decision(application, DecisionOutcome::Ask).after;
        let body = ConversionStep { after, application, action, explanation_commitment: None };
        let (signer, key) = match action {
            ConversionAction::Withdraw | ConversionAction::Appeal | ConversionAction::Answer => {
                (CENTRE, format!("{CENTRE}/registry"))
            }
            ConversionAction::Confirm | ConversionAction::Rescind => {
                (COLLEGE, format!("{COLLEGE}/officer-1"))
            }
        };
        self.act(signer, body, &[&key], |s| Command::StepConversion(Box::new(s)))
    }
}
