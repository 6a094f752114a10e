#!/bin/bash
# URLSession on Linux asks nothing at an address of IPv6.
#
# For http://[::1]:8080/ it gives NSURLErrorBadURL (-1000) without a connection, though URL and URLComponents read the
# address, and localhost is asked over IPv6. curl of the same machine has no such trouble, and AsyncHTTPClient neither. So
# `webtracking query --url` could not ask at the address that `webtracking serve --host ::1` prints.
#
# Seen with Swift 6.3.1 on Linux (Debian 12).
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
python3 -u -c 'import http.server, socket
class Server(http.server.HTTPServer): address_family = socket.AF_INET6
server = Server(("::1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port)
server.serve_forever()' >"$work/port" 2>"$work/requests" &
trap 'kill %1; leave' EXIT
until [[ -s $work/port ]]; do sleep 0.1; done
url="http://[::1]:$(<"$work/port")/"
cat >"$work/ask.swift" <<'END'
import Foundation
import FoundationNetworking

let done = DispatchSemaphore(value: 0)
let url = URL(string: CommandLine.arguments[1])!
URLSession.shared.dataTask(with: url) { _, response, error in
    print((response as? HTTPURLResponse)?.statusCode ?? (error as? URLError)?.code.rawValue ?? 0)
    done.signal()
}.resume()
done.wait()
END
expect "curl" "$(curl -sg -o /dev/null -w '%{http_code}' "$url")" 200
expect "URLSession" "$(swiftc -o "$work/ask" "$work/ask.swift" && "$work/ask" "$url")" -1000
expect "requests that came" "$(grep -c GET "$work/requests")" 1
