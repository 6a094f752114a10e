# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""The Markdown tables."""

from figures import Figures, factor, rate, rates, span, time
from plan import (
    COMPARED, DELIVERED, MESSAGE_BYTES, METADATA_VALUES, PEERS_DELIVERED, POLICIES, RECORDS, SUBJECTS, THREADS, TOPICS,
)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _threads(count):
    return "1 thread" if count == 1 else f"{count} threads"


def _losses(figures, key):
    """Of all repetitions together: one record is too many for a median to hide it."""
    dropped = figures.sum(key, "dropped")
    if dropped == 0:
        return "0"
    share = dropped / max(figures.sum(key, "accepted"), 1)
    return f"{dropped:,.0f}, {share:.0%}" if share >= 0.005 else f"{dropped:,.0f}"


def _peak(figures, key):
    return f"{figures.most(key, 'peak_rss_kib') / 1024:.0f} MiB"


def records(part):
    figures = Figures(part)
    rows = []
    for record in RECORDS:
        ours, floor = f"{record}/idle", f"{record}/noop"
        count = part.get("instructions", {}).get(record)
        rows.append([
            record,
            f"{figures.of(ours, 'raw_bytes_per_log'):,.0f}",
            span(figures.spread(floor, "p50")),
            span(figures.spread(ours, "p50")),
            span(figures.difference(ours, floor, "p50")),
            *([f"{count[0]:,}", f"{count[1]:,}", f"{count[1] - count[0]:,}"] if count else ["", "", ""]),
        ])
    head = ["record", "bytes of JSON", "no-op p50", "ours p50", "added", "instructions: no-op", "ours", "added"]
    return table(head, rows)


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
                *(span(figures.spread(key, name)) for name in ("mean", "p50", "p99", "p999")),
                time(figures.most(key, "max")),
                "" if subject == "noop" else span(figures.difference(key, floor, "p50")),
                factor(figures.ratio(key, stream, "mean")),
                span(figures.spread(key, "cpu_per_log")),
                f"{figures.of(key, 'allocations_per_log'):.1f}",
                _peak(figures, key),
                _losses(figures, key),
            ])
        head = [
            f"as fast as it goes, {_threads(threads)}", "call: mean", "p50", "p99", "p99.9", "max", "p50 over no-op",
            "times cheaper than StreamLogHandler to /dev/null, mean", "CPU per log", "allocations", "peak RSS",
            "dropped",
        ]
        text.append(table(head, rows))
    for threads in THREADS:
        if not figures.has(f"steady/{threads}/noop"):
            continue
        rows = []
        for subject in COMPARED:
            key, floor = (f"steady/{threads}/{name}" for name in (subject, "noop"))
            rows.append([
                SUBJECTS[subject][0],
                rate(figures.of(key, "logs_per_second")),
                *(span(figures.spread(key, name)) for name in ("mean", "p50", "p99", "p999")),
                time(figures.most(key, "max")),
                *(span(figures.spread(key, name)) for name in ("due_p50", "due_p99", "due_p999")),
                span(figures.spread(key, "cpu_per_log")),
                "" if subject == "noop" else span(figures.difference(key, floor, "cpu_per_log")),
                _losses(figures, key),
            ])
        head = [
            f"100,000 logs/s, {_threads(threads)}", "reached", "call: mean", "p50", "p99", "p99.9", "max",
            "from due time: p50", "p99", "p99.9", "CPU per log", "over no-op", "dropped",
        ]
        text.append(table(head, rows))
    return "\n\n".join(text)


def slow(part):
    """What calls of more than 20 us were slow for; from the part that measures the calls."""
    figures = Figures(part)
    rows = []
    for mode, what in (("full", "as fast as it goes"), ("steady", "100,000 logs/s")):
        for threads in THREADS:
            for subject in ("noop", "stream-null", "counting", "http-lz4"):
                key = f"{mode}/{threads}/{subject}"
                if not figures.has(key):
                    continue
                kinds = ("preempted", "waited", "own")
                rows.append([
                    SUBJECTS[subject][0], f"{what}, {_threads(threads)}", time(figures.of(key, "mean")),
                    *(time(figures.of(key, f"slow_{kind}_time")) for kind in kinds),
                    *(rate(figures.of(key, f"slow_{kind}_calls")) for kind in kinds),
                ])
    head = [
        "slow calls", "load", "mean of all calls", "of it: lost the processor", "waited", "neither",
        "calls in a million: lost the processor", "waited", "neither",
    ]
    return table(head, rows)


