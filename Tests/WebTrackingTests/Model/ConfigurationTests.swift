// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Settings that cannot work are refused with the value, the rule and the mend.
@Suite(.timeLimit(.minutes(10))) struct ConfigurationTests {
    private func error(_ change: (inout WebTrackingConfiguration) -> Void) -> ConfigurationError? {
        var configuration = WebTrackingConfiguration(
            endpoint: "cn-hangzhou.log.aliyuncs.com",
            project: "my-project",
            logstore: "app"
        )
        change(&configuration)
        do {
            try configuration.validate()
            return nil
        } catch {
            return error as? ConfigurationError
        }
    }

    @Test func aSpoolThatADurabilityOfMemoryDoesNotUseIsAnErrorThatSaysWhatToSet() {
        let changes: [(String, (inout WebTrackingConfiguration.Spool) -> Void)] = [
            ("spool.directory", { $0.directory = "/var/spool/test" }),
            ("spool.maximumBytes", { $0.maximumBytes = 1 << 20 }),
            ("spool.maximumAge", { $0.maximumAge = .seconds(60) }), ("spool.permits", { $0.permits = .group }),
            ("spool.reportsUnexpectedExits", { $0.reportsUnexpectedExits = false }),
            ("spool.isRescue", { $0.isRescue = true }),
        ]
        for (setting, change) in changes {
            let error = self.error { change(&$0.spool) }
            #expect(error?.setting == setting)
            #expect(error?.suggestion == "Set durability to process or power, or remove \(setting).")
            let used = self.error {
                $0.durability = .process
                $0.spool.directory = "/var/spool/other"
                change(&$0.spool)
            }
            #expect(used == nil)
        }
    }

    @Test func threeValuesAreEnough() {
        #expect(self.error { _ in } == nil)
    }

    @Test(arguments: ["abc", "a1-b", "a" + String(repeating: "b", count: 62)])
    func goodProjects(name: String) { #expect(self.error { $0.project = name } == nil) }

    @Test(arguments: [
        "", "ab", "Abc", "-abc", "abc-", "a_b", "a.b", "caf\u{e9}s", "a b", "a/b", "abc\r\nHost: x",
        String(repeating: "a", count: 64),
    ])
    func badProjects(name: String) {
        let error = self.error { $0.project = name }
        #expect(error?.setting == "project")
        #expect(error?.value == name)
        #expect(error?.description.contains("letters") == true)
    }

    @Test(arguments: ["ab", "app_log-1"]) func goodLogstores(name: String) {
        #expect(self.error { $0.logstore = name } == nil)
    }

    @Test(arguments: ["", "a", "_ab", "ab_", "A1", "a/b", "a%2fb", String(repeating: "a", count: 64)])
    func badLogstores(name: String) { #expect(self.error { $0.logstore = name }?.setting == "logstore") }

    @Test(arguments: [
        ("cn-hangzhou.log.aliyuncs.com", "https://p-1.cn-hangzhou.log.aliyuncs.com/"),
        ("https://cn-hangzhou.log.aliyuncs.com/", "https://p-1.cn-hangzhou.log.aliyuncs.com/"),
        ("http://cn-hangzhou-intranet.log.aliyuncs.com", "http://p-1.cn-hangzhou-intranet.log.aliyuncs.com/"),
        ("HTTPS://CN-Hangzhou.log.aliyuncs.com:8443", "https://p-1.cn-hangzhou.log.aliyuncs.com:8443/"),
        ("cn-hangzhou", "https://p-1.cn-hangzhou.log.aliyuncs.com/"),
        ("ap-southeast-1", "https://p-1.ap-southeast-1.log.aliyuncs.com/"),
        ("log-global.aliyuncs.com", "https://p-1.log-global.aliyuncs.com/"),
        ("https://logs.example.com", "https://logs.example.com/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http://localhost:1", "http://localhost:1/"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("http://local-logstore:8080", "http://local-logstore:8080/"),
        ("http://us-collector:8080", "http://us-collector:8080/"),
    ])
    func endpointsAndTheHostsTheyGive(endpoint: String, url: String) throws {
        let error = self.error {
            $0.endpoint = endpoint
            $0.allowsPlainHTTP = true
        }
        #expect(error == nil)
        let parsed = try Endpoint.parse(endpoint)
        let request = TransportRequest(
            isSecure: parsed.isSecure,
            host: parsed.host(project: "p-1"),
            port: parsed.port,
            path: "/",
            headers: [],
            body: [],
            timeout: .zero
        )
        #expect(request.url == url)
    }

    @Test(arguments: [
        "", "https://", "ftp://a.b", "a.b/path", "a.b?x=1", "user@a.b", "a.b:0", "a.b:65536", "a.b:x", "a..b", "-a.b",
        "a b", "[::1", "[::1]x", "[xyz]", "caf\u{e9}.example", "a.b\r\nX: y", "https://a.b//", "http://a.b#f",
        "https://[abc]", "https://a.b:+8080", "https://a.b:-1", ":8080", "[1.2.3.4]", "[::1%lo]", "[:::]", "[12345::]",
        "http://127.0.0.08", "http://127.0.0.010", "http://127.1", "http://2130706433", "http://0x7f000001",
        "http://127.0.0.1.", "http://1.2.3.256", "http://a.1", "http://0x7f.0.0.1", "http://127.0.0.0x1", "[]",
        "my-project.cn-hangzhou.log.aliyuncs.com",
    ])
    func badEndpoints(endpoint: String) {
        let error = self.error { $0.endpoint = endpoint }
        #expect(error?.setting == "endpoint")
        #expect(error?.suggestion.isEmpty == false)
    }

    @Test(arguments: [
        "https://ada:hunter2@logs.example.com", "ada:hunter2@logs.example.com", "ftp://ada:hunter2@logs.example.com/p",
        "https://logs.example.com?token=hunter2&user=ada", "https://logs.example.com/ada?hunter2",
        "https://logs.example.com#ada-hunter2", "https://ada:hun/ter2?x#y@logs.example.com", "://ada:hunter2@a.b",
        "https://ada:hunter2@\u{301}logs.example.com", "https://logs.example.com?\u{301}ada:hunter2",
        "https://ada%40x:hunter2@h:99999?q=hunter2", "//ada:hunter2@a.b/ada", "https://h#hunter2",
    ])
    func neitherAnErrorNorAPrintedConfigurationRepeatsTheCredentialsInAnAddress(endpoint: String) throws {
        var configuration = WebTrackingConfiguration(endpoint: endpoint, project: endpoint, logstore: endpoint)
        #expect(!"\(configuration)".contains("ter2"))
        configuration.endpoint = "cn-test"
        for keyPath in [\WebTrackingConfiguration.project, \.logstore] {
            let error = try #require(self.error { $0[keyPath: keyPath] = endpoint })
            #expect(!"\(error)".contains("ter2") && error.value.contains("[redacted]"))
        }
        let error = try #require(self.error { $0.endpoint = endpoint })
        for text in [error.value, "\(error)", String(reflecting: error)] {
            #expect(!text.contains("hunter2") && !text.contains("ter2"))
            #expect(text.contains("[redacted]"))
            if !endpoint.contains("/ada") { #expect(!text.contains("ada")) }
        }
        #expect(error.setting == "endpoint")
    }

    @Test func whatIsFineInAnEndpointIsRepeated() {
        #expect(
            self.error { $0.endpoint = "ftp://logs.example.com:8080/path" }?.value == "ftp://logs.example.com:8080/path"
        )
        #expect(self.error { $0.endpoint = "a..b" }?.value == "a..b")
    }

    @Test func topicSourceAndTagsAreHeldToTheServicesRules() {
        let long = String(repeating: "\u{e9}", count: 65)
        #expect(self.error { $0.topic = .fixed(long) }?.setting == "topic")
        #expect(self.error { $0.topic = .fixed(String(long.dropLast())) } == nil)
        #expect(self.error { $0.topic = .metadata(key: "", fallback: "") }?.setting == "topic")
        #expect(self.error { $0.topic = .metadata(key: "k", fallback: long) }?.setting == "topic")
        #expect(self.error { $0.topic = .labelPrefix(components: 0) }?.setting == "topic.labelPrefix.components")
        #expect(self.error { $0.source = long }?.setting == "source")
        #expect(self.error { $0.tags = [long: "v"] }?.setting == "tags")
        #expect(self.error { $0.tags = ["": "v"] }?.setting == "tags")
        #expect(self.error { $0.tags = ["__topic__": "v"] }?.setting == "tags")
        #expect(self.error { $0.tags = ["k": String(repeating: "v", count: 1025)] }?.setting == "tags")
        #expect(self.error { $0.promotedTags = ["a", "a"] }?.setting == "promotedTags")
        #expect(self.error { $0.promotedTags = ["__time__"] }?.setting == "promotedTags")
        #expect(
            self.error {
                $0.promotedTags = ["a"]
                $0.tags = ["a": "v"]
            }?.setting == "promotedTags"
        )
        #expect(
            self.error {
                $0.promotedTags = ["a"]
                $0.topic = .metadata(key: "a", fallback: "")
            }?.setting == "promotedTags"
        )
    }

    @Test func fieldNamesAreHeldToTheServicesRules() {
        #expect(self.error { $0.fields.message = "level" }?.setting == "fields")
        #expect(self.error { $0.fields.time = "__time__" }?.setting == "fields")
        #expect(self.error { $0.fields.label = "" }?.setting == "fields")
        #expect(
            self.error {
                $0.fields.message = "seq"
                $0.fields.includesSequence = false
            } == nil
        )
    }

    @Test func numbersAreHeldToTheirRanges() {
        let changes: [(String, (inout WebTrackingConfiguration) -> Void)] = [
            ("maximumTopics", { $0.maximumTopics = 0 }),
            ("idleTopicTimeout", { $0.idleTopicTimeout = .zero }),
            ("memoryLimit", { $0.memoryLimit = 1000 }),
            ("compression.level", { $0.compression = .deflate(level: 0) }),
            ("compression.level", { $0.compression = .deflate(level: 10) }),
            ("batching.maximumRecords", { $0.batching.maximumRecords = 4097 }),
            ("batching.maximumRequestBytes", { $0.batching.maximumRequestBytes = (10 << 20) + 1 }),
            ("batching.targetBytes", { $0.batching.targetBytes = 0 }),
            ("batching.linger", { $0.batching.linger = .seconds(-1) }),
            ("delivery.maximumConcurrentRequests", { $0.delivery.maximumConcurrentRequests = 0 }),
            ("delivery.requestTimeout", { $0.delivery.requestTimeout = .zero }),
            ("delivery.maximumBackoff", { $0.delivery.maximumBackoff = .milliseconds(1) }),
            ("delivery.initialQuotaBackoff", { $0.delivery.initialQuotaBackoff = .zero }),
            ("delivery.maximumAge", { $0.delivery.maximumAge = .zero }),
            ("delivery.refusalPatience", { $0.delivery.refusalPatience = .seconds(-1) }),
            ("delivery.shutdownTimeout", { $0.delivery.shutdownTimeout = .seconds(-1) }),
            ("limits.maximumValueBytes", { $0.limits.maximumValueBytes = (1 << 20) + 1 }),
            ("limits.maximumRecordBytes", { $0.limits.maximumRecordBytes = 100 }),
            ("limits.maximumNesting", { $0.limits.maximumNesting = 33 }),
        ]
        for (setting, change) in changes { #expect(self.error(change)?.setting == setting) }
    }

    @Test func tagsThatLeaveNoRoomForRecordsAreRefused() {
        let error = self.error { configuration in
            configuration.batching.maximumRequestBytes = 64 << 10
            for index in 0..<60 { configuration.tags["k\(index)"] = String(repeating: "v", count: 1000) }
        }
        #expect(error?.setting == "tags")
    }

    @Test func anErrorNamesTheValueTheRuleAndTheMend() {
        let error = self.error { $0.project = "My Project" }
        #expect(error?.description.contains(#"project "My Project": a project name has 3 to 63"#) == true)
        #expect(error?.description.hasSuffix("Copy the name from the service's console.") == true)
    }

    @Test func theProducerRefusesWhatTheConfigurationRefuses() {
        #expect(throws: ConfigurationError.self) {
            try WebTrackingProducer(
                configuration: WebTrackingConfiguration(endpoint: "", project: "p", logstore: "l"),
                transport: InMemoryTransport()
            )
        }
    }

    @Test func theHostsNameIsTheDefaultSource() async throws {
        let rig = try Rig { $0.source = nil }
        rig.sink().info("m")
        await rig.drain()
        let source = try #require(rig.transport.stored.first?.source)
        #expect((1...128).contains(source.utf8.count))
        await rig.stop()
    }
}
