//! Witness policies: the example of the specification, each refusal with its line, limits, garbage.

use credit_log::cosignature::Cosigned;
use credit_log::note::{Note, OpenError, VkeyError};
use credit_log::policy::{
    Error, GROUPS_MAX, LOGS_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX, Policy, Problem, URL_BYTES_MAX,
    WITNESSES_MAX,
};

use crate::cosignatures::{COSIGNED, LEDGER, WITNESS, cosigner};
use crate::signer;

fn witness_key(number: u8) -> String {
    cosigner(&format!("w.example/{number}"), number).verifier().text()
}

fn witness_line(name: &str, number: u8) -> String {
    format!("witness {name} {}\n", witness_key(number))
}

fn lines(count: u8, line: impl Fn(u8) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

fn log_key(number: u8) -> String {
    signer(&format!("l.example/{number}"), number).verifier().text()
}

fn parse(text: &str) -> Result<Policy, Error> {
    Policy::parse(text.as_bytes())
}

/// The policy of the specification's example: two of the X, one of the Y.
fn example() -> Policy {
    let mut text = format!("log {}\n\n", log_key(100));
    for (number, name) in (1u8..).zip(["X1", "X2", "X3"]) {
        text += &witness_line(name, number);
    }
    text += "group X-witnesses 2 X1 X2 X3\n\n";
    for (number, name) in (4u8..).zip(["Y1", "Y2", "Y3"]) {
        text += &witness_line(name, number);
    }
    text += "group Y-witnesses any Y1 Y2 Y3\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    parse(&text).unwrap()
}

#[test]
fn the_example_of_the_specification_asks_for_two_of_three_and_one_of_three() {
    let policy = example();
    // Held against the words of the example, for every set of the six.
    for set in 0u32..64 {
        let places: Vec<usize> = (0..6).filter(|place| set >> place & 1 == 1).collect();
        let x = places.iter().filter(|place| **place < 3).count();
        let y = places.iter().filter(|place| **place >= 3).count();
        assert_eq!(policy.is_met_by(&places), x >= 2 && y >= 1, "{places:?}");
    }
    assert_eq!(policy.logs().len(), 1);
    let names: Vec<&str> = policy.witnesses().iter().map(|witness| witness.name.as_str()).collect();
    assert_eq!(names, ["X1", "X2", "X3", "Y1", "Y2", "Y3"]);
    assert!(policy.asks_for_witnesses());
    assert!(policy.knows_log(&[signer("l.example/100", 100).verifier().clone()]));
    assert!(!policy.knows_log(&[signer("l.example/101", 101).verifier().clone()]));
    assert_eq!(policy.digest(), credit_log::hash::sha256(policy.source()));
}

#[test]
fn a_note_is_judged_by_the_cosignatures_on_it() {
    let policy = parse(&format!("log {LEDGER} https://log.example/\nwitness one {WITNESS}\nquorum one\n"));
    let policy = policy.unwrap();
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
    let judged = policy.judge(COSIGNED, 1_700_000_000).unwrap();
    assert_eq!((judged.met, judged.by), (true, vec![Cosigned { witness: 0, time_s: 1_700_000_000 }]));
    // One from before the entry was made says nothing about the entry.
    assert!(!policy.judge(COSIGNED, 1_700_000_001).unwrap().met);
    let Note { text, mut signatures } = Note::parse(COSIGNED).unwrap();
    signatures.truncate(1);
    let plain = Note { text: text.clone(), signatures: signatures.clone() }.format().unwrap();
    assert!(!policy.judge(&plain, 0).unwrap().met);
    assert!(parse("quorum none\n").unwrap().judge(&plain, 0).unwrap().met);
    let mut forged = cosigner("example.test/witness-1", 0x20).sign(&text, 9).unwrap();
    forged.signature[70] ^= 1;
    signatures.push(forged);
    let forged = Note { text, signatures }.format().unwrap();
    let name = "example.test/witness-1".to_owned();
    assert_eq!(policy.judge(&forged, 0), Err(OpenError::BadSignature { name }));
    assert!(policy.judge("no note", 0).is_err());
}

#[test]
fn spaces_comments_and_names_are_as_the_specification_has_them() {
    let (one, two) = (witness_key(1), witness_key(2));
    let text = format!(
        "\n# a comment\n \t# another, with \u{4e2d}\u{6587}\n\twitness\t中文 {one} https://w.example/ \n\
         witness all {two}\ngroup any 1 中文 all\nquorum any\n"
    );
    let policy = parse(&text).unwrap();
    assert_eq!(policy.witnesses()[0].name, "中文");
    assert_eq!(policy.witnesses()[0].url.as_deref(), Some("https://w.example/"));
    assert!(policy.is_met_by(&[1]) && !policy.is_met_by(&[]));
    // Names are bytes: these two differ, though they are shown alike.
    let mut bytes = format!("witness \u{fffd} {one}\nwitness ").into_bytes();
    bytes.extend([0xff, b' ']);
    bytes.extend(format!("{two}\nquorum ").into_bytes());
    bytes.extend([0xff, b'\n']);
    let policy = Policy::parse(&bytes).unwrap();
    assert!(policy.is_met_by(&[1]) && !policy.is_met_by(&[0]));
    assert_eq!(policy.witnesses()[1].name, "\u{fffd}");
    assert!(!parse("quorum none\n").unwrap().asks_for_witnesses());
}

#[test]
fn every_refusal_names_its_line() {
    let (one, two, log) = (witness_key(1), witness_key(2), log_key(9));
    let name = |text: &str| text.to_owned();
    let threshold = |text: &str, members| Problem::Threshold { threshold: name(text), members };
    let base = format!("witness a {one}\nwitness b {two}\n");
    let same_key = cosigner("w.example/other", 1).verifier().text();
    let as_log = signer("w.example/1", 1).verifier().text();
    for (line, problem) in [
        ("wittness c x".to_owned(), Problem::Word(name("wittness"))),
        ("log".to_owned(), Problem::LogForm),
        (format!("log {log} u v"), Problem::LogForm),
        (format!("log {one}"), Problem::Key(VkeyError::Algorithm)),
        ("log x".to_owned(), Problem::Key(VkeyError::Form)),
        (format!("log {as_log}"), Problem::KeyTwice),
        ("witness c".to_owned(), Problem::WitnessForm),
        (format!("witness c {log} u v"), Problem::WitnessForm),
        (format!("witness c {log}"), Problem::Key(VkeyError::Algorithm)),
        (format!("witness c {same_key}"), Problem::KeyTwice),
        (format!("witness a {}", witness_key(3)), Problem::NameTaken(name("a"))),
        (format!("witness none {}", witness_key(3)), Problem::NameTaken(name("none"))),
        ("group g any".to_owned(), Problem::GroupForm),
        ("group g".to_owned(), Problem::GroupForm),
        ("group a any b".to_owned(), Problem::NameTaken(name("a"))),
        ("group g any c".to_owned(), Problem::NameUnknown(name("c"))),
        ("group g any g".to_owned(), Problem::NameUnknown(name("g"))),
        ("group g any none".to_owned(), Problem::NameUnknown(name("none"))),
        ("group g any a a".to_owned(), Problem::MemberTwice(name("a"))),
        ("group g 0 a b".to_owned(), threshold("0", 2)),
        ("group g 3 a b".to_owned(), threshold("3", 2)),
        ("group g 01 a b".to_owned(), threshold("01", 2)),
        ("group g +1 a b".to_owned(), threshold("+1", 2)),
        ("group g some a b".to_owned(), threshold("some", 2)),
        ("quorum".to_owned(), Problem::QuorumForm),
        ("quorum a b".to_owned(), Problem::QuorumForm),
        ("quorum c".to_owned(), Problem::NameUnknown(name("c"))),
        ("quorum a\r".to_owned(), Problem::Control),
        ("quorum\u{7f} a".to_owned(), Problem::Control),
    ] {
        let refused = parse(&format!("{base}{line}\n")).map(|_| ());
        assert_eq!(refused, Err(Error::Line { line: 3, problem }), "{line}");
    }
    let again = parse(&format!("{base}group g any a\ngroup h any a\nquorum g\n"));
    assert_eq!(again, Err(Error::Line { line: 4, problem: Problem::MemberTwice(name("a")) }));
    let twice = parse(&format!("{base}quorum a\nquorum none\n"));
    assert_eq!(twice, Err(Error::Line { line: 4, problem: Problem::QuorumTwice }));
    assert_eq!(parse(&base), Err(Error::NoQuorum));
    assert_eq!(parse(""), Err(Error::NoQuorum));
    assert_eq!(parse("quorum none"), Err(Error::Unterminated));
    let mut key = format!("{base}log ").into_bytes();
    key.extend([0xff, b'\n']);
    assert_eq!(Policy::parse(&key), Err(Error::Line { line: 3, problem: Problem::KeyText }));
    let mut url = format!("{base}log {log} ").into_bytes();
    url.extend([0xff, b'\n']);
    assert_eq!(Policy::parse(&url), Err(Error::Line { line: 3, problem: Problem::Url }));
    let shown = Error::Line { line: 3, problem: threshold("3", 2) }.to_string();
    assert!(shown.contains("line 3") && shown.contains("1 to 2"), "{shown}");
}

#[test]
fn a_policy_reaches_its_limits_and_not_beyond() {
    let at_line = |text: &str| match parse(text).map(|_| ()) {
        Err(Error::Line { line: _, problem }) => Some(problem),
        other => {
            assert_eq!(other, Ok(()));
            None
        }
    };
    let logs = |count: u8| lines(count, |n| format!("log {}\n", log_key(n)));
    let max = |limit: usize| u8::try_from(limit).unwrap();
    assert_eq!(at_line(&format!("{}quorum none\n", logs(max(LOGS_MAX)))), None);
    assert_eq!(at_line(&logs(max(LOGS_MAX) + 1)), Some(Problem::Logs));
    let witnesses = |count: u8| lines(count, |n| witness_line(&format!("w{n}"), n));
    let many = witnesses(max(WITNESSES_MAX));
    assert_eq!(at_line(&format!("{many}quorum none\n")), None);
    assert_eq!(at_line(&witnesses(max(WITNESSES_MAX) + 1)), Some(Problem::Witnesses));
    // A chain of groups as long as it may be, each with one more witness.
    let mut chain = many.clone();
    for n in 0..GROUPS_MAX {
        let before = n.checked_sub(1).map(|before| format!(" g{before}")).unwrap_or_default();
        chain.extend(["group g", &n.to_string(), " all w", &n.to_string(), &before, "\n"]);
    }
    let deep = parse(&format!("{chain}quorum g{}\n", GROUPS_MAX - 1)).unwrap();
    let all: Vec<usize> = (0..WITNESSES_MAX).collect();
    assert!(deep.is_met_by(&all) && !deep.is_met_by(&all[1..]));
    let problem = at_line(&format!("{chain}group more any g{}\n", GROUPS_MAX - 1));
    assert_eq!(problem, Some(Problem::Groups));
    let named = |bytes: usize| {
        let name = "n".repeat(bytes);
        at_line(&format!("witness {name} {}\nquorum none\n", witness_key(1)))
    };
    assert_eq!(named(NAME_BYTES_MAX), None);
    assert_eq!(named(NAME_BYTES_MAX + 1), Some(Problem::NameLong));
    let at_url = |bytes: usize| {
        let url = "u".repeat(bytes);
        at_line(&format!("witness w {} {url}\nquorum none\n", witness_key(1)))
    };
    assert_eq!(at_url(URL_BYTES_MAX), None);
    assert_eq!(at_url(URL_BYTES_MAX + 1), Some(Problem::Url));
    let padded = |bytes: usize| parse(&format!("#{}\nquorum none\n", " ".repeat(bytes - 14))).map(|_| ());
    assert_eq!(padded(POLICY_BYTES_MAX), Ok(()));
    assert_eq!(padded(POLICY_BYTES_MAX + 1), Err(Error::TooLong));
}

#[test]
fn garbage_is_refused_without_panic() {
    let good = example().source().to_vec();
    for at in 0..good.len() {
        for byte in [0, b' ', b'\n', b'#', 0xff] {
            let mut bent = good.clone();
            bent[at] = byte;
            drop(Policy::parse(&bent));
        }
        assert!(Policy::parse(&good[..at]).is_err(), "cut at {at}");
    }
}
