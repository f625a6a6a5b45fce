//! A city for measuring: an authority, a framework, many issuers with keys of their own, accounts, and records each of
//! which its issuer signs by itself. Everything follows from the seed.

use super::super::unmeasured;
use super::log::{Log, Said, put};
use crate::ending::CommandError;
use credit_log::Hash;
use credit_log::checkpoint::{Checkpoint, sign};
use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::hash::labelled;
use credit_log::note::NoteSigner;
use credit_proto::entry::StatementPart;
use credit_proto::{
    BankSigned as _, Envelope, Secret as _, Signable, Statement, encode_manifest, payload_type,
};
use credit_types::genesis::PROTOCOL;
use credit_types::{
    AccountIdentity, AccountOpening, AccountRef, Accreditation, AliasAsserted, AliasKind, Amount, Anchor,
    AssuranceLevel, Bucket, CivilDate, CommandId, CreditScheme, Credits, Digest, Epoch, Event, FileManifest,
    FileManifestKind, FrameworkId, FrameworkPublication, Genesis, Header, InstitutionAdmission,
    InstitutionId, InstitutionKey, InstitutionKind, KeyPurpose, Kid, LogId, Policy, Posting, RecordDetails,
    RecordFacts, RecordId, RecordKind, Role, SchemeId, SchemeKind, ServerStart, Signed, SignerId, Text,
};
use credit_verify::{EXPORT_CHECKPOINT, EXPORT_MANIFEST, OpenedDetails, SecretPart, Trust};
use std::collections::BTreeSet;
use std::path::Path;

/// The log's name.
const ORIGIN: &str = "dev.bench.example/log";
/// The institution that opens accounts.
const CENTRE: &str = "cn.bench.centre";
/// Records for each account.
const RECORDS_PER_ACCOUNT: u64 = 10;
/// Records for each issuer, up to so many issuers.
const RECORDS_PER_ISSUER: u64 = 100;
/// The most issuers.
const ISSUERS_MAX: u64 = 2_000;
/// Records signed at once: their anchor is the head before them.
const BLOCK: u64 = 4_096;

fn drawn(seed: u64, label: &str, number: u64) -> Hash {
    labelled(label, &[&seed.to_be_bytes(), &number.to_be_bytes()])
}

fn key(seed: u64, name: &str) -> SigningKey {
    SigningKey::from_seed(labelled("creditbank/bench/key", &[&seed.to_be_bytes(), name.as_bytes()]))
}

fn public(key: &SigningKey) -> credit_types::PublicKey {
    let public = key.public();
    credit_types::PublicKey { bytes: public.bytes(), kid: Kid(public.kid()) }
}

/// Sixteen bytes in the form of a UUIDv7.
fn uuid(seed: u64, label: &str, number: u64) -> [u8; 16] {
    let drawn = drawn(seed, label, number);
    let mut id: [u8; 16] = drawn.first_chunk().copied().unwrap_or_default();
    for (at, (keep, set)) in [(6, (0x0f, 0x70)), (8, (0x3f, 0x80))] {
        if let Some(byte) = id.get_mut(at) {
            *byte = (*byte & keep) | set;
        }
    }
    id
}

/// Admits a public key, for decoding: its kid, or nothing.
pub(super) fn admit(key: &[u8; 32]) -> Option<Hash> {
    PublicKey::admit(key).ok().map(|key| key.kid())
}

/// The keys that a statement names.
pub(super) fn named_keys(statement: &Statement) -> Vec<credit_types::PublicKey> {
    let mut keys = statement.brought_keys();
    if let Statement::Genesis(_, genesis) = statement {
        keys.extend(&genesis.operator_keys);
    }
    keys
}

fn genesis(seed: u64) -> Genesis {
    let named = |name: &str| vec![public(&key(seed, name))];
    Genesis {
        nonce: drawn(seed, "creditbank/bench/nonce", 0),
        protocol: PROTOCOL,
        origin: ORIGIN.to_owned(),
        checkpoint_keys: named("checkpoint"),
        statement_keys: named("statement"),
        operator_keys: named("operator"),
        authority_keys: named("authority"),
        authority_threshold: 1,
        witness_policy_hash: None,
        registry_log: None,
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: 0,
            quorum: 0,
            appeal_days: 15,
            lapse_days: 60,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: None,
    }
}

/// What a verifier pins of the log.
pub(super) fn trust(seed: u64, log_id: LogId) -> Result<Trust, CommandError> {
    Trust::of_genesis(log_id, &genesis(seed)).map_err(unmeasured)
}

