"""A third party's client, made from proto/ and docs/reference/log-format.md alone.

It submits a signed record over gRPC, verifies the receipt, and tries what must be refused: a wrong key, a changed byte,
a forged receipt. Needs grpcio, grpcio-tools and cryptography. Prints one JSON object; exits 0 if all went as it should.
"""

import argparse
import base64
import hashlib
import importlib
import json
import os
import sys
import tempfile
import time

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def load_messages(proto_dir):
    """Generates and imports the messages and stubs of package creditbank.v1."""
    from grpc_tools import protoc

    out = tempfile.mkdtemp()
    folder = os.path.join(proto_dir, "creditbank", "v1")
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".proto")]
    args = ["protoc", f"-I{proto_dir}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    if protoc.main(args) != 0:
        raise SystemExit("protoc failed")
    sys.path.insert(0, out)
    names = ["statement", "registry", "account", "record", "entry", "receipt"]
    names += ["record_service", "account_service", "log_service"]
    modules = {name: importlib.import_module(f"creditbank.v1.{name}_pb2") for name in names}
    for name in ["record_service", "log_service"]:
        modules[name + "_grpc"] = importlib.import_module(f"creditbank.v1.{name}_pb2_grpc")
    return type("Messages", (), modules)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return sha256(b"\x00", data)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def pae(payload_type, payload):
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def payload_type(name):
    return f"application/vnd.creditbank.{name}.v1+protobuf"


def public_bytes(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def kid(public):
    return sha256(b"ed25519\x00", public)


def uuid7():
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    random = bytearray(os.urandom(10))
    random[0] = 0x70 | random[0] & 0x0F
    random[2] = 0x80 | random[2] & 0x3F
    return stamp + bytes(random)


def root_from_path(hash_, index, size, path):
    """RFC 6962 section 2.1.1: the root that an inclusion path leads to."""
    if index >= size:
        raise ValueError("the index is outside the tree")
    rest = list(path)
    last = size - 1
    while last > 0:
        if index & 1 or index < last:
            if not rest:
                raise ValueError("the path is too short")
            sibling = rest.pop(0)
            hash_ = node_hash(sibling, hash_) if index & 1 else node_hash(hash_, sibling)
        index >>= 1
        last >>= 1
    if rest:
        raise ValueError("the path is too long")
    return hash_


def open_checkpoint(note, origin, key):
    """C2SP signed note and checkpoint: returns (size, root)."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    name_hash = sha256(origin.encode(), b"\n\x01", key)[:4]
    for line in signatures.splitlines():
        dash, name, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
        if dash == "\u2014" and name == origin and raw[:4] == name_hash:
            Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], text.encode())
            lines = text.splitlines()
            if lines[0] != origin or len(lines) != 3:
                raise ValueError("the checkpoint is of another log")
            return int(lines[1]), base64.b64decode(lines[2], validate=True)
    raise ValueError("no signature of the log")


def verify_receipt(pb, receipt, origin, key, envelope):
    """Checks a receipt and that our statement is what was recorded; returns the entry's index."""
    lines, _, note = receipt.tlog_proof.partition("\n\n")
    lines = lines.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise ValueError("not a tlog-proof")
    index = int(lines[1][6:])
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    size, root = open_checkpoint(note, origin, key)
    if root_from_path(leaf_hash(receipt.core), index, size, path) != root:
        raise ValueError("the entry is not in the log")
    core = pb.entry.EntryCore.FromString(receipt.core)
    if core.index != index or core.format != 1:
        raise ValueError("the core is of another entry")
    head_part = next(part for part in receipt.parts if part.number == 0)
    if head_part.part[:1] != b"\x01":
        raise ValueError("part 0 is not a head")
    head = pb.entry.EntryHead.FromString(head_part.part[1:])
    count = 1 + head.links + head.statements + head.events
    found = False
    for part in receipt.parts:
        if root_from_path(leaf_hash(part.salt + part.part), part.number, count, part.path) != core.parts_root:
            raise ValueError(f"part {part.number} is not in the entry")
        if part.part[:1] == b"\x03":
            statement = pb.entry.StatementPart.FromString(part.part[1:])
            found = found or statement.envelope.payload == envelope.payload
    if not found:
        raise ValueError("our statement is not in the entry")
    return index


def token(args, key):
    """A token of the institution: EdDSA JWT under a TOKENS key, five minutes at most."""

    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    name = "ed25519:" + encode(kid(public_bytes(key))).decode()
    now = int(time.time())
    claims = {"iss": args.institution, "aud": args.origin, "iat": now, "exp": now + 240}
    signing_input = b".".join(
        encode(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"alg": "EdDSA", "typ": "JWT", "kid": name}, claims)
    )
    return (signing_input + b"." + encode(key.sign(signing_input))).decode()


def build(pb, args, key):
    """A record of three credits: the envelope and the secret part."""
    details = pb.record.RecordDetails(
        catalogue_ref="PY-101@1",
        title=pb.statement.Text(zh="程序设计基础", en="Programming"),
        score_milli=88_000,
        score_scale_id="pct100",
        pass_state=pb.record.PASS_STATE_PASSED,
        certificate_no="PY-" + os.urandom(6).hex(),
    ).SerializeToString(deterministic=True)
    salt = os.urandom(32)
    secret_type = payload_type("record-details")
    commitment = sha256(b"creditbank/details/v1\x00", salt, pae(secret_type, details))
    facts = pb.record.RecordFacts(
        header=pb.statement.StatementHeader(
            log_id=bytes.fromhex(args.log_id), statement_id=uuid7(), signer_id=args.institution
        ),
        record_id=uuid7(),
        account_ref=bytes.fromhex(args.account),
        kind=pb.record.RecordKind.Value(args.kind),
        amount=pb.record.Amount(credit_scheme=args.scheme, credits_milli=3_000),
        subject_code=args.subject,
        awarded_on=pb.statement.CivilDate(year=2025, month=6, day=30),
        details_commitment=commitment,
        credit_eligible=True,
    )
    payload = facts.SerializeToString(deterministic=True)
    return sign(pb, key, payload), pb.account_service.SecretPart(salt=salt, payload=details)


def sign(pb, key, payload, kid_of=None):
    kind = payload_type("record-facts")
    signature = pb.statement.Signature(
        kid=kid(public_bytes(kid_of or key)), signature=key.sign(pae(kind, payload))
    )
    return pb.statement.Envelope(payload_type=kind, payload=payload, signatures=[signature])


def fields(message):
    """The length-delimited fields of a message as (number, bytes), read without generated code."""

    def varint(at):
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(message):
        tag, at = varint(at)
        if tag & 7 == 0:
            _, at = varint(at)
        elif tag & 7 == 2:
            length, at = varint(at)
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {tag & 7}")


def reason_of(error):
    """The stable reason: google.rpc.Status{3 details: Any{1 type, 2 value: google.rpc.ErrorInfo{1 reason}}}."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for detail in (dict(fields(content)) for number, content in fields(value) if number == 3):
                if detail[1].endswith(b"/google.rpc.ErrorInfo"):
                    return dict(fields(detail[2]))[1].decode()
    return error.code().name


def main():
    parser = argparse.ArgumentParser()
    for name in ["proto", "endpoint", "origin", "log-id", "checkpoint-key", "institution", "records-seed"]:
        parser.add_argument("--" + name, required=True)
    for name in ["tokens-seed", "account", "scheme", "subject", "kind"]:
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    pb = load_messages(args.proto)
    records = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args.records_seed))
    tokens = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args.tokens_seed))
    log_key = base64.b64decode(args.checkpoint_key)
    channel = grpc.insecure_channel(args.endpoint)
    stub = pb.record_service_grpc.RecordServiceStub(channel)
    results = {}

    def submit(envelope, details):
        request = pb.record_service.SubmitRecordRequest(envelope=envelope, details=details, want_receipt=True)
        return stub.SubmitRecord(request, metadata=[("authorization", "Bearer " + token(args, tokens))], timeout=20)

    envelope, details = build(pb, args, records)
    answer = submit(envelope, details)
    results["index"] = verify_receipt(pb, answer.position.receipt, args.origin, log_key, envelope)
    again = submit(envelope, details)
    results["replayed"] = again.position.replayed and again.position.index == answer.position.index

    def refused(envelope, details):
        try:
            submit(envelope, details)
        except grpc.RpcError as error:
            return reason_of(error)
        return "ACCEPTED"

    envelope, details = build(pb, args, records)
    stranger = Ed25519PrivateKey.generate()
    results["unknown_key"] = refused(sign(pb, stranger, envelope.payload), details)
    results["wrong_key"] = refused(sign(pb, stranger, envelope.payload, kid_of=records), details)
    flipped = bytearray(envelope.payload)
    flipped[-20] ^= 1
    changed = sign(pb, records, envelope.payload)
    changed.payload = bytes(flipped)
    results["flipped_byte"] = refused(changed, details)

    forged = pb.receipt.Receipt.FromString(answer.position.receipt.SerializeToString())
    core = bytearray(forged.core)
    core[-1] ^= 1
    forged.core = bytes(core)
    try:
        verify_receipt(pb, forged, args.origin, log_key, envelope)
        results["forged_receipt"] = "ACCEPTED"
    except (ValueError, InvalidSignature) as error:
        results["forged_receipt"] = str(error)
    print(json.dumps(results))
    good = (
        results["replayed"]
        and results["unknown_key"] == "KEY_UNKNOWN"
        and results["wrong_key"] == "SIGNATURE_INVALID"
        and results["flipped_byte"] == "SIGNATURE_INVALID"
        and results["forged_receipt"] == "the entry is not in the log"
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
