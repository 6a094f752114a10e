# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Measures another commit and the present tree in one run, and prints how many times the one is the other.
Scripts/benchmark --against calls this.

A machine's speed changes within minutes, so the figures of two runs say little about each other. Here each cell of the
one state is measured right beside that of the other, round after round, and a ratio is one of such a pair."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Callable

import figures
import instructions
import plan
import run
import stamp
from figures import rate
from plan import Cell
from tables import table

# The aims that are ratios are ratios to this commit.
AIMED_FROM = "be75a81"
# Minutes, after the builds: rounds are measured as long as one more fits.
LIMIT = 14
QUICK_ROUNDS = 4
# They do not depend on the library. Both states are compared with those of the present tree, measured once a round.
PEERS = ("noop", "stream-null")
# Nanoseconds of other work between two bare appends of a thread.
BETWEEN = (0, 80, 500)
CANNOT = "cannot be measured there"

# What is measured as it is for the tables of Docs/Evidence/Performance.md.
FROM_PLAN = {
    "calls": (
        "full/1/noop", "full/1/counting", "full/4/stream-null", "full/4/counting", "steady/1/idle", "steady/4/idle",
        "steady/4/http-lz4",
    ),
    "delivery": ("1/http-lz4", "2/http-lz4", "4/http-lz4"),
    "growth": (
        "topics/1/idle", "topics/1000/idle", "message/16000/noop", "message/16000/idle", "message/100000/noop",
        "message/100000/idle",
    ),
}


def cells(spool):
    """All that is measured; `spool` is an empty folder."""
    found = []
    for name, keys in FROM_PLAN.items():
        part = plan.PARTS[name](quick=False)
        found += [Cell(f"{name}/{cell.key}", cell.subject, cell.arguments) for cell in part.cells if cell.key in keys]
    timing = ["--warm-up", "0.12", "--seconds", "0.5"]
    for threads in (1, 4):
        arguments = ["--threads", str(threads), "--rate", str(plan.STEADY_RATE), "--spool", spool]
        found.append(Cell(f"spool/{threads}", "idle", arguments + timing))
    # A short message that was made beforehand, so that there is next to nothing to do between two appends.
    for threads in (1, 2):
        arguments = ["--threads", str(threads), "--untimed", "--message-bytes", "24"]
        found.append(Cell(f"close/{threads}", "idle", arguments + timing))
    # Ten records for each topic, and as many for a single one, all of them in memory until the end.
    for topics in (1, 1_000):
        arguments = ["--topics", str(topics), "--rate", "10000", "--warm-up", "0", "--seconds", "1"]
        found.append(Cell(f"held/{topics}", "idle", arguments + ["--linger-ms", "60000"]))
    # The queue's own append, without a log call around it: in memory and in files, with so much other work between.
    short = ["--warm-up", "0.05", "--seconds", "0.25"]
    for place, arguments in (("memory", []), ("file", ["--spool", spool])):
        for between in BETWEEN:
            for threads in plan.THREADS:
                load = ["--threads", str(threads), "--between-ns", str(between)]
                found.append(Cell(f"append/{place}/{between}/{threads}", "appends", load + arguments + short))
    found.append(Cell("kept", "appends", ["--kept-dictionaries", "64"]))
    return found


@dataclass
class Aim:
    limit: float
    is_least: bool = False
    # To the figure at AIMED_FROM; if not, it is about the figure of the present tree itself.
    is_ratio: bool = False

    def text(self, show):
        limit = f"{self.limit:g} of {AIMED_FROM}" if self.is_ratio else show(self.limit)
        return f"at {'least' if self.is_least else 'most'} {limit}"

    def is_met(self, found):
        # As exactly as it is shown.
        found = round(found, 2)
        return found >= self.limit if self.is_least else found <= self.limit


@dataclass
class Row:
    name: str
    # From what one state has found in one round: `of(cell, figure)`.
    value: Callable
    show: Callable
    aim: Aim = None
    # What the other state is asked for instead.
    other: Callable = None


def _figure(key, name):
    return lambda of: of(key, name)


def _quotient(upper, lower):
    """Of two figures, each a cell and a name."""
    return lambda of: of(*upper) / of(*lower)


def _difference(upper, lower):
    return lambda of: of(*upper) - of(*lower)


def _share(of):
    """By how much more than its share of bytes a large message adds to the call."""
    less, more = (
        of(f"growth/message/{size}/idle", "p50") - of(f"growth/message/{size}/noop", "p50")
        for size in (16_000, 100_000)
    )
    return more / less / (100_000 / 16_000)


def _appends(threads):
    return lambda of: threads * 1e9 / of(f"close/{threads}", "loop_mean")


def _bare(place, between, threads):
    return _figure(f"append/{place}/{between}/{threads}", "appends_per_second")


