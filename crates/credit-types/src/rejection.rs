//! Refusals: the ledger says no, changes nothing, and the caller can act.
//!
//! [`Reason`] is the one list. Its numbers stand in the log (refused leaves of a batch) and its names on the wire, so
//! neither is ever reused. Reasons stand in the order in which they are checked: the first that applies is given.

use std::fmt;

/// What a refusal is like; an edge maps it to its own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request can never be accepted as it is.
    Invalid,
    /// The signer may not do this.
    Permission,
    /// Something that the request names is not there.
    NotFound,
    /// Something that the request would make is there already.
    Exists,
    /// The state of the ledger does not allow it.
    Precondition,
    /// A limit is reached for the moment.
    Exhausted,
}

/// Why the ledger refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A field is missing or out of its bounds.
    FieldInvalid = 1,
    /// The payload is not in canonical form.
    PayloadNotCanonical = 2,
    /// The payload type is not the one this call takes.
    PayloadTypeWrong = 3,
    /// A signature does not verify.
    SignatureInvalid = 4,
    /// The secret part does not match its commitment.
    CommitmentMismatch = 5,
    /// The entry would be larger than its limit.
    EntryTooLarge = 6,
    /// The ledger has been created before.
    LedgerExists = 7,
    /// The statement is meant for another log.
    LogIdMismatch = 8,
    /// The statement_id was used before for another statement.
    CommandIdReused = 9,
    /// The statement names no head of the log.
    AnchorMissing = 10,
    /// The anchor's size is not a size this log has had.
    AnchorUnknown = 11,
    /// The anchor's root is not this log's root at that size.
    AnchorForged = 12,
    /// The anchor is older than the log's policy allows.
    AnchorStale = 13,
    /// The signer is not a known institution.
    SignerUnknown = 14,
    /// This kind of signer may not sign this statement.
    SignerNotAllowed = 15,
    /// The signer does not have the role that this needs.
    RoleMissing = 16,
    /// A signing key is not known.
    KeyUnknown = 17,
    /// A signing key belongs to someone else.
    KeyOfAnother = 18,
    /// A signing key was reported as compromised.
    KeyCompromised = 19,
    /// A signing key is retired.
    KeyRetired = 20,
    /// A signing key may not sign this kind of statement.
    KeyPurposeWrong = 21,
    /// A new key has not signed for itself.
    PossessionMissing = 22,
    /// Too few authority keys have signed.
    ThresholdNotMet = 23,
    /// There are more signatures than the statement needs.
    SignatureNotNeeded = 24,
    /// The institution was admitted before.
    InstitutionExists = 25,
    /// The parent centre is not admitted.
    ParentUnknown = 26,
    /// The key was registered before.
    KeyExists = 27,
    /// The institution has as many keys as it may have.
    KeyLimitReached = 28,
    /// The framework's version is not newer.
    FrameworkVersionNotNewer = 29,
    /// A new version may not change or drop the level scale.
    FrameworkLevelsChanged = 30,
    /// A scheme is registered by another framework.
    SchemeOfAnother = 31,
    /// A new version may not change a scheme's step or kind.
    SchemeChanged = 32,
    /// The key that the statement is about is not known.
    KeyNotFound = 33,
    /// The suspect range begins before the key's activation.
    SuspectBeforeActivation = 34,
    /// The suspect range begins after this entry.
    SuspectInFuture = 35,
    /// The owner alone may not reach back that far.
    SuspectTooFarBack = 36,
    /// The account is not known.
    AccountUnknown = 37,
    /// The account id is taken.
    AccountExists = 38,
    /// Another account has the same document or number.
    AliasExists = 39,
    /// The account is closed.
    AccountClosed = 40,
    /// The account is not active.
    AccountNotActive = 41,
    /// The account is not suspended.
    AccountNotSuspended = 42,
    /// The account has as many records as it may have.
    AccountFull = 43,
    /// A regulator must cite the order.
    OrderRefMissing = 44,
    /// The record is not known.
    RecordUnknown = 45,
    /// The issuer has used the record_id before.
    RecordExists = 46,
    /// The same outcome is recorded under another id.
    OutcomeExists = 47,
    /// The record belongs to another account.
    RecordOfAnotherAccount = 48,
    /// The record is revoked.
    RecordRevoked = 49,
    /// The record is superseded.
    RecordSuperseded = 50,
    /// The record is not suspended.
    RecordNotSuspended = 51,
    /// The record is suspended already.
    RecordAlreadySuspended = 52,
    /// The statement follows an older state of its subject.
    StaleStatement = 53,
    /// The status has changed as often as it may.
    StatusLimitReached = 54,
    /// The award lies in the future.
    AwardedInFuture = 55,
    /// The validity ends before the award.
    ValidityBeforeAward = 56,
    /// The dates of learning run backwards.
    DatesBackwards = 57,
    /// The change would take effect in the future.
    EffectiveInFuture = 58,
    /// No accreditation covers this kind of record.
    NotAccredited = 59,
    /// The accreditation was not in force on the day of the award.
    AccreditationNotInForce = 60,
    /// No accreditation covers this level.
    LevelNotAccredited = 61,
    /// No accreditation covers this subject or occupation.
    SubjectNotAccredited = 62,
    /// The framework is not published.
    FrameworkUnknown = 63,
    /// The level is not on the framework's scale.
    LevelNotInFramework = 64,
    /// The credit scheme is not registered.
    SchemeUnknown = 65,
    /// The amount is not a multiple of the scheme's step.
    AmountOffStep = 66,
    /// The signer has as many open batches as it may have.
    BatchLimitReached = 67,
    /// The batch is not known.
    BatchUnknown = 68,
    /// The batch belongs to another signer.
    BatchOfAnother = 69,
    /// The batch is closed.
    BatchClosed = 70,
    /// The batch's days are over.
    BatchExpired = 71,
    /// Chunks enter in order.
    ChunkOutOfOrder = 72,
    /// The chunk has the wrong count of leaves.
    ChunkSizeWrong = 73,
    /// The chunk does not belong to the manifest's root.
    ChunkPathWrong = 74,
    /// The leaves are not strictly ascending.
    LeafOrderWrong = 75,
    /// The protocol is not one this software speaks.
    ProtocolUnknown = 76,
}

