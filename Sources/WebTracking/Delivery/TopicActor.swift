//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Delivers the records of one topic: takes segments from its buffer, compresses and sends them, one after another.
///
/// It only carries out what ``DeliveryMachine`` decides. A topic that is slow or refused holds up no other: it keeps a
/// request slot only while a request is on its way.
actor TopicActor {
    private let buffer: TopicBuffer
    private let context: DeliveryContext
    private var machine: DeliveryMachine<Segment>
    /// Until when no file is opened, after one could not be for want of descriptors or the like.
    private var unreadableUntil: MonotonicInstant?
    private static let unreadablePause = Duration.seconds(1)

    init(buffer: TopicBuffer, context: DeliveryContext) {
        self.buffer = buffer
        self.context = context
        self.machine = DeliveryMachine(policy: context.retryPolicy)
    }

    /// Delivers until the buffer has been idle for a while or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            self.buffer.context.spool?.tellNotices()
            self.buffer.reportDrops(to: self.context.diagnostics)
            self.buffer.wakeSettled()
            if let rank = self.buffer.takeSpoolPressure() { self.context.makeSpoolRoom(rank) }
            self.buffer.announceDrops(self.context.announcement)
            let now = self.context.clock.now()
            switch self.machine.next(at: now) {
            case .take:
                guard await self.takeNext(at: now) else { return }
            case .send(let segment, let isRetry):
                guard await self.context.slots.acquire() else { break }
                await self.send(segment, isRetry: isRetry)
                self.context.slots.release()
            case .wait(let deadline):
                await self.pause(until: deadline)
            case .drop(let segment, let reason):
                self.drop(segment, reason, error: nil)
            }
        }
        // The shutdown has counted these.
        for segment in self.machine.abandon() { self.buffer.letGo(segment) }
    }

    /// Takes and sends the next segment, or waits for one; `false` if the topic is idle and this worker may go.
    private func takeNext(at now: MonotonicInstant) async -> Bool {
        switch self.buffer.work(at: now) {
        case .ready where self.unreadableUntil.map { now < $0 } ?? false:
            await self.pause(until: self.unreadableUntil ?? now)
        case .ready where self.machine.isBackingOff(at: now):
            if let segment = self.take() { self.machine.accept(segment) }
        case .ready:
            if let deadline = self.machine.paced(at: now) {
                await self.pause(until: deadline)
                return true
            }
            // The slot first: while it waits for one, the open segment goes on filling.
            guard await self.context.slots.acquire() else { return true }
            if let segment = self.take() {
                self.machine.accept(segment)
                await self.send(segment, isRetry: false)
            }
            self.context.slots.release()
        case .due(let deadline):
            await self.buffer.wait(until: deadline)
        case .none:
            let pause = self.buffer.hasAnnouncement ? self.context.announcementInterval : self.context.idleTimeout
            let deadline = now + pause
            await self.buffer.wait(until: deadline)
            if self.context.clock.now() >= deadline || self.buffer.isClosed { return !self.context.retire(self.buffer) }
        }
        return true
    }

    /// Takes the oldest segment, in memory. One whose file is not as it was left is dropped; one whose file cannot be
    /// opened for a reason that may pass waits.
    private func take() -> Segment? {
        while let segment = self.buffer.take() {
            let wasResident = segment.memory.isResident
            do throws(FileError) {
                try segment.memory.unpark()
            } catch {
                guard error.isAbsence || error.isDamage else {
                    self.putBack(segment, error)
                    return nil
                }
                self.giveUp(segment, error)
                continue
            }
            self.unreadableUntil = nil
            if !wasResident { self.context.budget.charge(segment.heldBytes) }
            return segment
        }
        return nil
    }

    /// Leaves a segment for later whose file is there and cannot be opened.
    private func putBack(_ segment: Segment, _ error: FileError) {
        self.unreadableUntil = self.context.clock.now() + Self.unreadablePause
        self.buffer.putBack(segment)
        let directory = self.buffer.context.spool?.directory ?? ""
        self.context.diagnostics(.spoolTrouble(directory: directory, reason: String(describing: error)))
    }

    /// Drops a segment whose file has gone or has been changed; what is left of it is kept.
    private func giveUp(_ segment: Segment, _ error: FileError) {
        if error.isDamage, let file = segment.spoolFile, let spool = self.buffer.context.spool {
            file.isEvidence = !spool.setAside(file.path, of: file.box, reason: String(describing: error))
        }
        self.drop(segment, .spoolDamaged, error: .file(String(describing: error)))
    }

    /// Waits until `deadline`, unless a flush asks for an attempt at once.
    private func pause(until deadline: MonotonicInstant) async {
        if self.buffer.takeNudge() { self.machine.nudge() } else { await self.buffer.wait(until: deadline) }
    }

    private func send(_ segment: Segment, isRetry: Bool) async {
        _ = self.buffer.takeNudge()
        let request = segment.withBytes { self.context.requests.request(for: $0) }
        let start = self.context.clock.now()
        // The memory that the body was made in; exact to a few bytes of the allocator's.
        let copy = segment.rawBytes
        self.context.budget.charge(copy)
        let (verdict, failure) = await self.exchange(request)
        self.context.budget.release(copy)
        if Task.isCancelled && verdict != .delivered { return }
        let end = self.context.clock.now()
        self.buffer.count(verdict.outcome, isRetry: isRetry, duration: end - start)
        self.context.observer.requestFinished(verdict.outcome, duration: end - start)
        let result = self.machine.finish(
            verdict,
            at: end,
            jitter: self.context.random(),
            isClosing: self.buffer.isClosed
        )
        switch result {
        case .delivered(let segment):
            self.buffer.settle(segment, as: .delivered(wireBytes: request.body.count), isLast: self.machine.isIdle)
        case .dropped(let segment, let reason):
            self.drop(segment, reason, error: failure)
        case .kept(let delay):
            self.context.diagnostics(
                .requestFailed(
                    topic: self.buffer.key.topic,
                    outcome: verdict.outcome,
                    failure: failure ?? .noAnswer("unknown"),
                    retryIn: delay
                )
            )
        case .split(let segment, let first, let second):
            self.buffer.countSplit(of: segment, into: first, second)
        case nil:
            break
        }
    }

    private func exchange(_ request: TransportRequest) async -> (Verdict, ProducerDiagnostic.Failure?) {
        do {
            let response = try await DeliveryScope.$isInside.withValue(true) {
                try await self.context.transport.send(request)
            }
            let (verdict, error) = ResponseClassifier.classify(response, wallTime: self.context.clock.wallTime())
            return (verdict, error.map { .service($0) })
        } catch {
            return (.retry(.failed, after: nil), .noAnswer(String(describing: error)))
        }
    }

    private func drop(_ segment: Segment, _ reason: DropReason, error: ProducerDiagnostic.Failure?) {
        self.context.diagnostics(
            .recordsDropped(topic: self.buffer.key.topic, reason: reason, count: segment.count, failure: error)
        )
        self.buffer.settle(segment, as: .dropped(reason), isLast: self.machine.isIdle)
    }
}

/// Tells the records of a transport, which it should not log, from those of the program.
enum DeliveryScope {
    /// Whether the running task is sending a request. Such a task's records linger whatever their level, so that a
    /// transport that logs its own requests brings about one request in a linger and not a storm of them.
    @TaskLocal static var isInside = false
}
