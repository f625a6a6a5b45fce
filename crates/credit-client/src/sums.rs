//! Whether an account's history adds up to a balance.

use std::collections::BTreeMap;

use credit_types::{BalanceStatement, Bucket, Posting, SchemeId};

use crate::posting::{AccountEntry, AccountEvent};

/// How a history adds up to a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sums {
    /// Every bucket holds what was posted to it; what is expired was posted as available.
    Equal,
    /// The whole is what was posted, but the bank reads some of it as suspended or suspect: it rests on a key that was
    /// reported. Which key and which record the postings do not say.
    KeySuspect,
    /// An event of a kind that this client does not know may have moved something.
    Newer,
}

/// A history that does not add up to a balance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumsError {
    /// Another count of records.
    #[error("the history has {deposited} records, the balance {told}")]
    Records {
        /// Records that were deposited.
        deposited: u64,
        /// Records that the balance counts.
        told: u64,
    },
    /// Another sum of all buckets of a scheme.
    #[error("{issued} thousandths of {scheme} were issued, the balance has {told}")]
    Whole {
        /// The scheme.
        scheme: SchemeId,
        /// What was posted out of ISSUED.
        issued: i64,
        /// What the balance has in all buckets.
        told: i64,
    },
    /// A bucket holds more than was posted to it, or less without a suspicion.
    #[error("{posted} thousandths of {scheme} were posted to {bucket:?}, the balance has {told}")]
    Bucket {
        /// The scheme.
        scheme: SchemeId,
        /// The bucket.
        bucket: Bucket,
        /// What was posted.
        posted: i64,
        /// What the balance has.
        told: i64,
    },
}

/// Milli-credits by scheme and bucket.
type ByBucket = BTreeMap<(SchemeId, Bucket), i64>;

/// The buckets that credit is posted to; what the others show is a view of these.
const POSTED: [Bucket; 5] =
    [Bucket::Available, Bucket::Reserved, Bucket::Redeemed, Bucket::Revoked, Bucket::Suspended];

/// Adds a whole history up, from the account's opening to the balance's head, and holds it against the balance. Kinds of
/// records and minutes are in no posting and are not compared, and what has expired is the bank's reading of the facts.
pub fn add_up(history: &[AccountEntry], balance: &BalanceStatement) -> Result<Sums, SumsError> {
    let mut posted = ByBucket::new();
    let mut deposited: u64 = 0;
    for event in history.iter().flat_map(|entry| &entry.events) {
        match event {
            AccountEvent::Opened | AccountEvent::StatusChanged { status: _ } => {}
            AccountEvent::RecordDeposited { record_id: _, postings } => {
                deposited = deposited.saturating_add(1);
                post(&mut posted, postings);
            }
            AccountEvent::RecordStatusChanged { issuer_id: _, record_id: _, status: _, postings } => {
                post(&mut posted, postings);
            }
            AccountEvent::Newer { kind: _ } => return Ok(Sums::Newer),
        }
    }
    let mut told = ByBucket::new();
    let mut records: u64 = 0;
    for line in &balance.lines {
        records = records.saturating_add(u64::from(line.records));
        if let Some(scheme) = &line.scheme {
            let sum = told.entry((scheme.clone(), line.bucket)).or_default();
            *sum = sum.saturating_add(line.credits_milli);
        }
    }
    if deposited != records {
        return Err(SumsError::Records { deposited, told: records });
    }
    let schemes = posted.keys().chain(told.keys()).map(|(scheme, _)| scheme.clone());
    let schemes: std::collections::BTreeSet<SchemeId> = schemes.collect();
    let mut sums = Sums::Equal;
    for scheme in schemes {
        if compare(&scheme, &posted, &told)? == Sums::KeySuspect {
            sums = Sums::KeySuspect;
        }
    }
    Ok(sums)
}

fn post(sums: &mut ByBucket, postings: &[Posting]) {
    for Posting { from, to, amount } in postings {
        let milli = amount.credits.milli();
        let sum = sums.entry((amount.scheme.clone(), *from)).or_default();
        *sum = sum.saturating_sub(milli);
        let sum = sums.entry((amount.scheme.clone(), *to)).or_default();
        *sum = sum.saturating_add(milli);
    }
}

