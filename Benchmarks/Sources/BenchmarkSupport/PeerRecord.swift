// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An event as the peers keep it for later: everything it consists of, with the metadata merged.
struct PeerRecord: Sendable {
    var seconds: Int
    var nanoseconds: Int
    var label: String
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata
    var file: String
    var function: String
    var line: UInt

    init(_ event: LogEvent, label: String, metadata: Logger.Metadata, provider: Logger.MetadataProvider?) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        self.seconds = time.tv_sec
        self.nanoseconds = time.tv_nsec
        self.label = label
        self.level = event.level
        self.message = event.message.description
        self.metadata = metadata
        if let provided = provider?.get() { self.metadata.merge(provided) { $1 } }
        if let own = event.metadata { self.metadata.merge(own) { $1 } }
        self.file = event.file
        self.function = event.function
        self.line = event.line
    }

    /// Appends the record as JSON, the plain way.
    func encode(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"time\":\"\(self.seconds).\(self.nanoseconds)\",\"line\":\"\(self.line)\"".utf8)
        Self.append("label", self.label, to: &bytes)
        Self.append("level", self.level.rawValue, to: &bytes)
        Self.append("message", self.message, to: &bytes)
        Self.append("file", self.file, to: &bytes)
        Self.append("function", self.function, to: &bytes)
        for (key, value) in self.metadata { Self.append(key, value.description, to: &bytes) }
        bytes.append(contentsOf: "},\n".utf8)
    }

    private static func append(_ key: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: ",\"".utf8)
        bytes.append(contentsOf: key.utf8)
        bytes.append(contentsOf: "\":\"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
