//! The rule book of these tests.

use credit_rules::book::Book;
use credit_rules::program::Program;
use credit_types::{BookVersion, FrameworkId};

/// Two programmes, of `cn.u` and `cn.v`, that take from each other; an award with a requirement and one with steps.
pub(super) const BOOK: &str = r#"
schema = "rulebook/1"
id = "bank"
version = 1
effective = { from = 2025-09-01 }
labels = { zh = "测试规则", en = "Rules of these tests" }
evidence = [{ kind = "sample", cite = "all of it" }]
xs_minutes = 45

[standards]
CN_XF = { label = { zh = "学分", en = "Credit" }, step = "0.5 cr", learning = "18 xs / 1 cr" }

[ladders.nqf]
label = { zh = "框架", en = "Framework" }
levels = [
  { level = 1, label = { zh = "一级", en = "level 1" } },
  { level = 2, label = { zh = "二级", en = "level 2" } },
  { level = 3, label = { zh = "三级", en = "level 3" } },
]

[programmes.U-AD]
label = { zh = "甲", en = "U" }
institution = "cn.u"
std = "CN_XF"
total = "60 cr"
requirement = [
  { id = "elective", labels = { zh = "选修", en = "Electives" }, credit = "30 cr" },
  { id = "professional", labels = { zh = "专业", en = "Professional" }, credit = "26 cr" },
  { id = "core", labels = { zh = "必修", en = "Core" }, credit = "4 cr", courses = "cn.u:C1" },
]

[programmes.V-AD]
label = { zh = "乙", en = "V" }
institution = "cn.v"
std = "CN_XF"
total = "60 cr"
requirement = [
  { id = "elective", labels = { zh = "选修", en = "Electives" }, credit = "30 cr" },
  { id = "visits", labels = { zh = "实践", en = "Visits" }, credit = "30 cr" },
]

[[rule]]
id = "hours"
kind = "training"
labels = { zh = "18 学时 1 学分", en = "18 class hours a credit" }
when = { record_kind = "nondegree_course", hour_kind = "contact", min_hours = "9 xs" }
convert = { ratio = "18 xs / 1 cr", std = "CN_XF", round = "floor", step = "0.5 cr" }
award = { pool = "elective", trim = true }
cap = { per = "rule", max = "12 cr" }
auto = true

[[rule]]
id = "grades"
kind = "skill"
labels = { zh = "技能等级", en = "Skill grades" }
when = { record_kind = "skill_grade" }
convert = { std = "CN_XF", step = "0.5 cr" }
award = { pool = "professional", trim = true }
cap = { per = "rule", max = "12 cr" }
consumption = "consume_global"
[rule.table]
hit = "unique"
ladder = "nqf"
rows = [
  { level = 1, label = { zh = "一级", en = "level 1" }, credit = "1 cr" },
  { level = 2, label = { zh = "二级", en = "level 2" }, credit = "2 cr" },
  { level = 3, label = { zh = "三级", en = "level 3" }, credit = "4 cr" },
]

[[rule]]
id = "visits"
kind = "practice"
labels = { zh = "实践计入, 不占用", en = "Counts as practice, uses nothing up" }
when = { record_kind = "skill_grade" }
convert = { from = "credit_value", std = "CN_XF" }
award = { pool = "visits", trim = true }
cap = { per = "rule", max = "20 cr" }
consumption = "non_consuming"

[[rule]]
id = "pair"
kind = "bundle"
labels = { zh = "两门课一起", en = "Two courses together" }
award = { course = "cn.u:C1", credit = "4 cr", std = "CN_XF", whole = true }
cap = { per = "target", max = "4 cr" }
auto = true
[rule.bundle]
all = [{ course = "cn.t:A" }, { course = "cn.t:B" }]

[[rule]]
id = "transfer"
kind = "transfer"
labels = { zh = "学历课程互认", en = "Courses for courses" }
when = { record_kind = "formal_course", std = "CN_XF" }
convert = { from = "credit_value", std = "CN_XF" }
award = { pool = "elective", trim = true }
cap = { per = "rule", max = "20 cr" }

[[rule]]
id = "trial"
kind = "exam"
labels = { zh = "考试, 先行认定", en = "Examinations, provisionally" }
when = { record_kind = "exam" }
convert = { from = "credit_value", std = "CN_XF" }
award = { pool = "elective", trim = true }
cap = { per = "rule", max = "6 cr" }
auto = true
provisional = true

[[award]]
id = "diploma"
labels = { zh = "证书", en = "Diploma" }
institution = "cn.u"
std = "CN_XF"
consumption = "consume_global"
requirement = [{ id = "total", labels = { zh = "总学分", en = "Total" }, credit = "6 cr" }]

[[award]]
id = "badge"
labels = { zh = "徽章", en = "Badge" }
institution = "cn.v"
std = "CN_XF"
consumption = "non_consuming"
ladder = [
  { id = "bronze", labels = { zh = "铜级", en = "Bronze" }, credit = "2 cr" },
  { id = "silver", labels = { zh = "银级", en = "Silver" }, credit = "4 cr" },
]
"#;

/// The book at another version.
pub(super) fn version(number: u32) -> String {
    BOOK.replacen("version = 1", &format!("version = {number}"), 1)
}

/// A book as its publication names it, made ready.
pub(super) fn published(text: &str) -> (BookVersion, Program) {
    let book = Book::from_toml(text).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let name = BookVersion { book_id: FrameworkId::new(book.id.as_str()).unwrap(), version: book.version };
    (name, Program::new(book).unwrap())
}
