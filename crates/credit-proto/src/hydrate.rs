//! Events out of an entry: what the log says of each, joined with the statements that it rests on.
//!
//! The result is checked by its own encoding: events that would not be written as they stand here don't follow from
//! their statements.

use credit_types::genesis::PROTOCOL;
use credit_types::limits::{CHUNK_LEAVES_MAX, CHUNK_PATH_MAX};
use credit_types::{
    AccountOpening, CivilDate, ConversionRequest, Digest, Event, EventKind, Header, InstitutionId, Kid,
    LeafType, ProtocolUpgrade, RecordFacts, RefusedLeaf, Signed, SignerId,
};

use crate::application::{Requested, change, requested_body};
use crate::entry::{DecodeError, DecodedParts, StatementPart, WireEvent, account};
use crate::envelope::Envelope;
use crate::event::{aliases, path, postings, record_key, refused, statement_numbers, wire_event};
use crate::field::{ensure, enumeration, named, range, required};
use crate::invalid::{At as _, InvalidField};
use crate::newer::newer_statement;
use crate::payload_type;
use crate::reading::{Admit, LeafHash, Reading, Stage};
use crate::statement::{Leaf as _, Statement, read_statement};
use crate::upgrade::announced;
use crate::v1;

/// What the entry of a chunk needs to know of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestInfo {
    /// Who signed it.
    pub signer: SignerId,
    /// The key that signed it.
    pub kid: Kid,
    /// What its leaves are.
    pub leaf_type: LeafType,
}

/// The index of the manifest that an entry's chunk rests on; `None` for an entry that is no chunk's.
pub fn manifest_of(parts: &DecodedParts) -> Option<u64> {
    parts.events.first()?.batch_chunk.as_ref().map(|chunk| chunk.manifest_index)
}

/// The events of an entry with all that their statements say. An entry that announces an upgrade beyond this software
/// is [`DecodeError::Newer`]: [`announced`] reads it. The manifest is that of the entry's chunk; other entries need
/// none.
pub fn hydrate(
    parts: &DecodedParts,
    manifest: Option<&ManifestInfo>,
    admit: Admit,
    leaf_hash: LeafHash,
) -> Result<Vec<Event>, DecodeError> {
    hydrate_whole(parts, manifest, admit, leaf_hash).map(|(events, _)| events)
}

/// The same, with the statement of an entry that rests on a signed one, which is read for its events anyway.
pub fn hydrate_whole(
    parts: &DecodedParts,
    manifest: Option<&ManifestInfo>,
    admit: Admit,
    leaf_hash: LeafHash,
) -> Result<(Vec<Event>, Option<Statement>), DecodeError> {
    if let Some(ProtocolUpgrade { protocol, format }) = announced(parts)? {
        return Err(DecodeError::Newer {
            what: format!("protocol {protocol} in format {format} is announced"),
        });
    }
    join(parts, manifest, admit, leaf_hash).map_err(|error| {
        let newer = parts.statements.iter().find_map(|statement| match statement {
            StatementPart::Signed(envelope) => newer_statement(envelope),
            StatementPart::Leaf { .. } => None,
        });
        newer.map_or(DecodeError::Invalid(error), |what| DecodeError::Newer { what })
    })
}

fn join(
    parts: &DecodedParts,
    manifest: Option<&ManifestInfo>,
    admit: Admit,
    leaf_hash: LeafHash,
) -> Result<(Vec<Event>, Option<Statement>), InvalidField> {
    let chunk = parts.events.first().and_then(|event| event.batch_chunk.as_ref());
    let (events, statement) = match chunk {
        Some(wire) => {
            let problem = "rests on an entry that opens no batch: name the manifest's index";
            let manifest =
                manifest.ok_or_else(|| InvalidField::new("events[0].batch_chunk.manifest_index", problem))?;
            (Chunk { wire, manifest, parts }.events(leaf_hash)?, None)
        }
        None => ordinary(parts, admit).map(|(events, statement)| (events, Some(statement)))?,
    };
    let numbers = statement_numbers(&events);
    for (position, (event, numbers)) in events.iter().zip(numbers).enumerate() {
        let follows = parts.events.get(position) == Some(&wire_event(event, numbers));
        ensure(follows, "", "does not follow from its statements").at_element("events", position)?;
    }
    Ok((events, statement))
}

