//! Balances: pure views over records at a civil date.

use crate::row::{AccountRow, RecordRow};
use crate::suspect::{Keys, is_suspect, opening_is_suspect, step_is_suspect};
use credit_types::{
    Amount, BalanceLine, Bucket, CivilDate, HourKind, Minutes, RecordKind, RecordStatus, SchemeId,
};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// How a record reads at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordState {
    /// Its status, with suspect changes read as suspensions.
    pub status: RecordStatus,
    /// Where its credit is, views included; of a record without an amount, where it would be.
    pub bucket: Bucket,
}

/// How a record of an account reads at a date.
pub fn state_of(record: &RecordRow, account: &AccountRow, keys: Keys, on: CivilDate) -> RecordState {
    state(record, &|| opening_is_suspect(keys, account), keys, on)
}

/// How a record reads at a date, given whether its account's opening is suspect.
fn state(record: &RecordRow, opening: &dyn Fn() -> bool, keys: Keys, on: CivilDate) -> RecordState {
    let doubtful = record.steps.last().is_some_and(|step| step_is_suspect(keys, step));
    // Whatever a suspect key did last, nobody may rely on it until it is attested again.
    let status = if doubtful { RecordStatus::Suspended } else { record.status };
    let posted = if doubtful { Bucket::Suspended } else { posted(record) };
    let ended = record.valid_until.is_some_and(|until| until < on);
    let bucket = match posted {
        Bucket::Available if ended => Bucket::Expired,
        Bucket::Available
        | Bucket::Issued
        | Bucket::Reserved
        | Bucket::Redeemed
        | Bucket::Revoked
        | Bucket::Suspended
        | Bucket::Expired
        | Bucket::KeySuspect => posted,
    };
    let bucket = match bucket {
        Bucket::Available | Bucket::Expired | Bucket::Suspended | Bucket::Reserved
            if is_suspect(keys, record.kid, record.deposited_index, record.manifest_index) || opening() =>
        {
            Bucket::KeySuspect
        }
        Bucket::Available
        | Bucket::Expired
        | Bucket::Suspended
        | Bucket::Reserved
        | Bucket::Issued
        | Bucket::Redeemed
        | Bucket::Revoked
        | Bucket::KeySuspect => bucket,
    };
    RecordState { status, bucket }
}

/// Where a record's whole credit was posted; without credit, where its status would have it.
fn posted(record: &RecordRow) -> Bucket {
    assert!(record.buckets.len() < 2, "only whole records move in this protocol");
    match (record.buckets.keys().next(), record.status) {
        (Some(bucket), _) => *bucket,
        (None, RecordStatus::Valid) => Bucket::Available,
        (None, RecordStatus::Suspended) => Bucket::Suspended,
        (None, RecordStatus::Revoked | RecordStatus::Superseded) => Bucket::Revoked,
    }
}

/// Sums of an account's records at a date, ascending by (scheme, kind, bucket, hour kind); a missing scheme or hour
/// kind comes first.
pub fn lines<'a>(
    account: &AccountRow,
    records: impl Iterator<Item = &'a RecordRow>,
    keys: Keys,
    on: CivilDate,
) -> Vec<BalanceLine> {
    // It is the same for all of them, and asked for each.
    let opening = OnceCell::new();
    let opening = || *opening.get_or_init(|| opening_is_suspect(keys, account));
    let mut sums: BTreeMap<(Option<SchemeId>, RecordKind, Bucket, Option<HourKind>), Sum> = BTreeMap::new();
    for record in records {
        let RecordState { bucket, .. } = state(record, &opening, keys, on);
        let (scheme, milli) = match &record.facts.amount {
            Some(Amount { scheme, credits }) => (Some(scheme.clone()), credits.milli()),
            None => (None, 0),
        };
        let (hour_kind, minutes) = match record.facts.minutes {
            Some(Minutes { hour_kind, minutes, .. }) => (Some(hour_kind), minutes),
            None => (None, 0),
        };
        sums.entry((scheme, record.facts.kind, bucket, hour_kind)).or_default().add(milli, minutes);
    }
    let line = |((scheme, kind, bucket, hour_kind), sum): (_, Sum)| BalanceLine {
        scheme,
        kind,
        bucket,
        credits_milli: sum.credits_milli,
        hour_kind,
        minutes: sum.minutes,
        records: sum.records,
    };
    sums.into_iter().map(line).collect()
}

