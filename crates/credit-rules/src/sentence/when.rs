//! Which records a rule is about.

use super::Say;
use crate::book::{Bundle, FactKind, Guard, LevelGuard, MinGrade, NOf, When};
use crate::value::{Language, Many, Name};
use std::collections::BTreeMap;

impl Say<'_> {
    /// The conditions on a record, one clause each.
    pub(crate) fn when(self, when: &When) -> Vec<String> {
        [self.who_and_what(when), self.how_much(when), self.when_and_how(when)].concat()
    }

    /// What a record is about.
    fn who_and_what(self, when: &When) -> Vec<String> {
        let When {
            issuer,
            issuer_group,
            record_kind,
            course,
            subject,
            occupation,
            std,
            hour_kind,
            min_hours: _,
            max_hours: _,
            min_credit: _,
            min_grade: _,
            min_attendance: _,
            passed: _,
            recognised_issuer: _,
            verified: _,
            min_content_match: _,
            assessment: _,
            mode: _,
            earned: _,
            recorded_by: _,
            max_age: _,
            valid_on_decision: _,
            min_learner_age: _,
            level: _,
        } = when;
        let mut told = Vec::new();
        let list = |names: &Many<Name>| self.or(names.iter());
        if !issuer.is_empty() {
            let issuers = list(issuer);
            told.push(say!(self, "由 {issuers} 颁发", "it was issued by {issuers}"));
        }
        if let Some(group) = issuer_group {
            told.push(say!(self, "颁发机构属于机构组 {group}", "its issuer belongs to the group {group}"));
        }
        if !record_kind.is_empty() {
            let kinds = self.or(record_kind.iter().map(|kind| self.record_kind(*kind)));
            told.push(say!(self, "成果类别为{kinds}", "it attests {kinds}"));
        }
        if !course.is_empty() {
            let courses = list(course);
            told.push(say!(self, "课程为 {courses}", "its course is {courses}"));
        }
        if !subject.is_empty() {
            let subjects = list(subject);
            told.push(say!(self, "学科代码以 {subjects} 开头", "its subject code begins with {subjects}"));
        }
        if !occupation.is_empty() {
            let occupations = list(occupation);
            told.push(say!(
                self,
                "职业代码以 {occupations} 开头",
                "its occupation code begins with {occupations}"
            ));
        }
        if let Some(std) = std {
            let std = self.standard(std);
            told.push(say!(self, "学分以{std}计", "its credit is counted in {std}"));
        }
        if let Some(hours) = hour_kind {
            let hours = self.hour_kind(*hours);
            told.push(say!(self, "时间计的是{hours}", "its time is {hours}"));
        }
        told
    }

    /// How much and how good it must be.
    fn how_much(self, when: &When) -> Vec<String> {
        let When {
            issuer: _,
            issuer_group: _,
            record_kind: _,
            course: _,
            subject: _,
            occupation: _,
            std: _,
            hour_kind: _,
            min_hours,
            max_hours,
            min_credit,
            min_grade,
            min_attendance,
            passed,
            recognised_issuer,
            verified,
            min_content_match,
            assessment: _,
            mode: _,
            earned: _,
            recorded_by: _,
            max_age: _,
            valid_on_decision: _,
            min_learner_age: _,
            level: _,
        } = when;
        let mut told = Vec::new();
        if let Some(time) = min_hours {
            let least = self.time(*time);
            told.push(say!(self, "时间不少于 {least}", "its time is at least {least}"));
        }
        if let Some(time) = max_hours {
            let most = self.time(*time);
            told.push(say!(self, "时间不多于 {most}", "its time is at most {most}"));
        }
        if let Some(credit) = min_credit {
            let least = self.credit(*credit);
            told.push(say!(self, "原学分不少于 {least}", "its credit is at least {least}"));
        }
        if let Some(grade) = min_grade {
            told.push(self.min_grade(grade));
        }
        if let Some(share) = min_attendance {
            let least = self.percent(*share);
            told.push(say!(self, "出勤率不低于 {least}", "attendance is at least {least}"));
        }
        if *passed {
            told.push(say!(self, "载明已通过", "it says that the learner passed"));
        }
        if *recognised_issuer {
            told.push(say!(
                self,
                "取得之日颁发机构具备相应资质",
                "its issuer was accredited for it on the day it was earned"
            ));
        }
        if *verified {
            told.push(say!(self, "已经核验", "it has been verified"));
        }
        if let Some(share) = min_content_match {
            let least = self.percent(*share);
            told.push(say!(
                self,
                "内容与目标课程的吻合度不低于 {least}",
                "its content agrees with the target's by at least {least}"
            ));
        }
        told
    }

    /// How and when it was earned.
    fn when_and_how(self, when: &When) -> Vec<String> {
        let When {
            issuer: _,
            issuer_group: _,
            record_kind: _,
            course: _,
            subject: _,
            occupation: _,
            std: _,
            hour_kind: _,
            min_hours: _,
            max_hours: _,
            min_credit: _,
            min_grade: _,
            min_attendance: _,
            passed: _,
            recognised_issuer: _,
            verified: _,
            min_content_match: _,
            assessment,
            mode,
            earned,
            recorded_by,
            max_age,
            valid_on_decision,
            min_learner_age,
            level,
        } = when;
        let mut told = Vec::new();
        let list = |names: &Many<Name>| self.or(names.iter());
        if !assessment.is_empty() {
            let ways = list(assessment);
            told.push(say!(self, "考核方式为 {ways}", "it was assessed by {ways}"));
        }
        if !mode.is_empty() {
            let modes = self.or(mode.iter().map(|mode| self.mode(*mode)));
            told.push(say!(self, "授课方式为{modes}", "it was delivered {modes}"));
        }
        if !earned.is_open() {
            let window = self.window(earned);
            told.push(say!(self, "取得日期：{window}", "it was earned {window}"));
        }
        if let Some(crate::value::Day(day)) = recorded_by {
            told.push(say!(self, "最迟于 {day} 登记", "it was entered by {day}"));
        }
        if let Some(age) = max_age {
            let age = self.period(*age);
            told.push(say!(
                self,
                "至决定之日，取得不超过 {age}（含当日）",
                "on the day of the decision it is at most {age} old, that day included"
            ));
        }
        if *valid_on_decision {
            told.push(say!(self, "决定之日仍在有效期内", "it is valid on the day of the decision"));
        }
        if let Some(age) = min_learner_age {
            let age = self.period(*age);
            told.push(say!(
                self,
                "决定之日学习者年满 {age}",
                "the learner is at least {age} old on the day of the decision"
            ));
        }
        if let Some(level) = level {
            told.push(self.level_guard(level));
        }
        told
    }

    fn min_grade(self, MinGrade { scale, at_least }: &MinGrade) -> String {
        let scale = self.scale(scale);
        say!(self, "成绩（{scale}）不低于 {at_least}", "its grade in {scale} is at least {at_least}")
    }

    fn level_guard(self, LevelGuard { ladder, at_least, at_most }: &LevelGuard) -> String {
        let name = self.ladder(ladder);
        let level =
            |level: &Option<_>| level.map(|level| self.level(Some(ladder), level)).unwrap_or_default();
        let (least, most) = (level(at_least), level(at_most));
        match (at_least, at_most) {
            (Some(_), Some(_)) => say!(
                self,
                "等级（{name}）不低于 {least}、不高于 {most}",
                "its level in {name} is between {least} and {most}"
            ),
            (None, Some(_)) => {
                say!(self, "等级（{name}）不高于 {most}", "its level in {name} is at most {most}")
            }
            (Some(_), None) => {
                say!(self, "等级（{name}）不低于 {least}", "its level in {name} is at least {least}")
            }
            (None, None) => say!(self, "载有等级（{name}）", "it has a level in {name}"),
        }
    }

    /// A condition over facts.
    pub(crate) fn guard(self, guard: &Guard) -> String {
        let Guard { all, any, not, fact, ge, le, eq, one_of } = guard;
        let mut told = Vec::new();
        let inner = |part: &Guard| {
            let text = self.guard(part);
            let several = [&part.all, &part.any].into_iter().flatten().any(|list| list.len() > 1);
            if several { say!(self, "（{text}）", "({text})") } else { text }
        };
        if let Some(list) = all {
            told.push(self.and(list.iter().map(inner)));
        }
        if let Some(list) = any {
            told.push(self.or(list.iter().map(inner)));
        }
        if let Some(part) = not {
            let text = self.guard(part);
            told.push(say!(self, "并非（{text}）", "not ({text})"));
        }
        let name = maybe(fact.as_ref());
        if let Some(least) = ge {
            told.push(say!(self, "“{name}”不小于 {least}", "\"{name}\" is at least {least}"));
        }
        if let Some(most) = le {
            told.push(say!(self, "“{name}”不大于 {most}", "\"{name}\" is at most {most}"));
        }
        if let Some(word) = eq {
            let word = match word.as_str() {
                "true" => say!(self, "“是”", "yes"),
                "false" => say!(self, "“否”", "no"),
                word => word.to_owned(),
            };
            told.push(say!(self, "“{name}”为 {word}", "\"{name}\" is {word}"));
        }
        if let Some(words) = one_of {
            let words = self.or(words);
            told.push(say!(self, "“{name}”为 {words}", "\"{name}\" is {words}"));
        }
        self.and(told)
    }

    /// The facts that a rule may ask for.
    pub(crate) fn facts(self, facts: &BTreeMap<Name, FactKind>) -> String {
        let told = facts.iter().map(|(name, kind)| {
            let kind = match kind {
                FactKind::Int => say!(self, "整数", "a whole number"),
                FactKind::Number => say!(self, "数", "a number"),
                FactKind::Bool => say!(self, "是或否", "yes or no"),
                FactKind::Enum(words) => self.or(words),
            };
            say!(self, "“{name}”（{kind}）", "\"{name}\" ({kind})")
        });
        self.and(told)
    }

    /// Which records are needed together.
    pub(crate) fn bundle(self, bundle: &Bundle) -> String {
        let Bundle { all, any, n_of, course, record, same_institution: _, within: _ } = bundle;
        let mut told = Vec::new();
        let inner = |part: &Bundle| {
            let text = self.bundle(part);
            let several = [&part.all, &part.any].into_iter().flatten().any(|list| list.len() > 1);
            if several { say!(self, "（{text}）", "({text})") } else { text }
        };
        if let Some(list) = all {
            told.push(self.and(list.iter().map(inner)));
        }
        if let Some(list) = any {
            told.push(self.or(list.iter().map(inner)));
        }
        if let Some(NOf { least, of }) = n_of {
            let of: Vec<String> = of.iter().map(inner).collect();
            let text = of.join(if self.language == Language::Zh { "、" } else { ", " });
            told.push(say!(self, "下列中至少 {least} 项（{text}）", "at least {least} of ({text})"));
        }
        if let Some(course) = course {
            told.push(say!(self, "课程 {course}", "course {course}"));
        }
        if let Some(when) = record {
            let text = self.clauses(&self.when(when));
            told.push(say!(self, "一项成果（{text}）", "a record of which holds: [{text}]"));
        }
        self.and(told)
    }

    /// What holds for a bundle as a whole.
    pub(crate) fn bundle_whole(self, bundle: &Bundle, lines: &mut Vec<String>) {
        let Bundle { all: _, any: _, n_of: _, course: _, record: _, same_institution, within } = bundle;
        if *same_institution {
            lines.push(say!(self, "这些成果须由同一机构颁发。", "These records must all be of one issuer."));
        }
        if let Some(within) = within {
            let within = self.period(*within);
            lines.push(say!(
                self,
                "第一项与最后一项的取得日期相隔不超过 {within}。",
                "At most {within} may lie between the first and the last."
            ));
        }
    }
}

/// The text of a value, empty where there is none.
pub(crate) fn maybe<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
