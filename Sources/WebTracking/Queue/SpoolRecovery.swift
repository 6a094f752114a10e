// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Recovers the records that dead producers have left in the spool directory, and puts them into a queue for delivery.
///
/// Takes one folder after the other, the oldest first, and is never more than a few batches ahead of their delivery. It
/// writes to no file, so if this process dies, the next one finds them as they were. ``RecoveryMachine`` decides what to do
/// next.
struct SpoolRecovery: Sendable {
    /// The time from the end of one pass to the start of the next.
    private static let interval = Duration.seconds(30)

    let store: SpoolStore
    let queue: TopicQueue
    /// Records older than this are dropped; `nil` for none.
    let maximumAge: Duration?
    /// Decides which users' folders may be recovered.
    let access: SpoolAccess
    /// The batches of this process that wait in files, and a function that evicts the first of them.
    let own: @Sendable () -> [EvictionPolicy.Candidate]
    let evictOwn: @Sendable (_ atMost: Int) -> Void
    /// Sends a record that tells of a process's end. Returns whether it was accepted; `nil` to tell of none.
    let tell: (@Sendable (UnexpectedExit) -> Bool)?
    /// The name of the field with the time of a record.
    let timeField: String
    /// Reads the files.
    let worker: SpoolWorker
    /// Notes whether a pass is running. Then there may be more to deliver than what was recovered so far.
    let pass = RecoveryPass()
    /// The folders and files that were reported at the start as refused.
    private let reported = Reported()

    private final class Reported: Sendable {
        /// Folders and files; `nil` before they are reported.
        let paths = Lock<Set<String>?>(nil)
        /// What was said of files that name a process.
        let marks = Lock<Set<String>>([])
    }

    /// Recovers everything once, and then again from time to time: a process that was still stopping when this one
    /// started leaves records, too. Returns when the task is cancelled.
    func run() async {
        defer { self.pass.end() }
        let clock = self.store.clock
        var machine = RecoveryMachine(maximumAge: self.maximumAge)
        while !Task.isCancelled {
            self.pass.begin()
            await self.recoverAll(&machine)
            self.pass.end()
            guard (try? await clock.sleep(until: clock.now() + Self.interval)) != nil else { return }
        }
    }

    /// Recovers everything that is there now. Returns when that is delivered, or when the task is cancelled.
    private func recoverAll(_ machine: inout RecoveryMachine) async {
        do throws(FileError) {
            let (folders, victims) = try await self.worker.run { () throws(FileError) in try self.scan() }
            machine.begin(folders, trimming: victims)
        } catch {
            machine.begin([])
            machine.failed(String(describing: error))
        }
        // A folder stays locked until the last of its files is delivered, as their batches keep it. The reference here
        // is released before the next folder is opened, so that a folder without any deliverable file is free for other
        // processes at once.
        var spoolFolder: SpoolFolder?
        var step = self.next(&machine)
        while step != .end, !Task.isCancelled {
            switch step {
            case .open(let folder):
                spoolFolder = nil
                spoolFolder = await self.open(folder, &machine)
            case .examine(let path):
                if let spoolFolder { await self.take(path, of: spoolFolder, &machine) }
            case .tell(let exit):
                if let spoolFolder { await self.tell(exit, of: spoolFolder, &machine) }
            case .wait:
                if let target = self.queue.nextSettledCount { await self.queue.waitUntilSettled(target) }
            case .end:
                break
            }
            self.reportFailure(&machine)
            step = self.next(&machine)
        }
        self.reportFailure(&machine)
        if self.queue.hasAnnouncement { self.queue.wakeWorker() }
        if machine.filesTaken > 0 {
            self.store.diagnostics(
                .spoolRecovered(
                    directory: self.store.directory,
                    records: machine.records,
                    files: machine.filesTaken
                )
            )
        }
        if let target = self.queue.enqueuedCount { await self.queue.waitUntilSettled(target) }
    }

    private func next(_ machine: inout RecoveryMachine) -> RecoveryMachine.Step {
        machine.next(backlog: self.queue.backlog, isMemoryShort: self.queue.context.budget.isHalfFull)
    }

    private func reportFailure(_ machine: inout RecoveryMachine) {
        guard let reason = machine.takeFailure() else { return }
        self.store.report(reason)
    }

    // MARK: Files

