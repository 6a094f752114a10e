// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CLZ4Server
import CZlibServer
import CZstdServer
import LocalLogstore

/// Compresses, so that the endpoint's decompression meets real streams.
enum Wire {
    static func lz4(_ raw: [UInt8]) -> [UInt8] {
        let bound = Int(LZ4_compressBound(CInt(raw.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            raw.withUnsafeBytes { input in
                count = Int(
                    LZ4_compress_default(
                        input.baseAddress?.assumingMemoryBound(to: CChar.self),
                        UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self),
                        CInt(input.count),
                        CInt(bound)
                    )
                )
            }
        }
    }

    /// A block of literals only, as an encoder without a match finder makes it.
    static func lz4Literals(_ raw: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        if raw.count < 15 {
            block.append(UInt8(raw.count << 4))
        } else {
            block.append(0xF0)
            block += [UInt8](repeating: 255, count: (raw.count - 15) / 255)
            block.append(UInt8((raw.count - 15) % 255))
        }
        return block + raw
    }

    static func zlib(_ raw: [UInt8], level: CInt = 6) -> [UInt8] {
        self.deflate(raw, level: level, windowBits: 15)
    }

    static func zstd(_ raw: [UInt8], level: CInt = 3) -> [UInt8] {
        let bound = ZSTD_compressBound(raw.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = ZSTD_compress(output.baseAddress, bound, raw, raw.count, level)
        }
    }

    /// DEFLATE without the frame of zlib.
    static func rawDeflate(_ raw: [UInt8]) -> [UInt8] {
        self.deflate(raw, level: 6, windowBits: -15)
    }

    private static func deflate(_ raw: [UInt8], level: CInt, windowBits: CInt) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream,
            level,
            Z_DEFLATED,
            windowBits,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size)
        )
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(raw.count)))
        var input = raw
        return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(bound)
                CZlibServer.deflate(&stream, Z_FINISH)
            }
            count = bound - Int(stream.avail_out)
        }
    }
}

extension PutWebtrackingDecoder {
    /// Decodes an uncompressed body with headers that fit it.
    func decode(_ body: some Sequence<UInt8>) throws(ServiceError) -> LogGroup {
        let bytes = Array(body)
        return try self.decode(
            Input(version: "0.6.0", rawSize: String(bytes.count), compressType: nil, body: bytes)
        ).group
    }

    func decode(_ json: String) throws(ServiceError) -> LogGroup { try self.decode(json.utf8) }

    /// The error that decoding ends with; `nil` if it succeeds.
    func failure(_ input: Input) -> ServiceError? {
        do {
            _ = try self.decode(input)
            return nil
        } catch {
            return error
        }
    }

    func failure(_ body: some Sequence<UInt8>) -> ServiceError? {
        let bytes = Array(body)
        return self.failure(Input(version: "0.6.0", rawSize: String(bytes.count), compressType: nil, body: bytes))
    }

    func failure(_ json: String) -> ServiceError? { self.failure(json.utf8) }
}

/// Bodies that several tests use.
enum Body {
    static let small = #"{"__source__":"s","__logs__":[{"k":"v"}]}"#

    static func logs(_ count: Int) -> String {
        let log = #"{"k":"v"}"#
        return #"{"__source__":"s","__logs__":["#
            + [String](repeating: log, count: count).joined(separator: ",") + "]}"
    }

    /// A valid body of exactly this many bytes.
    static func bytes(_ count: Int) -> [UInt8] {
        // Values of half the limit, so that none of them is the reason to refuse.
        let value = String(repeating: "x", count: 512 * 1024)
        var logs: [String] = []
        let frame = #"{"__source__":"","__logs__":[]}"#.utf8.count
        let overhead = #"{"k":""},"#.utf8.count
        var rest = count - frame
        while rest > value.utf8.count + 2 * overhead {
            logs.append(#"{"k":"\#(value)"}"#)
            rest -= value.utf8.count + overhead
        }
        logs.append(#"{"k":"\#(String(repeating: "y", count: rest - overhead + 1))"}"#)
        return Array(#"{"__source__":"","__logs__":[\#(logs.joined(separator: ","))]}"#.utf8)
    }
}
