// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// `chaos run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Kills processes that log, kills the endpoint too, and counts what arrived in the end."
    )

    @Option(help: "How many processes are killed.")
    var kills = 200

    @Option(help: "What happens at random is picked by this number, except for the operating system's part.")
    var seed: UInt64 = 1

    @Option(help: "How many threads of each process append to one topic, and every other process syncs its files.")
    var threads: Int?

    @Option(help: "The share of requests that go wrong.")
    var faultRate = 0.3

    @Option(help: "Where files go; the directory has to be empty.")
    var directory: String

    func run() async throws {
        let started = ContinuousClock.now
        if let threads = self.threads, !(1...Plan.mostThreads).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to \(Plan.mostThreads)")
        }
        var world = try World(
            directory: self.directory,
            incarnations: self.kills,
            writers: self.threads ?? Plan.topics,
            seed: self.seed
        )
        try world.startEndpoint(faultRate: self.faultRate)
        try self.killAll(in: &world)
        try world.drain()
        var verdict = try world.verdict()
        verdict.checkAnnounced(0)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let faults = EndpointCommand.kinds.enumerated().map { "\($1.name) \(world.counters[$0 + 1])" }
        print(
            """
            seed \(self.seed): \(world.killed) processes killed, \(world.endpointKills) times the endpoint
            requests \(world.counters[0]), faults: \(faults.joined(separator: ", "))
            \(verdict.summary)\(self.threads == nil ? "" : "; interrupted, with whole ones behind: \(verdict.interrupted)")
            files left \(world.filesLeft), wall time \(Int(seconds)) s
            """
        )
        for text in verdict.violations { print("violation: \(text)") }
        // A process that trapped has not been killed, and what it left would be found all the same.
        guard world.childDeaths == 0, world.endpointDeaths == 0 else {
            print(
                """
                \(world.childDeaths) processes and \(world.endpointDeaths) times the endpoint ended by themselves; \
                see children.log and endpoint.log in \(self.directory)
                """
            )
            throw ExitCode.failure
        }
        guard verdict.violationCount == 0, world.filesLeft == 0, verdict.logged > 0 else {
            print("\(verdict.violationCount) violations")
            throw ExitCode.failure
        }
        print("no violation")
    }

    /// Starts one process after the other and kills them; mostly one lives at a time, now and then two or three.
    private func killAll(in world: inout World) throws {
        var random = SeededGenerator(seed: self.seed)
        var living: [ChildProcess] = []
        for incarnation in 0..<self.kills {
            if let threads = self.threads {
                // With little between two lines, so that many die in the middle of one.
                world.childArguments =
                    ["--threads", "\(threads)", "--pace", "0.02"] + (incarnation % 2 == 1 ? ["--power"] : [])
            }
            living.append(try world.startChild(incarnation, seed: random.next() >> 1))
            pause(seconds: Double.random(in: 0.02...0.7, using: &random))
            if Int.random(in: 0..<8, using: &random) == 0 {
                world.killEndpoint()
                pause(seconds: Double.random(in: 0...0.5, using: &random))
                try world.startEndpoint(faultRate: self.faultRate)
            }
            let kept = Int.random(in: 0..<10, using: &random)
            while living.count > (kept == 0 ? 2 : kept < 3 ? 1 : 0) { world.kill(living.removeFirst()) }
        }
        for child in living { world.kill(child) }
    }
}
