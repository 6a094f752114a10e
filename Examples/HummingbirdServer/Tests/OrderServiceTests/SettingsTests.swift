// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Logging
import Testing
import WebTracking

@testable import OrderService

@Suite struct SettingsTests {
    @Test func threeVariablesAreEnough() throws {
        let settings = try Settings.forTests()
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.portFile == nil)
        #expect(!settings.keepsConsole)
        #expect(settings.logs.endpoint == "http://127.0.0.1:1")
        #expect(settings.logs.project == "demo")
        #expect(settings.logs.logstore == "orders")
        #expect(settings.logs.topic == .labelPrefix(components: 1))
        #expect(settings.logs.tags == ["service": "orders"])
    }

    @Test func everythingElseCanBeSet() throws {
        let settings = try Settings.forTests([
            "HOST": "::1", "PORT": "0", "PORT_FILE": "port.txt", "LOG_CONSOLE": "true",
            "WEBTRACKING_TOPIC": "fixed:shop", "WEBTRACKING_LOG_LEVEL": "debug", "WEBTRACKING_TAGS": "env=test",
            "WEBTRACKING_BATCHING_LINGER_SECONDS": "0.5",
        ])
        #expect(settings.host == "::1")
        #expect(settings.port == 0)
        #expect(settings.portFile == "port.txt")
        #expect(settings.keepsConsole)
        #expect(settings.logs.topic == .fixed("shop"))
        #expect(settings.logs.logLevel == .debug)
        #expect(settings.logs.tags == ["env": "test"])
        #expect(settings.logs.batching.linger == .milliseconds(500))
    }

    @Test func anArgumentWins() throws {
        let settings = try Settings(providers: [
            CommandLineArgumentsProvider(arguments: ["order-service", "--port", "1", "--port-file", "a"]),
            EnvironmentVariablesProvider(environmentVariables: [
                "PORT": "2", "PORT_FILE": "b", "WEBTRACKING_ENDPOINT": "cn-hangzhou", "WEBTRACKING_PROJECT": "demo",
                "WEBTRACKING_LOGSTORE": "orders",
            ]),
        ])
        #expect(settings.port == 1)
        #expect(settings.portFile == "a")
    }

    @Test(arguments: ["WEBTRACKING_ENDPOINT", "WEBTRACKING_PROJECT", "WEBTRACKING_LOGSTORE"])
    func whatIsMissingIsNamed(variable: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings.forTests([variable: ""]) }
        #expect(error.variable == variable)
        #expect(error.description.hasPrefix("\(variable) is not set"))
    }

    @Test(arguments: ["-1", "65536", "http"]) func aPortIsANumber(text: String) throws {
        let error = try #require(throws: SettingsError.self) { try Settings.forTests(["PORT": text]) }
        #expect(error.description == #"PORT is "\#(text)", but has to be from 0 to 65535"#)
    }

    @Test func theFileComesLast() throws {
        let file = InMemoryProvider(values: ["webtracking.logLevel": "debug", "webtracking.project": "file", "port": 3])
        let settings = try Settings(
            providers: [EnvironmentVariablesProvider(environmentVariables: Settings.environment(["PORT": "2"]))],
            file: file
        )
        #expect(settings.port == 2)
        #expect(settings.logs.project == "demo")
        #expect(settings.logs.logLevel == .debug)
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let environment = Settings.environment(["CONFIG_FILE": "/nowhere/settings.json"])
        let error = await #expect(throws: SettingsError.self) {
            try await Settings.read([EnvironmentVariablesProvider(environmentVariables: environment)])
        }
        #expect(error?.variable == "CONFIG_FILE")
    }

    @Test(arguments: [
        (#""redaction": ["mail"]"#, "redaction"), (#""batching": 5"#, "batching"),
        (#""redaction": {"mask": {"mail": true}}"#, "redaction.mask.mail"), (#""tags": {"env": "x"}"#, "tags.env"),
        (#""batching": {"linger": 1}"#, "batching.linger"), (#""memoryLimit": "64"#, "memoryLimit"),
    ])
    func aShapeInTheFileThatWouldBeIgnoredIsNamed(members: String, key: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        // One of them has a text's end to come.
        let end = members.hasSuffix(#""64"#) ? "\"" : ""
        try Data("{\"webtracking\": {\(members)\(end)}}".utf8).write(to: file)
        let environment = Settings.environment(["CONFIG_FILE": file.path()])
        let error = await #expect(throws: ConfigurationError.self) {
            try await Settings.read([EnvironmentVariablesProvider(environmentVariables: environment)])
        }
        #expect(error?.setting == key)
    }

    @Test func whatTheLibraryRefusesIsNamed() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Settings.forTests(["WEBTRACKING_PROJECT": "My Project"])
        }
        #expect(error.setting == "project")
    }
}
