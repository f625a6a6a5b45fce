//! Entries about rule books and applications.

use credit_proto::entry::{PART_EVENT, commitments, commitments_of};
use credit_proto::{payload_type, v1};
use credit_types::limits::{APPLICATION_ITEMS_MAX, APPLICATION_RECORDS_MAX};
use prost::Message as _;

use super::*;

fn by_acceptor() -> Header {
    samples::header(SignerId::Institution(samples::acceptor()))
}

fn moved(byte: u8, from: Bucket, to: Bucket) -> RecordMoved {
    RecordMoved { record: samples::record_name(byte), postings: vec![posting(from, to)] }
}

fn change(application: u64, status: ApplicationStatus) -> ConversionChange {
    ConversionChange {
        account_ref: learner(),
        application,
        status,
        moved: Vec::new(),
        granted: Vec::new(),
        granted_on: None,
        auto_approval: None,
        provisional_until: None,
        kid: kid(0x91),
    }
}

/// An entry of one event that says how an application went on.
fn changed<B: Signable + Clone>(header: Header, body: &B, keys: u8, change: ConversionChange) -> Sample {
    let actor = header.signer.clone();
    let (part, _) = signed(header, body, keys);
    around(actor, vec![part], vec![Event::ConversionChanged(Box::new(change))], None)
}

pub(crate) fn of_books_and_applications(kind: EventKind) -> Sample {
    let (authority, acceptor) = (SignerId::Authority, SignerId::Institution(samples::acceptor()));
    let by_authority = samples::header(SignerId::Authority);
    match kind {
        EventKind::RuleBookPublished => {
            let (part, publication) = signed(by_authority, &samples::book_publication(), 2);
            around(authority, vec![part], vec![Event::RuleBookPublished(Box::new(publication))], None)
        }
        EventKind::RuleBookChanged => {
            let (part, change) = signed(by_authority, &samples::book_change(), 3);
            around(authority, vec![part], vec![Event::RuleBookChanged(Box::new(change))], None)
        }
        EventKind::AutoApprovalGiven => {
            let (part, statement) = signed(by_acceptor(), &samples::auto_approval(), 1);
            let (institution_id, statement) = (samples::acceptor(), Box::new(statement));
            let given = Event::AutoApprovalGiven { institution_id, statement };
            around(acceptor, vec![part], vec![given], None)
        }
        EventKind::ConversionRequested => {
            let (part, event) = requested();
            around(SignerId::Institution(university()), vec![part], vec![event], None)
        }
        _ => {
            let change = ConversionChange {
                moved: vec![
                    moved(0x61, Bucket::Reserved, Bucket::Redeemed),
                    RecordMoved { record: samples::record_name(0x71), postings: Vec::new() },
                ],
                granted: samples::granted(),
                granted_on: Some(samples::date("2026-12-01")),
                provisional_until: samples::decision().provisional_until,
                ..change(4_700, ApplicationStatus::Provisional)
            };
            changed(by_acceptor(), &samples::decision(), 1, change)
        }
    }
}

fn requested() -> (StatementPart, Event) {
    let (part, request) = signed(samples::by_university(), &samples::conversion_request(), 1);
    let event = Event::ConversionRequested {
        statement: Box::new(request),
        items: samples::proposed(),
        explanation_commitment: digest(0xC7),
        moved: vec![moved(0x61, Bucket::Available, Bucket::Reserved)],
    };
    (part, event)
}

/// An application that no officer decides, and for whose records an earlier one has lapsed.
pub(crate) fn automatic() -> Sample {
    let (part, event) = requested();
    let lapsed = ConversionChange {
        moved: vec![moved(0x61, Bucket::Reserved, Bucket::Available)],
        ..change(4_100, ApplicationStatus::Lapsed)
    };
    let posted = ConversionChange {
        moved: vec![moved(0x61, Bucket::Reserved, Bucket::Redeemed)],
        granted: samples::granted(),
        granted_on: Some(samples::date("2026-11-23")),
        auto_approval: Some(4_200),
        ..change(4_800, ApplicationStatus::Posted)
    };
    let events = [lapsed, posted].map(|change| Event::ConversionChanged(Box::new(change)));
    let [lapsed, posted] = events;
    around(SignerId::Institution(university()), vec![part], vec![lapsed, event, posted], None)
}

