//! Balances: now, after an entry, at a date; and how single records read.

use super::account::missing;
use super::fold::{account_at, keys_at};
use super::{account_row, invalid, key_row};
use crate::access::{Principal, account_asked};
use crate::failure::{Failure, fault};
use crate::reader::{Head, Reader};
use crate::receipts::OpenParts;
use crate::rows;
use credit_ledger::{AccountRow, KeyRow, RecordRow, Row, RowId, balance, suspect};
use credit_proto::entry::{PART_HEAD, PART_LINK};
use credit_proto::{BankSigned as _, v1};
use credit_types::limits::{ACCOUNT_RECORDS_MAX, BALANCE_LINES_MAX};
use credit_types::{
    AccountRef, BalanceLine, BalanceStatement, Bucket, CivilDate, Kid, RecordStatus, Subject, SubjectHead,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records of an account read at once.
const RECORDS_PAGE: usize = 1_000;
/// How often the present is read anew because a group came between; then it is folded, as the past is.
const STEADY_TRIES: usize = 3;

/// A balance with the last link of the account that it takes in.
struct Sums {
    lines: Vec<BalanceLine>,
    sequence: u64,
    last_index: u64,
}

/// A balance as asked for.
pub(crate) fn get(
    reader: &Reader,
    principal: &Principal,
    asked: &v1::GetBalanceRequest,
) -> Result<v1::GetBalanceResponse, Failure> {
    let v1::GetBalanceRequest { account_ref, at_index, as_of, want_signed, min_entry_index } = asked;
    let account = account_asked(principal, account_ref)?;
    let head = reader.head();
    if min_entry_index.is_some_and(|min| head.size <= min) {
        return Err(Failure::NotFound("entry"));
    }
    let date = as_of.map(|date| asked_date(&date)).transpose()?;
    let (statement, last_index) = match at_index {
        Some(index) if *index >= head.size => {
            let problem = format!("is {index}, must be less than {}, the size of the signed head", head.size);
            return Err(invalid("at_index", problem));
        }
        Some(index) => past(reader, account, *index, date)?,
        None => present(reader, account, head, date)?,
    }
    .ok_or_else(|| missing(principal))?;
    let mut response =
        v1::GetBalanceResponse { balance: Some(statement.to_wire()), signed: None, receipt: None };
    if *want_signed {
        if statement.lines.len() > BALANCE_LINES_MAX {
            let problem =
                "the balance has more lines than one signed statement carries; ask without a signature";
            return Err(invalid("want_signed", problem));
        }
        response.signed = Some(reader.sign(BalanceStatement::TYPE, &statement.payload()));
        let mut receipt = reader.receipt(last_index, &OpenParts::Subject(Subject::Account(account)))?;
        // The link proves the balance complete; what the entry says besides is not asked for here.
        receipt.parts.retain(|opening| matches!(opening.part.first(), Some(&(PART_HEAD | PART_LINK))));
        response.receipt = Some(receipt);
    }
    Ok(response)
}

fn asked_date(date: &v1::CivilDate) -> Result<CivilDate, Failure> {
    let v1::CivilDate { year, month, day } = *date;
    CivilDate::new(year, month, day).map_err(|error| invalid("as_of", error.to_string()))
}

/// The civil date of an instant in the ledger's offset.
fn civil_date(reader: &Reader, instant_us: i64) -> Result<CivilDate, Failure> {
    CivilDate::at(instant_us, reader.genesis().civil_offset_minutes).map_err(fault("date an entry"))
}

/// The balance after an entry that is under the signed head.
fn past(
    reader: &Reader,
    account: AccountRef,
    index: u64,
    date: Option<CivilDate>,
) -> Result<Option<(BalanceStatement, u64)>, Failure> {
    let size = index.saturating_add(1);
    let Some(Row::Head(head)) = reader.row(&RowId::Head(size))? else {
        return Err(Failure::Fault("a size within the head has no root".to_owned()));
    };
    let on = date.map_or_else(|| civil_date(reader, head.recorded_at_us), Ok)?;
    let Some(past) = account_at(reader, account, index)? else { return Ok(None) };
    let keys = Keys::after(reader, index);
    let lines = keys.read(|keys| balance::lines(&past.account, past.records.iter(), keys, on))?;
    let sums = Sums { lines, sequence: past.sequence, last_index: past.last_index };
    Ok(Some(statement(reader, account, sums, on, (size, head.root))?))
}

/// The balance at the newest head. Rows may be ahead of the head that was read; only where none changed while they
/// were read do they belong to it.
fn present(
    reader: &Reader,
    account: AccountRef,
    mut head: Head,
    date: Option<CivilDate>,
) -> Result<Option<(BalanceStatement, u64)>, Failure> {
    for _ in 0..STEADY_TRIES {
        let on = date.map_or_else(|| civil_date(reader, head.recorded_at_us), Ok)?;
        let sums = current(reader, account, on)?;
        let again = reader.head();
        if again.size == head.size {
            let made = sums.map(|sums| statement(reader, account, sums, on, (head.size, head.root)));
            return made.transpose();
        }
        head = again;
    }
    past(reader, account, head.size.saturating_sub(1), date)
}

/// The sums of the rows as they stand.
fn current(reader: &Reader, account: AccountRef, on: CivilDate) -> Result<Option<Sums>, Failure> {
    let held = held(reader, account)?;
    let Some(row) = held.account else { return Ok(None) };
    let Some((sequence, last_index)) = held.link else {
        return Err(Failure::Fault("an account has no last link".to_owned()));
    };
    let records = held.records.iter().map(AsRef::as_ref);
    let lines = Keys::now(reader).read(|keys| balance::lines(&row, records, keys, on))?;
    Ok(Some(Sums { lines, sequence, last_index }))
}

/// What the rows of an account say, read in one stretch.
#[derive(Default)]
struct Held {
    account: Option<Arc<AccountRow>>,
    /// Sequence and entry of the last link.
    link: Option<(u64, u64)>,
    records: Vec<Arc<RecordRow>>,
}

fn held(reader: &Reader, account: AccountRef) -> Result<Held, Failure> {
    let (mut from, to) = rows::account_range(account);
    let mut held = Held::default();
    for _ in 0..=(ACCOUNT_RECORDS_MAX as usize).div_ceil(RECORDS_PAGE) {
        let page = reader.shared.rows(&from, &to, RECORDS_PAGE)?;
        for (key, value) in &page {
            if rows::is_uses(key) {
                continue;
            }
            match rows::decode(value)? {
                Row::Account(row) => held.account = Some(row),
                Row::Subject(row) => held.link = Some((row.sequence, row.last_index)),
                Row::Record(row) => held.records.push(row),
                Row::Log(_)
                | Row::Institution(_)
                | Row::Key(_)
                | Row::Framework(_)
                | Row::Scheme(_)
                | Row::Command(_)
                | Row::Batch(_)
                | Row::OpenBatches(_)
                | Row::Book(_)
                | Row::AutoApprovals(_)
                | Row::Application(_)
                | Row::Uses(_)
                | Row::Head(_)
                | Row::Leaf(_) => {
                    return Err(Failure::Fault("an account has a row of something else".to_owned()));
                }
            }
        }
        match page.last() {
            Some((key, _)) if page.len() == RECORDS_PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => break,
        }
    }
    Ok(held)
}

/// The balance as the bank states it.
fn statement(
    reader: &Reader,
    account: AccountRef,
    sums: Sums,
    as_of: CivilDate,
    (size, root): (u64, credit_types::Digest),
) -> Result<(BalanceStatement, u64), Failure> {
    let Sums { lines, sequence, last_index } = sums;
    let head = SubjectHead {
        log_id: reader.log_id(),
        subject: Subject::Account(account),
        sequence,
        leaf_hash: Some(reader.leaf(last_index)?),
        size,
        root,
    };
    Ok((BalanceStatement { head, as_of, lines }, last_index))
}

/// Keys of the log as views ask for them: read when asked for, once each. A view can't fail, so that a failed read
/// stands here until the view is done.
struct Keys<'a> {
    reader: &'a Reader,
    /// The entry after which they are looked at; `None`: now.
    after: Option<u64>,
    seen: RefCell<BTreeMap<Kid, Option<Arc<KeyRow>>>>,
    failed: RefCell<Option<Failure>>,
}

