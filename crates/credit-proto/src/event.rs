//! Events as they stand in the log: what the statements that they rest on don't say.

use credit_types::limits::{CHUNK_LEAVES_MAX, CHUNK_PATH_MAX, OPENING_ALIASES_MAX, POSTINGS_MAX};
use credit_types::{
    AccountRef, AliasAsserted, AliasKind, Amount, BookVersion, Bucket, Digest, Event, InstitutionId, Kid,
    Posting, ProtocolUpgrade, Reason, RecordFacts, RefusedLeaf, SchemeId,
};

use crate::application::application_event;
use crate::enumeration::Enumerated as _;
use crate::field::{ascending, count, ensure, enumeration, named, range, sized};
use crate::invalid::{At as _, InvalidField};
use crate::record::credits;
use crate::v1;

/// The numbers of the statements that each event of an entry rests on. In a chunk's entry the n-th record or opening
/// rests on the n-th leaf, and the chunk and the closing on the manifest, which is named by index; in every other
/// entry all rests on the one statement.
pub(crate) fn statement_numbers(events: &[Event]) -> Vec<Vec<u32>> {
    let chunk = events.iter().any(|event| matches!(event, Event::BatchChunk { .. }));
    let mut leaves = 0..;
    let rests_on = |event: &Event| match event {
        _ if !chunk => vec![0],
        Event::AccountOpened { .. } | Event::RecordDeposited { .. } => leaves.next().into_iter().collect(),
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountStatusChanged { .. }
        | Event::RecordStatusChanged { .. }
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::AutoApprovalGiven { .. }
        | Event::ConversionRequested { .. }
        | Event::ConversionChanged(_) => Vec::new(),
    };
    events.iter().map(rests_on).collect()
}

/// An event as it stands in the log.
pub(crate) fn wire_event(event: &Event, statements: Vec<u32>) -> v1::Event {
    let wire = v1::Event { kind: event.kind().number(), statements, ..v1::Event::default() };
    match event {
        Event::LedgerCreated(_) | Event::ServerStarted(_) | Event::BatchOpened(_) => wire,
        Event::InstitutionAdmitted(statement) => {
            let institution_id = statement.body.institution_id.as_str().to_owned();
            let body = v1::InstitutionAdmitted { institution_id };
            v1::Event { institution_admitted: Some(body), ..wire }
        }
        Event::FrameworkPublished(statement) => {
            let framework_id = statement.body.framework_id.as_str().to_owned();
            let body = v1::FrameworkPublished { framework_id, version: statement.body.version };
            v1::Event { framework_published: Some(body), ..wire }
        }
        Event::KeyAdded(statement) => {
            let body = key_changed(&statement.body.institution_id, statement.body.key.key.kid);
            v1::Event { key_changed: Some(body), ..wire }
        }
        Event::KeyRetired { institution_id, statement } => {
            v1::Event { key_changed: Some(key_changed(institution_id, statement.body.kid)), ..wire }
        }
        Event::KeyCompromised { institution_id, statement } => {
            v1::Event { key_changed: Some(key_changed(institution_id, statement.body.kid)), ..wire }
        }
        Event::AccountOpened {
            account_ref,
            opening: _,
            registrar: _,
            kid: _,
            manifest_index: _,
            aliases,
        } => {
            let aliases = aliases.iter().map(|alias| alias_wire(*alias)).collect();
            let body = v1::AccountOpened { account_ref: account_ref.0.to_vec(), aliases };
            v1::Event { account_opened: Some(body), ..wire }
        }
        Event::AccountStatusChanged { status, statement } => {
            let account_ref = statement.body.account_ref.0.to_vec();
            let body = v1::AccountStatusChanged { account_ref, status: status.number() };
            v1::Event { account_status_changed: Some(body), ..wire }
        }
        Event::RecordDeposited { facts, fingerprint_version, postings, .. } => {
            let body = v1::RecordDeposited {
                account_ref: facts.account_ref.0.to_vec(),
                record_id: facts.record_id.0.to_vec(),
                fingerprint_version: *fingerprint_version,
                postings: postings.iter().map(posting_wire).collect(),
            };
            v1::Event { record_deposited: Some(body), ..wire }
        }
        Event::RecordStatusChanged { account_ref, issuer, record_id, status, postings, .. } => {
            let body = v1::RecordStatusChanged {
                account_ref: account_ref.0.to_vec(),
                issuer_id: issuer.as_str().to_owned(),
                record_id: record_id.0.to_vec(),
                status: status.number(),
                postings: postings.iter().map(posting_wire).collect(),
            };
            v1::Event { record_status_changed: Some(body), ..wire }
        }
        Event::BatchChunk { .. } | Event::BatchClosed { .. } => batch_event(event, wire),
        Event::ProtocolUpgraded(statement) => {
            v1::Event { protocol_upgraded: Some(upgraded(statement.body)), ..wire }
        }
        Event::RuleBookPublished(statement) => rule_book_event(&statement.body.book, wire),
        Event::RuleBookChanged(statement) => rule_book_event(&statement.body.book, wire),
        Event::AutoApprovalGiven { institution_id: _, statement } => {
            rule_book_event(&statement.body.book, wire)
        }
        Event::ConversionRequested { .. } | Event::ConversionChanged(_) => application_event(event, wire),
    }
}

