"""Rule books, applications and awards (section 14): all that is decided without reckoning what a book grants.

What is proposed is taken as the entries have it: this verifier has no engine of rules. Everything else is decided again:
who may sign what and when, what moves, what comes into being, and that no record is used twice.
"""

import json

from verify import DAY_US, civil, date, require, sha256

STATEMENTS = {
    "rule-book-publication": ("RuleBookPublication", "authority", None),
    "rule-book-change": ("RuleBookChange", "authority", None),
    "auto-approval": ("AutoApproval", "institution", ("DECISIONS",)),
    "conversion-request": ("ConversionRequest", "institution", ("REGISTRY",)),
    "conversion-decision": ("ConversionDecision", "institution", ("DECISIONS",)),
    "conversion-step": ("ConversionStep", "institution", ("REGISTRY", "DECISIONS")),
    "award-reversal": ("AwardReversal", "institution", ("DECISIONS",)),
}
SELECT_BY = {"DECISION": None, "EARNED": "earned_on", "ENROLLED": "enrolled_on"}
HOLD, FREE, REDEEM, RESTORE = (
    {"AVAILABLE": "RESERVED"}, {"RESERVED": "AVAILABLE"}, {"RESERVED": "REDEEMED", "AVAILABLE": "REDEEMED"},
    {"REDEEMED": "AVAILABLE"},
)
PLACES = ("place_kind", "place")
USE_FIELDS = ("consumption", "programme", "award_level", "rule", "rule_kind", *PLACES)
FOR_EVER = ("GLOBAL", "ONCE_FOR_ALL_DEGREES")
APPEALS_MAX, STEPS_MAX = 2, 32
REFUSED = "REFUSED_BY_RULES"


def day_of(text):
    """A day of a book, or nothing."""
    return tuple(int(part) for part in text.split("-")) if text else None


def excludes(earlier, item):
    """Whether an earlier use of a record excludes an item for the same record."""
    same_rule = earlier["rule"] == item["rule"]
    if same_rule and item.get("credits_milli", 0) and earlier.get("programme") == item.get("programme"):
        return True
    award = "rule_kind" not in item and earlier.get("rule_kind") is None
    if award and same_rule and all(earlier.get(field) == item.get(field) for field in PLACES):
        return True
    if earlier["consumption"] in FOR_EVER:
        return True
    if "NONE" in (earlier["consumption"], item["consumption"]):
        return False
    same = earlier.get("programme") == item.get("programme")
    level = earlier["consumption"] == "PER_AWARD_LEVEL" and item.get("award_level") is not None \
        and earlier.get("award_level") == item.get("award_level")
    return earlier["consumption"] in FOR_EVER or item["consumption"] in FOR_EVER or same or level


