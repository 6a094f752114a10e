# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Logs of a web shop, as the library sends them: for tests of the page, and for measurements."""

import http.client
import json
import random
import time

LEVELS = [("trace", 4), ("debug", 16), ("info", 62), ("notice", 6), ("warning", 8), ("error", 3.6), ("critical", 0.4)]
LABELS = ["shop.http", "shop.orders", "shop.payments", "shop.db", "shop.stock", "shop.mail", "shop.auth", "webtracking"]
MESSAGES = {
    "trace": ["cache lookup for key {key}", "entering handler {path}"],
    "debug": ["query took {ms} ms", "reused connection {n} of the pool", "rendered template order-{n}.html"],
    "info": ["GET {path} answered {status}", "order placed", "order {n} shipped to {city}", "user {user} signed in"],
    "notice": ["configuration reloaded", "worker {n} took over partition {key}"],
    "warning": ["slow query, {ms} ms: SELECT * FROM orders WHERE id = {n}", "retrying payment for order {n}"],
    "error": ["payment failed: card declined", "POST {path} answered 502: upstream timed out after {ms} ms"],
    "critical": ["stock database is read-only"],
}
CITIES = ["Hangzhou", "Berlin", "Lagos", "Lima", "Osaka", "杭州"]
FILES = ["HTTPServer.swift", "OrderController.swift", "PaymentGateway.swift", "Database.swift"]


def iso(seconds):
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((seconds - whole) * 1e9):09d}Z"


class Shop:
    """One producer: its records are numbered from 1."""

    def __init__(self, seed=1, source="shop-1", env="prod"):
        self.random = random.Random(seed)
        self.sequence = 0
        self.source = source
        self.env = env

    def log(self, at):
        pick = self.random
        self.sequence += 1
        level = pick.choices([name for name, _ in LEVELS], [weight for _, weight in LEVELS])[0]
        number = pick.randrange(100_000)
        status = pick.choices(["200", "201", "404", "502"], [80, 12, 6, 2])[0]
        values = {
            "n": number, "ms": pick.randrange(1, 900), "status": status, "path": f"/orders/{number}",
            "key": f"k{number % 512}", "user": f"user-{number % 3000}", "city": pick.choice(CITIES),
        }
        return {
            "seq": str(self.sequence), "time": iso(at), "level": level, "label": pick.choice(LABELS),
            "message": pick.choice(MESSAGES[level]).format(**values), "source": "Shop", "file": f"Shop/{pick.choice(FILES)}",
            "function": "respond(to:context:)", "line": str(pick.randrange(20, 400)), "order.id": str(number),
            "http.status": status, "ms": str(values["ms"]), "trace.id": f"{pick.getrandbits(128):032x}", "user": values["user"],
        }

    def body(self, times, topic="orders"):
        """The body of a request with one log for each time."""
        group = {
            "__topic__": topic, "__source__": self.source, "__tags__": {"env": self.env, "version": "1.4.2"},
            "__logs__": [self.log(at) for at in times],
        }
        return json.dumps(group, ensure_ascii=False, separators=(",", ":")).encode()


def post(connection, body, logstore="app", host=None):
    """Sends a body; returns the status."""
    headers = {"Content-Type": "application/json", "x-log-apiversion": "0.6.0", "x-log-bodyrawsize": str(len(body))}
    if host:
        headers["Host"] = host
    connection.request("POST", f"/logstores/{logstore}/track", body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def fill(port, count, span=3600, batch=500, logstore="app", topic="orders", shop=None):
    """Sends `count` logs whose times cover the last `span` seconds."""
    shop = shop or Shop()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    end = time.time()
    for first in range(0, count, batch):
        size = min(batch, count - first)
        times = [end - span + span * (first + index + 1) / count for index in range(size)]
        status = post(connection, shop.body(times, topic), logstore)
        assert status == 200, status
    connection.close()
