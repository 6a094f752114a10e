// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Holds the reader back: to a rate, and to what the producer has room for.
struct Pace {
    /// How long the reader sleeps before it looks again.
    private static let pause = Duration.milliseconds(2)

    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let interval: Duration?
    private var count = 0

    /// - Parameter rate: Records a second; `nil` for as fast as possible.
    init(rate: Double?) {
        self.start = self.clock.now
        self.interval = rate.map { .seconds(1 / $0) }
    }

    /// Waits until the next record is due. Throws if the task is cancelled.
    mutating func waitForTurn() async throws {
        guard let interval = self.interval else { return }
        let due = self.start + interval * self.count
        self.count += 1
        // Sleeps are not exact, and a short one costs more than it gives: records that are almost due go at once.
        if due - self.clock.now > Self.pause { try await self.clock.sleep(until: due) }
    }

    /// Nothing has been shipped for so long that it is no use to wait on.
    struct Stalled: Error {}

    /// Waits until `hasRoom` says so. Throws if the task is cancelled, and ``Stalled`` once `progress` has been the same
    /// for as long as `patience`.
    func wait(patience: Duration, progress: () -> Int, until hasRoom: () -> Bool) async throws {
        var last = progress()
        var lastChange = self.clock.now
        while !hasRoom() {
            try await self.clock.sleep(for: Self.pause)
            let current = progress()
            if current != last {
                last = current
                lastChange = self.clock.now
            } else if self.clock.now - lastChange >= patience {
                throw Stalled()
            }
        }
    }
}
