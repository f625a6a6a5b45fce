"""The whole log of an export: files, entries, evidence, links, keys, batches, postings (sections 2 to 7, 9, 10, 12).

What protocol 2 adds is in verify_conversions.py."""

import os
import re
import struct

from verify import (
    DAY_US, ENUMS, PART_KINDS, Broken, Newer, admit, civil, counted, date, decode, envelope_of, kid_of, kind_of,
    leaf_hash, pae, read_core, require, root_from_path, root_of, sha256, valid,
)
import verify_conversions

# Payload type: message, signer, purposes of the signing key.
STATEMENTS = {
    "genesis": ("Genesis", "authority", None),
    "institution-admission": ("InstitutionAdmission", "authority", None),
    "framework-publication": ("FrameworkPublication", "authority", None),
    "protocol-upgrade": ("ProtocolUpgrade", "authority", None),
    "server-start": ("ServerStart", "operator", None),
    "key-addition": ("KeyAddition", "owner", ("KEYS", "RECOVERY")),
    "key-retirement": ("KeyRetirement", "owner", ("KEYS", "RECOVERY")),
    "key-compromise": ("KeyCompromise", "owner", ("KEYS", "RECOVERY")),
    "account-opening": ("AccountOpening", "institution", ("REGISTRY",)),
    "account-status-change": ("AccountStatusChange", "institution", ("REGISTRY", "STATUS")),
    "record-facts": ("RecordFacts", "institution", ("RECORDS",)),
    "record-correction": ("RecordCorrection", "institution", ("RECORDS",)),
    "record-status-change": ("RecordStatusChange", "institution", ("STATUS",)),
    "batch-manifest": ("BatchManifest", "institution", ("RECORDS", "REGISTRY")),
    "batch-close": ("BatchClose", "institution", ("RECORDS", "REGISTRY")),
}
STATEMENTS |= verify_conversions.STATEMENTS
# The newest protocol that this verifier knows.
PROTOCOL = 2
ACTORS = {"authority": "AUTHORITY", "operator": "OPERATOR"}
HELD_IN = {"VALID": "AVAILABLE", "SUSPENDED": "SUSPENDED", "REVOKED": "REVOKED", "SUPERSEDED": "REVOKED"}
BLOB = "blobs/[0-9a-f]{64}"
PARTS_BYTES_MAX, EVENTS_MAX, LEAF_BYTES_MAX, CHUNK = 49_152, 128, 512, 64


def key_of(wire):
    return wire.get("key", {}).get("key", b"")


def covers(accreditation, facts):
    """Whether one accreditation covers kind, day of award, level and codes."""
    awarded, level = date(facts.get("awarded_on", {})), facts.get("level")
    if facts.get("kind") not in accreditation.get("kinds", []) or awarded < date(accreditation["valid_from"]):
        return False
    if "valid_to" in accreditation and awarded > date(accreditation["valid_to"]):
        return False
    ranges = accreditation.get("levels", [])
    if ranges and not any(
        level and r["framework"] == level["framework"]
        and r.get("min_tenths", 0) <= level.get("level_tenths", 0) <= r.get("max_tenths", 0)
        for r in ranges
    ):
        return False
    subjects, occupations = accreditation.get("subject_prefixes", []), accreditation.get("occupation_prefixes", [])
    if not subjects and not occupations:
        return True
    codes = [(facts.get("subject_code", ""), subjects), (facts.get("occupation_code", ""), occupations)]
    return all(not code or any(code.startswith(prefix) for prefix in prefixes) for code, prefixes in codes)


