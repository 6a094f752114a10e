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

    /// Whether the service keeps this name for itself.
    package static func isForbidden(_ name: String) -> Bool {
        guard name.utf8.first == UInt8(ascii: "_") else { return false }
        // By bytes: as strings, a prefix ends where a combining mark begins.
        return name.utf8.starts(with: "__tag__:".utf8) || self.forbidden.contains(name)
    }

    /// The name to use for `name`, and what was repaired.
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

    /// A name of parts with dots between them. No more of it is kept than the name of a field can have, so that what is in a
    /// dictionary with a long key costs no more for that.
    struct Joined {
        /// The whole, or as much of it as counts.
        private let beginning: String
        /// The hash of the whole, if that is too long.
        private var hash: UInt64?
        /// Whether it is too long and the service's own, and has been given another beginning.
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

        /// What ``FieldName/repaired(_:)`` makes of the whole.
        var repaired: (name: String, repairs: [RepairKind]) {
            guard let hash = self.hash else { return FieldName.repaired(self.beginning) }
            let repairs: [RepairKind] = self.isForbidden ? [.forbiddenKey, .longKey] : [.longKey]
            return (FieldName.cut(self.beginning, hash: hash), repairs)
        }
    }

    /// What a number of so many digits is put behind, within the length limit.
    static func beginning(of name: String, digits: Int) -> String {
        name.prefix(utf8Bytes: self.maximumBytes - digits - 1)
    }
}

/// Hashes of names.
enum NameHash {
    /// A hash (FNV-1a) that is the same in every process, for names that are cut.
    ///
    /// - Parameter start: The hash of what stands before it.
    static func of(_ name: String, after start: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = start
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    /// What a hash of a name eight bytes at a time starts with, with the name's length mixed in.
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
