// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import LocalLogstore

/// What official clients really sent, written down by `Scripts/clients --record`.
@Suite("Official clients")
struct OfficialClientTests {
    struct Recorded: Sendable, CustomTestStringConvertible {
        var client: String
        var line: Int
        var method: String
        var target: String
        var headers: [String: String]
        var body: [UInt8]

        var testDescription: String {
            "\(self.client):\(self.line) \(self.method) \(self.target.drop { $0 != "l" })"
        }

        /// As the endpoint sees it: these clients took it for a proxy.
        var signed: SignatureCheck.Signed {
            get throws {
                let target = RequestTarget(self.target)
                var headers = self.headers
                headers["host"] = target?.authority ?? self.headers["host"]
                return try SignatureCheck.Signed(
                    method: self.method,
                    target: target?.path ?? self.target,
                    headers: headers,
                    body: self.body
                )
            }
        }

        /// When it was sent.
        var date: Date {
            get throws {
                let header = self.headers["authorization"] ?? ""
                let version4 = SignatureV4(header)
                let claim: any SignatureClaim = if let version4 { version4 } else { try #require(SignatureV1(header)) }
                let text = try #require(try claim.time(of: self.signed))
                return try #require(claim.date(text))
            }
        }

        var path: String { RequestTarget(self.target)?.path ?? self.target }
    }

    private static let key = AccessKey(id: "an-id", secret: "a-secret")

    static func recorded(_ client: String) -> [Recorded] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Clients/recorded")
        let text = (try? String(contentsOf: folder.appending(path: "\(client).ndjson"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").enumerated().compactMap { index, line in
            guard let entry = try? JSONValue(parsing: Array(line.utf8)),
                case .string(let method)? = entry["method"],
                case .string(let target)? = entry["target"], case .object(let headers)? = entry["headers"],
                case .string(let body)? = entry["body"]
            else { return nil }
            return Recorded(
                client: client,
                line: index + 1,
                method: method,
                target: target,
                headers: Dictionary(
                    uniqueKeysWithValues: headers.map { name, value in
                        if case .string(let text) = value { (name, text) } else { (name, "") }
                    }
                ),
                body: [UInt8](Data(base64Encoded: body) ?? Data())
            )
        }
    }

    /// Of those that sign.
    static let all = ["c_producer", "python_sdk", "rust_producer", "sls20201230"].flatMap(Self.recorded)

    private static let puts = Self.all.filter { $0.method == "POST" && $0.path.contains("/shards/") }
    private static let questions = Self.all.filter { $0.path.hasSuffix("/logs") || $0.path.contains("type=histogram") }

    @Test func allOfThemAreThere() {
        // Exactly: lines that cannot be read are not among them.
        #expect(
            Dictionary(grouping: Self.all, by: \.client).mapValues(\.count) == [
                "c_producer": 4, "python_sdk": 32, "rust_producer": 2, "sls20201230": 26,
            ]
        )
        #expect(Self.puts.count == 20 && Self.questions.count == 12)
        let forms = Set(Self.puts.map { $0.headers["x-log-compresstype"] ?? "none" })
        #expect(forms == ["none", "lz4", "deflate", "zstd"])
        let methods = Set(Self.all.map { $0.headers["x-log-signaturemethod"] ?? "v4" })
        #expect(methods == ["hmac-sha1", "hmac-sha256", "v4"])
    }

    private func refusal(_ signed: SignatureCheck.Signed, key: AccessKey = Self.key, at date: Date) -> String {
        do {
            try SignatureCheck().check(signed, keys: AccessKeyRing([key]), now: date)
            return "taken"
        } catch {
            return "\(error.status) \(error.code)"
        }
    }

    @Test(arguments: Self.all) func takesItsSignatureAndNoOther(recorded: Recorded) throws {
        let signed = try recorded.signed
        let date = try recorded.date
        #expect(self.refusal(signed, at: date) == "taken")
        func expectMismatch(_ change: (inout SignatureCheck.Signed) -> Void) {
            var changed = signed
            change(&changed)
            #expect(self.refusal(changed, at: date) == "401 SignatureNotMatch")
        }
        expectMismatch { $0.method = "PUT" }
        expectMismatch { $0.path += "x" }
        expectMismatch { $0.query.append((name: "x", value: "y")) }
        expectMismatch { $0.headers["x-log-bodyrawsize"] = "1" }
        expectMismatch { $0.headers["x-log-more"] = "1" }
        expectMismatch { $0.headers["x-log-apiversion"] = nil }
        if !signed.body.isEmpty { expectMismatch { $0.body[0] ^= 1 } }
        if signed.headers["x-log-signaturemethod"] != nil {
            expectMismatch { $0.headers["x-log-signaturemethod"] = "hmac-md5" }
            expectMismatch { $0.headers["content-md5"] = "0" }
        }
        #expect(
            self.refusal(signed, key: AccessKey(id: "an-id", secret: "a-secre"), at: date) == "401 SignatureNotMatch"
        )
        #expect(self.refusal(signed, key: AccessKey(id: "other", secret: "a-secret"), at: date) == "401 Unauthorized")
        #expect(self.refusal(signed, at: date + 900) == "taken")
        #expect(self.refusal(signed, at: date + 901) == "400 RequestTimeExpired")
        var key = Self.key
        key.securityToken = "token"
        #expect(self.refusal(signed, key: key, at: date) == "401 Unauthorized")
    }

    @Test(arguments: Self.puts) func readsWhatItPut(recorded: Recorded) throws {
        let input = PutWebtrackingDecoder.Input(
            version: recorded.headers["x-log-apiversion"],
            rawSize: recorded.headers["x-log-bodyrawsize"],
            compressType: recorded.headers["x-log-compresstype"],
            body: recorded.body
        )
        let output = try PutLogsDecoder(track: PutWebtrackingDecoder())
            .decode(input, contentType: recorded.headers["content-type"], now: recorded.date)
        #expect(output.group.logs.map { $0["index"] } == ["0", "1", "2"])
        #expect(output.group.logs[1]["message"] == "gr\u{F6}\u{DF}e \u{65E5}\u{672C} \u{1F600} \"quoted\" \\ \n\ttab")
        #expect(output.group.logs[2]["empty"] == "")
        if recorded.path.contains("/route") {
            let query = try #require(FormEncoding.parameters(of: recorded.path))
            let route = try ShardRoute(query, mode: .strict)
            #expect(route.key.utf8.count == 32)
        }
    }

    @Test(arguments: Self.questions) func understandsWhatItAsks(recorded: Recorded) throws {
        let fields =
            try recorded.body.isEmpty
            ? #require(FormEncoding.parameters(of: recorded.path)) : ReadParameters.fields(ofJSON: recorded.body)
        let question = try LogsQuestion(
            ReadParameters(fields, known: LogsQuestion.names, mode: .strict),
            in: Admission.Place(project: "local", logstore: "app")
        )
        #expect(question.seconds.count == 1200 && question.selection.project == "local")
        #expect(question.query == "*" || question.query.hasPrefix("level: error"))
    }
}
