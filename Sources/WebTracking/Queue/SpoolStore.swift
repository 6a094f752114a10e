// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gives batches files to live in, and takes the files back.
///
/// What callers and topics' tasks do here takes a lock for a moment and no system call: they get files that are ready, and
/// hand back those that are done with. All that may wait for a disk is the worker's (``SpoolStore/work(isForced:)``).
final class SpoolStore: Sendable {
    /// What became of the wish for memory.
    enum Answer {
        case memory(BatchMemory)
        /// The bound on the spool's bytes is reached.
        case full
        /// No file is ready. One will be soon, for so many bytes, which are held for it.
        case reserved(bytes: Int)
        /// Files cannot be had at present; the reason has been told.
        case unavailable
    }

    /// How many names are tried for a folder.
    static let attempts: UInt64 = 1000
    /// How long after a failure files are not asked for again, and how often it is looked whether the folders are there.
    static let pause = Duration.seconds(1)

    let directory: String
    /// The memory of the largest file that is not for one record alone: near the bound, what is left has to be enough for
    /// some, and a process may be limited in the size of its files.
    let largestCapacity: Int
    /// Project and logstore, as a file's header has it.
    let destination: String
    /// Which folders are used.
    let access: SpoolAccess
    let maximumBytes: Int
    /// Whether it is there for what others left: then it does without files where it may make none, and says nothing of it.
    let isRescue: Bool
    /// By rank: up to where records of the level may bring the bytes that are held.
    private let ceilings: [Int]
    let clock: any ProducerClock
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    let identity: UInt64
    /// Where everything is done that may wait for a disk.
    let worker: SpoolWorker
    /// Moves what waits in memory to files, and says how many records are still there; only on the worker. With `true`, for
    /// all topics and at once, as files may have gone.
    let spillToFiles: @Sendable (_ isForced: Bool) -> Int
    /// Rung when there is something to look after.
    let bell = Doorbell()
    /// The folders that are held, this producer's own and adopted ones.
    let heldFolders = HeldFolders()
    /// The bytes of the files that hold records, and of those that are ready for new ones or on their way to be removed.
    let held = Atomic<Int>(0)
    let spare = Atomic<Int>(0)
    /// Of the bytes that are held, those of files that are still to come.
    private let reserved = Atomic<Int>(0)
    private let damaged = Atomic<Int>(0)
    let synced = Atomic<Int>(0)
    let state: Lock<State>

    struct State {
        var spoolFolder: SpoolFolder?
        var nextFile: UInt64 = 0
        /// How many batches there have been.
        var batches: UInt64 = 0
        /// Mapped, empty, in the present folder.
        var ready: [SpoolFile] = []
        var policy: ReadyFilePolicy
        /// What the worker has to wipe or remove, and the mappings that it has to end.
        var finished: [BatchMemory] = []
        var mappings: [SpoolFile.Mapping] = []
        var isWorkAsked = false
        /// Whether records may wait in memory for a file.
        var isSpillDue = false
        /// Whether files may have gone since that was last seen to.
        var haveFilesGone = false
        /// Set while files cannot be had.
        var retryAt: MonotonicInstant?
        /// When it is next looked whether the folders are there.
        var checkAt: MonotonicInstant?
        /// The kind of the failure to make files that was last reported; `nil` once all records are in files again.
        var reported: String?
        var ledger = SyncLedger()
        var seed: UInt64
        var isClosed = false
        /// Whether files of its own are not made, in a rescue of what may not be written to.
        var isWithoutFiles = false
        /// What there is to say, which must not be said on a thread that logs.
        var notices: [ProducerDiagnostic] = []
    }

    init(
        directory: String,
        destination: String,
        access: SpoolAccess = SpoolAccess(.owner),
        maximumBytes: Int,
        isRescue: Bool = false,
        identity: UInt64,
        clock: any ProducerClock,
        worker: SpoolWorker = SpoolWorker(queue: nil),
        spillToFiles: @escaping @Sendable (_ isForced: Bool) -> Int = { _ in 0 },
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        self.directory = SpoolPaths.name(of: directory)
        self.destination = destination
        self.access = access
        self.maximumBytes = maximumBytes
        self.isRescue = isRescue
        let limit = FileSystem.sizeLimit.map { max($0 - SpoolFormat.headerBytes, 0) & ~4095 } ?? .max
        self.largestCapacity = max(min(max(maximumBytes / 64, 32 << 10), limit), 4096)
        self.ceilings = (0..<7).map { SheddingPolicy().ceiling(rank: $0, limit: maximumBytes) }
        self.identity = identity
        self.clock = clock
        self.worker = worker
        self.spillToFiles = spillToFiles
        self.diagnostics = diagnostics
        let policy = ReadyFilePolicy(maximumBytes: maximumBytes, largest: self.largestCapacity)
        self.state = Lock(State(policy: policy, seed: identity))
    }

