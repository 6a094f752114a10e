// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The compression of request bodies.
///
/// If compression does not make a body smaller, it is sent uncompressed.
public enum Compression: Sendable, Equatable {
    /// A raw LZ4 block, sent as `lz4`. It compresses about 2 GB/s on one core, to a quarter of the bytes.
    case lz4
    /// A zlib stream (RFC 1950), sent as `deflate`. It needs about two thirds of LZ4's bytes, and ten to thirty times
    /// its time. `level` is 1 (fastest) to 9 (smallest).
    case deflate(level: Int = 6)
    /// Plain JSON.
    case none

    /// The value of the `x-log-compresstype` header; `nil` for plain bodies.
    package var headerValue: String? {
        switch self {
        case .lz4: "lz4"
        case .deflate: "deflate"
        case .none: nil
        }
    }
}
