# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Compares the public interfaces of the libraries, as swift-api-digester sees them, with those of an older state."""

import argparse
import pathlib
import re
import subprocess
import sys

from modules import LIBRARIES, Build


def digester(*arguments):
    run = subprocess.run(["swift-api-digester", *map(str, arguments)], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"swift-api-digester failed:\n{run.stdout}{run.stderr}")
    return run.stdout + run.stderr


def describe(build, modules, library, output):
    """Writes down the interface of a library whose modules are in a folder."""
    # The tool takes the compiler's options but for those that only a compilation has.
    arguments, options = iter(build.arguments(library, features=False)), []
    for argument in arguments:
        if argument in ("-Xcc", "-target", "-I"):
            options += [argument, next(arguments)]
        elif argument == "-swift-version":
            next(arguments)
    digester("-dump-sdk", "-module", library, "-I", modules, *options, "-avoid-location", "-avoid-tool-args",
             "-module-cache-path", modules / "ModuleCache", "-o", output)


def breaks(library, old, new):
    """What of a library's old interface is not in the new one any more."""
    text = digester("-diagnose-sdk", "-input-paths", old, "-input-paths", new)
    # There are headings even if nothing is under them.
    if "/* Removed Decls */" not in text:
        sys.exit(f"swift-api-digester said something else than usual:\n{text}")
    lines = (line.strip() for line in re.sub(r"/\*.*?\*/", "", text).splitlines())
    return sorted({f"{library}: {line}" for line in lines if line})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--allowed", type=pathlib.Path, required=True)
    options = parser.parse_args()
    build, work = Build(options.build), options.work
    lines = (line.strip() for line in options.allowed.read_text().splitlines())
    allowed = {line for line in lines if line and not line.startswith("#")}
    found = []
    for library in LIBRARIES:
        if not (work / "modules-old" / f"{library}.swiftmodule").exists():
            continue
        if not (work / "modules-new" / f"{library}.swiftmodule").exists():
            found.append(f"{library}: the library has been removed")
            continue
        sides = []
        for side in ("old", "new"):
            sides.append(work / f"{library}-{side}.json")
            describe(build, work / f"modules-{side}", library, sides[-1])
        found += breaks(library, *sides)
    meant, others = [line for line in found if line in allowed], [line for line in found if line not in allowed]
    if others:
        sys.exit("\n".join([f"the interface breaks what was written against {options.base}:", *others]))
    print(f"nothing that was written against {options.base} breaks"
          + (f", but for {len(meant)} breaks that are meant" if meant else ""))


if __name__ == "__main__":
    main()
