//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Foundation

@testable import WebTracking

/// What must hold for every record.
enum RecordChecks {
    static func check(_ bytes: [UInt8], repairs: RepairCounts, of sample: Sample) {
        let members = self.members(of: bytes)
        self.compareWithFoundation(bytes, members)
        let isCut = repairs[.oversizeRecord] > 0
        require(isCut || bytes.count - 1 <= sample.limits.recordBytes, "a record of \(bytes.count) bytes")
        self.checkNames(members, of: sample)
        self.checkLeading(members, isCut: isCut, of: sample)
        // What is cut shorter and shorter has values of its own.
        if !isCut { self.compareWithGeneralMapping(members, repairs: repairs, of: sample) }
    }

    /// The names and values in their order, by this library's parser.
    private static func members(of bytes: [UInt8]) -> [(name: String, value: String)] {
        guard case .object(let members)? = try? JSONValue.parse(bytes) else {
            fatalError("FOUND: no object: \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
        return members.map { member in
            guard case .string(let value) = member.value else { fatalError("FOUND: a value that is no string") }
            return (member.name, value)
        }
    }

    private static func compareWithFoundation(_ bytes: [UInt8], _ members: [(name: String, value: String)]) {
        let other = try? JSONSerialization.jsonObject(with: Data(bytes))
        guard let other = other as? [String: String] else { fatalError("FOUND: Foundation reads no object of strings") }
        require(other.count == members.count, "a name twice, to Foundation")
        for member in members {
            require(
                other[member.name]?.utf8.elementsEqual(member.value.utf8) ?? false,
                "Foundation reads another value of \(member.name.debugDescription)"
            )
        }
    }

    private static func checkNames(_ members: [(name: String, value: String)], of sample: Sample) {
        var seen: Set<[UInt8]> = []
        for member in members {
            require(seen.insert(Array(member.name.utf8)).inserted, "the name \(member.name) twice")
            require((1...128).contains(member.name.utf8.count), "a name of \(member.name.utf8.count) bytes")
            require(!FieldName.isForbidden(member.name), "the forbidden name \(member.name)")
            // The end of a label that was cut is not told in it; everything else says how much is missing.
            require(member.value.utf8.count <= max(sample.limits.valueBytes, 1024), "a value too long")
        }
    }

    private static func checkLeading(
        _ members: [(name: String, value: String)],
        isCut: Bool,
        of sample: Sample
    ) {
        let mapping = sample.mapping
        var expected = [mapping.time, mapping.level, mapping.label, mapping.message]
        if mapping.includesCodeLocation { expected += [mapping.source, mapping.file, mapping.function, mapping.line] }
        let found = members.prefix(expected.count)
        require(found.map(\.name) == expected, "the default fields")
        require(found[1].value == sample.event.level.rawValue, "the level")
        require(self.isSame(found[2].value, sample.label.prefix(utf8Bytes: 1024)), "the label")
        guard !isCut else { return }
        let event = sample.event
        require(self.isSame(found[3].value, self.cut(event.message.description, sample)), "the message")
        guard mapping.includesCodeLocation else { return }
        let location = [event.source, event.file, event.function, String(event.line)]
        for (member, text) in zip(found.dropFirst(4), location) {
            require(self.isSame(member.value, self.cut(text, sample)), "the field \(member.name)")
        }
    }

    /// Metadata and error are what the definition of the mapping says, on whichever way they were written.
    private static func compareWithGeneralMapping(
        _ members: [(name: String, value: String)],
        repairs: RepairCounts,
        of sample: Sample
    ) {
        let event = sample.event
        var metadata = sample.handlerMetadata
        if let provided = sample.provided { metadata.merge(provided) { _, later in later } }
        if let own = event.metadata { metadata.merge(own) { _, later in later } }
        metadata = metadata.filter { key, _ in
            guard sample.promoted.contains(key) else { return true }
            switch sample.unpromoted {
            case .none: return false
            case .all: return true
            case .keys(let keys): return keys.contains(key)
            }
        }
        var taken = Set(sample.mapping.leading)
        if event.error != nil { taken.formUnion(sample.mapping.error) }
        var resolver = MetadataResolver(deepestNesting: sample.limits.nesting)
        var expected = resolver.fields(of: metadata, taken: taken).map { ($0.name, self.cut($0.value, sample)) }
        if let error = event.error {
            expected.append((sample.mapping.errorType, String(reflecting: type(of: error))))
            expected.append((sample.mapping.errorMessage, self.cut("\(error)", sample)))
        }
        let leading = sample.mapping.leading.count - (sample.mapping.includesSequence ? 1 : 0)
        let found = Dictionary(uniqueKeysWithValues: members.dropFirst(leading).map { (Array($0.name.utf8), $0.value) })
        require(found.count == expected.count, "\(found.count) fields instead of \(expected.count)")
        for (name, value) in expected {
            require(
                found[Array(name.utf8)].map { self.isSame($0, value) } ?? false,
                "the field \(name.debugDescription) is not the general mapping's"
            )
        }
        for kind in RepairKind.allCases where kind != .longValue {
            require(repairs[kind] == resolver.repairs[kind], "the count of \(kind)")
        }
    }

    /// A value as a record holds it: at most so long, with the number of bytes left out.
    private static func cut(_ text: String, _ sample: Sample) -> String {
        let limit = sample.limits.valueBytes
        guard text.utf8.count > limit else { return text }
        var kept = Array(text.utf8.prefix(limit - 40))
        while String(validating: kept, as: UTF8.self) == nil { kept.removeLast() }
        return String(decoding: kept, as: UTF8.self) + "\u{2026}[+\(text.utf8.count - kept.count) bytes]"
    }

    /// By bytes: to Swift, two spellings of one letter are the same text.
    private static func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