def delivery(part):
    figures = Figures(part)
    rows = []
    for threads in THREADS:
        for subject in ("noop", *PEERS_DELIVERED, *DELIVERED):
            key, peer = f"{threads}/{subject}", f"{threads}/asyncstream-http"
            if not figures.has(key):
                continue
            sent = figures.of(key, "wire_bytes_per_log") > 0
            # How many times the rate is the peer's: the ratio's other way round.
            times = figures.ratio(peer, key, "logs_per_second") if figures.has(peer) else None
            rows.append([
                SUBJECTS[subject][0],
                str(threads),
                rates(figures.spread(key, "logs_per_second")),
                factor(times) if times and sent else "",
                span(figures.spread(key, "cpu_per_log")),
                _peak(figures, key),
                f"{figures.of(key, 'raw_bytes_per_log'):.0f}" if sent else "",
                f"{figures.of(key, 'wire_bytes_per_log'):.0f}" if sent else "",
                f"{figures.of(key, 'held_share'):.0%}",
                _losses(figures, key) if sent else "",
            ])
    head = [
        "sent", "threads", "logs/s", "times the `AsyncStream` shape's", "CPU per log", "peak RSS", "JSON bytes per log",
        "wire bytes per log", "time held back", "dropped",
    ]
    return table(head, rows)


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
                span(figures.spread(floor, "p50")),
                span(figures.spread(ours, "p50")),
                span(figures.difference(ours, floor, "p50")),
                span(figures.spread(ours, "p99")),
                _losses(figures, ours),
            ])
        text.append(table([head, "no-op p50", "ours p50", "added", "ours p99", "dropped"], rows))
    rows = []
    for topics in TOPICS:
        key, floor = (f"topics/{topics}/{subject}" for subject in ("idle", "noop"))
        if not figures.has(key):
            continue
        rows.append([
            f"{topics:,}",
            span(figures.spread(floor, "p50")),
            *(span(figures.spread(key, name)) for name in ("mean", "p50", "p99", "p999")),
            span(figures.difference(key, floor, "p50")),
            span(figures.difference(key, floor, "cpu_per_log")),
            _peak(figures, key),
            _losses(figures, key),
        ])
    head = ["topics, at 100,000 logs/s", "no-op p50", "ours: mean", "p50", "p99", "p99.9", "p50 over no-op",
            "CPU per log over no-op", "peak RSS", "dropped"]
    text.append(table(head, rows))
    return "\n\n".join(text)


def policies(part):
    figures = Figures(part)
    rows = []
    for key, (name, arguments) in POLICIES.items():
        record = arguments[arguments.index("--record") + 1] if "--record" in arguments else "reference"
        floor = f"{record}/noop"
        left_out = figures.sum(key, "dropped") / max(figures.sum(key, "accepted"), 1)
        rows.append([
            name,
            *(span(figures.spread(key, figure)) for figure in ("p50", "p99")),
            span(figures.difference(key, floor, "p50")),
            span(figures.difference(key, floor, "cpu_per_log")),
            f"{left_out:.0%}",
        ])
    head = ["with", "p50", "p99", "p50 over no-op", "CPU per log over no-op", "left out"]
    return table(head, rows)


def disabled(part):
    figures = Figures(part)
    rows = []
    for key, name in (("noop", "no-op handler"), ("ours", "ours"), ("again", "the no-op handler once more")):
        middle, low, high = figures.spread(key, "loop_mean")
        extra = [f"{value:+.1f}" for value in figures.difference(key, "noop", "loop_mean")]
        rows.append([
            name, f"{middle:.1f} ({low:.1f}–{high:.1f}) ns",
            "" if key == "noop" else f"{extra[0]} ({extra[1]} to {extra[2]}) ns",
        ])
    return table(["a call at a level that is off", "mean", "over the first row"], rows)


TABLES = {
    "records": records, "calls": calls, "delivery": delivery, "growth": growth, "policies": policies,
    "disabled": disabled,
}
