# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Says what was measured, when, on which machine, and how busy the machine was with other things."""

import datetime
import os
import platform
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What the figures depend on. A commit that changes none of it leaves them as they are.
MEASURED = (
    "Package.swift", "Sources", "Benchmarks/Package.swift", "Benchmarks/Sources", "Benchmarks/Gates",
    "Benchmarks/Pipeline", "Benchmarks/Report/plan.py",
)


def commit():
    """The last commit that has changed what is measured; with a mark if there are changes that are in none."""
    found = _git("log", "-1", "--format=%h", "--", *MEASURED)
    if not found:
        return "no commit"
    return found + (" with changes" if _git("status", "--porcelain", "--", *MEASURED) else "")


def _git(*arguments):
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine():
    """What the figures were measured on."""
    model = re.search(r"^model name\s*:\s*(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _read("/proc/meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.*)"$', _read("/etc/os-release"), re.MULTILINE)
    version = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    swift = re.search(r"Swift version (\S+)", version)
    parts = [
        f"{os.cpu_count()} cores of {model[1].strip()}" if model else f"{os.cpu_count()} cores of {platform.machine()}",
        f"{int(memory[1]) / 2**20:.0f} GiB" if memory else None,
        system[1] if system else platform.system(),
        f"Linux {platform.release().split('-')[0]}",
        f"Swift {swift[1]}, release build" if swift else None,
    ]
    return ", ".join(part for part in parts if part)


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


class Watch:
    """Measures which share of the machine others have taken while a part ran: what all its processors have done less
    what this process and its children have."""

    def __init__(self):
        self.start = time.monotonic()
        self.busy = _busy_seconds()
        self.own = _own_seconds()

    def stamp(self):
        elapsed = time.monotonic() - self.start
        others = (_busy_seconds() - self.busy) - (_own_seconds() - self.own)
        return {
            "commit": commit(),
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "others": max(0.0, others / (elapsed * (os.cpu_count() or 1))),
            "seconds": elapsed,
        }


def _busy_seconds():
    """User, nice, system and stolen time. Interrupts are nobody's, and many of them are for our own packets."""
    fields = [int(field) for field in _read("/proc/stat").split("\n", 1)[0].split()[1:]]
    stolen = fields[7] if len(fields) > 7 else 0
    return (sum(fields[:3]) + stolen) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def text(parts):
    """Where and when `parts` were measured, for above the tables."""
    stamps = {name: part["stamp"] for name, part in parts.items()}
    lines = []
    for date, commit_, machine_ in dict.fromkeys((s["date"], s["commit"], s["machine"]) for s in stamps.values()):
        names = [n for n, s in stamps.items() if (s["date"], s["commit"], s["machine"]) == (date, commit_, machine_)]
        which = "" if len(names) == len(stamps) else f" ({', '.join(names)})"
        lines.append(f"{date}, commit {commit_}{which}: {machine_}.")
    others = ", ".join(f"{stamp['others']:.0%} in {name}" for name, stamp in stamps.items())
    lines.append(f"Other programs took this share of the machine meanwhile: {others}.")
    return "\n\n".join(lines)


def require_one_tree(parts):
    """Gives up unless all parts are of one commit and one machine."""
    stamps = {name: part["stamp"] for name, part in parts.items()}
    kinds = {(stamp["commit"], stamp["machine"]) for stamp in stamps.values()}
    list_ = "".join(f"\n  {name}: commit {stamp['commit']}, {stamp['machine']}" for name, stamp in stamps.items())
    if len(kinds) > 1:
        sys.exit(f"the parts are not of one commit on one machine; measure the older ones again:{list_}")
    if any(stamp["commit"].endswith(" with changes") for stamp in stamps.values()):
        sys.exit(f"what was measured is in no commit; commit it and measure again:{list_}")
