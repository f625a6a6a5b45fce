//! What a period has to hold.

use super::{Say, Section, Subject};
use crate::book::{ClassRule, Compliance, Fill, Floor, PeriodRule};
use crate::value::Name;
use std::collections::BTreeMap;

impl Say<'_> {
    /// What a period has to hold.
    pub(crate) fn compliance(self, compliance: &Compliance) -> Section {
        let Compliance {
            id,
            labels,
            evidence,
            period,
            total,
            std,
            usable_max,
            carry_over,
            carry_max,
            classes,
            fill,
            late_until,
        } = compliance;
        let label = self.label(labels);
        let heading = say!(self, "周期要求：{label}（{id}）", "Requirement of a period: {label} ({id})");
        let mut section = Section::new(Subject::Compliance(id.clone()), heading);
        let lines = &mut section.lines;
        let (period, total) = (self.period_rule(*period), self.limit(*total));
        lines.push(say!(self, "{period}须完成 {total}。", "{period} must hold {total}."));
        if let Some(std) = std {
            let std = self.standard(std);
            lines.push(say!(self, "学分以{std}计。", "Credit is counted in {std}."));
        }
        if let Some(most) = usable_max {
            let most = self.limit(*most);
            lines.push(say!(
                self,
                "至多计 {most}，超出部分不计。",
                "At most {most} counts; what is over is lost."
            ));
        }
        lines.push(if *carry_over {
            say!(self, "超出部分可计入下一周期。", "What is over counts in the next period.")
        } else {
            say!(self, "超出部分不结转。", "What is over is not carried over.")
        });
        if let Some(most) = carry_max {
            let most = self.limit(*most);
            lines.push(say!(self, "至多结转 {most}。", "At most {most} is carried over."));
        }
        for (name, class) in classes {
            lines.push(self.class(name, class));
        }
        for (number, Fill { class, up_to }) in (1..).zip(fill) {
            let class = self.class_name(classes, class);
            lines.push(match up_to.map(|up_to| self.limit(up_to)) {
                Some(up_to) => say!(
                    self,
                    "未注明类别的，第 {number} 步计入{class}，直至 {up_to}。",
                    "What names no class goes, as step {number}, to {class} up to {up_to}."
                ),
                None => say!(
                    self,
                    "未注明类别的，第 {number} 步计入{class}。",
                    "What names no class goes, as step {number}, to {class}."
                ),
            });
        }
        if let Some(day) = late_until {
            lines.push(say!(
                self,
                "可补登至次年 {day}。",
                "It may be entered until {day} of the following year."
            ));
        }
        self.evidence(evidence, lines);
        section
    }

    fn period_rule(self, period: PeriodRule) -> String {
        match period {
            PeriodRule::CalendarYear => say!(self, "每个自然年", "Each calendar year"),
            PeriodRule::Cycle { from, years } => {
                let from = from.0;
                say!(
                    self,
                    "自 {from} 起每 {years} 年一个周期，",
                    "Each cycle of {years} years, the first from {from},"
                )
            }
            PeriodRule::Rolling { years } => {
                say!(self, "截至查询日的最近 {years} 年", "Every {years} years up to the day asked for")
            }
        }
    }

    fn class_name(self, classes: &BTreeMap<Name, ClassRule>, name: &Name) -> String {
        self.labelled(classes.get(name).map(|class| &class.label), name)
    }

    fn class(self, name: &Name, class: &ClassRule) -> String {
        let ClassRule { label, floor, max } = class;
        let name = self.labelled(Some(label), name);
        let mut told = Vec::new();
        if let Some(Floor { amount, fraction, basis }) = floor {
            if let Some(amount) = amount {
                let amount = self.limit(*amount);
                told.push(say!(self, "至少 {amount}", "at least {amount}"));
            }
            if let Some(fraction) = fraction {
                let basis = basis.map(|basis| self.basis(basis)).unwrap_or_default();
                told.push(say!(self, "至少为{basis}的 {fraction}", "at least {fraction} of {basis}"));
            }
        }
        if let Some(max) = max {
            let max = self.limit(*max);
            told.push(say!(self, "至多计 {max}", "at most {max} counts"));
        }
        if told.is_empty() {
            told.push(say!(self, "没有上下限", "no least and no most"));
        }
        let told = self.clauses(&told);
        say!(
            self,
            "类别 {name}：{told}；不能由其他类别代替。",
            "The class {name}: {told}. No other class stands for it."
        )
    }
}
