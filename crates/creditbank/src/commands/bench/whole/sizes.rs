//! How much of everything is measured.

use super::Args;

/// Counts of a run.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    pub(super) rounds: u64,
    pub(super) accounts: u64,
    /// Records in the ledger before it is measured.
    pub(super) records: u64,
    pub(super) issuers: u64,
    /// Records that are signed and sent at once to fill the ledger.
    pub(super) window: u64,
    pub(super) semester: u64,
    pub(super) scattered: u64,
    /// Calls in flight and calls in all.
    pub(super) unary: [(usize, u64); 3],
    pub(super) reads: [(usize, u64); 3],
    /// Records that become entries of their own before receipts are read.
    pub(super) alone: u64,
    pub(super) calls: [(usize, u64); 3],
    /// Records of the load under which is read.
    pub(super) load: u64,
    pub(super) city: u64,
    pub(super) signatures: u64,
    pub(super) hashed_mib: u64,
    pub(super) leaves: u64,
    pub(super) appends: u64,
    pub(super) packed: u64,
    pub(super) growth: Vec<u64>,
    pub(super) postgres_seconds: u64,
    pub(super) postgres_rows: u64,
}

impl Sizes {
    /// What the options ask for.
    pub(super) fn of(args: &Args) -> Self {
        let mut sizes = if args.quick { Self::quick() } else { Self::usual() };
        if args.full {
            (sizes.accounts, sizes.records) = (1_000_000, 20_000_000);
            sizes.growth = vec![10_000, 100_000, 1_000_000, 10_000_000];
        }
        sizes.rounds = args.rounds.unwrap_or(sizes.rounds);
        sizes.accounts = args.accounts.unwrap_or(sizes.accounts);
        if let Some(records) = args.records {
            sizes.records = records;
            sizes.semester = sizes.semester.min(records.max(640));
            sizes.load = sizes.load.min(records.max(640));
            sizes.scattered = sizes.scattered.min(records);
            sizes.city = sizes.city.min(records);
            for (_, calls) in sizes.unary.iter_mut().chain(&mut sizes.reads) {
                *calls = records.min(*calls);
            }
            sizes.growth.retain(|size| *size <= records);
            if sizes.growth.is_empty() {
                sizes.growth.push(records);
            }
        }
        sizes
    }

    fn usual() -> Self {
        Self {
            rounds: 3,
            accounts: 100_000,
            records: 1_000_000,
            issuers: 1_000,
            window: 100_000,
            semester: 60_000,
            scattered: 20_000,
            unary: [(1, 300), (16, 3_000), (256, 10_000)],
            reads: [(1, 4_000), (16, 10_000), (256, 20_000)],
            alone: 2_000,
            calls: [(1, 2_000), (16, 20_000), (256, 40_000)],
            load: 30_000,
            city: 20_000,
            signatures: 16_384,
            hashed_mib: 256,
            leaves: 1_000_000,
            appends: 300,
            packed: 20,
            growth: vec![10_000, 100_000, 1_000_000],
            postgres_seconds: 4,
            postgres_rows: 60_000,
        }
    }

    fn quick() -> Self {
        Self {
            rounds: 1,
            accounts: 100,
            records: 500,
            issuers: 6,
            window: 500,
            semester: 640,
            scattered: 60,
            unary: [(1, 5), (16, 32), (256, 256)],
            reads: [(1, 10), (16, 64), (256, 256)],
            alone: 20,
            calls: [(1, 20), (16, 64), (256, 512)],
            load: 640,
            city: 100,
            signatures: 256,
            hashed_mib: 4,
            leaves: 10_000,
            appends: 10,
            packed: 1,
            growth: vec![100, 200, 400],
            postgres_seconds: 1,
            postgres_rows: 1_000,
        }
    }
}
