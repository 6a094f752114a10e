// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CLZ4Server
import CZstdServer

/// Compresses answers as their readers ask for it.
enum AnswerCompression {
    /// What the header `Accept-Encoding` asks for: the first that is known here; none if it names others alone.
    static func accepted(_ header: String?) -> Compression {
        for part in (header ?? "").lowercased().split(separator: ",") {
            switch part.prefix(while: { $0 != ";" }).filter({ $0 != " " }) {
            case "lz4": return .lz4
            case "zstd": return .zstd
            default: continue
            }
        }
        return .none
    }

    /// The most bytes that a block of so many may take; `nil` if no block holds so many.
    static func lz4Bound(_ count: Int) -> CInt? {
        guard let bound = CInt(exactly: count).map(LZ4_compressBound), bound > 0 else { return nil }
        return bound
    }

    /// `nil` if it cannot be done.
    static func compress(_ bytes: [UInt8], _ compression: Compression) -> [UInt8]? {
        switch compression {
        case .none, .deflate: return nil
        case .lz4:
            guard let bound = self.lz4Bound(bytes.count) else { return nil }
            let block = [UInt8](unsafeUninitializedCapacity: Int(bound)) { output, count in
                count = bytes.withUnsafeBytes { input in
                    Int(
                        LZ4_compress_default(
                            input.baseAddress?.assumingMemoryBound(to: CChar.self),
                            UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self),
                            CInt(input.count),
                            bound
                        )
                    )
                }
            }
            return block.isEmpty ? nil : block
        case .zstd:
            let bound = ZSTD_compressBound(bytes.count)
            let frame = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
                let size = ZSTD_compress(output.baseAddress, bound, bytes, bytes.count, 1)
                count = ZSTD_isError(size) == 0 ? size : 0
            }
            return frame.isEmpty ? nil : frame
        }
    }
}
