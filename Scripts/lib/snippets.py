# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Compiles the Swift examples of the guides and of the documentation comments.

Each fenced block of Swift becomes a function, whose types are beside it, and is type-checked against the libraries. What
an example takes for granted, such as `producer`, is in Docs/Snippets/Context.swift. A comment in front of a block says
otherwise:

    <!-- context: let id = "7" -->   declares something else that the block takes for granted
    <!-- continues -->               the block goes on where the one before it on the page ended
    <!-- file: PATH -->              the block is a part of that file, which is compiled, and here compared
    <!-- not compiled: REASON -->    the block is left out
"""

import argparse
import pathlib
import re
import subprocess
import sys

from modules import Build

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a block imports that shows no imports.
USUAL = ["AsyncHTTPClient", "Configuration", "Logging", "ServiceLifecycle", "Testing", "WebTracking",
         "WebTrackingTestKit", "WebTrackingURLSession"]
# What the library does without, and the example has.
OF_THE_EXAMPLE = re.compile(r"^import Hummingbird|\bReloadingFileProvider\b", re.MULTILINE)
DECLARATION = re.compile(
    r"^(@\w+(\(.*\))?\s+)*((public|private|fileprivate|final|nonisolated|static)\s+)*"
    r"(struct|class|actor|enum|protocol|extension|func|typealias)\b|^@(Suite|Test)\b")


class Block:
    def __init__(self, page, line, text, notes):
        self.page, self.line, self.text, self.notes = page, line, text, notes
        self.more = []

    @property
    def where(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def note(self, name):
        return next((value for key, value in self.notes if key == name), None)


def blocks(page, text):
    """The Swift blocks of a text, with the comments in front of them."""
    notes, lines = [], text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        comment = re.fullmatch(r"<!-- (context|continues|file|not compiled)(?:: (.*))? -->", line)
        if comment:
            notes.append((comment[1], comment[2] or ""))
        elif line.startswith("```"):
            indent = len(lines[number]) - len(lines[number].lstrip())
            start, language = number + 1, line[3:].strip()
            number = start
            while number < len(lines) and lines[number].strip() != "```":
                number += 1
            if language == "swift":
                yield Block(page, start + 1, "\n".join(each[indent:] for each in lines[start:number]), notes)
            notes = []
        elif line:
            notes = []
        number += 1


def pages():
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).exists())
    yield from sorted((ROOT / "Docs").rglob("*.md"))
    yield from sorted((ROOT / "Sources").rglob("*.docc/*.md"))


def documentation(file):
    """The documentation comments of a source file, each line at its place."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return "\n".join(re.sub(r"^///? ?", "", line) if line.startswith("///") else "" for line in lines)


def chunks(block):
    """The declarations and the statements of a block, each with its line."""
    depth, chunk, start = 0, [], 0
    for offset, line in enumerate(block.text.splitlines()):
        if not chunk:
            start = offset
        chunk.append(line)
        code = re.sub(r'"(\\.|[^"\\])*"|//.*', "", line)
        depth += sum(code.count(each) for each in "{([") - sum(code.count(each) for each in "})]")
        # An attribute on a line of its own belongs to what is behind it.
        if depth <= 0 and not re.fullmatch(r"\s*@\w+(\(.*\))?\s*|\s*", line):
            yield block.line + start, chunk
            chunk = []
    if chunk:
        yield block.line + start, chunk


def located(block, line, code):
    return [f'#sourceLocation(file: "{block.page}", line: {line})', *code, "#sourceLocation()"]


