"""Compares what was run with the guide's table of loggers: versions.py GUIDE FILE, with LOGGER=VERSION in each line of the file."""

import pathlib
import re
import sys


def table(guide):
    """The loggers and versions of the rows below "| Logger | Version |"."""
    lines = pathlib.Path(guide).read_text(encoding="utf-8").splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| Logger | Version |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        logger, version = (cell.strip() for cell in line.split("|")[1:3])
        rows.append((re.split(r"[ ,]", logger.lstrip("["))[0].split("]")[0], version))
    return rows


def main():
    guide, file = sys.argv[1:]
    ran = dict(line.split("=") for line in pathlib.Path(file).read_text().split())
    rows = [(logger, version) for logger, version in table(guide) if logger != "this"]
    problems = [f"{logger} {ran[logger]} is in no row" for logger in sorted(set(ran) - {logger for logger, _ in rows})]
    for logger, version in rows:
        if logger not in ran:
            problems.append(f"{logger} {version} was not run")
        # A version may be named without its last parts.
        elif not (ran[logger] + ".").startswith(version + "."):
            problems.append(f"{logger} {version} is in the table, {ran[logger]} was run")
    for problem in problems:
        print(f"  {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
