// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Subprocess
import Testing
import WebTrackingTestKit

@Suite(.timeLimit(.minutes(10))) struct EventFunctionTests {
    private let program = Program(name: "event-function")

    /// Runs the function host; `send` writes an event and gives the answer to it.
    private func host(
        _ logstore: Logstore,
        _ body: (_ send: (String) async throws -> String) async throws -> Void
    ) async throws -> TerminationStatus {
        try await run(
            self.program.executable,
            environment: logstore.environment,
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { execution in
            var answers = execution.standardOutput.strings().makeAsyncIterator()
            try await body { event in
                _ = try await execution.standardInputWriter.write(event + "\n")
                return try #require(await answers.next())
            }
            try await execution.standardInputWriter.finish()
            #expect(try await answers.next() == nil)
        }.terminationStatus
    }

    @Test func theLogsOfAnInvocationAreThereBeforeItsAnswer() async throws {
        let logstore = try Logstore()
        let status = try await self.host(logstore) { send in
            for id in ["a", "b", "c"] {
                let answer = try await send(#"{"id":"\#(id)","name":"Ada"}"#)
                // From here on the process could be frozen.
                let lines = try logstore.lines.filter { $0["invocation.id"] == id }
                #expect(lines.map { $0["message"] } == ["invocation started", "invocation finished"])
                #expect(answer == #"{"id":"\#(id)","logs":{"delivered":2,"waiting":0},"text":"Hello, Ada"}"#)
            }
        }
        #expect(status == .exited(0))
        #expect(try logstore.lines.count == 6)
    }

    @Test func anEventThatIsNotUnderstoodIsLoggedAndAnswered() async throws {
        let logstore = try Logstore()
        let status = try await self.host(logstore) { send in
            let answer = try await send("nonsense")
            #expect(answer.contains(#""error":"the event is not an object with id and name""#))
            #expect(try logstore.lines.map { $0["message"] } == ["event not understood"])
            #expect(try logstore.lines.first?["error.type"] != nil)
        }
        #expect(status == .exited(0))
    }

    @Test func anAnswerDoesNotWaitForAServiceThatIsDown() async throws {
        let logstore = try Logstore(otherwise: .answer(status: 503))
        let status = try await self.host(logstore) { send in
            let answer = try await send(#"{"id":"a","name":"Ada"}"#)
            #expect(answer == #"{"id":"a","logs":{"delivered":0,"waiting":2},"text":"Hello, Ada"}"#)
            logstore.server.reply(otherwise: .success)
        }
        // The rest is delivered at the end, and nothing was lost.
        #expect(status == .exited(0))
        #expect(try logstore.lines.suffix(2).map { $0["message"] } == ["invocation started", "invocation finished"])
    }
}
