// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// What one request without records, and a look at its way, say about all requests. Decided without a network.
struct ServiceChecks {
    /// What became of a request.
    enum Exchange: Sendable {
        case answered(TransportResponse, sentAt: Int64, receivedAt: Int64)
        case failed(String)
    }

    var isSecure: Bool
    /// The service's host.
    var host: String
    /// What is connected to: the service, or a proxy.
    var peer: (host: String, port: Int)
    var isProxy: Bool
    /// Project and logstore, with a slash between.
    var destination: String
    var isSigned: Bool
    /// `nil` if it did not end in time.
    var network: NetworkProbe?
    /// The first request, and another one if the first has shown the service's time.
    var exchanges: [Exchange]
    /// Why there are no credentials to sign with.
    var credentialsProblem: String?

    /// Without each of these nothing gets further.
    private static let way: [SetupCheck.Subject] = [.name, .connection, .tls, .answer]
    private static let subjects = Self.way + [.clock, .logstore, .access]

    var checks: [SetupCheck] {
        var checks: [SetupCheck] = []
        for subject in Self.subjects {
            let check = self.check(subject)
            checks.append(check)
            // A clock that is off, or a logstore that does not exist, hides nothing of what is behind it.
            guard check.state == .failed, Self.way.contains(subject) else { continue }
            return checks + Self.subjects.dropFirst(checks.count).map { SetupCheck($0, behind: subject) }
        }
        return checks
    }

    private func check(_ subject: SetupCheck.Subject) -> SetupCheck {
        switch subject {
        case .name: self.name
        case .connection: self.connection
        case .tls: self.tls
        case .answer: self.answer
        case .clock: self.clock
        case .logstore: self.logstore
        default: self.access
        }
    }

    /// The answer to the last request.
    private var response: TransportResponse? {
        if case .answered(let response, _, _)? = self.exchanges.last { response } else { nil }
    }

    /// Why the last request has no answer.
    private var failure: String? {
        if case .failed(let reason)? = self.exchanges.last { reason } else { nil }
    }

    // MARK: The way

    private var name: SetupCheck {
        guard let network = self.network else {
            return self.unlessAnswered(
                SetupCheck(
                    .name,
                    .failed,
                    "\(self.peer.host): no name server has answered",
                    suggestion: "compare: getent hosts \(self.peer.host); cat /etc/resolv.conf"
                )
            )
        }
        if let error = network.nameError {
            return self.unlessAnswered(
                SetupCheck(
                    .name,
                    .failed,
                    "\(self.peer.host): no address is found for this name (\(error))",
                    suggestion: "getent hosts \(self.peer.host); is it spelled right, and /etc/resolv.conf in order?"
                )
            )
        }
        let addresses = network.addresses.prefix(4).joined(separator: ", ")
        return SetupCheck(.name, .ok, addresses == self.peer.host ? addresses : "\(self.peer.host): \(addresses)")
    }

    private var connection: SetupCheck {
        let peer = "\(self.isProxy ? "the proxy " : "")\(self.peer.host):\(self.peer.port)"
        guard let network = self.network, network.nameError == nil else {
            return SetupCheck(.connection, .skipped, "the transport goes another way")
        }
        if let address = network.connected {
            let place = address == self.peer.host ? peer : "\(peer) (\(address))"
            return SetupCheck(.connection, .ok, "\(place) takes connections")
        }
        let code = network.connectError ?? ETIMEDOUT
        let suggestion =
            switch code {
            case ECONNREFUSED: "nothing listens there: is the port right? On that machine: ss -ltn"
            case ETIMEDOUT: "a firewall, or an endpoint of another network: -intranet is for its own region only"
            default: "ip route get \(network.addresses.first ?? self.peer.host)"
            }
        return self.unlessAnswered(
            SetupCheck(.connection, .failed, "\(peer): \(String(cString: strerror(code)))", suggestion: suggestion)
        )
    }

