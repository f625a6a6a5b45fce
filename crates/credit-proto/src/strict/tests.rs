//! The rules one by one on bytes made by hand, then as properties on random messages of every schema.
#![expect(clippy::arithmetic_side_effects, reason = "test arithmetic is bounded by the test")]
#![expect(clippy::wildcard_enum_match_arm, reason = "the generator writes all kinds of varints alike")]

use prost::Message as _;

use super::*;
use crate::schema::{MESSAGES, REENCODERS};

/// Decodes strictly and encodes again by prost alone.
pub(crate) type Reencoder = fn(&[u8]) -> Result<Vec<u8>, NotCanonical>;

/// [`Reencoder`] for a message.
pub(crate) fn reencode<M: Canonical>(bytes: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    decode::<M>(bytes).map(|message| message.encode_to_vec())
}

/// A message with every kind of field, inside itself.
#[derive(Clone, PartialEq, prost::Message)]
struct Toy {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(uint32, tag = "2")]
    small: u32,
    #[prost(int64, tag = "3")]
    signed: i64,
    #[prost(int32, tag = "4")]
    small_signed: i32,
    #[prost(bool, tag = "5")]
    flag: bool,
    #[prost(enumeration = "Way", tag = "6")]
    way: i32,
    #[prost(string, tag = "7")]
    text: String,
    #[prost(bytes = "vec", tag = "8")]
    blob: Vec<u8>,
    #[prost(message, optional, boxed, tag = "9")]
    inner: Option<Box<Toy>>,
    #[prost(uint64, optional, tag = "10")]
    maybe: Option<u64>,
    #[prost(bool, optional, tag = "11")]
    maybe_flag: Option<bool>,
    #[prost(string, optional, tag = "12")]
    maybe_text: Option<String>,
    #[prost(enumeration = "Way", optional, tag = "13")]
    maybe_way: Option<i32>,
    #[prost(uint64, repeated, tag = "14")]
    counts: Vec<u64>,
    #[prost(enumeration = "Way", repeated, tag = "15")]
    ways: Vec<i32>,
    #[prost(int32, repeated, tag = "16")]
    signeds: Vec<i32>,
    #[prost(string, repeated, tag = "17")]
    texts: Vec<String>,
    #[prost(bytes = "vec", repeated, tag = "18")]
    blobs: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "19")]
    toys: Vec<Toy>,
    #[prost(bool, repeated, tag = "20")]
    flags: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Way {
    Unspecified = 0,
    Slow = 1,
    Fast = 7,
}

const fn field(number: u32, name: &'static str, label: Label, kind: Kind) -> Field {
    Field { number, name, label, kind }
}

static TOY: Message = Message {
    name: "Toy",
    fields: &[
        field(1, "count", Label::Implicit, Kind::Uint64),
        field(2, "small", Label::Implicit, Kind::Uint32),
        field(3, "signed", Label::Implicit, Kind::Int64),
        field(4, "small_signed", Label::Implicit, Kind::Int32),
        field(5, "flag", Label::Implicit, Kind::Bool),
        field(6, "way", Label::Implicit, Kind::Enum(&[1, 7])),
        field(7, "text", Label::Implicit, Kind::String),
        field(8, "blob", Label::Implicit, Kind::Bytes),
        field(9, "inner", Label::Explicit, Kind::Message(&TOY)),
        field(10, "maybe", Label::Explicit, Kind::Uint64),
        field(11, "maybe_flag", Label::Explicit, Kind::Bool),
        field(12, "maybe_text", Label::Explicit, Kind::String),
        field(13, "maybe_way", Label::Explicit, Kind::Enum(&[1, 7])),
        field(14, "counts", Label::Repeated, Kind::Uint64),
        field(15, "ways", Label::Repeated, Kind::Enum(&[1, 7])),
        field(16, "signeds", Label::Repeated, Kind::Int32),
        field(17, "texts", Label::Repeated, Kind::String),
        field(18, "blobs", Label::Repeated, Kind::Bytes),
        field(19, "toys", Label::Repeated, Kind::Message(&TOY)),
        field(20, "flags", Label::Repeated, Kind::Bool),
    ],
};

