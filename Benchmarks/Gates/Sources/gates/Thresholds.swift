// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The counts that the tree promises.
struct Thresholds: Codable {
    /// What they were taken with, since the compiler decides too.
    var toolchain: String
    /// Instructions that this library adds to one log, by record.
    var instructionsAdded: [String: Int]

    init(toolchain: String, instructionsAdded: [String: Int]) {
        self.toolchain = toolchain
        self.instructionsAdded = instructionsAdded
    }

    init(file: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    }

    func write(to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: file))
    }

    /// The compiler, as far as it shows in conditional compilation, and the architecture.
    static var currentToolchain: String {
        #if compiler(>=6.4)
        let compiler = "Swift 6.4 or newer"
        #elseif compiler(>=6.3)
        let compiler = "Swift 6.3"
        #else
        let compiler = "Swift 6.2"
        #endif
        #if arch(x86_64)
        return "\(compiler), x86_64"
        #else
        return "\(compiler), arm64"
        #endif
    }
}
