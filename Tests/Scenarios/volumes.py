# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""A spool on real volumes: other owners, full disks, removed folders, forks, limits."""

import json
import os
import pathlib
import re
import resource
import shutil
import struct
import subprocess
import time

from foreign import Service, error_body, response
from harness import (NOBODY_THERE, Skipped, check, is_ordered, repeated, scenario, spooling, to, wait_until)

NOBODY = 65534
# So that what is resident is what is held: glibc keeps much of what was given back.
GIVES_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "16384", "MALLOC_TRIM_THRESHOLD_": "65536",
              "MALLOC_TOP_PAD_": "0"}
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def leave_records(world, spool, count=300, commands="", prefix=(), size=100, **settings):
    """A producer that died with this many records in its folder; returns the folder."""
    before = set(folders(spool))
    probe = world.start(f"log:count={count},bytes={size} wait:0.3 {commands} die", spooling(spool, **settings), prefix=prefix)
    probe.wait(60)
    new = sorted(set(folders(spool)) - before)
    return new[0] if new else None


def folders(spool):
    return [path for path in pathlib.Path(spool).glob("**/producer-*") if path.is_dir()]


def recover(world, spool, endpoint, seconds=10, name="line", prefix=(), **settings):
    """Another start, which logs nothing but one line."""
    commands = f"log:count=1,name=start wait:{seconds} shutdown:1 statistics"
    return world.start(commands, spooling(spool, endpoint, **settings), prefix=prefix, limit=seconds + 30)


def wait_for_delivery(world, endpoint, count, limit):
    wait_until(lambda: len(set(endpoint.numbers())) >= count, limit, step=0.5)
    return endpoint.numbers()


# Replay.


def waiting_in(world, spool):
    """How many records its files hold, by their own list: quicker than reading them."""
    lines = world.run_tool("spool", "list", spool).stdout.splitlines()
    return sum(int(line.split("\t")[2]) for line in lines if line.split("\t")[1] in ("dead", "alive"))


@scenario("3.1", "A replay that cannot deliver drops nothing, however much there is (1.65 GB)", long=True)
def replay_beyond_1_gib(world):
    spool = world.spool()
    for _ in range(4):
        leave_records(world, spool, 47_200, size=8_300, spool__maximumBytes=1 << 33, memoryLimit=1 << 30)
    total = waiting_in(world, spool)
    run = world.run_tool("spool", "replay", spool, "--endpoint", NOBODY_THERE, "--timeout", "20", limit=300)
    left = waiting_in(world, spool)
    return check(total > 188_000 and left == total and run.returncode != 0,
                 f"{total} records, {left} left after a replay to a dead endpoint: {run.stdout.strip()} (exit {run.returncode})")


@scenario("3.1", "A replay drops nothing for its age", short=True)
def replay_of_old_records(world):
    spool = world.spool()
    folder = leave_records(world, spool, 50)
    # Two years old, by the time in the header. Its check covers it, so the file is written by an old clock instead.
    if not shutil.which("faketime"):
        raise Skipped("needs faketime")
    shutil.rmtree(folder)
    leave_records(world, spool, 50, prefix=["faketime", "2024-01-05 10:00:00"])
    endpoint = world.serve()
    run = world.run_tool("spool", "replay", spool, "--endpoint", endpoint.url, "--timeout", "20")
    return check(len(set(endpoint.numbers())) == 50, f"{len(set(endpoint.numbers()))} of 50 delivered: {run.stdout.strip()}")


@scenario("3.1", "A replay to a project that is forbidden drops nothing, and delivers all once it is not", short=True)
def replay_to_a_forbidden_project(world):
    spool = world.spool()
    leave_records(world, spool, 50)
    service = Service(world, lambda request, number: response(403, body=error_body("ProjectForbidden")))
    first = world.run_tool("spool", "replay", spool, "--endpoint", service.url, "--timeout", "3")
    endpoint = world.serve()
    second = world.run_tool("spool", "replay", spool, "--endpoint", endpoint.url, "--timeout", "20")
    delivered = len(set(endpoint.numbers()))
    return check(first.returncode != 0 and service.requests and delivered == 50,
                 f"{first.stdout.strip()} (exit {first.returncode}); then {delivered} of 50 delivered: {second.stdout.strip()}")


