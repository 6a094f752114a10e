# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Where the time goes: samples of what the processor executes, by what it belongs to, and misses of the caches.

Samples are taken by `perf` with the system's clock, which needs no counters of the processor's; where it may not, that
half is left out. Cache misses are counted by callgrind, in caches that it simulates.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from figures import time
from plan import SUBJECTS
from run import Sink, run_cell
from tables import table

# What is looked into: a name for the table, the subject, its arguments.
LOADS = {
    "to the sink, 1 thread": ("http-lz4", ["--threads", "1", "--untimed"]),
    "to the sink, 2 threads": ("http-lz4", ["--threads", "2", "--untimed"]),
    "counting transport, 1 thread": ("counting", ["--threads", "1", "--untimed"]),
    "1 topic": ("idle", ["--topics", "1", "--untimed"]),
    "1,000 topics": ("idle", ["--topics", "1000", "--linger-ms", "250", "--untimed"]),
    "16,000-byte messages": ("idle", ["--message-bytes", "16000", "--untimed"]),
    "100,000-byte messages": ("idle", ["--message-bytes", "100000", "--untimed"]),
}
RATE = 1999
# The same everywhere: two first caches, and a second one of the size that a core has for itself.
CACHES = ("--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=1048576,16,64")

# The first that fits: what it is, a pattern for the file that the code is in, and one for the function's name.
KINDS = [
    ("the kernel: sockets, memory, switches", r"^\[", r""),
    ("compression", r"liblz4|libz\.", r""),
    ("the clock", r"\[vdso\]", r""),
    ("the clock", r"", r"clock_gettime|clock_getres"),
    ("allocation", r"", r"^_*(libc_)?(malloc|calloc|realloc|free|cfree|memalign|posix_memalign|aligned_alloc)|^_int_"
                        r"|malloc_consolidate|unlink_chunk|tcache|swift_(slow)?(alloc|dealloc)|swift_\w*[dD]ealloc"
                        r"|swift_allocObject|sysmalloc|systrim|^munmap|^mmap|^madvise"),
    ("copying and clearing memory", r"", r"^_*(mem(cpy|move|set|cmp)|explicit_bzero)"),
    ("counting references", r"", r"swift_\w*(retain|release)|swift_bridgeObject|RefCount|swift_isUniquely"),
    ("locks", r"", r"pthread_(mutex|cond|rwlock)|_lll_|lll_lock|lll_unlock|futex"),
    ("tasks and threads", r"libswift_Concurrency|libdispatch", r""),
    ("tasks and threads", r"", r"swift_task|swift_job|swift_continuation|pthread"),
    ("AsyncHTTPClient and NIO", r"", r"^\$s\w*?(NIO|AsyncHTTPClient|AHC)|^c_nio|llhttp"),
    ("dictionaries, strings, other parts of Swift's library", r"libswiftCore|libswift\w*\.so", r""),
    ("this library", r"", r"^\$s11WebTracking|WebTracking"),
    ("swift-log", r"", r"^\$s7Logging"),
    ("the record: the message and the dictionary are made", r"", r"ReferenceRecords|BenchmarkSupport|measure"),
    ("dictionaries, strings, other parts of Swift's library", r"", r"^\$s[sS]"),
]


def run(programs, gates, quick):
    samples = _sampled(programs, quick) if _may_sample() else None
    if samples is None:
        print("benchmark: perf cannot take samples here; the profile is without them", file=sys.stderr)
    return {"samples": samples, "caches": {name: _caches(gates, name) for name in ("topics-1", "topics-1000")}}


# MARK: Samples


def _may_sample():
    with tempfile.NamedTemporaryFile() as file:
        command = ["perf", "record", "-e", "cpu-clock", "-o", file.name, "--", "true"]
        try:
            done = subprocess.run(command, capture_output=True)
        except OSError:
            return False
        return done.returncode == 0


