//! Toy file sets: one that keeps to the rules, and one breach of each rule.

use std::fs;

use super::lint;

/// Compiles files of the package from their text and gives the findings without the folder.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("creditbank/v1")).unwrap();
    for (name, body) in files {
        let text = format!("syntax = \"proto3\"; package creditbank.v1;\n{body}");
        fs::write(folder.path().join("creditbank/v1").join(name), text).unwrap();
    }
    let set = crate::proto::compile(folder.path()).unwrap();
    lint(&set.file).iter().map(|finding| finding.to_string().replace("creditbank/v1/", "")).collect()
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    assert_eq!(findings(&[("toy.proto", body)]), expected);
}

const CLEAN: &str = "
// A toy.
message Toy {
  // What it is.
  optional string name = 1;
  // How.
  Way way = 2;
  // Parts.
  repeated Toy parts = 3;
}
// A way.
enum Way {
  // Not a value.
  WAY_UNSPECIFIED = 0;
  // Fast.
  WAY_FAST = 1;
}
";

const SERVICE: &str = "import \"creditbank/v1/toy.proto\";
// Toys.
service ToyService {
  // Gets one.
  rpc GetToy(GetToyRequest) returns (stream GetToyResponse);
}
// Asks.
message GetToyRequest {
  // Either.
  oneof which {
    // By name.
    string name = 1;
  }
}
// Answers.
message GetToyResponse {
  // The toy.
  Toy toy = 1;
}
";

#[test]
fn a_clean_set_has_no_findings() {
    assert_eq!(findings(&[("toy.proto", CLEAN), ("toy_service.proto", SERVICE)]), [""; 0]);
}

#[test]
fn signed_messages_use_only_what_all_encode_alike() {
    let field = |field: &str| format!("// T.\nmessage T {{\n// F.\n{field}\n}}");
    let told = |kind: &str| format!("toy.proto:5: field T.f is a {kind}, which signed messages don't use");
    for kind in ["double", "float", "fixed32", "fixed64", "sfixed32", "sfixed64", "sint32", "sint64"] {
        check(&field(&format!("{kind} f = 1;")), &[&told(kind)]);
    }
    check(
        &field("map<string, string> f = 1;"),
        &["toy.proto:5: field T.f is a map; use sorted repeated pairs"],
    );
    check(&field("repeated int32 f = 1 [packed = false];"), &["toy.proto:5: field T.f is not packed"]);
    check(
        &field("oneof x {\n// F.\nint32 f = 1;\n}"),
        &["toy.proto:7: field T.f is in a oneof; use a kind and optional messages"],
    );
}

#[test]
fn types_of_other_packages_are_refused() {
    check(
        "import \"google/protobuf/any.proto\";\n// T.\nmessage T {\n// F.\ngoogle.protobuf.Any f = 1;\n}",
        &[
            "toy.proto:2: imports google/protobuf/any.proto: types of other packages are not used",
            "toy.proto:6: field T.f has a type of another package",
        ],
    );
    let signed =
        "import \"creditbank/v1/toy_service.proto\";\n// U.\nmessage U {\n// F.\nGetToyRequest f = 1;\n}";
    assert_eq!(
        findings(&[("toy.proto", CLEAN), ("toy_service.proto", SERVICE), ("upper.proto", signed)]),
        ["upper.proto:2: imports creditbank/v1/toy_service.proto: a signed message can't use a request's"]
            .map(|line| line.replace("creditbank/v1/", ""))
    );
}

#[test]
fn everything_has_a_comment() {
    check(
        "message T {\nint32 f = 1;\n}\nenum E {\nE_UNSPECIFIED = 0;\n}",
        &[
            "toy.proto:2: message T has no comment above it",
            "toy.proto:3: field T.f has no comment above it",
            "toy.proto:5: enum E has no comment above it",
            "toy.proto:6: enum value E_UNSPECIFIED has no comment above it",
        ],
    );
    let bare = SERVICE.replace("// Toys.", "").replace("// Gets one.", "");
    assert_eq!(
        findings(&[("toy.proto", CLEAN), ("toy_service.proto", &bare)]),
        [
            "toy_service.proto:4: service ToyService has no comment above it",
            "toy_service.proto:6: rpc ToyService.GetToy has no comment above it",
        ]
    );
}

#[test]
fn enums_begin_with_unspecified_and_never_repeat_a_number() {
    check(
        "// E.\nenum E {\n// A.\nE_A = 0;\n}",
        &["toy.proto:3: enum E doesn't begin with _UNSPECIFIED = 0"],
    );
    check(
        "// E.\nenum E {\noption allow_alias = true;\n// U.\nE_UNSPECIFIED = 0;\n// A.\nE_A = 1;\n// B.\nE_B = 1;\n// C.\nE_C = -1;\n}",
        &[
            "toy.proto:10: enum value E_B has a negative or second number",
            "toy.proto:12: enum value E_C has a negative or second number",
        ],
    );
}

#[test]
fn signed_types_stand_at_the_top_under_names_that_rust_keeps() {
    check(
        "// T.\nmessage T {\n// N.\nmessage N {}\n// E.\nenum E {\n// U.\nE_UNSPECIFIED = 0;\n}\n}",
        &["toy.proto:5: message N: declare it outside of T", "toy.proto:7: enum E: declare it outside of T"],
    );
    check("// T.\nmessage LOGId {}", &["toy.proto:3: LOGId is not in CapitalisedWords"]);
}

#[test]
fn a_service_has_its_files_name_and_each_rpc_its_own_messages() {
    let wrong = SERVICE
        .replace("service ToyService", "service Toys")
        .replace("returns (stream GetToyResponse);", "returns (GetToyRequest);");
    assert_eq!(
        findings(&[("toy.proto", CLEAN), ("toy_service.proto", &wrong)]),
        [
            "toy_service.proto:4: service Toys must be called ToyService, as its file",
            "toy_service.proto:6: rpc GetToy must use GetToyResponse",
            "toy_service.proto:6: rpc GetToy shares GetToyResponse with another rpc",
        ]
    );
    check(
        "// S.\nservice ToyService {}",
        &[
            "toy.proto:3: a service belongs in a file *_service.proto",
            "toy.proto:3: service ToyService must be called Toy, as its file",
        ],
    );
    assert_eq!(
        findings(&[("toy_service.proto", "// T.\nmessage T {}")]),
        ["toy_service.proto:1: a service file has exactly one service"]
    );
}
