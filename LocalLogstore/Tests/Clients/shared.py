# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What the clients send and have to read back, and what their programs share."""

import os
import sys
import time

PROJECT = "local"
LOGSTORE = "app"
# The endpoint is the proxy on the way to it: these clients take no address with a port.
HOST = "cn-hangzhou.log.aliyuncs.com"
REGION = "cn-hangzhou"
KEY = ("an-id", "a-secret")

NOW = int(time.time())
NANOSECONDS = 123_456_000
SOURCE = "web-1"
TAGS = {"env": "prod", "zone": "\u4e2d"}
LOGS = [
    {"message": "order placed", "level": "info", "index": "0"},
    {"message": "gr\u00f6\u00dfe \u65e5\u672c \U0001f600 \"quoted\" \\ \n\ttab", "level": "error", "index": "1"},
    {"message": "a b+c&d=e%20", "level": "error", "index": "2", "empty": ""},
]
# Which of them this finds.
QUERY = 'level: error and "gr\u00f6\u00dfe \u65e5\u672c"'
FOUND = [1]
KEYS = "0123456789abcdef0123456789ABCDEF"
RANGE = (NOW - 600, NOW + 600)


def proxy():
    return os.environ["http_proxy"]


def compare(what, read, expected):
    """Ends the program if a client has not read what was sent."""
    if read != expected:
        sys.exit(f"{what}: read {read!r}, but {expected!r} was sent")


def flat(topic, log):
    """A log as GetLogs has it, but for its time."""
    tags = {f"__tag__:{name}": value for name, value in TAGS.items()}
    return {"__topic__": topic, "__source__": SOURCE, **tags, **log}


def without_pack_id(log):
    """Producers number their batches in a tag."""
    return {name: value for name, value in log.items() if name != "__tag__:__pack_id__"}
