# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Makes the tables of Docs/Configuration.md from the documentation comments of the settings, so that each setting is
described once. Without --write it changes nothing, and fails where the guide differs.

A setting is a `public var` of one of GROUPS. Its row has the first paragraph of its comment, and the paragraph that begins
with "Range:". The tables stand between `<!-- begin settings GROUP -->` and `<!-- end settings GROUP -->`; that of the keys
comes from the list under "Configuration keys", of which each item that says more than names and types is a row.
"""

import ast
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "Docs" / "Configuration.md"
# By the type that declares them: what stands in front of the settings' names.
GROUPS = {
    "WebTrackingConfiguration": "",
    "FieldMapping": "fields.",
    "Batching": "batching.",
    "Delivery": "delivery.",
    "Limits": "limits.",
    "Spool": "spool.",
}
# What has keys of other names, or none.
WITHOUT_KEY = {"authentication", "proxy", "redaction", "sampling", "logLevelOverrides", "spool.isRescue"}
UNITS = {"milliseconds": "ms", "seconds": "s"}


def sources():
    return {file: file.read_text() for file in sorted((ROOT / "Sources" / "WebTracking").rglob("*.swift"))}


def body(texts, name):
    """The lines of a public struct, from the one file that declares it."""
    found = []
    for text in texts.values():
        for match in re.finditer(rf"^( *)public struct {name}\b.*\{{\n", text, re.MULTILINE):
            end = text.index(f"\n{match[1]}}}", match.end())
            found.append((len(match[1]), text[match.end():end]))
    if len(found) != 1:
        sys.exit(f"{len(found)} public structs are named {name}: Scripts/lib/reference.py needs one")
    indent, lines = found[0]
    return [line[indent + 4:] if line.startswith(" " * (indent + 4)) else line.strip() for line in lines.splitlines()]


def settings(texts, group):
    """Each setting of a group: its name, its declaration, its comment and its trait."""
    comment, trait = [], None
    for line in body(texts, group):
        if line.startswith("///"):
            comment.append(line[3:].strip())
            continue
        if line.startswith("#if "):
            trait = line[4:].strip()
        elif line.startswith("#endif"):
            trait = None
        match = re.match(r"public var (\w+)(?:: ([^={]+?))?(?: = (.*))?$", line)
        # A group of settings is none itself.
        if match and not any((match[3] or "").startswith(f"{each}()") for each in GROUPS):
            yield match[1], match[2], match[3], paragraphs(comment), trait
        comment = []


def paragraphs(comment):
    return [" ".join(part.split()) for part in re.split(r"\n\n+", "\n".join(comment)) if part.strip()]


def plain(text):
    """A comment's text as a guide has it: links to symbols become code."""
    def name(match):
        return "`" + match[1].removeprefix("WebTrackingConfiguration/").replace("/", ".") + "`"
    return re.sub(r"``([^`]+)``", name, text).replace("|", "\\|")


def number(text):
    """The value of an expression such as `7 * 86_400` or `64 << 20`."""
    if not re.fullmatch(r"[\d_ *<]+", text):
        sys.exit(f"Scripts/lib/reference.py cannot read the default {text}")
    operators = {ast.Mult: lambda a, b: a * b, ast.LShift: lambda a, b: a << b}
    def value(node):
        return node.value if isinstance(node, ast.Constant) else operators[type(node.op)](
            value(node.left), value(node.right))
    return value(ast.parse(text.replace(" ", ""), mode="eval").body)


def duration(amount, unit):
    if unit == "s":
        for size, name in ((86_400, "days"), (3600, "h"), (60, "min")):
            if amount % size == 0 and amount >= 2 * size:
                return f"{amount // size} {name}"
    return f"{amount} {unit}"


def kind(name, declared, default):
    if declared:
        return declared
    if default in ("true", "false"):
        return "Bool"
    if default.startswith('"'):
        return "String"
    return default.split(".")[0].split("(")[0] if default[0].isupper() else "Int"


