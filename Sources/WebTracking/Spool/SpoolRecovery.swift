//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Adopts what dead producers have left in the spool directory, and hands it to a buffer for delivery.
///
/// Works behind the records of this process: one folder after the other, the oldest first, and never more than a few
/// segments ahead of their delivery. It copies nothing; a process that dies here leaves the files as they were for the
/// next one.
struct SpoolRecovery: Sendable {
    /// How many segments wait for their delivery before the next file is looked into.
    private static let ahead = 4
    /// How long after the last look for folders the next one comes.
    private static let interval = Duration.seconds(30)

    let store: SpoolStore
    let buffer: TopicBuffer
    let clock: any ProducerClock
    /// Records older than this are dropped.
    let maximumAge: Duration
    let diagnostics: @Sendable (ProducerDiagnostic) -> Void

    /// Adopts what there is to adopt, and looks again from time to time: a process that was still stopping when this one
    /// started leaves something, too. Returns when the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await self.adoptAll()
            guard (try? await self.clock.sleep(until: self.clock.now() + Self.interval)) != nil else { return }
        }
    }

    /// Adopts all there is to adopt; returns when that is delivered, or the task is cancelled.
    private func adoptAll() async {
        do throws(FileError) { try FileSystem.checkPrivateDirectory(self.store.directory) } catch {
            if !error.isAbsence {
                let reason = String(describing: error)
                self.diagnostics(.spoolUnavailable(directory: self.store.directory, reason: reason))
            }
            return
        }
        let names = (try? FileSystem.names(in: self.store.directory, includingHidden: true)) ?? []
        var isFirst = true
        for name in names where name.hasPrefix(".\(SpoolBox.prefix)") {
            SpoolBox.removeUnfinished("\(self.store.directory)/\(name)", wallTime: self.clock.wallTime())
        }
        for name in names where name.hasPrefix(SpoolBox.prefix) && !Task.isCancelled {
            guard let box = SpoolBox.adopt("\(self.store.directory)/\(name)") else { continue }
            // The box stays locked for as long as one of its files is on its way, and then goes. One of which nothing was
            // taken is free for others at once.
            for path in box.files() where !Task.isCancelled {
                guard let segment = self.take(path, of: box) else { continue }
                if isFirst {
                    self.diagnostics(
                        .spoolRecovered(
                            directory: self.store.directory,
                            records: segment.count,
                            files: box.files().count
                        )
                    )
                }
                isFirst = false
                self.buffer.adopt(segment)
                await self.waitForRoom()
            }
        }
        await self.waitUntilDelivered()
    }

    /// The records of a file; `nil` if there are none for this producer.
    private func take(_ path: String, of box: SpoolBox) -> Segment? {
        let wallTime = self.clock.wallTime()
        let now = self.clock.now()
        let finding: SpoolFinding
        do throws(FileError) {
            finding = try SpoolExamination.examine(path, box: box, destination: self.store.destination) { _ in now }
        } catch {
            if !error.isAbsence {
                self.diagnostics(.spoolDamaged(file: path, reason: String(describing: error)))
            }
            return nil
        }
        switch finding {
        case .empty:
            unlink(path)
            return nil
        case .foreign, .unknownVersion:
            // Some other producer's, one with that configuration or a newer one.
            return nil
        case .damaged(let reason):
            self.store.setAside(path, of: box, reason: reason)
            return nil
        case .records(var segment, let header, let damage):
            if let damage { self.store.copyAside(segment.spoolFile, path, of: box, reason: damage) }
            self.store.chargeAdopted(segment.spoolFile?.bytes ?? 0)
            segment.seal()
            // A header can say any time.
            let (age, isBeyond) = wallTime.subtractingReportingOverflow(header.openedAt)
            if isBeyond ? header.openedAt < 0 : .nanoseconds(age) > self.maximumAge {
                self.buffer.adoptExpired(segment)
                self.diagnostics(
                    .recordsDropped(topic: header.topic, reason: .expired, count: segment.count, failure: nil)
                )
                return nil
            }
            // Checked, and out of the way until it is its turn.
            segment.memory.park()
            segment.origin?.park()
            return segment
        }
    }

    private func waitForRoom() async {
        while !Task.isCancelled, self.buffer.backlog > Self.ahead {
            await self.buffer.waitUntilSettled(self.buffer.settledCount + 1)
        }
    }

    private func waitUntilDelivered() async {
        if let target = self.buffer.enqueuedCount { await self.buffer.waitUntilSettled(target) }
    }
}
