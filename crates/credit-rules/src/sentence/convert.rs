//! What a record is worth: conversion, factors and tables.

use super::when::maybe;
use super::{Grid, Say, Section};
use crate::book::{
    Aggregate, Cell, Column, Convert, Factor, FactorRow, Outcome, RoundAt, Row, Rule, Source, Table,
};
use crate::ratio::Round;
use crate::value::{Name, Ratio};

impl Say<'_> {
    /// What a record is worth by a conversion.
    pub(crate) fn convert(self, rule: &Rule, convert: &Convert, section: &mut Section) {
        let Convert {
            from,
            ratio,
            fixed,
            each,
            less,
            via,
            inbound,
            outbound,
            std,
            factors,
            round,
            step,
            round_at,
            aggregate,
            least,
            justification,
        } = convert;
        let lines = &mut section.lines;
        if let Some(fixed) = fixed {
            let fixed = self.credit(*fixed);
            lines.push(say!(self, "每项成果计 {fixed}。", "Each record is worth {fixed}."));
        }
        let other = rule.table.is_some() || each.is_some();
        if let Some(what) = self.converted(from.as_ref(), *ratio, other) {
            lines.push(what);
        }
        if let Some(each) = each {
            let each = self.credit(*each);
            let what =
                from.as_ref().map_or_else(|| say!(self, "原学分", "its credit"), |from| self.source(from));
            lines.push(say!(self, "{what}每一单位计 {each}。", "Each unit of {what} is worth {each}."));
        }
        if let Some(less) = less {
            lines.push(say!(
                self,
                "先从时间中扣除所载的“{less}”（分钟）。",
                "The minutes stated as \"{less}\" are taken off the time first."
            ));
        }
        self.hub(via.as_ref(), *inbound, *outbound, lines);
        self.factors(factors, section);
        let exact = fixed.is_some() && factors.is_empty() && rule.validity.is_none();
        if !exact || *aggregate != Aggregate::None {
            self.rounding(*round, *step, *round_at, *aggregate, &mut section.lines);
        }
        let lines = &mut section.lines;
        if let Some(std) = std {
            let std = self.standard(std);
            lines.push(say!(self, "结果以{std}计。", "The result is counted in {std}."));
        }
        if let Some(least) = least {
            let least = self.credit(*least);
            lines.push(say!(self, "结果不足 {least}的不予转换。", "A result below {least} is refused."));
        }
        if let Some(why) = justification {
            lines.push(say!(
                self,
                "比例与两种学分的学习时间不一致的理由：{why}。",
                "Why its ratio is not that of the learning hours: {why}."
            ));
        }
    }

    /// What is converted, and by which ratio; where something else than a ratio says how much, only what.
    fn converted(self, from: Option<&Source>, ratio: Option<Ratio>, other: bool) -> Option<String> {
        let default = match ratio {
            Some(Ratio::TimeForCredit { .. }) => Source::Hours,
            Some(Ratio::Plain { .. }) | None => Source::CreditValue,
        };
        let what = self.source(from.unwrap_or(&default));
        match ratio {
            Some(ratio) => {
                let ratio = self.ratio(ratio);
                Some(say!(self, "折算：{what}，{ratio}。", "Converted is {what}, {ratio}."))
            }
            None if from.is_some() && !other => {
                Some(say!(self, "折算：{what}，等量。", "Converted is {what}, one to one."))
            }
            None if from.is_some() => Some(say!(self, "折算的是{what}。", "Converted is {what}.")),
            None => None,
        }
    }

    fn hub(
        self,
        via: Option<&Name>,
        inbound: Option<Ratio>,
        outbound: Option<Ratio>,
        lines: &mut Vec<String>,
    ) {
        let ratio = |ratio: Option<Ratio>| ratio.map(|ratio| self.ratio(ratio)).unwrap_or_default();
        if let Some(via) = via {
            let via = self.standard(via);
            lines.push(say!(self, "经公共标准{via}换算。", "It is converted by way of the hub {via}."));
        }
        if inbound.is_some() || outbound.is_some() {
            let (inbound, outbound) = (ratio(inbound), ratio(outbound));
            lines.push(say!(
                self,
                "换入：{inbound}；换出：{outbound}；两个比例先相乘，最后取整一次。",
                "Into the hub: {inbound}; out of it: {outbound}; both ratios are multiplied, and rounded once at the end."
            ));
        }
    }

    fn factors(self, factors: &[Factor], section: &mut Section) {
        for Factor { by, rows } in factors {
            let column = self.column(by);
            section.lines.push(say!(
                self,
                "再乘以按{column}确定的系数（见表）。",
                "It is multiplied by a factor by {column} (see the table)."
            ));
            let header = vec![column, say!(self, "系数", "factor")];
            let rows = rows.iter().map(|FactorRow { at_least, below, factor }| {
                vec![self.interval(Some(*at_least), *below), factor.to_string()]
            });
            section.tables.push(Grid { header, rows: rows.collect() });
        }
    }

    fn rounding(
        self,
        round: Round,
        step: Option<crate::value::Credit>,
        round_at: RoundAt,
        aggregate: Aggregate,
        lines: &mut Vec<String>,
    ) {
        let over = self.aggregate(aggregate);
        let how = self.round(round);
        let step = step.map_or_else(
            || say!(self, "该学分的最小单位", "the standard's step"),
            |step| {
                let step = self.credit(step);
                say!(self, " {step}", "{step}")
            },
        );
        if round == Round::None {
            lines.push(say!(
                self,
                "{over}；{how}，单位为{step}。",
                "{over}; the result is not rounded, and refused where it is no multiple of {step}."
            ));
            return;
        }
        lines.push(match round_at {
            RoundAt::Total => say!(
                self,
                "{over}，然后{how}一次，单位为{step}。",
                "{over}; then the result is {how} once, to multiples of {step}."
            ),
            RoundAt::Record => say!(
                self,
                "每项成果先各自{how}，单位为{step}；{over}，和再{how}。",
                "Each record is {how}, to multiples of {step}, before it is added up. {over}, and the sum is {how} again."
            ),
        });
    }

    /// A decision table.
    pub(crate) fn table(self, table: &Table, section: &mut Section) {
        let Table { hit, complete_over, ladder, rows } = table;
        let hit = self.hit(*hit);
        section.lines.push(say!(
            self,
            "学分按下表确定；{hit}。不符合任何一行的不予转换。",
            "What it is worth stands in the table: {hit}. A record that no row fits is refused."
        ));
        if let Some(ladder) = ladder {
            let ladder = self.ladder(ladder);
            section.lines.push(say!(
                self,
                "表中的等级属于{ladder}。",
                "Levels in the table are of {ladder}."
            ));
        }
        if !complete_over.is_empty() {
            let columns = self.and(complete_over.iter().map(|column| self.column(column)));
            section.lines.push(say!(
                self,
                "{columns}的每个取值都有一行。",
                "Every value of {columns} has a row."
            ));
        }
        let columns: std::collections::BTreeSet<&Column> =
            rows.iter().flat_map(|row| row.cells.keys()).collect();
        let mut header: Vec<String> = columns.iter().map(|column| self.column(column)).collect();
        let named = rows.iter().any(|row| row.label.is_some());
        if named {
            header.push(say!(self, "名称", "name"));
        }
        header.push(say!(self, "折算", "worth"));
        let rows = rows.iter().map(|Row { cells, label, outcome }| {
            let cell = |column: &&Column| {
                let cell = cells.get(*column);
                cell.map_or_else(
                    || say!(self, "任意", "any"),
                    |cell| self.cell(column, ladder.as_ref(), cell),
                )
            };
            let mut row: Vec<String> = columns.iter().map(cell).collect();
            if named {
                row.push(label.as_ref().map(|label| self.label(label).to_owned()).unwrap_or_default());
            }
            row.push(self.outcome(outcome));
            row
        });
        section.tables.push(Grid { header, rows: rows.collect() });
    }

    fn cell(self, column: &Column, ladder: Option<&Name>, cell: &Cell) -> String {
        match cell {
            Cell::Words(words) => self.or(words.iter().map(|word| match column {
                Column::Kind => {
                    word.as_str().parse().map_or_else(|_| word.to_string(), |kind| self.record_kind(kind))
                }
                Column::Level
                | Column::Grade
                | Column::Score
                | Column::Hours
                | Column::Credit
                | Column::Course
                | Column::Subject
                | Column::Occupation
                | Column::Issuer
                | Column::Fact(_)
                | Column::Programme(_) => word.to_string(),
            })),
            Cell::Range { at_least, below } => self.interval(*at_least, *below),
            Cell::Is(number) => {
                let level = (*column == Column::Level).then(|| number.to_string().parse().ok()).flatten();
                level.map_or_else(|| maybe(Some(number)), |level| self.level(ladder, level))
            }
        }
    }

    fn outcome(self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Credit(credit) => self.credit(*credit),
            Outcome::Ratio(ratio) => self.ratio(*ratio),
            Outcome::Each(each) => {
                let each = self.credit(*each);
                say!(self, "每单位 {each}", "{each} for each unit")
            }
            Outcome::Share(share) => {
                let share = self.percent(*share);
                say!(self, "专业总学分的 {share}", "{share} of the programme's total")
            }
        }
    }
}
