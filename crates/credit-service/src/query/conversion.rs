//! Applications: quoted, read, listed; and periods of continuing education. Each caller sees what concerns them.

use super::balance::{account_suspect, is_suspect_at};
use super::page::{self, Room, Tokens, foreign};
use super::rule_book;
use super::{account_row, invalid, leaf_bytes};
use crate::access::{Principal, account_asked};
use crate::failure::Failure;
use crate::reader::Reader;
use crate::reckon::{self, ConversionSide};
use crate::status::{Problem, refusal_of};
use credit_ledger::{ApplicationRow, Context, RecordRow, Row, RowId, UsesRow, assess, foresee, is_over};
use credit_proto::{
    Secret as _, Signable as _, Stage, payload_type, purpose_of, record_name, record_name_wire, v1,
};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::{ACCOUNT_RECORDS_MAX, APPLICATION_RECORDS_MAX};
use credit_types::{
    AccountRef, ApplicationStatus, BookName, CivilDate, Command, CommandId, ConversionParticulars,
    ConversionPurpose, ConversionRequest, Header, InstitutionId, Reason, RecordName, RecordStatus, Rejection,
    Role, Signed, SignerId,
};
use std::sync::Arc;

/// The name of the list of applications, in its tokens.
const CONVERSIONS: &str = "conversions";
/// Records of an account read at once.
const RECORDS_PAGE: usize = 1_000;
/// The most applications of an institution that one page or one search for precedents looks at.
const LOOKED_AT_MAX: usize = 4_096;
/// The most precedents of an answer.
const PRECEDENTS_MAX: usize = 8;

/// The number of a status in messages.
pub(crate) fn status_number(status: ApplicationStatus) -> i32 {
    credit_proto::status_number(status)
}

/// An account that a caller may ask about.
pub(super) fn asked_account(
    reader: &Reader,
    principal: &Principal,
    account_ref: &[u8],
) -> Result<AccountRef, Failure> {
    let account = account_asked(principal, account_ref)?;
    account_row(reader, account)?.ok_or_else(|| super::account::missing(principal))?;
    Ok(account)
}

/// All records of an account, by record id.
pub(super) fn all_records(reader: &Reader, account: AccountRef) -> Result<Vec<RecordRow>, Failure> {
    let mut records: Vec<RecordRow> = Vec::new();
    for _ in 0..=(ACCOUNT_RECORDS_MAX as usize).div_ceil(RECORDS_PAGE) {
        let after = records.last().map(|last| (last.facts.record_id, last.issuer.clone()));
        let page = reader.records_of(account, after, RECORDS_PAGE)?;
        let at_end = page.len() < RECORDS_PAGE;
        records.extend(page);
        if at_end {
            break;
        }
    }
    Ok(records)
}

