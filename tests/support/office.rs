//! An office that works by the command line alone: a ledger with the city's registrar and issuers of its own.

use crate::bank::{Bank, text};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The registrar of the invented city.
pub(crate) const REGISTRAR: &str = "cn.yunjiang.creditbank";

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the workspace").to_path_buf()
}

/// A file that ships with the product, by its path below `ledger-data`.
pub(crate) fn shipped(path: &str) -> String {
    root().join("ledger-data").join(path).display().to_string()
}

/// A running ledger and the command line.
pub(crate) struct Office {
    /// The ledger.
    pub(crate) bank: Bank,
}

impl Office {
    /// Opens one with the frameworks that the mappings name, and the registrar.
    pub(crate) fn open() -> Self {
        let office = Self { bank: Bank::start(&[]) };
        let [nqf, fheq] = ["frameworks/cn-nqf.toml", "frameworks/uk-fheq.toml"].map(shipped);
        office.must(&["framework", "publish", "--file", &nqf, "--file", &fheq]);
        let city = shipped("institutions/city.toml");
        office.must(&["institution", "admit", "--file", &city, "--id", REGISTRAR, "--generate-keys"]);
        office
    }

    /// The binary, told where the ledger is.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.bank.command();
        command.env("CREDITBANK_URL", self.bank.endpoint());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the binary runs")
    }

    /// Runs a command that must end with this code, and returns all that it wrote.
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        text(&output)
    }

    /// Runs a command that must succeed and returns what it wrote to standard output.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The document that a command writes with `--output json`; it must be one document, and the code this one.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments = [&["--output", "json"], arguments].concat();
        let output = self.run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output)))
    }

    /// Count of entries of the log.
    pub(crate) fn size(&self) -> u64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let endpoint = self.bank.endpoint();
            let stub = credit_rpc::v1::log_service_client::LogServiceClient::connect(endpoint).await;
            let answer =
                stub.expect("a connection").get_checkpoint(credit_proto::v1::GetCheckpointRequest {}).await;
            let note = answer.expect("a checkpoint").into_inner().checkpoint;
            note.lines().nth(1).expect("a size").parse().expect("a number")
        })
    }

    /// A path in the office's folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.bank.folder().join(name).display().to_string()
    }

    /// Writes a file in the office's folder and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.bank.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    }

    /// Admits an issuer of formal courses with keys in the home.
    pub(crate) fn issuer(&self, id: &str) {
        let toml = format!(
            "[[institution]]\ninstitution_id = \"{id}\"\nname = {{ zh = \"学校\", en = \"School\" }}\n\
             kind = \"UNIVERSITY\"\nroles = [\"ISSUER\"]\ndistrict_code = \"990101\"\ndefault_validity_years = 0\n\
             [[institution.accreditation]]\naccreditation_no = \"T-1\"\nauthority = \"test\"\n\
             kinds = [\"FORMAL_COURSE\"]\nvalid_from = \"2010-01-01\"\n"
        );
        let file = self.file(&format!("{id}.toml"), toml);
        self.must(&["institution", "admit", "--file", &file, "--generate-keys"]);
    }
}

/// The rows of a results file: line, status, reason, record id, entry.
pub(crate) fn results(path: &str) -> Vec<[String; 5]> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = String::from_utf8(bytes).expect("UTF-8");
    let text = text.strip_prefix('\u{feff}').expect("a byte-order mark").to_owned();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let column = |header: &csv::StringRecord, name: &str| {
        header.iter().position(|found| found == name).unwrap_or_else(|| panic!("{name} in {header:?}"))
    };
    let header = rows.headers().expect("a header").clone();
    let columns = ["line", "status", "reason", "record_id", "entry_index"].map(|name| column(&header, name));
    let rows = rows.records().map(|row| {
        let row = row.expect("a row");
        columns.map(|at| row[at].to_owned())
    });
    rows.collect()
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for item in std::fs::read_dir(from).expect("a folder") {
        let item = item.expect("an item");
        let target = to.join(item.file_name());
        if item.file_type().expect("a type").is_dir() {
            copy(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).expect("a copy");
        }
    }
}
