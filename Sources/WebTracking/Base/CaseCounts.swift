// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Counts by the cases of an enumeration. It holds only those that are not zero: most topics have no drops, and there may
/// be 100,000 topics.
package struct CaseCounts<Case: Hashable & Sendable, Count: Countable>: Sendable {
    private var entries: [(key: Case, count: Count)] = []

    package init() {}

    package var isEmpty: Bool { self.entries.isEmpty }

    package subscript(key: Case) -> Count {
        get { self.entries.first { $0.key == key }?.count ?? Count() }
        set {
            if let index = self.entries.firstIndex(where: { $0.key == key }) {
                self.entries[index].count = newValue
            } else if newValue != Count() {
                self.entries.append((key, newValue))
            }
        }
    }

    package static func += (left: inout CaseCounts, right: CaseCounts) {
        for entry in right.entries { left[entry.key] += entry.count }
    }

    /// The sum over all cases.
    package var sum: Count { self.entries.reduce(into: Count()) { $0 += $1.count } }

    /// Totals by case, without zeros.
    package var totals: [Case: Int] {
        var totals: [Case: Int] = [:]
        for entry in self.entries where entry.count.total != 0 { totals[entry.key] = entry.count.total }
        return totals
    }
}

/// A number, or several of them that are counted together.
package protocol Countable: Equatable, Sendable {
    /// Zero.
    init()
    static func += (left: inout Self, right: Self)
    var total: Int { get }
}

extension Int: Countable {
    package var total: Int { self }
}
