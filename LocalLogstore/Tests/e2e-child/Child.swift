// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import SystemPackage
import UnixSignals
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A program that logs and is then ended.
///
/// Arguments: the endpoint, what happens (`wait` for SIGTERM, or `throw`), and the number of lines; or `leave`, a spool
/// directory, a logstore, and topics, each of which gets five lines before the process kills itself; or those of
/// ``ProcessEnd``.
@main
enum Child {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count > 4, arguments[1] == "leave" {
            try self.leave(spool: arguments[2], logstore: arguments[3], topics: arguments.dropFirst(4))
        }
        if arguments.count > 2, arguments[1] == "end", let end = ProcessEnd(rawValue: arguments[2]) {
            return try await end.run(Array(arguments.dropFirst(3)))
        }
        guard arguments.count == 4, let count = Int(arguments[3]) else {
            fatalError("usage: e2e-child ENDPOINT wait|throw COUNT")
        }
        var configuration = WebTrackingConfiguration(endpoint: arguments[1], project: "local", logstore: "child")
        // Nothing is sent for its age or its level: what arrives, the final flush has sent.
        configuration.batching.linger = .seconds(3600)
        configuration.batching.urgentLevel = nil
        let producer = try WebTrackingProducer(configuration: configuration)
        let worker = Worker(
            logger: Logger(label: "worker", factory: producer.makeLogHandler(label:)),
            throwsAtTheEnd: arguments[2] == "throw",
            count: count
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [producer, worker],
                gracefulShutdownSignals: [.sigterm],
                logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        try await group.run()
    }

    private static func leave(spool: String, logstore: String, topics: some Sequence<String>) throws -> Never {
        // Nobody listens there.
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1:1",
            project: "local",
            logstore: logstore
        )
        configuration.durability = .process
        configuration.spool.directory = spool
        configuration.topic = .label
        let producer = try WebTrackingProducer(configuration: configuration, diagnostics: .none)
        for topic in topics {
            let logger = Logger(label: topic, factory: producer.makeLogHandler(label:))
            for number in 0..<5 { logger.info("line \(number) of \(topic)") }
        }
        kill(getpid(), SIGKILL)
        fatalError("outlived SIGKILL")
    }
}

/// Logs, says so on the standard output, and then waits or throws.
private struct Worker: Service {
    struct Failure: Error {}

    var logger: Logger
    var throwsAtTheEnd: Bool
    var count: Int

    func run() async throws {
        for index in 0..<self.count {
            self.logger.info("line", metadata: ["index": "\(index)"])
        }
        if self.throwsAtTheEnd {
            self.logger.error("about to throw")
            throw Failure()
        }
        // Not print, whose text would wait in a buffer.
        _ = try FileDescriptor.standardOutput.writeAll("ready\n".utf8)
        try await gracefulShutdown()
        self.logger.info("last words")
    }
}
