# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Compiles the interfaces of this package's libraries, without what is inside of functions.

Takes seconds, since the packages that they depend on are those of a build that is there already. For the documentation
and for the check of the interface, which also compiles an older state of the sources that way.
"""

import argparse
import json
import pathlib
import subprocess
import sys

LIBRARIES = ["WebTracking", "WebTrackingTestKit", "WebTrackingURLSession"]


class Build:
    """A debug build of this package, or of one that depends on it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        description = json.loads((self.folder / "description.json").read_text())
        self.commands = {command["moduleName"]: command for command in description["swiftCommands"].values()}

    def arguments(self, module, features=True):
        """How the build compiles against the modules that `module` depends on, with the same upcoming features or none."""
        command = self.commands.get(module) or self.commands["WebTracking"]
        arguments, kept = iter(command["otherArguments"]), []
        for argument in arguments:
            if argument in ("-target", "-swift-version", "-enable-upcoming-feature", "-Xcc"):
                pair = [argument, next(arguments)]
                if features or argument != "-enable-upcoming-feature":
                    kept += pair
            elif argument.startswith("-D"):
                kept.append(argument)
        return kept + ["-I", str(self.folder / "Modules")]


def compile_interfaces(build, sources, output, symbols=None):
    """Writes the modules of the libraries in the folder `sources` to `output`, and their symbol graphs to `symbols`."""
    output.mkdir(parents=True, exist_ok=True)
    for library in LIBRARIES:
        files = sorted(str(file) for file in (sources / library).rglob("*.swift"))
        if not files:
            continue
        command = ["swiftc", "-emit-module", "-parse-as-library", "-module-name", library]
        # The libraries share declarations with `package` access. Ours come before those of the build.
        command += ["-package-name", "webtracking", "-I", str(output), *build.arguments(library)]
        command += ["-module-cache-path", str(output / "ModuleCache"), "-suppress-warnings"]
        command += ["-Xfrontend", "-experimental-skip-non-inlinable-function-bodies"]
        command += ["-emit-module-path", str(output / f"{library}.swiftmodule")]
        if symbols:
            graphs = symbols / library
            graphs.mkdir(parents=True, exist_ok=True)
            command += ["-emit-symbol-graph", "-emit-symbol-graph-dir", str(graphs)]
            command += ["-symbol-graph-minimum-access-level", "public", "-symbol-graph-skip-synthesized-members"]
        subprocess.run(command + files, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the folder of a debug build, with description.json")
    parser.add_argument("--sources", type=pathlib.Path, required=True, help="the folder Sources of a checkout")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="where the modules go")
    parser.add_argument("--symbols", type=pathlib.Path, help="where symbol graphs go, if anywhere")
    options = parser.parse_args()
    try:
        compile_interfaces(Build(options.build), options.sources, options.output, options.symbols)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        sys.exit(f"the interfaces cannot be compiled: {error}")


if __name__ == "__main__":
    main()
