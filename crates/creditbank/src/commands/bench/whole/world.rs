//! The ledger that is measured: a real server as a process of its own, issuers, accounts, and what is signed for them.

use super::super::super::connect::{Caller, Connect, client};
use super::super::super::demo::server::Server;
use super::super::super::token::{Bearer, LIFE_MAX_S, issue};
use super::super::super::{Context, signer};
use super::super::unmeasured;
use super::send;
use super::signed::{Batch, Desk, DrawnLeaf, Issuer, batch, below, drawn, on_all_cores};
use super::wire::{Line, Shot, Token, bearer, fire};
use crate::ending::CommandError;
use crate::home::Home;
use crate::sample::Sample;
use credit_client::{AuthoritySigner, institution_token};
use credit_log::batch::record_leaf;
use credit_log::commitment::{IDENTITY_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_log::hash::labelled;
use credit_proto::batch::leaf_payload_type;
use credit_proto::{Leaf as _, Secret as _, payload_type, v1};
use credit_service::clock::Clock;
use credit_types::{
    AccountIdentity, AccountOpening, AccountRef, Accreditation, Anchor, AssuranceLevel, CivilDate, Digest,
    DocumentKind, InstitutionAdmission, InstitutionId, InstitutionKey, InstitutionKind, KeyPurpose, Kid,
    LeafType, RecordKind, Role, SignerId, Text,
};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Where institutions are admitted.
const ADMIT: &str = "/creditbank.v1.RegistryService/AdmitInstitution";
/// Admissions at once.
const ADMITTED_AT_ONCE: usize = 16;
/// Accounts of one batch of openings.
const OPENED_AT_ONCE: u64 = 50_000;
/// Batches that are sent at once.
pub(super) const STREAMS: usize = 4;

/// A ledger and its server.
pub(super) struct World {
    pub(super) root: PathBuf,
    pub(super) server: Server,
    pub(super) desk: Desk,
    pub(super) issuers: Vec<Issuer>,
    pub(super) accounts: Vec<AccountRef>,
    origin: String,
    /// The number of the next record: none is sent twice.
    next: u64,
}

fn key(seed: u64, name: &str) -> SigningKey {
    SigningKey::from_seed(labelled("creditbank/bench/key", &[&seed.to_be_bytes(), name.as_bytes()]))
}

fn public(key: &SigningKey) -> credit_types::PublicKey {
    let public = key.public();
    credit_types::PublicKey { bytes: public.bytes(), kid: Kid(public.kid()) }
}

/// Runs this program to make an empty trial ledger.
fn made(root: &Path) -> Result<(), CommandError> {
    let program = std::env::current_exe().map_err(unmeasured)?;
    let mut command = Command::new(program);
    command.arg("--home").arg(root).args(["init", "--dev"]).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.stderr(Stdio::null()).status().map_err(unmeasured)?;
    if status.success() { Ok(()) } else { Err(unmeasured(anyhow::anyhow!("init ended with {status}"))) }
}

/// What is said of an institution of the benchmark, and its keys by purpose.
fn institution(
    seed: u64,
    id: &str,
    role: Role,
    purposes: &[KeyPurpose],
) -> Result<(InstitutionAdmission, Vec<SigningKey>), CommandError> {
    let own: Vec<SigningKey> =
        purposes.iter().map(|purpose| key(seed, &format!("{id} {purpose:?}"))).collect();
    let mut keys: Vec<InstitutionKey> = own
        .iter()
        .zip(purposes)
        .map(|(key, purpose)| InstitutionKey { key: public(key), purposes: BTreeSet::from([*purpose]) })
        .collect();
    keys.sort_unstable_by_key(|key| key.key.bytes);
    let accreditation = Accreditation {
        accreditation_no: "A-1".to_owned(),
        authority: "Commission".to_owned(),
        kinds: BTreeSet::from([RecordKind::FormalCourse]),
        levels: Vec::new(),
        subject_prefixes: BTreeSet::new(),
        occupation_prefixes: BTreeSet::new(),
        valid_from: CivilDate::new(2020, 1, 1).map_err(unmeasured)?,
        valid_to: None,
    };
    let admission = InstitutionAdmission {
        institution_id: InstitutionId::new(id).map_err(unmeasured)?,
        kind: InstitutionKind::University,
        roles: BTreeSet::from([role]),
        district_code: "500000".to_owned(),
        parent_id: None,
        name: Text { zh: String::new(), en: "Institution".to_owned() },
        usci: String::new(),
        accreditations: vec![accreditation],
        keys,
        default_validity_years: 5,
    };
    Ok((admission, own))
}

impl World {
    /// Makes a ledger in a folder, starts its server, admits issuers and opens accounts.
    pub(super) async fn make(
        context: &mut Context,
        root: &Path,
        seed: u64,
        issuers: u64,
        accounts: u64,
    ) -> Result<Self, CommandError> {
        made(root)?;
        context.home = Home::new(root);
        let server = Server::start(root)?;
        let connect = Connect { url: server.url.clone(), trust: None };
        let authority = signer::authority(context, &[])?;
        let client = client(context, &connect, Caller::Anybody)?;
        for framework in &Sample::load().map_err(unmeasured)?.frameworks {
            client.publish_framework(&authority, framework).await?;
        }
        let trust = client.trust();
        let desk = Desk { seed, log_id: trust.log_id, anchor: client.anchor().await? };
        let origin = trust.origin.clone();
        let (issuers, accounts_wanted) = (0..issuers, accounts);
        let mut world = Self {
            root: root.to_owned(),
            server,
            desk,
            issuers: Vec::new(),
            accounts: Vec::new(),
            origin,
            next: 0,
        };
        let registrar = world.found(&authority, issuers).await?;
        world.open(&registrar, accounts_wanted).await?;
        Ok(world)
    }

    /// Admits a registrar and issuers; gives the registrar.
    async fn found(
        &mut self,
        authority: &AuthoritySigner,
        issuers: std::ops::Range<u64>,
    ) -> Result<Issuer, CommandError> {
        let seed = self.desk.seed;
        let rest = [KeyPurpose::Tokens, KeyPurpose::Keys, KeyPurpose::Recovery];
        let purposes = |first: KeyPurpose| [&[first], rest.as_slice()].concat();
        let mut wanted =
            vec![institution(seed, "cn.bench.centre", Role::Registrar, &purposes(KeyPurpose::Registry))?];
        for number in issuers {
            let id = format!("cn.bench.issuer-{number}");
            wanted.push(institution(seed, &id, Role::Issuer, &purposes(KeyPurpose::Records))?);
        }
        let mut shots = Vec::new();
        for (number, (admission, keys)) in (0u64..).zip(&wanted) {
            let header = self.desk.header(SignerId::Authority, "creditbank/bench/admission", number);
            let possession: Vec<&SigningKey> = keys.iter().collect();
            let envelope = authority.sign(&header, admission, &possession).map_err(unmeasured)?;
            let request =
                v1::AdmitInstitutionRequest { envelope: Some((&envelope).into()), want_receipt: false };
            shots.push(Shot { path: ADMIT, token: None, message: request.encode_to_vec().into() });
        }
        let lines = Line::several(&self.server.url, ADMITTED_AT_ONCE).await?;
        fire(&lines, ADMITTED_AT_ONCE, &Arc::new(shots)).await?;
        let mut all = wanted.into_iter().filter_map(|(admission, keys)| {
            let mut keys = keys.into_iter();
            let (records, tokens) = (keys.next()?, keys.next()?);
            Some(Issuer { id: admission.institution_id, records, tokens })
        });
        let registrar = all.next().ok_or_else(|| unmeasured(anyhow::anyhow!("there is no registrar")))?;
        self.issuers = all.collect();
        Ok(registrar)
    }

    /// Opens accounts in signed batches.
    async fn open(&mut self, registrar: &Issuer, accounts: u64) -> Result<(), CommandError> {
        let numbers: Vec<u64> = (0..accounts).collect();
        let step = usize::try_from(OPENED_AT_ONCE).unwrap_or(usize::MAX);
        let seed = self.desk.seed;
        for some in numbers.chunks(step) {
            let leaf = |number: &u64| {
                let identity = AccountIdentity {
                    name: format!("learner {number}"),
                    document_kind: Some(DocumentKind::Passport),
                    document_country: "CHN".to_owned(),
                    document_number: format!("E{number:08}"),
                    ..AccountIdentity::default()
                };
                let (salt, secret) = (drawn(seed, "creditbank/bench/identity", *number), identity.payload());
                let commitment = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &secret);
                let opening = AccountOpening {
                    assurance: AssuranceLevel::Document,
                    identity_commitment: Digest(commitment),
                };
                Ok(DrawnLeaf { payload: opening.leaf_payload(), salt, secret })
            };
            let mut leaves = on_all_cores(some, leaf)?;
            let kind = leaf_payload_type(LeafType::Opening);
            leaves.sort_by_cached_key(|leaf| record_leaf(kind, &leaf.payload));
            let signer = SignerId::Institution(registrar.id.clone());
            let first = some.first().copied().unwrap_or(0);
            let header = self.desk.header(signer, "creditbank/bench/openings", first);
            let batch =
                batch(&header, LeafType::Opening, leaves, &registrar.records, self.token(registrar)?)?;
            let (sent, _) = send::batches(&self.server.url, 1, vec![batch]).await?;
            self.accounts.extend(sent.opened);
        }
        Ok(())
    }

    /// A token of an institution: it lives for minutes, so it is made for each measurement.
    pub(super) fn token(&self, issuer: &Issuer) -> Result<Token, CommandError> {
        let now = Duration::from_micros(u64::try_from(Clock::default().now_us()).unwrap_or(0));
        bearer(&institution_token(&issuer.id, &issuer.tokens, &self.origin, now))
    }

    /// A token of each issuer.
    pub(super) fn tokens(&self) -> Result<BTreeMap<InstitutionId, Token>, CommandError> {
        let token = |issuer: &Issuer| Ok((issuer.id.clone(), self.token(issuer)?));
        on_all_cores(&self.issuers, token).map(|tokens| tokens.into_iter().collect())
    }

    /// A token of an auditor.
    pub(super) fn auditor(&self, context: &mut Context) -> Result<Token, CommandError> {
        context.home = Home::new(&self.root);
        bearer(&issue(context, &self.origin, &Bearer::Auditor, LIFE_MAX_S)?)
    }

    /// The newest head of the log, which all that is signed from now on is anchored on.
    pub(super) async fn look(&mut self, context: &mut Context) -> Result<Anchor, CommandError> {
        context.home = Home::new(&self.root);
        let connect = Connect { url: self.server.url.clone(), trust: None };
        let client = client(context, &connect, Caller::Anybody)?;
        let head = client.head().await?;
        let anchor = Anchor { size: head.size, root: head.root };
        self.desk.anchor = anchor;
        Ok(anchor)
    }

    /// Numbers of records that were not sent yet.
    pub(super) fn numbers(&mut self, count: u64) -> std::ops::Range<u64> {
        let first = self.next;
        self.next = first.saturating_add(count);
        first..self.next
    }

    /// The account of a place, going round.
    pub(super) fn account(&self, place: u64) -> AccountRef {
        let count = u64::try_from(self.accounts.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(place.checked_rem(count).unwrap_or(0)).unwrap_or(0);
        self.accounts.get(place).copied().unwrap_or(AccountRef([0; 16]))
    }

    /// The issuer of a place, going round.
    pub(super) fn issuer(&self, place: u64) -> Result<&Issuer, CommandError> {
        let count = u64::try_from(self.issuers.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(place.checked_rem(count).unwrap_or(0)).unwrap_or(0);
        self.issuers.get(place).ok_or_else(|| unmeasured(anyhow::anyhow!("there are no issuers")))
    }

    /// Batches of a semester: ten records a learner, each batch of an issuer and of learners of its own.
    pub(super) fn semester(&mut self, records: u64, batches: u64) -> Result<Vec<Batch>, CommandError> {
        let numbers = self.numbers(records);
        let share = records.div_ceil(batches.max(1)).max(1);
        let mut parts = Vec::new();
        let mut from = numbers.start;
        while from < numbers.end {
            let to = from.saturating_add(share).min(numbers.end);
            parts.push(from..to);
            from = to;
        }
        let world = &*self;
        on_all_cores(&parts, |part| {
            let issuer = world.issuer(part.start.checked_div(share).unwrap_or(0))?;
            let records = part.clone().map(|number| (number, world.account(number / 10)));
            world.desk.batch(issuer, world.token(issuer)?, records)
        })
    }

    /// An issuer for a record by Zipf's law: the second has half the records of the first, the third a third.
    pub(super) fn zipf(&self, cumulative: &[u64], number: u64) -> u64 {
        let total = cumulative.last().copied().unwrap_or(1);
        let drawn = below(self.desk.seed, "creditbank/bench/zipf", number, total);
        let place = cumulative.partition_point(|sum| *sum <= drawn);
        u64::try_from(place).unwrap_or(0)
    }

    /// The sums of the weights of the issuers by Zipf's law.
    pub(super) fn zipf_weights(&self) -> Vec<u64> {
        let mut sum = 0u64;
        let weights =
            (1u64..).take(self.issuers.len()).map(|rank| 1_000_000u64.checked_div(rank).unwrap_or(0));
        weights
            .map(|weight| {
                sum = sum.saturating_add(weight);
                sum
            })
            .collect()
    }

    /// Stops the server.
    pub(super) fn stop(self) -> Result<(), CommandError> {
        self.server.stop()
    }
}
