//! Lies about rule books and applications, each under the rule that it breaks.

use credit_log::commitment::PARTICULARS_LABEL;
use credit_proto::{Secret as _, payload_type};
use credit_types::{
    Command, ConversionDecision, ConversionRequest, ConvertedPlace, Credits, DecisionOutcome, Digest, Event,
    RuleBookPublication,
};
use credit_verify::{Blobs as _, Broken, Report, Verdict};

use crate::bank::{Bank, SECOND_US, signed};
use crate::college::{
    ALGEBRA, Application, COLLEGE, DRAWING, HISTORY, OTHER, Shelf, book_bytes, name, publication, version,
};
use crate::conversions::{Open, converted, stated};
use crate::story::{AUTHORITY, CENTRE, day, institution};

#[track_caller]
fn is_broken(report: &Report, index: u64, rule: &str) {
    match &report.verdict {
        Verdict::Broken(Broken { index: at, rule: broken, detail }) => {
            assert_eq!((*at, broken.to_string().as_str()), (index, rule), "{detail}");
        }
        other @ (Verdict::Ok | Verdict::NeedsNewer { .. }) => panic!("{rule} at {index}: {other:?}"),
    }
}

/// Asserts that a log is broken by this rule for whoever has all that it rests on.
#[track_caller]
fn breaks(bank: &Bank, index: u64, rule: &str) {
    let shelf = Shelf::of_book();
    is_broken(&Open::all(bank, &shelf).verified(bank), index, rule);
}

/// Asserts that nothing is wrong with a log for whoever has neither details nor books.
#[track_caller]
fn looks_right(bank: &Bank) {
    let report = Open { details: None, shelf: None }.verified(bank);
    assert_eq!(report.verdict, Verdict::Ok);
}

/// A bank with the book in force and a record of each course.
fn ready() -> (Bank, ConversionRequest, ConversionRequest) {
    let mut bank = Bank::with_book(2);
    let ann = bank.open_account("ann");
    let (algebra, _) = bank.deposit_of(ann, ALGEBRA);
    let (history, _) = bank.deposit_of(ann, HISTORY);
    let asks = |record| Bank::asks(ann, &[record]);
    (bank, asks(algebra), asks(history))
}

/// Records an application that was bent after it was reckoned; the core does not know better.
fn record_bent(bank: &mut Bank, application: Application) -> u64 {
    bank.record(&application.command(), vec![application.part])
}

#[test]
fn an_amount_that_the_book_does_not_grant() {
    let (mut bank, _, history) = ready();
    let mut application = bank.application(history, None);
    application.assessment.items[0].credits = Some(Credits::from_milli(2_500).unwrap());
    let index = record_bent(&mut bank, application);
    looks_right(&bank);
    breaks(&bank, index, "CONVERSION_NOT_DERIVED");
}

#[test]
fn an_item_that_the_book_does_not_grant() {
    let (mut bank, _, history) = ready();
    let mut application = bank.application(history, None);
    // At another place, for the ledger itself refuses the same use at the same place.
    let mut again = application.assessment.items[0].clone();
    again.place = ConvertedPlace::Requirement(name("elsewhere"));
    application.assessment.items.push(again);
    let index = record_bent(&mut bank, application);
    breaks(&bank, index, "CONVERSION_NOT_DERIVED");
}

#[test]
fn an_explanation_that_was_not_reckoned() {
    let (mut bank, _, history) = ready();
    let mut application = bank.application(history, None);
    let own = bank.vault.0[&application.assessment.explanation_commitment].payload.clone();
    // The same numbers of another year.
    let other = String::from_utf8(own.clone()).unwrap().replace("2026-", "2025-");
    assert_ne!(other.as_bytes(), own);
    application.assessment.explanation_commitment = bank.seal_reckoning(other.into_bytes());
    let index = record_bent(&mut bank, application);
    looks_right(&bank);
    breaks(&bank, index, "CONVERSION_NOT_DERIVED");
}

