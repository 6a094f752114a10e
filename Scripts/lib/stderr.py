#!/usr/bin/env python3
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Runs a program that logs with a standard error that nobody reads; see Scripts/chaos --stderr.

The pipes and the terminal are the system's, the endpoint is a server over a real socket, and the program knows of nothing.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import fcntl
import http.server
import json
import os
import pty
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

# What a deadline may be missed by.
SLACK = 0.2
# A program that has not ended by then hangs.
HANGS = 20


class Endpoint(http.server.ThreadingHTTPServer):
    """Answers 503 to its first requests, so that there is something to tell, and takes the others."""

    daemon_threads = True

    def __init__(self, refused):
        super().__init__(("127.0.0.1", 0), Taker)
        self.refused = refused
        self.taken = 0
        self.guard = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.guard:
            self.server.refused -= 1
            refuses = self.server.refused >= 0
            if not refuses:
                self.server.taken += 1
        self.send_response(503 if refuses else 200)
        self.send_header("x-log-requestid", "A")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def standard_error(kind):
    """A descriptor to write to, which behaves as `kind` says for as long as this lasts."""
    opened = []
    try:
        if kind == "terminal":
            reading, writing = pty.openpty()
            opened += [reading, writing]
            # What control-S does.
            termios.tcflow(writing, termios.TCOOFF)
        else:
            reading, writing = os.pipe()
            opened += [reading, writing]
            if kind == "full":
                fill(writing)
            elif kind == "closed":
                os.close(opened.pop(0))
            else:
                threading.Thread(target=drain, args=(os.dup(reading),), daemon=True).start()
        yield writing
    finally:
        for descriptor in opened:
            os.close(descriptor)


def fill(descriptor):
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while True:
            os.write(descriptor, b"~" * 512)
    except BlockingIOError:
        pass
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


def drain(descriptor):
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            pass
    os.close(descriptor)


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclasses.dataclass
class Case:
    error: str
    endpoint: str
    way: str
    trouble: str = ""
    took: float = 0.0
    numbers: dict = dataclasses.field(default_factory=dict)


def run(case, program, lines=200, timeout=1.0):
    """Runs one case, and says in it what went wrong, if anything did."""
    server = Endpoint(refused=2) if case.endpoint == "healthy" else None
    url = server.url if server else f"http://127.0.0.1:{unused_port()}"
    with tempfile.TemporaryDirectory() as folder, standard_error(case.error) as error:
        result = os.path.join(folder, "result")
        command = [program, "--endpoint", url, "--result", result, "--lines", str(lines), "--pause", "0.002"]
        command += ["--timeout", str(timeout)] + ["--" + option for option in case.way.split() if option != "async"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=error, start_new_session=True)
        try:
            status = process.wait(HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            case.trouble = f"hung for {HANGS} s"
            return case
        finally:
            if server:
                server.shutdown()
                server.server_close()
        if status != 0:
            case.trouble = f"ended by signal {-status}" if status < 0 else f"ended with {status}"
            return case
        with open(result) as file:
            case.numbers = numbers = json.load(file)
    case.took = numbers["took"]
    if case.took > timeout + SLACK:
        case.trouble = f"shutdown took {case.took:.2f} s instead of {timeout:.1f} s"
    elif numbers["accepted"] != numbers["delivered"] + numbers["dropped"] + numbers["pending"]:
        case.trouble = f"not conserved: {numbers}"
    elif server and "block-pool" not in case.way and numbers["delivered"] < lines:
        case.trouble = f"{numbers['delivered']} of {lines} lines delivered"
    elif not server and numbers["left"] < lines:
        case.trouble = f"{numbers['left']} of {lines} lines left"
    return case


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    cases = [
        Case(error, endpoint, way)
        for _ in range(arguments.rounds)
        for error in ["read", "full", "closed", "terminal"]
        for endpoint in ["healthy", "dead"]
        for way in ["async", "sync", "sync block-pool", "sync fork"]
    ]
    # Most of the time they wait.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        cases = list(pool.map(lambda case: run(case, arguments.program), cases))
    print("standard error  endpoint  shutdown         took     delivered  left  ")
    for case in cases:
        numbers = case.numbers
        print(
            f"{case.error:<15} {case.endpoint:<9} {case.way:<16} {case.took:6.3f} s "
            f"{numbers.get('delivered', '-'):>9}  {numbers.get('left', '-'):>4}  {case.trouble or 'ok'}"
        )
    troubles = sum(1 for case in cases if case.trouble)
    print(f"{len(cases)} runs, {troubles} violations")
    sys.exit(1 if troubles else 0)


if __name__ == "__main__":
    main()
