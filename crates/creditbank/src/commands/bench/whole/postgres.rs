//! What a user would take instead, on the same machine and file system, just as durable: a log row, an idempotency key
//! and a balance, changed together. There are no signatures and no proofs.

use super::super::{rate, unmeasured};
use super::Sizes;
use super::cluster::Cluster;
use super::figures::Figures;
use super::signed::{Desk, on_all_cores, uuid};
use super::stats::percentile;
use crate::ending::CommandError;
use credit_proto::Leaf as _;
use credit_service::clock::instant;
use credit_types::AccountRef;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// An append-only log, an idempotency key, and balances. An account is a number, which is less than our reference.
const SCHEMA: &str = "\
CREATE TABLE log (index bigserial PRIMARY KEY, account bigint NOT NULL, record bytea NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE keys (key uuid PRIMARY KEY);
CREATE TABLE balances (account bigint PRIMARY KEY, available bigint NOT NULL);
";
/// One record, one transaction, one round trip: the fastest way there is to do the three together.
const ONE: &str = "\
\\set account random(0, :accounts - 1)
WITH entry AS (INSERT INTO log (account, record) VALUES (:account, decode(:record, 'hex'))), once AS (INSERT INTO keys VALUES (gen_random_uuid())) UPDATE balances SET available = available + 3000 WHERE account = :account;
";
/// What is done with each batch once it is in the staging table.
const MERGE: &str = "\
INSERT INTO log (account, record) SELECT account, record FROM stage;
INSERT INTO keys SELECT key FROM stage;
UPDATE balances SET available = available + new.sum FROM (SELECT account, sum(amount)::bigint AS sum FROM stage GROUP BY account) new WHERE balances.account = new.account;
TRUNCATE stage;
COMMIT;
";
/// How a binary copy begins.
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Rows of a transaction.
const BATCHES: [u64; 3] = [1_000, 5_000, 20_000];
/// Records of an account, as in a semester.
const PER_ACCOUNT: u64 = 10;

/// PostgreSQL with its tables.
pub(super) struct Postgres {
    pub(super) cluster: Cluster,
    desk: Desk,
    accounts: u64,
    /// The hexadecimal digits of a record.
    record: String,
    /// The number of the next record: no key comes twice.
    next: u64,
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), CommandError> {
    fs::write(path, bytes).map_err(unmeasured)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).map_err(unmeasured)
}

/// Facts and details: what the ledger keeps of a record, without its signature.
fn record(desk: &Desk, number: u64) -> Result<Vec<u8>, CommandError> {
    let (facts, salt, details) = desk.record(number, desk.record_id(number), AccountRef([0; 16]))?;
    Ok([facts.leaf_payload(), salt.to_vec(), details].concat())
}

/// A row of a binary copy: account, key, record, amount.
fn row(account: u64, key: &[u8; 16], record: &[u8]) -> Vec<u8> {
    let mut row = vec![0, 4];
    for field in [&account.to_be_bytes(), key.as_slice(), record, &3_000u64.to_be_bytes()] {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        row.extend(length.to_be_bytes());
        row.extend_from_slice(field);
    }
    row
}

/// The middle figures of what pgbench says: transactions a second.
fn told_rate(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(['.', ' ']).next()?.parse().ok()
}

/// The microseconds of each transaction in a log of pgbench.
fn told_micros(log: &str) -> Vec<u64> {
    let third = |line: &str| line.split(' ').nth(2)?.parse().ok();
    log.lines().filter_map(third).collect()
}

impl Postgres {
    /// Starts a server in a folder and makes the tables and balances.
    pub(super) fn start(bin: &Path, folder: &Path, desk: Desk, accounts: u64) -> Result<Self, CommandError> {
        let cluster = Cluster::start(bin, folder)?;
        let mut record_text = String::new();
        for byte in record(&desk, 0)? {
            // Writing to a string doesn't fail.
            let _ = write!(record_text, "{byte:02x}");
        }
        let mut schema = SCHEMA.to_owned();
        let last = accounts.saturating_sub(1);
        let _ = writeln!(
            schema,
            "INSERT INTO balances SELECT account, 0 FROM generate_series(0, {last}) account;"
        );
        let _ = writeln!(schema, "VACUUM ANALYZE;");
        let folder = cluster.folder.clone();
        put(&folder.join("schema.sql"), schema)?;
        put(&folder.join("one.sql"), ONE)?;
        let postgres = Self { cluster, desk, accounts, record: record_text, next: 0 };
        postgres.script("schema.sql")?;
        Ok(postgres)
    }

