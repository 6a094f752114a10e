// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LocalLogstore

@Suite("Decompression")
struct DecompressionTests {
    private func failure(_ body: [UInt8], _ compression: Compression, rawSize: Int) -> String? {
        do {
            _ = try Decompression.expand(body, compression: compression, rawSize: rawSize)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: [0, 1, 5, 14, 15, 16, 269, 270, 271, 524, 525, 526, 4096, 70_000])
    func decodesBlocksOfLiterals(count: Int) throws {
        let raw = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        #expect(try Decompression.expand(Wire.lz4Literals(raw), compression: .lz4, rawSize: count) == raw)
    }

    @Test func decodesAnOverlappingMatch() throws {
        let block: [UInt8] = [0x1F, 0x61, 0x01, 0x00, 0x00, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61]
        let raw = [UInt8](repeating: UInt8(ascii: "a"), count: 25)
        #expect(try Decompression.expand(block, compression: .lz4, rawSize: 25) == raw)
    }

    @Test(
        arguments: [
            [], [0x10], [0xF0], [0x04, 0x22, 0x4D, 0x18],
            [0x1F, 0x61, 0x00, 0x00, 0x00, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61],
            [0x1F, 0x61, 0x02, 0x00, 0x00, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61],
        ] as [[UInt8]]
    )
    func refusesDamagedBlocks(block: [UInt8]) {
        #expect(self.failure(block, .lz4, rawSize: 25) == "PostBodyUncompressError")
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 1_000_000])
    func decodesStreamsOfEveryLevel(count: Int) throws {
        let raw = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
        for level: CInt in [0, 1, 6, 9] {
            #expect(
                try Decompression.expand(Wire.zlib(raw, level: level), compression: .deflate, rawSize: count) == raw
            )
        }
    }

    @Test func decodesTheEmptyStreamOfTheVectors() throws {
        let empty: [UInt8] = [0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]
        #expect(try Decompression.expand(empty, compression: .deflate, rawSize: 0) == [])
    }

    @Test func refusesOtherFramesThanZlib() {
        let raw = Array("hello hello hello".utf8)
        #expect(self.failure(Wire.rawDeflate(raw), .deflate, rawSize: raw.count) == "PostBodyUncompressError")
        let gzip: [UInt8] = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3] + Wire.rawDeflate(raw) + [0, 0, 0, 0, 0, 0, 0, 0]
        #expect(self.failure(gzip, .deflate, rawSize: raw.count) == "PostBodyUncompressError")
    }

    @Test func refusesDamagedStreams() {
        let raw = Array("hello hello hello".utf8)
        let stream = Wire.zlib(raw)
        #expect(self.failure(stream, .deflate, rawSize: raw.count) == nil)
        #expect(self.failure(Array(stream.dropLast()), .deflate, rawSize: raw.count) == "PostBodyUncompressError")
        #expect(self.failure(stream + [0], .deflate, rawSize: raw.count) == "PostBodyUncompressError")
        var checksum = stream
        checksum[checksum.count - 1] ^= 1
        #expect(self.failure(checksum, .deflate, rawSize: raw.count) == "PostBodyUncompressError")
        #expect(self.failure([], .deflate, rawSize: 0) == "PostBodyUncompressError")
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 1_000_000])
    func decodesFramesOfEveryLevel(count: Int) throws {
        let raw = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
        for level: CInt in [-5, 1, 3, 19] {
            #expect(
                try Decompression.expand(Wire.zstd(raw, level: level), compression: .zstd, rawSize: count) == raw
            )
        }
    }

    @Test func refusesDamagedAndFurtherFrames() {
        let raw = Array("hello hello hello".utf8)
        let frame = Wire.zstd(raw)
        #expect(self.failure(frame, .zstd, rawSize: raw.count) == nil)
        let skipped: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]
        for body in [
            [], Array(frame.dropLast()), frame + [0], frame + frame, skipped, skipped + frame, frame + skipped,
        ] {
            #expect(self.failure(body, .zstd, rawSize: 2 * raw.count) == "PostBodyUncompressError")
        }
        var other = frame
        other[0] ^= 1
        #expect(self.failure(other, .zstd, rawSize: raw.count) == "PostBodyUncompressError")
    }

    /// A frame may ask for a window of 2 GiB and say nothing of its size.
    @Test func aFrameGetsNoMoreMemoryThanItsDeclaredSize() {
        let window: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8]
        // One block of a byte that is repeated 1,000 times.
        let block: [UInt8] = [0x43, 0x1F, 0x00, 0x61]
        let raw = [UInt8](repeating: 0x61, count: 1000)
        #expect(try! Decompression.expand(window + block, compression: .zstd, rawSize: 1000) == raw)
        #expect(self.failure(window + block, .zstd, rawSize: 999) == "PostBodyUncompressError")
    }

    @Test(arguments: [Compression.lz4, .deflate, .zstd])
    func doesNotExpandBeyondTheDeclaredSize(compression: Compression) {
        let bomb = [UInt8](repeating: 0, count: 50_000_000)
        let body = [Compression.lz4: Wire.lz4, .deflate: { Wire.zlib($0) }, .zstd: { Wire.zstd($0) }][compression]!(
            bomb
        )
        #expect(body.count < 250_000)
        #expect(self.failure(body, compression, rawSize: 1000) == "PostBodyUncompressError")
    }
}
