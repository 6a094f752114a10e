// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import GRDBSQLite

/// The rules of searches as functions of SQL.
///
/// - `field(object, name)`: the value of a member of a flat JSON object, or NULL.
/// - `number(text)`: the number that a text is, or NULL.
/// - `finite(text)`: the same of decimal numbers only: one infinite number would be all that a sum says.
/// - `remainder(number, number)`: what a division leaves, also of fractions; NULL of one by zero.
/// - `has_words(text, phrase)`: whether the words occur in a text, one behind the other; the last need only be how a word
///   begins if a `*` stands behind it.
/// - `has_bit(set, number)`: whether the bit of that number is set in a blob.
/// - `any_has_words(object, phrase)`: the same of any value but those of `time` and `seq`.
enum SearchFunctions {
    static func add(to database: Database) {
        let connection = database.sqliteConnection
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC
        func add(
            _ name: String,
            _ arguments: Int32,
            _ body: @escaping @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void
        ) {
            sqlite3_create_function_v2(connection, name, arguments, flags, nil, body, nil, nil, nil)
        }
        add("field", 2) { context, _, arguments in
            guard let object = Self.text(arguments, 0) else { return sqlite3_result_null(context) }
            let name = Self.prepared(context, arguments) { MemberName($0) }
            guard let member = FlatObject.member(name, of: object) else { return sqlite3_result_null(context) }
            member.withValue { value in
                // Of no bytes there need be no address; without one it would be NULL.
                guard let base = value.baseAddress else {
                    return sqlite3_result_text(context, "", 0, RawStatement.copies)
                }
                base.withMemoryRebound(to: CChar.self, capacity: value.count) {
                    sqlite3_result_text(context, $0, Int32(value.count), RawStatement.copies)
                }
            }
        }
        add("number", 1) { context, _, arguments in
            guard let text = Self.text(arguments, 0), let number = DecimalNumber.value(of: text) else {
                return sqlite3_result_null(context)
            }
            sqlite3_result_double(context, number)
        }
        add("finite", 1) { context, _, arguments in
            guard let text = Self.text(arguments, 0), let number = DecimalNumber.finite(of: text) else {
                return sqlite3_result_null(context)
            }
            sqlite3_result_double(context, number)
        }
        add("remainder", 2) { context, _, arguments in
            guard let left = arguments?[0], let right = arguments?[1],
                sqlite3_value_type(left) != SQLITE_NULL, sqlite3_value_type(right) != SQLITE_NULL,
                sqlite3_value_double(right) != 0
            else { return sqlite3_result_null(context) }
            guard sqlite3_value_type(left) == SQLITE_INTEGER, sqlite3_value_type(right) == SQLITE_INTEGER else {
                return sqlite3_result_double(context, fmod(sqlite3_value_double(left), sqlite3_value_double(right)))
            }
            // Swift ends where the quotient would be too large, which it is of -1 only.
            let divisor = sqlite3_value_int64(right)
            sqlite3_result_int64(context, divisor == -1 ? 0 : sqlite3_value_int64(left) % divisor)
        }
        add("has_words", 2) { context, _, arguments in
            guard let text = Self.text(arguments, 0) else { return sqlite3_result_null(context) }
            let phrase = Self.prepared(context, arguments) { Phrase(argument: $0) }
            sqlite3_result_int(context, phrase?.occurs(in: text) == true ? 1 : 0)
        }
        add("has_bit", 2) { context, _, arguments in
            guard let set = Self.text(arguments, 0), let number = arguments?[1].map(sqlite3_value_int64) else {
                return sqlite3_result_int(context, 0)
            }
            let isInside = number >= 0 && number / 8 < set.count
            sqlite3_result_int(context, isInside && set[Int(number / 8)] >> UInt8(number % 8) & 1 == 1 ? 1 : 0)
        }
        add("any_has_words", 2) { context, _, arguments in
            guard let text = Self.text(arguments, 0),
                let phrase = Self.prepared(context, arguments, { Phrase(argument: $0) })
            else { return sqlite3_result_int(context, 0) }
            var object = FlatObject(text)
            while let member = object.next() {
                if member.isNamed("time") || member.isNamed("seq") { continue }
                if member.withValue(phrase.occurs(in:)) { return sqlite3_result_int(context, 1) }
            }
            sqlite3_result_int(context, 0)
        }
    }

    /// `nil` for NULL. Valid as long as the function runs.
    private static func text(
        _ arguments: UnsafeMutablePointer<OpaquePointer?>?,
        _ index: Int
    ) -> UnsafeBufferPointer<UInt8>? {
        guard let value = arguments?[index], sqlite3_value_type(value) != SQLITE_NULL else { return nil }
        // As a blob: for a text SQLite would make a copy that ends with NUL. Of no bytes there is no address.
        let base = sqlite3_value_blob(value)?.assumingMemoryBound(to: UInt8.self)
        return UnsafeBufferPointer(start: base, count: base == nil ? 0 : Int(sqlite3_value_bytes(value)))
    }

    private final class Box<Value> {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    /// What is made of the second argument, once for all rows if that is the same for all.
    private static func prepared<Value>(
        _ context: OpaquePointer?,
        _ arguments: UnsafeMutablePointer<OpaquePointer?>?,
        _ make: (String) -> Value
    ) -> Value {
        if let known = sqlite3_get_auxdata(context, 1) {
            return Unmanaged<Box<Value>>.fromOpaque(known).takeUnretainedValue().value
        }
        let value = make(Self.text(arguments, 1).map { String(decoding: $0, as: UTF8.self) } ?? "")
        sqlite3_set_auxdata(context, 1, Unmanaged.passRetained(Box(value)).toOpaque()) {
            Unmanaged<AnyObject>.fromOpaque($0!).release()
        }
        return value
    }
}

/// Reads numbers as `Double` does.
enum DecimalNumber {
    static func value(of text: UnsafeBufferPointer<UInt8>) -> Double? {
        // Nearly all are plain: up to 15 digits, maybe with a point, are exact, and so is the power of ten.
        var digits: Int64 = 0
        var count = 0
        var scale: Double = 1
        var hasPoint = false
        let isNegative = text.first == UInt8(ascii: "-")
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            if byte &- UInt8(ascii: "0") < 10, count < 15 {
                digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
                count += 1
                if hasPoint { scale *= 10 }
            } else if byte == UInt8(ascii: "."), !hasPoint, count > 0 {
                hasPoint = true
            } else {
                return self.general(text)
            }
        }
        guard count > 0, !(hasPoint && scale == 1) else { return self.general(text) }
        return (isNegative ? -Double(digits) : Double(digits)) / scale
    }

    /// Neither what stands for infinity nor a number with letters.
    static func finite(of text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let number = self.value(of: text), number.isFinite,
            !text.contains(where: { $0 | 0x20 == UInt8(ascii: "x") })
        else { return nil }
        return number
    }

    private static func general(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        Double(String(decoding: text, as: UTF8.self))
    }
}

extension Phrase {
    /// As an argument of SQL.
    var argument: String { self.text + (self.endsWithPrefix ? "*" : "") }

    init?(argument: String) {
        self.init(argument, endsWithPrefix: argument.last == "*")
    }

    /// The words with spaces between them.
    var text: String { self.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
}
