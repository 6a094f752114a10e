// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstoreTestSupport

/// A program of this machine that nobody here wrote.
struct Program: Sendable {
    private let file: URL

    /// `nil` if there is none of this name.
    init?(_ name: String) {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let files = (folders + ["/usr/sbin", "/sbin"]).map { "\($0)/\(name)" }
        guard let file = files.first(where: FileManager.default.isExecutableFile) else { return nil }
        self.file = URL(fileURLWithPath: file)
    }

    /// Starts it without input and output.
    func start(_ arguments: [String]) throws -> Process {
        let process = self.process(arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs it to its end, and returns its status and what it wrote.
    func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        try await onOwnThread {
            let process = self.process(arguments)
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
        }
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = self.file
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }
}
