// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension ServiceError {
    /// Reads an answer of the service, or of something in between.
    init(status: Int, requestID: String?, location: String? = nil, body: [UInt8]) {
        self.status = status
        self.location = location.map(Self.line)
        // Asked for in its plain form; some proxies compress all the same. A body that cannot be read has no code.
        let body = ZlibStream.beginning(of: body, limit: TransportResponse.maximumBodyBytes) ?? body
        self.requestID = requestID.map(Self.line)
        // The service's own answers have some hundreds of bytes; a transport may return more than it must.
        if body.count <= TransportResponse.maximumBodyBytes, case .object(let members)? = try? JSONValue.parse(body) {
            self.code = members.text("errorCode") ?? ""
            self.message = members.text("errorMessage") ?? ""
        } else {
            self.code = ""
            self.message = String(decoding: body.prefix(200), as: UTF8.self)
        }
        self.code = Self.line(self.code)
        self.message = Self.line(self.message)
    }
}