/// An award that is taken back: two keys have signed.
pub(crate) fn reversal() -> Sample {
    let change = ConversionChange {
        moved: vec![moved(0x71, Bucket::Redeemed, Bucket::Available)],
        granted: samples::granted(),
        granted_on: Some(samples::date("2026-12-01")),
        ..change(4_700, ApplicationStatus::Reversed)
    };
    changed(by_acceptor(), &samples::reversal(), 2, change)
}

/// A step by a registrar.
pub(crate) fn step() -> Sample {
    changed(samples::by_university(), &samples::step(), 1, change(4_700, ApplicationStatus::Appealed))
}

#[test]
fn applications_come_back_as_they_were() {
    let rejected =
        changed(by_acceptor(), &samples::rejection(), 1, change(4_700, ApplicationStatus::Rejected));
    for sample in [automatic(), reversal(), step(), rejected] {
        comes_back(&sample);
    }
    // Until which day it can be confirmed is said of what is provisional only.
    let posted = change(4_700, ApplicationStatus::Posted);
    comes_back(&changed(by_acceptor(), &samples::decision(), 1, posted));
}

#[test]
fn random_applications_come_back_as_they_were() {
    for seed in 0..300 {
        let random = &mut Random(seed);
        let mut header = random.header();
        header.signer = SignerId::Institution(university());
        let sample = match random.below(4) {
            0 => {
                let (part, statement) = signed(header, &random.conversion_request(), 1);
                let event = Event::ConversionRequested {
                    items: random.proposed(statement.body.records.len()),
                    explanation_commitment: random.digest(),
                    moved: random.held(&statement.body.records),
                    statement: Box::new(statement),
                };
                let change = Event::ConversionChanged(Box::new(random.change(kid(0x91))));
                let events = if random.coin() { vec![event, change] } else { vec![change, event] };
                around(SignerId::Institution(university()), vec![part], events, None)
            }
            1 => {
                let (decision, change) = (random.decision(), random.change(kid(0x91)));
                changed(header, &decision, 1, change)
            }
            2 => {
                let (step, change) = (random.step(), random.change(kid(0x91)));
                changed(header, &step, 1, change)
            }
            _ => {
                let (reversal, change) = (random.reversal(), random.change(kid(0x91)));
                changed(header, &reversal, 2, change)
            }
        };
        comes_back(&sample);
    }
}

#[test]
fn the_vault_holds_what_applications_commit_to() {
    let of = |sample: &Sample| {
        let parts = decode_parts(&sample.parts()).unwrap();
        let all = commitments(&parts).unwrap();
        let hashes: Vec<Digest> = all.iter().map(|(_, _, hash)| *hash).collect();
        assert_eq!(commitments_of(&parts, learner()).unwrap(), hashes, "all is the learner's");
        all.into_iter().map(|(_, payload_type, hash)| (payload_type, hash)).collect::<Vec<_>>()
    };
    let explained = |byte: u8| vec![(payload_type::STATUS_EXPLANATION, digest(byte))];
    let stated = (payload_type::CONVERSION_PARTICULARS, digest(0xC6));
    let reckoned = (payload_type::CONVERSION_EXPLANATION, digest(0xC7));
    assert_eq!(of(&sample(EventKind::ConversionRequested)), [stated, reckoned]);
    assert_eq!(of(&automatic()), [stated, reckoned]);
    assert_eq!(of(&sample(EventKind::ConversionChanged)), explained(0xC8));
    assert_eq!(of(&step()), explained(0xC9));
    assert_eq!(of(&reversal()), explained(0xCA));
    for kind in [EventKind::RuleBookPublished, EventKind::AutoApprovalGiven, EventKind::ProtocolUpgraded] {
        assert_eq!(of(&sample(kind)), [], "{kind:?}");
    }
    let without = ConversionRequest { particulars_commitment: None, ..samples::conversion_request() };
    let mut sample = sample(EventKind::ConversionRequested);
    sample.statements = vec![signed(samples::by_university(), &without, 1).0];
    assert_eq!(of(&sample), [reckoned]);
}

