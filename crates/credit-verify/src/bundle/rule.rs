//! The rules that a record bundle keeps, each with a code that never changes and a sentence in both languages.

use std::fmt;

/// A rule that a bundle can break. The codes are the contract: a rule is added, never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BundleRule {
    /// The file is a container in its one form.
    ContainerMalformed,
    /// Exactly the files that belong into a bundle are there, each in its one form.
    FilesWrong,
    /// The manifest is signed by a statement key of the log.
    ManifestInvalid,
    /// Every file is the one that the manifest lists.
    ManifestDiffers,
    /// All belongs to the pinned log.
    OtherLog,
    /// The receipt proves the record's entry.
    ReceiptFalse,
    /// Receipts, manifest and status rest on one head.
    HeadDiffers,
    /// The entry deposits the record that the status is about.
    OtherRecord,
    /// The record was deposited, not granted by an application: what grants it is not proved by a bundle.
    RecordGranted,
    /// The event says what the facts say.
    EventFalse,
    /// The issuer's history is whole and true.
    HistoryFalse,
    /// The record's key was the issuer's, for records, and in force.
    KeyNotInForce,
    /// The record's key was not reported as compromised for that time.
    KeySuspect,
    /// The issuer's signature is strictly valid.
    SignatureFalse,
    /// The leaf is under the root that its manifest signs, and came in time.
    BatchFalse,
    /// The issuer was accredited for the record.
    NotAccredited,
    /// The details are those committed to.
    DetailsFalse,
    /// The status is signed by the bank, about this record, at this head.
    StatusFalse,
}

impl BundleRule {
    /// Every rule, once.
    pub const ALL: [Self; 18] = [
        Self::ContainerMalformed,
        Self::FilesWrong,
        Self::ManifestInvalid,
        Self::ManifestDiffers,
        Self::OtherLog,
        Self::ReceiptFalse,
        Self::HeadDiffers,
        Self::OtherRecord,
        Self::RecordGranted,
        Self::EventFalse,
        Self::HistoryFalse,
        Self::KeyNotInForce,
        Self::KeySuspect,
        Self::SignatureFalse,
        Self::BatchFalse,
        Self::NotAccredited,
        Self::DetailsFalse,
        Self::StatusFalse,
    ];

    /// The stable code, for example `MANIFEST_DIFFERS`.
    pub fn code(self) -> &'static str {
        match self {
            Self::ContainerMalformed => "CONTAINER_MALFORMED",
            Self::FilesWrong => "FILES_WRONG",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestDiffers => "MANIFEST_DIFFERS",
            Self::OtherLog => "OTHER_LOG",
            Self::ReceiptFalse => "RECEIPT_FALSE",
            Self::HeadDiffers => "HEAD_DIFFERS",
            Self::OtherRecord => "OTHER_RECORD",
            Self::RecordGranted => "RECORD_GRANTED",
            Self::EventFalse => "EVENT_FALSE",
            Self::HistoryFalse => "HISTORY_FALSE",
            Self::KeyNotInForce => "KEY_NOT_IN_FORCE",
            Self::KeySuspect => "KEY_SUSPECT",
            Self::SignatureFalse => "SIGNATURE_FALSE",
            Self::BatchFalse => "BATCH_FALSE",
            Self::NotAccredited => "NOT_ACCREDITED",
            Self::DetailsFalse => "DETAILS_FALSE",
            Self::StatusFalse => "STATUS_FALSE",
        }
    }

    /// What is wrong, in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::ContainerMalformed => "the file is not a record bundle, or was changed",
            Self::FilesWrong => "a part of the bundle is missing, does not belong there or cannot be read",
            Self::ManifestInvalid => "the bank's signature over the bundle is not there or false",
            Self::ManifestDiffers => "a part of the bundle is not the one that the bank signed",
            Self::OtherLog => "the bundle is of another ledger than the one that the trust file pins",
            Self::ReceiptFalse => "the record is not proved to be in the ledger",
            Self::HeadDiffers => "the parts of the bundle are of different moments",
            Self::OtherRecord => "the proofs are of another record",
            Self::RecordGranted => {
                "the record was granted by an application, which this form of bundle does not prove"
            }
            Self::EventFalse => "the ledger recorded something else than the issuer signed",
            Self::HistoryFalse => "the history of the issuer's keys has a gap or is false",
            Self::KeyNotInForce => "the key that signed was not the issuer's for records, or not in force",
            Self::KeySuspect => "the key that signed is reported as compromised for that time",
            Self::SignatureFalse => "the issuer's signature is false",
            Self::BatchFalse => "the record does not belong to the batch that the issuer signed",
            Self::NotAccredited => "the issuer was not accredited for such a record",
            Self::DetailsFalse => "the details are not those that the issuer signed for",
            Self::StatusFalse => "the status is not what the bank signed for this record",
        }
    }

    /// What is wrong, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::ContainerMalformed => "文件不是成果证明包，或已被改动",
            Self::FilesWrong => "证明包缺少部分、含有不应有的部分或某部分无法读取",
            Self::ManifestInvalid => "银行对证明包的签名缺失或不成立",
            Self::ManifestDiffers => "证明包的某部分不是银行所签的内容",
            Self::OtherLog => "证明包属于另一个账本，与信任文件不符",
            Self::ReceiptFalse => "未能证明该成果在账本中",
            Self::HeadDiffers => "证明包各部分不属于同一时刻",
            Self::OtherRecord => "证明针对的是另一项成果",
            Self::RecordGranted => "该成果由申请转换或兑换而来，此种证明包不能证明",
            Self::EventFalse => "账本所记与颁发机构所签不符",
            Self::HistoryFalse => "颁发机构的密钥历史有缺口或不成立",
            Self::KeyNotInForce => "签名密钥不是颁发机构的成果密钥，或当时未生效",
            Self::KeySuspect => "签名密钥在该时段已被报告泄露",
            Self::SignatureFalse => "颁发机构的签名不成立",
            Self::BatchFalse => "该成果不属于颁发机构所签的批次",
            Self::NotAccredited => "颁发机构没有颁发此类成果的资质",
            Self::DetailsFalse => "明细不是颁发机构所签承诺的内容",
            Self::StatusFalse => "状态不是银行为该成果所签",
        }
    }
}

impl fmt::Display for BundleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_both_languages_are_spoken() {
        let codes: BTreeSet<&str> = BundleRule::ALL.into_iter().map(BundleRule::code).collect();
        assert_eq!(codes.len(), BundleRule::ALL.len());
        for rule in BundleRule::ALL {
            assert!(rule.code().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{rule}");
            assert!(rule.en().is_ascii() && !rule.zh().is_ascii(), "{rule}");
        }
    }
}