    /// The bytes of the files that hold records, or are kept for new ones.
    var usedBytes: Int {
        self.heldBytes - self.reserved.load(ordering: .relaxed) + self.spare.load(ordering: .relaxed)
    }

    /// The bytes of the files that hold records, or will.
    var heldBytes: Int { self.held.load(ordering: .relaxed) }

    /// Whether a record of this rank may use a file that is held already.
    ///
    /// Levels share files. Near the bound only the severe ones go on, so that the room that is left is theirs, and no file
    /// with an error in it has to go for what is less.
    @inline(__always)
    func admits(rank: Int) -> Bool { self.held.load(ordering: .relaxed) <= self.ceilings[rank] }

    /// Whether a record of this rank would find a file for so many bytes, as far as the bound goes.
    func hasRoom(for bytes: Int, rank: Int = 6, reserved: Int = 0) -> Bool {
        let more = SpoolFile.bytes(capacity: bytes) - reserved
        return (reserved > 0 && more <= 0) || self.held.load(ordering: .relaxed) + more <= self.ceilings[rank]
    }

    /// How many files were found damaged.
    var damagedFiles: Int { self.damaged.load(ordering: .relaxed) }

    /// How many files and folders the system has said are on the disk.
    var syncs: Int { self.synced.load(ordering: .relaxed) }

    /// Counts a file that was found damaged.
    func countDamaged() {
        self.damaged.add(1, ordering: .relaxed)
    }

    /// Whether files may be had, as far as is known without asking.
    var isAvailable: Bool {
        let now = self.clock.now()
        return self.state.withLock { state in state.retryAt.map { now >= $0 } ?? true }
    }

    /// Whether a file is ready.
    var hasReadyFile: Bool { self.state.withLock { !$0.ready.isEmpty } }

    /// Whether a file that is wanted could not be made, and it has not been possible since.
    var isUnavailable: Bool { self.state.withLock { !$0.isClosed && $0.retryAt != nil } }

    // MARK: Files for batches

    /// Memory in a file that is ready, for a record of this rank: of `capacity` bytes or a little more, or else of less, but
    /// at least `needed`; and rather than none, of up to `largest`.
    func take(capacity: Int, needed: Int? = nil, largest: Int = 0, rank: Int) -> Answer {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.held.load(ordering: .relaxed) + bytes <= self.ceilings[rank] else { return .full }
        let now = self.clock.now()
        let least = SpoolFile.bytes(capacity: needed ?? capacity)
        let isInline = self.worker.isInline
        let (found, wasIdle, isOwed) = self.state.withLock { state -> (BatchMemory?, Bool, Bool) in
            state.policy.note(bytes, at: now)
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
            // As if it were there, so that the bound is kept.
            self.reserveFile(bytes)
            return (nil, false, true)
        }
        if wasIdle { self.bell.ring() }
        // The next one, or this one.
        self.ask()
        if let found { return .memory(found) }
        if isOwed { return .reserved(bytes: bytes) }
        guard isInline, self.state.withLock({ $0.retryAt == nil }) else { return .unavailable }
        return self.takeForSpill(capacity: capacity, rank: rank, isReported: false)
    }

