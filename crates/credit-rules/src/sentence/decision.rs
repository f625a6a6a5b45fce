//! An explanation in sentences.

use super::Say;
use crate::answer::{Line, Place, Refusal, Step};
use crate::book::Book;
use crate::explain::{CapTold, Counted, Explanation, Gap, Item, Match, Proof, Rejected};
use crate::ratio::{Rational, Round};
use crate::value::{Credit, Language, Percent, Ratio, decimal_text};

/// A use that was taken, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was granted for what.
    pub heading: String,
    /// Why, and how much.
    pub lines: Vec<String>,
}

/// An explanation, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was granted in all, and how good that is.
    pub summary: Vec<String>,
    /// The uses that were taken, in the order of the explanation.
    pub items: Vec<Told>,
    /// Why records were not used, likewise.
    pub rejected: Vec<String>,
    /// What stays open, likewise.
    pub gap: Vec<String>,
}

/// An explanation in sentences.
pub fn decision(book: &Book, explanation: &Explanation, language: Language) -> Decision {
    let say = Say { book, language };
    let Explanation {
        book: _,
        as_of: _,
        programme: _,
        awarded_milli: _,
        bound_milli: _,
        status: _,
        items,
        rejected,
        completed: _,
        gap,
        cut: _,
        certificate: _,
    } = explanation;
    Decision {
        summary: say.summary(explanation).iter().map(|line| say.tidy(line)).collect(),
        items: items.iter().map(|item| say.item(item)).collect(),
        rejected: rejected.iter().map(|rejected| say.tidy(&say.rejected(rejected))).collect(),
        gap: gap.iter().map(|gap| say.tidy(&say.gap(gap))).collect(),
    }
}

/// Where credit goes, in words.
pub fn place_name(book: &Book, place: &Place, language: Language) -> String {
    let say = Say { book, language };
    say.tidy(&say.place(place))
}

