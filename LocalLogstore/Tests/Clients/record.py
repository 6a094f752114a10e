# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Stands between a client and the endpoint, and writes the first request of each form down as a line of JSON.

Usage: record.py ENDPOINT FILE PORT-FILE
"""

import base64
import http.client
import http.server
import json
import pathlib
import sys
import urllib.parse

# The connection's, and what says nothing about the request.
LEFT_OUT = {"connection", "user-agent", "accept", "proxy-connection", "accept-language", "referer", "sec-ch-ua",
            "sec-ch-ua-mobile", "sec-ch-ua-platform"}


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in LEFT_OUT}
        entry = {"method": self.command, "target": self.path, "headers": headers, "body": base64.b64encode(body).decode()}
        if self.is_new(headers):
            with open(self.server.file, "a", encoding="utf-8") as file:
                print(json.dumps(entry), file=file)
        connection = http.client.HTTPConnection(self.server.endpoint, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        connection.close()
        return body, answer.status, content

    def is_new(self, headers):
        target = urllib.parse.urlsplit(self.path)
        values = [headers.get(name) for name in ("x-log-compresstype", "accept-encoding", "x-log-signaturemethod")]
        query = [(name, name == "type" and value) for name, value in urllib.parse.parse_qsl(target.query)]
        form = (self.command, target.path, repr(query), repr(values), repr(sorted(headers)))
        is_new = form not in self.server.forms
        self.server.forms.add(form)
        return is_new

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


def main():
    endpoint, file, port_file = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.endpoint, server.file = urllib.parse.urlsplit(endpoint).netloc, file
    server.forms = set()
    pathlib.Path(port_file).write_text(str(server.server_port), encoding="ascii")
    server.serve_forever()


if __name__ == "__main__":
    main()
