//! Caps over many rules.

use super::rule::Maximum;
use super::{Say, Section, Subject};
use crate::book::{AppliesTo, Constraint};

impl Say<'_> {
    /// A cap over many rules.
    pub(crate) fn constraint(self, constraint: &Constraint) -> Section {
        let Constraint {
            id,
            labels,
            applies_to,
            except,
            per,
            year,
            max,
            count,
            of,
            reserve_own,
            keep,
            round,
            step,
        } = constraint;
        let label = self.label(labels);
        let heading = say!(self, "总上限：{label}（{id}）", "Maximum over rules: {label} ({id})");
        let mut section = Section::new(Subject::Constraint(id.clone()), heading);
        let lines = &mut section.lines;
        let what = self.applies_to(applies_to);
        lines.push(say!(self, "计入：{what}。", "It adds up {what}."));
        if let Some(except) = except {
            let except = self.applies_to(except);
            lines.push(say!(
                self,
                "不计入：{except}（仍计入总学分）。",
                "It leaves out {except}, which still counts to the total."
            ));
        }
        let maximum =
            Maximum { per: *per, max: *max, count: *count, of: *of, year: *year, keep: keep.as_ref() };
        let told = self.maximum(&maximum);
        lines.push(say!(self, "上限：{told}。", "Maximum: {told}."));
        if let Some(own) = reserve_own {
            let own = self.credit(*own);
            lines.push(say!(
                self,
                "其中 {own}须为本校学分，转换学分不得占用。",
                "{own} of it must be the institution's own and stay free."
            ));
        }
        if matches!(max, Some(crate::value::Limit::Share(_))) {
            let round = self.round(*round);
            let step = step.map_or_else(
                || say!(self, "该学分的最小单位", "the standard's step"),
                |step| {
                    let step = self.credit(step);
                    say!(self, " {step}", "{step}")
                },
            );
            lines.push(say!(
                self,
                "比例算出的上限{round}，单位为{step}。",
                "A maximum that is a share is {round}, to multiples of {step}."
            ));
        }
        section
    }

    fn applies_to(self, to: &AppliesTo) -> String {
        let AppliesTo { programme, award_from, rule, requirement, issuer, issuer_group, external } = to;
        let mut told = Vec::new();
        if !award_from.is_empty() {
            let kinds = self.or(award_from.iter().map(|kind| self.rule_kind(kind)));
            told.push(say!(self, "规则类型为{kinds}", "by rules of {kinds}"));
        }
        if !rule.is_empty() {
            let rules = self.or(rule.iter().map(|name| self.rule_name(name)));
            told.push(say!(self, "按规则 {rules}", "by the rule {rules}"));
        }
        if !requirement.is_empty() {
            let names = self.or(requirement.iter().map(|name| self.requirement_name(name)));
            told.push(say!(self, "归入要求 {names}", "for the requirement {names}"));
        }
        if !programme.is_empty() {
            let names = self.or(programme.iter().map(|name| self.programme_name(name)));
            told.push(say!(self, "用于专业 {names}", "in the programme {names}"));
        }
        if !issuer.is_empty() {
            let issuers = self.or(issuer.iter());
            told.push(say!(self, "由 {issuers} 颁发", "of records issued by {issuers}"));
        }
        if let Some(group) = issuer_group {
            told.push(say!(self, "颁发机构属于 {group}", "of records whose issuer belongs to {group}"));
        }
        if *external {
            told.push(say!(self, "其他机构的成果", "of records of other institutions"));
        }
        if told.is_empty() {
            return say!(self, "全部转换学分", "all converted credit");
        }
        let told = told.join(match self.language {
            crate::value::Language::Zh => "、",
            crate::value::Language::En => ", ",
        });
        say!(self, "{told}的转换学分", "credit converted {told}")
    }
}
