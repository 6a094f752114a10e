//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Logging
import ReferenceRecords

/// swift-log alone.
struct NoOpSubject: Subject {
    func makeLogger(label: String) -> Logger {
        Logger(label: label) { _ in NoOpLogHandler() }
    }
}

/// swift-log's own handler on standard output, which the caller of this program connects to /dev/null or a pipe.
struct StreamSubject: Subject {
    func makeLogger(label: String) -> Logger {
        Logger(label: label) { StreamLogHandler.standardOutput(label: $0) }
    }
}
