# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Draws what Scripts/simulate --fleet has seen: fleet.py FIGURES PICTURES SCALE"""

import csv
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

import svg  # noqa: E402

# Those that are drawn over time, as far as they were run; against the number of shards all are.
OVER_TIME = [2, 4, 8, 16]
# When the service is away, in minutes.
OUTAGE = (1.5, 11.5)


def rows(path):
    with open(path, newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def summaries(folder):
    return sorted((rows(path)[0] for path in folder.glob("summary-*.csv")), key=lambda row: row["shards"])


def draw(folder, target, name, title, unit, value, logarithmic=False):
    figure, axes = plt.subplots(figsize=(8, 3.6))
    axes.axvspan(*OUTAGE, color="0.92", label="outage")
    for shards in OVER_TIME:
        path = folder / f"fleet-{shards}.csv"
        if path.exists():
            data = rows(path)
            minutes = [row["second"] / 60 for row in data]
            axes.plot(minutes, [value(row) for row in data], label=f"{shards} shards", linewidth=1.2)
    axes.set(title=title, xlabel="minutes", ylabel=unit)
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(1, 20_000)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    else:
        # Room for the legend.
        axes.set_ylim(0, axes.get_ylim()[1] * 1.35)
    axes.grid(color="0.9")
    axes.legend(loc="upper center", fontsize="small", ncols=5)
    save(figure, target / f"{name}.svg")


def draw_shards(fleets, target, scale):
    shards = [row["shards"] for row in fleets]
    figure, ((rates, refused), (drained, age)) = plt.subplots(2, 2, figsize=(8, 6.4))

    def plot(axes, name, style, label, factor=1.0):
        axes.plot(shards, [row[name] * factor for row in fleets], style, label=label, markersize=4, linewidth=1.2)

    plot(rates, "after_offered", "C0o-", "offered, 10 min after the outage", scale)
    plot(rates, "after_accepted", "C1s-", "accepted, 10 min after the outage", scale)
    plot(rates, "end_offered", "C0o--", "offered, at the end", scale)
    plot(rates, "end_accepted", "C1s--", "accepted, at the end", scale)
    rates.set(title="Load", ylabel="requests/s")
    plot(refused, "after_throttled", "C2o-", "10 min after the outage", 100)
    plot(refused, "end_throttled", "C2o--", "at the end", 100)
    refused.set(title="Answers that are 403", ylabel="percent")
    known = [row for row in fleets if row["drained"] >= 0]
    drained.plot([row["shards"] for row in known], [row["drained"] for row in known], "C3o-", markersize=4, linewidth=1.2)
    drained.set(title="Time to drain", ylabel="seconds")
    plot(age, "high_age", "C4o-", "99 of 100 producers")
    plot(age, "median_age", "C4o--", "the producer in the middle")
    age.set(title="Age of the oldest record at the end", ylabel="seconds")
    for axes in [rates, refused, drained, age]:
        axes.set(xlabel="shards", xticks=shards)
        axes.set_ylim(bottom=0)
        axes.grid(color="0.9")
    for axes in [refused, age]:
        axes.legend(fontsize="x-small")
    rates.legend(fontsize="x-small", loc="lower right")
    save(figure, target / "shards.svg")


def save(figure, path):
    figure.tight_layout()
    svg.save(figure, path)
    plt.close(figure)


def tell(fleets, scale):
    """Prints the tables of Docs/Evidence/Fleet.md."""

    def rate(value):
        return f"{10 * round(value * scale / 10):,}"

    def age(value):
        return f"{value:.1f}" if 0.05 <= value < 1 else f"{value:.0f}"

    def drained(value):
        return f"{value:.0f} s" if value >= 0 else "never"

    print("| Shards | Before: offered, accepted/s | 10 min after: offered, accepted/s, 403 | Most offered after/s "
          "| Drained after | At the end: offered, accepted/s, 403 | Oldest at the end: median, 99 of 100 |")
    print("|---|---|---|---|---|---|---|")
    for row in fleets:
        print(
            f"| {row['shards']:.0f} | {rate(row['before_offered'])}, {rate(row['before_accepted'])} "
            f"| {rate(row['after_offered'])}, {rate(row['after_accepted'])}, {100 * row['after_throttled']:.1f} % "
            f"| {rate(row['peak'])} | {drained(row['drained'])} "
            f"| {rate(row['end_offered'])}, {rate(row['end_accepted'])}, {100 * row['end_throttled']:.1f} % "
            f"| {age(row['median_age'])} s, {age(row['high_age'])} s |"
        )
    print()
    print("| Shards | Records | Requests answered | Of them 403 | Records in a request that was taken | MB written |")
    print("|---|---|---|---|---|---|")
    for row in fleets:
        taken = row["requests"] - row["refused"]
        print(
            f"| {row['shards']:.0f} | {row['records'] * scale / 1e6:.2f} million "
            f"| {row['requests'] * scale / 1e6:.2f} million | {row['refused'] * scale / 1e6:.2f} million "
            f"| {row['records'] / taken:.1f} | {row['bytes'] * scale / 1e6:,.0f} |"
        )
    print()
    print(f"Records dropped: {sum(row['dropped'] for row in fleets):.0f}")


def main():
    folder, target, scale = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), float(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    # Text stays text, and the same figures give the same file.
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "fleet"})
    fleets = summaries(folder)
    tell(fleets, scale)
    draw_shards(fleets, target, scale)
    draw(folder, target, "offered", "Requests offered", "requests/s", lambda row: row["offered"] * scale)
    draw(folder, target, "accepted", "Requests accepted", "requests/s", lambda row: row["accepted"] * scale)
    draw(
        folder,
        target,
        "throttled",
        "Answers that are 403",
        "percent",
        lambda row: 100 * row["throttled"] / max(row["throttled"] + row["accepted"], 1e-9),
    )
    draw(
        folder,
        target,
        "age",
        "Age of the oldest record, 99 of 100 producers",
        "seconds",
        lambda row: max(row["age99"], 0.1),
        logarithmic=True,
    )


if __name__ == "__main__":
    main()
