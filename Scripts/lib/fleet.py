# ===----------------------------------------------------------------------===//
#
# This source file is part of the swift-log-webtracking open source project
#
# Licensed under Apache License v2.0. See LICENSE for license information.
#
# SPDX-License-Identifier: Apache-2.0
#
# ===----------------------------------------------------------------------===//

"""Draws what Scripts/simulate --fleet has seen: fleet.py FIGURES PICTURES SCALE"""

import csv
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# Those that are drawn over time; against the number of shards all are.
SHARDS = [2, 4, 8, 16]


def read(folder, shards):
    with open(folder / f"fleet-{shards}.csv", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def draw(folder, target, name, title, unit, value, logarithmic=False):
    figure, axes = plt.subplots(figsize=(8, 3.6))
    axes.axvspan(2, 12, color="0.92", label="outage")
    for shards in SHARDS:
        data = read(folder, shards)
        minutes = [second / 60 for second in data["second"]]
        axes.plot(minutes, value(data), label=f"{shards} shards", linewidth=1.2)
    axes.set(title=title, xlabel="minutes", ylabel=unit)
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(1, 20_000)
    else:
        # Room for the legend.
        axes.set_ylim(0, axes.get_ylim()[1] * 1.35)
    axes.grid(color="0.9")
    axes.legend(loc="upper center", fontsize="small", ncols=5)
    figure.tight_layout()
    figure.savefig(target / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def summarise(folder, target, scale):
    with open(folder / "fleet.csv", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    shards = [row["shards"] for row in rows]
    figure, ((rates, refused), (drained, age)) = plt.subplots(2, 2, figsize=(8, 6))
    for name, label in [("offered", "offered"), ("accepted", "accepted")]:
        rates.plot(shards, [row[f"after_{name}"] * scale for row in rows], "o-", label=f"{label}, after the outage")
        rates.plot(shards, [row[f"end_{name}"] * scale for row in rows], "o--", label=f"{label}, at the end")
    rates.set(title="Load", ylabel="requests/s")
    rates.legend(fontsize="x-small")
    refused.plot(shards, [100 * row["after_throttled"] for row in rows], "o-", label="after the outage")
    refused.plot(shards, [100 * row["end_throttled"] for row in rows], "o--", label="at the end")
    refused.set(title="Answers that are 403", ylabel="percent")
    refused.legend(fontsize="x-small")
    known = [row for row in rows if row["drained"] >= 0]
    drained.plot([row["shards"] for row in known], [row["drained"] for row in known], "o-")
    drained.set(title="Time to drain", ylabel="seconds")
    age.plot(shards, [row["high_age"] for row in rows], "o-")
    age.set(title="Oldest record at the end, 99 of 100", ylabel="seconds")
    for axes in [rates, refused, drained, age]:
        axes.set(xlabel="shards", xticks=shards)
        axes.set_ylim(bottom=0)
        axes.grid(color="0.9")
    figure.tight_layout()
    figure.savefig(target / "shards.svg", metadata={"Date": None})
    plt.close(figure)


def main():
    folder, target, scale = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), float(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    # The same file for the same figures.
    plt.rcParams["svg.hashsalt"] = "fleet"

    def times(name):
        return lambda data: [value * scale for value in data[name]]

    summarise(folder, target, scale)
    draw(folder, target, "offered", "Requests offered", "requests/s", times("offered"))
    draw(folder, target, "accepted", "Requests accepted", "requests/s", times("accepted"))
    draw(
        folder,
        target,
        "throttled",
        "Answers that are 403",
        "percent",
        lambda data: [
            100 * no / max(no + yes, 1e-9) for no, yes in zip(data["throttled"], data["accepted"])
        ],
    )
    draw(
        folder,
        target,
        "age",
        "Age of the oldest record, 99 of 100 producers",
        "seconds",
        lambda data: [max(age, 0.1) for age in data["age99"]],
        logarithmic=True,
    )


main()
