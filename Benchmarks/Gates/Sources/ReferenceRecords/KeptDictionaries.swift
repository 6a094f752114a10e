// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Holds on to the dictionaries of the last records, as a server does that has many requests at once.
///
/// A dictionary's order depends on its address. In a loop that logs and does nothing else, each has that of the one
/// before, and so all of them have one order.
public final class KeptDictionaries: Sendable {
    private let ring: Mutex<[Logger.Metadata]>

    /// For `count` dictionaries, at least 1.
    public init(count: Int) {
        self.ring = Mutex(Array(repeating: [:], count: count))
    }

    /// In the place of the one that is `count` records older.
    func keep(_ metadata: Logger.Metadata, at index: Int) {
        self.ring.withLock { $0[index % $0.count] = metadata }
    }
}
