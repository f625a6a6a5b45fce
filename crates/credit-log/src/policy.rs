//! Witness policies (C2SP tlog-policy): which logs and witnesses are known, and whose cosignatures are enough.

mod error;
mod parse;

pub use error::{Error, Problem};

use crate::cosignature::{Cosigned, CosignerKey, cosigned};
use crate::hash::{Hash, sha256};
use crate::note::{Note, OpenError, VerifierKey};

/// The most bytes of a policy file.
pub const POLICY_BYTES_MAX: usize = 32_768;
/// The most logs of a policy; the specification asks for at least 32.
pub const LOGS_MAX: usize = 32;
/// The most witnesses of a policy; the specification asks for at least 32.
pub const WITNESSES_MAX: usize = 32;
/// The most groups of a policy; the specification asks for at least 32.
pub const GROUPS_MAX: usize = 32;
/// The most bytes of the name of a witness or group.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes of a URL.
pub const URL_BYTES_MAX: usize = 2_048;

/// How long before an entry's recorded time a cosignature over it may be dated, in seconds: clocks differ.
pub const EARLY_S_MAX: u64 = 600;

/// The earliest time, in seconds since 1970 UTC, at which a head that holds an entry recorded then (in microseconds)
/// can have been cosigned.
pub fn not_before_s(recorded_at_us: i64) -> u64 {
    u64::try_from(recorded_at_us / 1_000_000).unwrap_or(0).saturating_sub(EARLY_S_MAX)
}

/// A log of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// Its key, named by its origin.
    pub key: VerifierKey,
    /// How it is reached, if the policy says.
    pub url: Option<String>,
}

/// A witness of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Its name in this policy, in the form in which it is shown: bytes that are no UTF-8 are replaced.
    pub name: String,
    /// Its key.
    pub key: CosignerKey,
    /// Its submission prefix, if the policy says.
    pub url: Option<String>,
}

/// Who can stand in a group or be the quorum: a witness or an earlier group, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// So many of these.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A policy: read by [`Policy::parse`], asked by [`Policy::judge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    keys: Vec<CosignerKey>,
    groups: Vec<Group>,
    quorum: Option<Member>,
    source: Vec<u8>,
}

/// What a policy says of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Whether the quorum is met.
    pub met: bool,
    /// The witnesses whose cosignatures count, ascending by place.
    pub by: Vec<Cosigned>,
}

impl Policy {
    /// The policy's bytes as they were read.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// SHA-256 of the policy's bytes: what a genesis pins.
    pub fn digest(&self) -> Hash {
        sha256(&self.source)
    }

    /// The logs, in the order of their lines.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of their lines.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether any cosignature is asked for at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether a log may speak under this policy: one of the listed keys is its own, or none is listed.
    pub fn knows_log(&self, keys: &[VerifierKey]) -> bool {
        self.logs.is_empty() || self.logs.iter().any(|log| keys.contains(&log.key))
    }

    /// Whether the witnesses at these places are enough.
    pub fn is_met_by(&self, witnesses: &[usize]) -> bool {
        // A group names earlier lines only, so one pass from the first to the last settles all.
        let mut met: Vec<bool> = Vec::with_capacity(self.groups.len());
        for Group { threshold, members } in &self.groups {
            let count = members.iter().filter(|member| holds(**member, witnesses, &met)).count();
            met.push(count >= *threshold);
        }
        self.quorum.is_none_or(|member| holds(member, witnesses, &met))
    }

    /// Who has cosigned a note, and whether that is enough. Cosignatures from before `not_before_s` (seconds since
    /// 1970 UTC) do not count: a head that holds an entry can't have been seen before the entry was made.
    ///
    /// The log's own signature is not looked at: see [`crate::checkpoint::open`]. A false line by one of the policy's
    /// witnesses rejects the note.
    pub fn judge(&self, note: &str, not_before_s: u64) -> Result<Judged, OpenError> {
        let mut by = cosigned(&Note::parse(note)?, &self.keys)?;
        by.retain(|cosigned| cosigned.time_s >= not_before_s);
        let places: Vec<usize> = by.iter().map(|cosigned| cosigned.witness).collect();
        Ok(Judged { met: self.is_met_by(&places), by })
    }
}

fn holds(member: Member, witnesses: &[usize], groups: &[bool]) -> bool {
    match member {
        Member::Witness(place) => witnesses.contains(&place),
        Member::Group(place) => groups.get(place).is_some_and(|met| *met),
    }
}
