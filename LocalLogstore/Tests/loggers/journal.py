"""Writes entries in the journal's export format, for systemd-journal-remote to make a journal of: one info and five errors."""

import struct
import sys

START = 1_767_323_045_678_000  # 2026-01-02T03:04:05.678Z in microseconds


def binary(name, value):
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def main():
    entries = [
        (b"started", 6),
        (b"failed 1", 3),
        (b"failed 2 \xff\x01", 3),  # not text, so journalctl writes a list of bytes
        (b"failed 3 " + b"x" * 5000, 3),  # over 4,096 bytes, so journalctl writes null
        ("failed 4 \u65e5\U0001f600".encode(), 3),
        (b"failed 5", 0),
    ]
    for index, (message, priority) in enumerate(entries):
        sys.stdout.buffer.write(
            b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n" % (START + index, index + 1, b"1" * 32)
            + binary("MESSAGE", message)
            + b"PRIORITY=%d\nSYSLOG_IDENTIFIER=shop\n\n" % priority
        )


if __name__ == "__main__":
    main()
