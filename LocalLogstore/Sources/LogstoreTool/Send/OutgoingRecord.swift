// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// One record to ship.
struct OutgoingRecord {
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata
    /// When the event was, in nanoseconds since 1970; `nil` for now.
    var time: Int64?
    /// The logger's; `nil` for this program's.
    var label: String?

    init(level: Logger.Level, message: String, metadata: Logger.Metadata = [:]) {
        self.level = level
        self.message = message
        self.metadata = metadata
    }
}