/// The id of the log of an export.
pub(super) fn log_id(export: &Path) -> Result<LogId, CommandError> {
    let bytes = std::fs::read(export.join("entries/000000000000")).map_err(unmeasured)?;
    let (entry, _) = credit_verify::read_entry(&bytes).map_err(unmeasured)?;
    Ok(LogId(credit_log::hash::leaf_hash(&entry.core)))
}

/// Who signs what, once the log has begun.
struct City {
    seed: u64,
    log: Log,
    log_id: Option<LogId>,
    commands: u64,
}

/// An issuer with the key that signs its records.
struct Issuer {
    id: InstitutionId,
    key: SigningKey,
    kid: Kid,
}

fn text(en: &str) -> Text {
    Text { zh: String::new(), en: en.to_owned() }
}

fn institution(id: &str) -> Result<InstitutionId, CommandError> {
    InstitutionId::new(id).map_err(unmeasured)
}

fn day(year: i32, month: i32, day: i32) -> Result<CivilDate, CommandError> {
    CivilDate::new(year, month, day).map_err(unmeasured)
}

/// Signs a statement.
fn signed<B: Signable + Clone>(header: Header, body: B, keys: &[&SigningKey]) -> (Signed<B>, StatementPart) {
    let payload = body.payload(Some(&header));
    let mut signatures: Vec<(Kid, [u8; 64])> =
        keys.iter().map(|key| (Kid(key.public().kid()), key.sign_statement(B::TYPE, &payload))).collect();
    signatures.sort_unstable();
    let signers = signatures.iter().map(|(kid, _)| *kid).collect();
    let envelope = Envelope { payload_type: B::TYPE.to_owned(), payload, signatures };
    (Signed { header, body, signers }, StatementPart::Signed(envelope))
}

/// Makes the export of a log of so many records.
pub(super) fn make(export: &Path, seed: u64, records: u64) -> Result<(), CommandError> {
    let mut city = City { seed, log: Log::new(export, seed)?, log_id: None, commands: 0 };
    city.begin()?;
    let issuers_count = records.div_ceil(RECORDS_PER_ISSUER).clamp(1, ISSUERS_MAX);
    let issuers: Vec<Issuer> = (0..issuers_count).map(|n| city.issuer(n)).collect::<Result<_, _>>()?;
    let registry = city.centre()?;
    let accounts: Vec<AccountRef> = (0..records.div_ceil(RECORDS_PER_ACCOUNT))
        .map(|number| city.open(&registry, number))
        .collect::<Result<_, _>>()?;
    let mut next = 0u64;
    while next < records {
        let end = records.min(next.saturating_add(BLOCK));
        for said in city.block(next..end, &issuers, &accounts)? {
            city.log.append(said)?;
        }
        next = end;
    }
    city.finish(export)
}

impl City {
    fn header(&mut self, signer: SignerId) -> Header {
        self.commands = self.commands.saturating_add(1);
        let statement_id = CommandId(uuid(self.seed, "creditbank/bench/command", self.commands));
        let anchor = self.log_id.map(|_| self.log.anchor());
        Header { log_id: self.log_id, statement_id, signer, anchor }
    }

    /// Signs, and records what is said to have happened.
    fn act<B: Signable + Clone>(
        &mut self,
        signer: SignerId,
        body: B,
        keys: &[&SigningKey],
        secrets: Vec<SecretPart>,
        event: impl FnOnce(Signed<B>) -> Event,
    ) -> Result<(), CommandError> {
        let header = self.header(signer.clone());
        let command_id = header.statement_id;
        let (statement, part) = signed(header, body, keys);
        let events = vec![event(statement)];
        self.log.append(Said { actor: signer, command_id, statement: part, events, secrets })
    }

    fn begin(&mut self) -> Result<(), CommandError> {
        let (authority, operator) = (key(self.seed, "authority"), key(self.seed, "operator"));
        let begun = |statement| Event::LedgerCreated(Box::new(statement));
        self.act(SignerId::Authority, genesis(self.seed), &[&authority], Vec::new(), begun)?;
        self.log_id = Some(LogId(self.log.first_leaf()));
        let start = ServerStart { epoch: Epoch([1; 16]), software: "bench 1".to_owned(), protocol: PROTOCOL };
        self.act(SignerId::Operator, start, &[&operator], Vec::new(), Event::ServerStarted)?;
        let framework = FrameworkPublication {
            framework_id: FrameworkId::new("cn.nqf").map_err(unmeasured)?,
            version: 1,
            title: text("Framework"),
            schemes: vec![CreditScheme {
                scheme_id: SchemeId::new("CN_XF").map_err(unmeasured)?,
                kind: SchemeKind::Credit,
                step_milli: 500,
                notional_minutes: 0,
                label: text("credit"),
            }],
            levels: None,
        };
        let published = |statement| Event::FrameworkPublished(Box::new(statement));
        self.act(SignerId::Authority, framework, &[&authority], Vec::new(), published)
    }