/// Edits the n-th event of an entry and reads all again: the field that is refused, or nothing.
fn told(sample: &Sample, number: usize, edit: impl FnOnce(&mut v1::Event)) -> String {
    let mut parts = sample.parts();
    let part = parts.iter_mut().filter(|part| part[0] == PART_EVENT).nth(number).unwrap();
    let mut event = v1::Event::decode(&part[1..]).unwrap();
    edit(&mut event);
    *part = [vec![PART_EVENT], event.encode_to_vec()].concat();
    let read = decode_parts(&parts).and_then(|parts| hydrate(&parts, None, admit, leaf_hash));
    match read {
        Ok(_) => String::new(),
        Err(entry::DecodeError::Invalid(error)) => error.field,
        Err(other) => panic!("{other}"),
    }
}

fn application(edit: impl FnOnce(&mut v1::ConversionRequested)) -> String {
    let sample = sample(EventKind::ConversionRequested);
    told(&sample, 0, |event| edit(event.conversion_requested.as_mut().unwrap()))
        .replace("events[0].conversion_requested.", "")
}

#[test]
fn what_is_proposed_keeps_to_its_bounds() {
    let items = |count: usize| application(|body| body.items = vec![body.items[0].clone(); count]);
    assert_eq!((items(1), items(APPLICATION_ITEMS_MAX)), (String::new(), String::new()));
    assert_eq!((items(0).as_str(), items(APPLICATION_ITEMS_MAX + 1).as_str()), ("items", "items"));
    let item = |edit: fn(&mut v1::ProposedItem)| application(|body| edit(&mut body.items[1]));
    assert_eq!(item(|item| item.credits_milli = 1_000_000_000), "");
    assert_eq!(item(|item| item.credits_milli = 1_000_000_001), "items[1].credits_milli");
    assert_eq!(item(|item| item.credits_milli = -1), "items[1].credits_milli");
    assert_eq!(item(|item| item.rule.clear()), "items[1].rule");
    assert_eq!(item(|item| item.rule = "r".repeat(128)), "");
    assert_eq!(item(|item| item.rule = "r".repeat(129)), "items[1].rule");
    assert_eq!(item(|item| item.rule_kind = "-".to_owned()), "items[1].rule_kind");
    assert_eq!(item(|item| item.rule_kind.clear()), "");
    assert_eq!(item(|item| item.place_kind = 3), "");
    assert_eq!(item(|item| item.place_kind = 0), "items[1].place_kind");
    assert_eq!(item(|item| item.place.clear()), "items[1].place");
    assert_eq!(item(|item| item.credit_scheme.clear()), "items[1].credit_scheme");
    assert_eq!(item(|item| item.consumption = 0), "items[1].consumption");
    assert_eq!(item(|item| item.programme.clear()), "");
    assert_eq!(item(|item| item.programme = "学".to_owned()), "items[1].programme");
    assert_eq!(item(|item| item.award_level.clear()), "");
    assert_eq!(item(|item| item.award_level = "学".to_owned()), "items[1].award_level");
    assert_eq!(item(|item| item.sources = vec![0, 1]), "");
    assert_eq!(item(|item| item.sources = vec![2]), "items[1].sources");
    assert_eq!(item(|item| item.sources.clear()), "items[1].sources");
    assert_eq!(item(|item| item.sources = vec![1, 1]), "items[1].sources[1]");
    assert_eq!(application(|body| body.explanation_commitment.clear()), "explanation_commitment");
    assert_eq!(application(|body| body.explanation_commitment.push(0)), "explanation_commitment");
    assert_eq!(application(|body| body.account_ref[0] ^= 1), "events[0]");
    let held = |byte: u8| v1::RecordMoved {
        record: Some(v1::RecordName {
            issuer_id: university().as_str().to_owned(),
            record_id: record_id(byte).0.to_vec(),
        }),
        postings: Vec::new(),
    };
    assert_eq!(application(|body| body.moved.clear()), "");
    assert_eq!(application(|body| body.moved = vec![held(0x61), held(0x71)]), "");
    assert_eq!(application(|body| body.moved = vec![held(0x71), held(0x61)]), "moved[1]");
    assert_eq!(application(|body| body.moved = vec![held(0x61), held(0x61)]), "moved[1]");
    assert_eq!(application(|body| body.moved = vec![held(0x61), held(0x62)]), "moved[1].record");
    assert_eq!(application(|body| body.moved[0].record = None), "moved[0].record");
    assert_eq!(application(|body| body.moved[0].postings[0].to = 8), "moved[0].postings[0].to");
}

fn changing(edit: impl FnOnce(&mut v1::ConversionChanged)) -> String {
    let sample = sample(EventKind::ConversionChanged);
    told(&sample, 0, |event| edit(event.conversion_changed.as_mut().unwrap()))
        .replace("events[0].conversion_changed.", "")
}

