// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What a program does between two appends: some time of the processor, and no memory that is shared.
struct OtherWork: Sendable {
    /// Steps, each of which needs the one before.
    private let steps: Int

    /// Tried out on the machine as it is now, since it is about what else happens meanwhile and not about the clock.
    init(nanoseconds: Int) {
        guard nanoseconds > 0 else {
            self.steps = 0
            return
        }
        let tried = OtherWork(steps: 1_000_000)
        // The fastest of some, since a thread may lose its processor.
        var value = Self.seed
        let times = (0..<5).map { _ in
            let start = now()
            tried.run(&value)
            return now() - start
        }
        // It never is; but what nobody asks for, the compiler leaves out.
        precondition(value != 0)
        let shortest = times.min() ?? 1
        self.steps = max(1, nanoseconds * 1_000_000 / Int(max(shortest, 1)))
    }

    private init(steps: Int) { self.steps = steps }

    static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Marsaglia's xorshift, which no compiler turns into one step.
    @inline(never)
    func run(_ value: inout UInt64) {
        for _ in 0..<self.steps {
            value ^= value << 13
            value ^= value >> 7
            value ^= value << 17
        }
    }
}
