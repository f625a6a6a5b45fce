//! Entries whose bytes are right and whose content a dishonest bank made up: each lacks what it must rest on.

use credit_ledger::KeyRow;
use credit_proto::entry::StatementPart;
use credit_proto::strict::{decode, encode};
use credit_proto::{Envelope, Signable, v1};
use credit_types::{
    AccountAction, Amount, Anchor, Bucket, Command, Credits, DepositCheck, Details, Digest, Event, Header,
    KeyPurpose, LogId, Posting, RecordAction, RecordFacts, RecordStatus, Role, Signed, SignerId,
};
use credit_verify::{OpenedDetails, Verdict, Verifier};

use crate::bank::{Bank, Draft, Vault, enveloped, public, signed};
use crate::story::{AUTHORITY, CENTRE, UNIV, day, genesis, institution};
use crate::{breaks, verified};

/// A bank with an account.
fn with_account() -> (Bank, credit_types::AccountRef) {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    (bank, ann)
}

/// Writes an entry with these events, whatever the core says to the command.
fn lie<B: Signable + Clone>(
    bank: &mut Bank,
    header: Header,
    body: B,
    keys: &[&str],
    command: impl FnOnce(Signed<B>) -> Command,
    events: impl FnOnce(&Signed<B>) -> Vec<Event>,
) -> u64 {
    let (statement, part) = signed(header, body, keys);
    let events = events(&statement);
    let draft = bank.draft(&command(statement), vec![part], events);
    bank.append_lie(&draft)
}

fn deposited(statement: &Signed<RecordFacts>) -> Vec<Event> {
    let facts = &statement.body;
    let amount = facts.amount.clone();
    vec![Event::RecordDeposited {
        facts: Box::new(facts.clone()),
        issuer: statement.header.signer.institution().unwrap().clone(),
        kid: statement.signers[0],
        manifest_index: None,
        supersedes: None,
        fingerprint_version: 1,
        postings: amount
            .map(|amount| Posting { from: Bucket::Issued, to: Bucket::Available, amount })
            .into_iter()
            .collect(),
    }]
}

/// What the bank asserts for a deposit of which it shows no details.
fn closed() -> DepositCheck {
    DepositCheck { details: Details::Closed, fingerprint_version: 1, fingerprint_taken: false }
}

/// Writes a deposit by a signer, by keys, that nobody decided.
fn deposit(bank: &mut Bank, header: Header, facts: RecordFacts, keys: &[&str]) -> u64 {
    lie(bank, header, facts, keys, |s| Command::DepositRecord(Box::new(s), Box::new(closed())), deposited)
}

/// The deposit that a bank is about to write, to be bent.
fn drafted(bank: &mut Bank, account: credit_types::AccountRef) -> Draft {
    let facts = bank.facts(account);
    let header = bank.header(UNIV);
    let (statement, part) = signed(header, facts, &["cn.univ/records"]);
    let command = Command::DepositRecord(Box::new(statement), Box::new(closed()));
    let events = bank.decide(&command).unwrap();
    bank.draft(&command, vec![part], events)
}

#[test]
fn an_institution_that_the_authority_did_not_admit() {
    for (vouchers, rule) in [
        (vec![], "REFUSED_BY_RULES (THRESHOLD_NOT_MET)"),
        (vec!["authority-1"], "REFUSED_BY_RULES (THRESHOLD_NOT_MET)"),
        (vec!["authority-1", "stranger"], "REFUSED_BY_RULES (KEY_UNKNOWN)"),
        (vec!["authority-1", "operator"], "REFUSED_BY_RULES (KEY_OF_ANOTHER)"),
    ] {
        let mut bank = Bank::founded();
        let (body, names) = Bank::admission("cn.mill", &[Role::Issuer]);
        let keys: Vec<&str> = vouchers.into_iter().chain(names.iter().map(String::as_str)).collect();
        let header = bank.header("authority");
        let index = lie(
            &mut bank,
            header,
            body,
            &keys,
            |s| Command::AdmitInstitution(Box::new(s)),
            |s| vec![Event::InstitutionAdmitted(Box::new(s.clone()))],
        );
        breaks(&bank, index, rule);
    }
}

