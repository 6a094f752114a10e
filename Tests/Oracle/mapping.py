# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What becomes of one record, as Docs/FieldMapping.md tells it."""

import collections
import datetime
import json
import unicodedata

import guide
from redaction import DROPPED, Redaction

NAMES = {
    "sequence": "seq", "time": "time", "level": "level", "label": "label", "message": "message", "source": "source",
    "file": "file", "function": "function", "line": "line", "errorType": "error.type", "errorMessage": "error.message",
}
CODE_LOCATION = ["source", "file", "function", "line"]
FORBIDDEN, FORBIDDEN_BEGINNINGS = guide.forbidden_names()
ERROR_TYPE = "driver.DriverError"
LABEL_LIMIT = 1024


class Ambiguous(Exception):
    """The guides leave open what happens so near to a limit; such a case is not made."""


def same(text):
    """A form that is equal for keys that are canonically equivalent."""
    return unicodedata.normalize("NFC", text)


def size(text):
    return len(text.encode())


def cut(text, count):
    """The first bytes, ended between two scalars."""
    return text.encode()[:count].decode(errors="ignore")


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def plain(value):
    """A value of a case as a text, a list or a dictionary; what changes its description is asked once."""
    if isinstance(value, str):
        return value
    kind, *rest = value
    if kind in ("c", "t"):
        return rest[0]
    if kind == "l":
        return [plain(element) for element in rest]
    return {name: plain(element) for name, element in rest}


def timestamp(nanoseconds):
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09}Z"


def numbered_name(name, number):
    """A name with a number behind it; it is cut where there is no room."""
    end = f"_{number}"
    return cut(name, 128 - len(end)) + end


def module(file):
    """The source of a record that gives none."""
    name, slash, _ = file.partition("/")
    return name if slash else "n/a"


def merged(layers):
    """The values of all layers, each key with the spelling and the value of the last layer that has it."""
    result = {}
    for layer in layers:
        for name, value in (plain(layer) if layer else {}).items():
            result[same(name)] = (name, value)
    return dict(result.values())


def bytes_of(record):
    return size(json.dumps(record, ensure_ascii=False, separators=(",", ":")))


