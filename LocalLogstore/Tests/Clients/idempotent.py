# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Writes that are stored once, as LoongCollector sends them, signed by the Python SDK, which has no sequence ids of its own."""

from aliyun.log import LogClient, LogException, LogItem, PutLogsRequest

import python_sdk
from shared import HOST, KEY, LOGSTORE, NOW, PROJECT, REGION, SOURCE, compare


class Client(LogClient):
    sequence = None

    def _send(self, method, project, body, resource, params, headers, *rest, **named):
        # It signs whatever is among the parameters.
        if self.sequence is not None and resource.endswith("/shards/route"):
            params = {**params, "seqid": str(self.sequence)}
        return super()._send(method, project, body, resource, params, headers, *rest, **named)


def put(sdk, topic, key, sequence):
    """The code of the refusal, or None."""
    sdk.sequence = sequence
    items = [LogItem(NOW, contents=[("sequence", str(sequence))])]
    try:
        sdk.put_logs(PutLogsRequest(PROJECT, LOGSTORE, topic, SOURCE, items, key))
    except LogException as error:
        return error.get_error_code()
    return None


def main():
    for version in ("v1", "v4"):
        topic = f"idempotent-{version}"
        sdk = Client(f"http://{HOST}", *KEY, auth_version=version, region=REGION)
        keys = (f"{version[1:]:0>32}", f"{version[1:]:A>32}")
        for key in keys:
            answers = [put(sdk, topic, key, sequence) for sequence in (1, 1, 7, 3, 7, 2**64 - 1)]
            refused = "InvalidSequenceId"
            compare("the answers", answers, [None, refused, None, refused, refused, None])
        compare("no key", put(sdk, topic, "not a key", 1), "ParameterInvalid")
        compare("no number", put(sdk, topic, keys[0], "x"), "ParameterInvalid")
        logs, _ = python_sdk.get_logs(sdk, topic, "*")
        # Not in their order: the SDK gives a time without nanoseconds those of its own clock.
        compare(topic, sorted(int(log["sequence"]) for log in logs), [1, 1, 7, 7, 2**64 - 1, 2**64 - 1])
    print("idempotent writes: each sequence id of a key stored once, signed with V1 and V4")


if __name__ == "__main__":
    main()
