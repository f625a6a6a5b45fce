//! An account's history, entry by entry.

use credit_proto::v1;
use credit_types::{
    AccountRef, AccountStatus, Amount, ApplicationStatus, CivilDate, Credits, Digest, Granted, InstitutionId,
    Link, Posting, ProposedItem, RecordId, RecordMoved, RecordStatus, SchemeId, Subject,
};
use credit_verify::VerifiedReceipt;

use crate::builder::Client;
use crate::call::accounts;
use crate::error::{BadReceipt, ClientError};
use crate::query::Page;
use crate::view::{Answers, account_status, bucket, record_status};

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountEvent {
    /// It was opened.
    Opened,
    /// Its status changed.
    StatusChanged {
        /// Its status from here on.
        status: AccountStatus,
    },
    /// A record was deposited.
    RecordDeposited {
        /// The record.
        record_id: RecordId,
        /// What moved.
        postings: Vec<Posting>,
    },
    /// A record's status changed.
    RecordStatusChanged {
        /// Its issuer.
        issuer_id: InstitutionId,
        /// The record.
        record_id: RecordId,
        /// Its status from here on.
        status: RecordStatus,
        /// What moved.
        postings: Vec<Posting>,
    },
    /// Credit or an award was applied for; the application is named by the index of this entry.
    ConversionRequested {
        /// What is proposed.
        items: Vec<ProposedItem>,
        /// The records that are held, and what moved for it.
        moved: Vec<RecordMoved>,
    },
    /// An application went on.
    ConversionChanged(Box<ChangedConversion>),
    /// Something that this client does not know: later software wrote it.
    Newer {
        /// The number of the event's kind.
        kind: i32,
    },
}

/// How an application went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedConversion {
    /// Index of the application's entry.
    pub application: u64,
    /// Where it stands from here on.
    pub status: ApplicationStatus,
    /// What moved.
    pub moved: Vec<RecordMoved>,
    /// What came into being as records of the institution that was asked; of a rescission or a reversal what is taken
    /// back.
    pub granted: Vec<Granted>,
    /// The day on which it was granted.
    pub granted_on: Option<CivilDate>,
    /// Index of the auto-approval's entry; `None` where an officer or a registrar acted.
    pub auto_approval: Option<u64>,
}

/// An account's part of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    /// Index of the entry.
    pub index: u64,
    /// When the bank recorded it, in microseconds UTC.
    pub recorded_at_us: i64,
    /// The account's own count, from 1 without gaps.
    pub sequence: u64,
    /// Leaf hash of the account's entry before; `None` at sequence 1.
    pub previous: Option<Digest>,
    /// What happened, in order.
    pub events: Vec<AccountEvent>,
}

/// An account's part of one entry, read from the entry's receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedEntry {
    /// The entry's leaf hash, which the account's next link names.
    pub leaf_hash: Digest,
    /// What the receipt opens of the account.
    pub entry: AccountEntry,
}

impl Client {
    /// What happened to an account in an entry, out of the entry's verified receipt: the link and each event that it
    /// names are opened, so that nothing of it is the bank's word.
    pub async fn prove_posting(&self, account: AccountRef, index: u64) -> Result<ProvedEntry, ClientError> {
        let (_, verified) = self.get_receipt(index).await?;
        proved(self.answers("GetReceipt"), account, &verified)
    }

    /// A page of an account's history, oldest first: `page_size` 0 (the bank's default, 50) to 1,000; `page_token`
    /// empty for the first page. A learner may leave the account out.
    pub async fn list_postings(
        &self,
        account_ref: Option<AccountRef>,
        page_size: u32,
        page_token: &str,
    ) -> Result<Page<AccountEntry>, ClientError> {
        let answers = self.answers("ListPostings");
        let request = v1::ListPostingsRequest {
            account_ref: account_ref.map(|account| account.as_bytes().to_vec()).unwrap_or_default(),
            page_size,
            page_token: page_token.to_owned(),
        };
        let call = |channel, request| async move { accounts(channel).list_postings(request).await };
        let v1::ListPostingsResponse { links, next_page_token } = self.call(request, call).await?;
        let items = links.into_iter().map(|link| entry(answers, link)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: Some(next_page_token).filter(|token| !token.is_empty()) })
    }
}

