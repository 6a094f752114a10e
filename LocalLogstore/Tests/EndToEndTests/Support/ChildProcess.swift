// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstoreTestSupport
import SystemPackage

/// A program that runs beside the tests.
final class ChildProcess: Sendable {
    /// How it ended, and what it wrote.
    struct Outcome: Sendable {
        /// The exit status; of a process that a signal ended, the negative number of the signal.
        var status: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private let ended = AsyncStream<Int32>.makeStream()

    /// Starts the program called `name` of this package.
    ///
    /// - Parameter command: A command that starts what stands behind it.
    init(_ name: String, _ arguments: [String], directory: URL? = nil, under command: [String] = []) throws {
        let program = Self.program(name)
        self.process.executableURL = command.isEmpty ? program : URL(fileURLWithPath: "/usr/bin/env")
        self.process.arguments = command.isEmpty ? arguments : command + [program.path] + arguments
        self.process.currentDirectoryURL = directory
        self.process.standardInput = self.input
        self.process.standardOutput = self.output
        self.process.standardError = self.errors
        let ended = self.ended.continuation
        self.process.terminationHandler = { process in
            ended.yield(
                process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            )
            ended.finish()
        }
        try self.process.run()
    }

    deinit {
        // A test that failed half-way leaves nothing behind.
        if self.process.isRunning { self.process.terminate() }
    }

    /// Where the program called `name` of this package is.
    static func program(_ name: String) -> URL { self.programs.appending(path: name) }

    /// Where the package manager puts programs: beside the tests.
    private static var programs: URL {
        let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        return (tests ?? Bundle.main.executableURL ?? Bundle.main.bundleURL).deletingLastPathComponent()
    }

    /// Writes to the standard input, and closes it unless more may come.
    func write(_ text: String, isLast: Bool = true) async throws {
        let descriptor = FileDescriptor(rawValue: self.input.fileHandleForWriting.fileDescriptor)
        try await onOwnThread { _ = try descriptor.writeAll(text.utf8) }
        if isLast { try self.input.fileHandleForWriting.close() }
    }

    /// The first line of the standard output; what came before the end if there is none.
    func firstLine() async throws -> String {
        let descriptor = FileDescriptor(rawValue: self.output.fileHandleForReading.fileDescriptor)
        return try await onOwnThread {
            var line: [UInt8] = []
            var byte: [UInt8] = [0]
            while try byte.withUnsafeMutableBytes({ try descriptor.read(into: $0) }) == 1, byte[0] != 0x0A {
                line.append(byte[0])
            }
            return String(decoding: line, as: UTF8.self)
        }
    }

    /// The last line of the standard output, once it ends: `nil` if there is none.
    func lastLine() async throws -> Substring? {
        try await Self.all(self.output).split(separator: "\n").last
    }

    /// Reads no more of the standard output, as `head` does when it has seen enough. Returns the exit status, as
    /// ``Outcome`` has it.
    func statusWithoutReader() async throws -> Int32 {
        try self.output.fileHandleForReading.close()
        return await self.status()
    }

    /// Waits for the end, and reads nothing meanwhile. Returns the exit status, as ``Outcome`` has it.
    func status() async -> Int32 {
        var status: Int32 = -1
        for await value in self.ended.stream { status = value }
        return status
    }

    /// Sends SIGINT.
    func interrupt() { self.process.interrupt() }

    /// Sends SIGTERM.
    func terminate() { self.process.terminate() }

    /// Sends SIGKILL.
    func kill() { _ = Foundation.kill(self.process.processIdentifier, SIGKILL) }

    /// Waits for the end. The output is what ``firstLine()`` has not taken.
    func outcome() async throws -> Outcome {
        async let output = Self.all(self.output)
        async let errors = Self.all(self.errors)
        var status: Int32 = -1
        for await value in self.ended.stream { status = value }
        return try await Outcome(status: status, output: output, errors: errors)
    }

    @concurrent
    private static func all(_ pipe: Pipe) async throws -> String {
        let descriptor = FileDescriptor(rawValue: pipe.fileHandleForReading.fileDescriptor)
        return try await onOwnThread {
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = try block.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += block[..<count]
            }
        }
    }
}
