// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides which batches are evicted first. Each counts as its most severe record: the least severe batch is evicted
/// first, of these the oldest.
struct EvictionPolicy {
    /// A batch that may be evicted.
    struct Candidate: Equatable {
        /// The rank of its most severe record.
        var rank: Int
        /// A lower value is older: a time, or a position in the order of times.
        var age: Int64
        var bytes: Int
    }

    /// The index of the first batch to evict, if it may be evicted for a record of this rank.
    @inline(__always)
    static func first<Age: Comparable>(
        of candidates: some Sequence<(rank: Int, age: Age)>,
        atMost rank: Int
    ) -> (index: Int, rank: Int)? {
        var best: (index: Int, rank: Int, age: Age)?
        for (index, candidate) in candidates.enumerated() where candidate.rank <= rank {
            if let present = best, (present.rank, present.age) <= (candidate.rank, candidate.age) { continue }
            best = (index, candidate.rank, candidate.age)
        }
        return best.map { ($0.index, $0.rank) }
    }

    /// The indices of the batches to evict so that at least `excess` bytes become free, in that order.
    static func victims(of candidates: [Candidate], excess: Int) -> [Int] {
        guard excess > 0 else { return [] }
        let order = candidates.indices.sorted {
            (candidates[$0].rank, candidates[$0].age, $0) < (candidates[$1].rank, candidates[$1].age, $1)
        }
        var left = excess
        return Array(
            order.prefix { index in
                defer { left -= candidates[index].bytes }
                return left > 0
            }
        )
    }
}
