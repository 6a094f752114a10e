// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CLZ4Server
import CZlibServer
import CZstdServer

/// Expands bodies, never beyond the size they declare.
///
/// The output buffer is what the request declared, which was checked against the limits before: a small body cannot
/// grow into a large one.
enum Decompression {
    /// Expands `body` into at most `rawSize` bytes.
    ///
    /// The result is shorter than `rawSize` if the body holds less. Throws `PostBodyUncompressError` for a damaged
    /// body and for one that holds more.
    static func expand(
        _ body: [UInt8],
        compression: Compression,
        rawSize: Int
    ) throws(ServiceError) -> [UInt8] {
        switch compression {
        case .none: body
        case .lz4: try self.lz4(body, rawSize: rawSize)
        case .deflate: try self.deflate(body, rawSize: rawSize)
        case .zstd: try self.zstd(body, rawSize: rawSize)
        }
    }

    private static func lz4(_ body: [UInt8], rawSize: Int) throws(ServiceError) -> [UInt8] {
        // One byte more than needed, because a block of no bytes still wants a place to write to.
        var written: CInt = -1
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { output, count in
            body.withUnsafeBytes { input in
                written = LZ4_decompress_safe(
                    input.baseAddress?.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    CInt(input.count),
                    CInt(rawSize)
                )
            }
            count = max(0, Int(written))
        }
        guard written >= 0, !body.isEmpty, !LZ4Block.hasZeroOffset(body) else {
            throw .uncompress("The body is not an LZ4 block of at most \(rawSize) bytes.")
        }
        return raw
    }

    private static func deflate(_ body: [UInt8], rawSize: Int) throws(ServiceError) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .internalError
        }
        defer { inflateEnd(&stream) }
        var status = Z_DATA_ERROR
        var input = body
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(rawSize)
                status = inflate(&stream, Z_FINISH)
            }
            count = rawSize - Int(stream.avail_out)
        }
        guard status == Z_STREAM_END, stream.avail_in == 0 else {
            throw .uncompress("The body is not a zlib stream of at most \(rawSize) bytes.")
        }
        return raw
    }

    private static func zstd(_ body: [UInt8], rawSize: Int) throws(ServiceError) -> [UInt8] {
        // The library takes several frames, frames to be skipped, and those of versions before the standard.
        let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
        let isOneFrame = body.starts(with: magic) && ZSTD_findFrameCompressedSize(body, body.count) == body.count
        var result = 0
        let raw = [UInt8](unsafeUninitializedCapacity: isOneFrame ? rawSize + 1 : 0) { output, count in
            guard isOneFrame else { return }
            // In one step, so that a frame cannot ask for a window.
            result = ZSTD_decompress(output.baseAddress, rawSize, body, body.count)
            count = ZSTD_isError(result) == 0 ? result : 0
        }
        guard isOneFrame, ZSTD_isError(result) == 0 else {
            throw .uncompress("The body is not a zstd frame of at most \(rawSize) bytes.")
        }
        return raw
    }
}
