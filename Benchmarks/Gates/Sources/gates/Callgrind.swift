// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs this program under valgrind's callgrind, which executes instruction by instruction and counts.
///
/// It runs one thread at a time and shows the program a processor that has no more than AVX2. The tunables take those
/// extensions from the C library as well: it would choose its copying by the machine, and an instruction that repeats
/// itself would count once for each byte. With addresses and hash seeds fixed, what is left to chance is which second
/// and which digits a timestamp has.
enum Callgrind {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The instructions that the main thread executes in the function of that name and in what it calls.
    static func instructions(inside function: String, arguments: [String]) throws -> Int {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("gates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "valgrind", "--tool=callgrind", "--toggle-collect=\(function)", "--separate-threads=yes",
                "--callgrind-out-file=\(directory.path)/out", Bundle.main.executablePath ?? CommandLine.arguments[0],
            ] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "SWIFT_DETERMINISTIC_HASHING": "1",
                "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load",
                "LC_ALL": "C",
            ]
        ) { $1 }
        let messages = Pipe()
        process.standardError = messages
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = messages.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "valgrind failed: \(String(decoding: said.suffix(4000), as: UTF8.self))")
        }
        // Thread 1 is the main thread.
        return try self.total(of: String(contentsOfFile: "\(directory.path)/out-01", encoding: .utf8))
    }

    private static func total(of output: String) throws -> Int {
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("totals: ") }),
            let total = Int(line.dropFirst("totals: ".count)), total > 0
        else { throw Failure(description: "callgrind counted nothing") }
        return total
    }
}
