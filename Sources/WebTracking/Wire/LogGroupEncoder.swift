// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// Writes a batch of JSON as the service's `LogGroup` of Protocol Buffers.
///
/// ```proto
/// message LogGroup { repeated Log logs = 1; optional string topic = 3; optional string source = 4; repeated LogTag tags = 6; }
/// message Log { required uint32 time = 1; repeated Content contents = 2; optional fixed32 time_ns = 4; }
/// message Content { required string key = 1; required string value = 2; }   // a LogTag has the same form
/// ```
///
/// From bytes to bytes: strings are copied from one form to the other, and only those with an escape are looked at one
/// byte at a time. Making objects of a protobuf library in between would allocate two strings and a message for each
/// field. It runs where requests are made, not where records are logged.
struct LogGroupEncoder {
    private static let second: Int64 = 1_000_000_000
    /// What a log's `uint32 time` can say, in nanoseconds: 1970 to 2106.
    private static let times = 0...Int64(UInt32.max) * second + 999_999_999

    private let timeField: [UInt8]
    private let now: Int64
    private let offset: Int64
    private let window: ClosedRange<Int64>
    /// The strings of one record, names and values in turn; kept to allocate once.
    private var strings: [JSONStringToken] = []

    /// - Parameters:
    ///   - timeField: The field with the time of an event. It becomes the log's own time.
    ///   - now: The service's time, in nanoseconds since 1970. Logs get it if they have no such field, or if the
    ///     service would refuse its time.
    ///   - offset: How far the service is ahead of the clock that events were timed by.
    init(timeField: String, now: Int64, offset: Int64 = 0) {
        var writer = ByteWriter(capacity: 64)
        writer.append(escaping: timeField)
        self.timeField = writer.withBytes { Array($0) }
        self.now = now.clamped(to: Self.times)
        self.offset = offset
        // SLS takes logs up to 7 days old and 15 minutes ahead, by its clock at their arrival: some minutes are left
        // for the way.
        let earliest = self.now - (7 * 86_400 - 600) * Self.second
        self.window = earliest.clamped(to: Self.times)...(self.now + 840 * Self.second).clamped(to: Self.times)
    }

    /// The `LogGroup`; `nil` if `batch` is not the JSON of a batch.
    mutating func encode(_ batch: UnsafeRawBufferPointer) -> [UInt8]? {
        var reader = JSONStringReader(batch)
        var writer = ByteWriter(capacity: batch.count + batch.count / 8)
        var topic: JSONStringToken?
        var source: JSONStringToken?
        var tags: [JSONStringToken] = []
        guard reader.skip(UInt8(ascii: "{")) else { return nil }
        repeat {
            guard let name = reader.string(), reader.skip(UInt8(ascii: ":")) else { return nil }
            switch reader.text(name) {
            case "__topic__": topic = reader.string()
            case "__source__": source = reader.string()
            case "__tags__": guard reader.object(into: &tags) else { return nil }
            case "__logs__": guard self.encodeLogs(&reader, to: &writer) else { return nil }
            default: return nil
            }
        } while reader.skip(UInt8(ascii: ","))
        guard reader.skip(UInt8(ascii: "}")), reader.isAtEnd, let topic, let source else { return nil }
        writer.append(field: 0x1A, topic, of: reader)
        writer.append(field: 0x22, source, of: reader)
        for index in stride(from: 0, to: tags.count, by: 2) {
            writer.append(field: 0x32, key: tags[index], value: tags[index + 1], of: reader)
        }
        return writer.withBytes { Array($0) }
    }

    private mutating func encodeLogs(_ reader: inout JSONStringReader, to writer: inout ByteWriter) -> Bool {
        guard reader.skip(UInt8(ascii: "[")) else { return false }
        // Of a request that only asks whether it would be taken.
        if reader.skip(UInt8(ascii: "]")) { return true }
        repeat {
            self.strings.removeAll(keepingCapacity: true)
            reader.skipLineFeed()
            guard reader.object(into: &self.strings) else { return false }
            self.encodeLog(of: reader, to: &writer)
        } while reader.skip(UInt8(ascii: ","))
        return reader.skip(UInt8(ascii: "]"))
    }

    private func encodeLog(of reader: JSONStringReader, to writer: inout ByteWriter) {
        let (seconds, fraction) = self.time(of: reader)
        // The format has the length of a message in front of it, so it is computed before a byte is written.
        var size = 1 + ByteWriter.varintSize(seconds) + (fraction == nil ? 0 : 5)
        for index in stride(from: 0, to: self.strings.count, by: 2) {
            let content = ByteWriter.pairSize(key: self.strings[index], value: self.strings[index + 1])
            size += 1 + ByteWriter.varintSize(content) + content
        }
        // A tag is the number of the field, times 8, and the wire type: 0 varint, 2 length first, 5 four bytes.
        writer.append(0x0A)
        writer.append(varint: size)
        writer.append(0x08)
        writer.append(varint: seconds)
        for index in stride(from: 0, to: self.strings.count, by: 2) {
            writer.append(field: 0x12, key: self.strings[index], value: self.strings[index + 1], of: reader)
        }
        guard let fraction else { return }
        writer.append(0x25)
        writer.append(room: 4) { target in
            target.storeBytes(of: UInt32(fraction).littleEndian, as: UInt32.self)
            return 4
        }
    }

    /// The seconds of a log's time, and its nanoseconds where it states them; never before 1970.
    private func time(of reader: JSONStringReader) -> (seconds: Int, fraction: Int?) {
        for index in stride(from: 0, to: self.strings.count, by: 2) {
            guard reader.matches(self.strings[index], self.timeField) else { continue }
            guard let read = UTCTimestamp.nanoseconds(reader.bytes(self.strings[index + 1])) else { break }
            let time = read.saturatingAdd(self.offset)
            guard self.window.contains(time) else { break }
            return (Int(time / Self.second), Int(time % Self.second))
        }
        return (Int(self.now / Self.second), nil)
    }
}

extension ByteWriter {
    fileprivate static func varintSize(_ value: Int) -> Int {
        // Seven bits a byte.
        value == 0 ? 1 : (64 - value.leadingZeroBitCount + 6) / 7
    }

    fileprivate static func pairSize(key: JSONStringToken, value: JSONStringToken) -> Int {
        2 + Self.varintSize(key.decodedCount) + key.decodedCount + Self.varintSize(value.decodedCount)
            + value.decodedCount
    }

    /// Appends a size, or the seconds of a time. Neither is negative; a negative number would take ten bytes.
    fileprivate mutating func append(varint value: Int) {
        var rest = UInt64(truncatingIfNeeded: value)
        while rest >= 0x80 {
            self.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.append(UInt8(rest))
    }

    /// A field with a string.
    fileprivate mutating func append(field tag: UInt8, _ string: JSONStringToken, of reader: JSONStringReader) {
        self.append(tag)
        self.append(varint: string.decodedCount)
        reader.decode(string, to: &self)
    }

    /// A field with a message of a key and a value.
    fileprivate mutating func append(
        field tag: UInt8,
        key: JSONStringToken,
        value: JSONStringToken,
        of reader: JSONStringReader
    ) {
        self.append(tag)
        self.append(varint: Self.pairSize(key: key, value: value))
        self.append(field: 0x0A, key, of: reader)
        self.append(field: 0x12, value, of: reader)
    }
}

#endif