/// The same for what is about a batch; any other event is returned as it is.
fn batch_event(event: &Event, wire: v1::Event) -> v1::Event {
    if let Event::BatchChunk { manifest_index, chunk, path, leaves: _, last_key: _, refused } = event {
        let body = v1::BatchChunk {
            manifest_index: *manifest_index,
            chunk: *chunk,
            path: path.iter().map(|hash| hash.0.to_vec()).collect(),
            refused: refused.iter().map(refused_wire).collect(),
        };
        return v1::Event { batch_chunk: Some(body), ..wire };
    }
    if let Event::BatchClosed { signer: _, manifest_index, accepted, refused } = event {
        let body =
            v1::BatchClosed { manifest_index: *manifest_index, accepted: *accepted, refused: *refused };
        return v1::Event { batch_closed: Some(body), ..wire };
    }
    wire
}

fn rule_book_event(book: &BookVersion, wire: v1::Event) -> v1::Event {
    let BookVersion { book_id, version } = book;
    let body = v1::RuleBookNamed { book_id: book_id.as_str().to_owned(), version: *version };
    v1::Event { rule_book: Some(body), ..wire }
}

/// The body of an announcement.
pub(crate) fn upgraded(upgrade: ProtocolUpgrade) -> v1::ProtocolUpgraded {
    let ProtocolUpgrade { protocol, format } = upgrade;
    v1::ProtocolUpgraded { protocol, format }
}

fn key_changed(institution_id: &InstitutionId, kid: Kid) -> v1::KeyChanged {
    v1::KeyChanged { institution_id: institution_id.as_str().to_owned(), kid: kid.0.to_vec() }
}

/// The aliases of an opening, in the order account number, document, student numbers; the first two kinds at most
/// once.
pub(crate) fn aliases(wires: &[v1::AliasAsserted]) -> Result<Vec<AliasAsserted>, InvalidField> {
    count("aliases", wires, 0..=OPENING_ALIASES_MAX)?;
    let mut aliases: Vec<AliasAsserted> = Vec::with_capacity(wires.len());
    for (position, wire) in wires.iter().enumerate() {
        let v1::AliasAsserted { kind, pepper_version } = wire;
        let kind = enumeration("kind", *kind).at_element("aliases", position)?;
        let follows = aliases.last().is_none_or(|last: &AliasAsserted| {
            last.kind < kind || (kind == AliasKind::StudentNumber && last.kind == kind)
        });
        let problem = "must follow the order account number, document, student numbers: sort them";
        ensure(follows, "kind", problem).at_element("aliases", position)?;
        let version = range("pepper_version", *pepper_version, 1..=u32::MAX);
        let pepper_version = version.at_element("aliases", position)?;
        aliases.push(AliasAsserted { kind, pepper_version });
    }
    Ok(aliases)
}

fn alias_wire(alias: AliasAsserted) -> v1::AliasAsserted {
    let AliasAsserted { kind, pepper_version } = alias;
    v1::AliasAsserted { kind: kind.number(), pepper_version }
}

