// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import WebTracking
package import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// A model of the service: shards with quotas, latency, and everything that goes wrong at its end or on the way there.
///
/// It gives answers in the form that the real one gives them. What it stores it tells the ``ServiceWatcher``.
///
/// Invariant (which makes it sendable): its state is touched on the simulation's thread alone.
package final class ServiceModel: @unchecked Sendable {
    package struct Settings: Sendable {
        package var shards = 4
        package var requestsPerSecond = 500.0
        package var bytesPerSecond = 5e6
        /// What every answer takes, and what it takes more on average.
        package var latency = Duration.milliseconds(5)
        package var meanExtraLatency = Duration.milliseconds(20)
        package var faults: [Fault] = []
        /// When the quotas become those of a healthy service.
        package var recovery: Duration?

        package init() {}
    }

    /// How a request ends.
    private enum Ending {
        case answer(TransportResponse)
        case failure(TransportError)
    }

    private struct Fate {
        var ending: Ending
        var stores = false
        var rejects = false
        var delay: Duration
        /// When it is stored, if that is told by the link and not by when it is answered.
        var storedAfter: Duration?
    }

    private let settings: Settings
    private let clock: VirtualClock
    private let watcher: any ServiceWatcher
    private var random: SeededGenerator
    private var shards: [Shard]
    private var lastID = 0
    /// Until when the link of each producer is busy with what it has been given, be it given up or not.
    private var busyUntil: [Int: Duration] = [:]
    private var hasRecovered = false

    package init(settings: Settings, clock: VirtualClock, watcher: any ServiceWatcher, random: SeededGenerator) {
        self.settings = settings
        self.clock = clock
        self.watcher = watcher
        self.random = random
        self.shards = (0..<settings.shards).map { _ in
            Shard(
                requestsPerSecond: settings.requestsPerSecond,
                bytesPerSecond: settings.bytesPerSecond,
                now: clock.now()
            )
        }
    }

    /// The way from one producer to the service.
    package func transport(for producer: Int) -> any WebTrackingTransport {
        Transport(service: self, producer: producer)
    }

    private struct Transport: WebTrackingTransport {
        let service: ServiceModel
        let producer: Int

        func send(_ request: TransportRequest) async throws -> TransportResponse {
            try await self.service.send(request, from: self.producer)
        }
    }

    private func send(_ request: TransportRequest, from producer: Int) async throws -> TransportResponse {
        self.lastID += 1
        let exchange = Exchange(id: self.lastID, producer: producer, request: request)
        self.watcher.began(exchange)
        let fate = self.fate(of: exchange)
        if fate.stores {
            // Somewhere between the request's arrival and the answer's departure.
            let delay = min(fate.delay, request.timeout)
            let half = Duration.nanoseconds(Int64(Double(delay.saturatedNanoseconds) * self.random.unit()))
            self.clock.schedule(after: fate.storedAfter ?? half) { self.watcher.stored(exchange) }
        }
        do {
            if fate.delay > request.timeout {
                try await self.clock.sleep(until: self.clock.now() + request.timeout)
                throw TransportError.timedOut
            }
            try await self.clock.sleep(until: self.clock.now() + fate.delay)
            switch fate.ending {
            case .failure(let error): throw error
            case .answer(let response):
                let isService = response.header("x-log-requestid") != nil
                self.watcher.ended(
                    exchange,
                    fate.rejects
                        ? .rejected
                        : response.status == 200 && isService
                            ? .delivered : .answered(response.status, byService: isService)
                )
                return response
            }
        } catch {
            let isTimeout = error as? TransportError == .timedOut
            self.watcher.ended(exchange, error is CancellationError ? .cancelled : isTimeout ? .timedOut : .noAnswer)
            throw error
        }
    }

    /// Decides what becomes of a request that comes now.
    private func fate(of exchange: Exchange) -> Fate {
        let now = self.clock.elapsed
        let request = exchange.request
        var delay = self.settings.latency + self.random.exponential(mean: self.settings.meanExtraLatency)
        for fault in self.settings.faults where fault.window.contains(now) && self.random.chance(fault.probability) {
            if case .slow(let extra) = fault.kind {
                delay += extra
            } else if case .link(let bytesPerSecond) = fault.kind {
                if let fate = self.carry(exchange, bytesPerSecond, delay: &delay) { return fate }
            } else if let fate = self.fate(of: exchange, fault.kind, delay: delay) {
                return fate
            }
        }
        if let recovery = self.settings.recovery, now >= recovery, !self.hasRecovered {
            self.hasRecovered = true
            self.shards = (0..<8).map { _ in
                Shard(requestsPerSecond: 500, bytesPerSecond: 5e6, now: self.clock.now())
            }
        }
        // A write without a hash key goes to any shard.
        let shard = self.random.index(self.shards.count)
        let size = exchange.rawSize
        guard self.shards[shard].take(size, at: self.clock.now()) else {
            let text = "Shard write quota exceed, shard: \(shard), bytes: \(request.body.count)"
            return Fate(
                ending: .answer(Answers.error(403, "ShardWriteQuotaExceed", text, id: exchange.id)),
                delay: delay
            )
        }
        return Fate(ending: .answer(Answers.delivered(id: exchange.id)), stores: true, delay: delay)
    }

    /// Takes a request over a slow link, after what it is busy with: `nil` if the request arrives within its time, and the
    /// delay with what the link takes.
    private func carry(_ exchange: Exchange, _ bytesPerSecond: Int, delay: inout Duration) -> Fate? {
        let now = self.clock.elapsed
        let start = max(self.busyUntil[exchange.producer] ?? now, now)
        let seconds = Double(exchange.request.body.count) / Double(bytesPerSecond)
        let end = start + .nanoseconds(Int64(seconds * 1e9))
        delay += end - now
        guard delay > exchange.request.timeout else {
            self.busyUntil[exchange.producer] = end
            return nil
        }
        // What was given up may be on its way all the same, and be stored when nobody waits for it.
        let goesOn = self.random.chance(0.5) && end - now < .seconds(120)
        self.busyUntil[exchange.producer] = goesOn ? end : max(start, min(end, now + exchange.request.timeout))
        return Fate(
            ending: .failure(.timedOut),
            stores: goesOn,
            delay: exchange.request.timeout + .seconds(1),
            storedAfter: goesOn ? end - now : nil
        )
    }

    /// Whether one of the records is poison.
    private func isPoisoned(_ exchange: Exchange, _ modulus: Int) -> Bool {
        guard let request = try? RecordedRequest(exchange.request) else { return false }
        return request.logs.contains { log in
            log["n"].flatMap { Int($0) }.map { Fault.isPoison(record: $0, modulus) } ?? false
        }
    }

    private func fate(of exchange: Exchange, _ kind: Fault.Kind, delay: Duration) -> Fate? {
        let id = exchange.id
        let size = exchange.rawSize
        switch kind {
        case .refused: return Fate(ending: .failure(.connectionFailed("refused")), delay: .milliseconds(1))
        case .hang(let stores):
            return Fate(ending: .failure(.timedOut), stores: stores, delay: exchange.request.timeout + .seconds(1))
        case .lostAnswer: return Fate(ending: .failure(.connectionFailed("reset")), stores: true, delay: delay)
        case .unavailable:
            let isBusy = self.random.chance(0.5)
            let answer = Answers.error(
                isBusy ? 503 : 500,
                isBusy ? "ServerBusy" : "InternalServerError",
                "The server is busy.",
                id: id
            )
            return Fate(ending: .answer(answer), delay: delay)
        case .badGateway: return Fate(ending: .answer(Answers.page(502)), delay: delay)
        case .portal: return Fate(ending: .answer(Answers.page(200)), delay: delay)
        case .unauthorized:
            let text = "denied by sts or ram, web tracking api is not enabled"
            return Fate(ending: .answer(Answers.error(401, "Unauthorized", text, id: id)), delay: delay)
        case .notFound:
            let text = "logstore app does not exist"
            return Fate(ending: .answer(Answers.error(404, "LogStoreNotExist", text, id: id)), delay: delay)
        case .projectQuota:
            let text = "Project write quota exceed: inflow, limit 1073741824"
            return Fate(ending: .answer(Answers.error(403, "WriteQuotaExceed", text, id: id)), delay: delay)
        case .retryAfter(let pause, let asDate):
            var answer = Answers.error(503, "ServerBusy", "The server is busy.", id: id)
            let seconds = pause.saturatedNanoseconds / 1_000_000_000
            let value = asDate ? HTTPDate.text(self.clock.wallTime() + pause.saturatedNanoseconds) : String(seconds)
            answer.headers.append((name: "Retry-After", value: value))
            return Fate(ending: .answer(answer), delay: delay)
        case .bodyLimit(let limit, let status):
            guard size > limit else { return nil }
            let text = "Body size \(size) must little than \(limit)"
            return Fate(ending: .answer(Answers.error(status, "PostBodyTooLarge", text, id: id)), delay: delay)
        case .proxyLimit(let limit):
            // It sees what goes over the wire.
            return exchange.request.body.count > limit ? Fate(ending: .answer(Answers.page(413)), delay: delay) : nil
        case .malformed:
            let text = "The request body is not valid JSON object."
            return Fate(
                ending: .answer(Answers.error(400, "PostBodyInvalid", text, id: id)),
                rejects: true,
                delay: delay
            )
        case .poison(let modulus, let byService):
            guard self.isPoisoned(exchange, modulus) else { return nil }
            guard byService else { return Fate(ending: .answer(Answers.page(403)), delay: delay) }
            let text = "The count of keys is over the limit."
            return Fate(
                ending: .answer(Answers.error(400, "PostBodyInvalid", text, id: id)),
                rejects: true,
                delay: delay
            )
        case .forbidden: return Fate(ending: .answer(Answers.page(403)), delay: delay)
        case .slow, .link: return nil
        }
    }
}

/// One request on its way.
package struct Exchange: Sendable {
    /// From 1 on, in the order in which requests were begun.
    package var id: Int
    package var producer: Int
    package var request: TransportRequest

    /// The size of the body before compression, as the request announces it.
    package var rawSize: Int { self.request.header("x-log-bodyrawsize").flatMap { Int($0) } ?? 0 }
}

/// How a request ended, as its sender sees it.
package enum ExchangeEnding: Sendable, Equatable {
    /// The service has the records.
    case delivered
    /// The service refuses the records for good.
    case rejected
    /// Any other answer, with this status, of the service or of something in between.
    case answered(Int, byService: Bool)
    case noAnswer
    /// No answer within the time of a request.
    case timedOut
    case cancelled
}

/// Is told of all requests.
package protocol ServiceWatcher: AnyObject {
    func began(_ exchange: Exchange)
    /// The service has the records now.
    func stored(_ exchange: Exchange)
    func ended(_ exchange: Exchange, _ ending: ExchangeEnding)
}
