// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Adopts what dead producers have left in the spool directory, and hands it to a buffer for delivery.
///
/// Works behind the records of this process: one folder after the other, the oldest first, and never more than a few
/// batches ahead of their delivery. It copies nothing; a process that dies here leaves the files as they were for the
/// next one. What it does next is for ``RecoveryMachine`` to say.
struct SpoolRecovery: Sendable {
    /// How long after the last look for folders the next one comes.
    private static let interval = Duration.seconds(30)

    let store: SpoolStore
    let buffer: TopicQueue
    let clock: any ProducerClock
    /// Records older than this are dropped; `nil` for none.
    let maximumAge: Duration?
    /// Whether all is taken over, however much it is.
    let isUnbounded: Bool
    /// Whose folders are taken over.
    let access: SpoolAccess
    /// The batches of this process that wait in files, and what makes the first of them go.
    let own: @Sendable () -> [EvictionPolicy.Candidate]
    let evictOwn: @Sendable (_ atMost: Int) -> Void
    /// Where files are looked into.
    let worker: SpoolWorker
    /// Whether there may be more to deliver than what has been taken over.
    let underWay = RecoveryPass()
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    /// What was told at the start to stay.
    private let known = Known()

    private final class Known: Sendable {
        /// Folders and files; `nil` before it is told.
        let paths = Lock<Set<String>?>(nil)
    }

    /// Adopts what there is to adopt, and looks again from time to time: a process that was still stopping when this one
    /// started leaves something, too. Returns when the task is cancelled.
    func run() async {
        defer { self.underWay.end() }
        var machine = RecoveryMachine(maximumAge: self.maximumAge)
        while !Task.isCancelled {
            self.underWay.begin()
            await self.recoveryPass(&machine)
            self.underWay.end()
            guard (try? await self.clock.sleep(until: self.clock.now() + Self.interval)) != nil else { return }
        }
    }

    /// Adopts all there is to adopt; returns when that is delivered, or the task is cancelled.
    private func recoveryPass(_ machine: inout RecoveryMachine) async {
        switch await self.worker.run({ self.scan() }) {
        case .success(let (folders, victims)): machine.begin(folders, trimming: victims)
        case .failure(let error):
            machine.begin([])
            machine.failed(String(describing: error))
        }
        // The box stays locked for as long as one of its files is on its way, and then goes. One of which nothing was
        // taken is free for others at once.
        var spoolFolder: SpoolFolder?
        var step = machine.next(backlog: self.buffer.backlog)
        while step != .end, !Task.isCancelled {
            switch step {
            case .open(let folder):
                spoolFolder = nil
                spoolFolder = await self.open(folder, &machine)
            case .examine(let path):
                if let spoolFolder { await self.take(path, of: spoolFolder, &machine) }
            case .wait:
                await self.buffer.waitUntilSettled(self.buffer.settledCount + 1)
            case .end:
                break
            }
            self.reportFailure(&machine)
            step = machine.next(backlog: self.buffer.backlog)
        }
        self.reportFailure(&machine)
        if self.buffer.hasAnnouncement { self.buffer.wakeWorker() }
        if machine.filesTaken > 0 {
            self.diagnostics(
                .spoolRecovered(
                    directory: self.store.directory,
                    records: machine.records,
                    files: machine.filesTaken
                )
            )
        }
        if let target = self.buffer.enqueuedCount { await self.buffer.waitUntilSettled(target) }
    }

    private func reportFailure(_ machine: inout RecoveryMachine) {
        guard let reason = machine.takeFailure() else { return }
        self.diagnostics(.spoolFailed(directory: self.store.directory, reason: reason))
    }

    // MARK: Files

