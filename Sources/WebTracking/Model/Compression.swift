// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How request bodies are compressed on their way to the service.
///
/// A body that compression does not make smaller is sent plain.
public enum Compression: Sendable, Equatable {
    /// A raw LZ4 block, announced as `lz4`: about 2 GB/s on one core for a quarter of the bytes.
    case lz4
    /// A zlib stream (RFC 1950), announced as `deflate`: about two thirds of LZ4's bytes for ten to thirty times its
    /// time. `level` is 1 (fastest) to 9 (smallest).
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
