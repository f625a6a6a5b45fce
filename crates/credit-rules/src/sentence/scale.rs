//! Units, groups, ladders, scales, and the maps between them.

use super::{Grid, Say, Section, Subject};
use crate::book::{
    Distribution, GradeMap, GradeRow, GradeShare, Ladder, LadderLevel, LevelMap, LevelRow, Pick, Scale,
    Standard,
};
use crate::value::Name;

impl Say<'_> {
    /// The words of a book; no section where it has none.
    pub(crate) fn vocabulary(self) -> Option<Section> {
        let heading = say!(self, "单位、机构组、等级与量表", "Units, groups, ladders and scales");
        let mut section = Section::new(Subject::Vocabulary, heading);
        for (name, Standard { label, step, learning }) in &self.book.standards {
            let (name, step) = (self.labelled(Some(label), name), self.credit(*step));
            let mut line = say!(
                self,
                "学分单位{name}：最小单位 {step}。",
                "The unit of credit {name} has a step of {step}."
            );
            if let Some(learning) = learning {
                let learning = self.ratio(*learning);
                line.push_str(&say!(self, "学习时间：{learning}。", " It stands for learning: {learning}."));
            }
            section.lines.push(line);
        }
        for (name, members) in &self.book.groups {
            let members = self.and(members.iter().map(|member| self.member(member)));
            section.lines.push(say!(self, "机构组 {name}：{members}。", "The group {name}: {members}."));
        }
        for (name, ladder) in &self.book.ladders {
            self.told_ladder(name, ladder, &mut section);
        }
        for (name, scale) in &self.book.scales {
            section.lines.push(self.told_scale(name, scale));
        }
        (!section.lines.is_empty()).then_some(section)
    }

    fn member(self, member: &Name) -> String {
        if member.as_str().ends_with('.') {
            say!(self, "编号以 {member} 开头的所有机构", "all whose id begins with \"{member}\"")
        } else {
            member.to_string()
        }
    }

    fn told_ladder(self, name: &Name, ladder: &Ladder, section: &mut Section) {
        let Ladder { label, descending, levels } = ladder;
        let name = self.labelled(Some(label), name);
        section.lines.push(if *descending {
            say!(
                self,
                "等级{name}：数字越小等级越高。",
                "The ladder {name}: smaller numbers are higher levels."
            )
        } else {
            say!(
                self,
                "等级{name}：数字越大等级越高。",
                "The ladder {name}: larger numbers are higher levels."
            )
        });
        let header = vec![name, say!(self, "名称", "name")];
        let rows = levels
            .iter()
            .map(|LadderLevel { level, label }| vec![level.to_string(), self.label(label).to_owned()]);
        section.tables.push(Grid { header, rows: rows.collect() });
    }

    fn told_scale(self, name: &Name, scale: &Scale) -> String {
        let Scale { label, words, min, max, pass, descending } = scale;
        let name = self.labelled(Some(label), name);
        let mut told = Vec::new();
        if !words.is_empty() {
            let words = words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" < ");
            told.push(say!(self, "由低到高 {words}", "from the worst to the best {words}"));
        }
        if let Some(min) = min {
            told.push(say!(self, "最小 {min}", "from {min}"));
        }
        if let Some(max) = max {
            told.push(say!(self, "最大 {max}", "to {max}"));
        }
        if let Some(pass) = pass {
            told.push(say!(self, "{pass} 起及格", "{pass} passes"));
        }
        if *descending {
            told.push(say!(self, "数字越小越好", "smaller numbers are better"));
        }
        let told = self.clauses(&told);
        say!(self, "成绩量表{name}：{told}。", "The scale of grades {name}: {told}.")
    }

    /// A map between levels.
    pub(crate) fn level_map(self, map: &LevelMap) -> Section {
        let LevelMap { id, labels, from, to, rows, both_ways } = map;
        let label = self.label(labels);
        let heading = say!(self, "等级对照：{label}（{id}）", "Map of levels: {label} ({id})");
        let mut section = Section::new(Subject::Map(id.clone()), heading);
        let header = vec![self.ladder(from), self.ladder(to)];
        section.lines.push(say!(
            self,
            "下表未列出的等级没有对应，绝不推定。",
            "A level that is not in the table has no counterpart, and none is guessed."
        ));
        if *both_ways {
            section.lines.push(say!(
                self,
                "反方向也适用，但一对多的除外。",
                "It also holds backwards, where that is no ambiguity."
            ));
        }
        let rows = rows.iter().map(|row| {
            let LevelRow { from: left, to: right } = row;
            vec![self.level(Some(from), *left), self.level(Some(to), *right)]
        });
        section.tables.push(Grid { header, rows: rows.collect() });
        section
    }

    /// A map between grades.
    pub(crate) fn grade_map(self, map: &GradeMap) -> Section {
        let GradeMap {
            id,
            labels,
            from,
            to,
            hit,
            rows,
            formula,
            distribution,
            round,
            step,
            clamp,
            snap,
            monotone,
        } = map;
        let label = self.label(labels);
        let heading = say!(self, "成绩换算：{label}（{id}）", "Map of grades: {label} ({id})");
        let mut section = Section::new(Subject::Map(id.clone()), heading);
        let lines = &mut section.lines;
        let (from, to) = (self.scale(from), self.scale(to));
        lines.push(say!(self, "由{from}换算为{to}。", "From {from} to {to}."));
        if !rows.is_empty() {
            let hit = self.hit(*hit);
            lines.push(say!(self, "按下表换算；{hit}。", "It goes by the table: {hit}."));
        }
        if let Some(formula) = formula {
            let (formula, round) = (self.formula(*formula), self.round(*round));
            lines.push(say!(
                self,
                "按公式换算：{formula}；结果{round}。",
                "It goes by {formula}; the result is {round}."
            ));
        }
        if let Some(step) = step {
            lines.push(say!(self, "取整单位为 {step}。", "It is rounded to multiples of {step}."));
        }
        if let Some((best, worst)) = clamp {
            lines.push(say!(
                self,
                "结果限于 {best} 至 {worst} 之间。",
                "The result stays between {best} and {worst}."
            ));
        }
        if !snap.is_empty() {
            let grades = self.or(snap);
            lines.push(say!(
                self,
                "结果归入较好的一个现有等第：{grades}。",
                "The result falls into the better of the grades that exist: {grades}."
            ));
        }
        if *monotone {
            lines.push(say!(
                self,
                "成绩更好，换算结果不会更差（发布前检查）。",
                "A better grade never gives a worse one; that is checked before publication."
            ));
        }
        if let Some(distribution) = distribution {
            self.distribution(distribution, (&from, &to), &mut section);
        }
        if !rows.is_empty() {
            section.tables.push(self.grade_rows(rows, vec![from, to]));
        }
        section
    }

    fn grade_rows(self, rows: &[GradeRow], header: Vec<String>) -> Grid {
        let rows = rows.iter().map(|GradeRow { at_least, below, word, to }| {
            let own = match word {
                Some(word) => word.to_string(),
                None => self.interval(*at_least, *below),
            };
            vec![own, to.to_string()]
        });
        Grid { header, rows: rows.collect() }
    }

    /// How grades are spread in both scales.
    fn distribution(self, distribution: &Distribution, scales: (&str, &str), section: &mut Section) {
        let Distribution { from, to, pick } = distribution;
        let pick = match pick {
            Pick::Best => say!(self, "最好的", "the best"),
            Pick::Middle => say!(self, "居中的", "the middle one"),
            Pick::Worst => say!(self, "最差的", "the worst"),
        };
        section.lines.push(say!(
            self,
            "按两个量表中通过者的成绩分布换算（见表，由好到差）：占同样名次的几个成绩中，取{pick}一个。",
            "It goes by how the grades of those who passed are spread in both scales (see the tables, from the best on): of the grades at the same places, {pick} is taken."
        ));
        for (scale, shares) in [(scales.0, from), (scales.1, to)] {
            let header = vec![scale.to_owned(), say!(self, "占比", "share")];
            let rows = shares
                .iter()
                .map(|GradeShare { grade, share }| vec![grade.to_string(), self.percent(*share)]);
            section.tables.push(Grid { header, rows: rows.collect() });
        }
    }
}
