"""Says whether two files have the same lines of pino: same.py RECORDED MADE. Its order, times, process and host are its own."""

import json
import pathlib
import sys


def lines(path):
    rows = []
    for line in pathlib.Path(path).read_text().splitlines():
        members = [[name, value] for name, value in json.loads(line, object_pairs_hook=lambda pairs: pairs)]
        for member in members:
            if member[0] in ("time", "pid", "hostname"):
                member[1] = type(member[1]).__name__
        rows.append(members)
    return sorted(rows, key=json.dumps)


if __name__ == "__main__":
    recorded, made = map(lines, sys.argv[1:])
    for before, after in zip(recorded, made):
        if before != after:
            print(f"recorded: {json.dumps(before)}\nmade:     {json.dumps(after)}")
    sys.exit(recorded != made)
