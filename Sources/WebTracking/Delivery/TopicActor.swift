// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Delivers the records of one topic: takes batches from its buffer, compresses and sends them, one after another.
///
/// It only carries out what ``DeliveryMachine`` decides. A topic that is slow or refused holds up no other: it keeps a
/// request slot only while a request is on its way.
actor TopicActor {
    private let buffer: TopicQueue
    private let context: DeliveryContext
    private var machine: DeliveryMachine<Batch>
    private var size: RequestSize
    private var composer: RequestComposer
    /// Whether these are records that a rescue has taken over.
    private let isPatient: Bool
    /// Until when no file is opened, after one could not be for want of descriptors or the like.
    private var unreadableUntil: MonotonicInstant?
    private static let unreadablePause = Duration.seconds(1)

    /// With `isPatient` nothing is given up for the time that its delivery takes, nor for a refusal that is not about a
    /// record; the file of a record that is refused alone is kept.
    init(buffer: TopicQueue, context: DeliveryContext, isPatient: Bool = false) {
        self.buffer = buffer
        self.context = context
        self.isPatient = isPatient
        self.machine = DeliveryMachine(policy: isPatient ? context.retryPolicy.patient : context.retryPolicy)
        self.size = RequestSize(timeout: context.requests.timeout)
        self.composer = RequestComposer(requests: context.requests, budget: context.budget)
    }

    /// Delivers until the buffer has been idle for a while or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            self.buffer.context.spool?.reportNotices()
            self.buffer.reportDrops(to: self.context.diagnostics)
            self.buffer.wakeSettled()
            if let rank = self.buffer.takeSpoolPressure() { self.context.evict(rank) }
            self.buffer.announceDrops(self.context.announcement)
            let now = self.context.clock.now()
            switch self.machine.next(at: now, deliveries: self.context.destination.deliveries) {
            case .take:
                guard await self.takeNext(at: now) else { return }
            case .send(let batch, let records, let isRetry):
                guard await self.context.slots.acquire() else { break }
                await self.send(batch, records, isRetry: isRetry)
                self.context.slots.release()
            case .wait(let deadline, let orTake):
                await self.pause(until: deadline, orTake: orTake, at: now)
            case .drop(let part, let reason):
                self.drop(part, reason, error: nil)
            }
        }
        // The shutdown has counted these.
        for batch in self.machine.abandon() { self.buffer.unload(batch) }
    }

    /// Takes and sends the next batch, or waits for one; `false` if the topic is idle and this worker may go.
    private func takeNext(at now: MonotonicInstant) async -> Bool {
        switch self.buffer.work(at: now) {
        case .ready where self.unreadableUntil.map { now < $0 } ?? false:
            await self.pause(until: self.unreadableUntil ?? now)
        case .ready where self.machine.isBackingOff(at: now):
            if let batch = await self.take() { self.machine.accept(batch) }
        case .ready:
            if let deadline = self.machine.paced(at: now) {
                await self.pause(until: deadline)
                return true
            }
            // The slot first: while it waits for one, the open batch goes on filling.
            guard await self.context.slots.acquire() else { return true }
            if let batch = await self.take() {
                self.machine.accept(batch)
                let deliveries = self.context.destination.deliveries
                switch self.machine.next(at: self.context.clock.now(), deliveries: deliveries) {
                case .send(let batch, let records, let isRetry):
                    await self.send(batch, records, isRetry: isRetry)
                case .drop(let part, let reason):
                    self.drop(part, reason, error: nil)
                case .take, .wait:
                    break
                }
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

    /// Takes the oldest batch, in memory. One whose file is not as it was left is dropped; one whose file cannot be
    /// opened for a reason that may pass waits.
    private func take() async -> Batch? {
        while let batch = self.buffer.take() {
            if !batch.memory.isResident {
                let error = await self.map(batch.memory)
                // Whoever has not waited for the disk has counted it, and finds it in its file.
                guard !Task.isCancelled else {
                    self.context.budget.charge(batch.heldBytes)
                    self.buffer.unload(batch)
                    return nil
                }
                if let error {
                    guard error.isAbsence || error.isDamage else {
                        self.requeue(batch, error)
                        return nil
                    }
                    await self.dropUnreadable(batch, error)
                    continue
                }
                self.context.budget.charge(batch.heldBytes)
            }
            self.unreadableUntil = nil
            return batch
        }
        return nil
    }

    /// Maps a file, where nobody waits with it for the disk; says why that was not possible.
    private func map(_ memory: BatchMemory) async -> FileError? {
        await self.buffer.context.spool?.worker.run {
            do throws(FileError) {
                try memory.map()
                return nil
            } catch {
                return error
            }
        }
    }

    /// Leaves a batch for later whose file is there and cannot be opened.
    private func requeue(_ batch: Batch, _ error: FileError) {
        self.unreadableUntil = self.context.clock.now() + Self.unreadablePause
        self.buffer.requeue(batch)
        let directory = self.buffer.context.spool?.directory ?? ""
        self.context.diagnostics(.spoolFailed(directory: directory, reason: String(describing: error)))
    }

    /// Drops a batch whose file has gone or has been changed; what is left of it is kept.
    private func dropUnreadable(_ batch: Batch, _ error: FileError) async {
        if error.isDamage, let file = batch.spoolFile, let spool = self.buffer.context.spool {
            let hasMoved = await spool.worker.run {
                spool.quarantine(file.path, of: file.spoolFolder, reason: String(describing: error))
            }
            file.isQuarantined = !hasMoved
        }
        // Its counts, too, are in the file; those of the levels have been kept.
        let part = BatchRange(batch: batch, ranges: [batch.all], isLast: true)
        self.drop(part, .spoolDamaged, error: .file(String(describing: error)))
    }

    /// Keeps the file of a batch of which a record is given up.
    private func keep(_ batch: Batch, _ reason: DropReason) async {
        guard let file = batch.spoolFile, let spool = self.buffer.context.spool else { return }
        await spool.worker.run {
            let reason = "a record in it was refused (\(reason.rawValue))"
            spool.quarantineCopy(file, file.path, of: file.spoolFolder, reason: reason)
        }
    }

    /// Waits until `deadline`, unless a flush asks for an attempt at once.
    private func pause(until deadline: MonotonicInstant) async {
        if self.buffer.takeSkipBackoff() { self.machine.skipBackoff() } else { await self.buffer.wait(until: deadline) }
    }

    /// Waits as ``pause(until:)`` does, or takes the next batch if there is one.
    private func pause(until deadline: MonotonicInstant, orTake: Bool, at now: MonotonicInstant) async {
        var deadline = deadline
        if orTake {
            switch self.buffer.work(at: now) {
            case .ready where self.unreadableUntil.map { now < $0 } ?? false: break
            case .ready:
                if let batch = await self.take() { self.machine.accept(batch) }
                return
            case .due(let due): deadline = min(deadline, due)
            case .none: break
            }
        }
        await self.pause(until: deadline)
    }

    private func send(_ batch: Batch, _ records: Range<Int>, isRetry: Bool) async {
        _ = self.buffer.takeSkipBackoff()
        let destination = self.context.destination
        let known = destination.limits
        let limits = RequestComposer.Limits(
            wire: min(self.size.limit, known.wire.limit ?? .max),
            raw: known.raw.limit ?? .max
        )
        let composed = self.composer.compose(batch, records, within: limits)
        self.machine.shorten(to: composed.records.count)
        self.buffer.begin(composed.records.count)
        let wire = composed.wireBytes
        let raw = composed.made.rawBytes
        let held = composed.made.heldBytes
        let start = self.context.clock.now()
        let (verdict, failure) = await self.exchange(composed.made.request, held: held)
        if Task.isCancelled && verdict != .delivered { return }
        let end = self.context.clock.now()
        switch verdict {
        case .delivered: destination.took(wire: wire, raw: raw, at: end)
        case .narrow(.tooLarge, let byService):
            let isLone = composed.records.count == 1
            destination.foundTooLarge(wire: wire, raw: raw, byService: byService, isLone: isLone, at: end)
        default: break
        }
        self.learn(from: verdict, failure, wire: wire, took: end - start)
        self.buffer.count(verdict.outcome, isRetry: isRetry, isQuick: self.size.isQuick, duration: end - start)
        self.context.observer.requestFinished(verdict.outcome, duration: end - start)
        let result = self.machine.finish(
            verdict,
            at: end,
            jitter: self.context.random(),
            isClosing: self.buffer.isClosed,
            deliveries: destination.deliveries
        )
        switch result {
        case .delivered(let part): self.settle(part, as: .delivered(rawBytes: raw, wireBytes: wire))
        case .dropped(let part, let reason):
            if self.isPatient { await self.keep(part.batch, reason) }
            self.drop(part, reason, error: failure)
        case .kept(let delay): self.report(verdict, failure, retryIn: delay)
        case .narrowed where verdict.outcome != .tooLarge: self.report(verdict, failure, retryIn: .zero)
        case .narrowed, nil: break
        }
    }

    /// Takes in what a request says of how much can be sent at a time.
    private func learn(
        from verdict: Verdict,
        _ failure: ProducerDiagnostic.Failure?,
        wire: Int,
        took: Duration
    ) {
        switch verdict {
        case .delivered:
            self.size.succeeded(bytes: wire, took: took)
        case .retry(.failed, _), .retry(.unavailable, _):
            // Whoever reads the body, or waits for the answer to it, may be the one to lose patience.
            var isTimeout = self.size.isTimeout(took)
            if case .service(let error)? = failure {
                isTimeout = isTimeout || [408, 504].contains(error.status) || error.code == "RequestTimeout"
            }
            if isTimeout {
                self.size.timedOut(bytes: wire)
            } else {
                self.size.failed(bytes: wire, took: took, hasAnswer: verdict.outcome == .unavailable)
            }
        default: break
        }
    }

    /// - Parameter held: The bytes that the request takes up until the transport returns, also if it is left behind.
    private func exchange(
        _ request: TransportRequest,
        held: Int
    ) async -> (Verdict, ProducerDiagnostic.Failure?) {
        let context = self.context
        context.budget.charge(held)
        let call: @Sendable () async -> (Verdict, ProducerDiagnostic.Failure?) = {
            defer { context.budget.release(held) }
            return await Self.answer(to: request, context)
        }
        guard let deadline = context.exchangeDeadline else { return await call() }
        return await deadline.run(call)
            ?? (.retry(.failed, after: nil), .noAnswer("the transport has not come back, and is left behind"))
    }

    private static func answer(
        to request: TransportRequest,
        _ context: DeliveryContext
    ) async -> (Verdict, ProducerDiagnostic.Failure?) {
        do {
            let response = try await DeliveryScope.$isInside.withValue(true) {
                try await context.transport.send(request)
            }
            let (verdict, error) = ResponseClassifier.classify(response, wallTime: context.clock.wallTime())
            return (verdict, error.map { .service($0) })
        } catch {
            return (.retry(.failed, after: nil), .noAnswer(String(describing: error)))
        }
    }

    private func report(_ verdict: Verdict, _ failure: ProducerDiagnostic.Failure?, retryIn delay: Duration) {
        self.context.diagnostics(
            .requestFailed(
                topic: self.buffer.key.topic,
                outcome: verdict.outcome,
                failure: failure ?? .noAnswer("unknown"),
                retryIn: delay
            )
        )
    }

    private func drop(_ part: BatchRange<Batch>, _ reason: DropReason, error: ProducerDiagnostic.Failure?) {
        let topic = self.buffer.key.topic
        if part.count == 1, reason == .rejected || reason == .tooLarge, let index = part.ranges.first?.lowerBound {
            let rank = part.batch.mark(index).rank
            let record = RefusedRecord(part.batch.text(at: index), rank: rank, fields: self.context.fields)
            self.context.diagnostics(.recordRefused(topic: topic, reason: reason, record: record, failure: error))
        } else {
            self.context.diagnostics(
                .recordsDropped(topic: topic, reason: reason, count: part.count, failure: error)
            )
        }
        self.settle(part, as: .dropped(reason))
    }

    private func settle(_ part: BatchRange<Batch>, as settlement: TopicQueue.Settlement) {
        self.buffer.settle(part, as: settlement, isInOrder: self.machine.isInOrder)
    }
}
