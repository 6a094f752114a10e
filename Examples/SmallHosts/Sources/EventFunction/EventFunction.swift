// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogDestination
import Logging
import WebTracking

/// A function host: reads an event from each line of standard input, and writes an answer for each to standard output.
///
/// A host of functions may freeze the process once it has the answer, for minutes or for good. So nothing may wait in memory
/// then: the logs of an invocation are flushed before its answer is written.
@main
struct EventFunction {
    static func main() async {
        let producer: WebTrackingProducer
        do {
            producer = try LogDestination(environment: ProcessInfo.processInfo.environment).makeProducer()
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("event-function: \(error)\n".utf8))
            exit(2)
        }
        WebTrackingProducer.bootstrap(producer)

        let function = Greeting()
        while let line = readLine() {
            var answer = function.answer(to: line)
            // The caller waits no longer than this for logs. What is left is tried again during the next invocation.
            let report = await producer.flush(timeout: .milliseconds(500))
            answer.logs = Answer.Logs(delivered: report.delivered, waiting: report.remaining)
            guard let line = try? answer.line else { continue }
            try? FileHandle.standardOutput.write(contentsOf: line)
        }
        // The host has closed the input: the process may take its time.
        await producer.shutdown(timeout: .seconds(5))
    }
}
