//! The closed list of what can be found, each with its check, its weight, and what to do about it.

use super::{Severity, StaticCheck};
use crate::value::Label;
use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal $check:ident $severity:ident $zh:literal $en:literal,)+) => {
        /// What sort of thing is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Code {
            /// All of them, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The check that finds it.
            pub fn check(self) -> StaticCheck {
                match self {
                    $(Self::$name => StaticCheck::$check,)+
                }
            }

            /// Whether it keeps the book from being published.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }

            /// What to do.
            pub fn remedy(self) -> Label {
                let (zh, en) = match self {
                    $(Self::$name => ($zh, $en),)+
                };
                Label { zh: zh.to_owned(), en: en.to_owned() }
            }
        }
    };
}

codes! {
    /// The text is no TOML, or no JSON.
    Syntax = "SYNTAX" S1 Error
        "按提示位置修正语法" "correct the syntax at this place",
    /// The file is larger than a book may be.
    BookTooLarge = "BOOK_TOO_LARGE" S1 Error
        "拆成几本规则书" "divide it into several books",
    /// Tables or lists stand too deep in each other.
    NestedTooDeep = "NESTED_TOO_DEEP" S1 Error
        "减少嵌套层数" "nest less deeply",
    /// A field that the form does not have.
    UnknownField = "UNKNOWN_FIELD" S1 Error
        "删去该字段或改正拼写" "remove the field, or correct its spelling",
    /// A field that must be there.
    MissingField = "MISSING_FIELD" S1 Error
        "补上该字段" "add the field",
    /// A field that stands there twice.
    DuplicateField = "DUPLICATE_FIELD" S1 Error
        "只保留一处" "keep one of them",
    /// A word that is not one of a closed list.
    UnknownWord = "UNKNOWN_WORD" S1 Error
        "改用列出的词之一" "use one of the words of the list",
    /// A value of another type.
    WrongType = "WRONG_TYPE" S1 Error
        "按要求的类型书写" "write a value of the type that is asked for",
    /// A text that is not of the form that its place asks for.
    BadForm = "BAD_FORM" S1 Error
        "按要求的格式书写" "write it in the form that is asked for",
    /// A value that its place does not allow.
    BadValue = "BAD_VALUE" S1 Error
        "按提示改正" "correct it as the message says",
    /// A list that is longer than its limit.
    TooMany = "TOO_MANY" S1 Error
        "缩短该列表, 或拆分" "shorten the list, or divide it",
    /// A number outside its bounds.
    OutOfRange = "OUT_OF_RANGE" S1 Error
        "改为范围内的数" "use a number within the bounds",
    /// Fields of which exactly one must be said.
    ExactlyOne = "EXACTLY_ONE" S1 Error
        "恰好填写其中一项" "say exactly one of them",
    /// The canonical bytes are not the canonical form.
    NotCanonical = "NOT_CANONICAL" S1 Error
        "用规范化输出的字节" "use the bytes that canonicalisation gives",
    /// An id that is used twice.
    DuplicateId = "DUPLICATE_ID" S1 Error
        "换一个编号" "choose another id",
    /// A bundle has more terms than may be tried.
    BundleTooLarge = "BUNDLE_TOO_LARGE" S7 Error
        "减少组合, 或拆成几条规则" "offer fewer combinations, or divide the rule",
    /// More was found than is listed.
    TooManyFindings = "TOO_MANY_FINDINGS" S1 Error
        "先改正已列出的问题" "correct what is listed first",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_have_a_remedy_in_both_languages() {
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            let Label { zh, en } = code.remedy();
            assert!(!zh.is_ascii() && en.is_ascii(), "{}", code.code());
        }
    }
}