def shown(name, declared, default):
    """A default as the guide shows it."""
    if default is None:
        return "none" if declared.endswith("?") else "required"
    if default in ("[]", "[:]"):
        return "none"
    if match := re.fullmatch(r"Duration\.(\w+)\((.*)\)", default):
        return duration(number(match[2]), UNITS[match[1]])
    if default in ("true", "false"):
        return default
    if default.startswith('"'):
        return f"`{default[1:-1]}`"
    if default[0].isdigit():
        value = number(default)
        if "Bytes" not in name and name != "memoryLimit":
            return f"{value}"
        for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if value % size == 0:
                return f"{value // size} {unit}"
        return f"{value} bytes"
    return "`" + default[default.index("."):] + "`"


def table(texts, group):
    rows = []
    for name, declared, default, comment, trait in settings(texts, group):
        if not comment:
            sys.exit(f"{group}.{name} has no documentation comment")
        ranges = [part.removeprefix("Range: ").rstrip(".") for part in comment if part.startswith("Range: ")]
        if not ranges and kind(name, declared, default) in ("Int", "Duration"):
            sys.exit(f"{group}.{name} is a number: its comment needs a paragraph that begins with Range:")
        effect = plain(comment[0]) + (f" Trait `{trait}`." if trait else "")
        values = shown(name, declared, default) + (f" ({plain(ranges[0])})" if ranges else "")
        rows.append([f"`{GROUPS[group]}{name}`: {kind(name, declared, default)}", values, effect])
    return markdown(["Setting: type", "Default (range)", "What it does"], rows)


def keys(texts):
    """The items under "Configuration keys": names, types, and what is said beside them."""
    text = next(text for text in texts.values() if "## Configuration keys" in text)
    lines = text[text.index("## Configuration keys"):].splitlines()[1:]
    lines = [re.sub(r"^\s*///", "", line) for line in lines if line.strip().startswith("///")]
    items = re.findall(r"^ - (.*(?:\n   .*)*)", "\n".join(lines), re.MULTILINE)
    for item in items:
        match = re.fullmatch(r"((?:`[^`]+`(?: \([^)]*\))?,? ?)+)(?:: (.*))?", " ".join(item.split()))
        if not match:
            sys.exit(f"Scripts/lib/reference.py cannot read this item of the keys: {item}")
        yield match[1], match[2]


def key_table(texts):
    known = {
        GROUPS[group] + name + ("Seconds" if kind(name, declared, default) == "Duration" else "")
        for group in GROUPS for name, declared, default, _, _ in settings(texts, group)}
    listed, rows = set(), []
    for head, text in keys(texts):
        names = set(re.findall(r"`([^`]+)`", head))
        listed |= names
        if text:
            rows.append([head.strip(), plain(text)])
        elif unknown := names - known:
            sys.exit(f"the keys list {sorted(unknown)}, which no setting is named like: say what they are for")
    if missing := known - listed - WITHOUT_KEY:
        sys.exit(f"the list under \"Configuration keys\" lacks {sorted(missing)}")
    return markdown(["Key", "Value"], rows)


def markdown(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(
        "|" + "|".join(cells) + "|\n" if cells[0] == "---" else "| " + " | ".join(cells) + " |\n" for cells in lines)


def made(guide, texts):
    """The guide with the tables as the sources have them."""
    for name in [*GROUPS, "keys"]:
        content = key_table(texts) if name == "keys" else table(texts, name)
        pattern = re.compile(rf"(<!-- begin settings {name} -->\n).*?(<!-- end settings {name} -->)", re.DOTALL)
        if len(pattern.findall(guide)) != 1:
            sys.exit(f"{GUIDE.relative_to(ROOT)} needs one place for the settings of {name}")
        guide = pattern.sub(lambda match: f"{match[1]}\n{content}\n{match[2]}", guide)
    return guide


def main():
    present = GUIDE.read_text()
    wanted = made(present, sources())
    if sys.argv[1:] == ["--write"]:
        GUIDE.write_text(wanted)
    elif present != wanted:
        sys.stdout.writelines(difflib.unified_diff(
            present.splitlines(True), wanted.splitlines(True), "the guide", "the comments", n=0))
        sys.exit(f"{GUIDE.relative_to(ROOT)} differs from the comments of the settings: Scripts/lib/reference.py --write")
    print(f"{GUIDE.relative_to(ROOT)} has the settings as their comments describe them")


if __name__ == "__main__":
    main()
