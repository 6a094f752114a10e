// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CCounting
import Dispatch
import Logging
import WebTracking

/// How what one record costs the calling thread grows with its size: instructions for each byte of its metadata, of a small
/// record and of a large one.
struct Growth: Sendable {
    let name: String
    /// The sizes that are compared.
    let small: Int
    let large: Int
    var configure: @Sendable (inout WebTrackingConfiguration) -> Void = { _ in }
    /// The logger's metadata.
    var handler: @Sendable (_ size: Int) -> Logger.Metadata = { _ in [:] }
    /// The record's.
    let event: @Sendable (_ size: Int) -> Logger.Metadata

    /// By how much a byte of the large record may cost more. Sorting is not quite in proportion; the square of what these
    /// sizes have between them is at least five.
    private static let most = 2.0

    static let allCases: [Growth] = [
        // One name, made in each of the ways in which keys inside of keys can make it: 64 and 512 of them.
        Growth(name: "cut-name", small: 7, large: 10, event: { Self.allCuts($0) }),
        // More than a record may have, so that it is written again with shorter values, and then without.
        Growth(
            name: "long-keys",
            small: 250,
            large: 2_500,
            configure: { $0.limits.maximumRecordBytes = 32 << 10 },
            event: { size in
                let long = String(repeating: "k", count: 130)
                return Logger.Metadata(uniqueKeysWithValues: (0..<size).map { ("\(long)\($0)", .string("v")) })
            }
        ),
        Growth(
            name: "many-dots",
            small: 500,
            large: 5_000,
            configure: {
                $0.redaction.rules.insert(.key("schl\u{FC}ssel.wert", .mask), at: 0)
                $0.redaction.rules.insert(.suffix("schl\u{FC}ssel.wert", .mask), at: 0)
            },
            event: { ["\u{E4}\(String(repeating: ".x", count: $0))": "v"] }
        ),
        Growth(name: "long-outer-key", small: 500, large: 5_000) { size in
            let inner = (0..<size).map { ("key\($0)", Logger.MetadataValue.string("v")) }
            return [String(repeating: "k", count: size * 4): .dictionary(Dictionary(uniqueKeysWithValues: inner))]
        },
        // Both have more keys than a thread keeps.
        Growth(name: "handler-keys", small: 400, large: 4_000, handler: { Self.keys($0) }, event: { Self.keys($0) }),
    ]

    private static func keys(_ count: Int) -> Logger.Metadata {
        Logger.Metadata(uniqueKeysWithValues: (0..<count).map { ("key\($0)", .string("v")) })
    }

    private static func allCuts(_ parts: Int) -> Logger.Metadata {
        Logger.Metadata(
            uniqueKeysWithValues: (1...parts).map { place in
                let key = Array(repeating: "x", count: place).joined(separator: ".")
                return (key, place == parts ? "v" : .dictionary(Self.allCuts(parts - place)))
            }
        )
    }

    static func named(_ name: String) -> Growth? { self.allCases.first { $0.name == name } }

    // MARK: Compared

    struct Result {
        let name: String
        /// Instructions for each byte.
        let small: Double
        let large: Double

        var row: String { "| \(self.name) | \(Self.text(self.small)) | \(Self.text(self.large)) |" }

        var failure: String? {
            guard self.large > self.small * Growth.most else { return nil }
            return
                "a byte of a large \(self.name) record costs \(Self.text(self.large)) instructions, and of a small one "
                + "\(Self.text(self.small)): what it costs grows faster than its size"
        }

        private static func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
    }

    func compare() throws -> Result {
        Result(name: self.name, small: try self.instructions(self.small), large: try self.instructions(self.large))
    }

    private func instructions(_ size: Int) throws -> Double {
        let total = try Callgrind.instructions(inside: "counted_region", arguments: ["grow", self.name, "\(size)"])
        return Double(total) / Double(Self.bytes(self.handler(size)) + Self.bytes(self.event(size)))
    }

    private static func bytes(_ metadata: Logger.Metadata) -> Int {
        metadata.reduce(0) { sum, member in
            switch member.value {
            case .dictionary(let inner): sum + member.key.utf8.count + self.bytes(inner)
            default: sum + member.key.utf8.count + 1
            }
        }
    }

    // MARK: Under callgrind

    /// What runs under callgrind, which counts one record.
    func logForCallgrind(_ size: Int) throws {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1",
            project: "benchmark",
            logstore: "gates"
        )
        configuration.compression = .none
        configuration.batching.linger = .seconds(3600)
        self.configure(&configuration)
        let producer = try WebTrackingProducer(configuration: configuration, transport: HoldableTransport())
        var logger = Logger(label: "growth") { producer.makeLogHandler(label: $0) }
        logger.handler.metadata = self.handler(size)
        // Once without counting, so that everything has the size that it needs.
        var record = LargeRecord(logger: logger, metadata: self.event(size))
        for _ in 0..<2 {
            record.log()
            let done = DispatchSemaphore(value: 0)
            Task.detached {
                await producer.flush(timeout: .seconds(60))
                done.signal()
            }
            done.wait()
        }
        // The pointer is used during the call only.
        withUnsafeMutablePointer(to: &record) { record in
            counted_region({ $0?.assumingMemoryBound(to: LargeRecord.self).pointee.log() }, record)
        }
    }
}

private struct LargeRecord {
    let logger: Logger
    let metadata: Logger.Metadata

    func log() { self.logger.info("large", metadata: self.metadata) }
}
