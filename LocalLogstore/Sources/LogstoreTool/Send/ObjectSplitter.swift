// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How the objects of an input stand in it.
enum ObjectLayout: Equatable {
    /// Each on a line of its own.
    case lines
    /// In one array, or each over several lines.
    case spread

    /// What the beginning of an input says; `nil` as long as it says nothing.
    static func of(_ beginning: ArraySlice<UInt8>) -> ObjectLayout? {
        var rest = beginning.starts(with: [0xEF, 0xBB, 0xBF]) ? beginning.dropFirst(3) : beginning
        rest = rest.drop(while: \.isSpace)
        guard let first = rest.popFirst() else { return nil }
        switch first {
        // Text may begin with a bracket, too: [info] started
        case UInt8(ascii: "["):
            return rest.first { !$0.isSpace }.map {
                $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "]") ? .spread : .lines
            }
        // What prints an object over several lines has nothing behind its first brace.
        case UInt8(ascii: "{"):
            return rest.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }.map { $0 == 0x0A ? .spread : .lines }
        default: return .lines
        }
    }
}

/// Cuts a stream of bytes into the JSON objects in it, however they are spread over lines, with bounded memory.
///
/// What is no object goes as the line that it is. An object that is longer than the limit, or torn, comes in pieces.
struct ObjectSplitter {
    /// The longest object, in bytes.
    let limit: Int

    /// How many objects came in pieces.
    private(set) var brokenObjects = 0

    private var held: [UInt8] = []
    /// How many brackets of the object are open.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isInText = false
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
            if self.completes(byte) {
                try await body(self.held[...])
                self.held.removeAll(keepingCapacity: true)
                self.isBroken = false
            } else if self.held.count > self.limit {
                let cut = LineSplitter.cut(self.held[...], at: self.limit)
                try await body(self.held[..<cut])
                self.held.removeFirst(cut)
                if !self.isBroken { self.brokenObjects += 1 }
                self.isBroken = true
            }
        }
    }

    /// Calls `body` with what is not complete, if there is anything.
    mutating func finish(
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        if !self.held.isEmpty { try await body(self.held[...]) }
        self = Self(limit: self.limit, brokenObjects: self.brokenObjects)
    }

    private init(limit: Int, brokenObjects: Int) {
        self.limit = limit
        self.brokenObjects = brokenObjects
    }

    /// Whether an object, or a line that is none, is complete with this byte.
    private mutating func completes(_ byte: UInt8) -> Bool {
        if self.depth == 0, !self.isInText {
            switch byte {
            // Between objects; a byte-order mark in front of the first is left to who reads that.
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"): return false
            case _ where byte.isSpace: return false
            case UInt8(ascii: "{"): self.depth = 1
            case 0xEF where self.held.isEmpty, 0xBB where self.held == [0xEF], 0xBF where self.held == [0xEF, 0xBB]:
                break
            default: self.isInText = true
            }
            self.held.append(byte)
            return false
        }
        if byte == 0x0A, self.isInText || self.isInString {
            // A string has no line feed in it: the object is torn, and what follows is another.
            (self.depth, self.isInString, self.isEscaped, self.isInText) = (0, false, false, false)
            return true
        }
        self.held.append(byte)
        return !self.isInText && self.closes(byte)
    }

    /// Whether the object is complete with this byte.
    private mutating func closes(_ byte: UInt8) -> Bool {
        if self.isEscaped {
            self.isEscaped = false
        } else if self.isInString {
            if byte == UInt8(ascii: "\\") { self.isEscaped = true }
            if byte == UInt8(ascii: "\"") { self.isInString = false }
        } else {
            switch byte {
            case UInt8(ascii: "\""): self.isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): self.depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): self.depth -= 1
            default: break
            }
        }
        return self.depth == 0
    }
}

extension UInt8 {
    /// Whether JSON takes it for white space.
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