impl<'a> Keys<'a> {
    fn now(reader: &'a Reader) -> Self {
        Self { reader, after: None, seen: RefCell::default(), failed: RefCell::default() }
    }

    fn after(reader: &'a Reader, index: u64) -> Self {
        Self { after: Some(index), ..Self::now(reader) }
    }

    /// Makes a view with these keys.
    fn read<T>(&self, view: impl FnOnce(suspect::Keys<'_>) -> T) -> Result<T, Failure> {
        let made = view(&|kid| self.key(kid));
        match self.failed.borrow_mut().take() {
            None => Ok(made),
            Some(failure) => Err(failure),
        }
    }

    fn key(&self, kid: Kid) -> Option<Arc<KeyRow>> {
        if let Some(known) = self.seen.borrow().get(&kid) {
            return known.clone();
        }
        match self.find(kid) {
            Ok(found) => {
                let row = found.get(&kid).cloned();
                let mut seen = self.seen.borrow_mut();
                seen.extend(found.into_iter().map(|(kid, row)| (kid, Some(row))));
                seen.entry(kid).or_insert(None);
                row
            }
            Err(failure) => {
                self.failed.borrow_mut().get_or_insert(failure);
                None
            }
        }
    }

    /// A key; of the past, all keys of its owner, since its whole chain has to be folded for one.
    fn find(&self, kid: Kid) -> Result<BTreeMap<Kid, Arc<KeyRow>>, Failure> {
        let Some(row) = key_row(self.reader, kid)? else { return Ok(BTreeMap::new()) };
        match self.after {
            None => Ok(BTreeMap::from([(kid, row)])),
            Some(index) => {
                let keys = keys_at(self.reader, &row.owner, index)?;
                Ok(keys.into_iter().map(|(kid, row)| (kid, Arc::new(row))).collect())
            }
        }
    }
}

/// Whether an account's opening rests on a suspect key.
pub(crate) fn account_suspect(reader: &Reader, account: &AccountRow) -> Result<bool, Failure> {
    Keys::now(reader).read(|keys| suspect::opening_is_suspect(keys, account))
}

/// Whether a record, its account's opening or its last change of status rests on a suspect key after an entry.
pub(crate) fn is_suspect_at(
    reader: &Reader,
    record: &RecordRow,
    account: &AccountRow,
    index: u64,
) -> Result<bool, Failure> {
    Keys::after(reader, index).read(|keys| {
        suspect::deposit_is_suspect(keys, record, account)
            || record.steps.last().is_some_and(|step| suspect::step_is_suspect(keys, step))
    })
}

/// Says how records read at the newest head.
pub(crate) struct Judge<'a> {
    keys: Keys<'a>,
    on: CivilDate,
    accounts: BTreeMap<AccountRef, AccountRow>,
}

impl<'a> Judge<'a> {
    /// Judges by the rows as they stand and the civil date of the newest head.
    pub(crate) fn now(reader: &'a Reader) -> Result<Self, Failure> {
        let on = civil_date(reader, reader.head().recorded_at_us)?;
        Ok(Self { keys: Keys::now(reader), on, accounts: BTreeMap::new() })
    }

    /// How a record reads: its status and bucket, views included.
    pub(crate) fn state(&mut self, record: &RecordRow) -> Result<(RecordStatus, Bucket), Failure> {
        let account = record.facts.account_ref;
        if !self.accounts.contains_key(&account) {
            let row = account_row(self.keys.reader, account)?;
            let row = row.ok_or_else(|| Failure::Fault("a record has no account".to_owned()))?;
            self.accounts.insert(account, row);
        }
        let Some(row) = self.accounts.get(&account) else {
            return Err(Failure::Fault("a record has no account".to_owned()));
        };
        let state = self.keys.read(|keys| balance::state_of(record, row, keys, self.on))?;
        Ok((state.status, state.bucket))
    }
}