@scenario("3.7", "A replay exits with other than 0 when it leaves or sets aside anything", short=True)
def replay_tells_what_it_leaves(world):
    spool = world.spool()
    leave_records(world, spool, 20)
    newer = leave_records(world, spool, 30)
    for path in newer.glob("*.seg"):
        change_version(path)
    endpoint = world.serve()
    first = world.run_tool("spool", "replay", spool, "--endpoint", endpoint.url, "--timeout", "8")
    shutil.rmtree(newer)
    damaged = leave_records(world, spool, 40)
    for path in damaged.glob("*.seg"):
        spoil(path)
    second = world.run_tool("spool", "replay", spool, "--endpoint", endpoint.url, "--timeout", "8")
    return check(first.returncode != 0 and second.returncode != 0,
                 f"a newer format beside it: exit {first.returncode}; a damaged file: exit {second.returncode} "
                 f"({second.stdout.strip()})")


@scenario("3.7", "A replay can sign", short=True)
def replay_signs(world):
    spool = world.spool()
    leave_records(world, spool, 20)
    key = world.folder / "key"
    key.write_text("LTAIexample secret\n")
    key.chmod(0o600)
    service = Service(world, lambda request, number: response(200))
    run = world.run_tool("spool", "replay", spool, "--endpoint", service.url, "--timeout", "8",
                         "--region", "cn-hangzhou", "--access-key", key)
    signed = [request for request in service.stored if request.path.endswith("/shards/lb")
              and "LTAIexample" in request.headers.get("authorization", "")]
    told = (run.stdout.strip() or run.stderr.strip()).splitlines()[:1]
    return check(signed and len(signed) == len(service.requests) and run.returncode == 0,
                 f"{len(signed)} of {len(service.requests)} requests signed with the key of a file; exit {run.returncode}: {told}")


def change_version(path):
    """A file of a format that is not there yet."""
    with open(path, "r+b") as file:
        file.seek(8)
        file.write(struct.pack("<I", 3))


def spoil(path):
    """A damaged record in the middle, if it is in this file."""
    with open(path, "r+b") as file:
        place = file.read().find(b"line 20 ")
        if place < 0:
            return
        file.seek(place + 10)
        file.write(b"\0\0\0\0")


@scenario("3.7", "Records for another logstore and files of a newer format are told at a start, with how many",
          short=True)
def what_is_left_is_told(world):
    spool = world.spool()
    leave_records(world, spool, 21, logstore="other")
    newer = leave_records(world, spool, 33)
    for path in newer.glob("*.seg"):
        change_version(path)
    endpoint = world.serve()
    told = recover(world, spool, endpoint, 4).finish().told
    other = re.search(r"left in .*\b21 records\b.*local/other", told)
    # Of a format that is not known nobody can count the records: it is told in how many files they are.
    version = re.search(r"left in .*\bin \d+ files?, in format 3\b", told)
    return check(other and version, f"other logstore: {'told' if other else 'not a word'}; "
                 f"newer format: {'told' if version else 'not a word'}")


# Owners and permissions.


@scenario("3.2", "Files that fsGroup made writable for a group are told or delivered at each start",
          needs=["root", "setpriv"], short=True)
def fsgroup(world):
    spool = world.spool()
    folder = leave_records(world, spool, 300)
    subprocess.run(["chgrp", "-R", "2000", spool], check=True)
    subprocess.run(["chmod", "-R", "g+rwXs", spool], check=True)
    return told_or_delivered(world, spool, folder, 300, twice=True)


@scenario("3.2", "Files of a group that the process is in are taken over when that is asked for",
          short=True, needs=["root", "setpriv"])