/// Everything that is said about a reason.
struct Row {
    reason: Reason,
    name: &'static str,
    class: Class,
    en: &'static str,
    zh: &'static str,
    remedy: &'static str,
}

const fn row(
    reason: Reason,
    name: &'static str,
    class: Class,
    en: &'static str,
    zh: &'static str,
    remedy: &'static str,
) -> Row {
    Row { reason, name, class, en, zh, remedy }
}

#[rustfmt::skip]
static ROWS: [Row; 76] = [
    row(Reason::FieldInvalid, "FIELD_INVALID", Class::Invalid,
        "a field is missing or out of its bounds", "字段缺失或超出范围",
        "correct the named field; its bounds are in the reference"),
    row(Reason::PayloadNotCanonical, "PAYLOAD_NOT_CANONICAL", Class::Invalid,
        "the payload is not in canonical form", "签名内容不是规范编码",
        "encode fields in ascending order with minimal varints, without defaults or unknown fields; the offset says where"),
    row(Reason::PayloadTypeWrong, "PAYLOAD_TYPE_WRONG", Class::Invalid,
        "the payload type is not the one this call takes", "签名内容类型不符",
        "use the payload type that the reference names for this call"),
    row(Reason::SignatureInvalid, "SIGNATURE_INVALID", Class::Permission,
        "a signature does not verify", "签名无效",
        "sign PAE(payload type, payload) with the key that the kid names"),
    row(Reason::CommitmentMismatch, "COMMITMENT_MISMATCH", Class::Invalid,
        "the secret part does not match its commitment", "明细与承诺值不符",
        "send the salt and bytes that were committed to"),
    row(Reason::EntryTooLarge, "ENTRY_TOO_LARGE", Class::Invalid,
        "the entry would be larger than its limit", "日志条目超出大小上限",
        "shorten the statement or split the batch"),
    row(Reason::LedgerExists, "LEDGER_EXISTS", Class::Precondition,
        "the ledger has been created before", "账本已经建立",
        "a log has one genesis"),
    row(Reason::LogIdMismatch, "LOG_ID_MISMATCH", Class::Precondition,
        "the statement is meant for another log", "声明属于另一个账本",
        "name this log's id in the header"),
    row(Reason::CommandIdReused, "COMMAND_ID_REUSED", Class::Exists,
        "the statement_id was used before for another statement", "声明编号已用于其他内容",
        "draw a new UUIDv7 for a new statement"),
    row(Reason::AnchorMissing, "ANCHOR_MISSING", Class::Precondition,
        "the statement names no head of the log", "声明缺少日志锚点",
        "name the newest checkpoint that you have verified"),
    row(Reason::AnchorUnknown, "ANCHOR_UNKNOWN", Class::Precondition,
        "the anchor's size is not a size this log has had", "锚点超出日志长度",
        "name a head of this log"),
    row(Reason::AnchorForged, "ANCHOR_FORGED", Class::Precondition,
        "the anchor's root is not this log's root at that size", "锚点根值与本日志不符",
        "keep both heads: one of them is forged; report it"),
    row(Reason::AnchorStale, "ANCHOR_STALE", Class::Precondition,
        "the anchor is older than the log's policy allows", "锚点过旧",
        "fetch and verify a newer checkpoint, then sign again"),
    row(Reason::SignerUnknown, "SIGNER_UNKNOWN", Class::NotFound,
        "the signer is not a known institution", "签名机构未登记",
        "have the institution admitted first"),
    row(Reason::SignerNotAllowed, "SIGNER_NOT_ALLOWED", Class::Permission,
        "this kind of signer may not sign this statement", "签名者类别无权签署此声明",
        "have it signed by whom the evidence table names"),
    row(Reason::RoleMissing, "ROLE_MISSING", Class::Permission,
        "the signer does not have the role that this needs", "签名机构缺少所需角色",
        "have the institution admitted with the role"),
    row(Reason::KeyUnknown, "KEY_UNKNOWN", Class::Permission,
        "a signing key is not known", "签名密钥未登记",
        "add the key first"),
    row(Reason::KeyOfAnother, "KEY_OF_ANOTHER", Class::Permission,
        "a signing key belongs to someone else", "签名密钥属于其他机构",
        "sign with a key of the signer"),
    row(Reason::KeyCompromised, "KEY_COMPROMISED", Class::Permission,
        "a signing key was reported as compromised", "签名密钥已被报告泄露",
        "sign with another key"),
    row(Reason::KeyRetired, "KEY_RETIRED", Class::Permission,
        "a signing key is retired", "签名密钥已停用",
        "sign with an active key"),
    row(Reason::KeyPurposeWrong, "KEY_PURPOSE_WRONG", Class::Permission,
        "a signing key may not sign this kind of statement", "签名密钥用途不符",
        "sign with a key of the purpose that the reference names"),
    row(Reason::PossessionMissing, "POSSESSION_MISSING", Class::Permission,
        "a new key has not signed for itself", "新密钥缺少持有证明",
        "sign the same payload with the new key too"),
    row(Reason::ThresholdNotMet, "THRESHOLD_NOT_MET", Class::Permission,
        "too few authority keys have signed", "主管方签名数量不足",
        "collect the threshold's signatures"),
    row(Reason::SignatureNotNeeded, "SIGNATURE_NOT_NEEDED", Class::Invalid,
        "there are more signatures than the statement needs", "存在多余签名",
        "leave out signatures that the evidence table does not name"),
    row(Reason::InstitutionExists, "INSTITUTION_EXISTS", Class::Exists,
        "the institution was admitted before", "机构已登记",
        "use another id"),
    row(Reason::ParentUnknown, "PARENT_UNKNOWN", Class::NotFound,
        "the parent centre is not admitted", "上级中心未登记",
        "admit the parent first"),
    row(Reason::KeyExists, "KEY_EXISTS", Class::Exists,
        "the key was registered before", "密钥已登记",
        "generate a new key; a key has one owner for ever"),
    row(Reason::KeyLimitReached, "KEY_LIMIT_REACHED", Class::Precondition,
        "the institution has as many keys as it may have", "机构密钥数量已达上限",
        "retired keys count; ask the authority"),
    row(Reason::FrameworkVersionNotNewer, "FRAMEWORK_VERSION_NOT_NEWER", Class::Precondition,
        "the framework's version is not newer", "框架版本号未递增",
        "raise the version"),
    row(Reason::FrameworkLevelsChanged, "FRAMEWORK_LEVELS_CHANGED", Class::Precondition,
        "a new version may not change or drop the level scale", "新版本不得更改等级刻度",
        "publish another framework"),
    row(Reason::SchemeOfAnother, "SCHEME_OF_ANOTHER", Class::Exists,
        "a scheme is registered by another framework", "学分制式已由其他框架登记",
        "choose another scheme name"),
    row(Reason::SchemeChanged, "SCHEME_CHANGED", Class::Precondition,
        "a new version may not change a scheme's step or kind", "新版本不得更改学分制式的步长或类别",
        "register a new scheme"),
    row(Reason::KeyNotFound, "KEY_NOT_FOUND", Class::NotFound,
        "the key that the statement is about is not known", "目标密钥不存在",
        "check the kid"),
    row(Reason::SuspectBeforeActivation, "SUSPECT_BEFORE_ACTIVATION", Class::Precondition,
        "the suspect range begins before the key's activation", "存疑起点早于密钥启用",
        "begin at the key's activation or later"),
    row(Reason::SuspectInFuture, "SUSPECT_IN_FUTURE", Class::Precondition,
        "the suspect range begins after this entry", "存疑起点晚于本条目",
        "begin at an index that exists"),
    row(Reason::SuspectTooFarBack, "SUSPECT_TOO_FAR_BACK", Class::Precondition,
        "the owner alone may not reach back that far", "机构自行追溯的时间过长",
        "have the authority sign"),
    row(Reason::AccountUnknown, "ACCOUNT_UNKNOWN", Class::NotFound,
        "the account is not known", "学习账户不存在",
        "resolve the account first"),
    row(Reason::AccountExists, "ACCOUNT_EXISTS", Class::Exists,
        "the account id is taken", "账户标识已被占用",
        "retry: the bank draws another"),
    row(Reason::AliasExists, "ALIAS_EXISTS", Class::Exists,
        "another account has the same document or number", "该证件或学号已对应其他账户",
        "resolve the account instead of opening one"),
    row(Reason::AccountClosed, "ACCOUNT_CLOSED", Class::Precondition,
        "the account is closed", "学习账户已销户",
        "ask the registrar"),
    row(Reason::AccountNotActive, "ACCOUNT_NOT_ACTIVE", Class::Precondition,
        "the account is not active", "学习账户不在正常状态",
        "look at its status"),
    row(Reason::AccountNotSuspended, "ACCOUNT_NOT_SUSPENDED", Class::Precondition,
        "the account is not suspended", "学习账户未被冻结",
        "look at its status"),
    row(Reason::AccountFull, "ACCOUNT_FULL", Class::Precondition,
        "the account has as many records as it may have", "账户成果数量已达上限",
        "ask the bank"),
    row(Reason::OrderRefMissing, "ORDER_REF_MISSING", Class::Invalid,
        "a regulator must cite the order", "监管机构须注明文书编号",
        "set order_ref"),
    row(Reason::RecordUnknown, "RECORD_UNKNOWN", Class::NotFound,
        "the record is not known", "学习成果不存在",
        "check issuer and record_id"),
    row(Reason::RecordExists, "RECORD_EXISTS", Class::Exists,
        "the issuer has used the record_id before", "成果编号已存在",
        "a record is corrected, not sent again; new records need new ids"),
    row(Reason::OutcomeExists, "OUTCOME_EXISTS", Class::Exists,
        "the same outcome is recorded under another id", "同一成果已登记",
        "correct or revoke the other record"),
    row(Reason::RecordOfAnotherAccount, "RECORD_OF_ANOTHER_ACCOUNT", Class::Precondition,
        "the record belongs to another account", "成果属于其他账户",
        "name the record's own account"),
    row(Reason::RecordRevoked, "RECORD_REVOKED", Class::Precondition,
        "the record is revoked", "成果已吊销",
        "a revoked record stays revoked"),
    row(Reason::RecordSuperseded, "RECORD_SUPERSEDED", Class::Precondition,
        "the record is superseded", "成果已被更正",
        "name the record that superseded it"),
    row(Reason::RecordNotSuspended, "RECORD_NOT_SUSPENDED", Class::Precondition,
        "the record is not suspended", "成果未被中止",
        "look at its status"),
    row(Reason::RecordAlreadySuspended, "RECORD_ALREADY_SUSPENDED", Class::Precondition,
        "the record is suspended already", "成果已处于中止状态",
        "look at its status"),
    row(Reason::StaleStatement, "STALE_STATEMENT", Class::Precondition,
        "the statement follows an older state of its subject", "声明所依据的状态已过时",
        "read the status again, name its last entry as `after`, sign again"),
    row(Reason::StatusLimitReached, "STATUS_LIMIT_REACHED", Class::Precondition,
        "the status has changed as often as it may", "状态变更次数已达上限",
        "only a revocation or closure is still possible"),
    row(Reason::AwardedInFuture, "AWARDED_IN_FUTURE", Class::Precondition,
        "the award lies in the future", "获得日期晚于今天",
        "submit on or after the day of the award"),
    row(Reason::ValidityBeforeAward, "VALIDITY_BEFORE_AWARD", Class::Invalid,
        "the validity ends before the award", "有效期早于获得日期",
        "correct valid_until"),
    row(Reason::DatesBackwards, "DATES_BACKWARDS", Class::Invalid,
        "the dates of learning run backwards", "学习起止日期颠倒",
        "start_on ≤ end_on ≤ awarded_on"),
    row(Reason::EffectiveInFuture, "EFFECTIVE_IN_FUTURE", Class::Precondition,
        "the change would take effect in the future", "生效日期晚于今天",
        "submit on or after that day"),
    row(Reason::NotAccredited, "NOT_ACCREDITED", Class::Permission,
        "no accreditation covers this kind of record", "机构无此类成果资质",
        "extend the accreditation"),
    row(Reason::AccreditationNotInForce, "ACCREDITATION_NOT_IN_FORCE", Class::Permission,
        "the accreditation was not in force on the day of the award", "获得日期不在资质有效期内",
        "check awarded_on"),
    row(Reason::LevelNotAccredited, "LEVEL_NOT_ACCREDITED", Class::Permission,
        "no accreditation covers this level", "机构无此等级资质",
        "check the level"),
    row(Reason::SubjectNotAccredited, "SUBJECT_NOT_ACCREDITED", Class::Permission,
        "no accreditation covers this subject or occupation", "机构无此专业或职业资质",
        "check the code"),
    row(Reason::FrameworkUnknown, "FRAMEWORK_UNKNOWN", Class::NotFound,
        "the framework is not published", "资历框架未发布",
        "publish it first"),
    row(Reason::LevelNotInFramework, "LEVEL_NOT_IN_FRAMEWORK", Class::Precondition,
        "the level is not on the framework's scale", "等级不在框架刻度上",
        "check the level"),
    row(Reason::SchemeUnknown, "SCHEME_UNKNOWN", Class::NotFound,
        "the credit scheme is not registered", "学分制式未登记",
        "publish a framework with it first"),
    row(Reason::AmountOffStep, "AMOUNT_OFF_STEP", Class::Precondition,
        "the amount is not a multiple of the scheme's step", "学分数不是制式步长的倍数",
        "check the amount's scale: it counts milli-credits"),
    row(Reason::BatchLimitReached, "BATCH_LIMIT_REACHED", Class::Exhausted,
        "the signer has as many open batches as it may have", "未关闭批次数量已达上限",
        "finish or close a batch first"),
    row(Reason::BatchUnknown, "BATCH_UNKNOWN", Class::NotFound,
        "the batch is not known", "批次不存在",
        "open it by its manifest"),
    row(Reason::BatchOfAnother, "BATCH_OF_ANOTHER", Class::Permission,
        "the batch belongs to another signer", "批次属于其他机构",
        "name a batch of the signer"),
    row(Reason::BatchClosed, "BATCH_CLOSED", Class::Precondition,
        "the batch is closed", "批次已关闭",
        "open another batch"),
    row(Reason::BatchExpired, "BATCH_EXPIRED", Class::Precondition,
        "the batch's days are over", "批次已过期",
        "open another batch"),
    row(Reason::ChunkOutOfOrder, "CHUNK_OUT_OF_ORDER", Class::Precondition,
        "chunks enter in order", "分块未按顺序提交",
        "go on with the chunk that the batch's state names"),
    row(Reason::ChunkSizeWrong, "CHUNK_SIZE_WRONG", Class::Invalid,
        "the chunk has the wrong count of leaves", "分块条目数不符",
        "64 leaves, in the last chunk the rest"),
    row(Reason::ChunkPathWrong, "CHUNK_PATH_WRONG", Class::Invalid,
        "the chunk does not belong to the manifest's root", "分块与批次根值不符",
        "rebuild the tree over the very bytes that are sent"),
    row(Reason::LeafOrderWrong, "LEAF_ORDER_WRONG", Class::Invalid,
        "the leaves are not strictly ascending", "条目未严格升序排列",
        "sort by (account_ref, record_id), openings by leaf hash"),
    row(Reason::ProtocolUnknown, "PROTOCOL_UNKNOWN", Class::Precondition,
        "the protocol is not one this software speaks", "协议版本不受支持",
        "use newer software"),
];

