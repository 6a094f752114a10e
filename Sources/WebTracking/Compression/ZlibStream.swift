//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

private import CZlib

/// zlib streams (RFC 1950) through zlib: what the service calls `deflate`.
enum ZlibStream {
    /// `raw` as a stream that is smaller than it, or `nil`.
    static func compress(_ raw: UnsafeRawBufferPointer, level: Int) -> [UInt8]? {
        let capacity = raw.count - 1
        guard capacity > 0 else { return nil }
        var status = Z_OK
        let stream = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            // A target smaller than the input: the call fails where nothing is won.
            var size = uLongf(capacity)
            status = raw.withMemoryRebound(to: UInt8.self) {
                compress2(target.baseAddress, &size, $0.baseAddress, uLong($0.count), Int32(level))
            }
            count = status == Z_OK ? Int(size) : 0
        }
        return status == Z_OK ? stream : nil
    }

    /// The bytes of a stream that holds exactly `rawSize` of them, or `nil`.
    static func decompress(_ stream: [UInt8], rawSize: Int) -> [UInt8]? {
        guard rawSize >= 0 else { return nil }
        var status = Z_OK
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { target, count in
            var size = uLongf(rawSize + 1)
            status = uncompress(target.baseAddress, &size, stream, uLong(stream.count))
            count = status == Z_OK ? Int(size) : 0
        }
        return status == Z_OK && raw.count == rawSize ? raw : nil
    }
}
