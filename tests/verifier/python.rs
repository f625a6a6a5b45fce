//! A client in Python, made from `proto/` and the reference of the log's format alone.

use crate::bank::text;
use crate::require::skip;
use crate::session::{Session, World, hex, in_runtime};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_proto::v1;
use credit_proto::v1::{KeyPurpose, RecordKind};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the client needs beside Python.
const MODULES: &str = "import grpc, grpc_tools.protoc, google.protobuf, cryptography";

pub(crate) fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the workspace").to_path_buf()
}

/// A Python that can import what is needed: the one that the environment names, or the machine's.
pub(crate) fn interpreter(imports: &str, needs: &str) -> Option<String> {
    let named = std::env::var("CREDITBANK_PYTHON").ok();
    let python = named.unwrap_or_else(|| "python3".to_owned());
    let mut probe = Command::new(&python);
    probe.args(["-c", imports]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match probe.status() {
        Ok(status) if status.success() => Some(python),
        Ok(_) => {
            skip("python", &format!("{python} lacks {needs}"));
            None
        }
        Err(error) => {
            skip("python", &format!("{python} does not run: {error}"));
            None
        }
    }
}

/// It submits a record, verifies the receipt by its own arithmetic, and is refused where it must be.
#[test]
fn a_client_in_python_needs_nothing_but_the_documents() {
    let needs = "grpcio, grpcio-tools, protobuf or cryptography";
    let Some(python) = interpreter(MODULES, needs) else { return };
    let world = World::start(&[]);
    let account = in_runtime(async { Session::new(&world).await.account().await });
    let seed = |purpose: KeyPurpose| hex(&world.school.seed(purpose.as_str_name()));
    let endpoint = world.bank.endpoint();
    let checkpoint_key = STANDARD.encode(world.checkpoint_keys[0].key().bytes());
    let arguments = [
        ("--proto", workspace().join("proto").display().to_string()),
        ("--endpoint", endpoint.strip_prefix("http://").expect("an address").to_owned()),
        ("--origin", world.origin.clone()),
        ("--log-id", hex(&world.log_id)),
        ("--checkpoint-key", checkpoint_key),
        ("--institution", world.school.id.clone()),
        ("--records-seed", seed(KeyPurpose::Records)),
        ("--tokens-seed", seed(KeyPurpose::Tokens)),
        ("--account", hex(&account.account_ref)),
        ("--scheme", "T_XF".to_owned()),
        ("--subject", "0411".to_owned()),
        ("--kind", RecordKind::FormalCourse.as_str_name().to_owned()),
    ];
    let mut client = Command::new(python);
    client.arg(workspace().join("tests/python/client.py"));
    for (name, value) in arguments {
        client.arg(name).arg(value);
    }
    let output = client.stdin(Stdio::null()).output().expect("Python runs");
    assert!(output.status.success(), "{}", text(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    println!("{told}");
    // What the client says of itself, once more by our own means.
    let records = in_runtime(async {
        let session = Session::new(&world).await;
        let request = v1::GetAccountRequest { account_ref: account.account_ref.clone() };
        let answer = session.auditor().accounts().get_account(request).await.expect("an account");
        answer.into_inner().account.expect("an account").records
    });
    assert_eq!(records, 1, "of all that it sent one record was right: {told}");
}