#[test]
fn how_an_application_goes_on_keeps_to_its_bounds() {
    let moved = |count: usize| changing(|body| body.moved = vec![body.moved[0].clone(); count]);
    assert_eq!((moved(0), moved(APPLICATION_RECORDS_MAX)), (String::new(), String::new()));
    assert_eq!(moved(APPLICATION_RECORDS_MAX + 1), "moved");
    let granted = |count: u32| {
        changing(|body| {
            let one = body.granted[0].clone();
            body.granted = (0..count).map(|position| v1::Granted { position, ..one.clone() }).collect();
        })
    };
    assert_eq!((granted(1), granted(64), APPLICATION_ITEMS_MAX), (String::new(), String::new(), 64));
    assert_eq!(granted(65), "granted");
    // Whatever was granted was so on a day.
    assert_eq!(granted(0), "granted_on");
    assert_eq!(changing(|body| body.granted_on = None), "granted_on");
    assert_eq!(
        changing(|body| {
            body.granted.clear();
            body.granted_on = None;
        }),
        ""
    );
    assert_eq!(changing(|body| body.granted.swap(0, 1)), "granted[1]");
    assert_eq!(changing(|body| body.granted[1].position = 0), "granted[1]");
    assert_eq!(changing(|body| body.granted[1].position = 63), "");
    assert_eq!(changing(|body| body.granted[1].position = 64), "granted[1].position");
    assert_eq!(changing(|body| body.granted[1].credits_milli = -1), "granted[1].credits_milli");
    assert_eq!(changing(|body| body.granted[0].record_id[6] = 0x40), "granted[0].record_id");
    assert_eq!(changing(|body| body.granted_on.as_mut().unwrap().month = 13), "granted_on");
    assert_eq!(changing(|body| body.status = 0), "status");
    assert_eq!(changing(|body| body.account_ref.clear()), "account_ref");
    assert_eq!(changing(|body| body.application_index = u64::MAX), "");
    assert_eq!(changing(|body| body.application_index = 0), "application_index");
    assert_eq!(changing(|body| body.auto_approval_index = u64::MAX), "");
}

#[test]
fn events_of_books_and_applications_follow_from_their_statements() {
    for kind in [EventKind::RuleBookPublished, EventKind::RuleBookChanged, EventKind::AutoApprovalGiven] {
        let sample = sample(kind);
        let differs = "events[0]";
        assert_eq!(told(&sample, 0, |event| event.rule_book = None), differs, "{kind:?}");
        let version = |event: &mut v1::Event| event.rule_book.as_mut().unwrap().version += 1;
        assert_eq!(told(&sample, 0, version), differs, "{kind:?}");
        let book = |event: &mut v1::Event| event.rule_book.as_mut().unwrap().book_id.push('x');
        assert_eq!(told(&sample, 0, book), differs, "{kind:?}");
    }
    let upgraded = sample(EventKind::ProtocolUpgraded);
    let other = |event: &mut v1::Event| event.protocol_upgraded.as_mut().unwrap().protocol = 1;
    assert_eq!(told(&upgraded, 0, other), "events[0]");
    let field = "events[0].conversion_requested";
    let request = sample(EventKind::ConversionRequested);
    assert_eq!(told(&request, 0, |event| event.conversion_requested = None), field);
    let decided = sample(EventKind::ConversionChanged);
    let field = "events[0].conversion_changed";
    assert_eq!(told(&decided, 0, |event| event.conversion_changed = None), field);
    // No decision is an application.
    assert_eq!(told(&decided, 0, |event| event.kind = 19), "events[0]");
    assert_eq!(told(&automatic(), 1, |event| event.statements = vec![1]), "events[1]");
    // One signature is all that a decision needs; more would be lost.
    let change = change(4_700, ApplicationStatus::Posted);
    let two = changed(by_acceptor(), &samples::decision(), 2, change);
    assert_eq!(told(&two, 0, |_| {}), "events[0].signatures");
    // Only an institution says which rules it applies.
    let mut given = sample(EventKind::AutoApprovalGiven);
    given.statements = vec![signed(samples::header(SignerId::Authority), &samples::auto_approval(), 1).0];
    assert_eq!(told(&given, 0, |_| {}), "events[0].header.signer_id");
}
