# ===----------------------------------------------------------------------===//
#
# This source file is part of the swift-log-webtracking open source project
#
# Licensed under Apache License v2.0. See LICENSE for license information.
#
# SPDX-License-Identifier: Apache-2.0
#
# ===----------------------------------------------------------------------===//

"""Runs the benchmarks, prints the tables, and writes them into the guide. Scripts/benchmark calls this."""

import argparse
import json
import time
from pathlib import Path

import aims
import document
import pipeline
import plan
import run
import tables

ROOT = Path(__file__).resolve().parent.parent.parent
# The parts of the latest runs, so that one of them can be measured again alone.
LATEST = ROOT / "Benchmarks" / ".build" / "latest-run.json"
NAMES = (*plan.PARTS, "pipeline")


def main():
    options = parse()
    latest = json.loads(LATEST.read_text()) if LATEST.exists() else {}
    measured = {}
    for name in options.only or NAMES:
        start = time.monotonic()
        if name == "pipeline":
            measured[name] = pipeline.run(options.quick)
        else:
            measured[name] = run.run_part(plan.PARTS[name](options.quick), options.programs)
        print(f"benchmark: {name} took {time.monotonic() - start:.0f} s", flush=True)
    # Short runs are not for keeping.
    if not options.quick:
        latest.update(measured)
        LATEST.write_text(json.dumps(latest))
    sections = sections_of(measured)
    print()
    for name in document.SECTIONS:
        if name in sections:
            print(sections[name] + "\n")
    if options.write:
        write(latest)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=Path)
    parser.add_argument("--only", action="append", choices=NAMES)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def sections_of(parts):
    sections = {name: tables.TABLES[name](part) for name, part in parts.items() if name in tables.TABLES}
    if "pipeline" in parts:
        sections["pipeline"] = pipeline.table(parts["pipeline"])
    sections["aims"] = aims.aims(parts)
    sections["machine"] = f"{document.today()}: {document.machine()}."
    return sections


def write(parts):
    import plots  # matplotlib takes a second

    guide = ROOT / "Docs" / "Performance.md"
    folder = ROOT / "Docs" / "Performance"
    folder.mkdir(exist_ok=True)
    document.write(guide, sections_of(parts))
    for name, plot in plots.PLOTS.items():
        if name in parts:
            plot(parts[name], folder)
    print(f"benchmark: wrote {guide.relative_to(ROOT)} and the plots beside it")


if __name__ == "__main__":
    main()
