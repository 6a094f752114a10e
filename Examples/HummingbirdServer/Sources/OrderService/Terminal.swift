// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Lines for the one who starts and stops the service, beside the log: written at once, whole, and never fatal.
enum Terminal {
    static func print(_ text: String) {
        self.write(text, to: .standardOutput)
    }

    static func printError(_ text: String) {
        self.write(text, to: .standardError)
    }

    private static func write(_ text: String, to file: FileDescriptor) {
        _ = try? file.writeAll("order-service: \(text)\n".utf8)
    }
}
