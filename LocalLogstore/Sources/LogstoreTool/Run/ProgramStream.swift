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
        _ backlog: SharedBacklog,
        _ shipper: StreamShipper
    ) throws {
        self.name = name
        self.channel = channel
        self.backlog = backlog
        let clock = SystemProducerClock()
        self.pump = try OutputPump(from: channel.readEnd, to: sink, backlog) { clock.wallTime() }
        self.shipper = shipper
    }

    /// Starts once the program has its own end.
    func start() throws {
        try self.channel.writeEnd.close()
        self.pump.start(self.name)
        self.shipping = Task { [shipper] in
            var shipper = shipper
            await shipper.run()
        }
    }

    /// Waits until all that was read is logged.
    func shipped() async { await self.shipping?.value }
}
