// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import WebTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Measures what no log call shows by itself, and writes what it found as `measure` does, as lines of `name=value` in a file.
///
/// It compiles against be75a81's library as against today's: what it uses has the same names in both.
@main
struct Appends: AsyncParsableCommand {
    @Option(help: "Where the figures go.")
    var output: String
    @Option(help: "How many threads append.")
    var threads = 1
    @Option(help: "About how many nanoseconds of other work are between two appends of a thread.")
    var betweenNs = 0
    @Option(help: "Batches are files in this directory.")
    var spool: String?
    @Option var seconds = 0.5
    @Option var warmUp = 0.1
    @Option(help: "Instead of that, log 40,000 reference records of which so many dictionaries are kept alive.")
    var keptDictionaries: Int?
    /// What `measure` is told, too; nothing is sent.
    @Option var endpoint = "http://127.0.0.1:1"

    func run() async throws {
        let figures: [(name: String, value: Double)]
        if let count = self.keptDictionaries {
            guard count > 0 else { throw ValidationError("no dictionary is to be kept") }
            figures = try await KeptRun(dictionaries: count).measure()
        } else {
            guard (1...64).contains(self.threads), self.betweenNs >= 0, self.seconds > 0 else {
                throw ValidationError("1 to 64 threads, and no time below zero")
            }
            let run = AppendRun(threads: self.threads, work: OtherWork(nanoseconds: self.betweenNs))
            figures = try await run.measure(
                configuration: self.configuration,
                seconds: self.seconds,
                warmUp: self.warmUp
            )
        }
        guard let file = fopen(self.output, "w") else { throw ValidationError("cannot write \(self.output)") }
        for (name, value) in figures { fputs("\(name)=\(value)\n", file) }
        fclose(file)
    }

    private var configuration: WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(
            endpoint: self.endpoint,
            project: "benchmark",
            logstore: "benchmark"
        )
        configuration.source = "benchmark"
        configuration.compression = .none
        if let directory = self.spool {
            configuration.durability = .process
            configuration.spool.directory = directory
        }
        return configuration
    }
}

/// The clock that durations are measured with, in nanoseconds.
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
