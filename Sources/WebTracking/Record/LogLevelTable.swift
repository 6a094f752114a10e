// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if SwiftLog
import Logging
#endif

/// The levels that outrank those of the code, by label.
final class LogLevelTable: Sendable {
    /// The level in force for one label; shared by all handlers with that label.
    final class Cell: Sendable {
        /// 7 where nothing outranks the handler's own level.
        private let rank: Atomic<UInt8>

        /// A cell of its own, in which nothing outranks the handler's level.
        static var unset: Cell { Cell(nil) }

        fileprivate init(_ level: LogLevel?) {
            self.rank = Atomic(Self.number(level))
        }

        // Releasing and acquiring: a thread that sees a wider level also sees the policy that was stored before it (`change`).
        fileprivate func set(_ level: LogLevel?) { self.rank.store(Self.number(level), ordering: .releasing) }

        /// The level in force in place of the handler's own.
        @inline(__always)
        var level: LogLevel? {
            let rank = self.rank.load(ordering: .acquiring)
            return rank < 7 ? LogLevel.ranked[Int(rank)] : nil
        }

        private static func number(_ level: LogLevel?) -> UInt8 { level.map { UInt8($0.rank) } ?? 7 }
    }

    private struct State {
        var overrides: [String: LogLevel]
        var cells: [String: Cell] = [:]
        /// How many cells there may be before those that no handler has any more are looked for.
        var sweepAt = 256
    }

    private let state: Lock<State>

    init(_ overrides: [String: LogLevel]) {
        self.state = Lock(State(overrides: overrides))
    }

    /// The cell of a label.
    func cell(for label: String) -> Cell {
        self.state.withLock { state in
            if let cell = state.cells[label] { return cell }
            if state.cells.count >= state.sweepAt {
                for label in Array(state.cells.keys) {
                    // Taken out of the dictionary, a cell that no handler has is referenced from here only.
                    var cell = state.cells.removeValue(forKey: label)
                    if !isKnownUniquelyReferenced(&cell) { state.cells[label] = cell }
                }
                state.sweepAt = max(256, state.cells.count * 2)
            }
            let cell = Cell(Self.level(of: label, in: state.overrides))
            state.cells[label] = cell
            return cell
        }
    }

    var overrides: [String: LogLevel] {
        get { self.state.withLock { $0.overrides } }
        set {
            self.state.withLock { state in
                state.overrides = newValue
                for (label, cell) in state.cells { cell.set(Self.level(of: label, in: newValue)) }
            }
        }
    }

    /// Puts other overrides in force around a change of something else: those that let less through before it, the others
    /// after it. Handlers wait for their labels' cells meanwhile.
    ///
    /// - Parameter level: What a label without an override is taken to let through.
    func change(to overrides: [String: LogLevel], otherwise level: LogLevel, around change: () -> Void) {
        self.state.withLock { state in
            for (label, cell) in state.cells {
                let new = Self.level(of: label, in: overrides)
                if new ?? level > cell.level ?? level { cell.set(new) }
            }
            change()
            state.overrides = overrides
            for (label, cell) in state.cells { cell.set(Self.level(of: label, in: overrides)) }
        }
    }

    /// How many labels are known.
    var count: Int { self.state.withLock { $0.cells.count } }

    /// The level of the longest prefix, in whole components between dots, that a label has.
    static func level(of label: String, in overrides: [String: LogLevel]) -> LogLevel? {
        guard !overrides.isEmpty else { return nil }
        var prefix = label[...]
        while true {
            if let level = overrides[String(prefix)] { return level }
            guard let dot = prefix.lastIndex(of: ".") else { return overrides[""] }
            prefix = prefix[..<dot]
        }
    }
}
