//! `creditbank framework`: publishes qualification frameworks with their credit schemes.

use super::Context;
use super::connect::{Caller, Connect, client};
use super::recorded::{self, Writing};
use super::signer;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use crate::output::thousandths;
use crate::sample::read_framework;
use credit_types::FrameworkId;
use serde_json::json;
use std::path::PathBuf;

/// Commands about frameworks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Publish frameworks, signed by the authority · 由主管方签名发布资历框架
    #[command(
        after_help = "Examples · 示例:\n  creditbank framework publish --file ledger-data/frameworks/cn-nqf.toml"
    )]
    Publish {
        /// The framework as TOML; can be given several times · 框架文件，可给多个
        #[arg(long, value_name = "FILE", required = true)]
        file: Vec<PathBuf>,
        /// Keys of the authority; by default those in the home · 主管方密钥文件
        #[arg(long, value_name = "FILE")]
        authority_key: Vec<PathBuf>,
        /// Where it goes · 写入位置
        #[command(flatten)]
        writing: Writing,
    },
    /// Show a framework's latest version · 查看框架最新版本
    #[command(after_help = "Examples · 示例:\n  creditbank framework show cn.nqf")]
    Show {
        /// The framework · 框架标识
        #[arg(value_parser = framework_id)]
        framework: FrameworkId,
        /// Where the ledger is · 账本所在
        #[command(flatten)]
        connect: Connect,
    },
}

fn framework_id(text: &str) -> Result<FrameworkId, String> {
    FrameworkId::new(text).map_err(|error| error.to_string())
}

/// Runs a command about frameworks.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Publish { file, authority_key, writing } => {
            publish(context, &file, &authority_key, &writing).await
        }
        Command::Show { framework, connect } => show(context, &framework, &connect).await,
    }
}

async fn publish(
    context: &mut Context,
    files: &[PathBuf],
    authority_keys: &[PathBuf],
    writing: &Writing,
) -> Ending {
    let mut publications = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
        let publication = read_framework("the framework's file", &text)
            .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(cause))?;
        publications.push(publication);
    }
    let authority = signer::authority(context, authority_keys)?;
    let client = client(context, &writing.connect, Caller::Anybody)?;
    let (mut documents, mut exit) = (Vec::new(), Exit::Done);
    for (number, publication) in (1..).zip(&publications) {
        let recorded = client.publish_framework(&authority, publication).await?;
        let (id, version) = (&publication.framework_id, publication.version);
        context.output.line(Phrase::FrameworkPublished, &[id, &version]);
        let writing = writing.of(number, publications.len());
        let told = recorded::tell(context, &client, &writing, &recorded).await?;
        exit = exit.or(told.exit);
        documents
            .push(recorded::with(told.document, json!({ "framework_id": id.as_str(), "version": version })));
    }
    context.output.json(&json!({ "published": documents }));
    Ok(exit)
}

async fn show(context: &mut Context, framework: &FrameworkId, connect: &Connect) -> Ending {
    let client = client(context, connect, Caller::Anybody)?;
    let (publication, index) = client.get_framework(framework).await?;
    let output = &context.output;
    let language = output.language;
    let title = language.of(&publication.title);
    output.line(Phrase::FrameworkShown, &[framework, &publication.version, &title, &index]);
    if let Some(levels) = publication.levels {
        let [min, max, step] = [levels.min_tenths, levels.max_tenths, levels.step_tenths]
            .map(|tenths| thousandths(i64::from(tenths).saturating_mul(100)));
        output.line(Phrase::FrameworkLevels, &[&min, &max, &step]);
    }
    let rows: Vec<Vec<String>> = publication
        .schemes
        .iter()
        .map(|scheme| {
            let label = language.of(&scheme.label).to_owned();
            vec![
                scheme.scheme_id.to_string(),
                label,
                thousandths(scheme.step_milli),
                scheme.notional_minutes.to_string(),
            ]
        })
        .collect();
    let header = [Phrase::ColumnScheme, Phrase::ColumnLabel, Phrase::ColumnStep, Phrase::ColumnNotional];
    output.table(&header, &rows);
    let schemes: Vec<_> = publication
        .schemes
        .iter()
        .map(|scheme| {
            json!({
                "scheme_id": scheme.scheme_id.as_str(),
                "step_milli": scheme.step_milli,
                "notional_minutes": scheme.notional_minutes,
                "label": { "zh": scheme.label.zh, "en": scheme.label.en },
            })
        })
        .collect();
    output.json(&json!({
        "framework_id": framework.as_str(),
        "version": publication.version,
        "title": { "zh": publication.title.zh, "en": publication.title.en },
        "published_index": index,
        "levels": publication.levels.map(|levels| json!({
            "min_tenths": levels.min_tenths, "max_tenths": levels.max_tenths, "step_tenths": levels.step_tenths,
        })),
        "schemes": schemes,
    }));
    Ok(Exit::Done)
}
