// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CMemory
import Foundation

/// Walks the members of a flat JSON object of strings where it stands, without making strings of them.
///
/// The text has to be one that ``LogGroupParser`` or ``JSONWriter`` has made: it is not checked again.
struct FlatObject {
    /// A member as it stands in the text.
    struct Member {
        /// Between the quotes, escapes and all.
        let rawName: UnsafeBufferPointer<UInt8>
        let rawValue: UnsafeBufferPointer<UInt8>

        func isNamed(_ name: StaticString) -> Bool {
            self.rawName.count == name.utf8CodeUnitCount
                && memcmp(self.rawName.baseAddress!, name.utf8Start, self.rawName.count) == 0
        }

        func isNamed(_ name: String) -> Bool {
            // Escapes only make a name longer.
            let count = name.utf8.count
            if self.rawName.count < count { return false }
            if self.rawName.count > count,
                memchr(self.rawName.baseAddress!, CInt(UInt8(ascii: "\\")), self.rawName.count) == nil
            {
                return false
            }
            return FlatObject.withDecoded(self.rawName) { decoded in
                var name = name
                return name.withUTF8 { name in
                    name.count == decoded.count
                        && (name.isEmpty || memcmp(name.baseAddress!, decoded.baseAddress!, name.count) == 0)
                }
            }
        }

        /// Calls `body` with the value, its escapes resolved.
        func withValue<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
            try FlatObject.withDecoded(self.rawValue, body)
        }

        func withName<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
            try FlatObject.withDecoded(self.rawName, body)
        }

        var name: String { FlatObject.withDecoded(self.rawName) { String(decoding: $0, as: UTF8.self) } }
        var value: String { self.withValue { String(decoding: $0, as: UTF8.self) } }
    }

    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
    }

    /// The next member; `nil` behind the last.
    mutating func next() -> Member? {
        guard let name = self.string(), let value = self.string() else { return nil }
        return Member(rawName: name, rawValue: value)
    }

    /// What stands between the next two quotes. Between strings there are only punctuation marks.
    private mutating func string() -> UnsafeBufferPointer<UInt8>? {
        guard let base = self.text.baseAddress else { return nil }
        while self.position < self.text.count, self.text[self.position] != UInt8(ascii: "\"") { self.position += 1 }
        self.position += 1
        let start = self.position
        while self.position < self.text.count {
            let rest = self.text.count - self.position
            guard let quote = memchr(base + self.position, CInt(UInt8(ascii: "\"")), rest) else { return nil }
            let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
            // A quote behind an odd number of backslashes is part of the text.
            var backslashes = 0
            while end - backslashes > start, self.text[end - backslashes - 1] == UInt8(ascii: "\\") { backslashes += 1 }
            self.position = end + 1
            if backslashes.isMultiple(of: 2) { return UnsafeBufferPointer(start: base + start, count: end - start) }
        }
        return nil
    }

    /// The member of that name; `nil` if there is none.
    static func member(_ name: MemberName, of text: UnsafeBufferPointer<UInt8>) -> Member? {
        guard let base = text.baseAddress else { return nil }
        // A quote behind a brace or a comma begins or ends a string; what follows says that it begins a name.
        var offset = 0
        while let found = memmem(base + offset, text.count - offset, name.quoted, name.quoted.count) {
            let start = UnsafeRawPointer(found) - UnsafeRawPointer(base)
            if start > 0, text[start - 1] == UInt8(ascii: ",") || text[start - 1] == UInt8(ascii: "{") {
                var object = FlatObject(text)
                object.position = start
                return object.next()
            }
            offset = start + 1
        }
        // There are several ways to write a name with escapes.
        guard memchr(base, CInt(UInt8(ascii: "\\")), text.count) != nil else { return nil }
        var object = FlatObject(text)
        while let member = object.next() {
            if member.isNamed(name.name) { return member }
        }
        return nil
    }

    private static func withDecoded<Result>(
        _ raw: UnsafeBufferPointer<UInt8>,
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        guard raw.count > 0, memchr(raw.baseAddress!, CInt(UInt8(ascii: "\\")), raw.count) != nil else {
            return try body(raw)
        }
        var cursor = JSONCursor([UInt8(ascii: "\"")] + raw + [UInt8(ascii: "\"")])
        guard let text = try? cursor.string() else { return try body(raw) }
        return try cursor.decodedBytes(text).withUnsafeBufferPointer(body)
    }
}

/// The name of a member to look for in many objects.
struct MemberName {
    let name: String
    /// As it mostly stands in the text: between quotes, and with a colon and the quote of its value behind it.
    fileprivate let quoted: [UInt8]

    init(_ name: String) {
        self.name = name
        var quoted: [UInt8] = []
        JSONWriter.append(string: name, to: &quoted)
        self.quoted = quoted + Array(":\"".utf8)
    }
}
