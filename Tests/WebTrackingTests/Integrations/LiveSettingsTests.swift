//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
            "sampling.first": 10, "sampling.thenOneIn": 5, "sampling.below": "notice", "sampling.foldBelow": "info",
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
        #expect(configuration.sampling.foldedLevels == [.trace, .debug])
        #expect(try self.configuration(["redaction.standard": false]).redaction == .none)
        let untouched = try self.configuration([:])
        #expect(untouched.redaction == .standard && untouched.sampling == .off && untouched.logLevelOverrides.isEmpty)
    }

    @Test(
        "A value that cannot work is an error that names the key, and shows no secret",
        arguments: [
            ("logLevels", "shop"), ("logLevels", "shop=loud"), ("redaction.pseudonymKey", "secret-words"),
            ("sampling.first", "many"), ("sampling.below", "loud"), ("sampling.foldBelow", "loud"),
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
}

#endif
