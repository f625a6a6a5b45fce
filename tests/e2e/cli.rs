//! The command line: its help, its exit codes, and a working day of an office that has nothing else.

use crate::bank::text;
use crate::office::{Office, REGISTRAR, results, shipped};
use crate::session::toml_of;
use std::collections::BTreeSet;

/// Han characters, of which every help has some.
fn chinese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}

/// The commands that a help names under `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let list = help.split_once("Commands:\n").map(|(_, list)| list).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_help_with_an_example_in_both_languages() {
    let bank = crate::bank::Bank::new(&[]);
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    let mut leaves = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = bank.must(&arguments);
        assert!(chinese(&help), "{path:?}");
        let inner = commands(&help);
        if inner.is_empty() || path == ["verify"] || path == ["bench"] {
            assert!(
                help.contains(&format!("  creditbank {}", path.join(" "))),
                "{path:?} has no example:\n{help}"
            );
            leaves.insert(path.join(" "));
        }
        waiting.extend(inner.into_iter().map(|name| path.iter().cloned().chain([name]).collect()));
    }
    for name in [
        "init",
        "serve",
        "submit",
        "balance",
        "verify",
        "verify receipt",
        "rebuild",
        "account open",
        "record revoke",
    ] {
        assert!(leaves.contains(name), "{name} in {leaves:?}");
    }
    assert!(leaves.len() > 25, "{leaves:?}");
    let version = bank.must(&["--version"]);
    assert!(version.starts_with("creditbank "), "{version}");
    assert!(bank.must(&["completions", "bash"]).contains("creditbank"));
}

#[test]
fn exit_codes_are_the_documented_ones() {
    let office = Office::open();
    let account = "00".repeat(16);
    // 1: the ledger refuses.
    let refused = office.ends(1, &["account", "show", &account]);
    assert!(refused.contains("ACCOUNT_UNKNOWN"), "{refused}");
    // 2: the command line, a file or the configuration makes no sense.
    office.ends(2, &["balance", "not-an-account"]);
    office.ends(2, &["no-such-command"]);
    let elsewhere = office.path("elsewhere");
    office.ends(2, &["--home", &elsewhere, "init", "--dev", "--origin", "bank.example/log"]);
    let nonsense = office.file("nonsense.toml", "format = ");
    office.ends(2, &["framework", "publish", "--file", &nonsense]);
    // 3: a proof is false.
    let receipt = office.path("r.receipt");
    let nqf = shipped("frameworks/cn-cpd.toml");
    office.must(&["framework", "publish", "--file", &nqf, "--receipt", &receipt]);
    office.must(&["verify", "receipt", &receipt]);
    let mut bent = std::fs::read(&receipt).expect("a receipt");
    // The core is the first field: its hash leads nowhere if one byte differs.
    bent[10] ^= 1;
    let bent = office.file("bent.receipt", bent);
    office.ends(3, &["verify", "receipt", &bent]);
    // 4: nobody answers, or a file is not there.
    office.ends(4, &["verify", "receipt", &office.path("nothing")]);
    let mut unreachable = office.command();
    unreachable.env("CREDITBANK_URL", "http://127.0.0.1:1").args(["institution", "list"]);
    let output = unreachable.output().expect("it runs");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    // 5: a newer program is needed.
    let key = office.file("newer.key", "version = 2\nalgorithm = \"ed25519\"\n");
    office.ends(5, &["keys", "show", &key]);
    // 0, and what is said as JSON is one document, also of an error.
    let document = office.json(1, &["account", "show", &account]);
    assert_eq!(document["error"]["exit"], 1);
    assert!(chinese(document["error"]["zh"].as_str().expect("a text")), "{document}");
}

#[test]
fn an_account_is_kept_by_commands_alone() {
    let office = Office::open();
    let school = "cn.test.cli";
    office.issuer(school);
    let person = office.file(
        "person.toml",
        "name = \"林晓云\"\ndocument_kind = \"PASSPORT\"\ndocument_country = \"CHN\"\ndocument_number = \"E12345678\"\n\
         [[student_number]]\ninstitution_id = \"cn.test.cli\"\nnumber = \"S-1\"\n",
    );
    let open = ["account", "open", "--as", REGISTRAR, "--assurance", "document", "--identity", &person];
    let opened = office.json(0, &open);
    let account = opened["account_ref"].as_str().expect("an account").to_owned();
    assert_eq!(opened["account_number"].as_str().expect("a number").len(), 16);
    assert!(office.ends(1, &open).contains("ALIAS_EXISTS"));
    let found = office.json(0, &["account", "find", "--as", school, "--student-number", "S-1"]);
    assert_eq!(found["accounts"][0]["account_ref"], account.as_str());
    office.ends(1, &["account", "find", "--as", school, "--student-number", "S-2"]);
    let change = |action: &str, reason: &str| {
        office.must(&[
            "account",
            action,
            &account,
            "--as",
            REGISTRAR,
            "--reason",
            reason,
            "--explanation",
            "核查",
        ]);
        office.json(0, &["account", "show", &account])["status"].as_str().expect("a status").to_owned()
    };
    assert_eq!(change("suspend", "investigation"), "SUSPENDED");
    assert_eq!(change("reinstate", "resolved"), "ACTIVE");
    assert_eq!(change("close", "learner-request"), "CLOSED");
    let again = ["account", "close", &account, "--as", REGISTRAR, "--reason", "learner-request"];
    assert!(office.ends(1, &again).contains("ACCOUNT_CLOSED"));
    // In Chinese, refusals are told in Chinese.
    let output = office.command().env("LC_ALL", "zh_CN.UTF-8").args(again).output().expect("it runs");
    assert!(text(&output).contains("学习账户已销户"), "{}", text(&output));
}

