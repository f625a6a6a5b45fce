//! What a monitor raises, each with a code that never changes.

use super::super::verify::broken_text;
use crate::ending::Exit;
use credit_types::Text;
use credit_verify::Broken;
use serde_json::{Value, json};

/// The kinds of alarm. The codes are the contract: one is added, never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    /// A head that does not continue one that was seen.
    Fork,
    /// A smaller head than one that was seen.
    Rollback,
    /// A checkpoint that the log's keys have not signed, or of another log.
    CheckpointInvalid,
    /// An entry breaks a rule.
    BadEntry,
    /// The authority has announced what this version does not know.
    NeedsNewer,
    /// A signed statement is not in the log in time.
    Withheld,
    /// No fresh head for too long.
    Stalled,
    /// The log, or its service, can't be reached for too long.
    Unreachable,
    /// Too few witnesses for too long.
    NotWitnessed,
}

impl Code {
    /// Every kind.
    #[cfg(test)]
    const ALL: [Self; 9] = [
        Self::Fork,
        Self::Rollback,
        Self::CheckpointInvalid,
        Self::BadEntry,
        Self::NeedsNewer,
        Self::Withheld,
        Self::Stalled,
        Self::Unreachable,
        Self::NotWitnessed,
    ];

    /// The stable word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fork => "FORK",
            Self::Rollback => "ROLLBACK",
            Self::CheckpointInvalid => "CHECKPOINT_INVALID",
            Self::BadEntry => "BAD_ENTRY",
            Self::NeedsNewer => "NEEDS_NEWER_VERIFIER",
            Self::Withheld => "WITHHELD",
            Self::Stalled => "STALLED",
            Self::Unreachable => "UNREACHABLE",
            Self::NotWitnessed => "NOT_WITNESSED",
        }
    }

    /// How a monitor ends that stops at it.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Fork | Self::Rollback | Self::CheckpointInvalid | Self::BadEntry => Exit::Broken,
            Self::NeedsNewer => Exit::NeedsNewer,
            Self::Withheld => Exit::Refused,
            Self::Stalled | Self::Unreachable | Self::NotWitnessed => Exit::Unreachable,
        }
    }
}

/// The worse of two ends: a proof before what is only not known, and that before what may pass.
pub(super) fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Broken => 5,
        Exit::NeedsNewer => 4,
        Exit::Refused => 3,
        Exit::Unreachable => 2,
        Exit::Usage => 1,
        Exit::Done => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// Something that is wrong at present.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its kind.
    pub(super) code: Code,
    /// What it is about, where more than one of a kind can stand side by side.
    pub(super) about: Option<String>,
    /// What is wrong and what to do.
    pub(super) text: Text,
    /// More for programs.
    pub(super) more: Value,
}

impl Found {
    /// By which it is known again: the code, and what it is about.
    pub(super) fn key(&self) -> String {
        let Self { code, about, text: _, more: _ } = self;
        about.as_ref().map_or_else(|| code.name().to_owned(), |about| format!("{}:{about}", code.name()))
    }

    fn new(code: Code, zh: String, en: String, more: Value) -> Self {
        Self { code, about: None, text: Text { zh, en }, more }
    }

    /// Two heads; `relation` is the code.
    pub(super) fn conflict(code: Code, seen: u64, shown: u64, proved: bool, evidence: &str) -> Self {
        let (zh, en) = if code == Code::Rollback {
            (
                format!("账本回退：见过 {seen} 条的检查点，现在出示的只有 {shown} 条"),
                format!(
                    "the log was rolled back: a head of {seen} entries was seen, now one of {shown} is shown"
                ),
            )
        } else {
            (
                format!("账本分叉：出示的 {shown} 条的检查点不能接续见过的 {seen} 条的检查点"),
                format!(
                    "the log has forked: the head of {shown} entries that is shown does not continue the one of {seen} that was seen"
                ),
            )
        };
        let (zh, en) = if proved {
            (
                format!("{zh}。两个检查点都有签名，互相矛盾"),
                format!("{en}. Both heads are signed, and contradict each other"),
            )
        } else {
            (
                format!("{zh}。两个检查点都有签名，但未能证明互相矛盾：可能是旧的镜像或缓存"),
                format!(
                    "{en}. Both heads are signed, but it is not proved that they contradict each other: it may be an old mirror or cache"
                ),
            )
        };
        let zh = format!("{zh}。证据已存入 {evidence}，请交给监管机构");
        let en = format!("{en}. The evidence is in {evidence}: give it to the regulator");
        let more = json!({ "seen_size": seen, "shown_size": shown, "proved": proved, "evidence": evidence });
        Self::new(code, zh, en, more)
    }