    /// A transport of the program's own may go through a socket or a proxy that the configuration does not know.
    private func unlessAnswered(_ check: SetupCheck) -> SetupCheck {
        guard self.response?.requestID != nil else { return check }
        return SetupCheck(check.subject, .skipped, "the transport goes another way")
    }

    private var tls: SetupCheck {
        guard self.isSecure else { return SetupCheck(.tls, .skipped, "the endpoint is http") }
        if let failure = self.failure, TLSFailure.isLine(failure) {
            let (finding, suggestion) = TLSFailure.parts(of: failure)
            return SetupCheck(.tls, .failed, finding, suggestion: suggestion)
        }
        if let failure = self.failure {
            // A connection was made before, and a request is not sent until TLS is there.
            if !self.isProxy, self.network?.connected != nil, Self.isBrokenOff(failure) {
                return SetupCheck(
                    .tls,
                    .failed,
                    "\(failure), in the handshake or right after it",
                    suggestion: "does something in between break off TLS? Compare: openssl s_client -connect "
                        + "\(self.peer.host):\(self.peer.port) -servername \(self.host)"
                )
            }
            return SetupCheck(.tls, .skipped, "not known: there was no answer")
        }
        guard self.response != nil else { return SetupCheck(.tls, .skipped, "no request was sent") }
        return SetupCheck(.tls, .ok, "the transport accepts the certificate of \(self.host)")
    }

    /// Whether the words of a failure say that the other side closed a connection, or was silent before a request.
    private static func isBrokenOff(_ failure: String) -> Bool {
        ["closed the connection", String(cString: strerror(ECONNRESET)), "does not answer a connection"].contains(
            where: failure.contains
        )
    }

    private var answer: SetupCheck {
        guard self.credentialsProblem == nil else {
            return SetupCheck(.answer, .skipped, "no request was sent: there are no credentials to sign it with")
        }
        if let failure = self.failure {
            // What some servers of TLS do with plain words.
            return SetupCheck(
                .answer,
                .failed,
                failure,
                suggestion: Self.isBrokenOff(failure) && !self.isSecure ? Self.writeHTTPS : nil
            )
        }
        guard let response = self.response else { return SetupCheck(.answer, .skipped, "no request was sent") }
        let (verdict, error) = ResponseClassifier.classify(response, wallTime: 0)
        guard response.requestID != nil else {
            return SetupCheck(
                .answer,
                .failed,
                error?.description ?? "HTTP \(response.status), not an answer of the service",
                suggestion: self.expectsTLS(response)
                    ? Self.writeHTTPS
                    : error?.location == nil
                        ? "something in between has answered: is the endpoint right? Compare: curl -i \(self.url)"
                        : "the service does not redirect: if the address is the service's, use it as the endpoint"
            )
        }
        if case .retry(.unavailable, _) = verdict, error?.isClockError != true {
            return SetupCheck(
                .answer,
                .failed,
                error?.description ?? "HTTP \(response.status)",
                suggestion: "the service is not available at present: try again"
            )
        }
        return SetupCheck(.answer, .ok, "the service answers (HTTP \(response.status))")
    }

    private static let writeHTTPS = "if the server speaks TLS there, write https:// in the endpoint"

    /// Whether an answer is what other servers of TLS say to plain words.
    private func expectsTLS(_ response: TransportResponse) -> Bool {
        guard !self.isSecure, response.status == 400 else { return false }
        let text = String(decoding: response.body.prefix(4096), as: UTF8.self)
        return ["HTTPS", "SSL"].contains(where: text.contains)
    }

    private var url: String {
        "http\(self.isSecure ? "s" : "")://\(self.isProxy ? self.host : "\(self.peer.host):\(self.peer.port)")/"
    }

    // MARK: The service