    /// Admits an institution with a key for each of these purposes.
    fn admit(
        &mut self,
        id: &str,
        role: Role,
        purposes: &[KeyPurpose],
    ) -> Result<Vec<SigningKey>, CommandError> {
        let own: Vec<SigningKey> =
            purposes.iter().map(|purpose| key(self.seed, &format!("{id} {purpose:?}"))).collect();
        let mut keys: Vec<InstitutionKey> = own
            .iter()
            .zip(purposes)
            .map(|(key, purpose)| InstitutionKey { key: public(key), purposes: BTreeSet::from([*purpose]) })
            .collect();
        keys.sort_unstable_by_key(|key| key.key.bytes);
        let body = InstitutionAdmission {
            institution_id: institution(id)?,
            kind: InstitutionKind::University,
            roles: BTreeSet::from([role]),
            district_code: "500000".to_owned(),
            parent_id: None,
            name: text("Institution"),
            usci: String::new(),
            accreditations: vec![Accreditation {
                accreditation_no: "A-1".to_owned(),
                authority: "Commission".to_owned(),
                kinds: BTreeSet::from([RecordKind::FormalCourse]),
                levels: Vec::new(),
                subject_prefixes: BTreeSet::new(),
                occupation_prefixes: BTreeSet::new(),
                valid_from: day(2020, 1, 1)?,
                valid_to: None,
            }],
            keys,
            default_validity_years: 5,
        };
        let authority = key(self.seed, "authority");
        let signers: Vec<&SigningKey> = std::iter::once(&authority).chain(&own).collect();
        let admitted = |statement| Event::InstitutionAdmitted(Box::new(statement));
        self.act(SignerId::Authority, body, &signers, Vec::new(), admitted)?;
        Ok(own)
    }

    fn issuer(&mut self, number: u64) -> Result<Issuer, CommandError> {
        let id = format!("cn.bench.issuer-{number}");
        let purposes = [KeyPurpose::Records, KeyPurpose::Keys, KeyPurpose::Recovery];
        let key = self.admit(&id, Role::Issuer, &purposes)?.swap_remove(0);
        let kid = Kid(key.public().kid());
        Ok(Issuer { id: institution(&id)?, key, kid })
    }

    fn centre(&mut self) -> Result<SigningKey, CommandError> {
        let purposes = [KeyPurpose::Registry, KeyPurpose::Keys, KeyPurpose::Recovery];
        Ok(self.admit(CENTRE, Role::Registrar, &purposes)?.swap_remove(0))
    }

