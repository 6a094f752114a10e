// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import Dispatch
import Logging
import Synchronization
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A producer and what is done with it.
final class Session: Sendable {
    private let producer: WebTrackingProducer
    private let isRecursive: Bool
    private let logged = Atomic(0)

    /// Throws what the library says about the settings.
    init(options: [String]) throws {
        func value(_ name: String) -> String? {
            options.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.utf8.count + 3)) }
        }
        var configuration = try WebTrackingConfiguration(
            config: ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "webtracking")
        )
        // Further ways to give an AccessKey, beside the keys of the configuration.
        let region = "cn-hangzhou"
        switch value("credentials") {
        case "static":
            configuration.authentication = .signed(credentials: ProbeCredentials().value, region: region)
        case "provider":
            configuration.authentication = .signed(credentials: ProbeCredentials(), region: region)
        case "environment":
            configuration.authentication = .signed(credentials: EnvironmentCredentials(), region: region)
        default: break
        }
        switch value("transport") {
        case "refusing":
            self.producer = try WebTrackingProducer(configuration: configuration, transport: RefusingTransport())
        case let path? where path.hasPrefix("/"):
            let transport = try NDJSONTransport(path: path)
            self.producer = try WebTrackingProducer(configuration: configuration, transport: transport)
        default:
            self.producer = try WebTrackingProducer(configuration: configuration)
        }
        self.isRecursive = options.contains("--recursive")
    }

    func run(_ command: Command) {
        switch command.name {
        case "log": self.log(command)
        case "statistics": Output.event("statistics", Output.members(of: self.producer.statistics))
        case "wait": sleep(for: command.seconds())
        case "await": self.await(path: command.text() ?? "", limit: .seconds(600))
        case "settle": self.settle(within: command.seconds())
        case "flush":
            self.report("flush") { producer in await producer.flush(timeout: command.seconds()) }
        case "shutdown":
            self.report("shutdown") { producer in await producer.shutdown(timeout: command.seconds()) }
        case "sync-shutdown":
            let start = ContinuousClock.now
            let report = self.producer.syncShutdown(timeout: command.seconds())
            Output.event("shutdown", self.members(of: report, since: start))
        case "block": self.blockPool(for: command.seconds())
        case "fork": self.fork(command)
        case "die": kill(getpid(), SIGKILL)
        default:
            Output.event("refused", [("reason", "unknown command \(command.name)")])
            exit(2)
        }
    }

    // MARK: Logging

    /// `count` records of `bytes` random bytes, `rate` a second, with `topics` labels by turns, from `threads` at once.
    private func log(_ command: Command) {
        let threads = command.number("threads") ?? 1
        let start = ContinuousClock.now
        let longest = Mutex(Duration.zero)
        let done = DispatchGroup()
        for thread in 1..<max(threads, 2) where threads > 1 {
            done.enter()
            Thread.start {
                let time = self.logOnThread(command, seed: UInt64(thread))
                longest.withLock { $0 = max($0, time) }
                done.leave()
            }
        }
        let time = self.logOnThread(command, seed: 0)
        done.wait()
        longest.withLock { $0 = max($0, time) }
        Output.event(
            "logged",
            [
                ("count", self.logged.load(ordering: .relaxed)), ("longest", longest.withLock { $0 }),
                ("elapsed", ContinuousClock.now - start),
            ]
        )
    }

    /// Returns the time of the longest call.
    private func logOnThread(_ command: Command, seed: UInt64) -> Duration {
        let loggers = (0..<(command.number("topics") ?? 1)).map { self.logger(label: "topic-\($0)") }
        let bytes = command.number("bytes") ?? 100
        let interval = command.number("rate").map { Duration.seconds(1) / $0 }
        let word = command.atRecord("word")
        let fields = command.atRecord("fields")
        let large = command.atRecord("large")
        var text = RandomText(seed: seed &+ UInt64(getpid()))
        let start = ContinuousClock.now
        var longest = Duration.zero
        for index in 0..<(command.number("count") ?? 100) {
            if let interval { sleep(for: start + interval * index - .now) }
            let number = self.logged.add(1, ordering: .relaxed).oldValue
            var message = "\(command.text("name") ?? "line") \(number) "
            if let word, word.record == index { message += word.what + " " }
            let size = large.flatMap { $0.record == index ? Int($0.what) : nil } ?? bytes
            message += text.next(count: size - message.utf8.count)
            var metadata = Logger.Metadata()
            if let fields, fields.record == index {
                for field in 0..<(Int(fields.what) ?? 0) { metadata["field-\(field)"] = "\(field)" }
            }
            let before = ContinuousClock.now
            loggers[index % loggers.count].info("\(message)", metadata: metadata)
            longest = max(longest, ContinuousClock.now - before)
        }
        return longest
    }

    private func logger(label: String) -> Logger {
        guard self.isRecursive else { return Logger(label: label, factory: self.producer.makeLogHandler(label:)) }
        let inner = Mutex<Logger?>(nil)
        let box = Box(inner)
        let provider = Logger.MetadataProvider {
            box.value.withLock { $0 }?.info("from inside of the provider")
            return ["provided": "yes"]
        }
        let logger = Logger(label: label) { self.producer.makeLogHandler(label: $0, metadataProvider: provider) }
        box.value.withLock { $0 = logger }
        return logger
    }

    // MARK: The end

    private func report(_ name: String, _ body: @escaping @Sendable (WebTrackingProducer) async -> DeliveryReport) {
        let start = ContinuousClock.now
        let result = Box(Mutex<DeliveryReport?>(nil))
        let done = DispatchSemaphore(value: 0)
        Task {
            let report = await body(self.producer)
            result.value.withLock { $0 = report }
            done.signal()
        }
        done.wait()
        guard let report = result.value.withLock({ $0 }) else { return }
        Output.event(name, self.members(of: report, since: start))
    }

    private func members(of report: DeliveryReport, since start: ContinuousClock.Instant) -> [(String, Any)] {
        Output.members(of: report) + [("text", report.description), ("elapsed", ContinuousClock.now - start)]
    }

    /// Waits until nothing is pending.
    private func settle(within limit: Duration) {
        let start = ContinuousClock.now
        while self.producer.statistics.pending > 0, ContinuousClock.now - start < limit {
            sleep(for: .milliseconds(20))
        }
        Output.event("settled", [("elapsed", ContinuousClock.now - start)])
    }

    private func await(path: String, limit: Duration) {
        let start = ContinuousClock.now
        while access(path, F_OK) != 0, ContinuousClock.now - start < limit { sleep(for: .milliseconds(20)) }
    }

    /// Keeps all of Swift's threads from running anything else, and comes back once they are.
    private func blockPool(for time: Duration) {
        let running = Box(Atomic(0))
        let count = 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        for _ in 0..<count {
            Task.detached {
                running.value.add(1, ordering: .relaxed)
                sleep(for: time)
            }
        }
        sleep(for: .milliseconds(300))
        Output.event("blocked", [("threads", running.value.load(ordering: .relaxed))])
    }

    /// The child logs `count` records, shuts down within `shutdown` seconds, and leaves; the parent waits for that.
    private func fork(_ command: Command) {
        // Swift does not let anybody call it by its name.
        typealias Fork = @convention(c) () -> pid_t
        guard let symbol = dlsym(nil, "fork") else { exit(2) }
        let child = unsafeBitCast(symbol, to: Fork.self)()
        if child == 0 {
            alarm(20)
            self.log(command)
            Output.event("child", Output.members(of: self.producer.statistics))
            if command.text("shutdown") != nil {
                let start = ContinuousClock.now
                let report = self.producer.syncShutdown(timeout: command.seconds("shutdown"))
                Output.event("child-shutdown", self.members(of: report, since: start))
            }
            _exit(0)
        }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        Output.event("forked", [("status", Int(status))])
    }
}

