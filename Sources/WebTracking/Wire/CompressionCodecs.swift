// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension Compression {
    /// `raw` compressed, or `nil` if that would not make it smaller or memory for the compressor is not to be had.
    package func compress(_ raw: UnsafeRawBufferPointer) -> [UInt8]? {
        switch self {
        case .lz4: LZ4Block.compress(raw)
        case .deflate(let level): ZlibStream.compress(raw, level: level)
        case .none: nil
        }
    }

    /// The `rawSize` bytes that `body` holds, compressed as the header value says; `nil` if it does not hold just them.
    package static func decompress(_ body: [UInt8], headerValue: String?, rawSize: Int) -> [UInt8]? {
        switch headerValue {
        case nil: body.count == rawSize ? body : nil
        case "lz4": LZ4Block.decompress(body, rawSize: rawSize)
        case "deflate": ZlibStream.decompress(body, rawSize: rawSize)
        default: nil
        }
    }
}
