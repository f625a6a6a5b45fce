//! The lies: what an operator with all of the log's own keys makes up, at its best.

use super::forge::{Parts, SECOND_US, append, append_at, entry, leaves, rewritten, time_us};
use super::stage::Stage;
use crate::export::Entry;
use crate::institution::Institution;
use crate::statement::{Draft, envelope, identity, seal_identity, uuid_v7};
use credit_log::cosignature::Cosigner;
use credit_log::envelope::SigningKey;
use credit_log::note::NoteSigner;
use credit_proto::strict::{decode, encode};
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};

/// Nine days: longer than a batch may stay open.
const NINE_DAYS_US: i64 = 9 * 86_400 * SECOND_US;
/// The name of the witness that a client's policy pins in one of the tales.
const WITNESS: &str = "w.example/pinned";

/// How an account's history is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// As the log has it.
    Whole,
    /// The last entry is not listed, though the signed head counts it.
    LastUnlisted,
    /// Neither the list nor the signed head knows the last entry.
    LastDenied,
    /// The one before the last but one is passed over; the last continues the one before that.
    OneBypassed,
    /// As it stood under an earlier head, which is proved to belong to the newest.
    AsOfEarlier,
}

/// What is served of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiles {
    /// What the checkpoint stands over.
    True,
    /// One hash of a tile is another one.
    TileBent,
    /// One core in a bundle is another one.
    BundleBent,
}

/// What is handed out to who verifies with no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {
    /// The entries of the tale.
    Bare,
    /// The product's own export with details, of which one was taken out and signed for.
    DetailMissing,
}

/// All that is told.
pub(crate) struct Tale {
    pub(crate) log: Vec<Entry>,
    pub(crate) account: Account,
    pub(crate) tiles: Tiles,
    pub(crate) export: Export,
    /// The signed checkpoint; with a receipt that claims to be witnessed where there is a policy.
    pub(crate) note: String,
    /// What the trust file pins beside the log.
    pub(crate) policy: Option<String>,
    /// A statement that its signer has handed to the monitor.
    pub(crate) handed: Option<v1::Envelope>,
}

impl Tale {
    /// A history, told plainly.
    pub(crate) fn of(stage: &Stage, log: Vec<Entry>) -> Self {
        let note = stage.keys.note(&leaves(&log));
        let (account, tiles, export) = (Account::Whole, Tiles::True, Export::Bare);
        Self { log, account, tiles, export, note, policy: None, handed: None }
    }

    pub(crate) fn honest(stage: &Stage) -> Self {
        Self::of(stage, stage.honest.clone())
    }
}

/// The honest history and one made-up entry more, like one that is there.
fn more(stage: &Stage, like: &Entry, change: impl FnOnce(&[Entry], &mut Parts)) -> Tale {
    let mut log = stage.honest.clone();
    let before = stage.honest.clone();
    append(&mut log, like, |parts| change(&before, parts));
    Tale::of(stage, log)
}

/// A start of the server, signed by the operator: what it can always write.
fn start(stage: &Stage, log: &mut Vec<Entry>) {
    let before = log.clone();
    append(log, stage.first(v1::EventKind::ServerStarted), |parts| {
        let old: v1::ServerStart = decode(&parts.envelope().payload).expect("a start");
        let header = stage.header(&before, "operator");
        let id = header.statement_id.clone();
        let epoch = [uuid_v7(), uuid_v7()].concat();
        let new = v1::ServerStart { header: Some(header), epoch: epoch[..old.epoch.len()].to_vec(), ..old };
        parts.says(envelope(payload_type::SERVER_START, encode(&new), &[&stage.keys.operator]), &id);
    });
}

pub(crate) fn forked(stage: &Stage) -> Tale {
    let mut log = stage.honest[..stage.honest.len() - 1].to_vec();
    start(stage, &mut log);
    start(stage, &mut log);
    Tale::of(stage, log)
}

pub(crate) fn rolled_back(stage: &Stage) -> Tale {
    Tale::of(stage, stage.honest[..stage.honest.len() - 2].to_vec())
}

pub(crate) fn restored(stage: &Stage) -> Tale {
    Tale::of(stage, stage.restored.clone())
}

pub(crate) fn dropped(stage: &Stage) -> Tale {
    let at = stage.deposits[0];
    let mut log = rewritten(&stage.honest, at, &stage.honest[at + 1..]);
    start(stage, &mut log);
    Tale::of(stage, log)
}

pub(crate) fn reordered(stage: &Stage) -> Tale {
    let at = stage.deposits[0];
    let mut rest = stage.honest[at..].to_vec();
    rest.swap(0, 1);
    Tale::of(stage, rewritten(&stage.honest, at, &rest))
}

/// Changes one entry, and all that must be made again for it.
fn with(stage: &Stage, at: usize, change: impl FnOnce(&mut Parts)) -> Tale {
    let old = &stage.honest[at];
    let mut parts = Parts::of(old);
    change(&mut parts);
    let changed = entry(&stage.honest[..at], &parts, time_us(old));
    let rest = [&[changed], &stage.honest[at + 1..]].concat();
    Tale::of(stage, rewritten(&stage.honest, at, &rest))
}

