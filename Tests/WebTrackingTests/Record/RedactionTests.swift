// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite("Redaction", .timeLimit(.minutes(10)))
struct RedactionTests {
    /// What must not be on the wire.
    static let secret = "hunter2-7f3a"

    private struct Failure: Error, CustomStringConvertible {
        var description: String { "refused with \(RedactionTests.secret)" }
    }

    private func wire(_ rig: Rig) async -> String {
        await rig.drain()
        return rig.transport.stored.map { String(decoding: $0.rawBody, as: UTF8.self) }.joined()
    }

    @Test(
        "The standard list masks what goes by the name of a secret, however it is written",
        arguments: [
            "authorization", "Authorization", "PROXY-AUTHORIZATION", "http.request.header.authorization", "cookie",
            "set-cookie", "http.response.header.set_cookie", "password", "userPassword", "user.password", "db_passwd",
            "passphrase", "client_secret", "clientSecret", "secret.value", "token", "access_token", "refreshToken",
            "X-Amz-Security-Token", "x-api-key", "apiKey", "API_KEY", "access-key", "accessKeyId", "access_key_secret",
            "private_key", "credentials", "aws.credential", "connection-string", "pwd", "jwt", "ssn", "cvv", "iban",
            "card_number", "sessionId", "token.count", "secret_key", "secretKey", "session.id", "api.key",
            "private.key",
            "card.number", "passwordHash", "password2", "apiKeys", "cookies", "http.request.cookies", "PHPSESSID",
            "user.password_digest", "mysql_pwd", "db.Pwd", "x-csrf-token", "csrf", "XSRF-TOKEN", "connect.sid", "otp",
            "consumer_key", "DD_APPLICATION_KEY", "encryption.key", "password_2", "client.secret.0", "CreditCardNumber",
            "passcode", "password_confirmation", "aws.access.key.id", "to\u{212A}en", "PA\u{FF33}SWORD.token",
            "cvc1_2", "api_key_1-2", "session..id",
        ]
    )
    func masksTheStandardList(key: String) async throws {
        let rig = try Rig()
        rig.sink().info("m", metadata: ["\(key)": "\(Self.secret)", "plain": "stays"])
        let log = try #require(await rig.drain().first)
        #expect(log[key] == "[redacted]")
        #expect(log["plain"] == "stays")
        #expect(rig.producer.statistics.redacted == 1)
        await rig.stop()
    }

    @Test(
        "Keys that only resemble those of the standard list are left alone",
        arguments: [
            "user.id", "tokens", "tokenizer", "author", "monkey", "keyboard", "duration", "region", "version",
            "secretary", "token\u{301}", "api.user.key", "key.api", "apis.key", "public.key", "id", "x.id", "number",
            "sha256", "http2", "line.2", "session.idle", "tokens.7",
            "pwdx", "session", "sessions.id", "a", "-", "x.y", ".", "http.route",
        ]
    )
    func leavesOtherKeysAlone(key: String) async throws {
        let rig = try Rig()
        rig.sink().info("m", metadata: ["\(key)": "value"])
        let log = try #require(await rig.drain().first)
        #expect(log[key] == "value")
        #expect(rig.producer.statistics.redacted == 0)
        await rig.stop()
    }

    @Test("A rule whose name has dots is for all that its key holds, whether or not it is in ASCII")
    func aNameWithDotsIsForAllThatItsKeyHolds() async throws {
        let redaction = Redaction(rules: [
            .key("request.body", .mask), .suffix("user.mail", .mask), .key("k\u{F6}rper.text", .mask),
        ])
        let rig = try Rig { $0.redaction = redaction }
        let secret = LogMetadataValue.string(Self.secret)
        let masked: LogMetadata = [
            "request": ["body": ["card": ["1", secret]]], "request.body2": secret, "shop.user.mail.0": secret,
            "K\u{D6}RPER": ["text1": ["x": secret]],
        ]
        let kept: LogMetadata = ["http.request.body": "stays", "request.bodyguard": "stays", "request": ["body_": ""]]
        rig.sink().info("m", metadata: masked)
        rig.sink().info("m", metadata: kept)
        let logs = await rig.drain()
        #expect(!logs[0].values.contains { $0.contains(Self.secret) })
        #expect(rig.producer.statistics.redacted == 6)
        #expect(logs[1]["http.request.body"] == "stays" && logs[1]["request.bodyguard"] == "stays")
        #expect(logs[1]["request.body_"] == "[redacted]")
        await rig.stop()
    }