fn proved(
    answers: Answers,
    account: AccountRef,
    verified: &VerifiedReceipt,
) -> Result<ProvedEntry, ClientError> {
    let index = verified.core.index;
    let closed = |what: &str| BadReceipt::NotOpened { index, what: what.to_owned() };
    let link = verified.link_of(&Subject::Account(account)).ok_or_else(|| closed("the account's link"))?;
    let Link { subject: _, sequence, previous, events: numbers } = link;
    let mut events = Vec::with_capacity(numbers.len());
    for number in numbers {
        let opened = verified.events.get(number).ok_or_else(|| closed("an event of the account"))?;
        if account_of(opened).is_some_and(|named| named != account.as_bytes()) {
            return Err(answers.wrong("the account's link names an event of another account"));
        }
        events.push(event(answers, opened.clone())?);
    }
    let entry = AccountEntry {
        index,
        recorded_at_us: verified.core.recorded_at_us,
        sequence: *sequence,
        previous: *previous,
        events,
    };
    Ok(ProvedEntry { leaf_hash: verified.leaf_hash, entry })
}

/// The account that an event is about; `None` of an event that this client does not know.
fn account_of(event: &v1::Event) -> Option<&[u8]> {
    let opened = event.account_opened.as_ref().map(|body| &body.account_ref);
    let changed = event.account_status_changed.as_ref().map(|body| &body.account_ref);
    let deposited = event.record_deposited.as_ref().map(|body| &body.account_ref);
    let record_changed = event.record_status_changed.as_ref().map(|body| &body.account_ref);
    let requested = event.conversion_requested.as_ref().map(|body| &body.account_ref);
    let went_on = event.conversion_changed.as_ref().map(|body| &body.account_ref);
    let about = opened.or(changed).or(deposited).or(record_changed).or(requested).or(went_on);
    about.map(Vec::as_slice)
}

fn entry(answers: Answers, link: v1::LinkEntry) -> Result<AccountEntry, ClientError> {
    let v1::LinkEntry { index, recorded_at_us, link, events } = link;
    let v1::Link { subject_kind: _, subject_id: _, sequence, previous, events: _ } =
        answers.some("link", link)?;
    let previous = match previous.as_slice() {
        [] => None,
        bytes => Some(answers.id("previous", Digest::from_slice(bytes))?),
    };
    let events = events.into_iter().map(|event| self::event(answers, event)).collect::<Result<_, _>>()?;
    Ok(AccountEntry { index, recorded_at_us, sequence, previous, events })
}

fn event(answers: Answers, event: v1::Event) -> Result<AccountEvent, ClientError> {
    let kind = event.kind;
    match v1::EventKind::try_from(kind) {
        Ok(v1::EventKind::AccountOpened) => Ok(AccountEvent::Opened),
        Ok(v1::EventKind::AccountStatusChanged) => {
            let body = answers.some("account_status_changed", event.account_status_changed)?;
            let status = answers.some("status", account_status(body.status))?;
            Ok(AccountEvent::StatusChanged { status })
        }
        Ok(v1::EventKind::RecordDeposited) => {
            let body = answers.some("record_deposited", event.record_deposited)?;
            let v1::RecordDeposited { account_ref: _, record_id, fingerprint_version: _, postings } = body;
            Ok(AccountEvent::RecordDeposited {
                record_id: answers.id("record_id", RecordId::from_uuid(&record_id))?,
                postings: self::postings(answers, postings)?,
            })
        }
        Ok(v1::EventKind::RecordStatusChanged) => {
            let body = answers.some("record_status_changed", event.record_status_changed)?;
            let v1::RecordStatusChanged { account_ref: _, issuer_id, record_id, status, postings } = body;
            Ok(AccountEvent::RecordStatusChanged {
                issuer_id: answers.id("issuer_id", InstitutionId::new(issuer_id))?,
                record_id: answers.id("record_id", RecordId::from_uuid(&record_id))?,
                status: answers.some("status", record_status(status))?,
                postings: self::postings(answers, postings)?,
            })
        }
        Ok(v1::EventKind::ConversionRequested) => {
            let body = answers.some("conversion_requested", event.conversion_requested)?;
            let v1::ConversionRequested { account_ref: _, items, explanation_commitment: _, moved } = body;
            Ok(AccountEvent::ConversionRequested {
                items: answers.items(items)?,
                moved: answers.moved(moved)?,
            })
        }
        Ok(v1::EventKind::ConversionChanged) => {
            let body = answers.some("conversion_changed", event.conversion_changed)?;
            Ok(AccountEvent::ConversionChanged(Box::new(changed(answers, body)?)))
        }
        Ok(
            v1::EventKind::Unspecified
            | v1::EventKind::LedgerCreated
            | v1::EventKind::ServerStarted
            | v1::EventKind::InstitutionAdmitted
            | v1::EventKind::FrameworkPublished
            | v1::EventKind::KeyAdded
            | v1::EventKind::KeyRetired
            | v1::EventKind::KeyCompromised
            | v1::EventKind::BatchOpened
            | v1::EventKind::BatchChunk
            | v1::EventKind::BatchClosed
            | v1::EventKind::ProtocolUpgraded
            | v1::EventKind::RuleBookPublished
            | v1::EventKind::RuleBookChanged
            | v1::EventKind::AutoApprovalGiven,
        ) => Err(answers.wrong(format!("an event of kind {kind} is about no account"))),
        Err(_) => Ok(AccountEvent::Newer { kind }),
    }
}

