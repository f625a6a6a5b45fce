//! What is wrong with a record under a rule, and what to do about it.

use super::Say;
use crate::answer::{Check, Refusal};
use crate::book::{Book, LevelValue, Rule};
use crate::reason::Reason;
use crate::value::{Credit, Day, Language, Percent, Period, Time, Window};

/// A reason in one language.
struct Words {
    /// What is wrong.
    wrong: &'static str,
    /// How what it names is told, with a place `{}`; empty where it names nothing.
    names: &'static str,
    /// What to do.
    advice: &'static str,
}

/// Every reason in Chinese and in English: what is wrong, what it names, what to do.
macro_rules! reasons {
    ($($name:ident: $zh:literal, $zh_names:literal, $zh_advice:literal; $en:literal, $en_names:literal, $en_advice:literal;)*) => {
        fn words(reason: Reason, language: Language) -> Words {
            match (reason, language) {
                $(
                    (Reason::$name, Language::Zh) => {
                        Words { wrong: $zh, names: $zh_names, advice: $zh_advice }
                    }
                    (Reason::$name, Language::En) => {
                        Words { wrong: $en, names: $en_names, advice: $en_advice }
                    }
                )*
            }
        }
    };
}

reasons! {
    NotOnList: "规则书中没有适用于这类成果的规则", "", "请核对成果的类别、颁发机构与课程代码；若应予认定，请申请增补规则";
        "no rule of the book is about such a record", "", "check its kind, issuer and course code; if it ought to count, ask for a rule";
    RuleNotEffective: "规则在所依据的日期不在施行期内", "", "请核对日期，或等到规则施行后再申请";
        "the rule is not in force on the day that picks it", "", "check the dates, or ask again once the rule is in force";
    IssuerNotNamed: "颁发机构不在规则所列范围内", "", "请核对颁发机构；若应列入，请申请修订规则";
        "its issuer is not one that the rule names", "", "check the issuer; if it ought to be named, ask for a change of the rule";
    IssuerNotAccredited: "成果取得之日，颁发机构不具备相应资质", "", "请颁发机构提供当时的资质依据";
        "its issuer was not accredited for it on the day it was earned", "", "ask the issuer for proof of its accreditation on that day";
    EvidenceInsufficient: "成果尚未核验", "", "请补交证明材料，并由经办人核验";
        "nobody has verified it", "", "hand in evidence, and have an officer verify it";
    NotPassed: "成果未载明已通过", "", "请颁发机构更正成果，载明是否通过";
        "it does not say that the learner passed", "", "ask the issuer to state the result in a correction";
    ScoreBelowMin: "成绩低于规则要求的最低值", "", "重修或补考取得更高成绩后可再申请";
        "its grade or score is below the least that the rule asks for", "", "ask again with a better result, from a retake";
    GradeMissing: "成果没有成绩，或成绩属于另一量表", "", "请颁发机构补充所要求量表的成绩";
        "it has no grade, or one of another scale", "", "ask the issuer for the grade in the scale that is asked for";
    AttendanceLow: "出勤率低于规则要求", "", "请核对出勤记录；确实不足的不能认定";
        "attendance is below the least", "", "check the attendance on record; if it is right, the record can't count";
    TooSmall: "学习时间或学分低于规则要求", "", "请与其他成果合并申请（若规则允许），或完成更多学习";
        "its time or credit is below the least", "", "do more, or hand it in together with others where the rule allows that";
    TooLarge: "学习时间高于规则上限", "", "请核对学习时间；超出的请按其他规则申请";
        "its time is above the most", "", "check the time, or ask under another rule";
    ContentMatchLow: "内容与目标课程的吻合度不够", "", "可补交大纲请评估人重新评定，或选择其他目标课程";
        "its content does not agree enough with the target's", "", "hand in the syllabus for another assessment, or choose another target";
    LevelTooLow: "等级低于规则要求", "", "取得更高等级后可再申请";
        "its level is below the least", "", "ask again with a higher level";
    LevelTooHigh: "等级高于规则上限", "", "请按适用于该等级的规则申请";
        "its level is above the highest", "", "ask under a rule for that level";
    LevelUnmapped: "该等级在所要求的等级体系中没有对照，不作推定", "", "请主管方公布等级对照后再申请";
        "no map leads from its level to the ladder that is asked for, and none is guessed", "", "ask again once the authority has published a map";
    OutsideWindow: "取得日期不在规则规定的期间内", "", "请核对取得日期";
        "it was earned outside the window", "", "check the day on which it was earned";
    EnteredLate: "登记日期晚于截止日", "", "请向受理机构说明原因，由其决定是否补登";
        "it was entered after the last day", "", "tell the accepting institution why; it decides on late entries";
    Expired: "至决定之日已失效", "失效日：{}", "可重新认证或取得新的成果";
        "it is no longer valid on the day of the decision", "its last day: {}", "renew it, or earn it anew";
    LearnerTooYoung: "学习者年龄不足", "", "达到年龄后可再申请";
        "the learner is too young", "", "ask again at the age that is asked for";
    FactMissing: "缺少规则所需的事实", "所缺：{}", "请颁发机构或经办人补充该事实";
        "a fact that the rule asks for is not stated", "missing: {}", "have the issuer or an officer state it";
    GuardFalse: "不符合规则对事实的附加条件", "", "请核对所载事实；有误的请更正";
        "the condition over facts does not hold", "", "check the facts that are stated, and have them corrected where they are wrong";
    NoRow: "对照表中没有适用的行", "涉及：{}", "请核对等级、成绩等取值；若表有遗漏，请申请修订规则";
        "no row of the table is about it", "about: {}", "check its level, grade and so on; if the table has a gap, ask for a change of the rule";
    RowsDisagree: "对照表中有几行同时适用而结果不同", "涉及：{}", "规则有误，请报告规则管理人修正";
        "several rows that say different things are about it", "about: {}", "the rule is wrong: report it to those who keep the book";
    ConditionFalse: "不符合规则的其他条件", "", "请按所列条件逐项核对";
        "another condition of the rule does not hold", "", "compare it with the conditions one by one";
    OverriddenBy: "另有更具体的规则适用，本规则不再适用", "适用的规则：{}", "无须处理";
        "a more special rule applies instead", "that rule: {}", "nothing needs to be done";
    BundleIncomplete: "组合中的其他成果尚缺", "还缺：{}", "补齐所缺成果后可再申请";
        "other records of the bundle are missing", "missing: {}", "ask again together with what is missing";
    NoArticulation: "已公布不予转换", "理由：{}", "可按其他规则申请，或向接收机构咨询";
        "it is published that it is not converted", "why: {}", "ask under another rule, or talk to the accepting institution";
    BelowLeast: "折算结果不足最低可认定的学分，或取整后为零", "涉及：{}", "可与其他成果合并申请（若规则允许）";
        "the result is below the least that is granted, or rounds to nothing", "about: {}", "hand it in together with others where the rule allows that";
    NotExact: "折算结果不是最小单位的整倍，而规则不取整", "涉及：{}", "请核对学分或学时";
        "the exact result is no multiple of the step, and the rule does not round", "about: {}", "check its credit or time";
    Overflow: "数值过大，无法计算", "涉及：{}", "请核对成果中的数值；无误的请报告规则管理人";
        "an amount does not fit", "about: {}", "check the numbers of the record; if they are right, report it to those who keep the book";
    NoTarget: "该专业没有可接收它的位置", "涉及：{}", "可改报其他专业，或选择其他目标";
        "the programme has no place for it", "about: {}", "choose another programme or another target";
    TargetMet: "目标课程已经达到", "课程：{}", "无须处理；该成果可留作他用";
        "the target course is met already", "the course: {}", "nothing needs to be done; the record stays free";
    AlreadyUsed: "成果先前已被使用，且那次使用排除再次使用", "涉及：{}", "请改用其他成果；先前的使用有误的，请申请撤销";
        "it was used before, and that use excludes this one", "about: {}", "use another record; if the earlier use was wrong, ask for it to be undone";
    CapReached: "已达上限", "上限：{}", "超出部分不能认定；可等下一周期，或选择其他去向";
        "a maximum is reached", "the maximum: {}", "what is over can't be granted; wait for the next period, or choose another target";
    DuplicateSubject: "同一系列中另一项成果更高，只计一项", "计入的是：{}", "无须处理";
        "another record of the same family counts", "that record: {}", "nothing needs to be done";
    LostTo: "在整体方案中，另一种用法更好", "更好的用法：{}", "无须处理；如愿改用，请提出，总学分会减少";
        "another use is better in the whole plan", "the better use: {}", "nothing needs to be done; if you prefer this one, say so, and the total will be less";
    ReservedOwn: "该要求的部分学分须为本校学分，不能由转换学分占用", "涉及：{}", "请修读本校课程";
        "credit of the requirement is left free for the institution's own courses", "about: {}", "take courses of the institution itself";
    NoRecord: "没有可用于它的成果", "涉及：{}", "请补充成果，或修读相应课程";
        "there is no record for it", "about: {}", "hand in a record, or take a course for it";
}