    // Found by fuzzing.
    @Test("What is nested under an empty key is not taken for a key of its own")
    func anEmptyKeyIsAPartOfTheKeysUnderIt() async throws {
        let redaction = Redaction(rules: [.key("token.kept", .keep), .suffix("kept", .mask)])
        let rig = try Rig { $0.redaction = redaction }
        rig.sink().info("m", metadata: ["": ["token": ["kept": "\(Self.secret)"]], "token.kept": "stays"])
        let log = try #require(await rig.drain().first)
        #expect(log[".token.kept"] == "[redacted]")
        #expect(log["token.kept"] == "stays")
        await rig.stop()
    }

    @Test("Nested secrets are on no path to the wire: metadata, provider, handler, error, tags, topic")
    func noSecretOnAnyPath() async throws {
        var redaction = Redaction.standard
        redaction.rules.append(.key("error.message", .mask))
        let rig = try Rig {
            $0.redaction = redaction
            $0.promotedTags = ["api-key"]
            $0.topic = .metadata(key: "token", fallback: "none")
        }
        let secret = LogMetadataValue.string(Self.secret)
        let nested: LogMetadataValue = [
            "list": ["ok", ["password": secret]],
            "deep": ["er": ["client_secret": ["value": secret, "more": [secret]]]],
        ]
        var sink = WebTrackingLogHandler(
            label: "l",
            producer: rig.producer,
            metadataProvider: LogMetadataProvider { ["provided": nested, "refresh_token": secret] }
        )
        sink[metadataKey: "handler.password"] = secret
        sink[metadataKey: "handler.nested"] = nested
        sink[metadataKey: "handler.plain"] = "stays"
        sink.info("m", error: Failure(), metadata: ["event": nested, "api-key": secret, "token": secret])
        sink.error("again", error: Failure(), metadata: ["cookie": secret, "list": [["token": secret]]])
        let wire = await self.wire(rig)
        #expect(!wire.contains(Self.secret))
        #expect(wire.contains("stays"))
        #expect(rig.transport.logs.first?["error.message"] == "[redacted]")
        #expect(rig.transport.stored.contains { $0.topic == "[redacted]" })
        #expect(rig.producer.statistics.redacted > 10)
        await rig.stop()
    }

    @Test("Message text is left alone")
    func leavesMessagesAlone() async throws {
        let rig = try Rig()
        rig.sink().info("password=\(Self.secret)")
        #expect(await rig.drain().first?["message"] == "password=\(Self.secret)")
        await rig.stop()
    }

    @Test(
        "A value is masked, dropped with its field, replaced by a pseudonym, or kept, as the first rule that knows it says"
    )
    func carriesOutEachAction() async throws {
        let key = try #require(PseudonymKey(hexadecimal: "000102030405060708090a0b0c0d0e0f"))
        let rig = try Rig {
            $0.redaction = Redaction(
                rules: [
                    .key("token.count", .keep), .key("mail", .pseudonym), .key("body", .drop), .suffix("token", .mask),
                    .function { key, value in key == "amount" && value == "13" ? .drop : nil },
                ],
                pseudonymKey: key
            )
        }
        let metadata: LogMetadata = [
            "token.count": "3", "mail": "a@b.c", "body": ["x": "y"], "user_token": "t", "amount": "13", "other": "13",
            "list": ["1", ["mail": "a@b.c"]],
        ]
        rig.sink().info("m", metadata: metadata)
        let log = try #require(await rig.drain().first)
        #expect(log["token.count"] == "3")
        #expect(log["user_token"] == "[redacted]")
        #expect(log["body"] == nil && log["body.x"] == nil)
        #expect(log["amount"] == nil)
        #expect(log["other"] == "13")
        let pseudonym = try #require(log["mail"])
        #expect(pseudonym.hasPrefix("p:") && pseudonym.utf8.count == 34)
        #expect(log["list"] == "[\"1\",{\"mail\":\"\(pseudonym)\"}]")
        await rig.stop()
    }

