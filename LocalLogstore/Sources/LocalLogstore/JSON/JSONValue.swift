// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a tree that keeps what other trees lose: the order of members and the exact text of numbers.
package indirect enum JSONValue: Sendable {
    case string(String)
    /// The number as it was written.
    case number(String)
    case bool(Bool)
    case null
    case array([JSONValue])
    case object([(name: String, value: JSONValue)])

    /// How deep a text may nest.
    package static let maximumDepth = 64

    /// Parses one JSON text with nothing but white space around it.
    ///
    /// Throws a ``JSONSyntaxError`` for anything else: bytes that are not UTF-8, a second value, a member that occurs
    /// twice, or nesting deeper than ``maximumDepth``.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONSyntaxError(offset: 0, reason: "not UTF-8")
        }
        var cursor = JSONCursor(bytes)
        self = try Self(from: &cursor, depth: 0)
        cursor.skipWhitespace()
        guard cursor.isAtEnd else { throw cursor.failure("text after the value") }
    }

    /// Parses one JSON text as ``init(parsing:)`` does, but mends what writers get wrong: half a surrogate pair becomes
    /// U+FFFD, and a name that an object has already, in this or another spelling of the same letters,
    /// gets `_2` behind it, or the next number that is free. Says how much.
    package static func mending(_ bytes: [UInt8]) throws(JSONSyntaxError) -> (value: JSONValue, mends: Int) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONSyntaxError(offset: 0, reason: "not UTF-8")
        }
        var cursor = JSONCursor(bytes, mends: true)
        let value = try Self(from: &cursor, depth: 0)
        cursor.skipWhitespace()
        guard cursor.isAtEnd else { throw cursor.failure("text after the value") }
        return (value, cursor.mendCount)
    }

    /// Reads the value that comes next, of a text that is known to be UTF-8.
    init(from cursor: inout JSONCursor, depth: Int) throws(JSONSyntaxError) {
        guard depth < Self.maximumDepth else { throw cursor.failure("nested too deeply") }
        cursor.skipWhitespace()
        switch cursor.next {
        case UInt8(ascii: "\""):
            self = .string(cursor.decodedString(try cursor.string()))
        case UInt8(ascii: "{"):
            self = .object(try Self.members(from: &cursor, depth: depth))
        case UInt8(ascii: "["):
            self = .array(try Self.elements(from: &cursor, depth: depth))
        case UInt8(ascii: "t"):
            try cursor.expectLiteral("true")
            self = .bool(true)
        case UInt8(ascii: "f"):
            try cursor.expectLiteral("false")
            self = .bool(false)
        case UInt8(ascii: "n"):
            try cursor.expectLiteral("null")
            self = .null
        default:
            self = .number(String(decoding: cursor.bytes[try cursor.number()], as: UTF8.self))
        }
    }

    private static func elements(
        from cursor: inout JSONCursor,
        depth: Int
    ) throws(JSONSyntaxError) -> [JSONValue] {
        try cursor.expect(UInt8(ascii: "["))
        cursor.skipWhitespace()
        if cursor.consume(UInt8(ascii: "]")) { return [] }
        var elements: [JSONValue] = []
        repeat {
            elements.append(try JSONValue(from: &cursor, depth: depth + 1))
            cursor.skipWhitespace()
        } while cursor.consume(UInt8(ascii: ","))
        try cursor.expect(UInt8(ascii: "]"))
        return elements
    }

    private static func members(
        from cursor: inout JSONCursor,
        depth: Int
    ) throws(JSONSyntaxError) -> [(name: String, value: JSONValue)] {
        try cursor.expect(UInt8(ascii: "{"))
        cursor.skipWhitespace()
        if cursor.consume(UInt8(ascii: "}")) { return [] }
        var members: [(name: String, value: JSONValue)] = []
        var names = NameSet()
        // Compare names as later readers of the object do: two spellings of one accented letter are one name.
        var texts: Set<String> = []
        var repeated: [Int] = []
        repeat {
            cursor.skipWhitespace()
            let name = try cursor.string()
            let text = cursor.decodedString(name)
            if cursor.mends {
                if !texts.insert(text).inserted {
                    cursor.noteMend()
                    repeated.append(members.count)
                }
            } else if !names.insert(cursor.decodedBytes(name)) {
                throw cursor.failure("member occurs twice")
            }
            cursor.skipWhitespace()
            try cursor.expect(UInt8(ascii: ":"))
            members.append((text, try JSONValue(from: &cursor, depth: depth + 1)))
            cursor.skipWhitespace()
        } while cursor.consume(UInt8(ascii: ","))
        try cursor.expect(UInt8(ascii: "}"))
        // Once all names are known: a number is free only if no other member has it.
        var next: [String: Int] = [:]
        for index in repeated {
            let name = members[index].name
            var number = next[name] ?? 2
            while !texts.insert("\(name)_\(number)").inserted { number += 1 }
            members[index].name = "\(name)_\(number)"
            next[name] = number + 1
        }
        return members
    }
}
