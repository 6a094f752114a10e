# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the benchmarks, prints the tables, and writes them into the guide. Scripts/benchmark calls this."""

import argparse
import json
import sys
import time
from pathlib import Path

import aims
import document
import hotspots
import instructions
import pipeline
import plan
import run
import stamp
import tables

ROOT = Path(__file__).resolve().parent.parent.parent
# The parts of the latest runs, each with where and when it was measured, so that one can be measured again alone.
LATEST = ROOT / "Benchmarks" / ".build" / "latest-run.json"
NAMES = (*plan.PARTS, "pipeline", "profile")
# Minutes, after the builds.
LIMIT = 15


def main():
    options = parse()
    latest = json.loads(LATEST.read_text()) if LATEST.exists() else {}
    # What an older form of this script has left says nothing about where it comes from.
    latest = {name: part for name, part in latest.items() if "stamp" in part}
    measured = {}
    begin = time.monotonic()
    for name in options.only or NAMES:
        watch = stamp.Watch()
        results = measure(name, options)
        if results is None:
            continue
        measured[name] = {"results": results, "stamp": watch.stamp()}
        print(f"benchmark: {name} took {measured[name]['stamp']['seconds']:.0f} s", flush=True)
        # Short runs are not for keeping. Long ones are kept at once: a part that fails takes no other with it.
        if not options.quick:
            latest[name] = measured[name]
            LATEST.write_text(json.dumps(latest))
    minutes = (time.monotonic() - begin) / 60
    print(f"benchmark: {minutes:.1f} minutes in all", flush=True)
    sections = sections_of(measured)
    print()
    for name in document.SECTIONS:
        if name in sections:
            print(sections[name] + "\n")
    if options.write:
        write(latest)
    if minutes > LIMIT:
        sys.exit(f"that is more than {LIMIT} minutes; on a quiet machine, take something out of Report/plan.py")


def measure(name, options):
    if name == "pipeline":
        return pipeline.run(options.quick)
    if name == "profile":
        return hotspots.run(options.programs, options.gates, options.quick)
    results = run.run_part(plan.PARTS[name](options.quick), options.programs)
    if name == "records":
        results["instructions"] = instructions.count(options.gates)
    return results


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=Path)
    parser.add_argument("gates", type=Path)
    parser.add_argument("--only", action="append", choices=NAMES)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def sections_of(parts):
    results = {name: part["results"] for name, part in parts.items()}
    sections = {name: tables.TABLES[name](part) for name, part in results.items() if name in tables.TABLES}
    if "calls" in results:
        sections["slow"] = tables.slow(results["calls"])
    if "pipeline" in results:
        sections["pipeline"] = pipeline.table(results["pipeline"])
    if "profile" in results:
        sections["profile"] = hotspots.text(results["profile"])
    if found := aims.aims(results):
        sections["aims"] = found
    sections["machine"] = stamp.text(parts)
    return sections


def write(parts):
    import plots  # matplotlib takes a second

    stamp.require_one_tree(parts)
    guide = ROOT / "Docs" / "Evidence" / "Performance.md"
    folder = ROOT / "Docs" / "Evidence" / "Performance"
    folder.mkdir(exist_ok=True)
    document.write(guide, sections_of(parts))
    for name, plot in plots.PLOTS.items():
        if name in parts:
            plot(parts[name]["results"], folder)
    print(f"benchmark: wrote {guide.relative_to(ROOT)} and the plots beside it")


if __name__ == "__main__":
    main()
