// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Runs `operation` until it ends or `deadline` has come.
///
/// At the deadline the operation's task is cancelled, and the call returns once it has reacted to that.
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