/// What a reason means and what to do about it, where nothing more is known.
pub fn reason(reason: Reason, language: Language) -> String {
    told(reason, language, "")
}

/// What a reason means alone.
pub(crate) fn wrong(reason: Reason, language: Language) -> &'static str {
    words(reason, language).wrong
}

/// The same with what it names; nothing is said of that where it is empty.
pub(crate) fn told(reason: Reason, language: Language, names: &str) -> String {
    let Words { wrong, names: pattern, advice } = words(reason, language);
    let zh = language == Language::Zh;
    let mut text = wrong.to_owned();
    if !names.is_empty() && !pattern.is_empty() {
        let named = pattern.replacen("{}", names, 1);
        let (open, close) = if zh { ("（", "）") } else { (" (", ")") };
        text.extend([open, &named, close]);
    }
    text.push_str(if zh { "。" } else { ". " });
    let mut letters = advice.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    text.push_str(&first);
    text.push_str(letters.as_str());
    text.push_str(if zh { "。" } else { "." });
    text
}

/// Why a record is not used by a rule, and what to do about it.
pub fn refusal(book: &Book, refusal: &Refusal, language: Language) -> String {
    let Refusal { record, rule, reason, detail, failed, near_miss } = refusal;
    let say = Say { book, language };
    let mut text = match rule {
        Some(rule) => {
            let rule = say.rule_name(rule);
            say!(
                say,
                "成果 {record} 未按规则{rule}认定：",
                "Record {record} is not used by the rule {rule}: "
            )
        }
        None => say!(say, "成果 {record} 未被认定：", "Record {record} is not used: "),
    };
    text.push_str(&told(*reason, language, &say.detail(refusal, detail)));
    let rule = rule.as_ref().and_then(|rule| book.rules.iter().find(|known| known.id == *rule));
    for check in failed {
        text.push_str(if language == Language::Zh { "" } else { " " });
        text.push_str(&say.failed(rule, check));
    }
    if *near_miss {
        text.push_str(&say!(say, "只差这一项。", " Nothing else stands in the way."));
    }
    text
}