    /// The folders that there are, and which files of them are too much.
    private func scan() -> Result<([String], [String: Set<String>]), FileError> {
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
                        SpoolFolder.removeUnfinished(path, wallTime: self.clock.wallTime(), access: self.access)
                    }
                    if name.hasPrefix(SpoolFolder.prefix), !self.stays(path) { folders.append((name, path)) }
                }
            }
            // Their names begin with their time.
            let paths = folders.sorted { ($0.name, $0.path) < ($1.name, $1.path) }.map(\.path)
            guard !self.isUnbounded else { return .success((paths, [:])) }
            let scan = SpoolScan(paths, store: self.store, own: self.own)
            for rank in scan.ownVictims { self.evictOwn(rank) }
            return .success((paths, scan.victims))
        } catch {
            return error.isAbsence ? .success(([], [:])) : .failure(error)
        }
    }

    /// Tells at the start what stays, and how much that is.
    private func reportUnrecovered() {
        guard self.known.paths.withLock({ $0 == nil }) else { return }
        let directory = self.store.directory
        let inventory = SpoolInventory(directory, destination: self.store.destination, access: self.access)
        self.known.paths.withLock { $0 = inventory.refused }
        for part in inventory.parts {
            let (reason, suggestion) = part.text(directory: directory, user: self.access.user)
            self.diagnostics(
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

    /// Whether a folder is still one that may not be used, and that has been told.
    private func stays(_ folder: String) -> Bool {
        self.isKnown(folder) && (try? FileSystem.check(folder, self.access)) == nil
    }

    /// Whether it was told at the start that a folder or file stays.
    private func isKnown(_ path: String) -> Bool {
        self.known.paths.withLock { $0?.contains(path) ?? false }
    }

    private func open(_ folder: String, _ machine: inout RecoveryMachine) async -> SpoolFolder? {
        let opened = await self.worker.run { () -> Result<(SpoolFolder, [String], String?)?, FileError> in
            do throws(FileError) {
                guard let spoolFolder = try SpoolFolder.recover(folder, access: self.access) else {
                    return .success(nil)
                }
                self.store.heldFolders.note(spoolFolder)
                var failure: String?
                let files = try spoolFolder.files { path, error in
                    if !self.isKnown(path) { failure = failure ?? String(describing: error) }
                }
                return .success((spoolFolder, files, failure))
            } catch {
                return .failure(error)
            }
        }
        switch opened {
        case .success(let found):
            machine.opened(found?.1, failure: found?.2)
            return found?.0
        case .failure(let error):
            machine.failed(String(describing: error))
            return nil
        }
    }

    /// Finds out what is in a file, and does with it what is to be done.
    private func take(_ path: String, of spoolFolder: SpoolFolder, _ machine: inout RecoveryMachine) async {
        let found = await self.worker.run { self.examine(path, of: spoolFolder) }
        let action = machine.found(found.finding)
        guard let batch = await self.worker.run({ self.carryOut(action, found, path, of: spoolFolder) }) else { return }
        self.buffer.recover(batch)
    }

    /// What a file was found to be, with what it takes to deliver it.
    private struct Found: Sendable {
        var finding: RecoveryMachine.Finding
        var batch: (batch: Batch, topic: String, damage: String?)?
    }

    private func examine(_ path: String, of spoolFolder: SpoolFolder) -> Found {
        let now = self.clock.now()
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
                // A header can say any time.
                let (age, isBeyond) = self.clock.wallTime().subtractingReportingOverflow(header.openedAt)
                let limit: Int64 = header.openedAt < 0 ? .max : .min
                return Found(
                    finding: .records(batch.count, age: .nanoseconds(isBeyond ? limit : age)),
                    batch: (batch, header.topic, damage)
                )
            }
        } catch {
            if error.isAbsence { return Found(finding: .gone) }
            if self.isKnown(path) { return Found(finding: .foreign) }
            let reason = String(describing: error)
            return Found(finding: error.isShortage ? .unavailable(reason) : .unreadable(reason))
        }
    }

    /// Does with a file what is to be done with it; returns the records that are to be delivered.
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
            // Checked, and out of the way until it is its turn.
            batch.memory.unmap()
            batch.origin?.unmap()
            return batch
        case .drop(let reason):
            guard let batch = self.keep(found, path, of: spoolFolder), let topic = found.batch?.topic else { break }
            self.buffer.dropRecovered(batch, reason)
            self.diagnostics(.recordsDropped(topic: topic, reason: reason, count: batch.count, failure: nil))
        }
        return nil
    }

    /// Counts a file as this producer's, and completes its batch; before that, one that is damaged is copied.
    private func keep(_ found: Found, _ path: String, of spoolFolder: SpoolFolder) -> Batch? {
        guard let read = found.batch else { return nil }
        var batch = read.batch
        if let damage = read.damage {
            self.store.quarantineCopy(batch.spoolFile, path, of: spoolFolder, reason: damage)
        }
        self.store.chargeRecovered(batch.spoolFile?.bytes ?? 0)
        batch.seal()
        return batch
    }
}
