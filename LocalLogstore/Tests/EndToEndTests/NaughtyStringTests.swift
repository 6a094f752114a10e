// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import LocalLogstoreTestSupport
import Logging
import Testing
import WebTracking

extension EndToEnd {
    @Suite("Naughty strings")
    struct NaughtyStringTests {
        private static let strings: [String] =
            [
                "", " ", "\"", "\\", "\\u0000", "\u{0}", "a\u{0}b", "\r\n", "\t", "\u{1B}[31m", "\u{7F}", "\u{80}",
                "\u{9F}",
                "\u{2028}\u{2029}", "\u{FEFF}start", "\u{FFFE}\u{FFFF}\u{10FFFF}", "\u{FFFD}", "e\u{301}", "\u{E9}",
                "\u{202E}right to left\u{202C}", "\u{627}\u{644}\u{639}", "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F466}",
                "\u{1F1E9}\u{1F1EA}", "Z\u{35B}\u{322}a\u{331}\u{311}lgo", "{\"a\":1}", "'; DROP TABLE logs; --",
                "%s%n%00",
                "${jndi:ldap://x}", "</script>", "null", "true", "1e309", "\u{D7FF}\u{E000}",
                String(repeating: "\u{1F600}", count: 1000), String(repeating: "\u{1}", count: 1000),
            ]
            + (0..<0x20).map { String(UnicodeScalar($0 as UInt8)) }

        @Test(arguments: [WebTracking.Compression.lz4, .deflate(), .none])
        func comeBackByteForByte(compression: WebTracking.Compression) async throws {
            try await withPipeline {
                $0.compression = compression
            } _: { pipeline async throws in
                let logger = pipeline.logger()
                for string in Self.strings {
                    logger.info("\(string)", metadata: ["value": .string(string), "list": [.string(string), "x"]])
                }
                await pipeline.flush()
                let logs = try await pipeline.logs()
                try #require(logs.count == Self.strings.count)
                for (string, stored) in zip(Self.strings, logs) {
                    #expect(Array((stored.log["message"] ?? "?").utf8) == Array(string.utf8))
                    #expect(Array((stored.log["value"] ?? "?").utf8) == Array(string.utf8))
                    let list = try JSONValue(parsing: Array((stored.log["list"] ?? "").utf8))
                    guard case .array(let elements) = list, case .string(let first)? = elements.first else {
                        Issue.record("not a list of strings")
                        continue
                    }
                    #expect(Array(first.utf8) == Array(string.utf8))
                    #expect(elements.count == 2)
                }
            }
        }

        @Test func carriesEveryScalar() async throws {
            let scalars = (0..<0x110000).lazy.compactMap { Unicode.Scalar($0 as UInt32) }
            var chunks: [String] = []
            var chunk = String.UnicodeScalarView()
            for scalar in scalars {
                chunk.append(scalar)
                if chunk.count == 4096 {
                    chunks.append(String(chunk))
                    chunk = String.UnicodeScalarView()
                }
            }
            chunks.append(String(chunk))
            try await withPipeline { pipeline async throws in
                let logger = pipeline.logger()
                for chunk in chunks { logger.info("\(chunk)") }
                await pipeline.flush()
                let messages = try await pipeline.logs().map { Array(($0.log["message"] ?? "").utf8) }
                #expect(messages == chunks.map { Array($0.utf8) })
            }
        }

        @Test func carriesALineOfAMebibyte() async throws {
            let line = String(repeating: "0123456789abcde\u{E9}", count: 1 << 20).utf8.prefix(1 << 20)
            let text = String(decoding: line.dropLast(), as: UTF8.self)
            try await withPipeline { pipeline async throws in
                pipeline.logger().info("\(text)")
                await pipeline.flush()
                #expect(try await pipeline.logs().map { $0.log["message"]?.utf8.count } == [text.utf8.count])
                #expect(try await pipeline.logs().first?.log["message"] == text)
                #expect(pipeline.producer.statistics.repaired.isEmpty)
            }
        }

        @Test func asKeysAreKeptOrRepairedAndCounted() async throws {
            let keys = Self.strings + ["__topic__", "__source__", "__time__", "__tag__:x", "message", "seq", "level"]
            try await withPipeline { pipeline async throws in
                let logger = pipeline.logger()
                for key in keys { logger.info("line", metadata: [key: "the value"]) }
                await pipeline.flush()
                let logs = try await pipeline.logs()
                try #require(logs.count == keys.count)
                var changed = 0
                for (key, stored) in zip(keys, logs) {
                    let holders = stored.log.fields.filter { $0.value == "the value" }
                    #expect(holders.count == 1)
                    if !(holders.first?.name.utf8.elementsEqual(key.utf8) ?? true) { changed += 1 }
                }
                #expect(pipeline.producer.statistics.repaired.values.reduce(0, +) == changed)
            }
        }
    }
}
