// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

private import Crypto

/// The service's signature, version 4.
///
/// A chain of keys is derived from the secret, the date, the region and the name of the service; the last one signs the
/// hash of the request in a canonical form.
struct SignatureV4: Sendable {
    static let algorithm = "SLS4-HMAC-SHA256"

    let credentials: WebTrackingCredentials
    let region: String

    /// What is signed of a request.
    struct Input {
        var method: String
        /// Percent-encoded where that is needed.
        var path: String
        var query: [(name: String, value: String)] = []
        /// With `host`, `x-log-date` and `x-log-content-sha256`.
        var headers: [(name: String, value: String)]
        /// The SHA-256 of the body.
        var contentHash: String
        /// `yyyyMMdd'T'HHmmss'Z'`
        var time: String
    }

    /// The value of the header `Authorization`.
    func authorization(for input: Input) -> String {
        let scope = "\(input.time.prefix(8))/\(self.region)/sls/aliyun_v4_request"
        let request = Self.hash(Array(Self.canonicalRequest(input).utf8))
        let signature = self.signature(of: "\(Self.algorithm)\n\(input.time)\n\(scope)\n\(request)", time: input.time)
        return "\(Self.algorithm) Credential=\(self.credentials.accessKeyID)/\(scope),Signature=\(signature)"
    }

    private func signature(of text: String, time: String) -> String {
        var key = SymmetricKey(data: Array("aliyun_v4\(self.credentials.accessKeySecret)".utf8))
        for part in [String(time.prefix(8)), self.region, "sls", "aliyun_v4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return Self.hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    /// Method, path, query, headers, the names of the headers, and the hash of the body.
    private static func canonicalRequest(_ input: Input) -> String {
        let query = Self.sorted(input.query).map { name, value in
            // SLS: an empty value is signed without its equals sign.
            value.isEmpty ? name : "\(name)=\(Self.percentEncoded(value))"
        }
        let headers = Self.sorted(input.headers.map { ($0.name.lowercased(), $0.value) }.filter { Self.isSigned($0.0) })
        return [
            input.method, input.path, query.joined(separator: "&"),
            // Each header ends with a line feed, so an empty line follows them, as the definition has it.
            headers.map { "\($0.name):\($0.value)\n" }.joined(),
            headers.map(\.name).joined(separator: ";"), input.contentHash,
        ].joined(separator: "\n")
    }

    /// Whether a header, by its name in lower case, is signed.
    private static func isSigned(_ name: String) -> Bool {
        if name.hasPrefix("x-log-meta-") { return false }
        return name.hasPrefix("x-log-") || name.hasPrefix("x-acs-") || name == "host" || name == "content-type"
    }

    private static func sorted(_ pairs: [(name: String, value: String)]) -> [(name: String, value: String)] {
        // By bytes. Swift compares strings by canonical equivalence, which the service does not.
        pairs.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%"
                result += Self.hexadecimal(CollectionOfOne(byte)).uppercased()
            }
        }
        return result
    }

    /// The SHA-256 of `bytes` in hexadecimal digits.
    static func hash(_ bytes: [UInt8]) -> String {
        Self.hexadecimal(SHA256.hash(data: bytes))
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [($0 >> 4).hexadecimalDigit, ($0 & 15).hexadecimalDigit] }, as: UTF8.self)
    }
}

#endif
