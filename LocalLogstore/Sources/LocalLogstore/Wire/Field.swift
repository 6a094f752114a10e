// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A name and its text: a field of a log, or a tag.
///
/// Equality is that of the bytes of UTF-8, as on the wire, not that of `String`, which takes two spellings of one
/// accented letter for the same text.
public struct Field: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.name.utf8.elementsEqual(right.name.utf8) && left.value.utf8.elementsEqual(right.value.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in self.name.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
        for byte in self.value.utf8 { hasher.combine(byte) }
    }
}
