# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Instructions per log of the reference records, counted by the program that the gates use."""

import subprocess
import sys


def count(gates):
    """By record, the instructions with the no-op handler and with ours."""
    done = subprocess.run([gates, "count"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{gates.name} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found = {}
    for line in done.stdout.splitlines():
        name, noop, ours = line.split()
        found[name] = [int(noop), int(ours)]
    return found
