// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// When files are synced, and who learns that it takes too long.
@Suite(.timeLimit(.minutes(10))) struct SpoolSyncingTests {
    private func instant(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func roundsBeginOneIntervalApartAndSlownessIsToldOnceUntilItIsBetter() {
        var schedule = SyncSchedule(interval: .milliseconds(500), now: self.instant(0))
        #expect(schedule.next == self.instant(500))
        #expect(schedule.finished(from: self.instant(500), to: self.instant(900)) == nil)
        #expect(schedule.next == self.instant(1000))
        #expect(schedule.finished(from: self.instant(1000), to: self.instant(1501)) == .milliseconds(501))
        // At once: it is late.
        #expect(schedule.next == self.instant(1500))
        #expect(schedule.finished(from: self.instant(1501), to: self.instant(2300)) == nil)
        #expect(schedule.finished(from: self.instant(2300), to: self.instant(2400)) == nil)
        #expect(schedule.finished(from: self.instant(3000), to: self.instant(4000)) == .seconds(1))
    }

    @Test func aRoundThatTakesLongerThanTheIntervalIsTold() async {
        let clock = ManualClock(wallTime: Rig.start)
        let reported = Recorder<ProducerDiagnostic>()
        let rounds = Recorder<Int>()
        let store = SpoolStore(
            directory: "spool",
            destination: "project/logstore",
            maximumBytes: 1 << 30,
            identity: 1,
            heap: HeapHome(limit: 64 << 20),
            clock: clock,
            diagnostics: { reported.add($0) }
        )
        let worker = SpoolWorker("test", isInline: false)
        let task = Task {
            await SpoolMaintenance.syncRounds(of: store, every: .milliseconds(500), on: worker) {
                rounds.add(1)
                // The disk takes its time.
                clock.advance(by: .milliseconds(700))
            }
        }
        await clock.waitForSleepers()
        clock.advance(by: .milliseconds(500))
        while rounds.elements.count < 3, !Task.isCancelled { await Task.yield() }
        task.cancel()
        await task.value
        let slow = reported.elements.compactMap { diagnostic -> Duration? in
            if case .spoolSyncSlow("spool", let took, .milliseconds(500)) = diagnostic { took } else { nil }
        }
        #expect(slow == [.milliseconds(700)])
    }

    /// Keeps a worker busy until the semaphore is signalled, as a disk does that does not answer.
    private func stall(_ worker: SpoolWorker, until end: DispatchSemaphore) async -> Task<Void, Never> {
        let hasBegun = Recorder<Bool>()
        let task = Task.detached {
            await worker.run {
                hasBegun.add(true)
                end.wait()
            }
        }
        while hasBegun.elements.isEmpty { await Task.yield() }
        return task
    }

    @Test func aShutdownDoesNotWaitForADiskThatDoesNotAnswer() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.durability = .power(interval: .seconds(3600))
        }
        rig.sink().info("1")
        let maintenance = try #require(rig.producer.maintenance)
        let answer = DispatchSemaphore(value: 0)
        let stalled = await self.stall(maintenance.syncWorker, until: answer)
        let start = rig.clock.now()
        async let shutdown = rig.producer.shutdown(timeout: .zero)
        await rig.run(inStepsOf: .seconds(1)) {
            rig.diagnostics.elements.contains { if case .shutdownFinished = $0 { true } else { false } }
        }
        #expect(await shutdown.spooled == 1)
        // The look for the folders comes each second, and moves this clock as often as threads are late.
        #expect(rig.clock.now() - start <= .seconds(30))
        let reported = rig.diagnostics.elements.filter { if case .spoolSyncSlow = $0 { true } else { false } }
        #expect(
            reported.map(\.description) == [
                "syncing \(directory.path) had not ended after 1000 ms, when the shutdown did"
            ]
        )
        #expect(maintenance.syncs == 0)
        answer.signal()
        await stalled.value
        while maintenance.syncs == 0, !Task.isCancelled { await Task.yield() }
    }

    @Test func anInitializerDoesNotWaitForADiskThatDoesNotAnswer() async throws {
        let directory = SpoolDirectory()
        // As a mount that is gone: whoever asks for a file there waits.
        let queue = DispatchQueue(label: "test")
        queue.suspend()
        let store = SpoolStore(
            directory: directory.path,
            destination: "project/logstore",
            maximumBytes: 1 << 30,
            identity: 1,
            heap: HeapHome(limit: 64 << 20),
            clock: ManualClock(wallTime: Rig.start),
            worker: SpoolWorker(queue: queue),
            diagnostics: { _ in }
        )
        func hasFile() -> Bool {
            if case .memory(let memory) = store.take(capacity: 4096, rank: 6) { memory.file != nil } else { false }
        }
        #expect(!store.runMaintenance { $0.wait(timeout: .now() + .milliseconds(1)) == .success })
        #expect(!hasFile())
        queue.resume()
        #expect(store.runMaintenance { $0.wait(timeout: .distantFuture) == .success })
        #expect(hasFile())
    }

    @Test func aShutdownStopsTheTransportBesideASlowLookIntoFiles() async throws {
        let rig = try SpoolTests.rig(SpoolDirectory())
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        let answer = DispatchSemaphore(value: 0)
        let stalled = await self.stall(try #require(rig.producer.maintenance).recoveryWorker, until: answer)
        rig.clock.advance(by: .seconds(30))
        async let shutdown = rig.producer.shutdown(timeout: .seconds(60))
        // At the deadline, without an answer.
        await rig.run { rig.transport.isShutDown }
        answer.signal()
        await stalled.value
        #expect(await shutdown.isComplete)
    }

    @Test func makingADirectorySaysWhichOnesAreChanged() throws {
        let directory = SpoolDirectory()
        #expect(
            try FileSystem.makeDirectory("\(directory.path)/a/b") == ["/tmp", directory.path, "\(directory.path)/a"]
        )
        #expect(try FileSystem.makeDirectory("\(directory.path)/a/b") == [])
        #expect(try FileSystem.makeDirectory("\(directory.path)/a/c") == ["\(directory.path)/a"])
    }

    @Test func workOnFilesIsInOrderOnAThreadOfItsOwnUnlessItIsSomebodyElsesToDecide() async {
        let key = DispatchSpecificKey<Bool>()
        let queue = DispatchQueue(label: "test")
        queue.setSpecific(key: key, value: true)
        #expect(await SpoolWorker(queue: queue).run { DispatchQueue.getSpecific(key: key) } == true)
        #expect(await SpoolWorker(queue: nil).run { DispatchQueue.getSpecific(key: key) } == nil)
    }
}