pub(crate) fn event_rewritten(stage: &Stage) -> Tale {
    with(stage, stage.deposits[0], |parts| {
        parts.events[0].record_deposited.as_mut().expect("a deposit").postings[0].credits_milli += 500;
    })
}

pub(crate) fn body_swapped(stage: &Stage) -> Tale {
    with(stage, stage.deposits[0], |parts| {
        let mut facts: v1::RecordFacts = decode(&parts.envelope().payload).expect("facts");
        facts.amount.as_mut().expect("an amount").credits_milli += 500;
        parts.envelope().payload = encode(&facts);
        parts.events[0].record_deposited.as_mut().expect("a deposit").postings[0].credits_milli += 500;
    })
}

/// The parts are other ones; the core, and all that stands over it, is the one that everybody has.
pub(crate) fn parts_exchanged(stage: &Stage) -> Tale {
    let at = stage.deposits[0];
    let mut log = stage.honest.clone();
    log[at].parts.clone_from(&event_rewritten(stage).log[at].parts);
    Tale { log, ..Tale::honest(stage) }
}

pub(crate) fn last_unlisted(stage: &Stage) -> Tale {
    Tale { account: Account::LastUnlisted, ..Tale::honest(stage) }
}

pub(crate) fn last_denied(stage: &Stage) -> Tale {
    Tale { account: Account::LastDenied, ..Tale::honest(stage) }
}

pub(crate) fn as_of_earlier(stage: &Stage) -> Tale {
    Tale { account: Account::AsOfEarlier, ..Tale::honest(stage) }
}

/// A deposit by a key, as an entry like the honest ones would say it.
fn deposited(stage: &Stage, account: &[u8], key: &SigningKey, log: &[Entry], parts: &mut Parts) {
    let draft = Draft::course(account);
    let header = stage.header(log, &stage.world.school.id);
    let id = header.statement_id.clone();
    let signed = draft.submission(header, key).envelope.expect("an envelope");
    parts.says(signed, &id);
    parts.about_account(account);
    parts.events[0].record_deposited.as_mut().expect("a deposit").record_id = draft.facts.record_id;
}

/// One more deposit of the learner continues the chain before the last link, which nobody is shown any more.
pub(crate) fn sequence_twice(stage: &Stage) -> Tale {
    let account = &stage.learner.account_ref;
    let link = |entry: &Entry| Parts::of(entry).link_of(v1::SubjectKind::Account, account).cloned();
    let last = stage.honest.iter().rev().find_map(link).expect("the learner's last entry");
    let mut log = stage.honest.clone();
    let mut parts = Parts::of(&stage.honest[stage.deposits[0]]);
    let key = stage.world.school.key(KeyPurpose::Records);
    deposited(stage, account, &key, &stage.honest, &mut parts);
    (parts.links[0].sequence, parts.links[0].previous) = (last.sequence, last.previous);
    let at_us = time_us(&log[log.len() - 1]) + SECOND_US;
    log.push(entry(&stage.honest, &parts, at_us));
    Tale { account: Account::OneBypassed, ..Tale::of(stage, log) }
}

pub(crate) fn retired_key(stage: &Stage) -> Tale {
    more(stage, &stage.honest[stage.deposits[0]], |log, parts| {
        deposited(stage, &stage.other.account_ref, &stage.retired, log, parts);
    })
}

pub(crate) fn institution_invented(stage: &Stage) -> Tale {
    let mill = Institution::school();
    more(stage, stage.first(v1::EventKind::InstitutionAdmitted), |log, parts| {
        let header = stage.header(log, "authority");
        let id = header.statement_id.clone();
        let admission = v1::InstitutionAdmission { header: Some(header), ..mill.admission() };
        let keys = crate::institution::PURPOSES.map(|purpose| mill.key(purpose));
        let signers: Vec<&SigningKey> = keys.iter().collect();
        parts.says(envelope(payload_type::INSTITUTION_ADMISSION, encode(&admission), &signers), &id);
        parts.links[0].subject_id = mill.id.as_bytes().to_vec();
        let event = parts.events[0].institution_admitted.as_mut().expect("an admission");
        event.institution_id.clone_from(&mill.id);
    })
}

pub(crate) fn no_registrar(stage: &Stage) -> Tale {
    let school = &stage.world.school;
    more(stage, stage.first(v1::EventKind::AccountOpened), |log, parts| {
        let header = stage.header(log, &school.id);
        let id = header.statement_id.clone();
        let opening = v1::AccountOpening {
            header: Some(header),
            assurance: v1::AssuranceLevel::Document.into(),
            identity_commitment: seal_identity(&identity(None)).commitment,
        };
        let key = school.key(KeyPurpose::Registry);
        parts.says(envelope(payload_type::ACCOUNT_OPENING, encode(&opening), &[&key]), &id);
        parts.head.actor_id = school.id.as_bytes().to_vec();
        parts.about_account(&uuid_v7());
    })
}

