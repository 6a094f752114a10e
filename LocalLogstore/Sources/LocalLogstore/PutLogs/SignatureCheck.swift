// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Checks signatures as the service does: the key, the time, the security token, and what was signed.
///
/// Pure, and written apart from the library that it judges. What the service's own clients sign is its tests.
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

    /// How far apart the clocks may be, in seconds.
    static let tolerance = 900.0

    /// Throws what the service answers if the request is not signed by one of the keys.
    func check(_ signed: Signed, keys: AccessKeyRing, now: Date) throws(ServiceError) {
        guard let header = signed.headers["authorization"] else { throw .unauthorized("The request is not signed.") }
        let claim = try self.claim(header)
        guard let key = keys[claim.id] else { throw .unauthorized("AccessKeyId not found: \(claim.id)") }
        let time = try self.time(of: signed, claim: claim, now: now)
        if key.securityToken != signed.headers["x-acs-security-token"] {
            throw .unauthorized("The security token you provided is invalid.")
        }
        if let expiry = key.expiresAt, expiry <= now {
            throw .unauthorized("The security token you provided has expired.")
        }
        guard claim.isMade(with: key.secret, over: signed, time: time) else {
            throw ServiceError(
                status: 401,
                code: "SignatureNotMatch",
                message: "signature \(claim.text) not match"
            )
        }
    }

    private func claim(_ header: String) throws(ServiceError) -> any SignatureClaim {
        if let claim = SignatureV4(header) { return claim }
        if let claim = SignatureV1(header) { return claim }
        throw .parameterInvalid("The header Authorization is neither of signature version 4 nor of version 1.")
    }

    /// The time of the signature, which has to be near.
    private func time(of signed: Signed, claim: any SignatureClaim, now: Date) throws(ServiceError) -> String {
        guard let text = claim.time(of: signed) else {
            throw ServiceError(status: 400, code: "MissingDate", message: "The time of the signature is missing.")
        }
        guard let time = claim.date(text) else {
            throw ServiceError(
                status: 400,
                code: "InvalidDateFormat",
                message: "The time of the signature is not of the form \(claim.form)."
            )
        }
        guard abs(time.timeIntervalSince(now)) <= Self.tolerance else {
            throw ServiceError(
                status: 400,
                code: "RequestTimeExpired",
                message: "Request time \(text) has been expired while server time is \(now.ISO8601Format())."
            )
        }
        return text
    }
}

extension SignatureCheck.Signed {
    /// Throws what the service answers if the query is not encoded as it has to be.
    ///
    /// - Parameter target: Path and query, as sent.
    init(method: String, target: String, headers: [String: String], body: [UInt8]) throws(ServiceError) {
        guard let query = FormEncoding.parameters(of: target) else {
            throw .parameterInvalid("The query is not percent-encoded UTF-8.")
        }
        self.init(
            method: method,
            path: String(target.prefix { $0 != "?" }),
            query: query.map { ($0.name, $0.value) },
            headers: headers,
            body: body
        )
    }
}

/// What a request says of its signature, in one of the versions.
protocol SignatureClaim: Sendable {
    /// The key's.
    var id: String { get }
    /// The signature as it was written.
    var text: String { get }
    /// How times are written.
    var form: String { get }

    /// When the request was signed, as it was written; `nil` if it does not say so.
    func time(of signed: SignatureCheck.Signed) -> String?
    /// A time in ``form``; `nil` if it is in another.
    func date(_ text: String) -> Date?
    /// Whether this is the signature of the request by that key.
    func isMade(with secret: String, over signed: SignatureCheck.Signed, time: String) -> Bool
}

extension ServiceError {
    fileprivate static func unauthorized(_ message: String) -> Self {
        Self(status: 401, code: "Unauthorized", message: message)
    }
}
