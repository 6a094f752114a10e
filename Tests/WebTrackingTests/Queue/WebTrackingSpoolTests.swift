// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What tools see of a spool directory.
@Suite(.timeLimit(.minutes(10))) struct WebTrackingSpoolTests {
    private func messages(_ spool: WebTrackingSpool, _ batch: WebTrackingSpool.Batch) throws -> [String] {
        var messages: [String] = []
        try spool.forEachRecord(of: batch) { record in
            guard case .object(let members) = try JSONValue.parse(Array(record)),
                case .string(let message)? = members.first(where: { $0.name == "message" })?.value
            else { return }
            messages.append(message)
        }
        return messages
    }

    @Test func itTellsTheBatchesOfDeadAndLivingProducersAndChangesNothing() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .fixed("orders")
            $0.logstore = "other"
        }
        // While it looks at what the other has left, that is locked, as by a living producer.
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        rig.sink().info("alive")
        let before = directory.holding.map { directory.contents(of: $0) }
        let spool = WebTrackingSpool(directory: directory.path)
        let batches = try spool.batches()
        #expect(directory.holding.map { directory.contents(of: $0) } == before)
        try #require(batches.count == 2)
        #expect(batches.map(\.isAlive).sorted { !$0 && $1 } == [false, true])
        let dead = try #require(batches.first { !$0.isAlive })
        #expect(dead.destination == "project/logstore")
        #expect(dead.records == 3)
        #expect(dead.damage == nil)
        #expect(dead.openedAt == 1_767_225_600_000_000_000)
        #expect(try self.messages(spool, dead) == ["0", "1", "2"])
        let living = try #require(batches.first { $0.isAlive })
        #expect(living.topic == "orders")
        #expect(try self.messages(spool, living) == ["alive"])
        await rig.producer.shutdown(timeout: .zero)
        let next = try await SpoolTests.recover(3, from: directory)
        #expect(next.transport.stored.first?.tags["__pack_id__"] == dead.batchID)
        await next.stop()
    }

    @Test func itTellsWhatIsDamagedAndShowsTheRestOfIt() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(10, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        // The mark of the fifth record.
        bytes[bytes.count - 5 * Mark.size] ^= 1
        directory.overwrite(file, with: bytes)
        let spool = WebTrackingSpool(directory: directory.path)
        let batch = try #require(try spool.batches().first)
        #expect(batch.damage != nil)
        #expect(try self.messages(spool, batch) == ["0", "1", "2", "3", "5", "6", "7", "8", "9"])
        let rig = try await SpoolTests.recover(9, from: directory)
        await rig.stop()
        let aside = try #require(try spool.batches().first)
        #expect(aside.folder == "damaged")
        #expect(try self.messages(spool, aside) == ["0", "1", "2", "3", "5", "6", "7", "8", "9"])
    }

    @Test func aDirectoryThatIsNotThereIsAnError() {
        #expect(throws: (any Error).self) { try WebTrackingSpool(directory: "/tmp/webtracking-nowhere").batches() }
    }
}