    private var clock: SetupCheck {
        guard case .answered(let response, let sentAt, let receivedAt)? = self.exchanges.first else {
            return SetupCheck(.clock, .skipped, "no request was sent")
        }
        if case .environment(_, let reason, let suggestion)? =
            ClockWatch().note(response, sentAt: sentAt, receivedAt: receivedAt)
        {
            return SetupCheck(.clock, .failed, reason, suggestion: suggestion)
        }
        let (_, error) = ResponseClassifier.classify(response, wallTime: receivedAt)
        if let error, error.isClockError {
            return SetupCheck(.clock, .failed, error.description, suggestion: "correct it (timedatectl)")
        }
        guard response.header("date").flatMap({ RetryAfter.date($0) }) != nil else {
            return SetupCheck(.clock, .skipped, "the answer has no date to compare with")
        }
        return SetupCheck(.clock, .ok, "less than \(ClockWatch.limit.components.seconds) s from the service's")
    }

    private var logstore: SetupCheck {
        guard let (verdict, error) = self.verdict else { return SetupCheck(.logstore, .skipped, "not known") }
        if case .retry(.notFound, _) = verdict {
            return SetupCheck(
                .logstore,
                .failed,
                "\(self.destination): \(error.map { "\($0)" } ?? "not found")",
                suggestion: Self.hint(.notFound, error)
            )
        }
        if self.isRefusedAsEmpty { return SetupCheck(.logstore, .skipped, self.emptyRefusal) }
        guard verdict == .delivered else {
            return SetupCheck(.logstore, .skipped, "not told: the service refuses the request before that")
        }
        return SetupCheck(.logstore, .ok, self.destination)
    }

    private var access: SetupCheck {
        let subject = self.isSigned ? "the signature is accepted" : "web tracking is on"
        if let problem = self.credentialsProblem {
            return SetupCheck(
                .access,
                .failed,
                problem,
                // A provider of the program's own may read them from anywhere.
                suggestion: problem.contains("ALIBABA_CLOUD_ACCESS_KEY")
                    ? "export ALIBABA_CLOUD_ACCESS_KEY_ID=… and ALIBABA_CLOUD_ACCESS_KEY_SECRET=…"
                    : "it is what the program's provider of credentials says"
            )
        }
        guard let (verdict, error) = self.verdict else { return SetupCheck(.access, .skipped, "not known") }
        if verdict == .delivered { return SetupCheck(.access, .ok, subject) }
        if self.isRefusedAsEmpty { return SetupCheck(.access, .skipped, self.emptyRefusal) }
        if error?.isClockError ?? false {
            return SetupCheck(.access, .failed, "the service refuses the time of signatures", suggestion: "see clock")
        }
        let outcome = verdict.outcome
        let finding = error?.description ?? "HTTP \(self.response?.status ?? 0)"
        switch outcome {
        case .notFound: return SetupCheck(.access, .skipped, "not looked at: there is no such logstore")
        case .throttled: return SetupCheck(.access, .warning, finding, suggestion: Self.hint(outcome, error))
        case .unauthorized: return SetupCheck(.access, .failed, finding, suggestion: Self.hint(outcome, error))
        default:
            return SetupCheck(
                .access,
                .failed,
                finding,
                suggestion: "does a policy of the project, or a firewall, refuse this machine?"
            )
        }
    }

    private var verdict: (Verdict, ServiceError?)? {
        guard let response = self.response, response.requestID != nil else { return nil }
        return ResponseClassifier.classify(response, wallTime: 0)
    }

    /// Whether the service has refused the request, most likely as it has no records. What it does with one is not
    /// documented, nor whether it looks at that before or after access.
    private var isRefusedAsEmpty: Bool {
        guard let (verdict, error) = self.verdict, case .narrow(.rejected, byService: true) = verdict, let error else {
            return false
        }
        return error.status == 400
    }

    private var emptyRefusal: String {
        let code = self.verdict?.1?.code ?? ""
        return "not told: the service refuses a request without records (\(code.isEmpty ? "HTTP 400" : code)); "
            + "only a record tells"
    }

    private static func hint(_ outcome: RequestOutcome, _ error: ServiceError?) -> String? {
        guard let error else { return nil }
        let hint = ProducerDiagnostic.hint(for: outcome, .service(error))
        return hint.isEmpty ? nil : String(hint.dropFirst("; ".count))
    }
}
