// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct CompressionTests {
    private static let samples: [[UInt8]] = {
        let log = Array(#"{"seq":"1","level":"info","message":"request handled in 12 ms"},"#.utf8)
        var random = SystemRandomNumberGenerator()
        return [
            Array(repeating: 97, count: 25), Array((0..<400).flatMap { _ in log }.prefix(65_535)),
            Array((0..<4000).flatMap { _ in log }.prefix(65_537)), Array((0..<17_000).flatMap { _ in log }),
            (0..<100_000).map { $0 % 3 == 0 ? UInt8.random(in: 0...255, using: &random) : 32 },
        ]
    }()

    @Test(arguments: [Compression.lz4, .deflate(level: 1), .deflate(level: 6), .deflate(level: 9)])
    func whatIsCompressedComesBackAndIsSmaller(compression: Compression) throws {
        for raw in Self.samples {
            let body = try #require(compression.compress(array: raw))
            #expect(body.count < raw.count)
            #expect(
                Compression.decompress(body, headerValue: compression.headerValue, rawSize: raw.count) == raw
            )
            for size in [0, raw.count - 1, raw.count + 1] {
                #expect(Compression.decompress(body, headerValue: compression.headerValue, rawSize: size) == nil)
            }
        }
    }

    @Test(arguments: [Compression.lz4, .deflate(level: 9)])
    func whatDoesNotShrinkIsNotCompressed(compression: Compression) {
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 2, 13, 1000, 100_000] {
            let raw = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(compression.compress(array: raw) == nil)
        }
    }

    @Test func anLZ4BodyIsARawBlockWithoutAFrame() throws {
        let raw = Array(repeating: UInt8(97), count: 25)
        let block = try #require(Compression.lz4.compress(array: raw))
        #expect(block == [0x1F, 0x61, 0x01, 0x00, 0x00, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61])
    }

    @Test func aDeflateBodyIsAZlibStreamWithItsChecksum() throws {
        let raw = Self.samples[1]
        let stream = try #require(Compression.deflate().compress(array: raw))
        #expect(stream[0] == 0x78)
        #expect((Int(stream[0]) * 256 + Int(stream[1])) % 31 == 0)
        #expect(stream[1] & 0x20 == 0)
        var (a, b) = (UInt32(1), UInt32(0))
        for byte in raw {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let checksum = stream.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(checksum == b << 16 | a)
    }

    @Test(
        arguments: [
            [], [0x10],
            [0x1F, 0x61, 0x02, 0x00, 0x00, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61], [0xF0], [0x04, 0x22, 0x4D, 0x18],
        ] as [[UInt8]]
    )
    func malformedBodiesAreRefused(body: [UInt8]) {
        #expect(Compression.decompress(body, headerValue: "lz4", rawSize: 25) == nil)
        #expect(Compression.decompress(body, headerValue: "deflate", rawSize: 25) == nil)
        #expect(Compression.decompress(body, headerValue: "zstd", rawSize: 25) == nil)
    }

    @Test(arguments: [Compression.lz4, .deflate(), .none])
    func theHeadersTellTheCompressionAndTheExactRawSize(compression: Compression) async throws {
        let rig = try Rig { $0.compression = compression }
        for index in 0..<500 { rig.sink().info("request \(index) handled \u{1F600}") }
        #expect(await rig.drain().count == 500)
        let stored = try #require(rig.transport.stored.first)
        #expect(stored.request.header("x-log-compresstype") == compression.headerValue)
        #expect(stored.request.header("x-log-apiversion") == "0.6.0")
        #expect(stored.request.header("x-log-bodyrawsize") == "\(stored.rawBody.count)")
        #expect(stored.request.header("content-encoding") == nil)
        let numbers = rig.producer.statistics
        #expect(numbers.rawBytes == rig.transport.stored.reduce(0) { $0 + $1.rawBody.count })
        #expect(numbers.wireBytes == rig.transport.stored.reduce(0) { $0 + $1.request.body.count })
        await rig.stop()
    }

    @Test func aBodyThatDoesNotShrinkIsSentPlainWithoutTheCompressionHeader() {
        let factory = RequestFactory(
            isSecure: true,
            host: "h",
            port: nil,
            logstore: "l",
            operation: WebTrackingOperation(),
            compression: .lz4,
            timeout: .seconds(1)
        )
        let raw = Array("{\"a\":1}".utf8)
        let request = raw.withUnsafeBytes { factory.request(for: $0).request }
        #expect(request.body == raw)
        #expect(request.header("x-log-compresstype") == nil)
        #expect(request.header("x-log-bodyrawsize") == "7")
    }
}

extension Compression {
    fileprivate func compress(array: [UInt8]) -> [UInt8]? {
        array.withUnsafeBytes { self.compress($0) }
    }
}
