// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// What a handler adds to each of its records, encoded once when the handler is made or its metadata is set.
///
/// Values that compute their description are asked for it at that time, as swift-log's `StreamLogHandler` does; where the
/// general mapping is needed, they are asked again for each record.
struct HandlerFields: Sendable {
    /// One metadata value among the members.
    struct Entry: Sendable {
        var key: String
        var hash: UInt64
        /// Where its member ends; it has none if the value is dropped.
        var end: Int
        /// Whether redaction has changed the value.
        var isRedacted: Bool
    }

    /// Entries that another layer has a value for.
    struct Outranked {
        private var places: UInt64 = 0
        /// Stands for the entry with this place and all behind it.
        private static let last = 63

        var isEmpty: Bool { self.places == 0 }

        mutating func insert(_ place: Int) { self.places |= 1 << UInt64(min(place, Self.last)) }

        /// Whether the entry is among them; `nil` if it must be looked up.
        func contains(_ place: Int) -> Bool? { place < Self.last ? self.places >> UInt64(place) & 1 != 0 : nil }
    }

    /// The handler's metadata.
    let metadata: LogMetadata
    /// The metadata as JSON members, each with a comma before it.
    let members: [UInt8]
    let entries: [Entry]
    /// So many are looked at one by one; where there are more, they are in the order of their hashes.
    private static let scanned = 32
    /// The names of ``entries``.
    let names: NameFilter
    /// Whether `members` may be copied as it is. Otherwise something in the metadata needs the general mapping.
    let isPlain: Bool
    /// Whether one of the members has the name of a field that only records with an error have.
    let claimsErrorName: Bool
    /// The redactor under which the members were made.
    let redactor: UInt64
    /// How many values it has changed.
    let redactions: Int

    /// - Parameter isReady: Whether the members are made now, for which values may be asked for their descriptions.
    init(metadata: LogMetadata, encoder: RecordEncoder, redactor: Redactor, isReady: Bool = true) {
        self.metadata = metadata
        var writer = ByteWriter(capacity: metadata.isEmpty ? 64 : 256)
        var entries: [Entry] = []
        var names = NameFilter()
        var isPlain = isReady
        var redactions = 0
        var claimsErrorName = false
        values: for (key, original) in metadata where isReady && !encoder.isPromoted(key) {
            switch original {
            case .string, .stringConvertible: break
            case .dictionary, .array:
                isPlain = false
                break values
            }
            let settled = redactor.settled(key, original, nesting: encoder.limits.nesting)
            redactions += settled.redactions
            guard let value = settled.value else {
                // Kept in mind, since where another layer outranks it nothing is dropped.
                let end = writer.count
                if let hash = PlainKey.append(key, to: &writer) {
                    writer.truncate(to: end)
                    names.insert(hash)
                    entries.append(Entry(key: key, hash: hash, end: end, isRedacted: true))
                }
                continue
            }
            guard case .string(let text) = value, text.utf8.count <= encoder.limits.valueBytes,
                let hash = PlainKey.append(key, to: &writer), !encoder.isLeading(hash)
            else {
                isPlain = false
                break
            }
            writer.append(escaping: text)
            writer.append(UInt8(ascii: "\""))
            names.insert(hash)
            if encoder.isErrorName(hash) { claimsErrorName = true }
            entries.append(Entry(key: key, hash: hash, end: writer.count, isRedacted: settled.redactions > 0))
        }
        let members = isPlain && writer.count > 0 ? writer.withBytes { Array($0) } : []
        (self.members, self.entries) = isPlain ? Self.ordered(members, entries) : ([], [])
        self.names = names
        self.isPlain = isPlain
        self.redactor = redactor.identity
        self.redactions = redactions
        self.claimsErrorName = claimsErrorName
    }

    /// The members in the order of their hashes, if there are many.
    private static func ordered(_ members: [UInt8], _ entries: [Entry]) -> ([UInt8], [Entry]) {
        guard entries.count > self.scanned else { return (members, entries) }
        let starts = [0] + entries.map(\.end)
        var ordered: [UInt8] = []
        ordered.reserveCapacity(members.count)
        let places = entries.indices.sorted { entries[$0].hash < entries[$1].hash }
        let moved = places.map { place in
            var entry = entries[place]
            ordered += members[starts[place]..<entry.end]
            entry.end = ordered.count
            return entry
        }
        return (ordered, moved)
    }

    /// Notes which of the entries has this key, if any has.
    @inline(never)
    func insert(_ key: String, _ hash: UInt64, into outranked: inout Outranked) {
        var place = self.entries.count > Self.scanned ? self.firstPlace(of: hash) : 0
        while place < self.entries.count {
            if self.entries[place].hash == hash {
                if self.entries[place].key == key { outranked.insert(place) }
            } else if self.entries.count > Self.scanned {
                return
            }
            place += 1
        }
    }

    /// Where entries with this hash begin among those that are in order.
    private func firstPlace(of hash: UInt64) -> Int {
        var range = 0..<self.entries.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = self.entries[middle].hash < hash ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }
}

/// What stands in a record from the end of the time to the beginning of the message, for each level, with the logger's
/// label in it.
final class LabelFields: Sendable {
    /// By rank.
    let openings: [[UInt8]]
    /// Whether the label was too long.
    let isCut: Bool

    init(label: String, encoder: RecordEncoder) {
        let shortened = label.prefix(utf8Bytes: RecordEncoder.longestLabel)
        self.isCut = shortened.utf8.count < label.utf8.count
        self.openings = LogLevel.ranked.map { encoder.opening(level: $0, label: shortened) }
    }
}