/// The events of an entry that rests on one signed statement, and the statement.
fn ordinary(parts: &DecodedParts, admit: Admit) -> Result<(Vec<Event>, Statement), InvalidField> {
    let [StatementPart::Signed(envelope)] = parts.statements.as_slice() else {
        return Err(InvalidField::new("statements", "must be one signed statement: leave out all else"));
    };
    let Envelope { payload_type, payload, signatures } = envelope;
    let reading = Reading { admit, stage: Stage::Replay };
    let statement = read_statement(payload_type, payload, reading).at("statements[0].envelope.payload")?;
    let signers = signatures.iter().map(|(kid, _)| *kid).collect();
    let basis = Basis { statement, signers };
    let mut events = Vec::with_capacity(parts.events.len());
    for (position, wire) in parts.events.iter().enumerate() {
        events.push(basis.event(wire).at_element("events", position)?);
    }
    Ok((events, basis.statement))
}

/// The one statement of an ordinary entry.
struct Basis {
    statement: Statement,
    signers: Vec<Kid>,
}

impl Basis {
    fn event(&self, wire: &WireEvent) -> Result<Event, InvalidField> {
        let kind: EventKind = enumeration("kind", wire.kind)?;
        let event = match &self.statement {
            Statement::Genesis(header, body) => Event::LedgerCreated(self.boxed(header, body)),
            Statement::StartServer(header, body) => {
                // Reported as newer where it is: no software accepts a protocol that it doesn't speak.
                range("protocol", body.protocol, 1..=PROTOCOL)?;
                Event::ServerStarted(self.signed(header, body))
            }
            Statement::AdmitInstitution(header, body) => Event::InstitutionAdmitted(self.boxed(header, body)),
            Statement::PublishFramework(header, body) => Event::FrameworkPublished(self.boxed(header, body)),
            Statement::AddKey(header, body) => Event::KeyAdded(self.boxed(header, body)),
            Statement::RetireKey(header, body) => {
                Event::KeyRetired { institution_id: owner(wire)?, statement: self.signed(header, body) }
            }
            Statement::ReportKeyCompromise(header, body) => {
                Event::KeyCompromised { institution_id: owner(wire)?, statement: self.signed(header, body) }
            }
            Statement::OpenBatch(header, body) => Event::BatchOpened(self.signed(header, body)),
            Statement::CloseBatch(header, body) => {
                let v1::BatchClosed { manifest_index: _, accepted, refused } =
                    *required("batch_closed", wire.batch_closed.as_ref())?;
                let manifest_index = body.manifest_index;
                Event::BatchClosed { signer: header.signer.clone(), manifest_index, accepted, refused }
            }
            Statement::OpenAccount(header, body) => {
                opened(wire, body, institution(&header.signer)?, self.kid()?, None)?
            }
            Statement::DepositRecord(header, body) => {
                deposited(wire, body, institution(&header.signer)?, self.kid()?, None)?
            }
            Statement::ChangeAccountStatus(header, body) => {
                let changed = wire.account_status_changed.as_ref();
                let v1::AccountStatusChanged { account_ref: _, status } =
                    required("account_status_changed", changed)?;
                let status = enumeration("account_status_changed.status", *status)?;
                Event::AccountStatusChanged { status, statement: self.signed(header, body.as_ref()) }
            }
            Statement::ChangeRecordStatus(..) => self.record_status_changed(wire)?,
            Statement::CorrectRecord(header, body) if kind == EventKind::RecordDeposited => {
                let mut event =
                    deposited(wire, &body.facts, institution(&header.signer)?, self.kid()?, None)?;
                if let Event::RecordDeposited { supersedes, .. } = &mut event {
                    *supersedes = Some(body.supersedes);
                }
                event
            }
            Statement::CorrectRecord(..) => self.record_status_changed(wire)?,
            Statement::UpgradeProtocol(header, body) => Event::ProtocolUpgraded(self.signed(header, body)),
            Statement::PublishRuleBook(header, body) => Event::RuleBookPublished(self.boxed(header, body)),
            Statement::ChangeRuleBook(header, body) => Event::RuleBookChanged(self.boxed(header, body)),
            Statement::GiveAutoApproval(header, body) => Event::AutoApprovalGiven {
                institution_id: institution(&header.signer)?.clone(),
                statement: self.boxed(header, body),
            },
            Statement::RequestConversion(header, body) if kind == EventKind::ConversionRequested => {
                requested(wire, self.boxed(header, body))?
            }
            Statement::DecideConversion(_, body) => changed(wire, self.kid()?, body.provisional_until)?,
            Statement::RequestConversion(..) | Statement::StepConversion(..) => {
                changed(wire, self.kid()?, None)?
            }
            Statement::ReverseAward(..) => changed(wire, self.first_kid()?, None)?,
        };
        Ok(event)
    }

