#!/bin/bash
# OpenTelemetry for Python loses a whole batch for one number that needs 64 bits without a sign, and calls it flushed.
#
# Identities made by hashing are such numbers, every second one of them. In a field (extra=) one costs that field alone, with an
# error in the log. In a message that is a dictionary, which the handler takes for a structured one, it costs all records of the
# batch, up to 512, whoever wrote them; so does a message with the name of a file that is not UTF-8. force_flush answers True, and
# nothing is sent again. The exporter for JSON does not check: it sends the number as it is, also that of a field, and protobuf's
# own reader of JSON, with OpenTelemetry's schema, refuses the request with all that is in it.
#
# Seen with opentelemetry-exporter-otlp-proto-http 1.45.2, opentelemetry-exporter-otlp-json-http 0.66b1, protobuf 7.36.2:
#   protobuf, 100 records: arrived 100, flushed True
#   protobuf, with the number in a field of one more: arrived 101, flushed True
#   protobuf, with the number in the message of one more: arrived 0, flushed True
#   protobuf, with a file's name in the message of one more: arrived 0, flushed True
#   JSON, 100 records: arrived 100, flushed True
#   JSON, with the number in a field of one more: arrived refused, flushed True
source "$(dirname "$0")/lib.sh"
sdk=(opentelemetry-api==1.45.2 opentelemetry-sdk==1.45.2 opentelemetry-proto==1.45.2 protobuf==7.36.2)
common=(opentelemetry-exporter-otlp-common opentelemetry-exporter-http-transport)
python3 -m venv "$work/protobuf"
"$work/protobuf/bin/pip" install --quiet --disable-pip-version-check "${sdk[@]}" "${common[@]/%/==0.66b2}" \
    opentelemetry-exporter-otlp-proto-http==1.45.2
python3 -m venv "$work/json"
"$work/json/bin/pip" install --quiet --disable-pip-version-check "${sdk[@]}" "${common[@]/%/==0.66b1}" \
    opentelemetry-exporter-otlp-json-http==0.66b1
cat >"$work/shop.py" <<'END_OF_SHOP'
import gzip, http.server, importlib, logging, os, sys, threading, warnings

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

encoding, place = sys.argv[1:]
module = {"protobuf": "proto", "json": "json"}[encoding]
exporter = importlib.import_module(f"opentelemetry.exporter.otlp.{module}.http._log_exporter")
bodies = []

class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

def arrived():
    """How many records came, or "refused" if a request is no valid one."""
    count = 0
    for body in bodies:
        if encoding == "json":
            try:
                request = json_format.Parse(body, ExportLogsServiceRequest())
            except json_format.ParseError:
                return "refused"
        else:
            request = ExportLogsServiceRequest.FromString(body)
        count += sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    return count

# The handler is deprecated in favour of the same one in another package.
warnings.simplefilter("ignore")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
provider = LoggerProvider()
destination = exporter.OTLPLogExporter(endpoint=f"http://127.0.0.1:{server.server_port}/v1/logs")
# A batch is sent when it is full or asked for: the test does not race with the clock.
provider.add_log_record_processor(BatchLogRecordProcessor(destination, schedule_delay_millis=600_000))
logger = logging.Logger("shop")
logger.addHandler(LoggingHandler(logger_provider=provider))
for number in range(100):
    logger.info("order %d", number)
identity = 2**64 - 1
if place == "field":
    logger.info("paid", extra={"identity": identity})
if place == "message":
    logger.info({"event": "paid", "identity": identity})
if place == "name":
    logger.info("cannot read %s", os.fsdecode(b"caf\xe9.txt"))
flushed = provider.force_flush()
print(f"arrived {arrived()}, flushed {flushed}")
provider.shutdown()
END_OF_SHOP
seen() { "$work/$1/bin/python" "$work/shop.py" "$1" "$2" 2>"$work/errors"; }
expect "protobuf, 100 records" "$(seen protobuf none)" "arrived 100, flushed True"
expect "protobuf, with the number in a field of one more" "$(seen protobuf field)" "arrived 101, flushed True"
expect "protobuf, with the number in the message of one more" "$(seen protobuf message)" "arrived 0, flushed True"
expect "protobuf, with a file's name in the message of one more" "$(seen protobuf name)" "arrived 0, flushed True"
expect "JSON, 100 records" "$(seen json none)" "arrived 100, flushed True"
expect "JSON, with the number in a field of one more" "$(seen json field)" "arrived refused, flushed True"
