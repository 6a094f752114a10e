# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""The plots, as SVG, on white so that they can be read on a dark page, too."""

import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
# Text stays text, and the same run gives the same file.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmark", "font.family": "sans-serif"})

from matplotlib import pyplot, ticker  # noqa: E402

# Shared with the plots of the fleet.
sys.path.append(str(Path(__file__).resolve().parents[2] / "Scripts" / "lib"))
import svg  # noqa: E402

from figures import Figures  # noqa: E402
from plan import MESSAGE_BYTES, METADATA_VALUES, SUBJECTS, THREADS, TOPICS  # noqa: E402

# Okabe and Ito's colours, which everybody can tell apart.
OURS, FLOOR, PEER = "#0072B2", "#999999", "#E69F00"
SHADES = ("#56B4E9", "#0072B2", "#003F66")
PEER_SHADES = ("#F5CF80", "#E69F00", "#8A5F00")


def _name(subject):
    return re.sub(r"[*`]", "", SUBJECTS[subject][0])


def _colour(subject):
    if subject == "noop":
        return FLOOR
    return OURS if "ours" in SUBJECTS[subject][0] else PEER


def _plain(axis):
    """1, 10, 100 and not powers of ten."""
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))


def _save(figure, folder, name):
    figure.tight_layout()
    svg.save(figure, folder / f"{name}.svg")
    pyplot.close(figure)


def calls(part, folder):
    figures = Figures(part)
    subjects = ("noop", "idle", "counting", "http-lz4", "asyncstream", "task", "stream-null", "stream-pipe")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    for axes, threads in ((left, 1), (right, 4)):
        for row, subject in enumerate(reversed(subjects)):
            low, middle, high = (figures.of(f"full/{threads}/{subject}", name) / 1e3 for name in ("p50", "p99", "p999"))
            axes.plot([low, high], [row, row], color=_colour(subject), linewidth=2, zorder=1)
            axes.scatter([low], [row], color=_colour(subject), s=55, zorder=2)
            axes.scatter([middle, high], [row, row], color="white", edgecolor=_colour(subject), s=35, zorder=2)
        axes.set_xscale("log")
        _plain(axes.xaxis)
        axes.set_xlabel("microseconds: p50 (filled), p99, p99.9")
        axes.set_title(f"{threads} thread{'s' * (threads > 1)}", fontsize=10)
        axes.grid(axis="x", color="#dddddd")
        axes.set_axisbelow(True)
    left.set_yticks(range(len(subjects)), [_name(subject) for subject in reversed(subjects)])
    figure.suptitle("One logger.info with four metadata values, as fast as it goes", fontsize=11)
    _save(figure, folder, "calls")


def delivery(part, folder):
    figures = Figures(part)
    subjects = ("http-lz4", "http-none", "urlsession-lz4", "http-deflate", "ndjson", "asyncstream-http", "task-http")
    threads = [count for count in THREADS if figures.has(f"{count}/http-lz4")]
    figure, axes = pyplot.subplots(figsize=(8, 3.8))
    for index, count in enumerate(threads):
        places = [row + (index - (len(threads) - 1) / 2) * 0.26 for row in range(len(subjects))]
        values = [figures.of(f"{count}/{name}", "logs_per_second") / 1e3 for name in subjects]
        label = f"{count} thread{'s' * (count > 1)}"
        colours = [(SHADES if _colour(name) == OURS else PEER_SHADES)[index] for name in subjects]
        axes.barh(places, values, height=0.24, color=colours, label=label)
    axes.set_yticks(range(len(subjects)), [_name(name).removeprefix("ours, ") for name in subjects])
    axes.invert_yaxis()
    axes.set_xlabel("thousand logs a second, all delivered")
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    axes.set_title("End to end", fontsize=11)
    _save(figure, folder, "delivery")


def growth(part, folder):
    figures = Figures(part)
    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.4))
    for place, name, values, label in (
        (axes[0], "message", MESSAGE_BYTES, "bytes of the message"),
        (axes[1], "metadata", METADATA_VALUES, "metadata values"),
    ):
        for subject, colour, legend in (("idle", OURS, "ours"), ("noop", FLOOR, "no-op handler")):
            points = [figures.of(f"{name}/{value}/{subject}", "p50") / 1e3 for value in values]
            place.plot(values, points, marker="o", markersize=4, color=colour, label=legend)
        place.set_xlabel(label)
        place.set_ylabel("p50, microseconds")
        place.legend(frameon=False)
    axes[0].set_xscale("log")
    axes[0].set_yscale("log")
    _plain(axes[0].xaxis)
    _plain(axes[0].yaxis)
    for name, marker in (("p50", "o"), ("p99", "s")):
        points = [figures.of(f"topics/{topics}/idle", name) / 1e3 for topics in TOPICS]
        axes[2].plot(TOPICS, points, marker=marker, markersize=4, color=OURS, label=name,
                     linestyle="-" if name == "p50" else ":")
    axes[2].set_xscale("log")
    _plain(axes[2].xaxis)
    axes[2].set_ylim(bottom=0)
    axes[2].set_ylabel("microseconds")
    axes[2].set_xlabel("topics, at 100,000 logs/s")
    axes[2].legend(frameon=False)
    for place in axes:
        place.grid(color="#dddddd")
        place.set_axisbelow(True)
    _save(figure, folder, "growth")


PLOTS = {"calls": calls, "delivery": delivery, "growth": growth}
