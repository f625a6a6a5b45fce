//! The rules that a log keeps, each with a code that never changes and a sentence in both languages.

use credit_types::Reason;
use std::fmt;

/// A rule that a log can break. The codes are the contract: a rule is added, never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A log has an entry 0.
    GenesisMissing,
    /// Entry 0 is the one whose leaf hash is pinned, with the pinned origin.
    LogIdWrong,
    /// A core is canonical.
    CoreNotCanonical,
    /// Entry n has index n: none is left out, none stands twice, none has moved.
    IndexWrong,
    /// The time of entries never decreases.
    TimeBackwards,
    /// The parts root of the core is that of the parts.
    PartsRootWrong,
    /// The head counts exactly the parts that are there, kind by kind.
    HeadCountsWrong,
    /// Each part is canonical and within its bounds.
    PartsNotCanonical,
    /// Only what the authority has announced may be unknown.
    NotAnnounced,
    /// An upgrade is the authority's, by its threshold, and goes forward.
    UpgradeWrong,
    /// An event has the signed statement or the manifest that it needs.
    EvidenceMissing,
    /// A signed payload is canonical and within its bounds.
    StatementNotCanonical,
    /// Each event says what its statement says.
    EventsWrong,
    /// The head names the signer and the command of the statement.
    ActorWrong,
    /// Every signature is strictly valid.
    SignatureInvalid,
    /// A chunk leads to its manifest's root.
    ChunkRootWrong,
    /// Details are those that were committed to.
    DetailsWrong,
    /// The rules of the ledger allow what the entry records.
    RefusedByRules {
        /// The refusal that the ledger's core gives.
        reason: Reason,
    },
    /// Every rule book that is published is there, where public blobs are.
    BookMissing,
    /// A rule book is the one that was published, in its one form and within its limits.
    BookWrong,
    /// The events are those that the core decides, byte for byte.
    DecisionDiffers,
    /// What an application proposes, and why, follows from the rule book and the details of its records.
    ConversionNotDerived,
    /// The links are those that the subjects' chains need.
    LinkWrong,
    /// The checkpoint is signed by the log's key and is the log's.
    CheckpointInvalid,
    /// The log has as many entries as its checkpoint says.
    SizeWrong,
    /// The entries have the root that the checkpoint says.
    RootWrong,
    /// The log continues every head that was seen before.
    HeadInconsistent,
    /// Whoever hands details out hands them all out.
    DetailsMissing,
    /// The manifest of an export is this log's, and a statement key has signed it.
    ManifestInvalid,
    /// Every file of the manifest is there.
    FileMissing,
    /// No file is there but those of the manifest.
    FileUnlisted,
    /// A file has the length and the SHA-256 that its manifest gives it.
    FileWrong,
    /// A file of entries or details is made of whole frames, in their order.
    FrameWrong,
}

impl Rule {
    /// Every rule, once; of the refusals one stands for all.
    pub fn all() -> impl Iterator<Item = Self> {
        [
            Self::GenesisMissing,
            Self::LogIdWrong,
            Self::CoreNotCanonical,
            Self::IndexWrong,
            Self::TimeBackwards,
            Self::PartsRootWrong,
            Self::HeadCountsWrong,
            Self::PartsNotCanonical,
            Self::NotAnnounced,
            Self::UpgradeWrong,
            Self::EvidenceMissing,
            Self::StatementNotCanonical,
            Self::EventsWrong,
            Self::ActorWrong,
            Self::SignatureInvalid,
            Self::ChunkRootWrong,
            Self::DetailsWrong,
            Self::RefusedByRules { reason: Reason::FieldInvalid },
            Self::BookMissing,
            Self::BookWrong,
            Self::DecisionDiffers,
            Self::ConversionNotDerived,
            Self::LinkWrong,
            Self::CheckpointInvalid,
            Self::SizeWrong,
            Self::RootWrong,
            Self::HeadInconsistent,
            Self::DetailsMissing,
            Self::ManifestInvalid,
            Self::FileMissing,
            Self::FileUnlisted,
            Self::FileWrong,
            Self::FrameWrong,
        ]
        .into_iter()
    }