#[derive(Default)]
struct Sum {
    credits_milli: i64,
    minutes: i64,
    records: u32,
}

impl Sum {
    /// Never saturates: an account's records are so few that their sum fits.
    fn add(&mut self, milli: i64, minutes: i32) {
        self.credits_milli = self.credits_milli.saturating_add(milli);
        self.minutes = self.minutes.saturating_add(i64::from(minutes));
        self.records = self.records.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Compromised, KeyRow, StatusStep};
    use credit_types::{
        AccountOpening, AccountRef, AccountStatus, AssuranceLevel, Credits, Digest, InstitutionId,
        InstitutionKey, Kid, PublicKey, RecordFacts, RecordId,
    };
    use std::sync::Arc;

    const SOUND: Kid = Kid([1; 32]);
    const STOLEN: Kid = Kid([2; 32]);

    fn day(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    /// One sound key and one that is suspect at indexes 10 to 19.
    fn keys(kid: Kid) -> Option<Arc<KeyRow>> {
        let compromised = (kid == STOLEN).then_some(Compromised { index: 20, suspect_from_index: 10 });
        let key = KeyRow {
            owner: InstitutionId::new("cn.x").unwrap(),
            key: InstitutionKey { key: PublicKey { bytes: [0; 32], kid }, purposes: [].into() },
            active_from_index: 0,
            authorised_by: Vec::new(),
            retired_index: None,
            compromised,
            last_status_index: 0,
        };
        [SOUND, STOLEN].contains(&kid).then(|| Arc::new(key))
    }

    fn account(kid: Kid) -> AccountRow {
        AccountRow {
            account_ref: AccountRef([1; 16]),
            opening: AccountOpening {
                assurance: AssuranceLevel::Document,
                identity_commitment: Digest([0; 32]),
            },
            registrar: InstitutionId::new("cn.r").unwrap(),
            kid,
            manifest_index: None,
            opened_index: 10,
            status: AccountStatus::Active,
            steps: Vec::new(),
            last_status_index: 10,
            records: 0,
        }
    }

    /// A record deposited at index 11 whose status then changed at 12 and on.
    fn record(kid: Kid, milli: Option<i64>, steps: &[(Kid, RecordStatus)]) -> RecordRow {
        let amount = milli.map(|milli| Amount {
            scheme: SchemeId::new("CN_XF").unwrap(),
            credits: Credits::from_milli(milli).unwrap(),
        });
        let status = steps.last().map_or(RecordStatus::Valid, |(_, status)| *status);
        let bucket = match status {
            RecordStatus::Valid => Bucket::Available,
            RecordStatus::Suspended => Bucket::Suspended,
            RecordStatus::Revoked | RecordStatus::Superseded => Bucket::Revoked,
        };
        let steps =
            (12..).zip(steps).map(|(index, (kid, status))| StatusStep { index, kid: *kid, status: *status });
        RecordRow {
            facts: RecordFacts {
                record_id: RecordId([1; 16]),
                account_ref: AccountRef([1; 16]),
                kind: RecordKind::FormalCourse,
                amount,
                minutes: None,
                level: None,
                subject_code: "0613".to_owned(),
                occupation_code: String::new(),
                awarded_on: day("2025-06-30"),
                valid_until: None,
                details_commitment: Digest([0; 32]),
                credit_eligible: true,
            },
            issuer: InstitutionId::new("cn.x").unwrap(),
            kid,
            manifest_index: None,
            deposited_index: 11,
            buckets: milli.map(|milli| (bucket, milli)).into_iter().collect(),
            status,
            steps: steps.collect(),
            last_status_index: 11,
            supersedes: None,
            superseded_by: None,
            valid_until: Some(day("2026-06-30")),
            application: None,
        }
    }

    #[test]
    fn a_record_reads_as_it_was_posted_unless_time_or_a_suspect_key_speak_against_it() {
        use RecordStatus::{Revoked, Superseded, Suspended, Valid};
        let (before, after) = ("2026-06-30", "2026-07-01");
        for (opened, deposited, steps, on, status, bucket) in [
            (SOUND, SOUND, &[][..], before, Valid, Bucket::Available),
            (SOUND, SOUND, &[], after, Valid, Bucket::Expired),
            (SOUND, STOLEN, &[], before, Valid, Bucket::KeySuspect),
            (SOUND, STOLEN, &[], after, Valid, Bucket::KeySuspect),
            (STOLEN, SOUND, &[], before, Valid, Bucket::KeySuspect),
            (SOUND, SOUND, &[(SOUND, Suspended)], after, Suspended, Bucket::Suspended),
            (SOUND, STOLEN, &[(SOUND, Suspended)], after, Suspended, Bucket::KeySuspect),
            (SOUND, SOUND, &[(SOUND, Revoked)], after, Revoked, Bucket::Revoked),
            (SOUND, STOLEN, &[(SOUND, Revoked)], before, Revoked, Bucket::Revoked),
            (SOUND, SOUND, &[(STOLEN, Revoked)], before, Suspended, Bucket::Suspended),
            (SOUND, STOLEN, &[(STOLEN, Revoked)], before, Suspended, Bucket::KeySuspect),
            (SOUND, SOUND, &[(STOLEN, Superseded)], before, Suspended, Bucket::Suspended),
            (SOUND, SOUND, &[(STOLEN, Suspended)], before, Suspended, Bucket::Suspended),
            (SOUND, SOUND, &[(SOUND, Suspended), (STOLEN, Valid)], before, Suspended, Bucket::Suspended),
            (SOUND, SOUND, &[(STOLEN, Suspended), (SOUND, Valid)], before, Valid, Bucket::Available),
            (SOUND, SOUND, &[(STOLEN, Suspended), (SOUND, Revoked)], before, Revoked, Bucket::Revoked),
        ] {
            for milli in [Some(3_000), None] {
                let record = record(deposited, milli, steps);
                let state = state_of(&record, &account(opened), &keys, day(on));
                assert_eq!(state, RecordState { status, bucket }, "{milli:?} {steps:?} on {on}");
            }
        }
    }

    #[test]
    fn lines_sum_what_is_alike_and_ascend() {
        let mut timed = record(SOUND, None, &[]);
        timed.facts.minutes =
            Some(Minutes { hour_kind: HourKind::Contact, minutes: 90, class_hour_minutes: 45 });
        let records = [
            record(SOUND, Some(3_000), &[]),
            record(STOLEN, Some(500), &[]),
            timed.clone(),
            record(SOUND, Some(250), &[]),
            timed,
        ];
        let line = |scheme: Option<&str>, bucket, credits_milli, hour_kind, minutes, records| BalanceLine {
            scheme: scheme.map(|id| SchemeId::new(id).unwrap()),
            kind: RecordKind::FormalCourse,
            bucket,
            credits_milli,
            hour_kind,
            minutes,
            records,
        };
        let expected = vec![
            line(None, Bucket::Available, 0, Some(HourKind::Contact), 180, 2),
            line(Some("CN_XF"), Bucket::Available, 3_250, None, 0, 2),
            line(Some("CN_XF"), Bucket::KeySuspect, 500, None, 0, 1),
        ];
        assert_eq!(lines(&account(SOUND), records.iter(), &keys, day("2026-01-01")), expected);
    }
}