    /// A ready file, and whether nothing was held before it. Of what is held, `reserved` is for this.
    func takeReady(
        _ bytes: Int,
        least: Int,
        rank: Int,
        reserved: Int = 0,
        upTo larger: Int = 0,
        in state: inout State
    ) -> (BatchMemory?, Bool) {
        // What is owed was granted, whatever has been held since.
        let room = reserved + max(self.ceilings[rank] - self.held.load(ordering: .relaxed), 0)
        let sizes = state.ready.map(\.bytes)
        let fitting = max(2 * bytes, SpoolFile.bytes(capacity: TopicQueue.smallestFile))
        // One that is a little larger, or one that is smaller; and rather than none, a large one.
        let size =
            sizes.filter { $0 >= bytes && $0 <= min(fitting, room) }.min()
            ?? sizes.filter { $0 >= least && $0 < bytes }.max()
            ?? sizes.filter { $0 >= least && $0 <= min(larger, room) }.min()
        guard !state.isClosed, let size, let index = sizes.lastIndex(of: size), let page = state.ready[index].page
        else { return (nil, false) }
        let file = state.ready.remove(at: index)
        self.spare.subtract(size, ordering: .relaxed)
        let held = self.held.add(size - reserved, ordering: .relaxed).newValue
        self.reserved.subtract(reserved, ordering: .relaxed)
        state.ledger.noteOpened(file.path, isNew: file.isNew)
        file.isNew = false
        return (BatchMemory(file: file, page: page, seed: 0), held == size)
    }

    /// Takes a file back in which nothing was written.
    func putBack(_ memory: BatchMemory) {
        guard let file = memory.file else { return }
        self.state.withLock { state in
            state.ledger.noteFinished(file.path)
            state.ready.append(file)
            self.held.subtract(file.bytes, ordering: .relaxed)
            self.spare.add(file.bytes, ordering: .relaxed)
        }
    }

    /// Says what there was to say; called on threads that deliver, and on the worker.
    func reportNotices() {
        let notices = self.state.withLock { state in
            defer { state.notices = [] }
            return state.notices
        }
        for notice in notices { self.diagnostics(notice) }
    }

    /// The next batch's seed for its record checks, never 0, and its place among the batches.
    func nextBatch() -> (seed: UInt64, order: UInt64) {
        self.state.withLock { state in
            state.batches += 1
            return (self.nextSeed(in: &state), state.batches)
        }
    }

    func nextSeed(in state: inout State) -> UInt64 {
        state.seed &+= 0x9E37_79B9_7F4A_7C15
        let mixed = (state.seed ^ state.seed >> 30) &* 0xBF58_476D_1CE4_E5B9
        return (mixed ^ mixed >> 27) | 1
    }

    /// Notes that a file's batch is written to no more.
    func seal(_ memory: BatchMemory) {
        guard let file = memory.file else { return }
        self.state.withLock { $0.ledger.noteSealed(file.path) }
    }

    /// Has all of a file's batch written at once. A round of syncs that comes in between finds the file open, and the
    /// next one syncs it again.
    func fill<Batch>(_ memory: BatchMemory, _ write: () -> Batch) -> Batch {
        defer { self.seal(memory) }
        return write()
    }

    /// Takes a file back whose records are done with.
    func release(_ memory: BatchMemory) {
        guard let file = memory.file else { return }
        // Says so in the file at once; the rest can wait.
        if !file.isQuarantined { memory.clear() }
        let isLast = self.state.withLock { state -> Bool in
            state.ledger.noteFinished(file.path)
            state.finished.append(memory)
            self.spare.add(file.bytes, ordering: .relaxed)
            let held = self.held.subtract(file.bytes, ordering: .relaxed).newValue
            return held == 0
        }
        // Nothing to look after any more.
        if isLast { self.bell.ring() }
        self.ask()
    }

    /// Holds bytes for a file that is to come.
    func reserveFile(_ bytes: Int) {
        self.reserved.add(bytes, ordering: .relaxed)
        self.held.add(bytes, ordering: .relaxed)
    }

    /// Gives back what was held for a file that nobody needs any more.
    func cancelReservation(_ bytes: Int) {
        guard bytes > 0 else { return }
        self.held.subtract(bytes, ordering: .relaxed)
        self.reserved.subtract(bytes, ordering: .relaxed)
    }

    /// Has the mapping of a file ended that is not needed at present; what was written stays in the file.
    func unmap(_ memory: BatchMemory) {
        guard let mapping = memory.file?.detach() else { return }
        self.state.withLock { $0.mappings.append(mapping) }
        self.ask()
    }

    /// Counts the bytes of a file that this producer has taken over.
    func chargeRecovered(_ bytes: Int) {
        let held = self.held.add(bytes, ordering: .relaxed).newValue
        if held == bytes { self.bell.ring() }
    }

    /// Has the worker do what there is to do.
    private func ask() {
        let isFirst = self.state.withLock { state in
            defer { state.isWorkAsked = true }
            return !state.isWorkAsked
        }
        guard isFirst else { return }
        self.worker.start { self.worker.isInline ? self.work() : self.workOff() }
    }
}
