//! What a file of a statement may be.

use super::*;
use credit_log::envelope::SigningKey;
use credit_proto::Signable as _;
use credit_types::{Anchor, CommandId, Digest, Header, KeyRetirement, Kid, SignerId};

const LOG: LogId = LogId([7; 32]);

fn envelope(log_id: LogId) -> Envelope {
    // A UUID of version 7.
    let mut id = [1; 16];
    (id[6], id[8]) = (0x70, 0x80);
    let header = Header {
        log_id: Some(log_id),
        statement_id: CommandId(id),
        signer: SignerId::Authority,
        anchor: Some(Anchor { size: 4, root: Digest([2; 32]) }),
    };
    let payload = KeyRetirement { after: Digest([3; 32]), kid: Kid([4; 32]) }.payload(Some(&header));
    let key = SigningKey::from_seed([9; 32]);
    let signature = key.sign_statement(payload_type::KEY_RETIREMENT, &payload);
    let signatures = vec![(Kid(key.public().kid()), signature)];
    Envelope { payload_type: payload_type::KEY_RETIREMENT.to_owned(), payload, signatures }
}

fn read_bytes(bytes: impl AsRef<[u8]>) -> Result<Option<Given>, CommandError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    std::fs::write(&path, bytes).unwrap();
    read(&path, "s", LOG)
}

#[test]
fn a_statement_is_read_in_each_of_its_forms_and_nothing_else_is_one() {
    let bytes = envelope(LOG).encode();
    for form in [bytes.clone(), super::super::super::labels::hex(&bytes).into_bytes()] {
        let given = read_bytes(form).unwrap().unwrap();
        assert_eq!((given.envelope, is_public(&given.statement)), (envelope(LOG), true));
    }
    assert!(read_bytes(envelope(LogId([8; 32])).encode()).unwrap().is_none(), "of another log");
    assert!(read_bytes("no statement").unwrap().is_none());
    assert!(read_bytes(&bytes[..bytes.len() - 1]).unwrap().is_none());
}

#[test]
fn a_statements_file_reaches_its_limit_and_not_beyond() {
    let most = usize::try_from(STATEMENT_FILE_BYTES_MAX).unwrap();
    for (bytes, ok) in [(most, true), (most + 1, false)] {
        let mut text = super::super::super::labels::hex(&envelope(LOG).encode()).into_bytes();
        text.resize(bytes, b'\n');
        assert_eq!(read_bytes(text).is_ok(), ok);
    }
}

#[test]
fn files_of_statements_reach_their_limit_and_not_beyond() {
    let context = Context {
        output: crate::output::Output {
            language: crate::language::Language::En,
            format: crate::output::Format::Text,
        },
        home: crate::home::Home::new("nowhere"),
        passphrases: crate::keyfile::Passphrases::new(crate::language::Language::En, Vec::new(), None),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut statements = Statements::new(folder.path(), 5);
    for number in 0..STATEMENT_FILES_MAX {
        std::fs::write(folder.path().join(format!("{number:03}")), envelope(LOG).encode()).unwrap();
    }
    std::fs::write(folder.path().join(".hidden"), "not looked at").unwrap();
    assert_eq!(statements.given(&context, LOG, false).unwrap().len(), 1, "one statement, many times");
    std::fs::write(folder.path().join("one-more"), envelope(LOG).encode()).unwrap();
    assert_eq!(statements.given(&context, LOG, false).err().unwrap().exit, crate::ending::Exit::Usage);
}