    fn script(&self, name: &str) -> Result<String, CommandError> {
        self.cluster.client("psql", &["-qXv", "ON_ERROR_STOP=1", "-f", name, "-d"])
    }

    /// Measures each way once.
    pub(super) fn round(&mut self, figures: &mut Figures, sizes: &Sizes) -> Result<(), CommandError> {
        for clients in [1u64, 16] {
            self.one_by_one(figures, clients, sizes.postgres_seconds)?;
        }
        for rows in BATCHES {
            self.batches(figures, rows, sizes.postgres_rows)?;
        }
        Ok(())
    }

    /// A record a transaction.
    fn one_by_one(&self, figures: &mut Figures, clients: u64, seconds: u64) -> Result<(), CommandError> {
        let (clients_text, seconds) = (clients.to_string(), seconds.to_string());
        let accounts = format!("accounts={}", self.accounts);
        let record = format!("record={}", self.record);
        let said = self.cluster.client(
            "pgbench",
            &[
                "-n",
                "-M",
                "prepared",
                "-f",
                "one.sql",
                "-D",
                &accounts,
                "-D",
                &record,
                "-c",
                &clients_text,
                "-j",
                "1",
                "-T",
                &seconds,
                "-l",
                "--log-prefix",
                "times",
            ],
        )?;
        let tps =
            told_rate(&said).ok_or_else(|| unmeasured(anyhow::anyhow!("pgbench says no rate: {said}")))?;
        let mut times = Vec::new();
        for item in fs::read_dir(&self.cluster.folder).map_err(unmeasured)? {
            let path = item.map_err(unmeasured)?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("times.")) {
                times.extend(told_micros(&fs::read_to_string(&path).map_err(unmeasured)?));
                fs::remove_file(&path).map_err(unmeasured)?;
            }
        }
        times.sort_unstable();
        figures.put(&format!("postgres_one_{clients}"), tps);
        figures.put(&format!("postgres_one_{clients}_p50"), percentile(&times, 500));
        figures.put(&format!("postgres_one_{clients}_p99"), percentile(&times, 990));
        Ok(())
    }

    /// So many records a transaction: copied to a table that is neither logged nor kept, then taken over by statements on
    /// sets. What is copied is written to files beforehand.
    fn batches(&mut self, figures: &mut Figures, rows: u64, wanted: u64) -> Result<(), CommandError> {
        let mut script =
            "CREATE TEMP TABLE stage (account bigint, key uuid, record bytea, amount bigint);\n".to_owned();
        let batches = wanted.div_ceil(rows).max(1);
        for batch in 0..batches {
            let first = self.next;
            self.next = first.saturating_add(rows);
            let numbers: Vec<u64> = (first..self.next).collect();
            let accounts = self.accounts.max(1);
            let desk = self.desk;
            let made = on_all_cores(&numbers, |number| {
                let account = (number / PER_ACCOUNT).checked_rem(accounts).unwrap_or(0);
                Ok(row(account, &uuid(desk.seed, "creditbank/bench/key", *number), &record(&desk, *number)?))
            })?;
            let bytes = [COPY_HEAD, &made.concat(), &[0xff, 0xff]].concat();
            let name = format!("rows-{batch}");
            put(&self.cluster.folder.join(&name), bytes)?;
            let _ = write!(script, "BEGIN;\n\\copy stage FROM '{name}' WITH (FORMAT binary)\n{MERGE}");
        }
        put(&self.cluster.folder.join("batches.sql"), script)?;
        let began = instant();
        self.script("batches.sql")?;
        let time = began.elapsed();
        figures.put(&format!("postgres_batch_{rows}"), rate(batches.saturating_mul(rows), time));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "latency average = 3.4 ms\ntps = 4700.123456 (without initial connection time)\n";
        assert_eq!(told_rate(said), Some(4_700));
        assert_eq!(told_rate("tps of nothing"), None);
        assert_eq!(told_micros("0 1 3412 0 1700000000 12\n3 2 99 0 1700000000 13\nbad\n"), [3_412, 99]);
    }

    #[test]
    fn a_row_of_a_copy_has_a_length_before_each_field() {
        let row = row(7, &[1; 16], &[2, 3]);
        assert_eq!(row.len(), 2 + 4 + 8 + 4 + 16 + 4 + 2 + 4 + 8);
        assert_eq!(row[..6], [0, 4, 0, 0, 0, 8]);
        assert_eq!(row[34..40], [0, 0, 0, 2, 2, 3]);
    }
}