def _bare_rows():
    for place, name in (("memory", "in memory"), ("file", "in files")):
        for between in BETWEEN:
            work = f"some {between} ns of work between" if between else "nothing between"
            for threads in plan.THREADS:
                yield Row(f"bare appends/s {name}, {work}, {threads} thread{'s' if threads > 1 else ''}",
                          _bare(place, between, threads), rate)


def _times(value):
    return f"{value:.2f}"


def _bytes(value):
    return f"{value:.1f}"


def _mebibytes(kibibytes):
    return f"{kibibytes / 1024:.1f} MiB"


COUNTING = "calls/full/4/counting"
ONE_THREAD = "delivery/1/http-lz4"
WIRE = "wire_bytes_per_log"
ROWS = [
    Row("call mean, 4 threads, as fast as they go, LZ4 and counting transport", _figure(COUNTING, "mean"), figures.time,
        Aim(0.62, is_ratio=True)),
    Row("of that, times cheaper than StreamLogHandler to /dev/null",
        _quotient(("calls/full/4/stream-null", "mean"), (COUNTING, "mean")), _times, Aim(9, is_least=True)),
    Row("p99.9 of the same", _figure(COUNTING, "p999"), figures.time, Aim(0.5, is_ratio=True)),
    Row("p99.9 at 100,000 logs/s on 4 threads, against p99 without senders",
        _quotient(("calls/steady/4/http-lz4", "p999"), ("calls/steady/4/idle", "p99")), _times, Aim(4)),
    Row("instructions added, reference", _figure("instructions/reference", "added"), rate, Aim(3200)),
    Row("instructions added, wide", _figure("instructions/wide", "added"), rate, Aim(8000)),
    Row("instructions added, short", _figure("instructions/short", "added"), rate, Aim(1300)),
    Row("added p50, 1 thread", _difference(("calls/full/1/counting", "p50"), ("calls/full/1/noop", "p50")),
        figures.time, Aim(300)),
    Row("logs/s through LZ4 and HTTP, 1 thread", _figure(ONE_THREAD, "logs_per_second"), rate,
        Aim(1.15, is_least=True, is_ratio=True)),
    Row("logs/s through LZ4 and HTTP, 2 threads", _figure("delivery/2/http-lz4", "logs_per_second"), rate,
        Aim(1.35, is_least=True, is_ratio=True)),
    Row("logs/s through LZ4 and HTTP, 4 threads", _figure("delivery/4/http-lz4", "logs_per_second"), rate,
        Aim(1.35, is_least=True, is_ratio=True)),
    Row("CPU for each log end to end, 1 thread", _figure(ONE_THREAD, "cpu_per_log"), figures.time,
        Aim(0.85, is_ratio=True)),
    Row("1,000 topics against 1, p50", _quotient(("growth/topics/1000/idle", "p50"), ("growth/topics/1/idle", "p50")),
        _times, Aim(1.3)),
    Row("peak memory of 10 records each for 1,000 topics, over that of as many for 1",
        _difference(("held/1000", "peak_rss_kib"), ("held/1", "peak_rss_kib")), _mebibytes, Aim(0.5, is_ratio=True)),
    Row("100,000-byte message against its share, one of 16,000 being the measure", _share, _times, Aim(1.1)),
    Row("`.process` against `.memory`, p50 at 100,000 logs/s, 1 thread",
        _quotient(("spool/1", "p50"), ("calls/steady/1/idle", "p50")), _times, Aim(1.05)),
    Row("`.process` against `.memory`, p50 at 100,000 logs/s, 4 threads",
        _quotient(("spool/4", "p50"), ("calls/steady/4/idle", "p50")), _times, Aim(1.1)),
    Row("appends/s with next to no work between them, 1 thread", _appends(1), rate),
    Row("appends/s with next to no work between them, 2 threads", _appends(2), rate),
    Row("these 2 threads, against 1 thread there", _appends(2), rate, Aim(1.3, is_least=True, is_ratio=True),
        other=_appends(1)),
    *_bare_rows(),
    Row("bare appends/s in memory, nothing between, 2 threads against 1 thread there", _bare("memory", 0, 2), rate,
        Aim(1.3, is_least=True, is_ratio=True), other=_bare("memory", 0, 1)),
    Row("wire bytes for each log, 64 dictionaries kept alive", _figure("kept", WIRE), _bytes, Aim(0.92, is_ratio=True)),
    Row("wire bytes for each log, each dictionary where the last one was", _figure("calls/full/1/counting", WIRE),
        _bytes, Aim(1, is_ratio=True)),
    Row("wire bytes for each log, 2 threads", _figure("delivery/2/http-lz4", WIRE), _bytes),
]


