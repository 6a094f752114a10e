# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Nothing waits on anything foreign: standard error, a blocked pool, a slow disk, the user's own code."""

import contextlib
import fcntl
import os
import subprocess
import termios
import time

from harness import NOBODY_THERE, check, scenario, spooling, to

SHUTDOWN = "log:count=50 wait:0.5 shutdown:2"


def full_pipe(world):
    """A pipe in which there is no room for a byte, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    # As a shell gives it.
    os.set_blocking(writer, True)
    world.on_leave(lambda: (os.close(reader), os.close(writer)))
    return writer


def keeps_deadline(world, endpoint, stderr, delivered=None, **others):
    """The report comes in time, the process ends with it, and deliveries go on."""
    started = time.monotonic()
    probe = world.start(SHUTDOWN, to(endpoint), stderr=stderr, **others)
    probe.wait(12)
    whole = time.monotonic() - started
    report = probe.event("shutdown")
    if not report:
        return check(False, f"the shutdown of 2 s has not returned after {whole:.1f} s; {probe.ending()}")
    got = "" if delivered is None else f", {len(set(delivered()))} of 50 delivered"
    seen = f"shutdown(timeout: 2 s) took {report['elapsed']:.2f} s, the process {whole:.1f} s, {probe.ending()}{got}"
    return check(probe.process.returncode == 0 and report["elapsed"] <= 2.2 and whole <= 4
                 and (delivered is None or len(set(delivered())) == 50), seen)


@scenario("2.1", "Standard error that nobody reads does not move the deadline, with a dead endpoint", short=True)
def stderr_full_dead_endpoint(world):
    return keeps_deadline(world, NOBODY_THERE, full_pipe(world))


@scenario("2.1", "Standard error that nobody reads holds up neither deliveries nor the end, with a healthy endpoint",
          short=True)
def stderr_full_healthy_endpoint(world):
    endpoint = world.serve()
    return keeps_deadline(world, endpoint, full_pipe(world), endpoint.numbers)


@scenario("2.1", "A terminal that was stopped holds up nothing")
def stderr_stopped_terminal(world):
    master, terminal = os.openpty()
    world.on_leave(lambda: (os.close(master), os.close(terminal)))
    termios.tcflow(terminal, termios.TCOOFF)
    return keeps_deadline(world, NOBODY_THERE, terminal)


@scenario("2.1", "A reader that goes away in the middle of a write that waits does not end the process")
def stderr_reader_dies(world):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    probe = world.start("log:count=50 wait:2 shutdown:1", to(NOBODY_THERE), stderr=writer, options=["--transport=refusing"])
    os.close(writer)
    time.sleep(1)
    os.close(reader)
    probe.wait(10)
    return check(probe.process.returncode == 0 and probe.event("shutdown"), probe.ending())


@scenario("2.1", "A standard error whose reader is gone does not end the process, whatever the transport", short=True)
def stderr_closed_pipe(world):
    seen = []
    for transport in ("http", "refusing"):
        reader, writer = os.pipe()
        os.close(reader)
        options = ["--transport=refusing"] if transport == "refusing" else []
        probe = world.start(SHUTDOWN, to(NOBODY_THERE), stderr=writer, options=options)
        os.close(writer)
        probe.wait(12)
        seen.append((transport, probe.process.returncode, probe.ending()))
    return check(all(code == 0 for _, code, _ in seen), "; ".join(f"{name}: {ending}" for name, _, ending in seen))


@scenario("2.1", "A process without a standard error writes its diagnostics nowhere else", short=True)
def stderr_missing(world):
    endpoint = world.serve("--fault-rate", "0.5", "--fault-kinds", "500")
    probe = world.start("log:count=30,rate=30 settle:10 shutdown:2", to(endpoint),
                        prefix=["sh", "-c", 'exec "$@" 2>&-', "sh"]).finish()
    return check(len(set(endpoint.numbers())) == 30,
                 f"{len(set(endpoint.numbers()))} of 30 delivered, {probe.ending()}, "
                 f"{len(endpoint.logs()) - len(endpoint.numbers())} other records")


@scenario("2.2", "syncShutdown returns at its deadline while all of Swift's threads are blocked", short=True)
def sync_shutdown_blocked_pool(world):
    probe = world.start("log:count=40 block:8 sync-shutdown:2", to(NOBODY_THERE))
    probe.wait(14)
    report = probe.event("shutdown")
    if not report:
        return check(False, "2 s asked, no return within 14 s")
    left = sum(report["dropped"].values()) if report["dropped"] else report["remaining"]
    return check(report["elapsed"] <= 2.3 and left + report["delivered"] >= 40,
                 f"2 s asked, returned after {report['elapsed']:.2f} s: {report['text']}")


@scenario("2.2", "syncShutdown with a blocked pool leaves what is spooled in the spool")
def sync_shutdown_blocked_pool_spool(world):
    spool = world.spool()
    probe = world.start("log:count=40 block:8 sync-shutdown:2", spooling(spool))
    probe.wait(14)
    report = probe.event("shutdown")
    probe.kill()
    there = len(set(world.spooled(spool)))
    return check(report and report["elapsed"] <= 2.3 and there == 40 and report["spooled"] == 40,
                 f"returned after {report.get('elapsed', 99):.2f} s, says {report.get('spooled')} spooled, {there} are there")


SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
static void slow(void) { struct timespec t = {0, 300000000}; nanosleep(&t, 0); }
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
int posix_fallocate(int f, off_t o, off_t l) { slow(); return NEXT(posix_fallocate)(f, o, l); }
int posix_fallocate64(int f, off64_t o, off64_t l) { slow(); return NEXT(posix_fallocate64)(f, o, l); }
int fallocate(int f, int m, off_t o, off_t l) { slow(); return NEXT(fallocate)(f, m, o, l); }
int ftruncate(int f, off_t l) { slow(); return NEXT(ftruncate)(f, l); }
int unlink(const char *p) { slow(); return NEXT(unlink)(p); }
int unlinkat(int d, const char *p, int f) { slow(); return NEXT(unlinkat)(d, p, f); }
"""


