// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import WebTracking

/// One of the program's outputs, and what becomes of it.
final class ProgramStream {
    let name: String
    let channel: OutputChannel
    let backlog: SharedBacklog
    let pump: OutputPump
    private let shipper: StreamShipper
    private var shipping: Task<Void, Never>?

    init(
        _ name: String,
        _ channel: OutputChannel,
        to sink: FileDescriptor,
        _ turns: OutputTurns,
        _ backlog: SharedBacklog,
        _ shipper: StreamShipper,
        note: @escaping @Sendable (String) -> Void
    ) throws {
        self.name = name
        self.channel = channel
        self.backlog = backlog
        let clock = SystemProducerClock()
        self.pump = try OutputPump(from: channel.readEnd, to: sink, turns, backlog, note: note) { clock.wallTime() }
        self.shipper = shipper
    }

    /// Starts once the program has its own end.
    func start() {
        // Whatever it says, it is closed.
        try? self.channel.writeEnd.close()
        self.pump.start(self.name)
        self.shipping = Task { [shipper] in
            var shipper = shipper
            await shipper.run()
        }
    }

    /// Waits until all is passed on, or it is too late for that.
    ///
    /// - Parameters:
    ///   - lastRead: Until when to read what others write than the program.
    ///   - deadline: When to wait no longer for who reads our output.
    static func passOn(
        _ streams: [ProgramStream],
        lastRead: ContinuousClock.Instant,
        by deadline: ContinuousClock.Instant
    ) async {
        let pumps = streams.map(\.pump)
        for pump in pumps { pump.end(by: lastRead) }
        let limit = Task {
            guard (try? await ContinuousClock().sleep(until: deadline)) != nil else { return }
            for pump in pumps { pump.giveUp() }
        }
        for pump in pumps { await pump.wait() }
        limit.cancel()
    }

    /// Waits until all that was read is logged.
    func shipped() async { await self.shipping?.value }
}
