// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How far processes have come with their lines, in a page that outlives them: for each topic and process the number of its
/// last line, and of the last of which the library did not say that it, or one before it, was in memory only.
struct Progress: Sendable {
    private let counters: SharedCounters
    let slots: Int

    init(path: String, slots: Int) throws {
        self.counters = try SharedCounters(path: path, count: 2 * slots)
        self.slots = slots
    }

    func note(logged number: UInt64, in slot: Int) { self.counters[slot] = number }
    func note(spooled number: UInt64, in slot: Int) { self.counters[self.slots + slot] = number }

    /// The numbers of the last lines.
    var logged: [UInt64] { (0..<self.slots).map { self.counters[$0] } }
    /// The numbers of the last lines that are in files, or delivered.
    var spooled: [UInt64] { (0..<self.slots).map { self.counters[self.slots + $0] } }
}