impl Canonical for Toy {
    const SCHEMA: &'static Message = &TOY;
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[track_caller]
fn accepted(hex: &str) {
    let bytes = bytes(hex);
    assert_eq!(reencode::<Toy>(&bytes), Ok(bytes), "{hex}");
}

#[track_caller]
fn refused(hex: &str, offset: usize, path: &str, problem: Problem) {
    let expected = NotCanonical { offset, path: path.to_owned(), problem };
    assert_eq!(decode::<Toy>(&bytes(hex)), Err(expected), "{hex}");
}

#[test]
fn a_default_is_absent_and_a_present_zero_is_present() {
    accepted("");
    accepted("08 01");
    refused("08 00", 1, "count", Problem::DefaultPresent);
    refused("28 00", 1, "flag", Problem::DefaultPresent);
    refused("30 00", 1, "way", Problem::DefaultPresent);
    refused("3a 00", 1, "text", Problem::DefaultPresent);
    refused("42 00", 1, "blob", Problem::DefaultPresent);
    accepted("50 00");
    accepted("58 00");
    accepted("62 00");
}

#[test]
fn a_varint_is_minimal_and_has_64_bits() {
    refused("08 81 00", 2, "count", Problem::NotMinimal);
    refused("88 00 01", 1, "", Problem::NotMinimal);
    refused("3a 81 00 61", 2, "text", Problem::NotMinimal);
    refused("08 80 80 80 80 80 80 80 80 80 00", 10, "count", Problem::NotMinimal);
    accepted("08 ff ff ff ff ff ff ff ff ff 01");
    refused("08 ff ff ff ff ff ff ff ff ff 02", 10, "count", Problem::VarintTooLong);
    refused("08 ff ff ff ff ff ff ff ff ff 81 00", 10, "count", Problem::VarintTooLong);
    refused("08", 1, "count", Problem::Truncated);
    refused("08 80", 2, "count", Problem::Truncated);
    refused("88", 1, "", Problem::Truncated);
    refused("4a 02 08 80 01", 4, "inner.count", Problem::Truncated);
}

#[test]
fn a_number_is_in_its_types_range() {
    accepted("10 ff ff ff ff 0f");
    refused("10 80 80 80 80 10", 1, "small", Problem::OutOfRange);
    accepted("18 ff ff ff ff ff ff ff ff ff 01");
    accepted("20 ff ff ff ff ff ff ff ff ff 01");
    accepted("20 ff ff ff ff 07");
    accepted("20 80 80 80 80 f8 ff ff ff ff 01");
    // -1 cut to 32 bits, 2^31, and -2^31 - 1.
    refused("20 ff ff ff ff 0f", 1, "small_signed", Problem::OutOfRange);
    refused("20 80 80 80 80 08", 1, "small_signed", Problem::OutOfRange);
    refused("20 ff ff ff ff f7 ff ff ff ff 01", 1, "small_signed", Problem::OutOfRange);
    accepted("28 01");
    refused("28 02", 1, "flag", Problem::OutOfRange);
    refused("58 02", 1, "maybe_flag", Problem::OutOfRange);
    refused("a2 01 02 01 02", 4, "flags[1]", Problem::OutOfRange);
}

#[test]
fn an_enum_is_known_and_not_unspecified() {
    accepted("30 07");
    refused("30 02", 1, "way", Problem::UnknownEnum(2));
    refused("30 87 80 80 80 10", 1, "way", Problem::UnknownEnum(0x1_0000_0007));
    accepted("68 01");
    refused("68 00", 1, "maybe_way", Problem::UnspecifiedEnum);
    accepted("7a 02 07 01");
    refused("7a 02 01 00", 3, "ways[1]", Problem::UnspecifiedEnum);
    refused("7a 02 01 08", 3, "ways[1]", Problem::UnknownEnum(8));
}

#[test]
fn a_string_is_utf8() {
    accepted("3a 03 e5 ad a6");
    refused("3a 02 61 ff", 3, "text", Problem::NotUtf8);
    refused("3a 03 61 e5 ad", 3, "text", Problem::NotUtf8);
    refused("3a 03 ed a0 80", 2, "text", Problem::NotUtf8);
    refused("8a 01 00 8a 01 01 80", 6, "texts[1]", Problem::NotUtf8);
}

#[test]
fn a_length_stays_inside() {
    refused("3a 02 61", 1, "text", Problem::Overrun);
    refused("4a 02 3a 01 61", 3, "inner.text", Problem::Overrun);
    refused("4a 03 08 01", 1, "inner", Problem::Overrun);
    refused("42 ff ff ff ff ff ff ff ff ff 01", 1, "blob", Problem::Overrun);
}

#[test]
fn a_field_is_known_and_has_its_wire_type() {
    refused("a8 01 01", 0, "", Problem::UnknownField(21));
    refused("4a 03 a8 01 01", 2, "inner", Problem::UnknownField(21));
    refused("00 01", 0, "", Problem::UnknownField(0));
    refused("88 80 80 80 80 01 01", 0, "", Problem::UnknownField(0x1000_0000 * 16 + 1));
    for (tag, wire_type) in [("09", 1), ("0a", 2), ("0b", 3), ("0c", 4), ("0d", 5), ("0e", 6), ("0f", 7)] {
        refused(tag, 0, "count", Problem::WrongWireType(wire_type));
    }
    refused("38 01", 0, "text", Problem::WrongWireType(0));
    refused("48 01", 0, "inner", Problem::WrongWireType(0));
}

#[test]
fn fields_ascend_and_stand_once() {
    refused("10 01 08 01", 2, "count", Problem::OutOfOrder);
    refused("08 01 08 01", 2, "count", Problem::Repeated);
    refused("4a 02 08 01 4a 02 10 01", 4, "inner", Problem::Repeated);
    accepted("8a 01 00 8a 01 00 92 01 00");
    refused("8a 01 00 92 01 00 8a 01 00", 6, "texts[0]", Problem::OutOfOrder);
    // Each message has an order of its own.
    accepted("9a 01 02 10 01 9a 01 02 08 01");
    refused("9a 01 02 10 01 9a 01 04 10 01 08 01", 10, "toys[1].count", Problem::OutOfOrder);
}

#[test]
fn scalars_are_packed_once_and_never_empty() {
    accepted("72 03 00 80 01");
    refused("70 01", 0, "counts[0]", Problem::WrongWireType(0));
    refused("72 00", 1, "counts[0]", Problem::EmptyPacked);
    refused("72 01 01 72 01 01", 3, "counts[1]", Problem::Repeated);
    refused("72 03 01 81 00", 4, "counts[1]", Problem::NotMinimal);
    refused("72 02 01 80 01", 4, "counts[1]", Problem::Truncated);
    refused("82 01 05 ff ff ff ff 0f", 3, "signeds[0]", Problem::OutOfRange);
}

#[test]
fn no_message_in_a_message_is_empty() {
    refused("4a 00", 1, "inner", Problem::EmptyMessage);
    refused("9a 01 00", 2, "toys[0]", Problem::EmptyMessage);
    refused("9a 01 02 08 01 9a 01 02 4a 00", 9, "toys[1].inner", Problem::EmptyMessage);
}

#[test]
fn messages_nest_to_the_bound_and_no_deeper() {
    let nested = |depth: usize| {
        let mut toy = Toy { count: 1, ..Toy::default() };
        for _ in 1..depth {
            toy = Toy { inner: Some(Box::new(toy)), ..Toy::default() };
        }
        toy.encode_to_vec()
    };
    assert!(decode::<Toy>(&nested(NESTING_MAX)).is_ok());
    let refusal = decode::<Toy>(&nested(NESTING_MAX + 1)).unwrap_err();
    assert_eq!((refusal.problem, refusal.offset), (Problem::TooDeep, 2 * NESTING_MAX - 1));
    assert_eq!(refusal.path, ["inner"; NESTING_MAX].join("."));
}

#[test]
fn a_message_is_as_long_as_the_bound_and_no_longer() {
    // Tag and a length of three bytes stand before the text.
    let long = |length: usize| Toy { text: "a".repeat(length - 4), ..Toy::default() }.encode_to_vec();
    assert_eq!(long(MESSAGE_BYTES_MAX).len(), MESSAGE_BYTES_MAX);
    assert!(decode::<Toy>(&long(MESSAGE_BYTES_MAX)).is_ok());
    let expected = NotCanonical { offset: MESSAGE_BYTES_MAX, path: String::new(), problem: Problem::TooLong };
    assert_eq!(decode::<Toy>(&long(MESSAGE_BYTES_MAX + 1)), Err(expected));
}

#[test]
fn every_schema_fits_the_nesting_bound_and_ascends() {
    fn depth_fits(message: &Message, left: usize) -> bool {
        left > 0
            && message.fields.iter().all(|field| match field.kind {
                Kind::Message(inner) => depth_fits(inner, left - 1),
                _ => true,
            })
    }
    for message in MESSAGES {
        assert!(depth_fits(message, NESTING_MAX), "{} nests too deep or in itself", message.name);
        assert!(message.fields.is_sorted_by_key(|field| field.number), "{}", message.name);
    }
    assert!(!depth_fits(&TOY, NESTING_MAX));
}

#[test]
fn what_was_built_wrong_is_not_encoded() {
    let good = Toy { maybe_way: Some(Way::Fast.into()), ..Toy::default() };
    assert_eq!(encode(&good), bytes("68 07"));
    let empty = Toy { inner: Some(Box::default()), ..Toy::default() };
    let unknown = Toy { way: 2, ..Toy::default() };
    for bad in [empty, unknown] {
        let encoded = std::panic::catch_unwind(|| encode(&bad));
        assert!(encoded.is_err(), "{bad:?}");
    }
}

#[test]
fn a_refusal_reads_well() {
    let refusal = decode::<Toy>(&bytes("9a 01 02 08 00")).unwrap_err();
    assert_eq!(refusal.to_string(), "not canonical at byte 4, at `toys[0].count`: a default is written");
}

#[test]
fn text_rules() {
    for good in ["", " ~", "Ab-1.x"] {
        assert!(ascii_printable(good), "{good:?}");
    }
    for bad in ["\t", "\n", "\u{7F}", "é", "学"] {
        assert!(!ascii_printable(bad), "{bad:?}");
    }
    for good in ["", "学分银行", "caf\u{E9}", "𠮷", "👩‍🎓", "\u{2028}"] {
        assert!(clean_text(good), "{good:?}");
    }
    let controls = ["a\tb", "\n", "\u{0}", "\u{7F}", "\u{85}", "\u{9F}"];
    let bidi = ["\u{61C}", "\u{200E}", "\u{200F}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}"];
    // Not NFC: a combining accent, a CJK compatibility ideograph, jamo that compose.
    let decomposed = ["cafe\u{301}", "\u{F900}", "\u{1112}\u{1161}"];
    for bad in controls.iter().chain(&bidi).chain(&decomposed) {
        assert!(!clean_text(bad), "{bad:?}");
    }
}

/// SplitMix64: the same numbers from the same seed for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Writes random canonical bytes of a message straight from its schema, without prost.
fn write_message(random: &mut Random, message: &Message, depth: usize, out: &mut Vec<u8>) {
    for field in message.fields {
        let may_nest = !matches!(field.kind, Kind::Message(_)) || depth < NESTING_MAX;
        if !may_nest || random.below(3) == 0 {
            continue;
        }
        let tag = u64::from(field.number) << 3;
        let times = if field.label == Label::Repeated { 1 + random.below(3) } else { 1 };
        if field.kind.is_scalar() && field.label == Label::Repeated {
            let mut packed = Vec::new();
            for _ in 0..times {
                write_varint(scalar(random, field), &mut packed);
            }
            write_bytes(tag | 2, &packed, out);
            continue;
        }
        for _ in 0..times {
            match field.kind {
                Kind::Message(inner) => {
                    let mut nested = Vec::new();
                    write_message(random, inner, depth + 1, &mut nested);
                    if !nested.is_empty() {
                        write_bytes(tag | 2, &nested, out);
                    }
                }
                Kind::String | Kind::Bytes => {
                    let least = usize::from(field.label == Label::Implicit);
                    let length = least + random.below(6);
                    let value = if matches!(field.kind, Kind::String) {
                        "学".repeat(length).into_bytes()
                    } else {
                        (0..length).map(|_| random.byte()).collect()
                    };
                    write_bytes(tag | 2, &value, out);
                }
                _ => {
                    write_varint(tag, out);
                    write_varint(scalar(random, field), out);
                }
            }
        }
    }
}

fn scalar(random: &mut Random, field: &Field) -> u64 {
    let bits = random.below(64);
    let any = random.next() >> bits;
    let value = match field.kind {
        Kind::Uint32 => any & 0xFFFF_FFFF,
        Kind::Int32 => (any.cast_signed() >> 32).cast_unsigned(),
        Kind::Bool => any & 1,
        Kind::Enum(known) => u64::try_from(known[random.below(known.len())]).unwrap(),
        _ => any,
    };
    if value == 0 && field.label == Label::Implicit { 1 } else { value }
}

fn write_bytes(tag: u64, value: &[u8], out: &mut Vec<u8>) {
    write_varint(tag, out);
    write_varint(u64::try_from(value.len()).unwrap(), out);
    out.extend_from_slice(value);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Every message of the contract, and the toy.
fn subjects() -> impl Iterator<Item = (&'static Message, Reencoder)> {
    assert_eq!(MESSAGES.len(), REENCODERS.len());
    let toy: (&'static Message, Reencoder) = (&TOY, reencode::<Toy>);
    MESSAGES.iter().copied().zip(REENCODERS.iter().copied()).chain([toy])
}

/// Accepted bytes are exactly what prost writes of the message; all others are refused without a panic.
#[track_caller]
fn accepted_only_if_equal(message: &Message, reencode: Reencoder, bytes: &[u8], seed: u64) -> bool {
    match reencode(bytes) {
        Ok(again) => {
            assert_eq!(again, bytes, "{} was accepted but has another form; seed {seed}", message.name);
            true
        }
        Err(refusal) => {
            assert!(refusal.offset <= bytes.len(), "{} {refusal}; seed {seed}", message.name);
            false
        }
    }
}

#[test]
fn what_follows_the_schema_is_accepted_and_comes_back_identical() {
    for (message, reencode) in subjects() {
        for seed in 0..200 {
            let mut bytes = Vec::new();
            write_message(&mut Random(seed), message, 1, &mut bytes);
            if bytes.len() <= MESSAGE_BYTES_MAX {
                assert_eq!(reencode(&bytes), Ok(bytes), "{}; seed {seed}", message.name);
            }
        }
    }
}

#[test]
fn a_changed_byte_is_refused_or_means_another_value() {
    let (mut taken, mut refused) = (0_usize, 0_usize);
    for (message, reencode) in subjects() {
        for seed in 0..20 {
            let random = &mut Random(seed);
            let mut original = Vec::new();
            write_message(random, message, 1, &mut original);
            if original.is_empty() || original.len() > MESSAGE_BYTES_MAX {
                continue;
            }
            for _ in 0..200 {
                let mut bytes = original.clone();
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes[at] = random.byte(),
                    1 => bytes[at] ^= 1 << random.below(8),
                    2 => bytes.insert(at, random.byte()),
                    _ => drop(bytes.remove(at)),
                }
                let taken_now = accepted_only_if_equal(message, reencode, &bytes, seed);
                *(if taken_now { &mut taken } else { &mut refused }) += 1;
            }
            for end in 0..original.len().min(100) {
                accepted_only_if_equal(message, reencode, &original[..end], seed);
            }
        }
    }
    // Both sides of the property were seen.
    assert!(taken > 1_000 && refused > 1_000, "{taken} accepted, {refused} refused");
}

#[test]
fn garbage_is_refused_or_canonical() {
    for (message, reencode) in subjects() {
        for seed in 0..500 {
            let random = &mut Random(seed);
            let length = random.below(24);
            let bytes: Vec<u8> = (0..length).map(|_| random.byte()).collect();
            accepted_only_if_equal(message, reencode, &bytes, seed);
        }
    }
}
