//! One call to one witness: a head with the proof from what it last cosigned, and its cosignature, verified.

use crate::failure::chain;
use crate::reader::Head;
use credit_log::consistency;
use credit_log::cosignature::CosignerKey;
use credit_log::note::{Note, NoteSignature};
use credit_log::tree::Tiles;
use credit_log::witness::{AddCheckpoint, SIZE_MEDIA_TYPE, parse_size};
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

/// The longest that a connection to a witness may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// The longest that a call to a witness may take.
const CALL_PATIENCE: Duration = Duration::from_secs(6);
/// The most bytes of a witness's answer: some signature lines.
pub(crate) const WITNESS_ANSWER_BYTES_MAX: u64 = 65_536;
/// The most calls in which a witness may name another size before it is left alone: one to learn it, one because
/// another call of ours was still under way.
pub(crate) const WITNESS_SIZES_MAX: usize = 3;

/// Why a witness has not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It could not be reached, or did not answer in time.
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    /// It answered with a status that helps no further.
    #[error("it answered {0}")]
    Refused(u16),
    /// It says that it has cosigned more entries than the head has.
    #[error("it says that it has cosigned {0} entries")]
    Ahead(u64),
    /// It says that the head does not continue what it cosigned.
    #[error("it says that the head does not continue what it cosigned before")]
    Contradicts,
    /// Its answer is no cosignature by its key over the head.
    #[error("its answer is no cosignature by its key over the head")]
    BadCosignature,
    /// It names another size each time it is asked.
    #[error("it names another size each time")]
    Restless,
    /// The proof could not be made.
    #[error("the proof could not be made: {0}")]
    Proof(String),
}

impl Trouble {
    /// The word in metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Ahead(_) => "ahead",
            Self::Contradicts => "contradicts",
            Self::BadCosignature => "bad_cosignature",
            Self::Restless => "restless",
            Self::Proof(_) => "no_proof",
        }
    }
}

/// The way to one witness. Connections are kept.
#[derive(Debug, Clone)]
pub(crate) struct Submitter {
    name: String,
    url: String,
    key: CosignerKey,
    agent: Agent,
}

/// What a witness answered.
struct Reply {
    status: u16,
    is_size: bool,
    body: String,
}

impl Submitter {
    pub(crate) fn new(name: &str, prefix: &str, key: CosignerKey) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_PATIENCE))
            .timeout_global(Some(CALL_PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(crate::ledger::SOFTWARE)
            .build();
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        Self { name: name.to_owned(), url, key, agent: config.into() }
    }

    /// Has a head cosigned. `known` is the size that the witness is believed to have cosigned last. Blocks.
    pub(crate) fn cosign<T: Tiles>(
        &self,
        tiles: &T,
        head: &Head,
        known: u64,
    ) -> Result<NoteSignature, Trouble>
    where
        T::Error: std::error::Error + 'static,
    {
        let mut old_size = known.min(head.size);
        for _ in 0..WITNESS_SIZES_MAX {
            let proof = consistency::prove(tiles, old_size, head.size)
                .map_err(|error| Trouble::Proof(chain(&error)))?;
            let request = AddCheckpoint { old_size, proof, checkpoint: head.checkpoint.clone() };
            let body = request.format().map_err(|error| Trouble::Proof(chain(&error)))?;
            let Reply { status, is_size, body } = self.call(&body)?;
            match status {
                200 => return self.cosignature(head, &body),
                409 if is_size => match parse_size(&body) {
                    Some(size) if size > head.size => return Err(Trouble::Ahead(size)),
                    Some(size) if size != old_size => old_size = size,
                    Some(_) | None => return Err(Trouble::Refused(status)),
                },
                422 => return Err(Trouble::Contradicts),
                // Version 0 of the protocol answered so to another root of the same size.
                409 if old_size == head.size => return Err(Trouble::Contradicts),
                _ => return Err(Trouble::Refused(status)),
            }
        }
        Err(Trouble::Restless)
    }

    fn call(&self, body: &str) -> Result<Reply, Trouble> {
        let lost = |error: ureq::Error| Trouble::Unreachable(chain(&error));
        let mut response = self.agent.post(&self.url).send(body).map_err(lost)?;
        let is_size = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(SIZE_MEDIA_TYPE));
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(WITNESS_ANSWER_BYTES_MAX).read_to_string();
        Ok(Reply { status, is_size, body: body.map_err(lost)? })
    }

    /// The witness's own line among those it answered; lines by others mean nothing.
    fn cosignature(&self, head: &Head, lines: &str) -> Result<NoteSignature, Trouble> {
        let lines = NoteSignature::parse_lines(lines).map_err(|_| Trouble::BadCosignature)?;
        let text = Note::parse(&head.checkpoint).map_err(|error| Trouble::Proof(chain(&error)))?.text;
        let own = lines.into_iter().find(|line| self.key.verify(&text, line).is_some());
        own.ok_or(Trouble::BadCosignature)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
