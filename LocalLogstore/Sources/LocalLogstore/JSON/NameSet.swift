// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The member names of one object, to find those that occur twice.
///
/// Names are compared byte by byte: two spellings of one accented letter are two names.
struct NameSet {
    /// Up to this many names, looking at each is faster than hashing.
    private static let linearCount = 24

    private var names: [ArraySlice<UInt8>] = []
    private var hashed: Set<ArraySlice<UInt8>> = []

    /// Adds a name; `false` if it was there already.
    mutating func insert(_ name: ArraySlice<UInt8>) -> Bool {
        if self.names.count < Self.linearCount {
            if self.names.contains(where: { $0.count == name.count && $0.elementsEqual(name) }) { return false }
            self.names.append(name)
            return true
        }
        if self.hashed.isEmpty { self.hashed = Set(self.names) }
        return self.hashed.insert(name).inserted
    }

    mutating func removeAll() {
        self.names.removeAll(keepingCapacity: true)
        self.hashed.removeAll()
    }
}
