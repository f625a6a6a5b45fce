//! What a parser says, in both languages and with a code that stays.

use super::place::Lines;
use crate::finding::{Code, Finding};
use crate::path::BookPath;
use toml::de::Error;

/// Forms of values in Chinese, by the English text that a value's own error has.
const FORMS: &[(&str, &str)] = &[
    ("an amount of credit such as", "学分，如 \"2.5 cr\"，0 到 1000000，最多三位小数"),
    ("a time such as", "时间，如 \"16 h\"、\"45 min\" 或 \"16 xs\"（学时），须为整分钟"),
    ("a share such as", "百分比，如 \"37.5 %\"，0 到 100，最多两位小数"),
    ("an amount such as", "学分（\"4 cr\"）、时间（\"60 h\"）或百分比（\"30 %\"）"),
    ("a ratio such as", "比率，如 \"2/3\" 或 \"16 h / 1 cr\"，各项 1 到 1000000000"),
    ("a day of the year such as", "月日，如 \"03-31\""),
    ("a day such as", "日期，如 2026-09-01，不带时刻"),
    ("a period such as", "期间，如 \"5 y\"、\"18 m\" 或 \"30 d\"，最长 100 年"),
    ("an id of 1 to 128", "编号：1 到 128 个 ASCII 字符，首字符为字母或数字，其后可用 . _ ：@ + / -"),
    ("a word of 1 to 1024", "词：1 到 1024 字节，无控制字符，首尾无空格"),
    ("a number with at most", "数，最多三位小数，如 24 或 \"0.5\""),
    ("a level from 0", "等级，0 到 100，如 5 或 \"5.5\""),
    ("\"int\", \"number\"", "事实类型：\"int\"、\"number\"、\"bool\" 或 \"enum:甲|乙\""),
    ("\"hours\", \"credit_value\"", "\"hours\"、\"credit_value\" 或 \"fact:\" 加事实名"),
    (
        "level, skill_level",
        "表的列：level、grade、score、hours、credit_value、record_kind、course、subject、occupation、\
      issuer、已声明的事实名，或 \"programme.\" 加事实名",
    ),
    ("one of", "列出的词之一"),
];

/// The beginnings of what parsers say of types, with the code that each has and its Chinese.
const STARTS: &[(&str, Code, &str)] = &[
    ("unknown field", Code::UnknownField, "没有这个字段"),
    ("missing field", Code::MissingField, "缺少字段"),
    ("duplicate field", Code::DuplicateField, "字段重复"),
    ("duplicate key", Code::DuplicateField, "键重复"),
    ("unknown variant", Code::UnknownWord, "不是可用的词"),
    ("invalid type", Code::WrongType, "类型不符"),
    ("invalid value", Code::BadValue, "值不可用"),
    ("invalid length", Code::BadValue, "长度不符"),
    ("label ", Code::BadForm, "标签须为 1 到 1024 字节且无控制字符"),
    ("a row grants exactly one", Code::ExactlyOne, "一行恰好写 credit、ratio、each、share 之一"),
    ("a row asks about at most", Code::TooMany, "一行的列数超过上限（TABLE_COLUMNS_MAX）"),
    ("at most ", Code::TooMany, "列表超过上限"),
    ("needs at_least", Code::BadForm, "须写 at_least、below 或两者"),
    ("level and skill_level", Code::DuplicateField, "level 与 skill_level 是同一列"),
    (
        "the hit policy",
        Code::UnknownWord,
        "该命中策略取决于行的先后，不提供；用 unique、any、highest，或带上限的 sum",
    ),
    ("the number is too large", Code::OutOfRange, "数太大"),
    ("too large", Code::OutOfRange, "数太大"),
];

/// The code of a message, and the message in Chinese with the English in it where that says more.
fn worded(message: &str) -> (Code, String) {
    if let Some(rest) = message.strip_prefix("must be ") {
        let form = FORMS.iter().find(|(english, _)| rest.starts_with(english));
        let zh = form.map_or_else(|| rest.to_owned(), |(_, chinese)| (*chinese).to_owned());
        let is = rest.rsplit_once(", is ").map(|(_, is)| format!("，现为 {is}")).unwrap_or_default();
        return (Code::BadForm, format!("须为{zh}{is}"));
    }
    match STARTS.iter().find(|(start, _, _)| message.starts_with(start)) {
        Some((start, code, zh)) => {
            let rest = message.strip_prefix(start).unwrap_or_default().trim_start_matches([':', ' ']);
            let rest = rest.replace(", expected one of", "，可用").replace(", expected", "，应为");
            let says_all =
                matches!(code, Code::BadForm | Code::ExactlyOne | Code::TooMany | Code::OutOfRange)
                    || start.starts_with("the hit")
                    || start.starts_with("level and");
            let zh = if rest.is_empty() || says_all { (*zh).to_owned() } else { format!("{zh}：{rest}") };
            (*code, zh)
        }
        None => (Code::BadValue, format!("值不可用：{message}")),
    }
}

/// One line of it: what a parser says after is a picture of the place, which the finding has as numbers.
fn line(message: &str) -> &str {
    message.lines().next().unwrap_or_default().trim_end_matches('.')
}

/// An error of syntax.
pub(super) fn of_syntax(error: &Error, lines: &Lines<'_>, path: BookPath) -> Finding {
    let message = line(error.message());
    let code = if message.starts_with("duplicate key") { Code::DuplicateField } else { Code::Syntax };
    let zh = format!("TOML 语法错误：{message}");
    placed(Finding::new(code, path, zh, format!("no valid TOML: {message}")), error, lines)
}

/// An error of a type.
pub(super) fn of_type(error: &Error, lines: &Lines<'_>, path: BookPath) -> Finding {
    let message = line(error.message());
    let (code, zh) = worded(message);
    placed(Finding::new(code, path, zh, message.to_owned()), error, lines)
}

fn placed(mut finding: Finding, error: &Error, lines: &Lines<'_>) -> Finding {
    finding.place = Some(lines.span(error.span().unwrap_or(0..0)));
    finding
}

/// An error of JSON, whose text has no place that a person would look at.
pub(super) fn of_json(error: &serde_json::Error) -> Finding {
    let text = error.to_string();
    let message = line(&text);
    let (code, zh) = match error.classify() {
        serde_json::error::Category::Data => worded(message),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => (Code::Syntax, format!("JSON 语法错误：{message}")),
    };
    Finding::new(code, BookPath::default(), zh, message.to_owned())
}
