"""Builds every golden vector from its description with the protobuf package, and compares the bytes.

Usage: python_encoder.py DESCRIPTOR_SET VECTORS_FOLDER

DESCRIPTOR_SET is the compiled contract (a serialised FileDescriptorSet). Prints how many messages were built, or what
differs, and then exits with 1.
"""

import json
import pathlib
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor

PACKAGE = "creditbank.v1."


def load(path):
    """The contract's messages."""
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    for file in files.file:
        pool.Add(file)
    return pool


def value_of(field, value):
    """A value of the description as protobuf takes it."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.fromhex(value)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values_by_name[value].number
    if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64):
        return int(value)
    return value


def fill(message, description):
    """Sets each field that the description names, in the description's own order."""
    for name, value in description.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = getattr(message, name)
            for one in value if isinstance(value, list) else [value]:
                fill(inner.add() if isinstance(value, list) else inner, one)
        elif isinstance(value, list):
            getattr(message, name).extend(value_of(field, one) for one in value)
        else:
            setattr(message, name, value_of(field, value))


def sections(path):
    """The message name, bytes and description of each section of a file."""
    for section in path.read_text(encoding="utf-8").split("\n\n"):
        head, _, description = section.partition("\nvalue:\n")
        lines = dict(line.split(": ", 1) for line in head.splitlines())
        yield lines["message"], bytes.fromhex(lines["hex"]), json.loads(description)


def main():
    descriptors, vectors = map(pathlib.Path, sys.argv[1:])
    pool = load(descriptors)
    built, differing = 0, []
    for path in sorted(vectors.glob("*/*.txt")):
        for name, golden, description in sections(path):
            kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(PACKAGE + name))
            message = kind()
            fill(message, description)
            encoded = message.SerializeToString(deterministic=True)
            if encoded != golden:
                differing.append(f"{path.name} {name}: {encoded.hex()} is not {golden.hex()}")
            built += 1
    print("\n".join(differing) if differing else f"{built} messages built alike")
    sys.exit(1 if differing or not built else 0)


main()
