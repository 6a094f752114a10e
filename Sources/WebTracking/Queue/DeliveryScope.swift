// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Separates the records that a transport itself logs, which it should not, from the program's.
enum DeliveryScope {
    /// Whether the running task is sending a request. The records of such a task linger at any level. So a transport
    /// that logs its own requests causes one request for each linger, and not more and more of them.
    @TaskLocal static var isInside = false
}
