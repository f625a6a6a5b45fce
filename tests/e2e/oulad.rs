//! Real data: the module results of 32,593 rows of the Open University Learning Analytics Dataset.

use crate::office::{Office, REGISTRAR, root, shipped};
use credit_proto::v1;
use prost::Message as _;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tonic::Request;
use tonic::metadata::MetadataValue;

/// The issuer of the records.
const ISSUER: &str = "cn.yunjiang.international";
/// What each module is worth in CATS credits: the least `studied_credits` seen for it.
const CREDITS: [(&str, i64); 7] =
    [("AAA", 60), ("BBB", 60), ("CCC", 30), ("DDD", 60), ("EEE", 30), ("FFF", 60), ("GGG", 30)];
/// The kind byte of an event's part.
const PART_EVENT: u8 = 4;
/// How many learners are also asked for one by one.
const SAMPLE: usize = 150;

/// The data set, or nothing where it is not here and need not be.
fn data() -> Option<PathBuf> {
    let file = root().join("../shared/data/oulad/studentInfo.csv");
    if file.exists() {
        return Some(file);
    }
    let required = std::env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|tool| tool == "data"), "{} is required", file.display());
    println!("skipped: no shared data");
    None
}

/// Milli-credits by student, summed over the file itself.
fn expected(file: &PathBuf) -> BTreeMap<String, i64> {
    let mut rows = csv::Reader::from_path(file).expect("a readable file");
    let header = rows.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|found| found == name).expect("a column");
    let [module, student, result] = ["code_module", "id_student", "final_result"].map(column);
    let credits: BTreeMap<&str, i64> = CREDITS.into();
    let mut sums = BTreeMap::new();
    for row in rows.records() {
        let row = row.expect("a row");
        if matches!(&row[result], "Pass" | "Distinction") {
            *sums.entry(row[student].to_owned()).or_insert(0) += credits[&row[module]] * 1_000;
        }
    }
    sums
}

/// Account by student number, as the office was told them.
fn accounts(path: &str) -> BTreeMap<String, String> {
    let mut rows = csv::Reader::from_path(path).expect("a readable file");
    let rows = rows.records().map(|row| {
        let row = row.expect("a row");
        (row[0].to_owned(), row[1].to_owned())
    });
    rows.collect()
}

/// Milli-credits by account, summed over the postings of every entry of the log.
async fn posted(endpoint: String, token: &str) -> BTreeMap<String, i64> {
    let stub =
        credit_rpc::v1::log_service_client::LogServiceClient::connect(endpoint).await.expect("a connection");
    let mut stub = stub.max_decoding_message_size(8 << 20);
    let mut sums = BTreeMap::new();
    let mut start = 0;
    loop {
        let mut request = Request::new(v1::ListEntriesRequest { start, page_size: 1_000, with_parts: true });
        let token = MetadataValue::try_from(format!("Bearer {token}")).expect("a token");
        request.metadata_mut().insert("authorization", token);
        let page = stub.list_entries(request).await.expect("entries").into_inner();
        if page.entries.is_empty() {
            return sums;
        }
        start = page.next_start;
        for part in page.entries.iter().flat_map(|entry| &entry.parts).filter(|part| part[0] == PART_EVENT) {
            let event = v1::Event::decode(&part[1..]).expect("an event");
            let Some(deposited) = event.record_deposited else { continue };
            for posting in deposited.postings {
                assert_eq!((posting.from(), posting.to()), (v1::Bucket::Issued, v1::Bucket::Available));
                assert_eq!(posting.credit_scheme, "CATS");
                *sums.entry(crate::session::hex(&deposited.account_ref)).or_insert(0) +=
                    posting.credits_milli;
            }
        }
    }
}

#[test]
fn a_university_is_imported_and_every_balance_is_the_sum_of_its_rows() {
    let Some(file) = data() else { return };
    let office = Office::open();
    let city = shipped("institutions/city.toml");
    office.must(&["institution", "admit", "--file", &city, "--id", ISSUER, "--generate-keys"]);
    let csv = office.file("oulad.csv", std::fs::read(&file).expect("a readable file"));
    let mapping = shipped("mappings/oulad.toml");
    let submit = [
        "submit",
        "--as",
        ISSUER,
        "--csv",
        &csv,
        "--mapping",
        &mapping,
        "--open-accounts",
        "--registrar",
        REGISTRAR,
    ];
    let document = office.json(0, &submit);
    let counts =
        ["accepted", "already", "refused", "not_credit", "bad", "rows"].map(|name| document[name].as_u64());
    assert_eq!(counts, [15_385, 0, 0, 17_208, 0, 32_593].map(Some), "{document}");
    assert_eq!(document["reasons"], serde_json::json!({ "FAILED": 7_052, "WITHDRAWN": 10_156 }));

    let expected = expected(&file);
    assert_eq!((expected.len(), expected.values().sum::<i64>()), (14_581, 777_840_000));
    let accounts = accounts(&office.path("oulad.results.accounts.csv"));
    assert_eq!(accounts.len(), 14_581);
    let token = office.must(&["token", "auditor"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let posted = runtime.block_on(posted(office.bank.endpoint(), token.trim()));
    let by_student: BTreeMap<String, i64> =
        accounts.iter().map(|(student, account)| (student.clone(), posted[account])).collect();
    assert_eq!(by_student, expected);

    // A sample is asked for as a reader asks, some of them with a verified signature.
    let step = accounts.len() / SAMPLE;
    runtime.block_on(asked(&office, &accounts, &expected, step, token.trim()));
    let (student, account) = accounts.iter().next().expect("a learner");
    let balance = office.json(0, &["balance", account]);
    assert_eq!(
        (&balance["lines"][0]["credits_milli"], &balance["verified"]),
        (&expected[student].into(), &true.into())
    );

    let size = office.size();
    let again = office.json(0, &submit);
    assert_eq!((again["accepted"].as_u64(), again["already"].as_u64()), (Some(0), Some(15_385)));
    assert_eq!(office.size(), size, "importing again adds nothing");
    assert!(office.bank.stop().success());
    let verdict: serde_json::Value =
        serde_json::from_str(&office.bank.must(&["--output", "json", "verify"])).expect("JSON");
    assert_eq!((&verdict["verdict"], verdict["size"].as_u64()), (&"OK".into(), Some(size)));
}

/// Asks for the balances of every so many learners.
async fn asked(
    office: &Office,
    accounts: &BTreeMap<String, String>,
    expected: &BTreeMap<String, i64>,
    step: usize,
    token: &str,
) {
    let endpoint = office.bank.endpoint();
    let stub = credit_rpc::v1::account_service_client::AccountServiceClient::connect(endpoint).await;
    let mut stub = stub.expect("a connection");
    for (student, account) in accounts.iter().step_by(step) {
        let account_ref = crate::session::unhex(account);
        let mut request =
            Request::new(v1::GetBalanceRequest { account_ref, ..v1::GetBalanceRequest::default() });
        let token = MetadataValue::try_from(format!("Bearer {token}")).expect("a token");
        request.metadata_mut().insert("authorization", token);
        let balance =
            stub.get_balance(request).await.expect("a balance").into_inner().balance.expect("a balance");
        let [line] = balance.lines.as_slice() else { panic!("{student}: {balance:?}") };
        assert_eq!(
            (line.credits_milli, line.bucket()),
            (expected[student], v1::Bucket::Available),
            "{student}"
        );
        // Ten notional hours to a CATS credit.
        assert_eq!(line.minutes * 1_000, expected[student] * 600, "{student}");
    }
}
