//! The auditor's part: every entry with its parts, checked as `verify --running` does, and gone on with as the log grows.

use super::super::verify::pipeline::scratch_failed;
use super::alarm::Found;
use super::service::ServiceTrouble;
use crate::ending::CommandError;
use crate::language::Phrase;
use credit_client::{Client, Trust};
use credit_verify::{EntryBytes, Memory, Verdict, Verifier};

/// Entries asked for at once.
const PAGE: u32 = 1_000;

/// An auditor that follows the log. What it has judged is in its memory alone: it begins with entry 0 when it starts.
pub(super) struct Auditor {
    verifier: Verifier<'static>,
}

impl Auditor {
    /// Begins, in bounded memory.
    pub(super) fn new(trust: Trust, memory: &Memory) -> Self {
        Self { verifier: Verifier::within(Some(trust), memory) }
    }

    /// Count of entries that were judged.
    pub(super) fn size(&self) -> u64 {
        self.verifier.size()
    }

    /// Checks all entries up to a head that the public log has shown.
    pub(super) async fn follow(
        &mut self,
        client: &Client,
        note: &str,
        size: u64,
    ) -> Result<Option<Found>, ServiceTrouble> {
        'log: while self.verifier.size() < size {
            let next = self.verifier.size();
            let left = u32::try_from(size.saturating_sub(next)).unwrap_or(u32::MAX);
            let (page, _) = client.list_entries(next, PAGE.min(left), true).await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                let Some(secret) = entry.secret else {
                    return Err(CommandError::usage(Phrase::PartsNotShown, &[]).into());
                };
                let bytes = EntryBytes { core: &entry.core, secret: &secret, parts: &entry.parts };
                if self.verifier.push(&bytes).is_err() {
                    break 'log;
                }
            }
        }
        let report = self.verifier.finish(Some(note)).map_err(scratch_failed)?;
        Ok(match report.verdict {
            Verdict::Ok => None,
            Verdict::Broken(broken) => Some(Found::bad_entry(&broken, "PARTS")),
            Verdict::NeedsNewer { index, what } => Some(Found::newer(index, &what)),
        })
    }
}
