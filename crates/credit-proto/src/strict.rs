//! The canonical form of signed and logged messages, checked on the bytes as they arrived.
//!
//! The form is defined by these rules and not by a library: field numbers ascend; varints are minimal; repeated
//! scalars are packed once and never empty; a field of implicit presence never holds its default; no sub-message is
//! empty; nothing is unknown; enums hold a known number other than 0; strings are UTF-8. One value of a message has
//! exactly one such form, so equal hashes mean equal values, and any implementation that keeps to the rules writes
//! the same bytes.
//!
//! What an absent field means (a required enum that is left out, for instance) is not asked here but where a message
//! becomes a noun.

use std::cmp::Ordering;
use std::fmt::Write as _;

use credit_types::limits::ENTRY_PARTS_BYTES_MAX;
use thiserror::Error;
use unicode_normalization::is_nfc;

use crate::schema::{Field, Kind, Label, Message};

#[cfg(test)]
pub(crate) mod tests;

/// The longest message, in bytes: what stands in an entry is no longer than its parts together.
pub const MESSAGE_BYTES_MAX: usize = ENTRY_PARTS_BYTES_MAX;
/// The most messages inside one another, the outermost counted.
pub const NESTING_MAX: usize = 8;
/// The longest varint, in bytes: 64 bits in groups of seven.
const VARINT_BYTES_MAX: u32 = 10;
/// The greatest number of a field that protobuf allows.
const FIELD_NUMBER_MAX: u64 = (1 << 29) - 1;

/// A message that is signed or logged, and so has a canonical form. Implemented by generated code.
pub trait Canonical: prost::Message + Default {
    /// Its wire form.
    const SCHEMA: &'static Message;
}

/// Bytes that are not the canonical form of the message they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not canonical at byte {offset}, at `{path}`: {problem}")]
pub struct NotCanonical {
    /// Where the canonical form is left, in bytes from 0: the tag, length or value that breaks a rule begins here;
    /// inside a varint or a string it is the very byte.
    pub offset: usize,
    /// The field, from the outermost message, for example `amount.credit_scheme` or `postings[2].from`; for a tag
    /// that names no field, the message that it stands in.
    pub path: String,
    /// Which rule is broken.
    pub problem: Problem,
}

/// The rules of the canonical form, as they can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The whole is longer than it may be: [`MESSAGE_BYTES_MAX`] for all that stands in entries.
    #[error("longer than it may be")]
    TooLong,
    /// Messages are nested deeper than [`NESTING_MAX`].
    #[error("nested deeper than {NESTING_MAX} messages")]
    TooDeep,
    /// The bytes, or those of the enclosing message, end inside a varint.
    #[error("ends inside a varint")]
    Truncated,
    /// A length reaches beyond the end of the bytes or of the enclosing message.
    #[error("a length reaches beyond the end")]
    Overrun,
    /// A varint has a last byte of 0 and could be shorter.
    #[error("a varint is longer than it need be")]
    NotMinimal,
    /// A varint holds more than 64 bits.
    #[error("a varint has more than 64 bits")]
    VarintTooLong,
    /// A field number that the message doesn't have.
    #[error("unknown field {0}")]
    UnknownField(u64),
    /// The field has another wire type; a repeated scalar that isn't packed has it too.
    #[error("wrong wire type {0}")]
    WrongWireType(u8),
    /// A field stands after one with a greater number.
    #[error("field numbers don't ascend")]
    OutOfOrder,
    /// A field that stands once at most stands again; so does a second packed field.
    #[error("stands more than once")]
    Repeated,
    /// A field of implicit presence holds its default, which is written by leaving it out.
    #[error("a default is written")]
    DefaultPresent,
    /// A sub-message is empty, which is written by leaving it out.
    #[error("an empty message is written")]
    EmptyMessage,
    /// A packed field holds nothing, which is written by leaving it out.
    #[error("an empty packed field is written")]
    EmptyPacked,
    /// A number is not in the range of the field's type; a bool is neither 0 nor 1.
    #[error("a number is out of its type's range")]
    OutOfRange,
    /// An enum is UNSPECIFIED.
    #[error("an enum is unspecified")]
    UnspecifiedEnum,
    /// An enum has a number that this version doesn't know.
    #[error("unknown enum number {0}")]
    UnknownEnum(u64),
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    NotUtf8,
}

