// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
        ("k: > 1", 4, 1), ("k: (", 4, 1), ("a ? b", 3, 1), ("!!!", 1, 3), ("é: ---", 4, 3), ("or", 1, 2),
        ("a or or b", 6, 2),
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

    /// What other languages have would be taken for words, and find the wrong logs silently.
    @Test(arguments: [
        ("!error", 1, 1, "not error"), ("a !b", 3, 1, "not b"), ("! b", 1, 1, "not"), ("!(a b)", 1, 1, "not"),
        ("!\"a b\"", 1, 1, "not"), ("level: !info", 8, 1, "not level: info"), ("!important", 1, 1, "quotes"),
        ("level != info", 7, 2, "not level: info"), ("level!=info", 6, 2, "not level: info"),
        ("a ms != 5", 6, 2, "not ms = 5"), ("level != \"a b\"", 7, 2, "not level: \"a b\""),
        ("ms <> 5", 4, 2, "not ms = 5"), ("ms == 5", 4, 2, "one ="), ("level == \"a\"", 7, 2, "one ="),
        ("ms in [1 20]", 4, 9, "ms >= 1 and ms <= 20"), ("ms in (1 20)", 4, 8, "ms >= 1 and ms <= 20"),
        ("ms IN (1 20]", 4, 9, "ms >= 1 and ms <= 20"), ("k in [a, b]", 3, 9, "(k: a or k: b)"),
        ("key: [1 20]", 6, 6, "key >= 1 and key <= 20"), ("a key: {1, 20}", 8, 7, "key >= 1 and key <= 20"),
        ("key: [1", 6, 2, "quotes"), ("key: (a or b)", 6, 1, "(key: a or key: b)"),
        ("pay?", 4, 1, "pay*"), ("p?y", 2, 1, "p*"), ("key: pay?", 9, 1, "pay*"), ("a?b=c", 2, 1, "quotes"),
        ("x http://h/a", 3, 10, "\"http://h/a\""), ("k: a/b?c", 7, 1, "quotes"), ("what?", 5, 1, "quotes"),
        ("?x", 1, 1, "quotes"),
        ("level = info", 9, 4, "level: info"), ("level = info and x", 9, 4, "\"info\""), ("a && b", 3, 2, "and"),
        ("level: not info", 8, 3, "not level: info"), ("level: and", 8, 3, "quotes"),
    ])
    func namesWhatToWriteInstead(search: String, column: Int, length: Int, text: String) {
        #expect {
            try SearchExpression(parsing: search)
        } throws: { error in
            guard let error = error as? SearchError else { return false }
            #expect(error.column == column && error.length == length, "\(error) (\(error.length) characters)")
            return error.message.replacing("key: text", with: "\(search.prefix { $0 != " " }): info").contains(text)
        }
    }

    /// The same characters where they cannot be meant so, and always in quotes.
    @Test func takesOtherCharactersForText() throws {
        #expect(try SearchExpression(parsing: "\"what?\"") == self.words("what"))
        #expect(try SearchExpression(parsing: "\"!important\"") == self.words("important"))
        #expect(try SearchExpression(parsing: "url: \"http://h/a?b=c\"") == self.field("url", "http h a b c"))
        #expect(try SearchExpression(parsing: "level = \"!=\"") == .exact(.log("level"), "!="))
        #expect(try SearchExpression(parsing: "k: \"[1 20]\"") == self.field("k", "1 20"))
        #expect(try SearchExpression(parsing: "k: \"not\"") == self.field("k", "not"))
        #expect(try SearchExpression(parsing: "\"a?\": 1") == self.field("a?", "1"))
        #expect(try SearchExpression(parsing: "Done!") == self.words("done"))
        #expect(try SearchExpression(parsing: "[error]") == self.words("error"))
        #expect(try SearchExpression(parsing: "in") == self.words("in"))
        #expect(try SearchExpression(parsing: "in: 1") == self.field("in", "1"))
        #expect(
            try SearchExpression(parsing: "fire in (a or b)")
                == .and([self.words("fire"), self.words("in"), .or([self.words("a"), self.words("b")])])
        )
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
