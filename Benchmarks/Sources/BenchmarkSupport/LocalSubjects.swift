// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
