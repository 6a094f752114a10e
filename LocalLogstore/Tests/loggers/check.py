"""Checks what arrived of a logger's lines: check.py NAME LINES ERRORS ALL REPORT."""

import datetime
import json
import pathlib
import sys

# The second of the time of the journal's entries.
JOURNAL = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
# The loggers that write their name: zap with one line alone.
NAMED = {"zap"}, {"ecs-logging", "structlog", "own", "log4j2"}
HALF = "\ufffd"
# A user's fields with the names of two of the record's own.
OWN = {"level_2": "debug", "label_2": "x"}
TWICE = {"order.id": "7", "order_2.id": "8"}
# The lines with a name twice or half a character, and what arrives of them.
MENDED = {
    "python-json-logger": {"failed 4": {"cut": HALF}},
    "structlog": {"failed 4": {"cut": HALF}},
    "ecs-logging": {"failed 4": {"cut": HALF, **OWN}},
    "bunyan": {"failed 4": {"cut": HALF}},
    "pino": {"failed 3": TWICE, "failed 4": {"cut": HALF, "long": "x" * 100 + HALF}},
    "zap": {"failed 3": TWICE},
    "zerolog": {"failed 3": TWICE, "failed 4": {"time_2": ...}},
    "log4j2-ecs": {"failed 4": {"message_2": "y", **OWN}},
}
# What nobody else may have.
REPAIRS = {name + "_2" for name in ["level", "message", "time", "label", "order"]}


def records(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def time_of(record):
    return datetime.datetime.fromisoformat(record["time"][:26] + "+00:00")


def check(name, sent, found, arrived, report, expect):
    expect(len(sent) == 6 and len(arrived) == 6, f"{len(sent)} lines, {len(arrived)} records")
    expect(len(found) == 5, f"{len(found)} of 5 errors found")
    texts = [record["message"] for record in found]
    # journalctl writes null in place of the third.
    begin = [f"failed {number}" for number in range(1, 6) if (name, number) != ("journald", 3)]
    for beginning in begin + (["(journalctl left out"] if name == "journald" else []):
        expect(len([text for text in texts if text.startswith(beginning)]) == 1, f"{beginning!r} in {texts}")
    started = [record for record in arrived if record["message"] == "started"]
    expect(len(started) == 1 and started[0]["level"] == "info", "the line of level info is not one")

    check_times(name, sent, arrived, expect)
    one, each = NAMED
    for record in arrived:
        isNamed = name.split("-")[0] == "log4j2" or name in each or name in one and record["message"] == "failed 1"
        label = "shop.db" if isNamed else "webtracking.send"
        expect(record["label"] == label, f"label of {record['message']}: {record['label']}")

    mended = MENDED.get(name, {})
    for record in arrived:
        fields = mended.get(record["message"], {})
        for field, value in fields.items():
            seen = record.get(field)
            expect(seen == value or value is ... and seen is not None, f"{field} of {record['message']}: {seen!r}")
        others = {field for field in record if field.split(".")[0] in REPAIRS} - set(fields)
        expect(not others, f"{record['message']} has {others}")
    if mended:
        expect(f"warning    {len(mended)} lines had a name twice" in report, f"not mended as expected: {report}")
    else:
        expect("had a name twice" not in report, f"mended: {report}")
    expect("no JSON objects" not in report, "lines were sent as text")
    expect("dropped    0" in report, report)

    if name == "own":
        # Read back and sent again: the fields that the library wrote are those that it writes.
        source = sorted((json.loads(line) for line in sent), key=lambda record: record["message"])
        for before, after in zip(source, sorted(arrived, key=lambda record: record["message"])):
            for key in before:
                if not key.startswith("__"):
                    expect(after.get(key) == before[key], f"{key}: {before[key]!r} became {after.get(key)!r}")


def check_times(name, sent, arrived, expect):
    times = sorted(time_of(record) for record in arrived)
    if name == "journald":
        expect(all(time.replace(microsecond=0) == JOURNAL for time in times), f"times {times}")
    elif name == "pino":
        # They may have been recorded.
        written = sorted(json.loads(line)["time"] for line in sent)
        expect([round(time.timestamp() * 1000) for time in times] == written, f"times {times}")
    else:
        now = datetime.datetime.now(datetime.timezone.utc)
        expect(all(datetime.timedelta(0) <= now - time < datetime.timedelta(minutes=10) for time in times), f"{times}")


def main():
    name, lines, errors, everything, report = sys.argv[1:]
    problems = []

    def expect(condition, problem):
        if not condition:
            problems.append(problem)

    sent = pathlib.Path(lines).read_text().splitlines()
    found, arrived = records(errors), records(everything)
    check(name, sent, found, arrived, pathlib.Path(report).read_text(), expect)
    for problem in problems:
        print(f"  {name}: {problem}")
    print(f"{name:20} {len(found)} of 5 errors, {len(arrived)} records" + (", WRONG" if problems else ""))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
