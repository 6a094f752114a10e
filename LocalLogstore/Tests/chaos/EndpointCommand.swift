// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import Logging
import ServiceLifecycle
import UnixSignals

/// The local endpoint, with faults that it counts where they outlive it.
struct EndpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "endpoint", shouldDisplay: false)

    @Option var port: Int
    @Option var database: String
    @Option var counters: String
    @Option var portFile: String
    @Option var faultRate: Double
    @Option var seed: UInt64

    /// The faults by the place of their counter; the first counter is of all requests.
    static let kinds = Fault.kinds.filter { !["401", "404"].contains($0.name) }

    func run() async throws {
        let counters = try SharedCounters(path: self.counters, count: Self.kinds.count + 1)
        let faults = Self.kinds.map(\.fault)
        let (rate, seed) = (self.faultRate, self.seed)
        var settings = ServerSettings()
        settings.port = self.port
        settings.project = Plan.project
        settings.faults = FaultPlan { request in
            counters.increment(0)
            var random = SeededGenerator(seed: seed &+ UInt64(request.index) &* 0xD134_2543_DE82_EF95)
            guard Double.random(in: 0..<1, using: &random) < rate else { return nil }
            let index = Int.random(in: 0..<faults.count, using: &random)
            // A batch of one record that is too large is refused for good, which is no fault of the way.
            if Self.kinds[index].name == "413", request.logCount < 2 { return nil }
            counters.increment(index + 1)
            return faults[index]
        }
        let server = try LocalLogstoreServer(
            settings: settings,
            store: LogStore(path: self.database),
            onEvent: { _ in }
        )
        let file = self.portFile
        let announcer = Task {
            let port = try await server.port
            try Data("\(port)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        }
        var logger = Logger(label: "chaos")
        logger.logLevel = .critical
        try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
        try await announcer.value
    }
}
