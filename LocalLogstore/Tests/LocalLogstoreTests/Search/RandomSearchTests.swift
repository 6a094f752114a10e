// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

/// What the columns of blocks say has to be what the logs themselves say.
@Suite("Random searches")
struct RandomSearchTests {
    private static let words = [
        "order", "Order", "pay", "payment", "failed", "timeout", "7", "007", "Ünïcode", "支付", "a_b", "x-y", "",
        String(repeating: "w", count: 38), String(repeating: "w", count: 45), String(repeating: "w", count: 60),
    ]
    private static let numbers = [
        "1", "-3", "2.5", "1e3", "0x10", "900", "899.9", "nan", "inf", "12 ms", "-", "3000000000",
    ]
    private static let names = ["message", "note", "n", "ms", "time", "seq", "level", "label", "a\"b", "user"]

    private static func log(_ generator: inout SeededGenerator, _ index: Int) -> LogFields {
        var fields = [Field("seq", "\(index)")]
        for name in Self.names where name != "seq" && Bool.random(using: &generator) {
            switch name {
            case "level": fields.append(Field(name, ["info", "error", "5"].randomElement(using: &generator)!))
            case "label": fields.append(Field(name, ["shop.orders", "shop"].randomElement(using: &generator)!))
            case "n", "ms": fields.append(Field(name, Self.numbers.randomElement(using: &generator)!))
            case "time": fields.append(Field(name, "\(1_700_000_000 + index % 700)"))
            default:
                let words = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    Self.words.randomElement(using: &generator)!
                }
                fields.append(Field(name, words.joined(separator: [" ", "-", "\n"].randomElement(using: &generator)!)))
            }
        }
        return LogFields(fields)
    }

    private static func search(_ generator: inout SeededGenerator, depth: Int = 0) -> SearchExpression {
        func name() -> FieldName {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: return .topic
            case 1: return .source
            case 2: return .tag(["env", "n"].randomElement(using: &generator)!)
            default: break
            }
            return .log((Self.names + ["missing"]).randomElement(using: &generator)!)
        }
        func text() -> String {
            (0..<Int.random(in: 1...2, using: &generator)).map { _ in Self.words.randomElement(using: &generator)! }
                .joined(separator: " ")
        }
        func phrase() -> Phrase { Phrase(text(), endsWithPrefix: Bool.random(using: &generator)) ?? Phrase("pay")! }
        switch Int.random(in: 0..<(depth < 2 ? 8 : 5), using: &generator) {
        case 0: return .words(phrase())
        case 1: return .field(name(), phrase())
        case 2: return .exact(name(), text())
        case 3: return .exists(name())
        case 4:
            let number = [-3, 1, 2.5, 16, 899.95, 1000, 3e9, .infinity].randomElement(using: &generator)!
            return .comparison(name(), .allCases.randomElement(using: &generator)!, number)
        case 5: return .not(self.search(&generator, depth: depth + 1))
        case 6: return .and((0..<3).map { _ in self.search(&generator, depth: depth + 1) })
        default: return .or((0..<2).map { _ in self.search(&generator, depth: depth + 1) })
        }
    }

    /// By reading and comparing each log.
    private func matching(_ selection: LogSelection, in logs: [StoredLog]) -> [Int64] {
        logs.filter { stored in
            guard selection.includes(time: stored.time) else { return false }
            var json = stored.log.json
            return json.withUTF8 { fields in
                selection.search.matches(
                    LogView(fields: fields, topic: stored.request.topic) { stored.request }
                )
            }
        }
        .map(\.id)
    }

    /// `WEBTRACKING_SEARCHES=10000` for more than these.
    private static let searches =
        ProcessInfo.processInfo.environment["WEBTRACKING_SEARCHES"].flatMap { Int($0) } ?? 750

    @Test(arguments: [1, 2, 3] as [UInt64])
    func findWhatALookAtEachLogFinds(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await withTemporaryDirectory { directory in
            // Several tables of words, of which the last is not full.
            let path = directory.appending(path: "logs.sqlite").path
            let store = try LogStore(path: path, options: StoreOptions(logsPerTable: 512))
            for request in 0..<13 {
                let logs = (0..<100).map { Self.log(&generator, request * 100 + $0) }
                try await store.append(
                    LogGroup(
                        topic: ["", "Orders pay"][request % 2],
                        source: ["s", "Order 7", "支付"][request % 3],
                        tags: request % 4 == 0 ? [] : [Field("env", "pay failed"), Field("n", "\(request)")],
                        logs: logs
                    ),
                    project: "p",
                    logstore: "l",
                    receivedAt: Date(timeIntervalSince1970: 1_700_000_000 + Double(request))
                )
            }
            let logs = try await store.logs()
            #expect(logs.count == 1300)
            var found = 0
            for _ in 0..<Self.searches / 3 {
                var selection = LogSelection(search: Self.search(&generator))
                if Bool.random(using: &generator) {
                    selection.from = 1_700_000_000_000_000 + Int64.random(in: 0..<400, using: &generator) * 1_000_000
                    selection.until = selection.from! + Int64.random(in: 1..<300, using: &generator) * 1_000_000
                }
                let expected = self.matching(selection, in: logs)
                found += expected.count
                let page = try await store.page(of: selection, limit: 2000)
                #expect(page.logs.map(\.id).sorted() == expected, "\(selection)")
                let overview = try await store.overview(of: selection, buckets: 7)
                #expect(overview.total == expected.count, "\(selection)")
                #expect(overview.buckets.joined().reduce(0, +) == expected.count, "\(selection)")
                let arrivals = try await store.arrivals(after: 300, matching: selection, limit: 2000)
                #expect(arrivals.logs.map(\.id) == expected.filter { $0 > 300 }, "\(selection)")
            }
            // Not only of nothing.
            #expect(found > 10_000)
            try store.close()
        }
    }

    @Test(
        arguments: [
            "0", "-0", "+5", "12", "007", "1.5", ".5", "5.", "1e3", "1E-3", "-1e", "0x1F", "0X1p3", "-0x2", "inf",
            "-Infinity",
            "nan", "NaN(1)", "nancy", "", "-", "+", "1_000", " 1", "1 ", "1,5", "３", "123456789012345",
            "1234567890123456",
            "9007199254740993", "0.1", "-2.50", "123456789.123456", "-.5", "1.2.3", "1e400", "0e0", "1e5e5", "--1",
            "3e2a", "e5", "d41d8cd98f00b204e9800998ecf8427e",
        ]
    )
    func takeForNumbersWhatSearchesDo(text: String) {
        var bytes = text
        let number = bytes.withUTF8 { DecimalNumber.value(of: $0) }
        let expected = Double(text)
        #expect(number == expected || (number?.isNaN == true && expected?.isNaN == true))
    }

    /// The member is found by its bytes, which nothing else in the text may be taken for.
    @Test(
        arguments: [
            ([("ms", "1")], "ms", "1"), ([("a", ",\"ms\":\"2"), ("ms", "3")], "ms", "3"), ([("xms", "4")], "ms", nil),
            ([("a,", ""), ("ms", "5")], "ms", "5"), ([("a\"ms", "6"), ("ms", "7")], "ms", "7"), ([("", "8")], "", "8"),
            ([("a", "{"), ("{", "9")], "{", "9"), ([("a\\", "ms"), ("b", "\\"), ("ms", "\"")], "ms", "\""),
            ([], "ms", nil),
        ] as [([(String, String)], String, String?)]
    )
    func findMembersByName(fields: [(String, String)], name: String, expected: String?) {
        var json = LogFields(fields.map { Field($0.0, $0.1) }).json
        let found = json.withUTF8 { FlatObject.member(MemberName(name), of: $0)?.value }
        #expect(found == expected)
    }

    /// A name can be written in several ways.
    @Test func findMembersWhoseNamesAreEscaped() {
        var json = #"{"\u006ds":"1","a\/b":"2"}"#
        let found = json.withUTF8 { text in
            ["ms", "a/b", "a"].map { FlatObject.member(MemberName($0), of: text)?.value }
        }
        #expect(found == ["1", "2", nil])
    }
}
