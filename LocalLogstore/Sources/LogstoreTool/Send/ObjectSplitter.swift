// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into the JSON objects in it, however they are spread over lines, with bounded memory.
///
/// What is no object goes as the line that it is. An object that is longer than the limit, or torn, comes in pieces.
struct ObjectSplitter {
    /// The longest object, in bytes.
    let limit: Int

    /// How many objects came in pieces.
    private(set) var brokenObjects = 0

    private enum Place {
        /// Behind an object, or at the beginning of a line.
        case between
        /// In a line that is no object.
        case text
        case object
    }

    private var place = Place.between
    /// Of the object or the text what has come so far; between them what stands in the line, which may become text.
    private var held: [UInt8] = []
    /// The brackets of the object that are open.
    private var open: [UInt8] = []
    /// The last byte of the object that is neither white space nor in a string.
    private var last: UInt8 = 0
    private var isInString = false
    private var isEscaped = false
    private var isBroken = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Calls `body` with the objects that `chunk` completes.
    mutating func feed(
        _ chunk: ArraySlice<UInt8>,
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        for byte in chunk {
            if self.ends(before: byte) { try await self.handOut(body) }
            if self.completes(byte) {
                try await self.handOut(body)
            } else if self.held.count > self.limit {
                // Nobody writes so much between objects.
                if self.place == .between { self.place = .text }
                let cut = LineSplitter.cut(self.held[...], at: self.limit)
                try await body(self.held[..<cut])
                self.held.removeFirst(cut)
                if !self.isBroken { self.brokenObjects += 1 }
                self.isBroken = true
                // Nor so many brackets: that is no object, and ends with its line.
                if self.open.count > self.limit { self.place = .text }
            }
        }
    }

    /// Calls `body` with what is not complete, if there is anything.
    mutating func finish(
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        try await self.handOut(body)
        self = Self(limit: self.limit, brokenObjects: self.brokenObjects)
    }

    private init(limit: Int, brokenObjects: Int) {
        self.limit = limit
        self.brokenObjects = brokenObjects
    }

    /// Calls `body` with what is held, if that is anything, and starts anew.
    private mutating func handOut(
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        var end = self.held.count
        var next = end
        switch self.place {
        case .object:
            // White space behind a torn object is none of it, and in a line with what comes next may be its indentation.
            end = self.held.lastIndex { !$0.isSpace }.map { $0 + 1 } ?? 0
            next = self.held[end...].lastIndex(of: 0x0A).map { $0 + 1 } ?? end
        case .between where !self.isSpareLine: end = 0
        case .between, .text: if self.held.last == 0x0D { end -= 1 }
        }
        if end > 0 { try await body(self.held[..<end]) }
        self.held.removeFirst(next)
        self.open.removeAll(keepingCapacity: true)
        (self.place, self.isInString, self.isEscaped, self.isBroken) = (.between, false, false, false)
    }

    /// Whether the line between objects is more than what separates them: a brace too many, or a piece of a byte-order
    /// mark.
    private var isSpareLine: Bool { self.held.contains(UInt8(ascii: "}")) || self.isInMark }

    private var isInMark: Bool { self.held.last == 0xEF || self.held.last == 0xBB }

    /// Whether what is held ends in front of this byte, which is the first of something else.
    private func ends(before byte: UInt8) -> Bool {
        switch self.place {
        case .between: return byte == UInt8(ascii: "{") || byte == 0x0A
        case .text: return byte == 0x0A
        case .object:
            // A string has no line feed in it: the object is torn.
            if self.isInString { return byte == 0x0A }
            // So it is where a bracket cannot be.
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                return self.last != UInt8(ascii: ":") && self.last != UInt8(ascii: "[")
                    && !(self.last == UInt8(ascii: ",") && self.open.last == UInt8(ascii: "["))
            case UInt8(ascii: "}"): return self.open.last != UInt8(ascii: "{")
            case UInt8(ascii: "]"): return self.open.last != UInt8(ascii: "[")
            default: return false
            }
        }
    }

    /// Whether the byte separates objects, or is one of a byte-order mark.
    private func mayStandBetween(_ byte: UInt8) -> Bool {
        switch self.held.last {
        case 0xEF: return byte == 0xBB
        case 0xBB: return byte == 0xBF
        default: break
        }
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "}"), 0xEF: return true
        default: return byte.isSpace
        }
    }

    /// Whether an object is complete with this byte.
    private mutating func completes(_ byte: UInt8) -> Bool {
        switch self.place {
        case .between:
            // The line with it was handed out.
            if byte == 0x0A { return false }
            if byte == UInt8(ascii: "{") {
                self.place = .object
                self.held.removeAll(keepingCapacity: true)
            } else if !self.mayStandBetween(byte) {
                self.place = .text
            }
            self.held.append(byte)
            return self.place == .object && self.closes(byte)
        case .text:
            self.held.append(byte)
            return false
        case .object:
            self.held.append(byte)
            return self.closes(byte)
        }
    }

    /// Whether the object is complete with this byte.
    private mutating func closes(_ byte: UInt8) -> Bool {
        if self.isEscaped {
            self.isEscaped = false
        } else if self.isInString {
            if byte == UInt8(ascii: "\\") { self.isEscaped = true }
            if byte == UInt8(ascii: "\"") { self.isInString = false }
        } else if !byte.isSpace {
            self.last = byte
            switch byte {
            case UInt8(ascii: "\""): self.isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): self.open.append(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): self.open.removeLast()
            default: break
            }
        }
        return self.open.isEmpty
    }
}
