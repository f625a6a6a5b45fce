//! The schema table of `credit-proto`: every signed or logged message with its fields, as Rust statics.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use crate::lint::is_service_file;
use crate::proto::PACKAGE;

#[cfg(test)]
mod tests;

/// The numbers that an enum's fields may hold, by the enum's full name.
type Enums = BTreeMap<String, Vec<i32>>;

/// Writes the table, for files that have passed the lint, by name of the message.
pub(crate) fn write(files: &[FileDescriptorProto]) -> Result<String> {
    let mut enums = Enums::new();
    let mut messages = BTreeMap::new();
    for file in files.iter().filter(|file| !is_service_file(file.name())) {
        for declared in &file.enum_type {
            enums.insert(format!(".{PACKAGE}.{}", declared.name()), numbers(declared));
        }
        for message in &file.message_type {
            messages.insert(message.name(), (file.name(), message));
        }
    }
    let mut code = String::new();
    for (name, (file, message)) in &messages {
        one(&mut code, file, name, message, &enums)?;
    }
    writeln!(code, "\n/// Every message of this table, by name.\npub static MESSAGES: &[&Message] = &[")?;
    for name in messages.keys() {
        writeln!(code, "    &{},", constant(name))?;
    }
    writeln!(code, "];\n\n/// Decodes strictly and encodes again, for every message of this table.")?;
    writeln!(code, "#[cfg(test)]\npub(crate) static REENCODERS: &[crate::strict::tests::Reencoder] = &[")?;
    for name in messages.keys() {
        writeln!(code, "    crate::strict::tests::reencode::<crate::v1::{name}>,")?;
    }
    writeln!(code, "];")?;
    Ok(code)
}

fn numbers(declared: &EnumDescriptorProto) -> Vec<i32> {
    // 0 is UNSPECIFIED in each enum, which stands for absence and is never written.
    let mut numbers: Vec<i32> = declared
        .value
        .iter()
        .map(prost_types::EnumValueDescriptorProto::number)
        .filter(|n| *n != 0)
        .collect();
    numbers.sort_unstable();
    numbers
}

fn one(code: &mut String, file: &str, name: &str, message: &DescriptorProto, enums: &Enums) -> Result<()> {
    let mut fields: Vec<&FieldDescriptorProto> = message.field.iter().collect();
    fields.sort_by_key(|field| field.number());
    writeln!(code, "\n/// The wire form of `{name}` in `{file}`.")?;
    writeln!(code, "pub static {}: Message = Message {{", constant(name))?;
    writeln!(code, "    name: \"{name}\",\n    fields: &[")?;
    for field in fields {
        let (number, label, kind) = (field.number(), label(field), kind(field, enums)?);
        let name = field.name();
        writeln!(
            code,
            "        Field {{ number: {number}, name: \"{name}\", label: {label}, kind: {kind} }},"
        )?;
    }
    writeln!(code, "    ],\n}};\n\nimpl Canonical for crate::v1::{name} {{")?;
    writeln!(code, "    const SCHEMA: &'static Message = &{};\n}}", constant(name))?;
    Ok(())
}

fn label(field: &FieldDescriptorProto) -> &'static str {
    match field.label() {
        Label::Repeated => "Label::Repeated",
        Label::Optional | Label::Required if field.proto3_optional() || field.r#type() == Type::Message => {
            "Label::Explicit"
        }
        Label::Optional | Label::Required => "Label::Implicit",
    }
}

fn kind(field: &FieldDescriptorProto, enums: &Enums) -> Result<String> {
    Ok(match field.r#type() {
        Type::Uint64 => "Kind::Uint64".to_owned(),
        Type::Uint32 => "Kind::Uint32".to_owned(),
        Type::Int64 => "Kind::Int64".to_owned(),
        Type::Int32 => "Kind::Int32".to_owned(),
        Type::Bool => "Kind::Bool".to_owned(),
        Type::String => "Kind::String".to_owned(),
        Type::Bytes => "Kind::Bytes".to_owned(),
        Type::Enum => {
            let known = enums.get(field.type_name());
            format!("Kind::Enum(&{:?})", known.with_context(|| unknown(field))?)
        }
        Type::Message => {
            let prefix = format!(".{PACKAGE}.");
            let name = field.type_name().strip_prefix(&prefix).with_context(|| unknown(field))?;
            format!("Kind::Message(&{})", constant(name))
        }
        Type::Double
        | Type::Float
        | Type::Fixed64
        | Type::Fixed32
        | Type::Sfixed32
        | Type::Sfixed64
        | Type::Sint32
        | Type::Sint64
        | Type::Group => {
            bail!("field {} passed the lint with a type that has no canonical form", field.name())
        }
    })
}

fn unknown(field: &FieldDescriptorProto) -> String {
    format!("field {} has the unknown type {}", field.name(), field.type_name())
}

/// `RecordFacts` → `RECORD_FACTS`; the lint has refused names with two capitals in a row.
fn constant(name: &str) -> String {
    let mut constant = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}