#[test]
fn an_application_on_what_its_learner_did_not_state() {
    let (mut bank, algebra, _) = ready();
    let (drawing, _) = bank.deposit_of(algebra.account_ref, DRAWING);
    let request = Bank::asks(algebra.account_ref, &[drawing]);
    let granted = bank.application(request.clone(), Some(&stated("exam")));
    // The registrar has signed that the learner states something else; the bank reckons as before.
    let particulars = stated("essay").payload();
    let commitment = bank.seal(PARTICULARS_LABEL, payload_type::CONVERSION_PARTICULARS, particulars);
    let request = ConversionRequest { particulars_commitment: Some(commitment), ..request };
    let header = bank.header(CENTRE);
    let (statement, part) = signed(header, request, &["cn.centre/registry"]);
    let mut honest = bank.clone();
    let index = record_bent(&mut bank, Application { statement, part, ..granted });
    looks_right(&bank);
    breaks(&bank, index, "CONVERSION_NOT_DERIVED");
    honest.apply(Bank::asks(algebra.account_ref, &[drawing]), Some(&stated("exam")));
    let shelf = Shelf::of_book();
    assert_eq!(Open::all(&honest, &shelf).verified(&honest).verdict, Verdict::Ok);
}

#[test]
fn an_application_where_nothing_is_granted() {
    let (mut bank, algebra, _) = ready();
    let (other, _) = bank.deposit_of(algebra.account_ref, "XX-101@1");
    let application = bank.application(algebra.clone(), None);
    let header = bank.header(CENTRE);
    let request = Bank::asks(algebra.account_ref, &[other]);
    let (statement, part) = signed(header, request, &["cn.centre/registry"]);
    let index = record_bent(&mut bank, Application { statement, part, ..application });
    looks_right(&bank);
    breaks(&bank, index, "CONVERSION_NOT_DERIVED");
}

/// An application to an institution that the programme is not of.
pub(crate) fn of_another() -> (Bank, u64) {
    let (mut bank, _, history) = ready();
    let request = ConversionRequest { institution_id: institution(OTHER), ..history };
    let mut application = bank.application(request, None);
    assert_eq!(application.assessment.owner, Some(institution(COLLEGE)));
    application.assessment.owner = Some(institution(OTHER));
    let index = record_bent(&mut bank, application);
    (bank, index)
}

#[test]
fn a_programme_of_another_institution() {
    let (bank, index) = of_another();
    looks_right(&bank);
    breaks(&bank, index, "REFUSED_BY_RULES (TARGET_OF_ANOTHER)");
}

#[test]
fn a_target_that_the_book_does_not_have() {
    let (mut bank, _, history) = ready();
    let application = bank.application(history.clone(), None);
    let header = bank.header(CENTRE);
    let request = ConversionRequest { target: name("MA"), ..history };
    let (statement, part) = signed(header, request, &["cn.centre/registry"]);
    let index = record_bent(&mut bank, Application { statement, part, ..application });
    breaks(&bank, index, "REFUSED_BY_RULES (TARGET_UNKNOWN)");
}

/// An application that is posted at once although the book leaves it to an officer.
pub(crate) fn with_no_officer() -> (Bank, u64) {
    let (mut bank, _, history) = ready();
    let body = credit_types::AutoApproval { book: version(), rules: Vec::new(), until: day("2027-06-30") };
    let officer = format!("{COLLEGE}/officer-1");
    bank.act(COLLEGE, body, &[&officer], |s| Command::GiveAutoApproval(Box::new(s)));
    let mut application = bank.application(history, None);
    assert!(!application.assessment.automatic);
    application.assessment.automatic = true;
    let index = record_bent(&mut bank, application);
    (bank, index)
}

#[test]
fn no_officer_where_the_book_asks_for_one() {
    let (bank, index) = with_no_officer();
    looks_right(&bank);
    breaks(&bank, index, "DECISION_DIFFERS");
}

