// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import Logging
import WebTracking

/// A program that logs numbered lines on several topics until it is killed, or drains what others have left.
struct ChildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "child", shouldDisplay: false)

    @Option var endpoint: String
    @Option var spool: String
    @Option var progress: String
    @Option var slots: Int
    @Option var incarnation: Int
    @Option var seed: UInt64
    /// How many times as long as usual it pauses between bursts of lines.
    @Option var pace = 1.0
    /// Becomes this user first.
    @Option var user: UInt32?
    /// The page that moves its wall clock.
    @Option var clock: String?
    /// How many threads append to one topic; if not given, one to each of the topics.
    @Option var threads: Int?
    /// Whether files are synced, too.
    @Flag var power = false
    @Flag var drains = false

    func run() async throws {
        if let clock = self.clock { SteppedClock.follow(try SharedCounters(path: clock, count: 1)) }
        if let user = self.user, setgid(user) != 0 || setuid(user) != 0 {
            throw SystemFailure(call: "setuid", code: errno)
        }
        var configuration = WebTrackingConfiguration(
            endpoint: self.endpoint,
            project: Plan.project,
            logstore: Plan.logstore
        )
        configuration.durability = self.power ? .power(interval: .milliseconds(50)) : .process
        configuration.spool.directory = self.spool
        configuration.topic = .label
        // Many small batches and quick retries: much happens in a short life.
        configuration.batching.targetBytes = 16 << 10
        configuration.batching.linger = .milliseconds(100)
        configuration.delivery.requestTimeout = .seconds(1)
        configuration.delivery.initialBackoff = .milliseconds(10)
        configuration.delivery.maximumBackoff = .milliseconds(500)
        configuration.delivery.initialQuotaBackoff = .milliseconds(50)
        configuration.delivery.maximumQuotaBackoff = .milliseconds(500)
        let folders = self.folders
        let producer = try WebTrackingProducer(configuration: configuration)
        guard !self.drains else { return try await self.drain(producer, of: folders) }
        let progress = try Progress(path: self.progress, slots: self.slots)
        let writers = self.threads ?? Plan.topics
        for writer in 0..<writers {
            let topic = Plan.topic(self.threads == nil ? writer : 0)
            var logger = Logger(label: topic, factory: producer.makeLogHandler(label:))
            if self.threads != nil { logger[metadataKey: "thread"] = "\(writer)" }
            let (incarnation, seed, pace) = (self.incarnation, self.seed &+ UInt64(writer), self.pace)
            // Where threads meet many are long: so they die in the middle of one now and then.
            let long = self.threads == nil ? 4096 : 2048
            let longFrom = self.threads == nil ? 39 : 30
            Thread.detachNewThread { [logger] in
                Self.log(
                    to: logger,
                    incarnation: incarnation,
                    seed: seed,
                    pace: pace,
                    padding: { $0 < longFrom ? $0 : long }
                ) { number in
                    let slot = incarnation * writers + writer
                    progress.note(logged: number, in: slot)
                    // Nothing of what was logged before is in memory only.
                    if producer.statistics.unspooled == 0 { progress.note(spooled: number, in: slot) }
                }
            }
        }
        try await Task.sleep(for: .seconds(3600))
    }

    private static func log(
        to logger: Logger,
        incarnation: Int,
        seed: UInt64,
        pace: Double,
        padding bytes: (Int) -> Int,
        note: (UInt64) -> Void
    ) {
        var random = SeededGenerator(seed: seed)
        let padding = String(repeating: "~", count: 4096)
        var number: UInt64 = 0
        while true {
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                number += 1
                // Mostly short ones, some of several KiB, and now and then one that does not linger.
                let length = bytes(Int.random(in: 0..<40, using: &random))
                let level: Logger.Level = Int.random(in: 0..<200, using: &random) == 0 ? .error : .info
                logger.log(
                    level: level,
                    "n",
                    metadata: [
                        "incarnation": "\(incarnation)", "number": "\(number)",
                        "padding": "\(padding.prefix(length))",
                    ]
                )
                note(number)
            }
            pause(seconds: pace * Double.random(in: 0.004...0.02, using: &random))
        }
    }

    /// The folders of producers.
    private var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.spool)) ?? []).filter { $0.hasPrefix("producer-") }
            .map { "\(self.spool)/\($0)" }
    }

    /// Delivers what is in these folders; ends when nothing is. In its own it has files ready, as long as it lives.
    private func drain(_ producer: WebTrackingProducer, of folders: [String]) async throws {
        while true {
            let rest = folders.flatMap { folder in
                ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".seg") }
            }
            if rest.isEmpty, producer.statistics.pending == 0 { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let numbers = producer.statistics
        print("drained \(numbers.recovered), dropped \(numbers.totalDropped)")
        await producer.shutdown(timeout: .seconds(10))
    }
}