    /// The folders in the directory, and by folder those files that exceed the bound.
    private func scan() throws(FileError) -> ([String], [String: Set<String>]) {
        let directory = self.store.directory
        do throws(FileError) {
            let roots = try SpoolPaths.roots(directory, self.access)
            self.reportUnrecovered()
            if let refusal = roots.refusal { throw FileError(directory, refusal, self.access) }
            var folders: [(name: String, path: String)] = []
            for place in roots.used {
                for name in try FileSystem.names(in: place, includingHidden: true) {
                    let path = "\(place)/\(name)"
                    if name.hasPrefix(".\(SpoolFolder.prefix)") {
                        SpoolFolder.removeUnfinished(path, wallTime: self.store.clock.wallTime(), access: self.access)
                    }
                    if name.hasPrefix(SpoolFolder.prefix), !self.isStillRefused(path) { folders.append((name, path)) }
                }
            }
            // The names begin with the time at which the folder was made.
            let paths = folders.sorted { ($0.name, $0.path) < ($1.name, $1.path) }.map(\.path)
            guard !self.store.isRescue else { return (paths, [:]) }
            let scan = SpoolScan(paths, store: self.store, own: self.own)
            for rank in scan.ownVictims { self.evictOwn(rank) }
            return (paths, scan.victims)
        } catch {
            guard error.isAbsence else { throw error }
            return ([], [:])
        }
    }

    /// Reports what is not recovered, and how much that is. Only at the start.
    private func reportUnrecovered() {
        guard self.reported.paths.withLock({ $0 == nil }) else { return }
        let directory = self.store.directory
        let inventory = SpoolInventory(directory, destination: self.store.destination, access: self.access)
        self.reported.paths.withLock { $0 = inventory.refused }
        for part in inventory.parts {
            let (reason, suggestion) = part.text(directory: directory, user: self.access.user)
            self.store.diagnostics(
                .spoolLeft(
                    path: part.path,
                    records: part.records,
                    files: part.files,
                    reason: reason,
                    suggestion: suggestion
                )
            )
        }
    }

    /// Whether a folder was reported as refused, and is still refused.
    private func isStillRefused(_ folder: String) -> Bool {
        self.wasReported(folder) && (try? FileSystem.check(folder, self.access)) == nil
    }

    /// Whether a folder or file was reported at the start as refused.
    private func wasReported(_ path: String) -> Bool {
        self.reported.paths.withLock { $0?.contains(path) ?? false }
    }

    private func open(_ folder: String, _ machine: inout RecoveryMachine) async -> SpoolFolder? {
        do throws(FileError) {
            typealias Opened = (spoolFolder: SpoolFolder, files: [String], exit: UnexpectedExit?, failure: String?)
            let found = try await self.worker.run { () throws(FileError) -> Opened? in
                guard let spoolFolder = try SpoolFolder.recover(folder, access: self.access) else { return nil }
                self.store.heldFolders.note(spoolFolder)
                var failure: String?
                let files = try spoolFolder.files { path, error in
                    if !self.wasReported(path) { failure = failure ?? String(describing: error) }
                }
                let exit = try self.exit(of: spoolFolder, isEmpty: files.isEmpty && failure == nil)
                return (spoolFolder, files, exit, failure)
            }
            machine.opened(found?.files, exit: found?.exit, failure: found?.failure)
            return found?.spoolFolder
        } catch {
            machine.failed(String(describing: error))
            return nil
        }
    }

    /// The end of the process that made a folder, if it is for this producer to tell.
    private func exit(of spoolFolder: SpoolFolder, isEmpty: Bool) throws(FileError) -> UnexpectedExit? {
        // A rescue delivers records by hand, beside the program, whose next start tells.
        guard !self.store.isRescue else { return nil }
        do throws(FileError) {
            guard let (finding, lastBatchAt) = try spoolFolder.process() else { return nil }
            switch finding {
            case .newer: return nil
            case .empty:
                try spoolFolder.removeProcess()
                return nil
            case .damaged:
                let path = "\(spoolFolder.path)/\(SpoolProcess.fileName)"
                try spoolFolder.removeProcess()
                self.store.report("\(path) is damaged; the end of its process is not told")
                return nil
            case .process(let process):
                guard process.destination == self.store.destination else {
                    // Like its records, it waits for a producer of its logstore, but not for ever for one that never comes.
                    let (age, isBeyond) = self.store.clock.wallTime()
                        .subtractingReportingOverflow(max(process.startedAt, lastBatchAt ?? .min))
                    if isEmpty, !isBeyond, let limit = self.maximumAge, .nanoseconds(age) > limit {
                        try spoolFolder.removeProcess()
                    }
                    return nil
                }
                guard self.tell != nil else {
                    try spoolFolder.removeProcess()
                    return nil
                }
                try spoolFolder.checkRemovableProcess()
                return UnexpectedExit(
                    process.process,
                    startedAt: process.startedAt,
                    lastBatchAt: lastBatchAt,
                    baseTopic: process.topic
                )
            }
        } catch {
            if error.isShortage { throw error }
            // Beside the failures of a pass: it may last for ever, and hide no other one.
            let reason = String(describing: error)
            if self.reported.marks.withLock({ $0.insert(reason).inserted }) {
                self.store.report(reason)
            }
            return nil
        }
    }

