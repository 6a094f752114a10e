// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

extension Rig {
    /// Ends the producer as a kill does: the locks of its folders are gone, its files are as they were, and with its clock
    /// its tasks stand still. For tests in a suite with ``Deaths``.
    func die() {
        _ = self.producer.unlockSpool()
        Deaths.dead.add(self.producer)
    }
}

/// Stops what has died in a test when that is over: tasks that never end would be leaks to the address sanitizer.
struct Deaths: SuiteTrait, TestTrait, TestScoping {
    @TaskLocal fileprivate static var dead = Recorder<WebTrackingProducer>()

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let dead = Recorder<WebTrackingProducer>()
        var failure: (any Error)?
        do { try await Self.$dead.withValue(dead) { try await function() } } catch { failure = error }
        for producer in dead.elements { await producer.shutdown(timeout: .zero) }
        if let failure { throw failure }
    }
}
