//! The one place of the client that draws random bytes: ids, salts, jitter.

use credit_types::{CommandId, RecordId};
use std::time::Duration;

use crate::clock;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not draw random bytes: {problem}")]
pub struct RandomError {
    /// What the generator said.
    pub problem: String,
}

/// `N` bytes of the operating system's generator.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut out = [0u8; N];
    getrandom::fill(&mut out).map_err(|error| RandomError { problem: error.to_string() })?;
    Ok(out)
}

/// The salt of one commitment; drawn for it alone.
pub(crate) fn salt() -> Result<[u8; 32], RandomError> {
    bytes()
}

/// A statement's id, a UUIDv7.
pub(crate) fn command_id() -> Result<CommandId, RandomError> {
    Ok(CommandId(uuid_v7(clock::since_epoch(), bytes()?)))
}

/// Draws an id for a record that no row of a file names, a UUIDv7; see
/// [`record_id_from_row`](crate::record_id_from_row) for those that one does.
pub fn new_record_id() -> Result<RecordId, RandomError> {
    Ok(RecordId(uuid_v7(clock::since_epoch(), bytes()?)))
}

/// A random number, for spreading retries.
pub(crate) fn number() -> Result<u64, RandomError> {
    bytes().map(u64::from_be_bytes)
}

/// RFC 9562 section 5.7: 48 bits of milliseconds, then 74 random bits around version and variant.
fn uuid_v7(since_epoch: Duration, random: [u8; 10]) -> [u8; 16] {
    // 48 bits of milliseconds last beyond the year 10,000; what is above them is cut off by the format itself.
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let [_, _, t0, t1, t2, t3, t4, t5] = millis.to_be_bytes();
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = random;
    [t0, t1, t2, t3, t4, t5, 0x70 | (r0 & 0x0f), r1, 0x80 | (r2 & 0x3f), r3, r4, r5, r6, r7, r8, r9]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_7_that_begins_with_its_time() {
        for random in [[0; 10], [0xff; 10]] {
            let id = uuid_v7(Duration::from_millis(0x0123_4567_89ab), random);
            assert_eq!(id[..6], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab]);
            assert!(CommandId::from_uuid(&id).is_ok());
            assert!(RecordId::from_uuid(&id).is_ok());
        }
        assert_ne!(command_id().unwrap(), command_id().unwrap());
        assert!(CommandId::from_uuid(command_id().unwrap().as_bytes()).is_ok());
        assert!(RecordId::from_uuid(new_record_id().unwrap().as_bytes()).is_ok());
    }
}
