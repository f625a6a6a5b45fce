//! Bytes that say the same in another form are refused, for every type, with the first byte that differs.

use credit_proto::schema::{Kind, Label, Message};
use credit_proto::strict::Canonical;
use credit_proto::{BankSigned, InvalidField, Secret, Signable};
use credit_types::*;

use crate::samples::{self, admit};

/// Reads a payload, for its refusal alone.
type Reader = fn(&[u8]) -> Result<(), InvalidField>;

fn signed<T: Signable>(body: &T, header: &Header) -> (&'static Message, Vec<u8>, Reader) {
    (T::Wire::SCHEMA, body.payload(Some(header)), |bytes| T::from_payload(bytes, admit).map(drop))
}

fn secret<T: Secret>(value: &T) -> (&'static Message, Vec<u8>, Reader) {
    (T::Wire::SCHEMA, value.payload(), |bytes| T::from_payload(bytes).map(drop))
}

fn bank<T: BankSigned>(value: &T) -> (&'static Message, Vec<u8>, Reader) {
    (T::Wire::SCHEMA, value.payload(), |bytes| T::from_payload(bytes).map(drop))
}

fn every_type() -> Vec<(&'static Message, Vec<u8>, Reader)> {
    let (authority, university) = (samples::header(SignerId::Authority), samples::by_university());
    let operator = samples::header(SignerId::Operator);
    vec![
        signed(&samples::genesis(), &samples::genesis_header()),
        signed(&samples::admission(), &authority),
        signed(&samples::publication(), &authority),
        signed(&samples::key_addition(), &university),
        signed(&samples::key_retirement(), &university),
        signed(&samples::key_compromise(), &university),
        signed(&samples::opening(), &university),
        signed(&samples::account_change(), &university),
        signed(&samples::facts(), &university),
        signed(&samples::correction(), &university),
        signed(&samples::record_change(), &university),
        signed(&samples::manifest(), &university),
        signed(&samples::close(), &university),
        signed(&samples::server_start(), &operator),
        signed(&samples::upgrade(), &authority),
        signed(&samples::book_publication(), &authority),
        signed(&samples::book_change(), &authority),
        signed(&samples::auto_approval(), &university),
        signed(&samples::conversion_request(), &university),
        signed(&samples::decision(), &university),
        signed(&samples::step(), &university),
        signed(&samples::reversal(), &university),
        secret(&samples::details()),
        secret(&samples::identity()),
        secret(&samples::explanation()),
        secret(&samples::particulars()),
        bank(&samples::subject_head()),
        bank(&samples::balance()),
        bank(&samples::file_manifest()),
        bank(&samples::record_status()),
    ]
}

#[track_caller]
fn refused(name: &str, read: Reader, bytes: &[u8], offset: usize, words: &str) {
    let refusal = read(bytes).expect_err(name);
    assert_eq!(refusal.reason, Reason::PayloadNotCanonical, "{name}: {refusal}");
    let told = format!("first differs at byte {offset}: ");
    assert!(refusal.problem.starts_with(&told), "{name}: {told}, but {refusal}");
    assert!(refusal.problem.contains(words), "{name}: {words}, but {refusal}");
}

#[test]
fn another_form_of_the_same_message_is_refused() {
    for (schema, bytes, read) in every_type() {
        read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", schema.name));
        let fields = split(&bytes);
        swapped(schema, &fields, read);
        let mut unknown = bytes.clone();
        unknown.extend([0xF8, 0x3F, 0x01]);
        refused(schema.name, read, &unknown, bytes.len(), "unknown field 1023");
        let last = *bytes.last().unwrap();
        let mut cut = bytes.clone();
        cut.pop();
        let refusal = read(&cut).expect_err("a byte is missing");
        assert_eq!(refusal.reason, Reason::PayloadNotCanonical, "{} without {last}", schema.name);
        // The first tag, which is below 128 in every message, in two bytes.
        let mut long = vec![bytes[0] | 0x80, 0x00];
        long.extend(&bytes[1..]);
        refused(schema.name, read, &long, 1, "longer than it need be");
        default_written(schema, &fields, read);
    }
}

/// Two neighbours of different numbers change places.
fn swapped(schema: &Message, fields: &[(u32, Vec<u8>)], read: Reader) {
    let Some(at) = fields.windows(2).position(|pair| pair[0].0 != pair[1].0) else {
        assert_eq!(fields.len(), 1, "{} has one field", schema.name);
        return;
    };
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.swap(at, at + 1);
    let bytes: Vec<u8> = order.iter().flat_map(|index| fields[*index].1.clone()).collect();
    let before: usize = fields[..at].iter().map(|(_, bytes)| bytes.len()).sum();
    refused(schema.name, read, &bytes, before + fields[at + 1].1.len(), "don't ascend");
}

/// Each field in turn says its default: zero, or nothing.
fn default_written(schema: &Message, fields: &[(u32, Vec<u8>)], read: Reader) {
    for field in schema.fields {
        let (scalar, at) =
            (field.kind.is_scalar(), fields.partition_point(|(number, _)| *number < field.number));
        let wire = if scalar && field.label != Label::Repeated { 0 } else { 2 };
        let mut written = tag(field.number << 3 | wire);
        let value_at = written.len();
        written.push(0);
        let behind = fields.partition_point(|(number, _)| *number <= field.number);
        let words = match (field.label, field.kind) {
            (Label::Explicit, Kind::Message(_)) => "an empty message is written",
            // A number that may be absent may also be 0; an element of a list may be an empty text.
            (Label::Explicit, _) | (Label::Repeated, Kind::String | Kind::Bytes) => continue,
            (Label::Repeated, Kind::Message(_)) => "an empty message is written",
            (Label::Repeated, _) => "an empty packed field is written",
            (Label::Implicit, Kind::Enum(_)) => "",
            (Label::Implicit, _) => "a default is written",
        };
        let start: usize = fields[..at].iter().map(|(_, bytes)| bytes.len()).sum();
        let bytes: Vec<u8> = fields[..at]
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .chain([written])
            .chain(fields[behind..].iter().map(|(_, bytes)| bytes.clone()))
            .flatten()
            .collect();
        refused(field.name, read, &bytes, start + value_at, words);
    }
}

fn tag(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7F {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The fields of a message: number, and the bytes of tag and value.
fn split(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut rest = bytes;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let before = rest;
        let key = prost::encoding::decode_varint(&mut rest).unwrap();
        let value = prost::encoding::decode_varint(&mut rest).unwrap();
        if key & 7 == 2 {
            rest = &rest[value as usize..];
        }
        fields.push(((key >> 3) as u32, before[..before.len() - rest.len()].to_vec()));
    }
    fields
}
