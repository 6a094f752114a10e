// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// The processes, and the files that they share.
struct World {
    let directory: String
    let spool: String
    /// How many processes log, one after the other or at once.
    private let incarnations: Int
    /// How many threads of each process log: one for each topic, or all of them on one.
    private let writers: Int
    /// What else each child is told.
    var childArguments: [String] = []
    private var random: SeededGenerator
    private var endpoint: ChildProcess?
    private var port = 0
    private(set) var killed = 0
    private(set) var endpointKills = 0
    /// How often a process had ended by itself when it was to be killed.
    private(set) var childDeaths = 0
    private(set) var endpointDeaths = 0
    private let progress: Progress
    let counters: SharedCounters

    private var database: String { "\(self.directory)/logs.sqlite" }
    private var slots: Int { self.incarnations * self.writers }
    private var childrenLog: String { "\(self.directory)/children.log" }

    init(
        directory: String,
        spool: String? = nil,
        incarnations: Int,
        writers: Int = Plan.topics,
        seed: UInt64
    ) throws {
        self.directory = directory
        self.spool = spool ?? "\(directory)/spool"
        self.incarnations = incarnations
        self.writers = writers
        self.random = SeededGenerator(seed: ~seed)
        self.progress = try Progress(path: "\(directory)/progress", slots: incarnations * writers)
        self.counters = try SharedCounters(path: "\(directory)/counters", count: EndpointCommand.kinds.count + 1)
    }

    // MARK: Processes

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
        var port: Int?
        try self.wait("the endpoint does not start; see \(self.directory)/endpoint.log") {
            port = (try? String(contentsOfFile: portFile, encoding: .utf8)).flatMap { Int($0.dropLast()) }
            return port != nil
        }
        self.port = port ?? 0
    }

    /// Kills the endpoint if there is one.
    mutating func killEndpoint() {
        guard let endpoint = self.endpoint.take() else { return }
        if endpoint.kill() { self.endpointKills += 1 } else { self.endpointDeaths += 1 }
    }

    func startChild(_ incarnation: Int, drains: Bool = false, seed: UInt64) throws -> ChildProcess {
        // A port that nobody listens on is as good as any if the endpoint has never been there.
        let port = self.port == 0 ? 1 : self.port
        return try ChildProcess(
            [
                "child", "--endpoint", "http://127.0.0.1:\(port)", "--spool", self.spool, "--progress",
                "\(self.directory)/progress", "--slots", "\(self.slots)", "--incarnation", "\(incarnation)",
                "--seed", "\(seed)",
            ] + self.childArguments + (drains ? ["--drains"] : []),
            output: self.childrenLog
        )
    }

    mutating func kill(_ child: ChildProcess) {
        if child.kill() { self.killed += 1 } else { self.childDeaths += 1 }
    }

    /// Delivers all that is left, to an endpoint that is well.
    mutating func drain() throws {
        self.killEndpoint()
        try self.startEndpoint(faultRate: 0)
        let last = try self.startChild(0, drains: true, seed: 0)
        guard last.wait(seconds: 1200) == 0 else {
            last.kill()
            self.endpoint?.kill()
            throw ValidationError("what was left could not be delivered; see \(self.childrenLog)")
        }
        self.killEndpoint()
    }

    // MARK: Waiting

    /// Waits until so many more lines have been logged; returns how many there are.
    @discardableResult
    func waitForLines(_ count: UInt64) throws -> UInt64 {
        func lines() -> UInt64 { self.progress.logged.reduce(0, +) }
        let target = lines() + count
        try self.wait("nothing is logged any more; see \(self.childrenLog)") { lines() >= target }
        return lines()
    }

    /// Waits until the processes have said something on their standard error.
    func waitFor(_ text: String) throws {
        try self.wait("nobody says \"\(text)\"; see \(self.childrenLog)") { self.count(text) > 0 }
    }

    /// Waits until everything is stored that has been logged up to now.
    func waitUntilStored(excusing excused: [Verdict.Line: Set<UInt64>] = [:]) throws {
        let logged = self.progress.logged
        try self.wait("what was logged does not arrive; see \(self.childrenLog)") {
            try self.verdict(excusing: excused, until: logged).lost == 0
        }
    }

    private func wait(_ failure: String, until isSo: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try !isSo() {
            guard ContinuousClock.now < deadline else { throw ValidationError(failure) }
            pause(seconds: 0.02)
        }
    }

    // MARK: What is there in the end

    /// How often the processes have said something.
    func count(_ text: String) -> Int {
        let log = (try? String(contentsOfFile: self.childrenLog, encoding: .utf8)) ?? ""
        return log.split(separator: "\n").count { $0.contains(text) }
    }

    /// Compares what is stored with what was logged: until some numbers all of it, or all but what was in memory only when
    /// its process was killed.
    func verdict(
        excusing excused: [Verdict.Line: Set<UInt64>] = [:],
        until logged: [UInt64]? = nil
    ) throws -> Verdict {
        var verdict = Verdict(excused: excused, spooled: logged ?? self.progress.spooled, writers: self.writers)
        let store = try LogStore(readingFrom: self.database)
        var query = LogQuery(logstore: Plan.logstore)
        query.order = .arrival
        try store.forEachLog(matching: query) { verdict.take($0) }
        verdict.check(logged ?? self.progress.logged)
        return verdict
    }

    /// Files in the spool directory, whatever they are, but for the empty folders of processes that were killed while they
    /// made them: those are removed after an hour.
    var filesLeft: Int {
        (FileManager.default.enumerator(atPath: self.spool)?.allObjects ?? []).count {
            !"\($0)".hasPrefix(".producer-") || "\($0)".hasSuffix(".seg")
        }
    }

    /// Files that were set aside.
    var filesAside: Int {
        (FileManager.default.enumerator(atPath: self.spool)?.allObjects ?? []).count {
            "\($0)".contains("damaged") && "\($0)" != "damaged"
        }
    }
}
