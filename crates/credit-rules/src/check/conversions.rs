//! S1 of conversions: units and standards go together, and something is granted.

use super::ids::{Ids, fact};
use crate::book::{Book, Column, Convert, FactKind, Outcome, Rule, Source, Target};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::ratio::Rational;
use crate::value::{Credit, Limit, Name, Ratio};

pub(super) fn check(book: &Book, ids: &Ids<'_>, found: &mut Findings) {
    let standards = At::TOP.key("standards");
    for (name, standard) in &book.standards {
        let here = standards.key(name.as_str());
        match standard.learning {
            Some(Ratio::Plain { .. }) => mismatch(
                found,
                here.key("learning"),
                (
                    "须为时间比学分，如 \"45 h / 1 cr\"",
                    "must be a time for a credit, such as \"45 h / 1 cr\"",
                ),
            ),
            Some(Ratio::TimeForCredit { time, .. }) => ids.time(Some(time), here.key("learning"), found),
            None => {}
        }
        if standard.step.0 == 0 {
            let en = "the step must be above 0";
            found.add(Code::OutOfRange, here.key("step"), "最小单位须大于 0", en);
        }
    }
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        if let Some(value) = &rule.convert {
            convert(rule, value, ids, here.key("convert"), found);
        }
        grants(rule, here, found);
        standard(rule, ids, here, found);
        caps(rule, ids, here.key("cap"), found);
    }
}

fn mismatch(found: &mut Findings, at: At<'_>, says: (&str, &str)) {
    found.add(Code::UnitMismatch, at, says.0, says.1);
}

/// Whether a rule counts time.
pub(super) fn counts_time(rule: &Rule) -> bool {
    let Some(convert) = &rule.convert else { return false };
    match &convert.from {
        Some(Source::Hours) => true,
        Some(Source::CreditValue | Source::Fact(_)) => false,
        None => matches!(convert.ratio, Some(Ratio::TimeForCredit { .. })),
    }
}

/// Whether a rule counts a record's own credit.
pub(super) fn counts_credit(rule: &Rule) -> bool {
    let Some(convert) = &rule.convert else { return false };
    match &convert.from {
        Some(Source::CreditValue) => convert.fixed.is_none(),
        Some(Source::Hours | Source::Fact(_)) => false,
        None => {
            convert.via.is_some()
                || matches!(convert.ratio, Some(Ratio::Plain { .. }))
                || convert.each.is_some()
        }
    }
}

fn convert(rule: &Rule, convert: &Convert, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.standard(convert.std.as_ref(), at.key("std"), found);
    ids.standard(convert.via.as_ref(), at.key("via"), found);
    if let Some(Source::Fact(name)) = &convert.from {
        number_fact(rule, name, at.key("from"), found);
    }
    if let Some(name) = &convert.less {
        number_fact(rule, name, at.key("less"), found);
        if !counts_time(rule) {
            mismatch(found, at.key("less"), ("只能从时间中扣除", "can only be taken off a time"));
        }
    }
    match convert.ratio {
        Some(Ratio::TimeForCredit { time, .. }) => {
            ids.time(Some(time), at.key("ratio"), found);
            if !counts_time(rule) {
                let en = "a ratio of time is applied to something that is no time";
                mismatch(found, at.key("ratio"), ("时间比率用在了不是时间的量上", en));
            }
        }
        Some(Ratio::Plain { .. }) if counts_time(rule) => {
            let en = "a plain ratio is applied to a time: say how much time is a credit";
            mismatch(found, at.key("ratio"), ("纯比率用在了时间上：须写多少时间为一学分", en));
        }
        Some(Ratio::Plain { .. }) | None => {}
    }
    for (key, ratio) in [("inbound", convert.inbound), ("outbound", convert.outbound)] {
        if ratio.is_some_and(|ratio| ratio.plain().is_none()) {
            mismatch(found, at.key(key), ("须为纯比率", "must be a plain ratio"));
        }
    }
    if counts_time(rule) && rule.when.hour_kind.is_none() {
        let en = "time is converted and no hour_kind is asked for";
        found.add(Code::HourKindUnsaid, at, "换算时间而未限定 hour_kind", en);
    }
    if counts_credit(rule) && rule.when.std.is_none() {
        let en = "credit is converted and its standard is not asked for";
        found.add(Code::StandardUnsaid, at, "换算学分而未限定其标准 std", en);
    }
    factors(rule, convert, at.key("factors"), found);
    learning(rule, convert, ids, at, found);
}

fn number_fact(rule: &Rule, name: &Name, at: At<'_>, found: &mut Findings) {
    match fact(rule, name, at, found) {
        Some(FactKind::Int | FactKind::Number) | None => {}
        Some(kind @ (FactKind::Bool | FactKind::Enum(_))) => found.add(
            Code::FactType,
            at,
            format!("事实 {name} 的类型是 {kind}，此处须为数"),
            format!("the fact {name} is {kind}, a number is needed here"),
        ),
    }
}

fn factors(rule: &Rule, convert: &Convert, at: At<'_>, found: &mut Findings) {
    for (index, factor) in convert.factors.iter().enumerate() {
        let here = at.index(index);
        match &factor.by {
            Column::Fact(name) => number_fact(rule, name, here.key("by"), found),
            Column::Level | Column::Score | Column::Hours | Column::Credit | Column::Programme(_) => {}
            by @ (Column::Grade
            | Column::Kind
            | Column::Course
            | Column::Subject
            | Column::Occupation
            | Column::Issuer) => {
                let (zh, en) = (format!("{by} 不是数"), format!("{by} is no number"));
                found.add(Code::CellType, here.key("by"), zh, en);
            }
        }
    }
}

