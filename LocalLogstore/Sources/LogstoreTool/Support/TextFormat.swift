//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import ArgumentParser

/// How lines are read or written.
enum TextFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    /// One JSON object a line.
    case ndjson
}
