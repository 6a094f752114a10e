// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// Signs each request on its way to another transport, with the time and the credentials of that moment.
///
/// If credentials are refused and the provider has others, the request is sent once more at once. An answer that
/// refuses the time shows the right one. The next attempt, which delivery makes, is signed with it, and its records are
/// dated by it: those of a clock that is hours ahead would be refused, too.
struct SigningTransport: WebTrackingTransport {
    let inner: any WebTrackingTransport
    let credentials: CredentialsSource
    let time: ServerTime
    let region: String
    let project: String

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        let credentials = try await self.credentials.credentials()
        let response = try await self.inner.send(self.signed(request, by: credentials))
        guard let refusal = Self.refusal(in: response) else { return response }
        if refusal.isClockError {
            self.time.adopt(from: response)
            return response
        }
        // If the provider fails now, this throws: delivery then waits as for an outage, and drops nothing.
        let others = try await self.credentials.credentials(insteadOf: credentials)
        return others.signsLike(credentials) ? response : try await self.inner.send(self.signed(request, by: others))
    }

    func shutdown() async {
        await self.inner.shutdown()
    }

    /// What the service finds wrong with a signature; `nil` for any other answer.
    private static func refusal(in response: TransportResponse) -> ServiceError? {
        guard [400, 401, 403].contains(response.status), let id = response.requestID else { return nil }
        let error = ServiceError(status: response.status, requestID: id, body: response.body)
        return error.isClockError || error.isCredentialsError ? error : nil
    }

    private func signed(_ request: TransportRequest, by credentials: WebTrackingCredentials) -> TransportRequest {
        var request = request
        // Clients leave the scheme's own port out of the header `Host`, which is signed.
        if request.port == (request.isSecure ? 443 : 80) { request.port = nil }
        let host = request.port.map { "\(request.host):\($0)" } ?? request.host
        let time = UTCTimestamp.compact(self.time.now)
        let hash = SignatureV4.hash(request.body)
        // A custom domain does not contain the project, so a header names it, as the service's own clients do.
        if !request.host.hasPrefix("\(self.project).") {
            request.headers.append((name: "x-log-project", value: self.project))
        }
        request.headers.append((name: "x-log-date", value: time))
        request.headers.append((name: "x-log-content-sha256", value: hash))
        if let token = credentials.securityToken {
            request.headers.append((name: "x-acs-security-token", value: token))
        }
        let signature = SignatureV4(credentials: credentials, region: self.region)
        let authorization = signature.authorization(
            for: SignatureV4.Input(
                method: "POST",
                path: request.path,
                headers: request.headers + [(name: "host", value: host)],
                contentHash: hash,
                time: time
            )
        )
        request.headers.append((name: "Authorization", value: authorization))
        return request
    }
}

#endif
