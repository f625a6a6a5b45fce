//! `creditbank keys`: makes key files and shows what may be shown of them.

use super::Context;
use crate::ending::{CommandError, Ending, Exit};
use crate::home::PURPOSES;
use crate::keyfile::{Algorithm, Holds, KeyFile};
use crate::language::Phrase;
use crate::output::{Format, Output};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::envelope::kid_text;
use credit_types::{InstitutionId, KeyPurpose};
use std::path::{Path, PathBuf};

/// Commands about keys.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a key; refuses to overwrite one · 生成密钥，绝不覆盖已有文件
    #[command(
        after_help = "Examples · 示例:\n  creditbank keys generate --file offline/authority-1.key --encrypt\n  \
                      creditbank keys generate --institution cn.yunjiang.openuniv --purpose records"
    )]
    Generate {
        /// Where to write it · 写入的文件
        #[arg(long, value_name = "FILE", required_unless_present = "institution")]
        file: Option<PathBuf>,
        /// Institution in the home whose key it is · 密钥所属机构
        #[arg(long, value_name = "ID", requires = "purpose", conflicts_with = "file", value_parser = institution_id)]
        institution: Option<InstitutionId>,
        /// What it may sign; the name of its file · 密钥用途
        #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
        purpose: Option<KeyPurpose>,
        /// What it is for: signing, or a keyring's root · 密钥种类
        #[arg(long, value_enum, default_value = "ed25519", value_name = "KIND")]
        kind: Kind,
        /// Encrypt it even if the passphrase has to be asked for · 加密保存，必要时询问口令
        #[arg(long)]
        encrypt: bool,
    },
    /// Show what a key file is, never its secret · 查看密钥文件，绝不显示私钥
    #[command(after_help = "Examples · 示例:\n  creditbank keys show ledger-data/local/keys/checkpoint.key")]
    Show {
        /// The key file · 密钥文件
        file: PathBuf,
    },
    /// Write the public half, for others to admit · 输出公钥部分，供登记使用
    #[command(after_help = "Examples · 示例:\n  creditbank keys public records.key > records.pub")]
    Public {
        /// The key file · 密钥文件
        file: PathBuf,
    },
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Signs · 签名
    Ed25519,
    /// Opens a keyring · 密钥环根密钥
    Root,
}

/// Reads an institution's id.
pub(crate) fn institution_id(text: &str) -> Result<InstitutionId, String> {
    InstitutionId::new(text).map_err(|error| error.to_string())
}

/// Reads a purpose by its name.
pub(crate) fn purpose(text: &str) -> Result<KeyPurpose, String> {
    let found = PURPOSES.iter().find(|(name, _)| *name == text).map(|(_, purpose)| *purpose);
    found.ok_or_else(|| PURPOSES.map(|(name, _)| name).join(", "))
}

/// Runs a command about keys.
pub(crate) fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Generate { file, institution, purpose, kind, encrypt } => {
            let path = match (file, institution.zip(purpose)) {
                (Some(path), _) => path,
                (None, Some((institution, purpose))) => context.home.institution_key(&institution, purpose),
                (None, None) => return Err(CommandError::usage(Phrase::KeyFileNotNamed, &[])),
            };
            let algorithm = match kind {
                Kind::Ed25519 => Algorithm::Ed25519,
                Kind::Root => Algorithm::Root,
            };
            let file = generate(context, &path, algorithm, encrypt)?;
            context.output.line(Phrase::KeyWritten, &[&path.display()]);
            show(context.output, &path, &file);
            Ok(Exit::Done)
        }
        Command::Show { file } => {
            let key = KeyFile::read(&file)?;
            show(context.output, &file, &key);
            Ok(Exit::Done)
        }
        Command::Public { file } => {
            let key = KeyFile::read(&file)?;
            let text = key.public_text()?;
            match context.output.format {
                Format::Text => Output::document(&text),
                Format::Json => show(context.output, &file, &key),
            }
            Ok(Exit::Done)
        }
    }
}

/// Makes a key file, encrypted where a passphrase is given or asked for.
pub(super) fn generate(
    context: &mut Context,
    path: &Path,
    algorithm: Algorithm,
    encrypt: bool,
) -> Result<KeyFile, CommandError> {
    if path.exists() {
        return Err(CommandError::usage(Phrase::FileExists, &[&path.display()]));
    }
    let passphrase = if encrypt {
        Some(context.passphrases.for_new(&path.display().to_string())?)
    } else {
        context.passphrases.given()?
    };
    KeyFile::generate(path, algorithm, passphrase)
}

fn show(output: Output, path: &Path, key: &KeyFile) {
    let public = key.public().map(|public| (kid_text(&public.kid()), STANDARD.encode(public.bytes())));
    let (state, phrase) = match key.holds() {
        Holds::Plain => ("plain", Phrase::KeyIsPlain),
        Holds::Encrypted => ("encrypted", Phrase::KeyIsEncrypted),
        Holds::PublicOnly => ("public", Phrase::KeyIsPublic),
    };
    output.line(phrase, &[&key.algorithm().name()]);
    if let Some((kid, public)) = &public {
        output.line(Phrase::KeyKid, &[kid]);
        output.line(Phrase::KeyPublic, &[public]);
    }
    output.json(&serde_json::json!({
        "file": path.display().to_string(),
        "algorithm": key.algorithm().name(),
        "secret": state,
        "kid": public.as_ref().map(|(kid, _)| kid),
        "public": public.as_ref().map(|(_, public)| public),
    }));
}
