//! What a caller is told when a call does not succeed. This is the only file that knows gRPC's codes.

use crate::failure::Failure;
use credit_proto::v1;
use credit_types::Rejection;
use credit_types::rejection::Class;
use std::time::Duration;
use tonic::codegen::http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The domain of every reason.
pub(crate) const DOMAIN: &str = "creditbank.v1";
/// When a caller who met a full queue may come again.
pub(crate) const RETRY_BUSY: Duration = Duration::from_millis(200);
/// When a caller who does not know the outcome may send the same again.
pub(crate) const RETRY_UNKNOWN: Duration = Duration::from_secs(1);
/// The header in which a caller names their language.
const LANGUAGE_KEY: &str = "accept-language";

/// The languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English, where nothing else is asked for.
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// The language that a request asks for: Chinese where `accept-language` begins with `zh`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let asked = headers.get(LANGUAGE_KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let chinese = asked.trim_start().get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if chinese { Self::Chinese } else { Self::English }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

/// What an edge call can come to besides success: a failure behind the edge, or one that only the edge knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The ledger or a read failed.
    Behind(Failure),
    /// The caller's institution is not the one that signed the statement.
    SignerNotCaller,
    /// There is no such method, or it has no policy.
    NoMethod,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Behind(failure)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::Behind(Failure::Refused(rejection))
    }
}

/// All that is said about a problem, before it takes the form of a status or a refusal.
struct Account {
    code: Code,
    reason: &'static str,
    en: String,
    zh: String,
    field: Option<String>,
    index: Option<u64>,
    number: Option<u32>,
    retry: Option<Duration>,
    retryable: bool,
}

impl Account {
    fn plain(code: Code, reason: &'static str, en: &str, zh: &str) -> Self {
        Self {
            code,
            reason,
            en: en.to_owned(),
            zh: zh.to_owned(),
            field: None,
            index: None,
            number: None,
            retry: None,
            retryable: false,
        }
    }

    fn retry_after(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self.retryable = true;
        self
    }

    fn of_rejection(rejection: &Rejection) -> Self {
        let Rejection { reason, field, index, detail } = rejection;
        let code = match reason.class() {
            Class::Invalid => Code::InvalidArgument,
            Class::Permission => Code::PermissionDenied,
            Class::NotFound => Code::NotFound,
            Class::Exists => Code::AlreadyExists,
            Class::Precondition => Code::FailedPrecondition,
            Class::Exhausted => Code::ResourceExhausted,
        };
        let detail = detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        Self {
            code,
            reason: reason.name(),
            en: format!("{}{detail}; {}", reason.en(), reason.remedy_en()),
            zh: format!("{}{detail}；{}", reason.zh(), reason.remedy_zh()),
            field: field.clone(),
            index: *index,
            number: Some(reason.number()),
            retry: None,
            retryable: reason.class() == Class::Exhausted,
        }
    }

    /// Writes have stopped, for this reason.
    fn of_stop(code: &'static str) -> Self {
        // The one that ends without a restart: when there is room again.
        let mut account = if code == "NO_SPACE" {
            Self::plain(
                Code::ResourceExhausted,
                code,
                "the disk is too full to write until the operator makes room; send the same again then; reads go on",
                "磁盘空间不足，待运维腾出空间后请原样重试；读取不受影响",
            )
        } else {
            Self::plain(
                Code::Unavailable,
                code,
                "writes have stopped until the operator restarts the server; reads go on",
                "写入已停止，待运维重启；读取不受影响",
            )
        };
        account.retryable = true;
        account
    }

    fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(rejection) => Self::of_rejection(rejection),
            Failure::Busy => Self::plain(
                Code::ResourceExhausted,
                "BUSY",
                "the queue is full; send the same again later",
                "队列已满，请稍后原样重试",
            )
            .retry_after(RETRY_BUSY),
            Failure::Unknown => Self::plain(
                Code::Unavailable,
                "OUTCOME_UNKNOWN",
                "outcome not known; retry with the same statement",
                "结果未知，请用同一声明重试",
            )
            .retry_after(RETRY_UNKNOWN),
            Failure::ReadOnly(code) => Self::of_stop(code),
            Failure::NotFound(what) => {
                Self::plain(Code::NotFound, "NOT_FOUND", &format!("{what} not found"), "未找到所请求的对象")
            }
            Failure::DataKeyMissing => Self::plain(
                Code::FailedPrecondition,
                "DATA_KEY_MISSING",
                "the account's data key is missing from the keyring, and the log does not say that it was erased; \
                 the operator has to put the newest keyring back; facts can be listed without details meanwhile",
                "密钥环中缺少该账户的数据密钥，而日志中并无抹除记录；请运维恢复最新的密钥环，此前可不带明细查询",
            ),
            Failure::Denied => Self::plain(
                Code::PermissionDenied,
                "PERMISSION_DENIED",
                "the caller may not do this, or there is no such thing",
                "无权访问，或对象不存在",
            ),
            Failure::NotParty => Self::plain(
                Code::PermissionDenied,
                "NOT_A_PARTY",
                "the entry is about accounts and the caller is not a party to it; its core and the proof that it is \
                 in the log are open to everybody: ListEntries, GetInclusionProof",
                "该条目涉及学习账户，调用方不是当事方；条目核心及其包含证明对所有人开放：ListEntries、GetInclusionProof",
            ),
            Failure::Unauthenticated(code) => Self::plain(
                Code::Unauthenticated,
                code,
                "the caller is not known; present a valid access token",
                "身份未确认，请提供有效的访问令牌",
            ),
            Failure::Invalid { field, problem } => {
                let zh = format!("请求字段无效：{problem}");
                let mut account = Self::plain(Code::InvalidArgument, "FIELD_INVALID", problem, &zh);
                account.field = Some(field.clone());
                account
            }
            // What failed stands in our own log; a caller learns nothing of it.
            Failure::Fault(_) => {
                let mut account = Self::plain(
                    Code::Unavailable,
                    "FAULT",
                    "the server could not do this; retry with the same request",
                    "服务器暂时无法完成，请原样重试",
                );
                account.retryable = true;
                account
            }
        }
    }

    fn of(problem: &Problem) -> Self {
        match problem {
            Problem::Behind(failure) => Self::of_failure(failure),
            Problem::SignerNotCaller => Self::plain(
                Code::PermissionDenied,
                "SIGNER_NOT_CALLER",
                "the statement's signer is not the caller's institution; send it with that institution's token",
                "声明的签名机构与调用方不符",
            ),
            Problem::NoMethod => {
                Self::plain(Code::Unimplemented, "NO_SUCH_METHOD", "there is no such method", "方法不存在")
            }
        }
    }

    #[expect(
        clippy::disallowed_types,
        reason = "tonic-types takes the metadata as a HashMap; it is built and given"
    )]
    fn details(&self, language: Language) -> ErrorDetails {
        let metadata: std::collections::HashMap<String, String> = [
            ("field", self.field.clone()),
            ("index", self.index.map(|index| index.to_string())),
            ("number", self.number.map(|number| number.to_string())),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
        .collect();
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, metadata);
        if self.code == Code::InvalidArgument || self.field.is_some() {
            details.add_bad_request_violation(self.field.clone().unwrap_or_default(), self.en.clone());
        }
        if self.retry.is_some() {
            details.set_retry_info(self.retry);
        }
        let message = match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        };
        details.set_localized_message(language.tag(), message.clone());
        details
    }
}

/// The status of a problem, with its details, in the caller's language.
pub(crate) fn status(problem: &Problem, language: Language) -> Status {
    let account = Account::of(problem);
    // The message is for programmers and always English; what people read is the localized one.
    let message = match &account.field {
        Some(field) => format!("{}: {field}: {}", account.reason, account.en),
        None => format!("{}: {}", account.reason, account.en),
    };
    Status::with_error_details(account.code, message, account.details(language))
}

/// The stable reason of a problem, for metrics.
pub(crate) fn reason_of(problem: &Problem) -> &'static str {
    Account::of(problem).reason
}

/// A refusal of the ledger, as it stands in a stream's answers.
pub(crate) fn refusal(rejection: &Rejection) -> v1::Refusal {
    refusal_of(&Problem::Behind(Failure::Refused(rejection.clone())))
}

/// Any problem of one element of a stream, as it stands in the stream's answers.
pub(crate) fn refusal_of(problem: &Problem) -> v1::Refusal {
    let Account { code: _, reason, en, zh, field, index: _, number: _, retry: _, retryable } =
        Account::of(problem);
    v1::Refusal {
        reason: reason.to_owned(),
        message_en: en,
        message_zh: zh,
        field: field.unwrap_or_default(),
        retryable,
    }
}

/// The name of a code as metrics and logs write it.
fn label(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The name of the code with which a call ends, read from the headers of its answer: an answer that failed before
/// its first message has the code there, any other began well.
pub(crate) fn code_of_headers(headers: &HeaderMap) -> &'static str {
    headers.get("grpc-status").map_or("OK", |value| label(Code::from_bytes(value.as_bytes())))
}

