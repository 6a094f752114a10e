# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Statistics against Python's own computation: random statements over random logs."""

import collections
import json
import math
import random
import re
import time
import urllib.parse

import logs

START = int(time.time()) // 3600 * 3600 - 7200
NUMBERS = ["1", "-3", "2.5", "900", "0", "17", "1000000", "0.125", "12 ms", "", "slow", "-"]
GROUPS = ["level", "path", "__topic__", '"__tag__:env"', "__source__", "missing",
          "date_trunc('minute', __time__)", "__time__ - __time__ % 120", "upper(level)", "length(path)", "coalesce(note, path)"]
SEARCHES = ["", "*", "level: error", "not level: error", "ms > 2", "path: *", "error or slow", 'path = "/a"', "nothing and nowhere", "__topic__: orders"]


def fill(endpoint, pick, count=600):
    """Sends random logs; returns them as they are meant."""
    sent = []
    for number in range(count // 50):
        topic, env = pick.choice(["", "orders", "mail"]), pick.choice(["prod", "test"])
        batch = []
        for _ in range(50):
            at = START + pick.randrange(600)
            log = {"time": logs.iso(at), "level": pick.choice(["info", "error", "ERROR", "debug"])}
            if pick.random() < 0.9:
                log["path"] = pick.choice(["/a", "/b", "/支付", "/it's"])
            if pick.random() < 0.8:
                log["ms"] = pick.choice(NUMBERS)
            if pick.random() < 0.3:
                log["note"] = pick.choice(["slow", "x|y", "/a"])
            batch.append(log)
            sent.append({**log, "__time__": at, "__topic__": topic, "__source__": "test", "__tag__:env": env})
        assert endpoint.post(*batch, topic=topic, tags={"env": env}) == 200
    return sent


def number(text):
    return float(text) if text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def matches(search, log):
    words = lambda text: re.findall(r"\w+", text.lower())
    return {
        "": lambda: True, "*": lambda: True,
        "level: error": lambda: log["level"].lower() == "error", "not level: error": lambda: log["level"].lower() != "error",
        "ms > 2": lambda: (number(log.get("ms")) or 0) > 2, "path: *": lambda: "path" in log, 'path = "/a"': lambda: log.get("path") == "/a",
        "error or slow": lambda: any(word in ("error", "slow") for name in ("level", "ms", "note", "path", "__topic__") for word in words(log.get(name, ""))),
        "nothing and nowhere": lambda: False, "__topic__: orders": lambda: log["__topic__"] == "orders",
    }[search]()


def scalar(text, log):
    at = log["__time__"]
    if text.startswith("date_trunc"):
        return at - at % 60
    if text.startswith("__time__"):
        return at - at % 120
    if text == "upper(level)":
        return log["level"].upper()
    if text == "length(path)":
        return len(log["path"]) if "path" in log else None
    if text == "coalesce(note, path)":
        return log.get("note", log.get("path"))
    return log.get(text.strip('"'))


def aggregate(pick):
    """The text of one, and what it gives for logs."""
    share = pick.choice([0, 0.25, 0.5, 0.95, 0.99, 1])
    numbers = lambda found: [value for value in (number(log.get("ms")) for log in found) if value is not None]
    field = pick.choice(["ms", "path", "note", "missing"])
    values = lambda found: [log[field] for log in found if field in log]
    over = lambda function: lambda found: function(numbers(found)) if numbers(found) else None
    rank = lambda found: sorted(found)[max(1, math.ceil(share * len(found))) - 1]
    return pick.choice([
        ("count(*)", len), (f"count({field})", lambda found: len(values(found))),
        (f"count(distinct {field})", lambda found: len(set(values(found)))), (f"approx_distinct({field})", lambda found: len(set(values(found)))),
        ("sum(ms)", over(sum)), ("avg(ms)", over(lambda found: sum(found) / len(found))), ("min(ms)", over(min)), ("max(ms)", over(max)),
        (f"approx_percentile(ms, {share})", over(rank)), ("max(ms) - min(ms)", over(lambda found: max(found) - min(found))),
        ("sum(ms) / count(*)", lambda found: sum(numbers(found)) / len(found) if numbers(found) else None),
        ("count(*) / 7 * 2 % 5", lambda found: len(found) // 7 * 2 % 5), ("-(count(*) + 1)", lambda found: -(len(found) + 1)),
        ("sum(abs(ms))", over(lambda found: sum(abs(value) for value in found))),
    ])


def same(left, right):
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return left == right


def check(endpoint, statements, seed=1):
    """Returns how many rows were compared, and the statements whose rows differ."""
    pick = random.Random(seed)
    sent = fill(endpoint, pick)
    rows, wrong = 0, []
    for _ in range(statements):
        search = pick.choice(SEARCHES)
        groups = pick.sample(GROUPS, pick.choice([0, 1, 1, 2, 3]))
        counted = [aggregate(pick) for _ in range(pick.randrange(1, 4))]
        columns = groups + [text for text, _ in counted]
        order = pick.randrange(len(columns))
        isDescending = pick.random() < 0.5
        q = f"{search} | select {', '.join(columns)}" + (f" group by {', '.join(groups)}" if groups else "")
        q += f" order by {order + 1}{' desc' if isDescending else ''} limit 10000"
        found = [log for log in sent if matches(search, log)]
        parts = collections.defaultdict(list)
        for log in found:
            parts[tuple(scalar(text, log) for text in groups)].append(log)
        if not groups:
            parts = {(): found}
        expected = [list(key) + [compute(part) for _, compute in counted] for key, part in parts.items()]
        answer = endpoint.api("statistics?q=" + urllib.parse.quote(q))
        got = answer.get("rows")
        by_group = lambda row: json.dumps(row[:len(groups)])
        isSame = got is not None and len(got) == len(expected) and all(
            same(one, other) for left, right in zip(sorted(got, key=by_group), sorted(expected, key=by_group)) for one, other in zip(left, right))
        present = [row[order] for row in got or [] if row[order] is not None]
        isSorted = present == sorted(present, reverse=isDescending) and all(row[order] is None for row in (got or [])[len(present):])
        rows += len(expected)
        if not isSame or not isSorted:
            wrong.append((q, got if got is not None else answer, expected))
    return rows, wrong
