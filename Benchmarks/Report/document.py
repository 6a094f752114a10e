# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Puts a run into the guide, between its markers."""

import re
import sys

SECTIONS = (
    "machine", "aims", "records", "calls", "slow", "delivery", "growth", "policies", "disabled", "pipeline", "profile",
)


def write(path, sections):
    """Replaces what is between `<!-- begin NAME -->` and `<!-- end NAME -->` for each of `sections`."""
    text = path.read_text(encoding="utf-8")
    for name, content in sections.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"{path} has no place for {name}")
        text = pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)
    path.write_text(text, encoding="utf-8")
