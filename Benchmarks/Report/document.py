# ===----------------------------------------------------------------------===//
#
# This source file is part of the swift-log-webtracking open source project
#
# Licensed under Apache License v2.0. See LICENSE for license information.
#
# SPDX-License-Identifier: Apache-2.0
#
# ===----------------------------------------------------------------------===//

"""Puts a run into the guide, between its markers."""

import datetime
import os
import platform
import re
import subprocess
import sys

SECTIONS = ("machine", "aims", "calls", "delivery", "growth", "disabled", "pipeline")


def machine():
    """What the figures were measured on."""
    model = re.search(r"^model name\s*:\s*(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _read("/proc/meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.*)"$', _read("/etc/os-release"), re.MULTILINE)
    swift = re.search(r"Swift version (\S+)", subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout)
    parts = [
        f"{os.cpu_count()} cores of {model[1].strip()}" if model else f"{os.cpu_count()} cores of {platform.machine()}",
        f"{int(memory[1]) / 2**20:.0f} GiB" if memory else None,
        system[1] if system else platform.system(),
        f"Linux {platform.release().split('-')[0]}",
        f"Swift {swift[1]}, release build" if swift else None,
    ]
    return ", ".join(part for part in parts if part)


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def today():
    return datetime.date.today().isoformat()


def write(path, sections):
    """Replaces what is between `<!-- begin NAME -->` and `<!-- end NAME -->` for each of `sections`."""
    text = path.read_text(encoding="utf-8")
    for name, content in sections.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"{path} has no place for {name}")
        text = pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)
    path.write_text(text, encoding="utf-8")
