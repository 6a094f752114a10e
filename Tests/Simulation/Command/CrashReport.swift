// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// Names the seeds of the runs that were under way when the process ended by itself, for example by a precondition.
enum CrashReport {
    /// The seeds under way; zero where none is.
    private static let running = Places()

    private struct Places: ~Copyable {
        let first = Atomic<UInt64>(0)
        let second = Atomic<UInt64>(0)
        let third = Atomic<UInt64>(0)
        let fourth = Atomic<UInt64>(0)
    }

    /// Notes which seed a thread is at.
    static func note(_ seed: UInt64, thread: Int) {
        switch thread {
        case 0: self.running.first.store(seed, ordering: .relaxed)
        case 1: self.running.second.store(seed, ordering: .relaxed)
        case 2: self.running.third.store(seed, ordering: .relaxed)
        case 3: self.running.fourth.store(seed, ordering: .relaxed)
        default: break
        }
    }

    static func install() {
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] { signal(number) { CrashReport.write($0) } }
    }

    private static func write(_ number: Int32) {
        let places = [
            self.running.first.load(ordering: .relaxed), self.running.second.load(ordering: .relaxed),
            self.running.third.load(ordering: .relaxed), self.running.fourth.load(ordering: .relaxed),
        ]
        var text = "simulate: ended by signal \(number); the seeds under way, run each by itself with --seeds 1:\n"
        for seed in places where seed != 0 { text += "  --from \(seed)\n" }
        _ = text.withUTF8 { Self.put($0) }
        _exit(1)
    }

    private static func put(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        #if canImport(Darwin)
        Darwin.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        #elseif canImport(Glibc)
        Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        #else
        Musl.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        #endif
    }
}