/// The credit of one standard that an hour of learning of another is, where both say so.
fn by_learning(ids: &Ids<'_>, from: &Name, to: &Name) -> Option<Rational> {
    let minutes = |name: &Name| {
        let Some(Ratio::TimeForCredit { time, credit }) = ids.book.standards.get(name)?.learning else {
            return None;
        };
        Rational::new(i128::from(time.minutes(ids.book.xs_minutes)?), i128::from(credit.0))
    };
    minutes(from)?.over(minutes(to)?)
}

/// That ratios between standards are those of their learning hours, or say why not.
fn learning(rule: &Rule, convert: &Convert, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    if convert.justification.is_some() || !counts_credit(rule) {
        return;
    }
    let Some(source) = &rule.when.std else { return };
    let target = result_standard(rule);
    let legs = [
        ("inbound", convert.inbound, Some(source), convert.via.as_ref()),
        ("outbound", convert.outbound, convert.via.as_ref(), target),
        ("ratio", convert.ratio, Some(source), target),
    ];
    for (key, ratio, from, to) in legs {
        let Some(((ratio, from), to)) = ratio.and_then(Ratio::plain).zip(from).zip(to) else { continue };
        let Some(expected) = by_learning(ids, from, to) else { continue };
        if ratio != expected {
            found.add(
                Code::HubRatio,
                at.key(key),
                format!("按学时 {from} 换 {to} 应为 {expected}，现为 {ratio}"),
                format!("by learning hours {from} to {to} is {expected}, this is {ratio}"),
            );
        }
    }
}

/// The standard of what a rule grants, where the rule says it.
pub(super) fn result_standard(rule: &Rule) -> Option<&Name> {
    let convert = rule.convert.as_ref();
    let own = convert.and_then(|convert| convert.std.as_ref());
    let targets = || rule.award.iter().flat_map(|target| std::iter::once(target).chain(&target.one_of));
    own.or_else(|| targets().find_map(|target| target.std.as_ref()))
        .or_else(|| convert.and_then(|convert| convert.via.as_ref()))
}

fn says_amount(target: &Target) -> bool {
    target.credit.is_some() || target.block.is_some() || target.waive
}

/// That a rule grants something.
fn grants(rule: &Rule, at: At<'_>, found: &mut Findings) {
    let converts = rule.table.is_some()
        || rule.convert.as_ref().is_some_and(|convert| {
            convert.ratio.is_some()
                || convert.fixed.is_some()
                || convert.each.is_some()
                || convert.via.is_some()
                || convert.from.is_some()
        });
    if converts || rule.no_articulation.is_some() {
        return;
    }
    let awards = at.key("award");
    for (index, target) in rule.award.iter().enumerate() {
        let all = !target.one_of.is_empty() && target.one_of.iter().all(says_amount);
        if !says_amount(target) && !all {
            let (zh, en) = ("没有说明授予多少学分", "nothing says how much credit is granted");
            found.add(Code::NothingGranted, awards.index(index), zh, en);
        }
    }
}

/// That credit has a standard, and amounts are multiples of its step.
fn standard(rule: &Rule, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    let own = result_standard(rule);
    let step = own.and_then(|own| ids.book.standards.get(own)).map(|standard| standard.step);
    if let Some(convert) = &rule.convert {
        let here = at.key("convert");
        on_step(convert.step, step, here.key("step"), found);
        on_step(convert.fixed, step, here.key("fixed"), found);
    }
    let table = at.key("table");
    let rows = table.key("rows");
    for (index, row) in rule.table.iter().flat_map(|table| &table.rows).enumerate() {
        if let Outcome::Credit(credit) = row.outcome {
            on_step(Some(credit), step, rows.index(index).key("credit"), found);
        }
    }
    let awards = at.key("award");
    for (index, target) in rule.award.iter().enumerate() {
        let here = awards.index(index);
        ids.standard(target.std.as_ref(), here.key("std"), found);
        on_step(target.credit, step, here.key("credit"), found);
        let choices = here.key("one_of");
        for (number, choice) in target.one_of.iter().enumerate() {
            ids.standard(choice.std.as_ref(), choices.index(number).key("std"), found);
        }
        let waives = target.waive || rule.no_articulation.is_some();
        let taken = || {
            let mut own = std::iter::once(target).chain(&target.one_of);
            own.any(|one| ids.taken(&one.pool.0, one.course.as_ref()))
        };
        if own.is_none() && !waives && !taken() {
            found.add(
                Code::TargetWithoutStandard,
                here,
                "没有说明学分属于哪个标准",
                "nothing says of which standard the credit is",
            );
        }
    }
}

fn on_step(amount: Option<Credit>, step: Option<Credit>, at: At<'_>, found: &mut Findings) {
    let Some((amount, step)) = amount.zip(step) else { return };
    if amount.0.checked_rem(step.0).is_some_and(|rest| rest != 0) {
        found.add(
            Code::OffStep,
            at,
            format!("{amount} 不是 {step} 的倍数"),
            format!("{amount} is no multiple of {step}"),
        );
    }
}

fn caps(rule: &Rule, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    for (index, cap) in rule.cap.iter().enumerate() {
        let here = at.index(index);
        ids.limit(cap.max, cap.of, here, found);
        if matches!(cap.max, Some(Limit::Time(_))) && !counts_time(rule) {
            let en = "a maximum of time for a rule that counts no time";
            mismatch(found, here.key("max"), ("规则不按时间换算，上限却是时间", en));
        }
    }
}
