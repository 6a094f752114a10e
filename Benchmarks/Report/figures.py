# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Medians, ratios and their spread over the repetitions of a run."""

from statistics import median


class Figures:
    """What one part has found, by cell and name."""

    def __init__(self, results):
        self.results = results

    def has(self, key):
        return key in self.results

    def all(self, key, name):
        return [repetition.get(name, 0.0) for repetition in self.results[key]]

    def of(self, key, name):
        """The median over the repetitions."""
        return median(self.all(key, name))

    def sum(self, key, name):
        """Over all repetitions: for what must not happen once."""
        return sum(self.all(key, name))

    def most(self, key, name):
        return max(self.all(key, name))

    def spread(self, key, name):
        """The median, the smallest and the largest."""
        values = self.all(key, name)
        return median(values), min(values), max(values)

    def ratio(self, key, other, name):
        """How many times `other` is `key`: the median, the smallest and the largest over the repetitions, each of
        which compares what was measured right after each other."""
        ratios = [b / a for a, b in zip(self.all(key, name), self.all(other, name)) if a > 0]
        return (median(ratios), min(ratios), max(ratios)) if ratios else (0.0, 0.0, 0.0)

    def difference(self, key, other, name):
        """By how much `key` is more than `other`, in the same way."""
        differences = [a - b for a, b in zip(self.all(key, name), self.all(other, name))]
        return median(differences), min(differences), max(differences)


UNITS = ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms"), (float("inf"), 1e9, "s"))


def _unit(nanoseconds):
    return next((divisor, unit) for limit, divisor, unit in UNITS if abs(nanoseconds) < limit * 0.9995)


def _digits(value, unit):
    return 0 if unit == "ns" or abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def time(nanoseconds):
    """A duration with three digits."""
    divisor, unit = _unit(nanoseconds)
    value = nanoseconds / divisor
    return f"{value:.{_digits(value, unit)}f} {unit}"


def span(spread):
    """A duration with its spread, in the unit of the largest."""
    middle, low, high = spread
    divisor, unit = _unit(max(abs(low), abs(middle)))
    digits = _digits(middle / divisor, unit)
    between = " to " if low < 0 else "–"
    return f"{middle / divisor:.{digits}f} ({low / divisor:.{digits}f}{between}{high / divisor:.{digits}f}) {unit}"


def rate(per_second):
    return f"{per_second:,.0f}"


def rates(spread):
    middle, low, high = spread
    return f"{middle:,.0f} ({low:,.0f}–{high:,.0f})"


def factor(ratio):
    """A ratio with its spread."""
    middle, low, high = ratio
    digits = 1 if middle >= 10 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
