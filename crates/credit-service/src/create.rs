//! Makes a ledger: entry 0, the store, the keyring, and last the high-water file.

use crate::assemble::assemble;
use crate::clock::Clock;
use crate::failure::{Failure, fault};
use crate::head_signer::{CheckpointSigners, begin};
use crate::keyring::Keyring;
use crate::ledger::{Layout, ServerKeys};
use crate::project;
use crate::random;
use crate::reader::admit;
use crate::rows_layout;
use credit_ledger::{CommandKey, Context, View, decide, event_reads, evolve_entry, reads};
use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::tile::TileEdge;
use credit_proto::entry::StatementPart;
use credit_proto::{Envelope, Statement, decode_statement, payload_type};
use credit_store::high_water::Identity;
use credit_store::lock::DirectoryLock;
use credit_store::sled::{Options, SledStore};
use credit_store::{Batch, BodyBytes, Store as _};
use credit_types::{Command, Genesis, LogId, Reason, Signed, SignerId};
use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// Decodes a genesis envelope and verifies its signatures with the keys it brings.
fn verified_genesis(envelope: &Envelope) -> Result<Signed<Genesis>, Failure> {
    if envelope.payload_type != payload_type::GENESIS {
        return Err(Reason::PayloadTypeWrong.into());
    }
    let statement = decode_statement(&envelope.payload_type, &envelope.payload, admit)?;
    let Statement::Genesis(header, genesis) = statement else { return Err(Reason::PayloadTypeWrong.into()) };
    let mut signers = Vec::new();
    for (kid, signature) in &envelope.signatures {
        let known = genesis.authority_keys.iter().find(|key| key.kid == *kid);
        let key = known.ok_or(Reason::KeyUnknown)?;
        PublicKey::admit(&key.bytes)
            .ok()
            .and_then(|key| key.verify_statement(&envelope.payload_type, &envelope.payload, signature).ok())
            .ok_or(Reason::SignatureInvalid)?;
        signers.push(*kid);
    }
    Ok(Signed { header, body: *genesis, signers })
}

pub(crate) fn create(dir: &Path, envelope: &Envelope, keys: ServerKeys) -> Result<LogId, Failure> {
    let genesis = verified_genesis(envelope)?;
    check_keys(&genesis.body, &keys)?;
    // Entries are pseudonymous and the keyring is wrapped, but neither is anybody else's business on this machine.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| std::fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .map_err(fault("create the data directory"))?;
    let _lock = DirectoryLock::acquire(dir)?;
    let layout = Layout::of(dir);
    if layout.high_water.exists() || layout.store.exists() || layout.keyring.exists() {
        return Err(Reason::LedgerExists.into());
    }
    let clock = Clock::default();
    let context = Context { index: 0, recorded_at_us: clock.now_us(), protocol: genesis.body.protocol };
    let key =
        CommandKey { signer: SignerId::Authority, command_id: genesis.header.statement_id, chunk: None };
    let mut view = View::new();
    let command = Command::CreateLedger(Box::new(genesis.clone()));
    loop {
        let missing = reads(&command, &view);
        if missing.is_empty() {
            break;
        }
        for id in missing {
            view.insert(id, None);
        }
    }
    let events = decide(&view, &context, &command)?;
    for id in event_reads(&events, &view) {
        view.insert(id, None);
    }
    let statements = [StatementPart::Signed(envelope.clone())];
    let assembled = assemble(&view, &context, &key, &statements, &events)?;
    evolve_entry(&mut view, &context, &key, &events);
    let mut rows = project::listing_rows(0, &assembled.links, &events);
    rows.push(rows_layout::mark());
    rows.extend(project::changed_rows(&mut view)?);
    let mut edge = TileEdge::new();
    edge.append(assembled.leaf_hash.0);
    drop(Keyring::create(&layout.keyring, keys.root)?);
    let store = SledStore::open(&layout.store, &Options { must_exist: false, ..Options::default() })?;
    let batch = Batch {
        entries: vec![assembled.bytes],
        bodies: vec![BodyBytes::default()],
        tiles: Vec::new(),
        rows,
        root: edge.root(),
    };
    store.append(0, &batch)?;
    store.close()?;
    let log_id = LogId(assembled.leaf_hash.0);
    let identity = Identity { log_id: log_id.0, instance: random::bytes()? };
    let signers = CheckpointSigners::new(&genesis.body.origin, keys.checkpoint, keys.second_checkpoint)?;
    // The high-water file comes last: a directory without it was never a ledger.
    begin(&layout.high_water, identity, &signers, &edge).map_err(fault("sign the first head"))?;
    Ok(log_id)
}

/// The server's keys must be those that the genesis names, or nobody could verify what it signs.
pub(crate) fn check_keys(genesis: &Genesis, keys: &ServerKeys) -> Result<(), Failure> {
    let named = |list: &[credit_types::PublicKey], key: &SigningKey| {
        list.iter().any(|named| named.kid.0 == key.public().kid())
    };
    let second = keys.second_checkpoint.as_ref();
    let differs = second.is_none_or(|second| second.public().kid() != keys.checkpoint.public().kid());
    if !differs {
        return Err(Failure::Invalid {
            field: "second checkpoint key".to_owned(),
            problem: "is the same as the first".to_owned(),
        });
    }
    let pairs = [
        (named(&genesis.checkpoint_keys, &keys.checkpoint), "checkpoint key"),
        (second.is_none_or(|key| named(&genesis.checkpoint_keys, key)), "second checkpoint key"),
        (named(&genesis.statement_keys, &keys.statement), "statement key"),
        (named(&genesis.operator_keys, &keys.operator), "operator key"),
    ];
    match pairs.iter().find(|(known, _)| !known) {
        None => Ok(()),
        Some((_, which)) => Err(Failure::Invalid {
            field: (*which).to_owned(),
            problem: "is not one that the genesis names".to_owned(),
        }),
    }
}