    fn record_status_changed(&self, wire: &WireEvent) -> Result<Event, InvalidField> {
        let changed = required("record_status_changed", wire.record_status_changed.as_ref())?;
        let v1::RecordStatusChanged { account_ref: _, issuer_id: _, record_id: _, status, postings: moved } =
            changed;
        let status = enumeration("status", *status).at("record_status_changed")?;
        let postings = postings(moved).at("record_status_changed")?;
        let kid = self.kid()?;
        match &self.statement {
            Statement::ChangeRecordStatus(_, body) => Ok(Event::RecordStatusChanged {
                account_ref: body.account_ref,
                issuer: body.issuer_id.clone(),
                record_id: body.record_id,
                status,
                superseded_by: None,
                kid,
                postings,
            }),
            Statement::CorrectRecord(header, body) => Ok(Event::RecordStatusChanged {
                account_ref: body.facts.account_ref,
                issuer: institution(&header.signer)?.clone(),
                record_id: body.supersedes,
                status,
                superseded_by: Some(body.facts.record_id),
                kid,
                postings,
            }),
            Statement::Genesis(..)
            | Statement::AdmitInstitution(..)
            | Statement::PublishFramework(..)
            | Statement::AddKey(..)
            | Statement::RetireKey(..)
            | Statement::ReportKeyCompromise(..)
            | Statement::OpenAccount(..)
            | Statement::ChangeAccountStatus(..)
            | Statement::DepositRecord(..)
            | Statement::OpenBatch(..)
            | Statement::CloseBatch(..)
            | Statement::StartServer(..)
            | Statement::UpgradeProtocol(..)
            | Statement::PublishRuleBook(..)
            | Statement::ChangeRuleBook(..)
            | Statement::GiveAutoApproval(..)
            | Statement::RequestConversion(..)
            | Statement::DecideConversion(..)
            | Statement::StepConversion(..)
            | Statement::ReverseAward(..) => {
                Err(InvalidField::new("kind", "rests on another kind of statement"))
            }
        }
    }

    fn signed<B: Clone>(&self, header: &Header, body: &B) -> Signed<B> {
        Signed { header: header.clone(), body: body.clone(), signers: self.signers.clone() }
    }

    fn boxed<B: Clone>(&self, header: &Header, body: &B) -> Box<Signed<B>> {
        Box::new(self.signed(header, body))
    }

    /// The first of the keys that signed, of a statement that needs more than one.
    fn first_kid(&self) -> Result<Kid, InvalidField> {
        required("signatures", self.signers.first().copied())
    }

