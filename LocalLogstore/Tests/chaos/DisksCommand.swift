// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// `chaos disks`
struct DisksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disks",
        abstract:
            "Fails the disk and steps the clock under a process that logs, damages files, and counts what arrived."
    )

    @Option(help: "What happens: full, read-only, permission, removed, clock, damage.")
    var fault: [String] = []

    @Option(help: "What happens at random is picked by this number, except for the operating system's part.")
    var seed: UInt64 = 1

    @Option(help: "How many processes are killed between two steps of the clock, and with damage to their files.")
    var kills = 20

    @Option(help: "Where files go; the directory has to be empty.")
    var directory: String

    func run() async throws {
        let started = ContinuousClock.now
        var failed: [String] = []
        for name in self.fault {
            let directory = "\(self.directory)/\(name)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let violations: [String]
            switch name {
            case "clock": violations = try self.stepClock(in: directory)
            case "damage": violations = try self.damageFiles(in: directory)
            default:
                guard let fault = DiskFault(rawValue: name) else { throw ValidationError("there is no fault \(name)") }
                violations = try self.failDisk(fault, in: directory)
            }
            for text in violations { print("violation: \(text)") }
            if !violations.isEmpty { failed.append(name) }
        }
        guard failed.isEmpty else {
            print("violations with \(failed.joined(separator: ", ")); see the logs in \(self.directory)")
            throw ExitCode.failure
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        print("no violation with \(self.fault.joined(separator: ", ")); wall time \(Int(seconds)) s")
    }

    /// Says at once what is done, also where the output is no terminal.
    private func announce(_ fault: String, _ text: String) {
        print("\(fault): \(text)")
        fflush(nil)
    }

    /// What each fault has to keep besides.
    private func violations(of verdict: inout Verdict, in world: World, announced: UInt64 = 0) -> [String] {
        verdict.checkAnnounced(announced)
        verdict.expect(world.childDeaths == 0, "a process ended by itself")
        return verdict.violations
    }

    // MARK: A disk that fails and recovers

    /// One process logs all the time; the endpoint is away before the disk fails, and again before the process is killed.
    private func failDisk(_ fault: DiskFault, in directory: String) throws -> [String] {
        self.announce(
            fault.rawValue,
            "under a process that logs and has no endpoint, \(fault.story); it catches up, logs on and is killed"
        )
        var world = try World(
            directory: directory,
            spool: fault.prepare(in: directory),
            incarnations: 1,
            seed: self.seed
        )
        // Nobody keeps the superuser from writing.
        world.childArguments = ["--pace", "20"] + (fault == .permission && geteuid() == 0 ? ["--user", "65534"] : [])
        if fault == .permission && geteuid() == 0 {
            chmod(self.directory, 0o711)
            let place = URL(fileURLWithPath: world.spool).deletingLastPathComponent().path
            for path in [place, "\(directory)/progress"] { chown(path, 65534, 65534) }
        }
        try world.startEndpoint(faultRate: 0)
        let child = try world.startChild(0, seed: self.seed)
        defer { child.kill() }
        try world.waitForLines(500)
        world.killEndpoint()
        let before = try world.waitForLines(300)
        try fault.strike(world.spool)
        try world.waitFor("cannot spool to")
        let during = try world.waitForLines(500)
        try fault.heal(world.spool)
        try world.waitFor("again")
        // A file that is open stays what it is; one that waits for its turn is gone with its lines.
        var damage = FileDamage()
        if fault == .removed { try damage.excuseAll(in: DiskFault.removed(world.spool)) }
        // What is logged from here on is in files. What came before was in memory, and has to be delivered first.
        try world.waitForLines(300)
        try world.startEndpoint(faultRate: 0)
        try world.waitUntilStored(excusing: damage.excused)
        world.killEndpoint()
        let last = try world.waitForLines(300)
        world.kill(child)
        try world.drain()
        try fault.cleanUp(world.spool)
        var verdict = try world.verdict(excusing: damage.excused)
        let missing = verdict.missing == 0 ? "" : ", missing with their files \(verdict.missing)"
        print(
            """
            \(fault.rawValue): the disk failed after \(before) lines and was well after \(during); killed after \(last) \
            without an endpoint; \(verdict.summary)\(missing)
            """
        )
        return self.violations(of: &verdict, in: world, announced: verdict.missing)
    }

    // MARK: A clock that steps

    private func stepClock(in directory: String) throws -> [String] {
        self.announce(
            "clock",
            "\(self.kills) processes log, the wall clock of each steps by a day and back, and each is killed"
        )
        var world = try World(directory: directory, incarnations: self.kills, seed: self.seed)
        let clock = try SharedCounters(path: "\(directory)/clock", count: 1)
        var random = SeededGenerator(seed: self.seed)
        world.childArguments = ["--clock", "\(directory)/clock"]
        try world.startEndpoint(faultRate: 0.3)
        var steps = 0
        for incarnation in 0..<self.kills {
            let child = try world.startChild(incarnation, seed: random.next() >> 1)
            for _ in 0..<2 {
                pause(seconds: Double.random(in: 0.1...0.5, using: &random))
                let day: Int64 = 86_400_000_000_000
                clock[0] = UInt64(bitPattern: [-day, 0, day].randomElement(using: &random) ?? 0)
                steps += 1
            }
            pause(seconds: Double.random(in: 0.05...0.3, using: &random))
            world.kill(child)
        }
        clock[0] = 0
        try world.drain()
        var verdict = try world.verdict()
        let hours = verdict.span / 3600
        print(
            """
            clock: \(steps) steps of a day, \(self.kills) kills, the lines' own times span \(Int(hours)) h; \
            \(verdict.summary)
            """
        )
        // Or the clock was not the process's at all.
        verdict.expect(hours > 20, "the process has not seen the clock's steps")
        return self.violations(of: &verdict, in: world)
    }

    // MARK: Files that are damaged between two lives

    private func damageFiles(in directory: String) throws -> [String] {
        self.announce(
            "damage",
            "\(self.kills) processes log and are killed, and of the files of each a quarter are damaged at random places"
        )
        var world = try World(directory: directory, incarnations: self.kills, seed: self.seed)
        var random = SeededGenerator(seed: self.seed)
        var damage = FileDamage()
        for incarnation in 0..<self.kills {
            // With an endpoint all the time there would be little to damage.
            let isHealthy = Int.random(in: 0..<3, using: &random) == 0
            if isHealthy { try world.startEndpoint(faultRate: 0.3) }
            let child = try world.startChild(incarnation, seed: random.next() >> 1)
            pause(seconds: Double.random(in: 0.2...0.8, using: &random))
            world.kill(child)
            if isHealthy { world.killEndpoint() }
            try damage.strike(world.spool, random: &random)
        }
        try world.drain()
        var verdict = try world.verdict(excusing: damage.excused)
        let aside = world.filesAside
        let told = world.count("spool file set aside")
        let harmed = damage.harmed.values.count { $0.contains { verdict.isMissing($0.0, $0.1) } }
        let unharmed = damage.files - aside
        print(
            """
            damage: \(damage.files) files of \(self.kills) killed processes damaged, \(aside) of them kept aside\
            \(unharmed > 0 ? " (\(unharmed) were read as whole)" : ""); \
            \(verdict.missing) damaged lines missing, as they may be; \
            \(verdict.lost == 0 ? "no other line lost" : "\(verdict.lost) other lines LOST"); \(verdict.storedSummary)
            """
        )
        verdict.expect(aside >= harmed, "\(harmed) files have lost lines, and only \(aside) are kept")
        // Lines of one kind are thinned out on standard error.
        verdict.expect(told > 0, "nobody was told of the damage")
        verdict.expect(harmed > 0, "nothing was damaged that mattered")
        return self.violations(of: &verdict, in: world)
    }
}
