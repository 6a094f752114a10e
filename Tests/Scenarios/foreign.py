# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Things on the other side that behave as real networks and services do, where no ready-made thing can be told to."""

import contextlib
import json
import re
import socket
import threading
import time


def connect_and_close(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class Listener:
    """A socket whose connections are each served by a thread."""

    def __init__(self, world, host="127.0.0.1", port=0, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            # Before the connection, since the window is agreed on with it.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((host, port))
        self.socket.listen(128)
        self.host, self.port = self.socket.getsockname()
        self.url = f"http://{host}:{self.port}"
        self.connections = 0
        world.on_leave(self.socket.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.guard, args=(connection, self.connections), daemon=True).start()

    def guard(self, connection, number):
        with contextlib.suppress(OSError, ValueError):
            self.serve(connection, number)
        connect_and_close(connection)


class SlowLink(Listener):
    """Passes on what it reads, as slowly as it is told to; away during the outages, in seconds since its start.

    All connections share the rate. What a client has given to its socket and then given up is read and passed on, too, and
    takes the time of what comes after it: that is what becomes of it on a real link.
    """

    def __init__(self, world, port, rate, outages=(), block=4096):
        self.target, self.rate, self.outages, self.block = port, rate, outages, block
        self.started = self.due = time.monotonic()
        self.turn = threading.Lock()
        super().__init__(world, receive_buffer=4096)

    def carry(self, count):
        """Takes the time that so many bytes take, behind those that are on the link already."""
        with self.turn:
            # A link that was idle for a while has not saved anything up.
            self.due = max(self.due, time.monotonic() - 0.1) + count / self.rate
            due = self.due
        time.sleep(max(0, due - time.monotonic()))

    @property
    def is_away(self):
        age = time.monotonic() - self.started
        return any(begin <= age < end for begin, end in self.outages)

    def serve(self, client, number):
        if self.is_away:
            return
        server = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.answer, args=(server, client), daemon=True).start()
        try:
            while data := client.recv(self.block):
                if self.is_away:
                    return
                self.carry(len(data))
                server.sendall(data)
        finally:
            connect_and_close(server)

    def answer(self, server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        connect_and_close(client)


class SilentRelay(Listener):
    """Passes everything on until it goes silent: then the connections of before pass nothing, and stay open."""

    def __init__(self, world, port):
        self.target = port
        self.generation = 0
        super().__init__(world)

    def go_silent(self):
        self.generation += 1

    def serve(self, client, number):
        server = socket.create_connection(("127.0.0.1", self.target))
        mine = self.generation
        threading.Thread(target=self.copy, args=(server, client, mine), daemon=True).start()
        self.copy(client, server, mine)

    def copy(self, source, sink, mine):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if mine != self.generation:
                    # Neither passed on nor closed.
                    time.sleep(3600)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Request:
    def __init__(self, line, headers, body):
        self.method, self.path, _ = line.split(" ", 2)
        self.headers, self.body = headers, body

    @property
    def messages(self):
        """Of an uncompressed body of PutWebtracking."""
        return [log.get("message", "") for log in json.loads(self.body)["__logs__"]]


def read_request(stream):
    """The next request of a connection; None at its end."""
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while text := stream.readline().decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(line, headers, body)


def response(status, headers=(), body=b"", request_id="5642EFA499248C827B012B39"):
    """An answer as the service gives it; headers come as they are."""
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}"]
    if request_id is not None:
        lines.append(f"x-log-requestid: {request_id}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def error_body(code, message="as told"):
    return json.dumps({"errorCode": code, "errorMessage": message}).encode()


class Service(Listener):
    """Answers as a function of the request and its number says, with an answer's bytes; keeps what was stored."""

    def __init__(self, world, decide, wrap=None, **others):
        self.decide, self.wrap = decide, wrap
        self.requests = []
        self.stored = []
        self.lock = threading.Lock()
        super().__init__(world, **others)

    def serve(self, connection, number):
        if self.wrap:
            connection = self.wrap(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile("rb")
        while request := read_request(stream):
            with self.lock:
                self.requests.append(request)
                answer = self.decide(request, len(self.requests))
                if answer.startswith(b"HTTP/1.1 200") and re.search(rb"x-log-requestid: \S", answer):
                    self.stored.append(request)
            connection.sendall(answer)

    def numbers(self):
        """The numbers of the probe's lines that were stored."""
        words = (message.split(" ", 2) for request in list(self.stored) for message in request.messages)
        return [int(parts[1]) for parts in words if parts[0] == "line"]