#[test]
fn an_account_that_no_registrar_opened() {
    let mut bank = Bank::founded();
    let (header, draw) = (bank.header(UNIV), Bank::drawn("ghost"));
    let aliases = draw.aliases.iter().map(|alias| alias.asserted).collect();
    let account_ref = draw.account_ref;
    let index = lie(
        &mut bank,
        header,
        Bank::opening("ghost"),
        &["cn.univ/registry"],
        |s| Command::OpenAccount(s, draw),
        |s| {
            vec![Event::AccountOpened {
                account_ref,
                opening: s.body,
                registrar: institution(UNIV),
                kid: s.signers[0],
                manifest_index: None,
                aliases,
            }]
        },
    );
    breaks(&bank, index, "REFUSED_BY_RULES (ROLE_MISSING)");
}

#[test]
fn a_key_that_may_not_sign() {
    let (mut bank, ann) = with_account();
    let added = bank.add_key(UNIV, "cn.univ/records-2", KeyPurpose::Records);
    bank.retire_key(UNIV, "cn.univ/records-2", added);
    let added = bank.add_key(UNIV, "cn.univ/records-3", KeyPurpose::Records);
    bank.report_key(UNIV, "cn.univ/records-3", added);
    for (keys, rule) in [
        (vec!["cn.univ/records-2"], "REFUSED_BY_RULES (KEY_RETIRED)"),
        (vec!["cn.univ/records-3"], "REFUSED_BY_RULES (KEY_COMPROMISED)"),
        (vec!["cn.univ/status"], "REFUSED_BY_RULES (KEY_PURPOSE_WRONG)"),
        (vec!["cn.centre/records"], "REFUSED_BY_RULES (KEY_OF_ANOTHER)"),
        (vec!["checkpoint"], "REFUSED_BY_RULES (KEY_UNKNOWN)"),
        // One key signs a deposit; an event under two would name neither.
        (vec!["cn.univ/records", "cn.univ/keys"], "EVENTS_WRONG"),
    ] {
        let mut bank = bank.clone();
        let (facts, header) = (bank.facts(ann), bank.header(UNIV));
        let index = deposit(&mut bank, header, facts, &keys);
        breaks(&bank, index, rule);
    }
}

#[test]
fn a_header_that_is_not_for_here_and_now() {
    type Bend = fn(&mut Header);
    let (bank, ann) = with_account();
    let cases: [(&str, Bend); 5] = [
        ("REFUSED_BY_RULES (LOG_ID_MISMATCH)", |header| header.log_id = Some(LogId([9; 32]))),
        ("REFUSED_BY_RULES (ANCHOR_FORGED)", |header| {
            header.anchor = header.anchor.map(|anchor| Anchor { root: Digest([9; 32]), ..anchor });
        }),
        ("REFUSED_BY_RULES (ANCHOR_UNKNOWN)", |header| {
            header.anchor = header.anchor.map(|anchor| Anchor { size: anchor.size + 1, ..anchor });
        }),
        ("REFUSED_BY_RULES (SIGNER_UNKNOWN)", |header| {
            header.signer = SignerId::Institution(institution("cn.nobody"));
        }),
        ("REFUSED_BY_RULES (ROLE_MISSING)", |header| {
            header.signer = SignerId::Institution(institution(CENTRE));
        }),
    ];
    for (rule, change) in cases {
        let mut bank = bank.clone();
        let (facts, mut header) = (bank.facts(ann), bank.header(UNIV));
        change(&mut header);
        let index = deposit(&mut bank, header, facts, &["cn.univ/records"]);
        breaks(&bank, index, rule);
    }
}

