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
    static let damagedName = "damaged"

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
            self.setAside(path, of: box, reason: reason)
            return nil
        case .records(var segment, let header, let damage):
            if let damage { self.copyAside(path, of: box, reason: damage) }
            self.store.chargeAdopted(segment.spoolFile?.bytes ?? 0)
            segment.seal()
            let age = Duration.nanoseconds(max(wallTime - header.openedAt, 0))
            if age > self.maximumAge {
                self.buffer.adoptExpired(segment)
                return nil
            }
            // Checked, and out of the way until it is its turn.
            segment.memory.park()
            segment.origin?.park()
            return segment
        }
    }

    /// Moves a file with nothing to deliver to where somebody can look at it.
    private func setAside(_ path: String, of box: SpoolBox, reason: String) {
        let target = self.place(for: path, of: box)
        if rename(path, target) != 0 { return }
        self.store.countDamaged()
        self.diagnostics(.spoolDamaged(file: target, reason: reason))
    }

    /// Keeps a copy of a file of which not all can be delivered. The file itself goes when its records have; it is written
    /// to before that, so another name for it would not do, unless there is no room for a copy.
    private func copyAside(_ path: String, of box: SpoolBox, reason: String) {
        let target = self.place(for: path, of: box)
        var status = stat()
        // A process that died while it delivered the records has made the copy.
        if lstat(target, &status) != 0 {
            do throws(FileError) { try FileSystem.copy(path, to: target) } catch { link(path, target) }
        }
        self.store.countDamaged()
        self.diagnostics(.spoolDamaged(file: target, reason: reason))
    }

    private func place(for path: String, of box: SpoolBox) -> String {
        let folder = "\(self.store.directory)/\(Self.damagedName)"
        try? FileSystem.makeDirectory(folder)
        let names = [box.path, path].map { path in path.split(separator: "/").last.map(String.init) ?? "file" }
        return "\(folder)/\(names.joined(separator: "-"))"
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
