// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What may wait for a disk: on the worker only, one after the other.
extension SpoolStore {
    /// Does all there is to do, moves to files what waits in memory, and tells what there is to tell. With `isForced`
    /// nothing waits for its time.
    func workOff(isForced: Bool = false) {
        self.work(isForced: isForced)
        let (isDue, haveGone) = self.state.withLock { state -> (Bool, Bool) in
            defer {
                state.isSpillDue = false
                state.haveFilesGone = false
            }
            return (state.isSpillDue || state.reported != nil, state.haveFilesGone)
        }
        if isDue || haveGone || isForced {
            let left = self.spillToFiles(isForced || haveGone)
            self.state.withLock { state in
                if left > 0 { state.isSpillDue = true }
                guard left == 0, state.retryAt == nil, state.reported.take() != nil, !state.isClosed else { return }
                state.notices.append(.spoolAvailable(directory: self.directory))
            }
            // Looked after from now on.
            if left > 0, !isDue { self.bell.ring() }
        }
        self.reportNotices()
    }

    /// The same on the worker, as long as `wait` waits for its end; returns what that returns.
    @discardableResult
    func workOff(isForced: Bool = false, waiting wait: (DispatchSemaphore) -> Bool) -> Bool {
        let done = DispatchSemaphore(value: 0)
        self.worker.start {
            self.workOff(isForced: isForced)
            done.signal()
        }
        return wait(done)
    }

    /// Looks whether the folders are there, takes care of files that are done with, and makes new ones ready.
    func work(isForced: Bool = false) {
        self.state.withLock { $0.isWorkAsked = false }
        self.checkFolders(isForced: isForced)
        self.disposeOfReleased()
        self.makeReady(isForced: isForced)
    }

    /// Whether there is something to look after from time to time.
    var isBusy: Bool {
        self.heldBytes > 0 || self.state.withLock { $0.isSpillDue || $0.retryAt != nil || $0.reported != nil }
    }

    // MARK: Files that go

    /// What was in a folder that has gone does not outlive the process, unless it is in memory still.
    private func checkFolders(isForced: Bool) {
        let now = self.clock.now()
        let isDue = self.state.withLock { state -> Bool in
            guard !state.isClosed, isForced || state.checkAt.map({ now >= $0 }) ?? true else { return false }
            state.checkAt = now + Self.pause
            return true
        }
        guard isDue else { return }
        for spoolFolder in self.heldFolders.spoolFolders where !spoolFolder.isLost && spoolFolder.isRemoved {
            spoolFolder.noteLost()
            let lost = self.state.withLock { state -> [SpoolFile] in
                self.noteFailure("\(spoolFolder.path) has been removed", kind: spoolFolder.path, in: &state)
                state.haveFilesGone = true
                guard state.spoolFolder === spoolFolder else { return [] }
                state.spoolFolder = nil
                // Nobody has to wait.
                state.retryAt = nil
                defer { state.ready = [] }
                return state.ready
            }
            for file in lost { self.remove(file) }
        }
    }

    /// With `isCopying`, what may be copied at the moment stays mapped.
    private func disposeOfReleased(isCopying: Bool = false) {
        let (finished, mappings) = self.state.withLock { state -> ([BatchMemory], [SpoolFile.Mapping]) in
            let kept = isCopying ? state.finished.filter { $0.file?.spoolFolder.isLost ?? true } : []
            let finished =
                isCopying ? state.finished.filter { memory in !kept.contains { $0 === memory } } : state.finished
            state.finished = kept
            guard !isCopying else { return (finished, []) }
            defer { state.mappings = [] }
            return (finished, state.mappings)
        }
        for mapping in mappings { mapping.end() }
        for memory in finished {
            guard let file = memory.file else { continue }
            let isWanted = self.state.withLock { state in
                file.page != nil && !file.isQuarantined && !state.isClosed && file.spoolFolder === state.spoolFolder
                    && state.policy.wants(file.bytes, beside: state.readyCounts)
            }
            guard isWanted else {
                self.remove(file)
                continue
            }
            memory.wipe()
            self.state.withLock { $0.ready.append(file) }
        }
    }

