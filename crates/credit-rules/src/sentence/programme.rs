//! Programmes, awards and what they require.

use super::{Grid, Say, Section, Subject};
use crate::book::{Award, Counted, LadderStep, Programme, ProgrammeLevel, Requirement, Share};
use crate::value::Name;

impl Say<'_> {
    /// A programme.
    pub(crate) fn programme(self, name: &Name, programme: &Programme) -> Section {
        let Programme { label, institution, std, total, unit, level, facts, shareable, requirements } =
            programme;
        let label = self.label(label);
        let heading = say!(self, "专业：{label}（{name}）", "Programme: {label} ({name})");
        let mut section = Section::new(Subject::Programme(name.clone()), heading);
        let lines = &mut section.lines;
        let (total, std) = (self.credit(*total), self.standard(std));
        lines.push(say!(
            self,
            "由 {institution} 开设，总学分 {total}，以{std}计。",
            "It is of {institution} and has {total} in all, counted in {std}."
        ));
        if let Some(unit) = unit {
            let unit = self.credit(*unit);
            lines.push(say!(
                self,
                "整体学分向下取整到 {unit}。",
                "Credit of no course in particular is rounded down to {unit}."
            ));
        }
        if let Some(ProgrammeLevel { ladder, level }) = level {
            let (level, ladder) = (self.level(Some(ladder), *level), self.ladder(ladder));
            lines.push(say!(self, "等级：{ladder}的 {level}。", "Its level is {level} in {ladder}."));
        }
        for (fact, value) in facts {
            lines.push(say!(self, "“{fact}”为 {value}。", "Its \"{fact}\" is {value}."));
        }
        if !shareable.is_empty() {
            let others = self.and(shareable.iter().map(|name| self.programme_name(name)));
            lines.push(say!(self, "可与 {others} 共用同一成果。", "It may share a record with {others}."));
        }
        for requirement in requirements {
            let told = self.requirement(requirement);
            lines.push(say!(self, "要求：{told}。", "Requirement: {told}."));
        }
        section
    }

    /// A requirement.
    fn requirement(self, requirement: &Requirement) -> String {
        let Requirement { id, labels, counts, pool, credit, hours, count, share, courses, least, any_of } =
            requirement;
        let mut told = Vec::new();
        if let Some(credit) = credit {
            let credit = self.credit(*credit);
            told.push(say!(self, "至少 {credit}", "at least {credit}"));
        }
        if let Some(hours) = hours {
            let hours = self.time(*hours);
            told.push(say!(self, "至少 {hours}", "at least {hours}"));
        }
        if let Some(count) = count {
            told.push(say!(self, "至少 {count} 项成果", "at least {count} records"));
        }
        if let Some(Share { at_least }) = share {
            let share = self.percent(*at_least);
            told.push(say!(self, "至少占总学分的 {share}", "at least {share} of the total"));
        }
        if !courses.is_empty() {
            let list = self.and(courses.iter());
            told.push(match least {
                None => say!(self, "课程 {list} 全部达到", "all of the courses {list}"),
                Some(0) => say!(self, "可选课程 {list}", "courses that count to it: {list}"),
                Some(least) => {
                    say!(self, "下列课程至少 {least} 门：{list}", "at least {least} of the courses {list}")
                }
            });
        }
        if !pool.is_empty() {
            let pools = self.and(pool.iter());
            told.push(say!(self, "接收类别 {pools} 的学分", "it takes credit of {pools}"));
        }
        let counted = self.counted(counts);
        if !counted.is_empty() {
            let counted = self.clauses(&counted);
            told.push(say!(self, "只计：{counted}", "only what counts: {counted}"));
        }
        if !any_of.is_empty() {
            let choices = self.or(any_of.iter().map(|choice| format!("[{}]", self.requirement(choice))));
            told.push(say!(self, "满足其一即可：{choices}", "any one of {choices}"));
        }
        let told = self.clauses(&told);
        let empty = id.as_str().is_empty();
        if empty && labels.is_empty() {
            return told;
        }
        let name = self.labelled(Some(labels), id);
        if told.is_empty() { name } else { say!(self, "{name}：{told}", "{name}: {told}") }
    }

    fn counted(self, counted: &Counted) -> Vec<String> {
        let Counted { own, issuer, issuer_group, record_kind, pool, ladder, min_level, passed, max_age } =
            counted;
        let mut told = Vec::new();
        if *own {
            told.push(say!(self, "授予机构自己的成果", "the awarding institution's own"));
        }
        if !issuer.is_empty() {
            let issuers = self.or(issuer.iter());
            told.push(say!(self, "由 {issuers} 颁发的", "issued by {issuers}"));
        }
        if let Some(group) = issuer_group {
            told.push(say!(self, "颁发机构属于 {group} 的", "issued by one of {group}"));
        }
        if !record_kind.is_empty() {
            let kinds = self.or(record_kind.iter().map(|kind| self.record_kind(*kind)));
            told.push(say!(self, "类别为{kinds}的", "that attest {kinds}"));
        }
        if !pool.is_empty() {
            let pools = self.or(pool.iter().map(|name| self.requirement_name(name)));
            told.push(say!(self, "归入 {pools} 的", "put to {pools}"));
        }
        if let Some(level) = min_level {
            let level = self.level(ladder.as_ref(), *level);
            told.push(say!(self, "不低于 {level}的", "of {level} or higher"));
        }
        if let Some(ladder) = ladder {
            let ladder = self.ladder(ladder);
            told.push(say!(self, "等级按{ladder}", "levels being those of {ladder}"));
        }
        if *passed {
            told.push(say!(self, "载明已通过的", "that say that the learner passed"));
        }
        if let Some(age) = max_age {
            let age = self.period(*age);
            told.push(say!(self, "取得不超过 {age}的", "at most {age} old"));
        }
        told
    }

    /// An award.
    pub(crate) fn award(self, award: &Award) -> Section {
        let Award {
            id,
            labels,
            evidence,
            institution,
            programme,
            std,
            level,
            requirements,
            ladder,
            consumption,
        } = award;
        let label = self.label(labels);
        let heading = say!(self, "学习证明：{label}（{id}）", "Award: {label} ({id})");
        let mut section = Section::new(Subject::Award(id.clone()), heading);
        let lines = &mut section.lines;
        let std = self.standard(std);
        lines.push(say!(
            self,
            "由 {institution} 授予，学分以{std}计。",
            "It is granted by {institution}; its credit is counted in {std}."
        ));
        if let Some(programme) = programme {
            let programme = self.programme_name(programme);
            lines.push(say!(self, "它完成专业 {programme}。", "It ends the programme {programme}."));
        }
        if let Some(level) = level {
            lines.push(say!(self, "层次：{level}。", "Its level is {level}."));
        }
        for requirement in requirements {
            let told = self.requirement(requirement);
            lines.push(say!(self, "须达到：{told}。", "Required: {told}."));
        }
        if !ladder.is_empty() {
            lines.push(say!(
                self,
                "按累计学分分级，授予已达到的最高一级（见表）。",
                "It has steps by total credit; the highest that is reached is granted (see the table)."
            ));
            let rows = ladder.iter().map(|LadderStep { id, labels, credit }| {
                vec![self.credit(*credit), self.labelled(Some(labels), id)]
            });
            let header = vec![say!(self, "累计学分", "from"), say!(self, "授予", "granted")];
            section.tables.push(Grid { header, rows: rows.collect() });
        }
        let lines = &mut section.lines;
        let consumption = self.consumption(*consumption);
        lines.push(say!(self, "{consumption}。", "{consumption}."));
        self.evidence(evidence, lines);
        section
    }
}
