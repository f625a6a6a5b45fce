//! Admits institutions: the authority signs, and each first key for itself.

use super::super::connect::{Caller, client};
use super::super::keys::{generate, institution_id};
use super::super::recorded;
use super::super::{Context, signer};
use super::Writing;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::home::PURPOSES;
use crate::keyfile::{Algorithm, signing_key};
use crate::language::Phrase;
use crate::sample::read_institutions;
use credit_client::{AuthoritySigner, Client, Recorded};
use credit_log::envelope::SigningKey;
use credit_types::{InstitutionAdmission, InstitutionId, InstitutionKey, KeyPurpose, Kid, PublicKey, Role};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Admits institutions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Institutions as TOML, as in ledger-data/institutions · 机构文件
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Only these of the file; by default all, in its order · 只准入这些机构，缺省为全部
    #[arg(long, value_name = "ID", value_parser = institution_id)]
    id: Vec<InstitutionId>,
    /// Make the keys that their roles need, in the home · 按角色在账本目录中生成所需密钥
    #[arg(long)]
    generate_keys: bool,
    /// Keys of the authority; by default those in the home · 主管方密钥文件
    #[arg(long, value_name = "FILE")]
    authority_key: Vec<PathBuf>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Admits institutions.
pub(super) async fn run(context: &mut Context, args: Args) -> Ending {
    let Args { file, id, generate_keys, authority_key, writing } = args;
    let chosen = chosen(&file, &id)?;
    let authority = signer::authority(context, &authority_key)?;
    let client = client(context, &writing.connect, Caller::Anybody)?;
    let count = chosen.len();
    let (mut documents, mut exit) = (Vec::new(), Exit::Done);
    for (number, mut admission) in (1..).zip(chosen) {
        let recorded = admit(context, &client, &authority, &mut admission, generate_keys).await?;
        let id = &admission.institution_id;
        let row_key = if generate_keys { row_key(context, &admission)? } else { None };
        context.output.line(Phrase::InstitutionAdmitted, &[id, &context.output.language.of(&admission.name)]);
        let told = recorded::tell(context, &client, &writing.of(number, count), &recorded).await?;
        exit = exit.or(told.exit);
        if let Some(path) = row_key {
            context.output.note(Phrase::RowsKeyMade, &[&path.display(), id]);
        }
        documents.push(recorded::with(told.document, json!({ "institution_id": id.as_str() })));
    }
    context.output.json(&json!({ "admitted": documents }));
    Ok(exit)
}

/// Admits an institution with keys that are made for it in the home.
pub(in crate::commands) async fn admit_generated(
    context: &mut Context,
    client: &Client,
    authority: &AuthoritySigner,
    mut admission: InstitutionAdmission,
) -> Result<Recorded, CommandError> {
    let recorded = admit(context, client, authority, &mut admission, true).await?;
    row_key(context, &admission)?;
    Ok(recorded)
}

/// Makes the secret of an issuer's record ids. Only now: an institution that was just admitted has no records yet, while
/// one that the ledger refuses because it knows it may have any number under a secret that lies elsewhere.
fn row_key(context: &mut Context, admission: &InstitutionAdmission) -> Result<Option<PathBuf>, CommandError> {
    let path = context.home.rows_key(&admission.institution_id);
    if !admission.roles.contains(&Role::Issuer) || path.exists() {
        return Ok(None);
    }
    generate(context, &path, Algorithm::Rows, false)?;
    Ok(Some(path))
}

async fn admit(
    context: &mut Context,
    client: &Client,
    authority: &AuthoritySigner,
    admission: &mut InstitutionAdmission,
    generate_keys: bool,
) -> Result<Recorded, CommandError> {
    let keys = keys(context, admission, generate_keys)?;
    admission.keys = keys.iter().map(|(purpose, key)| institution_key(*purpose, key)).collect();
    admission.keys.sort_by_key(|key| key.key.bytes);
    let keys: Vec<SigningKey> = keys.into_iter().map(|(_, key)| key).collect();
    Ok(client.admit_institution(authority, admission, &keys).await?)
}

