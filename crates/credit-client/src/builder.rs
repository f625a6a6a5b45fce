//! How a client is put together.

use credit_types::{KeyPurpose, SignerId};
use credit_verify::Trust;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

use crate::error::ClientError;
use crate::heads::{HeadStore, MemoryHeads};
use crate::history::SeenHead;
use crate::retry::RetryPolicy;
use crate::signer::{InstitutionSigner, SignerError};
use crate::token::TokenSource;

/// How long a single call waits for its answer, where nothing else is asked for.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a stream waits for the next answer, where nothing else is asked for.
const STREAM_DEADLINE: Duration = Duration::from_secs(75);
/// How long connecting may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How often an open connection is asked whether it lives, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The language of the words in refusals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

/// Puts a client together: where the bank is and which log is trusted; then, as far as they are needed, who signs, who
/// calls, and where the last head seen is kept.
pub struct ClientBuilder {
    endpoint: String,
    trust: Trust,
    signer: Option<InstitutionSigner>,
    token: Option<TokenSource>,
    heads: Arc<dyn HeadStore>,
    retry: RetryPolicy,
    deadline: Duration,
    stream_deadline: Duration,
    language: Language,
    outbox: Option<PathBuf>,
    tune: fn(Endpoint) -> Endpoint,
}

impl ClientBuilder {
    /// A client of the bank at `endpoint`, for example `http://127.0.0.1:7380`, for the log that `trust` pins.
    pub fn new(endpoint: impl Into<String>, trust: Trust) -> Self {
        Self {
            endpoint: endpoint.into(),
            trust,
            signer: None,
            token: None,
            heads: Arc::new(MemoryHeads::default()),
            retry: RetryPolicy::default(),
            deadline: DEADLINE,
            stream_deadline: STREAM_DEADLINE,
            language: Language::default(),
            outbox: None,
            tune: |endpoint| endpoint,
        }
    }

    /// Signs as this institution, and calls as it if it has a TOKENS key and no other token is named.
    #[must_use]
    pub fn signer(mut self, signer: InstitutionSigner) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Calls with this token.
    #[must_use]
    pub fn token(mut self, token: TokenSource) -> Self {
        self.token = Some(token);
        self
    }

    /// Keeps the last head seen here instead of in memory.
    #[must_use]
    pub fn heads(mut self, heads: Arc<dyn HeadStore>) -> Self {
        self.heads = heads;
        self
    }

    /// Tries again by this policy.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Waits so long for the answer of a single call, and on a stream for each next answer.
    #[must_use]
    pub fn deadlines(mut self, call: Duration, stream: Duration) -> Self {
        (self.deadline, self.stream_deadline) = (call, stream);
        self
    }

    /// Asks for refusals in this language.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Keeps every statement about the registry in this folder before it is sent, so that its signer can prove later what
    /// was signed, and a monitor can look whether it is in the log.
    #[must_use]
    pub fn outbox(mut self, folder: impl Into<PathBuf>) -> Self {
        self.outbox = Some(folder.into());
        self
    }

    /// Changes the transport's own options.
    #[must_use]
    pub fn tune(mut self, tune: fn(Endpoint) -> Endpoint) -> Self {
        self.tune = tune;
        self
    }

    /// Builds the client, inside a tokio runtime. It connects with its first call.
    pub fn build(self) -> Result<Client, ClientError> {
        let Self {
            endpoint,
            trust,
            signer,
            token,
            heads,
            retry,
            deadline,
            stream_deadline,
            language,
            outbox,
            tune,
        } = self;
        // Without TLS in this client an https address would carry tokens in the clear while it promises otherwise.
        if endpoint.starts_with("https:") {
            let problem =
                "TLS is not built yet: put a TLS proxy before the ledger and reach that by http on this host";
            return Err(ClientError::invalid("endpoint", problem));
        }
        let signs_tokens = signer.as_ref().is_some_and(|signer| signer.key(&[KeyPurpose::Tokens]).is_ok());
        let token = token.or_else(|| signs_tokens.then_some(TokenSource::Institution));
        let endpoint = Endpoint::from_shared(endpoint)
            .map_err(|error| ClientError::Transport(Box::new(error)))?
            .connect_timeout(CONNECT_DEADLINE)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE);
        let channel = tune(endpoint).connect_lazy();
        let shared = Shared {
            channel,
            trust,
            signer: signer.map(Arc::new),
            token,
            heads,
            retry,
            deadline,
            stream_deadline,
            language,
            outbox,
            verified: Mutex::new(None),
            fresh: Mutex::new(None),
        };
        Ok(Client { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A client of one bank and one log. A clone shares its connection.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) channel: Channel,
    pub(crate) trust: Trust,
    pub(crate) signer: Option<Arc<InstitutionSigner>>,
    pub(crate) token: Option<TokenSource>,
    pub(crate) heads: Arc<dyn HeadStore>,
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Duration,
    pub(crate) stream_deadline: Duration,
    pub(crate) language: Language,
    /// Where statements are kept before they are sent.
    pub(crate) outbox: Option<PathBuf>,
    /// The head that was last read from the store, so that the same text is not verified again and again.
    pub(crate) verified: Mutex<Option<SeenHead>>,
    /// When this client last verified a head.
    pub(crate) fresh: Mutex<Option<Instant>>,
}

impl Client {
    /// The log that is trusted.
    pub fn trust(&self) -> &Trust {
        &self.shared.trust
    }

