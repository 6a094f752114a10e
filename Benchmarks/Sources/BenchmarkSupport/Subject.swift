// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// A way of logging that is measured.
protocol Subject: Sendable {
    /// A logger with this label.
    func makeLogger(label: String) -> Logger
    /// Roughly the bytes that were logged and are still in memory, for ``Valve``.
    var pendingBytes: Int { get }
    /// Waits until all that was logged is where it was to go.
    func drain() async
    /// Ends what runs in the background.
    func stop() async
    /// What it counted of its own: at least `dropped`.
    var counts: [(name: String, value: Double)] { get }
}

extension Subject {
    var pendingBytes: Int { 0 }
    func drain() async {}
    func stop() async {}
    var counts: [(name: String, value: Double)] { [("dropped", 0)] }
}
