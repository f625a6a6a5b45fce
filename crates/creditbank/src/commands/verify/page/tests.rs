//! The page of a good log, of a bad one and of a hostile one.

use super::*;
use credit_log::checkpoint::Checkpoint;
use credit_log::envelope::SigningKey;
use credit_log::note::NoteSigner;
use credit_types::LogId;
use credit_verify::Rule;

/// What a hostile operator would like to see in a browser.
const HOSTILE: &str = "<script>alert('x')</script><img src=http://evil.example/x onerror=\"y\">&\"'";

fn trust(origin: &str) -> Trust {
    let key = SigningKey::from_seed([1; 32]);
    let signer = NoteSigner::new("dev.test", key).unwrap();
    Trust {
        log_id: LogId([0xab; 32]),
        origin: origin.to_owned(),
        checkpoint_keys: vec![signer.verifier().clone()],
        statement_keys: Vec::new(),
        witness_policy: None,
    }
}

fn report(verdict: Verdict) -> Report {
    Report {
        entries: 120,
        statements: 261,
        signatures: 1_275,
        decisions_replayed: 60,
        structure_only: 60,
        erased: 0,
        size: 120,
        root: Digest([0xcd; 32]),
        verdict,
    }
}

fn broken(detail: &str) -> Verdict {
    Verdict::Broken(Broken { index: 57, rule: Rule::SignatureInvalid, detail: detail.to_owned() })
}

fn mark(kind: MarkKind, by: &str) -> Mark {
    Mark { kind, size: 100, root: "cd".repeat(32), at_us: 1_795_000_000_000_000, by: by.to_owned() }
}

fn page(trust: &Trust, checked: Checked<'_>, place: &str, marks: &[Mark], note: Option<&str>) -> String {
    let mut tally = Tally::default();
    for index in 0..120 {
        let core = credit_types::EntryCore {
            index,
            recorded_at_us: i64::try_from(index)
                .unwrap()
                .saturating_mul(700_000)
                .saturating_add(1_795_000_000_000_000),
            parts_root: Digest([0; 32]),
        };
        let kind = u8::try_from(index % 15).unwrap().saturating_add(1);
        tally.entry(&credit_proto::entry::encode_core(&core), &[vec![4, 0x08, kind]]);
    }
    let told = Told {
        language: Language::Zh,
        scope: Scope::Stopped,
        place,
        trust,
        checked,
        note,
        others: 0,
        tally: &tally,
        marks,
        now_us: 1_795_000_100_000_000,
    };
    told.page().into_string()
}

/// Whether every element is closed in its order, and every attribute is in quotes.
pub(super) fn well_formed(page: &str) -> Result<(), String> {
    const VOID: [&str; 3] = ["meta", "input", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no document type")?;
    while let Some(at) = rest.find('<') {
        let inside = rest.get(at..).and_then(|rest| rest.strip_prefix('<')).unwrap();
        let (tag, after) = inside.split_once('>').ok_or("a tag is not closed")?;
        if tag.matches('"').count() % 2 != 0 {
            return Err(format!("quotes in <{tag}>"));
        }
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).ok_or("a tag without a name")?;
        if tag.starts_with('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("</{name}> closes {last:?}"));
            }
        } else if !VOID.contains(&name) {
            open.push(name);
        }
        rest = after;
        if name == "style" && !tag.starts_with('/') {
            rest = rest.get(rest.find("</style>").ok_or("style is not closed")?..).unwrap();
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are not closed")) }
}

/// Nothing is loaded from anywhere, and nothing runs.
fn stands_alone(page: &str) {
    for word in
        ["<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "javascript:", " on"]
    {
        let found = page
            .match_indices('<')
            .map(|(at, _)| &page[at..])
            .any(|tag| tag.split('>').next().unwrap_or_default().contains(word));
        assert!(!found, "{word} in a tag");
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(
        !style.contains("url(") && !style.contains("@import") && !style.contains("http"),
        "the style loads"
    );
    assert!(page.contains("default-src 'none'"));
}

fn checks(page: &str) {
    assert_eq!(well_formed(page), Ok(()));
    stands_alone(page);
    let (zh, en) = (page.matches("class=\"zh\"").count(), page.matches("class=\"en\"").count());
    assert!(zh == en && zh > 30, "{zh} {en}");
}

#[test]
fn a_good_log_is_told_in_both_languages() {
    let report = report(Verdict::Ok);
    let marks = [mark(MarkKind::Seen, ""), mark(MarkKind::Checked, ""), mark(MarkKind::Cosigned, "w1")];
    let page = page(
        &trust("dev.test"),
        Checked::Whole(&report, None),
        "/srv/ledger",
        &marks,
        Some("dev.test\n120\n"),
    );
    checks(&page);
    for text in
        ["账本完好", "This ledger holds", "1,275", "120 = 64 + 32 + 16 + 8", "cosigned by w1", "verdict fine"]
    {
        assert!(page.contains(text), "{text}");
    }
    let rows = Text { zh: "索引不符".to_owned(), en: "rows differ".to_owned() };
    let page =
        super::tests::page(&trust("dev.test"), Checked::Whole(&report, Some(&rows)), "/srv", &[], None);
    checks(&page);
    assert!(page.contains("verdict broken") && page.contains("rows differ"));
}

#[test]
fn a_bad_log_is_named_with_what_to_do() {
    let report = report(broken("by nobody"));
    let page = page(&trust("dev.test"), Checked::Whole(&report, None), "/srv/ledger", &[], None);
    checks(&page);
    for text in [
        "verdict broken",
        "SIGNATURE_INVALID",
        "第 57 条起违反了规则",
        "What to do",
        "by nobody",
        "class=\"bad\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let cores = CoresReport { size: 0, root: Digest([0; 32]), verdict: broken("x") };
    checks(&super::tests::page(
        &trust("dev.test"),
        Checked::Cores(&cores, 3),
        "http://127.0.0.1:1",
        &[],
        None,
    ));
    let newer = super::tests::report(Verdict::NeedsNewer { index: 9, what: "protocol 2".to_owned() });
    let page = super::tests::page(&trust("dev.test"), Checked::Whole(&newer, None), "/srv", &[], None);
    assert!(page.contains("verdict newer") && page.contains("takes a newer program"));
}

#[test]
fn what_is_hostile_is_shown_as_what_it_is() {
    let report = report(broken(HOSTILE));
    let rows = Text { zh: HOSTILE.to_owned(), en: HOSTILE.to_owned() };
    let marks = [mark(MarkKind::Cosigned, HOSTILE)];
    let page = page(&trust(HOSTILE), Checked::Whole(&report, Some(&rows)), HOSTILE, &marks, Some(HOSTILE));
    checks(&page);
    assert!(page.matches("&lt;script&gt;alert('x')&lt;/script&gt;").count() >= 7);
    assert!(!page.contains("<script") && !page.contains("<img"));
}

#[test]
fn a_page_that_is_not_well_formed_is_noticed() {
    for bad in ["<p>", "<!DOCTYPE html><p><b></p></b>", "<!DOCTYPE html><p", "<!DOCTYPE html><p a=\"1></p>"] {
        assert!(well_formed(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_head_that_was_signed_is_shown_with_its_signature_lines() {
    let key = SigningKey::from_seed([1; 32]);
    let head = Checkpoint { origin: "dev.test".to_owned(), size: 120, root: [0xcd; 32] };
    let note = checkpoint::sign(&head, &NoteSigner::new("dev.test", key).unwrap()).unwrap();
    assert_eq!(cosignatures(&trust("dev.test"), &note, 120, Digest([0xcd; 32])), (Vec::new(), 0));
}