#[test]
fn a_record_is_looked_at_suspended_reinstated_and_revoked() {
    let office = Office::open();
    let school = "cn.test.records";
    office.issuer(school);
    let csv = office.file("semester.csv", std::fs::read(shipped("mappings/semester.csv")).expect("a file"));
    let mapping = shipped("mappings/semester.toml");
    office.ends(
        1,
        &[
            "submit",
            "--as",
            school,
            "--csv",
            &csv,
            "--mapping",
            &mapping,
            "--skip-bad",
            "--open-accounts",
            "--registrar",
            REGISTRAR,
        ],
    );
    let rows = results(&office.path("semester.results.csv"));
    let record = rows.iter().find(|row| row[1] == "accepted").expect("a record")[3].clone();
    let show = || office.json(0, &["record", "show", school, &record]);
    let shown = show();
    let account = shown["account_ref"].as_str().expect("an account").to_owned();
    let balance = || office.json(0, &["balance", &account])["lines"].clone();
    assert_eq!(balance().as_array().expect("lines").len(), 1);
    for (action, reason, bucket) in [
        ("suspend", "investigation", "SUSPENDED"),
        ("reinstate", "resolved", "AVAILABLE"),
        ("revoke", "issued-in-error", "REVOKED"),
    ] {
        let receipt = office.path(&format!("{action}.receipt"));
        office.must(&["record", action, school, &record, "--reason", reason, "--receipt", &receipt]);
        assert_eq!(show()["bucket"], bucket);
        let verdict = office.json(0, &["verify", "receipt", &receipt]);
        assert_eq!((verdict["verdict"].as_str(), verdict["actor"].as_str()), (Some("OK"), Some(school)));
    }
    let lines = balance();
    let buckets: BTreeSet<&str> = lines
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["bucket"].as_str().expect("a bucket"))
        .collect();
    assert!(buckets.contains("REVOKED"), "{lines}");
    let again = office.ends(1, &["record", "revoke", school, &record, "--reason", "fraud"]);
    assert!(again.contains("RECORD_REVOKED"), "{again}");
    // A balance at an earlier entry, at a date, and kept in a file.
    let index = shown["index"].as_u64().expect("an index").to_string();
    let past = office.json(0, &["balance", &account, "--at-index", &index]);
    assert_eq!(
        (past["verified"].as_bool(), past["lines"][0]["bucket"].as_str()),
        (Some(false), Some("AVAILABLE"))
    );
    let kept = office.path("balance.bin");
    office.must(&["balance", &account, "--as-of", "2030-01-01", "--keep", &kept]);
    assert!(std::fs::metadata(&kept).expect("a file").len() > 100);
    let statement = office.must(&["--lang", "zh", "statement", &account]);
    assert!(statement.contains("存入成果") && statement.contains("银行签名与回执已验证"), "{statement}");
    let listed = office.json(0, &["record", "list", &account, "--details"]);
    assert!(!listed["records"].as_array().expect("records").is_empty());
    office.ends(0, &["verify", "--running"]);
}

#[test]
fn keys_are_added_retired_and_reported() {
    let office = Office::open();
    let school = "cn.test.keys";
    office.issuer(school);
    let key = office.path("second.key");
    let made = office.json(0, &["keys", "generate", "--file", &key]);
    let kid = made["kid"].as_str().expect("a kid").to_owned();
    office.ends(2, &["keys", "generate", "--file", &key]);
    office.must(&["institution", "add-key", school, "--key", &key, "--purpose", "records"]);
    assert!(
        office
            .ends(1, &["institution", "add-key", school, "--key", &key, "--purpose", "records"])
            .contains("KEY_EXISTS")
    );
    let shown = || office.must(&["institution", "show", school]);
    assert!(shown().contains(&kid));
    office.must(&["institution", "retire-key", school, "--kid", &kid]);
    let retired = office.ends(1, &["institution", "retire-key", school, "--kid", &kid]);
    assert!(retired.contains("KEY_RETIRED"), "{retired}");
    let from = office.size().to_string();
    office.must(&["institution", "report-key", school, "--kid", &kid, "--suspect-from", &from]);
    // Another institution's key is not touched by a slip of the hand.
    let other = toml_of(&office.bank.home().join("institutions").join(REGISTRAR).join("registry.key"));
    let other = other["kid"].as_str().expect("a kid");
    office.ends(2, &["institution", "retire-key", school, "--kid", other]);
    let listed = office.json(0, &["institution", "list"]);
    assert!(listed.to_string().contains(school));
}

/// Whatever is run, no secret is written to the terminal or to the server's log.
#[test]
fn no_secret_is_ever_shown() {
    let office = Office::open();
    let school = "cn.test.secrets";
    office.issuer(school);
    let mut seeds = Vec::new();
    let mut folders = vec![office.bank.home()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(&folder).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "key") {
                let mode =
                    std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions());
                assert_eq!(mode & 0o077, 0, "{} is open to others", path.display());
                seeds.push((
                    path.display().to_string(),
                    toml_of(&path)["seed"].as_str().expect("a seed").to_owned(),
                ));
            }
        }
    }
    assert!(seeds.len() > 12);
    let mut said = office.bank.log();
    for (path, _) in &seeds {
        said.push_str(&office.ends(0, &["keys", "show", path]));
        if !path.ends_with("root.key") && !path.ends_with("rows.key") {
            said.push_str(&office.ends(0, &["keys", "public", path]));
        }
    }
    said.push_str(&office.must(&["config"]));
    said.push_str(&office.must(&["institution", "list"]));
    said.push_str(&office.bank.log());
    for (path, seed) in &seeds {
        assert!(!said.contains(seed.as_str()), "{path}");
    }
}