class Log(verify_conversions.Conversions):
    def __init__(self, trust=None):
        super().__init__()
        self.trust, self.leaves, self.times, self.roots = trust, [], [], {0: root_of([])}
        self.stack, self.genesis, self.keys, self.institutions = [], None, {}, {}
        self.schemes, self.frameworks, self.accounts, self.records = {}, {}, {}, {}
        self.batches, self.commands, self.links, self.newer = {}, set(), {}, None
        self.details, self.opened = {}, 0

    # The tree: a root for every size, kept because anchors name them.

    def append(self, core, recorded):
        leaf, count = leaf_hash(core), len(self.leaves)
        node = leaf
        while count & 1:
            node, count = sha256(b"\x01", self.stack.pop(), node), count >> 1
        self.stack.append(node)
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = sha256(b"\x01", left, root)
        self.leaves.append(leaf)
        self.times.append(recorded)
        self.roots[len(self.leaves)] = root

    @property
    def index(self):
        return len(self.leaves)

    # One entry.

    def push(self, core, secret, parts):
        try:
            if self.newer:
                return
            index, recorded, parts_root = read_core(core)
            require(index == self.index, "INDEX_WRONG", f"it says {index}")
            require(not self.times or recorded >= self.times[-1], "TIME_BACKWARDS")
            if self.trust and index == 0:
                require(leaf_hash(core) == self.trust.log_id, "LOG_ID_WRONG")
            salt = lambda i: sha256(b"creditbank/part/v1\x00", secret, struct.pack(">I", i))
            root = root_of([leaf_hash(salt(i) + part) for i, part in enumerate(parts)])
            require(root == parts_root, "PARTS_ROOT_WRONG")
            self.now = recorded
            self.entry(parts)
            self.append(core, recorded)
        except Broken as broken:
            broken.index = self.index
            raise
        except (KeyError, IndexError, TypeError) as missing:
            # A field that must be there is absent, or of another shape than its statement needs.
            broken = Broken("PARTS_NOT_CANONICAL", f"missing: {missing}")
            broken.index = self.index
            raise broken from None

    def entry(self, parts):
        rule = "PARTS_NOT_CANONICAL"
        require(parts and all(parts) and sum(map(len, parts)) <= PARTS_BYTES_MAX, rule, "their size")
        require(parts[0][0] == 1, "HEAD_COUNTS_WRONG")
        head = decode("EntryHead", parts[0][1:], rule)
        require([part[0] for part in parts] == counted(head), "HEAD_COUNTS_WRONG")
        require(1 <= head["events"] <= EVENTS_MAX and head.get("statements", 0) <= CHUNK, rule, "a count")
        read = [decode(PART_KINDS[part[0]], part[1:], rule) for part in parts[1:]]
        pick = lambda kind: [body for body, part in zip(read, parts[1:]) if part[0] == kind]
        links, statements, events = pick(2), pick(3), pick(4)
        if events[0]["kind"] == "BATCH_CHUNK":
            signer, command = self.chunk(statements, events)
            chunk = events[0]["batch_chunk"].get("chunk", 0)
        else:
            signer, command = self.statement(statements, events)
            chunk = None
        kind = ACTORS.get(signer, "INSTITUTION")
        named = (head["actor_kind"], head["actor_id"], head["command_id"]) == (kind, signer.encode(), command)
        require(named, "ACTOR_WRONG")
        require((signer, command, chunk) not in self.commands, "COMMAND_ID_REUSED")
        self.commands.add((signer, command, chunk))
        self.check_links(links, events)

    def subject_of(self, event):
        kind = event["kind"]
        if kind in ("LEDGER_CREATED", "SERVER_STARTED", "PROTOCOL_UPGRADED"):
            return "LOG", b""
        if kind == "FRAMEWORK_PUBLISHED":
            return "BOOK", event["framework_published"]["framework_id"].encode()
        if kind in ("RULE_BOOK_PUBLISHED", "RULE_BOOK_CHANGED"):
            return "BOOK", event["rule_book"]["book_id"].encode()
        if kind == "AUTO_APPROVAL_GIVEN":
            return "INSTITUTION", self.signer.encode()
        if kind == "INSTITUTION_ADMITTED":
            return "INSTITUTION", event["institution_admitted"]["institution_id"].encode()
        if kind in ("KEY_ADDED", "KEY_RETIRED", "KEY_COMPROMISED"):
            return "INSTITUTION", event["key_changed"]["institution_id"].encode()
        bodies = {"ACCOUNT_OPENED": "account_opened", "ACCOUNT_STATUS_CHANGED": "account_status_changed",
                  "RECORD_DEPOSITED": "record_deposited", "RECORD_STATUS_CHANGED": "record_status_changed",
                  "CONVERSION_REQUESTED": "conversion_requested", "CONVERSION_CHANGED": "conversion_changed"}
        return ("ACCOUNT", event[bodies[kind]]["account_ref"]) if kind in bodies else None

    def check_links(self, links, events):
        """One link per subject, ascending, each continuing its chain."""
        about = {}
        for place, event in enumerate(events):
            subject = self.subject_of(event)
            if subject:
                about.setdefault((ENUMS["SubjectKind"][subject[0]], subject[1], subject[0]), []).append(place)
        require(len(links) == len(about), "LINK_WRONG", "their count")
        for (_, subject_id, kind), link in zip(sorted(about), links):
            sequence, last = self.links.get((kind, subject_id), (0, None))
            expected = {"subject_kind": kind, "sequence": sequence + 1,
                        "events": about[(ENUMS["SubjectKind"][kind], subject_id, kind)]}
            if subject_id:
                expected["subject_id"] = subject_id
            if last is not None:
                expected["previous"] = self.leaves[last]
            require(link == expected, "LINK_WRONG", f"{kind} {subject_id.hex()}")
            self.links[(kind, subject_id)] = (sequence + 1, self.index)

    # Signatures.

    def key_in_force(self, kid, owner, purposes, rule="EVIDENCE_MISSING"):
        key = self.keys.get(kid)
        require(key and key["owner"] == owner, rule, f"{kid.hex()} is no key of {owner}")
        require(any(purpose in purposes for purpose in key["purposes"]), rule, "a key of another purpose")
        require(key["retired"] is None and key["reported"] is None, rule, "a key that is retired or reported")
        return key["key"]

    def verify(self, kind, payload, signatures, signer, name, brought, second=None):
        """Every signature is needed, strictly valid, and by a key that may sign; of a second signer exactly one."""
        message, who, purposes = STATEMENTS[name]
        count, seconds = 0, 0
        for kid, signature in signatures:
            if kid in brought:
                key = brought[kid]
            elif who == "operator":
                key, count = self.operators.get(kid), count + 1
            elif who == "authority" or (who == "owner" and signer == "authority"):
                key, count = self.authority.get(kid), count + 1
            elif second and self.keys.get(kid, {}).get("owner") == second:
                key, seconds = self.key_in_force(kid, second, ("STATUS",)), seconds + 1
            else:
                key, count = self.key_in_force(kid, signer, purposes), count + 1
            require(key, "EVIDENCE_MISSING", f"{kid.hex()} may not sign this")
            require(valid(key, signature, pae(kind, payload)), "SIGNATURE_INVALID", kid.hex())
        named = {kid for kid, _ in signatures}
        require(all(kid in named for kid in brought), "EVIDENCE_MISSING", "a key does not sign for itself")
        needed = self.genesis["authority_threshold"] if who == "authority" or signer == "authority" else 1
        exact = who != "authority" and signer != "authority"
        require(count == needed if exact else count >= needed, "EVIDENCE_MISSING", "how many have signed")
        require(seconds == (1 if second else 0), "EVIDENCE_MISSING", "how many have signed")

    def statement(self, statements, events):
        rule = "STATEMENT_NOT_CANONICAL"
        require(len(statements) == 1 and "envelope" in statements[0], "EVIDENCE_MISSING", "one signed statement")
        kind, payload, signatures = envelope_of(statements[0]["envelope"], rule)
        name = next((name for name in STATEMENTS if kind == kind_of(name)), None)
        require(name, "NOT_ANNOUNCED", kind)
        body = decode(STATEMENTS[name][0], payload, rule)
        header = body["header"]
        signer = header["signer_id"]
        for place in events:
            require(place.get("statements") == [0], "EVENTS_WRONG", "they rest on something else")
        if name == "genesis":
            require(self.index == 0 and signer == "authority", "REFUSED_BY_RULES", "a genesis is entry 0")
            self.genesis, self.window = body, body["policy"]
            by_kid = lambda field: {kid_of(key.get("key", b"")): key["key"] for key in body[field]}
            self.authority, self.operators = by_kid("authority_keys"), by_kid("operator_keys")
            require("log_id" not in header and "anchor" not in header, rule, "a genesis has neither")
            if self.trust:
                require(body["origin"] == self.trust.origin, "LOG_ID_WRONG", "another origin")
        else:
            require(self.genesis, "GENESIS_MISSING")
            require(header.get("log_id") == self.leaves[0], "REFUSED_BY_RULES", "another log")
            self.anchored(header.get("anchor"), name)
        wide = STATEMENTS[name][1]
        right = {"authority": signer == "authority", "operator": signer == "operator",
                 "institution": signer in self.institutions, "owner": signer == "authority" or signer in self.institutions}
        require(right[wide], "EVIDENCE_MISSING", f"{signer} may not sign {name}")
        keys = body.get("keys", []) if name == "institution-admission" else [body["key"]] if name == "key-addition" else []
        brought = {kid_of(key_of(key)): key_of(key) for key in keys}
        require(name not in verify_conversions.STATEMENTS or self.protocol >= 2, "REFUSED_BY_RULES", "the protocol")
        second = body["regulator_id"] if name == "award-reversal" else None
        require(second is None or second != signer, "REFUSED_BY_RULES", "one institution on both sides")
        self.verify(kind, payload, signatures, signer, name, brought, second)
        self.signer = signer
        self.signing = [kid for kid, _ in signatures if kid not in brought]
        if second:
            self.signing = [kid for kid in self.signing if self.keys[kid]["owner"] == signer]
        getattr(self, "on_" + name.replace("-", "_"))(body, signer, events)
        return signer, header["statement_id"]

    def anchored(self, anchor, name):
        if anchor is None:
            require(name == "record-facts", "REFUSED_BY_RULES", "the anchor is missing")
            return
        size = anchor["size"]
        require(1 <= size <= self.index and self.roots[size] == anchor["root"], "REFUSED_BY_RULES", "the anchor")
        fresh = size == self.index or self.now - self.times[size - 1] <= self.window["anchor_days"] * DAY_US
        require(fresh, "REFUSED_BY_RULES", "the anchor is stale")

    def one(self, events, kind, field=None, expected=None):
        require(len(events) == 1 and events[0]["kind"] == kind, "EVENTS_WRONG", kind)
        wanted = {"kind": kind, "statements": [0]}
        if field:
            wanted[field] = expected if expected is not None else events[0].get(field)
        require(events[0] == wanted, "EVENTS_WRONG", kind)
        return events[0].get(field, {})

    # What each statement does.

    def on_genesis(self, body, _, events):
        self.one(events, "LEDGER_CREATED")
        if body["protocol"] > PROTOCOL or body["format"] > 1:
            raise Newer(f"protocol {body['protocol']}")
        self.protocol = body["protocol"]
        for field in ("checkpoint_keys", "statement_keys", "operator_keys", "authority_keys"):
            require(all(admit(key.get("key", b"")) for key in body[field]), "REFUSED_BY_RULES", "a key")

    def on_server_start(self, body, _, events):
        self.one(events, "SERVER_STARTED")
        require(body["protocol"] == self.protocol, "REFUSED_BY_RULES", "another protocol")

    def on_protocol_upgrade(self, body, _, events):
        told = {"protocol": body["protocol"], "format": body["format"]}
        self.one(events, "PROTOCOL_UPGRADED", "protocol_upgraded", told)
        if body["protocol"] > PROTOCOL or body["format"] > 1:
            self.newer = f"protocol {body['protocol']} from entry {self.index + 1} on"
            return
        require(body["protocol"] > self.protocol, "REFUSED_BY_RULES", "no newer protocol")
        self.protocol = body["protocol"]

    def on_institution_admission(self, body, _, events):
        name = body["institution_id"]
        self.one(events, "INSTITUTION_ADMITTED", "institution_admitted", {"institution_id": name})
        require(name not in self.institutions, "REFUSED_BY_RULES", "it exists")
        require(body.get("parent_id", name) == name or body["parent_id"] in self.institutions, "REFUSED_BY_RULES", "parent")
        self.institutions[name] = body
        for key in body["keys"]:
            self.register(name, key, [])

    def register(self, owner, key, under):
        kid = kid_of(key_of(key))
        require(kid not in self.keys and admit(key_of(key)), "REFUSED_BY_RULES", "a key")
        self.keys[kid] = {"owner": owner, "key": key_of(key), "purposes": key["purposes"], "active": self.index,
                          "under": under, "retired": None, "reported": None, "suspect": None, "status": self.index}

    def on_key_addition(self, body, signer, events):
        owner, kid = body["institution_id"], kid_of(key_of(body["key"]))
        self.one(events, "KEY_ADDED", "key_changed", {"institution_id": owner, "kid": kid})
        require(owner in self.institutions and signer in (owner, "authority"), "REFUSED_BY_RULES", "the owner")
        self.register(owner, body["key"], self.signing if signer == owner else [])

    def changed(self, body, signer, events, kind):
        key = self.keys.get(body["kid"])
        require(key and signer in (key["owner"], "authority"), "REFUSED_BY_RULES", "the key")
        told = {"institution_id": key["owner"], "kid": body["kid"]}
        self.one(events, kind, "key_changed", told)
        return key

    def on_key_retirement(self, body, signer, events):
        key = self.changed(body, signer, events, "KEY_RETIRED")
        require(key["retired"] is None and key["reported"] is None, "REFUSED_BY_RULES", "it has ended")
        require(body.get("after") == self.leaves[key["status"]], "REFUSED_BY_RULES", "after")
        key["retired"] = key["status"] = self.index

    def on_key_compromise(self, body, signer, events):
        key, since = self.changed(body, signer, events, "KEY_COMPROMISED"), body.get("suspect_from_index", 0)
        require(key["active"] <= since <= self.index, "REFUSED_BY_RULES", "suspect_from_index")
        require(key["suspect"] is None or since < key["suspect"], "REFUSED_BY_RULES", "it was reported")
        key["suspect"], key["status"] = since, self.index
        if key["reported"] is None:
            key["reported"] = self.index

    def on_framework_publication(self, body, _, events):
        name, version = body["framework_id"], body["version"]
        told = {"framework_id": name, "version": version}
        self.one(events, "FRAMEWORK_PUBLISHED", "framework_published", told)
        before = self.frameworks.get(name)
        require(before is None or version > before["version"], "REFUSED_BY_RULES", "version")
        require(not self.books.get(name), "REFUSED_BY_RULES", "it is a rule book's id")
        require(before is None or before.get("levels") in (None, body.get("levels")), "REFUSED_BY_RULES", "levels")
        self.frameworks[name] = body
        for scheme in body.get("schemes", []):
            known = self.schemes.get(scheme["scheme_id"], (name, scheme["kind"], scheme["step_milli"]))
            require(known == (name, scheme["kind"], scheme["step_milli"]), "REFUSED_BY_RULES", "a scheme")
            self.schemes[scheme["scheme_id"]] = known

    def role(self, signer, role):
        require(role in self.institutions[signer].get("roles", []), "REFUSED_BY_RULES", f"{signer} is no {role}")

    def on_account_opening(self, body, signer, events):
        self.role(signer, "REGISTRAR")
        self.opens(self.one(events, "ACCOUNT_OPENED", "account_opened"))

    def opens(self, event):
        account = event["account_ref"]
        require(len(account) == 16 and account not in self.accounts, "REFUSED_BY_RULES", "the account exists")
        self.accounts[account] = {"status": "ACTIVE", "last": self.index}

    def on_account_status_change(self, body, signer, events):
        account, action = self.accounts.get(body["account_ref"]), body["action"]
        status = {"SUSPEND": "SUSPENDED", "REINSTATE": "ACTIVE", "CLOSE": "CLOSED"}[action]
        told = {"account_ref": body["account_ref"], "status": status}
        self.one(events, "ACCOUNT_STATUS_CHANGED", "account_status_changed", told)
        purposes = self.keys[self.signing[0]]["purposes"]
        roles = self.institutions[signer].get("roles", [])
        by_order = "REGULATOR" in roles and action == "SUSPEND" and "STATUS" in purposes and body.get("order_ref")
        require(("REGISTRAR" in roles and "REGISTRY" in purposes) or by_order, "REFUSED_BY_RULES", "who changes it")
        require(account and account["status"] not in ("CLOSED", status), "REFUSED_BY_RULES", "its status")
        require(body.get("after") == self.leaves[account["last"]], "REFUSED_BY_RULES", "after")
        require(action != "CLOSE" or not self.held.get(body["account_ref"]), "REFUSED_BY_RULES", "it has applications")
        account.update(status=status, last=self.index)

    def on_record_facts(self, body, signer, events):
        self.role(signer, "ISSUER")
        self.deposits(body, signer, self.one(events, "RECORD_DEPOSITED", "record_deposited"))

    def deposits(self, facts, issuer, event):
        account, name = self.accounts.get(facts["account_ref"]), (issuer, facts["record_id"])
        same = (event["account_ref"], event["record_id"]) == (facts["account_ref"], facts["record_id"])
        require(same and event.get("fingerprint_version", 0) > 0, "EVENTS_WRONG", "another record")
        require(account and account["status"] != "CLOSED", "REFUSED_BY_RULES", "its account")
        require(name not in self.records, "REFUSED_BY_RULES", "the record exists")
        require(any(covers(a, facts) for a in self.institutions[issuer].get("accreditations", [])),
                "REFUSED_BY_RULES", "no accreditation covers it")
        today = civil(self.now, self.genesis.get("civil_offset_minutes", 0))
        require(date(facts["awarded_on"]) <= today, "REFUSED_BY_RULES", "awarded in the future")
        amount, postings = facts.get("amount"), []
        if amount:
            scheme = self.schemes.get(amount["credit_scheme"])
            require(scheme and amount["credits_milli"] % scheme[2] == 0, "REFUSED_BY_RULES", "the amount")
            postings = [dict(amount, **{"from": "ISSUED", "to": "AVAILABLE"})]
        if "level" in facts:
            scale, tenths = self.frameworks[facts["level"]["framework"]]["levels"], facts["level"].get("level_tenths", 0)
            low, high, step = scale.get("min_tenths", 0), scale["max_tenths"], scale["step_tenths"]
            require(low <= tenths <= high and (tenths - low) % step == 0, "REFUSED_BY_RULES", "the level")
        require(event.get("postings", []) == postings, "EVENTS_WRONG", "the postings of a deposit")
        self.records[name] = {"account": facts["account_ref"], "amount": amount, "status": "VALID", "last": self.index,
                              "by_order": False, "bucket": "AVAILABLE", "application": None, "facts": facts}
        self.details.setdefault(self.index, []).append(facts["details_commitment"])

    def moves(self, event, issuer, record_id, status, by_order):
        """A record's whole amount goes from the bucket of its status to that of the new one; it sums to zero."""
        record = self.records.get((issuer, record_id))
        require(record and record["status"] in ("VALID", "SUSPENDED"), "REFUSED_BY_RULES", "the record's status")
        held, into = record["bucket"], HELD_IN[status]
        # What was redeemed stays so, and what is there already does not move.
        stays = held in ("REDEEMED", into)
        postings = [dict(record["amount"], **{"from": held, "to": into})] if record["amount"] and not stays else []
        expected = {"account_ref": record["account"], "issuer_id": issuer, "record_id": record_id, "status": status}
        if postings:
            expected["postings"] = postings
        require(event == expected, "EVENTS_WRONG", "a change of a record's status")
        record.update(status=status, last=self.index, by_order=by_order, bucket=held if stays else into)
        return record

    def on_record_correction(self, body, signer, events):
        self.role(signer, "ISSUER")
        facts, old = body["facts"], self.records.get((signer, body["supersedes"]))
        kinds = [event["kind"] for event in events]
        require(kinds == ["RECORD_STATUS_CHANGED", "RECORD_DEPOSITED"], "EVENTS_WRONG", "of a correction")
        require(old and old["account"] == facts["account_ref"], "REFUSED_BY_RULES", "the old record")
        require(old["application"] is None, "REFUSED_BY_RULES", "an application granted it")
        require(not old["by_order"], "REFUSED_BY_RULES", "suspended by order")
        require(body.get("after") == self.leaves[old["last"]], "REFUSED_BY_RULES", "after")
        self.moves(events[0]["record_status_changed"], signer, body["supersedes"], "SUPERSEDED", False)
        self.deposits(facts, signer, events[1]["record_deposited"])
        for use in self.uses.get(facts["account_ref"], []):
            if use["record"] == (signer, body["supersedes"]):
                use["record"] = (signer, facts["record_id"])

    def on_record_status_change(self, body, signer, events):
        issuer, action = body["issuer_id"], body["action"]
        record = self.records.get((issuer, body["record_id"]))
        regulator = "REGULATOR" in self.institutions[signer].get("roles", []) and body.get("order_ref")
        require(signer == issuer or regulator, "REFUSED_BY_RULES", "who changes it")
        require(record and record["account"] == body["account_ref"], "REFUSED_BY_RULES", "the record")
        require(signer != issuer or record["application"] is None, "REFUSED_BY_RULES", "an application granted it")
        status = {"REVOKE": "REVOKED", "SUSPEND": "SUSPENDED", "REINSTATE": "VALID"}[action]
        due = {"SUSPENDED": ("VALID",), "VALID": ("SUSPENDED",), "REVOKED": ("VALID", "SUSPENDED")}[status]
        require(record["status"] in due, "REFUSED_BY_RULES", "its status")
        after = None if action == "REVOKE" else self.leaves[record["last"]]
        require(body.get("after") == after, "REFUSED_BY_RULES", "after")
        require(signer != issuer or action != "REINSTATE" or not record["by_order"], "REFUSED_BY_RULES", "by order")
        event = self.one(events, "RECORD_STATUS_CHANGED", "record_status_changed")
        self.moves(event, issuer, body["record_id"], status, signer != issuer and status == "SUSPENDED")

    # Batches.

    def on_batch_manifest(self, body, signer, events):
        self.one(events, "BATCH_OPENED")
        kind = body["leaf_payload_type"]
        require(kind in (kind_of("record-facts"), kind_of("account-opening")), "REFUSED_BY_RULES", "the leaves")
        records = kind == kind_of("record-facts")
        self.role(signer, "ISSUER" if records else "REGISTRAR")
        purpose = "RECORDS" if records else "REGISTRY"
        require(purpose in self.keys[self.signing[0]]["purposes"], "REFUSED_BY_RULES", "the key's purpose")
        require(1 <= body["record_count"] <= 1 << 20, "REFUSED_BY_RULES", "record_count")
        self.batches[self.index] = {
            "signer": signer, "kid": self.signing[0], "kind": kind, "count": body["record_count"], "root": body["root"],
            "opened": self.now, "next": 0, "accepted": 0, "refused": 0, "closed": False, "last": b"",
            "command": body["header"]["statement_id"],
        }

    def on_batch_close(self, body, signer, events):
        batch = self.batches.get(body.get("manifest_index"))
        require(batch and not batch["closed"] and batch["signer"] == signer, "REFUSED_BY_RULES", "the batch")
        self.closes(self.one(events, "BATCH_CLOSED", "batch_closed"), body["manifest_index"], batch)

    def closes(self, event, manifest_index, batch):
        told = {"manifest_index": manifest_index, "accepted": batch["accepted"], "refused": batch["refused"]}
        require(event == {name: value for name, value in told.items() if value}, "EVENTS_WRONG", "a closing")
        batch["closed"] = True

    def chunk(self, statements, events):
        event = events[0]["batch_chunk"]
        require(events[0] == {"kind": "BATCH_CHUNK", "batch_chunk": event}, "EVENTS_WRONG", "a chunk")
        at, chunk = event["manifest_index"], event.get("chunk", 0)
        batch = self.batches.get(at)
        require(batch and not batch["closed"] and chunk == batch["next"], "REFUSED_BY_RULES", "the batch")
        require(self.now - batch["opened"] <= self.window["batch_days"] * DAY_US, "REFUSED_BY_RULES", "too late")
        require(self.keys[batch["kid"]]["reported"] is None, "REFUSED_BY_RULES", "its key is reported")
        hashes = {}
        for statement in statements:
            leaf = statement["leaf"]
            require(leaf.get("manifest_index") == at and len(leaf["facts"]) <= LEAF_BYTES_MAX, "EVENTS_WRONG", "a leaf")
            position = leaf.get("position", 0)
            require(not hashes or position > max(hashes), "EVENTS_WRONG", "leaves do not ascend")
            hashes[position] = leaf_hash(pae(batch["kind"], leaf["facts"]))
        accepted = list(hashes)
        for refused in event.get("refused", []):
            position = refused.get("position", 0)
            require(position not in hashes and refused["reason"] > 0, "EVENTS_WRONG", "a refused leaf")
            hashes[position] = refused["leaf_hash"]
        due = list(range(CHUNK * chunk, min(CHUNK * (chunk + 1), batch["count"])))
        require(sorted(hashes) == due and due, "CHUNK_ROOT_WRONG", "its positions")
        chunks = (batch["count"] + CHUNK - 1) // CHUNK
        node = root_of([hashes[position] for position in due])
        proved = root_from_path(node, chunk, chunks, event.get("path", []), "CHUNK_ROOT_WRONG")
        require(proved == batch["root"], "CHUNK_ROOT_WRONG")
        after = events[1:]
        require(len(after) >= len(accepted), "EVENTS_WRONG", "an event a leaf")
        for place, (statement, leaf_event) in enumerate(zip(statements, after)):
            require(leaf_event.get("statements") == [place], "EVENTS_WRONG", "a leaf's event")
            self.takes(batch, statement["leaf"]["facts"], leaf_event)
        batch["next"], batch["accepted"] = chunk + 1, batch["accepted"] + len(accepted)
        batch["refused"] += len(due) - len(accepted)
        rest = after[len(accepted):]
        if batch["next"] == chunks:
            closing = rest[0]["batch_closed"] if rest else None
            whole = rest == [{"kind": "BATCH_CLOSED", "batch_closed": closing}]
            require(whole, "EVENTS_WRONG", "the last chunk closes the batch")
            self.closes(closing, at, batch)
        else:
            require(not rest, "EVENTS_WRONG", "more events than leaves")
        return batch["signer"], batch["command"]

    def takes(self, batch, payload, event):
        records = batch["kind"] == kind_of("record-facts")
        body = decode("RecordFacts" if records else "AccountOpening", payload, "STATEMENT_NOT_CANONICAL")
        require("header" not in body, "STATEMENT_NOT_CANONICAL", "a leaf has no header")
        order = body["account_ref"] + body["record_id"] if records else leaf_hash(pae(batch["kind"], payload))
        require(order > batch["last"], "REFUSED_BY_RULES", "leaves do not ascend")
        batch["last"] = order
        if records:
            require(event["kind"] == "RECORD_DEPOSITED", "EVENTS_WRONG", "a leaf's event")
            self.deposits(body, batch["signer"], event["record_deposited"])
        else:
            require(event["kind"] == "ACCOUNT_OPENED", "EVENTS_WRONG", "a leaf's event")
            self.opens(event["account_opened"])

    # The end.

    def head(self, note, trust):
        size, root = trust.checkpoint(note)
        require(size == self.index, "SIZE_WRONG", f"{size} are signed, {self.index} are there")
        require(root == self.roots[size], "ROOT_WRONG")

    def disclosed(self, index, parts):
        """Secret parts open commitments of their entry."""
        due = self.details.get(index, [])
        for part in parts:
            secret = decode("OpenedSecret", part, "DETAILS_WRONG")
            if secret["payload_type"] != kind_of("record-details"):
                continue
            bound = pae(secret["payload_type"], secret["payload"])
            found = sha256(b"creditbank/details/v1\x00", secret["salt"], bound)
            require(found in due, "DETAILS_WRONG", f"entry {index}")
            decode("RecordDetails", secret["payload"], "DETAILS_WRONG")
            self.opened += 1


