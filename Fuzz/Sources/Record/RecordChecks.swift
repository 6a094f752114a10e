// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import WebTracking

/// What must hold for every record.
enum RecordChecks {
    static func check(_ bytes: [UInt8], repairs: RepairCounts, redactions: Int, of sample: Sample) {
        let members = self.members(of: bytes)
        self.compareWithFoundation(bytes, members)
        let isCut = repairs[.oversizeRecord] > 0
        require(isCut || bytes.count - 1 <= sample.limits.recordBytes, "a record of \(bytes.count) bytes")
        self.checkNames(members, of: sample)
        self.checkLeading(members, isCut: isCut, of: sample)
        let expected = Expected(sample)
        require(redactions == expected.redactions, "\(redactions) values redacted, not \(expected.redactions)")
        if isCut {
            self.compareBeginnings(members, expected, of: sample)
        } else {
            self.compareWithGeneralMapping(members, expected, repairs: repairs, of: sample)
        }
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

    /// Metadata and error as the definitions of redaction and mapping have them.
    private struct Expected {
        var fields: [(name: String, value: String)]
        var repairs: RepairCounts
        var redactions: Int

        init(_ sample: Sample) {
            let event = sample.event
            // The later layer's spelling of a key stays.
            var metadata = event.metadata ?? [:]
            if let provided = sample.provided { metadata.merge(provided) { own, _ in own } }
            metadata.merge(sample.handlerMetadata) { own, _ in own }
            metadata = metadata.filter { key, _ in
                guard sample.promoted.contains(key) else { return true }
                switch sample.unpromoted {
                case .none: return false
                case .all: return true
                case .keys(let keys): return keys.contains(key)
                }
            }
            (metadata, self.redactions) = sample.oracle.redacted(metadata, nesting: sample.limits.nesting)
            var taken = Set(sample.mapping.leading)
            if event.error != nil { taken.formUnion(sample.mapping.error) }
            var resolver = MetadataResolver(deepestNesting: sample.limits.nesting)
            self.fields = resolver.fields(of: metadata, taken: taken).map { ($0.name, $0.value) }
            self.repairs = resolver.repairs
            guard let error = event.error else { return }
            self.fields.append((sample.mapping.errorType, String(reflecting: type(of: error))))
            let name = sample.mapping.errorMessage
            if let text = sample.oracle.redacted(name, text: "\(error)", &self.redactions) {
                self.fields.append((name, text))
            }
        }
    }

    /// The members of metadata and error, by the bytes of their names.
    private static func own(_ members: [(name: String, value: String)], of sample: Sample) -> [[UInt8]: String] {
        let leading = sample.mapping.leading.count - (sample.mapping.includesSequence ? 1 : 0)
        return Dictionary(uniqueKeysWithValues: members.dropFirst(leading).map { (Array($0.name.utf8), $0.value) })
    }

    /// On whichever way metadata and error were written, they are what the definitions say.
    private static func compareWithGeneralMapping(
        _ members: [(name: String, value: String)],
        _ expected: Expected,
        repairs: RepairCounts,
        of sample: Sample
    ) {
        let found = self.own(members, of: sample)
        require(found.count == expected.fields.count, "\(found.count) fields instead of \(expected.fields.count)")
        for (name, value) in expected.fields {
            require(
                found[Array(name.utf8)].map { self.isSame($0, self.cut(value, sample)) } ?? false,
                "the field \(name.debugDescription) is not the general mapping's"
            )
        }
        for kind in RepairKind.allCases where kind != .longValue {
            require(repairs[kind] == expected.repairs[kind], "the count of \(kind)")
        }
    }

    /// What was cut until it fitted begins as it should: no cut brings back what was redacted.
    private static func compareBeginnings(
        _ members: [(name: String, value: String)],
        _ expected: Expected,
        of sample: Sample
    ) {
        let wanted = Dictionary(expected.fields.map { (Array($0.name.utf8), $0.value) }) { first, _ in first }
        for (name, value) in self.own(members, of: sample) {
            // All metadata gave way to its number.
            if name == Array("metadata.omitted".utf8), UInt(value) != nil { continue }
            guard let whole = wanted[name] else {
                fatalError("FOUND: nobody logged \(String(decoding: name, as: UTF8.self).debugDescription)")
            }
            guard !self.isSame(value, whole) else { continue }
            let mark = Array("\u{2026}[+".utf8)
            let bytes = Array(value.utf8)
            let end = bytes.indices.last { bytes[$0...].starts(with: mark) }
            let isRight = end.map { whole.utf8.starts(with: bytes[..<$0]) } ?? false
            require(isRight, "the field \(String(decoding: name, as: UTF8.self).debugDescription) begins otherwise")
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
