// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import WebTrackingPlatform

/// Work that may wait for a disk. It runs on the worker only, one task after the other.
extension SpoolStore {
    /// One round of maintenance: updates the files, moves records that wait in memory to files, and reports
    /// diagnostics. With `isForced`, it also does at once what was to be tried again later.
    func runMaintenance(isForced: Bool = false) {
        self.updateFiles(isForced: isForced)
        let (isDue, haveGone) = self.state.withLock { state -> (Bool, Bool) in
            // Reset before the spill, so that a request that comes during it counts for the next round.
            defer {
                state.isSpillDue = false
                state.haveFilesGone = false
            }
            return (state.isSpillDue || state.reported != nil, state.haveFilesGone)
        }
        if isDue || haveGone || isForced {
            let isOver = { self.spillsUntil.withLock { $0 }.map { self.clock.now() >= $0 } ?? false }
            let left = self.spill(self, isForced || haveGone, isOver)
            self.state.withLock { state in
                if left > 0 { state.isSpillDue = true }
                guard left == 0, state.retryAt == nil, !state.isClosed, state.reported.take() != nil else {
                    return
                }
                state.notices.append(.spoolAvailable(directory: self.directory))
            }
            // From now on, maintenance runs every second.
            if left > 0, !isDue { self.bell.ring() }
        }
        self.reportNotices()
    }

    /// Does the same on the worker, and calls `wait` with a semaphore for its end. Returns the result of `wait`.
    @discardableResult
    func runMaintenance(isForced: Bool = false, waiting wait: (DispatchSemaphore) -> Bool) -> Bool {
        self.worker.run(waiting: wait) { self.runMaintenance(isForced: isForced) } != nil
    }

    /// Checks that the folders exist, disposes of files that are done with, and makes new ones ready.
    func updateFiles(isForced: Bool = false) {
        // Reset first, so that a request that comes during this round starts another one.
        let begun = self.state.withLock { state -> (folder: SpoolFolder, at: Int64)? in
            state.isWorkRequested = false
            guard let folder = state.spoolFolder, let begun = state.batchBegunAt.take() else { return nil }
            return (folder, begun)
        }
        self.checkFolders(isForced: isForced)
        if self.process != nil, let begun { begun.folder.noteBatch(at: begun.at) }
        self.disposeOfReleased()
        // After that, as released files make room for new ones.
        self.makeReady(isForced: isForced)
    }

    /// Whether maintenance has to run every second.
    var isBusy: Bool {
        self.heldBytes > 0 || self.state.withLock { $0.isSpillDue || $0.retryAt != nil || $0.reported != nil }
    }

    // MARK: Removing files

