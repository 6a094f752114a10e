//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
import Logging
#endif

extension RecordEncoder {
    /// Writes metadata that needs no repair, and says `false` if it met something that does: then what was written is of
    /// no use, and no repair has been counted.
    ///
    /// Layers are walked, not merged: the event's first, then the provider's and the handler's without what an earlier
    /// layer outranks. The keys of one layer differ from each other, and so do their names, since a plain key is its name.
    @inline(__always)
    func appendPlainMetadata(
        _ event: LogEvent,
        fields: borrowing HandlerFields,
        provided: LogMetadata?,
        redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        guard fields.isPlain else { return false }
        let isAboutError = event.error != nil
        if isAboutError && fields.claimsErrorName { return false }
        // Whether a handler's value may be outranked.
        var isOutranked = false
        var written = NameFilter()
        if let metadata = event.metadata {
            for (key, value) in metadata where !self.isPromoted(key) {
                guard
                    let hash = self.appendPlain(
                        key,
                        value,
                        isAboutError: isAboutError,
                        redactor: redactor,
                        to: &scratch
                    )
                else {
                    return false
                }
                if fields.names.mayContain(hash) {
                    if self.isLeading(hash) { return false }
                    isOutranked = true
                }
                if provided != nil { written.insert(hash) }
            }
        }
        if let provided {
            for (key, value) in provided where !self.isPromoted(key) {
                let start = scratch.writer.count
                guard
                    let hash = self.appendPlain(
                        key,
                        value,
                        isAboutError: isAboutError,
                        redactor: redactor,
                        to: &scratch
                    )
                else {
                    return false
                }
                if fields.names.mayContain(hash) {
                    if self.isLeading(hash) { return false }
                    isOutranked = true
                }
                if written.mayContain(hash), event.metadata?[key] != nil { scratch.writer.truncate(to: start) }
            }
        }
        guard fields.redactor == redactor.identity else {
            return self.appendHandler(fields, provided, event, redactor: redactor, to: &scratch)
        }
        if isOutranked {
            self.appendRest(of: fields, provided: provided, event: event.metadata, to: &scratch)
        } else {
            scratch.writer.append(fields.members)
        }
        if fields.redactions > 0 { redactor.count(fields.redactions) }
        return true
    }

    /// Writes one value and returns the hash of its key; `nil` if the key or the value is not plain.
    @inline(__always)
    private func appendPlain(
        _ key: borrowing String,
        _ value: consuming LogMetadataValue,
        isAboutError: Bool,
        redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> UInt64? {
        guard let hash = PlainKey.append(key, value, to: &scratch.writer, redactor: redactor) else { return nil }
        if isAboutError && self.isErrorName(hash) { return nil }
        switch consume value {
        case .string(let text):
            guard self.appendPlainValue(text, to: &scratch.writer) else { return nil }
        case .stringConvertible(let value):
            if redactor.mayHaveAttributes(value), redactor.action(copy key, .stringConvertible(value)) != .keep {
                return nil
            }
            guard self.appendPlainValue(value.description, to: &scratch.writer) else { return nil }
        case .dictionary, .array:
            return nil
        }
        return hash
    }

    /// Writes a value with the quote behind it, unless it is too long.
    @inline(__always)
    private func appendPlainValue(_ text: String, to writer: inout ByteWriter) -> Bool {
        text.withBytes { bytes in
            guard bytes.count <= self.limits.valueBytes else { return false }
            writer.append(escaping: bytes)
            writer.append(UInt8(ascii: "\""))
            return true
        }
    }

    /// Writes those of a handler's members that no other layer outranks.
    @inline(never)
    private func appendRest(
        of fields: borrowing HandlerFields,
        provided: LogMetadata?,
        event: LogMetadata?,
        to scratch: inout EncoderScratch
    ) {
        var start = 0
        for entry in fields.entries {
            if event?[entry.key] == nil && provided?[entry.key] == nil {
                fields.members.withUnsafeBytes {
                    scratch.writer.append(UnsafeRawBufferPointer(rebasing: $0[start..<entry.end]))
                }
            }
            start = entry.end
        }
    }

    /// Writes a handler's metadata that was made ready under another redaction than the one in force, value by value.
    @inline(never)
    private func appendHandler(
        _ fields: borrowing HandlerFields,
        _ provided: LogMetadata?,
        _ event: LogEvent,
        redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        for (key, value) in fields.metadata where !self.isPromoted(key) {
            guard event.metadata?[key] == nil && provided?[key] == nil else { continue }
            let isAboutError = event.error != nil
            guard let hash = self.appendPlain(key, value, isAboutError: isAboutError, redactor: redactor, to: &scratch),
                !self.isLeading(hash)
            else { return false }
        }
        return true
    }
}
