//! How a call is made: token, language, deadline, tries.

use credit_rpc::v1::account_service_client::AccountServiceClient;
use credit_rpc::v1::conversion_service_client::ConversionServiceClient;
use credit_rpc::v1::log_service_client::LogServiceClient;
use credit_rpc::v1::record_service_client::RecordServiceClient;
use credit_rpc::v1::registry_service_client::RegistryServiceClient;
use credit_rpc::v1::rule_book_service_client::RuleBookServiceClient;
use credit_types::KeyPurpose;
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::builder::Client;
use crate::clock;
use crate::error::{ClientError, Trouble};
use crate::random;
use crate::token::{TokenSource, institution_token};

/// The most bytes of one message, as the bank has it.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// How much longer than the server's deadline an answer is waited for.
const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// The account service over a channel.
pub(crate) fn accounts(channel: Channel) -> AccountServiceClient<Channel> {
    AccountServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// The log service over a channel.
pub(crate) fn log(channel: Channel) -> LogServiceClient<Channel> {
    LogServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// The record service over a channel.
pub(crate) fn records(channel: Channel) -> RecordServiceClient<Channel> {
    RecordServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// The registry service over a channel.
pub(crate) fn registry(channel: Channel) -> RegistryServiceClient<Channel> {
    RegistryServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// The rule book service over a channel.
pub(crate) fn rule_books(channel: Channel) -> RuleBookServiceClient<Channel> {
    RuleBookServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// The conversion service over a channel.
pub(crate) fn conversions(channel: Channel) -> ConversionServiceClient<Channel> {
    ConversionServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// A header's value; a token that can't stand in one was never one.
fn header(field: &str, text: &str) -> Result<MetadataValue<Ascii>, ClientError> {
    text.parse().map_err(|_| ClientError::invalid(field, "has characters that no header may have"))
}

impl Client {
    /// A request with what every call carries. A stream has no deadline as a whole.
    pub(crate) fn request<Q>(&self, message: Q) -> Result<Request<Q>, ClientError> {
        let mut request = Request::new(message);
        let token = match &self.shared.token {
            None => None,
            Some(TokenSource::Bearer(token)) => Some(token.clone()),
            Some(TokenSource::Institution) => {
                let signer = self.signer()?;
                let key = signer.key(&[KeyPurpose::Tokens])?;
                let now = clock::since_epoch();
                Some(institution_token(signer.institution(), key, &self.shared.trust.origin, now))
            }
        };
        let headers = request.metadata_mut();
        if let Some(token) = token {
            let mut value = header("token", &format!("Bearer {token}"))?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        headers.insert("accept-language", header("language", self.shared.language.tag())?);
        Ok(request)
    }

    /// Calls until there is an answer, a refusal, or no try left. What is sent is the same each time.
    pub(crate) async fn call<Q, A, F, W>(&self, message: Q, send: F) -> Result<A, ClientError>
    where
        Q: Clone,
        F: Fn(Channel, Request<Q>) -> W,
        W: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = self.shared.deadline;
        let mut tries = 0u32;
        loop {
            let mut request = self.request(message.clone())?;
            request.set_timeout(deadline);
            let answer = send(self.shared.channel.clone(), request);
            let trouble = match tokio::time::timeout(deadline.saturating_add(DEADLINE_MARGIN), answer).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => Trouble::of(status),
                Err(_elapsed) => Trouble::no_answer(),
            };
            tries = tries.saturating_add(1);
            let (pause, _) = self.pause_after(trouble, tries)?;
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait before the same is sent again, and why; the error where it isn't.
    pub(crate) fn pause_after(
        &self,
        trouble: Trouble,
        tries: u32,
    ) -> Result<(Duration, String), ClientError> {
        let (reason, message, after) = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Again { reason, message, after } => (reason, message, after),
        };
        match self.shared.retry.pause(tries, random::number()?, after) {
            Some(pause) => Ok((pause, reason)),
            None => Err(ClientError::Unavailable { reason, message, tries }),
        }
    }
}
