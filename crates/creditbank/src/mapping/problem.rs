//! What is wrong with a row, and what to do about it, in both languages.

use credit_types::Text;

/// The most letters of a value that a report repeats.
pub(crate) const SHOWN_CHARS_MAX: usize = 40;

/// A row that can't become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// The column, or the template over several; empty where the whole row is meant.
    pub(crate) column: String,
    /// The mapping's field that reads it; empty where the whole row is meant.
    pub(crate) field: String,
    /// What is wrong.
    pub(crate) problem: Problem,
}

/// What is wrong with a value or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The row has another count of fields than the header.
    FieldCount {
        /// Count of columns.
        expected: usize,
        /// Count of fields.
        actual: usize,
    },
    /// There is no value.
    Empty,
    /// The value is not in the lookup table.
    NotInLookup {
        /// The value.
        value: String,
    },
    /// The value is not a decimal number.
    NotANumber {
        /// The value.
        value: String,
    },
    /// The number has more decimals than are kept.
    TooManyDecimals {
        /// The value.
        value: String,
    },
    /// The value is not a whole number.
    NotWhole {
        /// The value.
        value: String,
    },
    /// The number is too small or too large.
    OutOfRange {
        /// The value.
        value: String,
        /// The smallest that is allowed.
        min: i64,
        /// The largest that is allowed.
        max: i64,
    },
    /// The credit is nothing, negative or too much.
    NotCredits {
        /// The value.
        value: String,
    },
    /// The value is not a date of the form the mapping names.
    NotADate {
        /// The value.
        value: String,
        /// The form.
        form: String,
    },
    /// The value is not one of a list.
    NotAnOption {
        /// The value.
        value: String,
        /// The list.
        options: String,
    },
    /// The text is too long.
    TooLong {
        /// The most bytes.
        bytes_max: usize,
    },
    /// The text is not of the form that is asked for.
    NotOfForm {
        /// The value.
        value: String,
        /// The form.
        form: &'static str,
    },
    /// The time is not a whole number of minutes, or out of bounds.
    NotMinutes {
        /// The value.
        value: String,
    },
    /// Two dates are in the wrong order.
    DateOrder {
        /// The field that must not be earlier.
        later: &'static str,
        /// The field it is earlier than.
        earlier: &'static str,
    },
    /// Neither a subject nor an occupation is named.
    NoSubject,
    /// There is no title in either language.
    NoTitle,
}

impl Problem {
    /// The beginning of a value, for reports.
    pub(crate) fn shown(value: &str) -> String {
        value.chars().take(SHOWN_CHARS_MAX).collect()
    }

