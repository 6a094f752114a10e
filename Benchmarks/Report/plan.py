# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What is measured: for each part a list of cells, each of which is one process, run once in every repetition."""

from dataclasses import dataclass, field

THREADS = (1, 2, 4)
STEADY_RATE = 100_000
MESSAGE_BYTES = (50, 200, 1_000, 4_000, 16_000, 100_000)
METADATA_VALUES = (0, 1, 2, 4, 8, 16, 32)
TOPICS = (1, 10, 100, 1_000)

# Subject: its name in tables, and how it is run.
SUBJECTS = {
    "noop": ("no-op handler: swift-log alone", ["noop"]),
    "stream-null": ("StreamLogHandler to /dev/null", ["stream"]),
    "stream-pipe": ("StreamLogHandler to a pipe", ["stream"]),
    "asyncstream": ("`AsyncStream` to an actor", ["asyncstream"]),
    "task": ("`Task` for each record", ["task"]),
    "asyncstream-http": ("`AsyncStream` to an actor, LZ4, AsyncHTTPClient", ["asyncstream-http"]),
    "task-http": ("`Task` for each record, LZ4, AsyncHTTPClient", ["task-http"]),
    "idle": ("**ours**, nothing to send to, no compression", ["counting", "--compression", "none"]),
    "counting": ("**ours**, LZ4, counting transport", ["counting"]),
    "ndjson": ("**ours**, NDJSON to /dev/null", ["ndjson", "--compression", "none"]),
    "http-none": ("**ours**, AsyncHTTPClient, uncompressed", ["http", "--compression", "none"]),
    "http-lz4": ("**ours**, LZ4, AsyncHTTPClient", ["http"]),
    "http-deflate": ("**ours**, deflate, AsyncHTTPClient", ["http", "--compression", "deflate"]),
    "urlsession-none": ("**ours**, URLSession, uncompressed", ["http", "--compression", "none"]),
    "urlsession-lz4": ("**ours**, LZ4, URLSession", ["http"]),
    "urlsession-deflate": ("**ours**, deflate, URLSession", ["http", "--compression", "deflate"]),
    # A program of its own.
    "appends": ("**ours**, the queue alone", []),
}
COMPARED = (
    "noop", "stream-null", "stream-pipe", "asyncstream", "task", "idle", "counting", "ndjson", "http-lz4",
    "urlsession-lz4",
)
# What is compared most runs close together, since a machine's speed may change within seconds.
RUN_FIRST = ("noop", "counting", "idle", "stream-null", "http-lz4")
DELIVERED = (
    "ndjson", "http-none", "http-lz4", "http-deflate", "urlsession-none", "urlsession-lz4", "urlsession-deflate",
)
DELIVERED_ON_MORE_THREADS = ("ndjson", "http-none", "http-lz4", "http-deflate", "urlsession-lz4")
PEERS_DELIVERED = ("stream-null", "asyncstream-http", "task-http")
RECORDS = ("short", "reference", "wide", "large")
# What is switched on, and its arguments.
POLICIES = {
    "none": ("no redaction", ["--redaction", "none"]),
    "standard": ("the standard redaction, which is the default; no key that it is for", []),
    "masked": ("the standard redaction, and one of five values is masked", ["--record", "secret"]),
    "sampling-all": ("sampling, with rates that let every record through", ["--sampling", "all"]),
    "sampling": ("sampling: 100 a second and one in 100 of the others", ["--sampling", "some"]),
    "folding": ("repeat suppression; no two records are identical", ["--folding"]),
    "folded": ("repeat suppression; all records are identical", ["--folding", "--record", "same"]),
}


@dataclass
class Cell:
    """One process: what it measures is told by its key, which the tables look up."""

    key: str
    subject: str
    arguments: list = field(default_factory=list)


@dataclass
class Part:
    name: str
    repetitions: int
    cells: list


