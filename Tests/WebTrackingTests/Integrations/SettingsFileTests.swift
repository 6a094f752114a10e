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

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("Settings of the wrong shape or name are told", .timeLimit(.minutes(10)))
struct SettingsFileTests {
    private let folder = SpoolDirectory()

    private static let required = #""endpoint": "cn-test", "project": "project", "logstore": "logstore""#

    init() throws {
        try FileSystem.makeDirectory(self.folder.path)
    }

    private func file(_ name: String, _ text: String) -> String {
        let path = "\(self.folder.path)/\(name)"
        self.folder.overwrite(path, with: Array(text.utf8))
        return path
    }

    private func configuration(_ members: String) throws -> WebTrackingConfiguration {
        let text = "{\(Self.required)\(members.isEmpty ? "" : ", ")\(members)}"
        return try WebTrackingConfiguration(file: WebTrackingSettingsFile(self.file("settings.json", text)))
    }

    private func error(_ members: String) throws -> ConfigurationError {
        try #require(throws: ConfigurationError.self) { try self.configuration(members) }
    }

    // MARK: Shapes

    @Test(
        "A value of another shape is an error that names the key",
        arguments: [
            (#""redaction": {"mask": {"mail": true}}"#, "redaction.mask", "an object"),
            (#""redaction": ["mail"]"#, "redaction", "an array"), (#""sampling": 100"#, "sampling", "100"),
            (#""spool": "x""#, "spool", "x"), (#""batching": 5"#, "batching", "5"),
            (#""signing": "key-secret""#, "signing", "[redacted]"),
            (#""batching": {"lingerSeconds": true}"#, "batching.lingerSeconds", "true"),
            (#""memoryLimit": true"#, "memoryLimit", "true"), (#""memoryLimit": "64"#, "memoryLimit", "64"),
            (#""memoryLimit": 1.5"#, "memoryLimit", "1.5"), (#""allowsPlainHTTP": 1"#, "allowsPlainHTTP", "1"),
            (#""promotedTags": {"zone": true}"#, "promotedTags", "an object"),
            (#""promotedTags": "zone""#, "promotedTags", "zone"), (#""promotedTags": [1]"#, "promotedTags", "an array"),
            (#""tags": {"version": 3}"#, "tags.version", "3"), (#""tags": "a=b""#, "tags", "a=b"),
            (#""tags": ["prod"]"#, "tags", "prod"), (#""logLevels": {"shop": "loud"}"#, "logLevels", "loud"),
            (#""logLevels": 1"#, "logLevels", "1"), (#""source": {"a": 1}"#, "source", "an object"),
            (#""tags": ["a=1", "a=2"]"#, "tags", "a"), (#""logLevels": ["a=info", "a=debug"]"#, "logLevels", "a"),
        ]
    )
    func refusesShapes(members: String, key: String, value: String) throws {
        // One of them has an end of a text of its own.
        let error = try self.error(members.hasSuffix(#""64"#) ? members + "\"" : members)
        #expect(error.setting == key)
        #expect(error.value == value)
        #expect(!"\(error)".contains("key-secret"))
    }

    @Test(
        "No error repeats credentials, whichever setting they are written into",
        arguments: [
            (#""proxy": "http://ada:hunter2@p:3128""#, "proxy"), (#""proxy": "hunter2""#, "proxy"),
            (#""proxy": {"host": "http://ada:hunter2@p", "port": 3128}"#, "proxy"),
            (#""proxy": {"port": "http://ada:hunter2@p:3128"}"#, "proxy.port"),
            (#""proxy": {"host": "p", "port": 3128, "username": "ada", "password": ["hunter2"]}"#, "proxy.password"),
            (#""signing": "hunter2""#, "signing"), (#""redaction": "hunter2""#, "redaction"),
            (#""topic": "http://ada:hunter2@p""#, "topic"), (#""spool": "http://ada:hunter2@p""#, "spool"),
            (#""tags": "http://ada:hunter2@p""#, "tags"), (#""logLevel": "//ada:hunter2@p""#, "logLevel"),
        ]
    )
    func repeatsNoCredentials(members: String, key: String) throws {
        let error = try self.error(members)
        #expect(error.setting.hasPrefix(key))
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test("Tags and levels may be objects, whose names may have dots")
    func readsObjects() throws {
        let configuration = try self.configuration(
            #""tags": {"env": "prod", "team": "a=b"}, "logLevels": {"shop.db": "debug", "": "error"}"#
        )
        #expect(configuration.tags == ["env": "prod", "team": "a=b"])
        #expect(configuration.logLevelOverrides == ["shop.db": .debug, "": .error])
    }

    @Test("A file says all that a reader of swift-configuration can")
    func readsEveryForm() throws {
        let configuration = try self.configuration(
            #"""
            "batching": {"lingerSeconds": 0.5, "urgentLevel": "none"}, "memoryLimit": 2e6, "allowsPlainHTTP": true,
            "redaction": {"mask": ["mail ", ""], "standard": false}, "sampling": {"first": 3, "thenOneIn": null},
            "fields.time": "t", "promotedTags": [], "source": null
            """#
        )
        #expect(configuration.batching.linger == .milliseconds(500))
        #expect(configuration.batching.urgentLevel == nil)
        #expect(configuration.memoryLimit == 2_000_000 && configuration.allowsPlainHTTP)
        #expect(configuration.redaction.rules == [.key("mail", .mask)])
        #expect(configuration.sampling.rates[.info] == .init(first: 3))
        #expect(configuration.fields.time == "t")
    }

    // MARK: Names

    @Test(
        "A misspelt key is an error that names it and the nearest right one",
        arguments: [
            (#""redaction": {"maks": ["mail"]}"#, "redaction.maks", "redaction.mask"),
            (#""redactoin": {"mask": ["mail"]}"#, "redactoin", "redaction"),
            (#""batching": {"linger": 1}"#, "batching.linger", "batching.lingerSeconds"),
            (#""lingerSeconds": 1"#, "lingerSeconds", "batching.lingerSeconds"),
            (#""memory_limt": 1"#, "memory_limt", "memoryLimit"),
            (#""loglevels": []"#, "loglevels", "logLevels"), (#""tag": {"a": "b"}"#, "tag", "tags"),
            (#""spool": {"maxBytes": 1}"#, "spool.maxBytes", "spool.maximumBytes"),
            (#""signing": {"accesKeySecret": "key-secret"}"#, "signing.accesKeySecret", "signing.accessKeySecret"),
        ]
    )
    func namesTheNearestKey(members: String, key: String, nearest: String) throws {
        let error = try self.error(members)
        #expect(error.setting == key)
        #expect(error.suggestion == "Did you mean \(nearest)?")
        #expect(!"\(error)".contains("key-secret"))
    }

    @Test("A key that is like none is an error too, and so is one that is there twice")
    func refusesOtherKeys() throws {
        #expect(try self.error(#""quux": 1"#).setting == "quux")
        #expect(try self.error(#""memoryLimit": 1048576, "memoryLimit": 2097152"#).setting == "memoryLimit")
        #expect(try self.error(#""redaction": {"standard": true}, "redaction.standard": false"#).rule.contains("twice"))
        // Nor does it matter which of them says that it is not set.
        for (first, second) in [("null", "1048576"), ("1048576", "null")] {
            let members = #""memoryLimit": \#(first), "memoryLimit": \#(second)"#
            #expect(try self.error(members).rule.contains("twice"))
        }
    }

    @Test("A letter that is wrong in a key is found, and the key is named or one that is as near")
    func findsEveryMisspelling() throws {
        for (number, key) in SettingsKeys.all.keys.sorted().enumerated() where key.utf8.count > 4 {
            // Another letter of each key: all of all take seconds.
            var letters = Array(key.utf8)
            let place = letters.indices.filter { letters[$0] != UInt8(ascii: ".") }[number % 5]
            letters[place] = letters[place] == UInt8(ascii: "x") ? UInt8(ascii: "q") : UInt8(ascii: "x")
            let name = String(decoding: letters, as: UTF8.self)
            let nearest = try #require(SettingsKeys.nearest(to: name), "\(name)")
            #expect(EditDistance.between(Array(nearest.utf8), letters) == 1, "\(name) \(nearest)")
        }
    }

    @Test("Every key that is read has a line when the configuration is printed, and so has what has no key")
    func knowsEveryKey() throws {
        var configuration = WebTrackingConfiguration(endpoint: "e", project: "p", logstore: "l")
        configuration.spool.isRescue = true
        #expect("\(configuration)".contains("spool.isRescue = true (program)"))
        let entries = configuration.entries.filter { $0.key != "spool.isRescue" }
        var keys = Set(SettingsKeys.all.keys)
        #if !SignedPutLogs
        keys = keys.filter { !$0.hasPrefix("signing.") }
        #endif
        #if !AsyncHTTPClient
        keys = keys.filter { !$0.hasPrefix("proxy.") }
        #endif
        #expect(Set(entries.map(\.key)) == keys)
        #expect(entries.count == keys.count)
    }

    @Test("The settings may be an object in the file, and what is beside it is not looked at")
    func readsAScope() throws {
        let path = self.file("app.json", #"{"port": 80, "log": {"web": {\#(Self.required), "memoryLimit": 2000000}}}"#)
        let configuration = try WebTrackingConfiguration(file: WebTrackingSettingsFile(path, scope: "log.web"))
        #expect(configuration.memoryLimit == 2_000_000)
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: WebTrackingSettingsFile(path, scope: "log.wbe"))
        }
        #expect("\(error)".contains("log.wbe"))
    }

    @Test(
        "A file that is no JSON object is an error that says where",
        arguments: [
            ("{\n  \"a\": 1,,\n}", "line 2, column 10"), ("", "line 1, column 1"), ("[]", "one JSON object"),
            ("{\"a\": 1", "line 1, column 8"),
        ]
    )
    func tellsOfBrokenFiles(text: String, place: String) throws {
        let path = self.file("broken.json", text)
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: WebTrackingSettingsFile(path))
        }
        #expect(error.value == path)
        #expect("\(error)".contains(place))
    }

    @Test("A file that is not there is an error that names it")
    func tellsOfMissingFiles() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: "/nowhere/at/all.json")
        }
        #expect("\(error)".contains("/nowhere/at/all.json") && "\(error)".contains("No such file"))
    }

    // MARK: Layers

    @Test("The environment outranks the secrets, and those the file; each value says where it came from")
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

    @Test("A variable is named as the source only where the reader's scope leads to it")
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
        // Where the variables have other names, nobody can say which it is.
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

    // MARK: Where swift-configuration 1.4.0 does not read

    @Test("A folder that Kubernetes mounts is read, links and all, and read anew when it changes")
    func readsAMountedFolder() throws {
        let mount = "\(self.folder.path)/mount"
        func fill(_ version: String, logstore: String) throws {
            let data = "\(mount)/..\(version)"
            try FileSystem.makeDirectory(data)
            for (name, text) in [
                ("endpoint", "cn-test"), ("project", "project\n"), ("logstore", logstore), ("memoryLimit", "2000000"),
                ("redaction.mask", "mail, card"), ("batching.lingerSeconds", "0.5"), ("allowsPlainHTTP", "true"),
            ] { self.folder.overwrite("\(data)/\(name)", with: Array(text.utf8)) }
            // As the kubelet changes it: a new link that takes the old one's place.
            #expect(symlink("..\(version)", "\(mount)/..data_tmp") == 0)
            #expect(rename("\(mount)/..data_tmp", "\(mount)/..data") == 0)
        }
        try FileSystem.makeDirectory(mount)
        try fill("2026_01", logstore: "first")
        for name in [
            "endpoint", "project", "logstore", "memoryLimit", "redaction.mask", "batching.lingerSeconds",
            "allowsPlainHTTP",
        ] { #expect(symlink("..data/\(name)", "\(mount)/\(name)") == 0) }
        let configuration = try WebTrackingConfiguration(file: WebTrackingSettingsFile(mount))
        #expect(configuration.project == "project" && configuration.logstore == "first")
        #expect(configuration.memoryLimit == 2_000_000 && configuration.allowsPlainHTTP)
        #expect(configuration.batching.linger == .milliseconds(500))
        #expect(configuration.redaction.rules.prefix(2) == [.key("mail", .mask), .key("card", .mask)])
        try fill("2026_02", logstore: "second")
        #expect(try WebTrackingConfiguration(file: WebTrackingSettingsFile(mount)).logstore == "second")
        self.folder.overwrite("\(mount)/logstores", with: Array("x".utf8))
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: WebTrackingSettingsFile(mount))
        }
        #expect(error.suggestion == "Did you mean logstore?")
    }

    @Test("Of a folder that others use as well, the names that begin with the scope are read")
    func readsAScopeOfAFolder() throws {
        let mount = "\(self.folder.path)/shared"
        try FileSystem.makeDirectory(mount)
        for name in ["web.endpoint", "web.project", "web.logstore", "database-password"] {
            self.folder.overwrite("\(mount)/\(name)", with: Array((name == "web.endpoint" ? "cn-test" : "app").utf8))
        }
        let configuration = try WebTrackingConfiguration(file: WebTrackingSettingsFile(mount, scope: "web"))
        #expect(configuration.endpoint == "cn-test")
    }

    @Test("A key in a folder that lacks the scope is an error, unless it is there with the scope as well")
    func tellsOfKeysWithoutTheScope() throws {
        let path = self.file("app.json", #"{"web": {\#(Self.required)}}"#)
        let folder = "\(self.folder.path)/keys"
        try FileSystem.makeDirectory(folder)
        func put(_ name: String, _ text: String) { self.folder.overwrite("\(folder)/\(name)", with: Array(text.utf8)) }
        let secrets = WebTrackingSettingsFile(path, scope: "web", secrets: folder)
        // Others' names, with and without a dot.
        put("database-password", "x")
        put("tls.key", "x")
        _ = try WebTrackingConfiguration(file: secrets)
        put("memoryLimit", "2000000")
        var error = try #require(throws: ConfigurationError.self) { try WebTrackingConfiguration(file: secrets) }
        #expect(error.setting == "memoryLimit" && error.value == folder)
        #expect(error.suggestion.contains("web.memoryLimit"))
        put("web.memoryLimit", "3000000")
        #expect(try WebTrackingConfiguration(file: secrets).memoryLimit == 3_000_000)
        put("signing.accessKeySecret", "key-secret")
        error = try #require(throws: ConfigurationError.self) { try WebTrackingConfiguration(file: secrets) }
        #expect(error.setting == "signing.accessKeySecret")
        #expect(error.suggestion.contains("web.signing.accessKeySecret") && !"\(error)".contains("key-secret"))
        // A folder in the file's place is others' as well: of theirs may be one that is a word, and not one with a group.
        for name in ["web.endpoint", "web.project", "web.logstore", "source"] {
            put(name, name == "web.endpoint" ? "cn-test" : "app")
        }
        let shared = WebTrackingSettingsFile(folder, scope: "web")
        error = try #require(throws: ConfigurationError.self) { try WebTrackingConfiguration(file: shared) }
        #expect(error.setting == "signing.accessKeySecret")
        unlink("\(folder)/signing.accessKeySecret")
        #expect(try WebTrackingConfiguration(file: shared).source == nil)
    }

    @Test("A path may have any characters", arguments: ["a b.json", "50%20.json", "a#b.json", "日志 é.json"])
    func readsAnyPath(name: String) throws {
        let path = self.file(name, "{\(Self.required)}")
        #expect(try WebTrackingConfiguration(file: WebTrackingSettingsFile(path)).project == "project")
    }

    // MARK: Through a reader of swift-configuration

    private func read(_ variables: [String: String]) throws -> WebTrackingConfiguration {
        let required = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        let all = required.merging(variables) { $1 }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: all)).scoped(to: "wt")
        return try WebTrackingConfiguration(layers: [.config(reader.snapshot())], environment: all)
    }

    @Test("An empty variable is not set, and items of lists are without the space around them")
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

    @Test("An empty variable of any key is not set, nor is an empty file, or one with nothing but an end of line")
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
    }

    @Test("Each key's variable has the name that swift-configuration gives it")
    func namesVariables() {
        for key in SettingsKeys.all.keys {
            let variables = ["WT_\(SettingsVariables.encoded(key))": "value"]
            let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables))
            #expect(reader.scoped(to: "wt").string(forKey: ConfigKey(key)) == "value", "\(key)")
        }
    }

    @Test("A variable of an object's member is an error, and one of somebody else is none")
    func tellsWhoseAVariableIs() throws {
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
            // The wall: a reader does not list its keys, and nobody asks for this one.
            _ = try WebTrackingConfiguration(config: reader)
            return
        }
        let error = try #require(throws: ConfigurationError.self) { try WebTrackingConfiguration(config: reader) }
        #expect(error.setting == setting)
    }

    @Test("A key in another spelling is not taken for the variable that is spelled alike")
    func tellsVariablesFromSpellings() throws {
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

    // MARK: Followed

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

    @Test("Of a followed file, a misspelt key is told and resets nothing; nor does broken JSON, or a file that is gone")
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
                (#"{\#(Self.required), "logLevels": "#, "no JSON at line 1"),
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
            // The same trouble is told once.
            for _ in 0..<5 { await self.pass(clock) { true } }
            #expect(reported.elements.count == count + 1)
            _ = self.file("live.json", #"{\#(Self.required), "logLevels": {"shop": "error"}}"#)
            await self.pass(clock) { producer.logLevelOverrides == ["shop": .error] }
        }
    }

    @Test("Of each change of a followed file it is told whether it is in force, also of several within a second")
    func tellsOfEachChange() async throws {
        let names = #""a", "b", "c", "d", "e""#
        let path = self.file("told.json", #"{\#(Self.required), "redaction": {"mask": [\#(names), "f"]}}"#)
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
                _ = self.file("told.json", "{\(Self.required), \(members)}")
                let start = clock.now()
                await self.pass(clock) { reported.elements.count > count || clock.now() - start > .seconds(60) }
                #expect(reported.elements.count == count + 1, "\(members)")
                #expect(reported.elements.last?.contains(part) == true, "\(members)")
                #expect(reported.elements.last?.contains("like it") == false)
            }
            #expect(producer.redaction.rules.contains(.key("g", .mask)))
        }
    }

    @Test("Of a followed file, a change of what is read at a start only is told, and the rest of it is in force")
    func tellsWhatWaitsForAStart() async throws {
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

    @Test("What the program has set over the file waits for nothing, until the file changes")
    func knowsWhatTheProgramChanged() throws {
        let path = self.file("own.json", #"{\#(Self.required), "memoryLimit": 2000000}"#)
        let file = WebTrackingSettingsFile(path)
        func waiting(_ follower: inout SettingsFollower) throws -> [String]? {
            switch follower.look(at: file) {
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

    @Test("Of a followed reader, too, what is read at a start only is told, and is no reason to refuse the rest")
    func tellsWhatWaitsInAReader() throws {
        let start = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        var follower = SettingsFollower(try self.read([:]), isPatient: false)
        for (more, expected) in [
            ([:], []), (["WT_MEMORY_LIMIT": "3000000"], ["memoryLimit"]), (["WT_MEMORY_LIMIT": "1"], []),
        ] as [([String: String], [String])] {
            let provider = EnvironmentVariablesProvider(environmentVariables: start.merging(more) { $1 })
            let reader = ConfigReader(provider: provider).scoped(to: "wt")
            guard case .apply(_, let waiting, _) = follower.look(at: reader.snapshot()) else { throw TestFailure() }
            #expect(waiting == expected)
        }
    }

    #if SignedPutLogs
    @Test("Of a followed file, a secret that is another waits for a start as well, and is not shown")
    func tellsOfSecrets() throws {
        func write(_ secret: String) -> WebTrackingSettingsFile {
            let signing = #""signing": {"region": "cn-test", "accessKeyID": "id", "accessKeySecret": "\#(secret)"}"#
            return WebTrackingSettingsFile(self.file("signing.json", "{\(Self.required), \(signing)}"))
        }
        var follower = SettingsFollower(try WebTrackingConfiguration(file: write("old-secret")))
        guard case .apply(_, waiting: [], isTold: false) = follower.look(at: write("old-secret")) else {
            throw TestFailure()
        }
        guard case .apply(_, let waiting, isTold: true) = follower.look(at: write("new-secret")) else {
            throw TestFailure()
        }
        #expect(waiting == ["signing.accessKeySecret"])
    }
    #endif

    @Test("A followed file that says nothing of a spool is in force beside one that the program has set")
    func followsBesideASpool() throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = "/var/spool/test"
        var follower = SettingsFollower(configuration)
        let path = self.file("levels.json", #"{"logLevels": {"shop": "debug"}}"#)
        guard case .apply(let settings, waiting: [], _) = follower.look(at: WebTrackingSettingsFile(path)) else {
            throw TestFailure()
        }
        #expect(settings.logLevelOverrides == ["shop": .debug])
    }

    @Test("A file that is half written at one look and whole at the next is not told of")
    func waitsForTheRest() throws {
        var follower = SettingsFollower(WebTrackingConfiguration(endpoint: "cn-test", project: "p1p", logstore: "ll"))
        func look(_ text: String) -> SettingsFollower.Action {
            follower.look(at: WebTrackingSettingsFile(self.file("half.json", text)))
        }
        guard case .apply = look("{}") else { throw TestFailure() }
        guard case .none = look("{}") else { throw TestFailure() }
        guard case .none = look(#"{"log"#) else { throw TestFailure() }
        guard case .apply(let settings, _, isTold: false) = look(#"{"logLevels": {"a": "debug"}}"#) else {
            throw TestFailure()
        }
        #expect(settings.logLevelOverrides == ["a": .debug])
        guard case .none = look("{") else { throw TestFailure() }
        guard case .refuse = look("{") else { throw TestFailure() }
        guard case .none = look("{") else { throw TestFailure() }
        guard case .apply(_, _, isTold: true) = look("{}") else { throw TestFailure() }
    }

    private struct TestFailure: Error {}
}

#endif
