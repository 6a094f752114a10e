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


def main():
    folder, target, scale = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), float(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    # The same file for the same figures.
    plt.rcParams["svg.hashsalt"] = "fleet"

    def times(name):
        return lambda data: [value * scale for value in data[name]]

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
