#!/usr/bin/env python3
"""A verifier of exports and record bundles, written from docs/reference/log-format.md alone.

Standard library and `cryptography`. It shares no code with the product: it has a protobuf reader of its own, whose
table of messages is section 13 of the document, read from the document itself.

    verify.py export DIRECTORY --trust trust.toml
    verify.py bundle FILE --trust trust.toml

Prints one JSON object. Exit codes: 0 it holds; 1 it holds, and the record is not in force; 2 what was given cannot be
used; 3 broken, with the first bad index and the rule; 5 a newer verifier is needed.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import sys
import tomllib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "reference", "log-format.md")
DAY_US = 86_400_000_000


class Broken(Exception):
    """A rule is broken; the index of the entry is added where it is known."""

    def __init__(self, rule, detail=""):
        super().__init__(f"{rule}: {detail}")
        self.rule, self.detail, self.index = rule, detail, None


class Newer(Exception):
    """What the log has announced and this verifier does not know."""


def require(holds, rule, detail=""):
    if not holds:
        raise Broken(rule, detail)


# Section 13 and 1: the table of messages, and the canonical form.


def read_tables(path):
    """The messages and enums of section 13."""
    text = open(path, encoding="utf-8").read().split("\n## 13. Messages\n")[1].split("\n## ")[0]
    blocks = re.sub(r"\n {8}", " ", text)
    messages, enums = {}, {}
    for line in blocks.split("\n"):
        found = re.fullmatch(r" {4}(\w+) {2}(.+)", line)
        if not found:
            continue
        parts = [part.split() for part in found[2].split(", ")]
        if all(len(part) == 3 for part in parts):
            messages[found[1]] = {int(number): (name, kind) for number, name, kind in parts}
        else:
            enums[found[1]] = {name: int(number) for number, name in parts}
    return messages, enums


MESSAGES, ENUMS = read_tables(DOCUMENT)
NAMES = {enum: {number: name for name, number in values.items()} for enum, values in ENUMS.items()}
RANGES = {"uint64": 1 << 64, "uint32": 1 << 32, "bool": 2}


class Reader:
    def __init__(self, data, rule):
        self.data, self.at, self.rule = data, 0, rule

    def fail(self, what):
        raise Broken(self.rule, f"{what} at byte {self.at}")

    def varint(self, end):
        value, shift, start = 0, 0, self.at
        while True:
            if self.at >= end:
                self.fail("a varint is cut off")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if self.at - start >= 10:
                self.fail("a varint is too long")
        if value >= 1 << 64 or (byte == 0 and self.at - start > 1):
            self.fail("a varint is not minimal")
        return value

    def scalar(self, kind, value):
        if kind in RANGES:
            if value >= RANGES[kind]:
                self.fail("a number is out of range")
            return bool(value) if kind == "bool" else value
        if kind in ("int64", "int32"):
            signed = value - (1 << 64) if value >= 1 << 63 else value
            if kind == "int32" and not -(1 << 31) <= signed < 1 << 31:
                self.fail("a number is out of range")
            return signed
        if value == 0 or value not in NAMES[kind]:
            self.fail(f"{kind} {value} is unknown")
        return NAMES[kind][value]

    def message(self, name, end, depth=1):
        """A dict of the fields that are there; lists for repeated ones."""
        require(depth <= 8, self.rule, "nested too deep")
        out, last = {}, 0
        while self.at < end:
            tag = self.varint(end)
            number, wire = tag >> 3, tag & 7
            if number not in MESSAGES[name]:
                self.fail(f"unknown field {number} of {name}")
            field, kind = MESSAGES[name][number]
            label = kind[-1] if kind[-1] in "*?" else ""
            kind = kind.rstrip("*?")
            is_scalar = kind in RANGES or kind in ("int64", "int32") or kind in ENUMS
            is_message = kind in MESSAGES
            if wire != (0 if is_scalar and label != "*" else 2):
                self.fail("a wrong wire type")
            repeats = number == last and label == "*" and not is_scalar
            if number < last or (number == last and not repeats):
                self.fail("fields do not ascend")
            last = number
            if wire == 0:
                value = self.scalar(kind, self.varint(end))
                if not value and not label:
                    self.fail("a default is written")
                out[field] = value
                continue
            length = self.varint(end)
            stop = self.at + length
            if stop > end:
                self.fail("a length is too great")
            if is_message:
                if length == 0:
                    self.fail("an empty message is written")
                value = self.message(kind, stop, depth + 1)
            elif is_scalar:
                value = []
                while self.at < stop:
                    value.append(self.scalar(kind, self.varint(stop)))
                if not value:
                    self.fail("an empty packed field is written")
            else:
                value = self.data[self.at : stop]
                self.at = stop
                if not length and not label:
                    self.fail("a default is written")
                if kind == "string":
                    try:
                        value = value.decode("utf-8")
                    except UnicodeDecodeError:
                        self.fail("a string is not UTF-8")
            if is_scalar or label != "*":
                out[field] = value
            else:
                out.setdefault(field, []).append(value)
        return out


def decode(name, data, rule="NOT_CANONICAL"):
    reader = Reader(bytes(data), rule)
    out = reader.message(name, len(data))
    require(reader.at == len(data), rule, "bytes are left over")
    return out


# Hashes and trees.


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return sha256(b"\x00", data)


def root_of(hashes):
    """RFC 6962 over leaf hashes, folded as a counter of complete subtrees."""
    if not hashes:
        return sha256()
    stack = []
    for count, leaf in enumerate(hashes):
        while count & 1:
            leaf = sha256(b"\x01", stack.pop(), leaf)
            count >>= 1
        stack.append(leaf)
    while len(stack) > 1:
        right = stack.pop()
        stack.append(sha256(b"\x01", stack.pop(), right))
    return stack[0]


def root_from_path(leaf, index, size, path, rule):
    require(0 <= index < size, rule, "the index lies outside the tree")
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        require(len(sibling) == 32, rule, "a hash has a wrong length")
        require(sn > 0, rule, "the path is too long")
        if fn & 1 or fn == sn:
            node = sha256(b"\x01", sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = sha256(b"\x01", node, sibling)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0, rule, "the path is too short")
    return node


def kind_of(name):
    return f"application/vnd.creditbank.{name}.v1+protobuf"


def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


# Ed25519 as section 2 has it: what `cryptography` does not ask is asked here.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def decompress(data):
    """The point of 32 canonical bytes in extended coordinates; None for any others."""
    sign, y = data[31] >> 7, int.from_bytes(data, "little") & ((1 << 255) - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * ROOT % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x, y, 1, (P - x if x & 1 != sign else x) * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        out = add(out, point) if scalar & 1 else out
        point, scalar = add(point, point), scalar >> 1
    return out


def is_identity(point):
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


ADMITTED = {}


def admit(key):
    """A key is the canonical encoding of a torsion-free point that is not the identity."""
    if key not in ADMITTED:
        point = decompress(key) if len(key) == 32 else None
        sound = point is not None and not is_identity(point) and is_identity(times(L, point))
        ADMITTED[key] = Ed25519PublicKey.from_public_bytes(key) if sound else None
    return ADMITTED[key]


def kid_of(key):
    return sha256(b"ed25519\x00", key)


COUNTS = {"signatures": 0}


def valid(key, signature, message):
    public = admit(key)
    if public is None or len(signature) != 64 or int.from_bytes(signature[32:], "little") >= L:
        return False
    r = decompress(signature[:32])
    if r is None or is_identity(times(8, r)):
        return False
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    COUNTS["signatures"] += 1
    return True


def envelope_of(wire, rule="STATEMENT_NOT_CANONICAL"):
    """Type, payload, and signatures as pairs of kid and signature."""
    signatures = [(s.get("kid", b""), s.get("signature", b"")) for s in wire.get("signatures", [])]
    require(1 <= len(signatures) <= 16, rule, "1 to 16 signatures")
    kids = [kid for kid, _ in signatures]
    require(all(a < b for a, b in zip(kids, kids[1:])), rule, "signatures do not ascend")
    require(all(len(k) == 32 and len(s) == 64 for k, s in signatures), rule, "a signature has a wrong length")
    return wire.get("payload_type", ""), wire.get("payload", b""), signatures


# Sections 6 and 10: what is pinned, notes, checkpoints, receipts, what the bank signs.


class Trust:
    def __init__(self, path):
        table = tomllib.load(open(path, "rb"))
        self.log_id, self.origin = bytes.fromhex(table["log_id"]), table["origin"]
        self.checkpoint_keys = []
        for text in table["checkpoint_keys"]:
            name, key_id, encoded = text.split("+", 2)
            key = base64.b64decode(encoded, validate=True)
            own = sha256(name.encode(), b"\n", key)[:4]
            require(name == self.origin and key[0] == 1 and own.hex() == key_id, "TRUST_INVALID", text)
            self.checkpoint_keys.append((name, own, key[1:]))
        self.statement_keys = {}
        for text in table["statement_keys"]:
            key = base64.b64decode(text.split(" ")[1], validate=True)
            require(admit(key) is not None, "TRUST_INVALID", text)
            self.statement_keys[kid_of(key)] = key

    def checkpoint(self, note, rule="CHECKPOINT_INVALID"):
        """Size and root of a signed note."""
        text, found, lines = note.rpartition("\n\n")
        require(found and lines.endswith("\n"), rule, "it is no note")
        text, opened = text + "\n", False
        for line in lines[:-1].split("\n"):
            match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/]+=*)", line)
            require(match, rule, "a signature line cannot be read")
            blob = b64(match[2], rule)
            require(len(blob) > 4, rule, "a signature line cannot be read")
            for name, key_id, key in self.checkpoint_keys:
                if (match[1], blob[:4]) == (name, key_id):
                    require(valid(key, blob[4:], text.encode()), rule, "a signature is false")
                    opened = True
        require(opened, rule, "no known key has signed")
        parts = text.split("\n")
        require(len(parts) == 4 and parts[0] == self.origin, rule, "it is of another log")
        return number(parts[1], rule), hash64(parts[2], rule)

    def signed(self, data, name, message, rule):
        """What one statement key signed, out of a canonical envelope."""
        kind, payload, signatures = envelope_of(decode("Envelope", data, rule), rule)
        require(kind == kind_of(name), rule, f"it is {kind}")
        require(len(signatures) == 1 and signatures[0][0] in self.statement_keys, rule, "an unknown key")
        kid, signature = signatures[0]
        require(valid(self.statement_keys[kid], signature, pae(kind, payload)), rule, "the signature is false")
        body = decode(message, payload, rule)
        head = body.get("head", body)
        require(head.get("log_id") == self.log_id, "OTHER_LOG", name)
        return body


def b64(text, rule):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Broken(rule, "base64 cannot be read") from None
    require(base64.b64encode(data).decode() == text, rule, "base64 has another form")
    return data


def hash64(text, rule):
    data = b64(text, rule)
    require(len(data) == 32, rule, "a hash has a wrong length")
    return data


def number(text, rule):
    require(re.fullmatch("0|[1-9][0-9]{0,18}", text), rule, "a number cannot be read")
    return int(text)


def read_core(data, rule="CORE_NOT_CANONICAL"):
    core = decode("EntryCore", data, rule)
    if core.get("format", 0) > 1:
        raise Newer("entry format")
    require(core.get("format") == 1 and len(core.get("parts_root", b"")) == 32, rule, "a field is wrong")
    return core.get("index", 0), core.get("recorded_at_us", 0), core["parts_root"]


PART_KINDS = {1: "EntryHead", 2: "Link", 3: "StatementPart", 4: "Event"}


def counted(head):
    return [1] + [2] * head.get("links", 0) + [3] * head.get("statements", 0) + [4] * head.get("events", 0)


def open_receipt(receipt, trust, rule, placed=True):
    """The entry of a receipt: its core, leaf hash, opened parts by number, and, if placed, its head."""
    index, recorded, parts_root = read_core(receipt.get("core", b""), rule)
    leaf, head = leaf_hash(receipt["core"]), None
    if placed:
        lines = receipt.get("tlog_proof", "").split("\n")
        require(lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) > 3, rule, "it is no tlog-proof")
        at = 2 if lines[1].startswith("extra ") else 1
        require(lines[at].startswith("index "), rule, "the index is missing")
        gap = lines.index("") if "" in lines else len(lines)
        require(number(lines[at][6:], rule) == index, rule, "the proof is of another index")
        path = [hash64(line, rule) for line in lines[at + 1 : gap]]
        head = trust.checkpoint("\n".join(lines[gap + 1 :]), rule)
        require(root_from_path(leaf, index, head[0], path, rule) == head[1], rule, "it is not in the log")
    else:
        bare = not receipt.get("tlog_proof") and not receipt.get("witness_state")
        require(bare, rule, "a proof where none belongs")
    parts, kinds = {}, None
    for opening in receipt.get("parts", []):
        number_, part = opening.get("number", 0), opening.get("part", b"")
        require(len(opening.get("salt", b"")) == 32 and part, rule, "a part cannot be read")
        if kinds is None:
            require(number_ == 0 and part[0] == 1, rule, "the head is not opened")
            kinds = counted(decode("EntryHead", part[1:], rule))
        require(number_ < len(kinds) and number_ not in parts and part[0] == kinds[number_], rule, "a part is misplaced")
        require(not parts or number_ > max(parts), rule, "parts do not ascend")
        node = leaf_hash(opening["salt"] + part)
        proved = root_from_path(node, number_, len(kinds), opening.get("path", []), rule)
        require(proved == parts_root, rule, f"part {number_} is not of the entry")
        parts[number_] = decode(PART_KINDS[part[0]], part[1:], rule)
    require(kinds is not None, rule, "nothing is opened")
    return {"index": index, "recorded": recorded, "leaf": leaf, "parts": parts, "head": head, "kinds": kinds}


def civil(recorded_us, offset_minutes):
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=(recorded_us + offset_minutes * 60_000_000) // DAY_US)
    return day.year, day.month, day.day


def date(wire):
    return wire.get("year", 0), wire.get("month", 0), wire.get("day", 0)


sys.path.insert(0, os.path.dirname(__file__))


def main():
    parser = argparse.ArgumentParser(description="Checks an export or a record bundle.")
    parser.add_argument("what", choices=["export", "bundle"])
    parser.add_argument("path")
    parser.add_argument("--trust", required=True)
    arguments = parser.parse_args()
    # Both are read here, for they need what this module has.
    import verify_bundle
    import verify_log

    try:
        trust = Trust(arguments.trust)
    except (OSError, KeyError, ValueError, Broken) as error:
        print(json.dumps({"verdict": "UNUSABLE", "detail": str(error)}))
        return 2
    check = verify_log.export if arguments.what == "export" else verify_bundle.bundle
    try:
        told, code = check(arguments.path, trust)
    except OSError as error:
        told, code = {"verdict": "UNUSABLE", "detail": str(error)}, 2
    except (KeyError, IndexError, TypeError, AttributeError, UnicodeDecodeError) as missing:
        # A field that must be there is absent: the bytes are canonical, and say less than they must.
        told, code = {"verdict": "BROKEN", "first_bad_index": None, "rule": "FIELD_MISSING", "detail": str(missing)}, 3
    except Broken as broken:
        told = {"verdict": "BROKEN", "first_bad_index": broken.index, "rule": broken.rule, "detail": broken.detail}
        code = 3
    except Newer as newer:
        told, code = {"verdict": "NEEDS_NEWER_VERIFIER", "detail": str(newer)}, 5
    print(json.dumps(told | COUNTS))
    return code


if __name__ == "__main__":
    # The other modules import this one by its name: it must be the same module.
    sys.modules["verify"] = sys.modules["__main__"]
    sys.exit(main())
