# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""A slow link: everything arrives within 1.5 times what the link allows, and under 5 % of it twice."""

import base64
import collections
import os
import subprocess
import time

from foreign import SlowLink
from harness import check, repeated, scenario, to

LINE = 970
# What a record has beside its message: the form of it, and the time.
RECORD = 1130


def ideal(count, rate, link, outages=()):
    """When the last line could arrive, in seconds: everything at once if there is no rate of lines."""
    arrived = sent = now = 0.0
    total = count * RECORD
    while sent < total:
        now += 0.05
        arrived = min(total, now * rate * RECORD) if rate else total
        if not any(begin <= now < end for begin, end in outages):
            sent = min(arrived, sent + link * 0.05)
    return now


def judge(numbers, count, seconds, allowed):
    """The sentence about a run, and whether the promise was kept."""
    delivered, twice = len(set(numbers)), repeated(numbers)
    most = max(collections.Counter(numbers).values(), default=0)
    seen = (f"{count} sent, {delivered} delivered, {twice} stored more than once (one {most} times), "
            f"{seconds:.0f} s where the link allows {allowed:.0f} s")
    return check(delivered == count and twice < count / 20 and seconds <= 1.5 * allowed + 2, seen)


def with_probe(world, count, link, timeout, rate=None, outages=()):
    """Short: the request timeout is as much shorter as the link is quicker."""
    endpoint = world.serve()
    relay = SlowLink(world, endpoint.port, link, outages)
    allowed = ideal(count, rate, link, outages)
    pace = f",rate={rate}" if rate else ""
    lines = count / rate if rate else 0
    settings = to(relay, delivery__requestTimeoutSeconds=timeout, compression="lz4")
    started = time.monotonic()
    probe = world.start(f"log:count={count},bytes={LINE}{pace} shutdown:{1.5 * allowed + 2 - lines:.1f}", settings)
    probe.wait(2 * allowed + 20)
    seconds = time.monotonic() - started
    # What was given up may still be read: it is stored, too.
    time.sleep(3)
    return judge(endpoint.numbers(), count, seconds, allowed)


@scenario("1.1", "A backlog that is there at once arrives over a slow link (3 MB, 400 KB/s, request timeout 1.5 s)",
          short=True)
def slow_link_at_once(world):
    return with_probe(world, 3100, 400_000, 1.5)


@scenario("1.1", "The backlog of an outage arrives over a slow link (400 KB/s, outage of 9 s, request timeout 1.5 s)")
def slow_link_outage(world):
    return with_probe(world, 4600, 400_000, 1.5, rate=200, outages=[(2, 11)])


def with_tool(world, count, link, rate=None, outages=()):
    """As anybody would: the command-line tool, its default settings, and random lines in a file or as they come."""
    endpoint = world.serve()
    lines = [f"line {number} " + base64.b64encode(os.urandom(LINE)).decode()[:LINE - 12] for number in range(count)]
    path = world.folder / "lines"
    path.write_text("\n".join(lines) + "\n")
    allowed = ideal(count, rate, link, outages)
    patience = 1.5 * allowed + 2 - (count / rate if rate else 0)
    relay = SlowLink(world, endpoint.port, link, outages)
    started = time.monotonic()
    pace = ["--rate", str(rate)] if rate else []
    run = subprocess.Popen(
        [str(world.tool), "send", "--project", "local", "--logstore", "app", "--endpoint", relay.url,
         "--timeout", f"{patience:.0f}", *pace, str(path)],
        stdout=subprocess.DEVNULL, stderr=open(world.folder / "send.err", "wb"))
    world.on_leave(run.kill)
    run.wait()
    seconds = time.monotonic() - started
    # What was given up may still be on its way.
    time.sleep(100 if link < 100_000 else 20)
    return judge(endpoint.numbers(), count, seconds, allowed)


@scenario("1.1", "10 KB/s, lines as the link takes them, an outage of 90 s", long=True)
def slow_link_10(world):
    return with_tool(world, 4600, 10_000, rate=8, outages=[(30, 120)])


@scenario("1.1", "40 KB/s, 4,600 random lines of 970 bytes at 20 KB/s, an outage of 90 s", long=True)
def slow_link_40(world):
    return with_tool(world, 4600, 40_000, rate=20, outages=[(30, 120)])


@scenario("1.1", "200 KB/s, 4,600 random lines of 970 bytes at 20 KB/s, an outage of 90 s", long=True)
def slow_link_200(world):
    return with_tool(world, 4600, 200_000, rate=20, outages=[(30, 120)])


@scenario("1.1", "40 KB/s, 3,100 random lines of 970 bytes that are there at once", long=True)
def slow_link_at_once_40(world):
    return with_tool(world, 3100, 40_000)
