//! What the wire contract must keep to, beyond what `buf lint` knows: signed and logged messages use only what every
//! implementation encodes alike, everything has a comment, every rpc its own request and response.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::source_code_info::Location;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

use crate::proto::{FOLDER, PACKAGE};

#[cfg(test)]
mod tests;

/// Numbers of fields in the descriptor messages, of which a location's path is made (descriptor.proto).
mod number {
    pub(super) const FILE_IMPORT: i32 = 3;
    pub(super) const FILE_MESSAGE: i32 = 4;
    pub(super) const FILE_ENUM: i32 = 5;
    pub(super) const FILE_SERVICE: i32 = 6;
    pub(super) const FILE_EXTENSION: i32 = 7;
    pub(super) const MESSAGE_FIELD: i32 = 2;
    pub(super) const MESSAGE_NESTED: i32 = 3;
    pub(super) const MESSAGE_ENUM: i32 = 4;
    pub(super) const ENUM_VALUE: i32 = 2;
    pub(super) const SERVICE_METHOD: i32 = 2;
}

/// A breach of a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    file: String,
    line: usize,
    problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

/// Whether a file holds a service and its requests, which are neither signed nor logged.
pub(crate) fn is_service_file(name: &str) -> bool {
    name.ends_with("_service.proto")
}

/// Every finding in the files, by file and line.
pub(crate) fn lint(files: &[FileDescriptorProto]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken = BTreeSet::new();
    // What other packages an import brings in is not ours to judge; the import itself is a finding.
    for file in files.iter().filter(|file| file.name().starts_with(FOLDER)) {
        let mut lint = Lint::new(file);
        lint.file();
        for (at, service) in (0_i32..).zip(&file.service) {
            lint.service(&[number::FILE_SERVICE, at], service, &mut taken);
        }
        findings.append(&mut lint.findings);
    }
    findings.sort();
    findings
}

/// One file under the lint.
struct Lint<'f> {
    file: &'f FileDescriptorProto,
    places: BTreeMap<&'f [i32], &'f Location>,
    findings: Vec<Finding>,
    /// Whether its messages are signed or logged.
    signed: bool,
}

impl<'f> Lint<'f> {
    fn new(file: &'f FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let places = locations.map(|location| (location.path.as_slice(), location)).collect();
        Lint { file, places, findings: Vec::new(), signed: !is_service_file(file.name()) }
    }

    fn report(&mut self, path: &[i32], problem: String) {
        // Spans count lines from 0; what has no place of its own is reported at the top of the file.
        let start = self.places.get(path).and_then(|place| place.span.first());
        let line = start.and_then(|line| usize::try_from(*line).ok()).unwrap_or(0).saturating_add(1);
        self.findings.push(Finding { file: self.file.name().to_owned(), line, problem });
    }

    fn comment(&mut self, path: &[i32], what: &str, name: &str) {
        let place = self.places.get(path);
        if place.is_none_or(|place| place.leading_comments().trim().is_empty()) {
            self.report(path, format!("{what} {name} has no comment above it"));
        }
    }

    fn file(&mut self) {
        let file = self.file;
        if file.package() != PACKAGE || file.syntax() != "proto3" {
            self.report(&[], format!("a file must be proto3 in package {PACKAGE}"));
        }
        for (at, import) in (0_i32..).zip(&file.dependency) {
            let path = [number::FILE_IMPORT, at];
            if !import.starts_with(FOLDER) {
                self.report(&path, format!("imports {import}: types of other packages are not used"));
            } else if self.signed && is_service_file(import) {
                self.report(&path, format!("imports {import}: a signed message can't use a request's"));
            }
        }
        if !file.extension.is_empty() {
            self.report(&[number::FILE_EXTENSION, 0], "extensions are not used".to_owned());
        }
        for (at, message) in (0_i32..).zip(&file.message_type) {
            self.message(&[number::FILE_MESSAGE, at], message);
        }
        for (at, declared) in (0_i32..).zip(&file.enum_type) {
            self.enumeration(&[number::FILE_ENUM, at], declared);
        }
        if self.signed && !file.service.is_empty() {
            self.report(&[number::FILE_SERVICE, 0], "a service belongs in a file *_service.proto".to_owned());
        }
        if !self.signed && file.service.len() != 1 {
            self.report(&[], "a service file has exactly one service".to_owned());
        }
    }

