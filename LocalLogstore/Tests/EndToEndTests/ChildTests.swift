// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Testing

extension EndToEnd {
    @Suite("The end of a process")
    struct ChildTests {
        private func messages(_ server: TestServer) async throws -> [String] {
            try await server.store.logs(matching: LogQuery(logstore: "child")).compactMap { stored in
                stored.log["index"] ?? stored.log["message"]
            }
        }

        @Test func bySIGTERMLosesNoLine() async throws {
            try await withServer { server async throws in
                let child = try ChildProcess("e2e-child", ["http://127.0.0.1:\(server.port)", "wait", "1000"])
                #expect(try await child.firstLine() == "ready")
                // It does not send on its own, so all of this is the final flush.
                #expect(try await server.store.count() == 0)
                child.terminate()
                let outcome = try await child.outcome()
                #expect(outcome.status == 0)
                #expect(try await self.messages(server) == (0..<1000).map(String.init) + ["last words"])
            }
        }

        @Test func byAThrownErrorLosesNoLine() async throws {
            try await withServer { server async throws in
                let child = try ChildProcess("e2e-child", ["http://127.0.0.1:\(server.port)", "throw", "1000"])
                let outcome = try await child.outcome()
                #expect(outcome.status != 0)
                #expect(outcome.errors.contains("Failure"))
                #expect(try await self.messages(server) == (0..<1000).map(String.init) + ["about to throw"])
            }
        }

        @Test func bySIGTERMLosesNoLineThoughRequestsFail() async throws {
            try await withServer {
                $0.faults = .sequence(["500", "reset", "503"].map(Fault.named))
            } _: { server async throws in
                let child = try ChildProcess("e2e-child", ["http://127.0.0.1:\(server.port)", "wait", "10"])
                _ = try await child.firstLine()
                child.terminate()
                #expect(try await child.outcome().status == 0)
                #expect(try await self.messages(server) == (0..<10).map(String.init) + ["last words"])
            }
        }
    }
}