/// What an account is held and was used for.
fn uses(reader: &Reader, account: AccountRef) -> Result<Option<Arc<UsesRow>>, Failure> {
    match reader.row(&RowId::Uses(account))? {
        Some(Row::Uses(row)) => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// The records of an account that an application may use, ascending.
fn usable(
    reader: &Reader,
    account: AccountRef,
    purpose: ConversionPurpose,
) -> Result<Vec<RecordName>, Failure> {
    let held = uses(reader, account)?;
    let mut judge = super::balance::Judge::now(reader)?;
    let mut names = Vec::new();
    for record in all_records(reader, account)? {
        let fits = match purpose {
            ConversionPurpose::Credit => record.application.is_none() && record.facts.credit_eligible,
            ConversionPurpose::Award => true,
        };
        let name = record.name();
        let free = held.as_ref().is_none_or(|row| row.holder(&name).is_none());
        let (status, bucket) = judge.state(&record)?;
        let valid = status == RecordStatus::Valid && bucket == credit_types::Bucket::Available;
        if fits && free && valid {
            names.push(name);
        }
    }
    names.sort();
    if names.len() > APPLICATION_RECORDS_MAX {
        let problem = format!(
            "the account has {} records that may be used, an application has at most {APPLICATION_RECORDS_MAX}: name those to use",
            names.len()
        );
        return Err(invalid("records", problem));
    }
    Ok(names)
}

/// Reckons what an application would be granted, under the signed head. Nothing is written.
pub(crate) fn quote(
    reader: &Reader,
    principal: &Principal,
    asked: v1::QuoteConversionRequest,
) -> Result<v1::QuoteConversionResponse, Failure> {
    let v1::QuoteConversionRequest { account_ref, purpose, book_id, version, target, records, particulars } =
        asked;
    let account = asked_account(reader, principal, &account_ref)?;
    let purpose = purpose_of(purpose)?;
    let target = BookName::new(target).map_err(|error| invalid("target", error.to_string()))?;
    let particulars = match particulars {
        None => ConversionParticulars::default(),
        Some(wire) => ConversionParticulars::from_wire(wire, Stage::Admission)
            .map_err(|error| error.within("particulars"))?,
    };
    let book_row = rule_book::row(reader, &book_id)?;
    let version = rule_book::version(reader, &book_row, version)?;
    let digest = version.publication.digest;
    let program = reader.program(digest)?;
    let names = if records.is_empty() {
        usable(reader, account, purpose)?
    } else {
        let names: Result<Vec<RecordName>, _> = records.into_iter().map(record_name).collect();
        let mut names = names.map_err(|error| error.within("records"))?;
        names.sort();
        names.dedup();
        names
    };
    if names.len() > APPLICATION_RECORDS_MAX {
        let problem =
            format!("has {}, at most {APPLICATION_RECORDS_MAX} are allowed: name fewer", names.len());
        return Err(invalid("records", problem));
    }
    let owner = assess::owner(program.book(), purpose, &target);
    let owner = owner.ok_or_else(|| Rejection::new(Reason::TargetUnknown).field("target"))?;
    let request = ConversionRequest {
        account_ref: account,
        purpose,
        institution_id: owner.clone(),
        book: version.publication.book.clone(),
        target,
        records: names,
        particulars_commitment: None,
    };
    reckoned(reader, request, particulars, (program, digest), owner)
}

/// What an application would be granted, and whether it would be refused.
fn reckoned(
    reader: &Reader,
    request: ConversionRequest,
    particulars: ConversionParticulars,
    book: (Arc<credit_rules::program::Program>, credit_types::Digest),
    owner: InstitutionId,
) -> Result<v1::QuoteConversionResponse, Failure> {
    let now_us = reader.now_us();
    let today = reckon::civil_date(reader, now_us)?;
    let side = ConversionSide {
        account_ref: request.account_ref,
        particulars,
        particulars_secret: None,
        explanation: None,
        book: Some(book),
        reckoned: None,
    };
    let view = reckon::view_of(reader, &asking(request.clone(), reckon::nothing()))?;
    let details = reckon::details_of(reader, &view, &request)?;
    let assessed = reckon::assessed(&view, today, &request, &side, &details)?;
    let assessment = assessed.assessment;
    let (items, automatic) = (assessment.items.clone(), assessment.automatic);
    // What is proposed names rows of its own.
    let view = reckon::view_of(reader, &asking(request.clone(), assessment.clone()))?;
    let context = Context { index: reader.head().size, recorded_at_us: now_us, protocol: PROTOCOL };
    // Who would sign is not asked here: what is left is what the application itself would be refused for.
    let refusal = foresee(&view, &context, &request, &assessment);
    let given = refusal.is_none() && automatic && approved(reader, &request, &items, today)?;
    Ok(v1::QuoteConversionResponse {
        version: request.book.version,
        institution_id: owner.as_str().to_owned(),
        records: request.records.iter().map(record_name_wire).collect(),
        items: items.iter().map(credit_proto::item_wire).collect(),
        automatic: given,
        refusal: refusal.map(|rejection| refusal_of(&Problem::Behind(Failure::Refused(rejection)))),
        explanation: assessed.explanation.map(|part| part.payload).unwrap_or_default(),
    })
}

/// Whether the institution has said that it applies all of these rules without an officer.
fn approved(
    reader: &Reader,
    request: &ConversionRequest,
    items: &[credit_types::ProposedItem],
    today: CivilDate,
) -> Result<bool, Failure> {
    let Some(Row::AutoApprovals(row)) = reader.row(&RowId::AutoApprovals(request.institution_id.clone()))?
    else {
        return Ok(false);
    };
    let covers = |given: &credit_ledger::GivenApproval| {
        given.approval.book == request.book
            && items.iter().all(|item| given.approval.covers(&item.rule, today))
    };
    Ok(request.purpose == ConversionPurpose::Credit && row.approvals.iter().any(covers))
}

/// A request that nobody has signed, for asking what it would come to.
fn asking(request: ConversionRequest, assessment: credit_types::Assessment) -> Command {
    let header = Header {
        log_id: None,
        statement_id: CommandId([0; 16]),
        signer: SignerId::Institution(request.institution_id.clone()),
        anchor: None,
    };
    let statement = Signed { header, body: request, signers: Vec::new() };
    Command::RequestConversion(Box::new(statement), Box::new(assessment))
}

/// How much of an application a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// Where it stands.
    State,
    /// Its explanation too.
    Explanation,
}

/// What a caller may see of an application, if anything.
fn seen(principal: &Principal, row: &ApplicationRow) -> Option<Sight> {
    match principal {
        Principal::Auditor => Some(Sight::Explanation),
        Principal::Learner(own) => (*own == row.request.account_ref).then_some(Sight::Explanation),
        Principal::Institution(member) => {
            let party = member.id == row.request.institution_id || member.id == row.registrar;
            if party {
                return Some(Sight::Explanation);
            }
            // Another registrar serves the same learner, and reads where things stand as it reads a balance.
            if principal.holds(Role::Registrar) {
                return Some(Sight::State);
            }
            // An appeal comes to a regulator in the end.
            let appealed = row.appeals() > 0;
            principal.holds(Role::Regulator).then_some(if appealed {
                Sight::Explanation
            } else {
                Sight::State
            })
        }
        Principal::Anonymous => None,
    }
}

/// An application by the index of its entry. Who may not read it is not told whether it is there.
pub(crate) fn get(
    reader: &Reader,
    principal: &Principal,
    asked: v1::GetConversionRequest,
) -> Result<v1::GetConversionResponse, Failure> {
    let row = match reader.row(&RowId::Application(asked.application_index))? {
        Some(Row::Application(row)) => Some(row),
        _ => None,
    };
    let seen = row.and_then(|row| Some((seen(principal, &row)?, row)));
    let Some((sight, row)) = seen else {
        let overseer = *principal == Principal::Auditor || principal.holds(Role::Regulator);
        return Err(if overseer { Reason::ApplicationUnknown.into() } else { Failure::Denied });
    };
    let mut response =
        v1::GetConversionResponse { application: Some(view(reader, &row)?), ..Default::default() };
    if sight == Sight::Explanation {
        let (account, index) = (row.request.account_ref, row.requested_index);
        let kind = payload_type::CONVERSION_EXPLANATION;
        let opened = reader.opened_secret(account, index, row.explanation_commitment, kind)?;
        response.explanation = opened.payload;
        response.explanation_salt = opened.salt;
    }
    if *principal == Principal::Auditor || principal.institution() == Some(&row.request.institution_id) {
        response.precedents = precedents(reader, &row)?;
    }
    Ok(response)
}

/// Earlier applications that the same institution decided by one of the same rules for the same target, newest first.
fn precedents(reader: &Reader, row: &ApplicationRow) -> Result<Vec<u64>, Failure> {
    let asked = reader.asked_of(&row.request.institution_id, 0, LOOKED_AT_MAX)?;
    let mut found = Vec::new();
    for index in asked.into_iter().rev().filter(|index| *index < row.requested_index) {
        let Some(Row::Application(other)) = reader.row(&RowId::Application(index))? else { continue };
        let decided = matches!(
            other.status,
            ApplicationStatus::Posted | ApplicationStatus::Provisional | ApplicationStatus::Rejected
        );
        let alike = other.request.target == row.request.target
            && other.request.book.book_id == row.request.book.book_id
            && other.items.iter().any(|item| row.items.iter().any(|own| own.rule == item.rule));
        if decided && alike {
            found.push(index);
            if found.len() == PRECEDENTS_MAX {
                break;
            }
        }
    }
    Ok(found)
}

/// An application as it is told.
fn view(reader: &Reader, row: &ApplicationRow) -> Result<v1::ApplicationView, Failure> {
    Ok(v1::ApplicationView {
        application_index: row.requested_index,
        request: Some(row.request.to_wire(None)),
        items: row.items.iter().map(credit_proto::item_wire).collect(),
        status: status_number(reads_as(reader, row)),
        steps: row
            .steps
            .iter()
            .map(|step| v1::ApplicationStep { index: step.index, status: status_number(step.status) })
            .collect(),
        granted: row.granted.iter().map(credit_proto::granted_wire).collect(),
        granted_on: row.granted_on.map(date_wire),
        provisional_until: row.provisional_until.map(date_wire),
        auto_approval_index: row.auto_approval,
        explanation_commitment: row.explanation_commitment.as_bytes().to_vec(),
        last_entry: leaf_bytes(reader, row.last_index)?,
        review_due: review_due(reader, row)?,
    })
}

fn date_wire(date: CivilDate) -> v1::CivilDate {
    v1::CivilDate { year: date.year(), month: date.month(), day: date.day() }
}

/// The status of an application now: what time alone has done to it is a view.
fn reads_as(reader: &Reader, row: &ApplicationRow) -> ApplicationStatus {
    // A rejection whose appeal is over stays a rejection.
    let rejected = row.status == ApplicationStatus::Rejected;
    let over = !rejected && is_over(row, &reader.genesis().policy, reader.now_us());
    if over { ApplicationStatus::Lapsed } else { row.status }
}

/// Whether a record that a granted application used no longer stands.
fn review_due(reader: &Reader, row: &ApplicationRow) -> Result<bool, Failure> {
    if !matches!(row.status, ApplicationStatus::Posted | ApplicationStatus::Provisional) {
        return Ok(false);
    }
    let Some(account) = account_row(reader, row.request.account_ref)? else { return Ok(false) };
    if account_suspect(reader, &account)? {
        return Ok(true);
    }
    let head = reader.head().size.saturating_sub(1);
    for at in row.sources() {
        let Some(name) = row.request.records.get(at) else { continue };
        let id = RowId::Record(name.issuer.clone(), name.record_id);
        let Some(Row::Record(record)) = reader.row(&id)? else { continue };
        if record.status != RecordStatus::Valid || is_suspect_at(reader, &record, &account, head)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which applications a list is of.
enum Listed {
    Account(AccountRef),
    Institution(InstitutionId),
}

/// Applications of an account, or those made to the calling institution; newest first.
pub(crate) fn list(
    reader: &Reader,
    principal: &Principal,
    tokens: &Tokens,
    asked: &v1::ListConversionsRequest,
) -> Result<v1::ListConversionsResponse, Failure> {
    let v1::ListConversionsRequest { account_ref, page_size, page_token, open_only } = asked;
    let listed = match principal {
        Principal::Institution(member) if account_ref.is_empty() => Listed::Institution(member.id.clone()),
        Principal::Institution(_) | Principal::Learner(_) | Principal::Auditor | Principal::Anonymous => {
            Listed::Account(asked_account(reader, principal, account_ref)?)
        }
    };
    let (filter, mut indexes) = match &listed {
        Listed::Account(account) => {
            let row = uses(reader, *account)?;
            (account.as_bytes().to_vec(), row.map(|row| row.applications.clone()).unwrap_or_default())
        }
        Listed::Institution(id) => (id.as_str().as_bytes().to_vec(), reader.asked_of(id, 0, LOOKED_AT_MAX)?),
    };
    let filter = [filter.as_slice(), &[u8::from(*open_only)]].concat();
    if let Some(bytes) = tokens.read(CONVERSIONS, &filter, page_token)? {
        let before = <[u8; 8]>::try_from(bytes.as_slice()).map(u64::from_be_bytes).map_err(|_| foreign())?;
        indexes.retain(|index| *index < before);
    }
    let limit = page::size(*page_size, page::INSTITUTIONS_MAX);
    let mut room = Room::default();
    let mut applications: Vec<v1::ApplicationView> = Vec::new();
    for index in indexes.into_iter().rev() {
        let Some(Row::Application(row)) = reader.row(&RowId::Application(index))? else { continue };
        let open =
            matches!(reads_as(reader, &row), ApplicationStatus::UnderReview | ApplicationStatus::Appealed);
        if seen(principal, &row).is_none() || (*open_only && !open) {
            continue;
        }
        let view = view(reader, &row)?;
        if applications.len() == limit || !room.takes(prost_len(&view)) {
            let last = applications.last().map_or(0, |last| last.application_index);
            let next_page_token = tokens.issue(CONVERSIONS, &filter, &last.to_be_bytes());
            return Ok(v1::ListConversionsResponse { applications, next_page_token });
        }
        applications.push(view);
    }
    Ok(v1::ListConversionsResponse { applications, next_page_token: String::new() })
}

/// An upper bound of the bytes of an application on the wire: names are at most 128 bytes.
fn prost_len(view: &v1::ApplicationView) -> usize {
    const ITEM_BYTES: usize = 800;
    const RECORD_BYTES: usize = 96;
    const REST_BYTES: usize = 1_024;
    let records = view.request.as_ref().map_or(0, |request| request.records.len());
    let items = view.items.len().saturating_mul(ITEM_BYTES);
    let counted = records.saturating_add(view.steps.len()).saturating_add(view.granted.len());
    items.saturating_add(counted.saturating_mul(RECORD_BYTES)).saturating_add(REST_BYTES)
}