fn changed(answers: Answers, body: v1::ConversionChanged) -> Result<ChangedConversion, ClientError> {
    let v1::ConversionChanged {
        account_ref: _,
        application_index,
        status,
        moved,
        granted,
        granted_on,
        auto_approval_index,
    } = body;
    Ok(ChangedConversion {
        application: application_index,
        status: answers.application_status(status)?,
        moved: answers.moved(moved)?,
        granted: answers.granted(granted)?,
        granted_on: answers.optional_day("granted_on", granted_on)?,
        // Entry 0 is the genesis, never an auto-approval.
        auto_approval: Some(auto_approval_index).filter(|index| *index > 0),
    })
}

/// The moves of an event.
pub(crate) fn postings(answers: Answers, postings: Vec<v1::Posting>) -> Result<Vec<Posting>, ClientError> {
    let posting = |v1::Posting { from, to, credit_scheme, credits_milli }| {
        let credits = Credits::from_milli(credits_milli);
        Ok(Posting {
            from: answers.some("from", bucket(from))?,
            to: answers.some("to", bucket(to))?,
            amount: Amount {
                scheme: answers.id("credit_scheme", SchemeId::new(credit_scheme))?,
                credits: credits.map_err(|error| answers.wrong(format!("credits_milli {error}")))?,
            },
        })
    };
    postings.into_iter().map(posting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::checkpoint::Checkpoint;
    use credit_types::{Bucket, CommandId, EntryCore, EntryHead, LogId, SignerId};
    use credit_verify::Witnesses;
    use std::collections::BTreeMap;

    const ANSWERS: Answers = Answers { call: "ListPostings", log_id: LogId([1; 32]) };

    fn deposited() -> v1::Event {
        let posting = v1::Posting {
            from: v1::Bucket::Issued.into(),
            to: v1::Bucket::Available.into(),
            credit_scheme: "CN_XF".to_owned(),
            credits_milli: 3_000,
        };
        v1::Event {
            kind: v1::EventKind::RecordDeposited.into(),
            record_deposited: Some(v1::RecordDeposited {
                account_ref: vec![1; 16],
                record_id: crate::record_id_from_row(&[1; 32], b"row").as_bytes().to_vec(),
                fingerprint_version: 1,
                postings: vec![posting],
            }),
            ..v1::Event::default()
        }
    }

    fn link(events: Vec<v1::Event>) -> v1::LinkEntry {
        let link = v1::Link { sequence: 2, previous: vec![7; 32], ..v1::Link::default() };
        v1::LinkEntry { index: 9, recorded_at_us: 5, link: Some(link), events }
    }

    #[test]
    fn an_entry_of_an_account_is_read_with_its_events() {
        let opened = v1::Event { kind: v1::EventKind::AccountOpened.into(), ..v1::Event::default() };
        let newer = v1::Event { kind: 99, ..v1::Event::default() };
        let read = entry(ANSWERS, link(vec![opened, deposited(), newer])).unwrap();
        assert_eq!((read.index, read.sequence, read.previous), (9, 2, Some(Digest([7; 32]))));
        let [
            AccountEvent::Opened,
            AccountEvent::RecordDeposited { postings, .. },
            AccountEvent::Newer { kind: 99 },
        ] = read.events.as_slice()
        else {
            panic!("{:?}", read.events)
        };
        assert_eq!((postings[0].from, postings[0].to), (Bucket::Issued, Bucket::Available));
        assert_eq!(postings[0].amount.credits.milli(), 3_000);
    }

    /// A receipt that opens these events of an entry, and the account's link, which names all but the first.
    fn receipt(events: Vec<v1::Event>) -> VerifiedReceipt {
        let count = u32::try_from(events.len()).unwrap();
        let link = Link {
            subject: Subject::Account(AccountRef([1; 16])),
            sequence: 2,
            previous: Some(Digest([7; 32])),
            events: (1..count).collect(),
        };
        VerifiedReceipt {
            core: EntryCore { index: 9, recorded_at_us: 5, parts_root: Digest([0; 32]) },
            leaf_hash: Digest([8; 32]),
            head: EntryHead {
                actor: SignerId::Operator,
                command_id: CommandId([3; 16]),
                links: 1,
                statements: 1,
                events: count,
            },
            links: BTreeMap::from([(0, link)]),
            statements: BTreeMap::new(),
            events: (0..).zip(events).collect(),
            checkpoint: Checkpoint { origin: "dev.example".to_owned(), size: 10, root: [3; 32] },
            witnesses: Witnesses::NotMet,
        }
    }

    #[test]
    fn what_a_receipt_opens_of_an_account_is_what_the_list_should_have_said() {
        let opened = v1::Event { kind: v1::EventKind::AccountOpened.into(), ..v1::Event::default() };
        let proof = receipt(vec![opened.clone(), deposited(), v1::Event { kind: 99, ..opened.clone() }]);
        let account = AccountRef([1; 16]);
        let told = entry(ANSWERS, link(vec![deposited(), v1::Event { kind: 99, ..opened.clone() }])).unwrap();
        let read = proved(ANSWERS, account, &proof).unwrap();
        assert_eq!(read, ProvedEntry { leaf_hash: Digest([8; 32]), entry: told.clone() });
        let mut richer = deposited();
        richer.record_deposited.as_mut().unwrap().postings[0].credits_milli = 9_000;
        let lied = receipt(vec![opened.clone(), richer, v1::Event { kind: 99, ..opened.clone() }]);
        assert_ne!(proved(ANSWERS, account, &lied).unwrap().entry, told);
        let refused = |account: u8, bend: fn(&mut VerifiedReceipt)| {
            let mut bent = proof.clone();
            bend(&mut bent);
            proved(ANSWERS, AccountRef([account; 16]), &bent).unwrap_err()
        };
        let closed = |error: &ClientError| {
            matches!(error, ClientError::BadReceipt(BadReceipt::NotOpened { index: 9, .. }))
        };
        assert!(closed(&refused(2, |_| {})), "the link of another account");
        assert!(closed(&refused(1, |bent| bent.links.clear())));
        assert!(closed(&refused(1, |bent| {
            bent.events.remove(&1);
        })));
        let foreign = refused(1, |bent| {
            let body = bent.events.get_mut(&1).unwrap().record_deposited.as_mut().unwrap();
            body.account_ref = vec![2; 16];
        });
        assert!(matches!(foreign, ClientError::BadAnswer { .. }));
    }

    #[test]
    fn an_entry_that_lacks_what_its_kind_promises_is_no_answer() {
        let mut bare = deposited();
        bare.record_deposited = None;
        let mut negative = deposited();
        negative.record_deposited.as_mut().unwrap().postings[0].credits_milli = -1;
        let foreign = v1::Event { kind: v1::EventKind::KeyAdded.into(), ..v1::Event::default() };
        for event in [bare, negative, foreign] {
            let read = entry(ANSWERS, link(vec![event]));
            assert!(matches!(read, Err(ClientError::BadAnswer { .. })));
        }
    }
}
