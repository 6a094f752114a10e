// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird

extension Request {
    /// What the query says, in its order. Throws what the service answers if it is not encoded as it has to be.
    var parameters: [Field] {
        get throws(ServiceError) {
            guard let parameters = FormEncoding.parameters(of: self.head.path ?? "") else {
                throw .parameterInvalid("The query is not percent-encoded UTF-8.")
            }
            return parameters
        }
    }

    /// Throws what the service answers if the request is not signed by one of the keys.
    func checkSignature(_ body: [UInt8], keys: AccessKeyRing) throws(ServiceError) {
        var headers: [String: String] = [:]
        for field in self.headers { headers[field.name.canonicalName] = field.value }
        headers["host"] = self.head.authority
        try SignatureCheck().check(
            SignatureCheck.Signed(
                method: self.method.rawValue,
                target: self.head.path ?? "",
                headers: headers,
                body: body
            ),
            keys: keys,
            now: Date()
        )
    }
}
