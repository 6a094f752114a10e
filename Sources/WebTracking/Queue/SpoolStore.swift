// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gives files to batches, and takes them back.
///
/// Callers and the topics' tasks only take a lock for a moment here, and make no system call: they get files that are
/// ready, and return those that are done with. Everything that may wait for a disk runs on the worker
/// (``SpoolStore/updateFiles(isForced:)``).
final class SpoolStore: Sendable {
    /// The answer to a request for memory.
    enum Answer {
        /// In a ready file; or as large on the heap, until the file that is reserved for it is made.
        case memory(BatchMemory)
        /// The bound on the spool's bytes is reached.
        case full
        /// Files cannot be made at present. The reason has been reported.
        case unavailable
    }

    /// The number of names to try for a folder.
    static let attempts: UInt64 = 1000
    /// The time from a failure to the next attempt to make files, and between two checks that the folders exist.
    static let pause = Duration.seconds(1)

    let directory: String
    /// The memory of the largest file, except for a file for one large record. It is small, so that the room left near
    /// the bound is enough for some files, and no larger than the process's limit on file sizes.
    let largestCapacity: Int
    /// Project and logstore, as in a file's header.
    let destination: String
    /// Decides which folders may be used.
    let access: SpoolAccess
    let maximumBytes: Int
    /// Whether the producer only rescues what others left. If it is not allowed to make files, it works without them,
    /// and reports nothing.
    let isRescue: Bool
    /// What a folder says of its maker; `nil` to say nothing.
    let process: SpoolProcess?
    /// Where batches are that have no file.
    let heap: HeapHome
    /// The bytes of files with records. The bytes that are reserved for more of them count, too.
    let files: ByteBudget
    let clock: any ProducerClock
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    let identity: UInt64
    /// Does everything that may wait for a disk.
    let worker: SpoolWorker
    /// Moves records that wait in memory to files, and returns how many are still in memory. Called only on the worker.
    /// With `isForced`, it does so at once and for all topics, as files may be gone. Begins with no other topic as soon as
    /// `isOver`.
    let spill: @Sendable (SpoolStore, _ isForced: Bool, _ isOver: () -> Bool) -> Int
    /// When that is over. The shutdown sets it.
    let spillsUntil = Lock<MonotonicInstant?>(nil)
    /// Rung when there is maintenance to do.
    let bell = Doorbell()
    /// The folders that are locked: this producer's own, and recovered ones.
    let heldFolders = HeldFolders()
    /// The bytes of files that are ready for new records or about to be removed.
    let spare = Atomic<Int>(0)
    /// The part of the held bytes that is for files not made yet.
    private let reserved = Atomic<Int>(0)
    /// The number of files and folders that the system has confirmed to be on the disk.
    let synced = Atomic<Int>(0)
    let state: Lock<State>

    struct State {
        var spoolFolder: SpoolFolder?
        var nextFile: UInt64 = 0
        /// The number of batches so far.
        var batches: UInt64 = 0
        /// How many files were found damaged, and how many processes were told to have ended without a stop.
        var damagedFiles = 0
        var unexpectedExits = 0
        /// Mapped, empty files in the current folder.
        var ready: [SpoolFile] = []
        var policy: ReadyFilePolicy
        /// Files that the worker has to wipe or remove, and mappings that it has to end.
        var finished: [BatchMemory] = []
        var mappings: [SpoolFile.Mapping] = []
        var isWorkRequested = false
        /// When the last batch was begun, nanoseconds since 1970, until the folder has noted that.
        var batchBegunAt: Int64?
        /// Whether the folder does not say yet who made it, as that could not be written.
        var isProcessOwed = false
        /// Whether the producer's stop is noted.
        var isStopped = false
        /// Whether records in memory may wait for a file.
        var isSpillDue = false
        /// Whether files may be gone since the last maintenance.
        var haveFilesGone = false
        /// When to try again to make files; `nil` while files can be made.
        var retryAt: MonotonicInstant?
        /// The time of the next check that the folders exist.
        var checkAt: MonotonicInstant?
        /// The kind of the failure that was last reported; `nil` once all records are in files again.
        var reported: String?
        var ledger = SyncLedger()
        var seed: UInt64
        var isClosed = false
        /// Whether no files are made: in a rescue from a directory that is read-only to this user.
        var isWithoutFiles = false
        /// Diagnostics to report later, as a thread that logs must not report them.
        var notices: [ProducerDiagnostic] = []
    }

