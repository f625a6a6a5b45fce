//! The table of a toy file, whole.

use std::fs;

const TOY: &str = r#"syntax = "proto3"; package creditbank.v1;
enum Way { WAY_UNSPECIFIED = 0; WAY_FAST = 7; WAY_SLOW = 1; }
message BigToy {
  repeated Way ways = 300;
  optional uint32 maybe = 2;
  bytes blob = 1;
  SmallToy small = 4;
}
message SmallToy { int64 count_milli = 1; }
"#;

const SERVICE: &str = r#"syntax = "proto3"; package creditbank.v1;
message GetToyRequest { double price = 1; }
"#;

const EXPECTED: &str = r#"
/// The wire form of `BigToy` in `creditbank/v1/toy.proto`.
pub static BIG_TOY: Message = Message {
    name: "BigToy",
    fields: &[
        Field { number: 1, name: "blob", label: Label::Implicit, kind: Kind::Bytes },
        Field { number: 2, name: "maybe", label: Label::Explicit, kind: Kind::Uint32 },
        Field { number: 4, name: "small", label: Label::Explicit, kind: Kind::Message(&SMALL_TOY) },
        Field { number: 300, name: "ways", label: Label::Repeated, kind: Kind::Enum(&[1, 7]) },
    ],
};

impl Canonical for crate::v1::BigToy {
    const SCHEMA: &'static Message = &BIG_TOY;
}

/// The wire form of `SmallToy` in `creditbank/v1/toy.proto`.
pub static SMALL_TOY: Message = Message {
    name: "SmallToy",
    fields: &[
        Field { number: 1, name: "count_milli", label: Label::Implicit, kind: Kind::Int64 },
    ],
};

impl Canonical for crate::v1::SmallToy {
    const SCHEMA: &'static Message = &SMALL_TOY;
}

/// Every message of this table, by name.
pub static MESSAGES: &[&Message] = &[
    &BIG_TOY,
    &SMALL_TOY,
];

/// Decodes strictly and encodes again, for every message of this table.
#[cfg(test)]
pub(crate) static REENCODERS: &[crate::strict::tests::Reencoder] = &[
    crate::strict::tests::reencode::<crate::v1::BigToy>,
    crate::strict::tests::reencode::<crate::v1::SmallToy>,
];
"#;

#[test]
fn the_table_has_signed_messages_only_with_fields_in_order() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("creditbank/v1")).unwrap();
    fs::write(folder.path().join("creditbank/v1/toy.proto"), TOY).unwrap();
    fs::write(folder.path().join("creditbank/v1/toy_service.proto"), SERVICE).unwrap();
    let set = crate::proto::compile(folder.path()).unwrap();
    assert_eq!(super::write(&set.file).unwrap(), EXPECTED);
}
