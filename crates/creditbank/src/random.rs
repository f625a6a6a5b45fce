//! Randomness for keys, from the operating system's generator.

use crate::ending::{CommandError, Exit};
use crate::language::Phrase;

/// Fills bytes with randomness.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), CommandError> {
    getrandom::fill(bytes).map_err(|cause| {
        CommandError::new(Exit::Unreachable, Phrase::NoRandomness, &[]).because(anyhow::anyhow!("{cause}"))
    })
}