    init(
        directory: String,
        destination: String,
        access: SpoolAccess = SpoolAccess(.owner),
        maximumBytes: Int,
        isRescue: Bool = false,
        process: SpoolProcess? = nil,
        identity: UInt64,
        heap: HeapHome,
        clock: any ProducerClock,
        worker: SpoolWorker = SpoolWorker(queue: nil),
        spill: @escaping @Sendable (SpoolStore, _ isForced: Bool, _ isOver: () -> Bool) -> Int = { _, _, _ in 0 },
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        self.directory = SpoolPaths.name(of: directory)
        self.destination = destination
        self.access = access
        self.maximumBytes = maximumBytes
        self.isRescue = isRescue
        self.process = process
        // In whole pages, as files are mapped. A write beyond `ulimit -f` fails.
        let limit = FileSystem.sizeLimit.map { max($0 - SpoolFormat.headerBytes, 0) & ~4095 } ?? .max
        self.largestCapacity = max(min(max(maximumBytes / 64, 32 << 10), limit), 4096)
        self.heap = heap
        self.files = ByteBudget(limit: maximumBytes)
        self.identity = identity
        self.clock = clock
        self.worker = worker
        self.spill = spill
        self.diagnostics = diagnostics
        let policy = ReadyFilePolicy(maximumBytes: maximumBytes, largest: self.largestCapacity)
        self.state = Lock(State(policy: policy, seed: identity))
    }

    /// The bytes of the files that hold records, or are ready for new ones.
    var usedBytes: Int {
        self.heldBytes - self.reserved.load(ordering: .relaxed) + self.spare.load(ordering: .relaxed)
    }

    /// The bytes of the files that hold records, with the bytes that are reserved for more of them.
    var heldBytes: Int { self.files.heldBytes }

    /// Whether files can be made, as far as the last attempt shows.
    var isAvailable: Bool {
        let now = self.clock.now()
        return self.state.withLock { state in state.retryAt.map { now >= $0 } ?? true }
    }

    /// Whether a file is ready.
    var hasReadyPlace: Bool { self.state.withLock { !$0.ready.isEmpty } }

    /// Whether the last attempt to make a file failed.
    var isUnavailable: Bool { self.state.withLock { !$0.isClosed && $0.retryAt != nil } }

    // MARK: Files for batches

    /// Memory in a ready file, for a record of this rank. Prefers a file of `capacity` bytes or a little more, then a
    /// smaller one of at least `needed` bytes, then a larger one of up to `largest`.
    func take(capacity: Int, needed: Int? = nil, largest: Int = 0, rank: Int) -> Answer {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.files.hasRoom(for: bytes, rank: rank) else { return .full }
        let now = self.clock.now()
        let least = SpoolFile.bytes(capacity: needed ?? capacity)
        let isInline = self.worker.isInline
        let wallTime = self.clock.wallTime()
        let (found, wasIdle, isOwed) = self.state.withLock { state -> (BatchMemory?, Bool, Bool) in
            state.policy.note(bytes, at: now)
            state.batchBegunAt = wallTime
            let (found, wasIdle) = self.takeReady(
                bytes,
                least: least,
                rank: rank,
                upTo: SpoolFile.bytes(capacity: largest),
                in: &state
            )
            guard found == nil, !isInline else { return (found, wasIdle, false) }
            state.isSpillDue = true
            guard state.retryAt == nil, state.mayMakeFiles else { return (nil, false, false) }
            // Reserve the bytes as if the file were there, so that the bound is kept.
            self.reserveFile(bytes)
            return (nil, false, true)
        }
        if wasIdle { self.bell.ring() }
        // Ask for a file to replace the one taken, or for the one that was missing.
        self.requestWork()
        if let found { return .memory(found) }
        if isOwed {
            let memory = BatchMemory(capacity: bytes - SpoolFormat.headerBytes)
            memory.reserveFile(bytes)
            return .memory(memory)
        }
        guard isInline, self.state.withLock({ $0.retryAt == nil }) else { return .unavailable }
        return self.takeForSpill(capacity: capacity, rank: rank, isReported: false)
    }

    /// Returns a ready file, and whether no bytes were held before. `reserved` of the held bytes are for this file.
    func takeReady(
        _ bytes: Int,
        least: Int,
        rank: Int,
        reserved: Int = 0,
        upTo larger: Int = 0,
        in state: inout State
    ) -> (BatchMemory?, Bool) {
        // A reservation stays valid, however full the spool is now.
        let room = reserved + self.files.room(rank: rank)
        let sizes = state.ready.map(\.bytes)
        let fitting = max(2 * bytes, SpoolFile.bytes(capacity: Intake.smallestPlace))
        // A file that is a little larger; otherwise a smaller one; otherwise a large one.
        let size =
            sizes.filter { $0 >= bytes && $0 <= min(fitting, room) }.min()
            ?? sizes.filter { $0 >= least && $0 < bytes }.max()
            ?? sizes.filter { $0 >= least && $0 <= min(larger, room) }.min()
        guard !state.isClosed, let size, let index = sizes.lastIndex(of: size), let page = state.ready[index].page
        else { return (nil, false) }
        let file = state.ready.remove(at: index)
        self.spare.subtract(size, ordering: .relaxed)
        let held = self.files.charge(size - reserved)
        self.reserved.subtract(reserved, ordering: .relaxed)
        state.ledger.noteOpened(file.path, isNew: file.isNew)
        file.isNew = false
        file.isReleased.store(false, ordering: .relaxed)
        return (BatchMemory(file: file, page: page, seed: 0), held == size)
    }

