// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What tests choose otherwise, so that they need no million logs.
struct StoreOptions: Sendable {
    /// How many logs share a table of words; the same for a file as long as it lives.
    var logsPerTable = StoreSchema.logsPerTable
}
