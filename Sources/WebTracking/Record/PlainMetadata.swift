// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension RecordEncoder {
    /// Writes metadata that needs no repair, and says `false` if it met something that does: then no repair has been
    /// counted, and what was gathered is of no use.
    ///
    /// The layers are gathered one after the other, the most important one first, and leave in the order of their keys.
    /// The names of a record's plain metadata differ from each other, since a plain key is its name.
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
        if let metadata = event.metadata {
            guard self.gather(metadata, isAboutError: isAboutError, redactor, to: &scratch) else { return false }
        }
        if let provided {
            guard self.gather(provided, isAboutError: isAboutError, redactor, to: &scratch) else { return false }
        }
        if fields.redactor != redactor.identity {
            // Made ready under another redaction than the one in force. A value that is outranked is not asked for.
            let metadata = fields.metadata.filter { event.metadata?[$0.key] == nil && provided?[$0.key] == nil }
            guard self.gather(metadata, isAboutError: isAboutError, redactor, to: &scratch) else { return false }
        } else if !fields.members.isEmpty {
            if scratch.members.isEmpty && fields.isWhole {
                scratch.writer.append(fields.text)
                scratch.redactions = fields.redactions
                return true
            }
            guard scratch.members.append(fields.members, text: fields.text, redactions: fields.redactions) else {
                return false
            }
        }
        if !scratch.members.isEmpty { scratch.redactions = scratch.members.write(to: &scratch.writer) }
        return true
    }

    /// Stands for this encoder with that redactor: what is plain depends on both.
    @inline(__always)
    private func owner(_ redactor: Redactor) -> UInt64 { self.identity &<< 28 ^ redactor.identity }

    /// Gathers the members of a layer; `false` if one of them is not plain.
    @inline(never)
    private func gather(
        _ layer: LogMetadata,
        isAboutError: Bool,
        _ redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        let hasPromoted = self.hasPromoted
        var values = layer.makeIterator()
        while true {
            // Taken apart at once: a value in a variable is moved from place to place, for half a hundred instructions.
            switch values.next() {
            case (let key, .string(let text))?:
                if hasPromoted, self.isPromoted(key) { continue }
                guard self.gather(key, text, isAboutError: isAboutError, redactor, to: &scratch) else { return false }
            case (let key, .stringConvertible(let value))?:
                if hasPromoted, self.isPromoted(key) { continue }
                guard self.gather(key, value, isAboutError: isAboutError, redactor, to: &scratch) else { return false }
            case (let key, .dictionary)?, (let key, .array)?:
                guard hasPromoted, self.isPromoted(key) else { return false }
            case nil:
                return true
            }
        }
    }

    /// Gathers a string, or what redaction makes of it; `false` if the key or the text is not plain.
    @inline(__always)
    private func gather(
        _ key: borrowing String,
        _ text: borrowing String,
        isAboutError: Bool,
        _ redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        var rule = KeyPatterns.noRule
        let beginning = self.begin(key, isAboutError: isAboutError, redactor, &rule, to: &scratch)
        if beginning == 0 { return false }
        guard rule == KeyPatterns.noRule, !redactor.hasFunctions else {
            return self.gather(redacted: .string(copy text), copy key, beginning, rule, redactor, to: &scratch)
        }
        return self.appendPlainValue(text, to: &scratch.members.text) && scratch.members.endMember(beginning, marks: 0)
    }

    /// Gathers the description of a value, or what redaction makes of it; `false` if the key or the description is not plain.
    @inline(never)
    private func gather(
        _ key: String,
        _ value: any CustomStringConvertible & Sendable,
        isAboutError: Bool,
        _ redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        var rule = KeyPatterns.noRule
        let beginning = self.begin(key, isAboutError: isAboutError, redactor, &rule, to: &scratch)
        if beginning == 0 { return false }
        guard rule == KeyPatterns.noRule, !redactor.hasFunctions, !redactor.mayHaveAttributes(value) else {
            return self.gather(redacted: .stringConvertible(value), key, beginning, rule, redactor, to: &scratch)
        }
        let text = value.description
        // Kept in case the record is written again.
        scratch.described.append((key, text))
        return self.appendPlainValue(text, to: &scratch.members.text) && scratch.members.endMember(beginning, marks: 0)
    }

    /// Begins a member, and returns the ``PlainKey/beginning`` of its key; 0 if that is not plain.
    ///
    /// - Parameter rule: Becomes the first redaction rule that is for the key, unless that was none.
    @inline(__always)
    private func begin(
        _ key: borrowing String,
        isAboutError: Bool,
        _ redactor: Redactor,
        _ rule: inout Int,
        to scratch: inout EncoderScratch
    ) -> UInt64 {
        // Kept for this encoder with that redactor: encoders may share one, as the fuzzer has them do.
        let beginning = key.withBytes {
            scratch.keys.append($0, owner: self.owner(redactor), to: &scratch.members.text)
        }
        guard beginning == 0 else { return beginning }
        return self.beginNew(copy key, isAboutError: isAboutError, redactor, &rule, to: &scratch)
    }

    @inline(never)
    private func beginNew(
        _ key: String,
        isAboutError: Bool,
        _ redactor: Redactor,
        _ rule: inout Int,
        to scratch: inout EncoderScratch
    ) -> UInt64 {
        let start = scratch.members.text.count
        guard let plain = PlainKey.append(key, to: &scratch.members.text, redactor: redactor, rule: &rule),
            !self.leadingNames.contains(plain, key)
        else { return 0 }
        // Whether such a key is plain depends on the record.
        if self.errorNames.contains(plain, key) { return isAboutError ? 0 : plain.beginning }
        if rule == KeyPatterns.noRule {
            scratch.members.text.withBytes {
                scratch.keys.keep(UnsafeRawBufferPointer(rebasing: $0[start...]), plain, owner: self.owner(redactor))
            }
        }
        return plain.beginning
    }

    /// Gathers what redaction makes of a value that is not a container. Its key is written already. Returns `false` if the
    /// value stays as it is and is too long.
    @inline(never)
    private func gather(
        redacted value: LogMetadataValue,
        _ key: String,
        _ beginning: UInt64,
        _ rule: Int,
        _ redactor: Redactor,
        to scratch: inout EncoderScratch
    ) -> Bool {
        var leaf = LeafText(value)
        let action = redactor.action(key, rule: rule, &leaf)
        defer { if let described = leaf.described { scratch.described.append((key, described)) } }
        guard action != .keep else {
            return self.appendPlainValue(leaf.text, to: &scratch.members.text)
                && scratch.members.endMember(beginning, marks: 0)
        }
        scratch.members.redactions += 1
        guard redactor.append(action, of: &leaf, to: &scratch.members.text) else {
            return scratch.members.endMember(beginning, marks: OrderedMembers.isDropped)
        }
        scratch.members.text.append(UInt8(ascii: "\""))
        return scratch.members.endMember(beginning, marks: OrderedMembers.isRedacted)
    }

    /// Writes a value with the quote behind it, unless it is too long.
    @inline(__always)
    private func appendPlainValue(_ text: borrowing String, to writer: inout ByteWriter) -> Bool {
        text.withBytes { bytes in
            guard bytes.count <= self.limits.valueBytes else { return false }
            writer.append(escapingToQuote: bytes)
            return true
        }
    }
}
