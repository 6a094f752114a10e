// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// Counts lines.
struct FileCounter {
    private let logger = Logger(label: "line-count")

    /// Prints the number of lines of each file; false if one could not be read.
    func count(_ paths: [String]) -> Bool {
        var total = 0
        var unreadable = 0
        for path in paths {
            do {
                let lines = try Data(contentsOf: URL(filePath: path)).count { $0 == UInt8(ascii: "\n") }
                print("\(lines) \(path)")
                self.logger.info("file counted", metadata: ["path": "\(path)", "lines": "\(lines)"])
                total += lines
            } catch {
                unreadable += 1
                self.logger.error("file not counted", error: error, metadata: ["path": "\(path)"])
            }
        }
        self.logger.notice("count finished", metadata: ["lines": "\(total)", "unreadable": "\(unreadable)"])
        return unreadable == 0
    }
}
