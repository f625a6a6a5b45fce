//! A ledger with institutions in it, and raw calls to it: stubs and messages, no client of ours in between.

use crate::bank::Bank;
use crate::institution::{Institution, framework, jwt, now_s};
use crate::statement::{Draft, envelope, identity, seal_identity, uuid_v7};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::hash::leaf_hash;
use credit_log::note::VerifierKey;
use credit_log::receipt::TlogProof;
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};
use credit_rpc::v1::account_service_client::AccountServiceClient;
use credit_rpc::v1::log_service_client::LogServiceClient;
use credit_rpc::v1::record_service_client::RecordServiceClient;
use credit_rpc::v1::registry_service_client::RegistryServiceClient;
use prost::Message;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

/// The longest that one call may take.
const CALL: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);
/// The `iss` of the tokens of a trial ledger's issuer.
pub(crate) const DEV_ISSUER: &str = "dev-issuer";
/// The domain of every reason.
const DOMAIN: &str = "creditbank.v1";

/// A ledger that runs, with a framework and an institution of each kind.
pub(crate) struct World {
    /// The ledger.
    pub(crate) bank: Bank,
    /// Its origin.
    pub(crate) origin: String,
    /// Its name: 32 bytes.
    pub(crate) log_id: Vec<u8>,
    /// The keys of its checkpoints.
    pub(crate) checkpoint_keys: Vec<VerifierKey>,
    /// The keys of its balance statements.
    pub(crate) statement_keys: Vec<PublicKey>,
    /// Opens accounts.
    pub(crate) registrar: Institution,
    /// Suspends and revokes by order.
    pub(crate) regulator: Institution,
    /// Deposits any record.
    pub(crate) school: Institution,
}

impl World {
    /// Makes and starts one, in a thread of its own so that it can be called from anywhere.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::over(Bank::start(settings))
    }

    /// Furnishes a ledger that runs and holds nothing yet.
    pub(crate) fn over(bank: Bank) -> Self {
        let trust = toml_of(&bank.home().join("trust.toml"));
        let texts = |name: &str| -> Vec<String> {
            trust[name]
                .as_array()
                .expect("a list")
                .iter()
                .map(|text| text.as_str().expect("a text").to_owned())
                .collect()
        };
        let statement_key = |text: &String| {
            let encoded = text.split_once(' ').expect("kid and key").1;
            PublicKey::admit(&bytes32(encoded)).expect("a key")
        };
        let world = Self {
            origin: trust["origin"].as_str().expect("an origin").to_owned(),
            log_id: unhex(trust["log_id"].as_str().expect("a log_id")),
            checkpoint_keys: texts("checkpoint_keys")
                .iter()
                .map(|t| VerifierKey::parse(t).expect("a vkey"))
                .collect(),
            statement_keys: texts("statement_keys").iter().map(statement_key).collect(),
            bank,
            registrar: Institution::registrar(),
            regulator: Institution::regulator(),
            school: Institution::school(),
        };
        in_runtime(async {
            let session = Session::new(&world).await;
            session.publish(framework()).await;
            for institution in [&world.registrar, &world.regulator, &world.school] {
                session.admit(institution).await;
            }
        });
        world
    }

    /// Two authority keys: as many as a trial ledger asks for.
    pub(crate) fn authority(&self) -> Vec<SigningKey> {
        ["01.key", "02.key"]
            .iter()
            .map(|name| key_of(&self.bank.home().join("authority").join(name)))
            .collect()
    }

    /// The key that signs tokens of learners and auditors.
    pub(crate) fn issuer_key(&self) -> SigningKey {
        key_of(&self.bank.home().join("issuer.key"))
    }

    /// The claims of a token of the issuer for ten minutes.
    pub(crate) fn issued(&self, role: &str) -> Value {
        let now = now_s();
        json!({ "iss": DEV_ISSUER, "aud": self.origin, "sub": role, "role": role, "iat": now, "exp": now + 600 })
    }

    /// A learner's token.
    pub(crate) fn learner_token(&self, account_ref: &[u8]) -> String {
        let mut claims = self.issued("learner");
        claims["account_ref"] = json!(hex(account_ref));
        jwt(&self.issuer_key(), &claims)
    }

    /// An auditor's token.
    pub(crate) fn auditor_token(&self) -> String {
        jwt(&self.issuer_key(), &self.issued("auditor"))
    }

    /// A checkpoint that is signed by this log's key.
    pub(crate) fn checkpoint(&self, note: &str) -> Checkpoint {
        checkpoint::open(note, &self.checkpoint_keys, &self.origin).expect("a checkpoint of this log")
    }

    /// Checks that a receipt proves its entry, and gives index and leaf hash.
    pub(crate) fn proved(&self, receipt: &v1::Receipt) -> (u64, Vec<u8>) {
        let proof = TlogProof::parse(&receipt.tlog_proof).expect("a receipt");
        let leaf = leaf_hash(&receipt.core);
        proof.verify(&leaf, &self.checkpoint_keys, &self.origin).expect("a proof");
        assert_eq!(receipt.witness_state, i32::from(v1::WitnessState::Unwitnessed));
        (proof.index, leaf.to_vec())
    }
}

