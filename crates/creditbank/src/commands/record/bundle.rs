//! Fetches a record bundle, verified, and keeps it in a file to be handed on.

use super::super::Context;
use super::super::connect::{Reading, reader};
use super::super::keys::institution_id;
use super::super::token::Bearer;
use super::super::verify::bundle::{document, tell};
use super::record_id;
use crate::ending::{Ending, unwritable};
use crate::language::Phrase;
use credit_types::{InstitutionId, RecordId};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// Which record, and where its proof is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its issuer · 颁发机构
    #[arg(value_parser = institution_id)]
    issuer: InstitutionId,
    /// Its id: 32 hexadecimal digits · 成果编号，32 位十六进制
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// Keep the bundle in this file · 证明包文件
    #[arg(required_unless_present = "tlog_proof")]
    file: Option<PathBuf>,
    /// Disclose the details: title, mark, certificate number · 公开明细：名称、成绩、证书编号
    #[arg(long)]
    disclose_details: bool,
    /// Keep the entry's receipt alone in this file, as a C2SP tlog-proof · 仅保存条目回执（C2SP tlog-proof）
    #[arg(long, value_name = "FILE")]
    tlog_proof: Option<PathBuf>,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Fetches, verifies and keeps a bundle.
pub(super) async fn run(context: &mut Context, args: Args) -> Ending {
    let Args { issuer, record, file, disclose_details, tlog_proof, reading } = args;
    let client = reader(context, &reading, &Bearer::Auditor)?;
    let bundle = client.get_record_bundle(&issuer, record, disclose_details).await?;
    let mut kept = Vec::new();
    for (path, bytes, phrase) in [
        (&file, bundle.to_bytes(), Phrase::BundleKept),
        (&tlog_proof, bundle.tlog_proof().as_bytes(), Phrase::ReceiptKept),
    ] {
        if let Some(path) = path {
            fs::write(path, bytes).map_err(unwritable(path))?;
            kept.push((path.display().to_string(), phrase));
        }
    }
    let exit = tell(context, &bundle.verified);
    for (path, phrase) in &kept {
        context.output.line(*phrase, &[path]);
    }
    let files: Vec<&String> = kept.iter().map(|(path, _)| path).collect();
    let more = json!({ "files": files, "bytes": bundle.to_bytes().len() });
    context.output.json(&super::recorded::with(document(&bundle.verified), more));
    Ok(exit)
}