    @Test("Equal values have equal pseudonyms under one key, and others under another; a key shows itself nowhere")
    func pseudonyms() throws {
        let first = try #require(PseudonymKey(bytes: Array(0..<16)))
        let other = try #require(PseudonymKey(bytes: Array(1..<17)))
        #expect(first.pseudonym(of: "a@b.c") == first.pseudonym(of: "a@b.c"))
        #expect(first.pseudonym(of: "a@b.c") != first.pseudonym(of: "a@b.d"))
        #expect(first.pseudonym(of: "a@b.c") != other.pseudonym(of: "a@b.c"))
        for text in ["\(first)", String(reflecting: first), "\([first])"] { #expect(text.contains("[redacted]")) }
        var dumped = ""
        dump(first, to: &dumped)
        #expect(!dumped.contains("first:"))
        #expect(PseudonymKey(bytes: [1]) == nil)
        #expect(PseudonymKey(hexadecimal: "xyz") == nil)
        #expect(PseudonymKey(hexadecimal: String(repeating: "é", count: 16)) == nil)
    }

    /// Of the reference implementation, and all as OpenSSL has them.
    @Test("SipHash-2-4 with 128 bits gives the reference implementation's vectors")
    func sipHashVectors() throws {
        let key = try #require(PseudonymKey(bytes: Array(0..<16)))
        let expected = [
            0: "a3817f04ba25a8e66df67214c7550293", 1: "da87c1d86b99af44347659119b22fc45",
            7: "a1f1ebbed8dbc153c0b84aa61ff08239", 8: "3b62a9ba6258f5610f83e264f31497b4",
            9: "264499060ad9baabc47f8b02bb6d71ed", 15: "5493e99933b0a8117e08ec0f97cfc3d9",
            16: "6ee2a4ca67b054bbfd3315bf85230577", 63: "5150d1772f50834a503e069a973fbd7c",
        ]
        for (count, digits) in expected {
            let text = String(decoding: (0..<UInt8(count)).map { $0 }, as: UTF8.self)
            #expect(key.pseudonym(of: text) == "p:\(digits)")
        }
    }

    @Test("Without rules nothing is redacted")
    func offMeansOff() async throws {
        let rig = try Rig { $0.redaction = .none }
        rig.sink().info("m", metadata: ["password": "p"])
        #expect(await rig.drain().first?["password"] == "p")
        await rig.stop()
    }

    @Test("A handler's redacted metadata is counted for each record, and read back as it was set")
    func countsAHandlersMetadata() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink[metadataKey: "token"] = "t"
        #expect(sink[metadataKey: "token"] == "t")
        sink.info("1")
        sink.info("2", metadata: ["a": "b"])
        let logs = await rig.drain()
        #expect(logs.map { $0["token"] } == ["[redacted]", "[redacted]"])
        #expect(rig.producer.statistics.redacted == 2)
        await rig.stop()
    }

    @Test("A handler's value that is dropped is counted, even if its key is no name")
    func countsAHandlersDroppedValueWithoutAName() async throws {
        let rig = try Rig {
            $0.redaction = Redaction(rules: [.function { _, value in value.hasPrefix("sk_live_") ? .drop : nil }])
        }
        var sink = rig.sink()
        sink[metadataKey: ""] = "sk_live_1"
        sink.info("1")
        sink.info("2", metadata: ["a": "b"])
        await rig.drain()
        #expect(rig.producer.statistics.redacted == 2)
        await rig.stop()
    }

