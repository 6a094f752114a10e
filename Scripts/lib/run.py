#!/usr/bin/env python3
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""See Scripts/run-test."""

import argparse
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LINES = 100
WAYS = ["fatal", "uncaught", "segv", "kill", "memory", "exit", "stop"]
# What a shell says of each under `run`; the processor decides by which signal a trap ends.
STATUS = {"fatal": {132, 133}, "uncaught": {132, 133}, "segv": {139}, "kill": {137}, "memory": {132, 133, 134, 137},
          "exit": {0}, "stop": {0}}
# Of address space, for a program that takes all that it gets: above what it starts with.
ROOM = 900 << 20

WRITER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* writer SECONDS BYTES_A_SECOND FILE: writes lines of 200 bytes, and then how many and how long to FILE. 0 is as fast as it
   can. */
int main(int count, char **arguments) {
    double seconds = atof(arguments[1]), rate = atof(arguments[2]), start = now();
    char line[201];
    long lines = 0;
    memset(line, 'x', 199);
    line[199] = '\n';
    for (;;) {
        double passed = lines % 64 ? 0 : now() - start;
        if (passed > seconds) break;
        if (rate > 0 && lines % 64 == 0 && lines * 200 / rate > passed) {
            double rest = lines * 200 / rate - passed;
            struct timespec pause = {(time_t)rest, (long)((rest - (time_t)rest) * 1e9)};
            nanosleep(&pause, NULL);
        }
        int digits = sprintf(line, "%ld", lines);
        line[digits] = ' ';
        if (fwrite(line, 1, 200, stdout) != 200) return 1;
        lines++;
    }
    if (fflush(stdout)) return 1;
    FILE *result = fopen(arguments[3], "w");
    fprintf(result, "%ld %f\n", lines, now() - start);
    return fclose(result);
}
"""


class Checks:
    passed = failed = 0

    def check(self, is_so, what):
        if is_so:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", flush=True)


# Those that are to end with this one, however it ends.
started = []


