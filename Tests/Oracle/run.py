# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Compares what the library sends with what the model expects; see Scripts/oracle."""

import argparse
import collections
import json
import subprocess
import sys
import time

import examples
import generator
import mapping
from model import Model


def drive(driver, cases):
    """What arrived of each case: bodies, statistics, errors; behind the case and its model."""
    with subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for case, model in cases:
            process.stdin.write(json.dumps(case).encode() + b"\n")
            process.stdin.flush()
            seen = {"bodies": [], "statistics": None, "errors": []}
            while True:
                line = process.stdout.readline()
                if not line:
                    raise SystemExit(f"the driver ended, with {process.wait()}")
                kind, _, text = line.rstrip(b"\n").partition(b"\t")
                if kind == b"end":
                    break
                if kind == b"body":
                    seen["bodies"].append(text)
                elif kind == b"statistics":
                    seen["statistics"] = json.loads(text)
                else:
                    seen["errors"].append(text.decode())
            yield case, model, seen
        process.stdin.close()


def unlike(pairs):
    """An object of JSON, of which no two names are the same."""
    names = [mapping.same(name) for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"a name twice in {[name for name, _ in pairs]}")
    return dict(pairs)


class Comparison:
    """The differences between one case's model and what arrived of it."""

    def __init__(self, case, model, seen):
        self.case = case
        self.model = model
        self.differences = list(seen["errors"])
        self.names = self.model.mapping.names
        if self.differences:
            return
        self.statistics(seen["statistics"])
        self.bodies(seen["bodies"])

    def differ(self, where, expected, seen):
        if expected != seen:
            self.differences.append(f"{where}\n    guide: {expected!r}\n    seen:  {seen!r}")

    def statistics(self, seen):
        for name, expected in self.model.statistics().items():
            self.differ(f"statistics.{name}", expected, seen[name])

    def bodies(self, bodies):
        arrived = collections.defaultdict(list)
        batches = collections.defaultdict(list)
        for text in bodies:
            try:
                body = json.loads(text.decode(), object_pairs_hook=unlike)
            except ValueError as error:
                self.differences.append(f"a body that is not valid: {error}")
                continue
            self.differ("__source__", self.case["source"], body["__source__"])
            tags = dict(body.get("__tags__", {}))
            batch = tags.pop("__pack_id__", None)
            for name, value in self.case["tags"]:
                self.differ(f"tag {name!r}", value, tags.pop(name, None))
            key = (body["__topic__"], tuple(sorted(tags.items())))
            batches[key].append(batch)
            arrived[key] += body["__logs__"]
        self.batch_ids(batches)
        expected = {key: stream.records for key, stream in self.model.streams.items() if stream.records}
        self.differ("topics and tags", sorted(expected), sorted(arrived))
        for key in expected.keys() & arrived.keys():
            self.records(f"topic {key}", expected[key], arrived[key])

    def batch_ids(self, batches):
        """16 digits for the topic, a hyphen, the number of the batch, and of a part its first and last record."""
        beginnings = {}
        for key, ids in batches.items():
            if "batchID" in self.case["excludes"]:
                self.differ("batch ids", [None] * len(ids), ids)
                continue
            parts = [one.partition("-") for one in ids]
            numbers = [place_of(number) for _, _, number in parts]
            self.differ(f"order of batch ids {ids}", sorted(set(numbers)), numbers)
            self.differ(f"topics' beginnings of {ids}", 1, len({beginning for beginning, _, _ in parts}))
            self.differ(f"digits of {ids}", {16}, {len(beginning) for beginning, _, _ in parts})
            beginnings[parts[0][0]] = key
        if "batchID" not in self.case["excludes"]:
            self.differ("beginnings of batch ids", len(batches), len(beginnings))

    def records(self, where, expected, seen):
        self.differ(f"{where}: number of records", len(expected), len(seen))
        sequence = self.names["sequence"]
        has_numbers = "sequence" not in self.case["excludes"]
        numbers = [int(record.get(sequence, 0)) for record in seen] if has_numbers else []
        self.differ(f"{where}: order of seq", sorted(set(numbers)), numbers)
        start = 0
        while start < len(expected):
            end = start + 1
            group = expected[start]["group"]
            # What a flush tells has no order that is promised, but for that of repeats behind their record.
            while group is not None and end < len(expected) and expected[end]["group"] == group:
                end += 1
            wanted = [record["fields"] for record in expected[start:end]]
            got = [dict(record) for record in seen[start:end]]
            if group is not None:
                if has_numbers:
                    for record in got:
                        record.pop(sequence, None)
                wanted.sort(key=repr_of)
                got.sort(key=repr_of)
            for number, (one, other) in enumerate(zip(wanted, got), start):
                self.fields(f"{where}, record {number}", one, other)
            start = end
        self.order(where, seen)

    def fields(self, where, expected, seen):
        for name in expected.keys() | seen.keys():
            self.differ(f"{where}, field {name!r}", expected.get(name), seen.get(name))

    def order(self, where, seen):
        """Default fields first, error fields last, and metadata between them in the order of the names' bytes."""
        leading = [self.names[field] for field in self.model.mapping.leading]
        last = [self.names["errorType"], self.names["errorMessage"]]
        for number, record in enumerate(seen):
            names = list(record)
            first = [name for name in leading if name in record]
            self.differ(f"{where}, record {number}: first fields", first, names[: len(first)])
            behind = []
            if record.get(last[0]) == mapping.ERROR_TYPE:
                behind = [name for name in last if name in record]
                self.differ(f"{where}, record {number}: last fields", behind, names[-len(behind):])
            between = names[len(first) : len(names) - len(behind)]
            self.differ(f"{where}, record {number}: metadata", sorted(between, key=str.encode), between)