class Conversions:
    """What a log of protocol 2 can say beside what protocol 1 says."""

    def __init__(self):
        self.protocol, self.blobs = 0, None
        self.books, self.approvals, self.applications, self.uses, self.held = {}, {}, {}, {}, {}

    def today(self):
        return civil(self.now, self.genesis.get("civil_offset_minutes", 0))

    # Rule books.

    def on_rule_book_publication(self, body, _, events):
        name, version = body["book_id"], body["version"]
        self.one(events, "RULE_BOOK_PUBLISHED", "rule_book", {"book_id": name, "version": version})
        versions = self.books.setdefault(name, {})
        require(name not in self.frameworks, REFUSED, "it is a framework's id")
        require(version > max(versions, default=0), REFUSED, "version")
        versions[version] = {"at": self.now, "last": self.index, "active": False, "abolished": False, "body": body,
                             "book": self.read_book(body)}

    def read_book(self, body):
        """The book, where its bytes are there; it is canonical, and says of itself what was signed."""
        if self.blobs is None:
            return None
        data = self.blobs.get(body["sha256"])
        require(data is not None, "BOOK_MISSING", body["sha256"].hex())
        require(sha256(data) == body["sha256"], "BOOK_WRONG", "another hash")
        try:
            book = json.loads(data)
        except ValueError:
            require(False, "BOOK_WRONG", "it is no JSON")
        # Names of fields are ASCII and numbers are whole, so that this is RFC 8785.
        again = json.dumps(book, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        require(again == data, "BOOK_WRONG", "it is not canonical")
        days = book["effective"]
        told = (book["id"], book["version"], len(data), day_of(days.get("from")), day_of(days.get("until")),
                book.get("select_by"))
        signed = (body["book_id"], body["version"], body["size_bytes"],
                  date(body["effective_from"]) if "effective_from" in body else None,
                  date(body["effective_until"]) if "effective_until" in body else None, SELECT_BY[body["select_by"]])
        require(told == signed, REFUSED, "the book says something else of itself")
        return book

    def version_of(self, body):
        row = self.books.get(body["book_id"], {}).get(body["version"])
        require(row, REFUSED, "no such book")
        return row

    def in_force(self, name, today):
        """The newest version that is active on a day."""
        for _, row in sorted(self.books[name].items(), reverse=True):
            days = row["body"]
            begun = "effective_from" not in days or date(days["effective_from"]) <= today
            ended = "effective_until" in days and date(days["effective_until"]) <= today
            if row["active"] and not row["abolished"] and begun and not ended:
                return row
        return None

    def on_rule_book_change(self, body, _, events):
        row, activate = self.version_of(body), body["action"] == "ACTIVATE"
        told = {"book_id": body["book_id"], "version": body["version"]}
        self.one(events, "RULE_BOOK_CHANGED", "rule_book", told)
        require(body.get("after") == self.leaves[row["last"]], REFUSED, "after")
        require(not row["abolished"] and not (activate and row["active"]), REFUSED, "its state")
        if activate:
            require(len(self.signing) >= self.window.get("quorum", 0), REFUSED, "the quorum")
            notice = self.window.get("notice_days", 0) * DAY_US
            require(self.now - row["at"] >= notice, REFUSED, "its notice is running")
        row["active" if activate else "abolished"], row["last"] = True, self.index

    def on_auto_approval(self, body, signer, events):
        told = {"book_id": body["book_id"], "version": body["version"]}
        self.one(events, "AUTO_APPROVAL_GIVEN", "rule_book", told)
        self.role(signer, "ACCEPTOR")
        require(not self.version_of(body)["abolished"], REFUSED, "the book is abolished")
        self.approvals.setdefault(signer, {})[(body["book_id"], body["version"])] = (self.index, body)

    # Records as applications see them.

    def record_named(self, name):
        record = self.records.get((name["issuer_id"], name["record_id"]))
        require(record, REFUSED, "no such record")
        return record

    def expired(self, record, issuer):
        facts = record["facts"]
        if "valid_until" in facts:
            return date(facts["valid_until"]) < self.today()
        years = self.institutions[issuer].get("default_validity_years", 0)
        if record["application"] is not None or not years:
            return False
        year, month, day = date(facts["awarded_on"])
        return (year + years, month, day) < self.today()

    def move(self, names, into):
        """Moves whole records; says what moved, as an event has it."""
        moved = []
        for name in names:
            record, told = self.record_named(name), {"record": name}
            bucket = into.get(record["bucket"])
            if bucket and record["amount"]:
                told["postings"] = [dict(record["amount"], **{"from": record["bucket"], "to": bucket})]
                record["bucket"] = bucket
            moved.append(told)
        return moved

    # Applications.

    def over(self, row):
        """Whether an application's time is over."""
        waited = self.now - row["at"]
        if row["status"] == "REJECTED":
            return waited > self.window.get("appeal_days", 0) * DAY_US
        days = self.window.get("lapse_days", 0)
        return row["status"] in ("UNDER_REVIEW", "INFO_REQUESTED", "APPEALED") and 0 < days * DAY_US < waited

    def sources(self, row):
        positions = sorted({at for item in row["items"] for at in item["sources"]})
        return [row["records"][at] for at in positions]

    def free(self, row):
        held = self.held.get(row["account"], {})
        for name in [name for name, holder in held.items() if holder == row["index"]]:
            del held[name]

    def able(self, account):
        found = self.accounts.get(account)
        require(found and found["status"] == "ACTIVE", REFUSED, "the account")

    def expect(self, event, row, status, **rest):
        """The event that moves an application on; the row follows it."""
        told = {"account_ref": row["account"], "application_index": row["index"], "status": status}
        told |= {name: value for name, value in rest.items() if value}
        wanted = {"kind": "CONVERSION_CHANGED", "statements": [0], "conversion_changed": told}
        require(event == wanted, "EVENTS_WRONG", f"an application becomes {status}")
        row.update(status=status, at=self.now, last=self.index, steps=row["steps"] + 1)

    def application(self, body):
        row = self.applications.get(body["application_index"])
        require(row, REFUSED, "no such application")
        require(body.get("after") == self.leaves[row["last"]], REFUSED, "after")
        return row

    def on_conversion_request(self, body, signer, events):
        self.role(signer, "REGISTRAR")
        account, institution, award = body["account_ref"], body["institution_id"], body["purpose"] == "AWARD"
        self.able(account)
        require(institution in self.institutions, REFUSED, "no such institution")
        self.role(institution, "AWARDER" if award else "ACCEPTOR")
        version, today = self.version_of(body), self.today()
        book = version["book"]
        require(version["active"] and not version["abolished"], REFUSED, "the book")
        if version["body"]["select_by"] == "DECISION":
            require(version is self.in_force(body["book_id"], today), REFUSED, "the book is not in force")
        if book:
            awards = {one["id"]: one["institution"] for one in book.get("award", [])}
            programmes = {name: one["institution"] for name, one in book.get("programmes", {}).items()}
            owner = (awards if award else programmes).get(body["target"])
            require(owner == institution, REFUSED, "the target is another's")
        names = [(name["issuer_id"], name["record_id"]) for name in body["records"]]
        require(names == sorted(set(names)), "STATEMENT_NOT_CANONICAL", "the records do not ascend")
        lapsed = set()
        for name in body["records"]:
            record = self.record_named(name)
            key = (name["issuer_id"], name["record_id"])
            own = record["account"] == account and record["status"] == "VALID" and record["bucket"] != "REDEEMED"
            require(own and not self.expired(record, name["issuer_id"]), REFUSED, "a record")
            by = record["application"]
            if award:
                provisional = by is not None and self.applications[by]["status"] == "PROVISIONAL"
                require(not provisional, REFUSED, "a record that may be taken back")
            else:
                require(by is None and record["facts"].get("credit_eligible"), REFUSED, "a record that is not offered")
            holder = self.held.get(account, {}).get(key)
            if holder is not None:
                require(self.over(self.applications[holder]), REFUSED, "a record that is held")
                lapsed.add(holder)
        for place, index in enumerate(sorted(lapsed)):
            row = self.applications[index]
            self.expect(events[place], row, "LAPSED", moved=self.move(self.sources(row), FREE))
            self.free(row)
        events = events[len(lapsed):]
        told = events[0]["conversion_requested"]
        items = told["items"]
        for item in items:
            scheme = self.schemes.get(item["credit_scheme"])
            require(scheme and item.get("credits_milli", 0) % scheme[2] == 0, REFUSED, "an amount")
            require(item["sources"] == sorted(set(item["sources"])), "EVENTS_WRONG", "sources do not ascend")
            for at in item["sources"]:
                earlier = [use for use in self.uses.get(account, []) if use["record"] == names[at]]
                require(not any(excludes(use, item) for use in earlier), REFUSED, "a record that was used")
        row = {"index": self.index, "account": account, "institution": institution, "items": items, "award": award,
               "target": body["target"], "records": body["records"], "statement": body["header"]["statement_id"],
               "granted": [], "appeals": 0,
               "explanation": told["explanation_commitment"], "rejected_by": set(), "steps": 0,
               "status": "UNDER_REVIEW", "at": self.now, "last": self.index}
        moved = self.move(self.sources(row), HOLD)
        wanted = {"account_ref": account, "items": items, "explanation_commitment": row["explanation"], "moved": moved}
        require(events[0] == {"kind": "CONVERSION_REQUESTED", "statements": [0], "conversion_requested": wanted},
                "EVENTS_WRONG", "an application")
        self.applications[self.index] = row
        held = self.held.setdefault(account, {})
        held.update({(one["record"]["issuer_id"], one["record"]["record_id"]): self.index for one in moved})
        given = self.approvals.get(institution, {}).get((body["book_id"], body["version"]))
        rules = [item["rule"] for item in items]
        covers = not award and given and date(given[1]["until"]) >= today \
            and all(rule in given[1].get("rules", [rule]) for rule in rules)
        if book:
            auto = {rule["id"] for rule in book.get("rule", []) if rule.get("auto") and not rule.get("provisional")}
            at_once = bool(covers and auto.issuperset(rules))
        else:
            # Whether the rules leave it to no officer only the book could tell.
            at_once = len(events) > 1
            require(covers or not at_once, "EVENTS_WRONG", "nobody has approved it ahead")
        require(len(events) == (2 if at_once else 1), "EVENTS_WRONG", "of an application")
        if at_once:
            self.grants(events[1], row, "POSTED", dict(enumerate(items)), auto_approval_index=given[0])

    def grants(self, event, row, status, items, **rest):
        """What is granted comes into being, and what it rests on is used."""
        used = {at for item in items.values() if item["consumption"] in FOR_EVER for at in item["sources"]}
        positions = sorted({at for item in row["items"] for at in item["sources"]})
        moved, granted, year_month_day = [], [], dict(zip(("year", "month", "day"), self.today()))
        for at in positions:
            moved += self.move([row["records"][at]], REDEEM if at in used else FREE)
        for position, item in sorted(items.items()):
            name = bytearray(row["statement"][:14] + position.to_bytes(2, "big"))
            name[6] = name[6] & 0x0F | 0x80
            told = {"record_id": bytes(name), "position": position, "credits_milli": item.get("credits_milli", 0)}
            granted.append({field: value for field, value in told.items() if value})
            key, milli = (row["institution"], bytes(name)), item.get("credits_milli", 0)
            require(key not in self.records, REFUSED, "the record exists")
            amount = {"credit_scheme": item["credit_scheme"], "credits_milli": milli} if milli else None
            self.records[key] = {"account": row["account"], "amount": amount, "status": "VALID", "last": self.index,
                                 "by_order": False, "bucket": "AVAILABLE", "application": row["index"],
                                 "facts": {"awarded_on": year_month_day}}
            for at in item["sources"]:
                source = row["records"][at]
                name = (source["issuer_id"], source["record_id"])
                use = {"record": name, "source": name, "application": row["index"], "posted": self.index}
                use |= {field: item.get(field) for field in USE_FIELDS}
                self.uses.setdefault(row["account"], []).append(use)
        self.expect(event, row, status, moved=moved, granted=granted, granted_on=year_month_day, **rest)
        row.update(granted=granted, granted_on=year_month_day)
        self.free(row)

    def on_conversion_decision(self, body, signer, events):
        require(len(events) == 1, "EVENTS_WRONG", "of a decision")
        row, outcome = self.application(body), body["outcome"]
        require(row["status"] in ("UNDER_REVIEW", "APPEALED") and not self.over(row), REFUSED, "its state")
        if row["appeals"] >= APPEALS_MAX:
            self.role(signer, "REGULATOR")
            require(signer != row["institution"], REFUSED, "its own second appeal")
        else:
            require(signer == row["institution"], REFUSED, "another's application")
        require(self.signing[0] not in row["rejected_by"], REFUSED, "the same officer")
        require(body["explanation_commitment"] == row["explanation"], REFUSED, "another explanation")
        if outcome == "ASK":
            require(row["steps"] + 1 < STEPS_MAX, REFUSED, "too many changes")
            self.expect(events[0], row, "INFO_REQUESTED")
        elif outcome == "REJECT":
            last = row["appeals"] >= APPEALS_MAX or not self.window.get("appeal_days", 0)
            moved = self.move(self.sources(row), FREE) if last else []
            self.expect(events[0], row, "REJECTED", moved=moved)
            row["rejected_by"].add(self.signing[0])
            if last:
                self.free(row)
        else:
            self.granted_by(body, row, events[0])

    def granted_by(self, body, row, event):
        changed = {one.get("position", 0): one for one in body.get("items", [])}
        until = body.get("provisional_until")
        require(not row["award"] or not (changed or until), REFUSED, "an award is granted whole")
        require(until is None or date(until) >= self.today(), REFUSED, "provisional_until")
        items = {}
        for position, item in enumerate(row["items"]):
            one = changed.pop(position, None)
            if one is None:
                items[position] = item
                continue
            milli, before = one.get("credits_milli", 0), item.get("credits_milli", 0)
            step = self.schemes[item["credit_scheme"]][2]
            require(not milli or (milli < before and milli % step == 0), REFUSED, "an item")
            if milli:
                items[position] = dict(item, credits_milli=milli)
        require(items and not changed, REFUSED, "the items")
        self.able(row["account"])
        for at in {at for item in items.values() for at in item["sources"]}:
            require(self.record_named(row["records"][at])["status"] == "VALID", REFUSED, "a record")
        rules = {item["rule"] for item in row["items"]}
        since = [use for use in self.uses.get(row["account"], []) if use["posted"] > row["index"]]
        same = any(use["rule"] in rules or use["programme"] == row["target"] for use in since)
        require(row["award"] or not same, REFUSED, "the proposal is outdated")
        self.grants(event, row, "PROVISIONAL" if until else "POSTED", items)
        row["until"] = until

    def on_conversion_step(self, body, signer, events):
        require(len(events) == 1, "EVENTS_WRONG", "of a step")
        row, action = self.application(body), body["action"]
        purposes = self.keys[self.signing[0]]["purposes"]
        if action in ("WITHDRAW", "APPEAL", "ANSWER"):
            self.role(signer, "REGISTRAR")
            require("REGISTRY" in purposes, REFUSED, "the key's purpose")
        else:
            require(signer == row["institution"] and "DECISIONS" in purposes, REFUSED, "who steps")
        before, status = {
            "WITHDRAW": (("UNDER_REVIEW", "INFO_REQUESTED", "APPEALED"), "WITHDRAWN"),
            "APPEAL": (("REJECTED",), "APPEALED"), "ANSWER": (("INFO_REQUESTED",), "UNDER_REVIEW"),
            "CONFIRM": (("PROVISIONAL",), "POSTED"), "RESCIND": (("PROVISIONAL",), "RESCINDED"),
        }[action]
        require(row["status"] in before, REFUSED, "its state")
        require(action not in ("APPEAL", "ANSWER") or not self.over(row), REFUSED, "its time is over")
        if action == "APPEAL":
            require(row["appeals"] < APPEALS_MAX, REFUSED, "it was appealed before")
            row["appeals"] += 1
        if action == "CONFIRM":
            require(date(row["until"]) >= self.today(), REFUSED, "its time is over")
        if action == "RESCIND":
            self.takes_back(events[0], row, status, self.sources(row))
            return
        moved = self.move(self.sources(row), FREE) if action == "WITHDRAW" else []
        self.expect(events[0], row, status, moved=moved)
        if action == "WITHDRAW":
            self.free(row)

    def takes_back(self, event, row, status, freed):
        """What was granted is revoked, and what it rested on may be used again."""
        moved = self.move(freed, RESTORE)
        self.expect(event, row, status, moved=moved, granted=row["granted"], granted_on=row["granted_on"])
        names = {(name["issuer_id"], name["record_id"]) for name in freed}
        self.uses[row["account"]] = [use for use in self.uses.get(row["account"], [])
                                     if use["application"] != row["index"] or use["source"] not in names]
        for one in row["granted"]:
            record = self.records[(row["institution"], one["record_id"])]
            record.update(status="REVOKED", bucket="REVOKED", last=self.index)

    def on_award_reversal(self, body, signer, events):
        require(len(events) == 1, "EVENTS_WRONG", "of a reversal")
        self.role(body["regulator_id"], "REGULATOR")
        row = self.application(body)
        require(signer == row["institution"] and row["status"] == "POSTED" and row["award"], REFUSED, "its state")
        names, kept = self.sources(row), [row["records"][at] for at in body.get("kept", [])]
        require(all(name in names for name in kept), REFUSED, "kept")
        self.takes_back(events[0], row, "REVERSED", [name for name in names if name not in kept])
