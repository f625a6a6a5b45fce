//! Public blobs, in chunks; the length is written last and stands for the whole.

use super::engine::failed;
use super::{SledStore, key, put as put_value, read as values, value};
use crate::{BLOB_BYTES_MAX, BLOB_CHUNK_BYTES, StoreError};

/// The chunks written in one step.
const STEP_CHUNKS: usize = 32;

/// A blob, if its length has been written.
pub(super) fn read(db: &::sled::Db, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
    let length_key = key::blob(digest, key::BLOB_LENGTH);
    let wrong = |detail| value::corrupt("blob", &length_key, detail);
    let Some(payload) = values::payload(db, "blob", &length_key)? else { return Ok(None) };
    let length = payload.try_into().map_err(|_| wrong("its length is cut off"))?;
    let length = usize::try_from(u64::from_be_bytes(length)).ok().filter(|length| *length <= BLOB_BYTES_MAX);
    let length = length.ok_or_else(|| wrong("its length is out of range"))?;
    let mut bytes = Vec::with_capacity(length);
    let count = u16::try_from(length.div_ceil(BLOB_CHUNK_BYTES)).unwrap_or(u16::MAX);
    for chunk in 0..count {
        let chunk = values::payload(db, "blob chunk", &key::blob(digest, chunk))?;
        bytes.extend(chunk.ok_or_else(|| wrong("a chunk is missing"))?);
    }
    if bytes.len() != length {
        return Err(wrong("its chunks have another length"));
    }
    Ok(Some(bytes))
}

/// Writes a blob unless it is there. One that is there but can't be read whole is written again.
pub(super) fn put(store: &SledStore, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
    match store.engine.read(|| read(&store.engine.db, digest)) {
        // It may have been written by a call that ended before its sync.
        Ok(Some(stored)) if stored == bytes => return store.engine.write(|| store.engine.sync()),
        Ok(Some(_)) => return Err(StoreError::BlobDiffers),
        Ok(None) | Err(StoreError::Corrupt { .. }) => {}
        Err(error) => return Err(error),
    }
    store.engine.require_space(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    store.engine.write(|| {
        let chunks: Vec<(u16, &[u8])> = (0..).zip(bytes.chunks(BLOB_CHUNK_BYTES)).collect();
        for step in chunks.chunks(STEP_CHUNKS) {
            let mut changes = ::sled::Batch::default();
            for (number, chunk) in step {
                put_value(&mut changes, key::blob(digest, *number), chunk);
            }
            store.engine.apply(changes)?;
        }
        // The length says that all chunks are there, so they are durable before it.
        store.engine.sync()?;
        let length_key = key::blob(digest, key::BLOB_LENGTH);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
        let length = value::frame(&length_key, &length);
        store.engine.db.insert(length_key, length).map_err(|cause| failed("write a blob's length", cause))?;
        store.engine.sync()
    })
}