#[test]
fn an_anchor_that_is_missing_or_too_old() {
    let (mut bank, ann) = with_account();
    let body = bank.account_change(ann, AccountAction::Suspend, 5);
    let events = |s: &Signed<_>| {
        vec![Event::AccountStatusChanged {
            status: credit_types::AccountStatus::Suspended,
            statement: s.clone(),
        }]
    };
    let mut missing = bank.clone();
    let header = Header { anchor: None, ..missing.header(CENTRE) };
    let keys = ["cn.centre/registry"];
    let index = lie(&mut missing, header, body.clone(), &keys, Command::ChangeAccountStatus, events);
    breaks(&missing, index, "REFUSED_BY_RULES (ANCHOR_MISSING)");
    let header = bank.header(CENTRE);
    bank.now_us += 31 * 86_400_000_000;
    // The newest head is never stale; after one more entry this one isn't the newest.
    bank.deposit(ann);
    let index = lie(&mut bank, header, body, &keys, Command::ChangeAccountStatus, events);
    breaks(&bank, index, "REFUSED_BY_RULES (ANCHOR_STALE)");
}

#[test]
fn a_statement_id_used_twice() {
    let (mut bank, ann) = with_account();
    let (first, second) = (bank.facts(ann), bank.facts(ann));
    let header = bank.header(UNIV);
    let check = Box::new(bank.check(&first));
    let (statement, part) = signed(header.clone(), first, &["cn.univ/records"]);
    bank.record(&Command::DepositRecord(Box::new(statement), check), vec![part]);
    let header = Header { anchor: Some(bank.anchor()), ..header };
    let index = deposit(&mut bank, header, second, &["cn.univ/records"]);
    breaks(&bank, index, "REFUSED_BY_RULES (COMMAND_ID_REUSED)");
}

#[test]
fn an_old_reinstatement_played_again() {
    let (mut bank, ann) = with_account();
    let (record, deposited) = bank.deposit(ann);
    let suspended = bank.change_record(ann, record, RecordAction::Suspend, deposited);
    let body = bank.record_change(ann, record, RecordAction::Reinstate, suspended);
    // One that was recorded, and a second one signed at the same time and kept in a drawer.
    let (used, kept) = (bank.header(UNIV), bank.header(UNIV));
    let (statement, part) = signed(used.clone(), body.clone(), &["cn.univ/status"]);
    let reinstated = bank.record(&Command::ChangeRecordStatus(Box::new(statement)), vec![part]);
    bank.change_record(ann, record, RecordAction::Suspend, reinstated);
    for (header, rule) in
        [(used, "REFUSED_BY_RULES (COMMAND_ID_REUSED)"), (kept, "REFUSED_BY_RULES (STALE_STATEMENT)")]
    {
        let mut bank = bank.clone();
        let index = lie(
            &mut bank,
            header,
            body.clone(),
            &["cn.univ/status"],
            |s| Command::ChangeRecordStatus(Box::new(s)),
            |s| {
                let scheme = credit_types::SchemeId::new("CN_XF").unwrap();
                let amount = Amount { scheme, credits: Credits::from_milli(3_000).unwrap() };
                vec![Event::RecordStatusChanged {
                    account_ref: ann,
                    issuer: institution(UNIV),
                    record_id: record,
                    status: RecordStatus::Valid,
                    superseded_by: None,
                    kid: s.signers[0],
                    postings: vec![Posting { from: Bucket::Suspended, to: Bucket::Available, amount }],
                }]
            },
        );
        breaks(&bank, index, rule);
    }
}

#[test]
fn a_statement_exchanged_under_its_signature() {
    let (mut bank, ann) = with_account();
    let mut draft = drafted(&mut bank, ann);
    let richer = Credits::from_milli(30_000).unwrap();
    let Event::RecordDeposited { facts, postings, .. } = &mut draft.events[0] else { panic!() };
    facts.amount.as_mut().unwrap().credits = richer;
    postings[0].amount.credits = richer;
    let StatementPart::Signed(envelope) = &mut draft.statements[0] else { panic!() };
    let mut payload: v1::RecordFacts = decode(&envelope.payload).unwrap();
    payload.amount.as_mut().unwrap().credits_milli = richer.milli();
    envelope.payload = encode(&payload);
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "SIGNATURE_INVALID");
}

#[test]
fn a_signature_that_is_false() {
    let (bank, ann) = with_account();
    for at in [0, 31, 32, 63] {
        let mut bank = bank.clone();
        let mut draft = drafted(&mut bank, ann);
        let StatementPart::Signed(Envelope { signatures, .. }) = &mut draft.statements[0] else { panic!() };
        signatures[0].1[at] ^= 1;
        let index = bank.append_lie(&draft);
        breaks(&bank, index, "SIGNATURE_INVALID");
    }
}

