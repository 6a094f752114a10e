// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import WebTracking

/// What a container's runtime wrote around a line of its program, or around a piece of a long one.
struct ContainerLine {
    /// Nanoseconds since 1970.
    var time: Int64
    /// `stdout` or `stderr`.
    var stream: String
    var content: [UInt8]
    /// Whether the line goes on in the next piece of the same stream.
    var isPartial: Bool
    /// What the runtime was told to add.
    var attributes: JSONValue?

    private static let streams = ["stdout", "stderr"]
    /// Docker cuts longer lines into pieces of so many bytes.
    private static let pieceSize = 16_384

    /// Docker's driver json-file: `{"log":"text\n","stream":"stdout","time":"…"}`. `nil` for any other object.
    init?(_ members: [(name: String, value: JSONValue)]) {
        guard members.allSatisfy({ ["log", "stream", "time", "attrs"].contains($0.name) }) else { return nil }
        func text(_ name: String) -> String? {
            guard case .string(let text)? = members.first(where: { $0.name == name })?.value else { return nil }
            return text
        }
        guard let log = text("log"), let stream = text("stream"), Self.streams.contains(stream),
            let time = text("time").flatMap({ try? ISOTime.nanoseconds($0) })
        else { return nil }
        self.time = time
        self.stream = stream
        self.content = Array(log.utf8)
        let hasEnd = self.content.last == 0x0A
        // A shorter one without a line feed is the last that its program wrote; the next line is another's.
        self.isPartial = !hasEnd && self.content.count >= Self.pieceSize
        self.attributes = members.first { $0.name == "attrs" }?.value
        if hasEnd { self.content.removeLast() }
        if hasEnd, self.content.last == 0x0D { self.content.removeLast() }
    }

    /// CRI, as containerd and CRI-O write it: `2026-01-02T03:04:05.678Z stdout F text`, with P in place of F for a piece.
    /// `nil` for any other line.
    init?(cri line: ArraySlice<UInt8>) {
        guard let first = line.first, (0x30...0x39).contains(first) else { return nil }
        let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].count < 40, parts[1].count == 6, let tag = parts[2].first,
            // More tags may stand behind a colon.
            parts[2].count == 1 || parts[2].dropFirst().first == UInt8(ascii: ":"),
            tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P"),
            case let stream = String(decoding: parts[1], as: UTF8.self), Self.streams.contains(stream),
            let time = try? ISOTime.nanoseconds(String(decoding: parts[0], as: UTF8.self))
        else { return nil }
        self.time = time
        self.stream = stream
        self.content = Array(parts[3])
        self.isPartial = tag == UInt8(ascii: "P")
    }

    /// Puts what comes next of the same line behind this.
    mutating func append(_ next: ContainerLine) {
        self.content += next.content
        self.isPartial = next.isPartial
    }
}
