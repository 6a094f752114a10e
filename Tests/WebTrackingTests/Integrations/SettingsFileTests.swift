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

@Suite("A file of settings with a wrong type or name is an error", .timeLimit(.minutes(10)))
struct SettingsFileTests: SettingsTests {
    let folder = SpoolDirectory()

    init() throws {
        try FileSystem.makeDirectory(self.folder.path)
    }

    // MARK: Shapes

    @Test(
        "A value of the wrong type is an error that names the key",
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
            (#""redaction": {"mask": ["mail*"]}"#, "redaction.mask", "mail*"),
            (#""redaction": {"drop": ["a", "*mail*"]}"#, "redaction.drop", "*mail*"),
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

    @Test("A key that is similar to none is an error too, and so is a key that is there twice")
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

    @Test("A wrong letter in a key is found, and the error names the key or one that is as similar")
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

    @Test("Each key has a line when the configuration is printed, and so has the setting without a key")
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

    @Test("The settings may be one object of the file, and the rest of the file is ignored")
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
        "A file that is not a JSON object is an error that says where",
        arguments: [
            ("{\n  \"a\": 1,,\n}", "line 2, column 10"), ("", "line 1, column 1"), ("[]", "one JSON object"),
            ("{\"a\": 1", "line 1, column 8"),
        ]
    )
    func refusesBrokenFiles(text: String, place: String) throws {
        let path = self.file("broken.json", text)
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: WebTrackingSettingsFile(path))
        }
        #expect(error.value == path)
        #expect("\(error)".contains(place))
    }

    @Test("A missing file is an error that names it")
    func refusesMissingFiles() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try WebTrackingConfiguration(file: "/nowhere/at/all.json")
        }
        #expect("\(error)".contains("/nowhere/at/all.json") && "\(error)".contains("No such file"))
    }

    // MARK: Where swift-configuration 1.4.0 does not read

    @Test("A folder that Kubernetes mounts is read through its links, and read again when it changes")
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

    @Test("In a folder that other programs use too, only names that begin with the scope are read")
    func readsAScopeOfAFolder() throws {
        let mount = "\(self.folder.path)/shared"
        try FileSystem.makeDirectory(mount)
        for name in ["web.endpoint", "web.project", "web.logstore", "database-password"] {
            self.folder.overwrite("\(mount)/\(name)", with: Array((name == "web.endpoint" ? "cn-test" : "app").utf8))
        }
        let configuration = try WebTrackingConfiguration(file: WebTrackingSettingsFile(mount, scope: "web"))
        #expect(configuration.endpoint == "cn-test")
    }

    @Test("A key without the scope in a folder is an error, unless it is there with the scope too")
    func refusesKeysWithoutTheScope() throws {
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
}

#endif
