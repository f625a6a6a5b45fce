//! The keys of institutions and of the authority, out of the home.

use super::Context;
use crate::ending::{CommandError, unreadable};
use crate::home::purpose_name;
use crate::keyfile::signing_key;
use crate::language::Phrase;
use credit_client::{AuthoritySigner, InstitutionSigner};
use credit_types::{InstitutionId, KeyPurpose};
use std::fs;
use std::path::{Path, PathBuf};

/// An institution with its keys for some purposes, and with its TOKENS key where it has one.
pub(super) fn institution(
    context: &mut Context,
    institution: &InstitutionId,
    purposes: &[KeyPurpose],
) -> Result<InstitutionSigner, CommandError> {
    let mut signer = InstitutionSigner::new(institution.clone());
    for purpose in purposes {
        let path = key_path(context, institution, *purpose)?;
        signer = signer.with_key([*purpose], signing_key(&path, &mut context.passphrases)?);
    }
    let tokens = context.home.institution_key(institution, KeyPurpose::Tokens);
    if tokens.exists() {
        signer = signer.with_key([KeyPurpose::Tokens], signing_key(&tokens, &mut context.passphrases)?);
    }
    Ok(signer)
}

/// Where an institution's key for a purpose is, if it is there at all.
pub(super) fn key_path(
    context: &Context,
    institution: &InstitutionId,
    purpose: KeyPurpose,
) -> Result<PathBuf, CommandError> {
    let path = context.home.institution_key(institution, purpose);
    if path.exists() {
        return Ok(path);
    }
    let name = purpose_name(purpose);
    Err(CommandError::usage(Phrase::NoKeyOfPurpose, &[institution, &name, &path.display()]))
}

/// The key of the first of some purposes that an institution has in the home.
pub(super) fn institution_any(
    context: &mut Context,
    id: &InstitutionId,
    purposes: &[KeyPurpose],
) -> Result<InstitutionSigner, CommandError> {
    let has = |purpose: &&KeyPurpose| context.home.institution_key(id, **purpose).exists();
    let first = purposes.iter().find(has).or(purposes.first()).copied();
    institution(context, id, first.as_slice())
}

/// The authority's keys: those named, or those in the home.
pub(super) fn authority(context: &mut Context, files: &[PathBuf]) -> Result<AuthoritySigner, CommandError> {
    let files = if files.is_empty() { in_folder(&context.home.authority())? } else { files.to_vec() };
    let mut keys = Vec::new();
    for path in &files {
        keys.push(signing_key(path, &mut context.passphrases)?);
    }
    Ok(AuthoritySigner::new(keys))
}

/// The key files of a folder, by name.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if !folder.exists() {
        return Err(CommandError::usage(Phrase::NoAuthorityKeys, &[&folder.display()]));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
