# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What may happen to a spool on each file system, with room and without; see Scripts/chaos --volumes.

Whoever runs this sees what is mounted alone. A line counts as acknowledged if it is in a file when its process is killed,
or if the process said at its shutdown that it is in the spool.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

import harness
from harness import Broken, check, is_ordered, repeated, spooling, wait_until

SYSTEMS = ("ext4", "xfs", "btrfs", "tmpfs")
# The smallest that xfs can be made in.
MEGABYTES = 320
NOBODY = 65534
GROUP = 4242
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
IN_GROUP = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={GROUP}"]
EVENTS = {}


class KnownLimit(Exception):
    """Not kept, and the fault of the kernel; the guide says so."""


def event(story):
    """Marks a function as what happens; the text is for those who watch."""

    def mark(body):
        EVENTS[body.__name__.replace("_", "-")] = (story, body)
        return body

    return mark


class Disk:
    """A file system of its own, in a file or in memory."""

    def __init__(self, world, system, mode=0o755):
        self.world, self.system = world, system
        self.place = world.folder / "disk"
        self.place.mkdir()
        if system == "tmpfs":
            self.mount("-t", "tmpfs", "-o", f"size={MEGABYTES}m", "volumes")
        else:
            image = world.folder / "disk.img"
            with open(image, "wb") as file:
                file.truncate(MEGABYTES << 20)
            force = "-F" if system == "ext4" else "-f"
            subprocess.run([f"mkfs.{system}", force, "-q", image], check=True, capture_output=True)
            # The kernel lets go of the loop device with the last mount.
            self.mount("-o", "loop", image)
        self.place.chmod(mode)

    def mount(self, *arguments):
        subprocess.run(["mount", *map(str, arguments), str(self.place)], check=True, capture_output=True)
        self.world.on_leave(lambda: subprocess.run(["umount", "-l", self.place], capture_output=True))

    def fill(self):
        """Takes all room, to the last block."""
        for number, size in enumerate((1 << 20, 1 << 16, 4096, 512)):
            try:
                with open(self.place / f"ballast-{number}", "wb", buffering=0) as file:
                    while True:
                        file.write(b"\1" * size)
            except OSError:
                pass
        os.sync()


class Run:
    """One event on one file system."""

    def __init__(self, world, system, is_full, count):
        self.world, self.is_full, self.count = world, is_full, count
        self.disk = Disk(world, system)
        self.spool = self.disk.place / "spool"

    def leave(self, spool=None, prefix=(), **settings):
        """A process that logs without an endpoint and is killed. All it has logged is in files."""
        spool = spool or self.spool
        size = 400
        probe = self.world.start(f"log:count={self.count},bytes={size} wait:0.3 statistics die",
                                 spooling(spool, **settings), prefix=prefix)
        probe.wait(60)
        there = set(self.world.spooled(spool))
        if probe.event("statistics").get("isSpoolUnavailable") or len(there) != self.count:
            raise Broken(f"of {self.count} lines {len(there)} are in files: {first(probe.told)}")
        if self.is_full:
            self.disk.fill()

    def recover(self, spool=None, prefix=(), limit=25, **settings):
        """Another process delivers; returns what it told."""
        endpoint = self.world.serve()
        mark = self.world.folder / f"enough-{self.world.next_number()}"
        probe = self.world.start(f"await:{mark} shutdown:3 statistics", spooling(spool or self.spool, endpoint, **settings),
                                 prefix=prefix, limit=60)
        numbers = []

        def enough():
            numbers[:] = endpoint.numbers()
            return len(set(numbers)) >= self.count or probe.process.poll() is not None

        wait_until(enough, limit, step=0.3)
        mark.touch()
        probe.finish()
        return self.judge(endpoint.numbers()), probe.told

    def judge(self, numbers):
        check(len(set(numbers)) == self.count, f"of {self.count} acknowledged lines {len(set(numbers))} were delivered")
        check(is_ordered(numbers), f"{len(set(numbers))} lines out of order")
        return f"{self.count} of {self.count} lines delivered"


def first(text):
    return (text.splitlines() or ["not a word"])[0][:300]


@event("killed, and started again")
def restart(run):
    run.leave()
    if run.disk.system == "btrfs":
        for folder in run.spool.glob("**/producer-*"):
            told = subprocess.run(["lsattr", "-d", folder], capture_output=True, text=True).stdout
            check("C" in told.split(" ")[0], f"a folder on btrfs is not without copy-on-write: {told.strip()}")
    return run.recover()[0]


