# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the package in Benchmarks/Pipeline, whose benchmarks measure bytes a second."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "Pipeline"

NAMES = {
    "encode/short": "from `logger.info` to bytes in a batch, front end included: short records",
    "encode/reference": "the same, reference records",
    "encode/wide": "the same, wide records",
    "encode/large": "the same, large records",
    "send/none": "a batch of 250 KiB to the transport, and settled: uncompressed",
    "send/lz4": "the same, LZ4",
    "send/deflate": "the same, deflate, level 6",
}


# The longest that the benchmarks take, built.
LIMIT = 300


def run(quick):
    """MB/s of each benchmark: the median, and a quarter of the way from both ends."""
    command = ["swift", "package", "--package-path", PACKAGE, "--disable-sandbox", "benchmark", "run"]
    command += ["--format", "markdown", "--path", "stdout", "--no-progress"]
    if quick:
        command += ["--filter", ".*/(reference|lz4)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        sys.exit(f"the benchmarks of {PACKAGE.name} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return parse(done.stdout)


def parse(text):
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith("### "):
            name = line[4:].strip()
        match = re.match(r"\| MB/s \*? *\| *[\d.]+ \| *([\d.]+) \| *([\d.]+) \| *([\d.]+) \|", line)
        if match and name:
            found[name] = [float(value) for value in match.groups()]
    if not found:
        sys.exit(f"no figures in what the benchmarks of {PACKAGE.name} said:\n{text[-2000:]}")
    return found


def table(part):
    lines = ["| MB/s of JSON, one thread | median | middle half |", "|---|---|---|"]
    for name, what in NAMES.items():
        if name not in part:
            continue
        high, middle, low = part[name]
        lines.append(f"| {what} | {middle:,.0f} | {low:,.0f}–{high:,.0f} |")
    return "\n".join(lines)