    fn open(&mut self, registry: &SigningKey, number: u64) -> Result<AccountRef, CommandError> {
        let account = drawn(self.seed, "creditbank/bench/account", number);
        let account_ref = AccountRef(account.first_chunk().copied().unwrap_or_default());
        let identity = AccountIdentity { name: format!("learner {number}"), ..AccountIdentity::default() };
        let (salt, payload) = (drawn(self.seed, "creditbank/bench/salt-i", number), identity.payload());
        let commitment = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &payload);
        let opening =
            AccountOpening { assurance: AssuranceLevel::Document, identity_commitment: Digest(commitment) };
        let secret = SecretPart {
            payload_type: payload_type::ACCOUNT_IDENTITY.to_owned(),
            opened: OpenedDetails { salt, payload },
        };
        let registrar = institution(CENTRE)?;
        let kid = Kid(registry.public().kid());
        let kinds = [AliasKind::AccountNumber, AliasKind::Document];
        let aliases = kinds.map(|kind| AliasAsserted { kind, pepper_version: 1 }).to_vec();
        let signer = SignerId::Institution(registrar.clone());
        self.act(signer, opening, &[registry], vec![secret], |statement| Event::AccountOpened {
            account_ref,
            opening: statement.body,
            registrar,
            kid,
            manifest_index: None,
            aliases,
        })?;
        Ok(account_ref)
    }

    /// Signs a block of records on all cores.
    fn block(
        &self,
        numbers: std::ops::Range<u64>,
        issuers: &[Issuer],
        accounts: &[AccountRef],
    ) -> Result<Vec<Said>, CommandError> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let numbers: Vec<u64> = numbers.collect();
        let share = numbers.len().div_ceil(threads).max(1);
        let (seed, log_id, anchor) = (self.seed, self.log_id, self.log.anchor());
        std::thread::scope(|scope| {
            let parts: Vec<_> = numbers
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        let one = |number: &u64| {
                            let issuer = issuers.get(picked(*number, issuers.len()));
                            let account = accounts.get(picked(number.wrapping_mul(7_919), accounts.len()));
                            let (Some(issuer), Some(account)) = (issuer, account) else {
                                return Err(unmeasured(anyhow::anyhow!("a city has issuers and accounts")));
                            };
                            record(seed, *number, log_id, anchor, issuer, *account)
                        };
                        part.iter().map(one).collect::<Result<Vec<_>, CommandError>>()
                    })
                })
                .collect();
            let mut all = Vec::new();
            for part in parts {
                all.extend(part.join().map_err(|_| unmeasured(anyhow::anyhow!("a thread broke off")))??);
            }
            Ok(all)
        })
    }

    /// Signs the head and the list of files.
    fn finish(self, export: &Path) -> Result<(), CommandError> {
        let Self { seed, log, log_id, commands: _ } = self;
        let Anchor { size, root } = log.anchor();
        let signer = NoteSigner::new(ORIGIN, key(seed, "checkpoint")).map_err(unmeasured)?;
        let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: root.0 };
        let note = sign(&head, &signer).map_err(unmeasured)?;
        let files = log.finish(EXPORT_CHECKPOINT, note.as_bytes())?;
        let log_id = log_id.unwrap_or(LogId([0; 32]));
        let manifest = FileManifest { log_id, kind: FileManifestKind::Export, size, root, files };
        let (payload, statement) = (manifest.payload(), key(seed, "statement"));
        let signature =
            (Kid(statement.public().kid()), statement.sign_statement(FileManifest::TYPE, &payload));
        let envelope =
            Envelope { payload_type: FileManifest::TYPE.to_owned(), payload, signatures: vec![signature] };
        put(export, EXPORT_MANIFEST, &encode_manifest(&envelope)).map(drop)
    }
}

/// One of so many, the same for the same number.
fn picked(number: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    usize::try_from(number.checked_rem(count).unwrap_or(0)).unwrap_or(0)
}

/// A record, signed by its issuer alone.
fn record(
    seed: u64,
    number: u64,
    log_id: Option<LogId>,
    anchor: Anchor,
    issuer: &Issuer,
    account_ref: AccountRef,
) -> Result<Said, CommandError> {
    let record_id = RecordId(uuid(seed, "creditbank/bench/record", number));
    let details = RecordDetails {
        catalogue_ref: "LA-101@1".to_owned(),
        title: text("Linear algebra for engineers"),
        start_on: Some(day(2026, 2, 20)?),
        end_on: Some(day(2026, 6, 20)?),
        certificate_no: record_id.to_string(),
        ..RecordDetails::default()
    };
    let (salt, payload) = (drawn(seed, "creditbank/bench/salt-d", number), details.payload());
    let commitment = commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &payload);
    let amount = Amount {
        scheme: SchemeId::new("CN_XF").map_err(unmeasured)?,
        credits: Credits::from_milli(3_000).map_err(unmeasured)?,
    };
    let facts = RecordFacts {
        record_id,
        account_ref,
        kind: RecordKind::FormalCourse,
        amount: Some(amount.clone()),
        minutes: None,
        level: None,
        subject_code: "0701".to_owned(),
        occupation_code: String::new(),
        awarded_on: day(2026, 7, 1)?,
        valid_until: None,
        details_commitment: Digest(commitment),
        credit_eligible: true,
    };
    let signer = SignerId::Institution(issuer.id.clone());
    let command_id = CommandId(uuid(seed, "creditbank/bench/deposit", number));
    let header = Header { log_id, statement_id: command_id, signer: signer.clone(), anchor: Some(anchor) };
    let (statement, part) = signed(header, facts, &[&issuer.key]);
    let event = Event::RecordDeposited {
        facts: Box::new(statement.body),
        issuer: issuer.id.clone(),
        kid: issuer.kid,
        manifest_index: None,
        supersedes: None,
        fingerprint_version: 1,
        postings: vec![Posting { from: Bucket::Issued, to: Bucket::Available, amount }],
    };
    let secret = SecretPart {
        payload_type: payload_type::RECORD_DETAILS.to_owned(),
        opened: OpenedDetails { salt, payload },
    };
    Ok(Said { actor: signer, command_id, statement: part, events: vec![event], secrets: vec![secret] })
}
