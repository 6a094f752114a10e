// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import CLZ4

/// Raw LZ4 blocks through liblz4: no frame, no size prefix, no checksum.
enum LZ4Block {
    /// `raw` as a block that is smaller than it, or `nil`.
    static func compress(_ raw: UnsafeRawBufferPointer) -> [UInt8]? {
        // A target smaller than the input makes liblz4 give up as soon as nothing is won.
        let capacity = raw.count - 1
        guard capacity > 0, capacity < Int(LZ4_MAX_INPUT_SIZE) else { return nil }
        let block = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            count = target.withMemoryRebound(to: CChar.self) { target in
                raw.withMemoryRebound(to: CChar.self) { source in
                    Int(
                        LZ4_compress_default(
                            source.baseAddress,
                            target.baseAddress,
                            Int32(source.count),
                            Int32(target.count)
                        )
                    )
                }
            }
        }
        return block.isEmpty ? nil : block
    }

    /// The bytes of a block that holds exactly `rawSize` of them, or `nil`.
    static func decompress(_ block: [UInt8], rawSize: Int) -> [UInt8]? {
        guard rawSize >= 0, rawSize < Int(LZ4_MAX_INPUT_SIZE), block.count < Int(LZ4_MAX_INPUT_SIZE) else { return nil }
        var result: Int32 = -1
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { target, count in
            result = block.withUnsafeBytes { source in
                target.withMemoryRebound(to: CChar.self) { target in
                    source.withMemoryRebound(to: CChar.self) { source in
                        LZ4_decompress_safe(
                            source.baseAddress,
                            target.baseAddress,
                            Int32(source.count),
                            Int32(rawSize)
                        )
                    }
                }
            }
            count = max(Int(result), 0)
        }
        return Int(result) == rawSize ? raw : nil
    }
}
