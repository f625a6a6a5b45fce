//! Every figure that the benchmark gives: its name, its unit, what bounds it, and what of PostgreSQL it stands against.

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// What the machine can do at all.
    Limit,
    /// What the ledger does, over gRPC on loopback.
    Ours,
    /// What PostgreSQL does.
    Postgres,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many a second: more is better.
    PerSecond,
    /// Megabytes a second: more is better.
    MegabytesPerSecond,
    /// Microseconds: less is better.
    Micros,
}

impl Unit {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::Micros => "us",
        }
    }
}

/// A figure of the catalogue.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: &'static str,
    pub(super) group: Group,
    pub(super) unit: Unit,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    /// The figure that bounds it.
    pub(super) bound: Option<&'static str>,
    /// The figure of PostgreSQL that it stands against.
    pub(super) postgres: Option<&'static str>,
}

const fn limit(id: &'static str, unit: Unit, zh: &'static str, en: &'static str) -> Known {
    Known { id, group: Group::Limit, unit, zh, en, bound: None, postgres: None }
}

const fn theirs(id: &'static str, unit: Unit, zh: &'static str, en: &'static str) -> Known {
    Known { id, group: Group::Postgres, unit, zh, en, bound: None, postgres: None }
}

const fn rate(id: &'static str, zh: &'static str, en: &'static str) -> Known {
    Known { id, group: Group::Ours, unit: Unit::PerSecond, zh, en, bound: None, postgres: None }
}

const fn time(id: &'static str, zh: &'static str, en: &'static str) -> Known {
    Known { id, group: Group::Ours, unit: Unit::Micros, zh, en, bound: None, postgres: None }
}

impl Known {
    const fn bound(mut self, id: &'static str) -> Self {
        self.bound = Some(id);
        self
    }

    const fn postgres(mut self, id: &'static str) -> Self {
        self.postgres = Some(id);
        self
    }
}

use Unit::{MegabytesPerSecond, Micros, PerSecond};