def fsgroup_permitted(world):
    def user(number):
        return ["setpriv", f"--reuid={number}", "--regid=2000", "--clear-groups"]

    spool = world.spool()
    spool.mkdir(mode=0o700)
    os.chown(spool, 3001, 2000)
    leave_records(world, spool, 300, prefix=user(3001))
    subprocess.run(["chmod", "-R", "g+rwXs", spool], check=True)
    endpoint = world.serve()
    told = recover(world, spool, endpoint, 5, prefix=user(3002), spool__permits="group").finish().told
    delivered = len(set(endpoint.numbers()))
    return check(delivered == 300, f"{delivered} of 300 delivered; {told.splitlines()[0][:150]}")


@scenario("3.2", "Folders of another user in a directory that was given over are told at each start",
          needs=["root", "setpriv"])
def change_of_user(world):
    spool = world.spool()
    folder = leave_records(world, spool, 300)
    os.chown(spool, NOBODY, NOBODY)
    return told_or_delivered(world, spool, folder, 300, twice=True, prefix=AS_NOBODY)


def told_or_delivered(world, spool, folder, count, twice=False, prefix=()):
    """Either the records arrive, or the start says where they are, how many, and what to do."""
    endpoint = world.serve()
    seen, fine = [], True
    for number in range(2 if twice else 1):
        told = recover(world, spool, endpoint, 4, prefix=prefix).finish().told
        numbers = set(endpoint.numbers())
        lines = [line for line in told.splitlines() if folder.name in line or str(spool) in line]
        whole = [line for line in lines if re.search(rf"\b{count}\b", line)]
        # A command that cures it is on the line.
        cure = [line for line in lines if re.search(r"ch(own|mod)|setfacl|replay", line)]
        fine = fine and (len(numbers) == count or bool(cure and (whole or prefix)))
        seen.append(f"start {number + 1}: {len(numbers)} of {count} delivered, "
                    + (f"told: {(whole or cure or lines)[0][:230]}" if lines else "not a word"))
    return check(fine, "; ".join(seen))


@scenario("3.2", "A mount point that belongs to root, with mode 1777, works as a spool",
          needs=["mount", "setpriv"], short=True)
def mount_point(world):
    spool = world.folder / "mounted"
    spool.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=1777", "none", spool], check=True)
    world.on_leave(lambda: subprocess.run(["umount", "-l", spool]))
    probe = world.start("log:count=100 wait:1 statistics die", spooling(spool), prefix=AS_NOBODY)
    probe.wait(20)
    first = probe.event("statistics")
    endpoint = world.serve()
    told = recover(world, spool, endpoint, 4, prefix=AS_NOBODY).finish().told
    return check(len(set(endpoint.numbers())) == 100,
                 f"spool {'unavailable' if first.get('isSpoolUnavailable') else 'available'}, "
                 f"{len(set(endpoint.numbers()))} of 100 delivered by the next start; {told.splitlines()[0][:150] if told else ''}")


@scenario("3.2", "replay reads another user's spool as root", needs=["root", "setpriv"], short=True)
def replay_as_root(world):
    spool = world.spool()
    spool.mkdir(mode=0o700)
    os.chown(spool, NOBODY, NOBODY)
    leave_records(world, spool, 100, prefix=AS_NOBODY)
    endpoint = world.serve()
    run = world.run_tool("spool", "replay", spool, "--endpoint", endpoint.url, "--timeout", "8")
    # Obeyed, such a command would take the spool away from the service.
    asks = "chown" in run.stderr or "cannot spool" in run.stderr
    return check(len(set(endpoint.numbers())) == 100 and not asks,
                 f"{len(set(endpoint.numbers()))} of 100 delivered: {(run.stdout + run.stderr).strip()[:300]}")


# Disks.


def mount_image(world, kind, megabytes, where="disk"):
    make = shutil.which(f"mkfs.{kind}")
    if not make:
        raise Skipped(f"needs mkfs.{kind}")
    image, folder = world.folder / f"{where}.img", world.folder / where
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run([make, *(["-f"] if kind != "ext4" else ["-F"]), "-q", image], check=True, capture_output=True)
    folder.mkdir()
    if subprocess.run(["mount", "-o", "loop", image, folder]).returncode:
        raise Skipped("cannot mount a file here")
    world.on_leave(lambda: subprocess.run(["umount", "-l", folder]))
    return folder