/// Runs a future to its end in a thread and runtime of its own.
pub(crate) fn in_runtime<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(work)
        });
        thread.join().expect("the work ends well")
    })
}

/// Puts a token into every call.
#[derive(Clone)]
pub(crate) struct Bearer(Vec<(&'static str, String)>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (name, value) in &self.0 {
            let value = MetadataValue::try_from(value.as_str()).expect("printable metadata");
            request.metadata_mut().insert(*name, value);
        }
        Ok(request)
    }
}

/// A channel that puts a token into every call.
pub(crate) type Gated = InterceptedService<Channel, Bearer>;

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    headers: Vec<(&'static str, String)>,
}

impl Caller {
    /// Stubs over this caller's channel.
    pub(crate) fn gated<C>(&self, make: impl FnOnce(Channel, Bearer) -> C) -> C {
        make(self.channel.clone(), Bearer(self.headers.clone()))
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &'static str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.push((name, value.to_owned()));
        caller
    }

    /// The stubs of the account service.
    pub(crate) fn accounts(&self) -> AccountServiceClient<Gated> {
        self.gated(AccountServiceClient::with_interceptor)
    }

    /// The stubs of the record service.
    pub(crate) fn records(&self) -> RecordServiceClient<Gated> {
        self.gated(RecordServiceClient::with_interceptor)
    }

    /// The stubs of the registry service.
    pub(crate) fn registry(&self) -> RegistryServiceClient<Gated> {
        self.gated(RegistryServiceClient::with_interceptor)
    }

    /// The stubs of the log service.
    pub(crate) fn log(&self) -> LogServiceClient<Gated> {
        self.gated(LogServiceClient::with_interceptor)
    }
}

/// An account as its opening told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its id: 16 bytes.
    pub(crate) account_ref: Vec<u8>,
    /// The number that the learner knows.
    pub(crate) number: String,
}

/// One connection to a world.
pub(crate) struct Session<'w> {
    /// The world.
    pub(crate) world: &'w World,
    channel: Channel,
}

impl<'w> Session<'w> {
    /// Connects.
    pub(crate) async fn new(world: &'w World) -> Self {
        let endpoint = Endpoint::from_shared(world.bank.endpoint()).expect("an address").timeout(CALL);
        let channel = endpoint.connect().await.expect("the server takes connections");
        Self { world, channel }
    }

    /// The connection itself.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Somebody with a token, right or wrong.
    pub(crate) fn bearer(&self, token: &str) -> Caller {
        self.anyone().header("authorization", &format!("Bearer {token}"))
    }

    /// Nobody in particular.
    pub(crate) fn anyone(&self) -> Caller {
        Caller { channel: self.channel(), headers: Vec::new() }
    }