/// The postings of an event.
pub(crate) fn postings(wires: &[v1::Posting]) -> Result<Vec<Posting>, InvalidField> {
    count("postings", wires, 0..=POSTINGS_MAX)?;
    let mut postings = Vec::with_capacity(wires.len());
    for (position, wire) in wires.iter().enumerate() {
        postings.push(posting(wire).at_element("postings", position)?);
    }
    Ok(postings)
}

fn posting(wire: &v1::Posting) -> Result<Posting, InvalidField> {
    let v1::Posting { from, to, credit_scheme, credits_milli } = wire;
    let posting = Posting {
        from: enumeration("from", *from)?,
        to: enumeration("to", *to)?,
        amount: Amount {
            scheme: named("credit_scheme", credit_scheme.clone(), SchemeId::new)?,
            credits: credits(*credits_milli)?,
        },
    };
    ensure(posting.from != posting.to, "to", "must be another bucket than from: leave the posting out")?;
    ensure(is_posted_to(posting.from), "from", "is a view, nothing moves out of it: correct it")?;
    let takes = is_posted_to(posting.to) && posting.to != Bucket::Issued;
    ensure(takes, "to", "is a view or the source outside, nothing moves into it: correct it")?;
    Ok(posting)
}

fn is_posted_to(bucket: Bucket) -> bool {
    match bucket {
        Bucket::Issued
        | Bucket::Available
        | Bucket::Reserved
        | Bucket::Redeemed
        | Bucket::Revoked
        | Bucket::Suspended => true,
        Bucket::Expired | Bucket::KeySuspect => false,
    }
}

/// A posting as it stands in an event.
pub(crate) fn posting_wire(posting: &Posting) -> v1::Posting {
    let Posting { from, to, amount: Amount { scheme, credits } } = posting;
    v1::Posting {
        from: from.number(),
        to: to.number(),
        credit_scheme: scheme.as_str().to_owned(),
        credits_milli: credits.milli(),
    }
}

/// The path of a chunk.
pub(crate) fn path(hashes: &[Vec<u8>]) -> Result<Vec<Digest>, InvalidField> {
    count("path", hashes, 0..=CHUNK_PATH_MAX)?;
    let mut path = Vec::with_capacity(hashes.len());
    for (position, hash) in hashes.iter().enumerate() {
        path.push(sized("", hash, Digest::from_slice).at_element("path", position)?);
    }
    Ok(path)
}

/// The refused positions of a chunk, ascending.
pub(crate) fn refused(wires: &[v1::RefusedLeaf]) -> Result<Vec<RefusedLeaf>, InvalidField> {
    count("refused", wires, 0..=CHUNK_LEAVES_MAX)?;
    let mut leaves = Vec::with_capacity(wires.len());
    for (place, wire) in wires.iter().enumerate() {
        leaves.push(refused_leaf(wire).at_element("refused", place)?);
    }
    let positions: Vec<u32> = leaves.iter().map(|leaf| leaf.position).collect();
    ascending("refused", &positions)?;
    Ok(leaves)
}

fn refused_leaf(wire: &v1::RefusedLeaf) -> Result<RefusedLeaf, InvalidField> {
    let v1::RefusedLeaf { position, leaf_hash, reason: number } = wire;
    let leaf_hash = sized("leaf_hash", leaf_hash, Digest::from_slice)?;
    Ok(RefusedLeaf { position: *position, leaf_hash, reason: reason(*number)? })
}

/// The refusal with a number.
pub(crate) fn reason(number: u32) -> Result<Reason, InvalidField> {
    let problem = "must be the number of a refusal in the reference: correct it";
    Reason::from_number(number).ok_or_else(|| InvalidField::new("reason", problem))
}

fn refused_wire(leaf: &RefusedLeaf) -> v1::RefusedLeaf {
    let RefusedLeaf { position, leaf_hash, reason } = leaf;
    v1::RefusedLeaf { position: *position, leaf_hash: leaf_hash.0.to_vec(), reason: reason.number() }
}

/// The order key of a record leaf: its account_ref and record_id.
pub(crate) fn record_key(facts: &RecordFacts) -> Digest {
    let AccountRef(account) = facts.account_ref;
    let mut key = [0; 32];
    let (front, back) = key.split_at_mut(account.len());
    front.copy_from_slice(&account);
    back.copy_from_slice(facts.record_id.as_bytes());
    Digest(key)
}