@event("the disk fills up under a process that goes on")
def fills(run):
    mark, port = run.world.folder / "full", run.world.serve()
    port.kill()
    probe = run.world.start(
        f"log:count={run.count},bytes=400 wait:0.3 statistics await:{mark} log:count=200,bytes=400 settle:30 shutdown:5",
        spooling(run.spool, port.url), limit=90)
    probe.wait_for("statistics")
    run.disk.fill()
    mark.touch()
    time.sleep(1)
    endpoint = run.world.serve(port=port.port)
    if run.disk.system == "btrfs" and not probe.wait():
        seen = waits_for_btrfs(probe)
        delivered = set(endpoint.numbers())
        later = run.world.serve()
        run.world.start("wait:8 settle:10 shutdown:3", spooling(run.spool, later)).finish()
        missing = set(range(run.count)) - delivered - set(later.numbers())
        check(not missing, f"{len(missing)} of {run.count} acknowledged lines were lost with the process that was killed")
        raise KnownLimit(f"{seen}; all {run.count} acknowledged lines were delivered")
    probe.finish()
    run.count += 200
    return run.judge(endpoint.numbers())


def waits_for_btrfs(probe):
    """Kills a process whose log call never returns, if it is the kernel that does not get on; what was seen."""
    share = kernel_stacks(probe.process.pid)
    faults = f"a thread of it is in btrfs_page_mkwrite in {share:.0%} of the samples"
    check(share > 0.2, f"the process had not ended after {probe.limit} s, and not for btrfs: {faults}")
    probe.kill()
    return f"a log call never returned ({faults}) until the process was killed"


def kernel_stacks(process, samples=300):
    """The part of the time in which a thread of the process is in btrfs for a page that it writes to."""
    seen = 0
    for _ in range(samples):
        for stack in pathlib.Path(f"/proc/{process}/task").glob("*/stack"):
            with contextlib.suppress(OSError):
                if "btrfs_page_mkwrite" in stack.read_text():
                    seen += 1
                    break
        time.sleep(0.01)
    return seen / samples


@event("Kubernetes gives the volume to a group (fsGroup)")
def fs_group(run):
    run.leave(prefix=AS_NOBODY, spool=prepared(run))
    # What the kubelet does with a volume before a container starts.
    subprocess.run(["chown", "-R", f":{GROUP}", run.spool], check=True)
    subprocess.run(["chmod", "-R", "g+rwXs", run.spool], check=True)
    told = start_and_stop(run, IN_GROUP)
    check(re.search(rf"\b{run.count} records\b.*chmod", told), f"told without permission: {first(told)}")
    return "told with number and command; with spool.permits group " + run.recover(prefix=IN_GROUP, spool__permits="group")[0]


@event("the directory is given to another user, and not what is in it")
def another_user(run):
    run.leave()
    os.chown(run.spool, NOBODY, NOBODY)
    told = start_and_stop(run, AS_NOBODY)
    cure = re.search(r"; (chown -R .*)$", told, re.MULTILINE)
    check(cure, f"told: {first(told)}")
    # What it says to do is done, and helps.
    subprocess.run(shlex.split(cure.group(1)), check=True)
    return f"told, with the command that cures it; {run.recover(prefix=AS_NOBODY)[0]}"


@event("the spool directory is the mount point itself, root's and everybody's to write to")
def mount_point(run):
    run.disk.place.chmod(0o1777)
    run.leave(run.disk.place, prefix=AS_NOBODY)
    return run.recover(run.disk.place, prefix=AS_NOBODY)[0]


@event("replayed by root for another user")
def replay(run):
    run.leave(prefix=AS_NOBODY, spool=prepared(run))
    endpoint = run.world.serve()
    tool = run.world.run_tool("spool", "replay", run.spool, "--endpoint", endpoint.url, "--timeout", "20")
    seen = run.judge(endpoint.numbers())
    check(tool.returncode == 0, f"exit {tool.returncode}: {tool.stdout}{tool.stderr}")
    owners = {path.stat().st_uid for path in run.spool.glob("**/*")}
    check(owners <= {NOBODY}, f"left files of {owners}")
    return seen


