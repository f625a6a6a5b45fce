//! Ids: fixed-width bytes or checked ASCII. Two ids of different things have different types.

use crate::limits::{BOOK_NAME_BYTES_MAX, ID_BYTES_MAX, SCHEME_ID_BYTES_MAX};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// An id that does not have the form of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The length is wrong.
    #[error("must be {expected} bytes, is {actual}")]
    Length {
        /// The length it must have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// The text does not have the documented form.
    #[error("must have the form {0}")]
    Form(&'static str),
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Takes the bytes; their count must be exact.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                <[u8; $len]>::try_from(bytes)
                    .map(Self)
                    .map_err(|_| IdError::Length { expected: $len, actual: bytes.len() })
            }

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

byte_id!(
    /// A SHA-256 digest: a leaf hash, a root, a commitment.
    Digest,
    32
);
byte_id!(
    /// The name of a log: the leaf hash of its entry 0.
    LogId,
    32
);
byte_id!(
    /// The name of a key: SHA-256("ed25519" 0x00 || public key).
    Kid,
    32
);
byte_id!(
    /// An account's only id in facts and entries: random, drawn by the bank at opening.
    AccountRef,
    16
);
byte_id!(
    /// A server's random name for one run.
    Epoch,
    16
);
byte_id!(
    /// An issuer's id for a record: UUIDv7, or UUIDv8 derived from the issuer's row key.
    RecordId,
    16
);
byte_id!(
    /// A command's id: the sender's UUIDv7. Of a signed command its statement_id.
    CommandId,
    16
);

/// The version nibble of a UUID with the RFC 9562 variant; `None` for anything else.
fn uuid_version(bytes: [u8; 16]) -> Option<u8> {
    let [_, _, _, _, _, _, version, _, variant, ..] = bytes;
    (variant >> 6 == 0b10).then_some(version >> 4)
}

impl RecordId {
    /// Takes a UUIDv7 or UUIDv8.
    pub fn from_uuid(bytes: &[u8]) -> Result<Self, IdError> {
        let id = Self::from_slice(bytes)?;
        match uuid_version(id.0) {
            Some(7 | 8) => Ok(id),
            _ => Err(IdError::Form("a UUIDv7 or UUIDv8")),
        }
    }
}

impl CommandId {
    /// Takes a UUIDv7.
    pub fn from_uuid(bytes: &[u8]) -> Result<Self, IdError> {
        let id = Self::from_slice(bytes)?;
        match uuid_version(id.0) {
            Some(7) => Ok(id),
            _ => Err(IdError::Form("a UUIDv7")),
        }
    }
}

// The text is shared: an id stands in many rows, names and events of one entry.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $form:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text of the documented form.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError::Form($form)) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn dotted(text: &str, labels_min: usize) -> bool {
    text.len() <= ID_BYTES_MAX
        && text.split('.').count() >= labels_min
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

text_id!(
    /// An institution, for example `cn.cq.openuniv`: at least two labels, so that it is never a reserved signer.
    InstitutionId,
    "[a-z0-9-]+(\\.[a-z0-9-]+)+, at most 64 bytes",
    |text| dotted(text, 2)
);
text_id!(
    /// A framework or rule book, for example `cn.nqf`.
    FrameworkId,
    "[a-z0-9-]+(\\.[a-z0-9-]+)*, at most 64 bytes",
    |text| dotted(text, 1)
);
text_id!(
    /// A credit scheme, for example `CN_XF`.
    SchemeId,
    "[A-Z][A-Z0-9_]*, at most 32 bytes",
    |text| {
        text.len() <= SCHEME_ID_BYTES_MAX
            && text.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    }
);

text_id!(
    /// An id in a rule book: a rule, a programme, an award, a course, a requirement.
    BookName,
    "an ASCII letter or digit, then letters, digits and . _ : @ + / -, at most 128 bytes",
    |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@+/-".contains(&byte);
        text.len() <= BOOK_NAME_BYTES_MAX
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().all(allowed)
    }
);

/// Who signs a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SignerId {
    /// The authority, k of n.
    Authority,
    /// The operator.
    Operator,
    /// An institution.
    Institution(InstitutionId),
}

impl SignerId {
    /// Reads `authority`, `operator` or an institution id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match text {
            "authority" => Ok(Self::Authority),
            "operator" => Ok(Self::Operator),
            other => InstitutionId::new(other).map(Self::Institution),
        }
    }

    /// The text as it stands in a header.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Authority => "authority",
            Self::Operator => "operator",
            Self::Institution(id) => id.as_str(),
        }
    }

    /// The institution, if it is one.
    pub fn institution(&self) -> Option<&InstitutionId> {
        match self {
            Self::Institution(id) => Some(id),
            Self::Authority | Self::Operator => None,
        }
    }
}

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_documented_form() {
        assert!(InstitutionId::new("cn.cq.openuniv").is_ok());
        for bad in ["authority", "", "cn..x", "CN.x", "cn.", &format!("a.{}", "b".repeat(63))] {
            assert!(InstitutionId::new(bad).is_err(), "{bad}");
        }
        assert!(InstitutionId::new(format!("a.{}", "b".repeat(62))).is_ok());
        assert!(SchemeId::new("CN_XF").is_ok());
        assert!(SchemeId::new("A".repeat(32)).is_ok());
        for bad in ["cn", "_A", "", "1A", &"A".repeat(33)] {
            assert!(SchemeId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_record_id_is_a_uuid_of_version_7_or_8() {
        let mut bytes = [0u8; 16];
        bytes[8] = 0x80;
        for version in 0..16u8 {
            bytes[6] = version << 4;
            assert_eq!(RecordId::from_uuid(&bytes).is_ok(), version == 7 || version == 8);
            assert_eq!(CommandId::from_uuid(&bytes).is_ok(), version == 7);
        }
        bytes[6] = 0x70;
        bytes[8] = 0xc0;
        assert!(RecordId::from_uuid(&bytes).is_err());
        assert!(RecordId::from_uuid(&bytes[..15]).is_err());
    }
}