/// Something that is not copied, to be shared.
private final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}

/// A transport that loads no library and gets no answer.
private struct RefusingTransport: WebTrackingTransport {
    func send(_ request: TransportRequest) async throws -> TransportResponse {
        throw TransportError.connectionFailed("nobody there")
    }
}

/// An AccessKey from the environment, under names that the library does not know.
private struct ProbeCredentials: WebTrackingCredentialsProvider {
    let value: WebTrackingCredentials

    init() {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        self.value = WebTrackingCredentials(
            accessKeyID: variable("PROBE_KEY_ID") ?? "",
            accessKeySecret: variable("PROBE_KEY_SECRET") ?? ""
        )
    }

    func credentials() async throws -> WebTrackingCredentials { self.value }
}

/// Text that no compression makes smaller.
private struct RandomText {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-".utf8)
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next(count: Int) -> String {
        String(unsafeUninitializedCapacity: max(0, count)) { buffer in
            for index in buffer.indices {
                self.state ^= self.state << 13
                self.state ^= self.state >> 7
                self.state ^= self.state << 17
                buffer[index] = Self.letters[Int(self.state >> 33 & 63)]
            }
            return max(0, count)
        }
    }
}

/// Threads without Foundation.
private enum Thread {
    static func start(_ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "probe").async(execute: body)
    }
}

private func sleep(for time: Duration) {
    let end = ContinuousClock.now + time
    // Signals end a sleep early.
    while true {
        let rest = end - .now
        guard rest > .zero else { return }
        let parts = rest.components
        var request = timespec(tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
        nanosleep(&request, nil)
    }
}
