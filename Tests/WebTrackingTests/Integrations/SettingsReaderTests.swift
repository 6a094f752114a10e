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

@Suite("Settings of several sources, and through a reader of swift-configuration", .timeLimit(.minutes(10)))
struct SettingsReaderTests: SettingsTests {
    let folder = SpoolDirectory()

    init() throws {
        try FileSystem.makeDirectory(self.folder.path)
    }

    // MARK: Layers

    @Test("The environment outranks the secrets, and these outrank the file; each value shows its origin")
    func ranksItsSources() throws {
        let path = self.file(
            "settings.json",
            #"{"endpoint": "cn-test", "project": "project", "logstore": "file", "memoryLimit": 2000000}"#
        )
        let secrets = "\(self.folder.path)/secrets"
        try FileSystem.makeDirectory(secrets)
        self.folder.overwrite("\(secrets)/logstore", with: Array("secret\n".utf8))
        self.folder.overwrite("\(secrets)/project", with: Array("other\n".utf8))
        let variables = ["WT_LOGSTORE": "variable", "WT_TAGS": "", "WT_MEMORY_LIMIT": "3000000"]
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        let source = WebTrackingSettingsFile(
            path,
            secrets: secrets,
            overrides: ConfigReader(provider: provider).scoped(to: "wt")
        )
        var configuration = try WebTrackingConfiguration(layers: source.layers(), environment: variables)
        #expect(configuration.logstore == "variable" && configuration.project == "other")
        configuration.memoryLimit += 1
        configuration.maximumTopics = 3
        let lines = configuration.description.split(separator: "\n")
        #expect(lines.contains("endpoint = cn-test (\(path))"))
        #expect(lines.contains("project = other (\(secrets))"))
        #expect(lines.contains("logstore = variable (variable WT_LOGSTORE)"))
        #expect(lines.contains("memoryLimit = 3000001 (variable WT_MEMORY_LIMIT, changed by the program)"))
        #expect(lines.contains("maximumTopics = 3 (program)"))
        #expect(lines.contains("batching.lingerSeconds = 2 (default)"))
    }