    /// The stable code, for example `PARTS_ROOT_WRONG`; [`Rule::reason`] has the refusal of `REFUSED_BY_RULES`.
    pub fn code(self) -> &'static str {
        match self {
            Self::GenesisMissing => "GENESIS_MISSING",
            Self::LogIdWrong => "LOG_ID_WRONG",
            Self::CoreNotCanonical => "CORE_NOT_CANONICAL",
            Self::IndexWrong => "INDEX_WRONG",
            Self::TimeBackwards => "TIME_BACKWARDS",
            Self::PartsRootWrong => "PARTS_ROOT_WRONG",
            Self::HeadCountsWrong => "HEAD_COUNTS_WRONG",
            Self::PartsNotCanonical => "PARTS_NOT_CANONICAL",
            Self::NotAnnounced => "NOT_ANNOUNCED",
            Self::UpgradeWrong => "UPGRADE_WRONG",
            Self::EvidenceMissing => "EVIDENCE_MISSING",
            Self::StatementNotCanonical => "STATEMENT_NOT_CANONICAL",
            Self::EventsWrong => "EVENTS_WRONG",
            Self::ActorWrong => "ACTOR_WRONG",
            Self::SignatureInvalid => "SIGNATURE_INVALID",
            Self::ChunkRootWrong => "CHUNK_ROOT_WRONG",
            Self::DetailsWrong => "DETAILS_WRONG",
            Self::RefusedByRules { reason: _ } => "REFUSED_BY_RULES",
            Self::BookMissing => "BOOK_MISSING",
            Self::BookWrong => "BOOK_WRONG",
            Self::DecisionDiffers => "DECISION_DIFFERS",
            Self::ConversionNotDerived => "CONVERSION_NOT_DERIVED",
            Self::LinkWrong => "LINK_WRONG",
            Self::CheckpointInvalid => "CHECKPOINT_INVALID",
            Self::SizeWrong => "SIZE_WRONG",
            Self::RootWrong => "ROOT_WRONG",
            Self::HeadInconsistent => "HEAD_INCONSISTENT",
            Self::DetailsMissing => "DETAILS_MISSING",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::FileMissing => "FILE_MISSING",
            Self::FileUnlisted => "FILE_UNLISTED",
            Self::FileWrong => "FILE_WRONG",
            Self::FrameWrong => "FRAME_WRONG",
        }
    }

    /// What is wrong, in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::GenesisMissing => "the log has no entry 0",
            Self::LogIdWrong => "entry 0 is not the one that the trust file pins",
            Self::CoreNotCanonical => "the entry's core is not in canonical form",
            Self::IndexWrong => "the entry's index is not its place: an entry was dropped, repeated or moved",
            Self::TimeBackwards => "the entry was recorded before the one that precedes it",
            Self::PartsRootWrong => "the parts or the secret are not those that the core commits to",
            Self::HeadCountsWrong => "the entry's head counts other parts than there are",
            Self::PartsNotCanonical => "a part is not in canonical form or breaks a bound",
            Self::NotAnnounced => {
                "the entry holds what this version does not know and the authority has not announced"
            }
            Self::UpgradeWrong => "the protocol upgrade is not one that the authority's threshold has signed",
            Self::EvidenceMissing => "an event lacks the signed statement or manifest it must rest on",
            Self::StatementNotCanonical => "a signed payload is not in canonical form or breaks a bound",
            Self::EventsWrong => "an event does not follow from the statement it rests on",
            Self::ActorWrong => "the head names another signer or command than the statement",
            Self::SignatureInvalid => "a signature does not verify",
            Self::ChunkRootWrong => "the chunk's leaves do not lead to the root that its manifest signs",
            Self::DetailsWrong => "the details given are not those that were committed to",
            Self::RefusedByRules { reason: _ } => "the ledger's rules refuse what the entry records",
            Self::BookMissing => "a published rule book is missing",
            Self::BookWrong => "a rule book is not the one that was published, or cannot be applied",
            Self::ConversionNotDerived => {
                "the rule book grants other credit, or for other reasons, than the entry records"
            }
            Self::DecisionDiffers => "the rules decide other events than the entry records",
            Self::LinkWrong => "the links do not continue the chains of their subjects",
            Self::CheckpointInvalid => "the checkpoint is not one that the log's key has signed",
            Self::SizeWrong => "the log has another number of entries than its checkpoint says",
            Self::RootWrong => "the entries have another root than the checkpoint says",
            Self::HeadInconsistent => "the log does not continue a head that was seen before",
            Self::DetailsMissing => "details are missing that were claimed to be there",
            Self::ManifestInvalid => "the manifest is not one that the log's statement key has signed",
            Self::FileMissing => "a file that the manifest lists is missing",
            Self::FileUnlisted => "there is a file that the manifest does not list",
            Self::FileWrong => "a file is not the one that the manifest lists",
            Self::FrameWrong => "a file is not made of whole frames in their order",
        }
    }

    /// What is wrong, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::GenesisMissing => "日志没有第 0 条",
            Self::LogIdWrong => "第 0 条不是信任文件所固定的那一条",
            Self::CoreNotCanonical => "条目核心不是规范编码",
            Self::IndexWrong => "条目序号与位置不符:有条目被删除、重复或移动",
            Self::TimeBackwards => "条目的记录时间早于前一条",
            Self::PartsRootWrong => "各部分或盐密钥与核心所承诺的不符",
            Self::HeadCountsWrong => "条目头所计部分数与实际不符",
            Self::PartsNotCanonical => "某部分不是规范编码或超出限度",
            Self::NotAnnounced => "条目含有本版本不认识且未经主管机构公告的内容",
            Self::UpgradeWrong => "协议升级未经主管机构达到门限的签名",
            Self::EvidenceMissing => "事件缺少其必须依据的已签名声明或批次清单",
            Self::StatementNotCanonical => "已签名的内容不是规范编码或超出限度",
            Self::EventsWrong => "事件与其所依据的声明不符",
            Self::ActorWrong => "条目头所载签署者或命令与声明不符",
            Self::SignatureInvalid => "签名验证不通过",
            Self::ChunkRootWrong => "分块的叶子不能归结到批次清单所签的根",
            Self::DetailsWrong => "所提供的明细与承诺不符",
            Self::RefusedByRules { reason: _ } => "账本规则不允许该条目所记录的内容",
            Self::BookMissing => "缺少已公布的规则书",
            Self::BookWrong => "规则书不是所公布的那一份，或无法适用",
            Self::ConversionNotDerived => "按规则书得出的学分或理由与条目所记录的不同",
            Self::DecisionDiffers => "按规则得出的事件与条目所记录的不同",
            Self::LinkWrong => "链接未接续各主体的链",
            Self::CheckpointInvalid => "检查点不是该日志的密钥所签",
            Self::SizeWrong => "日志条目数与检查点不符",
            Self::RootWrong => "日志的根与检查点不符",
            Self::HeadInconsistent => "日志未接续先前见过的检查点",
            Self::DetailsMissing => "缺少声称已提供的明细",
            Self::ManifestInvalid => "清单不是该日志的声明密钥所签",
            Self::FileMissing => "缺少清单所列的文件",
            Self::FileUnlisted => "存在清单未列出的文件",
            Self::FileWrong => "文件与清单所列的不同",
            Self::FrameWrong => "文件不是由完整且有序的帧组成",
        }
    }

    /// The ledger's own refusal, where that is the rule.
    pub fn reason(self) -> Option<Reason> {
        if let Self::RefusedByRules { reason } = self { Some(reason) } else { None }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{} ({reason})", self.code()),
            None => f.write_str(self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_both_languages_are_spoken() {
        let codes: BTreeSet<&str> = Rule::all().map(Rule::code).collect();
        assert_eq!(codes.len(), Rule::all().count());
        for rule in Rule::all() {
            assert!(rule.code().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{rule}");
            assert!(rule.en().is_ascii() && !rule.zh().is_ascii(), "{rule}");
        }
    }
}
