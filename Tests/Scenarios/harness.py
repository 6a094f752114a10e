# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""What scenarios share: processes, the local endpoint, what a probe says, and how a promise is judged."""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# Where the library looks for certificate authorities.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# In the order in which they are defined.
SCENARIOS = {}

Scenario = collections.namedtuple("Scenario", "name section promise long short needs body")


def scenario(section, promise, long=False, short=False, needs=()):
    """Marks a function as the scenario of a promise. It returns what was seen, and raises Broken."""

    def mark(body):
        name = body.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, section, promise, long, short, needs, body)
        return body

    return mark


class Broken(Exception):
    """A promise was not kept."""


class Skipped(Exception):
    """This machine cannot show it."""


def check(condition, seen):
    """What was seen, if the promise is kept."""
    if not condition:
        raise Broken(seen)
    return seen


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, limit, step=0.05):
    """Whether the condition holds before the limit."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step)
    return bool(condition())


def variable(key):
    """The environment's name of a configuration key: delivery.requestTimeoutSeconds."""
    name = "".join("_" + letter if letter.isupper() else letter for letter in key.replace(".", "_"))
    for word in ("H_T_T_P", "I_D"):
        name = name.replace(word, word.replace("_", ""))
    return "WEBTRACKING_" + name.upper()


class Probe:
    """A running probe. What it has written is in files, so that nobody has to read a pipe."""

    def __init__(self, world, commands, settings, options=(), stderr=None, environment=None, prefix=(), limit=60,
                 program=None, **others):
        self.world = world
        self.limit = limit
        number = world.next_number()
        self.out = world.folder / f"probe-{number}.out"
        self.err = world.folder / f"probe-{number}.err"
        values = {"project": "local", "logstore": "app", "compression": "none", **settings}
        variables = {variable(key): str(value) for key, value in values.items()}
        self.started = time.monotonic()
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*prefix, str(program or world.probe), *options, *commands],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err if stderr is None else stderr,
                env={**os.environ, **variables, **(environment or {})}, start_new_session=True, **others)
        world.on_leave(self.kill)

    def events(self, name=None):
        lines = [json.loads(line) for line in self.out.read_text(errors="replace").splitlines() if line.endswith("}")]
        return [line for line in lines if name in (None, line["event"])]

    def event(self, name):
        """The last event of that name; {} if there was none."""
        return (self.events(name) or [{}])[-1]

    def wait_for(self, name, limit=60):
        """Waits for an event; Broken if the probe ends or the time passes without it."""
        wait_until(lambda: self.events(name) or self.process.poll() is not None, limit)
        if not self.events(name):
            raise Broken(f"the probe never came to {name}: {self.ending()}")
        return self.event(name)

    def wait(self, limit=None):
        """Waits for the end; returns whether it came in time."""
        try:
            self.process.wait(limit or self.limit)
            return True
        except subprocess.TimeoutExpired:
            return False

    def finish(self, limit=None):
        """Waits for an end that was not a signal's, and returns the probe."""
        if not self.wait(limit):
            raise Broken(f"the process had not ended after {limit or self.limit} s")
        if self.process.returncode != 0:
            raise Broken(self.ending())
        return self

    def total(self):
        """What became of everything, by its last statistics."""
        return self.wait_for("statistics", 1)

    def ending(self):
        code = self.process.poll()
        if code is None:
            return "it is still running"
        text = f"it ended with {signal.Signals(-code).name}" if code < 0 else f"it exited with {code}"
        refused = self.event("refused").get("reason")
        return text + (f" ({refused})" if refused else "")

    @property
    def told(self):
        """What it wrote to standard error."""
        return self.err.read_text(errors="replace")

    def memory(self, what="VmRSS"):
        """Resident bytes of the process (VmHWM: the most there were)."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith(what))
        return int(line.split()[1]) * 1024

    def kill(self):
        # The group: what it was started through ends, too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Endpoint:
    """The local endpoint, `webtracking serve`, as a process of its own."""

    def __init__(self, world, *arguments, port=None, host="127.0.0.1", name=None):
        self.world = world
        name = name or f"serve-{world.next_number()}"
        self.database = world.folder / f"{name}.sqlite"
        port_file = world.folder / f"{name}.port"
        with open(world.folder / f"{name}.log", "wb") as log:
            self.process = subprocess.Popen(
                [str(world.tool), "serve", "--port", str(port or 0), "--host", host, "--port-file", str(port_file),
                 "--database", str(self.database), "--any-project", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        world.on_leave(self.kill)
        if not wait_until(port_file.exists, 20):
            raise RuntimeError("the endpoint did not start: " + (world.folder / f"{name}.log").read_text())
        self.port = int(port_file.read_text())
        self.url = f"http://{host}:{self.port}"

    def logs(self):
        """The records in the order in which they arrived."""
        run = subprocess.run([str(self.world.tool), "query", "--database", str(self.database), "--format", "ndjson"],
                             capture_output=True, text=True)
        if run.returncode != 0 and "no such table" not in run.stderr:
            raise RuntimeError(run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def numbers(self, name="line"):
        """The numbers of the probe's lines, in the order in which they arrived."""
        words = (log.get("message", "").split(" ", 2) for log in self.logs())
        return [int(parts[1]) for parts in words if len(parts) == 3 and parts[0] == name]

    def stop(self):
        """Ends it and returns what it says about everything since its start."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def kill(self):
        self.process.kill()
        self.process.wait()


class World:
    """A folder, the programs, and what is to be ended when a scenario is over."""

    def __init__(self, tool, probe, other_probe=None, fast_probe=None, keep=False):
        self.tool, self.probe, self.keep = tool, probe, keep
        self.other_probe, self.fast_probe = other_probe, fast_probe
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="scenario-"))
        # Scenarios with other users reach what is for them.
        self.folder.chmod(0o755)
        self.numbers = 0
        self.leaving = []

    def next_number(self):
        self.numbers += 1
        return self.numbers

    def on_leave(self, action):
        self.leaving.append(action)

    def leave(self):
        for action in reversed(self.leaving):
            with contextlib.suppress(Exception):
                action()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # What scenarios start.

    def start(self, commands, settings, **others):
        return Probe(self, commands.split() if isinstance(commands, str) else commands, settings, **others)

    def serve(self, *arguments, **others):
        return Endpoint(self, *arguments, **others)

    def run_tool(self, *arguments, limit=120, **others):
        return subprocess.run([str(self.tool), *map(str, arguments)], capture_output=True, text=True, timeout=limit, **others)

    def spawn(self, *arguments, **others):
        """Another program in the background, such as a proxy."""
        log = open(self.folder / f"{pathlib.Path(arguments[0]).name}-{self.next_number()}.log", "wb")
        process = subprocess.Popen([str(argument) for argument in arguments], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True, **others)
        self.on_leave(lambda: (os.killpg(process.pid, signal.SIGKILL), process.wait()))
        return process

    def spool(self, name="spool"):
        return self.folder / name

    def spooled(self, directory, *arguments):
        """The numbers of the lines in a spool, of the living and the dead."""
        run = self.run_tool("spool", "show", directory, *arguments)
        words = (json.loads(line).get("message", "").split(" ", 2) for line in run.stdout.splitlines())
        return [int(parts[1]) for parts in words if len(parts) >= 2 and parts[0] == "line"]


# Settings that most scenarios begin with.
QUICK = {
    "batching.lingerSeconds": 0.1,
    "delivery.requestTimeoutSeconds": 2,
    "delivery.maximumBackoffSeconds": 1,
    "delivery.initialRefusalBackoffSeconds": 0.2,
    "delivery.maximumRefusalBackoffSeconds": 1,
    "delivery.initialQuotaBackoffSeconds": 0.2,
    "delivery.maximumQuotaBackoffSeconds": 1,
}

NOBODY_THERE = "http://127.0.0.1:1"


def to(endpoint, **others):
    """The settings of a probe that sends there."""
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    return {**QUICK, "endpoint": url, **{key.replace("__", "."): value for key, value in others.items()}}


def spooling(directory, endpoint=NOBODY_THERE, **others):
    return to(endpoint, durability="process", spool__directory=directory, **others)


def repeated(numbers):
    """How many were stored beyond the first time."""
    return len(numbers) - len(set(numbers))


def is_ordered(numbers):
    """Whether each number's first arrival is in order."""
    first = list(dict.fromkeys(numbers))
    return first == sorted(first)