def place_of(number):
    """The number of a batch with the first of the records that are sent of it."""
    batch, _, part = number.partition(".")
    return int(batch, 16), int(part.partition("-")[0] or 1)


def repr_of(record):
    """Sorts records alike, of which the guides say different amounts."""
    if "repeated.count" in record:
        record = {name: text for name, text in record.items() if name.startswith("repeated.")}
    return repr(sorted(record.items()))


def differences(case, model, seen):
    return Comparison(case, model, seen).differences


def kind(difference):
    """What a difference is about, without what is only of this case."""
    return difference.partition("\n")[0].partition(",")[0].partition(":")[0].partition(" ")[0]


class Shrinking:
    """Makes a case that differs as small as it goes."""

    def __init__(self, driver, case, found):
        self.driver, self.case = driver, case
        self.kinds = {kind(one) for one in found}
        self.found = found

    def still_differs(self, case):
        try:
            one, = (drive(self.driver, [(case, Model(case))]))
        except mapping.Ambiguous:
            return False
        found = differences(*one)
        if self.kinds & {kind(one) for one in found}:
            self.case, self.found = case, found
            return True
        return False

    def run(self):
        part = max(1, len(self.case["steps"]) // 2)
        while part:
            at = 0
            while at < len(self.case["steps"]):
                steps = self.case["steps"]
                if not self.still_differs({**self.case, "steps": steps[:at] + steps[at + part:]}):
                    at += part
            part //= 2
        for name, plain in self.plainer():
            self.still_differs({**self.case, name: plain})
        for at in range(len(self.case["rules"]) - 1, -1, -1):
            rules = self.case["rules"]
            self.still_differs({**self.case, "rules": rules[:at] + rules[at + 1:]})
        for at in range(len(self.case["steps"])):
            for layer in ("handler", "provider", "event"):
                self.shrink_value(at, layer, [])
            for name in ("error", "source", "handler", "provider", "event"):
                record = self.case["steps"][at].get("record", {})
                if record.get(name) is not None:
                    self.with_record(at, {**record, name: None})
        return self.case, self.found

    def plainer(self):
        return [
            ("tags", []), ("promotedTags", []), ("maximumTopics", None), ("fields", {}), ("excludes", []), ("limits", {}),
            ("standard", False), ("rates", {}), ("folded", []), ("topic", {"kind": "fixed", "name": ""}), ("source", "s"),
        ]

    def with_record(self, at, record):
        steps = list(self.case["steps"])
        steps[at] = {**steps[at], "record": record}
        return self.still_differs({**self.case, "steps": steps})

    def shrink_value(self, at, layer, path):
        """Leaves out members, then members of members."""
        def inner():
            value = self.case["steps"][at].get("record", {}).get(layer)
            for index in path:
                value = value[index]
            return value

        def replaced(value, path, new):
            if not path:
                return new
            return [*value[: path[0]], replaced(value[path[0]], path[1:], new), *value[path[0] + 1:]]

        value = inner()
        if not isinstance(value, list) or value[0] not in ("l", "d"):
            return
        for index in range(len(value) - 1, 0, -1):
            value = inner()
            record = self.case["steps"][at]["record"]
            self.with_record(at, {**record, layer: replaced(record[layer], path, value[:index] + value[index + 1:])})
        value = inner()
        for index in range(1, len(value)):
            self.shrink_value(at, layer, path + ([index, 1] if value[0] == "d" else [index]))


def cases(arguments):
    """The cases with their models, without records whose fields the guides leave open."""
    count = max(1, arguments.records // arguments.configurations)
    wanted = [arguments.only] if arguments.only is not None else range(arguments.configurations)
    for number in wanted:
        case = {"number": number, **generator.Generator(f"{arguments.seed}/{number}", count).case()}
        while True:
            try:
                yield case, Model(case)
                break
            except mapping.Ambiguous as error:
                del case["steps"][error.step]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--configurations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--show", type=int, default=3)
    arguments = parser.parse_args()
    examples.check()
    started = time.monotonic()
    counts = collections.Counter()
    wrong = []
    for case, model, seen in drive(arguments.driver, cases(arguments)):
        counts["configurations"] += 1
        counts["records"] += sum("record" in step for step in case["steps"])
        found = differences(case, model, seen)
        if found:
            counts["differences"] += len(found)
            wrong.append((case, found))
        numbers = seen["statistics"] or {}
        for name in ("redacted", "synthetic"):
            counts[name] += numbers.get(name, 0)
        for name in ("dropped", "repaired"):
            for which, count in numbers.get(name, {}).items():
                counts[which] += count
    for case, found in wrong[: arguments.show]:
        print(f"configuration {case['number']}: {len(found)} differences, of which some are", file=sys.stderr)
        smallest, rest = Shrinking(arguments.driver, case, found).run()
        for one in rest[:4]:
            print("  " + one, file=sys.stderr)
        print("  of " + json.dumps(smallest, ensure_ascii=True), file=sys.stderr)
    print(", ".join(f"{counts[name]} {name}" for name in sorted(counts) if name not in ("records", "configurations", "differences")))
    print(
        f"seed {arguments.seed}: {counts['records']} records over {counts['configurations']} configurations, "
        f"{counts['differences']} differences in {len(wrong)} of them, in {time.monotonic() - started:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
