// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// When two keys are the same, to rules, layers of metadata, tags and fields.
@Suite("Keys that are the same", .timeLimit(.minutes(10)))
struct KeyNotionTests {
    private func isMasked(_ key: String, by rule: RedactionRule) -> Bool {
        let redactor = Redactor(Redaction(rules: [rule]), count: RedactionCount())
        let redacted = redactor.redacted(key, "v", nesting: 8)
        guard case .string(let text)? = redacted.value else { return false }
        #expect((text == Redaction.masked) == (redacted.redactions == 1))
        return text == Redaction.masked
    }

    @Test(
        "A rule beyond ASCII is for its key in upper and lower case, composed and decomposed, and at the end of others",
        arguments: [
            ("пароль", "Пароль"), ("пароль", "ПАРОЛЬ"), ("schlüssel", "SCHLÜSSEL"), ("schlu\u{308}ssel", "SCHLÜSSEL"),
            ("schlüssel", "schlu\u{308}ssel"), ("mot-de-passé", "MotDePasse\u{301}"), ("пароль", "user.пароль2"),
            ("пароль", "ПАРОЛЬ7"), ("geheimer-schlüssel", "Geheimer.Schlüssel"), ("a.ключ", "A.Ключ"),
            ("密码", "密码"), ("가", "\u{1100}\u{1161}"), ("\u{212B}x", "\u{E5}X"), ("\u{130}d", "i\u{307}D"), ("ǆ", "ǅ"),
        ]
    )
    func rulesBeyondASCII(name: String, key: String) {
        #expect(self.isMasked(key, by: .key(name, .mask)))
        #expect(self.isMasked(key, by: .suffix(name, .mask)))
        #expect(self.isMasked("дб_" + key, by: .suffix(name, .mask)))
        #expect(!self.isMasked("дб" + key.replacing("user.", with: "") + "x", by: .key(name, .mask)))
    }

    @Test(
        "Keys that are equal in a language only, or to a reader only, are not the same",
        arguments: [
            ("straße", "STRASSE"), ("ıd", "ID"), ("πας", "ΠΑΣ"), ("ﬁle", "file"), ("пароль", "пароли"),
            ("schlüssel", "schlussel"), ("pass", "раss"), ("密码", "密碼"), ("token", "\u{FF34}oken"), ("é", "e"),
        ]
    )
    func whatIsNotTheSame(name: String, key: String) {
        #expect(!self.isMasked(key, by: .key(name, .mask)))
        #expect(!self.isMasked(key, by: .suffix(name, .mask)))
    }

    @Test("Lower case scalar by scalar and canonical equivalence agree for every letter there is")
    func foldingAgreesWithEquivalence() {
        var letters = 0
        for value in UInt32(0x80)...0x2FFFF {
            guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .unassigned else { continue }
            let composed = String(scalar).precomposedStringWithCanonicalMapping
            let decomposed = composed.decomposedStringWithCanonicalMapping
            guard composed.unicodeScalars.count != decomposed.unicodeScalars.count || composed != String(scalar) else {
                continue
            }
            letters += 1
            let folded = KeyFolding.folded(String(scalar))
            #expect(folded == KeyFolding.folded(composed) && folded == KeyFolding.folded(decomposed), "\(value)")
        }
        #expect(letters > 10_000)
    }

    @Test("One key in two spellings is one in the layers of metadata, and the later layer's spelling is sent")
    func oneKeyInTwoLayers() async throws {
        let rig = try Rig()
        var sink = rig.sink()
        sink.metadata = ["caf\u{e9}": "handler", "plain": "stays"]
        sink.info("m", metadata: ["cafe\u{301}": "event"])
        let log = try #require(await rig.drain().first)
        let name = try #require(log.keys.first { $0 == "caf\u{e9}" })
        #expect(Array(name.utf8) == Array("cafe\u{301}".utf8))
        #expect(log[name] == "event" && log["plain"] == "stays")
        #expect(rig.producer.statistics.repaired.isEmpty)
        await rig.stop()
    }

    @Test("One key in two spellings is one tag, and one field name, of which the shorter path keeps it")
    func oneKeyAsTagAndField() async throws {
        let rig = try Rig { $0.promotedTags = ["caf\u{e9}"] }
        rig.sink().info("m", metadata: ["cafe\u{301}": "tag", "a": ["e\u{301}": "nested"], "a.\u{e9}": "short"])
        let log = try #require(await rig.drain().first)
        #expect(rig.transport.stored.first?.tags["caf\u{e9}"] == "tag")
        #expect(log["caf\u{e9}"] == nil)
        #expect(log["a.\u{e9}"] == "short" && log["a.\u{e9}_2"] == "nested")
        #expect(rig.producer.statistics.repaired == [.collidingKey: 1])
        await rig.stop()
    }

    @Test("Topics whose names are equal but for their bytes are two, each with its own")
    func topicsAreByteForByte() async throws {
        let rig = try Rig { $0.topic = .metadata(key: "t", fallback: "") }
        rig.sink().info("m", metadata: ["t": "caf\u{e9}"])
        rig.sink().info("m", metadata: ["t": "cafe\u{301}"])
        await rig.drain()
        let topics = Set(rig.transport.stored.map { Array($0.topic.utf8) })
        #expect(topics == [Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8)])
        await rig.stop()
    }
}

@Suite("The standard list", .timeLimit(.minutes(10)))
struct StandardListTests {
    @Test("Of 500 keys of public schemas, eight are masked: four that hold secrets or may, and four that do not")
    func falsePositives() {
        #expect(OrdinaryKeys.all.count == 500 && Set(OrdinaryKeys.all).count == 500)
        let redactor = Redactor(.standard, count: RedactionCount())
        let masked = OrdinaryKeys.all.filter { redactor.redacted($0, "v", nesting: 8).redactions > 0 }
        let rightly = [
            "db.connection_string", "threat.enrichments.indicator.url.password", "threat.indicator.url.password",
            "url.password",
        ]
        let wrongly = ["aws.secretsmanager.secret.arn", "gen_ai.token.type", "mcp.session.id", "session.id"]
        #expect(Set(masked) == Set(rightly + wrongly))
    }
}
