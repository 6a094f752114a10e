// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides which files are kept ready for future batches, from the sizes that topics ask for. Returns one step at a
/// time: a file to make or to remove.
///
/// If no file is ready when a topic needs one, a record is lost if the process dies at that moment. So as many files
/// are kept as topics asked for within ten seconds, up to a few MiB. Some of each size that a growing topic needs are
/// kept from the start.
struct ReadyFilePolicy {
    enum Step: Equatable {
        case make(bytes: Int)
        case drop(bytes: Int)
    }

    /// The files kept from the start: their number, by the size of their memory. Together 1.8 MiB, as `Docs/Spool.md` says
    /// in "Files ahead", like the window and the most.
    private static let usual = [(32 << 10, 8), (64 << 10, 4), (128 << 10, 2), (256 << 10, 4)]
    private static let window = Duration.seconds(10)
    private static let most = 8 << 20

    /// The bytes that ready files may use together, except one file for each size that was asked for.
    private let limit: Int
    private let usual: [Int: Int]
    /// How often each size was asked for in the current window, and in the one before.
    private var asked: [Int: Int] = [:]
    private var before: [Int: Int] = [:]
    private var windowEnd: MonotonicInstant?

    /// The policy for a spool of so many bytes, with a file memory of at most `largest`.
    init(maximumBytes: Int, largest: Int) {
        self.limit = max(min(maximumBytes / 8, Self.most), SpoolFile.bytes(capacity: 128 << 10))
        self.usual = Dictionary(
            uniqueKeysWithValues: Self.usual.filter { $0.0 <= largest }.map { (SpoolFile.bytes(capacity: $0.0), $0.1) }
        )
    }

    /// Notes that a topic asked for a file of so many bytes, successfully or not.
    mutating func note(_ bytes: Int, at now: MonotonicInstant) {
        self.roll(to: now)
        self.asked[bytes, default: 0] += 1
    }

    /// The next step, for these ready files by size, if the spool has `room` for so many bytes more.
    mutating func next(_ ready: [Int: Int], room: Int, at now: MonotonicInstant) -> Step? {
        self.roll(to: now)
        let wanted = self.wanted()
        for (bytes, count) in ready.sorted(by: { $0.key > $1.key }) where count > wanted[bytes, default: 0] {
            return .drop(bytes: bytes)
        }
        let missing = wanted.filter { ready[$0.key, default: 0] < $0.value }.keys.sorted()
        return missing.first { $0 <= room }.map { .make(bytes: $0) }
    }

    /// Whether to keep one more file of this size beside these.
    func wants(_ bytes: Int, beside ready: [Int: Int]) -> Bool {
        ready[bytes, default: 0] < self.wanted()[bytes, default: 0]
    }

    /// The number of files to keep of each size.
    private func wanted() -> [Int: Int] {
        let recent = self.asked.merging(self.before) { max($0, $1) }
        var wanted = recent.mapValues { _ in 1 }
        var left = self.limit
        func add(_ counts: [(key: Int, value: Int)]) {
            for (bytes, count) in counts {
                let more = min(count - wanted[bytes, default: 0], max(left, 0) / bytes)
                guard more > 0 else { continue }
                wanted[bytes, default: 0] += more
                left -= more * bytes
            }
        }
        // The usual sizes first, at least their small ones. Then by how often a size is asked for.
        add(self.usual.sorted { $0.key < $1.key })
        add(recent.sorted { ($0.value, $0.key) > ($1.value, $1.key) })
        return wanted
    }

    private mutating func roll(to now: MonotonicInstant) {
        guard let end = self.windowEnd, now < end + Self.window else {
            self.before = [:]
            self.asked = [:]
            self.windowEnd = now + Self.window
            return
        }
        guard now >= end else { return }
        self.before = self.asked
        self.asked = [:]
        self.windowEnd = end + Self.window
    }
}