    private func remove(_ file: SpoolFile) {
        if file.isQuarantined {
            // Out of the way, where no producer looks for records.
            file.unmap()
            rename(file.path, file.path + SpoolFolder.damagedSuffix)
        } else {
            file.remove()
        }
        self.spare.subtract(file.bytes, ordering: .relaxed)
    }

    // MARK: Files that come

    private func makeReady(isForced: Bool) {
        let now = self.clock.now()
        let mayTry = self.state.withLock { state in
            state.mayMakeFiles && (isForced || state.retryAt.map { now >= $0 } ?? true)
        }
        guard mayTry else { return }
        do throws(FileError) {
            while let step = self.nextStep(at: now) {
                switch step {
                case .make(let bytes): try self.make(bytes)
                case .drop(let bytes): self.dropReady(bytes)
                }
            }
            self.state.withLock { $0.retryAt = nil }
        } catch {
            self.state.withLock { state in
                // Not to be written to by this user; what is found in it can be delivered all the same.
                guard !(self.isRescue && error.rule != nil) else {
                    state.isWithoutFiles = true
                    return
                }
                state.retryAt = now + Self.pause
                // The files' names differ each time.
                self.noteFailure(String(describing: error), kind: error.rule ?? "\(error.code)", in: &state)
            }
            self.bell.ring()
        }
    }

    /// Has a trouble told, unless one of its kind is what was told last.
    private func noteFailure(_ reason: String, kind: String, in state: inout State) {
        guard state.reported != kind else { return }
        state.reported = kind
        state.notices.append(.spoolUnavailable(directory: self.directory, reason: reason))
    }

    private func nextStep(at now: MonotonicInstant) -> ReadyFilePolicy.Step? {
        let room = self.maximumBytes - self.usedBytes
        return self.state.withLock { $0.policy.next($0.readyCounts, room: room, at: now) }
    }

    private func dropReady(_ bytes: Int) {
        let file = self.state.withLock { state in
            state.ready.firstIndex { $0.bytes == bytes }.map { state.ready.remove(at: $0) }
        }
        if let file { self.remove(file) }
    }

    /// Makes a file, which is ready then.
    private func make(_ bytes: Int) throws(FileError) {
        self.spare.add(bytes, ordering: .relaxed)
        do throws(FileError) {
            let file: SpoolFile
            do throws(FileError) { file = try self.newFile(bytes) } catch {
                // The folder may have gone since it was last looked at.
                guard error.isAbsence else { throw error }
                self.checkFolders(isForced: true)
                file = try self.newFile(bytes)
            }
            self.state.withLock { $0.ready.append(file) }
        } catch {
            self.spare.subtract(bytes, ordering: .relaxed)
            throw error
        }
    }

    private func newFile(_ bytes: Int) throws(FileError) -> SpoolFile {
        let (spoolFolder, number) = try self.spoolFolder()
        return try SpoolFile.make(
            spoolFolder.file(number),
            capacity: bytes - SpoolFormat.headerBytes,
            spoolFolder: spoolFolder
        )
    }

    /// The producer's folder, and the number of its next file.
    private func spoolFolder() throws(FileError) -> (SpoolFolder, UInt64) {
        let (present, number) = self.state.withLock { state -> (SpoolFolder?, UInt64) in
            defer { state.nextFile += 1 }
            return (state.spoolFolder, state.nextFile)
        }
        if let present { return (present, number) }
        let (place, parents) = try SpoolPaths.prepare(self.directory, self.access)
        if !parents.isEmpty { self.state.withLock { $0.ledger.noteMade(in: parents) } }
        let made = try self.makeFolder(number, in: place)
        self.state.withLock { $0.spoolFolder = made }
        return (made, number)
    }