#[test]
fn events_that_nobody_decided() {
    let (bank, ann) = with_account();
    let bend = |change: &dyn Fn(&mut Draft)| {
        let mut bank = bank.clone();
        let mut draft = drafted(&mut bank, ann);
        change(&mut draft);
        let index = bank.append_lie(&draft);
        (bank, index)
    };
    let (more, index) = bend(&|draft| {
        let Event::RecordDeposited { postings, .. } = &mut draft.events[0] else { panic!() };
        postings[0].amount.credits = Credits::from_milli(30_000).unwrap();
    });
    breaks(&more, index, "DECISION_DIFFERS");
    let (none, index) = bend(&|draft| {
        let Event::RecordDeposited { postings, .. } = &mut draft.events[0] else { panic!() };
        postings.clear();
    });
    breaks(&none, index, "DECISION_DIFFERS");
    let (twice, index) = bend(&|draft| {
        draft.events.push(draft.events[0].clone());
        draft.links[0].events = vec![0, 1];
    });
    breaks(&twice, index, "DECISION_DIFFERS");
    let (bare, index) = bend(&|draft| draft.statements.clear());
    breaks(&bare, index, "EVIDENCE_MISSING");
    let (doubled, index) = bend(&|draft| draft.statements.push(draft.statements[0].clone()));
    breaks(&doubled, index, "EVIDENCE_MISSING");
}

#[test]
fn an_event_about_another_account_than_its_statement() {
    let (mut bank, ann) = with_account();
    let mut parts = drafted(&mut bank, ann).parts();
    let mut event: v1::Event = decode(&parts[3][1..]).unwrap();
    event.record_deposited.as_mut().unwrap().account_ref = vec![5; 16];
    parts[3] = [vec![4], encode(&event)].concat();
    let index = bank.append_parts(parts);
    breaks(&bank, index, "EVENTS_WRONG");
}

#[test]
fn links_that_do_not_continue_their_chain() {
    let (bank, ann) = with_account();
    let bend = |change: &dyn Fn(&mut Draft)| {
        let mut bank = bank.clone();
        bank.deposit(ann);
        let mut draft = drafted(&mut bank, ann);
        assert_eq!(draft.links[0].sequence, 3);
        change(&mut draft);
        let index = bank.append_lie(&draft);
        breaks(&bank, index, "LINK_WRONG");
    };
    let opening = bank.leaf(5);
    // One sequence issued twice: the deposit before this one is hidden from the learner.
    bend(&|draft| {
        draft.links[0].sequence = 2;
        draft.links[0].previous = Some(opening);
    });
    bend(&|draft| draft.links[0].sequence = 4);
    bend(&|draft| draft.links[0].previous = Some(Digest([1; 32])));
    bend(&|draft| draft.links.clear());
    bend(&|draft| draft.links[0].subject = credit_types::Subject::Log);
    bend(&|draft| {
        let mut other = draft.links[0].clone();
        other.subject = credit_types::Subject::Institution(institution(UNIV));
        draft.links.push(other);
    });
}

#[test]
fn a_payload_that_is_not_canonical() {
    let (mut bank, ann) = with_account();
    let mut draft = drafted(&mut bank, ann);
    let StatementPart::Signed(envelope) = &draft.statements[0] else { panic!() };
    let padded = [envelope.payload.clone(), vec![0xf8, 0x07, 0x01]].concat();
    let envelope = enveloped(&envelope.payload_type, padded, &["cn.univ/records"]);
    draft.statements[0] = StatementPart::Signed(envelope);
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "STATEMENT_NOT_CANONICAL");
}

/// Writes an entry 0 that is not right, and begins a log with it.
fn begun(header: Header, keys: &[&str]) -> Bank {
    let mut bank = Bank::empty();
    let (statement, part) = signed(header, genesis(), keys);
    let events = vec![Event::LedgerCreated(Box::new(statement.clone()))];
    let draft = bank.draft(&Command::CreateLedger(Box::new(statement)), vec![part], events);
    bank.append_lie(&draft);
    bank
}

