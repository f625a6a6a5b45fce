// Builds every golden vector from its description with protobufjs, and compares the bytes.
//
// Usage: CREDITBANK_NODE_PATH=FOLDER/node_modules node javascript_encoder.mjs PROTO_FOLDER VECTORS_FOLDER
//
// Prints how many messages were built, or what differs, and then exits with 1.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";

const require = createRequire(join(process.env.CREDITBANK_NODE_PATH, "of-the-vectors.js"));
const protobuf = require("protobufjs");
const Long = require("long");
protobuf.util.Long = Long;
protobuf.configure();

const PACKAGE = "creditbank.v1.";

/** The contract, from its `.proto` files, with the fields under their own names. */
function load(folder) {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith(folder) ? target : join(folder, target));
  const inner = join(folder, "creditbank", "v1");
  const files = readdirSync(inner).filter((name) => name.endsWith(".proto") && !name.endsWith("_service.proto"));
  root.loadSync(files.map((name) => `creditbank/v1/${name}`), { keepCase: true });
  root.resolveAll();
  return root;
}

/** A value of the description as protobufjs takes it. */
function valueOf(field, value) {
  if (field.resolvedType instanceof protobuf.Type) return build(field.resolvedType, value);
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = field.resolvedType.values[value];
    if (number === undefined) throw new Error(`${value} is not of ${field.resolvedType.name}`);
    return number;
  }
  if (field.type === "bytes") return Buffer.from(value, "hex");
  if (field.type === "int64") return Long.fromString(value, false);
  if (field.type === "uint64") return Long.fromString(value, true);
  return value;
}

/** A message with each field that the description names. */
function build(type, description) {
  const message = type.create();
  for (const [name, value] of Object.entries(description)) {
    const field = type.fields[name];
    message[name] = field.repeated ? value.map((one) => valueOf(field, one)) : valueOf(field, value);
  }
  return message;
}

/** The message name, bytes and description of each section of a file. */
function* sections(path) {
  for (const section of readFileSync(path, "utf8").split("\n\n")) {
    const [head, description] = section.split("\nvalue:\n");
    const lines = Object.fromEntries(head.split("\n").map((line) => line.split(": ")));
    yield [lines.message, lines.hex, JSON.parse(description)];
  }
}

const [protoFolder, vectors] = process.argv.slice(2);
const root = load(protoFolder);
const differing = [];
let built = 0;
for (const folder of ["entries", "statements"]) {
  for (const name of readdirSync(join(vectors, folder)).sort()) {
    for (const [message, golden, description] of sections(join(vectors, folder, name))) {
      const type = root.lookupType(PACKAGE + message);
      const encoded = Buffer.from(type.encode(build(type, description)).finish()).toString("hex");
      if (encoded !== golden) differing.push(`${name} ${message}: ${encoded} is not ${golden}`);
      built += 1;
    }
  }
}
console.log(differing.length > 0 ? differing.join("\n") : `${built} messages built alike`);
process.exit(differing.length > 0 || built === 0 ? 1 : 0);