    @Test("Each value is counted once, however often it is looked at")
    func countsOnce() async throws {
        func redacted(
            _ configure: (inout WebTrackingConfiguration) -> Void = { _ in },
            handler: LogMetadata = [:],
            _ metadata: LogMetadata,
            error: (any Error)? = nil
        ) async throws -> Int {
            let rig = try Rig {
                $0.redaction.rules += [.key("left.out", .drop), .key("error.message", .mask)]
                configure(&$0)
            }
            var sink = rig.sink()
            sink.metadata = handler
            sink.log(level: .info, "m", error: error, metadata: metadata)
            await rig.stop()
            return rig.producer.statistics.redacted
        }
        let long = LogMetadataValue.string(String(repeating: "x", count: 20_000))
        // Too long for the record: encoded again, with shorter values.
        let small: (inout WebTrackingConfiguration) -> Void = { $0.limits.maximumRecordBytes = 32_768 }
        let oversize: LogMetadata = ["a": long, "b": long, "token": "t", "deep": ["password": "p"]]
        #expect(try await redacted(small, oversize) == 2)
        #expect(try await redacted(small, oversize, error: Failure()) == 3)
        // Promoted; promotable, but staying a field; left out; without room for its topic.
        let promoting: (inout WebTrackingConfiguration) -> Void = { $0.promotedTags = ["token", "left.out", "cookie"] }
        #expect(try await redacted(promoting, ["token": "t", "cookie": "c"]) == 2)
        #expect(try await redacted(promoting, ["token": ["nested": "t"], "left.out": "x"]) == 2)
        #expect(
            try await redacted(
                {
                    promoting(&$0)
                    $0.maximumTopics = 1
                },
                ["token": "t", "a": "b"]
            ) == 1
        )
        // A handler's value that the event's outranks is on no record.
        #expect(try await redacted(handler: ["token": "t", "left.out": "x", "jwt": "j"], ["token": "u"]) == 3)
        #expect(try await redacted(handler: ["left.out": "x", "jwt": "j"], ["left.out": "y", "other": "z"]) == 2)
    }

    @Test("The text of an error is sent unless a rule says otherwise")
    func sendsTheTextOfErrors() async throws {
        let rig = try Rig()
        rig.sink().info("m", error: Failure())
        #expect(await rig.drain().first?["error.message"] == "refused with \(Self.secret)")
        await rig.stop()
    }

    @Test("A change of the redaction is in force for handlers that are there already")
    func changesAtRunTime() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.metadata = ["mail": "a@b.c", "plain": "stays"]
        sink.info("before", metadata: ["x": "1"])
        var redaction = rig.producer.redaction
        redaction.rules.append(.key("mail", .mask))
        try rig.producer.setRedaction(redaction)
        sink.info("after", metadata: ["x": "1"])
        sink.info("outranked", metadata: ["mail": "event's"])
        try rig.producer.setRedaction(.none)
        sink.info("off", metadata: ["x": "1"])
        let logs = await rig.drain()
        #expect(logs.map { $0["mail"] } == ["a@b.c", "[redacted]", "[redacted]", "a@b.c"])
        #expect(logs.allSatisfy { $0["plain"] == "stays" })
        await rig.stop()
    }

    @Test("A rule that cannot work is an error at set-up, and changes nothing at run time")
    func refusesWhatCannotWork() throws {
        let bad = [Redaction(rules: [.key("mail", .pseudonym)]), Redaction(rules: [.suffix("_", .mask)])]
        for redaction in bad {
            #expect(throws: ConfigurationError.self) { try Rig { $0.redaction = redaction } }
            let rig = try Rig()
            #expect(throws: ConfigurationError.self) { try rig.producer.setRedaction(redaction) }
            #expect(rig.producer.redaction == .standard)
        }
    }

    @Test("The look at a key while it is written finds the rule that is for it, if there is one", arguments: 0..<5)
    func quickLookNeverMisses(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let letters = Array("abkmot-_./AEKOT12é@")
        func word(_ length: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: length, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" }
            )
        }
        for _ in 0..<200 {
            let pattern = word(2...5)
            guard pattern.utf8.contains(where: { !KeyPatterns.isIgnored($0) }) else { continue }
            let rule = Bool.random(using: &random) ? RedactionRule.suffix(pattern, .mask) : .key(pattern, .mask)
            let redactor = Redactor(Redaction(rules: [rule]), count: RedactionCount())
            let key = word(1...12)
            var writer = ByteWriter()
            var found = KeyPatterns.noRule
            let name = PlainKey.append(key, to: &writer, redactor: redactor, rule: &found)
            let isKept = redactor.redacted(key, "v", nesting: 8).redactions == 0
            #expect(name == nil || (found == KeyPatterns.noRule) == isKept, "\(rule) for \(key)")
        }
    }

    #if SwiftLog
    private enum Privacy: Int64, Sendable, Logging.Logger.MetadataValueAttributes.Attribute {
        case open = 0
        case closed = 7
    }

    @Test("Values with an attribute are redacted leaf by leaf, in dictionaries, arrays, tags and handlers")
    func redactsByAttribute() async throws {
        let rig = try Rig {
            $0.promotedTags = ["tag"]
            $0.redaction.rules.append(.attribute(Privacy.closed, .drop))
        }
        let marked = LogMetadataValue.attributed(Self.secret, attributes: [Sensitivity.sensitive])
        let closed = LogMetadataValue.attributed(Self.secret, attributes: [Privacy.closed])
        var sink = rig.sink()
        sink[metadataKey: "h"] = marked
        sink.info(
            "m",
            metadata: [
                "direct": marked, "deep": ["er": ["x": marked, "y": closed]], "list": [marked, closed, "ok"],
                "tag": marked,
                "mail": "\(Self.secret, attributes: [Sensitivity.sensitive])",
                "open": "\("seen", attributes: [Sensitivity.plain, Privacy.open])",
            ]
        )
        let wire = await self.wire(rig)
        #expect(!wire.contains(Self.secret))
        let log = try #require(rig.transport.logs.first)
        #expect(log["direct"] == "[redacted]" && log["h"] == "[redacted]" && log["mail"] == "[redacted]")
        #expect(log["deep.er.x"] == "[redacted]" && log["deep.er.y"] == nil)
        #expect(log["list"] == "[\"[redacted]\",\"ok\"]")
        #expect(log["open"] == "seen")
        await rig.stop()
    }
    #endif
}