    /// The one key that signed.
    fn kid(&self) -> Result<Kid, InvalidField> {
        let [kid] = self.signers.as_slice() else {
            return Err(InvalidField::new(
                "signatures",
                "must be one: leave out what the event doesn't need",
            ));
        };
        Ok(*kid)
    }
}

fn owner(wire: &WireEvent) -> Result<InstitutionId, InvalidField> {
    let v1::KeyChanged { institution_id, kid: _ } = required("key_changed", wire.key_changed.as_ref())?;
    named("key_changed.institution_id", institution_id.clone(), InstitutionId::new)
}

fn institution(signer: &SignerId) -> Result<&InstitutionId, InvalidField> {
    required("signer_id", signer.institution()).at("header")
}

fn opened(
    wire: &WireEvent,
    opening: &AccountOpening,
    registrar: &InstitutionId,
    kid: Kid,
    manifest_index: Option<u64>,
) -> Result<Event, InvalidField> {
    let body = required("account_opened", wire.account_opened.as_ref())?;
    let v1::AccountOpened { account_ref, aliases: asserted } = body;
    Ok(Event::AccountOpened {
        account_ref: account(account_ref).at("account_opened")?,
        opening: *opening,
        registrar: registrar.clone(),
        kid,
        manifest_index,
        aliases: aliases(asserted).at("account_opened")?,
    })
}

fn deposited(
    wire: &WireEvent,
    facts: &RecordFacts,
    issuer: &InstitutionId,
    kid: Kid,
    manifest_index: Option<u64>,
) -> Result<Event, InvalidField> {
    let body = required("record_deposited", wire.record_deposited.as_ref())?;
    let v1::RecordDeposited { account_ref: _, record_id: _, fingerprint_version, postings: moved } = body;
    let version = range("fingerprint_version", *fingerprint_version, 1..=u32::MAX);
    Ok(Event::RecordDeposited {
        facts: Box::new(facts.clone()),
        issuer: issuer.clone(),
        kid,
        manifest_index,
        supersedes: None,
        fingerprint_version: version.at("record_deposited")?,
        postings: postings(moved).at("record_deposited")?,
    })
}

fn requested(wire: &WireEvent, statement: Box<Signed<ConversionRequest>>) -> Result<Event, InvalidField> {
    let body = required("conversion_requested", wire.conversion_requested.as_ref())?;
    let Requested { items, explanation_commitment, moved } =
        requested_body(body, &statement.body.records).at("conversion_requested")?;
    Ok(Event::ConversionRequested { statement, items, explanation_commitment, moved })
}

/// How an application went on; a last day of confirmation holds for what is provisional only.
fn changed(wire: &WireEvent, kid: Kid, confirmable_until: Option<CivilDate>) -> Result<Event, InvalidField> {
    let body = required("conversion_changed", wire.conversion_changed.as_ref())?;
    let change = change(body, kid, confirmable_until).at("conversion_changed")?;
    Ok(Event::ConversionChanged(Box::new(change)))
}

/// The entry of a chunk.
struct Chunk<'e> {
    wire: &'e v1::BatchChunk,
    manifest: &'e ManifestInfo,
    parts: &'e DecodedParts,
}

