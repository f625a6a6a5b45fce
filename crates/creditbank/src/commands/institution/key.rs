//! Adds, retires and reports keys of institutions.

use super::super::connect::{Caller, client, client_keeping};
use super::super::recorded;
use super::super::{Context, signer};
use super::Writing;
use crate::ending::{CommandError, Ending};
use crate::keyfile::signing_key;
use crate::language::Phrase;
use credit_client::{AuthoritySigner, Client, KeyAuthority, KeyHistory};
use credit_log::envelope::kid_text;
use credit_types::{
    InstitutionId, InstitutionKey, KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement, Kid, PublicKey,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who decides about a key.
#[derive(Debug, clap::Args)]
pub(crate) struct By {
    /// The authority decides, not the owner · 由主管方而非机构决定
    #[arg(long)]
    authority: bool,
    /// Keys of the authority; by default those in the home · 主管方密钥文件
    #[arg(long, value_name = "FILE", requires = "authority")]
    authority_key: Vec<PathBuf>,
    /// Keep the signed statement in this folder before it is sent: `monitor --statements` looks whether it is logged ·
    /// 发送前把已签名的声明存入此目录，可交由 `monitor --statements` 监察是否入账
    #[arg(long, value_name = "DIR")]
    keep_statement: Option<PathBuf>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Who signs, and a client that signs for them.
struct Deciding {
    client: Client,
    authority: Option<AuthoritySigner>,
}

impl Deciding {
    /// About a key of these purposes: a key for recovery is outranked by none but another one.
    fn new(
        context: &mut Context,
        institution: &InstitutionId,
        about: &BTreeSet<KeyPurpose>,
        by: &By,
    ) -> Result<Self, CommandError> {
        let (authority, caller) = if by.authority {
            (Some(signer::authority(context, &by.authority_key)?), Caller::Anybody)
        } else {
            let recovers = about.contains(&KeyPurpose::Recovery);
            let purposes: &[KeyPurpose] =
                if recovers { &[KeyPurpose::Recovery] } else { &[KeyPurpose::Keys, KeyPurpose::Recovery] };
            let signer = signer::institution_any(context, institution, purposes)?;
            (None, Caller::Institution(signer))
        };
        let client = client_keeping(context, &by.writing.connect, caller, by.keep_statement.as_deref())?;
        Ok(Self { client, authority })
    }

    fn by(&self) -> KeyAuthority<'_> {
        self.authority.as_ref().map_or(KeyAuthority::Owner, KeyAuthority::Authority)
    }
}

/// Adds a key.
pub(super) async fn add(
    context: &mut Context,
    institution: &InstitutionId,
    path: &Path,
    purposes: Vec<KeyPurpose>,
    by: &By,
) -> Ending {
    let key = signing_key(path, &mut context.passphrases)?;
    let public = key.public();
    let kid = Kid(public.kid());
    let addition = KeyAddition {
        institution_id: institution.clone(),
        key: InstitutionKey {
            key: PublicKey { bytes: public.bytes(), kid },
            purposes: purposes.into_iter().collect(),
        },
    };
    let deciding = Deciding::new(context, institution, &addition.key.purposes, by)?;
    let recorded = deciding.client.add_key(deciding.by(), &addition, &key).await?;
    context.output.line(Phrase::KeyAdded, &[&kid_text(&kid.0), &institution]);
    finish(context, &deciding.client, by, &recorded, kid).await
}

/// Retires a key.
pub(super) async fn retire(context: &mut Context, institution: &InstitutionId, kid: Kid, by: &By) -> Ending {
    let target = own_key(context, institution, kid, by).await?;
    let deciding = Deciding::new(context, institution, &target.key.purposes, by)?;
    let retirement = KeyRetirement { after: target.last_status_entry, kid };
    let recorded = deciding.client.retire_key(deciding.by(), &retirement).await?;
    context.output.line(Phrase::KeyRetiredNow, &[&kid_text(&kid.0), &recorded.index]);
    finish(context, &deciding.client, by, &recorded, kid).await
}

/// Reports a key as compromised.
pub(super) async fn report(
    context: &mut Context,
    institution: &InstitutionId,
    kid: Kid,
    suspect_from_index: u64,
    by: &By,
) -> Ending {
    let target = own_key(context, institution, kid, by).await?;
    let deciding = Deciding::new(context, institution, &target.key.purposes, by)?;
    let compromise = KeyCompromise { kid, suspect_from_index };
    let recorded = deciding.client.report_key_compromise(deciding.by(), &compromise).await?;
    context.output.line(Phrase::KeyReported, &[&kid_text(&kid.0), &suspect_from_index, &recorded.index]);
    finish(context, &deciding.client, by, &recorded, kid).await
}

/// A key, which must be the institution's: a slip of the hand retires nobody else's key.
async fn own_key(
    context: &mut Context,
    institution: &InstitutionId,
    kid: Kid,
    by: &By,
) -> Result<KeyHistory, CommandError> {
    let anybody = client(context, &by.writing.connect, Caller::Anybody)?;
    let history = anybody.get_signing_key(kid).await?;
    if history.institution_id == *institution {
        Ok(history)
    } else {
        Err(CommandError::usage(Phrase::KeyOfAnother, &[&kid_text(&kid.0), &history.institution_id]))
    }
}

async fn finish(
    context: &Context,
    client: &Client,
    by: &By,
    recorded: &credit_client::Recorded,
    kid: Kid,
) -> Ending {
    let told = recorded::tell(context, client, &by.writing, recorded).await?;
    context.output.json(&recorded::with(told.document, json!({ "kid": kid_text(&kid.0) })));
    Ok(told.exit)
}