pub(crate) fn detail_missing(stage: &Stage) -> Tale {
    Tale { export: Export::DetailMissing, ..Tale::honest(stage) }
}

pub(crate) fn old_reinstatement(stage: &Stage) -> Tale {
    more(stage, &stage.honest[stage.reinstated], |_, parts| {
        let change: v1::RecordStatusChange =
            decode(&stage.reinstatement.payload).expect("a change of status");
        let id = change.header.expect("a header").statement_id;
        parts.says(stage.reinstatement.clone(), &id);
    })
}

pub(crate) fn foreign_record(stage: &Stage) -> Tale {
    more(stage, &stage.foreign, |_, _| {})
}

pub(crate) fn hoarded_leaf(stage: &Stage) -> Tale {
    let mut log = stage.honest.clone();
    let manifest_index = stage.manifest as u64;
    let at_us = time_us(&log[stage.manifest]) + NINE_DAYS_US;
    let id = decode::<v1::BatchManifest>(&stage.hoarded.manifest.payload)
        .expect("a manifest")
        .header
        .expect("a header")
        .statement_id;
    append_at(&mut log, &stage.honest[stage.chunk], at_us, |parts| {
        parts.head.command_id = id;
        for (part, leaf) in parts.statements.iter_mut().zip(&stage.hoarded.leaves) {
            let part = part.leaf.as_mut().expect("a leaf");
            (part.manifest_index, part.facts) = (manifest_index, leaf.facts.clone());
        }
        let mut leaves = stage.hoarded.leaves.iter();
        for event in &mut parts.events {
            if let Some(chunk) = &mut event.batch_chunk {
                chunk.manifest_index = manifest_index;
            }
            if let Some(closed) = &mut event.batch_closed {
                closed.manifest_index = manifest_index;
            }
            if let Some(deposited) = &mut event.record_deposited {
                let facts: v1::RecordFacts = decode(&leaves.next().expect("a leaf").facts).expect("facts");
                deposited.record_id = facts.record_id;
            }
        }
    });
    Tale::of(stage, log)
}

/// The report was taken, and its receipt given, and then it was left out.
pub(crate) fn compromise_dropped(stage: &Stage) -> Tale {
    Tale { handed: Some(report(stage).0), ..forked(stage) }
}

/// The report of the stolen key, and the entry that it is in.
fn report(stage: &Stage) -> (v1::Envelope, usize) {
    let last = stage.honest.len() - 1;
    (Parts::of(&stage.honest[last]).envelope().clone(), last)
}

/// Another report, signed and sent, was never written.
pub(crate) fn compromise_ignored(stage: &Stage) -> Tale {
    let (like, _) = report(stage);
    let mut compromise: v1::KeyCompromise = decode(&like.payload).expect("a report");
    let school = &stage.world.school;
    let id = compromise.header.as_ref().expect("a header").signer_id.clone();
    compromise.header = Some(stage.header(&stage.honest, &id));
    compromise.kid = school.key(KeyPurpose::Records).public().kid().to_vec();
    let by = school.key(KeyPurpose::Recovery);
    let handed = Some(envelope(payload_type::KEY_COMPROMISE, encode(&compromise), &[&by]));
    let mut log = stage.honest.clone();
    start(stage, &mut log);
    Tale { handed, ..Tale::of(stage, log) }
}

/// A witness has cosigned an earlier head, and its line stands under a later one.
pub(crate) fn old_cosignature(stage: &Stage) -> Tale {
    let witness = Cosigner::new(WITNESS, SigningKey::from_seed([77; 32])).expect("a witness");
    let earlier = stage.keys.note(&leaves(&stage.honest[..stage.honest.len() - 2]));
    let text = earlier.split_once("\n\n").expect("a note").0.to_owned() + "\n";
    let time_s = u64::try_from(time_us(&stage.honest[stage.honest.len() - 1]) / SECOND_US).expect("a time");
    let line = witness.sign(&text, time_s).expect("a cosignature").line();
    let mut tale = Tale::honest(stage);
    tale.note.push_str(&line);
    let key = witness.verifier().text();
    tale.policy = Some(format!("witness one {key}\ngroup enough any one\nquorum enough\n"));
    tale
}

pub(crate) fn tile_bent(stage: &Stage) -> Tale {
    Tale { tiles: Tiles::TileBent, ..Tale::honest(stage) }
}

pub(crate) fn bundle_bent(stage: &Stage) -> Tale {
    Tale { tiles: Tiles::BundleBent, ..Tale::honest(stage) }
}

/// The head is signed by a key that is not the log's.
pub(crate) fn strange_key(stage: &Stage) -> Tale {
    let mut tale = Tale::honest(stage);
    let key = SigningKey::from_seed([78; 32]);
    let signer = NoteSigner::new(&stage.world.origin, key).expect("a signer");
    let head = stage.world.checkpoint(&tale.note);
    tale.note = credit_log::checkpoint::sign(&head, &signer).expect("a checkpoint");
    tale
}
