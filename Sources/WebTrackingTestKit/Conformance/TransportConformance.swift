// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// Checks that a ``/WebTracking/WebTrackingTransport`` does what the producer relies on.
///
/// ```swift
/// @Test func conforms() async throws {
///     try await TransportConformance { MyTransport() }.run()
/// }
/// ```
///
/// Each check talks over plain HTTP to a ``LoopbackServer`` of its own, with a transport of its own. Nothing waits for
/// ever: a check that takes too long has failed.
public struct TransportConformance: Sendable {
    private let makeTransport: @Sendable () async throws -> any WebTrackingTransport
    private let limit: Duration

    /// Prepares the suite; `makeTransport` is called once for each check.
    ///
    /// - Parameters:
    ///   - limit: How long one check may take before it counts as failed.
    ///   - makeTransport: Makes the transport to be checked. The suite shuts it down.
    public init(
        limit: Duration = .seconds(20),
        _ makeTransport: @escaping @Sendable () async throws -> any WebTrackingTransport
    ) {
        self.limit = limit
        self.makeTransport = makeTransport
    }

    /// Runs `checks`, one after another; throws one ``TransportConformanceFailure`` for all of them that failed.
    public func run(_ checks: [Check] = Check.allCases) async throws {
        var problems: [TransportConformanceFailure.Problem] = []
        for check in checks {
            if let sentence = await self.problem(with: check) {
                problems.append(.init(check: check, sentence: sentence))
            }
        }
        if !problems.isEmpty { throw TransportConformanceFailure(problems: problems) }
    }

    /// Runs one check and says what is wrong; `nil` if nothing is.
    public func problem(with check: Check) async -> String? {
        let bench: ConformanceBench
        do {
            // The server lives a little longer than the check. Its end frees a transport without a timeout.
            let server = try LoopbackServer(lifetime: self.limit + .seconds(5))
            let makeTransport = self.makeTransport
            let transport = try await within(self.limit) { try await makeTransport() }
            bench = ConformanceBench(server: server, transport: transport)
        } catch {
            return "The check could not start: \(Self.text(error))"
        }
        var sentence: String?
        do {
            try await within(self.limit) { try await check.perform(on: bench) }
        } catch {
            sentence = Self.text(error)
        }
        bench.server.stop()
        // Another check tests whether this works.
        try? await within(.seconds(2)) { await bench.shutdown() }
        return sentence
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let error as Complaint: error.sentence
        case let error as Overdue: "It did not end within \(error.limit)."
        default: "It threw \(String(reflecting: error))."
        }
    }
}

/// Says which checks a transport has failed, and how.
public struct TransportConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// A check that failed.
    public struct Problem: Sendable {
        /// The check.
        public var check: TransportConformance.Check
        /// What was wrong.
        public var sentence: String
    }

    /// The checks that failed, in the order in which they ran.
    public var problems: [Problem]

    /// One line for each check that failed.
    public var description: String {
        self.problems.map { "\($0.check.rawValue): \($0.sentence)" }.joined(separator: "\n")
    }
}
