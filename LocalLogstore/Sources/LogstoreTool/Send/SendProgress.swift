// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How far shipping has come. Shared by the reader, the task that draws, and the one that waits for signals.
final class SendProgress: Sendable {
    struct State: Sendable, Equatable {
        /// Bytes read so far.
        var bytes = 0
        /// Bytes there are; `nil` if that is not known, as with a pipe.
        var totalBytes: Int?
        /// Records read so far.
        var records = 0
        /// Whether reading has to stop.
        var isStopped = false
    }

    private let state: Mutex<State>

    init(totalBytes: Int?) {
        self.state = Mutex(State(totalBytes: totalBytes))
    }

    var snapshot: State { self.state.withLock { $0 } }

    var isStopped: Bool { self.snapshot.isStopped }

    /// Has the reader end before its next record.
    func stop() { self.state.withLock { $0.isStopped = true } }

    func add(bytes: Int = 0, records: Int = 0) {
        self.state.withLock {
            $0.bytes += bytes
            $0.records += records
        }
    }
}

extension SendProgress.State {
    /// One line: a bar if the end is known, and counts.
    func line(delivered: Int, pending: Int) -> String {
        let counts = "\(self.records) read, \(delivered) delivered, \(pending) waiting"
        guard let total = self.totalBytes, total > 0 else { return counts }
        let width = 24
        let share = min(1, Double(self.bytes) / Double(total))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return "[\(bar)] \(Int(share * 100)) %  " + counts
    }
}
