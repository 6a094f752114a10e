"""Checks what arrived of a logger's lines: check.py NAME LINES ERRORS ALL REPORT."""

import datetime
import json
import pathlib
import sys

# The second of the time in the lines that were not made here.
DOCUMENTED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
FIXED = {"journald", "pino", "log4j2-templates"}
# Half characters and names that are there twice.
MENDED = {
    "python-json-logger": 1, "structlog": 1, "ecs-logging": 1, "bunyan": 1, "pino": 1, "zap": 1, "zerolog": 2,
}
LABELS = {"ecs-logging": "shop.db", "log4j2": "shop.db", "log4j2-templates": "shop.db"}


def records(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def time_of(record):
    return datetime.datetime.fromisoformat(record["time"][:26] + "+00:00")


def main():
    name, lines, errors, everything, report = sys.argv[1:]
    problems = []

    def expect(condition, problem):
        if not condition:
            problems.append(problem)

    sent = pathlib.Path(lines).read_text().splitlines()
    arrived, found = records(everything), records(errors)
    report = pathlib.Path(report).read_text()
    expect(len(sent) == 6 and len(arrived) == 6, f"{len(sent)} lines, {len(arrived)} records")
    expect(len(found) == 5, f"{len(found)} of 5 errors found")
    texts = sorted(record["message"] for record in found)
    for number, text in enumerate(texts, 1):
        isLeftOut = name == "journald" and "4,096 bytes" in text
        expect(text.startswith("failed") or isLeftOut, f"message {number} is {text!r}")
    started = [record for record in arrived if record["message"].startswith("started")]
    expect(len(started) == 1 and started[0]["level"] == "info", "the line of level info is not one")
    for record in arrived:
        time = time_of(record)
        if name not in FIXED:
            now = datetime.datetime.now(datetime.timezone.utc)
            expect(datetime.timedelta(0) <= now - time < datetime.timedelta(minutes=10), f"time {time}")
        else:
            expect(time.replace(microsecond=0) == DOCUMENTED, f"time {time}")
        expect("time_2" not in record or name == "zerolog", "there are two times")
        expect("level_2" not in record and "message_2" not in record, "a level or message is there twice")
        if name in LABELS:
            expect(record["label"] == LABELS[name] or record.get("_logger"), f"label {record['label']}")
    if name in MENDED:
        expect(f"warning    {MENDED[name]} lines had a name twice" in report, f"not mended as expected: {report}")
    expect("no JSON objects" not in report, "lines were sent as text")
    expect("dropped    0" in report, report)
    if name == "own":
        # Read back and sent again: the fields that the library wrote are those that it writes.
        source = [json.loads(line) for line in sent]
        for before, after in zip(sorted(source, key=lambda r: r["message"]), sorted(arrived, key=lambda r: r["message"])):
            for key in before:
                if not key.startswith("__"):
                    expect(after.get(key) == before[key], f"{key}: {before[key]!r} became {after.get(key)!r}")
    for problem in problems:
        print(f"  {name}: {problem}")
    print(f"{name:20} {len(found)} of 5 errors, {len(arrived)} records" + (", WRONG" if problems else ""))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
