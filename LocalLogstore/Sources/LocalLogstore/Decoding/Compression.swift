// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How a body is compressed on the wire.
public enum Compression: String, Sendable, CaseIterable {
    /// Not at all: the header is absent.
    case none
    /// One raw LZ4 block: no frame, no size in front, no checksum.
    case lz4
    /// A zlib stream (RFC 1950).
    case deflate
    /// One zstd frame (RFC 8878). Only of PutLogs, and of answers.
    case zstd
}
