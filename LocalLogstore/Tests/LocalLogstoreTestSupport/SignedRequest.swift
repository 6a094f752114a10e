// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import AsyncHTTPClient
import Crypto
import Foundation
package import LocalLogstore
package import NIOHTTP1

/// A request to the endpoint at a port of this machine, signed in version 1.
///
/// - Parameters:
///   - rawSize: The size of the body before compression; `nil` for that of the body.
///   - headers: Further ones; those that begin with `x-log-` are signed.
package func signedRequest(
    _ method: HTTPMethod,
    _ path: String,
    query: [(String, String)] = [],
    body: [UInt8] = [],
    rawSize: Int? = nil,
    headers: [(String, String)] = [],
    key: AccessKey,
    host: String,
    port: Int
) -> HTTPClientRequest {
    var unreserved = CharacterSet.alphanumerics
    unreserved.insert(charactersIn: "-_.~")
    func encode(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }
    let encoded = query.map { "\($0)=\(encode($1))" }.joined(separator: "&")
    var request = HTTPClientRequest(
        url: "http://127.0.0.1:\(port)\(path)" + (query.isEmpty ? "" : "?" + encoded)
    )
    request.method = method
    let date = Date().formatted(
        Date.VerbatimFormatStyle(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) GMT
                """,
            locale: Locale(identifier: "en_US_POSIX"),
            timeZone: .gmt,
            calendar: Calendar(identifier: .gregorian)
        )
    )
    let digest = body.isEmpty ? "" : Insecure.MD5.hash(data: body).map { String(format: "%02X", $0) }.joined()
    var signed = [
        ("x-log-apiversion", "0.6.0"), ("x-log-bodyrawsize", "\(rawSize ?? body.count)"),
        ("x-log-signaturemethod", "hmac-sha1"),
    ]
    signed += headers.filter { $0.0.hasPrefix("x-log-") }
    signed.sort { $0.0 < $1.0 }
    let type = headers.first { $0.0 == "content-type" }?.1 ?? ""
    let resource = query.sorted { $0.0 < $1.0 }.map { "\($0)=\($1)" }.joined(separator: "&")
    let text =
        "\(method.rawValue)\n\(digest)\n\(type)\n\(date)\n" + signed.map { "\($0):\($1)\n" }.joined() + path
        + (query.isEmpty ? "" : "?" + resource)
    let code = HMAC<Insecure.SHA1>.authenticationCode(
        for: Data(text.utf8),
        using: SymmetricKey(data: Data(key.secret.utf8))
    )
    request.headers = HTTPHeaders(signed + headers.filter { !$0.0.hasPrefix("x-log-") })
    request.headers.add(name: "host", value: host)
    request.headers.add(name: "date", value: date)
    if !body.isEmpty { request.headers.add(name: "content-md5", value: digest) }
    request.headers.add(name: "authorization", value: "LOG \(key.id):\(Data(code).base64EncodedString())")
    if !body.isEmpty { request.body = .bytes(body) }
    return request
}
