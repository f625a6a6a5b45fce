//! Why the status of an account or record changes, as it is given on the command line.

use clap::ValueEnum;
use credit_types::{StatusReason, Text};

/// The reason of a status change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reason {
    /// Issued in error · 误发
    IssuedInError,
    /// Fraud · 欺诈
    Fraud,
    /// The issuer's accreditation was withdrawn · 资质被撤
    AccreditationWithdrawn,
    /// A key was compromised · 密钥泄露
    KeyCompromise,
    /// The learner asked · 学习者申请
    LearnerRequest,
    /// Ordered by a court or authority · 依法令
    LegalOrder,
    /// Under investigation · 调查中
    Investigation,
    /// The reason of a suspension no longer holds · 暂停原因消除
    Resolved,
}

impl Reason {
    /// The noun.
    pub(super) fn noun(self) -> StatusReason {
        match self {
            Self::IssuedInError => StatusReason::IssuedInError,
            Self::Fraud => StatusReason::Fraud,
            Self::AccreditationWithdrawn => StatusReason::AccreditationWithdrawn,
            Self::KeyCompromise => StatusReason::KeyCompromise,
            Self::LearnerRequest => StatusReason::LearnerRequest,
            Self::LegalOrder => StatusReason::LegalOrder,
            Self::Investigation => StatusReason::Investigation,
            Self::Resolved => StatusReason::Resolved,
        }
    }
}

/// Why a status changes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Grounds {
    /// Why · 原因
    #[arg(long, value_enum, value_name = "REASON")]
    pub(crate) reason: Reason,
    /// Reference of the order; a regulator must give it · 法令文号，监管机构必填
    #[arg(long, value_name = "REF", default_value = "")]
    pub(crate) order_ref: String,
    /// Words about it; kept sealed, only their commitment is in the log · 说明，加密保存
    #[arg(long, value_name = "TEXT")]
    pub(crate) explanation: Option<String>,
}

impl Grounds {
    /// The words, under the language that they are written in.
    pub(super) fn text(&self) -> Option<Text> {
        self.explanation.as_deref().map(words)
    }
}

/// Words, under the language that they are written in.
pub(super) fn words(words: &str) -> Text {
    if words.is_ascii() {
        Text { zh: String::new(), en: words.to_owned() }
    } else {
        Text { zh: words.to_owned(), en: String::new() }
    }
}
