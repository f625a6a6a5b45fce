//! How much memory and how many threads a verification may take.

use crate::scratch::ScratchFolder;
use credit_service::{Failure, RowTable, RowVisitor};
use credit_verify::{Memory, ScratchError, Table};
use std::path::PathBuf;
use std::sync::Arc;

/// The least memory of a verification, in MiB.
const MEMORY_MIB_MIN: u64 = 16;
/// The most memory of a verification, in MiB: 1 TiB.
const MEMORY_MIB_MAX: u64 = 1 << 20;

/// Memory and threads.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Resources {
    /// Memory in MiB; what it has no room for goes to scratch files · 内存上限(MiB)，超出部分写入临时文件
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(MEMORY_MIB_MIN..=MEMORY_MIB_MAX))]
    memory: u64,
    /// Folder of the scratch files; by default that of the system · 临时文件目录
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl Resources {
    /// The memory that a verifier takes: of what is allowed, entries on their way and the program itself leave so much.
    pub(in super::super) fn memory(&self) -> Memory {
        let bytes = self.bytes().saturating_mul(5).checked_div(8).unwrap_or(0);
        Memory::bounded(bytes, Arc::new(ScratchFolder::new(self.scratch.clone())))
    }

    /// What of the memory a store may take for its cache.
    pub(in super::super) fn cache_bytes(&self) -> u64 {
        u64::try_from(self.bytes()).unwrap_or(u64::MAX).checked_div(16).unwrap_or(0)
    }

    fn bytes(&self) -> usize {
        usize::try_from(self.memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX)
    }

    /// A thread for each core.
    pub(in super::super) fn threads() -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// Rebuilt rows in bounded memory.
pub(in super::super) struct SpilledRows(pub(in super::super) Table);

fn failed(cause: ScratchError) -> Failure {
    let source = std::error::Error::source(&cause).map(ToString::to_string).unwrap_or_default();
    Failure::Fault(format!("{cause}: {source}"))
}

impl RowTable for SpilledRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.0.get(key).map_err(failed)
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Failure> {
        self.0.put(&key, &value).map_err(failed)
    }

    fn remove(&mut self, key: Vec<u8>) -> Result<(), Failure> {
        self.0.remove(&key).map_err(failed)
    }

    fn each(&self, visit: &mut RowVisitor<'_>) -> Result<(), Failure> {
        let mut scan = self.0.scan().map_err(failed)?;
        while let Some((key, value)) = scan.next_row().map_err(failed)? {
            if !visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }
}
