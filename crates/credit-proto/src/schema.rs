//! What the canonical form needs to know of each signed or logged message. The table at the end is generated from
//! `proto/`; messages of `*_service.proto` files are not in it, for they are never signed.

use crate::strict::Canonical;

/// A message and its fields.
#[derive(Debug)]
pub struct Message {
    /// Its name without the package.
    pub name: &'static str,
    /// Its fields, ascending by number.
    pub fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Its name, as in the proto file.
    pub name: &'static str,
    /// How often it stands, and what its absence says.
    pub label: Label,
    /// What it holds.
    pub kind: Kind,
}

/// How often a field stands, and what its absence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Once at most; absent means 0, false or empty, which therefore never stands.
    Implicit,
    /// Once at most; absent and 0 are different. Every singular message is of this sort.
    Explicit,
    /// Any number of times; numbers, bools and enums packed into one field.
    Repeated,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A varint up to 2^64 - 1.
    Uint64,
    /// A varint up to 2^32 - 1.
    Uint32,
    /// A varint in two's complement of 64 bits.
    Int64,
    /// A varint in two's complement of 64 bits: a negative number takes ten bytes.
    Int32,
    /// A varint 0 or 1.
    Bool,
    /// One of these numbers, ascending; 0 (UNSPECIFIED) is not among them.
    Enum(&'static [i32]),
    /// UTF-8.
    String,
    /// Bytes.
    Bytes,
    /// A message.
    Message(&'static Message),
}

impl Kind {
    /// Whether a value is a varint, so that repeated ones are packed.
    pub fn is_scalar(self) -> bool {
        match self {
            Kind::Uint64 | Kind::Uint32 | Kind::Int64 | Kind::Int32 | Kind::Bool | Kind::Enum(_) => true,
            Kind::String | Kind::Bytes | Kind::Message(_) => false,
        }
    }
}

include!("gen/schema.rs");
