# ===----------------------------------------------------------------------===//
#
# This source file is part of the swift-log-webtracking open source project
#
# Licensed under Apache License v2.0. See LICENSE for license information.
#
# SPDX-License-Identifier: Apache-2.0
#
# ===----------------------------------------------------------------------===//

"""The Markdown tables."""

from figures import Figures, factor, rate, span, time
from plan import COMPARED, DELIVERED, MESSAGE_BYTES, METADATA_VALUES, SUBJECTS, THREADS, TOPICS


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _threads(count):
    return "1 thread" if count == 1 else f"{count} threads"


def calls(part):
    figures = Figures(part)
    text = []
    for threads in THREADS:
        if not figures.has(f"full/{threads}/noop"):
            continue
        rows = []
        for subject in COMPARED:
            key, floor, stream = (f"full/{threads}/{name}" for name in (subject, "noop", "stream-null"))
            rows.append([
                SUBJECTS[subject][0],
                *(time(figures.of(key, name)) for name in ("mean", "p50", "p99", "p999", "max")),
                "" if subject == "noop" else time(figures.difference(key, floor, "p50")[0]),
                factor(figures.ratio(key, stream, "mean")),
                time(figures.of(key, "cpu_per_log")),
                f"{figures.of(key, 'allocations_per_log'):.1f}",
                f"{figures.of(key, 'peak_rss_kib') / 1024:.0f} MiB",
                _losses(figures, key),
            ])
        head = [
            f"as fast as it goes, {_threads(threads)}", "call: mean", "p50", "p99", "p99.9", "max", "p50 over no-op",
            "times cheaper than StreamLogHandler to /dev/null, mean", "CPU per log", "allocations", "peak RSS",
            "dropped",
        ]
        text.append(_table(head, rows))
    for threads in THREADS:
        if not figures.has(f"steady/{threads}/noop"):
            continue
        rows = []
        for subject in COMPARED:
            key, floor = (f"steady/{threads}/{name}" for name in (subject, "noop"))
            rows.append([
                SUBJECTS[subject][0],
                *(time(figures.of(key, name)) for name in ("mean", "p50", "p99", "p999", "max")),
                *(time(figures.of(key, name)) for name in ("due_p50", "due_p99", "due_p999")),
                "" if subject == "noop" else time(figures.difference(key, floor, "cpu_per_log")[0]),
                _losses(figures, key),
            ])
        head = [
            f"100,000 logs/s, {_threads(threads)}", "call: mean", "p50", "p99", "p99.9", "max", "from due time: p50",
            "p99", "p99.9", "CPU per log over no-op", "dropped",
        ]
        text.append(_table(head, rows))
    return "\n\n".join(text)


def _losses(figures, key):
    dropped = figures.of(key, "dropped")
    return "0" if dropped == 0 else f"{dropped / figures.of(key, 'accepted'):.0%}"


def delivery(part):
    figures = Figures(part)
    rows = []
    for threads in THREADS:
        for subject in ("noop",) + DELIVERED:
            key = f"{threads}/{subject}"
            if not figures.has(key):
                continue
            sent = subject != "noop"
            rows.append([
                SUBJECTS[subject][0],
                str(threads),
                rate(figures.of(key, "logs_per_second")),
                f"{min(figures.all(key, 'logs_per_second')):,.0f}–{max(figures.all(key, 'logs_per_second')):,.0f}",
                time(figures.of(key, "cpu_per_log")),
                f"{figures.of(key, 'peak_rss_kib') / 1024:.0f} MiB",
                f"{figures.of(key, 'raw_bytes_per_log'):.0f}" if sent else "",
                f"{figures.of(key, 'wire_bytes_per_log'):.0f}" if sent else "",
                f"{figures.of(key, 'held_share'):.0%}",
                _losses(figures, key) if sent else "",
            ])
    head = [
        "sent", "threads", "logs/s", "spread", "CPU per log", "peak RSS", "JSON bytes per log", "wire bytes per log",
        "time held back", "dropped",
    ]
    return _table(head, rows)


def growth(part):
    figures = Figures(part)
    text = []
    for name, values, head in (
        ("message", MESSAGE_BYTES, "message bytes"),
        ("metadata", METADATA_VALUES, "metadata values"),
    ):
        rows = []
        for value in values:
            ours, floor = (f"{name}/{value}/{subject}" for subject in ("idle", "noop"))
            rows.append([
                f"{value:,}",
                time(figures.of(floor, "p50")),
                time(figures.of(ours, "p50")),
                span(figures.difference(ours, floor, "p50")),
                time(figures.of(ours, "p99")),
                _losses(figures, ours),
            ])
        text.append(_table([head, "no-op p50", "ours p50", "added (spread)", "ours p99", "dropped"], rows))
    rows = []
    for topics in TOPICS:
        key, floor = (f"topics/{topics}/{subject}" for subject in ("idle", "noop"))
        rows.append([
            f"{topics:,}",
            time(figures.of(floor, "p50")),
            *(time(figures.of(key, name)) for name in ("mean", "p50", "p99", "p999")),
            time(figures.of(key, "cpu_per_log")),
            f"{figures.of(key, 'peak_rss_kib') / 1024:.0f} MiB",
            _losses(figures, key),
        ])
    head = ["topics, at 100,000 logs/s", "no-op p50", "ours: mean", "p50", "p99", "p99.9", "CPU per log", "peak RSS",
            "dropped"]
    text.append(_table(head, rows))
    return "\n\n".join(text)


def disabled(part):
    figures = Figures(part)
    rows = [
        [name, f"{figures.of(key, 'loop_mean'):.1f} ns",
         f"{min(figures.all(key, 'loop_mean')):.1f}–{max(figures.all(key, 'loop_mean')):.1f} ns"]
        for key, name in (("noop", "no-op handler"), ("ours", "ours"))
    ]
    return _table(["a call at a level that is off", "mean", "spread"], rows)


TABLES = {"calls": calls, "delivery": delivery, "growth": growth, "disabled": disabled}