/// The name of a status's code.
pub(crate) fn code_of(status: &Status) -> &'static str {
    label(status.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::Reason;

    fn headers(language: &str) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert(LANGUAGE_KEY, language.parse().unwrap());
        map
    }

    #[test]
    fn the_language_is_english_unless_chinese_is_asked_for() {
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
        for (asked, language) in [
            ("zh", Language::Chinese),
            ("zh-CN,en;q=0.5", Language::Chinese),
            (" ZH-hant", Language::Chinese),
            ("en, zh", Language::English),
            ("z", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of(&headers(asked)), language, "{asked}");
        }
    }

    #[test]
    fn every_reason_has_the_code_of_its_class_and_says_so_in_both_languages() {
        for reason in Reason::all() {
            let problem = Problem::from(Failure::from(reason));
            let status = status(&problem, Language::Chinese);
            let code = match reason.class() {
                Class::Invalid => Code::InvalidArgument,
                Class::Permission => Code::PermissionDenied,
                Class::NotFound => Code::NotFound,
                Class::Exists => Code::AlreadyExists,
                Class::Precondition => Code::FailedPrecondition,
                Class::Exhausted => Code::ResourceExhausted,
            };
            assert_eq!(status.code(), code, "{reason}");
            let info = status.get_details_error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.name(), DOMAIN));
            assert_eq!(info.metadata["number"], reason.number().to_string());
            let text = status.get_details_localized_message().unwrap();
            let chinese = format!("{}；{}", reason.zh(), reason.remedy_zh());
            assert_eq!((text.locale.as_str(), text.message.as_str()), ("zh-CN", chinese.as_str()));
            assert_eq!(status.get_details_bad_request().is_some(), code == Code::InvalidArgument, "{reason}");
            let refused = refusal(&Rejection::new(reason));
            assert_eq!(refused.reason, reason.name());
            assert_eq!(refused.message_zh, chinese);
            assert_eq!(refused.message_en, format!("{}; {}", reason.en(), reason.remedy_en()));
            assert_eq!(refused.retryable, code == Code::ResourceExhausted, "{reason}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_the_entry_and_what_exactly_is_wrong() {
        let rejection =
            Rejection::new(Reason::RecordExists).field("facts.record_id").index(7).detail("seen before");
        let status = status(&Problem::from(rejection.clone()), Language::English);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["field"], "facts.record_id");
        assert_eq!(info.metadata["index"], "7");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "facts.record_id");
        assert!(violations[0].description.contains("(seen before)"));
        assert_eq!(status.get_details_localized_message().unwrap().locale, "en");
        assert_eq!(refusal(&rejection).field, "facts.record_id");
    }

    #[test]
    fn what_may_be_retried_says_when_and_a_fault_says_nothing_of_its_cause() {
        let busy = status(&Problem::from(Failure::Busy), Language::English);
        assert_eq!(busy.code(), Code::ResourceExhausted);
        assert_eq!(busy.get_details_retry_info().unwrap().retry_delay, Some(RETRY_BUSY));
        let unknown = status(&Problem::from(Failure::Unknown), Language::English);
        assert_eq!(unknown.code(), Code::Unavailable);
        assert!(unknown.message().contains("outcome not known"));
        assert_eq!(unknown.get_details_retry_info().unwrap().retry_delay, Some(RETRY_UNKNOWN));
        let fault = status(&Problem::from(Failure::Fault("/secret/path".to_owned())), Language::English);
        assert_eq!(fault.code(), Code::Unavailable);
        assert!(!format!("{fault:?}").contains("secret"));
        assert!(fault.get_details_retry_info().is_none());
        for problem in [Failure::Busy, Failure::Unknown, Failure::ReadOnly("STORE_FAILED")] {
            assert!(refusal_of(&Problem::from(problem)).retryable);
        }
        for problem in [Problem::SignerNotCaller, Problem::NoMethod, Problem::from(Failure::Denied)] {
            assert!(!refusal_of(&problem).retryable);
        }
    }

    #[test]
    fn the_edge_has_its_own_codes() {
        let code = |problem: &Problem| {
            let status = status(problem, Language::English);
            (status.code(), status.get_details_error_info().unwrap().reason)
        };
        let cases = [
            (Problem::SignerNotCaller, Code::PermissionDenied, "SIGNER_NOT_CALLER"),
            (Problem::NoMethod, Code::Unimplemented, "NO_SUCH_METHOD"),
            (Problem::from(Failure::Denied), Code::PermissionDenied, "PERMISSION_DENIED"),
            (Problem::from(Failure::NotParty), Code::PermissionDenied, "NOT_A_PARTY"),
            (
                Problem::from(Failure::Unauthenticated("TOKEN_EXPIRED")),
                Code::Unauthenticated,
                "TOKEN_EXPIRED",
            ),
            (Problem::from(Failure::NotFound("record")), Code::NotFound, "NOT_FOUND"),
            (Problem::from(Failure::DataKeyMissing), Code::FailedPrecondition, "DATA_KEY_MISSING"),
            (Problem::from(Failure::ReadOnly("NO_SPACE")), Code::ResourceExhausted, "NO_SPACE"),
            (Problem::from(Failure::ReadOnly("CLOCK_BEHIND")), Code::Unavailable, "CLOCK_BEHIND"),
        ];
        for (problem, want, reason) in cases {
            assert_eq!(code(&problem), (want, reason.to_owned()));
        }
        let invalid = Failure::Invalid { field: "page_token".to_owned(), problem: "is not ours".to_owned() };
        let invalid = status(&Problem::from(invalid), Language::English);
        assert_eq!(invalid.code(), Code::InvalidArgument);
        assert_eq!(invalid.get_details_bad_request().unwrap().field_violations[0].field, "page_token");
    }

    #[test]
    fn the_code_of_an_answer_is_read_from_its_headers() {
        assert_eq!(code_of_headers(&HeaderMap::new()), "OK");
        let denied = status(&Problem::SignerNotCaller, Language::English);
        assert_eq!(code_of(&denied), "PERMISSION_DENIED");
        assert_eq!(code_of_headers(denied.into_http::<tonic::body::Body>().headers()), "PERMISSION_DENIED");
    }
}
