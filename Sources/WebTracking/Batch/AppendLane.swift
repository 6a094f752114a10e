// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The way of callers past the lock of a topic's queue: a place in the open batch by one atomic exchange.
///
/// A caller *claims* the next bytes of the batch and the next mark, copies its record there, and *commits* it by storing
/// the mark. No caller waits for another one. The lane is open only while a plain append is all there is to do. Whoever
/// takes the lock closes it first, and opens it again at the end.
///
/// The word belongs to the topic and not to the memory, so it can be read at any time. A thread that lost its processor
/// before its claim has touched nothing. One that lost it after its claim is waited for: a batch is sealed, copied or
/// freed only when each of its records has its mark.
struct AppendLane: ~Copyable, Sendable {
    private let word = Atomic<UInt64>(0)
    // What the word's claims are of. It changes only while the lane is closed, and the generation with it. A thread that
    // has read a part of the old and a part of the new fails at its claim, since the word is another one: hence the order
    // of these loads (acquiring) and of the stores (releasing).
    private let base = Atomic<UInt>(0)
    private let seed = Atomic<UInt64>(0)
    private let capacity = Atomic<Int>(0)
    private let bodyLimit = Atomic<Int>(0)
    private let countLimit = Atomic<Int>(0)

    /// What the claims of one generation are of.
    struct Target: Equatable {
        /// The start of the batch's memory.
        var base: UInt
        /// What the records' checks depend on; 0 if they have none.
        var seed: UInt64
        var capacity: Int
        /// Where the last record has to end, so that a request can hold it.
        var bodyLimit: Int
        /// How many records there may be: those with a place for their mark that is zero.
        var countLimit: Int
    }

    /// The place of one record.
    struct Claim {
        let start: UnsafeMutableRawPointer
        let mark: UnsafeMutableRawPointer
        /// Where the record begins and ends in the body.
        let begin: Int
        let end: Int
        /// How many records are before it.
        let number: Int
        let seed: UInt64

        /// Says that the record is there.
        @inline(__always)
        func commit(rank: Int) {
            Mark(begin: self.begin, end: self.end, rank: rank, isSynthetic: false)
                .commit(to: self.mark, record: self.start, number: self.number, seed: self.seed)
        }
    }

    /// Whether it was open a moment ago.
    @inline(__always)
    var isOpen: Bool { AppendWord(bits: self.word.load(ordering: .relaxed)).isOpen }

    /// Takes the next place, of `cost` bytes; `nil` if there is none, or the lane is closed.
    @inline(__always)
    func claim(_ cost: Int) -> Claim? {
        var word = AppendWord(bits: self.word.load(ordering: .acquiring))
        while word.isOpen {
            let target = self.target
            guard let claimed = word.adding(cost, in: target),
                let start = UnsafeMutableRawPointer(bitPattern: target.base)
            else { return nil }
            let (isDone, present) = self.word.compareExchange(
                expected: word.bits,
                desired: claimed.bits,
                ordering: .acquiringAndReleasing
            )
            if isDone {
                return Claim(
                    start: start + word.used,
                    mark: start + (target.capacity &- (word.count &+ 1) &* Mark.size),
                    begin: word.used,
                    end: claimed.used,
                    number: word.count,
                    seed: target.seed
                )
            }
            word = AppendWord(bits: present)
        }
        return nil
    }

    @inline(__always)
    private var target: Target {
        Target(
            base: self.base.load(ordering: .acquiring),
            seed: self.seed.load(ordering: .acquiring),
            capacity: self.capacity.load(ordering: .acquiring),
            bodyLimit: self.bodyLimit.load(ordering: .acquiring),
            countLimit: self.countLimit.load(ordering: .acquiring)
        )
    }

    // MARK: Under the queue's lock

    /// Ends claims. Returns where the last one ends and how many records there are; `nil` if it was closed.
    @inline(__always)
    func close() -> (used: Int, count: Int)? {
        let word = AppendWord(bits: self.word.load(ordering: .relaxed))
        guard word.isOpen else { return nil }
        let last = AppendWord(
            bits: self.word.bitwiseAnd(~AppendWord.openBit, ordering: .acquiringAndReleasing).oldValue
        )
        return (last.used, last.count)
    }

    /// Lets callers claim what is behind `used` bytes and `count` records. It has to be closed.
    @inline(__always)
    func open(_ target: Target, used: Int, count: Int) {
        var word = AppendWord(bits: self.word.load(ordering: .relaxed))
        if target != self.target {
            word.nextGeneration()
            self.base.store(target.base, ordering: .releasing)
            self.seed.store(target.seed, ordering: .releasing)
            self.capacity.store(target.capacity, ordering: .releasing)
            self.bodyLimit.store(target.bodyLimit, ordering: .releasing)
            self.countLimit.store(target.countLimit, ordering: .releasing)
        }
        self.word.store(word.opened(used: used, count: count).bits, ordering: .releasing)
    }
}

/// What callers exchange to claim a place: how much of the open batch is claimed, by generation, and whether more may be.
///
/// From the lowest bit: 26 of used bytes (64 MiB; no request has more than 10 MiB), 13 of records (8,191; no request has
/// more than 4,096), 24 of the generation, 1 of "open". A generation comes again after a million batches and more: a thread
/// would have to stand still between two instructions for as long, and find the same bytes and records.
struct AppendWord: Hashable {
    static let openBit: UInt64 = 1 << 63
    static let mostRecords = Int(Self.recordsMask)
    private static let recordsShift: UInt64 = 26
    private static let generationShift: UInt64 = 39
    private static let usedMask: UInt64 = 0x3FF_FFFF
    private static let recordsMask: UInt64 = 0x1FFF
    private static let generationMask: UInt64 = 0xFF_FFFF

    private(set) var bits: UInt64

    @inline(__always)
    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    var isOpen: Bool { self.bits & Self.openBit != 0 }
    @inline(__always)
    var used: Int { Int(truncatingIfNeeded: self.bits & Self.usedMask) }
    @inline(__always)
    var count: Int { Int(truncatingIfNeeded: self.bits >> Self.recordsShift & Self.recordsMask) }
    var generation: UInt64 { self.bits >> Self.generationShift & Self.generationMask }

    /// The word after one more record of `cost` bytes; `nil` if there is no room for it.
    @inline(__always)
    func adding(_ cost: Int, in target: AppendLane.Target) -> AppendWord? {
        let end = self.used &+ cost
        guard self.count < target.countLimit, end <= target.bodyLimit,
            // As in `OpenBatch.bytes(adding:)`.
            end &+ Envelope.footerCount &+ (self.count &+ 2) &* Mark.size <= target.capacity
        else { return nil }
        return AppendWord(bits: self.bits &+ UInt64(truncatingIfNeeded: cost) &+ 1 &<< Self.recordsShift)
    }

    mutating func nextGeneration() {
        let next = (self.generation &+ 1) & Self.generationMask
        self.bits = self.bits & ~(Self.generationMask << Self.generationShift) | next << Self.generationShift
    }

    func opened(used: Int, count: Int) -> AppendWord {
        assert(used <= Self.usedMask && count <= Self.recordsMask)
        return AppendWord(
            bits: Self.openBit | self.generation << Self.generationShift
                | UInt64(truncatingIfNeeded: count) << Self.recordsShift | UInt64(truncatingIfNeeded: used)
        )
    }
}
