//! Two heads that one log has signed, as a file that anybody can judge who has the trust file: who keeps the file need
//! not be believed.

use super::labels::{hex, unhex};
use credit_log::checkpoint::{self, Checkpoint, OpenError};
use credit_log::tree::Tiles;
use credit_log::{Hash, consistency};
use credit_types::Digest;
use credit_verify::Trust;
use serde::{Deserialize, Serialize};

/// The most bytes of an evidence file: two of the longest notes, each letter escaped, and a proof.
pub(crate) const EVIDENCE_BYTES_MAX: u64 = 8 << 20;
/// The form of the file.
const FORM: &str = "creditbank/evidence/v1";

/// One of the two heads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    /// The signed note, byte for byte.
    pub(super) checkpoint: String,
    /// When it was seen, in microseconds UTC by the clock of who saw it.
    pub(super) at_us: i64,
    /// Where it was shown.
    pub(super) from: String,
}

/// What the smaller head should have been: the root of so many entries under the larger head, with the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrefixProof {
    /// The root under the larger head, in hexadecimal digits.
    root: String,
    /// The proof of RFC 6962 section 2.1.2 from that root to the larger head.
    hashes: Vec<String>,
}

/// Two heads of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    form: String,
    /// The log, as the trust file pins it.
    pub(super) log_id: String,
    /// The head that was seen first.
    pub(super) seen: Shown,
    /// The head that was shown afterwards.
    pub(super) shown: Shown,
    /// What holds the two together; none where their sizes are equal, or where it could not be had.
    pub(super) prefix: Option<PrefixProof>,
}

/// What two signed heads show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// They can't both be of one history.
    TwoHistories,
    /// The smaller one is a prefix of the larger one.
    OneHistory,
    /// Nothing holds the one against the other.
    Open,
}

/// Evidence that shows nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum EvidenceFault {
    /// It is not such a file.
    #[error("it is not a file of evidence")]
    Form,
    /// It is of another log.
    #[error("it is of another log")]
    OtherLog,
    /// A head is not signed by the log.
    #[error("the log has not signed the head that was {0}")]
    NotSigned(&'static str, #[source] OpenError),
    /// The proof does not lead to the larger head.
    #[error("the proof does not lead to the larger head")]
    ProofFalse,
}

/// The heads of evidence, opened, and what they show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// The head that was seen first.
    pub(super) seen: Checkpoint,
    /// The head that was shown afterwards.
    pub(super) shown: Checkpoint,
    /// What they show.
    pub(super) judgement: Judgement,
}

impl PrefixProof {
    /// Proves what the root of `old` entries is in the tree of `new`; `None` where the tiles don't give it.
    pub(super) fn read<T: Tiles>(tiles: &T, old: u64, new: u64, root: Hash) -> Option<Self> {
        let proof = consistency::prove(tiles, old, new).ok()?;
        Some(Self { root: hex(&root), hashes: proof.iter().map(|hash| hex(hash)).collect() })
    }

    /// The root, if the proof leads from it to the larger head.
    fn proved(&self, old: u64, new: &Checkpoint) -> Result<Hash, EvidenceFault> {
        let hash = |text: &String| unhex(text).and_then(|bytes| <Hash>::try_from(bytes).ok());
        let root = hash(&self.root).ok_or(EvidenceFault::Form)?;
        let hashes: Option<Vec<Hash>> = self.hashes.iter().map(hash).collect();
        let hashes = hashes.ok_or(EvidenceFault::Form)?;
        consistency::verify(old, new.size, &hashes, &root, &new.root)
            .map_err(|_| EvidenceFault::ProofFalse)?;
        Ok(root)
    }
}

impl Evidence {
    /// Evidence of two heads.
    pub(super) fn new(trust: &Trust, seen: Shown, shown: Shown, prefix: Option<PrefixProof>) -> Self {
        Self { form: FORM.to_owned(), log_id: trust.log_id.to_string(), seen, shown, prefix }
    }

    /// Reads a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, EvidenceFault> {
        let evidence: Self = serde_json::from_slice(bytes).map_err(|_| EvidenceFault::Form)?;
        if evidence.form == FORM { Ok(evidence) } else { Err(EvidenceFault::Form) }
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        // Texts and numbers always have a form in JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Checks both signatures, and what the proof shows of the two heads.
    pub(super) fn judge(&self, trust: &Trust) -> Result<Judged, EvidenceFault> {
        let Self { form: _, log_id, seen, shown, prefix } = self;
        if *log_id != trust.log_id.to_string() {
            return Err(EvidenceFault::OtherLog);
        }
        let open = |note: &str, which| {
            checkpoint::open(note, &trust.checkpoint_keys, &trust.origin)
                .map_err(|cause| EvidenceFault::NotSigned(which, cause))
        };
        let (seen, shown) = (open(&seen.checkpoint, "seen first")?, open(&shown.checkpoint, "shown later")?);
        let (small, large) = if seen.size <= shown.size { (&seen, &shown) } else { (&shown, &seen) };
        let judgement = if small.size == large.size {
            if small.root == large.root { Judgement::OneHistory } else { Judgement::TwoHistories }
        } else {
            match prefix {
                None => Judgement::Open,
                Some(prefix) if prefix.proved(small.size, large)? == small.root => Judgement::OneHistory,
                Some(_) => Judgement::TwoHistories,
            }
        };
        Ok(Judged { seen, shown, judgement })
    }
}

impl Judgement {
    /// The stable word.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::TwoHistories => "TWO_HISTORIES",
            Self::OneHistory => "ONE_HISTORY",
            Self::Open => "NOT_PROVED",
        }
    }
}

/// A head as it is told in documents.
pub(super) fn head_document(head: &Checkpoint) -> serde_json::Value {
    serde_json::json!({ "size": head.size, "root": Digest(head.root).to_string() })
}

#[cfg(test)]
mod tests;
