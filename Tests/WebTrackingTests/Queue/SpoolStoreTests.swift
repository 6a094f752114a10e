// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// What a store does with its files and folders, without a producer.
@Suite(.timeLimit(.minutes(10))) struct SpoolStoreTests {
    private let clock = ManualClock(wallTime: Rig.start)
    private let reported = Recorder<ProducerDiagnostic>()

    private func store(
        _ directory: String,
        maximumBytes: Int = 1 << 30,
        process: SpoolProcess? = nil
    ) -> SpoolStore {
        SpoolStore(
            directory: directory,
            destination: "project/logstore",
            maximumBytes: maximumBytes,
            process: process,
            identity: 1,
            heap: HeapHome(limit: 64 << 20),
            clock: self.clock,
            diagnostics: { [reported = self.reported] in reported.add($0) }
        )
    }

    private func take(_ store: SpoolStore, _ capacity: Int = 4096) -> BatchMemory? {
        if case .memory(let memory) = store.take(capacity: capacity, rank: 6) { memory } else { nil }
    }

    @Test func theTimeOfTheLastBatchIsWhenItWasBegunAndNotWhenItCameToAFile() throws {
        let directory = SpoolDirectory()
        let process = SpoolProcess(process: .current, startedAt: 0, destination: "project/logstore", topic: "")
        let store = self.store(directory.path, process: process)
        let folder = try #require(self.take(store)?.file?.spoolFolder)
        store.updateFiles()
        #expect(try folder.process()?.lastBatchAt == Rig.start)
        self.clock.advance(by: .seconds(5))
        guard case .memory = store.takeForSpill(capacity: 4096, rank: 6, isReported: true) else {
            Issue.record("no file")
            return
        }
        store.updateFiles()
        #expect(try folder.process()?.lastBatchAt == Rig.start)
        #expect(self.take(store) != nil)
        store.updateFiles()
        #expect(try folder.process()?.lastBatchAt == Rig.start + 5_000_000_000)
    }

    @Test func aFileThatIsFilledDuringARoundOfSyncsIsSyncedAgain() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        let memory = try #require(self.take(store))
        store.fill(memory) { store.sync() }
        let before = store.syncs
        store.sync()
        #expect(store.syncs == before + 1)
        // It is sealed now.
        store.sync()
        #expect(store.syncs == before + 1)
    }

    @Test func directoriesMadeForAFileThatCouldNotBeMadeAreSyncedWithTheNext() throws {
        let directory = SpoolDirectory()
        let store = self.store("\(directory.path)/a", maximumBytes: 1 << 56)
        // No disk has room for it.
        #expect(self.take(store, 1 << 55) == nil)
        store.sync()
        self.clock.advance(by: .seconds(1))
        _ = try #require(self.take(store))
        let before = store.syncs
        store.sync()
        // The file, its folder, the directory, and the two in which there is a new one.
        #expect(store.syncs == before + 5)
    }

    @Test func aFolderThatCannotBeSeenForAWhileIsUsedAgain() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        let first = try #require(self.take(store)?.file)
        // In the place of the directory there is a file.
        #expect(rename(directory.path, directory.path + ".away") == 0)
        directory.overwrite(directory.path, with: [1])
        // As long as there are ready ones.
        while self.take(store) != nil {}
        unlink(directory.path)
        #expect(rename(directory.path + ".away", directory.path) == 0)
        self.clock.advance(by: .seconds(1))
        #expect(self.take(store)?.file?.spoolFolder === first.spoolFolder)
        store.reportNotices()
        let reasons = self.reported.elements.compactMap { diagnostic -> String? in
            if case .spoolUnavailable(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(reasons.count == 1 && !reasons[0].contains("removed"))
    }

    @Test func aBatchForWhichThereIsNoFileKeepsNobodyFromHavingOne() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path, maximumBytes: 1 << 56)
        for isReported in [true, false] {
            guard case .unavailable = store.takeForSpill(capacity: 1 << 55, rank: 6, isReported: isReported) else {
                Issue.record("a file that no disk has room for")
                return
            }
        }
        #expect(store.heldBytes == 0 && store.isAvailable && !store.isUnavailable)
        _ = try #require(self.take(store))
        store.reportNotices()
        // New records are not concerned, and it is not said that they are.
        let troubles = self.reported.elements.count { if case .spoolFailed = $0 { true } else { false } }
        #expect(troubles == 1 && self.reported.elements.count == 1)
    }

    @Test func aStoreIsUnavailableFromAFailureToMakeAFileUntilOneIsMade() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        #expect(!store.isUnavailable)
        // In the place of the directory there is a file.
        directory.overwrite(directory.path, with: [1])
        #expect(self.take(store) == nil)
        #expect(store.isUnavailable)
        unlink(directory.path)
        // Nobody has asked for one since.
        #expect(store.isUnavailable)
        self.clock.advance(by: .seconds(1))
        #expect(self.take(store) != nil)
        #expect(!store.isUnavailable)
    }

    @Test func aStoreThatIsClosedIsNotUnavailable() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        directory.overwrite(directory.path, with: [1])
        #expect(self.take(store) == nil)
        store.close()
        #expect(!store.isUnavailable)
    }

    @Test func aStoreThatIsClosedMakesNoFolder() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        #expect(self.take(store) != nil)
        store.close()
        #expect(self.take(store) == nil)
        #expect(try FileSystem.names(in: directory.path).count == 1)
    }

    @Test func aFolderWhoseLockCannotBeOpenedIsNotTakenForADeadOne() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        func isLeft(_ path: String) -> Bool { SpoolFolder.isLeft(path, access: store.access) }
        let spoolFolder = try #require(self.take(store)?.file).spoolFolder
        #expect(!isLeft(spoolFolder.path))
        let lock = "\(spoolFolder.path)/lock"
        #expect(rename(lock, lock + ".real") == 0)
        #expect(!isLeft(directory.path + "/none"))
        // Whoever sweeps the file away does not take the folder's own lock with it.
        #expect(!isLeft(spoolFolder.path))
        spoolFolder.unlock()
        #expect(isLeft(spoolFolder.path))
        // A link is not followed.
        #expect(symlink(lock + ".real", lock) == 0)
        #expect(!isLeft(spoolFolder.path))
        unlink(lock)
        #expect(rename(lock + ".real", lock) == 0)
        #expect(isLeft(spoolFolder.path))
    }

    @Test func filesThatAreKeptForLaterAreNoReasonToDropRecords() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(600, in: directory) {
            $0.batching.targetBytes = 32 << 10
        }
        let dead = try #require(FileSystem.names(in: directory.path).map { "\(directory.path)/\($0)" }.first)
        while !SpoolFolder.isLeft(dead, access: SpoolAccess(.owner)), !Task.isCancelled { await Task.yield() }
        let left = directory.files.reduce(0) { $0 + directory.contents(of: $1).count }
        let store = self.store(directory.path, maximumBytes: left + (32 << 10))
        let memory = try #require(self.take(store, 60 << 10))
        let folders = [dead, try #require(memory.file).spoolFolder.path]
        // In use, it is too much together with what is left.
        #expect(SpoolScan(folders, store: store, own: { [] }).victims.count == 1)
        store.release(memory)
        #expect(store.heldBytes == 0 && store.usedBytes >= 64 << 10)
        #expect(SpoolScan(folders, store: store, own: { [] }).victims.isEmpty)
    }

    @Test func whatTheDeadHadReadyGoesBeforeAnyRecordWhereThereIsTooMuch() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(20, in: directory)
        let dead = try #require(FileSystem.names(in: directory.path).map { "\(directory.path)/\($0)" }.first)
        while !SpoolFolder.isLeft(dead, access: SpoolAccess(.owner)), !Task.isCancelled { await Task.yield() }
        let left = directory.files.reduce(0) { $0 + directory.contents(of: $1).count }
        // As one that was killed leaves them.
        let ready = "\(dead)/00000000000000ff.seg"
        let descriptor = try FileSystem.open(ready, flags: O_RDWR | O_CREAT)
        try FileSystem.allocate(descriptor, bytes: 2 << 20, path: ready)
        close(descriptor)
        let store = self.store(directory.path, maximumBytes: max(left, 1 << 20))
        let scan = SpoolScan([dead], store: store, own: { [] })
        #expect(scan.victims == [dead: [ready]])
    }

    @Test func aFolderThatIsRemovedIsMadeAgain() throws {
        let directory = SpoolDirectory()
        let store = self.store(directory.path)
        let first = try #require(self.take(store)?.file)
        directory.removeAll()
        // It is looked at from time to time.
        self.clock.advance(by: .seconds(1))
        store.updateFiles()
        let second = try #require(self.take(store)?.file)
        #expect(second.spoolFolder !== first.spoolFolder && directory.files.contains(second.path))
        #expect(!first.isThere && second.isThere)
    }
}
