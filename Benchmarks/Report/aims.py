# ===----------------------------------------------------------------------===//
#
# This source file is part of the swift-log-webtracking open source project
#
# Licensed under Apache License v2.0. See LICENSE for license information.
#
# SPDX-License-Identifier: Apache-2.0
#
# ===----------------------------------------------------------------------===//

"""The aims of the project, and whether a run meets them."""

from figures import Figures, factor, rate, span, time


def aims(parts):
    rows = []

    def add(what, aim, found, is_met):
        rows.append(f"| {what} | {aim} | {found} | {'yes' if is_met else '**no**'} |")

    if "calls" in parts:
        calls = Figures(parts["calls"])
        added = calls.difference("full/1/counting", "full/1/noop", "p50")
        add("added to a call over the no-op handler, p50, 1 thread", "at most 450 ns", span(added), added[0] <= 450)
        for threads, least in ((1, 4), (4, 10)):
            ratio = calls.ratio(f"full/{threads}/counting", f"full/{threads}/stream-null", "mean")
            what = f"times cheaper than StreamLogHandler to /dev/null, mean, {threads} thread{'s' * (threads > 1)}"
            add(what, f"at least {least}", factor(ratio), ratio[0] >= least)
        busy = calls.of("steady/4/http-lz4", "p999")
        quiet = calls.of("steady/4/idle", "p99")
        found = f"{time(busy)} against {time(quiet)}: {busy / quiet:.1f} times"
        add("p99.9 at 100,000 logs/s on 4 threads, against p99 without senders", "under 3 times", found, busy < 3 * quiet)
        own = calls.difference("full/1/counting", "full/1/noop", "allocations_per_log")[0]
        add("allocations per log on the calling thread, added", "0 (gate)", f"{own:.2f}", own < 0.05)
    if "delivery" in parts:
        delivery = Figures(parts["delivery"])
        for threads, least in ((1, 650_000), (2, 950_000)):
            key = f"{threads}/http-lz4"
            if delivery.has(key):
                found = delivery.of(key, "logs_per_second")
                what = f"logs/s through LZ4 and HTTP, {threads} thread{'s' * (threads > 1)}"
                add(what, f"at least {least:,}", rate(found), found >= least)
        cpu = delivery.of("1/http-lz4", "cpu_per_log")
        floor = delivery.of("1/noop", "cpu_per_log")
        found = f"{time(cpu)}, {time(floor)} of it the front end"
        add("CPU per log in that run, front end included", "at most 1.9 us", found, cpu <= 1900)
        peak = max(delivery.of(f"{threads}/http-lz4", "peak_rss_kib") for threads in (1, 4)) / 1024
        add("peak RSS in that run", "at most 96 MiB", f"{peak:.0f} MiB", peak <= 96)
        one, four = (delivery.of(f"{threads}/http-lz4", "logs_per_second") for threads in (1, 4))
        add("logs/s on 4 threads, against 1", "not less", f"{rate(four)} against {rate(one)}", four >= 0.97 * one)
    if "disabled" in parts:
        disabled = Figures(parts["disabled"])
        extra = disabled.difference("ours", "noop", "loop_mean")
        add("a call at a level that is off, over the no-op handler", "nothing measurable", span(extra), extra[1] <= 1)
    if "growth" in parts:
        growth = Figures(parts["growth"])
        one, many = (growth.of(f"topics/{topics}/idle", "p50") for topics in (1, 1000))
        add("p50 with 1,000 topics, against 1", "flat", f"{time(many)} against {time(one)}", many <= 1.25 * one)
        small, large = (
            growth.difference(f"message/{size}/idle", f"message/{size}/noop", "p50")[0] for size in (1_000, 16_000)
        )
        found = f"{time(large)} at 16,000 bytes, {time(small)} at 1,000"
        add("cost against record bytes", "linear", found, large <= 16 * small)
    return "\n".join(["| figure | aim | found | met |", "|---|---|---|---|", *rows])
