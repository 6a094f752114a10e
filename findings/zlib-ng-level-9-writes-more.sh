#!/bin/bash
# zlib-ng's level 9 writes more than its level 8, and its level 1 a fifth more than zlib's, on logs as JSON.
#
# Levels are an order of effort, not of size. Who picks "the smallest" by the highest number pays more time for more bytes; and
# a program that moves from zlib to zlib-ng with level 1 sends a fifth more.
#
# Seen with zlib-ng 2.3.3 (PyPI zlib-ng 1.1.0) beside zlib 1.2.13, 2,000 records of 180 bytes, 364,571 bytes:
#   level 1: 113,217 bytes (zlib 93,647); level 8: 79,858 (80,644); level 9: 81,654 (80,644)
source "$(dirname "$0")/lib.sh"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check zlib-ng==1.1.0
"$work/venv/bin/python" - <<'END'
import json, random, zlib
from zlib_ng import zlib_ng

random.seed(1)
letters = "abcdefghijklmnopqrstuvwxyz"
words = ["".join(random.choice(letters) for _ in range(random.randint(3, 9))) for _ in range(400)]
records = []
for number in range(2000):
    records.append(json.dumps({
        "seq": str(number),
        "level": random.choice(["info", "debug", "error"]),
        "time": f"2026-11-29T05:{number // 60 % 60:02}:{number % 60:02}.{random.randrange(10**6):06}Z",
        "message": " ".join(random.choice(words) for _ in range(8)),
        "path": f"/orders/{random.randrange(10**6)}",
        "ms": str(random.randrange(900)),
    }))
body = ",\n".join(records).encode()
print(f"zlib-ng {zlib_ng.ZLIBNG_VERSION}, zlib {zlib.ZLIB_RUNTIME_VERSION}, {len(body)} bytes")
size = {level: len(zlib_ng.compress(body, level)) for level in range(1, 10)}
for level, count in size.items():
    assert zlib.decompress(zlib_ng.compress(body, level)) == body
    print(f"level {level}: zlib-ng {count}, zlib {len(zlib.compress(body, level))}")
if not size[9] > size[8]:
    raise SystemExit("changed: level 9 writes no more than level 8")
if not size[1] > 1.1 * len(zlib.compress(body, 1)):
    raise SystemExit("changed: level 1 writes about as much as zlib's")
END