    fn message(&mut self, path: &[i32], message: &DescriptorProto) {
        let name = message.name();
        if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            // The map field itself is reported, with its line.
            return;
        }
        self.comment(path, "message", name);
        self.type_name(path, name);
        if self.signed && !(message.extension.is_empty() && message.extension_range.is_empty()) {
            self.report(path, format!("message {name} has extensions"));
        }
        for (at, field) in (0_i32..).zip(&message.field) {
            let path = [path, &[number::MESSAGE_FIELD, at]].concat();
            self.comment(&path, "field", &format!("{name}.{}", field.name()));
            if self.signed {
                self.signed_field(&path, message, field);
            }
        }
        for (at, nested) in (0_i32..).zip(&message.nested_type) {
            let path = [path, &[number::MESSAGE_NESTED, at]].concat();
            if self.signed && !nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
                self.report(&path, format!("message {}: declare it outside of {name}", nested.name()));
            }
            self.message(&path, nested);
        }
        for (at, nested) in (0_i32..).zip(&message.enum_type) {
            let path = [path, &[number::MESSAGE_ENUM, at]].concat();
            if self.signed {
                self.report(&path, format!("enum {}: declare it outside of {name}", nested.name()));
            }
            self.enumeration(&path, nested);
        }
    }

    /// Refuses what encoders disagree on (oneof and map order), what has a second form, and what isn't ours.
    fn signed_field(&mut self, path: &[i32], message: &DescriptorProto, field: &FieldDescriptorProto) {
        let name = format!("{}.{}", message.name(), field.name());
        let is_map = message.nested_type.iter().any(|nested| {
            nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
                && field.type_name().ends_with(&format!(".{}.{}", message.name(), nested.name()))
        });
        if is_map {
            self.report(path, format!("field {name} is a map; use sorted repeated pairs"));
            return;
        }
        if field.oneof_index.is_some() && !field.proto3_optional() {
            self.report(path, format!("field {name} is in a oneof; use a kind and optional messages"));
        }
        if field.label() == Label::Required {
            self.report(path, format!("field {name} is required"));
        }
        if field.options.as_ref().is_some_and(|options| options.packed == Some(false)) {
            self.report(path, format!("field {name} is not packed"));
        }
        match field.r#type() {
            Type::Uint64
            | Type::Uint32
            | Type::Int64
            | Type::Int32
            | Type::Bool
            | Type::String
            | Type::Bytes => {}
            Type::Enum | Type::Message => {
                if !field.type_name().starts_with(&format!(".{PACKAGE}.")) {
                    self.report(path, format!("field {name} has a type of another package"));
                }
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
                let kind = field.r#type().as_str_name().trim_start_matches("TYPE_").to_lowercase();
                self.report(path, format!("field {name} is a {kind}, which signed messages don't use"));
            }
        }
    }

    fn enumeration(&mut self, path: &[i32], declared: &EnumDescriptorProto) {
        let name = declared.name();
        self.comment(path, "enum", name);
        self.type_name(path, name);
        let first = declared.value.first();
        if !first.is_some_and(|value| value.number() == 0 && value.name().ends_with("_UNSPECIFIED")) {
            self.report(path, format!("enum {name} doesn't begin with _UNSPECIFIED = 0"));
        }
        let mut numbers = BTreeSet::new();
        for (at, value) in (0_i32..).zip(&declared.value) {
            let path = [path, &[number::ENUM_VALUE, at]].concat();
            self.comment(&path, "enum value", value.name());
            if value.number() < 0 || !numbers.insert(value.number()) {
                self.report(&path, format!("enum value {} has a negative or second number", value.name()));
            }
        }
    }

    fn service(&mut self, path: &[i32], service: &'f ServiceDescriptorProto, taken: &mut BTreeSet<&'f str>) {
        let name = service.name();
        self.comment(path, "service", name);
        let file = self.file.name();
        let stem = file.rsplit('/').next().and_then(|base| base.strip_suffix(".proto"));
        let wanted: String = stem.unwrap_or_default().split('_').map(capitalised).collect();
        if name != wanted {
            self.report(path, format!("service {name} must be called {wanted}, as its file"));
        }
        for (at, method) in (0_i32..).zip(&service.method) {
            let path = [path, &[number::SERVICE_METHOD, at]].concat();
            self.comment(&path, "rpc", &format!("{name}.{}", method.name()));
            for (side, used) in [("Request", method.input_type()), ("Response", method.output_type())] {
                let wanted = format!("{}{side}", method.name());
                if used != format!(".{PACKAGE}.{wanted}") {
                    self.report(&path, format!("rpc {} must use {wanted}", method.name()));
                }
                if !taken.insert(used) {
                    self.report(&path, format!("rpc {} shares {wanted} with another rpc", method.name()));
                }
            }
        }
    }

    /// Names that Rust's generator would change would part the schema table from the messages.
    fn type_name(&mut self, path: &[i32], name: &str) {
        let letters: Vec<char> = name.chars().collect();
        let two_capitals = letters.windows(2).any(|pair| pair.iter().all(char::is_ascii_uppercase));
        if two_capitals || name.contains('_') || !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.report(path, format!("{name} is not in CapitalisedWords"));
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
