// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Everything that happens in a run, as one number, and as lines if somebody wants to read them.
package final class Trace {
    private let prints: Bool
    private let clock: VirtualClock
    /// FNV-1a over all events.
    package private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    package private(set) var events = 0

    package init(clock: VirtualClock, prints: Bool) {
        self.clock = clock
        self.prints = prints
    }

    /// Takes one event: its kind, its numbers, and the words for a reader.
    package func note(_ kind: StaticString, _ numbers: Int..., text: @autoclosure () -> String = "") {
        self.events += 1
        self.mix(UInt64(self.clock.elapsed.saturatedNanoseconds))
        kind.withUTF8Buffer { for byte in $0 { self.mix(UInt64(byte)) } }
        for number in numbers { self.mix(UInt64(bitPattern: Int64(number))) }
        guard self.prints else { return }
        let words = text()
        let values = numbers.map(String.init).joined(separator: " ")
        print("\(self.clock.elapsed.clockText) \(kind) \(values)\(words.isEmpty ? "" : "  \(words)")")
    }

    private func mix(_ value: UInt64) {
        self.digest = (self.digest ^ value) &* 0x100_0000_01B3
        self.digest ^= self.digest >> 32
    }
}

extension Duration {
    /// Minutes, seconds and microseconds.
    package var clockText: String {
        let microseconds = self.saturatedNanoseconds / 1000
        let fraction = String(microseconds % 1_000_000)
        let seconds = String(microseconds / 1_000_000 % 60)
        return "\(microseconds / 60_000_000):\(seconds.count < 2 ? "0" : "")\(seconds)."
            + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