class Mapping:
    def __init__(self, case):
        self.case = case
        self.names = {**NAMES, **case["fields"]}
        self.redaction = Redaction(case)
        self.repaired = collections.Counter()
        self.value_limit = case["limits"].get("maximumValueBytes", 1 << 20)
        self.record_limit = case["limits"].get("maximumRecordBytes", 3 << 20)
        self.nesting = case["limits"].get("maximumNesting", 8)
        left_out = list(CODE_LOCATION) if "codeLocation" in case["excludes"] else []
        left_out += ["sequence"] if "sequence" in case["excludes"] else []
        self.leading = [field for field in NAMES if field not in left_out and not field.startswith("error")]

    # Topic and tags

    def promoted(self, record, values):
        """The topic and the tags that a record asks for, and the values that stay among the fields."""
        rule, topic, tags = self.case["topic"], None, {}
        stays = dict(values)
        key = rule.get("name") if rule["kind"] == "metadata" else None
        repairs = collections.Counter()
        for name, value in values.items():
            if key is not None and same(name) == same(key):
                if not isinstance(value, str):
                    repairs["unpromotable"] += 1
                elif size(value) > 128:
                    repairs["long_topic"] += 1
                    topic = cut(value, 128)
                else:
                    topic = value
                    del stays[name]
            for tag in self.case["promotedTags"]:
                if same(tag) == same(name):
                    if not isinstance(value, str) or size(value) > 128:
                        repairs["unpromotable"] += 1
                    else:
                        tags[tag] = value
                        del stays[name]
        label = record["label"]
        if rule["kind"] == "fixed":
            topic = rule["name"]
        elif rule["kind"] == "metadata":
            topic = self.base_topic if topic is None else topic
        else:
            if rule["kind"] == "prefix":
                label = ".".join(label.split(".")[:rule["components"]])
            topic = cut(label, 128)
            repairs["long_topic"] += topic != label
        return topic, tags, stays, +repairs

    @property
    def base_topic(self):
        rule = self.case["topic"]
        return {"fixed": rule.get("name"), "metadata": "fallback"}.get(rule["kind"], "")

    # Fields

    def repaired_name(self, name):
        if not name:
            self.repaired["empty_key"] += 1
            name = "_"
        if name in FORBIDDEN or any(name.startswith(beginning) for beginning in FORBIDDEN_BEGINNINGS):
            self.repaired["forbidden_key"] += 1
            name = "field." + name
        if size(name) > 128:
            self.repaired["long_key"] += 1
            name = cut(name, 111) + "~" + fnv1a(name)
        return name

    def repaired_value(self, text, limit):
        if size(text) <= limit:
            return text
        self.repaired["long_value"] += 1
        kept = cut(text, limit - 40)
        return kept + f"…[+{size(text) - size(kept)} bytes]"

    def json_text(self, value, level=1):
        if level > 64:
            self.repaired["deep_value"] += 1
            return '"…"'
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            return "[" + ",".join(self.json_text(element, level + 1) for element in value) + "]"
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode())
        return "{" + ",".join(
            json.dumps(name, ensure_ascii=False) + ":" + self.json_text(element, level + 1) for name, element in pairs
        ) + "}"

    def flattened(self, values):
        """Paths and texts, in the order in which names are given out."""
        found = []

        def walk(path, value):
            if isinstance(value, dict) and value:
                if len(path) <= self.nesting:
                    for name, element in value.items():
                        walk(path + (name,), element)
                    return
                self.repaired["deep_value"] += 1
            found.append((path, value if isinstance(value, str) else self.json_text(value)))

        for name, value in values.items():
            walk((name,), value)
        found.sort(key=lambda one: (len(one[0]), [part.encode() for part in one[0]]))
        return found

    def fields(self, record, values, limit):
        """All fields but the number and the time."""
        result = {}
        for field in self.leading:
            if field in ("sequence", "time"):
                continue
            text = str(record[field]) if record.get(field) is not None else module(record["file"])
            if field == "label":
                self.repaired["long_value"] += size(text) > LABEL_LIMIT
                result[self.names[field]] = cut(text, LABEL_LIMIT)
            else:
                result[self.names[field]] = self.repaired_value(text, limit)
        taken = {same(self.names[field]) for field in self.leading}
        last = {}
        if record.get("error") is not None:
            last[self.names["errorType"]] = ERROR_TYPE
            name = self.names["errorMessage"]
            text = record["error_text"]
            if text is not DROPPED:
                last[name] = self.repaired_value(text, limit)
            taken |= {same(self.names["errorType"]), same(name)}
        numbered = []
        for path, text in values:
            name = self.repaired_name(".".join(path))
            if same(name) in taken:
                self.repaired["colliding_key"] += 1
                numbered.append((name, text))
            else:
                taken.add(same(name))
                result[name] = self.repaired_value(text, limit)
        for name, text in numbered:
            number = 2
            while same(other := numbered_name(name, number)) in taken:
                number += 1
            taken.add(same(other))
            result[other] = self.repaired_value(text, limit)
        result.update(last)
        return result

    def limited(self, record, stays):
        """The fields of a record, cut until they are no larger than a record may be."""
        before = self.repaired.copy()
        values = self.flattened(stays)
        flat = self.repaired.copy()
        limit, omitted = self.value_limit, False
        extra = {self.names["time"]: "x" * 30, self.names["sequence"]: "00"}
        while True:
            fields = self.fields(record, values, limit)
            length = bytes_of({**extra, **fields})
            if abs(length - self.record_limit) < 400:
                raise Ambiguous("record limit")
            if length <= self.record_limit:
                break
            self.repaired = flat.copy()
            if limit == 256:
                if omitted:
                    raise Ambiguous("a record without metadata is too large")
                omitted = True
                self.repaired = before.copy()
                values = [(("metadata.omitted",), str(len(values)))]
            limit = max(256, limit // 4)
        if limit != self.value_limit:
            self.repaired["oversize_record"] += 1
        return fields

    def encoded(self, record):
        """The topic and tags that a record asks for with its fields then, and a way to its fields in the base topic."""
        values = {}
        for name, value in merged([record.get("handler"), record.get("provider"), record.get("event")]).items():
            value = self.redaction.value(name, value)
            if value is not DROPPED:
                values[name] = value
        record = dict(record)
        if record.get("error") is not None:
            record["error_text"] = self.redaction.text(self.names["errorMessage"], record["error"])
        topic, tags, stays, repairs = self.promoted(record, values)

        def fields(overflows):
            self.repaired.update(repairs)
            if overflows:
                self.repaired["topic_overflow"] += 1
                return self.limited(record, values)
            return self.limited(record, stays)

        return topic, tags, fields