def slow_disk_library(world):
    source, library = world.folder / "slow.c", world.folder / "slow.so"
    source.write_text(SLOW_DISK)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


@scenario("2.3", "A disk that takes 300 ms to make or remove a file is not waited for by who logs", short=True, needs=["gcc"])
def slow_disk(world):
    endpoint = world.serve()
    probe = world.start("log:count=400,bytes=900,rate=200,threads=4 settle:15 shutdown:3 statistics",
                        spooling(world.spool(), endpoint, batching__targetBytes=16384), limit=90,
                        environment=slow_disk_library(world)).finish()
    logged = probe.event("logged")
    numbers = endpoint.numbers()
    return check(logged["longest"] < 0.2 and len(set(numbers)) == 1600,
                 f"the longest of 1,600 log calls took {1000 * logged['longest']:.0f} ms, {len(set(numbers))} delivered")


@scenario("2.3", "A producer is made within a second or so on a disk that takes 300 ms to make a file", needs=["gcc"],
          short=True)
def slow_disk_at_start(world):
    endpoint = world.serve()
    probe = world.start("log:count=40 settle:15 shutdown:5", spooling(world.spool(), endpoint), limit=60,
                        environment=slow_disk_library(world)).finish()
    took, numbers = probe.event("ready")["took"], endpoint.numbers()
    return check(took < 2 and len(set(numbers)) == 40,
                 f"the initializer took {took:.2f} s, {len(set(numbers))} of 40 delivered")


@scenario("2.4", "A metadata provider that logs through its own producer is told nothing by itself", short=True)
def recursive_provider(world):
    endpoint = world.serve()
    probe = world.start("log:count=10 settle:5 shutdown:1", to(endpoint), options=["--recursive"])
    probe.wait(30)
    logs = endpoint.logs()
    inner = sum(log.get("message", "").startswith("from inside") for log in logs)
    outer = sum(log.get("message", "").startswith("line") and log.get("provided") == "yes" for log in logs)
    return check(probe.process.returncode == 0 and outer == 10,
                 f"{probe.ending()}, {outer} of 10 records with what the provider gave, {inner} of its own")
