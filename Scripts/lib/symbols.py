# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Checks that every public symbol has a documentation comment."""

import json
import pathlib
import sys

# What a name says all about, and what a comment would only repeat.
SELF_EVIDENT = {"==(_:_:)", "hash(into:)", "RawValue", "rawValue"}


def main():
    undocumented, total = [], 0
    for file in sorted(pathlib.Path(sys.argv[1]).rglob("*.symbols.json")):
        for symbol in json.loads(file.read_text())["symbols"]:
            name = ".".join(symbol["pathComponents"])
            # What the compiler writes itself, such as the members of a protocol that a type conforms to, has no place.
            if symbol["accessLevel"] not in ("public", "open") or "location" not in symbol:
                continue
            total += 1
            lines = symbol.get("docComment", {}).get("lines", [])
            if not any(line["text"].strip() for line in lines) and symbol["pathComponents"][-1] not in SELF_EVIDENT:
                position = symbol["location"]
                path = position["uri"].removeprefix("file://")
                undocumented.append(f"{path}:{position['position']['line'] + 1}: {name} has no documentation comment")
    if undocumented:
        sys.exit("\n".join(undocumented))
    if not total:
        sys.exit("no public symbols were found")
    print(f"{total} public symbols, all documented")


if __name__ == "__main__":
    main()
