//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Testing

@testable import LocalLogstore

@Suite("Search language")
struct SearchParserTests {
    private func words(_ text: String, prefix: Bool = false) -> SearchExpression {
        .words(Phrase(text, endsWithPrefix: prefix)!)
    }

    private func field(_ name: String, _ text: String, prefix: Bool = false) -> SearchExpression {
        .field(FieldName(name), Phrase(text, endsWithPrefix: prefix)!)
    }

    @Test func readsWordsAndPhrases() throws {
        #expect(try SearchExpression(parsing: "") == .all)
        #expect(try SearchExpression(parsing: "  * ") == .all)
        #expect(try SearchExpression(parsing: "Failed") == self.words("failed"))
        #expect(try SearchExpression(parsing: "\"order placed\"") == self.words("order placed"))
        #expect(try SearchExpression(parsing: "shop.orders") == self.words("shop orders"))
        #expect(try SearchExpression(parsing: "pay*") == self.words("pay", prefix: true))
        #expect(try SearchExpression(parsing: #""say \"hi\"""#) == self.words("say hi"))
        // An asterisk inside quotes is text.
        #expect(try SearchExpression(parsing: "\"pay*\"") == self.words("pay"))
    }

    @Test func readsConditions() throws {
        #expect(try SearchExpression(parsing: "level: error") == self.field("level", "error"))
        #expect(try SearchExpression(parsing: "level:error") == self.field("level", "error"))
        #expect(try SearchExpression(parsing: "order.id: 4*") == self.field("order.id", "4", prefix: true))
        #expect(try SearchExpression(parsing: "\"my key\": \"a b\"") == self.field("my key", "a b"))
        #expect(try SearchExpression(parsing: "key: *") == .exists(.log("key")))
        #expect(try SearchExpression(parsing: "key: \"\"") == .exact(.log("key"), ""))
        #expect(try SearchExpression(parsing: "key = \"a, b\"") == .exact(.log("key"), "a, b"))
        #expect(try SearchExpression(parsing: #"__tag__:"a b"="say \"hi\" \\""#) == .exact(.tag("a b"), #"say "hi" \"#))
        #expect(try SearchExpression(parsing: "__topic__: x") == .field(.topic, Phrase("x")!))
        #expect(try SearchExpression(parsing: "__source__: h") == .field(.source, Phrase("h")!))
        #expect(try SearchExpression(parsing: "__tag__:env: prod") == .field(.tag("env"), Phrase("prod")!))
        #expect(try SearchExpression(parsing: "__tag__:\"a b\": prod") == .field(.tag("a b"), Phrase("prod")!))
        #expect(try SearchExpression(parsing: "not: 1") == self.field("not", "1"))
    }

    @Test(arguments: [
        ("<", SearchExpression.Comparison.less), ("<=", .lessOrEqual), (">", .greater), (">=", .greaterOrEqual),
        ("=", .equal),
    ])
    func readsComparisons(text: String, comparison: SearchExpression.Comparison) throws {
        #expect(try SearchExpression(parsing: "ms \(text) -1.5") == .comparison(.log("ms"), comparison, -1.5))
        #expect(try SearchExpression(parsing: "ms\(text)10") == .comparison(.log("ms"), comparison, 10))
        #expect(
            try SearchExpression(parsing: "__tag__:n \(text) 1") == .comparison(.tag("n"), comparison, 1)
        )
    }

    @Test func bindsAndMoreTightlyThanOr() throws {
        let a = self.words("a")
        let b = self.words("b")
        let c = self.words("c")
        #expect(try SearchExpression(parsing: "a or b and c") == .or([a, .and([b, c])]))
        #expect(try SearchExpression(parsing: "(a or b) and c") == .and([.or([a, b]), c]))
        #expect(try SearchExpression(parsing: "a b c") == .and([a, b, c]))
        #expect(try SearchExpression(parsing: "a not b") == .and([a, .not(b)]))
        #expect(try SearchExpression(parsing: "a AND NOT (b OR c)") == .and([a, .not(.or([b, c]))]))
        #expect(try SearchExpression(parsing: "not not a") == .not(.not(a)))
        #expect(try SearchExpression(parsing: "\"and\"") == self.words("and"))
    }

    @Test(arguments: [
        ("level:", 7, 0), ("a and", 6, 0), ("and a", 1, 3), ("(a", 1, 1), ("a)", 2, 1), ("()", 1, 2), ("a \"b", 3, 1),
        ("ms > ten", 6, 3), ("ms >", 5, 0), ("a:b:c", 4, 1), ("*a", 1, 1), ("a*b", 2, 1), ("k: a*b", 5, 1),
        ("---", 1, 3),
        ("a | select 1", 3, 1), ("__tag__:env", 12, 0), ("__tag__:", 9, 0), (": x", 1, 1), ("> 1", 1, 1),
        ("k: > 1", 4, 1), ("k: (", 4, 1), ("é: ---", 4, 3), ("or", 1, 2), ("a or or b", 6, 2),
    ])
    func pointsAtWhatIsWrong(search: String, column: Int, length: Int) {
        #expect {
            try SearchExpression(parsing: search)
        } throws: { error in
            guard let error = error as? SearchError else { return false }
            #expect(error.column == column, "\(error)")
            #expect(error.length == length, "\(error)")
            return true
        }
    }

    @Test func hasLimits() {
        let deep = String(repeating: "(", count: 60) + "a" + String(repeating: ")", count: 60)
        let wide = [String](repeating: "a", count: 101).joined(separator: " ")
        let long = String(repeating: "a", count: 5000)
        let phrase = "\"" + [String](repeating: "a", count: 64).joined(separator: " ") + "\""
        for search in [deep, wide, long, phrase, String(repeating: "not ", count: 60) + "a"] {
            #expect(throws: SearchError.self) { try SearchExpression(parsing: search) }
        }
    }

    @Test func drawsAPointer() {
        let error = SearchError("x", at: 2..<5)
        #expect(error.pointer(in: "a bcd") == "a bcd\n  ^^^")
    }

    @Test(arguments: [
        ("Hello, World_1!", ["hello", "world_1"]), ("a.b-c", ["a", "b", "c"]), ("Ärger ÉTÉ", ["ärger", "été"]),
        ("订单42失败", ["订", "单", "42", "失", "败"]), ("", []), ("–…", []), ("x😀y", ["x", "y"]),
    ])
    func cutsWords(text: String, words: [String]) {
        #expect(WordScanner.words(of: text).map { String(decoding: $0, as: UTF8.self) } == words)
    }
}
