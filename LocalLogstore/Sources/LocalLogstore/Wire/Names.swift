// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The rules for names.
enum Names {
    /// Names the service keeps for itself: those that its data model reserves, and those that its documentation says to
    /// avoid.
    ///
    /// `__time__` is not among them: a log may state it, and it is ignored.
    private static let reserved: Set<String> = [
        "__source__", "__topic__", "__partition_time__", "_extract_others_", "__extract_others__", "__raw__",
        "__raw_log__", "__pack_id__", "__pack_unique_id__", "__client_ip__", "__receive_time__", "__time_ns_part__",
        "__logs__", "__tags__",
    ]

    /// Tags that only the service adds, and names that have another place in the request.
    private static let reservedTags: Set<String> = [
        "__source__", "__topic__", "__time__", "__client_ip__", "__receive_time__",
    ]

    static func isReservedField(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.first == UInt8(ascii: "_") else { return false }
        let text = String(decoding: name, as: UTF8.self)
        return text.hasPrefix("__tag__:") || self.reserved.contains(text)
    }

    static func isReservedTag(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.first == UInt8(ascii: "_") else { return false }
        return self.reservedTags.contains(String(decoding: name, as: UTF8.self))
    }

    /// Whether `name` can be a project: 3 to 63 lower-case letters, digits and hyphens, not beginning or ending with
    /// a hyphen.
    static func isProject(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            && self.hasPlainEnds(name)
    }

    /// Whether `name` can be a logstore: 2 to 63 lower-case letters, digits, hyphens and underscores, beginning and
    /// ending with a letter or digit.
    static func isLogstore(_ name: String) -> Bool {
        (2...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
            && self.hasPlainEnds(name)
    }

    private static func hasPlainEnds(_ name: String) -> Bool {
        guard let first = name.utf8.first, let last = name.utf8.last else { return false }
        return self.isLetterOrDigit(first) && self.isLetterOrDigit(last)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