impl Reason {
    /// Every reason, in the order in which they are checked.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.reason)
    }

    fn row(self) -> &'static Row {
        let found = ROWS.iter().find(|row| row.reason == self);
        // A test walks the list; a reason without a row can't be built.
        assert!(found.is_some(), "every reason has a row");
        found.unwrap_or(&ROWS[0])
    }

    /// The number that stands in the log, from 1.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The reason with a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::all().find(|reason| reason.number() == number)
    }

    /// The stable name, for example `RECORD_EXISTS`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The reason with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|reason| reason.name() == name)
    }

    /// What it is like.
    pub fn class(self) -> Class {
        self.row().class
    }

    /// What is wrong, in English.
    pub fn en(self) -> &'static str {
        self.row().en
    }

    /// What is wrong, in Chinese.
    pub fn zh(self) -> &'static str {
        self.row().zh
    }

    /// What to do about it, in English.
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal: the reason, and where it can be said, the field and the entry it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}{}", reason.name(), field.as_ref().map(|f| format!("{f}: ")).unwrap_or_default(), reason.en())]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The path of the field that is wrong, for example `amount.credits_milli`.
    pub field: Option<String>,
    /// Index of the entry that stands in the way.
    pub index: Option<u64>,
    /// What exactly is wrong, where the reason alone does not say it.
    pub detail: Option<String>,
}

impl Rejection {
    /// A refusal of the statement or command as a whole.
    pub fn new(reason: Reason) -> Self {
        Self { reason, field: None, index: None, detail: None }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the entry that stands in the way.
    #[must_use]
    pub fn index(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }

    /// Says what exactly is wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_run_from_one_without_gaps_and_names_are_unique() {
        let numbers: Vec<u32> = Reason::all().map(Reason::number).collect();
        let expected: Vec<u32> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected);
        let names: BTreeSet<&str> = Reason::all().map(Reason::name).collect();
        assert_eq!(names.len(), numbers.len());
        for reason in Reason::all() {
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
            assert!(!reason.zh().is_ascii() && reason.en().is_ascii(), "{reason} speaks both languages");
        }
        assert_eq!(Reason::from_number(0), None);
    }
}
