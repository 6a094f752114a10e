// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// `LOG {id}:{base64}`, with the hash that the header `x-log-signaturemethod` names.
struct SignatureV1: SignatureClaim {
    let id: String
    let text: String
    let form = "\"Mon, 30 Nov 2026 08:15:30 GMT\""
    private let signature: Data

    /// `nil` for a header of another form.
    init?(_ header: String) {
        let parts = header.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "LOG", let colon = parts[1].lastIndex(of: ":"), colon > parts[1].startIndex
        else { return nil }
        self.id = String(parts[1][..<colon])
        self.text = String(parts[1][parts[1].index(after: colon)...])
        guard let signature = Data(base64Encoded: self.text), !signature.isEmpty else { return nil }
        self.signature = signature
    }

    /// The Python SDK sends it in two headers, as some proxies remove `Date`.
    func time(of signed: SignatureCheck.Signed) -> String? { signed.headers[Self.date] ?? signed.headers["date"] }

    private static let date = "x-log-date"
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    func date(_ text: String) -> Date? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].utf8.count == 4, parts[0].hasSuffix(","), parts[1].utf8.count == 2,
            let month = Self.months.firstIndex(of: String(parts[2])), parts[3].utf8.count == 4,
            parts[4].utf8.count == 8, parts[5] == "GMT"
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return try? Date("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z", strategy: .iso8601)
    }

    func isMade(with secret: String, over signed: SignatureCheck.Signed, time: String) -> Bool {
        let digest = signed.headers["content-md5"] ?? ""
        // Without a body it may be left out.
        if !signed.body.isEmpty || !digest.isEmpty {
            let actual = [UInt8](Insecure.MD5.hash(data: signed.body)).hexadecimal
            guard digest == actual.uppercased() else { return false }
        }
        let message = Data(self.canonical(signed, digest: digest, time: time).utf8)
        let key = SymmetricKey(data: Data(secret.utf8))
        return switch signed.headers["x-log-signaturemethod"] {
        case "hmac-sha1":
            HMAC<Insecure.SHA1>.isValidAuthenticationCode(self.signature, authenticating: message, using: key)
        case "hmac-sha256":
            HMAC<SHA256>.isValidAuthenticationCode(self.signature, authenticating: message, using: key)
        default: false
        }
    }

    private func canonical(_ signed: SignatureCheck.Signed, digest: String, time: String) -> String {
        var text = "\(signed.method)\n\(digest)\n\(signed.headers["content-type"] ?? "")\n\(time)\n"
        let names = signed.headers.keys.filter {
            ($0.hasPrefix("x-log-") || $0.hasPrefix("x-acs-")) && $0 != Self.date
        }
        for name in names.sorted() { text += "\(name):\(signed.headers[name] ?? "")\n" }
        let query = signed.query.sorted { $0.name < $1.name }.map { "\($0.name)=\($0.value)" }
        return text + signed.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}
