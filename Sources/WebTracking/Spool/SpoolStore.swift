//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// Over 300 lines: what is bounded and kept is one set of files under one lock.

/// Gives segments files to live in, and takes the files back.
///
/// Called on the callers' threads, when a segment is opened: with a file at hand that costs a lock, otherwise the few
/// system calls that make one. Nothing here waits for a disk.
final class SpoolStore: Sendable {
    /// What became of the wish for memory.
    enum Answer {
        case memory(SegmentMemory)
        /// The bound on the spool's bytes is reached.
        case full
        /// Files cannot be had at present; the reason has been told.
        case unavailable
    }

    /// Files kept for the next segments, whose pages are mapped and in memory.
    private static let kept = 8
    /// How many names are tried for a folder.
    private static let attempts: UInt64 = 1000
    /// How long after a failure files are not asked for again.
    static let pause = Duration.seconds(1)

    let directory: String
    /// The memory of the largest file that is not for one record alone: near the bound, what is left has to be enough for
    /// some.
    let largestCapacity: Int
    /// Project and logstore, as a file's header has it.
    let destination: String
    /// Which folders are used.
    let access: SpoolAccess
    let maximumBytes: Int
    /// By rank: up to where records of the level may bring the bytes that are held.
    private let ceilings: [Int]
    private let clock: any ProducerClock
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    private let identity: UInt64
    /// The folders that are held, this producer's own and adopted ones.
    let hold = SpoolHold()
    /// The bytes of the files that hold records, and of those that are kept for new ones.
    private let held = Atomic<Int>(0)
    private let spare = Atomic<Int>(0)
    private let damaged = Atomic<Int>(0)
    let synced = Atomic<Int>(0)
    let state: Lock<State>

    struct State {
        var box: SpoolBox?
        var nextFile: UInt64 = 0
        /// How many batches there have been.
        var batches: UInt64 = 0
        /// Mapped.
        var free: [SpoolFile] = []
        /// Set while files cannot be had.
        var retryAt: MonotonicInstant?
        var ledger = SyncLedger()
        var seed: UInt64
        var isClosed = false
        /// What the callers' side has to say, which must not be said on a thread that logs.
        var notices: [ProducerDiagnostic] = []
    }

    init(
        directory: String,
        destination: String,
        access: SpoolAccess = SpoolAccess(.owner),
        maximumBytes: Int,
        identity: UInt64,
        clock: any ProducerClock,
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        self.directory = SpoolPlace.name(of: directory)
        self.destination = destination
        self.access = access
        self.maximumBytes = maximumBytes
        self.largestCapacity = max(maximumBytes / 64, 32 << 10)
        self.ceilings = (0..<7).map { SheddingPolicy().ceiling(rank: $0, limit: maximumBytes) }
        self.identity = identity
        self.clock = clock
        self.diagnostics = diagnostics
        self.state = Lock(State(seed: identity))
    }

    /// The bytes of the files that hold records, or are kept for new ones.
    var usedBytes: Int { self.heldBytes + self.spare.load(ordering: .relaxed) }

    /// The bytes of the files that hold records.
    var heldBytes: Int { self.held.load(ordering: .relaxed) }

    /// Whether a record of this rank may use a file that is held already.
    ///
    /// Levels share files. Near the bound only the severe ones go on, so that the room that is left is theirs, and no file
    /// with an error in it has to go for what is less.
    @inline(__always)
    func admits(rank: Int) -> Bool { self.held.load(ordering: .relaxed) <= self.ceilings[rank] }

