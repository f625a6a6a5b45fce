//! Decisions about applications, and the steps that are none.

use super::acting;
use crate::commands::Context;
use crate::commands::connect::{Caller, client};
use crate::commands::keys::institution_id;
use crate::commands::labels::{application_status, application_status_code};
use crate::commands::reason::words;
use crate::commands::recorded::{self, Writing};
use crate::commands::signer;
use crate::ending::{CommandError, Ending, Exit};
use crate::keyfile::signing_key;
use crate::language::Phrase;
use crate::mapping::milli;
use clap::ValueEnum;
use credit_client::{Applied, Client, NewDecision, NewStep};
use credit_types::{
    CivilDate, ConversionAction, Credits, DecidedItem, DecisionOutcome, DecisionReason, InstitutionId,
    KeyPurpose,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Why an officer declines or lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reason {
    /// Not on the list of what is accepted · 不在认可清单内
    NotOnList,
    /// The level is too low · 等级不够
    LevelTooLow,
    /// The score is below the minimum · 成绩低于要求
    ScoreBelowMin,
    /// It has expired · 已过期
    Expired,
    /// It was used already · 已被使用
    AlreadyUsed,
    /// A maximum is reached · 已达上限
    CapReached,
    /// The same subject counts already · 同一科目已计入
    DuplicateSubject,
    /// The issuer was not accredited for it · 颁发机构没有相应资质
    IssuerNotAccredited,
    /// The evidence does not suffice · 证据不足
    EvidenceInsufficient,
    /// The content agrees too little · 内容匹配度低
    ContentMatchLow,
    /// The rule is not in force · 规则未施行
    RuleNotEffective,
}

impl Reason {
    fn noun(self) -> DecisionReason {
        match self {
            Self::NotOnList => DecisionReason::NotOnList,
            Self::LevelTooLow => DecisionReason::LevelTooLow,
            Self::ScoreBelowMin => DecisionReason::ScoreBelowMin,
            Self::Expired => DecisionReason::Expired,
            Self::AlreadyUsed => DecisionReason::AlreadyUsed,
            Self::CapReached => DecisionReason::CapReached,
            Self::DuplicateSubject => DecisionReason::DuplicateSubject,
            Self::IssuerNotAccredited => DecisionReason::IssuerNotAccredited,
            Self::EvidenceInsufficient => DecisionReason::EvidenceInsufficient,
            Self::ContentMatchLow => DecisionReason::ContentMatchLow,
            Self::RuleNotEffective => DecisionReason::RuleNotEffective,
        }
    }
}

/// Decides.
#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    /// The application: index of its entry · 申请：其条目序号
    application: u64,
    /// The institution that signs with its decisions key · 签名的机构，用其 decisions 密钥
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    institution: InstitutionId,
    /// Another decisions key of it than the one in the home, as an appeal needs · 另一把 decisions 密钥，申诉后须由他人决定
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What is decided · 决定
    #[command(flatten)]
    outcome: Outcome,
    /// Of --partly: POSITION=CREDITS:REASON or POSITION=decline:REASON; several times · 部分通过的项目，可给多个
    #[arg(long, value_name = "ITEM", value_parser = item, requires = "partly")]
    item: Vec<DecidedItem>,
    /// Grant it until it is confirmed, at the latest on this day · 暂入账，最迟于此日确认
    #[arg(long, value_name = "DATE", conflicts_with_all = ["reject", "ask"])]
    provisional_until: Option<CivilDate>,
    /// The officer's opinion; kept sealed, only its commitment is in the log · 审核意见，加密保存
    #[arg(long, value_name = "TEXT")]
    opinion: Option<String>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// What is decided: one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Outcome {
    /// Grant all that is proposed · 全部通过
    #[arg(long)]
    approve: bool,
    /// Grant what is proposed but for the items named by --item · 部分通过，以 --item 指明
    #[arg(long, requires = "item")]
    partly: bool,
    /// Grant nothing, for this reason · 不通过及原因
    #[arg(long, value_enum, value_name = "REASON")]
    reject: Option<Reason>,
    /// Ask for more, for this reason · 要求补充及原因
    #[arg(long, value_enum, value_name = "REASON")]
    ask: Option<Reason>,
}