def frames(data, rule):
    """The entries of one file."""
    at = 0

    def take(count):
        nonlocal at
        require(at + count <= len(data), rule, "a frame is cut off")
        at += count
        return data[at - count : at]

    while at < len(data):
        core = take(struct.unpack(">I", take(4))[0])
        secret = take(32)
        parts = [take(struct.unpack(">I", take(4))[0]) for _ in range(struct.unpack(">H", take(2))[0])]
        yield core, secret, parts


def secret_frames(data, rule):
    at = 0
    while at < len(data):
        require(at + 10 <= len(data), rule, "a frame is cut off")
        index, count = struct.unpack(">QH", data[at : at + 10])
        at, parts = at + 10, []
        for _ in range(count):
            require(at + 4 <= len(data), rule, "a frame is cut off")
            length = struct.unpack(">I", data[at : at + 4])[0]
            require(at + 4 + length <= len(data), rule, "a frame is cut off")
            parts.append(data[at + 4 : at + 4 + length])
            at += 4 + length
        yield index, parts


def files_of(folder):
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = path
    return found


def read(path):
    with open(path, "rb") as file:
        return file.read()


def export(folder, trust):
    found = files_of(folder)
    require("manifest" in found and "checkpoint" in found, "FILES_WRONG", "the manifest or checkpoint is missing")
    manifest = trust.signed(read(found["manifest"]), "file-manifest", "FileManifest", "MANIFEST_INVALID")
    require(manifest["kind"] == "EXPORT", "MANIFEST_INVALID", "it is of something else")
    listed = {file["name"]: file for file in manifest["files"]}
    require(set(listed) == set(found) - {"manifest"}, "FILES_WRONG", "other files are listed than there are")
    names = [file["name"] for file in manifest["files"]]
    require(all(a < b for a, b in zip(names, names[1:])), "MANIFEST_INVALID", "names do not ascend")
    for name, file in listed.items():
        data = read(found[name])
        require((len(data), sha256(data)) == (file["bytes"], file["sha256"]), "FILE_DIFFERS", name)
    log = Log(trust)
    log.blobs = {bytes.fromhex(name[6:]): read(found[name]) for name in names if re.fullmatch(BLOB, name)}
    for name in names:
        if name.startswith("entries/"):
            require(int(name[8:]) == log.index and len(name) == 20, "FILES_WRONG", name)
            for core, secret, parts in frames(read(found[name]), "FILES_WRONG"):
                log.push(core, secret, parts)
        elif name.startswith("blobs/"):
            require(re.fullmatch(BLOB, name) and listed[name]["sha256"].hex() == name[6:], "FILES_WRONG", name)
        else:
            require(name == "checkpoint" or name.startswith("details/"), "FILES_WRONG", name)
    if log.newer:
        raise Newer(log.newer)
    log.head(read(found["checkpoint"]).decode(), trust)
    require((manifest["size"], manifest["root"]) == (log.index, log.roots[log.index]), "ROOT_WRONG", "the manifest's head")
    for name in names:
        if name.startswith("details/"):
            for index, parts in secret_frames(read(found[name]), "FILES_WRONG"):
                log.disclosed(index, parts)
    told = {"verdict": "OK", "size": log.index, "root": log.roots[log.index].hex(), "records": len(log.records),
            "accounts": len(log.accounts), "details": log.opened, "applications": len(log.applications)}
    return told, 0
