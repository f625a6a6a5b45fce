//! An export of a log: which files it has, and what the log's statement key says of them. Reading files is the caller's.

use credit_log::hash::sha256;
use credit_types::{Digest, FileManifest, FileManifestKind, ManifestFile};

use crate::balance::opened_manifest;
use crate::fault::Fault;
use crate::trust::Trust;

/// The name of the manifest itself, which it does not list.
pub const EXPORT_MANIFEST: &str = "manifest";
/// The name of the signed checkpoint.
pub const EXPORT_CHECKPOINT: &str = "checkpoint";
/// The folder of files of entries.
pub const EXPORT_ENTRIES: &str = "entries";
/// The folder of files of secret parts.
pub const EXPORT_DETAILS: &str = "details";
/// The folder of public blobs.
pub const EXPORT_BLOBS: &str = "blobs";

/// The digits of a first index in a name.
const INDEX_DIGITS: usize = 12;

/// What a file of an export is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportName {
    /// The signed checkpoint.
    Checkpoint,
    /// Entries from an index on.
    Entries(u64),
    /// Secret parts of entries from an index on.
    Details(u64),
    /// A public blob of this SHA-256.
    Blob(Digest),
}

impl ExportName {
    /// Reads a name; `None` for a name that no file of an export has.
    pub fn parse(name: &str) -> Option<Self> {
        let parsed = match name.split_once('/') {
            None if name == EXPORT_CHECKPOINT => Self::Checkpoint,
            Some((EXPORT_ENTRIES, index)) => Self::Entries(index.parse().ok()?),
            Some((EXPORT_DETAILS, index)) => Self::Details(index.parse().ok()?),
            Some((EXPORT_BLOBS, digest)) => Self::Blob(unhex(digest)?),
            None | Some(_) => return None,
        };
        // One name for one file: no sign, no missing zero, no capital letter.
        (parsed.text() == name).then_some(parsed)
    }

    /// The name.
    pub fn text(self) -> String {
        match self {
            Self::Checkpoint => EXPORT_CHECKPOINT.to_owned(),
            Self::Entries(index) => format!("{EXPORT_ENTRIES}/{index:0INDEX_DIGITS$}"),
            Self::Details(index) => format!("{EXPORT_DETAILS}/{index:0INDEX_DIGITS$}"),
            Self::Blob(digest) => format!("{EXPORT_BLOBS}/{digest}"),
        }
    }
}

fn unhex(text: &str) -> Option<Digest> {
    let mut bytes = [0u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let from = at.saturating_mul(2);
        *byte = u8::from_str_radix(text.get(from..from.saturating_add(2))?, 16).ok()?;
    }
    Some(Digest(bytes))
}

/// What an export holds, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Count of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Every file that must be there beside the manifest, by name.
    pub files: Vec<ManifestFile>,
    /// Files of entries with their first indexes, ascending.
    pub entries: Vec<(u64, ManifestFile)>,
    /// Files of secret parts likewise; the export claims to have them all if there are any.
    pub details: Vec<(u64, ManifestFile)>,
    /// Public blobs by their SHA-256, ascending; the export claims to have every blob that its entries name.
    pub blobs: Vec<(Digest, ManifestFile)>,
}

impl Export {
    /// The file of a public blob, by the blob's SHA-256; `None` where the export has none.
    pub fn blob(&self, digest: &Digest) -> Option<&ManifestFile> {
        let found = self.blobs.binary_search_by_key(digest, |(known, _)| *known).ok()?;
        self.blobs.get(found).map(|(_, file)| file)
    }
}

/// Reads the manifest of an export and checks its signature and its form.
pub fn open_export(bytes: &[u8], trust: &Trust) -> Result<Export, Fault> {
    let FileManifest { log_id, kind, size, root, files } = opened_manifest(bytes, trust)?;
    if log_id != trust.log_id {
        return Err(Fault::OtherLog);
    }
    let (mut entries, mut details, mut blobs, mut checkpoint) = (Vec::new(), Vec::new(), Vec::new(), false);
    for file in &files {
        match ExportName::parse(&file.name).filter(|_| kind == FileManifestKind::Export) {
            Some(ExportName::Checkpoint) => checkpoint = true,
            Some(ExportName::Entries(index)) => entries.push((index, file.clone())),
            Some(ExportName::Details(index)) => details.push((index, file.clone())),
            Some(ExportName::Blob(digest)) if digest == file.sha256 => blobs.push((digest, file.clone())),
            Some(ExportName::Blob(_)) | None => return Err(Fault::ExportFile { name: file.name.clone() }),
        }
    }
    if !checkpoint {
        return Err(Fault::ExportFile { name: EXPORT_CHECKPOINT.to_owned() });
    }
    Ok(Export { size, root, files, entries, details, blobs })
}

/// Whether bytes are the file that a manifest lists.
pub fn is_file(file: &ManifestFile, bytes: &[u8]) -> bool {
    u64::try_from(bytes.len()) == Ok(file.bytes) && sha256(bytes) == file.sha256.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name() {
        for name in [
            ExportName::Checkpoint,
            ExportName::Entries(0),
            ExportName::Details(4_096),
            ExportName::Entries(u64::MAX),
            ExportName::Blob(Digest([0xab; 32])),
        ] {
            assert_eq!(ExportName::parse(&name.text()), Some(name));
        }
        assert_eq!(ExportName::Entries(4_096).text(), "entries/000000004096");
        for other in [
            "",
            "manifest",
            "Checkpoint",
            "entries",
            "entries/",
            "entries/4096",
            "entries/+00000004096",
            "entries/0000000004096",
            "entries/00000000409a",
            "entries/000000004096/",
            "details/../checkpoint",
            "/checkpoint",
            "blobs/ab",
            &format!("blobs/{}", "AB".repeat(32)),
            &format!("blobs/{}", "é".repeat(32)),
        ] {
            assert_eq!(ExportName::parse(other), None, "{other}");
        }
    }
}
