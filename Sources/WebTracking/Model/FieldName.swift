// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The rules for field names, and the repairs of names that break them.
///
/// Source: the service's data model. A key is 1 to 128 bytes of UTF-8, and some names are the service's own.
package enum FieldName {
    /// The longest key, in bytes of UTF-8.
    package static let maximumBytes = 128

    private static let forbidden: Set<String> = [
        "__time__", "__source__", "__topic__", "__partition_time__", "_extract_others_", "__extract_others__",
        "__raw__", "__raw_log__", "__pack_id__", "__pack_unique_id__", "__client_ip__", "__receive_time__",
        "__time_ns_part__", "__logs__", "__tags__",
    ]

    /// Whether the name is reserved by the service.
    package static func isForbidden(_ name: String) -> Bool {
        guard name.utf8.first == UInt8(ascii: "_") else { return false }
        // Compare bytes: a string's prefix would not match if a combining mark follows it.
        return name.utf8.starts(with: "__tag__:".utf8) || self.forbidden.contains(name)
    }

    /// The name to use instead of `name`, and the repairs that were made.
    package static func repaired(_ name: String) -> (name: String, repairs: [RepairKind]) {
        if name.isEmpty { return ("_", [.emptyKey]) }
        var name = name
        var repairs: [RepairKind] = []
        if self.isForbidden(name) {
            name = "field." + name
            repairs.append(.forbiddenKey)
        }
        if name.utf8.count > self.maximumBytes {
            name = self.cut(name, hash: NameHash.of(name))
            repairs.append(.longKey)
        }
        return (name, repairs)
    }

    private static func cut(_ name: String, hash: UInt64) -> String {
        let suffix = "~" + hash.hexadecimal
        return name.prefix(utf8Bytes: self.maximumBytes - suffix.utf8.count) + suffix
    }

    /// A name made of parts with dots between them. It keeps no more than a field's name can have, so that a dictionary
    /// with a long key costs no more for each of its values.
    struct Joined {
        /// The whole name, or the part of it that is kept.
        private let beginning: String
        /// The hash of the whole name if that is too long.
        private var hash: UInt64?
        /// Whether the name is too long and reserved by the service. Then it was put behind `field.`.
        private let isForbidden: Bool

        init(_ name: String) {
            guard name.utf8.count > FieldName.maximumBytes else {
                self.beginning = name
                self.isForbidden = false
                return
            }
            self.isForbidden = FieldName.isForbidden(name)
            let name = self.isForbidden ? "field." + name : name
            self.beginning = name.prefix(utf8Bytes: FieldName.maximumBytes)
            self.hash = NameHash.of(name)
        }

        /// The name with one more part.
        func appending(_ part: String) -> Joined {
            guard let hash = self.hash else { return Joined("\(self.beginning).\(part)") }
            var longer = self
            longer.hash = NameHash.of(part, after: NameHash.of(".", after: hash))
            return longer
        }

        /// The result of ``FieldName/repaired(_:)`` for the whole name.
        var repaired: (name: String, repairs: [RepairKind]) {
            guard let hash = self.hash else { return FieldName.repaired(self.beginning) }
            let repairs: [RepairKind] = self.isForbidden ? [.forbiddenKey, .longKey] : [.longKey]
            return (FieldName.cut(self.beginning, hash: hash), repairs)
        }
    }

    /// The beginning of a name, so short that a separator and a number of so many digits fit behind it.
    static func beginning(of name: String, digits: Int) -> String {
        name.prefix(utf8Bytes: self.maximumBytes - digits - 1)
    }
}

/// Hashes of names.
enum NameHash {
    /// A hash (FNV-1a) for names that are cut. It is the same in every process.
    ///
    /// - Parameter start: The hash of the text before the name.
    static func of(_ name: String, after start: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = start
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    /// The start value of a hash that takes eight bytes at a time. The name's length is mixed in as well.
    static let quickSeed: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Takes eight more bytes into a hash. The high bits depend on all of them.
    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
        return product ^ product &>> 32
    }
}

extension UInt64 {
    /// The number as 16 hexadecimal digits in lower case.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension String {
    /// The longest beginning that has at most `limit` bytes of UTF-8 and ends between two scalars.
    package func prefix(utf8Bytes limit: Int) -> String {
        guard self.utf8.count > limit else { return self }
        var index = self.utf8.index(self.utf8.startIndex, offsetBy: max(limit, 0))
        while index > self.utf8.startIndex, self.utf8[index] & 0xC0 == 0x80 {
            index = self.utf8.index(before: index)
        }
        return String(self[..<index])
    }
}