    /// An institution.
    pub(crate) fn of(&self, institution: &Institution) -> Caller {
        self.bearer(&institution.token(&self.world.origin))
    }

    /// The learner of an account.
    pub(crate) fn learner(&self, account_ref: &[u8]) -> Caller {
        self.bearer(&self.world.learner_token(account_ref))
    }

    /// An auditor.
    pub(crate) fn auditor(&self) -> Caller {
        self.bearer(&self.world.auditor_token())
    }

    /// The newest head, its signature verified.
    pub(crate) async fn head(&self) -> Checkpoint {
        let answer =
            self.anyone().log().get_checkpoint(v1::GetCheckpointRequest {}).await.expect("a checkpoint");
        let answer = answer.into_inner();
        assert_eq!(answer.log_id, self.world.log_id);
        self.world.checkpoint(&answer.checkpoint)
    }

    /// The count of entries under the newest head.
    pub(crate) async fn size(&self) -> u64 {
        self.head().await.size
    }

    /// A header of a new statement that rests on the newest head.
    pub(crate) async fn header(&self, signer: &str) -> v1::StatementHeader {
        let head = self.head().await;
        v1::StatementHeader {
            log_id: self.world.log_id.clone(),
            statement_id: uuid_v7().to_vec(),
            signer_id: signer.to_owned(),
            anchor: Some(v1::Anchor { size: head.size, root: head.root.to_vec() }),
        }
    }

    /// Publishes a framework.
    pub(crate) async fn publish(&self, framework: v1::FrameworkPublication) -> v1::Position {
        let header = Some(self.header("authority").await);
        let payload = v1::FrameworkPublication { header, ..framework }.encode_to_vec();
        let keys = self.world.authority();
        let signed = envelope(payload_type::FRAMEWORK_PUBLICATION, payload, &keys.iter().collect::<Vec<_>>());
        let request = v1::PublishFrameworkRequest { envelope: Some(signed), want_receipt: true };
        let answer =
            self.anyone().registry().publish_framework(request).await.expect("a framework is published");
        answer.into_inner().position.expect("a position")
    }

    /// The call that admits an institution.
    pub(crate) async fn admission(&self, institution: &Institution) -> v1::AdmitInstitutionRequest {
        let header = Some(self.header("authority").await);
        let payload = v1::InstitutionAdmission { header, ..institution.admission() }.encode_to_vec();
        let mut keys = self.world.authority();
        keys.extend(crate::institution::PURPOSES.map(|purpose| institution.key(purpose)));
        let signed = envelope(payload_type::INSTITUTION_ADMISSION, payload, &keys.iter().collect::<Vec<_>>());
        v1::AdmitInstitutionRequest { envelope: Some(signed), want_receipt: true }
    }

    /// Admits an institution.
    pub(crate) async fn admit(&self, institution: &Institution) -> v1::Position {
        let request = self.admission(institution).await;
        let answer =
            self.anyone().registry().admit_institution(request).await.expect("an institution is admitted");
        answer.into_inner().position.expect("a position")
    }

    /// The call by which the world's registrar opens an account for a person.
    pub(crate) async fn opening(&self, identity: &v1::AccountIdentity) -> v1::OpenAccountRequest {
        let registrar = &self.world.registrar;
        let sealed = seal_identity(identity);
        let opening = v1::AccountOpening {
            header: Some(self.header(&registrar.id).await),
            assurance: v1::AssuranceLevel::Document.into(),
            identity_commitment: sealed.commitment,
        };
        let key = registrar.key(KeyPurpose::Registry);
        let signed = envelope(payload_type::ACCOUNT_OPENING, opening.encode_to_vec(), &[&key]);
        v1::OpenAccountRequest { envelope: Some(signed), identity: Some(sealed.part), want_receipt: true }
    }

    /// Opens an account for a person whom nobody knows yet.
    pub(crate) async fn account(&self) -> Account {
        self.account_of(&identity(None)).await
    }

