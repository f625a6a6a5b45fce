//! How the ledger's figures grow with the ledger.

use super::super::super::Context;
use super::super::super::demo::server::Server;
use super::super::parts::{self, Parts};
use super::super::{millis, rate, unmeasured};
use super::Sizes;
use super::reads::{balances, fill, receipts};
use super::wire::{Line, fire};
use super::world::World;
use crate::ending::CommandError;
use crate::home::Home;
use credit_service::clock::instant;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Reads at once.
const IN_FLIGHT: usize = 16;
/// Bytes of a block, as file systems count them.
const BLOCK_BYTES: u64 = 512;

/// The ledger at a size.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    pub(super) records: u64,
    pub(super) submit_rate: u64,
    pub(super) balance_p50_us: u64,
    pub(super) balance_p99_us: u64,
    pub(super) receipt_p50_us: u64,
    pub(super) reopen_after_stop_ms: u64,
    pub(super) reopen_after_kill_ms: u64,
    pub(super) rss_kib: u64,
    pub(super) peak_kib: u64,
    pub(super) disk_bytes: u64,
    pub(super) verify_ms: u64,
}

impl Point {
    /// Each figure with its name and unit.
    pub(super) fn rows(&self) -> [(&'static str, &'static str, &'static str, u64); 11] {
        [
            ("records", "学习成果", "records", self.records),
            ("submit_per_second", "提交,条/秒", "submitted a second", self.submit_rate),
            ("balance_p50_us", "余额 p50,微秒", "balance p50, us", self.balance_p50_us),
            ("balance_p99_us", "余额 p99,微秒", "balance p99, us", self.balance_p99_us),
            ("receipt_p50_us", "回执 p50,微秒", "receipt p50, us", self.receipt_p50_us),
            ("reopen_after_stop_ms", "停止后重开,毫秒", "reopen after a stop, ms", self.reopen_after_stop_ms),
            ("reopen_after_kill_ms", "被杀后重开,毫秒", "reopen after a kill, ms", self.reopen_after_kill_ms),
            ("rss_kib", "服务器内存,KiB", "server memory, KiB", self.rss_kib),
            ("peak_kib", "服务器内存峰值,KiB", "server memory peak, KiB", self.peak_kib),
            ("disk_bytes", "磁盘,字节", "disk, bytes", self.disk_bytes),
            ("verify_ms", "验证,毫秒", "verification, ms", self.verify_ms),
        ]
    }
}

/// Bytes that the files below a folder take on the disk.
fn disk_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut sum = 0u64;
    for item in fs::read_dir(folder)? {
        let item = item?;
        let about = item.metadata()?;
        let bytes = if about.is_dir() {
            disk_bytes(&item.path())?
        } else {
            about.blocks().saturating_mul(BLOCK_BYTES)
        };
        sum = sum.saturating_add(bytes);
    }
    Ok(sum)
}

/// How long this program takes to verify the stopped ledger of a home.
fn verified(root: &Path) -> Result<Duration, CommandError> {
    let program = std::env::current_exe().map_err(unmeasured)?;
    let mut command = Command::new(program);
    command.arg("--home").arg(root).arg("verify").stdin(Stdio::null()).stderr(Stdio::null());
    let began = instant();
    let status = command.stdout(Stdio::null()).status().map_err(unmeasured)?;
    let time = began.elapsed();
    if status.success() { Ok(time) } else { Err(unmeasured(anyhow::anyhow!("verify ended with {status}"))) }
}

/// Grows a ledger of its own from size to size.
pub(super) async fn run(
    context: &mut Context,
    root: &Path,
    seed: u64,
    sizes: &Sizes,
    told: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<Point>, Parts, u64), CommandError> {
    let last = sizes.growth.last().copied().unwrap_or(0);
    let accounts = (last / 10).max(1);
    let mut world = World::make(context, root, seed, sizes.issuers.min(64), accounts).await?;
    let mut points = Vec::new();
    let mut records = 0u64;
    for size in &sizes.growth {
        let filled = fill(&mut world, size.saturating_sub(records), sizes.window, told).await?;
        records = records.saturating_add(filled.records);
        let mut point = Point { records, submit_rate: rate(filled.records, filled.time), ..Point::default() };
        read(context, &mut world, sizes, &mut point).await?;
        reopened(&mut world, &mut point)?;
        points.push(point);
    }
    world.stop()?;
    context.home = Home::new(root);
    let parts = parts::of(context)?;
    Ok((points, parts, records))
}

/// Reads at a size, and what the server holds then.
async fn read(
    context: &mut Context,
    world: &mut World,
    sizes: &Sizes,
    point: &mut Point,
) -> Result<(), CommandError> {
    world.look(context).await?;
    let auditor = world.auditor(context)?;
    let lines = Line::several(&world.server.url, IN_FLIGHT).await?;
    let calls = sizes.reads.get(1).map_or(100, |(_, calls)| *calls);
    let flown = fire(&lines, IN_FLIGHT, &Arc::new(balances(world, &auditor, point.records, calls))).await?;
    point.balance_p50_us = flown.percentile(500);
    point.balance_p99_us = flown.percentile(990);
    let flown = fire(&lines, IN_FLIGHT, &Arc::new(receipts(world, &auditor, point.records, calls))).await?;
    point.receipt_p50_us = flown.percentile(500);
    point.rss_kib = world.server.rss_kib().unwrap_or(0);
    point.peak_kib = world.server.peak_kib().unwrap_or(0);
    Ok(())
}

/// Stops the server, verifies, and opens it again, also after it was killed.
fn reopened(world: &mut World, point: &mut Point) -> Result<(), CommandError> {
    world.server.stop_running()?;
    point.disk_bytes = disk_bytes(&world.root.join("ledger")).map_err(unmeasured)?;
    point.verify_ms = millis(verified(&world.root)?);
    let began = instant();
    world.server = Server::start(&world.root)?;
    point.reopen_after_stop_ms = millis(began.elapsed());
    world.server.kill_running();
    let began = instant();
    world.server = Server::start(&world.root)?;
    point.reopen_after_kill_ms = millis(began.elapsed());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_that_of_all_files_below() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), vec![1; 10_000]).unwrap();
        let bytes = disk_bytes(folder.path()).unwrap();
        assert!((10_000..100_000).contains(&bytes), "{bytes}");
    }
}