#[test]
fn a_decision_by_a_stranger() {
    let (mut bank, _, history) = ready();
    let index = bank.apply(history, None);
    let body = bank.decision(index, DecisionOutcome::Approve);
    let honest = |bank: &Bank, body: &ConversionDecision| {
        let mut bank = bank.clone();
        let header = bank.header(COLLEGE);
        let (statement, _) = signed(header, body.clone(), &["cn.college/officer-1"]);
        bank.decide(&Command::DecideConversion(Box::new(statement))).unwrap()
    };
    let events = honest(&bank, &body);
    for (signer, key, reason) in [
        (OTHER, "cn.other/officer-1", "APPLICATION_OF_ANOTHER"),
        (COLLEGE, "cn.other/officer-1", "KEY_OF_ANOTHER"),
        (COLLEGE, "cn.college/records", "KEY_PURPOSE_WRONG"),
    ] {
        let mut bank = bank.clone();
        let header = bank.header(signer);
        let (statement, part) = signed(header, body.clone(), &[key]);
        let mut events = events.clone();
        if let Event::ConversionChanged(change) = &mut events[0] {
            change.kid = statement.signers[0];
        }
        let draft = bank.draft(&Command::DecideConversion(Box::new(statement)), vec![part], events);
        let index = bank.append_lie(&draft);
        breaks(&bank, index, &format!("REFUSED_BY_RULES ({reason})"));
    }
    // One that grants more than was decided.
    let mut events = events;
    let Some(Event::ConversionChanged(change)) = events.first_mut() else { panic!() };
    change.granted[0].credits = Some(Credits::from_milli(2_000).unwrap());
    let header = bank.header(COLLEGE);
    let (statement, part) = signed(header, body, &["cn.college/officer-1"]);
    let draft = bank.draft(&Command::DecideConversion(Box::new(statement)), vec![part], events);
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "DECISION_DIFFERS");
}

