// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Looks at the way to the service, with one request without records.
struct ServiceProbe: Sendable {
    private let configuration: WebTrackingConfiguration
    private let endpoint: Endpoint
    private let transport: any WebTrackingTransport
    private let requests: RequestFactory
    private let clock: any ProducerClock
    private let proxy: ProxyServer?
    /// What the signing has reported.
    private let problem: ReportedProblem

    init(
        _ configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        clock: any ProducerClock
    ) throws {
        let problem = ReportedProblem()
        let endpoint = try Endpoint.parse(configuration.endpoint)
        let operation = ProducerParts.operation(of: configuration, clock: clock) { diagnostic in
            if case .credentialsUnavailable(let reason) = diagnostic { problem.note(reason) }
        }
        self.configuration = configuration
        self.endpoint = endpoint
        self.problem = problem
        self.clock = clock
        self.transport = operation.transport(over: transport)
        self.requests = RequestFactory(configuration, endpoint: endpoint, operation: operation)
        #if AsyncHTTPClient
        self.proxy = try configuration.proxyServer()
        #else
        self.proxy = nil
        #endif
    }

    func checks() async -> [SetupCheck] {
        let host = self.endpoint.host(project: self.configuration.project)
        let peer = (
            host: self.proxy?.host ?? host,
            port: self.proxy?.port ?? self.endpoint.port ?? (self.endpoint.isSecure ? 443 : 80)
        )
        async let network = SetupChecks.inTime("name") {
            NetworkProbe.take(host: peer.host.withoutBrackets, port: peer.port)
        }
        var exchanges = [await self.exchange()]
        if case .answered(let response, _, _) = exchanges[0],
            ResponseClassifier.classify(response, wallTime: 0).1?.isClockError ?? false
        {
            // The answer has put the signature's clock right, as it does for a producer.
            exchanges.append(await self.exchange())
        }
        #if SignedPutLogs
        let isSigned = self.configuration.authentication.signing != nil
        #else
        let isSigned = false
        #endif
        return ServiceChecks(
            isSecure: self.endpoint.isSecure,
            host: host,
            peer: peer,
            isProxy: self.proxy != nil,
            destination: "\(self.configuration.project)/\(self.configuration.logstore)",
            isSigned: isSigned,
            network: await network,
            exchanges: exchanges,
            credentialsProblem: self.problem.reason
        ).checks
    }

    private func exchange() async -> ServiceChecks.Exchange {
        let deadline = ExchangeDeadline(
            time: self.requests.timeout + ExchangeDeadline.grace,
            limit: 1,
            clock: SystemProducerClock(),
            executor: nil
        )
        return await deadline.run { await self.send() }
            ?? .failed("the transport has not come back, and is left behind")
    }

    private func send() async -> ServiceChecks.Exchange {
        let envelope = Envelope(
            key: TopicKey(topic: ""),
            source: self.configuration.source ?? HostName.current,
            staticTags: [],
            batchPrefix: nil
        )
        let batch = envelope.header(batch: 0).bytes + Envelope.footer
        let request = batch.withUnsafeBytes { self.requests.request(for: $0) }.request
        let sentAt = self.clock.wallTime()
        do {
            // A transport that logs its own requests must cause no others.
            let response = try await DeliveryScope.$isInside.withValue(true) { try await self.transport.send(request) }
            return .answered(response, sentAt: sentAt, receivedAt: self.clock.wallTime())
        } catch {
            return .failed(String(describing: error))
        }
    }
}

/// The first problem that was reported.
private final class ReportedProblem: Sendable {
    private let state = Lock<String?>(nil)

    var reason: String? { self.state.withLock { $0 } }

    func note(_ reason: String) { self.state.withLock { $0 = $0 ?? reason } }
}

extension String {
    /// An IPv6 address as the system takes it.
    fileprivate var withoutBrackets: String {
        self.hasPrefix("[") && self.hasSuffix("]") ? String(self.dropFirst().dropLast()) : self
    }
}
