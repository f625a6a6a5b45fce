//! Why a text is not a policy: the line and what is wrong with it.

use super::{GROUPS_MAX, LOGS_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX, URL_BYTES_MAX, WITNESSES_MAX};
use crate::note::VkeyError;

/// The text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`POLICY_BYTES_MAX`].
    #[error("the policy is longer than {POLICY_BYTES_MAX} bytes")]
    TooLong,
    /// The last line does not end with a newline: the file may have been cut.
    #[error("the policy does not end with a newline: it may have been cut off")]
    Unterminated,
    /// There is no `quorum` line.
    #[error("the policy has no quorum line: `quorum none`, or the name of a witness or group")]
    NoQuorum,
    /// A line cannot be accepted.
    #[error("line {line} of the policy: {problem}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A control character other than tab and newline.
    #[error("has a control character")]
    Control,
    /// The first word is none of the format's.
    #[error("begins with `{0}`, not with log, witness, group or quorum")]
    Word(String),
    /// A `log` line has another form.
    #[error("is not `log <vkey> [<url>]`")]
    LogForm,
    /// A `witness` line has another form.
    #[error("is not `witness <name> <vkey> [<url>]`")]
    WitnessForm,
    /// A `group` line has another form.
    #[error("is not `group <name> all|any|<k> <member>...`")]
    GroupForm,
    /// A `quorum` line has another form.
    #[error("is not `quorum <name>|none`")]
    QuorumForm,
    /// The verifier key can't be used.
    #[error("has a key that cannot be used: {0}")]
    Key(VkeyError),
    /// The verifier key is no UTF-8.
    #[error("has a key that is not UTF-8")]
    KeyText,
    /// The same key stands in an earlier line. A key of a log is never a witness's too.
    #[error("has a key that an earlier line has too")]
    KeyTwice,
    /// A name longer than [`NAME_BYTES_MAX`].
    #[error("has a name longer than {NAME_BYTES_MAX} bytes")]
    NameLong,
    /// The name stands for something else already; `none` always does.
    #[error("gives the name `{0}` a second meaning")]
    NameTaken(String),
    /// No earlier line defines the name.
    #[error("names `{0}`, which no earlier line defines")]
    NameUnknown(String),
    /// The name is a member of a group already.
    #[error("makes `{0}` a member a second time: each may count once")]
    MemberTwice(String),
    /// The threshold is not 1 to the count of members, in plain decimal.
    #[error("has the threshold `{threshold}`, which must be all, any, or 1 to {members}")]
    Threshold {
        /// What stands there.
        threshold: String,
        /// The count of members.
        members: usize,
    },
    /// A URL that is no UTF-8 or longer than [`URL_BYTES_MAX`].
    #[error("has a URL that is not UTF-8 or longer than {URL_BYTES_MAX} bytes")]
    Url,
    /// More than [`LOGS_MAX`] logs.
    #[error("is one log too many, {LOGS_MAX} are allowed")]
    Logs,
    /// More than [`WITNESSES_MAX`] witnesses.
    #[error("is one witness too many, {WITNESSES_MAX} are allowed")]
    Witnesses,
    /// More than [`GROUPS_MAX`] groups.
    #[error("is one group too many, {GROUPS_MAX} are allowed")]
    Groups,
    /// A second `quorum` line.
    #[error("is a second quorum line")]
    QuorumTwice,
}
