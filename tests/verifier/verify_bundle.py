"""One record bundle (section 11)."""

import re

from verify import (
    DAY_US, civil, date, decode, envelope_of, kind_of, leaf_hash, open_receipt, pae, require,
    root_from_path, sha256, valid,
)
from verify_log import PROTOCOL, Log, covers

HEADER = b"creditbank-bundle/v1\n"
FIXED = {"batch", "details", "genesis", "keys/head", "manifest", "receipt", "status"}
CHUNK = 64


def container(data):
    rule = "CONTAINER_MALFORMED"
    require(len(data) <= 3 << 20 and data.startswith(HEADER), rule, "the header")
    at, files, last = len(HEADER), {}, ""
    while at < len(data):
        found = re.compile(rb"([a-z0-9./-]{1,64}) ([1-9][0-9]{0,6})\n").match(data, at)
        require(found, rule, f"the line at {at}")
        name, length = found[1].decode(), int(found[2])
        require(name > last and len(files) < 768, rule, f"the name at {at}")
        at, last = found.end() + length, name
        require(at <= len(data), rule, f"{name} is cut off")
        files[name] = data[found.end() : at]
    require(files, rule, "it is empty")
    return files


class Chain(Log):
    """An institution's entries without the log around them: what only that could tell is taken as they have it."""

    def __init__(self, trust):
        super().__init__(trust)
        self.at, self.leaf_of = 0, {}

    @property
    def index(self):
        return self.at

    def anchored(self, anchor, name):
        require(anchor, "HISTORY_FALSE", "the anchor is missing")

    def version_of(self, body):
        """That a book is published and not abolished, and in which protocol, only the whole log could tell."""
        return {"abolished": False}

    def take(self, entry, parts, institution):
        self.at, self.now = entry["index"], entry["recorded"]
        require(self.at not in self.leaf_of and self.at >= max(self.leaf_of, default=0), "HISTORY_FALSE", "the order")
        self.leaves = Leaves(self.leaf_of)
        if institution:
            self.protocol = PROTOCOL
            admitted = entry["parts"][len(entry["kinds"]) - 1]
            if admitted["kind"] == "INSTITUTION_ADMITTED":
                payload = [p for n, p in entry["parts"].items() if entry["kinds"][n] == 3][0]["envelope"]["payload"]
                parent = decode("InstitutionAdmission", payload).get("parent_id")
                if parent:
                    self.institutions.setdefault(parent, {"roles": []})
        self.entry(parts)
        self.leaf_of[self.at] = entry["leaf"]
        if institution:
            require(("INSTITUTION", institution.encode()) in self.links, "HISTORY_FALSE", "it is about another")
            require(self.links[("INSTITUTION", institution.encode())][1] == self.at, "HISTORY_FALSE", "about another")


class Leaves:
    """Leaf hashes by index."""

    def __init__(self, known):
        self.known = known

    def __getitem__(self, index):
        require(index in self.known, "HISTORY_FALSE", f"entry {index} is not there")
        return self.known[index]


def suspect(chain, kid, index, manifest=None):
    """Whether a use of a key is suspect, to any depth."""
    key = chain.keys.get(kid)
    if key is None:
        return False
    if key["suspect"] is not None and any(
        at is not None and key["suspect"] <= at < key["reported"] for at in (index, manifest)
    ):
        return True
    return any(suspect(chain, under, key["active"]) for under in key["under"])


def part_of(entry, kind, place):
    first = entry["kinds"].index(kind)
    return entry["parts"].get(first + place)


def history(files, issuer, head, trust):
    rule = "HISTORY_FALSE"
    chain = Chain(trust)

    def whole(name, placed):
        receipt = decode("Receipt", files[name], "FILES_WRONG")
        entry = open_receipt(receipt, trust, rule, placed)
        require(len(entry["parts"]) == len(entry["kinds"]), rule, "a part stays closed")
        return entry, [opening["part"] for opening in receipt["parts"]]

    entry, parts = whole("genesis", False)
    require(entry["leaf"] == trust.log_id and entry["index"] == 0, rule, "entry 0 is another")
    chain.take(entry, parts, None)
    names = sorted(name for name in files if name.startswith("keys/") and name != "keys/head")
    require(names == [f"keys/{n:08}" for n in range(1, len(names) + 1)] and names, "FILES_WRONG", "the history")
    for name in names:
        entry, parts = whole(name, name == names[-1])
        chain.take(entry, parts, issuer)
    require(entry["head"] == head, "HEAD_DIFFERS", "the history")
    signed = trust.signed(files["keys/head"], "subject-head", "SubjectHead", rule)
    same = (signed["subject_kind"], signed.get("subject_id"), signed.get("sequence"), signed.get("leaf_hash"))
    require(same == ("INSTITUTION", issuer.encode(), len(names), entry["leaf"]), rule, "another head of the history")
    require((signed["size"], signed["root"]) == head, "HEAD_DIFFERS", "the head of the history")
    return chain, len(names)