    /// Checks that the folders exist. If one is gone, only those of its records are left that are still in memory or
    /// mapped. A spill writes them again.
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
            // If it was moved away, its process lives all the same. If it was removed, this fails.
            if spoolFolder === self.state.withLock({ $0.spoolFolder }) { try? spoolFolder.removeProcess() }
            let lost = self.state.withLock { state -> [SpoolFile] in
                self.noteFailure("\(spoolFolder.path) has been removed", kind: spoolFolder.path, in: &state)
                state.haveFilesGone = true
                guard state.spoolFolder === spoolFolder else { return [] }
                state.spoolFolder = nil
                // A new folder can be made at once.
                state.retryAt = nil
                defer { state.ready = [] }
                return state.ready
            }
            for file in lost { self.remove(file) }
        }
        guard let spoolFolder = self.state.withLock({ $0.isProcessOwed ? $0.spoolFolder : nil }) else { return }
        self.noteProcess(in: spoolFolder)
    }

    /// Removes the released files, or makes them ready again. With `isCopying`, those stay mapped that a spill may be
    /// copying.
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
                    && SpoolFile.mayMake && state.policy.wants(file.bytes, beside: state.readyCounts)
            }
            guard isWanted else {
                self.remove(file)
                continue
            }
            // Outside of the lock: a store to a mapped page may wait for the disk.
            memory.wipe()
            self.state.withLock { $0.ready.append(file) }
        }
    }

    private func remove(_ file: SpoolFile) {
        if file.isQuarantined {
            // Keep it under a name that no producer reads.
            file.unmap()
            rename(file.path, file.path + SpoolFolder.damagedSuffix)
        } else {
            file.remove()
        }
        self.spare.subtract(file.bytes, ordering: .relaxed)
    }

    // MARK: Making files

    private func makeReady(isForced: Bool) {
        let now = self.clock.now()
        let mayTry = self.state.withLock { state in
            state.mayMakeFiles && (isForced || state.retryAt.map { now >= $0 } ?? true)
        }
        guard mayTry else { return }
        do throws(FileError) {
            // The last spill makes the files that it needs, and has little time: a file can take milliseconds.
            var isOver = false
            while !isOver, let step = self.nextStep(at: now) {
                switch step {
                case .make(let bytes):
                    try self.make(bytes)
                    isOver = self.spillsUntil.withLock { $0 != nil }
                case .drop(let bytes): self.dropReady(bytes)
                }
            }
            self.state.withLock { $0.retryAt = nil }
        } catch {
            self.state.withLock { state in
                // This user may not write there, but can still deliver what is found there.
                guard !(self.isRescue && error.rule != nil) else {
                    state.isWithoutFiles = true
                    return
                }
                state.retryAt = now + Self.pause
                // Compare by kind: the text of each failure names another file.
                self.noteFailure(String(describing: error), kind: error.rule ?? "\(error.code)", in: &state)
            }
            self.bell.ring()
        }
    }

    /// Has a failure reported, unless the last reported one was of the same kind.
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

    /// Makes a file, and adds it to the ready ones.
    private func make(_ bytes: Int) throws(FileError) {
        self.spare.add(bytes, ordering: .relaxed)
        do throws(FileError) {
            let file: SpoolFile
            do throws(FileError) { file = try self.newFile(bytes) } catch {
                // The folder may have gone since the last check.
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

    /// The producer's folder, which is made if needed, and the number of its next file.
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
            self.noteProcess(in: spoolFolder)
            if !spoolFolder.isFolderLocked {
                self.reportLater(
                    "directories cannot be locked here; only the lock file in a folder says that it is in use"
                )
            }
            return spoolFolder
        }
        throw FileError("mkdir", place, code: EEXIST)
    }

    /// Writes down who made the folder. If that fails, it is tried again when the folders are checked.
    private func noteProcess(in spoolFolder: SpoolFolder) {
        guard let process = self.process, !self.state.withLock({ $0.isStopped }) else { return }
        do throws(FileError) {
            let path = try spoolFolder.note(process)
            self.state.withLock { state in
                state.ledger.noteOpened(path, isNew: true)
                state.ledger.noteSealed(path)
                state.isProcessOwed = false
            }
        } catch {
            let isFirst = self.state.withLock { state in
                defer { state.isProcessOwed = true }
                return !state.isProcessOwed
            }
            guard isFirst else { return }
            self.reportLater("\(error); until that works, an end of this process without a stop is not told")
        }
    }

    /// A name that sorts older folders first.
    private static func folderName(wallTime: Int64, identity: UInt64) -> String {
        "\(UInt64(bitPattern: wallTime).hexadecimal)-\(identity.hexadecimal)"
    }

    // MARK: Files for batches in memory

    /// A file for a batch that waits in memory: a ready one, or one that is made for it. A failure says nothing about
    /// the smaller files for new batches. So it does not stop other attempts, and is reported only if `isReported`.
    /// `reserved` bytes of those held are for this batch, and are used up once it has its file.
    func takeForSpill(capacity: Int, rank: Int, reserved: Int = 0, isReported: Bool) -> Answer {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard bytes <= reserved || self.files.hasRoom(for: bytes - reserved, rank: rank) else { return .full }
        func takeReady() -> BatchMemory? {
            self.state.withLock { self.takeReady(bytes, least: bytes, rank: rank, reserved: reserved, in: &$0).0 }
        }
        if let memory = takeReady() { return .memory(memory) }
        // At the bound of mapped files, `makeReady` reports.
        guard self.state.withLock({ $0.mayMakeFiles }), SpoolFile.mayMake else { return .unavailable }
        // Records are more important than ready files.
        if self.usedBytes + bytes > self.maximumBytes { self.disposeOfReleased(isCopying: true) }
        while self.usedBytes + bytes > self.maximumBytes, let file = self.state.withLock({ $0.ready.popLast() }) {
            self.remove(file)
        }
        guard self.usedBytes + bytes <= self.maximumBytes else { return .full }
        do throws(FileError) { try self.makeReplacingReady(bytes) } catch {
            guard isReported else { return .unavailable }
            self.reportLater("\(error), for a batch that waits in memory")
            return .unavailable
        }
        return takeReady().map { .memory($0) } ?? .full
    }

    /// Makes a file. On a full disk, removes ready files to make room for it.
    private func makeReplacingReady(_ bytes: Int) throws(FileError) {
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

    /// Notes the stop, and does what is left to do before the files are left.
    func prepareEnd() {
        self.noteStop()
        self.runMaintenance(isForced: true)
    }

    /// Notes in the folder that this process stops its producer; a folder that is made later says nothing of it.
    func noteStop() {
        let spoolFolder = self.state.withLock { state in
            state.isStopped = true
            return state.spoolFolder
        }
        guard self.process != nil, let spoolFolder else { return }
        do throws(FileError) { try spoolFolder.removeProcess() } catch {
            self.reportLater("\(error); the next start may tell that this process ended without a stop")
        }
    }

    /// Releases the folder. The next producer recovers what is in its files. With `isSynced`, a loss of power does not undo
    /// what is noted in a folder that stays.
    func close(isSynced: Bool = false) {
        self.noteStop()
        let (spoolFolder, ready) = self.state.withLock { state -> (SpoolFolder?, [SpoolFile]) in
            state.isClosed = true
            defer { state.ready = [] }
            return (state.spoolFolder.take(), state.ready)
        }
        for file in ready { self.remove(file) }
        self.disposeOfReleased()
        spoolFolder?.removeIfEmpty()
        if isSynced, let spoolFolder, !spoolFolder.isRemoved {
            // What cannot be synced now was reported by the rounds of syncs.
            try? FileSystem.sync(spoolFolder.path, isDirectory: true)
        }
        self.reportNotices()
    }
}

extension SpoolStore.State {
    /// Whether files may be made. Not after the close: the folder for them would never be removed.
    var mayMakeFiles: Bool { !self.isClosed && !self.isWithoutFiles }

    /// The number of ready files, by size.
    var readyCounts: [Int: Int] { self.ready.reduce(into: [:]) { $0[$1.bytes, default: 0] += 1 } }
}