    /// A checkpoint that is none.
    pub(super) fn invalid(detail: &str) -> Self {
        let zh = format!("检查点没有信任文件所列密钥的有效签名，或属于另一个账本（{detail}）");
        let en = format!(
            "the checkpoint is not one that a key of the trust file has signed, or of another log ({detail})"
        );
        Self::new(Code::CheckpointInvalid, zh, en, json!({ "detail": detail }))
    }

    /// An entry that breaks a rule.
    pub(super) fn bad_entry(broken: &Broken, scope: &'static str) -> Self {
        let Text { zh, en } = broken_text(broken);
        let more = json!({
            "first_bad_index": broken.index,
            "rule": broken.rule.code(),
            "reason": broken.rule.reason().map(credit_types::Reason::name),
            "detail": broken.detail,
            "scope": scope,
        });
        Self { about: Some(scope.to_owned()), ..Self::new(Code::BadEntry, zh, en, more) }
    }

    /// What is announced and not known.
    pub(super) fn newer(index: u64, what: &str) -> Self {
        let zh = format!("第 {index} 条起需要更新版本的程序：{what}");
        let en = format!("from entry {index} on a newer program is needed: {what}");
        Self::new(Code::NeedsNewer, zh, en, json!({ "index": index, "what": what }))
    }

    /// A statement that is not in the log.
    pub(super) fn withheld(name: &str, statement_id: &str, kind: &str, size: u64, seconds: i64) -> Self {
        let zh = format!(
            "声明 {name}（{kind}，编号 {statement_id}）交来 {seconds} 秒后仍不在账本前 {size} 条中：请签署者再次提交，并保留提交的回应"
        );
        let en = format!(
            "the statement {name} ({kind}, id {statement_id}) is not among the first {size} entries {seconds} s after it was handed over: have its signer send it again and keep the answer"
        );
        let more = json!({ "file": name, "statement_id": statement_id, "kind": kind, "size": size, "seconds": seconds });
        Self { about: Some(statement_id.to_owned()), ..Self::new(Code::Withheld, zh, en, more) }
    }

    /// No fresh head.
    pub(super) fn stalled(size: Option<u64>, seconds: i64) -> Self {
        let zh = format!("{seconds} 秒没有新的或重新发布的检查点：账本可能已停止，或给你看的是停住的副本");
        let en = format!(
            "no new or republished checkpoint for {seconds} s: the log may have stopped, or you are shown a copy that stands still"
        );
        Self::new(Code::Stalled, zh, en, json!({ "size": size, "seconds": seconds }))
    }

    /// Nobody answers.
    pub(super) fn unreachable(what: &'static str, seconds: i64, detail: &str) -> Self {
        let zh = format!(
            "{seconds} 秒无法读取{}（{detail}）",
            if what == "log" { "公开日志" } else { "账本服务" }
        );
        let en = format!("the {what} could not be read for {seconds} s ({detail})");
        let more = json!({ "what": what, "seconds": seconds, "detail": detail });
        Self { about: Some(what.to_owned()), ..Self::new(Code::Unreachable, zh, en, more) }
    }

    /// Too few witnesses.
    pub(super) fn not_witnessed(size: u64, seconds: i64) -> Self {
        let zh = format!("{size} 条的检查点已 {seconds} 秒没有足够的见证者联署");
        let en =
            format!("the head of {size} entries has not been cosigned by enough witnesses for {seconds} s");
        Self::new(Code::NotWitnessed, zh, en, json!({ "size": size, "seconds": seconds }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_a_lie_ends_worse_than_a_silence() {
        let names: BTreeSet<&str> = Code::ALL.into_iter().map(Code::name).collect();
        assert_eq!(names.len(), Code::ALL.len());
        let end = |codes: &[Code]| codes.iter().map(|code| code.exit()).fold(Exit::Done, worse);
        assert_eq!(end(&[]), Exit::Done);
        assert_eq!(end(&[Code::Stalled, Code::Fork, Code::Withheld]), Exit::Broken);
        assert_eq!(end(&[Code::Withheld, Code::Unreachable]), Exit::Refused);
        assert_eq!(end(&[Code::NotWitnessed, Code::NeedsNewer]), Exit::NeedsNewer);
    }
}
