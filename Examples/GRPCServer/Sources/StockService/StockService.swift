// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import ServiceLifecycle
import UnixSignals
import WebTracking

/// The service: what it consists of, and in which order its parts stop.
struct StockService {
    private let group: ServiceGroup

    /// Puts the parts together. Logging has to be bootstrapped by now.
    init(settings: Settings, producer: WebTrackingProducer) {
        let room = StockRoom(["tea": 10, "coffee": 5])
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: settings.host, port: settings.port),
                transportSecurity: .plaintext
            ),
            services: [StockRPC(room: room)],
            interceptors: [CallLog()]
        )
        // Services stop in reverse order, each after the one before has ended. The producer is first, and so it is the
        // last to stop: what the others log while they stop is delivered, too.
        var configuration = ServiceGroupConfiguration(
            services: [producer, StockTaking(room: room), CallServer(server: server)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "service.group")
        )
        // Calls that never end are cancelled in time for the producer's flush before the process is killed, which
        // orchestrators do after 30 seconds.
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        self.group = ServiceGroup(configuration: configuration)
    }

    /// Serves until a signal comes.
    func run() async throws {
        try await self.group.run()
    }
}
