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
    /// A character that nobody sees.
    HiddenCharacter = "HIDDEN_CHARACTER" S1 Error
        "删去这个看不见的字符" "remove the character, which nobody sees",
    /// A letter that is not written in its one form.
    NotNormal = "NOT_NORMAL" S1 Error
        "把文件转换为 Unicode 规范形式 C" "convert the file to Unicode normal form C",
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
        "缩短该列表，或拆分" "shorten the list, or divide it",
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
        "减少组合，或拆成几条规则" "offer fewer combinations, or divide the rule",
    /// More was found than is listed.
    TooManyFindings = "TOO_MANY_FINDINGS" S1 Error
        "先改正已列出的问题" "correct what is listed first",
    /// A group of issuers that the book does not declare.
    UnknownGroup = "UNKNOWN_GROUP" S1 Error
        "在 [groups] 中声明该机构组，或改用已声明的" "declare the group in [groups], or name one that is declared",
    /// A standard that the book does not declare.
    UnknownStandard = "UNKNOWN_STANDARD" S1 Error
        "在 standards 中声明该学分标准，或改用已声明的" "declare the standard in standards, or name one that is declared",
    /// A scale that the book does not declare.
    UnknownScale = "UNKNOWN_SCALE" S1 Error
        "在 [scales] 中声明该成绩制，或改用已声明的" "declare the scale in [scales], or name one that is declared",
    /// A ladder that the book does not declare.
    UnknownLadder = "UNKNOWN_LADDER" S1 Error
        "在 [ladders] 中声明该等级体系，或改用已声明的" "declare the ladder in [ladders], or name one that is declared",
    /// A level that its ladder does not have.
    UnknownLevel = "UNKNOWN_LEVEL" S1 Error
        "改用该等级体系中的等级" "use a level of the ladder",
    /// A grade that its scale does not have.
    UnknownGrade = "UNKNOWN_GRADE" S1 Error
        "改用该成绩制中的成绩" "use a grade of the scale",
    /// A programme that the book does not declare.
    UnknownProgramme = "UNKNOWN_PROGRAMME" S1 Error
        "在 [programmes] 中声明该专业，或改用已声明的" "declare the programme in [programmes], or name one that is declared",
    /// A pool or a course that no programme of the book has a place for.
    UnknownTarget = "UNKNOWN_TARGET" S1 Error
        "在某个专业的要求中写明它，或改用已有的" "name it in a requirement of a programme, or use one that is named",
    /// A target that no programme of the book has a place for: credit of a standard alone.
    TargetNowhere = "TARGET_NOWHERE" S1 Warning
        "确认只按标准计学分、不进任何专业是本意" "see that it is meant to count as credit of the standard, in no programme",
    /// A requirement that the programme does not have.
    UnknownRequirement = "UNKNOWN_REQUIREMENT" S1 Error
        "改用专业中已有的要求" "name a requirement that the programme has",
    /// A rule that the book does not have.
    UnknownRule = "UNKNOWN_RULE" S1 Error
        "改用规则书中已有的规则编号" "use the id of a rule of the book",
    /// A kind that no rule of the book has.
    UnknownKind = "UNKNOWN_KIND" S1 Error
        "改用某条规则的 kind，或 \"*\"" "use the kind of a rule, or \"*\"",
    /// A grade map that the book does not have.
    UnknownGradeMap = "UNKNOWN_GRADE_MAP" S1 Error
        "改用规则书中已有的成绩对照表" "use the id of a grade map of the book",
    /// A class that the compliance rule does not have.
    UnknownClass = "UNKNOWN_CLASS" S1 Error
        "改用 classes 中已有的类别" "use a class of classes",
    /// A fact that is used and not declared.
    UndeclaredFact = "UNDECLARED_FACT" S1 Error
        "在该规则的 facts 中声明" "declare it in the facts of the rule",
    /// A fact that is declared and not used.
    UnusedFact = "UNUSED_FACT" S1 Warning
        "删去，或在条件中使用" "remove it, or use it in a condition",
    /// A comparison that the fact's type does not have.
    FactType = "FACT_TYPE" S1 Error
        "按事实的类型书写比较" "compare it as its type allows",
    /// A cell that the column's values do not have.
    CellType = "CELL_TYPE" S1 Error
        "按该列的类型书写" "write the cell as the column's values are",
    /// A level without the ladder that it is of.
    LevelWithoutLadder = "LEVEL_WITHOUT_LADDER" S1 Error
        "写明 ladder" "say the ladder",
    /// Units that do not go together.
    UnitMismatch = "UNIT_MISMATCH" S1 Error
        "使单位一致：时间用时间比率，学分用纯比率" "make the units agree: a ratio of time for time, a plain one for credit",
    /// Class hours in a book that does not say how long one is.
    ClassHours = "CLASS_HOURS" S1 Error
        "在书首写明 xs_minutes（每学时分钟数）" "say xs_minutes, the minutes of a class hour, at the top of the book",
    /// Time of whatever sort.
    HourKindUnsaid = "HOUR_KIND_UNSAID" S1 Warning
        "在 when 中写明 hour_kind：不同种类的学时不应混算" "say hour_kind in when: hours of different kinds should not be mixed",
    /// Credit of whatever standard.
    StandardUnsaid = "STANDARD_UNSAID" S1 Warning
        "在 when 中写明 std：不同标准的学分不应混算" "say std in when: credit of different standards should not be mixed",
    /// Credit whose standard nothing says.
    TargetWithoutStandard = "TARGET_WITHOUT_STANDARD" S1 Error
        "在 convert 或 award 中写明 std" "say std in convert or in award",
    /// An amount that is no multiple of the standard's step.
    OffStep = "OFF_STEP" S1 Error
        "改为该标准最小单位的倍数" "use a multiple of the standard's step",
    /// A share that does not say of what.
    PercentWithoutOf = "PERCENT_WITHOUT_OF" S1 Error
        "写明 of：programme_credit 或 requirement_credit" "say of: programme_credit or requirement_credit",
    /// Of what, without a share.
    OfWithoutPercent = "OF_WITHOUT_PERCENT" S1 Error
        "删去 of，或改用百分比" "remove of, or use a share",
    /// A share of what was awarded.
    OfAwarded = "OF_AWARDED" S1 Error
        "改用 programme_credit 或 requirement_credit：上限不能取决于结果" "use programme_credit or requirement_credit: a maximum must not depend on the answer",
    /// A ratio of two standards that is not that of their learning hours.
    HubRatio = "HUB_RATIO" S1 Error
        "改为学时之比，或写明 justification" "use the ratio of the learning hours, or say a justification",
    /// A rule that grants nothing.
    NothingGranted = "NOTHING_GRANTED" S1 Error
        "写 convert、table、award 的 credit 或 block，或 no_articulation" "say convert, table, credit or block in award, or no_articulation",
    /// Values of a table that no row meets.
    TableGap = "TABLE_GAP" S2 Error
        "补一行，或从 complete_over 中去掉该列" "add a row, or take the column out of complete_over",
    /// Rows that meet the same values.
    TableOverlap = "TABLE_OVERLAP" S2 Error
        "使各行互不重叠，或改用 any、highest" "make the rows exclude each other, or use any or highest",
    /// Rows that meet the same values and say different things.
    RowsDisagree = "ROWS_DISAGREE" S2 Error
        "使重叠的行给出相同结果，或改用 highest" "make rows that overlap say the same, or use highest",
    /// A sum without a maximum.
    SumWithoutCap = "SUM_WITHOUT_CAP" S2 Error
        "给规则加上限 cap" "give the rule a cap",
    /// A table that can't be checked within its budget.
    TableTooWide = "TABLE_TOO_WIDE" S2 Error
        "减少列或行，或拆成几张表" "use fewer columns or rows, or divide the table",
    /// Grades that a map does not meet.
    GradeMapGap = "GRADE_MAP_GAP" S2 Warning
        "补一行；否则这些成绩会被拒绝" "add a row: these grades are refused otherwise",
    /// Two rules for the same records and the same target.
    RulesOverlap = "RULES_OVERLAP" S3 Error
        "让较特殊的一条写 overrides，或两条都写 choose = \"best\"，或缩小条件" "let the more special one say overrides, or both choose = \"best\", or narrow a condition",
    /// Two rules of different kinds for the same records and the same course.
    KindsOverlap = "KINDS_OVERLAP" S3 Warning
        "确认由最优方案选择是本意，或写 overrides" "see that the best plan is meant to choose, or say overrides",
    /// Rules that can't be held against each other within the budget.
    OverlapBudget = "OVERLAP_BUDGET" S3 Error
        "让规则写明课程、机构或记录种类" "let rules name courses, issuers or kinds of records",
    /// A rule that never applies, for others override all of it.
    RuleUnreachable = "RULE_UNREACHABLE" S4 Error
        "删去该规则，或缩小覆盖它的规则" "remove the rule, or narrow those that override it",
    /// A window that has no day.
    WindowEmpty = "WINDOW_EMPTY" S4 Error
        "使 until 晚于 from" "let until be after from",
    /// Conditions that nothing fulfils.
    Impossible = "IMPOSSIBLE" S4 Error
        "改正互相矛盾的条件" "correct the conditions that contradict each other",
    /// A rule that may grant without end.
    Unbounded = "UNBOUNDED" S5 Error
        "加上限 cap，或改 consumption，或写 uncapped 理由" "add a cap, change consumption, or say in uncapped why not",
    /// Conversions round a circle that make credit out of nothing.
    RatioCycle = "RATIO_CYCLE" S6 Error
        "降低其中一个比率，使一圈的乘积不大于 1" "lower one of the ratios, so that the product round the circle is at most 1",
    /// A circle of conversions that can't be worked out within the budget.
    RatioBudget = "RATIO_BUDGET" S6 Error
        "减少互相换算的标准，或用项较小的比率" "use fewer standards that convert into each other, or ratios with smaller terms",
    /// Rounding up of each record, which earns more than rounding their sum.
    RoundUpPerRecord = "ROUND_UP_PER_RECORD" S6 Error
        "改为合计后舍入，或向下舍入，或写 justification" "round the total, or down, or say a justification",
    /// Rounding halves up of each record, which earns more than rounding their sum.
    HalvesPerRecord = "HALVES_PER_RECORD" S6 Warning
        "确认逐份舍入后再合计是本意" "see that rounding each record before the sum is meant",
    /// Rounding up.
    RoundsUp = "ROUNDS_UP" S6 Warning
        "确认进一舍入是本意" "see that rounding up is meant",
    /// Rules that override each other round a circle.
    OverrideCycle = "OVERRIDE_CYCLE" S7 Error
        "去掉其中一个 overrides" "remove one of the overrides",
    /// A bundle that no records fulfil.
    BundleUnsatisfiable = "BUNDLE_UNSATISFIABLE" S7 Error
        "改正组合条件" "correct the bundle",
    /// A bundle that no records at all fulfil.
    BundleEmpty = "BUNDLE_EMPTY" S7 Error
        "组合至少要一份记录" "let the bundle ask for a record",
    /// Whole credit above a maximum: it can never be granted.
    WholeOverCap = "WHOLE_OVER_CAP" S7 Error
        "提高上限，或降低学分，或去掉 whole" "raise the maximum, lower the credit, or remove whole",
    /// A higher level or grade that earns less.
    HigherEarnsLess = "HIGHER_EARNS_LESS" S8 Error
        "使较高的不少于较低的" "let the higher earn at least as much",
    /// A decay that rises with age, or is above 1.
    DecayRises = "DECAY_RISES" S8 Error
        "使各步系数不增且不大于 1" "let factors fall with age, from at most 1",
    /// Steps out of order.
    StepsOutOfOrder = "STEPS_OUT_OF_ORDER" S8 Error
        "按从小到大排列，不得重复" "write them in rising order, none twice",
    /// A better grade that becomes a worse one.
    GradeMapFalls = "GRADE_MAP_FALLS" S8 Error
        "使较好的成绩不换成较差的" "let a better grade never become a worse one",
    /// A higher level that becomes a lower one.
    LevelMapFalls = "LEVEL_MAP_FALLS" S8 Error
        "使较高的等级不对应较低的" "let a higher level never become a lower one",
    /// A version that exists, or is not above those before.
    VersionTaken = "VERSION_TAKEN" S9 Error
        "用更大的版本号" "use a higher version",
    /// Days between two versions that no version holds for.
    VersionGap = "VERSION_GAP" S9 Error
        "使 from 等于上一版的 until" "let from be the until of the version before",
    /// Days that two versions hold for.
    VersionOverlap = "VERSION_OVERLAP" S9 Error
        "使 from 不早于上一版的 until，或写 retroactive = true" "let from be no earlier than the version before allows, or say retroactive = true",
    /// A version that begins before it is published.
    Retroactive = "RETROACTIVE" S9 Error
        "推迟 from，或写 retroactive = true" "let from be later, or say retroactive = true",
    /// A wrong version that is said to be replaced.
    Supersedes = "SUPERSEDES" S9 Error
        "supersedes 写上一版的版本号" "let supersedes be the version before",
    /// A rule that no worked case shows to hold.
    NoPositiveCase = "NO_POSITIVE_CASE" S11 Error
        "加一个成立的算例" "add a case in which it holds",
    /// A rule that no worked case shows to refuse.
    NoNegativeCase = "NO_NEGATIVE_CASE" S11 Error
        "加一个不成立的算例" "add a case in which it does not hold",
    /// A case about something that the book does not have.
    CaseUnknown = "CASE_UNKNOWN" S11 Error
        "改用规则书中已有的编号" "use an id of the book",
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
