# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""The aims of the project, and whether a run meets them."""

from figures import Figures, factor, rate, rates, span, time
from tables import table

# Below this, a difference between two means of calls that are off says nothing, in nanoseconds: the same program, built
# from the same sources, differs by as much with where its code lies in memory.
DISABLED_BAND = 2
# How much more than its share of bytes a record may cost and still count as linear.
LINEAR_BAND = 1.1


def aims(parts):
    """The table of those that these parts tell something about; empty if they tell nothing."""
    rows = []
    for name, check in CHECKS.items():
        if name in parts:
            for what, aim, found, is_met in check(parts[name]):
                rows.append([what, aim, found, "yes" if is_met else "**no**"])
    return rows and table(["figure", "aim", "found", "met"], rows)


def _calls(part):
    calls = Figures(part)
    added = calls.difference("full/1/counting", "full/1/noop", "p50")
    yield "added to a call over the no-op handler, p50, 1 thread", "at most 450 ns", span(added), added[0] <= 450
    for threads, least in ((1, 4), (4, 10)):
        ratio = calls.ratio(f"full/{threads}/counting", f"full/{threads}/stream-null", "mean")
        what = f"times cheaper than StreamLogHandler to /dev/null, mean, {threads} thread{'s' * (threads > 1)}"
        yield what, f"at least {least}", factor(ratio), ratio[0] >= least
    busy = calls.of("steady/4/http-lz4", "p999")
    quiet = calls.of("steady/4/idle", "p99")
    found = f"{time(busy)} against {time(quiet)}: {busy / quiet:.1f} times"
    what = "p99.9 at 100,000 logs/s on 4 threads, against p99 without senders"
    yield what, "under 3 times", found, busy < 3 * quiet
    own = calls.difference("full/1/counting", "full/1/noop", "allocations_per_log")[0]
    yield "allocations per log on the calling thread, added", "0 (gate)", f"{own:.2f}", own < 0.05


def _delivery(part):
    delivery = Figures(part)
    for threads, least in ((1, 650_000), (2, 950_000)):
        key = f"{threads}/http-lz4"
        if delivery.has(key):
            found = delivery.spread(key, "logs_per_second")
            what = f"logs/s through LZ4 and HTTP, {threads} thread{'s' * (threads > 1)}"
            yield what, f"at least {least:,}", rates(found), found[0] >= least
    keys = [f"{threads}/http-lz4" for threads in (1, 2, 4) if delivery.has(f"{threads}/http-lz4")]
    dropped = sum(delivery.sum(key, "dropped") for key in keys)
    yield "records dropped in those runs, in all repetitions", "0", rate(dropped), dropped == 0
    cpu = delivery.spread("1/http-lz4", "cpu_per_log")
    floor = delivery.of("1/noop", "cpu_per_log")
    found = f"{span(cpu)}, {time(floor)} of it the front end"
    yield "CPU per log in that run, front end included", "at most 1.9 us", found, cpu[0] <= 1900
    peak = max(delivery.most(key, "peak_rss_kib") for key in keys) / 1024
    yield "peak RSS in those runs", "at most 96 MiB", f"{peak:.0f} MiB", peak <= 96
    one, four = (delivery.of(f"{threads}/http-lz4", "logs_per_second") for threads in (1, 4))
    yield "logs/s on 4 threads, against 1", "not less", f"{rate(four)} against {rate(one)}", four >= one


def _growth(part):
    growth = Figures(part)
    one, many = (growth.of(f"topics/{topics}/idle", "p50") for topics in (1, 1000))
    found = f"{time(many)} against {time(one)}: {many / one:.2f} times"
    yield "p50 with 1,000 topics, against 1", "flat: at most 1.1 times", found, many <= 1.1 * one
    for small, large in ((1_000, 16_000), (16_000, 100_000)):
        less, more = (
            growth.difference(f"message/{size}/idle", f"message/{size}/noop", "p50")[0] for size in (small, large)
        )
        share = (more / less) / (large / small)
        found = f"{time(more)} against {time(less)}: {share:.2f} times its share"
        what = f"added by a message of {large:,} bytes, against one of {small:,}"
        yield what, f"linear: at most {LINEAR_BAND} times its share of bytes", found, 0 < share <= LINEAR_BAND


def _disabled(part):
    disabled = Figures(part)
    extra = disabled.difference("ours", "noop", "loop_mean")
    itself = disabled.difference("again", "noop", "loop_mean")
    found = f"{extra[0]:+.1f} ns; the no-op handler against itself: {itself[0]:+.1f} ns"
    what = "a call at a level that is off, over the no-op handler"
    yield what, f"nothing measurable: at most {DISABLED_BAND} ns", found, extra[0] <= DISABLED_BAND


CHECKS = {"calls": _calls, "delivery": _delivery, "growth": _growth, "disabled": _disabled}