/// Decodes the canonical bytes of a message; refuses any other bytes.
pub fn decode<M: Canonical>(bytes: &[u8]) -> Result<M, NotCanonical> {
    check(M::SCHEMA, bytes)?;
    let Ok(message) = M::decode(bytes) else {
        unreachable!(
            "the schema table and the message are generated from one file; prost reads what it allows"
        );
    };
    Ok(message)
}

/// Decodes the canonical bytes of a message that never stands in an entry and may be longer than those that do: at most
/// `bytes_max` bytes, which the caller asks before it reads them.
pub fn decode_long<M: Canonical>(bytes: &[u8], bytes_max: usize) -> Result<M, NotCanonical> {
    check_within(M::SCHEMA, bytes, bytes_max)?;
    let Ok(message) = M::decode(bytes) else {
        unreachable!(
            "the schema table and the message are generated from one file; prost reads what it allows"
        );
    };
    Ok(message)
}

/// Encodes a message that never stands in an entry, for [`decode_long`]; asserts what [`encode`] does.
pub fn encode_long<M: Canonical>(message: &M, bytes_max: usize) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let form = check_within(M::SCHEMA, &bytes, bytes_max);
    assert_eq!(form, Ok(()), "{} was built without a canonical form", M::SCHEMA.name);
    bytes
}

/// Encodes a message in its canonical form.
///
/// prost writes that form except where the value has none: a sub-message that is `Some` but empty, an enum that is
/// unknown, or 0 in a list or an `Option`, more than [`MESSAGE_BYTES_MAX`] bytes. The caller, who builds the message
/// from nouns, sets none of these; it is asserted, since a log can't be edited.
pub fn encode<M: Canonical>(message: &M) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    assert_eq!(check(M::SCHEMA, &bytes), Ok(()), "{} was built without a canonical form", M::SCHEMA.name);
    bytes
}

/// Encodes a message whose parts came from elsewhere, so that it may have no canonical form or be too long for one.
pub fn try_encode<M: Canonical>(message: &M) -> Result<Vec<u8>, NotCanonical> {
    let bytes = message.encode_to_vec();
    check(M::SCHEMA, &bytes)?;
    Ok(bytes)
}

/// Checks that bytes are the canonical form of a message, and says where they first leave it.
pub fn check(message: &'static Message, bytes: &[u8]) -> Result<(), NotCanonical> {
    check_within(message, bytes, MESSAGE_BYTES_MAX)
}

fn check_within(message: &'static Message, bytes: &[u8], bytes_max: usize) -> Result<(), NotCanonical> {
    let whole = Frame { message, end: bytes.len(), field: None, position: 0 };
    let mut walk = Walk { bytes, at: 0, frames: [whole; NESTING_MAX], open: 0 };
    if bytes.len() > bytes_max {
        return Err(walk.refuse(bytes_max, Problem::TooLong));
    }
    walk.open = 1;
    while let Some(Frame { end, .. }) = walk.innermost().copied() {
        if walk.at < end {
            let field = walk.tag(end)?;
            walk.value(field, end)?;
        } else {
            walk.open = walk.open.saturating_sub(1);
        }
    }
    Ok(())
}

/// Whether a text is printable ASCII (0x20 to 0x7E) only; the empty text is.
pub fn ascii_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
}

/// Whether a text is in NFC, without control characters (Cc) and without marks that change the direction of what
/// stands beside them (Bidi_Control). Asked at admission only: replay never depends on a Unicode table.
pub fn clean_text(text: &str) -> bool {
    let hides = |letter: char| letter.is_control() || is_bidi_control(letter);
    !text.chars().any(hides) && is_nfc(text)
}

