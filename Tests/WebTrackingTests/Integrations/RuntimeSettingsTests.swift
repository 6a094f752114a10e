// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite("Settings that are followed", .timeLimit(.minutes(10)))
struct LiveSettingsTests {
    private static let minimum: [AbsoluteConfigKey: ConfigValue] = [
        "endpoint": "cn-test", "project": "project", "logstore": "logstore",
    ]

    private func configuration(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> WebTrackingConfiguration {
        let provider = InMemoryProvider(values: Self.minimum.merging(values) { $1 })
        return try WebTrackingConfiguration(config: ConfigReader(provider: provider))
    }

    private func strings(_ values: String...) -> ConfigValue { .init(.stringArray(values), isSecret: false) }

    @Test("Levels, redaction and sampling are read from their keys")
    func readsKeys() throws {
        let configuration = try self.configuration([
            "logLevels": self.strings("shop=debug", "=error", "a=b=trace"),
            "redaction.mask": self.strings("mail", "*_code"),
            "redaction.keep": self.strings("token.count"),
            "redaction.pseudonym": self.strings("user.id"),
            "redaction.pseudonymKey": .init(.string("000102030405060708090a0b0c0d0e0f"), isSecret: true),
            "sampling.first": 10, "sampling.thenOneIn": 5, "sampling.below": "notice",
            "sampling.suppressRepeatsBelow": "info",
        ])
        #expect(configuration.logLevelOverrides == ["shop": .debug, "": .error, "a=b": .trace])
        #expect(
            configuration.redaction.rules == [
                .key("token.count", .keep), .key("user.id", .pseudonym), .key("mail", .mask), .suffix("_code", .mask),
            ] + Redaction.standard.rules
        )
        #expect(configuration.redaction.pseudonymKey == PseudonymKey(bytes: Array(0..<16)))
        let rate = Sampling.Rate(first: 10, thenOneIn: 5)
        #expect(configuration.sampling.rates == [.trace: rate, .debug: rate, .info: rate])
        #expect(configuration.sampling.suppressedRepeats == [.trace, .debug])
        #expect(try self.configuration(["redaction.standard": false]).redaction == .none)
        let untouched = try self.configuration([:])
        #expect(untouched.redaction == .standard && untouched.sampling == .off && untouched.logLevelOverrides.isEmpty)
    }

    @Test(
        "A value that cannot work is an error that names the key, and shows no secret",
        arguments: [
            ("logLevels", "shop"), ("logLevels", "shop=loud"), ("redaction.pseudonymKey", "secret-words"),
            ("sampling.first", "many"), ("sampling.below", "loud"), ("sampling.suppressRepeatsBelow", "loud"),
        ]
    )
    func namesTheKey(key: String, value: String) throws {
        var values: [AbsoluteConfigKey: ConfigValue] = ["sampling.first": 1]
        values[AbsoluteConfigKey(key.split(separator: ".").map(String.init))] =
            key == "logLevels" ? self.strings(value) : .init(.string(value), isSecret: false)
        do {
            _ = try self.configuration(values)
            Issue.record("no error")
        } catch let error as ConfigurationError {
            #expect(error.setting == key)
            #expect(!"\(error)".contains("secret-words"))
        }
    }