    /// Tells of the end of a process, and then notes in its folder that it was told. A death between the two repeats it.
    private func tell(_ exit: UnexpectedExit, of spoolFolder: SpoolFolder, _ machine: inout RecoveryMachine) async {
        // Not while it would be in memory only: the folder says it better.
        let isAccepted = self.store.isUnavailable ? false : self.tell?(exit) ?? false
        machine.told(isAccepted)
        guard isAccepted else { return }
        self.store.state.withLock { $0.unexpectedExits += 1 }
        let failure = await self.worker.run { () -> FileError? in
            do throws(FileError) { try spoolFolder.removeProcess() } catch { return error }
            return nil
        }
        // Otherwise it is remembered, so that not each look tells it.
        guard let failure else { return machine.forget(spoolFolder.path) }
        self.store.report("\(failure); the next start tells again that its process ended without a stop")
    }

    /// Finds out what is in a file, and acts on it.
    private func take(_ path: String, of spoolFolder: SpoolFolder, _ machine: inout RecoveryMachine) async {
        let isTelling = machine.hasDueExit
        let found = await self.worker.run { self.examine(path, of: spoolFolder, isTelling: isTelling) }
        let action = machine.found(found.finding)
        guard let batch = await self.worker.run({ self.carryOut(action, found, path, of: spoolFolder) }) else { return }
        self.queue.recover(batch)
    }

    /// What is in a file, and the batch if it can be delivered.
    private struct Found: Sendable {
        var finding: RecoveryMachine.Finding
        var batch: (batch: OpenBatch, topic: String, damage: String?)?
    }

    /// What is in a file; if `isTelling`, also when its last record came.
    private func examine(_ path: String, of spoolFolder: SpoolFolder, isTelling: Bool) -> Found {
        let now = self.store.clock.now()
        do throws(FileError) {
            switch try SpoolExamination.examine(
                path,
                spoolFolder: spoolFolder,
                destination: self.store.destination,
                openedAt: { _ in now }
            ) {
            case .empty: return Found(finding: .empty)
            case .foreign, .unknownVersion: return Found(finding: .foreign)
            case .damaged(let reason): return Found(finding: .damaged(reason))
            case .records(let batch, let header, let damage):
                // A damaged header may hold any time, so the difference may overflow.
                let (age, isBeyond) = self.store.clock.wallTime().subtractingReportingOverflow(header.label.openedAt)
                let limit: Int64 = header.label.openedAt < 0 ? .max : .min
                return Found(
                    finding: .records(
                        batch.count,
                        age: .nanoseconds(isBeyond ? limit : age),
                        topic: header.label.topic,
                        lastAt: isTelling ? self.timeOfLast(batch) ?? header.label.openedAt : nil
                    ),
                    batch: (batch, header.label.topic, damage)
                )
            }
        } catch {
            if error.isAbsence { return Found(finding: .gone) }
            if self.wasReported(path) { return Found(finding: .foreign) }
            let reason = String(describing: error)
            return Found(finding: error.isShortage ? .unavailable(reason) : .unreadable(reason))
        }
    }

    /// The time of a batch's last record; `nil` if the record does not say.
    private func timeOfLast(_ batch: OpenBatch) -> Int64? {
        guard case .object(let fields)? = try? JSONValue.parse(batch.textOfLast) else { return nil }
        return fields.text(self.timeField).flatMap { UTCTimestamp.nanoseconds(Array($0.utf8)) }
    }

    /// Carries out the action for a file. Returns the batch if it is to be delivered.
    private func carryOut(
        _ action: RecoveryMachine.Action,
        _ found: Found,
        _ path: String,
        of spoolFolder: SpoolFolder
    ) -> Batch? {
        switch action {
        case .leave: break
        case .remove: unlink(path)
        case .quarantine(let reason): self.store.quarantine(path, of: spoolFolder, reason: reason)
        case .deliver:
            guard let batch = self.keep(found, path, of: spoolFolder) else { break }
            // It was checked, and needs no memory until its turn comes.
            batch.memory.unmap()
            return batch
        case .drop(let reason):
            guard let batch = self.keep(found, path, of: spoolFolder), let topic = found.batch?.topic else { break }
            self.queue.dropRecovered(batch, reason)
            self.store.diagnostics(.recordsDropped(topic: topic, reason: reason, count: batch.count, failure: nil))
        }
        return nil
    }

    /// Counts a file as this producer's, and completes its batch. If the file is damaged, copies it first.
    private func keep(_ found: Found, _ path: String, of spoolFolder: SpoolFolder) -> Batch? {
        guard let read = found.batch else { return nil }
        let batch = read.batch
        if let damage = read.damage {
            self.store.quarantineCopy(batch.memory.spoolFile, path, of: spoolFolder, reason: damage)
        }
        self.store.chargeRecovered(batch.memory.spoolFile?.bytes ?? 0)
        return batch.sealed()
    }
}