impl Say<'_> {
    /// What a refusal names, in words.
    fn detail(self, refusal: &Refusal, detail: &str) -> String {
        let of_rule = || {
            let rule = refusal.rule.as_ref()?;
            self.book.rules.iter().find(|known| known.id == *rule)
        };
        match refusal.reason {
            Reason::OverriddenBy | Reason::LostTo => {
                detail.parse().map_or_else(|_| detail.to_owned(), |name| self.rule_name(&name))
            }
            Reason::NoArticulation => {
                let why = of_rule().and_then(|rule| rule.no_articulation.as_ref());
                why.map_or_else(|| detail.to_owned(), |why| self.label(why).to_owned())
            }
            Reason::CapReached | Reason::ReservedOwn => self.cap_name(detail),
            Reason::NotOnList
            | Reason::RuleNotEffective
            | Reason::IssuerNotNamed
            | Reason::IssuerNotAccredited
            | Reason::EvidenceInsufficient
            | Reason::NotPassed
            | Reason::ScoreBelowMin
            | Reason::GradeMissing
            | Reason::AttendanceLow
            | Reason::TooSmall
            | Reason::TooLarge
            | Reason::ContentMatchLow
            | Reason::LevelTooLow
            | Reason::LevelTooHigh
            | Reason::LevelUnmapped
            | Reason::OutsideWindow
            | Reason::EnteredLate
            | Reason::Expired
            | Reason::LearnerTooYoung
            | Reason::FactMissing
            | Reason::GuardFalse
            | Reason::NoRow
            | Reason::RowsDisagree
            | Reason::ConditionFalse
            | Reason::BundleIncomplete
            | Reason::BelowLeast
            | Reason::NotExact
            | Reason::Overflow
            | Reason::NoTarget
            | Reason::TargetMet
            | Reason::AlreadyUsed
            | Reason::DuplicateSubject
            | Reason::NoRecord => detail.to_owned(),
        }
    }

    /// A maximum by its id, in words: `ce-hours/learner-year/2025`, that of a constraint, or of a programme.
    pub(crate) fn cap_name(self, id: &str) -> String {
        let inside = |owner: &str| match id.strip_prefix(owner) {
            Some("") => Some(""),
            Some(rest) => rest.strip_prefix('/'),
            None => None,
        };
        for (name, programme) in &self.book.programmes {
            let label = self.label(&programme.label);
            match inside(name.as_str()) {
                Some("") => {
                    return say!(self, "专业“{label}”的总学分", "the total of the programme \"{label}\"");
                }
                Some(rest) => {
                    let rest =
                        rest.parse().map_or_else(|_| rest.to_owned(), |name| self.requirement_name(&name));
                    return say!(
                        self,
                        "专业“{label}”的要求{rest}",
                        "the requirement {rest} of the programme \"{label}\""
                    );
                }
                None => {}
            }
        }
        for constraint in &self.book.constraints {
            if let Some(key) = inside(constraint.id.as_str()) {
                let label = self.label(&constraint.labels);
                let key = self.cap_key(key);
                return say!(self, "总上限“{label}”{key}", "the maximum \"{label}\"{key}");
            }
        }
        for rule in &self.book.rules {
            let Some(rest) = inside(rule.id.as_str()) else { continue };
            let (per, key) = rest.split_once('/').unwrap_or((rest, ""));
            let per = serde_json::from_value(serde_json::Value::String(per.to_owned()));
            let Ok(per) = per.map(|per| self.per(per)) else { continue };
            let (label, key) = (self.label(&rule.labels), self.cap_key(key));
            return say!(
                self,
                "规则“{label}”的上限（{per}）{key}",
                "the maximum of the rule \"{label}\" {per}{key}"
            );
        }
        id.to_owned()
    }

    fn cap_key(self, key: &str) -> String {
        if key.is_empty() { String::new() } else { say!(self, "（{key}）", " ({key})") }
    }

    /// A condition and how it came out, as a clause.
    pub(crate) fn check(self, rule: Option<&Rule>, check: &Check) -> String {
        let Check { p, want: _, got, ok, reason: _ } = check;
        let (name, want, got) = (self.condition(p), self.wanted(rule, check), self.stated(p, got));
        let mark = match ok {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "?",
        };
        say!(self, "{mark} {name}：要求 {want}，实际 {got}", "{mark} {name}: asked {want}, is {got}")
    }

    /// A condition that does not hold.
    pub(crate) fn failed(self, rule: Option<&Rule>, check: &Check) -> String {
        let Check { p, want: _, got, ok: _, reason: _ } = check;
        let (name, want) = (self.condition(p), self.wanted(rule, check));
        if got.is_empty() {
            return say!(
                self,
                "{name}：要求 {want}，未载明。",
                "The {name} must be {want}; it is not stated."
            );
        }
        let got = self.stated(p, got);
        say!(self, "{name}：要求 {want}，实际 {got}。", "The {name} must be {want}; it is {got}.")
    }

    /// What a condition asks for; of a condition over facts as the rule has it.
    fn wanted(self, rule: Option<&Rule>, check: &Check) -> String {
        let guard = rule.and_then(|rule| rule.guard.as_ref()).filter(|_| check.p == "guard");
        guard.map_or_else(|| self.stated(&check.p, &check.want), |guard| self.guard(guard))
    }

    /// What a condition asks about.
    fn condition(self, p: &str) -> String {
        let (zh, en) = match p {
            "issuer" => ("颁发机构", "issuer"),
            "issuer_group" => ("颁发机构所属机构组", "group of the issuer"),
            "record_kind" => ("成果类别", "kind"),
            "course" => ("课程", "course"),
            "subject" => ("学科", "subject"),
            "occupation" => ("职业", "occupation"),
            "std" => ("学分单位", "unit of credit"),
            "hour_kind" => ("时间类别", "kind of time"),
            "min_hours" => ("最少时间", "least time"),
            "max_hours" => ("最多时间", "most time"),
            "min_credit" => ("最少学分", "least credit"),
            "min_grade" => ("最低成绩", "least grade"),
            "min_attendance" => ("最低出勤率", "least attendance"),
            "passed" => ("载明通过", "statement that the learner passed"),
            "recognised_issuer" => ("颁发机构的资质", "accreditation of the issuer"),
            "verified" => ("已核验", "verification"),
            "min_content_match" => ("最低内容吻合度", "least agreement of content"),
            "assessment" => ("考核方式", "way of assessment"),
            "mode" => ("授课方式", "way of delivery"),
            "earned" => ("取得日期", "day of earning"),
            "recorded_by" => ("最迟登记日", "last day of entry"),
            "max_age" => ("取得不超过", "greatest age"),
            "valid_on_decision" => ("决定之日有效", "validity on the day of the decision"),
            "min_learner_age" => ("学习者最小年龄", "least age of the learner"),
            "level" => ("等级", "level"),
            "guard" => ("附加条件", "condition over facts"),
            other => (other, other),
        };
        say!(self, "{zh}", "{en}")
    }

    /// A value of a condition in words; as it stands where it has no other form.
    fn stated(self, p: &str, text: &str) -> String {
        let told = match p {
            "min_hours" | "max_hours" => text.parse::<Time>().ok().map(|time| self.time(time)),
            "min_credit" => text.parse::<Credit>().ok().map(|credit| self.credit(credit)),
            "min_attendance" | "min_content_match" => {
                text.parse::<Percent>().ok().map(|share| self.percent(share))
            }
            "max_age" | "min_learner_age" => text.parse::<Period>().ok().map(|age| self.period(age)),
            "passed" | "recognised_issuer" | "verified" => match text {
                "true" => Some(say!(self, "是", "yes")),
                "false" => Some(say!(self, "否", "no")),
                _ => None,
            },
            "level" => self.stated_level(text),
            "earned" => text.split_once("..").map(|(from, until)| self.stated_window(from, until)),
            "guard" => Some(self.stated_facts(text)),
            "valid_on_decision" if text.is_empty() => Some(say!(self, "无截止日", "without an end")),
            "hour_kind" => text.parse().ok().map(|hours| self.hour_kind(hours)),
            "std" => text.parse().ok().map(|name| self.standard(&name)),
            "record_kind" => {
                let kinds: Option<Vec<String>> = text
                    .split(", ")
                    .map(|kind| kind.parse().ok().map(|kind| self.record_kind(kind)))
                    .collect();
                kinds.map(|kinds| self.or(kinds))
            }
            _ => None,
        };
        told.unwrap_or_else(|| {
            if text.is_empty() { say!(self, "未载明", "not stated") } else { text.to_owned() }
        })
    }

    /// A window as `2020-01-01..2026-01-01`, either end of which may be missing.
    fn stated_window(self, from: &str, until: &str) -> String {
        let day = |text: &str| text.parse().ok().map(Day);
        self.window(&Window { from: day(from), until: day(until) })
    }

    /// Facts as `weeks=4, passed=?`.
    fn stated_facts(self, text: &str) -> String {
        let told = text.split(", ").map(|fact| match fact.split_once('=') {
            Some((name, "?")) => say!(self, "“{name}”未载明", "\"{name}\" not stated"),
            Some((name, value)) => say!(self, "“{name}”为 {value}", "\"{name}\" {value}"),
            None => fact.to_owned(),
        });
        self.and(told)
    }

    /// A level of a ladder, `skill 3`, or a range of them, `skill 3..5`.
    fn stated_level(self, text: &str) -> Option<String> {
        let (ladder, levels) = text.split_once(' ')?;
        let ladder: crate::value::Name = ladder.parse().ok()?;
        let level =
            |text: &str| text.parse::<LevelValue>().ok().map(|level| self.level(Some(&ladder), level));
        let Some((least, most)) = levels.split_once("..") else { return level(levels) };
        Some(match (level(least), level(most)) {
            (Some(least), Some(most)) => say!(self, "{least}至{most}", "{least} to {most}"),
            (Some(least), None) => say!(self, "不低于{least}", "at least {least}"),
            (None, Some(most)) => say!(self, "不高于{most}", "at most {most}"),
            (None, None) => self.ladder(&ladder),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_says_what_is_wrong_and_what_to_do_in_both_languages() {
        for code in Reason::ALL {
            let (zh, en) = (words(*code, Language::Zh), words(*code, Language::En));
            for text in [zh.wrong, zh.advice] {
                assert!(
                    text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
                    "{code:?} {text}"
                );
            }
            for text in [en.wrong, en.advice] {
                assert!(!text.is_empty() && text.is_ascii(), "{code:?} {text}");
            }
            assert_eq!(zh.names.is_empty(), en.names.is_empty(), "{code:?}");
            assert_eq!(zh.names.matches("{}").count(), en.names.matches("{}").count(), "{code:?}");
        }
    }

    #[test]
    fn what_is_named_is_told_where_there_is_something() {
        assert_eq!(
            told(Reason::BundleIncomplete, Language::En, "cn.cc.east:PHY-B"),
            "other records of the bundle are missing (missing: cn.cc.east:PHY-B). Ask again together with what is missing."
        );
        assert_eq!(
            reason(Reason::CapReached, Language::Zh),
            "已达上限。超出部分不能认定；可等下一周期，或选择其他去向。"
        );
    }
}