    /// Takes back a file without records, or a reservation.
    func putBack(_ memory: BatchMemory) {
        guard let file = memory.file else { return self.cancelReservation(memory.takeReserved()) }
        self.state.withLock { state in
            state.ledger.noteFinished(file.path)
            if file.spoolFolder === state.spoolFolder {
                // Needs no wipe: a header is written only when a batch is opened in it.
                state.ready.append(file)
            } else {
                // The folder was removed meanwhile.
                state.finished.append(memory)
            }
            self.files.release(file.bytes)
            self.spare.add(file.bytes, ordering: .relaxed)
        }
    }

    /// Reports a failure.
    func report(_ failure: String) {
        self.diagnostics(.spoolFailed(directory: self.directory, reason: failure))
    }

    /// Reports a failure later, as a thread that logs must not.
    func reportLater(_ failure: String) {
        self.state.withLock { $0.notices.append(.spoolFailed(directory: self.directory, reason: failure)) }
    }

    /// Reports the diagnostics that wait. Only on threads that deliver, and on the worker.
    func reportNotices() {
        let notices = self.state.withLock { state in
            defer { state.notices = [] }
            return state.notices
        }
        for notice in notices { self.diagnostics(notice) }
    }

    /// The seed for the record checks of the next batch.
    func nextSeed(in state: inout State) -> UInt64 {
        // A step of SplitMix64. Never 0: that means records without a check.
        state.seed &+= 0x9E37_79B9_7F4A_7C15
        let mixed = (state.seed ^ state.seed >> 30) &* 0xBF58_476D_1CE4_E5B9
        return (mixed ^ mixed >> 27) | 1
    }

    /// Notes that nothing more is written to a file's batch.
    @discardableResult
    func seal(_ memory: BatchMemory) -> Bool {
        guard let file = memory.file else { return false }
        self.state.withLock { $0.ledger.noteSealed(file.path) }
        return true
    }

    /// Writes all of a file's batch at once. If a round of syncs comes in between, it finds the file open, and the next
    /// round syncs it again.
    func fill<Batch>(_ memory: BatchMemory, _ write: () -> Batch) -> Batch {
        defer { self.seal(memory) }
        return write()
    }

    /// Takes back a file with settled records.
    func release(_ memory: BatchMemory) {
        guard let file = memory.file else { return }
        file.isReleased.store(true, ordering: .relaxed)
        // Note it in the file at once, so that a later process does not deliver the records again. The rest can wait.
        if !file.isQuarantined { memory.clear() }
        let isLast = self.state.withLock { state -> Bool in
            state.ledger.noteFinished(file.path)
            state.finished.append(memory)
            // The bytes count twice for a moment, rather than not at all: others read these numbers without the lock.
            self.spare.add(file.bytes, ordering: .relaxed)
            return self.files.release(file.bytes) == 0
        }
        // No maintenance is needed any more.
        if isLast { self.bell.ring() }
        self.requestWork()
    }

    /// Reserves bytes for a file that is not made yet.
    func reserveFile(_ bytes: Int) {
        self.reserved.add(bytes, ordering: .relaxed)
        self.files.charge(bytes)
    }

    /// Releases the reservation for a file that is no longer needed.
    func cancelReservation(_ bytes: Int) {
        guard bytes > 0 else { return }
        self.files.release(bytes)
        self.reserved.subtract(bytes, ordering: .relaxed)
    }

    /// Asks the worker to unmap a file that is not needed now. What was written stays in the file.
    func unmap(_ memory: BatchMemory) {
        if let mapping = memory.spoolFile?.detach() { self.unmap([mapping]) }
    }

    func unmap(_ mappings: [SpoolFile.Mapping]) {
        guard !mappings.isEmpty else { return }
        self.state.withLock { $0.mappings += mappings }
        self.requestWork()
    }

    /// Counts the bytes of a file that this producer has recovered.
    func chargeRecovered(_ bytes: Int) {
        // While nothing is held, the maintenance sleeps without a deadline.
        if self.files.charge(bytes) == bytes { self.bell.ring() }
    }

    /// Starts a round of the worker, unless one is already requested.
    private func requestWork() {
        let isFirst = self.state.withLock { state in
            defer { state.isWorkRequested = true }
            return !state.isWorkRequested
        }
        guard isFirst else { return }
        // Outside of the lock, which an inline worker takes at once. It does not spill either: the caller may hold the
        // lock of a topic (`TopicQueue.open`), which a spill takes.
        self.worker.start { self.worker.isInline ? self.updateFiles() : self.runMaintenance() }
    }
}