def deposit(entry, status):
    """The event, and what it rests on."""
    rule = "OTHER_RECORD"
    kinds, parts = entry["kinds"], entry["parts"]
    events = [part for at, part in parts.items() if kinds[at] == 4 and part["kind"] == "RECORD_DEPOSITED"]
    events = [event for event in events if event["record_deposited"]["record_id"] == status["record_id"]]
    require(len(events) == 1 and len(events[0].get("statements", [])) == 1, rule, "no deposit of it is opened")
    statement = part_of(entry, 3, events[0]["statements"][0])
    require(statement, rule, "its statement is closed")
    leaf = statement.get("leaf")
    if leaf:
        return events[0]["record_deposited"], decode("RecordFacts", leaf["facts"], rule), None, leaf
    kind, payload, signatures = envelope_of(statement["envelope"], rule)
    if kind == kind_of("record-facts"):
        body = decode("RecordFacts", payload, rule)
        facts = body
    else:
        require(kind == kind_of("record-correction"), rule, kind)
        body = decode("RecordCorrection", payload, rule)
        facts = body["facts"]
    head = parts[0]
    require(body["header"].get("log_id") is not None and body["header"]["signer_id"].encode() == head["actor_id"], rule)
    return events[0]["record_deposited"], facts, (body["header"], kind, payload, signatures), None


def bundle(path, trust):
    with open(path, "rb") as file:
        files = container(file.read((3 << 20) + 1))
    for name in ("manifest", "receipt", "genesis", "keys/head", "status"):
        require(name in files, "FILES_WRONG", f"{name} is missing")
    strange = [name for name in files if name not in FIXED and not name.startswith("keys/")]
    manifest = trust.signed(files["manifest"], "file-manifest", "FileManifest", "MANIFEST_INVALID")
    require(manifest["kind"] == "BUNDLE", "MANIFEST_INVALID", "it is of something else")
    told = [(file["name"], file["bytes"], file["sha256"]) for file in manifest["files"]]
    there = [(name, len(data), sha256(data)) for name, data in files.items() if name != "manifest"]
    require(told == there, "MANIFEST_DIFFERS")
    require(not strange, "FILES_WRONG", str(strange))
    head = (manifest["size"], manifest["root"])
    entry = open_receipt(decode("Receipt", files["receipt"], "FILES_WRONG"), trust, "RECEIPT_FALSE")
    require(entry["head"] == head, "HEAD_DIFFERS", "the receipt")
    status = trust.signed(files["status"], "record-status-statement", "RecordStatusStatement", "STATUS_FALSE")
    require((status["size"], status["root"]) == head, "HEAD_DIFFERS", "the status")
    event, facts, statement, leaf = deposit(entry, status)
    issuer = entry["parts"][0]["actor_id"].decode()
    same = status["issuer_id"] == issuer and status["account_ref"] == facts["account_ref"] == event["account_ref"]
    require(same and facts["record_id"] == status["record_id"], "OTHER_RECORD")
    index, since = entry["index"], status.get("status_index", 0)
    require(since >= index, "STATUS_FALSE", "it is older than the deposit")
    if since == index:
        require(status["status"] == "VALID" and status["status_entry"] == entry["leaf"], "STATUS_FALSE")
    chain, count = history(files, issuer, head, trust)
    amount = facts.get("amount")
    postings = [dict(amount, **{"from": "ISSUED", "to": "AVAILABLE"})] if amount else []
    require(event.get("postings", []) == postings, "EVENT_FALSE", "the postings")
    today = civil(entry["recorded"], chain.genesis.get("civil_offset_minutes", 0))
    require(date(facts["awarded_on"]) <= today, "EVENT_FALSE", "awarded in the future")
    manifest_index = signed(files, statement, leaf, issuer, chain, entry, head, trust)
    admission = chain.institutions[issuer]
    right = "ISSUER" in admission["roles"] and any(covers(a, facts) for a in admission.get("accreditations", []))
    require(right, "NOT_ACCREDITED")
    if "details" in files:
        secret = decode("OpenedSecret", files["details"], "FILES_WRONG")
        bound = pae(secret["payload_type"], secret["payload"])
        found = sha256(b"creditbank/details/v1\x00", secret["salt"], bound)
        require(secret["payload_type"] == kind_of("record-details"), "DETAILS_FALSE", "of another type")
        require(found == facts["details_commitment"], "DETAILS_FALSE")
    in_force = status["status"] == "VALID" and not status.get("key_suspect")
    told = {"verdict": "OK" if in_force else "NOT_IN_FORCE", "size": head[0], "root": head[1].hex(), "index": index,
            "issuer_id": issuer, "record_id": facts["record_id"].hex(), "status": status["status"],
            "manifest_index": manifest_index, "history_entries": count, "details": "details" in files}
    if "details" in files:
        told["title"] = decode("RecordDetails", secret["payload"], "DETAILS_FALSE").get("title")
    return told, 0 if in_force else 1