    @Test("A variable is named as the origin only if the reader's scope leads to it")
    func namesNoOtherVariable() throws {
        let variables = [
            "CI_PROJECT": "shop", "WEBTRACKING_PROJECT": "shop", "WEBTRACKING_ENDPOINT": "cn-test",
            "WEBTRACKING_LOGSTORE": "logstore", "A_TAGZ": "x",
        ]
        func lines(_ reader: ConfigReader, _ variables: [String: String]) throws -> [Substring] {
            try WebTrackingConfiguration(layers: [.config(reader.snapshot())], environment: variables).description
                .split(separator: "\n")
        }
        let environment = EnvironmentVariablesProvider(environmentVariables: variables)
        let reader = ConfigReader(provider: environment).scoped(to: "webtracking")
        #expect(try lines(reader, variables).contains("project = shop (variable WEBTRACKING_PROJECT)"))
        // Where the variables have other names, the one that was read is not known.
        let mapped = ConfigReader(provider: environment.prefixKeys(with: "webtracking"))
        #expect(try lines(mapped, variables).contains("project = shop (configuration)"))
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "webtracking.endpoint": "cn-test", "webtracking.project": "shop", "webtracking.logstore": "logstore",
        ]
        let inMemory = ConfigReader(provider: InMemoryProvider(values: values)).scoped(to: "webtracking")
        #expect(try lines(inMemory, variables).contains("project = shop (configuration)"))
        // Nor is another variable than the reader's called a misspelt key.
        let misspelt = variables.merging(["WEBTRACKING_TAGZ": "x"]) { $1 }
        let provider = EnvironmentVariablesProvider(environmentVariables: misspelt)
        let error = try #require(throws: ConfigurationError.self) {
            try lines(ConfigReader(provider: provider).scoped(to: "webtracking"), misspelt)
        }
        #expect(error.value == "WEBTRACKING_TAGZ")
    }

    @Test("No secret is printed")
    func printsNoSecret() throws {
        let digits = "00112233445566778899aabbccddeeff"
        var configuration = try self.configuration(
            #""redaction": {"pseudonym": ["user"], "pseudonymKey": "\#(digits)"}"#
        )
        configuration.endpoint = "https://user:hunter2@host"
        #if SignedPutLogs
        let credentials = WebTrackingCredentials(
            accessKeyID: "id",
            accessKeySecret: "key-secret",
            securityToken: "session-secret"
        )
        configuration.authentication = .signed(credentials: credentials, region: "cn-test")
        #endif
        let text = "\(configuration)"
        #expect(text.contains("redaction.pseudonymKey = [redacted]"))
        for secret in [digits, "hunter2", "key-secret", "session-secret"] { #expect(!text.contains(secret)) }
    }

    // MARK: Through a reader of swift-configuration

    @Test("An empty variable counts as not set, and list items have no space around them")
    func trimsVariables() throws {
        let configuration = try self.read([
            "WT_TAGS": "a = b , c=d,", "WT_PROMOTED_TAGS": "", "WT_SOURCE": "", "WT_LOG_LEVELS": "",
            "WT_REDACTION_MASK": " mail , card ,",
        ])
        #expect(configuration.tags == ["a": "b", "c": "d"])
        #expect(configuration.promotedTags == [] && configuration.source == nil)
        #expect(configuration.logLevelOverrides.isEmpty)
        #expect(configuration.redaction.rules.prefix(2) == [.key("mail", .mask), .key("card", .mask)])
        #expect(try self.read(["WT_TAGS": "", "WT_PROMOTED_TAGS": " , zone"]).promotedTags == ["zone"])
        #expect(try self.read(["WT_TAGS": ""]).tags == [:])
    }

    @Test("An empty variable of any key counts as not set, and so does a file that is empty or only a line end")
    func takesEmptyForNotSet() throws {
        let plain = try self.read([:])
        for key in SettingsKeys.all.keys.sorted() {
            let variable = "WT_\(SettingsVariables.encoded(key))"
            guard !["endpoint", "project", "logstore"].contains(key) else {
                #expect(throws: (any Error).self) { try self.read([variable: ""]) }
                continue
            }
            #expect(try self.read([variable: ""]) == plain, "\(key)")
            #expect(try self.read([variable: " "]) == plain, "\(key)")
        }
        let all = Dictionary(
            uniqueKeysWithValues: SettingsKeys.all.keys.map { ("WT_\(SettingsVariables.encoded($0))", "") }
        )
        let required = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        #expect(try self.read(all.merging(required) { $1 }) == plain)
        #expect(try self.read(["WT_MEMORY_LIMT": "", "WT_BATCHING_LINGER": "", "WT_SPOOL": ""]) == plain)

        let path = self.file("app.json", "{\(Self.required), \"memoryLimit\": 2000000}")
        let secrets = "\(self.folder.path)/empty"
        try FileSystem.makeDirectory(secrets)
        for key in SettingsKeys.all.keys { self.folder.overwrite("\(secrets)/\(key)", with: [0x0A]) }
        let configuration = try WebTrackingConfiguration(file: WebTrackingSettingsFile(path, secrets: secrets))
        // What outranks the file says nothing.
        #expect(configuration.memoryLimit == 2_000_000 && configuration.project == "project")
    }

    @Test(
        "A variable that is nearly a key is an error that names the key",
        arguments: [
            ("WT_TAGZ", "tags"), ("WT_REDACTION_MAKS", "redaction.mask"), ("WT_MEMORY_LIMT", "memoryLimit"),
            ("WT_BATCHING_LINGER_SECOND", "batching.lingerSeconds"), ("WT_LOGLEVELS", "logLevels"),
            ("WT_SPOOL_MAX_BYTES", "spool.maximumBytes"), ("WT_BATCHING_LINGER", "batching.lingerSeconds"),
        ]
    )
    func findsMisspeltVariables(name: String, key: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try self.read([name: "1"]) }
        #expect(error.suggestion == "Did you mean \(key)?")
        #expect(error.value == name)
    }

    @Test("Each key's variable has the name that swift-configuration gives it")
    func namesVariables() {
        for key in SettingsKeys.all.keys {
            let variables = ["WT_\(SettingsVariables.encoded(key))": "value"]
            let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables))
            #expect(reader.scoped(to: "wt").string(forKey: ConfigKey(key)) == "value", "\(key)")
        }
    }

    @Test("A variable of an object's member is an error, and a variable of another program is none")
    func ignoresVariablesOfOthers() throws {
        #expect(throws: ConfigurationError.self) { try self.read(["WT_TAGS_PLANET": "earth"]) }
        #expect(throws: ConfigurationError.self) { try self.read(["WT_REDACTION": "mail"]) }
        #expect(throws: ConfigurationError.self) { try self.read(["WT_SIGNING": "x"]) }
        // What Kubernetes sets beside a service, and other programs' own.
        _ = try self.read([
            "WT_SERVICE_HOST": "10.0.0.1", "WT_PORT": "tcp://10.0.0.1:80", "WT_PORT_80_TCP_ADDR": "10.0.0.1",
            "OTHER_TAGZ": "x", "TAGZ": "x", "REDACTION_X": "x", "PATH": "/bin",
        ])
    }

    @Test(
        "A value where a group belongs is an error, and so is what people write in place of a key",
        arguments: [
            ("redaction", .init(.stringArray(["mail"]), isSecret: false), "redaction"), ("sampling", 100, "sampling"),
            ("spool", "x", "spool"),
            ("batching", 5, "batching"), ("fields", true, "fields"), ("limits", 1.5, "limits"),
            ("tags.env", "prod", "tags.env"), ("redaction.mask.mail", true, "redaction.mask.mail"),
            ("batching.linger", 2, "batching.linger"), ("memoryLimits", 2, nil),
            ("logLevels.app", "debug", "logLevels.app"), ("promotedTags.zone", true, "promotedTags.zone"),
            ("logLevels.orders", "debug", nil), ("log_levels", 1, "log_levels"), ("loglevels", 1, "loglevels"),
            ("memory_limit", 2_000_000, "memory_limit"), ("batching.linger-seconds", 1, "batching.linger-seconds"),
            ("logLevelOverrides", 1, "logLevelOverrides"), ("spool.isRescue", true, "spool.isRescue"),
            ("redaction.maks", 1, "redaction.maks"), ("redaction.mak", 1, "redaction.mak"),
            ("redaction.standrad", false, "redaction.standrad"),
        ] as [(AbsoluteConfigKey, ConfigValue, String?)]
    )
    func asksForNeighbours(key: AbsoluteConfigKey, value: ConfigValue, setting: String?) throws {
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "endpoint": "cn-test", "project": "project", "logstore": "logstore", key: value,
        ]
        let reader = ConfigReader(provider: InMemoryProvider(values: values))
        guard let setting else {
            // The limit: a reader does not list its keys, and this key is not asked for.
            _ = try WebTrackingConfiguration(config: reader)
            return
        }
        let error = try #require(throws: ConfigurationError.self) { try WebTrackingConfiguration(config: reader) }
        #expect(error.setting == setting)
    }

    @Test("A key in another spelling is an error, even if a variable has the same spelling")
    func separatesVariablesFromSpellings() throws {
        #expect(try self.read(["WT_MEMORY_LIMIT": "2000000"]).memoryLimit == 2_000_000)
        let values: [AbsoluteConfigKey: ConfigValue] = ["wt.memory_limit": 3_000_000]
        let required = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        for variables in [required, required.merging(["WT_MEMORY_LIMIT": "2000000"]) { $1 }] {
            let environment = EnvironmentVariablesProvider(environmentVariables: variables)
            let reader = ConfigReader(providers: [InMemoryProvider(values: values), environment]).scoped(to: "wt")
            let error = #expect(throws: ConfigurationError.self) { try WebTrackingConfiguration(config: reader) }
            #expect(error?.setting == "memory_limit")
        }
    }
}

#endif