/// Every figure, in the order of the report.
pub(super) const KNOWN: &[Known] = &[
    limit("verify_one_core", PerSecond, "逐条验签,单核", "strict verification one by one, one core"),
    limit("verify", PerSecond, "逐条验签,全部核", "strict verification one by one, all cores"),
    limit("batch_one_core", PerSecond, "成批验签,单核", "strict verification in batches, one core"),
    limit("batch", PerSecond, "成批验签,全部核", "strict verification in batches, all cores"),
    limit("sha256", MegabytesPerSecond, "SHA-256,单核", "SHA-256, one core"),
    limit("leaf_hashes", PerSecond, "叶哈希(280 字节),单核", "leaf hashes of 280 bytes, one core"),
    limit("tree", PerSecond, "重建树,单核,叶/秒", "leaves into the tree, one core"),
    limit("fdatasync_p50", Micros, "追加 4 KiB 并 fdatasync,p50", "append of 4 KiB and fdatasync, p50"),
    limit("fdatasync_p99", Micros, "追加 4 KiB 并 fdatasync,p99", "append of 4 KiB and fdatasync, p99"),
    limit(
        "packed_append",
        PerSecond,
        "打包追加,4000 条一批,无索引行",
        "packed append, 4,000 a batch, no rows",
    ),
    limit("rpc_1", PerSecond, "空 RPC,并发 1", "empty RPC, 1 in flight"),
    limit("rpc_1_p50", Micros, "空 RPC,并发 1,p50", "empty RPC, 1 in flight, p50"),
    limit("rpc_1_p99", Micros, "空 RPC,并发 1,p99", "empty RPC, 1 in flight, p99"),
    limit("rpc_16", PerSecond, "空 RPC,并发 16", "empty RPC, 16 in flight"),
    limit("rpc_16_p50", Micros, "空 RPC,并发 16,p50", "empty RPC, 16 in flight, p50"),
    limit("rpc_16_p99", Micros, "空 RPC,并发 16,p99", "empty RPC, 16 in flight, p99"),
    limit("rpc_256", PerSecond, "空 RPC,并发 256", "empty RPC, 256 in flight"),
    limit("rpc_256_p50", Micros, "空 RPC,并发 256,p50", "empty RPC, 256 in flight, p50"),
    limit("rpc_256_p99", Micros, "空 RPC,并发 256,p99", "empty RPC, 256 in flight, p99"),
    rate("semester_1", "semester,单流,事先签名", "semester, 1 stream, signed beforehand")
        .bound("packed_append")
        .postgres("postgres_batch"),
    time("semester_1_p50", "semester,单流,每块 p50", "semester, 1 stream, chunk p50"),
    time("semester_1_p99", "semester,单流,每块 p99", "semester, 1 stream, chunk p99"),
    rate("semester_4", "semester,四流,事先签名", "semester, 4 streams, signed beforehand")
        .bound("packed_append")
        .postgres("postgres_batch"),
    time("semester_4_p50", "semester,四流,每块 p50", "semester, 4 streams, chunk p50"),
    time("semester_4_p99", "semester,四流,每块 p99", "semester, 4 streams, chunk p99"),
    rate("semester_live", "semester,现场签名", "semester, planned and signed live")
        .bound("packed_append")
        .postgres("postgres_batch"),
    rate("scattered", "scattered,逐条签名,流式", "scattered, each signed, streamed")
        .bound("verify")
        .postgres("postgres_batch"),
    rate("scattered_live", "scattered,现场签名", "scattered, signed live")
        .bound("verify")
        .postgres("postgres_batch"),
    rate("unary_1", "逐条提交,并发 1", "unary submit, 1 in flight").bound("rpc_1").postgres("postgres_one_1"),
    time("unary_1_p50", "逐条提交,并发 1,p50", "unary submit, 1 in flight, p50")
        .bound("unary_floor")
        .postgres("postgres_one_1_p50"),
    time("unary_1_p99", "逐条提交,并发 1,p99", "unary submit, 1 in flight, p99")
        .postgres("postgres_one_1_p99"),
    rate("unary_16", "逐条提交,并发 16", "unary submit, 16 in flight")
        .bound("rpc_16")
        .postgres("postgres_one_16"),
    time("unary_16_p50", "逐条提交,并发 16,p50", "unary submit, 16 in flight, p50")
        .postgres("postgres_one_16_p50"),
    time("unary_16_p99", "逐条提交,并发 16,p99", "unary submit, 16 in flight, p99")
        .postgres("postgres_one_16_p99"),
    rate("unary_256", "逐条提交,并发 256", "unary submit, 256 in flight")
        .bound("rpc_256")
        .postgres("postgres_one_16"),
    time("unary_256_p50", "逐条提交,并发 256,p50", "unary submit, 256 in flight, p50"),
    time("unary_256_p99", "逐条提交,并发 256,p99", "unary submit, 256 in flight, p99"),
    rate("unary_live", "逐条提交,并发 256,现场签名", "unary submit, 256 in flight, signed live")
        .bound("rpc_256")
        .postgres("postgres_one_16"),
    rate("balance_1", "查询余额,并发 1", "balance read, 1 in flight").bound("rpc_1"),
    time("balance_1_p50", "查询余额,并发 1,p50", "balance read, 1 in flight, p50").bound("rpc_1_p50"),
    time("balance_1_p99", "查询余额,并发 1,p99", "balance read, 1 in flight, p99").bound("rpc_1_p99"),
    rate("balance_16", "查询余额,并发 16", "balance read, 16 in flight").bound("rpc_16"),
    time("balance_16_p50", "查询余额,并发 16,p50", "balance read, 16 in flight, p50").bound("rpc_16_p50"),
    time("balance_16_p99", "查询余额,并发 16,p99", "balance read, 16 in flight, p99").bound("rpc_16_p99"),
    rate("balance_256", "查询余额,并发 256", "balance read, 256 in flight").bound("rpc_256"),
    time("balance_256_p50", "查询余额,并发 256,p50", "balance read, 256 in flight, p50").bound("rpc_256_p50"),
    time("balance_256_p99", "查询余额,并发 256,p99", "balance read, 256 in flight, p99").bound("rpc_256_p99"),
    rate("loaded_1", "写入时查询余额,并发 1", "balance read under write load, 1 in flight")
        .bound("balance_1"),
    time("loaded_1_p99", "写入时查询余额,并发 1,p99", "balance read under write load, 1 in flight, p99")
        .bound("balance_1_p99"),
    rate("loaded_16", "写入时查询余额,并发 16", "balance read under write load, 16 in flight")
        .bound("balance_16"),
    time("loaded_16_p99", "写入时查询余额,并发 16,p99", "balance read under write load, 16 in flight, p99")
        .bound("balance_16_p99"),
    rate("loaded_256", "写入时查询余额,并发 256", "balance read under write load, 256 in flight")
        .bound("balance_256"),
    time(
        "loaded_256_p99",
        "写入时查询余额,并发 256,p99",
        "balance read under write load, 256 in flight, p99",
    )
    .bound("balance_256_p99"),
    rate("receipt_1", "回执与证明,并发 1", "receipt with proof, 1 in flight").bound("balance_1"),
    time("receipt_1_p50", "回执与证明,并发 1,p50", "receipt with proof, 1 in flight, p50")
        .bound("balance_1_p50"),
    time("receipt_1_p99", "回执与证明,并发 1,p99", "receipt with proof, 1 in flight, p99")
        .bound("balance_1_p99"),
    rate("receipt_16", "回执与证明,并发 16", "receipt with proof, 16 in flight").bound("balance_16"),
    time("receipt_16_p50", "回执与证明,并发 16,p50", "receipt with proof, 16 in flight, p50")
        .bound("balance_16_p50"),
    time("receipt_16_p99", "回执与证明,并发 16,p99", "receipt with proof, 16 in flight, p99")
        .bound("balance_16_p99"),
    rate("receipt_256", "回执与证明,并发 256", "receipt with proof, 256 in flight").bound("balance_256"),
    time("receipt_256_p50", "回执与证明,并发 256,p50", "receipt with proof, 256 in flight, p50")
        .bound("balance_256_p50"),
    time("receipt_256_p99", "回执与证明,并发 256,p99", "receipt with proof, 256 in flight, p99")
        .bound("balance_256_p99"),
    rate("receipt_alone_1", "单条成果的回执与证明,并发 1", "receipt of a record alone, 1 in flight")
        .bound("balance_1"),
    rate("receipt_alone_16", "单条成果的回执与证明,并发 16", "receipt of a record alone, 16 in flight")
        .bound("balance_16"),
    rate("receipt_alone_256", "单条成果的回执与证明,并发 256", "receipt of a record alone, 256 in flight")
        .bound("balance_256"),
    rate("city", "city,九成读一成写,并发 64", "city, 90 % reads and 10 % writes, 64 in flight"),
    time("city_read_p50", "city,读 p50", "city, read p50"),
    time("city_read_p99", "city,读 p99", "city, read p99"),
    time("city_write_p50", "city,写 p50", "city, write p50"),
    time("city_write_p99", "city,写 p99", "city, write p99"),
    theirs(
        "postgres_one_1",
        PerSecond,
        "PostgreSQL,一行一事务,1 客户端",
        "PostgreSQL, a row a transaction, 1 client",
    ),
    theirs("postgres_one_1_p50", Micros, "PostgreSQL,1 客户端,p50", "PostgreSQL, 1 client, p50"),
    theirs("postgres_one_1_p99", Micros, "PostgreSQL,1 客户端,p99", "PostgreSQL, 1 client, p99"),
    theirs(
        "postgres_one_16",
        PerSecond,
        "PostgreSQL,一行一事务,16 客户端",
        "PostgreSQL, a row a transaction, 16 clients",
    ),
    theirs("postgres_one_16_p50", Micros, "PostgreSQL,16 客户端,p50", "PostgreSQL, 16 clients, p50"),
    theirs("postgres_one_16_p99", Micros, "PostgreSQL,16 客户端,p99", "PostgreSQL, 16 clients, p99"),
    theirs(
        "postgres_batch_1000",
        PerSecond,
        "PostgreSQL,一千行一事务",
        "PostgreSQL, 1,000 rows a transaction",
    ),
    theirs(
        "postgres_batch_5000",
        PerSecond,
        "PostgreSQL,五千行一事务",
        "PostgreSQL, 5,000 rows a transaction",
    ),
    theirs(
        "postgres_batch_20000",
        PerSecond,
        "PostgreSQL,两万行一事务",
        "PostgreSQL, 20,000 rows a transaction",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::figures::{POSTGRES_BATCH, UNARY_FLOOR};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_a_figure_is_held_against_is_a_figure_of_the_same_kind() {
        let ids: BTreeSet<&str> = KNOWN.iter().map(|known| known.id).collect();
        assert_eq!(ids.len(), KNOWN.len());
        for known in KNOWN {
            for other in known.bound.iter().chain(&known.postgres) {
                let unit = match *other {
                    UNARY_FLOOR => Unit::Micros,
                    POSTGRES_BATCH => Unit::PerSecond,
                    id => KNOWN.iter().find(|known| known.id == id).unwrap().unit,
                };
                assert_eq!(unit, known.unit, "{} against {other}", known.id);
            }
            let chinese = known.zh.chars().any(|letter| letter > '\u{7f}');
            let own_name = ["semester", "scattered", "city"].iter().any(|name| known.zh.starts_with(name));
            assert!((chinese || own_name) && known.en.is_ascii(), "{}", known.id);
        }
    }
}