    /// Who signs.
    pub(crate) fn signer(&self) -> Result<&Arc<InstitutionSigner>, SignerError> {
        self.shared.signer.as_ref().ok_or(SignerError::NoSigner)
    }

    /// Who signs, as it stands in a header.
    pub(crate) fn signer_id(&self) -> Result<SignerId, SignerError> {
        self.signer().map(|signer| SignerId::Institution(signer.institution().clone()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("log_id", &self.shared.trust.log_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ClientError;
    use credit_log::envelope::SigningKey;
    use credit_log::note::VerifierKey;
    use credit_types::{InstitutionId, LogId};

    fn trust() -> Trust {
        let key = |seed| SigningKey::from_seed([seed; 32]).public();
        Trust {
            log_id: LogId([1; 32]),
            origin: "dev.example".to_owned(),
            checkpoint_keys: vec![VerifierKey::new("dev.example", key(1)).unwrap()],
            statement_keys: vec![key(2)],
            witness_policy: None,
        }
    }

    fn check_send<F: Future + Send>(future: F) -> F {
        future
    }

    #[tokio::test]
    async fn an_institution_with_a_tokens_key_calls_as_itself() {
        let signer = |purpose| {
            InstitutionSigner::new(InstitutionId::new("cn.x.school").unwrap())
                .with_key([purpose], SigningKey::from_seed([3; 32]))
        };
        let token = |builder: ClientBuilder| builder.build().unwrap().shared.token.clone();
        let builder = || ClientBuilder::new("http://127.0.0.1:1", trust());
        assert_eq!(token(builder()), None);
        assert_eq!(token(builder().signer(signer(KeyPurpose::Records))), None);
        assert_eq!(token(builder().signer(signer(KeyPurpose::Tokens))), Some(TokenSource::Institution));
        let bearer = TokenSource::Bearer("x".to_owned());
        let both = builder().signer(signer(KeyPurpose::Tokens)).token(bearer.clone());
        assert_eq!(token(both), Some(bearer));
        let request = builder().signer(signer(KeyPurpose::Tokens)).build().unwrap().request(()).unwrap();
        let header = request.metadata().get("authorization").unwrap();
        assert!(header.is_sensitive() && header.to_str().unwrap().starts_with("Bearer ey"));
        assert_eq!(request.metadata().get("accept-language").unwrap(), "en");
        let newline = builder().token(TokenSource::Bearer("a\nb".to_owned())).build().unwrap();
        assert!(matches!(newline.request(()), Err(ClientError::Invalid { field, .. }) if field == "token"));
    }

    #[tokio::test]
    async fn a_bank_that_is_not_there_is_tried_as_often_as_the_policy_says() {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let retry = RetryPolicy::new(3, Duration::from_millis(1), Duration::from_millis(2));
        let client =
            ClientBuilder::new(format!("http://127.0.0.1:{port}"), trust()).retry(retry).build().unwrap();
        let error = client.head().await.unwrap_err();
        assert!(matches!(error, ClientError::Unavailable { tries: 3, .. }), "{error:?}");
        assert!(matches!(client.anchor().await, Err(ClientError::Unavailable { .. })));
        assert_eq!(client.seen().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_no_url_is_refused_at_once() {
        let built = ClientBuilder::new("not a url", trust()).build();
        assert!(matches!(built, Err(ClientError::Transport(_))));
    }

    #[tokio::test]
    async fn without_keys_nothing_is_signed() {
        let client = ClientBuilder::new("http://127.0.0.1:1", trust()).build().unwrap();
        let record = crate::draft::tests::record(1, 1);
        let refused = client.submit_record(&record).await;
        assert!(matches!(refused, Err(ClientError::Signer(SignerError::NoSigner))));
    }

    #[tokio::test]
    async fn calls_can_be_moved_to_other_threads() {
        let client = ClientBuilder::new("http://127.0.0.1:1", trust()).build().unwrap();
        let plan = crate::plan::tests::plan(1);
        let records = crate::plan::tests::records(1);
        let mut listener = |_| {};
        drop(check_send(client.head()));
        drop(check_send(client.submit_records(&records, &mut listener)));
        let options = crate::batch::BatchOptions::default();
        drop(check_send(client.submit_batch(&plan, options, &mut listener)));
        drop(check_send(client.plan_records(records.clone())));
        drop(check_send(client.get_receipt(1)));
    }
}