impl Chunk<'_> {
    /// The chunk, one event a leaf, and perhaps the closing.
    fn events(&self, leaf_hash: LeafHash) -> Result<Vec<Event>, InvalidField> {
        let v1::BatchChunk { manifest_index, chunk, path: hashes, refused: refused_wires } = self.wire;
        let path = path(hashes).at("events[0].batch_chunk")?;
        let refused = refused(refused_wires).at("events[0].batch_chunk")?;
        let mut last_key = None;
        let mut positions: Vec<u32> = refused.iter().map(|leaf: &RefusedLeaf| leaf.position).collect();
        let mut leaf_events = Vec::with_capacity(self.parts.statements.len());
        for (number, statement) in self.parts.statements.iter().enumerate() {
            let StatementPart::Leaf { manifest_index: named, position, facts } = statement else {
                let problem = "must be a leaf: a chunk rests on its manifest alone";
                return Err(InvalidField::new(format!("statements[{number}]"), problem));
            };
            let same = named == manifest_index;
            ensure(same, "manifest_index", "must be the chunk's").at_element("statements", number)?;
            positions.push(*position);
            let wire = self.parts.events.get(number.saturating_add(1));
            let wire = required("", wire).at_element("events", number.saturating_add(1))?;
            let (event, key) = self.leaf(wire, facts, leaf_hash).at_element("statements", number)?;
            last_key = Some(key);
            leaf_events.push(event);
        }
        let leaves = covered(*chunk, &self.parts.statements, positions)?;
        let (manifest_index, chunk) = (*manifest_index, *chunk);
        let mut events = vec![Event::BatchChunk { manifest_index, chunk, path, leaves, last_key, refused }];
        events.extend(leaf_events);
        match self.parts.events.get(events.len()..).unwrap_or_default() {
            [] => {}
            [last] => events.push(self.closed(last)?),
            [..] => {
                return Err(InvalidField::new("events", "more than leaves: one event a leaf, one closing"));
            }
        }
        Ok(events)
    }

    fn leaf(
        &self,
        wire: &WireEvent,
        facts: &[u8],
        leaf_hash: LeafHash,
    ) -> Result<(Event, Digest), InvalidField> {
        let ManifestInfo { signer, kid, leaf_type } = self.manifest;
        let signer = institution(signer)?;
        let manifest_index = Some(self.wire.manifest_index);
        match leaf_type {
            LeafType::Record => {
                let facts = RecordFacts::leaf(facts).at("leaf.facts")?;
                Ok((deposited(wire, &facts, signer, *kid, manifest_index)?, record_key(&facts)))
            }
            LeafType::Opening => {
                let opening = AccountOpening::leaf(facts).at("leaf.facts")?;
                let key = Digest(leaf_hash(payload_type::ACCOUNT_OPENING, facts));
                Ok((opened(wire, &opening, signer, *kid, manifest_index)?, key))
            }
        }
    }

    fn closed(&self, wire: &WireEvent) -> Result<Event, InvalidField> {
        let body = required("batch_closed", wire.batch_closed.as_ref()).at("events")?;
        let v1::BatchClosed { manifest_index: _, accepted, refused } = *body;
        let manifest_index = self.wire.manifest_index;
        Ok(Event::BatchClosed { signer: self.manifest.signer.clone(), manifest_index, accepted, refused })
    }
}

/// The number of the last chunk of the largest batch.
const CHUNK_NUMBER_MAX: u32 = (1 << CHUNK_PATH_MAX) - 1;

/// The count of a chunk's leaves: accepted and refused positions together are the chunk's from its first, none left
/// out and none twice; accepted ones ascend.
fn covered(chunk: u32, statements: &[StatementPart], mut positions: Vec<u32>) -> Result<u32, InvalidField> {
    let ascends = statements.is_sorted_by_key(|statement| match statement {
        StatementPart::Leaf { position, .. } => *position,
        StatementPart::Signed(_) => 0,
    });
    ensure(ascends, "statements", "must ascend by position: sort them")?;
    positions.sort_unstable();
    let leaves_max = u32::try_from(CHUNK_LEAVES_MAX).unwrap_or(u32::MAX);
    range("events[0].batch_chunk.chunk", chunk, 0..=CHUNK_NUMBER_MAX)?;
    let first = chunk.saturating_mul(leaves_max);
    let whole = (first..).take(positions.len()).eq(positions.iter().copied());
    let problem = "accepted and refused positions together must be those of the chunk, none twice";
    ensure(whole, "events[0].batch_chunk.refused", problem)?;
    let leaves = u32::try_from(positions.len()).unwrap_or(u32::MAX);
    range("statements", leaves, 1..=leaves_max)
}
