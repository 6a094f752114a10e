// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Checks signatures of version 4, as the service does: the key, the time, the security token, and what was signed.
///
/// Pure, and written apart from the library that it judges. The signatures of the service's own clients are its tests.
struct SignatureCheck: Sendable {
    /// The parts of a request that a signature covers.
    struct Signed {
        var method: String
        /// As it was sent.
        var path: String
        /// Without percent-encoding.
        var query: [(name: String, value: String)]
        /// By their names in lower case, with `host`.
        var headers: [String: String]
        var body: [UInt8]
    }

    /// What the header `Authorization` says.
    private struct Claim {
        var id: String
        var date: String
        var region: String
        var signature: [UInt8]
        /// The signature as it was written.
        var text: String

        init(_ header: String) throws(ServiceError) {
            // SLS4-HMAC-SHA256 Credential={id}/{date}/{region}/sls/aliyun_v4_request,Signature={hex}
            let parts = header.split(separator: " ")
            let fields = parts.last?.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) } ?? []
            guard parts.count == 2, parts[0] == "SLS4-HMAC-SHA256", fields.count == 2,
                fields[0].count == 2, fields[0][0] == "Credential",
                fields[1].count == 2, fields[1][0] == "Signature",
                let signature = [UInt8](hexadecimal: fields[1][1])
            else { throw .parameterInvalid("The header Authorization is not one of signature version 4.") }
            let scope = fields[0][1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard scope.count == 5, scope[3] == "sls", scope[4] == "aliyun_v4_request", !scope[0].isEmpty,
                !scope[2].isEmpty
            else { throw .parameterInvalid("The scope of the signature is not one of signature version 4.") }
            self.id = scope[0]
            self.date = scope[1]
            self.region = scope[2]
            self.signature = signature
            self.text = String(fields[1][1])
        }
    }

    /// How far apart the clocks may be, in seconds.
    static let tolerance = 900.0

    /// Throws what the service answers if the request is not signed by one of the keys.
    func check(_ signed: Signed, keys: AccessKeyRing, now: Date) throws(ServiceError) {
        guard let header = signed.headers["authorization"] else { throw .unauthorized("The request is not signed.") }
        let claim = try Claim(header)
        guard let key = keys[claim.id] else { throw .unauthorized("AccessKeyId not found: \(claim.id)") }
        let time = try self.time(of: signed, claim: claim, now: now)
        if key.securityToken != signed.headers["x-acs-security-token"] {
            throw .unauthorized("The security token you provided is invalid.")
        }
        if let expiry = key.expiresAt, expiry <= now {
            throw .unauthorized("The security token you provided has expired.")
        }
        let digest = Self.hexadecimal(SHA256.hash(data: signed.body))
        guard signed.headers["x-log-content-sha256"] == digest else { throw .signatureNotMatch(claim.text) }
        let request = Self.hexadecimal(SHA256.hash(data: Data(self.canonical(signed, digest: digest).utf8)))
        let scope = "\(claim.date)/\(claim.region)/sls/aliyun_v4_request"
        let message = "SLS4-HMAC-SHA256\n\(time)\n\(scope)\n\(request)"
        var chain = SymmetricKey(data: Data("aliyun_v4\(key.secret)".utf8))
        for part in scope.split(separator: "/") {
            chain = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: chain))
        }
        guard HMAC<SHA256>.isValidAuthenticationCode(claim.signature, authenticating: Data(message.utf8), using: chain)
        else { throw .signatureNotMatch(claim.text) }
    }

    /// The time of the signature, which has to be near.
    private func time(of signed: Signed, claim: Claim, now: Date) throws(ServiceError) -> String {
        guard let text = signed.headers["x-log-date"] else {
            throw ServiceError(status: 400, code: "MissingDate", message: "The header x-log-date is missing.")
        }
        guard let time = Self.date(text) else {
            throw ServiceError(
                status: 400,
                code: "InvalidDateFormat",
                message: "The header x-log-date is not of the form yyyyMMddTHHmmssZ."
            )
        }
        guard abs(time.timeIntervalSince(now)) <= Self.tolerance else {
            throw ServiceError(
                status: 400,
                code: "RequestTimeExpired",
                message: "Request time \(text) has been expired while server time is \(now.ISO8601Format())."
            )
        }
        guard text.hasPrefix(claim.date), claim.date.utf8.count == 8 else { throw .signatureNotMatch(claim.text) }
        return text
    }

    private func canonical(_ signed: Signed, digest: String) -> String {
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

    private static func date(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return try? Date(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z",
            strategy: .iso8601
        )
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte -> String in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0\(digits)" : digits
        }.joined()
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
}

extension ServiceError {
    fileprivate static func unauthorized(_ message: String) -> Self {
        Self(status: 401, code: "Unauthorized", message: message)
    }

    fileprivate static func signatureNotMatch(_ signature: String) -> Self {
        Self(status: 401, code: "SignatureNotMatch", message: "signature \(signature) not match")
    }
}
