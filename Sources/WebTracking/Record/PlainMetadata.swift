// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
        var outranked = HandlerFields.Outranked()
        // How many values were changed; kept only if the general mapping is not asked to do it all again.
        var redactions = 0
        var written = NameFilter()
        if let metadata = event.metadata {
            var members = metadata.makeIterator()
            while let (key, value) = members.next() {
                if self.isPromoted(key) { continue }
                guard
                    let hash = self.appendPlain(
                        key,
                        consume value,
                        isAboutError: isAboutError,
                        redactor: redactor,
                        redactions: &redactions,
                        to: &scratch
                    )
                else {
                    return false
                }
                if self.isLeading(hash) { return false }
                if fields.names.mayContain(hash) { fields.insert(key, hash, into: &outranked) }
                if provided != nil { written.insert(hash) }
            }
        }
        if let provided {
            var members = provided.makeIterator()
            while let (key, value) = members.next() {
                if self.isPromoted(key) { continue }
                let start = scratch.writer.count
                let redactionsBefore = redactions
                guard
                    let hash = self.appendPlain(
                        key,
                        consume value,
                        isAboutError: isAboutError,
                        redactor: redactor,
                        redactions: &redactions,
                        to: &scratch
                    )
                else {
                    return false
                }
                if self.isLeading(hash) { return false }
                if fields.names.mayContain(hash) { fields.insert(key, hash, into: &outranked) }
                if written.mayContain(hash), event.metadata?[key] != nil {
                    scratch.writer.truncate(to: start)
                    redactions = redactionsBefore
                }
            }
        }
        if fields.redactor != redactor.identity {
            guard
                self.appendHandler(
                    fields,
                    provided,
                    event,
                    redactor: redactor,
                    redactions: &redactions,
                    to: &scratch
                )
            else { return false }
        } else if outranked.isEmpty {
            scratch.writer.append(fields.members)
            redactions += fields.redactions
        } else {
            redactions += self.appendRest(of: fields, without: outranked, provided, event.metadata, to: &scratch)
        }
        scratch.redactions = redactions
        return true
    }

    /// Writes one value, or what redaction makes of it, and returns the hash of its key; `nil` if the key or the value is
    /// not plain.
    @inline(__always)
    private func appendPlain(
        _ key: borrowing String,
        _ value: consuming LogMetadataValue,
        isAboutError: Bool,
        redactor: Redactor,
        redactions: inout Int,
        to scratch: inout EncoderScratch
    ) -> UInt64? {
        let start = scratch.writer.count
        var rule = KeyPatterns.noRule
        guard let hash = PlainKey.append(key, to: &scratch.writer, redactor: redactor, rule: &rule) else { return nil }
        let isSuspect = rule != KeyPatterns.noRule || redactor.hasFunctions
        if isAboutError && self.isErrorName(hash) { return nil }
        let isWritten: Bool
        switch consume value {
        case .string(let text):
            isWritten =
                isSuspect
                ? self.appendRedacted(copy key, .string(text), rule, from: start, redactor, &redactions, to: &scratch)
                : self.appendPlainValue(text, to: &scratch.writer)
        case .stringConvertible(let value):
            isWritten =
                isSuspect || redactor.mayHaveAttributes(value)
                ? self.appendRedacted(
                    copy key,
                    .stringConvertible(value),
                    rule,
                    from: start,
                    redactor,
                    &redactions,
                    to: &scratch
                )
                : self.appendDescription(of: value, copy key, to: &scratch)
        case .dictionary, .array:
            isWritten = false
        }
        return isWritten ? hash : nil
    }

    /// Writes what redaction makes of a value that is not a container, behind its key, or takes the key back, which begins
    /// at `start`; `false` if the value stays as it is and is too long.
    @inline(never)
    private func appendRedacted(
        _ key: String,
        _ value: LogMetadataValue,
        _ rule: Int,
        from start: Int,
        _ redactor: Redactor,
        _ redactions: inout Int,
        to scratch: inout EncoderScratch
    ) -> Bool {
        var leaf = LeafText(value)
        let action = redactor.action(key, rule: rule, &leaf)
        defer { if let described = leaf.described { scratch.described.append((key, described)) } }
        guard action != .keep else { return self.appendPlainValue(leaf.text, to: &scratch.writer) }
        redactions += 1
        if redactor.append(action, of: &leaf, to: &scratch.writer) {
            scratch.writer.append(UInt8(ascii: "\""))
        } else {
            scratch.writer.truncate(to: start)
        }
        return true
    }

    /// Writes the description of a value, and keeps it in case the record is written again.
    @inline(never)
    private func appendDescription(
        of value: any CustomStringConvertible & Sendable,
        _ key: String,
        to scratch: inout EncoderScratch
    ) -> Bool {
        let text = value.description
        scratch.described.append((key, text))
        return self.appendPlainValue(text, to: &scratch.writer)
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

    /// Writes those of a handler's members that no other layer outranks, and returns how many of these are redacted.
    @inline(never)
    private func appendRest(
        of fields: borrowing HandlerFields,
        without outranked: HandlerFields.Outranked,
        _ provided: LogMetadata?,
        _ event: LogMetadata?,
        to scratch: inout EncoderScratch
    ) -> Int {
        var start = 0
        var redactions = fields.redactions
        for (place, entry) in fields.entries.enumerated() {
            if outranked.contains(place) ?? (event?[entry.key] != nil || provided?[entry.key] != nil) {
                if entry.isRedacted { redactions -= 1 }
            } else {
                fields.members.withUnsafeBytes {
                    scratch.writer.append(UnsafeRawBufferPointer(rebasing: $0[start..<entry.end]))
                }
            }
            start = entry.end
        }
        return redactions
    }

    /// Writes a handler's metadata that was made ready under another redaction than the one in force, value by value.
    @inline(never)
    private func appendHandler(
        _ fields: borrowing HandlerFields,
        _ provided: LogMetadata?,
        _ event: LogEvent,
        redactor: Redactor,
        redactions: inout Int,
        to scratch: inout EncoderScratch
    ) -> Bool {
        for (key, value) in fields.metadata where !self.isPromoted(key) {
            guard event.metadata?[key] == nil && provided?[key] == nil else { continue }
            guard
                let hash = self.appendPlain(
                    key,
                    value,
                    isAboutError: event.error != nil,
                    redactor: redactor,
                    redactions: &redactions,
                    to: &scratch
                ),
                !self.isLeading(hash)
            else { return false }
        }
        return true
    }
}
