//! Accounts and their postings.

use super::page::{self, Room, Tokens, foreign};
use super::{account_row, invalid, leaf_bytes};
use crate::access::{Principal, account_asked};
use crate::failure::Failure;
use crate::random::is_account_number;
use crate::reader::{AliasQuery, Reader};
use credit_ledger::{Row, RowId};
use credit_proto::v1;
use credit_types::limits::REFERENCE_BYTES_MAX;
use credit_types::{AccountRef, AccountStatus, AssuranceLevel, InstitutionId, Reason, Role, Subject};

/// The most accounts that are resolved at once.
pub(crate) const QUERIES_MAX: usize = 1_000;
/// The name of the list of postings, in its tokens.
const POSTINGS: &str = "postings";

/// Finds accounts by number, or by the calling institution's own student numbers.
pub(crate) fn resolve(
    reader: &Reader,
    principal: &Principal,
    asked: v1::ResolveAccountsRequest,
) -> Result<v1::ResolveAccountsResponse, Failure> {
    let v1::ResolveAccountsRequest { queries } = asked;
    let institution = principal.institution().ok_or(Failure::Denied)?;
    let mut accounts = Vec::with_capacity(queries.len());
    for query in aliases(institution, queries)? {
        let found = reader.resolve(&query)?.map(|account| account.as_bytes().to_vec());
        accounts.push(v1::ResolvedAccount { account_ref: found.unwrap_or_default() });
    }
    Ok(v1::ResolveAccountsResponse { accounts })
}

/// The queries, each checked; a student number is always the caller's own.
fn aliases(institution: &InstitutionId, queries: Vec<v1::AccountQuery>) -> Result<Vec<AliasQuery>, Failure> {
    if queries.is_empty() || queries.len() > QUERIES_MAX {
        return Err(invalid("queries", format!("must be 1 to {QUERIES_MAX}, are {}", queries.len())));
    }
    let alias = |(position, v1::AccountQuery { by }): (usize, v1::AccountQuery)| {
        let wrong = |problem: &str| Err(invalid(&format!("queries[{position}].by"), problem));
        match by {
            None => wrong("is missing; set one"),
            Some(v1::account_query::By::AccountNumber(number)) => {
                if is_account_number(&number) {
                    Ok(AliasQuery::AccountNumber(number))
                } else {
                    wrong("must be 16 digits, the last one a check digit (ISO 7064 MOD 11,10)")
                }
            }
            Some(v1::account_query::By::StudentNumber(number)) => {
                let printable = number.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                if number.is_empty() || number.len() > REFERENCE_BYTES_MAX || !printable {
                    return wrong("must be 1 to 64 printable ASCII bytes");
                }
                Ok(AliasQuery::StudentNumber { institution: institution.clone(), number })
            }
        }
    };
    queries.into_iter().enumerate().map(alias).collect()
}

/// What a caller who may know of accounts at all hears of one that is not there; a learner hears what they would hear
/// of another's.
pub(crate) fn missing(principal: &Principal) -> Failure {
    match principal {
        Principal::Auditor => Reason::AccountUnknown.into(),
        Principal::Institution(_) if principal.holds(Role::Registrar) || principal.holds(Role::Regulator) => {
            Reason::AccountUnknown.into()
        }
        Principal::Institution(_) | Principal::Learner(_) | Principal::Anonymous => Failure::Denied,
    }
}

/// An account's status, without identity.
pub(crate) fn get(
    reader: &Reader,
    principal: &Principal,
    asked: &v1::GetAccountRequest,
) -> Result<v1::GetAccountResponse, Failure> {
    let v1::GetAccountRequest { account_ref } = asked;
    let account = account_asked(principal, account_ref)?;
    let row = account_row(reader, account)?.ok_or_else(|| missing(principal))?;
    let (last_sequence, _) = last_link(reader, account)?;
    let view = v1::AccountView {
        account_ref: account.as_bytes().to_vec(),
        status: status_wire(row.status).into(),
        assurance: assurance_wire(row.opening.assurance).into(),
        opened_index: row.opened_index,
        last_status_entry: leaf_bytes(reader, row.last_status_index)?,
        last_sequence,
        records: row.records,
        key_suspect: super::balance::account_suspect(reader, &row)?,
    };
    Ok(v1::GetAccountResponse { account: Some(view) })
}

