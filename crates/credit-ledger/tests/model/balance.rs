//! What an account holds, read at a date, suspect keys seen.

use super::record::bucket_of;
use super::{Model, Record, deposited};
use credit_types::{AccountRef, BalanceLine, Bucket, CivilDate, EventKind, Kid, RecordStatus};

impl Model {
    /// The lines of a balance, ascending.
    pub(crate) fn lines(&self, account_ref: AccountRef, date: CivilDate) -> Vec<BalanceLine> {
        let deposits = self.of(EventKind::RecordDeposited).filter_map(deposited);
        let mut lines: Vec<BalanceLine> = Vec::new();
        for deposit in deposits.filter(|deposit| deposit.facts.account_ref == account_ref) {
            let record = self.record(deposit.issuer, deposit.facts.record_id).unwrap();
            let bucket = self.bucket(&record, date);
            let facts = record.facts;
            let scheme = facts.amount.as_ref().map(|amount| amount.scheme.clone());
            let credits_milli = facts.amount.as_ref().map_or(0, |amount| amount.credits.milli());
            let hour_kind = facts.minutes.map(|minutes| minutes.hour_kind);
            let minutes = facts.minutes.map_or(0, |minutes| i64::from(minutes.minutes));
            let like = |line: &&mut BalanceLine| {
                line.scheme == scheme
                    && line.kind == facts.kind
                    && line.bucket == bucket
                    && line.hour_kind == hour_kind
            };
            if let Some(line) = lines.iter_mut().find(like) {
                line.credits_milli += credits_milli;
                line.minutes += minutes;
                line.records += 1;
            } else {
                let (kind, records) = (facts.kind, 1);
                lines.push(BalanceLine { scheme, kind, bucket, credits_milli, hour_kind, minutes, records });
            }
        }
        lines.sort_by_key(|line| (line.scheme.clone(), line.kind, line.bucket, line.hour_kind));
        lines
    }

    /// Where the whole of a record stands at a date.
    pub(crate) fn bucket(&self, record: &Record<'_>, date: CivilDate) -> Bucket {
        let shaken = record.changed.is_some_and(|(kid, index)| self.suspect(kid, &[index]));
        // Whatever a doubtful key did last, the record waits until somebody else has looked.
        let posted = if shaken { Bucket::Suspended } else { bucket_of(record.status) };
        if posted == Bucket::Revoked {
            return posted;
        }
        if self.rests_on_suspect(record) {
            return Bucket::KeySuspect;
        }
        let expired = posted == Bucket::Available && self.valid_until(record).is_some_and(|last| last < date);
        if expired { Bucket::Expired } else { posted }
    }

    /// The status that a reader is told.
    pub(crate) fn status(&self, record: &Record<'_>) -> RecordStatus {
        let shaken = record.changed.is_some_and(|(kid, index)| self.suspect(kid, &[index]));
        if shaken { RecordStatus::Suspended } else { record.status }
    }

    /// The last day on which a record is valid.
    pub(crate) fn valid_until(&self, record: &Record<'_>) -> Option<CivilDate> {
        let years = self.institution(record.issuer).map_or(0, |issuer| issuer.default_validity_years);
        let by_default = (years > 0).then(|| record.facts.awarded_on.plus_years(years).unwrap());
        record.facts.valid_until.or(by_default)
    }

    fn rests_on_suspect(&self, record: &Record<'_>) -> bool {
        let uses = |index: u64, manifest: Option<u64>| -> Vec<u64> {
            [Some(index), manifest].into_iter().flatten().collect()
        };
        let account = self.account(record.facts.account_ref).unwrap();
        self.suspect(record.kid, &uses(record.deposited, record.manifest_index))
            || self.suspect(account.kid, &uses(account.opened, account.manifest_index))
    }

    /// Whether any use of a key at these indices is in doubt, or the key itself is.
    pub(crate) fn suspect(&self, kid: Kid, uses: &[u64]) -> bool {
        let in_range = |(own, from): (u64, u64)| uses.iter().any(|index| (from..own).contains(index));
        if self.compromised(kid).is_some_and(in_range) {
            return true;
        }
        self.key(kid).is_some_and(|key| key.by.iter().any(|by| self.suspect(*by, &[key.since])))
    }
}
