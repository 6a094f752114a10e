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
    private static let pause = Duration.seconds(1)

    let directory: String
    /// Project and logstore, as a file's header has it.
    let destination: String
    private let maximumBytes: Int
    private let clock: any ProducerClock
    private let diagnostics: @Sendable (ProducerDiagnostic) -> Void
    private let identity: UInt64
    private let used = Atomic<Int>(0)
    private let damaged = Atomic<Int>(0)
    private let state: Lock<State>

    private struct State {
        var box: SpoolBox?
        var nextFile: UInt64 = 0
        /// How many batches there have been.
        var batches: UInt64 = 0
        /// Mapped.
        var free: [SpoolFile] = []
        /// Set while files cannot be had.
        var retryAt: MonotonicInstant?
        /// Files that may have been written to since they were last synced.
        var written: Set<String> = []
        /// Of those, the ones whose segments are still open.
        var open: Set<String> = []
        /// Files and folders are new since the last sync.
        var hasNewFiles = false
        var seed: UInt64
        var isClosed = false
    }

    init(
        directory: String,
        destination: String,
        maximumBytes: Int,
        identity: UInt64,
        clock: any ProducerClock,
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        self.directory = directory
        self.destination = destination
        self.maximumBytes = maximumBytes
        self.identity = identity
        self.clock = clock
        self.diagnostics = diagnostics
        self.state = Lock(State(seed: identity))
    }

    /// The bytes of the files that hold records, or are kept for new ones.
    var usedBytes: Int { self.used.load(ordering: .relaxed) }

    /// How many files were found damaged.
    var damagedFiles: Int { self.damaged.load(ordering: .relaxed) }

    /// Counts a file that was found damaged.
    func countDamaged() {
        self.damaged.add(1, ordering: .relaxed)
    }

    /// Whether files may be had, as far as is known without asking.
    var isWorthATry: Bool {
        let now = self.clock.now()
        return self.state.withLock { state in state.retryAt.map { now >= $0 } ?? true }
    }

    // MARK: Files for segments

    /// Memory in a file, of at least `capacity` bytes.
    func take(capacity: Int) -> Answer {
        let now = self.clock.now()
        let found = self.state.withLock { state -> SegmentMemory? in
            guard state.box?.isPresent == true,
                let index = state.free.lastIndex(where: {
                    $0.bytes - SpoolFormat.headerBytes >= capacity
                        && $0.bytes <= 2 * SpoolFile.bytes(capacity: capacity)
                })
            else { return nil }
            let file = state.free.remove(at: index)
            guard let page = file.page else { return nil }
            state.written.insert(file.path)
            state.open.insert(file.path)
            return SegmentMemory(file: file, page: page, seed: 0)
        }
        if let found { return .memory(found) }
        if let retryAt = self.state.withLock({ $0.retryAt }), now < retryAt { return .unavailable }
        let bytes = SpoolFile.bytes(capacity: capacity)
        guard self.charge(bytes) else { return .full }
        do throws(FileError) {
            let memory = try self.make(capacity: capacity)
            if self.state.withLock({ $0.retryAt.take() != nil }) {
                self.diagnostics(.spoolAvailable(directory: self.directory))
            }
            return .memory(memory)
        } catch {
            self.release(bytes)
            self.state.withLock { $0.retryAt = now + Self.pause }
            self.diagnostics(.spoolUnavailable(directory: self.directory, reason: String(describing: error)))
            return .unavailable
        }
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
        self.state.withLock { state in
            state.written.insert(file.path)
            state.open.insert(file.path)
            state.hasNewFiles = true
        }
        return SegmentMemory(file: file, page: page, seed: 0)
    }

    /// The producer's folder, and the number of its next file.
    private func box() throws(FileError) -> (SpoolBox, UInt64) {
        let (present, number) = self.state.withLock { state -> (SpoolBox?, UInt64) in
            defer { state.nextFile += 1 }
            return (state.box, state.nextFile)
        }
        if let present, present.isPresent { return (present, number) }
        // Files in a folder that has been removed are of no use to anybody after this process.
        self.dropFree()
        try FileSystem.makeDirectory(self.directory)
        try FileSystem.checkPrivateDirectory(self.directory)
        let made = try self.makeBox(number)
        let box = self.use(made, insteadOf: present)
        if box !== made { made.removeIfEmpty() }
        return (box, number)
    }

    private func makeBox(_ number: UInt64) throws(FileError) -> SpoolBox {
        let wallTime = self.clock.wallTime()
        for attempt in 0..<Self.attempts {
            let name = Self.boxName(wallTime: wallTime, identity: self.identity &+ number &+ attempt << 32)
            if let box = try SpoolBox.make(in: self.directory, name: name) { return box }
        }
        throw FileError("mkdir", self.directory, code: EEXIST)
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
        self.state.withLock { _ = $0.open.remove(file.path) }
    }

    /// Takes a file back whose records are done with.
    func finish(_ memory: SegmentMemory) {
        guard let file = memory.file else { return }
        let isMapped = file.page != nil
        memory.clear()
        let isWanted = self.state.withLock { state in
            isMapped && !state.isClosed && state.free.count < Self.kept && file.box === state.box
        }
        if isWanted { memory.wipe() }
        let isKept = self.state.withLock { state -> Bool in
            state.open.remove(file.path)
            state.written.remove(file.path)
            guard isWanted, !state.isClosed, state.free.count < Self.kept, file.box === state.box else { return false }
            state.free.append(file)
            return true
        }
        guard !isKept else { return }
        file.remove()
        self.release(file.bytes)
    }

    // MARK: The bound on bytes

    private func charge(_ bytes: Int) -> Bool {
        if self.used.add(bytes, ordering: .relaxed).newValue <= self.maximumBytes { return true }
        self.used.subtract(bytes, ordering: .relaxed)
        self.dropFree()
        if self.used.add(bytes, ordering: .relaxed).newValue <= self.maximumBytes { return true }
        self.used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Counts the bytes of a file that this producer has taken over.
    func chargeAdopted(_ bytes: Int) {
        self.used.add(bytes, ordering: .relaxed)
    }

    private func release(_ bytes: Int) {
        self.used.subtract(bytes, ordering: .relaxed)
    }

    /// Removes the files that are kept for later, whose sizes may not be the wanted ones.
    private func dropFree() {
        let files = self.state.withLock { state in
            defer { state.free = [] }
            return state.free
        }
        for file in files {
            file.remove()
            self.release(file.bytes)
        }
    }

    // MARK: Syncing and closing

    /// Makes everything that was written before the call survive the loss of power. Waits for the disk.
    func sync() {
        let (paths, box) = self.state.withLock { state -> ([String], SpoolBox?) in
            let paths = Array(state.written)
            // What is still open will be written to again.
            state.written = state.open
            defer { state.hasNewFiles = false }
            return (paths, state.hasNewFiles ? state.box : nil)
        }
        do throws(FileError) {
            for path in paths {
                do throws(FileError) { try FileSystem.sync(path) } catch {
                    // Delivered in the meantime.
                    guard error.isAbsence else { throw error }
                }
            }
            if let box {
                try FileSystem.sync(box.path, isDirectory: true)
                try FileSystem.sync(self.directory, isDirectory: true)
            }
        } catch {
            self.state.withLock { state in
                state.written.formUnion(paths)
                state.hasNewFiles = true
            }
            self.diagnostics(.spoolUnavailable(directory: self.directory, reason: String(describing: error)))
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