    /// Whether a record of this rank would find a file for so many bytes, as far as the bound goes.
    func hasRoom(for bytes: Int, rank: Int = 6) -> Bool {
        self.held.load(ordering: .relaxed) + SpoolFile.bytes(capacity: bytes) <= self.ceilings[rank]
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
    var isWorthATry: Bool {
        let now = self.clock.now()
        return self.state.withLock { state in state.retryAt.map { now >= $0 } ?? true }
    }

    /// Whether a file for new records could not be made, and none has been made since.
    var isUnavailable: Bool { self.state.withLock { !$0.isClosed && $0.retryAt != nil } }

    // MARK: Files for segments

    /// Memory in a file, of at least `capacity` bytes, for a record of this rank.
    func take(capacity: Int, rank: Int) -> Answer {
        let now = self.clock.now()
        do throws(FileError) {
            return try self.obtain(capacity: capacity, rank: rank, at: now)
        } catch {
            self.state.withLock { state in
                state.retryAt = now + Self.pause
                state.notices.append(
                    .spoolUnavailable(directory: self.directory, reason: String(describing: error))
                )
            }
            return .unavailable
        }
    }

    /// The same for a batch that there is already. That there is no file for it says nothing of new ones, which are
    /// smaller; it is told if `isTold`, and keeps nobody else from asking.
    func takeForReturn(capacity: Int, rank: Int, isTold: Bool) -> Answer {
        do throws(FileError) {
            return try self.obtain(capacity: capacity, rank: rank, at: self.clock.now())
        } catch {
            guard isTold else { return .unavailable }
            let reason = "\(error), for a batch that waits in memory"
            self.state.withLock { $0.notices.append(.spoolTrouble(directory: self.directory, reason: reason)) }
            return .unavailable
        }
    }

    private func obtain(capacity: Int, rank: Int, at now: MonotonicInstant) throws(FileError) -> Answer {
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.held.load(ordering: .relaxed) + bytes <= self.ceilings[rank] else { return .full }
        if let found = self.takeSpare(capacity: capacity, largest: 2 * bytes, rank: rank) { return .memory(found) }
        let (retryAt, isClosed) = self.state.withLock { ($0.retryAt, $0.isClosed) }
        // Nobody would remove the folder that one made now would be in.
        guard !isClosed, retryAt.map({ now >= $0 }) ?? true else { return .unavailable }
        guard self.charge(bytes) else { return .full }
        do throws(FileError) {
            let memory = try self.make(capacity: capacity)
            self.state.withLock { state in
                if state.retryAt.take() != nil { state.notices.append(.spoolAvailable(directory: self.directory)) }
            }
            return .memory(memory)
        } catch {
            self.held.subtract(bytes, ordering: .relaxed)
            throw error
        }
    }

    /// A file that was kept for this.
    private func takeSpare(capacity: Int, largest: Int, rank: Int) -> SegmentMemory? {
        // A look at the disk is not for inside the lock, which all topics share.
        guard self.spare.load(ordering: .relaxed) > 0, let box = self.state.withLock({ $0.box }), !box.isRemoved else {
            return nil
        }
        return self.state.withLock { state in
            guard state.box === box,
                let index = state.free.lastIndex(where: {
                    $0.bytes - SpoolFormat.headerBytes >= capacity && $0.bytes <= largest
                }),
                let page = state.free[index].page,
                self.held.load(ordering: .relaxed) + state.free[index].bytes <= self.ceilings[rank]
            else { return nil }
            let file = state.free.remove(at: index)
            self.spare.subtract(file.bytes, ordering: .relaxed)
            self.held.add(file.bytes, ordering: .relaxed)
            state.ledger.noteOpened(file.path, isNew: false)
            return SegmentMemory(file: file, page: page, seed: 0)
        }
    }

    /// Says what there was to say on the callers' side; called on threads that deliver.
    func tellNotices() {
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
            state.seed &+= 0x9E37_79B9_7F4A_7C15
            let mixed = (state.seed ^ state.seed >> 30) &* 0xBF58_476D_1CE4_E5B9
            return ((mixed ^ mixed >> 27) | 1, state.batches)
        }
    }

    private func make(capacity: Int) throws(FileError) -> SegmentMemory {
        let (box, number) = try self.box()
        let file = try SpoolFile.make(box.file(number), capacity: capacity, box: box)
        let page = try file.map()
        self.state.withLock { $0.ledger.noteOpened(file.path, isNew: true) }
        return SegmentMemory(file: file, page: page, seed: 0)
    }

    /// The producer's folder, and the number of its next file.
    private func box() throws(FileError) -> (SpoolBox, UInt64) {
        let (present, number) = self.state.withLock { state -> (SpoolBox?, UInt64) in
            defer { state.nextFile += 1 }
            return (state.box, state.nextFile)
        }
        if let present {
            if !present.isRemoved { return (present, number) }
            self.noteRemoval(of: present)
        }
        // Files in a folder that has been removed are of no use to anybody after this process.
        self.dropFree()
        let (place, parents) = try SpoolPlace.prepare(self.directory, self.access)
        if !parents.isEmpty { self.state.withLock { $0.ledger.noteMade(in: parents) } }
        let made = try self.makeBox(number, in: place)
        let box = self.use(made, insteadOf: present)
        if box !== made { made.removeIfEmpty() }
        return (box, number)
    }

