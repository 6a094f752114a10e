//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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

    @Option(help: "The share of requests that go wrong.")
    var faultRate = 0.3

    @Option(help: "Where files go; the directory has to be empty.")
    var directory: String

    func run() async throws {
        let started = ContinuousClock.now
        var world = try World(directory: self.directory, kills: self.kills, faultRate: self.faultRate, seed: self.seed)
        try world.startEndpoint(faultRate: self.faultRate)
        try world.killAll()
        try world.drain()
        var verdict = Verdict()
        let store = try LogStore(readingFrom: world.database)
        var query = LogQuery(logstore: Plan.logstore)
        query.order = .arrival
        try store.forEachLog(matching: query) { verdict.take($0) }
        verdict.check(world.progress)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let faults = EndpointCommand.kinds.enumerated().map { "\($1.name) \(world.counters[$0 + 1])" }
        print(
            """
            seed \(self.seed): \(world.killed) processes killed, \(world.endpointKills) times the endpoint
            requests \(world.counters[0]), faults: \(faults.joined(separator: ", "))
            logged \(verdict.logged), stored \(verdict.stored) with \(verdict.duplicates) duplicates, lost \(verdict.lost)
            files left \(world.filesLeft), wall time \(Int(seconds)) s
            """
        )
        for text in verdict.violations { print("violation: \(text)") }
        // A process that trapped has not been killed, and what it left would be found all the same.
        guard world.killed == self.kills, world.endpointDeaths == 0 else {
            print(
                """
                \(self.kills - world.killed) processes and \(world.endpointDeaths) times the endpoint ended by themselves; \
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
}

/// The processes, and the files that they share.
struct World {
    private let directory: String
    private let kills: Int
    private let faultRate: Double
    private var random: SeededGenerator
    private var endpoint: ChildProcess?
    private var port = 0
    private(set) var killed = 0
    private(set) var endpointKills = 0
    /// How often the endpoint had ended by itself when it was to be killed.
    private(set) var endpointDeaths = 0
    let progress: SharedCounters
    let counters: SharedCounters

    var database: String { "\(self.directory)/logs.sqlite" }
    private var spool: String { "\(self.directory)/spool" }
    private var slots: Int { self.kills * Plan.topics }

    init(directory: String, kills: Int, faultRate: Double, seed: UInt64) throws {
        self.directory = directory
        self.kills = kills
        self.faultRate = faultRate
        self.random = SeededGenerator(seed: seed)
        self.progress = try SharedCounters(path: "\(directory)/progress", count: kills * Plan.topics)
        self.counters = try SharedCounters(path: "\(directory)/counters", count: EndpointCommand.kinds.count + 1)
    }

    mutating func startEndpoint(faultRate: Double) throws {
        let portFile = "\(self.directory)/port"
        try? FileManager.default.removeItem(atPath: portFile)
        self.endpoint = try ChildProcess(
            [
                "endpoint", "--port", "\(self.port)", "--database", self.database, "--counters",
                "\(self.directory)/counters", "--port-file", portFile, "--fault-rate", "\(faultRate)", "--seed",
                "\(self.random.next() >> 1)",
            ],
            output: "\(self.directory)/endpoint.log"
        )
        for _ in 0..<1000 {
            if let text = try? String(contentsOfFile: portFile, encoding: .utf8), let port = Int(text.dropLast()) {
                self.port = port
                return
            }
            pause(seconds: 0.02)
        }
        throw ValidationError("the endpoint does not start; see \(self.directory)/endpoint.log")
    }

    private func startChild(_ incarnation: Int, drains: Bool = false, seed: UInt64) throws -> ChildProcess {
        try ChildProcess(
            [
                "child", "--endpoint", "http://127.0.0.1:\(self.port)", "--spool", self.spool, "--progress",
                "\(self.directory)/progress", "--slots", "\(self.slots)", "--incarnation", "\(incarnation)",
                "--seed", "\(seed)",
            ] + (drains ? ["--drains"] : []),
            output: "\(self.directory)/children.log"
        )
    }

    /// Starts one process after the other and kills them; mostly one lives at a time, now and then two or three.
    mutating func killAll() throws {
        var living: [ChildProcess] = []
        for incarnation in 0..<self.kills {
            living.append(try self.startChild(incarnation, seed: self.random.next() >> 1))
            pause(seconds: Double.random(in: 0.02...0.7, using: &self.random))
            if Int.random(in: 0..<8, using: &self.random) == 0 {
                self.killEndpoint()
                self.endpointKills += 1
                pause(seconds: Double.random(in: 0...0.5, using: &self.random))
                try self.startEndpoint(faultRate: self.faultRate)
            }
            let kept = Int.random(in: 0..<10, using: &self.random)
            while living.count > (kept == 0 ? 2 : kept < 3 ? 1 : 0) { self.kill(living.removeFirst()) }
        }
        for child in living { self.kill(child) }
    }

    private mutating func kill(_ child: ChildProcess) {
        if child.kill() { self.killed += 1 }
    }

    /// Delivers all that is left, to an endpoint that is well.
    mutating func drain() throws {
        self.killEndpoint()
        try self.startEndpoint(faultRate: 0)
        let last = try self.startChild(0, drains: true, seed: 0)
        guard last.wait(seconds: 1200) == 0 else {
            last.kill()
            self.endpoint?.kill()
            throw ValidationError("what was left could not be delivered; see \(self.directory)/children.log")
        }
        self.killEndpoint()
    }

    private mutating func killEndpoint() {
        if self.endpoint?.kill() == false { self.endpointDeaths += 1 }
    }

    /// Files in the spool directory, whatever they are.
    var filesLeft: Int {
        FileManager.default.enumerator(atPath: self.spool)?.allObjects.count ?? 0
    }
}