@dataclass
class State:
    """One of the two, built."""

    name: str
    programs: Path
    # Where its bare appends are; the folder is empty if these sources did not compile against it.
    appends: Path
    gates: Path
    # The words of the help of its `measure`, which has all of its options and subjects.
    words: set = None
    can_append: bool = False
    instructions: dict = None

    def __post_init__(self):
        done = subprocess.run([self.programs / "measure", "--help"], capture_output=True, text=True, check=True)
        self.words = set(re.findall(r"[\w-]+", done.stdout))
        self.can_append = (self.appends / "appends").exists()
        counts = instructions.count(self.gates) if self.gates else {}
        self.instructions = {f"instructions/{name}": {"added": ours - noop} for name, (noop, ours) in counts.items()}

    def programs_for(self, cell):
        return self.appends if cell.subject == "appends" else self.programs

    def can_measure(self, cell):
        if cell.subject == "appends":
            return self.can_append
        options = [argument for argument in cell.arguments if argument.startswith("--")]
        return self.words.issuperset([plan.SUBJECTS[cell.subject][1][0], *options])


def measure(other, own, end, is_quick):
    """For each round until `end` what the other state has found and what the present one has, by cell."""
    rounds, longest = [], 0
    with tempfile.TemporaryDirectory(prefix="measure-") as spool, run.Sink(own.programs) as sink:
        all_cells = cells(spool)
        while is_quick or time.monotonic() + longest < end:
            start = time.monotonic()
            found = {state.name: dict(state.instructions) for state in (other, own)}
            for number, cell in enumerate(all_cells, 1):
                run.progress(f"round {len(rounds) + 1}, {number} of {len(all_cells)}")
                _measure(cell, (other, own) if len(rounds) % 2 == 0 else (own, other), own, sink, found)
            rounds.append((found[other.name], found[own.name]))
            longest = max(longest, time.monotonic() - start)
            if is_quick and len(rounds) == QUICK_ROUNDS:
                break
    run.progress("")
    return rounds


def _measure(cell, states, own, sink, found):
    if cell.subject in PEERS:
        figures_ = run.run_cell(cell.key, cell.subject, cell.arguments, own.programs, sink)
        for state in states:
            found[state.name][cell.key] = figures_
        return
    for state in states:
        if state.can_measure(cell):
            key = f"{cell.key} of {state.name}"
            programs = state.programs_for(cell)
            found[state.name][cell.key] = run.run_cell(key, cell.subject, cell.arguments, programs, sink)


def _value(value, found):
    """`None` if this state or this round has no such figure."""
    try:
        return value(lambda key, name: found[key][name])
    except (KeyError, ZeroDivisionError):
        return None


def _row(row, rounds, is_aimed_from):
    others = [_value(row.other or row.value, other) for other, _ in rounds]
    owns = [_value(row.value, own) for _, own in rounds]
    ratios = [own / other for other, own in zip(others, owns) if own is not None and other is not None and other > 0]
    middles = [median(known) if (known := [v for v in values if v is not None]) else None for values in (others, owns)]
    ratio = None
    if ratios:
        low, ratio, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    aim = met = ""
    if row.aim:
        aim = row.aim.text(row.show)
        found = middles[1] if not row.aim.is_ratio else ratio if is_aimed_from else None
        met = "" if found is None else "yes" if row.aim.is_met(found) else "**no**"
    shown = [CANNOT if middle is None else row.show(middle) for middle in middles]
    return [row.name, *shown, figures.factor((ratio, low, high)) if ratios else "", aim, met]


def report(other, own, rounds):
    """The table, and below it what would make it worthless."""
    rows = [_row(row, rounds, other.name.startswith(AIMED_FROM)) for row in ROWS]
    head = ["figure", other.name, own.name, "ratio", "aim", "met"]
    dropped = []
    for index, state in enumerate((other, own)):
        total = sum(found.get("dropped", 0) for round_ in rounds for found in round_[index].values())
        dropped.append(f"{total:,.0f} of {state.name}")
    return (
        f"Medians of {len(rounds)} rounds. A ratio is how many times {other.name} the present tree is, pair by pair, "
        "each measured right after the other: the median, and in brackets the quartiles.\n\n"
        f"{table(head, rows)}\n\nRecords dropped in all rounds: {' and '.join(dropped)}."
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=Path)
    parser.add_argument("appends", type=Path)
    parser.add_argument("gates", type=Path)
    parser.add_argument("commit")
    parser.add_argument("other_programs", type=Path)
    parser.add_argument("other_appends", type=Path)
    parser.add_argument("other_gates", type=Path, nargs="?")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    watch = stamp.Watch()
    begin = time.monotonic()
    other = State(options.commit, options.other_programs, options.other_appends, options.other_gates)
    own = State(stamp.commit(), options.programs, options.appends, options.gates)
    if own.name == other.name:
        own.name += " once more"  # to see what a ratio says
    rounds = measure(other, own, begin + LIMIT * 60, options.quick)
    print(f"benchmark: {(time.monotonic() - begin) / 60:.1f} minutes after the builds\n", flush=True)
    print(stamp.text({"all": {"stamp": watch.stamp()}}) + "\n")
    print(report(other, own, rounds))


if __name__ == "__main__":
    main()