@event("the lock file of a living process is swept away, and another process starts")
def lock_removed(run):
    port, mark = run.world.serve(), run.world.folder / "second"
    port.kill()
    settings = spooling(run.spool, port.url, delivery__initialBackoffSeconds=3, delivery__maximumBackoffSeconds=3)
    living = run.world.start(f"log:count={run.count},bytes=400 wait:0.3 statistics await:{mark} settle:30 shutdown:5",
                             settings, limit=90)
    living.wait_for("statistics")
    for lock in run.spool.glob("**/lock"):
        lock.unlink()
    if run.is_full:
        run.disk.fill()
    # It looks at once; there is no endpoint yet.
    second = run.world.start("wait:2 settle:10 shutdown:5", settings, limit=60)
    time.sleep(1)
    endpoint = run.world.serve(port=port.port)
    mark.touch()
    second.finish()
    living.finish()
    numbers = endpoint.numbers()
    check(repeated(numbers) == 0, f"{repeated(numbers)} lines were delivered twice")
    return run.judge(numbers) + ", none twice"


@event("the folder is removed under a process, which logs on and is stopped")
def folder_removed(run):
    mark = run.world.folder / "removed"
    probe = run.world.start(f"log:count={run.count},bytes=400 wait:0.3 statistics await:{mark} log:count=200,bytes=400 "
                            "wait:1.5 shutdown:1", spooling(run.spool), limit=60)
    probe.wait_for("statistics")
    shutil.rmtree(run.spool)
    if run.is_full:
        run.disk.fill()
    mark.touch()
    if run.disk.system == "btrfs" and run.is_full and not probe.wait():
        raise KnownLimit(f"{waits_for_btrfs(probe)}, with no report of a folder that is gone")
    probe.finish()
    report = probe.event("shutdown")
    there = len(set(run.world.spooled(run.spool))) if run.spool.exists() else 0
    dropped = sum(report["dropped"].values())
    check(report["spooled"] <= there, f"{report['spooled']} lines are told to be in the spool, and {there} are there")
    check(there + dropped >= run.count + 200, f"{there} lines in the spool and {dropped} counted as dropped of {run.count + 200}")
    return f"{report['spooled']} told to be in the spool, {there} there, {dropped} counted as dropped"


def prepared(run):
    """The spool directory, made for nobody."""
    run.spool.mkdir(mode=0o700)
    os.chown(run.spool, NOBODY, NOBODY)
    return run.spool


def start_and_stop(run, prefix):
    """What a start tells that cannot use what is there."""
    endpoint = run.world.serve()
    told = run.world.start("wait:2 shutdown:2", spooling(run.spool, endpoint), prefix=prefix).finish().told
    check(not endpoint.numbers(), "delivered without permission")
    return told


# One of each, on one file system or another.
SHORT = [("xfs", True, "restart"), ("ext4", False, "lock-removed"), ("btrfs", True, "restart"),
         ("tmpfs", False, "another-user"), ("ext4", True, "fs-group"), ("tmpfs", True, "mount-point"),
         ("xfs", False, "replay"), ("ext4", True, "fills")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--probe", type=pathlib.Path, required=True)
    parser.add_argument("--short", action="store_true", help="a part of it, in less than a minute")
    parser.add_argument("--only", action="append", default=[], help="one event, or one file system")
    parser.add_argument("--count", type=int, help="how many lines")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    rows = SHORT if arguments.short else [(system, is_full, name) for name in EVENTS for system in SYSTEMS
                                          for is_full in (False, True) if name != "fills" or is_full]
    if arguments.only:
        rows = [row for row in rows if row[0] in arguments.only or row[2] in arguments.only]
    started, failed, known, told = time.monotonic(), 0, 0, set()
    for system, is_full, name in rows:
        story, body = EVENTS[name]
        if name not in told:
            print(f"{name}: {story}", flush=True)
            told.add(name)
        world = harness.World(arguments.tool, arguments.probe, keep=arguments.keep)
        try:
            seen, outcome = body(Run(world, system, is_full, arguments.count or (2000 if arguments.short else 5000))), "kept"
        except KnownLimit as limit:
            seen, outcome, known = str(limit), "KNOWN", known + 1
        except (Broken, subprocess.SubprocessError) as error:
            seen, outcome, failed = str(error), "LOST", failed + 1
        finally:
            world.leave()
        print(f"  {outcome:5} {system:5} {'full' if is_full else 'room':4} {seen}", flush=True)
    print(f"volumes: {len(rows)} runs, {failed} with a violation, {known} with a known limit of the kernel; {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