def signed(files, statement, leaf, issuer, chain, entry, head, trust):
    """The issuer's signature, alone or over the batch."""
    index, at, manifest_index = entry["index"], entry["index"], None
    if leaf:
        rule = "BATCH_FALSE"
        require("batch" in files, "FILES_WRONG", "batch is missing")
        proof = decode("BatchProof", files["batch"], "FILES_WRONG")
        require("manifest" in proof and "leaf" in proof, "FILES_WRONG", "batch is not whole")
        way, opened = proof["leaf"], open_receipt(proof["manifest"], trust, rule)
        require(opened["head"] == head, "HEAD_DIFFERS", "the batch")
        manifest_index = at = opened["index"]
        place = (leaf["manifest_index"], leaf.get("position", 0))
        require(place == (manifest_index, way.get("position", 0)) and way["manifest_index"] == at, rule, "another leaf")
        kind, payload, signatures = envelope_of(part_of(opened, 3, 0)["envelope"], rule)
        require(kind == kind_of("batch-manifest"), rule, "no manifest")
        body = decode("BatchManifest", payload, rule)
        header = body["header"]
        require(body["leaf_payload_type"] == kind_of("record-facts"), rule, "other leaves")
        position, total = place[1], body["record_count"]
        require(position < total, rule, "the position")
        chunk = position // CHUNK
        inside = min(CHUNK, total - CHUNK * chunk)
        node = leaf_hash(pae(kind_of("record-facts"), leaf["facts"]))
        node = root_from_path(node, position % CHUNK, inside, way.get("path", []), rule)
        root = root_from_path(node, chunk, (total + CHUNK - 1) // CHUNK, way.get("chunk_path", []), rule)
        require(root == body["root"], rule, "another root")
        window = chain.genesis["policy"]["batch_days"] * DAY_US
        require(at < index and entry["recorded"] - opened["recorded"] <= window, rule, "outside its time")
    else:
        require("batch" not in files, "FILES_WRONG", "batch is for leaves only")
        header, kind, payload, signatures = statement
    require(header.get("log_id") == trust.log_id, "OTHER_LOG", "the statement")
    require(header["signer_id"] == issuer, "BATCH_FALSE" if leaf else "OTHER_RECORD", "another signer")
    require(len(signatures) == 1, "SIGNATURE_FALSE", "one signature")
    kid, signature = signatures[0]
    key, rule = chain.keys.get(kid), "KEY_NOT_IN_FORCE"
    require(key and key["owner"] == issuer and "RECORDS" in key["purposes"], rule, "whose key, for what")
    require(key["active"] < at and (key["retired"] is None or key["retired"] > at), rule, "when")
    require(key["reported"] is None or key["reported"] > index, rule, "it was reported before")
    require(not suspect(chain, kid, index, manifest_index), "KEY_SUSPECT")
    require(valid(key["key"], signature, pae(kind, payload)), "SIGNATURE_FALSE")
    return manifest_index
