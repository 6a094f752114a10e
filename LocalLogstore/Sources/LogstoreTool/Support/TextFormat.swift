// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// How lines are read or written.
enum TextFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    /// One JSON object a line.
    case ndjson
}
