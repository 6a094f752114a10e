// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Tells the records of a transport, which it should not log, from those of the program.
enum DeliveryScope {
    /// Whether the running task is sending a request. Such a task's records linger whatever their level, so that a
    /// transport that logs its own requests brings about one request in a linger and not a storm of them.
    @TaskLocal static var isInside = false
}
