// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SystemPackage
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The ways in which a process ends.
///
/// Arguments: `end`, the way, a number of lines, and where they go: nothing for the standard output, or an endpoint, a
/// logstore and, to outlive the process, a spool directory.
enum ProcessEnd: String {
    case fatal
    case uncaught
    case segv
    case kill
    case memory
    case exit
    case stop

    private struct Failure: Error {}

    func run(_ arguments: [String]) async throws {
        let count = arguments.first.flatMap { Int($0) } ?? 0
        guard arguments.count > 2 else {
            // Not print, whose text would wait in a buffer.
            for number in 0..<count { _ = try FileDescriptor.standardOutput.writeAll("line \(number)\n".utf8) }
            return try await self.end(nil)
        }
        var configuration = WebTrackingConfiguration(endpoint: arguments[1], project: "local", logstore: arguments[2])
        if arguments.count > 3 {
            configuration.durability = .process
            configuration.spool.directory = arguments[3]
        }
        let producer = try WebTrackingProducer(configuration: configuration)
        let logger = Logger(label: "end", factory: producer.makeLogHandler(label:))
        for number in 0..<count { logger.info("line \(number)") }
        try await self.end(producer)
    }

    private func end(_ producer: WebTrackingProducer?) async throws {
        switch self {
        case .fatal: fatalError("that was it")
        case .uncaught: throw Failure()
        case .segv:
            let place = UInt(CommandLine.arguments.count)
            UnsafeMutablePointer<UInt8>(bitPattern: place)?.pointee = 1
        case .kill: raise(SIGKILL)
        case .memory:
            var blocks: [UnsafeMutableRawPointer] = []
            // Bounded, for a machine that sets no limit.
            for _ in 0..<1024 {
                let block = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4096)
                memset(block, 1, 1 << 20)
                blocks.append(block)
            }
            fatalError("\(blocks.count) MiB are no problem")
        case .exit: Self.leave()
        case .stop: await producer?.shutdown(timeout: .seconds(10))
        }
    }

    private static func leave() -> Never {
        #if canImport(Darwin)
        Darwin.exit(0)
        #elseif canImport(Glibc)
        Glibc.exit(0)
        #else
        Musl.exit(0)
        #endif
    }
}