/// A step that is no decision.
#[derive(Debug, clap::Args)]
pub(crate) struct Step {
    /// The application: index of its entry · 申请：其条目序号
    application: u64,
    /// Who signs · 签名的机构
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    institution: InstitutionId,
    /// Words about it; kept sealed, only their commitment is in the log · 说明，加密保存
    #[arg(long, value_name = "TEXT")]
    explanation: Option<String>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

fn item(text: &str) -> Result<DecidedItem, String> {
    let form = || "POSITION=CREDITS:REASON, POSITION=decline:REASON".to_owned();
    let (position, rest) = text.split_once('=').ok_or_else(form)?;
    let (credits, reason) = rest.split_once(':').ok_or_else(form)?;
    let position = position.parse().map_err(|_| form())?;
    let credits = if credits == "decline" {
        None
    } else {
        let number = milli(credits).map_err(|_| form())?;
        Some(Credits::from_milli(number).map_err(|error| error.to_string())?)
    };
    let reason = Reason::from_str(reason, false)?.noun();
    Ok(DecidedItem { position, credits, reason })
}

impl Outcome {
    fn noun(&self) -> (DecisionOutcome, Option<DecisionReason>) {
        let Self { approve: _, partly, reject, ask } = self;
        match (reject, ask) {
            (Some(reason), _) => (DecisionOutcome::Reject, Some(reason.noun())),
            (None, Some(reason)) => (DecisionOutcome::Ask, Some(reason.noun())),
            (None, None) if *partly => (DecisionOutcome::Partly, None),
            (None, None) => (DecisionOutcome::Approve, None),
        }
    }
}

/// Decides an application: what the officer has read is proved before it is signed for.
pub(super) async fn decide(context: &mut Context, args: Decide) -> Ending {
    let Decide { application, institution, key, outcome, item, provisional_until, opinion, writing } = args;
    let client = match key {
        None => acting(context, &institution, KeyPurpose::Decisions, &writing)?,
        Some(path) => {
            let key = signing_key(&path, &mut context.passphrases)?;
            let signer = signer::institution(context, &institution, &[])?;
            let signer = signer.with_key([KeyPurpose::Decisions], key);
            client(context, &writing.connect, Caller::Institution(signer))?
        }
    };
    let (outcome, reason) = outcome.noun();
    let said = officer(&client, application, outcome, reason).await?;
    let decision =
        NewDecision { items: item, provisional_until, opinion: opinion.as_deref().map(words), ..said };
    let applied = client.decide_conversion(&decision).await?;
    let (document, exit) = tell_applied(context, &client, &writing, application, &applied).await?;
    context.output.json(&document);
    Ok(exit)
}

/// A decision about an application as it stands, with the explanation that it commits to; both are proved.
pub(in crate::commands) async fn officer(
    client: &Client,
    application: u64,
    outcome: DecisionOutcome,
    reason: Option<DecisionReason>,
) -> Result<NewDecision, CommandError> {
    let opened = client.get_conversion(application).await?;
    client.prove_conversion(&opened.view).await?;
    Ok(NewDecision {
        after: opened.view.last_entry,
        application,
        outcome,
        explanation_commitment: opened.view.explanation_commitment,
        items: Vec::new(),
        reason,
        provisional_until: None,
        opinion: None,
    })
}

/// Withdraws, appeals, answers, confirms or rescinds.
pub(super) async fn step(context: &mut Context, args: Step, action: ConversionAction) -> Ending {
    let Step { application, institution, explanation, writing } = args;
    let purpose = match action {
        ConversionAction::Withdraw | ConversionAction::Appeal | ConversionAction::Answer => {
            KeyPurpose::Registry
        }
        ConversionAction::Confirm | ConversionAction::Rescind => KeyPurpose::Decisions,
    };
    let client = acting(context, &institution, purpose, &writing)?;
    let after = client.get_conversion(application).await?.view.last_entry;
    let explanation = explanation.as_deref().map(words);
    let applied = client.step_conversion(&NewStep { after, application, action, explanation }).await?;
    let (document, exit) = tell_applied(context, &client, &writing, application, &applied).await?;
    context.output.json(&document);
    Ok(exit)
}

/// Says where an application stands after a write, and where that is recorded.
pub(in crate::commands) async fn tell_applied(
    context: &Context,
    client: &Client,
    writing: &Writing,
    application: u64,
    applied: &Applied,
) -> Result<(Value, Exit), CommandError> {
    let language = context.output.language;
    let status = application_status(applied.status);
    context.output.line(Phrase::ApplicationStands, &[&application, &language.of(&status)]);
    let told = recorded::tell(context, client, writing, &applied.recorded).await?;
    let more = json!({ "application_index": application, "status": application_status_code(applied.status) });
    Ok((recorded::with(told.document, more), told.exit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_lowered_or_declined_for_a_reason() {
        let lowered = item("0=2.5:content-match-low").unwrap();
        assert_eq!((lowered.position, lowered.credits.map(Credits::milli)), (0, Some(2_500)));
        assert_eq!(lowered.reason, DecisionReason::ContentMatchLow);
        let declined = item("3=decline:already-used").unwrap();
        assert_eq!((declined.position, declined.credits), (3, None));
        for bad in ["0", "0=2.5", "0=2.5:because", "x=1:expired", "0=-1:expired", "0=0:expired"] {
            assert!(item(bad).is_err(), "{bad}");
        }
    }
}
