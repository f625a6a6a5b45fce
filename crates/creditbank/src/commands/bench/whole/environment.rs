//! On what was measured.

use super::super::super::labels;
use credit_service::clock::Clock;
use credit_types::Text;
use std::fs;
use std::path::Path;

/// The civil offset in which times are shown, in minutes east of UTC.
const OFFSET_MINUTES: i32 = 480;

/// A fact about the machine, the program or the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) id: &'static str,
    pub(super) name: Text,
    pub(super) value: String,
}

/// A fact.
pub(super) fn fact(id: &'static str, zh: &str, en: &str, value: impl std::fmt::Display) -> Fact {
    Fact { id, name: Text { zh: zh.to_owned(), en: en.to_owned() }, value: value.to_string() }
}

/// The value of the first line of a text that begins with a name.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start().strip_prefix(':')?.trim())
}

/// The type of the file system that a folder is on: that of the longest mount point which leads to it.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        folder.starts_with(point).then_some((point.len(), kind))
    });
    // Of two on one point the later hides the earlier.
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

/// What can be told of the machine; what can't is `?`.
pub(super) fn facts(ledger: &Path) -> Vec<Fact> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let known =
        |value: Option<String>| value.filter(|value| !value.is_empty()).unwrap_or_else(|| "?".to_owned());
    let cpu = field(&read("/proc/cpuinfo"), "model name").map(str::to_owned);
    let memory = read("/proc/meminfo");
    let kib = field(&memory, "MemTotal").and_then(|text| text.strip_suffix(" kB")?.parse::<u64>().ok());
    let memory = kib.map(|kib| format!("{} MiB", kib / 1_024));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let place = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    vec![
        fact("at", "时间", "date", labels::instant(Clock::default().now_us(), OFFSET_MINUTES)),
        fact("version", "程序版本", "version", format!("{} ({build})", env!("CARGO_PKG_VERSION"))),
        fact("cpu", "处理器", "processor", known(cpu)),
        fact("cores", "核数", "cores", cores),
        fact("memory", "内存", "memory", known(memory)),
        fact("kernel", "内核", "kernel", known(Some(read("/proc/sys/kernel/osrelease").trim().to_owned()))),
        fact(
            "file_system",
            "账本所在文件系统",
            "file system of the ledger",
            known(file_system(&read("/proc/self/mounts"), &place)),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_on_the_innermost_mount() {
        let mounts = "a / overlay rw 0 0\nb /data ext4 rw 0 0\nc /data/x xfs rw 0 0\nd /dat tmpfs rw 0 0\n";
        for (folder, kind) in [("/data/x/y", "xfs"), ("/data/z", "ext4"), ("/home", "overlay")] {
            assert_eq!(file_system(mounts, Path::new(folder)).as_deref(), Some(kind));
        }
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn a_field_is_read_with_and_without_tabs() {
        assert_eq!(field("model name\t: A CPU @ 2.0\n", "model name"), Some("A CPU @ 2.0"));
        assert_eq!(field("MemTotal:       123 kB\n", "MemTotal"), Some("123 kB"));
        assert_eq!(field("x", "model name"), None);
    }
}