/// A record that is asked for while it is held for another application, and one that was used.
pub(crate) fn twice() -> [(Bank, u64, &'static str); 2] {
    let (bank, _, history) = ready();
    // What the bank would have recorded, had there been no application before.
    let mut alone = bank.clone();
    let second = alone.application(history.clone(), None);
    let events = alone.decide(&second.command()).unwrap();
    let mut held = bank.clone();
    let first = held.apply(history, None);
    let mut used = held.clone();
    let decision = used.decision(first, DecisionOutcome::Approve);
    used.decide_by("officer-1", decision);
    [(held, "RECORD_RESERVED"), (used, "RECORD_USED")].map(|(mut bank, reason)| {
        bank.vault.0.extend(alone.vault.0.clone());
        let header = bank.header(CENTRE);
        let (statement, part) = signed(header, second.statement.body.clone(), &["cn.centre/registry"]);
        let mut events = events.clone();
        if let Event::ConversionRequested { statement: of_event, .. } = &mut events[0] {
            **of_event = statement.clone();
        }
        let application = Application { statement, part, assessment: second.assessment.clone() };
        let draft = bank.draft(&application.command(), vec![application.part], events);
        let index = bank.append_lie(&draft);
        (bank, index, reason)
    })
}

#[test]
fn one_record_in_two_applications() {
    for (bank, index, reason) in twice() {
        breaks(&bank, index, &format!("REFUSED_BY_RULES ({reason})"));
    }
}

/// A book in a log that follows protocol 1.
pub(crate) fn too_early() -> (Bank, u64) {
    let mut bank = Bank::founded();
    let header = bank.header("authority");
    let (statement, part) = signed(header, publication(&book_bytes()), &AUTHORITY);
    let statement = Box::new(statement);
    let event = Event::RuleBookPublished(statement.clone());
    let check = credit_types::BookCheck {
        book: version(),
        size_bytes: statement.body.size_bytes,
        effective_from: statement.body.effective_from,
        effective_until: None,
        select_by: statement.body.select_by,
    };
    let draft = bank.draft(&Command::PublishRuleBook(statement, Box::new(check)), vec![part], vec![event]);
    let index = bank.append_lie(&draft);
    (bank, index)
}

#[test]
fn what_protocol_2_brought_in_a_log_that_follows_protocol_1() {
    let (bank, index) = too_early();
    let rule = "REFUSED_BY_RULES (PROTOCOL_TOO_OLD)";
    breaks(&bank, index, rule);
    is_broken(&Open { details: None, shelf: None }.verified(&bank), index, rule);
    // Not even where the book is not there.
    is_broken(&Open { details: None, shelf: Some(&Shelf::default()) }.verified(&bank), index, rule);
}

#[test]
fn an_upgrade_is_the_authoritys_and_goes_forward() {
    let said = |bank: &Bank, (protocol, format): (u32, u32), keys: &[&str]| {
        let mut bank = bank.clone();
        let header = bank.header("authority");
        let body = credit_types::ProtocolUpgrade { protocol, format };
        let (statement, part) = signed(header, body, keys);
        let event = Event::ProtocolUpgraded(statement.clone());
        let draft = bank.draft(&Command::UpgradeProtocol(statement), vec![part], vec![event]);
        let index = bank.append_lie(&draft);
        (bank, index)
    };
    let bank = Bank::founded();
    let (few, index) = said(&bank, (2, 1), &AUTHORITY[..1]);
    breaks(&few, index, "REFUSED_BY_RULES (THRESHOLD_NOT_MET)");
    let mut upgraded = bank;
    upgraded.upgrade(2);
    let (again, index) = said(&upgraded, (2, 1), &AUTHORITY);
    breaks(&again, index, "REFUSED_BY_RULES (PROTOCOL_NOT_NEWER)");
    // One that names no newer protocol than the first has no form at all.
    let (back, index) = said(&upgraded, (1, 1), &AUTHORITY);
    breaks(&back, index, "STATEMENT_NOT_CANONICAL");
    // Of what is newer than this software the log goes back in nothing either.
    let (back, index) = said(&upgraded, (1, 2), &AUTHORITY);
    breaks(&back, index, "UPGRADE_WRONG");
    let (newer, _) = said(&upgraded, (3, 1), &AUTHORITY);
    let mut verifier = credit_verify::Verifier::new(Some(newer.trust()));
    newer.entries.iter().for_each(|raw| verifier.push(&raw.bytes()).unwrap());
    assert_eq!(verifier.finish(Some(&newer.checkpoint())).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_book_of_which_a_byte_was_flipped() {
    let bank = converted(2);
    let digest = publication(&book_bytes()).digest;
    let published = published_index(&bank);
    let whole = Shelf::of_book();
    for at in [0, 40, book_bytes().len() - 1] {
        let mut shelf = whole.clone();
        shelf.0.get_mut(&digest).unwrap()[at] ^= 1;
        is_broken(&Open::all(&bank, &shelf).verified(&bank), published, "BOOK_WRONG");
    }
    let mut shelf = whole;
    shelf.0.get_mut(&digest).unwrap().push(b'\n');
    is_broken(&Open::all(&bank, &shelf).verified(&bank), published, "BOOK_WRONG");
}

#[test]
fn a_book_that_is_missing() {
    let bank = converted(1);
    let published = published_index(&bank);
    let shelf = Shelf::default();
    assert_eq!(shelf.blob(&publication(&book_bytes()).digest), None);
    is_broken(&Open::all(&bank, &shelf).verified(&bank), published, "BOOK_MISSING");
    is_broken(&Open { details: None, shelf: Some(&shelf) }.verified(&bank), published, "BOOK_MISSING");
}

/// The entry that publishes the book.
fn published_index(bank: &Bank) -> u64 {
    let row = bank.rows.get(&credit_ledger::RowId::Book(version().book_id));
    let Some(credit_ledger::Row::Book(row)) = row else { panic!("{row:?}") };
    row.version(1).unwrap().published_index
}

#[test]
fn a_book_that_was_published_and_is_none() {
    let text = String::from_utf8(book_bytes()).unwrap();
    let cases = [
        // The same book in another form.
        text.replacen(':', ": ", 1),
        // A book with what no book has.
        text.replacen("\"version\":1", "\"verzion\":1", 1),
        "{}".to_owned(),
        String::from("\u{feff}"),
    ];
    for bytes in cases.map(String::into_bytes) {
        assert_ne!(bytes, book_bytes());
        let mut bank = Bank::with_college(2);
        let shelf = Shelf([(publication(&bytes).digest, bytes.clone())].into());
        let index = bank.publish_as_said(publication(&bytes));
        looks_right(&bank);
        is_broken(&Open::all(&bank, &shelf).verified(&bank), index, "BOOK_WRONG");
    }
}

#[test]
fn a_book_that_says_something_else_of_itself() {
    type Bend = fn(&mut RuleBookPublication);
    let cases: [Bend; 6] = [
        |it| it.book.version = 2,
        |it| it.book.book_id = credit_types::FrameworkId::new("cn.town").unwrap(),
        |it| it.size_bytes += 1,
        |it| it.effective_from = Some(day("2025-01-01")),
        |it| it.effective_until = Some(day("2029-01-01")),
        |it| it.select_by = credit_types::BookDate::Earned,
    ];
    for bend in cases {
        let mut bank = Bank::with_college(2);
        let mut body = publication(&book_bytes());
        bend(&mut body);
        let index = bank.publish_as_said(body);
        looks_right(&bank);
        breaks(&bank, index, "REFUSED_BY_RULES (BOOK_MISMATCH)");
    }
}

/// A book that is activated a second before its notice is over, and one that waits.
pub(crate) fn unnoticed() -> (Bank, u64, Bank) {
    let mut bank = Bank::with_college(2);
    let published = bank.publish(publication(&book_bytes()));
    bank.wait(7);
    // Seven days are over a second before the next entry is recorded.
    bank.now_us -= 2 * SECOND_US;
    let header = bank.header("authority");
    let (statement, part) = signed(header, bank.activation(published), &AUTHORITY);
    let statement = Box::new(statement);
    let event = Event::RuleBookChanged(statement.clone());
    let draft = bank.draft(&Command::ChangeRuleBook(statement), vec![part], vec![event]);
    let mut waited = bank.clone();
    let index = bank.append_lie(&draft);
    waited.now_us += SECOND_US;
    waited.append(&draft);
    (bank, index, waited)
}

#[test]
fn an_activation_before_its_notice() {
    let (bank, index, waited) = unnoticed();
    breaks(&bank, index, "REFUSED_BY_RULES (BOOK_NOTICE_RUNNING)");
    let shelf = Shelf::of_book();
    assert_eq!(Open::all(&waited, &shelf).verified(&waited).verdict, Verdict::Ok);
}

#[test]
fn details_of_an_earlier_entry_are_those_committed_to() {
    let (mut bank, _, history) = ready();
    let row = &history.records[0];
    let id = credit_ledger::RowId::Record(row.issuer.clone(), row.record_id);
    let Some(credit_ledger::Row::Record(row)) = bank.rows.get(&id) else { panic!() };
    let (deposited, commitment) = (row.deposited_index, row.facts.details_commitment);
    let index = bank.apply(history, None);
    let bent = Bent { vault: &bank.vault, commitment, index: deposited };
    let shelf = Shelf::of_book();
    let report = Open { details: Some(&bent), shelf: Some(&shelf) }.verified(&bank);
    is_broken(&report, index, "DETAILS_WRONG");
}

/// A source that gives other details of an earlier entry than of the present one.
struct Bent<'v> {
    vault: &'v crate::bank::Vault,
    commitment: Digest,
    index: u64,
}

impl credit_verify::DetailsSource for Bent<'_> {
    fn details(
        &self,
        account: credit_types::AccountRef,
        commitment: Digest,
    ) -> Option<credit_verify::OpenedDetails> {
        self.vault.details(account, commitment)
    }

    fn earlier(
        &self,
        index: u64,
        account: credit_types::AccountRef,
        commitment: Digest,
    ) -> Option<credit_verify::OpenedDetails> {
        assert_eq!((index, commitment), (self.index, self.commitment));
        let mut opened = self.details(account, commitment)?;
        opened.payload[0] ^= 1;
        Some(opened)
    }

    fn secret(&self, payload_type: &str, commitment: Digest) -> Option<credit_verify::OpenedDetails> {
        self.vault.secret(payload_type, commitment)
    }
}
