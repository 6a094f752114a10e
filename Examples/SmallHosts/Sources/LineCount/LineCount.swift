// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogDestination
import Logging
import WebTracking

/// A command-line tool without concurrency: it prints how many lines each file has, and logs what it did.
///
/// Its result is that of its work alone: logs that cannot be delivered change neither the output nor the exit status.
@main
struct LineCount {
    static func main() {
        let producer: WebTrackingProducer
        do {
            producer = try LogDestination(environment: ProcessInfo.processInfo.environment).makeProducer()
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("line-count: \(error)\n".utf8))
            exit(2)
        }
        WebTrackingProducer.bootstrap(producer)

        let isComplete = FileCounter().count(Array(CommandLine.arguments.dropFirst()))

        // Blocks until the last line is delivered, for two seconds at most. `exit` runs no `defer`, so this comes before it.
        producer.syncShutdown(timeout: .seconds(2))
        exit(isComplete ? 0 : 1)
    }
}