    private func makeFolder(_ number: UInt64, in place: String) throws(FileError) -> SpoolFolder {
        let wallTime = self.clock.wallTime()
        for attempt in 0..<Self.attempts {
            let name = Self.folderName(wallTime: wallTime, identity: self.identity &+ number &+ attempt << 32)
            guard let spoolFolder = try SpoolFolder.make(in: place, name: name, access: self.access) else { continue }
            self.heldFolders.note(spoolFolder)
            if !spoolFolder.isFolderLocked {
                let reason = "directories cannot be locked here; only the lock file in a folder says that it is in use"
                self.state.withLock { $0.notices.append(.spoolFailed(directory: self.directory, reason: reason)) }
            }
            return spoolFolder
        }
        throw FileError("mkdir", place, code: EEXIST)
    }

    /// A name by which older folders come first.
    private static func folderName(wallTime: Int64, identity: UInt64) -> String {
        "\(UInt64(bitPattern: wallTime).hexadecimal)-\(identity.hexadecimal)"
    }

    // MARK: For batches that there are

    /// Whether ``takeForSpill(capacity:rank:isReported:)`` is worth a try.
    func mayTakeForSpill(capacity: Int, rank: Int) -> Bool {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.hasRoom(for: capacity, rank: rank) else { return false }
        return self.state.withLock { state in
            state.mayMakeFiles && (state.retryAt == nil || state.ready.contains { $0.bytes >= bytes })
        }
    }

    /// A file for a batch that waits in memory, a ready one or one that is made for it. That there is none says nothing of
    /// new batches, which are smaller; it is told if `isReported`, and keeps nobody else from asking. Of the
    /// bytes that are held, `reserved` are for this batch, and not any more once it has its file.
    func takeForSpill(capacity: Int, rank: Int, reserved: Int = 0, isReported: Bool) -> Answer {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.hasRoom(for: capacity, rank: rank, reserved: reserved) else { return .full }
        if let memory = self.state.withLock({
            self.takeReady(bytes, least: bytes, rank: rank, reserved: reserved, in: &$0).0
        }) {
            return .memory(memory)
        }
        guard self.state.withLock({ $0.mayMakeFiles }) else { return .unavailable }
        // Records come before files that are only ready for some.
        if self.usedBytes + bytes > self.maximumBytes { self.disposeOfReleased(isCopying: true) }
        while self.usedBytes + bytes > self.maximumBytes, let file = self.state.withLock({ $0.ready.popLast() }) {
            self.remove(file)
        }
        guard self.usedBytes + bytes <= self.maximumBytes else { return .full }
        do throws(FileError) { try self.makeInstead(bytes) } catch {
            guard isReported else { return .unavailable }
            let reason = "\(error), for a batch that waits in memory"
            self.state.withLock { $0.notices.append(.spoolFailed(directory: self.directory, reason: reason)) }
            return .unavailable
        }
        let memory = self.state.withLock {
            self.takeReady(bytes, least: bytes, rank: rank, reserved: reserved, in: &$0).0
        }
        return memory.map { .memory($0) } ?? .full
    }

    /// Makes a file, on a full disk in the place of ready ones.
    private func makeInstead(_ bytes: Int) throws(FileError) {
        while true {
            do throws(FileError) { return try self.make(bytes) } catch {
                let file = self.state.withLock { state in
                    state.ready.reduce(0) { $0 + $1.bytes } >= bytes ? state.ready.popLast() : nil
                }
                guard error.code == ENOSPC || error.code == EDQUOT, let file else { throw error }
                self.remove(file)
            }
        }
    }

    // MARK: The end

    /// Lets go of the folder; what is in its files is the next producer's.
    func close() {
        let (spoolFolder, ready) = self.state.withLock { state -> (SpoolFolder?, [SpoolFile]) in
            state.isClosed = true
            defer { state.ready = [] }
            return (state.spoolFolder.take(), state.ready)
        }
        for file in ready { self.remove(file) }
        self.disposeOfReleased()
        spoolFolder?.removeIfEmpty()
        self.reportNotices()
    }
}

extension SpoolStore.State {
    /// Whether files may be made: once it is closed, nobody would remove the folder that they would be in.
    var mayMakeFiles: Bool { !self.isClosed && !self.isWithoutFiles }

    /// How many files are ready, by their size.
    var readyCounts: [Int: Int] { self.ready.reduce(into: [:]) { $0[$1.bytes, default: 0] += 1 } }
}
