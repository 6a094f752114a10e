# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Answers and things on the way: what is refused, what stands in between, what cannot be read."""

import gzip
import http.client
import os
import re
import socket
import ssl
import subprocess

from foreign import Service, SilentRelay, error_body, response
from harness import AUTHORITIES, Skipped, check, free_port, is_ordered, repeated, scenario, to, wait_until

PORTAL = b"<html><body>Please log in to this network</body></html>"


def nginx(world, server, name="nginx"):
    """nginx with these directives for its server; returns the function that changes them, and the address."""
    port = free_port()
    folder = world.folder / name
    folder.mkdir()
    # Started as root it would give its temporary files to another user.
    user = "user root;" if os.geteuid() == 0 else ""

    def write(directives):
        (folder / "nginx.conf").write_text(f"""
            {user} daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
            events {{ worker_connections 256; }}
            http {{
                access_log {folder}/access.log; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                server {{ listen 127.0.0.1:{port}; {directives} }}
            }}""")

    def change(directives):
        write(directives)
        subprocess.run(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-s", "reload"], check=True, capture_output=True)

    write(server)
    world.spawn("nginx", "-p", folder, "-c", folder / "nginx.conf")
    wait_until(lambda: answers(port), 5)
    return change, f"http://127.0.0.1:{port}", folder


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        connection.request("GET", "/nothing")
        connection.getresponse()
        return True
    except OSError:
        return False


def pass_on(endpoint):
    return (f"location / {{ proxy_pass http://127.0.0.1:{endpoint.port}; proxy_http_version 1.1; "
            "proxy_set_header Connection \"\"; proxy_set_header Host $http_host; }")


def haproxy(world, endpoint, rules):
    """haproxy that has read a body before its rules decide."""
    port = free_port()
    path = world.folder / "haproxy.cfg"
    path.write_text(f"""
global
    tune.bufsize 2097152
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend firewall
    bind 127.0.0.1:{port}
    option http-buffer-request
{rules}
    default_backend logs
backend logs
    server one 127.0.0.1:{endpoint.port}
""")
    world.spawn("haproxy", "-db", "-f", path)
    wait_until(lambda: answers(port), 5)
    return f"http://127.0.0.1:{port}"


# Refusals about the content.


@scenario("1.2a", "A record that a firewall refuses with 403 without an id does not hold up the others",
          needs=["haproxy"], short=True)
def poison_403_without_id(world):
    endpoint = world.serve()
    url = haproxy(world, endpoint, "    http-request deny deny_status 403 if { req.body -m sub DROP-TABLE }")
    probe = world.start("log:count=2001,bytes=120,word=DROP-TABLE@91,rate=1000 settle:15 shutdown:1 statistics",
                        to(url, batching__lingerSeconds=0.5)).finish()
    numbers = endpoint.numbers()
    report = probe.total()
    told = bool(re.search(r"dropped (1 )?record ", probe.told))
    innocents = sorted(set(numbers) - {91})
    seen = (f"{len(innocents)} of 2000 innocents delivered{'' if is_ordered(numbers) else ', out of order'}, "
            f"{repeated(numbers)} twice, dropped {report['dropped']}{', told' if told else ''}")
    return check(len(innocents) == 2000 and is_ordered(numbers) and sum(report["dropped"].values()) == 1 and told, seen)


@scenario("1.2b", "A record with 1,100 fields, refused with 400, does not take others of its batch with it", short=True)
def poison_400_fields(world):
    endpoint = world.serve()
    lines = [f'{{"message":"line {number} x"}}' for number in range(20)]
    poison = ",".join(f'"f{number}":"x"' for number in range(1100))
    lines.insert(7, f'{{"message":"line 99 x",{poison}}}')
    (world.folder / "lines").write_text("\n".join(lines) + "\n")
    run = world.run_tool("send", "--format", "ndjson", "--project", "local", "--logstore", "app", "--endpoint",
                         endpoint.url, "--timeout", "20", world.folder / "lines")
    numbers = endpoint.numbers()
    dropped = re.search(r"dropped +(.*)", run.stderr)
    return check(sorted(numbers) == list(range(20)) and is_ordered(numbers),
                 f"{len(set(numbers))} of 20 innocents stored, dropped {dropped and dropped[1]}")


@scenario("1.2", "Behind a portal that answers for the service nothing is shed", needs=["nginx"])
def captive_portal(world):
    endpoint = world.serve()
    seen = []
    for status in (200, 302, 403, 406, 422, 511):
        extra = 'add_header Location "http://portal.example/" always;' if status == 302 else ""
        body = f"default_type text/html; {extra} location / {{ return {status} '{PORTAL.decode()}'; }}"
        if status == 302:
            body = "location / { return 302 http://portal.example/; }"
        change, url, _ = nginx(world, body, f"portal-{status}")
        probe = world.start("log:count=60 wait:4 statistics wait:1 settle:20 shutdown:1 statistics", to(url))
        state = probe.wait_for("statistics", 20)
        change(pass_on(endpoint))
        probe.finish()
        last = probe.event("statistics")
        seen.append((status, state["dropped"], state["delivered"], last["delivered"]))
    stored = endpoint.numbers()
    lost = [f"{status}: dropped {dropped}, {early} delivered early, {late} in the end"
            for status, dropped, early, late in seen if dropped or early or late != 60]
    return check(not lost and len(stored) >= 360,
                 "; ".join(lost) or f"6 kinds of portal: 0 dropped, all 60 of each delivered when it opened, {len(stored)} stored")


@scenario("1.1", "A limit of 2 KB on the way is learnt, not tried again with every batch", needs=["nginx"], short=True)
def limit_413(world):
    endpoint = world.serve()
    _, url, folder = nginx(world, "client_max_body_size 2k; " + pass_on(endpoint))
    probe = world.start("log:count=1500,bytes=100,rate=1500 settle:25 log:count=1500,bytes=100 settle:25 shutdown:1 statistics",
                        to(url, compression="lz4")).finish(70)
    numbers = endpoint.numbers()
    codes = [line.split('"')[2].split()[0] for line in (folder / "access.log").read_text().splitlines() if "POST" in line]
    refused = codes.count("413")
    return check(len(set(numbers)) == 3000 and refused <= 20 and repeated(numbers) == 0,
                 f"{len(set(numbers))} of 3000 delivered in {codes.count('200')} requests, {refused} answers 413, "
                 f"dropped {probe.total()['dropped']}")


@scenario("1.1", "A record that is larger than a limit on the way does not hold its topic", needs=["nginx"], short=True)
def limit_413_lone_record(world):
    endpoint = world.serve()
    _, url, _ = nginx(world, "client_max_body_size 2k; " + pass_on(endpoint))
    probe = world.start("log:count=50,large=6000@20 settle:12 shutdown:1 statistics", to(url)).finish()
    numbers = endpoint.numbers()
    return check(len(set(numbers)) == 49 and is_ordered(numbers),
                 f"{len(set(numbers))} of 49 innocents delivered, dropped {probe.event('shutdown')['dropped']}")


# Connections.


@scenario("1.3a", "A connection that has gone silent is not used again", needs=["mount", "authorities", "openssl"], short=True)
def http2_gone_silent(world):
    try:
        import h2  # noqa: F401
    except ImportError:
        raise Skipped("needs h2 (PyPI)") from None
    from http2 import Server
    authority, chain, key = certificate(world)
    server = Server(world, chain, key)
    relay = SilentRelay(world, server.port)
    mark = world.folder / "mark"
    probe = world.start(f"log:count=5 settle:10 statistics await:{mark} log:count=20 settle:20 shutdown:1 statistics",
                        to(f"https://localhost:{relay.port}"), prefix=trusting(authority))
    before = probe.wait_for("statistics", 20)["delivered"]
    relay.go_silent()
    mark.touch()
    total = probe.finish().event("statistics")["delivered"]
    return check(before == 5 and total == 25,
                 f"{before} of 5 delivered before the silence, {total - before} of 20 after it, in "
                 f"{probe.event('settled')['elapsed']:.1f} s, {relay.connections} connections, {server.protocols()}")


def certificate(world, name="server", signer=()):
    """A certificate authority of its own and a certificate for localhost; returns both and the key.

    The signer's prefix can give it another time.
    """
    folder = world.folder / name
    folder.mkdir()

    def openssl(*arguments, prefix=()):
        subprocess.run([*prefix, "openssl", *map(str, arguments)], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
            "-days", "2", "-subj", "/CN=Scenario authority", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "request.pem",
            "-subj", "/CN=localhost")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-out", folder / "cert.pem", "-extfile", folder / "extensions", "-days", "1", prefix=signer)
    return folder / "ca.pem", folder / "cert.pem", folder / "key.pem"


def trusting(authority):
    """A prefix for a command that sees this authority where the system keeps all: nothing of the program is changed."""
    script = (f"mount --bind $0 {AUTHORITIES} && exec \"$@\"")
    return ["unshare", "--mount", "sh", "-c", script, authority]


@scenario("1.3b", "A name that has moved is looked up anew after a failure", needs=["mount"], short=True)
def moved_name(world):
    old = Service(world, lambda request, number: response(503, body=error_body("ServerBusy")), host="127.0.0.2")
    new = world.serve(port=old.port, host="127.0.0.3")
    hosts = world.folder / "hosts"
    names = "logs.scenario.test local.logs.scenario.test"
    hosts.write_text(f"127.0.0.1 localhost\n127.0.0.2 {names}\n")
    prefix = ["unshare", "--mount", "sh", "-c", "mount --bind $0 /etc/hosts && exec \"$@\"", str(hosts)]
    probe = world.start("log:count=20 wait:3 statistics settle:20 shutdown:1",
                        to(f"http://logs.scenario.test:{old.port}", allowsPlainHTTP="true"), prefix=prefix)
    wait_until(lambda: old.requests, 10)
    hosts.write_text(f"127.0.0.1 localhost\n127.0.0.3 {names}\n")
    probe.finish()
    report = probe.event("shutdown")
    return check(len(set(new.numbers())) == 20,
                 f"{len(set(new.numbers()))} of 20 at the new address, {len(old.requests)} requests to the old one over "
                 f"{old.connections} connections, left {report['remaining']}")


@scenario("1.3", "Healthy connections are kept", short=True)
def connections_are_kept(world):
    service = Service(world, lambda request, number: response(200))
    commands = " ".join(["log:count=1 flush:5"] * 150) + " shutdown:1"
    world.start(commands, to(service)).finish()
    return check(len(service.stored) >= 150 and service.connections <= 2,
                 f"{len(service.stored)} requests over {service.connections} connections")


# Answers that cannot be read.


def delivered_after(world, bad, times=3, commands="log:count=94 settle:15 shutdown:1 statistics", **settings):
    """Answers `bad` some times, and then takes all."""
    service = Service(world, lambda request, number: bad if number <= times else response(200))
    probe = world.start(commands, to(service, **settings)).finish()
    return service, probe.total()


@scenario("1.4", "An exceeded quota that is told in gzip is waited for", short=True)
def quota_in_gzip(world):
    body = gzip.compress(error_body("WriteQuotaExceed", "write quota exceeded"))
    bad = response(403, [("Content-Encoding", "gzip"), ("Content-Type", "application/json")], body)
    service, total = delivered_after(world, bad)
    return check(len(set(service.numbers())) == 94 and not total["dropped"],
                 f"{len(set(service.numbers()))} of 94 delivered, dropped {total['dropped']}")


@scenario("1.4", "A refusal without a readable code is waited out", short=True)
def refusal_without_code(world):
    service, total = delivered_after(world, response(403, body=b"\x1f\x8b\x08garbage\xff"))
    return check(len(set(service.numbers())) == 94 and not total["dropped"],
                 f"{len(set(service.numbers()))} of 94 delivered, dropped {total['dropped']}")


@scenario("1.4", "An answer with an empty request id proves nothing", short=True)
def empty_request_id(world):
    service, total = delivered_after(world, response(200, request_id=""))
    return check(len(set(service.numbers())) == 94 and len(service.requests) > 3,
                 f"{total['delivered']} counted as delivered, {len(set(service.numbers()))} of 94 stored")


# Dates.


def with_date(world, date, retry_after=None, linger=0.1):
    """Refuses two requests for their time, and takes the others."""
    headers = [("Date", date)] + ([("Retry-After", retry_after)] if retry_after else [])
    service = Service(world, lambda request, number: response(200, headers) if number > 2 else response(
        403, headers, error_body("RequestTimeExpired")))
    environment = {"PROBE_KEY_ID": "id", "PROBE_KEY_SECRET": "secret"}
    probe = world.start("log:count=10 wait:2 flush:5 log:count=10 wait:2 flush:5 log:count=10 flush:5 shutdown:1 statistics",
                        to(service, batching__lingerSeconds=linger), options=["--credentials=static"], environment=environment)
    probe.wait(40)
    total = probe.event("statistics")
    return check(probe.process.returncode == 0 and total.get("delivered") == 30,
                 f"{probe.ending()}, {total.get('delivered', 0)} of 30 delivered")


@scenario("1.5", "A date of the year 2500 does not end a process that signs", short=True)
def date_2500(world):
    return with_date(world, "Fri, 01 Jan 2500 00:00:00 GMT")


@scenario("1.5", "A Retry-After of the year 9999 does not end a process that signs")
def date_9999(world):
    return with_date(world, "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT")


@scenario("1.5", "A service whose clock is near 1970 does not end a process that signs", short=True)
def date_1970(world):
    # Records that waited are older than the service's time.
    return with_date(world, "Thu, 01 Jan 1970 00:00:00 GMT", linger=30)


@scenario("1.5", "A service whose clock is before 1970 does not end a process that signs")
def date_1900(world):
    return with_date(world, "Mon, 01 Jan 1900 00:00:05 GMT")


# Credentials.


@scenario("1.6", "Credentials with a trailing newline work, or are refused at set-up, in each way in", short=True)
def credentials_with_newline(world):
    keys = world.folder / "keys"
    keys.write_text("scenario-id scenario-secret\n")
    endpoint = world.serve("--access-keys", str(keys))
    seen, fine = [], True
    for way in ("configuration", "static", "provider", "environment"):
        for part in ("secret", "id", "both"):
            key_id = "scenario-id" + ("\n" if part != "secret" else "")
            secret = "scenario-secret" + ("\r\n" if part != "id" else "")
            environment = {"PROBE_KEY_ID": key_id, "PROBE_KEY_SECRET": secret,
                           "ALIBABA_CLOUD_ACCESS_KEY_ID": key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret}
            settings = to(endpoint)
            if way == "configuration":
                settings |= {"signing.region": "cn-hangzhou", "signing.accessKeyID": key_id,
                             "signing.accessKeySecret": secret}
            probe = world.start("log:count=3 settle:4 shutdown:1", settings, environment=environment,
                                options=[] if way == "configuration" else [f"--credentials={way}"])
            probe.wait(20)
            delivered = probe.event("shutdown").get("delivered", 0) + 0
            works = probe.event("shutdown").get("remaining") == 0 and not probe.event("shutdown").get("dropped")
            refused = probe.event("refused").get("reason")
            if not (works or refused):
                fine = False
                seen.append(f"{way} ({part}): {delivered} of 3 delivered, nothing said at set-up")
    return check(fine, "; ".join(seen) or "each way in, for id and secret")


# TLS, redirects and headers.


def tls_service(world, chain, key, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if version:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    context.load_cert_chain(chain, key)
    return Service(world, lambda request, number: response(200), wrap=lambda raw: context.wrap_socket(raw, server_side=True))


@scenario("5", "Unknown issuer, expired certificate and no authorities at all are told apart",
          short=True, needs=["mount", "authorities", "openssl", "faketime"])
def tls_errors_are_told(world):
    authority, chain, key = certificate(world)
    url = f"https://localhost:{tls_service(world, chain, key).port}"
    old_authority, old_chain, old_key = certificate(world, "expired", ["faketime", "2024-02-01 10:00:00"])
    expired = f"https://localhost:{tls_service(world, old_chain, old_key).port}"
    bare = ("mount -t tmpfs none /etc/ssl; for p in /etc/pki /usr/lib/ssl /usr/local/ssl /usr/share/ca-certificates; do "
            "test -e $p && mount -t tmpfs none $p; done; exec \"$@\"")
    lines = {}
    for name, address, prefix in (("unknown issuer", url, []), ("expired", expired, trusting(old_authority)),
                                  ("no authorities", url, ["unshare", "--mount", "sh", "-c", bare, "sh"])):
        told = world.start("log:count=1 wait:1.5 shutdown:0.1", to(address), prefix=prefix).finish().told
        line = next((line for line in told.splitlines() if "failed" in line), "nothing")
        lines[name] = line.split("no answer: ", 1)[-1]
    texts = [re.sub(r"localhost:[0-9]+", "", line) for line in lines.values()]
    good = all(re.search(r"certificate", line, re.I) for line in texts) and len(set(texts)) == 3 and not any(
        re.search(r"unknownError\(\[\]\)|/checkouts/|\.cc:|\.swift", line) for line in texts)
    return check(good, "; ".join(f"{name}: {line[:180]}" for name, line in lines.items()))


@scenario("5", "TLS below 1.2 is refused", needs=["mount", "authorities", "openssl"], short=True)
def tls_1_1_is_refused(world):
    authority, chain, key = certificate(world)
    service = tls_service(world, chain, key, ssl.TLSVersion.TLSv1_1)
    probe = world.start("log:count=3 settle:4 shutdown:0.5", to(f"https://localhost:{service.port}"),
                        prefix=trusting(authority)).finish()
    # The server does speak 1.1 to a client that may.
    client = ssl.create_default_context(cafile=authority)
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("localhost", service.port)) as raw, \
            client.wrap_socket(raw, server_hostname="localhost") as secure:
        spoken = secure.version()
    return check(not service.stored and spoken == "TLSv1.1",
                 f"{len(service.stored)} requests over TLS 1.1, left {probe.event('shutdown')['remaining']}; the server speaks "
                 f"{spoken} to a client that may")


@scenario("5", "A redirect is told with its target", short=True)
def redirect_is_told(world):
    fine, seen = True, []
    for status in (301, 308):
        service = Service(world, lambda request, number: response(
            status, [("Location", "https://new.example/logstores/app/track")], request_id=None))
        told = world.start("log:count=1 wait:1 shutdown:0.1", to(service)).finish().told
        line = next((line for line in told.splitlines() if "failed" in line), "nothing")
        fine = fine and "new.example" in line
        seen.append(f"{status}: {line[line.find('next'):][:120]}")
    return check(fine, "; ".join(seen))


@scenario("5", "Signed requests to a host without the project name it in x-log-project", needs=["mount"], short=True)
def project_header(world):
    service = Service(world, lambda request, number: response(200))
    hosts = world.folder / "hosts"
    hosts.write_text("127.0.0.1 localhost logs.scenario.test local.logs.scenario.test\n")
    prefix = ["unshare", "--mount", "sh", "-c", "mount --bind $0 /etc/hosts && exec \"$@\"", str(hosts)]
    environment = {"PROBE_KEY_ID": "id", "PROBE_KEY_SECRET": "secret"}
    world.start("log:count=3 settle:5 shutdown:1", to(f"http://logs.scenario.test:{service.port}", allowsPlainHTTP="true"),
                options=["--credentials=static"], environment=environment, prefix=prefix).finish()
    if not service.requests:
        return check(False, "no request came")
    headers = service.requests[0].headers
    host = headers.get("host", "")
    return check(host.startswith("local.") or headers.get("x-log-project") == "local",
                 f"host {host}, x-log-project {headers.get('x-log-project')}")
