//! A learner's credit moves: the city's rule book is published, applied to a learner's year, decided, and an award
//! granted; and the book says why.

use super::super::connect::{Caller, Connect, client};
use super::super::{Context, award, convert, rules, signer};
use super::city::Year;
use super::{failed, internal, parse, say, told};
use crate::args::Command;
use crate::ending::{CommandError, Exit};
use credit_client::{Client, ConversionQuery, ConversionView, NewConversion, NewDecision, Quote};
use credit_types::{
    AccountRef, ApplicationStatus, BookName, BookVersion, ConversionPurpose, Credits, DecisionOutcome,
    FrameworkId, InstitutionId, KeyPurpose,
};
use std::fs;
use std::path::Path;

/// The city's rules and their worked cases, as they ship.
const FILES: [(&str, &str); 2] = [
    ("book.toml", include_str!("../../../../../ledger-data/rulebooks/yunjiang-city/book.toml")),
    ("cases.toml", include_str!("../../../../../ledger-data/rulebooks/yunjiang-city/cases.toml")),
];
/// The book's id.
const BOOK: &str = "cn.yunjiang.bank";
/// The programmes into which the learner's credit goes, the best of them first asked for.
const PROGRAMMES: [&str; 2] = ["cn.yunjiang.openuniv:ADMIN-AD", "cn.yunjiang.openuniv:SOFT-AD"];
/// The programme of community learning, and the award by its steps.
const PASSPORT: (&str, &str) = ("cn.yunjiang.creditbank:PASSPORT", "passport");
/// The registrar, who sees the learners' consent.
const REGISTRAR: &str = "cn.yunjiang.creditbank";
/// Points from which on the passport has a step.
const PASSPORT_MILLI: i64 = 16_000;
/// The most learners that are asked about before the best of them is taken.
const ASKED_MAX: usize = 120;
/// A gain that is enough to look no further, where the passport has a step too.
const ENOUGH_MILLI: i64 = 10_000;

fn unasked<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("无法试算", "could not ask for a quote")(cause)
}

fn named(text: &str) -> Result<BookName, CommandError> {
    BookName::new(text).map_err(unasked)
}

/// A learner with what they would be granted.
struct Chosen {
    account: AccountRef,
    programme: &'static str,
    /// Whether the passport has a step for them too.
    passport: bool,
}

/// Publishes the book, has credit of one learner converted, and an award granted; gives the learner.
pub(super) async fn run(
    context: &mut Context,
    year: &Year,
    accounts: &[AccountRef],
    root: &Path,
    url: &str,
) -> Result<AccountRef, CommandError> {
    say(context, "五、检查并公布规则书", "5. The city's rule book is checked and published");
    publish(context, root, url).await?;
    let registrar = InstitutionId::new(REGISTRAR).map_err(unasked)?;
    let signer = signer::institution(context, &registrar, &[KeyPurpose::Registry])?;
    let asking = client(context, year.connect(), Caller::Institution(signer))?;
    let chosen = choose(&asking, accounts).await?;
    say(
        context,
        "六、一位学习者申请把学分转换到另一所学校",
        "6. A learner applies for credit at another institution",
    );
    let application =
        applied(context, (&asking, year.connect()), &chosen, ConversionPurpose::Credit, chosen.programme)
            .await?;
    show(context, application, url).await?;
    if chosen.passport {
        say(context, "七、社区学习积分换得一项证书", "7. Community learning earns an award");
        applied(context, (&asking, year.connect()), &chosen, ConversionPurpose::Credit, PASSPORT.0).await?;
        let account = chosen.account.to_string();
        let words = [
            "award",
            "check",
            "--account",
            account.as_str(),
            "--book",
            BOOK,
            "--award",
            PASSPORT.1,
            "--url",
            url,
        ];
        let Command::Award(arguments) = parse(context, &words)? else { return Err(internal()) };
        award::run(context, arguments).await?;
        let application =
            applied(context, (&asking, year.connect()), &chosen, ConversionPurpose::Award, PASSPORT.1)
                .await?;
        show(context, application, url).await?;
    }
    Ok(chosen.account)
}

/// Writes the book as it ships into the home, and publishes it as an officer would.
async fn publish(context: &mut Context, root: &Path, url: &str) -> Result<(), CommandError> {
    let unwritten = || failed("无法写出规则书", "could not write the rule book");
    let folder = root.join("rulebook");
    fs::create_dir_all(&folder).map_err(unwritten())?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text).map_err(unwritten())?;
    }
    let folder = folder.display().to_string();
    let words = ["rules", "publish", folder.as_str(), "--activate", "--url", url];
    let Command::Rules(arguments) = parse(context, &words)? else { return Err(internal()) };
    let exit = rules::run_command(context, arguments).await?;
    if exit == Exit::Done {
        return Ok(());
    }
    Err(failed("规则书未能公布", "the rule book was not published")(anyhow::anyhow!("see above")))
}

