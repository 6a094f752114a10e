// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

import struct WebTracking.WebTrackingLogHandler

/// Does with an event what every handler that keeps the error has to: asks for its type's name and for its description.
struct DescribingLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let error = event.error else { return }
        Self.take(String(reflecting: type(of: error)))
        Self.take("\(error)")
    }

    @inline(never)
    private static func take(_ text: String) {}
}

/// This library's handler with a fault, to see that the gates find it.
struct FaultyLogHandler: LogHandler {
    enum Fault {
        /// One record in 20,000 allocates once.
        case allocation
        /// Each record takes a few hundred instructions more.
        case instructions
    }

    private var handler: WebTrackingLogHandler
    private let fault: Fault
    private let events = Events()

    init(_ handler: WebTrackingLogHandler, fault: Fault) {
        self.handler = handler
        self.fault = fault
    }

    var logLevel: Logger.Level {
        get { self.handler.logLevel }
        set { self.handler.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { self.handler.metadata }
        set { self.handler.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { self.handler.metadataProvider }
        set { self.handler.metadataProvider = newValue }
    }
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.handler[metadataKey: key] }
        set { self.handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        switch self.fault {
        case .allocation:
            // In the middle of a batch.
            if self.events.next() % 20_000 == 12_345 { Self.allocate() }
        case .instructions:
            for _ in 0..<100 { _ = self.events.next() }
        }
        self.handler.log(event: event)
    }

    @inline(never)
    private static func allocate() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 40, alignment: 8)
        withExtendedLifetime(memory) {}
        memory.deallocate()
    }

    private final class Events: Sendable {
        private let count = Atomic<Int>(-1)
        func next() -> Int { self.count.add(1, ordering: .relaxed).newValue }
    }
}
