//! The manifest of files that the bank hands out together.

use credit_types::limits::FILE_NAME_BYTES_MAX;
use credit_types::{Digest, FileManifest, LogId, ManifestFile};

use crate::bank::BankSigned;
use crate::enumeration::Enumerated as _;
use crate::envelope::Envelope;
use crate::field::{ascending, ascii, ensure, enumeration, range, sized};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::strict;
use crate::v1;

/// The most bytes of a manifest with its envelope: some hundred thousand files.
pub const FILE_MANIFEST_BYTES_MAX: usize = 16 << 20;

/// The envelope of a manifest: longer than those that stand in entries.
pub fn encode_manifest(envelope: &Envelope) -> Vec<u8> {
    strict::encode_long(&v1::Envelope::from(envelope), FILE_MANIFEST_BYTES_MAX)
}

/// Reads the envelope of a manifest, of at most [`FILE_MANIFEST_BYTES_MAX`] bytes.
pub fn decode_manifest(bytes: &[u8]) -> Result<Envelope, InvalidField> {
    let wire: v1::Envelope = strict::decode_long(bytes, FILE_MANIFEST_BYTES_MAX)?;
    Envelope::within(wire, FILE_MANIFEST_BYTES_MAX)
}

impl BankSigned for FileManifest {
    const TYPE: &'static str = payload_type::FILE_MANIFEST;
    type Wire = v1::FileManifest;

    fn to_wire(&self) -> v1::FileManifest {
        let Self { log_id, kind, size, root, files } = self;
        v1::FileManifest {
            log_id: log_id.0.to_vec(),
            kind: kind.number(),
            size: *size,
            root: root.0.to_vec(),
            files: files.iter().map(file_wire).collect(),
        }
    }

    fn payload(&self) -> Vec<u8> {
        strict::encode_long(&self.to_wire(), FILE_MANIFEST_BYTES_MAX)
    }

    fn from_payload(bytes: &[u8]) -> Result<Self, InvalidField> {
        Self::from_wire(strict::decode_long(bytes, FILE_MANIFEST_BYTES_MAX)?)
    }

    fn from_wire(wire: v1::FileManifest) -> Result<Self, InvalidField> {
        let v1::FileManifest { log_id, kind, size, root, files: wires } = wire;
        ensure(!wires.is_empty(), "files", "is missing: name at least one file")?;
        let mut files = Vec::with_capacity(wires.len());
        for (position, wire) in wires.into_iter().enumerate() {
            files.push(file(wire).at_element("files", position)?);
        }
        let names: Vec<&str> = files.iter().map(|file: &ManifestFile| file.name.as_str()).collect();
        ascending("files", &names)?;
        Ok(Self {
            log_id: sized("log_id", &log_id, LogId::from_slice)?,
            kind: enumeration("kind", kind)?,
            size: range("size", size, 1..=u64::MAX)?,
            root: sized("root", &root, Digest::from_slice)?,
            files,
        })
    }
}

fn file(wire: v1::ManifestFile) -> Result<ManifestFile, InvalidField> {
    let v1::ManifestFile { name, bytes, sha256 } = wire;
    Ok(ManifestFile {
        name: ascii("name", name, 1..=FILE_NAME_BYTES_MAX)?,
        bytes: range("bytes", bytes, 1..=u64::MAX)?,
        sha256: sized("sha256", &sha256, Digest::from_slice)?,
    })
}

fn file_wire(file: &ManifestFile) -> v1::ManifestFile {
    let ManifestFile { name, bytes, sha256 } = file;
    v1::ManifestFile { name: name.clone(), bytes: *bytes, sha256: sha256.0.to_vec() }
}
