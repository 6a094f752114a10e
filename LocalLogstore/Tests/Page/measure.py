# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""How fast the local endpoint is, as a table: `WEBTRACKING=.build/release/webtracking python3 measure.py [logs]`.

The logs are those of logs.py: fourteen fields, about 340 bytes each. The same process that measures also sends, with
bodies that are made beforehand. What a search has to find is counted here, log by log, and compared with the answers.
"""

import collections
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import quote

sys.dont_write_bytecode = True
import logs  # noqa: E402

TOOL = os.environ["WEBTRACKING"]
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
BATCH, SENDERS, PIECE, REPEATS = 1000, 4, 200_000, 30
USERS, BEGINNINGS = range(REPEATS), range(7000, 7000 + REPEATS)


class Expected:
    """How many logs each search has to find, by looking at every log."""

    def __init__(self, end):
        self.quarter = range(int((end - 1800) * 1e6), int((end - 900) * 1e6))
        self.counts = collections.Counter()

    def add(self, log, seconds, topic):
        whole = int(seconds)
        isOfQuarter = whole * 1_000_000 + int((seconds - whole) * 1e9) // 1000 in self.quarter
        words = set(re.findall("[a-z0-9_]+", " ".join([topic, *(value for name, value in log.items() if name not in ("time", "seq"))]).lower()))
        self.counts[log["trace.id"]] += 1
        if isOfQuarter and log["level"] == "error":
            self.counts["errors"] += 1
        if isOfQuarter and "retrying" in words and "payment" in words:
            self.counts[log["user"]] += 1
        if isOfQuarter and int(log["ms"]) > 898 and log["level"] != "info":
            self.counts["number"] += 1
        if topic == "stock":
            for beginning in {word[:4] for word in words if word.startswith("70")}:
                self.counts["beginning " + beginning] += 1


def ingest(port):
    """Sends all logs, in pieces whose making does not count; returns the seconds of sending, some trace ids,
    when the last log was, and what searches have to find."""
    shop, end, seconds, traces = logs.Shop(), time.time(), 0.0, []
    expected = Expected(end)
    for piece in range(0, COUNT, PIECE):
        bodies = []
        for first in range(piece, min(piece + PIECE, COUNT), BATCH):
            times = [end - 3600 + 3600 * (first + index) / COUNT for index in range(BATCH)]
            topic = ("orders", "stock", "mail")[first // BATCH % 3]
            bodies.append(shop.body(times, topic=topic))
            for at, log in zip(times, json.loads(bodies[-1])["__logs__"]):
                expected.add(log, at, topic)
        traces.append(bodies[0].split(b'"trace.id":"')[1][:32].decode())
        lock = threading.Lock()

        def send():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            while True:
                with lock:
                    if not bodies:
                        break
                    body = bodies.pop()
                assert logs.post(connection, body) == 200

        threads = [threading.Thread(target=send) for _ in range(SENDERS)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds += time.monotonic() - begin
    return seconds, traces, end, expected.counts


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "port")
        command = [TOOL, "serve", "--port", "0", "--port-file", str(file), "--database", f"{folder}/logs.sqlite"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not file.exists():
                time.sleep(0.02)
            measure(int(file.read_text()), folder)
        finally:
            process.terminate()
            process.wait()


def measure(port, folder):
    seconds, traces, end, expected = ingest(port)
    size = sum(path.stat().st_size for path in pathlib.Path(folder).glob("logs.sqlite"))
    print(f"| ingest | {COUNT / seconds:,.0f} logs/s |")
    print(f"| disk, without the write-ahead log | {size / COUNT:.0f} bytes a log |", flush=True)
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(path):
        begin = time.perf_counter()
        connection.request("GET", "/api/" + path)
        answer = connection.getresponse().read()
        return (time.perf_counter() - begin) * 1000, answer

    quarter = f"from={int((end - 1800) * 1e6)}&until={int((end - 900) * 1e6)}"
    # The questions of each search, with the number of logs that match.
    searches = {
        "errors of a quarter of an hour": [(f"q={quote('level: error')}&{quarter}", expected["errors"])] * REPEATS,
        "a trace id, all time": [(f"q={trace}", expected[trace]) for trace in traces] * (REPEATS // len(traces) or 1),
        "words and a field, a quarter of an hour": [
            (f"q={quote(f'retrying payment user: user-{n}')}&{quarter}", expected[f"user-{n}"]) for n in USERS],
        "a number, a quarter of an hour": [(f"q={quote('ms > 898 and not level: info')}&{quarter}", expected["number"])] * REPEATS,
        "a beginning in one topic, all time": [
            (f"q={quote(f'__topic__: stock and {n}*')}", expected[f"beginning {n}"]) for n in BEGINNINGS],
    }
    for name, questions in searches.items():
        for kind, extra in (("logs", "&limit=200"), ("overview", "&buckets=60")):
            times = []
            for question, number in questions:
                elapsed, answer = ask(f"{kind}?{question}{extra}")
                times.append(elapsed)
                answer = json.loads(answer)
                found = len(answer["logs"]) if kind == "logs" else answer["total"]
                assert found == (min(number, 200) if kind == "logs" else number), (question, found, number)
            times.sort()
            p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
            total = sum(number for _, number in questions)
            print(f"| {name}: {kind} | p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms, {total / len(questions):.0f} logs match |", flush=True)
    for name, path in {"everything: first rows": "logs?limit=200", "everything: overview": "overview", "everything: fields": "fields"}.items():
        times = sorted(ask(path)[0] for _ in range(REPEATS))
        print(f"| {name} | p50 {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms |", flush=True)
    browse(port)


def browse(port):
    """How long the page takes to its first row, and whether it keeps up with 5,000 logs a second."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        times = []
        for _ in range(5):
            page.goto("about:blank")
            begin = time.perf_counter()
            page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
            page.wait_for_selector(".row")
            times.append((time.perf_counter() - begin) * 1000)
        print(f"| page to first row | {statistics.median(times):.0f} ms |", flush=True)
        page.goto(f"http://127.0.0.1:{port}/?live=1")
        page.wait_for_selector(".row")
        page.wait_for_timeout(1000)
        page.evaluate("""() => { window.gaps = []; let last = performance.now();
            const frame = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(frame); }; requestAnimationFrame(frame); }""")
        shop = logs.Shop(seed=2)
        seconds, rate, pieces = 10, 5000, 10
        bodies = [shop.body([time.time()] * (rate // pieces)) for _ in range(seconds * pieces)]
        connection = http.client.HTTPConnection("127.0.0.1", port)
        begin = time.monotonic()
        for index, body in enumerate(bodies):
            time.sleep(max(0, begin + index / pieces - time.monotonic()))
            assert logs.post(connection, body) == 200
        expect(page.locator("#summary")).to_contain_text(f"{seconds * rate:,} logs since", timeout=60_000)
        lag = time.monotonic() - begin - seconds
        gaps = sorted(page.evaluate("gaps"))
        late = sum(1 for gap in gaps if gap > 50)
        print(f"| live at {rate:,} logs/s for {seconds} s | all shown {max(0, lag) * 1000:.0f} ms after the last; {len(gaps)} frames, p50 {gaps[len(gaps) // 2]:.0f} ms, p99 {gaps[int(len(gaps) * 0.99)]:.0f} ms, {late} over 50 ms |")
        browser.close()


if __name__ == "__main__":
    main()
