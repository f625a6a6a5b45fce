//! Signed statements as files: the envelope's canonical bytes, under the statement's id, on the disk before it is sent.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::signer::Outgoing;

/// Keeps a statement in a folder, which is made where it is missing. A reader finds the whole file or none.
pub(crate) fn keep(folder: &Path, outgoing: &Outgoing) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.statement", outgoing.statement_id));
    let beside = folder.join(format!(".{}.writing", outgoing.statement_id));
    let mut file = File::create(&beside)?;
    file.write_all(&outgoing.envelope.encode())?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_proto::Envelope;
    use credit_types::{CommandId, Kid, SignerId};

    #[test]
    fn a_statement_is_kept_whole_under_its_id() {
        let envelope = Envelope {
            payload_type: "t".to_owned(),
            payload: vec![8, 1],
            signatures: vec![(Kid([1; 32]), [2; 64])],
        };
        let outgoing = Outgoing {
            statement_id: CommandId([7; 16]),
            signer: SignerId::Authority,
            envelope: envelope.clone(),
        };
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("deep/sent");
        for _ in 0..2 {
            keep(&folder, &outgoing).unwrap();
        }
        let names: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, [format!("{}.statement", outgoing.statement_id)]);
        assert_eq!(Envelope::decode(&fs::read(folder.join(&names[0])).unwrap()), Ok(envelope));
        fs::write(root.path().join("file"), "").unwrap();
        assert!(keep(&root.path().join("file"), &outgoing).is_err());
    }
}