def source(block, number, module):
    """A Swift file with a block, and its imports."""
    imports, extra, outside, beside, inside = [], [], [], [], []
    for part in [block, *block.more]:
        for kind, value in part.notes:
            if kind == "context":
                (extra if value.startswith("import ") else inside).append(value)
        for line, chunk in chunks(part):
            first = next((each for each in chunk if each.strip() and not each.strip().startswith("//")), "")
            if first.startswith(("import ", "public import ", "@testable import ")):
                imports.append(first.split("//")[0].strip())
            elif re.match(r"^((public|private|fileprivate)\s+)*extension\b|^infix\b", first):
                outside += located(part, line, chunk)
            elif DECLARATION.match(first):
                beside += located(part, line, [each for each in chunk if each.strip() != "@main"])
            else:
                inside += located(part, line, chunk)
    usual = USUAL if module == "WebTracking" else [name for name in USUAL if name != "WebTrackingURLSession"]
    header = set(imports or [f"import {name}" for name in usual]) | set(extra)
    # Extensions are outside, and see only what is there, too.
    if outside:
        outside, beside = outside + beside, []
    # What blocks a thread is for code that does not wait otherwise.
    effects = "async throws" if re.search(r"\bawait\b|\basync let\b", "\n".join(inside)) else "throws"
    return "\n".join([
        *sorted(header), *outside, f"private struct Snippet{number} {{", *beside,
        f"    func example() {effects} {{", *inside, "    }", "}", ""])


def compared(block):
    """What is wrong with a block that has to be a part of a file."""
    file = ROOT / block.note("file")
    if not file.exists():
        return f"{block.where}: there is no {block.note('file')}"
    def bare(text):
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())
    if bare(block.text) not in bare(file.read_text()):
        return f"{block.where}: differs from {block.note('file')}"
    return None


def collect():
    left_out, problems, compiled, copies = 0, [], [], 0
    found = [(page, page.read_text()) for page in pages()]
    found += [(file, documentation(file)) for file in sorted((ROOT / "Sources").rglob("*.swift"))]
    for page, text in found:
        for block in blocks(page, text):
            if block.note("not compiled") is not None:
                left_out += 1
            elif block.note("file") is not None:
                copies += 1
                problems += filter(None, [compared(block)])
            elif block.note("continues") is not None and compiled and compiled[-1].page == page:
                compiled[-1].more.append(block)
            else:
                compiled.append(block)
    return compiled, copies, left_out, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=["library", "example"], required=True, help="which of them to compile")
    parser.add_argument("--build", required=True,
                        help="a debug build of this package with all traits, or of Examples/HummingbirdServer")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="the modules of the libraries")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="where generated sources go")
    options = parser.parse_args()
    compiled, copies, left_out, problems = collect()
    if problems:
        sys.exit("\n".join(problems))
    options.output.mkdir(parents=True, exist_ok=True)
    for stale in options.output.glob("*.swift"):
        stale.unlink()
    module = {"library": "WebTracking", "example": "OrderService"}[options.of]
    files = []
    for number, block in enumerate(compiled):
        text = "\n".join(part.text for part in [block, *block.more])
        if bool(OF_THE_EXAMPLE.search(text)) == (options.of == "example"):
            files.append(options.output / f"Snippet{number}.swift")
            files[-1].write_text(source(block, number, module))
    if not files:
        sys.exit(f"there is no example of the {options.of}")
    # As in a program of a user's, who has not switched on anything.
    arguments = Build(options.build).arguments(module, features=False)
    command = ["swiftc", "-typecheck", "-parse-as-library", "-module-name", "Snippets", "-suppress-warnings"]
    # At once, so that all errors are told, and in less time.
    command.append("-whole-module-optimization")
    # The example has this library among its own modules, with fewer traits.
    if options.of == "library":
        command += ["-I", str(options.modules)]
    command += [*arguments, "-module-cache-path", str(options.modules / "ModuleCache")]
    command += [str(ROOT / "Docs/Snippets/Context.swift"), *map(str, files)]
    if subprocess.run(command).returncode != 0:
        sys.exit("examples do not compile")
    print(f"{len(files)} of {len(compiled)} examples compile, {copies} are parts of files that are compiled,"
          f" {left_out} are left out")


if __name__ == "__main__":
    main()