async fn quote(
    asking: &Client,
    account: AccountRef,
    purpose: ConversionPurpose,
    target: &str,
) -> Result<Quote, CommandError> {
    let asked = ConversionQuery {
        account_ref: Some(account),
        purpose,
        book_id: FrameworkId::new(BOOK).map_err(unasked)?,
        version: 0,
        target: named(target)?,
        records: Vec::new(),
        particulars: None,
    };
    Ok(asking.quote_conversion(&asked).await?)
}

fn milli(quote: &Quote) -> i64 {
    let credits = quote.items.iter().filter_map(|item| item.credits).map(Credits::milli);
    if quote.refusal.is_some() { 0 } else { credits.fold(0, i64::saturating_add) }
}

/// The learner who gains most, of those for whom the passport has a step if there is any.
async fn choose(asking: &Client, accounts: &[AccountRef]) -> Result<Chosen, CommandError> {
    let mut best: Option<((bool, i64), Chosen)> = None;
    'learners: for account in accounts.iter().copied().take(ASKED_MAX) {
        for programme in PROGRAMMES {
            let gain = milli(&quote(asking, account, ConversionPurpose::Credit, programme).await?);
            if gain == 0 {
                continue;
            }
            let points = milli(&quote(asking, account, ConversionPurpose::Credit, PASSPORT.0).await?);
            let passport = points >= PASSPORT_MILLI;
            if best.as_ref().is_none_or(|(before, _)| (passport, gain) > *before) {
                best = Some(((passport, gain), Chosen { account, programme, passport }));
            }
            if passport && gain >= ENOUGH_MILLI {
                break 'learners;
            }
        }
    }
    best.map(|(_, chosen)| chosen).ok_or_else(|| {
        failed("没有可转换的成果", "no learner has anything to convert")(
            anyhow::anyhow!("draw more records"),
        )
    })
}

/// Applies, and has the institution's officer approve where nothing is automatic; gives the application.
async fn applied(
    context: &mut Context,
    (asking, connect): (&Client, &Connect),
    chosen: &Chosen,
    purpose: ConversionPurpose,
    target: &str,
) -> Result<u64, CommandError> {
    let quoted = quote(asking, chosen.account, purpose, target).await?;
    let wanted = NewConversion {
        account_ref: chosen.account,
        purpose,
        institution_id: quoted.institution_id.clone(),
        book: BookVersion { book_id: FrameworkId::new(BOOK).map_err(unasked)?, version: quoted.version },
        target: named(target)?,
        records: quoted.records.clone(),
        particulars: None,
    };
    let applied = asking.request_conversion(&wanted).await?;
    let application = applied.recorded.index;
    told(context, "号条目记下申请", "is the entry of the application", application);
    if applied.status == ApplicationStatus::UnderReview {
        let view = asking.get_conversion(application).await?.view;
        let decided = approve(context, connect, &quoted.institution_id, &view).await?;
        told(context, "号条目记下审核通过", "is the entry of the officer's approval", decided);
    }
    Ok(application)
}

/// The officer of the institution that was asked approves what was proposed.
async fn approve(
    context: &mut Context,
    connect: &Connect,
    institution: &InstitutionId,
    view: &ConversionView,
) -> Result<u64, CommandError> {
    let signer = signer::institution(context, institution, &[KeyPurpose::Decisions])?;
    let officer = client(context, connect, Caller::Institution(signer))?;
    let decision = NewDecision {
        after: view.last_entry,
        application: view.application,
        outcome: DecisionOutcome::Approve,
        explanation_commitment: view.explanation_commitment,
        items: Vec::new(),
        reason: None,
        provisional_until: None,
        opinion: None,
    };
    Ok(officer.decide_conversion(&decision).await?.recorded.index)
}

/// Shows an application with why it came out as it did.
async fn show(context: &mut Context, application: u64, url: &str) -> Result<(), CommandError> {
    let index = application.to_string();
    let words = ["convert", "show", index.as_str(), "--url", url];
    let Command::Convert(arguments) = parse(context, &words)? else { return Err(internal()) };
    convert::run(context, arguments).await.map(|_| ())
}
