//! What a new version of a book would have changed: the applications of a stopped ledger reckoned again by the command
//! line, from the rows and the details of their day.

use crate::bank::text;
use crate::conversion_support::{Asked, book_text};
use crate::institution::Institution;
use crate::session::{Session, World, in_runtime};
use crate::statement::{Draft, today, unique};
use credit_proto::v1::{ApplicationStatus, DecisionOutcome, RecordKind};
use credit_rules::book::Book;
use serde_json::{Value, json};

/// A ledger with two applications: of a course and an examination, and of an examination alone.
struct Filed {
    world: World,
    book_id: String,
    college: String,
    indexes: [u64; 2],
}

fn filed() -> Filed {
    let world = World::start(&[]);
    // In a runtime of its own: a connection that is open still would be waited for when the server stops.
    let (book_id, college, indexes) = in_runtime(applied(&world));
    Filed { world, book_id, college, indexes }
}

/// Applies; gives the book's id, the college's, and the applications.
async fn applied(world: &World) -> (String, String, [u64; 2]) {
    let session = Session::new(world).await;
    let college = session.college().await;
    let mut indexes = Vec::new();
    for kinds in [&[RecordKind::FormalCourse, RecordKind::Exam][..], &[RecordKind::Exam]] {
        let account = session.account().await.account_ref;
        let mut ids = Vec::new();
        for kind in kinds {
            let draft = Draft::of(*kind, &account);
            let draft =
                if *kind == RecordKind::Exam { draft.with(|draft| draft.facts.amount = None) } else { draft };
            session.deposit(&world.school, &draft).await;
            ids.push(draft.facts.record_id);
        }
        let ids: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        let (index, status) = session.applied(&Asked::credit(&college, &account, &world.school, &ids)).await;
        assert_eq!(status, ApplicationStatus::UnderReview);
        indexes.push(index);
    }
    // What is decided later, and granted, changes nothing of what was asked.
    session.decide(&college, indexes[0], DecisionOutcome::Approve, |_| {}).await.expect("a decision");
    (college.book_id(), college.institution.id, [indexes[0], indexes[1]])
}

impl Filed {
    /// A version of the book in a file, with something in its text replaced.
    fn version(&self, version: u32, from: &str, to: &str) -> String {
        let school: &Institution = &self.world.school;
        let written = book_text(&self.book_id, version, &self.college, &school.id);
        assert!(written.contains(from), "{from}");
        let written = written.replace(from, to);
        Book::from_toml(&written).unwrap_or_else(|findings| panic!("{findings:?}"));
        let path = self.world.bank.folder().join(format!("version-{}.toml", unique("")));
        std::fs::write(&path, written).expect("a book");
        path.display().to_string()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.world.bank.must(&[&["--output", "json", "rules", "diff"], arguments].concat());
        serde_json::from_str::<Value>(&said).expect("JSON")["applications"].clone()
    }

    fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.world.bank.run(&[&["rules", "diff"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        text(&output)
    }
}

fn day() -> String {
    let day = today();
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

#[test]
fn applications_of_a_stopped_ledger_are_reckoned_under_either_version() {
    let filed = filed();
    let old = filed.version(1, "", "");
    // The new version is not in force for long, and caps what the rule of courses may grant.
    let new = filed.version(2, "max = \"20 cr\"", "max = \"2 cr\"");
    let later =
        std::fs::read_to_string(&new).expect("a book").replace("from = 2020-01-01", "from = 2090-01-01");
    std::fs::write(&new, later).expect("a book");
    let asked = [old.as_str(), new.as_str(), "--ledger"];
    // Nobody looks into the files of a ledger that runs.
    filed.ends(4, &asked);
    assert!(filed.world.bank.stop().success(), "{}", filed.world.bank.log());

    let [first, second] = filed.indexes;
    let said = filed.ends(0, &asked);
    let shown = format!(
        "application {first} ({}, conversion of credit {}:BA): 2.5 T_XF -> 2 T_XF",
        day(),
        filed.college
    );
    assert!(said.contains(&shown), "{said}");
    assert!(!said.contains(&format!("application {second} ")), "{said}");
    let line = |rule: &str| {
        let line = said.lines().find(|line| line.starts_with(rule)).unwrap_or_else(|| panic!("{said}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("transfer "), ["transfer", "elective", "T_XF", "2.5", "2"]);
    assert_eq!(line("english ")[3..], ["met", "met"]);
    let counted =
        "2 looked at: 1 come out the same, 0 with more, 1 with less, 0 otherwise; 0 can't be reckoned";
    assert!(
        said.contains(counted) && said.contains("T_XF: 2.5 by the old version, 2 by the new one"),
        "{said}"
    );
    let chinese = filed.ends(0, &[asked.as_slice(), &["--lang", "zh"]].concat());
    assert!(chinese.contains(&format!(
        "申请 {first}（{}，学分转换 {}:BA）：2.5 T_XF → 2 T_XF",
        day(),
        filed.college
    )));
    assert!(chinese.contains("看了 2 份：相同 1，增加 0，减少 1，其他不同 0，无法重算 0"), "{chinese}");

    let found = filed.json(&asked);
    assert_eq!((&found["applications"], &found["looked_at"]), (&json!(2), &json!(2)));
    assert_eq!(found["counts"], json!({ "same": 1, "more": 0, "less": 1, "other": 0, "not_reckoned": 0 }));
    assert_eq!(found["not_reckoned"], json!([]));
    let [one] = found["differing"].as_array().expect("a list").as_slice() else { panic!("{found}") };
    assert_eq!((&one["application_index"], &one["outcome"]), (&json!(first), &json!("LESS")));
    assert_eq!((&one["day"], &one["filed_under_version"]), (&json!(day()), &json!(1)));
    assert_eq!(one["old"]["sums"], json!([{ "scheme": "T_XF", "credits_milli": 2_500 }]));
    assert_eq!(one["new"]["sums"], json!([{ "scheme": "T_XF", "credits_milli": 2_000 }]));
    let items = one["items"].as_array().expect("items");
    assert_eq!(items.len(), 2);
    let changed: Vec<&Value> = items.iter().filter(|item| item["differs"] == json!(true)).collect();
    assert_eq!(changed.len(), 1, "{one}");
    assert_eq!((&changed[0]["rule"], &changed[0]["place"]), (&json!("transfer"), &json!("elective")));
    assert_eq!(changed[0]["old"]["credits_milli"], 2_500);
    assert_eq!(changed[0]["new"]["credits_milli"], 2_000);

    // The last one only; the other way round; the same twice.
    let last = filed.json(&[asked.as_slice(), &["--last", "1"]].concat());
    assert_eq!((&last["applications"], &last["looked_at"]), (&json!(2), &json!(1)));
    assert_eq!((&last["counts"]["same"], &last["differing"]), (&json!(1), &json!([])));
    let turned = filed.json(&[&new, &old, "--ledger"]);
    assert_eq!((&turned["counts"]["more"], &turned["counts"]["less"]), (&json!(1), &json!(0)));
    assert_eq!(filed.json(&[&old, &old, "--ledger"])["counts"]["same"], 2);
    assert_eq!(filed.json(&[&old, &new]), Value::Null, "without --ledger no ledger is looked at");
}

#[test]
fn what_a_version_does_not_grant_or_cannot_be_asked_is_told_with_its_reason() {
    let filed = filed();
    assert!(filed.world.bank.stop().success(), "{}", filed.world.bank.log());
    let old = filed.version(1, "", "");
    let [first, second] = filed.indexes;
    // The rule of examinations asks for something else: of the second application nothing is left.
    let strict = filed.version(2, "record_kind = \"exam\"", "record_kind = \"skill_grade\"");
    let found = filed.json(&[&old, &strict, "--ledger"]);
    let of = |index: u64| {
        let list = found["differing"].as_array().expect("a list");
        list.iter().find(|one| one["application_index"] == json!(index)).expect("it differs").clone()
    };
    assert_eq!(of(second)["new"]["refusal"]["reason"], "NOTHING_GRANTED");
    assert_eq!((&of(second)["outcome"], &of(first)["outcome"]), (&json!("LESS"), &json!("OTHER")));
    let said = filed.ends(0, &[&old, &strict, "--ledger"]);
    assert!(said.contains("granted, without credit -> nothing"), "{said}");
    assert!(said.contains("  nothing by the new version: "), "{said}");
    // A version that has no such programme grants nothing; two of that kind can't be compared.
    let elsewhere = filed.version(3, ":BA\"", ":MA\"");
    let found = filed.json(&[&old, &elsewhere, "--ledger"]);
    assert_eq!(found["counts"]["less"], 2, "{found}");
    assert_eq!(found["differing"][0]["new"]["refusal"]["reason"], "TARGET_UNKNOWN");
    let found = filed.json(&[&elsewhere, &elsewhere, "--ledger"]);
    assert_eq!(found["counts"]["not_reckoned"], 2, "{found}");
    assert_eq!(found["not_reckoned"][0]["reason"], "TARGET_UNKNOWN");
    let said = filed.ends(0, &[&elsewhere, &elsewhere, "--ledger"]);
    assert!(said.contains("can't be reckoned again: "), "{said}");

    // Two books are no two versions; a book that nobody applied under has no past.
    let other = filed.version(1, &format!("id = \"{}\"", filed.book_id), "id = \"test.another\"");
    filed.ends(2, &[&old, &other, "--ledger"]);
    let said = filed.ends(0, &[&other, &other, "--ledger"]);
    assert!(said.contains("no applications under the rule book test.another"), "{said}");
    filed.ends(2, &[&old, &old, "--last", "1"]);
    filed.ends(2, &[&old, &old, "--ledger", "--last", "0"]);
}
