// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing
import WebTracking

#if SwiftLog
import Logging
#endif

/// A configuration read through swift-configuration.
@Suite struct ConfigurationIntegrationTests {
    private static let required: [AbsoluteConfigKey: ConfigValue] = [
        "endpoint": "cn-test", "project": "project", "logstore": "logstore",
    ]

    /// A value that is not the default, for every key that is not required.
    private static let optional: [String: ConfigValue] = [
        "source": "machine-1",
        "tags": ConfigValue(.stringArray(["env=prod", "query=a=b", "empty="]), isSecret: false),
        "topic": "label-prefix:2",
        "promotedTags": ConfigValue(.stringArray(["zone", "tenant"]), isSecret: false),
        "maximumTopics": 17,
        "idleTopicTimeoutSeconds": 30.5,
        "compression": "deflate:3",
        "memoryLimit": 2_000_000,
        "logLevel": "debug",
        "batching.targetBytes": 10_000,
        "batching.maximumRequestBytes": 1_000_000,
        "batching.maximumRecords": 100,
        "batching.lingerSeconds": 0.25,
        "batching.urgentLevel": "none",
        "delivery.maximumConcurrentRequests": 3,
        "delivery.requestTimeoutSeconds": 5.5,
        "delivery.initialBackoffSeconds": 0.2,
        "delivery.maximumBackoffSeconds": 31.0,
        "delivery.initialQuotaBackoffSeconds": 1.5,
        "delivery.maximumQuotaBackoffSeconds": 61.0,
        "delivery.initialRefusalBackoffSeconds": 4.0,
        "delivery.maximumRefusalBackoffSeconds": 62.0,
        "delivery.refusalPatienceSeconds": 300.0,
        "delivery.maximumAgeSeconds": 3600.0,
        "delivery.shutdownTimeoutSeconds": 20.0,
        "limits.maximumValueBytes": 1024,
        "limits.maximumRecordBytes": 100_000,
        "limits.maximumNesting": 4,
        "fields.time": "f-time",
        "fields.level": "f-level",
        "fields.label": "f-label",
        "fields.message": "f-message",
        "fields.source": "f-source",
        "fields.file": "f-file",
        "fields.function": "f-function",
        "fields.line": "f-line",
        "fields.sequence": "f-sequence",
        "fields.errorType": "f-error-type",
        "fields.errorMessage": "f-error-message",
        "fields.includesCodeLocation": false,
        "fields.includesSequence": false,
        "fields.includesBatchID": false,
        "allowsPlainHTTP": true,
        "spool.directory": "/var/spool/test",
        "spool.maximumBytes": 10_485_760,
        "spool.maximumAgeSeconds": 3600.0,
        "spool.permits": "group",
        "spool.reportsUnexpectedExits": false,
    ]

    private static let all = Self.optional.merging(["durability": "process"]) { $1 }

    /// What ``all`` says.
    private static var expected: WebTrackingConfiguration {
        var expected = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        expected.allowsPlainHTTP = true
        expected.source = "machine-1"
        expected.tags = ["env": "prod", "query": "a=b", "empty": ""]
        expected.topic = .labelPrefix(components: 2)
        expected.promotedTags = ["zone", "tenant"]
        expected.maximumTopics = 17
        expected.idleTopicTimeout = .milliseconds(30_500)
        expected.compression = .deflate(level: 3)
        expected.memoryLimit = 2_000_000
        expected.logLevel = .debug
        expected.batching.targetBytes = 10_000
        expected.batching.maximumRequestBytes = 1_000_000
        expected.batching.maximumRecords = 100
        expected.batching.linger = .milliseconds(250)
        expected.batching.urgentLevel = nil
        expected.delivery.maximumConcurrentRequests = 3
        expected.delivery.requestTimeout = .milliseconds(5500)
        expected.delivery.initialBackoff = .milliseconds(200)
        expected.delivery.maximumBackoff = .seconds(31)
        expected.delivery.initialQuotaBackoff = .milliseconds(1500)
        expected.delivery.maximumQuotaBackoff = .seconds(61)
        expected.delivery.initialRefusalBackoff = .seconds(4)
        expected.delivery.maximumRefusalBackoff = .seconds(62)
        expected.delivery.refusalPatience = .seconds(300)
        expected.delivery.maximumAge = .seconds(3600)
        expected.delivery.shutdownTimeout = .seconds(20)
        expected.limits.maximumValueBytes = 1024
        expected.limits.maximumRecordBytes = 100_000
        expected.limits.maximumNesting = 4
        expected.fields.time = "f-time"
        expected.fields.level = "f-level"
        expected.fields.label = "f-label"
        expected.fields.message = "f-message"
        expected.fields.source = "f-source"
        expected.fields.file = "f-file"
        expected.fields.function = "f-function"
        expected.fields.line = "f-line"
        expected.fields.sequence = "f-sequence"
        expected.fields.errorType = "f-error-type"
        expected.fields.errorMessage = "f-error-message"
        expected.fields.includesCodeLocation = false
        expected.fields.includesSequence = false
        expected.fields.includesBatchID = false
        expected.durability = .process
        expected.spool.directory = "/var/spool/test"
        expected.spool.maximumBytes = 10 << 20
        expected.spool.maximumAge = .seconds(3600)
        expected.spool.permits = .group
        expected.spool.reportsUnexpectedExits = false
        return expected
    }

