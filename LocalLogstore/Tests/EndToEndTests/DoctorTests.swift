// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore
import LocalLogstoreTestSupport
import Testing
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension EndToEnd {
    /// `webtracking doctor`, run as a program on set-ups that are broken for real, one part each.
    @Suite("webtracking doctor")
    struct DoctorTests {
        private struct Row: Decodable, CustomStringConvertible {
            var check: String
            var state: String
            var finding: String
            var suggestion: String?

            var description: String { "\(self.check) \(self.state): \(self.finding); \(self.suggestion ?? "")" }
        }

        private static let target = ["--project", "local", "--logstore", "app"]

        private func doctor(
            _ arguments: [String],
            under command: [String] = []
        ) async throws -> (status: Int32, rows: [Row]) {
            let process = try ChildProcess("webtracking", ["doctor", "--json"] + arguments, under: command)
            let outcome = try await process.outcome()
            let rows = try? JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
            // Whatever fails, each check is there.
            #expect(Set(rows?.map(\.check) ?? []) == Set(SetupCheck.Subject.allCases.map(\.rawValue) + ["record"]))
            return (outcome.status, try #require(rows, "\(outcome)"))
        }

        /// Expects that one check alone is in a state, with these words, and that no other fails or warns.
        private func expect(
            _ check: String,
            _ words: String,
            suggests suggestion: String? = nil,
            isWarning: Bool = false,
            beside others: Set<String> = [],
            _ arguments: [String],
            under command: [String] = [],
            _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let (status, rows) = try await self.doctor(arguments, under: command)
            let wrong = rows.filter { ["failed", "warning"].contains($0.state) && !others.contains($0.check) }
            #expect(Set(wrong.map(\.check)) == [check], "\(rows)", sourceLocation: location)
            #expect(wrong.first?.state == (isWarning ? "warning" : "failed"), sourceLocation: location)
            #expect(wrong.first?.finding.contains(words) ?? false, "\(wrong)", sourceLocation: location)
            if let suggestion {
                #expect(wrong.first?.suggestion?.contains(suggestion) ?? false, "\(wrong)", sourceLocation: location)
            }
            #expect(status == (rows.contains { $0.state == "failed" } ? 1 : 0), sourceLocation: location)
        }

        private func endpoint(_ server: TestServer) -> [String] {
            ["--endpoint", "http://127.0.0.1:\(server.port)"] + Self.target
        }

        /// Nobody is asked: for tests of what is on this machine.
        private static let nobody = ["--endpoint", "http://127.0.0.1:1"] + target
        /// Besides, where tests have their folders may be in memory, or nearly full.
        private static let ofNobody: Set<String> = ["connection", "spool_file_system", "spool_space"]

        // MARK: Nothing is wrong

        @Test func aSetUpThatWorksIsOkInEachLineAndNothingIsStored() async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let spool = directory.appending(path: "spool")
                    try FileManager.default.createDirectory(
                        at: spool,
                        withIntermediateDirectories: false,
                        attributes: [.posixPermissions: 0o700]
                    )
                    let (status, rows) = try await self.doctor(self.endpoint(server) + ["--spool", spool.path])
                    #expect(status == 0, "\(rows)")
                    let states = Dictionary(uniqueKeysWithValues: rows.map { ($0.check, $0.state) })
                    for check in ["settings", "name", "connection", "answer", "clock", "spool"] {
                        #expect(states[check] == "ok", "\(rows)")
                    }
                    #expect(states["tls"] == "skipped" && states["record"] == "skipped")
                    // The endpoint refuses a request without records, before or after it looks at these.
                    #expect(states["logstore"] == "skipped" && states["access"] == "skipped")
                    #expect(try await server.store.count() == 0)
                    #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path).isEmpty)
                }
            }
        }

        @Test func aRecordIsSentOnlyIfAskedForAndIsFoundByWhatTheLineSays() async throws {
            try await withServer { server async throws in
                let (status, rows) = try await self.doctor(self.endpoint(server) + ["--send"])
                #expect(status == 0, "\(rows)")
                let record = try #require(rows.last)
                #expect(record.check == "record" && record.state == "ok")
                #expect(rows.filter { ["logstore", "access"].contains($0.check) }.map(\.state) == ["ok", "ok"])
                let id = try #require(record.finding.firstMatch(of: /search for (\w+),/)?.output.1)
                let logs = try await server.store.logs()
                #expect(logs.count == 1)
                #expect(logs.first?.log["message"]?.contains(id) ?? false)
                #expect(logs.first?.log["label"] == "webtracking.doctor")
            }
        }

        @Test func aSignatureThatIsRightIsAccepted() async throws {
            try await withServer { server async throws in
                server.server.accessKeys.add(AccessKey(id: "id", secret: "secret"))
                let (status, rows) = try await self.doctor(
                    self.endpoint(server) + ["--region", "cn-hangzhou", "--send"],
                    under: Self.key("secret")
                )
                #expect(status == 0, "\(rows)")
                #expect(rows.first { $0.check == "access" }?.state == "ok", "\(rows)")
            }
        }

        @Test func theTextHasOneLineForEachCheck() async throws {
            try await withServer { server async throws in
                let process = try ChildProcess("webtracking", ["doctor"] + self.endpoint(server))
                let outcome = try await process.outcome()
                #expect(outcome.status == 0)
                let lines = outcome.output.split(separator: "\n")
                #expect(lines.count == 15, "\(outcome)")
                #expect(lines.allSatisfy { $0.hasPrefix("ok    ") || $0.hasPrefix("skip  ") }, "\(outcome)")
            }
        }

        // MARK: Settings

        @Test func settingsThatAreMissingOrWrongAreNamed() async throws {
            try await self.expect(
                "settings",
                "project",
                suggests: "WEBTRACKING_PROJECT",
                ["--endpoint", "cn-hangzhou"]
            )
            try await self.expect(
                "settings",
                "project \"No\"",
                ["--endpoint", "http://127.0.0.1:1", "--project", "No", "--logstore", "app"]
            )
            try await self.expect(
                "settings",
                "spool",
                Self.nobody,
                under: ["env", "WEBTRACKING_SPOOL_DIRECTRY=/tmp"]
            )
            try await self.expect(
                "settings",
                "logs.example.com would go over http",
                ["--endpoint", "http://logs.example.com"] + Self.target
            )
        }

        @Test func aSpoolThatIsNamedLeavesTheDurabilityOfTheSettings() async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "settings.json")
                let settings =
                    #"{"endpoint":"http://127.0.0.1:1","project":"local","logstore":"app","durability":"power","#
                    + #""spool":{"directory":"/nowhere","syncIntervalSeconds":1}}"#
                try Data(settings.utf8).write(to: file)
                try await self.expect(
                    "connection",
                    "refused",
                    beside: ["spool_file_system", "spool_space"],
                    ["--settings", file.path, "--spool", directory.appending(path: "spool").path]
                )
            }
        }

        /// A shell starts programs so; tests may ignore the signal, and hand that on.
        private static let withSignal = ["env", "--default-signal=PIPE"]

        @Test(.enabled(if: Self.runs(Self.withSignal + ["true"]), "needs env of GNU"))
        func aReaderThatHasSeenEnoughEndsNothing() async throws {
            let process = try ChildProcess(
                "webtracking",
                ["doctor", "--endpoint", "cn-hangzhou"],
                under: Self.withSignal
            )
            #expect(try await process.statusWithoutReader() == 1)
        }

        @Test func aFileOfSettingsIsReadAsTheLibraryReadsIt() async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "settings.json")
                try Data(#"{"endpoint":"http://127.0.0.1:1","project":"local","logstor":"app"}"#.utf8).write(to: file)
                try await self.expect("settings", "logstor", ["--settings", file.path])
            }
        }

        // MARK: The way

        @Test func aNameThatDoesNotResolveIsFound() async throws {
            try await self.expect(
                "name",
                "nowhere.invalid",
                suggests: "getent hosts nowhere.invalid",
                ["--endpoint", "https://nowhere.invalid"] + Self.target
            )
        }

        @Test func aClosedPortIsFound() async throws {
            try await self.expect(
                "connection",
                "127.0.0.1:1: Connection refused",
                suggests: "is the port right",
                Self.nobody
            )
        }

        @Test func aProxyThatIsNotThereIsFound() async throws {
            try await self.expect(
                "connection",
                "the proxy 127.0.0.1:1: Connection refused",
                ["--endpoint", "https://logs.example.com"] + Self.target,
                under: ["env", "WEBTRACKING_PROXY_HOST=127.0.0.1", "WEBTRACKING_PROXY_PORT=1"]
            )
        }

        @Test func aServerWithoutTLSIsFound() async throws {
            try await withServer { server async throws in
                try await self.expect(
                    "tls",
                    "the server does not speak TLS there",
                    suggests: "is it http",
                    ["--endpoint", "https://127.0.0.1:\(server.port)"] + Self.target
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func aServerWithTLSThatIsAskedWithoutIsFound() async throws {
            try await self.withFront { front in
                try await self.expect(
                    "answer",
                    "127.0.0.1:\(front.port)",
                    suggests: "write https://",
                    ["--endpoint", "http://127.0.0.1:\(front.port)"] + Self.target
                )
            }
        }

        /// A server that takes connections, and resets them at the first bytes.
        private static let resetting = """
            import socket, struct

            server = socket.create_server(("127.0.0.1", 0))
            print(server.getsockname()[1], flush=True)
            while True:
                peer, _ = server.accept()
                peer.recv(1)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
            """

        @Test(.enabled(if: Self.runs(["python3", "--version"]), "needs python3"))
        func aConnectionThatIsResetInTheHandshakeIsAMatterOfTLS() async throws {
            let server = try ChildProcess("webtracking", [], under: ["python3", "-c", Self.resetting])
            let port = try await server.firstLine()
            try await self.expect(
                "tls",
                "in the handshake or right after it",
                suggests: "openssl s_client -connect 127.0.0.1:\(port)",
                ["--endpoint", "https://127.0.0.1:\(port)"] + Self.target
            )
            server.terminate()
        }

        private func withFront(_ kind: TLSFront.Kind = .usual, _ body: (TLSFront) async throws -> Void) async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let front = try await TLSFront(kind, inFrontOf: server.port, in: directory)
                    try await body(front)
                    withExtendedLifetime(front) {}
                }
            }
        }

        private func secure(_ front: TLSFront) -> [String] {
            ["--endpoint", "https://localhost:\(front.port)"] + Self.target
        }

        @Test(
            .enabled(if: TLSFront.canRun, "needs openssl and socat"),
            arguments: [
                (TLSFront.Kind.expired, "expired on"), (.notYetValid, "is valid from"),
                (.ofAnotherName, "for another name"), (.old, "no TLS 1.2"),
            ]
        )
        func aCertificateOrAVersionThatWillNotDoIsFound(kind: TLSFront.Kind, words: String) async throws {
            try await self.withFront(kind) { front in
                try await self.expect(
                    "tls",
                    words,
                    self.secure(front),
                    under: ["env", "SSL_CERT_FILE=\(front.authority)"]
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func anIssuerThatNobodyKnowsIsNamed() async throws {
            try await self.withFront { front in
                try await self.expect(
                    "tls",
                    "issued by CN=Test-Authority",
                    suggests: "SSL_CERT_FILE",
                    self.secure(front)
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func authoritiesThatCannotBeReadAreFound() async throws {
            try await self.withFront { front in
                try await self.expect(
                    "tls",
                    "no certificate authorities can be read from /nowhere/ca.pem",
                    self.secure(front),
                    under: ["env", "SSL_CERT_FILE=/nowhere/ca.pem"]
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun && Self.canMount, "needs openssl, socat and the right to mount"))
        func aMachineWithoutCertificateAuthoritiesIsFound() async throws {
            try await self.withFront { front in
                let hidden = URL(filePath: "/etc/ssl")
                try await self.expect(
                    "tls",
                    "no certificate authorities on this machine",
                    suggests: "apt-get install ca-certificates",
                    self.secure(front),
                    under: ["env", "-u", "SSL_CERT_FILE"] + Self.mounted("mount -t tmpfs tmpfs \"$0\"", hidden)
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func issuerAndEndOfACertificateAreToldAndOneThatEndsSoonIsAWarning() async throws {
            try await self.withFront { front in
                let (status, rows) = try await self.doctor(
                    self.secure(front),
                    under: ["env", "SSL_CERT_FILE=\(front.authority)"]
                )
                #expect(status == 0, "\(rows)")
                let row = try #require(rows.first { $0.check == "tls" })
                #expect(row.state == "ok" && row.finding.contains("issued by CN=Test-Authority, valid until 20"))
            }
            try await self.withFront(.ending) { front in
                try await self.expect(
                    "tls",
                    "valid until",
                    suggests: "it ends soon",
                    isWarning: true,
                    self.secure(front),
                    under: ["env", "SSL_CERT_FILE=\(front.authority)"]
                )
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func aCertificateThatLivesForDaysIsNoWarningUntilItsLastThird() async throws {
            try await self.withFront(.short) { front in
                let (status, rows) = try await self.doctor(
                    self.secure(front),
                    under: ["env", "SSL_CERT_FILE=\(front.authority)"]
                )
                #expect(status == 0 && rows.first { $0.check == "tls" }?.state == "ok", "\(rows)")
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"))
        func aCertificateIsToldWhereTheEnvironmentHasNoProxy() async throws {
            try await self.withFront { front in
                let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
                let (status, rows) = try await self.doctor(
                    self.secure(front),
                    under: ["env"] + names.flatMap { ["-u", $0] } + [
                        "WEBTRACKING_PROXY_FROM_ENVIRONMENT=true", "SSL_CERT_FILE=\(front.authority)",
                    ]
                )
                #expect(status == 0, "\(rows)")
                #expect(rows.first { $0.check == "tls" }?.finding.contains("issued by") ?? false, "\(rows)")
            }
        }

        @Test(.enabled(if: TLSFront.canRun, "needs openssl and socat"), arguments: [20, 22, 24, 28, 32])
        func aLowLimitOfOpenFilesDoesNotEndTheLookAtTLS(limit: Int) async throws {
            try await self.withFront { front in
                let (status, rows) = try await self.doctor(
                    self.secure(front),
                    under: [
                        "env", "SSL_CERT_FILE=\(front.authority)", "sh", "-c",
                        "ulimit -n \(limit); exec \"$0\" \"$@\"",
                    ]
                )
                #expect(status == 0, "\(rows)")
                #expect(rows.first { $0.check == "tls" }?.finding.contains("issued by") ?? false, "\(rows)")
            }
        }

        /// A server of the web that is not the service, as a gateway or a captive portal is none.
        private static let web = """
            import http.server as http

            class Web(http.BaseHTTPRequestHandler):
                def do_POST(self):
                    self.send_response(STATUS)
                    self.send_header("Location", "https://elsewhere.example/")
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            server = http.HTTPServer(("127.0.0.1", 0), Web)
            print(server.server_port, flush=True)
            server.serve_forever()
            """

        @Test(
            .enabled(if: Self.runs(["python3", "--version"]), "needs python3"),
            arguments: [
                (200, "not an answer of the service", "something in between"),
                (302, "redirects to https://elsewhere.example/", "use it as the endpoint"),
            ]
        )
        func anAnswerThatIsNotTheServicesIsFound(status: Int, words: String, suggestion: String) async throws {
            let script = Self.web.replacing("STATUS", with: "\(status)")
            let web = try ChildProcess("webtracking", [], under: ["python3", "-c", script])
            let port = try await web.firstLine()
            try await self.expect(
                "answer",
                words,
                suggests: suggestion,
                ["--endpoint", "http://127.0.0.1:\(port)"] + Self.target
            )
            web.terminate()
        }

        // MARK: The service

        @Test func aLogstoreThatIsNotThereIsFound() async throws {
            try await withServer {
                $0.logstores = .only(["other"])
            } _: { server async throws in
                try await self.expect(
                    "logstore",
                    "LogStoreNotExist",
                    suggests: "spelled right",
                    self.endpoint(server)
                )
            }
        }

        @Test(.enabled(if: Self.canMount, "needs the right to mount"))
        func aProjectThatIsNotThereIsFound() async throws {
            try await withServer { server async throws in
                try await withTemporaryDirectory { directory in
                    let hosts = directory.appending(path: "hosts")
                    try Data("127.0.0.1 localhost other.example.test\n".utf8).write(to: hosts)
                    try await self.expect(
                        "logstore",
                        "ProjectNotExist",
                        [
                            "--endpoint", "http://other.example.test:\(server.port)", "--allow-plain-http", "--project",
                            "other", "--logstore", "app",
                        ],
                        under: Self.mounted("mount --bind \"$0\" /etc/hosts", hosts)
                    )
                }
            }
        }

        @Test func webTrackingThatIsOffIsFound() async throws {
            try await withServer { server async throws in
                server.server.registry.setTracking(false, for: "app")
                try await self.expect("access", "HTTP 401", suggests: "web tracking switched on", self.endpoint(server))
            }
        }

        @Test func aRecordThatIsRefusedIsFound() async throws {
            try await withServer {
                $0.faults = FaultPlan { _ in Fault.named("413") }
            } _: { server async throws in
                try await self.expect("record", "HTTP 413", self.endpoint(server) + ["--send"])
            }
        }

        private static func key(_ secret: String) -> [String] {
            ["env", "ALIBABA_CLOUD_ACCESS_KEY_ID=id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=\(secret)"]
        }

        @Test func aWrongSecretIsFoundAndSoIsNone() async throws {
            try await withServer { server async throws in
                server.server.accessKeys.add(AccessKey(id: "id", secret: "secret"))
                let signed = self.endpoint(server) + ["--region", "cn-hangzhou"]
                try await self.expect(
                    "access",
                    "SignatureNotMatch",
                    suggests: "are the credentials right",
                    signed,
                    under: Self.key("another")
                )
                try await self.expect(
                    "access",
                    "no credentials",
                    suggests: "ALIBABA_CLOUD_ACCESS_KEY_ID",
                    signed,
                    under: ["env", "-u", "ALIBABA_CLOUD_ACCESS_KEY_ID", "-u", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
                )
            }
        }

        @Test func aFileWithAnAccessKeySignsAsElsewhereInTheTool() async throws {
            try await withServer { server async throws in
                server.server.accessKeys.add(AccessKey(id: "id", secret: "secret"))
                try await withTemporaryDirectory { directory in
                    let file = directory.appending(path: "key")
                    try Data("id secret\n".utf8).write(to: file)
                    let (status, rows) = try await self.doctor(
                        self.endpoint(server) + ["--region", "cn-hangzhou", "--access-key", file.path, "--send"]
                    )
                    #expect(status == 0, "\(rows)")
                    #expect(rows.first { $0.check == "access" }?.state == "ok", "\(rows)")
                }
            }
        }

        @Test func aTokenThatHasExpiredIsFound() async throws {
            try await withServer { server async throws in
                let past = Date().addingTimeInterval(-60)
                let key = AccessKey(id: "id", secret: "secret", securityToken: "token", expiresAt: past)
                server.server.accessKeys.add(key)
                try await self.expect(
                    "access",
                    "HTTP 401",
                    suggests: "valid still",
                    self.endpoint(server) + ["--region", "cn-hangzhou"],
                    under: Self.key("secret") + ["ALIBABA_CLOUD_SECURITY_TOKEN=token"]
                )
            }
        }

        private static let canFakeTime = Self.runs(["faketime", "-f", "+20m", "true"])

        @Test(.enabled(if: Self.canFakeTime, "needs faketime"), arguments: ["+20m", "-20m"])
        func aClockThatIsTwentyMinutesOffIsFoundAlsoWhereRequestsAreSigned(offset: String) async throws {
            let fake = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", offset]
            try await withServer { server async throws in
                server.server.accessKeys.add(AccessKey(id: "id", secret: "secret"))
                let words = offset == "+20m" ? "s ahead of the service's" : "s behind the service's"
                try await self.expect("clock", words, suggests: "timedatectl", self.endpoint(server), under: fake)
                try await self.expect(
                    "clock",
                    words,
                    self.endpoint(server) + ["--region", "cn-hangzhou"],
                    under: Self.key("secret") + fake
                )
            }
        }

        // MARK: The spool

        private static func runs(_ arguments: [String]) -> Bool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }

        private static let canMount = Self.runs(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])

        /// Runs a command in mounts of its own, once a script has changed what is at a folder, its `$0`.
        private static func mounted(_ script: String, _ folder: URL) -> [String] {
            ["unshare", "--mount", "sh", "-c", "\(script) && exec \"$@\"", folder.path]
        }

        private func withSpool(mode: Int = 0o700, _ body: (URL) async throws -> Void) async throws {
            try await withTemporaryDirectory { directory in
                let spool = directory.appending(path: "spool")
                try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: false)
                // The mask of the process counts for those that are made.
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: spool.path)
                try await body(spool)
            }
        }

        @Test(.enabled(if: geteuid() == 0, "needs root"))
        func aSpoolOfAnotherUserIsFound() async throws {
            try await self.withSpool { spool in
                #expect(chown(spool.path, 12_345, 12_345) == 0)
                try await self.expect(
                    "spool",
                    "it belongs to another user (12345)",
                    suggests: "if the program runs as user 12345, look as that user; if as root, chown -R 0",
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path]
                )
            }
        }

        @Test func aFolderForThisUserThatItsGroupMayWriteToIsFound() async throws {
            try await self.withSpool(mode: 0o777) { spool in
                let own = spool.appending(path: "webtracking-\(geteuid())").path
                try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
                #expect(chmod(own, 0o770) == 0)
                try await self.expect(
                    "spool",
                    "its group may write to it",
                    suggests: "chmod -R g-w \(own)",
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path]
                )
                try await self.expect(
                    "connection",
                    "refused",
                    beside: ["spool_file_system", "spool_space"],
                    Self.nobody + ["--spool", spool.path, "--group"]
                )
            }
        }

        @Test func aSpoolThatIsALinkOrNoDirectoryIsFound() async throws {
            try await self.withSpool { spool in
                let link = spool.deletingLastPathComponent().appending(path: "link").path
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: spool.path)
                try await self.expect(
                    "spool",
                    "it is a link",
                    suggests: "name what it leads to",
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", link]
                )
                let file = spool.deletingLastPathComponent().appending(path: "file").path
                try Data().write(to: URL(fileURLWithPath: file))
                try await self.expect(
                    "spool",
                    "it is no directory",
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", file]
                )
            }
        }

        @Test(
            .enabled(if: Self.canMount, "needs the right to mount"),
            arguments: [
                ("mount -t tmpfs -o mode=700 tmpfs \"$0\" && mount -o remount,ro \"$0\"", "Read-only file system"),
                (
                    "mount -t tmpfs -o size=2m,mode=700 tmpfs \"$0\" && ! dd if=/dev/zero of=\"$0/f\" 2>/dev/null",
                    "No space left"
                ),
                ("mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs \"$0\"", "No space left"),
            ]
        )
        func aDiskThatTakesNoFileIsFound(script: String, words: String) async throws {
            try await self.withSpool { spool in
                try await self.expect(
                    "spool",
                    words,
                    beside: ["connection", "spool_file_system", "spool_space"],
                    Self.nobody + ["--spool", spool.path],
                    under: Self.mounted(script, spool)
                )
            }
        }

        @Test(.enabled(if: Self.canMount, "needs the right to mount"))
        func aSpoolInMemoryAndOneWithLessRoomThanItMayTakeAreWarnings() async throws {
            try await self.withSpool { spool in
                let arguments = Self.nobody + ["--spool", spool.path]
                try await self.expect(
                    "spool_file_system",
                    "is in memory (tmpfs)",
                    suggests: "use a volume on a disk",
                    isWarning: true,
                    beside: ["connection", "spool_space", "memory"],
                    arguments,
                    under: Self.mounted("mount -t tmpfs -o size=16m,mode=700 tmpfs \"$0\"", spool)
                )
                try await self.expect(
                    "spool_space",
                    "the spool may take 1024 MiB more",
                    suggests: "lower spool.maximumBytes",
                    isWarning: true,
                    beside: ["connection", "spool_file_system", "memory"],
                    arguments,
                    under: Self.mounted("mount -t tmpfs -o size=16m,mode=700 tmpfs \"$0\"", spool)
                )
            }
        }

        @Test func whatTheDeadLeftForAnotherLogstoreIsFoundWithTheCommandThatDeliversIt() async throws {
            try await self.withSpool { spool in
                let child = try ChildProcess("e2e-child", ["leave", spool.path, "old", "a"])
                #expect(try await child.outcome().status == -SIGKILL)
                try await self.expect(
                    "spool_left",
                    "5 records in 1 file, for local/old",
                    suggests: "webtracking spool replay \(spool.path)",
                    isWarning: true,
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path]
                )
            }
        }

        @Test func whatANewerVersionLeftIsFound() async throws {
            try await self.withSpool { spool in
                let child = try ChildProcess("e2e-child", ["leave", spool.path, "app", "a"])
                #expect(try await child.outcome().status == -SIGKILL)
                let file = try #require(try WebTrackingSpool(directory: spool.path).batches().first?.path)
                var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
                // The number of the format.
                bytes[8] ^= 1
                try bytes.write(to: URL(fileURLWithPath: file))
                try await self.expect(
                    "spool_left",
                    "in format 3, and this version reads 2",
                    suggests: "newer version",
                    isWarning: true,
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path]
                )
            }
        }

        @Test func whatTheDeadLeftInAFolderThatMayNotBeUsedIsFound() async throws {
            try await self.withSpool { spool in
                let child = try ChildProcess("e2e-child", ["leave", spool.path, "app", "a"])
                #expect(try await child.outcome().status == -SIGKILL)
                let names = try FileManager.default.contentsOfDirectory(atPath: spool.path)
                let folder = spool.appending(path: try #require(names.first { $0.hasPrefix("producer-") })).path
                #expect(chmod(folder, 0o770) == 0)
                try await self.expect(
                    "spool_left",
                    "its group may write to it",
                    suggests: "chmod -R g-w \(folder)",
                    isWarning: true,
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path]
                )
            }
        }

        // MARK: Limits

        @Test func aLowLimitOfOpenFilesIsFound() async throws {
            try await self.expect(
                "open_files",
                "14 may be open",
                suggests: "ulimit -n 1024",
                Self.nobody,
                under: ["sh", "-c", "ulimit -n 14; exec \"$0\" \"$@\""]
            )
        }

        @Test func aLowLimitOfTheSizeOfFilesIsFound() async throws {
            try await self.withSpool { spool in
                try await self.expect(
                    "spool",
                    "File too large",
                    suggests: "ulimit -f unlimited",
                    beside: Self.ofNobody,
                    Self.nobody + ["--spool", spool.path],
                    under: ["bash", "-c", "ulimit -f 8; exec \"$0\" \"$@\""]
                )
            }
        }

        #if os(Linux)
        /// Control groups of version 1, or of version 2.
        private static let (groups, limitFile) =
            access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK) == 0
            ? ("/sys/fs/cgroup/memory", "memory.limit_in_bytes") : ("/sys/fs/cgroup", "memory.max")

        /// Whether groups for memory can be made there. In version 2, the group around them has to hand it on.
        private static var canMakeGroups: Bool {
            guard access(Self.groups, W_OK) == 0 else { return false }
            let controllers = try? String(contentsOfFile: "\(Self.groups)/cgroup.subtree_control", encoding: .utf8)
            return Self.limitFile != "memory.max" || controllers?.contains("memory") ?? false
        }

        @Test(.enabled(if: Self.canMakeGroups, "needs to make control groups"))
        func aControlGroupWithLessMemoryThanTheSettingsMayUseIsFound() async throws {
            let group = "\(Self.groups)/webtracking-doctor-\(getpid())"
            try #require(mkdir(group, 0o755) == 0)
            defer { rmdir(group) }
            try "\(1 << 30)".write(toFile: "\(group)/\(Self.limitFile)", atomically: false, encoding: .utf8)
            try await self.expect(
                "memory",
                "the control group allows 1024 MiB",
                suggests: "lower memoryLimit",
                isWarning: true,
                beside: Self.ofNobody,
                Self.nobody,
                under: [
                    "env", "WEBTRACKING_MEMORY_LIMIT=\(2 << 30)", "sh", "-c",
                    "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", group,
                ]
            )
        }
        #endif
    }
}