/// Sequence and entry index of an account's last link.
pub(crate) fn last_link(reader: &Reader, account: AccountRef) -> Result<(u64, u64), Failure> {
    match reader.row(&RowId::Subject(Subject::Account(account)))? {
        Some(Row::Subject(row)) => Ok((row.sequence, row.last_index)),
        _ => Err(Failure::Fault("an account has no last link".to_owned())),
    }
}

fn status_wire(status: AccountStatus) -> v1::AccountStatus {
    match status {
        AccountStatus::Active => v1::AccountStatus::Active,
        AccountStatus::Suspended => v1::AccountStatus::Suspended,
        AccountStatus::Closed => v1::AccountStatus::Closed,
    }
}

fn assurance_wire(assurance: AssuranceLevel) -> v1::AssuranceLevel {
    match assurance {
        AssuranceLevel::None => v1::AssuranceLevel::None,
        AssuranceLevel::Phone => v1::AssuranceLevel::Phone,
        AssuranceLevel::Document => v1::AssuranceLevel::Document,
        AssuranceLevel::DocumentFace => v1::AssuranceLevel::DocumentFace,
    }
}

/// The entries about an account, oldest first, each with its link and the events about the account.
pub(crate) fn postings(
    reader: &Reader,
    principal: &Principal,
    tokens: &Tokens,
    asked: &v1::ListPostingsRequest,
) -> Result<v1::ListPostingsResponse, Failure> {
    let v1::ListPostingsRequest { account_ref, page_size, page_token } = asked;
    let account = account_asked(principal, account_ref)?;
    account_row(reader, account)?.ok_or_else(|| missing(principal))?;
    let from = match tokens.read(POSTINGS, account.as_bytes(), page_token)? {
        None => 1,
        Some(position) => {
            <[u8; 8]>::try_from(position.as_slice()).map(u64::from_be_bytes).map_err(|_| foreign())?
        }
    };
    let size = reader.head().size;
    let limit = page::size(*page_size, page::SIZE_MAX);
    let mut room = Room::default();
    let mut links = Vec::new();
    // One more than the page tells whether there is a next one.
    let chain = reader.subject_chain(&Subject::Account(account), from, limit.saturating_add(1))?;
    for (sequence, index) in chain {
        if index >= size {
            break;
        }
        let more = || tokens.issue(POSTINGS, account.as_bytes(), &sequence.to_be_bytes());
        if links.len() == limit {
            return Ok(v1::ListPostingsResponse { links, next_page_token: more() });
        }
        let link = link_entry(reader, account, index)?;
        if !room.takes(link_bytes(&link)) {
            return Ok(v1::ListPostingsResponse { links, next_page_token: more() });
        }
        links.push(link);
    }
    Ok(v1::ListPostingsResponse { links, next_page_token: String::new() })
}

/// An account's part of an entry.
fn link_entry(reader: &Reader, account: AccountRef, index: u64) -> Result<v1::LinkEntry, Failure> {
    let (core, parts, _) = reader.events(index)?;
    let subject = Subject::Account(account);
    let link = parts.links.iter().find(|link| link.subject == subject);
    let link = link.ok_or_else(|| Failure::Fault("a chain names an entry without its link".to_owned()))?;
    let event =
        |number: &u32| usize::try_from(*number).ok().and_then(|number| parts.events.get(number)).cloned();
    let events: Option<Vec<v1::Event>> = link.events.iter().map(event).collect();
    Ok(v1::LinkEntry {
        index,
        recorded_at_us: core.recorded_at_us,
        link: Some(v1::Link {
            subject_kind: v1::SubjectKind::Account.into(),
            subject_id: account.as_bytes().to_vec(),
            sequence: link.sequence,
            previous: link.previous.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
            events: link.events.clone(),
        }),
        events: events.ok_or_else(|| Failure::Fault("a link names an event that is not there".to_owned()))?,
    })
}

