// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogDestination
import Logging
import WebTracking

/// A job with two outputs: what somebody has to look at goes to the console, and everything goes to the logstore.
///
/// `MultiplexLogHandler` gives each event to both, and each has a level of its own. Who wants the same on both needs none of
/// this: `WebTrackingProducer.bootstrap(producer, keepingConsole: true)`.
@main
struct NightlyReport {
    static func main() async {
        let producer: WebTrackingProducer
        do {
            producer = try LogDestination(environment: ProcessInfo.processInfo.environment).makeProducer()
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("nightly-report: \(error)\n".utf8))
            exit(2)
        }
        LoggingSystem.bootstrap(
            { label, provider in
                var console = StreamLogHandler.standardError(label: label, metadataProvider: provider)
                console.logLevel = .notice
                var logstore = producer.makeLogHandler(label: label, metadataProvider: provider)
                logstore.logLevel = .debug
                return MultiplexLogHandler([console, logstore])
            },
            metadataProvider: nil
        )

        Report().write()

        await producer.shutdown(timeout: .seconds(5))
    }
}

/// The work of the night.
struct Report {
    private let logger = Logger(label: "report")

    /// Adds up what was sold.
    func write() {
        let sold = ["tea": 31, "coffee": 12, "cocoa": 0]
        for (item, count) in sold.sorted(by: { $0.key < $1.key }) {
            self.logger.debug("item read", metadata: ["item": "\(item)", "count": "\(count)"])
            if count == 0 { self.logger.warning("nothing sold", metadata: ["item": "\(item)"]) }
        }
        self.logger.info("sum taken", metadata: ["items": "\(sold.count)"])
        self.logger.notice("report written", metadata: ["sold": "\(sold.values.reduce(0, +))"])
    }
}