fn compare(scheme: &SchemeId, posted: &ByBucket, told: &ByBucket) -> Result<Sums, SumsError> {
    let of = |sums: &ByBucket, bucket| sums.get(&(scheme.clone(), bucket)).copied().unwrap_or(0);
    let whole = told.iter().filter(|((of, _), _)| of == scheme).map(|(_, milli)| *milli);
    let whole = whole.fold(0i64, i64::saturating_add);
    let issued = of(posted, Bucket::Issued).saturating_neg();
    if issued != whole {
        return Err(SumsError::Whole { scheme: scheme.clone(), issued, told: whole });
    }
    let mut sums = Sums::Equal;
    for bucket in POSTED {
        let posted = of(posted, bucket);
        let shown = match bucket {
            Bucket::Available => of(told, bucket).saturating_add(of(told, Bucket::Expired)),
            Bucket::Reserved
            | Bucket::Redeemed
            | Bucket::Revoked
            | Bucket::Suspended
            | Bucket::Issued
            | Bucket::Expired
            | Bucket::KeySuspect => of(told, bucket),
        };
        // Suspicion moves credit to SUSPENDED and KEY_SUSPECT and nowhere else; the whole was compared above.
        let may_be_more = bucket == Bucket::Suspended;
        if shown > posted && !may_be_more {
            return Err(SumsError::Bucket { scheme: scheme.clone(), bucket, posted, told: shown });
        }
        if shown != posted {
            sums = Sums::KeySuspect;
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{
        AccountRef, Amount, BalanceLine, CivilDate, Credits, Digest, LogId, RecordId, RecordKind,
        RecordStatus, Subject, SubjectHead,
    };

    fn scheme(name: &str) -> SchemeId {
        SchemeId::new(name).unwrap()
    }

    fn moved(from: Bucket, to: Bucket, milli: i64) -> Vec<Posting> {
        let amount = Amount { scheme: scheme("CN_XF"), credits: Credits::from_milli(milli).unwrap() };
        vec![Posting { from, to, amount }]
    }

    fn deposited(milli: i64) -> AccountEvent {
        AccountEvent::RecordDeposited {
            record_id: RecordId([1; 16]),
            postings: moved(Bucket::Issued, Bucket::Available, milli),
        }
    }

    fn changed(from: Bucket, to: Bucket, milli: i64) -> AccountEvent {
        AccountEvent::RecordStatusChanged {
            issuer_id: credit_types::InstitutionId::new("cn.x").unwrap(),
            record_id: RecordId([1; 16]),
            status: RecordStatus::Revoked,
            postings: moved(from, to, milli),
        }
    }

    /// Opened, three deposits of which one is revoked and one suspended, and a record without credit.
    fn history() -> Vec<AccountEntry> {
        let bare = AccountEvent::RecordDeposited { record_id: RecordId([2; 16]), postings: Vec::new() };
        let events = [
            AccountEvent::Opened,
            deposited(3_000),
            deposited(4_000),
            deposited(5_000),
            bare,
            changed(Bucket::Available, Bucket::Suspended, 4_000),
            changed(Bucket::Available, Bucket::Revoked, 5_000),
        ];
        let entry = |(sequence, event): (u64, AccountEvent)| AccountEntry {
            index: sequence,
            recorded_at_us: 0,
            sequence,
            previous: None,
            events: vec![event],
        };
        (1..).zip(events).map(entry).collect()
    }

    fn balance(lines: &[(Option<&str>, Bucket, i64, u32)]) -> BalanceStatement {
        let line = |(of, bucket, credits_milli, records): &(Option<&str>, Bucket, i64, u32)| BalanceLine {
            scheme: of.map(scheme),
            kind: RecordKind::Exam,
            bucket: *bucket,
            credits_milli: *credits_milli,
            hour_kind: None,
            minutes: 0,
            records: *records,
        };
        let head = SubjectHead {
            log_id: LogId([1; 32]),
            subject: Subject::Account(AccountRef([1; 16])),
            sequence: 7,
            leaf_hash: Some(Digest([1; 32])),
            size: 9,
            root: Digest([2; 32]),
        };
        let as_of = CivilDate::new(2026, 7, 1).unwrap();
        BalanceStatement { head, as_of, lines: lines.iter().map(line).collect() }
    }

    #[test]
    fn a_history_adds_up_to_its_balance_and_to_no_other() {
        use Bucket::{Available, Expired, KeySuspect, Revoked, Suspended};
        let bare = (None, Available, 0, 1);
        let of = |lines: &[(Bucket, i64)]| {
            let mut all = vec![bare];
            all.extend(lines.iter().map(|(bucket, milli)| (Some("CN_XF"), *bucket, *milli, 1)));
            add_up(&history(), &balance(&all))
        };
        assert_eq!(of(&[(Available, 3_000), (Suspended, 4_000), (Revoked, 5_000)]), Ok(Sums::Equal));
        assert_eq!(of(&[(Expired, 3_000), (Suspended, 4_000), (Revoked, 5_000)]), Ok(Sums::Equal));
        for suspect in [
            [(KeySuspect, 3_000), (Suspended, 4_000), (Revoked, 5_000)],
            [(Available, 3_000), (KeySuspect, 4_000), (Revoked, 5_000)],
            [(Available, 3_000), (Suspended, 4_000), (Suspended, 5_000)],
        ] {
            assert_eq!(of(&suspect), Ok(Sums::KeySuspect), "{suspect:?}");
        }
        for wrong in [
            [(Available, 3_001), (Suspended, 4_000), (Revoked, 5_000)],
            [(Available, 3_000), (Available, 4_000), (Revoked, 5_000)],
            [(Available, 3_000), (Suspended, 4_000), (Available, 5_000)],
            [(Available, 4_000), (Suspended, 3_000), (Revoked, 5_000)],
            [(Revoked, 3_000), (Suspended, 4_000), (Revoked, 5_000)],
        ] {
            assert!(of(&wrong).is_err(), "{wrong:?}");
        }
        let short = of(&[(Available, 3_000), (Suspended, 9_000)]);
        assert_eq!(short, Err(SumsError::Records { deposited: 4, told: 3 }));
        let other = [
            bare,
            (Some("CATS"), Available, 3_000, 1),
            (Some("CN_XF"), Suspended, 4_000, 1),
            (Some("CN_XF"), Revoked, 5_000, 1),
        ];
        assert!(matches!(add_up(&history(), &balance(&other)), Err(SumsError::Whole { .. })));
    }

    #[test]
    fn what_is_not_known_is_not_added_up() {
        let mut later = history();
        later.last_mut().unwrap().events.push(AccountEvent::Newer { kind: 99 });
        assert_eq!(add_up(&later, &balance(&[])), Ok(Sums::Newer));
        assert_eq!(add_up(&[], &balance(&[])), Ok(Sums::Equal));
    }
}
