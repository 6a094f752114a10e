# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""@aliyun-sls/web-track-browser in a real Chromium: puts in every way it has, across origins; then the logs are read back.

Usage: browser_sdk.py ENDPOINT VERSION CHROMIUM FOLDER CERTIFICATE [RECORD]
       browser_sdk.py ENDPOINT VERSION

FOLDER has the package as npm installs it. CERTIFICATE is a file with a certificate and its key: older versions know https only.
RECORD is a file that the requests are written to. Without a browser, those that were recorded are sent again.
"""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import record
from shared import HOST, LOGS, LOGSTORE, PROJECT, SOURCE, TAGS, compare

HERE = pathlib.Path(__file__).parent
PATIENCE = 60
# These take no "http://" in front of the host.
HTTPS_ONLY = {"0.0.3"}
# 80,000 bytes: the beacons of a page have 64 KiB together.
LARGE = "gr\u00f6\u00dfe \u65e5\u672c \U0001f600 " * 4000
NOT_RECORDED = 16_384


def expected(version, is_recorded):
    """By topic: the source, the tags, and the fields in their order. What the SDK makes of values that are no text is its own."""
    logs = [{**log, "sdk": version} for log in LOGS]
    types = {
        "sdk": version, "number": "42", "fraction": "0.30000000000000004", "far": "1e+21", "none": "NaN",
        "big": "18446744073709551616", "yes": "true", "nothing": "null", "absent": "undefined", "list": '[1,"\u4e2d"]',
        "object": '{"a":{"b":1}}', "date": '"1970-01-01T00:00:00.000Z"', "gr\u00f6\u00dfe \u4e2d": "\0\u2028",
    }
    sent = {topic: logs for topic in ("single", "count", "batch", "timer", "left", "without")}
    sent |= {"types": [types], "": logs[:1], "large": [{"sdk": version, "text": LARGE}]}
    if is_recorded:
        del sent["large"]
    return {
        topic: [(SOURCE if topic else "", TAGS if topic else {}, list(log.items())) for log in logs]
        for topic, logs in sent.items()
    }


def read_back(endpoint, version):
    question = urllib.parse.urlencode({"q": f'sdk = "{version}"', "limit": 1000})
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=PATIENCE)
    connection.request("GET", f"/api/logs?{question}")
    read = {}
    # The newest come first.
    for log in reversed(json.load(connection.getresponse())["logs"]):
        compare("the place", (log["project"], log["logstore"]), (PROJECT, LOGSTORE))
        read.setdefault(log["topic"], []).append((log["source"], log["tags"], list(log["fields"].items())))
    # Each in a request of its own, they come in any order.
    read.get("single", []).sort(key=lambda log: dict(log[2])["index"])
    return read


class Relay(record.Recorder):
    """Between browser and endpoint: knows what was answered."""

    def handle(self):
        # The browser is stopped while it has connections.
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            super().handle()

    def is_new(self, headers):
        return self.server.file is not None and int(headers.get("content-length") or 0) < NOT_RECORDED

    def pass_on(self):
        body, status, content = super().pass_on()
        group = json.loads(body or b"{}")
        logs = len(group.get("__logs__", []))
        with self.server.answered:
            if self.command == "OPTIONS":
                self.server.preflights += 1
            elif logs > 0:
                self.server.logs += logs
                way = "beacon" if self.headers["Sec-Fetch-Mode"] == "no-cors" else "XMLHttpRequest"
                self.server.ways.setdefault(way, set()).add(group.get("__topic__", ""))
            # Version 0.0.3 sends some without logs when a page is left.
            if status != 200 and (self.command == "OPTIONS" or logs > 0):
                self.server.refusals.append(f"{self.command} {self.path}: {status} {content.decode()}")
            self.server.answered.notify_all()

    do_GET = do_POST = do_OPTIONS = pass_on


class Page(http.server.BaseHTTPRequestHandler):
    """Serves the page, from another origin than the endpoint's."""

    def do_GET(self):
        target = urllib.parse.urlsplit(self.path)
        if target.path == "/ended":
            with self.server.relay.answered:
                self.server.relay.statuses.append(int(target.query))
                self.server.relay.answered.notify_all()
        kind, text = self.server.files.get(target.path, ("text/plain", None))
        content = (text or "").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def sdk_of(folder, version):
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    compare("the version", package["version"], version)
    script = folder / "dist/web-track-browser.global.js"
    return (script if script.exists() else folder / package["main"]).read_text(encoding="utf-8")


