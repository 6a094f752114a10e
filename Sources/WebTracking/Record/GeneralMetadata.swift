// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// The general mapping: metadata of any kind as fields. ``MetadataResolver`` defines it.
extension RecordEncoder {
    /// The layers of metadata, from the least to the most important one.
    struct Layers {
        var handler: LogMetadata
        var provided: LogMetadata?
        var event: LogMetadata?
    }

    /// The fields that the general mapping makes of metadata, with whole values.
    struct GeneralFields {
        var fields: [MetadataResolver.Field]
        var repairs: RepairCounts
        /// How many values of the metadata they were made from.
        var values: Int
        var redactions: Int
    }

    /// The layers of metadata as one, in swift-log's order, without what becomes topic or tags, and as fields.
    @inline(never)
    func fields(
        of layers: Layers,
        _ unpromoted: Unpromoted,
        _ redacted: [String: RedactedValue]?,
        isAboutError: Bool,
        _ redactor: Redactor,
        _ scratch: borrowing EncoderScratch
    ) -> GeneralFields {
        var merged: LogMetadata = [:]
        var redactions = 0
        let described =
            scratch.described.isEmpty ? [:] : Dictionary(scratch.described.lazy.map { $0 }) { first, _ in first }
        func add(_ layer: LogMetadata, outrankedBy isOutranked: (String) -> Bool) {
            for (key, value) in layer where !isOutranked(key) {
                if self.isPromoted(key), !unpromoted.contains(key) { continue }
                let result =
                    redacted?[key]
                    ?? redactor.redacted(key, value, described: described[key], nesting: self.limits.nesting)
                merged[key] = result.value
                redactions += result.redactions
            }
        }
        if let event = layers.event { add(event) { _ in false } }
        if let provided = layers.provided { add(provided) { layers.event?[$0] != nil } }
        add(layers.handler) { layers.event?[$0] != nil || layers.provided?[$0] != nil }
        return self.fields(of: merged, isAboutError: isAboutError, redactions: redactions)
    }

    func fields(of metadata: LogMetadata, isAboutError: Bool, redactions: Int) -> GeneralFields {
        var taken = Set(self.mapping.leading)
        if isAboutError { taken.formUnion(self.mapping.error) }
        var resolver = MetadataResolver(deepestNesting: self.limits.nesting)
        let fields = resolver.fields(of: metadata, taken: taken)
        return GeneralFields(
            fields: fields,
            repairs: resolver.repairs,
            values: metadata.count,
            redactions: redactions
        )
    }

    @inline(never)
    func append(_ fields: GeneralFields, valueLimit: Int, to scratch: inout EncoderScratch) {
        scratch.repairs += fields.repairs
        for field in fields.fields {
            scratch.writer.append(literal: ",\"")
            scratch.writer.append(escaping: field.name)
            scratch.writer.append(literal: "\":\"")
            self.appendValue(field.value, limit: valueLimit, to: &scratch)
            scratch.writer.append(UInt8(ascii: "\""))
        }
    }
}