    /// Has it said that what was in the folder does not outlive the process, and that it is over once there is a new one.
    private func noteRemoval(of box: SpoolBox) {
        self.state.withLock { state in
            guard state.box === box else { return }
            state.box = nil
            // Nobody has to wait.
            state.retryAt = MonotonicInstant(nanoseconds: .min)
            state.notices.append(.spoolUnavailable(directory: self.directory, reason: "\(box.path) has been removed"))
        }
    }

    private func makeBox(_ number: UInt64, in place: String) throws(FileError) -> SpoolBox {
        let wallTime = self.clock.wallTime()
        for attempt in 0..<Self.attempts {
            let name = Self.boxName(wallTime: wallTime, identity: self.identity &+ number &+ attempt << 32)
            guard let box = try SpoolBox.make(in: place, name: name, access: self.access) else { continue }
            self.hold.note(box)
            if !box.isFolderLocked {
                let reason = "directories cannot be locked here; only the lock file in a folder says that it is in use"
                self.state.withLock { $0.notices.append(.spoolTrouble(directory: self.directory, reason: reason)) }
            }
            return box
        }
        throw FileError("mkdir", place, code: EEXIST)
    }

    private func use(_ made: SpoolBox, insteadOf gone: SpoolBox?) -> SpoolBox {
        self.state.withLock { state -> SpoolBox in
            // Another topic has been faster.
            if let box = state.box, box !== gone { return box }
            state.box = made
            return made
        }
    }

    /// A name by which older folders come first.
    private static func boxName(wallTime: Int64, identity: UInt64) -> String {
        "\(UInt64(bitPattern: wallTime).hexadecimal)-\(identity.hexadecimal)"
    }

    /// Notes that a file's segment is written to no more.
    func seal(_ memory: SegmentMemory) {
        guard let file = memory.file else { return }
        self.state.withLock { $0.ledger.noteSealed(file.path) }
    }

    /// Has all of a file's batch written at once. A round of syncs that comes in between finds the file open, and the
    /// next one syncs it again.
    func fill<Batch>(_ memory: SegmentMemory, _ write: () -> Batch) -> Batch {
        defer { self.seal(memory) }
        return write()
    }

    /// Takes a file back whose records are done with.
    func finish(_ memory: SegmentMemory) {
        guard let file = memory.file else { return }
        self.held.subtract(file.bytes, ordering: .relaxed)
        guard !file.isEvidence else { return self.retain(file) }
        let isMapped = file.page != nil
        memory.clear()
        let isWanted = self.state.withLock { state in
            isMapped && !state.isClosed && state.free.count < Self.kept && file.box === state.box
        }
        if isWanted { memory.wipe() }
        let isKept = self.state.withLock { state -> Bool in
            state.ledger.noteFinished(file.path)
            guard isWanted, !state.isClosed, state.free.count < Self.kept, file.box === state.box else { return false }
            state.free.append(file)
            self.spare.add(file.bytes, ordering: .relaxed)
            return true
        }
        if !isKept { file.remove() }
    }

    /// Puts a damaged file that could not be copied out of the way, where no producer looks for records.
    private func retain(_ file: SpoolFile) {
        file.unmap()
        rename(file.path, file.path + SpoolBox.damagedSuffix)
    }

    // MARK: The bound on bytes

    /// Takes bytes for a new file; files that are kept for later have to go first.
    private func charge(_ bytes: Int) -> Bool {
        let held = self.held.add(bytes, ordering: .relaxed).newValue
        if held + self.spare.load(ordering: .relaxed) <= self.maximumBytes { return true }
        self.dropFree()
        if held <= self.maximumBytes { return true }
        self.held.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Counts the bytes of a file that this producer has taken over.
    func chargeAdopted(_ bytes: Int) {
        self.held.add(bytes, ordering: .relaxed)
    }

    /// Removes the files that are kept for later, whose sizes may not be the wanted ones.
    private func dropFree() {
        let files = self.state.withLock { state in
            defer { state.free = [] }
            return state.free
        }
        for file in files {
            file.remove()
            self.spare.subtract(file.bytes, ordering: .relaxed)
        }
    }

    /// Lets go of the folder; what is in its files is the next producer's.
    func close() {
        self.dropFree()
        let box = self.state.withLock { state -> SpoolBox? in
            state.isClosed = true
            return state.box.take()
        }
        box?.removeIfEmpty()
    }
}