fn chosen(path: &Path, ids: &[InstitutionId]) -> Result<Vec<InstitutionAdmission>, CommandError> {
    let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
    let all = read_institutions("the institutions' file", &text)
        .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(cause))?;
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|admission| admission.institution_id == **id)) {
        return Err(CommandError::usage(Phrase::InstitutionNotInFile, &[id, &path.display()]));
    }
    Ok(all
        .into_iter()
        .filter(|admission| ids.is_empty() || ids.contains(&admission.institution_id))
        .collect())
}

/// The keys of an institution in the home, one a purpose; those that its roles need are made where that was asked for.
fn keys(
    context: &mut Context,
    admission: &InstitutionAdmission,
    make: bool,
) -> Result<Vec<(KeyPurpose, SigningKey)>, CommandError> {
    let needed = needed(&admission.roles);
    let mut keys = Vec::new();
    for (name, purpose) in PURPOSES {
        let path = context.home.institution_key(&admission.institution_id, purpose);
        if !path.exists() && needed.contains(&purpose) {
            if !make {
                let id = &admission.institution_id;
                return Err(CommandError::usage(Phrase::NoKeyOfPurpose, &[id, &name, &path.display()]));
            }
            generate(context, &path, Algorithm::Ed25519, false)?;
        }
        if path.exists() {
            keys.push((purpose, signing_key(&path, &mut context.passphrases)?));
        }
    }
    Ok(keys)
}

/// What keys an institution needs for its roles: no more, for a key that is not there can't be lost.
fn needed(roles: &BTreeSet<Role>) -> BTreeSet<KeyPurpose> {
    let mut purposes = BTreeSet::from([KeyPurpose::Keys, KeyPurpose::Recovery, KeyPurpose::Tokens]);
    for role in roles {
        match role {
            Role::Issuer => purposes.extend([KeyPurpose::Records, KeyPurpose::Status]),
            Role::Evaluator | Role::Acceptor | Role::Awarder => purposes.extend([KeyPurpose::Decisions]),
            Role::Registrar => purposes.extend([KeyPurpose::Registry]),
            Role::Regulator => purposes.extend([KeyPurpose::Status]),
            Role::Witness => {}
        }
    }
    purposes
}

fn institution_key(purpose: KeyPurpose, key: &SigningKey) -> InstitutionKey {
    let public = key.public();
    InstitutionKey {
        key: PublicKey { bytes: public.bytes(), kid: Kid(public.kid()) },
        purposes: BTreeSet::from([purpose]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_institution_gets_the_keys_of_its_roles_and_those_that_keep_them() {
        let of = |roles: &[Role]| needed(&roles.iter().copied().collect());
        assert_eq!(of(&[Role::Witness]).len(), 3);
        assert_eq!(of(&[Role::Registrar]), {
            let mut all = of(&[]);
            all.insert(KeyPurpose::Registry);
            all
        });
        let all =
            [Role::Issuer, Role::Evaluator, Role::Acceptor, Role::Awarder, Role::Registrar, Role::Regulator];
        assert_eq!(of(&all).len(), PURPOSES.len());
    }

    #[test]
    fn the_institutions_of_a_file_are_chosen_by_their_ids() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ledger-data/institutions/city.toml");
        let all = chosen(&file, &[]).unwrap();
        let id = InstitutionId::new("cn.yunjiang.openuniv").unwrap();
        assert!(all.len() > 1);
        assert_eq!(chosen(&file, std::slice::from_ref(&id)).unwrap()[0].institution_id, id);
        let unknown = InstitutionId::new("cn.nobody").unwrap();
        assert_eq!(chosen(&file, &[unknown]).unwrap_err().exit, Exit::Usage);
    }
}
