// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Testing

@Suite("JSON as a tree")
struct JSONValueTests {
    private func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): "s(\(text))"
        case .number(let text): "n(\(text))"
        case .bool(let value): "\(value)"
        case .null: "null"
        case .array(let elements): "[" + elements.map(self.text).joined(separator: " ") + "]"
        case .object(let members):
            "{" + members.map { "\($0.name)=\(self.text($0.value))" }.joined(separator: " ") + "}"
        }
    }

    @Test func keepsOrderAndNumbers() throws {
        let json =
            #" {"b": [1, 1.0, -0, 1e+2, 12345678901234567890.5E-3, true, false, null], "a": {"x": "y\n"}, "c": []} "#
        #expect(
            self.text(try JSONValue(parsing: Array(json.utf8)))
                == "{b=[n(1) n(1.0) n(-0) n(1e+2) n(12345678901234567890.5E-3) true false null] a={x=s(y\n)} c=[]}"
        )
    }

    @Test(arguments: [
        "", "01", "1.", ".5", "+1", "1e", "-", "NaN", "tru", "nul", "[1 2]", "[1,]", "{\"a\"}", "{\"a\":1,\"a\":2}",
        "1 2",
        "\"\t\"", "\u{FEFF}1",
    ])
    func refuses(json: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(json.utf8)) }
    }

    @Test func boundsItsDepth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue(parsing: nested(JSONValue.maximumDepth))
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(JSONValue.maximumDepth + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(1_000_000)) }
    }

    @Test func writesWhatItReads() throws {
        let fields = (0..<0x200).map { Field("k\($0)", "a" + String(UnicodeScalar(UInt16($0))!) + "\u{10FFFF}") }
        #expect(LogFields(fields).fields == fields)
    }
}
