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
        let settings = try self.settings(file: #"{"logLevel": "debug", "project": "file"}"#)
        #expect(settings.logs.project == "demo")
        #expect(settings.logs.logLevel == .debug)
        #expect(settings.logs.topic == .labelPrefix(components: 1))
        #expect(settings.logs.tags == ["service": "orders"])
    }

    @Test func whatTheServicePrefersCanBeChangedInTheFile() throws {
        let settings = try self.settings(file: #"{"topic": "label", "tags": {"env": "test"}}"#)
        #expect(settings.logs.topic == .label)
        #expect(settings.logs.tags == ["env": "test"])
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Settings.forTests(["CONFIG_FILE": "/nowhere/settings.json"])
        }
        #expect(error?.description.contains("/nowhere/settings.json") == true)
    }

    @Test(arguments: [
        (#""redaction": ["mail"]"#, "redaction"), (#""batching": 5"#, "batching"),
        (#""redaction": {"mask": {"mail": true}}"#, "redaction.mask"), (#""port": 1"#, "port"),
        (#""batching": {"linger": 1}"#, "batching.linger"), (#""memoryLimit": "64""#, "memoryLimit"),
    ])
    func whatWouldBeIgnoredInTheFileIsNamed(members: String, key: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try self.settings(file: "{\(members)}") }
        #expect(error?.setting == key)
    }

    private func settings(file text: String) throws -> Settings {
        let file = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try Settings.forTests(["CONFIG_FILE": file.path()])
    }

    @Test func whatTheLibraryRefusesIsNamed() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Settings.forTests(["WEBTRACKING_PROJECT": "My Project"])
        }
        #expect(error.setting == "project")
    }
}
