//! What encoded messages say, as JSON that a person and any language can read: fields by their names in the order of
//! their numbers, bytes in hex, enums by name, 64-bit numbers as text.
//!
//! It reads bytes by the compiled `.proto` files alone and shares no code with what is tested.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use prost::Message as _;
use prost::encoding::decode_varint;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// The contract, compiled.
pub(crate) fn descriptor_path() -> PathBuf {
    workspace().join("crates/credit-rpc/src/gen/descriptor.binpb")
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Messages and enums by name.
pub(crate) struct Contract {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
}

impl Contract {
    pub(crate) fn load() -> Self {
        let set = FileDescriptorSet::decode(std::fs::read(descriptor_path()).unwrap().as_slice()).unwrap();
        let (mut messages, mut enums) = (BTreeMap::new(), BTreeMap::new());
        for file in set.file {
            messages
                .extend(file.message_type.into_iter().map(|message| (message.name().to_owned(), message)));
            enums.extend(file.enum_type.into_iter().map(|listed| (listed.name().to_owned(), listed)));
        }
        Self { messages, enums }
    }

    /// The JSON of a message, indented by two spaces a level.
    pub(crate) fn describe(&self, message: &str, bytes: &[u8]) -> String {
        let mut out = String::new();
        self.message(message, bytes, 0, &mut out);
        out
    }

    fn message(&self, name: &str, mut bytes: &[u8], depth: usize, out: &mut String) {
        let descriptor = &self.messages[name];
        let mut fields: Vec<(&FieldDescriptorProto, Vec<String>)> = Vec::new();
        while !bytes.is_empty() {
            let key = decode_varint(&mut bytes).unwrap();
            let field = descriptor.field.iter().find(|field| field.number() as u64 == key >> 3).unwrap();
            let values = self.values(field, key & 7, &mut bytes, depth + 1);
            match fields.last_mut() {
                Some((last, list)) if last.number() == field.number() => list.extend(values),
                _ => fields.push((field, values)),
            }
        }
        let inside = "  ".repeat(depth + 1);
        out.push_str("{\n");
        for (place, (field, values)) in fields.iter().enumerate() {
            let comma = if place + 1 == fields.len() { "" } else { "," };
            let value = match field.label() {
                Label::Repeated => format!("[{}]", values.join(", ")),
                _ => values.join(", "),
            };
            writeln!(out, "{inside}\"{}\": {value}{comma}", field.name()).unwrap();
        }
        write!(out, "{}}}", "  ".repeat(depth)).unwrap();
    }

    /// The value at the front of the bytes, or the values of a packed field.
    fn values(
        &self,
        field: &FieldDescriptorProto,
        wire: u64,
        bytes: &mut &[u8],
        depth: usize,
    ) -> Vec<String> {
        if wire == 0 {
            return vec![self.number(field, decode_varint(bytes).unwrap())];
        }
        let length = decode_varint(bytes).unwrap() as usize;
        let (mut value, rest) = bytes.split_at(length);
        *bytes = rest;
        match field.r#type() {
            Type::Message => {
                let mut out = String::new();
                self.message(short(field), value, depth, &mut out);
                vec![out]
            }
            Type::String => vec![format!("\"{}\"", escaped(std::str::from_utf8(value).unwrap()))],
            Type::Bytes => vec![format!("\"{}\"", hex(value))],
            _ => {
                let mut packed = Vec::new();
                while !value.is_empty() {
                    packed.push(self.number(field, decode_varint(&mut value).unwrap()));
                }
                packed
            }
        }
    }

    fn number(&self, field: &FieldDescriptorProto, value: u64) -> String {
        match field.r#type() {
            Type::Bool => (value == 1).to_string(),
            Type::Uint64 => format!("\"{value}\""),
            Type::Int64 => format!("\"{}\"", value.cast_signed()),
            Type::Uint32 | Type::Int32 => (value.cast_signed() as i32).to_string(),
            Type::Enum => {
                let known = &self.enums[short(field)].value;
                let named = known.iter().find(|known| known.number() == value as i32).unwrap();
                format!("\"{}\"", named.name())
            }
            other => panic!("{other:?} is in no signed message"),
        }
    }
}

/// The name of a field's message or enum without the package.
fn short(field: &FieldDescriptorProto) -> &str {
    field.type_name().rsplit('.').next().unwrap()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