    /// Opens an account for a person.
    pub(crate) async fn account_of(&self, identity: &v1::AccountIdentity) -> Account {
        let request = self.opening(identity).await;
        let answer = self.of(&self.world.registrar).accounts().open_account(request).await;
        let v1::OpenAccountResponse { account_ref, account_number, .. } =
            answer.expect("an account is opened").into_inner();
        Account { account_ref, number: account_number }
    }

    /// A record of an institution, ready to be sent.
    pub(crate) async fn submission(
        &self,
        institution: &Institution,
        draft: &Draft,
    ) -> v1::SubmitRecordRequest {
        draft.submission(self.header(&institution.id).await, &institution.key(KeyPurpose::Records))
    }

    /// Sends a record.
    pub(crate) async fn send(
        &self,
        institution: &Institution,
        request: v1::SubmitRecordRequest,
    ) -> Result<Response<v1::SubmitRecordResponse>, Status> {
        self.of(institution).records().submit_record(request).await
    }

    /// Deposits a record that must be taken; its receipt is verified.
    pub(crate) async fn deposit(&self, institution: &Institution, draft: &Draft) -> v1::Position {
        let request = self.submission(institution, draft).await;
        let answer = self.send(institution, request).await.expect("a record is taken");
        let position = answer.into_inner().position.expect("a position");
        let proved = self.world.proved(position.receipt.as_ref().expect("a receipt"));
        assert_eq!(proved, (position.index, position.leaf_hash.clone()));
        position
    }

    /// Calls what must be refused for this reason and must leave the log as it is. Only where nobody else writes.
    pub(crate) async fn refused<T: Debug>(
        &self,
        reason: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Refused {
        let before = self.size().await;
        let refused = refusal(reason, call.await);
        assert_eq!(self.size().await, before, "{reason}: the log grew");
        refused
    }

    /// The same of a record of the world's school.
    pub(crate) async fn refused_record(&self, reason: &str, draft: &Draft) -> Refused {
        let request = self.submission(&self.world.school, draft).await;
        self.refused(reason, self.send(&self.world.school, request)).await
    }
}

/// What a refused call was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The status.
    pub(crate) code: Code,
    /// What it says in English.
    pub(crate) message: String,
    /// The field that is wrong; empty if none is named.
    pub(crate) field: String,
    /// The entry that stands in the way.
    pub(crate) index: Option<u64>,
}

/// Takes a call apart that must have been refused for this reason.
pub(crate) fn refusal<T: Debug>(reason: &str, outcome: Result<Response<T>, Status>) -> Refused {
    match outcome {
        Ok(answer) => panic!("{reason} expected, accepted: {answer:?}"),
        Err(status) => refused_by(reason, &status),
    }
}

/// Takes a status apart that must give this reason.
pub(crate) fn refused_by(reason: &str, status: &Status) -> Refused {
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("{reason} expected, no ErrorInfo in {status:?}"));
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, DOMAIN), "{status:?}");
    assert!(status.message().starts_with(reason), "{status:?}");
    Refused {
        code: status.code(),
        message: status.message().to_owned(),
        field: info.metadata.get("field").cloned().unwrap_or_default(),
        index: info.metadata.get("index").map(|index| index.parse().expect("a number")),
    }
}

/// Waits until a condition gives something, a bounded time.
pub(crate) async fn wait_until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let tries = CALL.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        if let Some(found) = condition().await {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("waited {CALL:?} for {what}");
}

/// A TOML file.
pub(crate) fn toml_of(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).expect("TOML")
}

/// The signing key of an unencrypted key file.
pub(crate) fn key_of(path: &Path) -> SigningKey {
    SigningKey::from_seed(bytes32(toml_of(path)["seed"].as_str().expect("a plain seed")))
}

fn bytes32(base64: &str) -> [u8; 32] {
    STANDARD.decode(base64).expect("base64").try_into().expect("32 bytes")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("digits")).collect()
}