def _sampled(programs, quick):
    found = {}
    with Sink(programs) as sink, tempfile.TemporaryDirectory() as folder:
        for name, (subject, arguments) in LOADS.items():
            path = Path(folder) / "samples"
            timing = ["--warm-up", "0.2", "--seconds", "0.5" if quick else "2"]
            wrapper = ["perf", "record", "-e", "cpu-clock", "-F", str(RATE), "-o", str(path), "--"]
            figures = run_cell(name, subject, arguments + timing, programs, sink, wrapper)
            kinds, total = _read(path)
            if total == 0:
                return None
            found[name] = {"cpu_per_log": figures["cpu_per_log"], "samples": total, "kinds": kinds}
    return found


def _read(path):
    """The shares of all samples, by kind, and how many there are."""
    command = ["perf", "script", "-i", str(path), "-F", "ip,sym,dso"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, errors="replace")
    kinds = Counter()
    for line in done.stdout.splitlines():
        match = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)\s*$", line)
        if not match:
            continue
        kinds[kind(match[2], match[1].strip())] += 1
    total = sum(kinds.values())
    return {name: count / total for name, count in kinds.items()}, total


def kind(file, symbol):
    for name, in_file, in_symbol in KINDS:
        if re.search(in_file, file if file.startswith("[") else Path(file).name) and re.search(in_symbol, symbol):
            return name
    return "other"


# MARK: Caches


def _caches(gates, scenario):
    """Instructions and misses per log, within the logging loop; `None` if valgrind cannot tell."""
    environment = os.environ | {
        "SWIFT_DETERMINISTIC_HASHING": "1",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load",
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "valgrind", "--tool=callgrind", *CACHES, "--toggle-collect=counted_region",
            "--separate-threads=yes", f"--callgrind-out-file={folder}/out", str(gates), "log", scenario, "ours",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
        except OSError:
            return None
        if done.returncode != 0:
            sys.exit(f"valgrind failed\n{done.stderr[-2000:]}")
        logs = int(done.stdout.split()[-1])
        text = (Path(folder) / "out-01").read_text(encoding="utf-8", errors="replace")
    events = re.search(r"^events: (.*)$", text, re.MULTILINE)[1].split()
    totals = dict(zip(events, map(int, re.search(r"^totals: (.*)$", text, re.MULTILINE)[1].split())))
    return {
        "instructions": totals["Ir"] / logs,
        "code": totals["I1mr"] / logs,
        "data": (totals["D1mr"] + totals["D1mw"]) / logs,
        "second": (totals["ILmr"] + totals["DLmr"] + totals["DLmw"]) / logs,
    }


# MARK: Tables


def text(part):
    tables = []
    samples = part["samples"]
    if samples:
        names = list(dict.fromkeys(name for name, _, _ in KINDS)) + ["other"]
        rows = []
        for name in names:
            shares = [load["kinds"].get(name, 0) for load in samples.values()]
            if max(shares) < 0.005:
                continue
            costs = [share * load["cpu_per_log"] for share, load in zip(shares, samples.values())]
            rows.append([name, *(f"{time(cost)}, {share:.0%}" for cost, share in zip(costs, shares))])
        rows.append(["**CPU per log**", *(time(load["cpu_per_log"]) for load in samples.values())])
        tables.append(table(["CPU per log, by what it goes into", *samples], rows))
    caches = {name: found for name, found in part["caches"].items() if found}
    if caches:
        rows = [
            [{"topics-1": "1 topic", "topics-1000": "1,000 topics in turn"}[name], f"{found['instructions']:,.0f}",
             *(f"{found[name]:.1f}" for name in ("code", "data", "second"))]
            for name, found in caches.items()
        ]
        head = ["one log on the calling thread, simulated", "instructions", "cache misses: 32 KiB for code",
                "32 KiB for data", "1 MiB for both"]
        tables.append(table(head, rows))
    return "\n\n".join(tables)
