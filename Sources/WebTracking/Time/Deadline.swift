//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Runs `operation` until it ends or `deadline` has come, and says whether it ended.
///
/// At the deadline the operation's task is cancelled, and the call returns once it has reacted to that.
func withDeadline(
    _ deadline: MonotonicInstant?,
    clock: any ProducerClock,
    operation: @escaping @Sendable () async -> Void
) async -> Bool {
    guard let deadline else {
        await operation()
        return true
    }
    return await withTaskGroup(of: Bool.self) { group in
        group.addTask {
            await operation()
            return !Task.isCancelled
        }
        group.addTask {
            try? await clock.sleep(until: deadline)
            return false
        }
        let ended = await group.next() ?? false
        group.cancelAll()
        return ended
    }
}
