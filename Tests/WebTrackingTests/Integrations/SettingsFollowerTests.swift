// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite("A configuration that is followed", .timeLimit(.minutes(10)))
struct SettingsFollowerTests: SettingsTests {
    let folder = SpoolDirectory()

    init() throws {
        try FileSystem.makeDirectory(self.folder.path)
    }

    private func followed(
        _ path: String,
        isLimited: Bool = false,
        _ body: (WebTrackingProducer, ManualClock, Recorder<String>) async throws -> Void
    ) async throws {
        let reported = Recorder<String>()
        let clock = ManualClock(wallTime: Rig.start)
        let limiter = DiagnosticLimiter(clock: clock)
        let source = WebTrackingSettingsFile(path)
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(file: source),
            transport: InMemoryTransport(),
            diagnostics: DiagnosticHandler {
                if let line = isLimited ? limiter.line(for: $0) : "\($0)" { reported.add(line) }
            },
            clock: clock
        )
        let follower = Task { await producer.follow(file: source) }
        try await body(producer, clock, reported)
        follower.cancel()
        await follower.value
        await producer.shutdown(timeout: .seconds(1))
    }

    /// Moves the clock until `condition` holds.
    private func pass(_ clock: ManualClock, until condition: () -> Bool) async {
        while !condition() {
            guard !Task.isCancelled else {
                Issue.record("the time limit came before the condition held")
                return
            }
            clock.advance(by: .seconds(1))
            for _ in 0..<10 { await Task.yield() }
        }
    }

    @Test("A misspelt key, broken JSON or a missing file is reported while it is followed, and changes nothing")
    func followsAFile() async throws {
        let path = self.file("live.json", #"{\#(Self.required), "logLevels": {"shop": "debug"}}"#)
        try await self.followed(path) { producer, clock, reported in
            #expect(producer.logLevelOverrides == ["shop": .debug])
            _ = self.file("live.json", #"{\#(Self.required), "logLevels": {"shop": "trace"}}"#)
            await self.pass(clock) { producer.logLevelOverrides == ["shop": .trace] }
            await reported.wait(for: 2)
            #expect(reported.elements.last?.hasPrefix("settings in force: level info, shop=trace;") == true)
            for (text, part) in [
                (#"{\#(Self.required), "logLevel5": {"shop": "error"}}"#, "Did you mean logLevel?"),
                (#"{\#(Self.required), "logLevels": "#, "not JSON at line 1"),
                (#"{\#(Self.required), "redaction": {"mask": {"mail": true}}}"#, "redaction.mask"),
                (#"{\#(Self.required), "batching": 3}"#, "batching"),
                // Not read anew while the program runs, but at its next start.
                (#"{\#(Self.required), "batching": {"lingerSeconds": true}}"#, "batching.lingerSeconds"),
                (#"{\#(Self.required), "memoryLimit": 1}"#, "memoryLimit"),
            ] {
                let count = reported.elements.count
                _ = self.file("live.json", text)
                await self.pass(clock) { reported.elements.count > count }
                #expect(reported.elements.last?.hasPrefix("settings refused") == true)
                #expect(reported.elements.last?.contains(part) == true)
                #expect(producer.logLevelOverrides == ["shop": .trace])
            }
            let count = reported.elements.count
            unlink(path)
            await self.pass(clock) { reported.elements.count > count }
            #expect(reported.elements.last?.contains("No such file") == true)
            // The same error is reported once.
            for _ in 0..<5 { await self.pass(clock) { true } }
            #expect(reported.elements.count == count + 1)
            _ = self.file("live.json", #"{\#(Self.required), "logLevels": {"shop": "error"}}"#)
            await self.pass(clock) { producer.logLevelOverrides == ["shop": .error] }
        }
    }

    @Test("Each change of a followed file is reported as in force or refused, also several within a second")
    func reportsEachChange() async throws {
        let names = #""a", "b", "c", "d", "e""#
        let path = self.file("changed.json", #"{\#(Self.required), "redaction": {"mask": [\#(names), "f"]}}"#)
        try await self.followed(path, isLimited: true) { producer, clock, reported in
            for (members, part) in [
                // Beyond what the line shows of the names.
                (#""redaction": {"mask": [\#(names), "g"]}"#, "redaction standard, mask a b c d e and 1 more"),
                (#""redactoin": {}"#, "settings refused"),
                (#""redaction": {"mask": {"h": true}}"#, "settings refused"),
                // What is in force already, after all.
                (#""redaction": {"mask": [\#(names), "g"]}"#, "settings in force"),
                (#""logLevel5": {}"#, "settings refused"),
            ] {
                let count = reported.elements.count
                _ = self.file("changed.json", "{\(Self.required), \(members)}")
                let start = clock.now()
                await self.pass(clock) { reported.elements.count > count || clock.now() - start > .seconds(60) }
                #expect(reported.elements.count == count + 1, "\(members)")
                #expect(reported.elements.last?.contains(part) == true, "\(members)")
                #expect(reported.elements.last?.contains("like it") == false)
            }
            #expect(producer.redaction.rules.contains(.key("g", .mask)))
        }
    }

    @Test("A change in a followed file that needs a restart is reported, and the rest of the file is in force")
    func reportsWhatNeedsARestart() async throws {
        let tags = #""tags": {"a": "b"}"#
        let path = self.file("start.json", #"{\#(Self.required), "memoryLimit": 2000000, \#(tags)}"#)
        try await self.followed(path) { producer, clock, reported in
            #expect(reported.elements == ["settings in force: level info; redaction standard; sampling off"])
            for (members, end) in [
                (#""memoryLimit": 3000000, \#(tags)"#, "sampling off; not before the next start: memoryLimit"),
                (
                    #""memoryLimit": 4000000, "tags": {}, "logLevels": {"shop": "debug"}, "logLevel": "debug""#,
                    "shop=debug; redaction standard; sampling off; not before the next start: logLevel, memoryLimit, tags"
                ),
                // What is gone is in force as well until the next start.
                (#""memoryLimit": 2e6"#, "sampling off; not before the next start: tags"),
                (#""memoryLimit": 2000000, "tags": ["a=b"]"#, "sampling off"),
                (#""memoryLimit": 2000000, \#(tags), "project": "another""#, "not before the next start: project"),
                (#""memoryLimit": 2000000, \#(tags), "project": "!""#, "settings refused"),
            ] {
                let count = reported.elements.count
                let required =
                    members.contains("project")
                    ? Self.required.replacing(#""project": "project", "#, with: "") : Self.required
                _ = self.file("start.json", "{\(required), \(members)}")
                let start = clock.now()
                await self.pass(clock) { reported.elements.count > count || clock.now() - start > .seconds(60) }
                for _ in 0..<5 { await self.pass(clock) { true } }
                #expect(reported.elements.count == count + 1, "\(members)")
                let line = reported.elements.last ?? ""
                #expect(end == "settings refused" ? line.hasPrefix(end) : line.hasSuffix(end), "\(line)")
                #expect(producer.logLevelOverrides == (members.contains("shop") ? ["shop": .debug] : [:]))
            }
        }
    }

    @Test("A setting that the program has changed needs no restart, until the file changes")
    func knowsWhatTheProgramChanged() throws {
        let path = self.file("own.json", #"{\#(Self.required), "memoryLimit": 2000000}"#)
        let file = WebTrackingSettingsFile(path)
        func waiting(_ follower: inout SettingsFollower) throws -> [String]? {
            switch follower.check(file) {
            case .apply(_, let waiting, _): waiting
            case .none: nil
            case .refuse: throw TestFailure()
            }
        }
        var configuration = try WebTrackingConfiguration(file: file)
        configuration.memoryLimit = 5_000_000
        var follower = SettingsFollower(configuration)
        #expect(try waiting(&follower) == [])
        _ = self.file("own.json", #"{\#(Self.required), "memoryLimit": 5000001}"#)
        #expect(try waiting(&follower) == ["memoryLimit"])
        // A program that has not read it at its start.
        follower = SettingsFollower(
            WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "other")
        )
        #expect(try waiting(&follower) == ["logstore", "memoryLimit"])
    }

    @Test("A change in a followed reader that needs a restart is reported, and is no reason to refuse the rest")
    func reportsWhatNeedsARestartInAReader() throws {
        let start = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        var follower = SettingsFollower(try self.read([:]), needsConfirmation: false)
        for (more, expected) in [
            ([:], []), (["WT_MEMORY_LIMIT": "3000000"], ["memoryLimit"]), (["WT_MEMORY_LIMIT": "1"], []),
        ] as [([String: String], [String])] {
            let provider = EnvironmentVariablesProvider(environmentVariables: start.merging(more) { $1 })
            let reader = ConfigReader(provider: provider).scoped(to: "wt")
            guard case .apply(_, let waiting, _) = follower.check(reader.snapshot()) else { throw TestFailure() }
            #expect(waiting == expected)
        }
    }

    #if SignedPutLogs
    @Test("A new secret in a followed file needs a restart too, and is not shown")
    func reportsNewSecrets() throws {
        func write(_ secret: String) -> WebTrackingSettingsFile {
            let signing = #""signing": {"region": "cn-test", "accessKeyID": "id", "accessKeySecret": "\#(secret)"}"#
            return WebTrackingSettingsFile(self.file("signing.json", "{\(Self.required), \(signing)}"))
        }
        var follower = SettingsFollower(try WebTrackingConfiguration(file: write("old-secret")))
        guard case .apply(_, waiting: [], mustReport: false) = follower.check(write("old-secret")) else {
            throw TestFailure()
        }
        guard case .apply(_, let waiting, mustReport: true) = follower.check(write("new-secret")) else {
            throw TestFailure()
        }
        #expect(waiting == ["signing.accessKeySecret"])
    }
    #endif

    @Test("A followed file without a spool is in force, even if the program has set one")
    func followsBesideASpool() throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = "/var/spool/test"
        var follower = SettingsFollower(configuration)
        let path = self.file("levels.json", #"{"logLevels": {"shop": "debug"}}"#)
        guard case .apply(let settings, waiting: [], _) = follower.check(WebTrackingSettingsFile(path)) else {
            throw TestFailure()
        }
        #expect(settings.logLevelOverrides == ["shop": .debug])
    }

    @Test("A file that is half written at one check and complete at the next is not reported")
    func waitsForTheRest() throws {
        var follower = SettingsFollower(WebTrackingConfiguration(endpoint: "cn-test", project: "p1p", logstore: "ll"))
        func look(_ text: String) -> SettingsFollower.Action {
            follower.check(WebTrackingSettingsFile(self.file("half.json", text)))
        }
        guard case .apply = look("{}") else { throw TestFailure() }
        guard case .none = look("{}") else { throw TestFailure() }
        guard case .none = look(#"{"log"#) else { throw TestFailure() }
        guard case .apply(let settings, _, mustReport: false) = look(#"{"logLevels": {"a": "debug"}}"#) else {
            throw TestFailure()
        }
        #expect(settings.logLevelOverrides == ["a": .debug])
        guard case .none = look("{") else { throw TestFailure() }
        guard case .refuse = look("{") else { throw TestFailure() }
        guard case .none = look("{") else { throw TestFailure() }
        guard case .apply(_, _, mustReport: true) = look("{}") else { throw TestFailure() }
    }

    private struct TestFailure: Error {}
}

#endif