def _timing(quick, warm_up, seconds):
    scale = 0.5 if quick else 1
    return ["--warm-up", str(warm_up * scale), "--seconds", str(seconds * scale)]


def calls(quick):
    """The cost of a call, for ours and the peers, as fast as it goes and at a steady rate."""
    timing = _timing(quick, 0.12, 0.5)
    cells = []
    for threads in (1, 4) if quick else THREADS:
        for subject in (*RUN_FIRST, *(name for name in COMPARED if name not in RUN_FIRST)):
            load = ["--threads", str(threads)] + timing
            cells.append(Cell(f"full/{threads}/{subject}", subject, load))
            cells.append(Cell(f"steady/{threads}/{subject}", subject, load + ["--rate", str(STEADY_RATE)]))
    return Part("calls", 2 if quick else 5, cells)


def delivery(quick):
    """All the way to a sink, or a file, with nothing dropped."""
    timing = _timing(quick, 0.2, 1.2)
    cells = []
    for threads in (1, 4) if quick else THREADS:
        subjects = DELIVERED if threads == 1 else DELIVERED_ON_MORE_THREADS
        for subject in ("asyncstream-http", "http-lz4") if quick else (*subjects, *PEERS_DELIVERED):
            arguments = ["--threads", str(threads), "--untimed"] + timing
            cells.append(Cell(f"{threads}/{subject}", subject, arguments))
        cells.append(Cell(f"{threads}/noop", "noop", ["--threads", str(threads), "--untimed"] + timing))
    return Part("delivery", 2 if quick else 4, cells)


def records(quick):
    """The four reference records."""
    cells = []
    for record in RECORDS:
        for subject in ("noop", "idle"):
            cells.append(Cell(f"{record}/{subject}", subject, ["--record", record] + _timing(quick, 0.1, 0.4)))
    return Part("records", 2 if quick else 5, cells)


def growth(quick):
    """The call against the size of the record, its metadata and the number of topics."""
    timing = _timing(quick, 0.1, 0.4)
    cells = []
    for size in MESSAGE_BYTES:
        for subject in ("noop", "idle"):
            cells.append(Cell(f"message/{size}/{subject}", subject, ["--message-bytes", str(size)] + timing))
    for count in METADATA_VALUES:
        arguments = ["--message-bytes", "80", "--metadata-values", str(count)] + timing
        for subject in ("noop", "idle"):
            cells.append(Cell(f"metadata/{count}/{subject}", subject, arguments))
    for topics in (1, 1_000) if quick else TOPICS:
        # Short lingers, so that a thousand half-filled batches fit into the memory limit.
        arguments = ["--topics", str(topics), "--linger-ms", "250", "--rate", str(STEADY_RATE)]
        for subject in ("noop", "idle"):
            cells.append(Cell(f"topics/{topics}/{subject}", subject, arguments + _timing(quick, 0.4, 0.8)))
    return Part("growth", 2 if quick else 5, cells)


def policies(quick):
    """The call with what a configuration can switch on."""
    cells = [Cell(f"{record}/noop", "noop", ["--record", record] + _timing(quick, 0.1, 0.4))
             for record in ("reference", "secret", "same")]
    for name, (_, arguments) in POLICIES.items():
        cells.append(Cell(name, "idle", arguments + _timing(quick, 0.1, 0.4)))
    return Part("policies", 2 if quick else 5, cells)


def disabled(quick):
    """A call at a level that is switched off. The no-op handler is measured against itself, too, to see what a
    difference says."""
    arguments = ["--disabled", "--untimed"] + _timing(quick, 0.1, 0.3)
    cells = [Cell("noop", "noop", arguments), Cell("ours", "counting", arguments), Cell("again", "noop", arguments)]
    return Part("disabled", 3 if quick else 7, cells)


PARTS = {
    "records": records, "calls": calls, "delivery": delivery, "growth": growth, "policies": policies,
    "disabled": disabled,
}
