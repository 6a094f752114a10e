# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What the model and the generator read from the guides themselves: lists that must not be written down twice."""

import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parents[2] / "Docs"


def rows_below(text, header):
    """The cells of the rows of the table that begins with this header."""
    lines = text[text.index(header):].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def standard_names():
    """The endings and the keys that Docs/Redaction.md lists as masked by default."""
    text = (DOCS / "Redaction.md").read_text()
    (suffixes, keys), = rows_below(text, "| Keys that end in | Keys that are |")
    return quoted(suffixes), quoted(keys)


def forbidden_names():
    """The names, and the beginning of names, that Docs/FieldMapping.md lists as forbidden."""
    text = (DOCS / "FieldMapping.md").read_text()
    names, beginnings = [], []
    for cell, _ in rows_below(text, "| Name | Why |"):
        (beginnings if "begins with" in cell else names).extend(quoted(cell))
    return names, beginnings
