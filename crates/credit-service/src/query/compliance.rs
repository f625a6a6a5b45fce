//! Whether a period of continuing education is fulfilled, by a rule of a published book.

use super::conversion::{all_records, asked_account};
use super::{invalid, rule_book};
use crate::access::Principal;
use crate::failure::Failure;
use crate::reader::Reader;
use crate::reckon;
use credit_ledger::{RecordRow, assess};
use credit_proto::v1;
use credit_rules::compliance::{Activity, period_with_carry};
use credit_rules::value::{Day, Limit, Name, Time};
use credit_types::{CivilDate, HourKind, Reason, RecordKind, RecordStatus, Rejection};

/// Judges a period of continuing education by the account's records of it.
pub(crate) fn compliance(
    reader: &Reader,
    principal: &Principal,
    asked: &v1::CheckComplianceRequest,
) -> Result<v1::CheckComplianceResponse, Failure> {
    let v1::CheckComplianceRequest { account_ref, book_id, version, rule, on } = asked;
    let account = asked_account(reader, principal, account_ref)?;
    let book_row = rule_book::row(reader, book_id)?;
    let version = rule_book::version(reader, &book_row, *version)?;
    let program = reader.program(version.publication.digest)?;
    let book = program.book();
    let asked_rule = book.compliance.iter().find(|one| one.id.as_str() == rule);
    let asked_rule = asked_rule.ok_or_else(|| Rejection::new(Reason::TargetUnknown).field("rule"))?;
    let on = on.ok_or_else(|| invalid("on", "is missing: name a day of the period"))?;
    let on = CivilDate::new(on.year, on.month, on.day).map_err(|error| invalid("on", error.to_string()))?;
    let mut judge = super::balance::Judge::now(reader)?;
    let mut activities = Vec::new();
    for record in all_records(reader, account)? {
        let (status, _) = judge.state(&record)?;
        if status == RecordStatus::Valid
            && let Some(activity) = activity(reader, &record, asked_rule)?
        {
            activities.push(activity);
        }
    }
    let verdict = period_with_carry(asked_rule, book.xs_minutes, Day(on), &activities)
        .map_err(|error| Rejection::new(Reason::EngineRefused).field("rule").detail(error.to_string()))?;
    let compliant = verdict.compliant;
    let told =
        serde_json_canonicalizer::to_vec(&verdict).map_err(crate::failure::fault("write a verdict"))?;
    Ok(v1::CheckComplianceResponse { version: version.publication.book.version, verdict: told, compliant })
}

/// A record of continuing education as an activity of a period, entered on the day of its deposit. Its class is its subject
/// code, its lineage, or what stands behind the last `/` of that, where the rule names such a class; any other counts where
/// the rule fills it in.
fn activity(
    reader: &Reader,
    record: &RecordRow,
    rule: &credit_rules::book::Compliance,
) -> Result<Option<Activity>, Failure> {
    let continuing = record.facts.minutes.filter(|minutes| minutes.hour_kind == HourKind::Continuing);
    if record.facts.kind != RecordKind::Cpd && continuing.is_none() {
        return Ok(None);
    }
    let amount = match rule.total {
        Limit::Time(_) => continuing.map(|minutes| Limit::Time(Time::Minutes(i64::from(minutes.minutes)))),
        Limit::Credit(_) => record
            .facts
            .amount
            .as_ref()
            .map(|amount| Limit::Credit(credit_rules::value::Credit(amount.credits.milli()))),
        Limit::Share(_) => None,
    };
    let Some(amount) = amount else { return Ok(None) };
    let lineage = reader.details(record)?.map(|details| details.lineage_key).unwrap_or_default();
    let last = lineage.rsplit('/').next().unwrap_or_default();
    let class = [record.facts.subject_code.as_str(), lineage.as_str(), last]
        .into_iter()
        .filter_map(|text| text.parse::<Name>().ok())
        .find(|name| rule.classes.contains_key(name));
    let Some(id) = assess::record_id(&record.name()) else { return Ok(None) };
    let entered = reckon::civil_date(reader, reader.core(record.deposited_index)?.recorded_at_us)?;
    let (earned_on, entered_on) = (Day(record.facts.awarded_on), Some(Day(entered)));
    Ok(Some(Activity { id, amount, class, earned_on, entered_on }))
}
