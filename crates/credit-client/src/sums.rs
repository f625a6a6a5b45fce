//! Whether an account's history adds up to a balance.

use std::collections::BTreeMap;

use credit_types::{
    Amount, ApplicationStatus, BalanceStatement, Bucket, InstitutionId, Posting, RecordId, SchemeId,
};

use crate::posting::{AccountEntry, AccountEvent, ChangedConversion};

/// How a history adds up to a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sums {
    /// Every bucket holds what was posted to it; what is expired was posted as available.
    Equal,
    /// The whole is what was posted, but the bank reads some of it as suspended or suspect: it rests on a key that was
    /// reported. Which key and which record the postings do not say.
    KeySuspect,
    /// Credit of an application was taken back, and another issuer's record has the same id: which of the two had moved
    /// before, the account's entries do not say.
    OneId,
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
    /// What is granted rests on no application of the history.
    #[error("entry {index} grants what application {application} does not propose")]
    Application {
        /// The entry that grants.
        index: u64,
        /// The application that it names.
        application: u64,
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

/// What a history posts, as it is added up.
#[derive(Debug, Default)]
struct Added {
    posted: ByBucket,
    /// Records that were deposited or granted.
    deposited: u64,
    /// The schemes of what each application proposes, by position.
    proposed: BTreeMap<u64, Vec<SchemeId>>,
    /// Where the credit of a record was moved to last, by whoever issued it.
    moved_to: BTreeMap<RecordId, BTreeMap<InstitutionId, Bucket>>,
    /// How many records came into being under an id.
    named: BTreeMap<RecordId, u64>,
    /// Whether it was not clear which of several records was taken back.
    one_id: bool,
}

impl Added {
    fn event(&mut self, index: u64, event: &AccountEvent) -> Result<(), SumsError> {
        match event {
            AccountEvent::Opened
            | AccountEvent::StatusChanged { status: _ }
            | AccountEvent::Newer { kind: _ } => {}
            AccountEvent::RecordDeposited { record_id, postings } => {
                self.comes_into_being(*record_id);
                post(&mut self.posted, postings);
            }
            AccountEvent::RecordStatusChanged { issuer_id, record_id, status: _, postings } => {
                self.moves(issuer_id, *record_id, postings);
            }
            AccountEvent::ConversionRequested { items, moved } => {
                let schemes = items.iter().map(|item| item.scheme.clone()).collect();
                self.proposed.insert(index, schemes);
                for moved in moved {
                    self.moves(&moved.record.issuer, moved.record.record_id, &moved.postings);
                }
            }
            AccountEvent::ConversionChanged(changed) => {
                for moved in &changed.moved {
                    self.moves(&moved.record.issuer, moved.record.record_id, &moved.postings);
                }
                self.changed(index, changed)?;
            }
        }
        Ok(())
    }

    fn comes_into_being(&mut self, record_id: RecordId) {
        self.deposited = self.deposited.saturating_add(1);
        let named = self.named.entry(record_id).or_default();
        *named = named.saturating_add(1);
    }

    fn moves(&mut self, issuer: &InstitutionId, record_id: RecordId, postings: &[Posting]) {
        post(&mut self.posted, postings);
        if let Some(last) = postings.last() {
            self.moved_to.entry(record_id).or_default().insert(issuer.clone(), last.to);
        }
    }

    /// What is granted is posted, and what is taken back revoked, without a posting of its own in the event.
    fn changed(&mut self, index: u64, changed: &ChangedConversion) -> Result<(), SumsError> {
        let application = changed.application;
        for granted in &changed.granted {
            let schemes = self.proposed.get(&application);
            let at = usize::try_from(granted.position).ok();
            let scheme = schemes.zip(at).and_then(|(schemes, at)| schemes.get(at));
            let scheme = scheme.ok_or(SumsError::Application { index, application })?.clone();
            let (from, to) = match changed.status {
                ApplicationStatus::Rescinded | ApplicationStatus::Reversed => {
                    (self.stands(granted.record_id), Bucket::Revoked)
                }
                ApplicationStatus::UnderReview
                | ApplicationStatus::InfoRequested
                | ApplicationStatus::Posted
                | ApplicationStatus::Provisional
                | ApplicationStatus::Rejected
                | ApplicationStatus::Appealed
                | ApplicationStatus::Withdrawn
                | ApplicationStatus::Lapsed => {
                    self.comes_into_being(granted.record_id);
                    (Bucket::Issued, Bucket::Available)
                }
            };
            if let Some(credits) = granted.credits.filter(|_| from != to) {
                post(&mut self.posted, &[Posting { from, to, amount: Amount { scheme, credits } }]);
            }
        }
        Ok(())
    }

    /// Where the credit of a granted record stands. Its issuer is in the statement that applied, which the account's
    /// entries need not open, so that it is found by its id.
    fn stands(&mut self, record_id: RecordId) -> Bucket {
        let empty = BTreeMap::new();
        let moved = self.moved_to.get(&record_id).unwrap_or(&empty);
        let alone = self.named.get(&record_id).is_none_or(|count| *count <= 1);
        if !moved.is_empty() && !alone {
            self.one_id = true;
        }
        moved.values().next().copied().unwrap_or(Bucket::Available)
    }
}

/// Adds a whole history up, from the account's opening to the balance's head, and holds it against the balance. Kinds of
/// records and minutes are in no posting and are not compared, and what has expired is the bank's reading of the facts.
pub fn add_up(history: &[AccountEntry], balance: &BalanceStatement) -> Result<Sums, SumsError> {
    let mut added = Added::default();
    for entry in history {
        for event in &entry.events {
            // What it may have proposed or moved is not known, so that nothing after it can be held against it.
            if let AccountEvent::Newer { kind: _ } = event {
                return Ok(Sums::Newer);
            }
            added.event(entry.index, event)?;
        }
    }
    let Added { posted, deposited, proposed: _, moved_to: _, named: _, one_id } = added;
    if one_id {
        return Ok(Sums::OneId);
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
        AccountRef, BalanceLine, BookName, CivilDate, Consumption, ConvertedPlace, Credits, Digest, Granted,
        LogId, ProposedItem, RecordKind, RecordMoved, RecordName, RecordStatus, Subject, SubjectHead,
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

    fn name(id: u8) -> RecordName {
        RecordName { issuer: InstitutionId::new("cn.x").unwrap(), record_id: RecordId([id; 16]) }
    }

    fn applied(moved: Vec<RecordMoved>) -> AccountEvent {
        let item = ProposedItem {
            rule: BookName::new("r").unwrap(),
            rule_kind: None,
            place: ConvertedPlace::Standard(BookName::new("s").unwrap()),
            scheme: scheme("CN_XF"),
            credits: Some(Credits::from_milli(2_000).unwrap()),
            sources: vec![0],
            consumption: Consumption::Global,
            programme: None,
            award_level: None,
        };
        AccountEvent::ConversionRequested { items: vec![item], moved }
    }

    fn went_on(status: ApplicationStatus, moved: Vec<RecordMoved>, granted: bool) -> AccountEvent {
        let grant = Granted {
            record_id: RecordId([9; 16]),
            position: 0,
            credits: Some(Credits::from_milli(2_000).unwrap()),
        };
        AccountEvent::ConversionChanged(Box::new(ChangedConversion {
            application: 2,
            status,
            moved,
            granted: if granted { vec![grant] } else { Vec::new() },
            granted_on: None,
            auto_approval: None,
        }))
    }

    /// A deposit of 3 credits in entry 1, an application in entry 2 that holds it, and what follows.
    fn application(rest: Vec<AccountEvent>) -> Vec<AccountEntry> {
        let held = moved(Bucket::Available, Bucket::Reserved, 3_000);
        let first = [deposited(3_000), applied(vec![RecordMoved { record: name(1), postings: held }])];
        let entry = |(index, event): (u64, AccountEvent)| AccountEntry {
            index,
            recorded_at_us: 0,
            sequence: index,
            previous: None,
            events: vec![event],
        };
        (1..).zip(first.into_iter().chain(rest)).map(entry).collect()
    }

    #[test]
    fn what_is_granted_and_taken_back_is_added_up_though_no_posting_says_so() {
        use Bucket::{Available, Redeemed, Reserved, Revoked};
        let line = |bucket, milli| (Some("CN_XF"), bucket, milli, 1);
        let redeemed = RecordMoved { record: name(1), postings: moved(Reserved, Redeemed, 3_000) };
        let restored = RecordMoved { record: name(1), postings: moved(Redeemed, Available, 3_000) };
        let grant = went_on(ApplicationStatus::Provisional, vec![redeemed.clone()], true);
        let open = application(vec![]);
        assert_eq!(add_up(&open, &balance(&[line(Reserved, 3_000)])), Ok(Sums::Equal));
        let granted = application(vec![grant.clone()]);
        let whole = balance(&[line(Redeemed, 3_000), line(Available, 2_000)]);
        assert_eq!(add_up(&granted, &whole), Ok(Sums::Equal));
        // A bank that hides the grant, grants more, or gives the source back is found out.
        for lie in [
            balance(&[line(Redeemed, 3_000)]),
            balance(&[line(Redeemed, 3_000), line(Available, 2_500)]),
            balance(&[line(Available, 5_000), line(Available, 0)]),
        ] {
            assert!(add_up(&granted, &lie).is_err());
        }
        let confirmed = application(vec![grant.clone(), went_on(ApplicationStatus::Posted, vec![], false)]);
        assert_eq!(add_up(&confirmed, &whole), Ok(Sums::Equal));
        let back = went_on(ApplicationStatus::Rescinded, vec![restored.clone()], true);
        let rescinded = application(vec![grant.clone(), back.clone()]);
        let after = balance(&[line(Available, 3_000), line(Revoked, 2_000)]);
        assert_eq!(add_up(&rescinded, &after), Ok(Sums::Equal));
        assert!(add_up(&rescinded, &whole).is_err());
        // What was granted may have been held for something else meanwhile: it is taken back from there.
        let held = RecordMoved { record: name(9), postings: moved(Available, Reserved, 2_000) };
        let meanwhile = application(vec![grant.clone(), applied(vec![held.clone()]), back.clone()]);
        assert_eq!(add_up(&meanwhile, &after), Ok(Sums::Equal));
        // Two records of one id: which of them had moved can't be told.
        let same = AccountEvent::RecordDeposited {
            record_id: RecordId([9; 16]),
            postings: moved(Bucket::Issued, Available, 1_000),
        };
        let unclear = application(vec![grant.clone(), same, applied(vec![held]), back]);
        assert_eq!(add_up(&unclear, &after), Ok(Sums::OneId));
        // A grant without its application can't be right.
        let without = application(vec![grant]).split_off(2);
        assert!(matches!(add_up(&without, &whole), Err(SumsError::Application { application: 2, .. })));
    }

    #[test]
    fn what_is_not_known_is_not_added_up() {
        let mut later = history();
        later.last_mut().unwrap().events.push(AccountEvent::Newer { kind: 99 });
        assert_eq!(add_up(&later, &balance(&[])), Ok(Sums::Newer));
        assert_eq!(add_up(&[], &balance(&[])), Ok(Sums::Equal));
    }
}