    @Test(
        "A followed configuration changes levels, redaction and sampling, and what it no longer says is as the program has it"
    )
    func follows() async throws {
        let provider = MutableInMemoryProvider(initialValues: [
            "logLevels": self.strings("shop=debug")
        ])
        let reader = ConfigReader(provider: provider)
        let refused = Recorder<String>()
        var configuration = try self.configuration(["logLevels": self.strings("shop=debug")])
        configuration.redaction.rules.append(.key("mail", .mask))
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: InMemoryTransport(),
            diagnostics: DiagnosticHandler { if case .settingsRefused(let reason) = $0 { refused.add(reason) } },
            clock: ManualClock(wallTime: Rig.start)
        )
        let sink = producer.makeLogHandler(label: "shop.db")
        #expect(sink.logLevel == .debug)
        let follower = Task { try await producer.follow(reader) }
        func wait(_ condition: () -> Bool) async {
            while !condition() && !Task.isCancelled { await Task.yield() }
        }
        provider.setValue(self.strings("shop=trace"), forKey: "logLevels")
        await wait { sink.logLevel == .trace }
        provider.setValue(self.strings("card"), forKey: "redaction.mask")
        await wait { producer.redaction.rules.first == .key("card", .mask) }
        #expect(producer.redaction.rules.last == .key("mail", .mask))
        provider.setValue(5, forKey: "sampling.first")
        await wait { producer.sampling.rates[.info]?.first == 5 }
        provider.setValue(self.strings("loud"), forKey: "logLevels")
        await refused.wait(for: 1)
        #expect(sink.logLevel == .trace && refused.elements[0].contains("logLevels"))
        for key in ["logLevels", "redaction.mask", "sampling.first"] as [AbsoluteConfigKey] {
            provider.setValue(nil, forKey: key)
        }
        await wait { producer.sampling == .off }
        // The level that the program started with came from the configuration, and is gone with it.
        #expect(sink.logLevel == .info)
        #expect(producer.redaction == configuration.redaction)
        follower.cancel()
        try await follower.value
        await producer.shutdown(timeout: .seconds(1))
    }

    @Test(
        "What a followed configuration does not say stays as the producer started with it, until it says something of it"
    )
    func keepsWhatOtherSourcesSaid() async throws {
        let configuration = try self.configuration([
            "redaction.mask": self.strings("mail", "*_code"), "sampling.first": 7,
            "logLevels": self.strings("shop=debug"),
        ])
        let provider = MutableInMemoryProvider(initialValues: [:])
        let rig = try FollowRig(configuration, provider)
        // The first snapshot is in force once a level that only it sets is.
        provider.setValue("none", forKey: "sampling.suppressRepeatsBelow")
        provider.setValue("info", forKey: "sampling.suppressRepeatsBelow")
        await rig.wait { rig.producer.sampling.suppressedRepeats == [.trace, .debug] }
        #expect(rig.producer.redaction == configuration.redaction)
        #expect(rig.producer.sampling.rates[.info]?.first == 7)
        #expect(rig.producer.logLevelOverrides == ["shop": .debug])
        let sink = rig.producer.makeLogHandler(label: "shop")
        sink.warning("m", metadata: ["mail": "a@b.c", "zip_code": "1"])
        await rig.producer.flush(timeout: .seconds(60))
        #expect(
            rig.transport.logs.first?["mail"] == "[redacted]" && rig.transport.logs.first?["zip_code"] == "[redacted]"
        )
        // What it says, it has the last word on.
        provider.setValue(self.strings("card"), forKey: "redaction.mask")
        await rig.wait { rig.producer.redaction.rules.first == .key("card", .mask) }
        #expect(!rig.producer.redaction.rules.contains(.key("mail", .mask)))
        provider.setValue(nil, forKey: "redaction.mask")
        await rig.wait { rig.producer.redaction == .standard }
        await rig.stop()
    }

    @Test("What the program adds to what it read does not keep the rest of it from going")
    func tellsTheProgramsOwnFromWhatWasRead() async throws {
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "redaction.mask": self.strings("mail"), "redaction.standard": false, "sampling.first": 7,
            "logLevels": self.strings("shop=debug"),
        ]
        var configuration = try self.configuration(values)
        configuration.redaction.rules.append(.key("own", .drop))
        configuration.sampling.suppressedRepeats = [.info]
        configuration.logLevelOverrides["own"] = .error
        let provider = MutableInMemoryProvider(
            initialValues: values.merging(["sampling.suppressRepeatsBelow": "debug"]) { $1 }
        )
        let rig = try FollowRig(configuration, provider)
        await rig.wait { rig.producer.sampling.suppressedRepeats == [.trace] }
        provider.setValue(nil, forKey: "sampling.suppressRepeatsBelow")
        for key in values.keys { provider.setValue(nil, forKey: key) }
        await rig.wait { rig.producer.sampling.rates.isEmpty && rig.producer.logLevelOverrides == ["own": .error] }
        #expect(rig.producer.redaction.rules == [.key("own", .drop)] + Redaction.standard.rules)
        #expect(rig.producer.sampling.suppressedRepeats == [.info])
        await rig.stop()
    }

    @Test("Without the standard rules, the program's own stay, also where they are equal")
    func ownRulesStay() async throws {
        var configuration = try self.configuration([:])
        let own = try #require(Redaction.standard.rules.first)
        configuration.redaction.rules.insert(own, at: 0)
        let provider = MutableInMemoryProvider(initialValues: ["redaction.standard": false])
        let rig = try FollowRig(configuration, provider)
        await rig.wait { rig.producer.redaction.rules == [own] }
        await rig.stop()
    }

    @Test("A followed value of the wrong type is refused, and what was in force stays")
    func refusesAnotherType() async throws {
        let provider = MutableInMemoryProvider(initialValues: ["redaction.mask": self.strings("mail")])
        let rig = try FollowRig(self.configuration([:]), provider)
        await rig.wait { rig.producer.redaction.rules.first == .key("mail", .mask) }
        provider.setValue("mail", forKey: "redaction.mask")
        await rig.refused.wait(for: 1)
        #expect(rig.refused.elements[0].contains("redaction.mask"))
        #expect(rig.producer.redaction.rules.first == .key("mail", .mask))
        await rig.stop()
    }

    @Test(
        "A value of another type, or one that has no effect, is an error that names the key",
        arguments: [
            ("logLevels", "shop=debug"), ("redaction.mask", "mail"), ("redaction.keep", 1),
            ("redaction.standard", "no"),
            ("redaction.pseudonymKey", 12), ("sampling.first", 1.5), ("sampling.below", 3),
            ("sampling.suppressRepeatsBelow", true),
            ("sampling.thenOneIn", 5), ("sampling.below", "info"), ("tags", "a=b"), ("topic", 1), ("source", 1.5),
            ("promotedTags", "zone"), ("compression", false), ("logLevel", 2), ("batching.urgentLevel", 2),
            ("durability", 1), ("spool.directory", 1), ("fields.time", 1), ("signing.region", 1),
            ("signing.accessKeySecret", 77_777), ("memoryLimit", 1.5), ("batching.lingerSeconds", true),
            ("allowsPlainHTTP", 1),
        ] as [(AbsoluteConfigKey, ConfigValue)]
    )
    func refusesOtherTypes(key: AbsoluteConfigKey, value: ConfigValue) throws {
        do {
            _ = try self.configuration([key: value])
            Issue.record("no error")
        } catch let error as ConfigurationError {
            #expect(error.setting == key.components.joined(separator: "."))
            #expect(!"\(error)".contains("77777"))
        }
    }

    @Test("A duration may be written as a whole number")
    func takesWholeSeconds() throws {
        #expect(try self.configuration(["batching.lingerSeconds": 3]).batching.linger == .seconds(3))
    }
}

/// A producer that follows a configuration.
private struct FollowRig {
    let producer: WebTrackingProducer
    let transport = InMemoryTransport()
    let refused = Recorder<String>()
    private let follower: Task<Void, any Error>

    init(_ configuration: WebTrackingConfiguration, _ provider: MutableInMemoryProvider) throws {
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: self.transport,
            diagnostics: DiagnosticHandler { [refused] in
                if case .settingsRefused(let reason) = $0 { refused.add(reason) }
            },
            clock: ManualClock(wallTime: Rig.start)
        )
        self.producer = producer
        self.follower = Task { try await producer.follow(ConfigReader(provider: provider)) }
    }

    func wait(_ condition: () -> Bool) async {
        while !condition() {
            guard !Task.isCancelled else {
                Issue.record("the time limit came before the condition held")
                return
            }
            await Task.yield()
        }
    }

    func stop() async {
        self.follower.cancel()
        try? await self.follower.value
        await self.producer.shutdown(timeout: .seconds(1))
    }
}

#endif
