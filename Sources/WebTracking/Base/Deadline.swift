// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Runs `operation` until it ends or until `deadline`.
///
/// At the deadline, cancels the operation's task, and returns when the operation has ended.
func withDeadline(
    _ deadline: MonotonicInstant,
    clock: any ProducerClock,
    operation: @escaping @Sendable () async -> Void
) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { await operation() }
        group.addTask { try? await clock.sleep(until: deadline) }
        await group.next()
        group.cancelAll()
    }
}