#[test]
fn a_genesis_is_signed_by_the_authority_that_it_names() {
    let mut ids = Bank::founded();
    let header = Header { log_id: None, anchor: None, ..ids.header("authority") };
    breaks(&begun(header.clone(), &["authority-1"]), 0, "REFUSED_BY_RULES (THRESHOLD_NOT_MET)");
    breaks(&begun(header.clone(), &["stranger"]), 0, "REFUSED_BY_RULES (KEY_UNKNOWN)");
    let foreign = Header { signer: SignerId::Institution(institution(UNIV)), ..header.clone() };
    breaks(&begun(foreign, &AUTHORITY), 0, "REFUSED_BY_RULES (SIGNER_NOT_ALLOWED)");
    let good = begun(header, &AUTHORITY);
    assert_eq!(verified(&good).verdict, Verdict::Ok);
    let mut trust = good.trust();
    trust.origin = "dev.another.example".to_owned();
    let mut verifier = Verifier::new(Some(trust));
    let halt = verifier.push(&good.entries[0].bytes()).unwrap_err();
    let broken = halt.broken().unwrap();
    assert_eq!((broken.index, broken.rule.code()), (0, "LOG_ID_WRONG"));
}

#[test]
fn a_log_begins_once() {
    let mut bank = Bank::founded();
    let header = Header { log_id: None, anchor: None, ..bank.header("authority") };
    let (statement, part) = signed(header, genesis(), &AUTHORITY);
    let events = vec![Event::LedgerCreated(Box::new(statement.clone()))];
    let draft = bank.draft(&Command::CreateLedger(Box::new(statement)), vec![part], events);
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "REFUSED_BY_RULES (LEDGER_EXISTS)");
}

#[test]
fn details_are_those_committed_to_and_are_judged() {
    let (mut bank, ann) = with_account();
    let (_, index) = bank.deposit(ann);
    let checked = |vault: &Vault| {
        let mut verifier = Verifier::new(Some(bank.trust())).with_details(vault);
        let failed = bank.entries.iter().find_map(|raw| verifier.push(&raw.bytes()).err());
        failed.map(|halt| halt.broken().map(|broken| (broken.index, broken.rule.to_string())).unwrap())
    };
    assert_eq!(checked(&bank.vault), None);
    let commitment = *bank.vault.0.keys().next().unwrap();
    for change in [
        |opened: &mut OpenedDetails| opened.salt[0] ^= 1,
        |opened: &mut OpenedDetails| opened.payload[0] ^= 1,
        |opened: &mut OpenedDetails| opened.payload.clear(),
    ] {
        let mut vault = bank.vault.clone();
        change(vault.0.get_mut(&commitment).unwrap());
        assert_eq!(checked(&vault), Some((index, "DETAILS_WRONG".to_owned())));
    }
    // Without its details the entry looks right: it ends before it begins.
    let facts = RecordFacts { awarded_on: day("2026-03-01"), ..bank.facts(ann) };
    let header = bank.header(UNIV);
    let index = deposit(&mut bank, header, facts, &["cn.univ/records"]);
    assert_eq!(verified(&bank).verdict, Verdict::Ok);
    let mut verifier = Verifier::new(None).with_details(&bank.vault);
    let failed = bank.entries.iter().find_map(|raw| verifier.push(&raw.bytes()).err()).unwrap();
    let failed = failed.broken().unwrap();
    let said = (failed.index, failed.rule.to_string());
    assert_eq!(said, (index, "REFUSED_BY_RULES (DATES_BACKWARDS)".to_owned()));
}

#[test]
fn a_key_stands_in_the_log_before_it_signs() {
    let (mut bank, ann) = with_account();
    let (facts, header) = (bank.facts(ann), bank.header(UNIV));
    let kid = public("cn.univ/records-9").kid;
    let index = deposit(&mut bank, header, facts, &["cn.univ/records-9"]);
    breaks(&bank, index, "REFUSED_BY_RULES (KEY_UNKNOWN)");
    assert!(!bank.rows.values().any(|row| matches!(row, credit_ledger::Row::Key(row) if is(row, kid))));
}

fn is(row: &KeyRow, kid: credit_types::Kid) -> bool {
    row.key.key.kid == kid
}
