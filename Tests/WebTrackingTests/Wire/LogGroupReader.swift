// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// A reader of Protocol Buffers for the tests, which knows nothing of how they are written.
struct LogGroupReader {
    struct Log: Equatable {
        var time = 0
        var nanoseconds: Int?
        var fields: [String] = []
    }

    var topic: String?
    var source: String?
    var tags: [[String]] = []
    var logs: [Log] = []

    struct Malformed: Error {}

    private enum Value {
        case number(Int)
        case bytes(ArraySlice<UInt8>)
    }

    init(_ bytes: [UInt8]) throws {
        try Self.fields(bytes[...]) { field, value in
            switch (field, value) {
            case (1, .bytes(let bytes)): self.logs.append(try Self.log(bytes))
            case (3, .bytes(let bytes)): self.topic = try Self.text(bytes)
            case (4, .bytes(let bytes)): self.source = try Self.text(bytes)
            case (6, .bytes(let bytes)): self.tags.append(try Self.pair(bytes))
            default: throw Malformed()
            }
        }
    }

    private static func log(_ bytes: ArraySlice<UInt8>) throws -> Log {
        var log = Log()
        try self.fields(bytes) { field, value in
            switch (field, value) {
            case (1, .number(let number)): log.time = number
            case (2, .bytes(let bytes)): log.fields += try self.pair(bytes)
            case (4, .number(let number)): log.nanoseconds = number
            default: throw Malformed()
            }
        }
        return log
    }

    private static func pair(_ bytes: ArraySlice<UInt8>) throws -> [String] {
        var pair: [String] = []
        try self.fields(bytes) { field, value in
            guard field == pair.count + 1, case .bytes(let bytes) = value else { throw Malformed() }
            pair.append(try self.text(bytes))
        }
        guard pair.count == 2 else { throw Malformed() }
        return pair
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed() }
        return text
    }

    private static func fields(_ bytes: ArraySlice<UInt8>, _ body: (Int, Value) throws -> Void) throws {
        var rest = bytes
        func varint() throws -> Int {
            var value = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                guard let byte = rest.popFirst() else { throw Malformed() }
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw Malformed()
        }
        while !rest.isEmpty {
            let tag = try varint()
            switch tag & 7 {
            case 0: try body(tag >> 3, .number(try varint()))
            case 2:
                let count = try varint()
                guard count <= rest.count else { throw Malformed() }
                let value = rest.prefix(count)
                rest = rest.dropFirst(count)
                try body(tag >> 3, .bytes(value))
            case 5:
                guard rest.count >= 4 else { throw Malformed() }
                let value = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(4)
                try body(tag >> 3, .number(value))
            default: throw Malformed()
            }
        }
    }
}

#endif
