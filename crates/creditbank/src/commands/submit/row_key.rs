//! What an issuer's record ids are made of: a secret, and the mapping's scope and key columns.
//!
//! With another one of them the same rows become other records, and their credit is given twice. So none of them is ever
//! new without being asked for: the secret is made at the admission, or by `--new-row-key` at the first import; which
//! scopes and columns were used is kept beside it, and a new one takes `--new-scope`.

use crate::commands::Context;
use crate::commands::keys::generate;
use crate::durable;
use crate::ending::{CommandError, unreadable, unwritable};
use crate::keyfile::{Algorithm, KeyFile, Seed};
use crate::language::Phrase;
use crate::mapping::Mapping;
use credit_types::InstitutionId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The version of the file's form.
const VERSION: u32 = 1;
/// The most bytes of the file of keys that were used: some hundred of them.
pub(crate) const USED_BYTES_MAX: u64 = 256 << 10;
/// What the file says of itself.
const HEAD: &str = "# The [key] of each mapping that rows were imported under. Keep it with rows.key. · 导入用过的映射键，请与 rows.key 一同保存。\n";

/// The scope and columns of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Naming {
    scope: String,
    columns: Vec<String>,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} [{}]", self.scope, self.columns.join(", "))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    version: u32,
    #[serde(default)]
    key: Vec<Naming>,
}

/// What was said to be new.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct New {
    /// Make the secret of record ids, at the issuer's very first import; with another secret the same rows become other
    /// records · 首次导入时生成成果编号密钥；换了密钥，同样的行会重复入账
    #[arg(long)]
    new_row_key: bool,
    /// Take a `[key]` of the mapping that was never used before: another kind of spreadsheet · 使用从未用过的映射键：另一种表格
    #[arg(long)]
    new_scope: bool,
}

/// What the ids of a submission's records are made of.
pub(super) struct RowKey {
    issuer: InstitutionId,
    secret: PathBuf,
    used_file: PathBuf,
    naming: Naming,
    used: Vec<Naming>,
}

impl RowKey {
    /// Looks at what there is; opens nothing and makes nothing.
    pub(super) fn of(
        context: &Context,
        issuer: &InstitutionId,
        mapping: &Mapping,
    ) -> Result<Self, CommandError> {
        let (scope, columns) = mapping.naming();
        let naming =
            Naming { scope: scope.to_owned(), columns: columns.into_iter().map(str::to_owned).collect() };
        let used_file = context.home.rows_used(issuer);
        let used = read(&used_file)?;
        let secret = context.home.rows_key(issuer);
        Ok(Self { issuer: issuer.clone(), secret, used_file, naming, used })
    }

    /// Why these rows may be records already under other ids, as far as it was not said that they are not.
    pub(super) fn doubt(&self, new: New) -> Option<CommandError> {
        let New { new_row_key, new_scope } = new;
        let shown = self.secret.display();
        match (self.secret.exists(), new_row_key) {
            (false, false) => {
                return Some(CommandError::usage(Phrase::RowsKeyMissing, &[&shown, &self.issuer]));
            }
            (true, true) => return Some(CommandError::usage(Phrase::RowsKeyThere, &[&shown])),
            (true, false) | (false, true) => {}
        }
        if new_scope || self.used.is_empty() || self.used.contains(&self.naming) {
            return None;
        }
        let used: Vec<String> = self.used.iter().map(ToString::to_string).collect();
        Some(CommandError::usage(Phrase::ScopeNew, &[&self.naming, &self.issuer, &used.join("; ")]))
    }

    /// The secret, made where [`RowKey::doubt`] allowed that; and keeps what is used from here on, before anything of it
    /// is sent.
    pub(super) fn open(&self, context: &mut Context) -> Result<Seed, CommandError> {
        let file = if self.secret.exists() {
            KeyFile::read(&self.secret)?
        } else {
            let file = generate(context, &self.secret, Algorithm::Rows, false)?;
            context.output.note(Phrase::RowsKeyMade, &[&self.secret.display(), &self.issuer]);
            file
        };
        let secret = file.open(Algorithm::Rows, &mut context.passphrases)?;
        if !self.used.contains(&self.naming) {
            let key = self.used.iter().chain([&self.naming]).cloned().collect();
            write(&self.used_file, &Used { version: VERSION, key })?;
            context.output.note(Phrase::ScopeKept, &[&self.naming, &self.used_file.display()]);
        }
        Ok(secret)
    }
}