impl Say<'_> {
    fn milli(self, milli: i64) -> String {
        self.credit(Credit(milli))
    }

    fn summary(self, explanation: &Explanation) -> Vec<String> {
        let Explanation {
            book,
            as_of,
            programme,
            awarded_milli,
            bound_milli,
            status,
            items: _,
            rejected: _,
            completed,
            gap: _,
            cut,
            certificate: _,
        } = explanation;
        let (awarded, bound, day) = (self.milli(*awarded_milli), self.milli(*bound_milli), as_of.0);
        let mut lines = vec![match programme.as_ref().map(|name| self.programme_name(name)) {
            Some(programme) => say!(
                self,
                "决定日期 {day}，专业 {programme}：共认定 {awarded}。",
                "On {day}, {awarded} are granted in the programme {programme}."
            ),
            None => say!(self, "决定日期 {day}：共认定 {awarded}。", "On {day}, {awarded} are granted."),
        }];
        lines.push(match status {
            Proof::ProvenOptimal | Proof::ProvenCredit => say!(
                self,
                "已证明：在全部上限之下，任何方案都不会多于此数。",
                "It is proven that no plan grants more under all maxima."
            ),
            Proof::Feasible => say!(
                self,
                "搜索达到限度：方案可行，但未证明最优；任何方案至多 {bound}。",
                "The search came to its limit: the plan holds, and is not proven the best; no plan grants more than {bound}."
            ),
        });
        if *status == Proof::ProvenCredit {
            lines.push(say!(
                self,
                "学分相同的方案不止一个，未穷尽比较；所有人得到的仍是同一方案。",
                "There are other plans of as much credit, and not all were compared; everybody is given the same one."
            ));
        }
        if !completed.is_empty() {
            let names = self.and(completed.iter().map(|name| self.requirement_name(name)));
            lines.push(say!(self, "已完成：{names}。", "Complete: {names}."));
        }
        if !cut.is_empty() {
            let names = self.and(cut.iter().map(|name| self.rule_name(name)));
            lines.push(say!(
                self,
                "下列规则的用法超过限度，未全部比较：{names}。",
                "These rules have more uses than are compared: {names}."
            ));
        }
        lines.push(say!(self, "所依据的规则书：{book}。", "The rule book is {book}."));
        lines
    }

    /// Where credit goes.
    fn place(self, place: &Place) -> String {
        match place {
            Place::Course(course) => say!(self, "课程 {course}", "the course {course}"),
            Place::Requirement(name) => {
                let name = self.requirement_name(name);
                say!(self, "要求 {name}", "the requirement {name}")
            }
            Place::Standard(name) => {
                let name = self.standard(name);
                say!(self, "学分账户（{name}）", "the account in {name}")
            }
        }
    }

    fn item(self, item: &Item) -> Told {
        let Item { rule, records, granted, offered_milli, matched, calc, caps } = item;
        let rule_of = self.book.rules.iter().find(|known| known.id == *rule);
        let (names, rule) = (self.and(records), self.rule_name(rule));
        let granted_to = granted.iter().map(|line| {
            let Line { place, credit, waive } = line;
            let (place, credit) = (self.place(place), self.credit(*credit));
            if *waive {
                say!(self, "{place} 免修", "{place} is waived")
            } else {
                say!(self, "{place} {credit}", "{credit} to {place}")
            }
        });
        let granted_text = self.and(granted_to);
        let heading = say!(
            self,
            "成果 {names} 按规则 {rule} 认定：{granted_text}。",
            "For {names}, by the rule {rule}: {granted_text}."
        );
        let mut lines = Vec::new();
        for Match { record, checks } in matched {
            let held = checks.iter().map(|check| self.check(rule_of, check)).collect::<Vec<_>>();
            if !held.is_empty() {
                let held = self.clauses(&held);
                lines.push(say!(self, "成果 {record}：{held}。", "Record {record}: {held}."));
            }
        }
        let steps: Vec<String> = calc.iter().filter_map(|step| self.step(step)).collect();
        if !steps.is_empty() {
            let steps = self.clauses(&steps);
            lines.push(say!(self, "计算：{steps}。", "Worked out: {steps}."));
        }
        let got = granted.iter().fold(0, |sum: i64, line| sum.saturating_add(line.credit.0));
        if got < *offered_milli {
            let (offered, got) = (self.milli(*offered_milli), self.milli(got));
            lines.push(say!(
                self,
                "可认定 {offered}，因达到上限只认定 {got}。",
                "It is worth {offered}; {got} are granted, because a maximum is reached."
            ));
        }
        let concerned = caps.iter().filter(|cap| cap.granted > 0 || cap.binding);
        lines.extend(concerned.map(|cap| self.cap_told(cap)));
        Told { heading: self.tidy(&heading), lines: lines.iter().map(|line| self.tidy(line)).collect() }
    }

    fn cap_told(self, cap: &CapTold) -> String {
        let CapTold { id, by, limit, used_before, asked: _, granted, binding } = cap;
        let name = self.cap_name(id);
        let amount = |value: &i64| match by {
            Counted::Credit => self.milli(*value),
            Counted::Uses => say!(self, "{value} 项", "{value} uses"),
        };
        let (limit, before, now) = (amount(limit), amount(used_before), amount(granted));
        let full = if *binding { say!(self, "；已达上限", "; it is reached") } else { String::new() };
        say!(
            self,
            "{name}：至多 {limit}，先前已用 {before}，本项占用 {now}{full}。",
            "Of {name}: at most {limit}, used before {before}, used here {now}{full}."
        )
    }

    /// A step of a calculation; nothing of one that says nothing to people.
    fn step(self, (name, value): &Step) -> Option<String> {
        let number = || value.parse::<i64>().ok();
        match name.as_str() {
            "fixed" => None,
            "minutes" => Some(say!(self, "学习时间 {value} 分钟", "its time is {value} minutes")),
            "milli_credits" => {
                let credit = self.milli(number()?);
                Some(say!(self, "原学分 {credit}", "its credit is {credit}"))
            }
            "thousandths" => {
                let count = decimal_text(number()?, 3);
                Some(say!(self, "所载数值 {count}", "the number that it states is {count}"))
            }
            "ratio" => {
                let ratio = value.parse::<Ratio>().map(|ratio| self.ratio(ratio));
                let told = ratio.or_else(|_| value.parse().map(|credit| self.credit(credit)));
                let told = told.unwrap_or_else(|_| value.clone());
                Some(say!(self, "折算：{told}", "converted {told}"))
            }
            "row" => {
                let credit = value.parse().map_or_else(|_| value.clone(), |credit| self.credit(credit));
                Some(say!(self, "表中一行 {credit}", "the row of the table says {credit}"))
            }
            "share" => {
                let share =
                    value.parse::<Percent>().map_or_else(|_| value.clone(), |share| self.percent(share));
                Some(say!(self, "专业总学分的 {share}", "{share} of the programme's total"))
            }
            "each" => {
                let credit = value.parse().map_or_else(|_| value.clone(), |credit| self.credit(credit));
                Some(say!(self, "每单位 {credit}", "{credit} for each unit"))
            }
            "decay" => Some(say!(self, "按年限递减，乘以 {value}", "by its age, times {value}")),
            "exact" => Some(self.exact(value)),
            _ => Some(self.rounded_or_factor(name, value)),
        }
    }

    /// An exact result, given in milli-credits as a fraction.
    fn exact(self, value: &str) -> String {
        let fraction = || {
            let (num, den) = value.split_once('/')?;
            let milli = Rational::new(num.parse().ok()?, den.parse().ok()?)?;
            milli.over(Rational::whole(1_000))
        };
        let told = match fraction() {
            Some(whole) if whole.den() == 1 => whole.num().to_string(),
            Some(fraction) => fraction.to_string(),
            None => value.to_owned(),
        };
        say!(self, "准确值 {told} 学分", "exactly {told} credits")
    }

    fn rounded_or_factor(self, name: &str, value: &str) -> String {
        if let Some(column) = name.strip_prefix("factor ") {
            let column = column.parse().map_or_else(|_| column.to_owned(), |column| self.column(&column));
            return say!(self, "{column} 的系数 {value}", "the factor of {column} is {value}");
        }
        let rounds =
            [Round::Floor, Round::HalfUp, Round::HalfEven, Round::Truncate, Round::Ceil, Round::None];
        let (word, step) = name.split_once(' ').unwrap_or((name, ""));
        let round = rounds.into_iter().find(|round| format!("{round:?}").to_lowercase() == word);
        let credit = value.parse::<i64>().map_or_else(|_| value.to_owned(), |milli| self.milli(milli));
        match (round, step.parse::<Credit>()) {
            (Some(Round::None), _) => say!(self, "结果 {credit}", "the result is {credit}"),
            (Some(round), Ok(step)) => {
                let (how, step) = (self.round(round), self.credit(step));
                say!(self, "{how}（单位 {step}）得 {credit}", "{how} to multiples of {step}: {credit}")
            }
            _ => format!("{name} {value}"),
        }
    }

    fn rejected(self, rejected: &Rejected) -> String {
        let Rejected {
            record,
            rule,
            reason,
            detail,
            failed,
            near_miss,
            used_elsewhere,
            winner: _,
            delta_milli,
        } = rejected;
        let refusal = Refusal {
            record: record.clone(),
            rule: rule.clone(),
            reason: *reason,
            detail: detail.clone(),
            failed: failed.clone(),
            near_miss: *near_miss,
        };
        let mut text = super::refusal(self.book, &refusal, self.language);
        if let Some(delta) = delta_milli {
            let (less, more) = (self.milli(delta.saturating_neg()), self.milli(*delta));
            text.push_str(&match delta {
                0 => say!(self, "两种用法学分相同。", " Both grant as much."),
                1.. => say!(
                    self,
                    "单看这项多 {more}，但整体方案会减少。",
                    " By itself it would grant {more} more, and the whole plan less."
                ),
                _ => say!(self, "若改用，这项少 {less}。", " It would grant {less} less."),
            });
        }
        if *used_elsewhere {
            text.push_str(&say!(self, "该成果已按另一规则认定。", " The record is used by another rule."));
        }
        text
    }

    fn gap(self, gap: &Gap) -> String {
        let Gap { requirement, need, have, missing, reasons } = gap;
        let name = self.requirement_name(requirement);
        let why: Vec<String> =
            reasons.iter().map(|reason| super::reason::wrong(*reason, self.language).to_owned()).collect();
        let why = self.clauses(&why);
        if *need == 0 {
            return say!(self, "{name} 尚未达到：{why}。", "{name} is not met: {why}.");
        }
        let (need, have, missing) = (self.milli(*need), self.milli(*have), self.milli(*missing));
        say!(
            self,
            "{name} 需 {need}，已有 {have}，还差 {missing}：{why}。",
            "{name} needs {need} and has {have}; {missing} are missing: {why}."
        )
    }
}
