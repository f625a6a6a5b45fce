//! The container of a record bundle: named files one after the other, in exactly one form.
//!
//! After the header line each file is `name SP length LF bytes`, in strictly ascending order of names, and nothing
//! stands between two files or behind the last. So the same files are always the same bytes, and every byte belongs
//! to the header, to a name, to a length or to a file.

use crate::decimal;

/// The first line of a container.
const HEADER: &[u8] = b"creditbank-bundle/v1\n";

/// The most bytes of a container: it travels as one message.
pub const BUNDLE_BYTES_MAX: usize = 3 << 20;
/// The most files of a container: as many as one signed manifest lists.
pub const BUNDLE_FILES_MAX: usize = 768;
/// The most bytes of a file's name.
pub const BUNDLE_NAME_BYTES_MAX: usize = 64;
/// The most digits of a file's length: those of [`BUNDLE_BYTES_MAX`].
const LENGTH_DIGITS: usize = 7;

const _: () = assert!(BUNDLE_BYTES_MAX < 10_000_000);

/// One file of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'b> {
    /// Its name: 1 to [`BUNDLE_NAME_BYTES_MAX`] of `a-z`, `0-9`, `-`, `.` and `/`.
    pub name: &'b str,
    /// Its bytes, at least one.
    pub bytes: &'b [u8],
}

/// The bytes are not a container, or the files cannot stand in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`BUNDLE_BYTES_MAX`].
    #[error("it is longer than {BUNDLE_BYTES_MAX} bytes")]
    TooLong,
    /// Another first line.
    #[error("it does not begin with the header line of a record bundle")]
    Header,
    /// No file, or more than [`BUNDLE_FILES_MAX`].
    #[error("it must have 1 to {BUNDLE_FILES_MAX} files")]
    Count,
    /// A name is empty, too long, or has a character that no name has.
    #[error("the name at byte {at} cannot be read")]
    Name {
        /// Where it begins, from 0.
        at: usize,
    },
    /// The names do not strictly ascend.
    #[error("the name at byte {at} does not follow the one before")]
    Order {
        /// Where it begins, from 0.
        at: usize,
    },
    /// A length is no canonical decimal number from 1.
    #[error("the length at byte {at} cannot be read")]
    Length {
        /// Where it begins, from 0.
        at: usize,
    },
    /// The container ends within a file.
    #[error("the file at byte {at} is cut off")]
    Cut {
        /// Where its bytes begin, from 0.
        at: usize,
    },
}

/// Takes a container apart, in its one form.
pub fn parse(bytes: &[u8]) -> Result<Vec<File<'_>>, Error> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let mut rest = bytes.strip_prefix(HEADER).ok_or(Error::Header)?;
    let mut files: Vec<File<'_>> = Vec::new();
    while !rest.is_empty() {
        if files.len() == BUNDLE_FILES_MAX {
            return Err(Error::Count);
        }
        let at = |rest: &[u8]| bytes.len().saturating_sub(rest.len());
        let here = at(rest);
        let (name, behind) = field(rest, b' ', BUNDLE_NAME_BYTES_MAX).ok_or(Error::Name { at: here })?;
        let name = as_name(name).ok_or(Error::Name { at: here })?;
        if files.last().is_some_and(|before| before.name >= name) {
            return Err(Error::Order { at: here });
        }
        let wrong = Error::Length { at: at(behind) };
        let (length, behind) = field(behind, b'\n', LENGTH_DIGITS).ok_or(wrong)?;
        let length = std::str::from_utf8(length).ok().and_then(decimal::parse).filter(|length| *length > 0);
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or(wrong)?;
        let (content, behind) = behind.split_at_checked(length).ok_or(Error::Cut { at: at(behind) })?;
        files.push(File { name, bytes: content });
        rest = behind;
    }
    if files.is_empty() { Err(Error::Count) } else { Ok(files) }
}

/// Puts files into a container; they must ascend by name.
pub fn format(files: &[File<'_>]) -> Result<Vec<u8>, Error> {
    let mut bytes = HEADER.to_vec();
    for File { name, bytes: content } in files {
        bytes.extend_from_slice(format!("{name} {}\n", content.len()).as_bytes());
        bytes.extend_from_slice(content);
    }
    // What does not read back as these files must not be handed out.
    let read = parse(&bytes)?;
    if read == files { Ok(bytes) } else { Err(Error::Name { at: HEADER.len() }) }
}

/// The bytes up to a separator, at most so many, and what stands behind it.
fn field(bytes: &[u8], separator: u8, most: usize) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().take(most.saturating_add(1)).position(|byte| *byte == separator)?;
    let (field, behind) = bytes.split_at_checked(end)?;
    Some((field, behind.get(1..)?))
}

fn as_name(bytes: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'/');
    if bytes.is_empty() || !bytes.iter().all(allowed) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}