    /// A stable name.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::FieldCount { .. } => "FIELD_COUNT",
            Self::Empty => "EMPTY",
            Self::NotInLookup { .. } => "NOT_IN_LOOKUP",
            Self::NotANumber { .. } => "NOT_A_NUMBER",
            Self::TooManyDecimals { .. } => "TOO_MANY_DECIMALS",
            Self::NotWhole { .. } => "NOT_WHOLE",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::NotCredits { .. } => "NOT_CREDITS",
            Self::NotADate { .. } => "NOT_A_DATE",
            Self::NotAnOption { .. } => "NOT_AN_OPTION",
            Self::TooLong { .. } => "TOO_LONG",
            Self::NotOfForm { .. } => "NOT_OF_FORM",
            Self::NotMinutes { .. } => "NOT_MINUTES",
            Self::DateOrder { .. } => "DATE_ORDER",
            Self::NoSubject => "NO_SUBJECT",
            Self::NoTitle => "NO_TITLE",
        }
    }

    /// What is wrong.
    pub(crate) fn text(&self) -> Text {
        let (zh, en) = match self {
            Self::FieldCount { expected, actual } => (
                format!("本行有 {actual} 列，表头有 {expected} 列"),
                format!("the row has {actual} fields, the header has {expected}"),
            ),
            Self::Empty => ("没有值".to_owned(), "there is no value".to_owned()),
            Self::NotInLookup { value } => {
                (format!("“{value}”不在对照表中"), format!("\"{value}\" is not in the lookup table"))
            }
            Self::NotANumber { value } => {
                (format!("“{value}”不是数字"), format!("\"{value}\" is not a number"))
            }
            Self::TooManyDecimals { value } => {
                (format!("“{value}”的小数位太多"), format!("\"{value}\" has too many decimals"))
            }
            Self::NotWhole { value } => {
                (format!("“{value}”不是整数"), format!("\"{value}\" is not a whole number"))
            }
            Self::OutOfRange { value, min, max } => (
                format!("“{value}”不在 {min} 到 {max} 之间"),
                format!("\"{value}\" is not between {min} and {max}"),
            ),
            Self::NotCredits { value } => (
                format!("学分“{value}”不在 0.001 到 1000000 之间"),
                format!("\"{value}\" credits are not between 0.001 and 1,000,000"),
            ),
            Self::NotADate { value, form } => (
                format!("“{value}”不是 {form} 形式的有效日期"),
                format!("\"{value}\" is not a date of the form {form}"),
            ),
            Self::NotAnOption { value, options } => {
                (format!("“{value}”不是 {options} 之一"), format!("\"{value}\" is not one of {options}"))
            }
            Self::TooLong { bytes_max } => {
                (format!("文字超过 {bytes_max} 字节"), format!("the text is longer than {bytes_max} bytes"))
            }
            Self::NotOfForm { value, form } => {
                (format!("“{value}”不符合格式：{form}"), format!("\"{value}\" must be {form}"))
            }
            Self::NotMinutes { value } => (
                format!("“{value}”不能换算成规定范围内的整数分钟"),
                format!("\"{value}\" does not make a whole number of minutes within bounds"),
            ),
            Self::DateOrder { later, earlier } => {
                (format!("{later} 早于 {earlier}"), format!("{later} is before {earlier}"))
            }
            Self::NoSubject => {
                ("没有专业代码或职业代码".to_owned(), "there is no subject or occupation code".to_owned())
            }
            Self::NoTitle => ("没有名称".to_owned(), "there is no title".to_owned()),
        };
        Text { zh, en }
    }

    /// What to do.
    pub(crate) fn remedy(&self) -> Text {
        let (zh, en) = match self {
            Self::FieldCount { .. } => (
                "检查本行是否多了或少了分隔符、引号",
                "look for a missing or extra delimiter or quotation mark",
            ),
            Self::Empty => (
                "补上这一格；若确实可以没有，在映射文件中写 optional = true",
                "fill the cell in; if it may be empty, write optional = true in the mapping",
            ),
            Self::NotInLookup { .. } => (
                "改正这一格，或在映射文件的对照表中加一行",
                "correct the cell, or add a row to the lookup table",
            ),
            Self::NotANumber { .. } => (
                "只写数字和一个小数点，例如 7.5",
                "write digits and at most one decimal point, for example 7.5",
            ),
            Self::TooManyDecimals { .. } => (
                "学分和成绩最多三位小数，等级和出勤率最多一位",
                "write at most three decimals, one in a level or attendance",
            ),
            Self::NotWhole { .. } => ("写整数", "write a whole number"),
            Self::OutOfRange { .. } => ("改成范围之内的数", "write a number within the bounds"),
            Self::NotCredits { .. } => (
                "改正学分；没有学分的行在映射文件中另作规定",
                "correct the credits; give rows without credit a rule of their own in the mapping",
            ),
            Self::NotADate { .. } => {
                ("改正日期，或在映射文件中改 form", "correct the date, or change form in the mapping")
            }
            Self::NotAnOption { .. } => {
                ("改正这一格，或在映射文件中加对照表", "correct the cell, or add a lookup to the mapping")
            }
            Self::TooLong { .. } => ("缩短文字", "shorten the text"),
            Self::NotOfForm { .. } => ("改正这一格", "correct the cell"),
            Self::NotMinutes { .. } => {
                ("检查学时和每学时分钟数", "check the hours and the minutes of a class hour")
            }
            Self::DateOrder { .. } => ("改正其中一个日期", "correct one of the two dates"),
            Self::NoSubject => (
                "在表格或映射文件中给出其中一个代码",
                "give one of the codes in the spreadsheet or the mapping",
            ),
            Self::NoTitle => ("在表格或映射文件中给出名称", "give a title in the spreadsheet or the mapping"),
        };
        Text { zh: zh.to_owned(), en: en.to_owned() }
    }
}
