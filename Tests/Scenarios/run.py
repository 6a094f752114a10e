# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the scenarios; see Scripts/scenarios."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import harness
# Imported for what they define, in this order.
import slow_link  # noqa: F401
import answers  # noqa: F401
import waits  # noqa: F401
import volumes  # noqa: F401


def may_mount():
    """Whether this process can mount something, and have a child see another file in the place of one.

    Root in a container often cannot.
    """
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    trial = ["unshare", "--mount", "sh", "-c", "mount --bind /etc/hosts /etc/hosts"]
    if subprocess.run(trial, capture_output=True).returncode:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode:
            return False
        return subprocess.run(["umount", "-l", folder], capture_output=True).returncode == 0


def run(scenario, arguments):
    """Returns the outcome and what was seen."""
    there = {"root": os.geteuid() == 0, "mount": arguments.may_mount, "--other-probe": arguments.other_probe,
             "--fast-probe": arguments.fast_probe,
             "authorities": os.path.exists(harness.AUTHORITIES)}
    missing = [need for need in scenario.needs if not (there[need] if need in there else shutil.which(need))]
    if missing:
        return "skipped", f"needs {', '.join(missing)}", 0
    started = time.monotonic()
    world = harness.World(arguments.tool, arguments.probe, arguments.other_probe, arguments.fast_probe, arguments.keep)
    try:
        outcome, seen = "kept", scenario.body(world)
    except harness.Broken as broken:
        outcome, seen = "BROKEN", str(broken)
    except harness.Skipped as skipped:
        outcome, seen = "skipped", str(skipped)
    except Exception as error:
        outcome, seen = "FAILED", f"the scenario itself: {error!r}"
        if arguments.keep:
            traceback.print_exc()
    finally:
        world.leave()
    if arguments.keep:
        seen += f" [{world.folder}]"
    return outcome, seen, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=pathlib.Path)
    parser.add_argument("--probe", type=pathlib.Path)
    parser.add_argument("--other-probe", type=pathlib.Path)
    parser.add_argument("--fast-probe", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.only:
        chosen = [each for each in harness.SCENARIOS.values() if any(map(each.name.startswith, arguments.only))]
    else:
        chosen = [each for each in harness.SCENARIOS.values()
                  if arguments.long or not each.long and (each.short or not arguments.short)]
    if arguments.list:
        for each in chosen:
            print(f"{each.name:32} {each.section:4} {each.promise}{' (long)' if each.long else ''}")
        return 0
    if not chosen:
        print("scenarios: none has that name; --list --long tells them", file=sys.stderr)
        return 2
    arguments.may_mount = may_mount()
    outcomes, again, skipped = [], [], []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(run, each, arguments): each for each in chosen}
        for done in concurrent.futures.as_completed(runs):
            outcome, seen, seconds = done.result()
            if outcome in ("BROKEN", "FAILED") and arguments.jobs > 1:
                # Others that run beside it take a processor's time, and some promises are about time.
                again.append(runs[done])
                outcome = "again"
            else:
                outcomes.append(outcome)
                if outcome == "skipped":
                    skipped.append(runs[done].name)
            print(f"{outcome:7} {runs[done].name}: {seen} ({seconds:.0f} s)", flush=True)
    for each in again:
        outcome, seen, seconds = run(each, arguments)
        outcomes.append(outcome)
        print(f"{outcome:7} {each.name}, by itself: {seen} ({seconds:.0f} s)", flush=True)
    counts = ", ".join(f"{outcomes.count(each)} {each.lower()}" for each in ("kept", "BROKEN", "FAILED", "skipped"))
    print(f"scenarios: {counts}" + (f" ({', '.join(sorted(skipped))})" if skipped else ""))
    # Where nothing could be shown, nothing has been.
    return 1 if "BROKEN" in outcomes or "FAILED" in outcomes or "kept" not in outcomes else 0


sys.exit(main())
