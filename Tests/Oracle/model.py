# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What arrives of a case, as the guides tell it: an independent model, written without a look at the library's code.

Docs/FieldMapping.md, Redaction.md, Sampling.md, Configuration.md and DeliveryGuarantees.md are its only sources.
"""

import collections

from mapping import LABEL_LIMIT, Ambiguous, Mapping, cut, module, timestamp

SECOND = 1_000_000_000


class SomeText:
    """Stands for any text where the guides promise no more than that there is one."""

    def __eq__(self, other):
        return isinstance(other, (str, SomeText))


SOME_TEXT = SomeText()


class Stream:
    """What arrives in one topic with the same tags."""

    def __init__(self):
        self.records = []
        self.end_run()

    def end_run(self):
        self.last = None
        self.repeats = 0


class Statement:
    """What is known of one statement and level that is sampled."""

    def __init__(self, second):
        self.second = second
        self.position = 0
        self.offered = 0
        self.left_out = 0


class Model:
    def __init__(self, case):
        self.case = case
        self.mapping = Mapping(case)
        self.streams = {}
        self.statements = {}
        self.now = case["time"]
        self.accepted = self.synthetic = self.sequence = 0
        self.dropped = collections.Counter()
        self.dropped_by_level = collections.Counter()
        self.rates = case["rates"]
        self.rules = case["rules"]
        self.groups = 0
        self.stream((self.mapping.base_topic, ()))
        for number, step in enumerate(case["steps"]):
            try:
                self.take(step)
            except Ambiguous as error:
                error.step = number
                raise
        self.flush()

    def take(self, step):
        self.now += step.get("nanoseconds", 0) + step.get("silence", 0)
        if "silence" in step:
            self.tell_all_left_out()
            step["reported"] = self.synthetic  # what the driver waits for
        if "rules" in step and step["rules"] != self.rules:
            self.tell_all_left_out()
            self.rules = step["rules"]
            self.mapping.redaction.set_rules(self.rules)
        if "rates" in step:
            self.tell_all_left_out()
            self.statements = {}
            self.rates = step["rates"]
        if step.get("flush"):
            self.flush()
        if "record" in step:
            self.log(step["record"])

    def stream(self, key):
        """The stream of this topic and these tags; that of the base topic if there is no room for one more."""
        if key not in self.streams:
            if len(self.streams) >= (self.case.get("maximumTopics") or 1024):
                return None
            self.streams[key] = Stream()
        return self.streams[key]

    def append(self, stream, fields, group=None):
        self.sequence += 1
        names = self.mapping.names
        record = {"fields": dict(fields), "group": group, "sequence": self.sequence}
        record["fields"][names["time"]] = timestamp(self.now)
        if "sequence" not in self.case["excludes"] and group is None:
            record["fields"][names["sequence"]] = str(self.sequence)
        stream.records.append(record)
        return record

    # Records

    def log(self, record):
        if not self.is_sampled(record):
            return
        self.accepted += 1
        before = self.mapping.repaired.copy()
        topic, tags, fields = self.mapping.encoded(record)
        stream = self.stream((topic, tuple(sorted(tags.items()))))
        if stream is None:
            fields = fields(True)
            stream = self.stream((self.mapping.base_topic, ()))
        else:
            fields = fields(False)
        if stream.last is not None and stream.last["said"] == fields and record["level"] in self.case["folded"]:
            stream.repeats += 1
            self.drop("repeated", record["level"])
            self.mapping.repaired = before
            return
        self.tell_repeats(stream)
        stream.last = self.append(stream, fields)
        stream.last["said"] = fields
        stream.last["level"] = record["level"]

    def drop(self, reason, level):
        self.dropped[reason] += 1
        self.dropped_by_level[level] += 1

    def tell_repeats(self, stream, group=None):
        if stream.repeats:
            count, last = stream.repeats, stream.last
            number = {} if "sequence" in self.case["excludes"] else {"repeated.seq": str(last["sequence"])}
            self.tell(stream, {
                "level": last["level"], "label": "webtracking", "source": "WebTracking",
                "message": f"the record before this one came {count} more times",
                "file": SOME_TEXT, "function": SOME_TEXT, "line": SOME_TEXT,
            }, {"repeated.count": str(count), **number}, group)
        stream.end_run()

    def tell(self, stream, fields, more, group=None):
        self.accepted += 1
        self.synthetic += 1
        fields["label"] = cut(fields["label"], LABEL_LIMIT)
        named = {self.mapping.names[field]: text for field, text in fields.items() if field in self.mapping.leading}
        self.append(stream, {**named, **more}, group)

    # Sampling

    def is_sampled(self, record):
        """Whether the record is to go on."""
        rate = self.rates.get(record["level"])
        if rate is None:
            return True
        key = (record["file"], record["line"], record["level"])
        second = self.now // SECOND
        statement = self.statements.setdefault(key, Statement(second))
        if statement.second != second:
            self.tell_left_out(statement)
            self.statements[key] = statement = Statement(second)
        statement.record = record
        statement.position += 1
        statement.offered += 1
        beyond = statement.position - rate["first"]
        one_in = rate.get("thenOneIn")
        if beyond <= 0 or one_in and beyond % one_in == 0:
            return True
        statement.left_out += 1
        self.accepted += 1
        self.drop("sampled", record["level"])
        return False

    def tell_left_out(self, statement, group=None):
        if statement.left_out:
            record = statement.record
            bare = {field: record[field] for field in ("label", "file")}
            topic, _, _, _ = self.mapping.promoted(bare, {})
            stream = self.stream((topic, ())) or self.stream((self.mapping.base_topic, ()))
            self.tell_repeats(stream, group)
            self.tell(stream, {
                **{field: str(record[field]) for field in ("level", "label", "file", "function", "line")},
                "source": module(record["file"]),
                "message": f"{statement.left_out} of {statement.offered} records of this statement were left out",
            }, {"sampling.left_out": str(statement.left_out), "sampling.offered": str(statement.offered)}, group)
            statement.left_out = statement.offered = 0

    def tell_all_left_out(self):
        """Which statement is told first is not promised: what is told here is a group."""
        self.groups += 1
        for statement in self.statements.values():
            self.tell_left_out(statement, self.groups)

    def flush(self):
        self.tell_all_left_out()
        for stream in self.streams.values():
            self.tell_repeats(stream, self.groups)

    # Counters

    def statistics(self):
        return {
            "accepted": self.accepted,
            "delivered": sum(len(stream.records) for stream in self.streams.values()),
            "pending": 0,
            "synthetic": self.synthetic,
            "redacted": self.mapping.redaction.count,
            "topics": len(self.streams),
            "dropped": dict(self.dropped),
            "droppedByLevel": dict(self.dropped_by_level),
            "repaired": dict(+self.mapping.repaired),
        }
