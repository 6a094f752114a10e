// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Names and texts for metadata in the general case: nested, colliding, forbidden, empty or over-long keys.
///
/// This is the definition of the mapping. The encoder writes plain metadata itself, with the same result, and comes here
/// only when it meets something that is not plain.
struct MetadataResolver {
    /// One field to be.
    struct Field: Equatable {
        var name: String
        var value: String
    }

    /// Dictionaries nested deeper than this become JSON text.
    var deepestNesting: Int
    var repairs = RepairCounts()
    /// How many names were looked at; what the work grows with.
    private(set) var steps = 0

    private struct Leaf {
        var name: String
        var path: [String]
        var value: String
    }

    /// The fields of `metadata`, none of which has a name in `taken` or the name of another, in the order of their names'
    /// bytes.
    ///
    /// If two values claim one name, the one with the shorter path keeps it (a key written with a dot before a nested
    /// one), then the one with the path that is first in byte order. The other is numbered from `_2` on.
    mutating func fields(of metadata: LogMetadata, taken: Set<String>) -> [Field] {
        var leaves: [Leaf] = []
        for (key, value) in metadata { self.flatten(value, FieldName.Joined(key), path: [key], into: &leaves) }
        leaves.sort {
            // As the names are the same to each other below: not by their bytes.
            if $0.name != $1.name { return $0.name < $1.name }
            if $0.path.count != $1.path.count { return $0.path.count < $1.path.count }
            return $0.path.lexicographicallyPrecedes($1.path, by: MetadataText.precedes)
        }
        var taken = taken
        var collided: [Int] = []
        for index in leaves.indices {
            if !taken.insert(leaves[index].name).inserted { collided.append(index) }
        }
        var numbers = FreeNumbers()
        for index in collided {
            leaves[index].name = numbers.name(for: leaves[index].name, taken: &taken)
            self.repairs[.collidingKey] += 1
        }
        self.steps += numbers.steps
        // The order in which the encoder writes plain metadata: by bytes, the numbers included.
        leaves.sort { MetadataText.precedes($0.name, $1.name) }
        return leaves.map { Field(name: $0.name, value: $0.value) }
    }

    private mutating func flatten(
        _ value: LogMetadataValue,
        _ name: FieldName.Joined,
        path: [String],
        into leaves: inout [Leaf]
    ) {
        let text: String
        switch value {
        case .dictionary(let values) where !values.isEmpty && path.count <= self.deepestNesting:
            for (key, value) in values { self.flatten(value, name.appending(key), path: path + [key], into: &leaves) }
            return
        case .dictionary(let values):
            text = MetadataText.json(value).text
            if !values.isEmpty { self.repairs[.deepValue] += 1 }
        case .array:
            let (json, isCut) = MetadataText.json(value)
            text = json
            if isCut { self.repairs[.deepValue] += 1 }
        case .string(let string):
            text = string
        case .stringConvertible(let value):
            text = value.description
        }
        self.steps += 1
        let (name, repairs) = name.repaired
        for repair in repairs { self.repairs[repair] += 1 }
        leaves.append(Leaf(name: name, path: path, value: text))
    }
}

/// The next free number behind a name, found without trying those again that it is past.
struct FreeNumbers {
    /// The name before a number, and how many digits the number has.
    private struct Place: Hashable {
        var name: String
        var digits: Int
    }

    /// Of each place, the lowest number that may be free.
    private var next: [Place: Int] = [:]
    /// How many names were tried.
    private(set) var steps = 0

    /// `name` with the lowest number from 2 on that makes a name that is not taken; takes it.
    mutating func name(for name: String, taken: inout Set<String>) -> String {
        var digits = 1
        while true {
            let end = (0..<digits).reduce(1) { power, _ in power * 10 }
            let first = digits == 1 ? 2 : end / 10
            let place = Place(name: FieldName.beginning(of: name, digits: digits), digits: digits)
            var number = self.next[place] ?? first
            while number < end {
                self.steps += 1
                let numbered = "\(place.name)_\(number)"
                number += 1
                if taken.insert(numbered).inserted {
                    self.next[place] = number
                    return numbered
                }
            }
            self.next[place] = number
            digits += 1
        }
    }
}
