//! A rule, its targets, its caps and its validity.

use super::{Say, Section, Subject};
use crate::book::{
    After, Cap, CapPer, Choose, Family, Measure, Of, Rule, Target, Validity, ValidityStep, YearOf,
};
use crate::value::{Limit, Many, Window};

/// A maximum, of a rule or over many.
pub(super) struct Maximum<'m> {
    /// Over what it adds up.
    pub(super) per: Option<CapPer>,
    /// The most credit, or a share.
    pub(super) max: Option<Limit>,
    /// The most records.
    pub(super) count: Option<u32>,
    /// Of what a share is taken.
    pub(super) of: Option<Of>,
    /// Which date a year is counted by.
    pub(super) year: YearOf,
    /// Records of which only the best counts.
    pub(super) keep: Option<&'m Family>,
}

impl Say<'_> {
    /// A rule.
    pub(crate) fn rule(self, rule: &Rule) -> Section {
        let Rule {
            id,
            kind,
            labels,
            evidence,
            effective,
            when: _,
            guard: _,
            facts: _,
            convert,
            table,
            bundle: _,
            award,
            unmet_part,
            no_articulation,
            cap,
            uncapped,
            validity,
            overrides: _,
            choose: _,
            consumption: _,
            auto: _,
            provisional: _,
        } = rule;
        let label = self.label(labels);
        let heading = say!(self, "规则：{label}（{id}）", "Rule: {label} ({id})");
        let mut section = Section::new(Subject::Rule(id.clone()), heading);
        section.lines.push(say!(self, "类型：{kind}。", "Its kind is {kind}."));
        self.in_force(effective, &mut section.lines);
        self.about(rule, &mut section.lines);
        if let Some(table) = table {
            self.table(table, &mut section);
        }
        if let Some(convert) = convert {
            self.convert(rule, convert, &mut section);
        }
        let lines = &mut section.lines;
        if let Some(validity) = validity {
            self.validity(validity, lines);
        }
        self.targets(award, *unmet_part, lines);
        for cap in cap {
            lines.push(self.cap(cap));
        }
        if let Some(why) = uncapped {
            lines.push(say!(self, "不设上限，理由：{why}。", "It has no maximum, because: {why}."));
        }
        if let Some(why) = no_articulation {
            let why = self.label(why);
            lines.push(say!(
                self,
                "明确不予转换：{why}。",
                "It is published that there is no conversion: {why}."
            ));
        }
        self.beside_others(rule, lines);
        self.evidence(evidence, lines);
        section
    }

    /// Which records a rule is about.
    fn about(self, rule: &Rule, lines: &mut Vec<String>) {
        // The whole pattern stands in `rule`, where a new field stops the build.
        let (when, guard, facts, bundle) = (&rule.when, &rule.guard, &rule.facts, &rule.bundle);
        let mut clauses = self.when(when);
        if let Some(guard) = guard {
            let guard = self.guard(guard);
            clauses.push(say!(self, "且 {guard}", "and {guard}"));
        }
        if clauses.is_empty() && bundle.is_none() {
            lines.push(say!(self, "适用于任何成果。", "It is about every record."));
        } else if !clauses.is_empty() {
            let clauses = self.clauses(&clauses);
            lines.push(say!(
                self,
                "成果须全部符合：{clauses}。",
                "All of this must hold of a record: {clauses}."
            ));
        }
        if let Some(bundle) = bundle {
            let records = self.bundle(bundle);
            lines.push(say!(self, "须同时具备：{records}。", "Needed together: {records}."));
            self.bundle_whole(bundle, lines);
        }
        if !facts.is_empty() {
            let facts = self.facts(facts);
            lines.push(say!(
                self,
                "它可能用到的事实：{facts}；缺少所需事实的，不予转换，绝不推定。",
                "Facts that it may ask for: {facts}. Where one that is needed is not stated, the record is refused; nothing is assumed."
            ));
        }
    }

    /// How a rule stands to others, and to the person who decides.
    fn beside_others(self, rule: &Rule, lines: &mut Vec<String>) {
        if !rule.overrides.is_empty() {
            let over = self.and(rule.overrides.iter().map(|name| self.rule_name(name)));
            lines.push(say!(
                self,
                "适用本规则的成果，不再适用 {over}。",
                "Where this rule applies to a record, it takes the place of {over}."
            ));
        }
        if let Some(Choose::Best) = rule.choose {
            lines.push(say!(
                self,
                "与其他规则竞争同一目标时，取全局最优的一条，至多用一条。",
                "Where others are for the same target too, the one that is best in the whole plan is taken, at most one."
            ));
        }
        let consumption = self.consumption(rule.consumption);
        lines.push(say!(self, "{consumption}。", "{consumption}."));
        lines.push(if rule.auto {
            say!(
                self,
                "在接收机构已登记同意的前提下，可以自动决定。",
                "A decision may be automatic, under the logged consent of the accepting institution."
            )
        } else {
            say!(self, "由经办人审核决定。", "An officer decides.")
        });
        if rule.provisional {
            lines.push(say!(
                self,
                "所认定的学分为暂定，待确认。",
                "What it grants is provisional until it is confirmed."
            ));
        }
    }

    fn in_force(self, effective: &Window, lines: &mut Vec<String>) {
        if !effective.is_open() {
            let window = self.window(effective);
            lines.push(say!(self, "本规则的施行期：{window}。", "The rule is in force {window}."));
        }
    }

    fn targets(self, award: &Many<Target>, unmet_part: bool, lines: &mut Vec<String>) {
        for target in award {
            let target = self.target(target);
            lines.push(say!(self, "学分去向：{target}。", "The credit goes to {target}."));
        }
        if award.0.len() > 1 {
            lines.push(if unmet_part {
                say!(
                    self,
                    "以上目标一并认定；已达到的目标除外。",
                    "These are granted together; those that are met already are left out."
                )
            } else {
                say!(self, "以上目标一并认定，缺一不可。", "These are granted together, all or none.")
            });
        }
    }

    fn target(self, target: &Target) -> String {
        let Target { course, pool, one_of, credit, std, block, whole, trim, splittable, waive, grade } =
            target;
        let mut told = Vec::new();
        if let Some(course) = course {
            told.push(say!(self, "课程 {course}", "the course {course}"));
        }
        if !pool.is_empty() {
            let pools = self.or(pool.iter().map(|pool| self.requirement_name(pool)));
            told.push(say!(self, "要求 {pools}", "the requirement {pools}"));
        }
        if !one_of.is_empty() {
            let choices = self.or(one_of.iter().map(|choice| format!("[{}]", self.target(choice))));
            told.push(say!(self, "其中一项：{choices}", "one of {choices}"));
        }
        if let Some(credit) = credit {
            told.push(self.credit(*credit));
        }
        if let Some(std) = std {
            let std = self.standard(std);
            told.push(say!(self, "以{std}计", "counted in {std}"));
        }
        if let Some(block) = block {
            let block = self.percent(*block);
            told.push(say!(
                self,
                "专业总学分的 {block}，作为不指定课程的整体学分",
                "{block} of the programme's total, as credit of no course in particular"
            ));
        }
        if *whole {
            told.push(say!(self, "整门认定，不可只认一部分", "all of it or nothing"));
        }
        if *trim {
            told.push(say!(self, "余量不足时可只认一部分", "a part where a maximum leaves no room for all"));
        }
        if *splittable {
            told.push(say!(self, "可在几项要求之间分配", "may be divided among several"));
        }
        if *waive {
            told.push(say!(self, "免修：视为达到要求，不计学分", "waived: met with no credit"));
        }
        if let Some(grade) = grade {
            told.push(match grade.as_str().strip_prefix("map:") {
                Some(map) => say!(self, "成绩按对照表 {map} 换算", "the grade by the map {map}"),
                None => say!(self, "成绩记为 {grade}", "the grade is written as {grade}"),
            });
        }
        told.join(match self.language {
            crate::value::Language::Zh => "，",
            crate::value::Language::En => ", ",
        })
    }

    fn cap(self, cap: &Cap) -> String {
        let Cap { per, max, count, of, year, keep } = cap;
        let maximum =
            Maximum { per: Some(*per), max: *max, count: *count, of: *of, year: *year, keep: keep.as_ref() };
        let told = self.maximum(&maximum);
        say!(self, "上限：{told}。", "Maximum: {told}.")
    }

    /// A maximum as clauses.
    pub(super) fn maximum(self, maximum: &Maximum<'_>) -> String {
        let Maximum { per, max, count, of, year, keep } = maximum;
        let mut told = Vec::new();
        let per_text = per.map(|per| self.per(per)).unwrap_or_default();
        let of_text = of.map(|of| self.of(of)).unwrap_or_default();
        if let Some(max) = max {
            let most = self.limit(*max);
            let share = matches!(max, Limit::Share(_)) && of.is_some();
            let most = if share {
                say!(self, "{of_text}的 {most}", "{most} of {of_text}")
            } else {
                say!(self, " {most}", "{most}")
            };
            told.push(say!(self, "{per_text}至多{most}", "at most {most} {per_text}").trim().to_owned());
        }
        if let Some(count) = count {
            told.push(
                say!(self, "{per_text}至多 {count} 项", "at most {count} records {per_text}")
                    .trim()
                    .to_owned(),
            );
        }
        if matches!(per, Some(CapPer::LearnerYear | CapPer::Semester)) {
            let year = self.year_of(*year);
            told.push(say!(self, "按{year}归入年度", "a year being that of {year}"));
        }
        if let Some(keep) = keep {
            told.push(self.family(**keep));
        }
        self.clauses(&told)
    }

    fn validity(self, validity: &Validity, lines: &mut Vec<String>) {
        let Validity {
            measure: Measure::EarnedToDecision,
            steps,
            after: After::Expired,
            renew_resets,
            shelf_life,
            acceptor,
        } = validity;
        for ValidityStep { up_to, factor } in steps {
            let age = self.period(*up_to);
            let left = if *factor == crate::value::Ratio::ONE {
                say!(self, "按全额计", "its full value")
            } else {
                say!(self, "按 {factor} 计", "{factor} of its value")
            };
            lines.push(say!(
                self,
                "自取得之日起 {age}以内（含当日）：{left}。",
                "Up to {age} after the day of earning, that day included: {left}."
            ));
        }
        if !steps.is_empty() {
            lines.push(say!(self, "此后失效。", "After that it is worth nothing."));
        }
        for (period, whose) in [
            (shelf_life, say!(self, "学分银行", "the bank")),
            (acceptor, say!(self, "接收机构", "the accepting institution")),
        ] {
            if let Some(period) = period {
                let period = self.period(*period);
                lines.push(say!(
                    self,
                    "{whose}规定的有效期：自取得之日起 {period}。",
                    "Valid by {whose} for {period} from the day of earning."
                ));
            }
        }
        if *renew_resets {
            lines.push(say!(self, "重新认证后，重新起算。", "A renewal begins its age anew."));
        }
    }
}
