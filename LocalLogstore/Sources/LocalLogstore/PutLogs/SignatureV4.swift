// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// `SLS4-HMAC-SHA256 Credential={id}/{date}/{region}/sls/aliyun_v4_request,Signature={hex}`
struct SignatureV4: SignatureClaim {
    let id: String
    let text: String
    let form = "yyyyMMddTHHmmssZ"
    private let day: String
    private let region: String
    private let signature: [UInt8]

    /// `nil` for a header of another form.
    init?(_ header: String) {
        let parts = header.split(separator: " ")
        let fields = parts.last?.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) } ?? []
        guard parts.count == 2, parts[0] == "SLS4-HMAC-SHA256", fields.count == 2,
            fields[0].count == 2, fields[0][0] == "Credential",
            fields[1].count == 2, fields[1][0] == "Signature",
            let signature = [UInt8](hexadecimal: fields[1][1])
        else { return nil }
        let scope = fields[0][1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard scope.count == 5, scope[3] == "sls", scope[4] == "aliyun_v4_request", !scope[0].isEmpty,
            scope[1].utf8.count == 8, !scope[2].isEmpty
        else { return nil }
        self.id = scope[0]
        self.day = scope[1]
        self.region = scope[2]
        self.signature = signature
        self.text = String(fields[1][1])
    }

    func time(of signed: SignatureCheck.Signed) -> String? { signed.headers["x-log-date"] }

    func date(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return try? Date(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z",
            strategy: .iso8601
        )
    }

    func isMade(with secret: String, over signed: SignatureCheck.Signed, time: String) -> Bool {
        let digest = [UInt8](SHA256.hash(data: signed.body)).hexadecimal
        guard time.hasPrefix(self.day), signed.headers["x-log-content-sha256"] == digest else { return false }
        let request = [UInt8](SHA256.hash(data: Data(self.canonical(signed, digest: digest).utf8))).hexadecimal
        let scope = "\(self.day)/\(self.region)/sls/aliyun_v4_request"
        let message = "SLS4-HMAC-SHA256\n\(time)\n\(scope)\n\(request)"
        var chain = SymmetricKey(data: Data("aliyun_v4\(secret)".utf8))
        for part in scope.split(separator: "/") {
            chain = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: chain))
        }
        return HMAC<SHA256>.isValidAuthenticationCode(self.signature, authenticating: Data(message.utf8), using: chain)
    }

    private func canonical(_ signed: SignatureCheck.Signed, digest: String) -> String {
        let names = signed.headers.keys.filter { name in
            name == "host" || name == "content-type" || name.hasPrefix("x-acs-")
                || (name.hasPrefix("x-log-") && !name.hasPrefix("x-log-meta-"))
        }.sorted()
        var unreserved = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{0}"..."\u{7F}"))
        unreserved.insert(charactersIn: "-_.~")
        let query = signed.query.sorted { $0.name < $1.name }.map { name, value in
            value.isEmpty ? name : name + "=" + (value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "")
        }
        var text = "\(signed.method)\n\(signed.path)\n\(query.joined(separator: "&"))\n"
        for name in names { text += "\(name):\(signed.headers[name] ?? "")\n" }
        return text + "\n\(names.joined(separator: ";"))\n\(digest)"
    }
}

extension [UInt8] {
    /// The bytes that a text of hexadecimal digits stands for; `nil` if it is none.
    fileprivate init?(hexadecimal text: Substring) {
        guard text.utf8.count % 2 == 0 else { return nil }
        self = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let value = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            let digit = UInt8(value)
            if let first = high {
                self.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
    }

    /// Two digits a byte, in lower case.
    var hexadecimal: String {
        self.map { byte -> String in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0\(digits)" : digits
        }.joined()
    }
}
