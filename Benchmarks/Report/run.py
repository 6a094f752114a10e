# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the cells of a part, in turn, as often as the part says: A B C A B C, never A A B B."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from plan import SUBJECTS

# No cell takes longer than a few seconds.
LIMIT = 60


class Sink:
    """The endpoint, a process of its own that ends with ours."""

    def __init__(self, programs):
        self.process = subprocess.Popen(
            [programs / "benchmark-sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def totals(self):
        with urllib.request.urlopen(f"{self.address}/totals", timeout=10) as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def run_part(part, programs):
    """The figures of every cell, a list with one entry for each repetition."""
    results = {cell.key: [] for cell in part.cells}
    with Sink(programs) as sink:
        for repetition in range(1, part.repetitions + 1):
            for number, cell in enumerate(part.cells, 1):
                progress(f"{part.name}: repetition {repetition} of {part.repetitions}, {number} of {len(part.cells)}")
                figures = run_cell(cell.key, cell.subject, cell.arguments, programs, sink)
                results[cell.key].append(figures)
    progress("")
    return results


def run_cell(key, subject, arguments, programs, sink, wrapper=()):
    """What one process finds, started by `wrapper` if there is one."""
    program = programs / program_of(subject)
    before = sink.totals()
    with tempfile.NamedTemporaryFile("r", prefix="measure-") as output:
        command = [*wrapper, program, *SUBJECTS[subject][1], *arguments]
        command += ["--endpoint", sink.address, "--output", output.name]
        with _standard_output(subject) as stdout:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=LIMIT
            )
        if done.returncode != 0:
            sys.exit(f"{key}: {program.name} failed with {done.returncode}\n{done.stderr[-2000:]}")
        figures = {name: float(value) for name, value in (line.strip().split("=") for line in output)}
    after = sink.totals()
    taken = after["records"] - before["records"]
    # What the library says it delivered has to be what the sink has seen, or the figures are worth nothing.
    if "http" in "".join(SUBJECTS[subject][1][:1]) and taken != figures["delivered"]:
        sys.exit(f"{key}: {figures['delivered']:.0f} records delivered, but the sink has taken {taken}")
    if figures.get("transport_bytes", 0) != figures.get("counted_bytes", 0):
        sys.exit(f"{key}: {figures['counted_bytes']:.0f} bytes counted of {figures['transport_bytes']:.0f}")
    if after["bad"] != before["bad"]:
        sys.exit(f"{key}: the sink could not read {after['bad'] - before['bad']} requests")
    return figures


def program_of(subject):
    if subject == "appends":
        return "appends"
    return "measure-urlsession" if subject.startswith("urlsession") else "measure"


class _standard_output:
    """/dev/null, or a pipe that another process reads and drops."""

    def __init__(self, subject):
        self.is_pipe = subject == "stream-pipe"

    def __enter__(self):
        if not self.is_pipe:
            return subprocess.DEVNULL
        self.reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return self.reader.stdin

    def __exit__(self, *_):
        if self.is_pipe:
            self.reader.stdin.close()
            self.reader.wait(timeout=10)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