def fill(folder, leave=0):
    """Takes all room but `leave` bytes."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 16, 4096):
            try:
                while True:
                    file.write(b"\1" * size)
            except OSError:
                pass
        if leave:
            file.truncate(file.tell() - leave)
        os.fsync(file.fileno()) if not leave else None
    return path


def full_disk_recovery(world, kind):
    disk = mount_image(world, kind, 320)
    spool = disk / "spool"
    leave_records(world, spool, 20_000, size=150)
    whole = len(set(world.spooled(spool)))
    fill(disk)
    endpoint = world.serve()
    probe = recover(world, spool, endpoint, 12).finish()
    numbers = endpoint.numbers()
    return check(len(set(numbers)) == whole == 20_000 and is_ordered(numbers),
                 f"{len(set(numbers))} of {whole} delivered while the disk is full{'' if is_ordered(numbers) else ', out of order'}, "
                 f"left {probe.event('shutdown')['remaining']}")


@scenario("3.3", "What is whole on a full xfs is recovered, in order", needs=["mount", "mkfs.xfs"])
def xfs_full_disk(world):
    return full_disk_recovery(world, "xfs")


@scenario("3.3", "What is whole on a full ext4 is recovered, in order", needs=["mount", "mkfs.ext4"])
def ext4_full_disk(world):
    return full_disk_recovery(world, "ext4")


@scenario("3.4", "A full disk is told for as long as records wait in memory", needs=["mount"], short=True)
def full_disk_is_told(world):
    disk = world.folder / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "none", disk], check=True)
    world.on_leave(lambda: subprocess.run(["umount", "-l", disk]))
    filler = fill(disk, leave=2 << 20)
    settings = spooling(disk / "spool", memoryLimit=8 << 20)
    commands = "log:count=20000,bytes=400,rate=8000 " + "wait:0.4 statistics log:count=200,bytes=400 " * 10 + "await:" + str(
        world.folder / "seen") + " die"
    probe = world.start(commands, settings)
    probe.wait_for("statistics", 30)
    # A little room, once, as when somebody removes a file.
    os.truncate(filler, filler.stat().st_size - 200_000)
    wait_until(lambda: len(probe.events("statistics")) >= 10, 30)
    last = probe.event("statistics")
    # What is in files, of what it still has.
    spooled = len(set(world.spooled(disk / "spool")))
    waiting = last["pending"] - spooled
    healthy = [each for each in probe.events("statistics") if not each["isSpoolUnavailable"]]
    (world.folder / "seen").touch()
    return check(waiting < 200 or not healthy,
                 f"{waiting} records wait in memory, {sum(last['dropped'].values())} dropped; told as healthy in "
                 f"{len(healthy)} of {len(probe.events('statistics'))} looks")


@scenario("3.5", "What a shutdown says is in the spool is there, when the folder was removed or moved away", short=True)
def removed_folder(world):
    seen, fine = [], True
    for way in ("removed", "moved"):
        spool = world.spool(way)
        mark = world.folder / f"{way}-mark"
        probe = world.start(f"log:count=228 wait:0.6 statistics await:{mark} log:count=72 wait:2 shutdown:1", spooling(spool))
        probe.wait_for("statistics", 20)
        if way == "removed":
            shutil.rmtree(spool)
        else:
            spool.rename(world.folder / "elsewhere")
        mark.touch()
        probe.finish()
        report = probe.event("shutdown")
        there = len(set(world.spooled(spool))) if spool.exists() else 0
        fine = fine and report["spooled"] <= there and there + sum(report["dropped"].values()) >= 300
        seen.append(f"{way}: says {report['spooled']} in the spool, {there} are there, dropped {report['dropped'] or 0}")
    return check(fine, "; ".join(seen))


@scenario("3.5", "A removed lock does not let a second producer take over a living folder", short=True)
def removed_lock(world):
    spool, mark = world.spool(), world.folder / "mark"
    port_holder = world.serve()
    port = port_holder.port
    port_holder.kill()
    url = f"http://127.0.0.1:{port}"
    settings = spooling(spool, url, delivery__initialBackoffSeconds=4, delivery__maximumBackoffSeconds=8)
    first = world.start(f"log:count=1155 wait:0.5 statistics await:{mark} settle:20 shutdown:1", settings)
    first.wait_for("statistics", 20)
    for lock in pathlib.Path(spool).glob("**/lock"):
        lock.unlink()
    second = recover(world, spool, url, 6)
    second.wait_for("ready", 20)
    endpoint = world.serve(port=port)
    mark.touch()
    second.finish()
    first.finish()
    numbers = endpoint.numbers()
    return check(repeated(numbers) == 0 and len(set(numbers)) == 1155,
                 f"{len(set(numbers))} of 1155 delivered, {repeated(numbers)} twice")


@scenario("3.5", "An older and a newer version leave each other's living folders alone; the newer takes over what the older "
          "left, and the older leaves a newer format alone and says so",
          needs=["--other-probe"])
def two_versions(world):
    seen, fine = [], True
    for name, first, second in (("older first", world.other_probe, world.probe), ("newer first", world.probe, world.other_probe)):
        spool, endpoint = world.spool(name.replace(" ", "-")), world.serve()
        living = world.start("log:count=50 wait:0.4 statistics wait:60", spooling(spool), program=first)
        living.wait_for("statistics", 20)
        world.start("log:count=1,name=start wait:3 shutdown:1", spooling(spool, endpoint), program=second).finish()
        early = len(endpoint.numbers())
        living.kill()
        probe = world.start("log:count=1,name=start wait:3 shutdown:1", spooling(spool, endpoint), program=second).finish()
        late = len(set(endpoint.numbers()))
        seen.append(f"{name}: {early} taken from the living, {late} of 50 from the dead")
        if late == 0 and second == world.other_probe:
            said = re.search(r"in format \d+, and this version reads \d+", probe.told)
            recover(world, spool, endpoint, 5).finish()
            late = len(set(endpoint.numbers())) if said else 0
            seen.append(f"it says {said[0] if said else 'nothing'}, and the newer one then delivers {late}")
        fine = fine and early == 0 and late == 50
    return check(fine, "; ".join(seen))


# Processes.


@scenario("3.6", "A child made by fork without exec leaves its parent's records whole", short=True)
def fork_without_exec(world):
    spool = world.spool()
    probe = world.start("log:count=100 wait:0.5 fork:count=50,name=child log:count=30 wait:0.3 die", spooling(spool))
    if not probe.wait(40):
        return check(False, "the parent hung")
    status = probe.event("forked").get("status")
    child = probe.event("child")
    endpoint = world.serve()
    again = recover(world, spool, endpoint, 5).finish()
    numbers = endpoint.numbers()
    damaged = again.event("statistics")["damagedSpoolFiles"]
    return check(len(set(numbers)) == 130 and damaged == 0 and status == 0,
                 f"{len(set(numbers))} of the parent's 130 delivered by the next start, {damaged} files damaged; the child: "
                 + (f"exit status {status}, dropped {child.get('dropped')}" if child else f"wait status {status}, said nothing"))


@scenario("3.6", "A child made by fork can log and shut down, and returns at its deadline", short=True)
def fork_and_shut_down(world):
    seen, fine = [], True
    for durability in ("memory", "process"):
        spool = world.spool(durability)
        settings = spooling(spool) if durability == "process" else to(NOBODY_THERE)
        probe = world.start("log:count=20 wait:0.3 fork:count=5,name=child,shutdown=1 log:count=5 shutdown:1", settings)
        probe.wait(40)
        child = probe.event("child-shutdown")
        status = probe.event("forked").get("status")
        fine = fine and bool(child) and child["elapsed"] <= 1.3 and status == 0 and probe.process.returncode == 0
        seen.append(f"{durability}: child's shutdown of 1 s "
                    + (f"took {child['elapsed']:.2f} s" if child else f"did not return in 20 s (status {status})")
                    + f", parent: {probe.ending()}")
    return check(fine, "; ".join(seen))


def limited(limit, value):
    return {"preexec_fn": lambda: resource.setrlimit(limit, (value, value))}


@scenario("3.8", "A limit on the size of files does not end the process: files are smaller, or it is told", short=True)
def ulimit_f(world):
    seen, fine = [], True
    for limit in (16 * 1024, 2 * 1024):
        spool, endpoint = world.spool(f"spool-{limit}"), world.serve()
        probe = world.start("log:count=400,bytes=900 statistics settle:10 shutdown:2", spooling(spool, endpoint),
                            **limited(resource.RLIMIT_FSIZE, limit))
        probe.wait(30)
        told = [line for line in probe.told.splitlines() if "cannot spool" in line]
        delivered = len(set(endpoint.numbers()))
        # Where files of that size can be made there is nothing to tell.
        fits = probe.event("statistics").get("spoolBytes", 0) > 0 and not told
        fine = fine and probe.process.returncode == 0 and delivered == 400 and bool(fits or told) and (told or limit > 4096)
        seen.append(f"{limit}: {probe.ending()}, {delivered} of 400 delivered, "
                    + (f"told: {told[0][:160]}" if told else "in files" if fits else "not a word"))
    return check(fine, "; ".join(seen))


@scenario("3.8", "Twelve descriptors end no process, and are told", short=True)
def ulimit_n_12(world):
    endpoint = world.serve()
    seen, fine = [], True
    for limit in (12, 9):
        probe = world.start("log:count=200,topics=4 settle:6 shutdown:2",
                            spooling(world.spool(f"spool-{limit}"), endpoint, topic="label"),
                            **limited(resource.RLIMIT_NOFILE, limit))
        probe.wait(30)
        code = probe.process.returncode
        words = probe.told + probe.event("refused").get("reason", "")
        told = re.search(r"(?i)too many open files|descriptor|EMFILE|limit", words)
        delivered = probe.event("shutdown").get("delivered")
        # Ended by itself, with an exit code of its own; and if not all went well, it said why.
        fine = fine and code is not None and code >= 0 and bool(told or delivered == 200)
        seen.append(f"{limit}: {probe.ending()}, {delivered} delivered, " + ("told" if told else "not told")
                    + ("" if code == 0 else f": {words.strip().splitlines()[-1][:160] if words.strip() else ''}"))
    return check(fine, "; ".join(seen))


def many_topics_in_files(world, topics, grace, program=None):
    """A record in each of many topics, for which there are far too few files, and a shutdown in the midst."""
    def decide(request, number):
        time.sleep(0.02)
        return response(200)

    service, spool = Service(world, decide), world.folder / "spool"
    settings = spooling(spool, service, memoryLimit=4 << 30, maximumTopics=100_000, topic="label",
                        spool__maximumBytes=64 << 30)
    probe = world.start(f"log:count={topics},topics={topics} statistics shutdown:0.3", settings, program=program)
    probe.wait_for("shutdown", 60)
    report, before = probe.event("shutdown"), sum(probe.event("statistics")["dropped"].values())
    # The report counts what was delivered since the shutdown began, the service all of it: a record in each request.
    sums = len(service.stored) + report["remaining"] + before
    return check(report["elapsed"] <= 0.3 + grace and "spool_damaged" not in report["dropped"] and sums >= topics,
                 f"shutdown(timeout: 0.3 s) of {topics} topics took {report['elapsed']:.3f} s; {before} dropped before for want of "
                 f"memory, {len(service.stored)} stored, {report['remaining']} left, of these {report['spooled']} in files, "
                 f"{report['dropped']} dropped")


def many_topics(world, topics, grace, program=None):
    """A record in each of many topics: what they take up beside what they say, and a shutdown in the midst of their start."""
    def decide(request, number):
        time.sleep(0.02)
        return response(200)

    service = Service(world, decide)
    settings = to(service, memoryLimit=4 << 30, maximumTopics=100_000, topic="label")
    log = f"log:count={topics},topics={topics}"
    probe = world.start(f"{log} shutdown:0.3", settings, program=program)
    probe.wait_for("shutdown", 60)
    report = probe.event("shutdown")
    end = world.folder / "end"
    held = world.start(f"log:count=1 wait:1 statistics {log} statistics await:{end} die", settings, environment=GIVES_BACK,
                       program=program)
    held.wait_for("statistics", 20)
    empty = held.memory()
    wait_until(lambda: len(held.events("statistics")) >= 2 or held.process.poll() is not None, 60)
    # The bytes of topics are counted beside those of records.
    seen = held.event("statistics")
    counted, taken = seen["pendingBytes"] + seen["topics"] * (12 << 10), held.memory() - empty
    end.touch()
    return check(seen["topics"] >= topics and report["elapsed"] <= 0.3 + grace and taken <= counted + (8 << 20),
                 f"{seen['topics']} topics, {counted >> 20} MiB counted, {taken >> 20} MiB more resident than before; "
                 f"shutdown(timeout: 0.3 s) took {report['elapsed']:.3f} s; {report['delivered']} delivered, "
                 f"{report['remaining']} left")


@scenario("4", "With 5,000 topics that have just begun a shutdown keeps its deadline in a debug build, too, and they take what they count as",
          short=True)
def topics_5000(world):
    return many_topics(world, 5_000, 0.4)


@scenario("4", "With 99,990 topics that have just begun a shutdown keeps its deadline within 100 ms, and they take what "
          "they count as", long=True, needs=("--fast-probe",))
def topics_99990(world):
    # What checks are compiled into a debug build takes longer than that.
    return many_topics(world, 99_990, 0.1, program=world.fast_probe)


@scenario("4", "With 5,000 topics and a spool a shutdown keeps its deadline in a debug build, too", short=True)
def topics_5000_in_files(world):
    return many_topics_in_files(world, 5_000, 0.4)


@scenario("4", "With 99,990 topics and a spool a shutdown keeps its deadline within 100 ms, and nothing ends the process", long=True,
          needs=("--fast-probe",))
def topics_99990_in_files(world):
    return many_topics_in_files(world, 99_990, 0.1, program=world.fast_probe)


@scenario("4", "Batches that are split after 413 stay within the memory limit, by the process's own memory", short=True)
def memory_after_413(world):
    topics, refused = 20, set()

    def decide(request, number):
        # First a limit that is learnt, then a lower one, and nothing is taken any more: all stay on their way, in parts.
        if len(request.body) > (100_000 if mark.exists() else 300_000):
            if mark.exists():
                refused.add(json.loads(request.body)["__topic__"])
            return response(413, body=error_body("PostBodyTooLarge"))
        return response(503, body=error_body("ServerBusy")) if mark.exists() else response(200)

    service = Service(world, decide)
    settings = to(service, memoryLimit=64 << 20, topic="label", batching__targetBytes=3 << 20,
                  delivery__maximumConcurrentRequests=24, delivery__requestTimeoutSeconds=10, batching__lingerSeconds=60)
    mark, end = world.folder / "mark", world.folder / "end"
    # What goes well makes requests larger.
    probe = world.start(f"log:count=20,topics={topics} flush:3 statistics "
                        f"log:count=40000,bytes=900,topics={topics} flush:30 statistics await:{mark} "
                        f"log:count=46000,bytes=900,topics={topics} flush:8 statistics await:{end} die", settings, environment=GIVES_BACK)
    probe.wait_for("statistics", 20)
    empty = probe.memory()
    wait_until(lambda: len(probe.events("statistics")) >= 2 or probe.process.poll() is not None, 60)
    between = probe.memory()
    mark.touch()
    wait_until(lambda: len(probe.events("statistics")) >= 3 or probe.process.poll() is not None, 60)
    counted = probe.event("statistics")["pendingBytes"]
    samples = []
    for _ in range(20):
        samples.append(probe.memory())
        time.sleep(0.1)
    end.touch()
    held = sorted(samples)[len(samples) // 2] - empty
    return check(len(refused) >= topics / 2 and counted > 40 << 20 and held <= counted + (8 << 20),
                 f"{counted >> 20} MiB counted of 64 allowed, {held >> 20} MiB more resident than before (up to "
                 f"{(max(samples) - empty) >> 20}), {(between - empty) >> 20} when all was delivered, 413 to {len(refused)} of {topics} topics; "
                 f"{len(service.requests)} requests")