    /// Apart from the others: it needs a directory, and the interval needs it.
    @Test func durabilityIsReadWithItsDirectoryAndInterval() throws {
        let directory: [String: ConfigValue] = ["spool.directory": "/var/spool/test"]
        func durability(_ values: [String: ConfigValue]) throws -> Durability {
            try Self.read(directory.merging(values) { $1 }).durability
        }
        #expect(try durability(["durability": "process"]) == .process)
        #expect(try durability(["durability": "power"]) == .power())
        #expect(
            try durability(["durability": "power", "spool.syncIntervalSeconds": 2.5]) == .power(interval: .seconds(2.5))
        )
        #expect(throws: ConfigurationError.self) { try durability(["durability": "eternal"]) }
        #expect(throws: ConfigurationError.self) { try Self.read(["durability": "process"]) }
        let error = #expect(throws: ConfigurationError.self) {
            try durability(["durability": "power", "spool.syncIntervalSeconds": 0.001])
        }
        #expect(error?.setting == "spool.syncIntervalSeconds")
    }

    @Test(
        arguments: [
            ("spool.directory", "/var/spool/test"), ("spool.maximumBytes", 1_073_741_824),
            ("spool.maximumAgeSeconds", 60.0),
            ("spool.permits", "owner"), ("spool.reportsUnexpectedExits", true), ("spool.syncIntervalSeconds", 0.5),
        ] as [(String, ConfigValue)]
    )
    func aKeyOfTheSpoolThatHasNoEffectIsAnErrorThatSaysWhatToSet(key: String, value: ConfigValue) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.read([key: value]) }
        #expect(error.setting == key)
        #expect(error.suggestion.contains("durability") && error.suggestion.contains("power"))
        // One word switches a spool off.
        let off = try Self.read(Self.spooled.merging([key: value, "durability": "memory"]) { $1 })
        #expect(try off == Self.read([:]))
    }

    @Test func anIntervalBetweenSyncsThatAreNotDoneIsAnError() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Self.read(Self.spooled.merging(["spool.syncIntervalSeconds": 0.5]) { $1 })
        }
        #expect(error.setting == "spool.syncIntervalSeconds")
        #expect(error.suggestion.contains("Set durability to power"))
    }

    /// What the keys of the spool need beside them.
    private static let spooled: [String: ConfigValue] = [
        "durability": "process", "spool.directory": "/var/spool/other",
    ]

    private static func base(of key: String) -> [String: ConfigValue] { key.hasPrefix("spool.") ? self.spooled : [:] }

    private static func read(
        _ values: [String: ConfigValue],
        under prefix: ConfigKey? = nil
    ) throws -> WebTrackingConfiguration {
        var all = self.required
        for (key, value) in values { all[AbsoluteConfigKey(ConfigKey(key))] = value }
        if let prefix {
            all = Dictionary(uniqueKeysWithValues: all.map { ($0.key.prepending(prefix), $0.value) })
        }
        let reader = ConfigReader(provider: InMemoryProvider(values: all))
        return try WebTrackingConfiguration(config: prefix.map { reader.scoped(to: $0) } ?? reader)
    }

    /// The error for one value, if there is one.
    private static func error(_ key: String, _ value: ConfigValue) throws -> ConfigurationError {
        try #require(throws: ConfigurationError.self) {
            try self.read(self.base(of: key).merging([key: value]) { $1 })
        }
    }

    // MARK: Values that work

    @Test func keysThatAreNotSetKeepTheirDefaults() throws {
        let plain = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        #expect(try Self.read([:]) == plain)
    }

    @Test func everyKeyIsRead() throws {
        #expect(try Self.read(Self.all) == Self.expected)
    }

    @Test(arguments: Self.optional.keys.sorted())
    func everyKeyWorksByItself(key: String) throws {
        let base = Self.base(of: key)
        #expect(try Self.read(base.merging([key: #require(Self.optional[key])]) { $1 }) != Self.read(base))
    }

    @Test func aScopedReaderReadsTheKeysBehindItsPrefix() throws {
        #expect(try Self.read(Self.all, under: "services.webtracking") == Self.expected)
    }

    @Test(arguments: [
        ("label", TopicRule.label), ("fixed:orders", .fixed("orders")), ("fixed:", .fixed("")),
        ("fixed:a:b:c", .fixed("a:b:c")), ("label-prefix:1", .labelPrefix(components: 1)),
        ("metadata:service:other", .metadata(key: "service", fallback: "other")),
        ("metadata:service:", .metadata(key: "service", fallback: "")),
        ("metadata:service:a:b", .metadata(key: "service", fallback: "a:b")),
    ])
    func topicRulesAreRead(text: String, rule: TopicRule) throws {
        #expect(try Self.read(["topic": ConfigValue(stringLiteral: text)]).topic == rule)
    }

    @Test(arguments: [
        ("lz4", Compression.lz4), ("none", .none), ("deflate", .deflate()), ("deflate:9", .deflate(level: 9)),
    ])
    func compressionsAreRead(text: String, compression: Compression) throws {
        #expect(try Self.read(["compression": ConfigValue(stringLiteral: text)]).compression == compression)
    }

    @Test(arguments: LogLevel.allCases)
    func levelsAreRead(level: LogLevel) throws {
        let value = ConfigValue(stringLiteral: level.rawValue)
        let configuration = try Self.read(["logLevel": value, "batching.urgentLevel": value])
        #expect(configuration.logLevel == level)
        #expect(configuration.batching.urgentLevel == level)
    }

    @Test func valuesInsideArraysOfTextMayBeEmpty() throws {
        let configuration = try Self.read(["tags": ConfigValue(.stringArray([]), isSecret: false)])
        #expect(configuration.tags == [:])
    }

    // MARK: Values that do not

    @Test(arguments: ["endpoint", "project", "logstore"])
    func aMissingRequiredKeyThrowsAnErrorThatNamesIt(key: String) {
        var values = Self.required
        values[AbsoluteConfigKey(ConfigKey(key))] = nil
        let reader = ConfigReader(provider: InMemoryProvider(values: values))
        let error = #expect(throws: (any Error).self) { try WebTrackingConfiguration(config: reader) }
        #expect(error.map { "\($0)".contains(key) } == true)
        #expect(!(error is ConfigurationError))
    }

    @Test(arguments: [
        ("endpoint", "ftp://host"), ("project", "Not A Project"), ("logstore", "/"), ("topic", "fixed"),
        ("topic", "label:x"), ("topic", "label-prefix:"), ("topic", "label-prefix:two"), ("topic", "metadata:key"),
        ("topic", "metadata::fallback"), ("topic", "nothing"), ("topic", "label-prefix:0"),
        ("compression", "zstd"), ("compression", "deflate:"), ("compression", "deflate:best"),
        ("compression", "deflate:10"), ("logLevel", "verbose"), ("logLevel", "INFO"), ("logLevel", "none"),
        ("batching.urgentLevel", "fatal"), ("fields.time", "__time__"), ("fields.level", "__topic__"),
    ])
    func aTextThatCannotWorkThrowsAnErrorThatNamesItsKeyAndTheValue(key: String, value: String) throws {
        let error = try Self.error(key, ConfigValue(stringLiteral: value))
        // A rule about a part of a value, or about all fields, names that.
        #expect(Self.names(error.setting, key))
        #expect(!error.rule.isEmpty && !error.suggestion.isEmpty)
        #expect(value.contains(error.value))
    }

    @Test(arguments: [
        ("maximumTopics", 0), ("memoryLimit", 1), ("batching.targetBytes", -1), ("batching.maximumRequestBytes", 1),
        ("batching.maximumRecords", 4097), ("delivery.maximumConcurrentRequests", 0), ("limits.maximumValueBytes", 1),
        ("limits.maximumRecordBytes", 1), ("limits.maximumNesting", 33), ("maximumTopics", Int.max),
        ("batching.targetBytes", Int.min),
    ])
    func aNumberOutOfItsRangeThrowsAnErrorThatNamesItsKey(key: String, value: Int) throws {
        let error = try Self.error(key, ConfigValue(integerLiteral: value))
        #expect(error.setting == key)
        #expect(error.value == "\(value)")
    }

    @Test(arguments: Self.optional.keys.filter { $0.hasSuffix("Seconds") }.sorted())
    func aDurationThatIsNoneThrowsAnErrorThatNamesItsKeyAndDoesNotTrap(key: String) throws {
        for seconds in [
            Double.nan, .signalingNaN, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
            1e300, 1e19, -1e19, 1e9,
        ] {
            let error = try Self.error(key, ConfigValue(floatLiteral: seconds))
            #expect(error.setting == key)
            #expect(error.description.contains(key))
        }
    }

    @Test(arguments: Self.optional.keys.filter { $0.hasSuffix("Seconds") }.sorted())
    func aDurationOutOfItsRangeThrowsAnErrorThatNamesItsSetting(key: String) throws {
        for seconds in [-1, 999_999_999] {
            let error = try Self.error(key, ConfigValue(floatLiteral: Double(seconds)))
            // The setting is called after the key, without the unit; of two backoffs either may be the one at fault.
            let setting = String(key.dropLast("Seconds".count))
            #expect([setting, setting.replacing("initial", with: "maximum")].contains(error.setting))
        }
    }

    @Test func aTagWithoutAnEqualsSignThrowsAnErrorThatNamesTheKeyAndTheTag() throws {
        let error = try Self.error("tags", ConfigValue(.stringArray(["a=1", "prod"]), isSecret: false))
        #expect(error.setting == "tags")
        #expect(error.value == "prod")
    }

    @Test func aTagWithoutANameThrowsAnErrorThatNamesTheKey() throws {
        #expect(try Self.error("tags", ConfigValue(.stringArray(["=1"]), isSecret: false)).setting == "tags")
    }

    @Test func aPromotedTagThatIsReservedThrowsAnErrorThatNamesTheKey() throws {
        let error = try Self.error("promotedTags", ConfigValue(.stringArray(["__topic__"]), isSecret: false))
        #expect(error.setting == "promotedTags")
    }

    private static func names(_ setting: String, _ key: String) -> Bool {
        setting == key || setting.hasPrefix("\(key).") || (setting == "fields" && key.hasPrefix("fields."))
    }

    // MARK: Texts where numbers are expected, as environment variables bring them

    @Test func textsThatAreNumbersAreRead() throws {
        let configuration = try Self.readEnvironment(["MEMORY_LIMIT": "2000000", "BATCHING_LINGER_SECONDS": "0.5"])
        #expect(configuration.memoryLimit == 2_000_000)
        #expect(configuration.batching.linger == .milliseconds(500))
    }

    @Test(arguments: [
        ("MEMORY_LIMIT", "64MB", "memoryLimit"), ("BATCHING_LINGER_SECONDS", "2s", "batching.lingerSeconds"),
        ("FIELDS_INCLUDES_SEQUENCE", "perhaps", "fields.includesSequence"),
        ("DELIVERY_MAXIMUM_CONCURRENT_REQUESTS", "many", "delivery.maximumConcurrentRequests"),
    ])
    func aTextThatIsNotWhatTheKeyAsksForThrowsAnErrorThatNamesIt(name: String, value: String, key: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.readEnvironment([name: value]) }
        #expect(error.setting == key)
        #expect(error.value == value)
    }

    private static func readEnvironment(_ values: [String: String]) throws -> WebTrackingConfiguration {
        let required = ["ENDPOINT": "cn-test", "PROJECT": "project", "LOGSTORE": "logstore"]
        let provider = EnvironmentVariablesProvider(environmentVariables: required.merging(values) { _, new in new })
        return try WebTrackingConfiguration(config: ConfigReader(provider: provider))
    }
}

#endif
