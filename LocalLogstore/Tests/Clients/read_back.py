# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Reads back with the Python SDK what producers have sent under these topics, in any order."""

import sys

import python_sdk
from shared import LOGS, SOURCE, compare, without_pack_id


def main():
    sdk = python_sdk.client("v1")
    for topic in sys.argv[1:]:
        logs, _ = python_sdk.get_logs(sdk, topic, "*")
        read = [{name: value for name, value in without_pack_id(log).items() if name != "__time_ns_part__"} for log in logs]
        # These have no tags of their own.
        expected = [{"__topic__": topic, "__source__": SOURCE, **log} for log in LOGS]
        compare(topic, sorted(read, key=lambda log: log["index"]), expected)
    print(f"read back: {', '.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()
