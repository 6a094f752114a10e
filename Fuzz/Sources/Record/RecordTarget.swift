// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import WebTracking

/// The mapping of events to JSON: any event becomes one valid object of strings within the limits, the same as the general
/// mapping makes of it, and Foundation reads in it what was logged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecord(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = FuzzInput(UnsafeBufferPointer(start: start, count: count))
    let sample = Sample(&input)
    func check(_ scratch: inout EncoderScratch) {
        sample.encoder.encode(
            sample.event,
            time: sample.time,
            handler: sample.handler,
            provided: sample.provided,
            unpromoted: sample.unpromoted,
            redactor: sample.redactor,
            into: &scratch
        )
        let bytes = scratch.writer.withBytes { [UInt8(ascii: "{")] + Array($0) }
        RecordChecks.check(bytes, repairs: scratch.repairs, redactions: scratch.redactions, of: sample)
    }
    EncoderScratch.withCurrent(check, nested: { check(&$1) })
    return 0
}

/// An event, and all that its encoding depends on.
struct Sample {
    let mapping: FieldMapping
    let promoted: [String]
    let limits: RecordEncoder.Limits
    let encoder: RecordEncoder
    let oracle: RedactionOracle
    let redactor: Redactor
    let handlerMetadata: LogMetadata
    let handler: RecordEncoder.Handler
    let provided: LogMetadata?
    let unpromoted: RecordEncoder.Unpromoted
    let event: LogEvent
    let time: Int64
    let label: String

    private static let redactors = [
        RedactionOracle(rules: [], pseudonymKey: nil), .standard, .varied,
    ].map { ($0, Redactor($0.redaction, count: RedactionCount())) }

    /// Making an encoder costs more than a record, so there are a few, as there are few in a process.
    private static let encoders: [(FieldMapping, [String], RecordEncoder.Limits, RecordEncoder)] = {
        var other = FieldMapping()
        other.message = "msg \"\u{301}"
        other.errorType = "kind"
        other.includesCodeLocation = false
        // Small ones, so that they are met, and each input costs little.
        let small = RecordEncoder.Limits(valueBytes: 256, recordBytes: 8 << 10, nesting: 1)
        let large = RecordEncoder.Limits(valueBytes: 1 << 10, recordBytes: 16 << 10, nesting: 8)
        let promoted = ["a", "t\u{e9}"]
        return [
            (FieldMapping(), [], large), (FieldMapping(), [], small), (FieldMapping(), promoted, small),
            (other, promoted, large), (other, [], small),
        ].map { ($0, $1, $2, RecordEncoder(mapping: $0, promoted: $1, limits: $2)) }
    }()

    init(_ input: inout FuzzInput) {
        let shape = input.byte()
        let choice = Int(input.byte())
        (self.mapping, self.promoted, self.limits, self.encoder) = Self.encoders[choice % Self.encoders.count]
        (self.oracle, self.redactor) = Self.redactors[choice / Self.encoders.count % Self.redactors.count]
        self.time = Int64(bitPattern: input.word())
        self.label = shape & 1 != 0 ? input.text() : "label"
        self.handlerMetadata = shape & 2 != 0 ? Self.metadata(&input, depth: 0) : [:]
        self.handler = self.encoder.handler(
            label: self.label,
            metadata: self.handlerMetadata,
            redactor: self.redactor
        )
        self.provided = shape & 4 != 0 ? Self.metadata(&input, depth: 0) : nil
        switch shape >> 6 {
        case 0, 1: self.unpromoted = .none
        case 2: self.unpromoted = .all
        default: self.unpromoted = .keys(Array(self.promoted.prefix(1)))
        }
        let error = shape & 16 != 0 ? FuzzError(description: input.text()) : nil
        self.event = LogEvent(
            level: LogLevel.ranked[Int(input.byte()) % 7],
            message: LogMessage(stringLiteral: input.text()),
            error: error,
            metadata: shape & 8 != 0 ? Self.metadata(&input, depth: 0) : nil,
            source: shape & 32 != 0 ? input.text() : nil,
            file: input.choice(["Module/File.swift", "File", input.text()]),
            function: input.choice(["function()", input.text()]),
            line: UInt(input.short())
        )
    }

    /// Keys of the kinds that the mapping treats apart, and any.
    private static func key(_ input: inout FuzzInput) -> String {
        let keys = [
            "a", "b", "a.b", "a_2", "message", "time", "seq", "error.type", "kind", "__time__", "_", "", "t\u{e9}",
            "token", "a.Access_Token", "token.kept", "X-Mail", "mail", "body", "t.b", "b_2", "z", "error.message",
        ]
        let head = Int(input.byte())
        return head < 4 * keys.count ? keys[head % keys.count] : input.text()
    }

    private static func metadata(_ input: inout FuzzInput, depth: Int) -> LogMetadata {
        var metadata: LogMetadata = [:]
        for _ in 0..<(Int(input.byte()) % 8) {
            guard !input.isAtEnd else { break }
            metadata[self.key(&input)] = self.value(&input, depth: depth)
        }
        return metadata
    }

    private static func value(_ input: inout FuzzInput, depth: Int) -> LogMetadataValue {
        switch input.byte() & 7 {
        case 0...3: return .string(input.text())
        case 4: return .stringConvertible(FuzzError(description: input.text()))
        case 5 where depth < 12: return .dictionary(self.metadata(&input, depth: depth + 1))
        case 6 where depth < 12:
            let count = Int(input.byte()) % 5
            return .array((0..<count).map { _ in self.value(&input, depth: depth + 1) })
        case 7:
            // Deeper than anybody writes by hand.
            var value = LogMetadataValue.string(input.text())
            let isArray = input.bool()
            for _ in 0..<(Int(input.byte()) % 80) { value = isArray ? .array([value]) : .dictionary(["a": value]) }
            return value
        default: return .string(input.text())
        }
    }
}

/// An error whose text is anything.
struct FuzzError: Error, CustomStringConvertible {
    let description: String
}