/// The keys that were used; none where no file is yet.
fn read(path: &Path) -> Result<Vec<Naming>, CommandError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(unreadable(path)(cause)),
    };
    let unusable = || CommandError::usage(Phrase::RowsUsedUnusable, &[&path.display()]);
    let mut text = String::new();
    file.take(USED_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(unreadable(path))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > USED_BYTES_MAX {
        return Err(unusable());
    }
    let Used { version, key } = toml::from_str(&text).map_err(|cause| unusable().because(cause))?;
    if version == VERSION { Ok(key) } else { Err(unusable()) }
}

fn write(path: &Path, used: &Used) -> Result<(), CommandError> {
    let unwritten = || unwritable(path);
    let text = toml::to_string(used).map_err(|cause| unwritten()(std::io::Error::other(cause)))?;
    durable::replace(path, format!("{HEAD}{text}").as_bytes()).map_err(unwritten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::keyfile::Passphrases;
    use crate::language::Language;
    use crate::output::{Format, Output};

    const SEMESTER: &str = include_str!("../../../../../ledger-data/mappings/semester.toml");

    const ROW_KEY: New = New { new_row_key: true, new_scope: false };
    const SCOPE: New = New { new_row_key: false, new_scope: true };

    fn context(folder: &Path) -> Context {
        Context {
            output: Output { language: Language::En, format: Format::Json },
            home: Home::new(folder),
            passphrases: Passphrases::new(Language::En, Vec::new(), None),
        }
    }

    fn key(context: &Context, scope: &str, column: &str) -> RowKey {
        let text =
            SEMESTER.replace("openuniv/semester", scope).replace("[\"学期\",", &format!("[\"{column}\","));
        let issuer = InstitutionId::new("cn.x.school").unwrap();
        RowKey::of(context, &issuer, &Mapping::parse(&text).unwrap()).unwrap()
    }

    fn said(doubt: Option<CommandError>) -> String {
        doubt.map(|error| error.text.en).unwrap_or_default()
    }

    #[test]
    fn a_secret_is_made_only_where_it_was_asked_for_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut context = context(folder.path());
        let missing = key(&context, "s", "学期");
        let doubt = said(missing.doubt(New::default()));
        assert!(doubt.contains("rows.key") && doubt.contains("--new-row-key") && doubt.contains("restore"));
        assert!(!missing.secret.exists(), "a doubt makes nothing");
        assert!(missing.doubt(ROW_KEY).is_none());
        let secret = missing.open(&mut context).unwrap();
        let there = key(&context, "s", "学期");
        assert!(said(there.doubt(ROW_KEY)).contains("leave out"));
        assert!(there.doubt(New::default()).is_none());
        assert_eq!(there.open(&mut context).unwrap(), secret);
        std::fs::remove_file(&there.secret).unwrap();
        assert!(said(there.doubt(SCOPE)).contains("is missing"), "a lost secret is not made anew");
    }

    #[test]
    fn another_scope_or_column_is_taken_only_where_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut context = context(folder.path());
        key(&context, "s", "学期").open(&mut context).unwrap();
        for (scope, column) in [("t", "学期"), ("s", "姓名")] {
            let other = key(&context, scope, column);
            let doubt = said(other.doubt(New::default()));
            assert!(
                doubt.contains("--new-scope") && doubt.contains(r#""s" [学期, 课程代码, 学号]"#),
                "{doubt}"
            );
            assert!(other.doubt(SCOPE).is_none());
        }
        key(&context, "t", "学期").open(&mut context).unwrap();
        for (scope, column, doubted) in
            [("s", "学期", false), ("t", "学期", false), ("t", "姓名", true), ("u", "学期", true)]
        {
            let other = key(&context, scope, column);
            assert_eq!(other.doubt(New::default()).is_some(), doubted, "{scope} {column}");
        }
    }

    #[test]
    fn a_damaged_file_of_used_keys_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.toml");
        assert!(read(&path).unwrap().is_empty());
        let good = "version = 1\n";
        let most = usize::try_from(USED_BYTES_MAX).unwrap();
        for (text, ok) in [
            (good.to_owned(), true),
            (format!("{good}#{}", "x".repeat(most - good.len() - 1)), true),
            (format!("{good}#{}", "x".repeat(most - good.len())), false),
            ("version = 2\n".to_owned(), false),
            ("version = 1\nother = 1\n".to_owned(), false),
            (String::new(), false),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(read(&path).is_ok(), ok, "{} bytes", text.len());
        }
    }
}
