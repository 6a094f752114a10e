// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import WebTracking
import WebTrackingURLSession

/// Logs lines to an endpoint, stops, and leaves what came of it in a file. The main thread is none of Swift's.
@main
enum Probe {
    /// What is given on the command line.
    private struct Options {
        var endpoint = ""
        var result = ""
        var lines = 100
        var pause = 0.0
        var timeout = 1.0
        var ways: Set<String> = []

        init(_ arguments: [String]) {
            var rest = arguments[...]
            while let name = rest.popFirst() {
                switch name {
                case "--endpoint": self.endpoint = rest.popFirst() ?? ""
                case "--result": self.result = rest.popFirst() ?? ""
                case "--lines": self.lines = rest.popFirst().flatMap { Int($0) } ?? 0
                case "--pause": self.pause = rest.popFirst().flatMap { Double($0) } ?? 0
                case "--timeout": self.timeout = rest.popFirst().flatMap { Double($0) } ?? 0
                default: self.ways.insert(name)
                }
            }
        }
    }

    static func main() throws {
        let options = Options(Array(CommandLine.arguments.dropFirst()))
        if options.ways.contains("--fork"), let status = self.goOnInChild() { exit(status) }
        var configuration = WebTrackingConfiguration(endpoint: options.endpoint, project: "local", logstore: "probe")
        configuration.batching.linger = .milliseconds(50)
        configuration.delivery.initialBackoff = .milliseconds(50)
        configuration.delivery.maximumBackoff = .milliseconds(100)
        let producer = try WebTrackingProducer(configuration: configuration, transport: URLSessionTransport())
        let sink = producer.makeLogHandler(label: "probe")
        for number in 0..<options.lines {
            sink.info("\(number)")
            if options.pause > 0 { Thread.sleep(forTimeInterval: options.pause) }
        }
        if options.ways.contains("--block-pool") { self.blockPool() }
        let start = ContinuousClock.now
        let report =
            options.ways.contains("--sync")
            ? producer.syncShutdown(timeout: .seconds(options.timeout))
            : self.shutDown(producer, timeout: .seconds(options.timeout))
        let took = ContinuousClock.now - start
        let result: [String: Any] = [
            "took": Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18,
            "delivered": producer.statistics.delivered,
            "left": report?.remaining ?? -1,
            "dropped": producer.statistics.totalDropped,
            "accepted": producer.statistics.accepted,
            "pending": producer.statistics.pending,
        ]
        try JSONSerialization.data(withJSONObject: result).write(to: URL(fileURLWithPath: options.result))
    }

    /// Forks, as `daemon` does: returns `nil` in the child, and in the parent the child's status.
    private static func goOnInChild() -> CInt? {
        // Swift does not let one call it.
        #if canImport(Darwin)
        let everywhere = UnsafeMutableRawPointer(bitPattern: -2)
        #else
        let everywhere: UnsafeMutableRawPointer? = nil
        #endif
        guard let symbol = dlsym(everywhere, "fork") else { return 1 }
        let child = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)()
        guard child != 0 else { return nil }
        var status: CInt = 0
        waitpid(child, &status, 0)
        return status == 0 ? 0 : 1
    }

    /// Waits on this thread, which is none of those that the shutdown needs.
    private static func shutDown(_ producer: WebTrackingProducer, timeout: Duration) -> DeliveryReport? {
        let done = DispatchSemaphore(value: 0)
        // Written before the signal, and read after it.
        nonisolated(unsafe) var report: DeliveryReport?
        Task.detached {
            report = await producer.shutdown(timeout: timeout)
            done.signal()
        }
        done.wait()
        return report
    }

    private static func block() { Thread.sleep(forTimeInterval: 3600) }

    /// Blocks all threads that Swift has.
    private static func blockPool() {
        let blocked = DispatchSemaphore(value: 0)
        for _ in 0..<256 {
            Task.detached {
                blocked.signal()
                self.block()
            }
        }
        while blocked.wait(timeout: .now() + .milliseconds(200)) == .success {}
    }
}
