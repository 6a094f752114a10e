// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Delivers the records of one topic: takes batches from its queue, compresses them, and sends one after the other.
///
/// ``DeliveryMachine`` makes the decisions, this actor carries them out. A topic that is slow or refused does not hold
/// up others: it keeps a request slot only while its request is in flight.
actor TopicActor {
    private let queue: TopicQueue
    private let context: DeliveryContext
    private var machine: DeliveryMachine<Batch>
    private var size: RequestSize
    private var composer: RequestComposer
    /// Whether the records are those of a rescue.
    private let isPatient: Bool
    /// After a file could not be opened for lack of a resource: the time before which no file is opened.
    private var unreadableUntil: MonotonicInstant?
    private static let unreadablePause = Duration.seconds(1)

    /// With `isPatient`, nothing is dropped because its delivery takes long, or for a refusal that is not about one
    /// record. If a single record is refused, its file is kept.
    init(queue: TopicQueue, context: DeliveryContext, isPatient: Bool = false) {
        self.queue = queue
        self.context = context
        self.isPatient = isPatient
        self.machine = DeliveryMachine(policy: isPatient ? context.retryPolicy.patient : context.retryPolicy)
        self.size = RequestSize(timeout: context.requests.timeout)
        self.composer = RequestComposer(requests: context.requests, budget: context.budget)
    }

    /// Delivers until the queue has been idle for some time, or until the task is cancelled.
    func run() async {
        let destination = self.context.destination
        while !Task.isCancelled {
            self.queue.context.home.reportNotices()
            self.queue.reportDrops(to: self.context.diagnostics)
            self.queue.wakeSettled()
            if let rank = self.queue.takeSpoolPressure() { self.context.evict(rank) }
            self.queue.announceDrops(self.context.announcement)
            let now = self.context.clock.now()
            switch self.machine.next(at: now, deliveries: destination.deliveries) {
            case .take(let paced, let isBackingOff):
                switch self.queue.work(at: now) {
                case .ready where self.unreadableUntil.map { now < $0 } ?? false:
                    await self.pause(until: self.unreadableUntil ?? now)
                case .ready where isBackingOff:
                    _ = await self.take()
                case .ready:
                    if let paced {
                        await self.pause(until: paced)
                        break
                    }
                    // Get the slot first: until there is one, the open batch can still be filled.
                    guard await self.context.slots.acquire() else { break }
                    if await self.take() {
                        // At the time of now: the wait for the slot may have made the batch too old.
                        switch self.machine.next(at: self.context.clock.now(), deliveries: destination.deliveries) {
                        case .send(let batch, let records, let isRetry):
                            await self.send(batch, records, isRetry: isRetry)
                        case .drop(let part, let reason): self.drop(part, reason, error: nil)
                        case .take, .wait: break
                        }
                    }
                    self.context.slots.release()
                case .copying:
                    await self.queue.waitForCopy()
                case .due(let deadline):
                    await self.queue.wait(until: deadline)
                case .none:
                    let pause =
                        self.queue.hasAnnouncement ? self.context.announcementInterval : self.context.idleTimeout
                    await self.queue.wait(until: now + pause)
                    let isIdle = self.context.clock.now() >= now + pause || self.queue.isClosed
                    if isIdle && self.context.retire(self.queue) { return }
                }
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
        // The shutdown has counted these records.
        for batch in self.machine.abandon() { self.queue.unload(batch) }
    }

    /// Takes the oldest sealed batch, and has it loaded. Returns `false` if there is none. Drops a batch if its file
    /// was removed or changed. If the file cannot be opened at present, the batch waits.
    private func take() async -> Bool {
        while let batch = self.queue.take() {
            if !batch.memory.isResident {
                let error = await self.queue.context.home.load(batch.memory)
                // A shutdown that did not wait for the disk has counted the batch, which is still in its file.
                guard !Task.isCancelled else {
                    self.context.budget.charge(batch.memory.heldBytes)
                    self.queue.unload(batch)
                    return false
                }
                if let error {
                    guard error.isAbsence || error.isDamage else {
                        self.requeue(batch, error)
                        return false
                    }
                    await self.dropUnreadable(batch, error)
                    continue
                }
                self.context.budget.charge(batch.memory.heldBytes)
            }
            self.unreadableUntil = nil
            self.machine.accept(batch)
            return true
        }
        return false
    }

    /// Puts a batch back into the queue if its file exists but cannot be opened now.
    private func requeue(_ batch: Batch, _ error: FileError) {
        let isFirst = self.unreadableUntil == nil
        self.unreadableUntil = self.context.clock.now() + Self.unreadablePause
        self.queue.requeue(batch)
        guard isFirst else { return }
        self.queue.context.home.report(String(describing: error))
    }

    /// Drops a batch if its file was removed or changed. A changed file is kept.
    private func dropUnreadable(_ batch: Batch, _ error: FileError) async {
        if error.isDamage { await self.queue.context.home.quarantine(batch, reason: String(describing: error)) }
        // The marks in the file cannot be read any more. The counts by level are in memory.
        let part = BatchRange(batch: batch, ranges: [batch.all], isLast: true)
        self.drop(part, .spoolDamaged, error: .file(String(describing: error)))
    }

    /// Waits until `deadline`, or until a flush asks for an attempt at once.
    private func pause(until deadline: MonotonicInstant) async {
        if self.queue.takeSkipBackoff() { self.machine.skipBackoff() } else { await self.queue.wait(until: deadline) }
    }

    /// Waits as ``pause(until:)`` does, or takes the next batch if there is one.
    private func pause(until deadline: MonotonicInstant, orTake: Bool, at now: MonotonicInstant) async {
        var deadline = deadline
        if orTake {
            switch self.queue.work(at: now) {
            case .ready where self.unreadableUntil.map { now < $0 } ?? false: break
            case .ready:
                _ = await self.take()
                return
            case .due(let due): deadline = min(deadline, due)
            case .copying, .none: break
            }
        }
        await self.pause(until: deadline)
    }

    private func send(_ batch: Batch, _ records: Range<Int>, isRetry: Bool) async {
        _ = self.queue.takeSkipBackoff()
        let destination = self.context.destination
        let known = destination.limits
        let limits = RequestComposer.Limits(
            wire: min(self.size.limit, known.wire.limit ?? .max),
            raw: known.raw.limit ?? .max
        )
        let composed = self.composer.compose(batch, records, within: limits)
        self.queue.state.besideLane { $0.ledger.begin(composed.records.count) }
        let wire = composed.wireBytes
        let raw = composed.made.rawBytes
        let start = self.context.clock.now()
        let (verdict, failure) = await self.context.exchange(composed.made)
        // The shutdown may have ended the exchange, so a failure says nothing about the service or the size.
        if Task.isCancelled && verdict != .delivered { return }
        let end = self.context.clock.now()
        switch verdict {
        case .delivered: destination.took(wire: wire, raw: raw, at: end)
        case .narrow(.tooLarge, let byService):
            let isLone = composed.records.count == 1
            destination.foundTooLarge(wire: wire, raw: raw, byService: byService, isLone: isLone, at: end)
        default: break
        }
        self.size.learn(from: verdict, failure, bytes: wire, took: end - start)
        let result = self.machine.finish(
            verdict,
            count: composed.records.count,
            at: end,
            jitter: self.context.random(),
            isClosing: self.queue.isClosed,
            deliveries: destination.deliveries
        )
        let isQuick = self.size.isQuick
        self.queue.state.withLock {
            $0.ledger.count(verdict.outcome, isRetry: isRetry, isQuick: isQuick, duration: end - start)
        }
        self.context.observer.requestFinished(verdict.outcome, duration: end - start)
        switch result {
        case .delivered(let part):
            let settlement = TopicLedger.Settlement.delivered(rawBytes: raw, wireBytes: wire)
            self.queue.settle(part, as: settlement, isInOrder: self.machine.isInOrder)
        case .dropped(let part, let reason):
            if self.isPatient {
                let why = "a record in it was refused (\(reason.rawValue))"
                await self.queue.context.home.keepCopy(of: part.batch, reason: why)
            }
            self.drop(part, reason, error: failure)
        case .kept(let delay): self.report(verdict, failure, retryIn: delay)
        case .narrowed where verdict.outcome != .tooLarge: self.report(verdict, failure, retryIn: .zero)
        case .narrowed: break
        }
    }

    private func report(_ verdict: Verdict, _ failure: ProducerDiagnostic.Failure?, retryIn delay: Duration) {
        self.context.diagnostics(
            .requestFailed(
                topic: self.queue.key.topic,
                outcome: verdict.outcome,
                failure: failure ?? .noAnswer("unknown"),
                retryIn: delay
            )
        )
    }

    private func drop(_ part: BatchRange<Batch>, _ reason: DropReason, error: ProducerDiagnostic.Failure?) {
        let topic = self.queue.key.topic
        if part.count == 1, reason == .rejected || reason == .tooLarge, let index = part.ranges.first?.lowerBound {
            let rank = part.batch.mark(index).rank
            let record = RefusedRecord(part.batch.text(at: index), rank: rank, fields: self.context.fields)
            self.context.diagnostics(.recordRefused(topic: topic, reason: reason, record: record, failure: error))
        } else {
            self.context.diagnostics(
                .recordsDropped(topic: topic, reason: reason, count: part.count, failure: error)
            )
        }
        self.queue.settle(part, as: .dropped(reason), isInOrder: self.machine.isInOrder)
    }
}