def start(command, **options):
    process = subprocess.Popen(command, **options)
    started.append(process)
    return process


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Endpoint:
    """A local endpoint, with its logs in a file."""

    def __init__(self, tool, folder, port=0):
        self.tool = tool
        self.database = os.path.join(folder, f"logs-{time.monotonic_ns()}.sqlite")
        file = self.database + ".port"
        self.process = start(
            [tool, "serve", "--port", str(port), "--port-file", file, "--database", self.database],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            if os.path.exists(file) and os.path.getsize(file):
                break
            time.sleep(0.1)
        with open(file) as text:
            self.port = int(text.read())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def query(self, *arguments):
        return subprocess.run([self.tool, "query", "--database", self.database, *arguments], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def logs(self):
        return [json.loads(line) for line in self.query("--format", "ndjson").splitlines()]

    def count(self, *search):
        return int(self.query(*search, "--count"))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run_command(tool, url, options, command):
    return [tool, "run", "--endpoint", url, "--project", "local", "--logstore", "app", *options, "--", *command]


def limited(command):
    """`command`, and what it starts, with little address space."""
    return ["sh", "-c", f"ulimit -c 0; ulimit -v {ROOM >> 10}; exec \"$@\"", "sh", *command]


def ends(arguments, folder, checks):
    rows = []
    for way in WAYS:
        for place in ["memory", "spool", "run"]:
            endpoint = Endpoint(arguments.tool, folder)
            spool = os.path.join(folder, f"spool-{way}-{place}")
            plain = [arguments.child, "end", way, str(LINES)]
            own = plain + [endpoint.url, "app"]
            command = {"memory": own, "spool": own + [spool],
                       "run": run_command(arguments.tool, endpoint.url, ["--spool", spool],
                                          limited(plain) if way == "memory" else plain)}[place]
            if way == "memory" and place != "run":
                command = limited(command)
            status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
            if place == "spool":
                # The next start, which logs nothing itself.
                subprocess.run([arguments.child, "end", "stop", "0", endpoint.url, "app", spool], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            logs = endpoint.logs()
            endpoint.stop()
            arrived = sum(bool(re.fullmatch(r"line \d+", log["message"])) for log in logs)
            about = [log for log in logs if log["label"] in ("webtracking", "webtracking.run")]
            crashes = [log for log in logs if log["level"] == "critical" and log not in about]
            traces = [log for log in crashes if "Thread 0" in log["message"]]
            said = about[-1]["message"] if about else ""
            rows.append((way, place, arrived, about[-1]["level"] if about else "", len(traces), said))
            name = f"{way} in {place}"
            if place == "memory":
                checks.check(way != "stop" or arrived == LINES, f"{name}: {arrived} lines")
            else:
                checks.check(arrived == LINES, f"{name}: {arrived} lines of {LINES}")
            if place == "spool":
                checks.check(bool(about) == (way != "stop"), f"{name}: told of the end: {said!r}")
            if place == "run":
                checks.check(status in STATUS[way], f"{name}: status {status}")
                checks.check(len(about) == 1 and bool(said), f"{name}: told of the end: {said!r}")
                is_trap = way in ("fatal", "uncaught", "segv")
                checks.check(len(traces) == (1 if is_trap else 0) or way == "memory", f"{name}: {len(traces)} backtraces")
    print(f"\n{'end':9} {'records':7} {'of ' + str(LINES):>6} {'level':8} {'traces':6} the record of the end")
    for way, place, arrived, level, traces, said in rows:
        print(f"{way:9} {place:7} {arrived:6} {level:8} {traces:6} {said[:100]}")
    print()


class Peak(threading.Thread):
    """The most memory that a process has, in bytes."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.bytes = 0
        self.start()

    def run(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            self.bytes = max(self.bytes, int(line.split()[1]) << 10)
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(0.1)


def written(path):
    with open(path) as result:
        lines, seconds = result.read().split()
    return int(lines), float(seconds)


def end_record(endpoint):
    """That of the last program; the reports of drops have its label, too."""
    return [log for log in endpoint.logs() if log["label"] == "webtracking.run" and "lines" in log][-1]


def into_cat(writer, seconds, rate, result):
    command = " ".join([f"'{writer}'", str(seconds), str(rate), f"'{result}'", "| cat >/dev/null"])
    subprocess.run(["sh", "-c", command], check=True)
    return written(result)


def speed(arguments, folder, checks):
    writer = os.path.join(folder, "writer")
    subprocess.run(["clang", "-O2", "-x", "c", "-", "-o", writer], input=WRITER, text=True, check=True)
    result = os.path.join(folder, "result")
    seconds = arguments.seconds

    # 5 MB/s, and all arrives.
    endpoint = Endpoint(arguments.tool, folder)
    lines, took = into_cat(writer, seconds, 5_000_000, result)
    with open(os.devnull, "w") as nowhere:
        command = run_command(arguments.tool, endpoint.url, ["--timeout", "120"], [writer, str(seconds), "5000000", result])
        outcome = subprocess.run(command, stdout=nowhere, stderr=subprocess.PIPE, text=True)
    run_lines, run_took = written(result)
    end = end_record(endpoint)
    stored = endpoint.count("--where", "label=writer")
    endpoint.stop()
    print(f"5 MB/s: {lines / took:.0f} lines/s into cat, {run_lines / run_took:.0f} under run; {run_lines} written, "
          f"{stored} stored, {end['lines_dropped']} dropped")
    checks.check(outcome.returncode == 0, f"5 MB/s: status {outcome.returncode}: {outcome.stderr}")
    checks.check(int(end["lines"]) == run_lines == stored, f"5 MB/s: {run_lines} written, {stored} stored")
    checks.check(end["lines_dropped"] == "0", "5 MB/s: something was dropped")
    checks.check(run_lines / run_took > 0.99 * lines / took, "5 MB/s: slower than into cat")

    # At full speed, the endpoint dead until the program has ended. In turns, for the machine's other work.
    ratios = []
    for turn in range(3):
        lines, took = into_cat(writer, seconds, 0, result)
        port = free_port()
        os.remove(result)
        with open(os.devnull, "w") as nowhere:
            process = start(
                run_command(arguments.tool, f"http://127.0.0.1:{port}", ["--timeout", "300"],
                            [writer, str(seconds), "0", result]),
                stdout=nowhere, stderr=subprocess.PIPE, text=True)
        peak = Peak(process.pid)
        while not os.path.exists(result) and process.poll() is None:
            time.sleep(0.1)
        endpoint = Endpoint(arguments.tool, folder, port)
        errors = process.communicate()[1]
        if not os.path.exists(result):
            sys.exit(f"full speed: run ended with {process.returncode}, and the program has not: {errors[-300:]}")
        run_lines, run_took = written(result)
        ratios.append((run_lines / run_took) / (lines / took))
        end = end_record(endpoint)
        stored = endpoint.count("--where", "label=writer")
        endpoint.stop()
        # The library's own drops, of which the last line on standard error has the sum.
        sums = re.search(r"(\d+) lines read, (\d+) dropped; \d+ records, \d+ delivered, (\d+) dropped", errors)
        dropped = int(sums[2]) + int(sums[3]) if sums else -1
        print(f"full speed, turn {turn + 1}: {lines / took * 200 / 1e6:.0f} MB/s into cat, "
              f"{run_lines / run_took * 200 / 1e6:.0f} MB/s under run ({ratios[-1] * 100:.0f} %); {run_lines} lines written, "
              f"{stored} stored, {dropped} dropped; at most {peak.bytes >> 20} MiB")
        checks.check(process.returncode == 0, f"full speed: status {process.returncode}: {errors[-300:]}")
        checks.check(int(end["lines"]) == run_lines, f"full speed: {run_lines} written, {end['lines']} read")
        checks.check(stored + dropped == run_lines, f"full speed: {stored} + {dropped} are not {run_lines}: {errors[-300:]}")
        # The buffer, memoryLimit, what is beside that (Docs/Production.md), and the program itself.
        checks.check(peak.bytes < (16 + 64 + 52 + 60) << 20, f"full speed: {peak.bytes >> 20} MiB")
    checks.check(sorted(ratios)[1] >= 0.9, f"full speed: {sorted(ratios)[1] * 100:.0f} % of the speed into cat")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--child", required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("parts", nargs="+")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    checks = Checks()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for part in arguments.parts:
                {"ends": ends, "speed": speed}[part](arguments, folder, checks)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


main()
