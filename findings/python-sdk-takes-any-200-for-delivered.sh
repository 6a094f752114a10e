#!/bin/bash
# The official Python SDK takes a 200 of anybody for delivered logs.
#
# The service puts x-log-requestid on each of its answers; official agents take an answer without it for one of something in
# between, and send again. aliyun-log-python-sdk's put_logs returns as for success when a server that is not the service answers
# 200 with an empty body, as default servers and health checks of proxies do. (A page of HTML is an error.) The request id of the
# result is empty, which is the only sign.
#
# Seen with aliyun-log-python-sdk 0.9.52, against Python's own HTTP server answering 200 without a body:
#   put_logs returned, request id ''
source "$(dirname "$0")/lib.sh"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aliyun-log-python-sdk==0.9.52
"$work/venv/bin/python" - <<'END'
import http.server, os, threading

class Anybody(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Anybody)
threading.Thread(target=server.serve_forever, daemon=True).start()
# The client takes no address with a port; as a proxy it does.
os.environ["http_proxy"] = f"http://127.0.0.1:{server.server_port}"

from aliyun.log import LogClient, LogItem, PutLogsRequest
from aliyun.log.version import USER_AGENT

print(USER_AGENT)
client = LogClient("http://cn-hangzhou.log.aliyuncs.com", "an-id", "a-secret")
item = LogItem(contents=[("message", "hello")])
response = client.put_logs(PutLogsRequest("project", "app", "topic", "source", [item]))
print("put_logs returned, request id", repr(response.get_request_id()))
if response.get_request_id():
    raise SystemExit("changed: there is a request id")
END