/// An upper bound of the bytes of a link with its events: an event about an account carries ids, one alias list or
/// one posting, all short.
fn link_bytes(link: &v1::LinkEntry) -> usize {
    const FRAME_BYTES: usize = 128;
    const NUMBER_BYTES: usize = 5;
    const EVENT_BYTES: usize = 512;
    FRAME_BYTES.saturating_add(link.events.len().saturating_mul(EVENT_BYTES.saturating_add(NUMBER_BYTES)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Member;
    use std::collections::BTreeSet;

    fn numbers(count: usize, number: &str) -> Vec<v1::AccountQuery> {
        vec![v1::AccountQuery { by: Some(v1::account_query::By::AccountNumber(number.to_owned())) }; count]
    }

    fn students(number: &str) -> Vec<v1::AccountQuery> {
        vec![v1::AccountQuery { by: Some(v1::account_query::By::StudentNumber(number.to_owned())) }]
    }

    #[test]
    fn a_query_has_its_form_and_a_student_number_is_the_callers_own() {
        let school = InstitutionId::new("cn.x.school").unwrap();
        let number = crate::random::account_number().unwrap();
        let number = number.as_str();
        for (queries, taken) in [
            (numbers(1, number), true),
            (numbers(QUERIES_MAX, number), true),
            (numbers(QUERIES_MAX + 1, number), false),
            (Vec::new(), false),
            (numbers(1, &number[1..]), false),
            (numbers(1, &number.replace(&number[15..], "x")), false),
            (vec![v1::AccountQuery { by: None }], false),
            (students("S-1"), true),
            (students(&"9".repeat(REFERENCE_BYTES_MAX)), true),
            (students(&"9".repeat(REFERENCE_BYTES_MAX + 1)), false),
            (students(""), false),
            (students("学号"), false),
        ] {
            assert_eq!(aliases(&school, queries.clone()).is_ok(), taken, "{queries:?}");
        }
        let own = AliasQuery::StudentNumber { institution: school.clone(), number: "S-1".to_owned() };
        assert_eq!(aliases(&school, students("S-1")), Ok(vec![own]));
    }

    #[test]
    fn who_may_not_know_of_an_account_is_told_the_same_of_one_that_is_not_there() {
        assert_eq!(missing(&Principal::Learner(AccountRef([1; 16]))), Failure::Denied);
        assert_eq!(missing(&Principal::Auditor), Reason::AccountUnknown.into());
        for (role, knows) in [(Role::Registrar, true), (Role::Regulator, true), (Role::Issuer, false)] {
            let id = InstitutionId::new("cn.x.school").unwrap();
            let caller = Principal::Institution(Member { id, roles: BTreeSet::from([role]) });
            assert_eq!(missing(&caller) == Reason::AccountUnknown.into(), knows, "{role:?}");
        }
    }

    #[test]
    fn the_bound_of_a_links_bytes_is_one() {
        let posting = v1::Posting {
            from: v1::Bucket::Suspended.into(),
            to: v1::Bucket::Revoked.into(),
            credit_scheme: "S".repeat(32),
            credits_milli: i64::MAX,
        };
        let changed = v1::RecordStatusChanged {
            account_ref: vec![1; 16],
            issuer_id: "i".repeat(64),
            record_id: vec![2; 16],
            status: v1::RecordStatus::Revoked.into(),
            postings: vec![posting; 2],
        };
        let event = v1::Event {
            kind: v1::EventKind::RecordStatusChanged.into(),
            statements: vec![0, 1],
            record_status_changed: Some(changed),
            ..v1::Event::default()
        };
        let link = v1::Link {
            subject_kind: v1::SubjectKind::Account.into(),
            subject_id: vec![1; 16],
            sequence: u64::MAX,
            previous: vec![3; 32],
            events: (0..128).collect(),
        };
        let entry = v1::LinkEntry {
            index: u64::MAX,
            recorded_at_us: i64::MAX,
            link: Some(link),
            events: vec![event; 128],
        };
        assert!(link_bytes(&entry) >= prost::Message::encoded_len(&entry));
    }
}