def run(endpoint, version, chromium, folder, certificate, file=None):
    sdk = sdk_of(pathlib.Path(folder), version)
    count = sum(len(logs) for logs in expected(version, False).values())
    relay = serve(Relay)
    relay.endpoint, relay.file = urllib.parse.urlsplit(endpoint).netloc, file
    relay.answered, relay.logs, relay.ways, relay.preflights = threading.Condition(), 0, {}, 0
    # Those of XMLHttpRequest, as the page sees them: 0 if it must not.
    relay.refusals, relay.statuses = [], []
    host = f"http://127.0.0.1:{relay.server_port}"
    if version in HTTPS_ONLY:
        host = HOST
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # Not by the thread that accepts: a browser opens connections that it may never use.
        relay.socket = context.wrap_socket(relay.socket, server_side=True, do_handshake_on_connect=False)
    plan = {
        "place": {"host": host, "project": PROJECT, "logstore": LOGSTORE}, "source": SOURCE, "tags": TAGS, "sdk": version,
        "logs": [{**log, "sdk": version} for log in LOGS], "large": LARGE,
    }
    page = serve(Page)
    page.relay = relay
    page.files = {
        "/ended": ("text/plain", ""),
        "/": ("text/html", (HERE / "browser.html").read_text(encoding="utf-8")),
        "/sdk.js": ("text/javascript", sdk),
        "/plan.js": ("text/javascript", f"const plan = {json.dumps(plan)}"),
    }
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        open(f"{scratch}/log", "w+", encoding="utf-8") as log,
    ):
        browser = subprocess.Popen(
            [
                chromium, "--headless", "--no-sandbox", "--no-first-run", "--disable-gpu", "--no-proxy-server",
                "--disable-background-networking", "--ignore-certificate-errors", "--enable-logging=stderr",
                f"--user-data-dir={scratch}/profile",
                # Nobody else is asked.
                f"--host-resolver-rules=MAP {PROJECT}.{HOST}:443 127.0.0.1:{relay.server_port}, "
                "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"http://127.0.0.1:{page.server_port}/",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        try:
            with relay.answered:
                relay.answered.wait_for(
                    lambda: (relay.logs >= count and len(relay.statuses) == 2) or relay.refusals or 0 in relay.statuses, PATIENCE
                )
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            browser.wait()
        log.seek(0)
        said = [line.rstrip() for line in log if "CONSOLE" in line]
    compare("refused", relay.refusals, [])
    compare(f"what the page may read; {said}", relay.statuses, [200, 200])
    compare("the browser's console", said, [])
    compare("logs answered", relay.logs, count)
    requests = {"large", "without"}
    compare("the ways", relay.ways, {"beacon": expected(version, False).keys() - requests, "XMLHttpRequest": requests})
    # Only the older version sends headers that a browser asks for leave for.
    compare("preflights", relay.preflights > 0, version in HTTPS_ONLY)
    return f"in Chromium, by beacons and XMLHttpRequest {'with' if relay.preflights else 'without'} a preflight"


def replay(endpoint, version):
    lines = (HERE / f"recorded/browser-{version}.ndjson").read_text(encoding="ascii").splitlines()
    for line in lines:
        entry = json.loads(line)
        body = base64.b64decode(entry["body"])
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=PATIENCE)
        connection.request(entry["method"], entry["target"], body, entry["headers"])
        answer = connection.getresponse()
        content = answer.read().decode()
        is_empty = entry["method"] == "POST" and not json.loads(body)["__logs__"]
        compare(f"{entry['method']} {entry['target']} {content}", answer.status == 200, not is_empty)
        compare("for any origin", answer.headers["Access-Control-Allow-Origin"], "*")
        connection.close()
    return f"recorded: {len(lines)} requests"


def main():
    endpoint, version, *browser = sys.argv[1:]
    how = run(endpoint, version, *browser) if browser else replay(endpoint, version)
    read, wanted = read_back(endpoint, version), expected(version, not browser)
    compare("topics", sorted(read), sorted(wanted))
    for topic, logs in wanted.items():
        compare(f"topic {topic}", read[topic], logs)
    print(f"@aliyun-sls/web-track-browser {version}, {how}; {sum(map(len, read.values()))} logs read back")


if __name__ == "__main__":
    main()