/// The Unicode property Bidi_Control (PropList.txt), which no version has changed since 6.3.
fn is_bidi_control(letter: char) -> bool {
    matches!(letter, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A message that the walk is inside of.
#[derive(Clone, Copy)]
struct Frame {
    message: &'static Message,
    /// Where it ends, in bytes from 0.
    end: usize,
    /// The last field whose tag was read.
    field: Option<&'static Field>,
    /// Which element of a repeated field that was, from 0.
    position: usize,
}

/// A walk over the bytes, by a stack of its own: the input decides how deep it goes.
struct Walk<'b> {
    bytes: &'b [u8],
    /// The next byte.
    at: usize,
    /// The messages around it, the outermost first; they need no memory of their own, for each part is walked.
    frames: [Frame; NESTING_MAX],
    /// How many of the frames are open.
    open: usize,
}

impl Walk<'_> {
    fn innermost(&self) -> Option<&Frame> {
        self.frames.get(self.open.checked_sub(1)?)
    }

    fn innermost_mut(&mut self) -> Option<&mut Frame> {
        self.frames.get_mut(self.open.checked_sub(1)?)
    }

    /// Enters a message; no where as many are open as may be.
    fn enter(&mut self, message: &'static Message, end: usize) -> bool {
        let Some(frame) = self.frames.get_mut(self.open) else { return false };
        *frame = Frame { message, end, field: None, position: 0 };
        self.open = self.open.saturating_add(1);
        true
    }

    /// Reads a tag of the innermost message.
    fn tag(&mut self, end: usize) -> Result<&'static Field, NotCanonical> {
        let start = self.at;
        let before = self.innermost().and_then(|frame| frame.field);
        // Until the tag is known, a problem belongs to the message and not to the field before.
        self.stand_at(None);
        let tag = self.varint(end)?;
        let number = tag >> 3;
        let field = self.find(number).ok_or_else(|| self.refuse(start, Problem::UnknownField(number)))?;
        self.stand_at(Some(field));
        let wanted = if field.kind.is_scalar() && field.label != Label::Repeated { 0 } else { 2 };
        if wire_type(tag) != wanted {
            return Err(self.refuse(start, Problem::WrongWireType(wire_type(tag))));
        }
        match before.map(|before| before.number.cmp(&field.number)) {
            Some(Ordering::Greater) => Err(self.refuse(start, Problem::OutOfOrder)),
            Some(Ordering::Equal) if field.label != Label::Repeated || field.kind.is_scalar() => {
                Err(self.refuse(start, Problem::Repeated))
            }
            Some(Ordering::Equal) => {
                self.next_position();
                Ok(field)
            }
            Some(Ordering::Less) | None => {
                self.first_position();
                Ok(field)
            }
        }
    }

    fn find(&self, number: u64) -> Option<&'static Field> {
        let message = self.innermost()?.message;
        if number > FIELD_NUMBER_MAX {
            return None;
        }
        message.fields.iter().find(|field| u64::from(field.number) == number)
    }

    /// Reads the value of a field, or enters it.
    fn value(&mut self, field: &'static Field, end: usize) -> Result<(), NotCanonical> {
        let start = self.at;
        if field.kind.is_scalar() && field.label != Label::Repeated {
            let value = self.varint(end)?;
            return self.scalar(field, start, value);
        }
        let length = self.varint(end)?;
        let left = end.saturating_sub(self.at);
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= left) else {
            return Err(self.refuse(start, Problem::Overrun));
        };
        let value_end = self.at.saturating_add(length);
        match field.kind {
            Kind::Message(_) if length == 0 => Err(self.refuse(start, Problem::EmptyMessage)),
            Kind::Message(message) if self.enter(message, value_end) => Ok(()),
            Kind::Message(_) => Err(self.refuse(start, Problem::TooDeep)),
            Kind::String | Kind::Bytes if length == 0 && field.label == Label::Implicit => {
                Err(self.refuse(start, Problem::DefaultPresent))
            }
            Kind::String => self.string(value_end),
            Kind::Bytes => {
                self.at = value_end;
                Ok(())
            }
            Kind::Uint64 | Kind::Uint32 | Kind::Int64 | Kind::Int32 | Kind::Bool | Kind::Enum(_) => {
                self.packed(field, start, value_end)
            }
        }
    }

    fn string(&mut self, end: usize) -> Result<(), NotCanonical> {
        let text = self.bytes.get(self.at..end).unwrap_or_default();
        if let Err(cause) = std::str::from_utf8(text) {
            return Err(self.refuse(self.at.saturating_add(cause.valid_up_to()), Problem::NotUtf8));
        }
        self.at = end;
        Ok(())
    }

    fn packed(&mut self, field: &Field, start: usize, end: usize) -> Result<(), NotCanonical> {
        if self.at == end {
            return Err(self.refuse(start, Problem::EmptyPacked));
        }
        while self.at < end {
            let start = self.at;
            let value = self.varint(end)?;
            self.scalar(field, start, value)?;
            self.next_position();
        }
        Ok(())
    }

    /// Checks a varint against the type of its field; it began at `start`.
    fn scalar(&self, field: &Field, start: usize, value: u64) -> Result<(), NotCanonical> {
        if value == 0 && field.label == Label::Implicit {
            return Err(self.refuse(start, Problem::DefaultPresent));
        }
        // int32 and enum are sign-extended to 64 bits on the wire.
        let signed = i32::try_from(value.cast_signed()).ok();
        let problem = match field.kind {
            Kind::Uint32 if u32::try_from(value).is_err() => Problem::OutOfRange,
            Kind::Int32 if signed.is_none() => Problem::OutOfRange,
            Kind::Bool if value > 1 => Problem::OutOfRange,
            Kind::Enum(_) if value == 0 => Problem::UnspecifiedEnum,
            Kind::Enum(known) if !signed.is_some_and(|number| known.contains(&number)) => {
                Problem::UnknownEnum(value)
            }
            Kind::Uint64
            | Kind::Uint32
            | Kind::Int64
            | Kind::Int32
            | Kind::Bool
            | Kind::Enum(_)
            | Kind::String
            | Kind::Bytes
            | Kind::Message(_) => return Ok(()),
        };
        Err(self.refuse(start, problem))
    }

    /// Reads a minimal varint that ends before `end`.
    fn varint(&mut self, end: usize) -> Result<u64, NotCanonical> {
        let mut value = 0_u64;
        for group in 0..VARINT_BYTES_MAX {
            let byte = self.bytes.get(self.at).filter(|_| self.at < end);
            let Some(&byte) = byte else { return Err(self.refuse(self.at, Problem::Truncated)) };
            // The tenth byte holds the 64th bit only.
            if group == VARINT_BYTES_MAX.saturating_sub(1) && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F).wrapping_shl(group.saturating_mul(7));
            if byte < 0x80 {
                if byte == 0 && group > 0 {
                    break;
                }
                self.at = self.at.saturating_add(1);
                return Ok(value);
            }
            self.at = self.at.saturating_add(1);
        }
        let ended_by_zero = self.bytes.get(self.at) == Some(&0);
        Err(self.refuse(self.at, if ended_by_zero { Problem::NotMinimal } else { Problem::VarintTooLong }))
    }

    fn stand_at(&mut self, field: Option<&'static Field>) {
        if let Some(frame) = self.innermost_mut() {
            frame.field = field;
        }
    }

    fn first_position(&mut self) {
        if let Some(frame) = self.innermost_mut() {
            frame.position = 0;
        }
    }

    fn next_position(&mut self) {
        if let Some(frame) = self.innermost_mut() {
            frame.position = frame.position.saturating_add(1);
        }
    }

    fn refuse(&self, offset: usize, problem: Problem) -> NotCanonical {
        let mut path = String::new();
        for frame in self.frames.iter().take(self.open) {
            let Some(field) = frame.field else { break };
            let dot = if path.is_empty() { "" } else { "." };
            // Writing to a string can't fail.
            let _written = write!(path, "{dot}{}", field.name);
            if field.label == Label::Repeated {
                let _written = write!(path, "[{}]", frame.position);
            }
        }
        NotCanonical { offset, path, problem }
    }
}

/// The lowest three bits of a tag.
fn wire_type(tag: u64) -> u8 {
    u8::try_from(tag & 7).unwrap_or_default()
}
