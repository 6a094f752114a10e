// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import ServiceLifecycle
import UnixSignals
import WebTracking

/// The service: what it consists of, and in which order its parts stop.
struct OrderService {
    let counter = RequestCounter()
    private let group: ServiceGroup

    /// Puts the parts together. Logging has to be bootstrapped by now.
    init(settings: Settings, producer: WebTrackingProducer, signals: [UnixSignal] = [.sigterm, .sigint]) {
        let store = OrderStore()
        let server = Application(
            router: OrderRoutes.router(store: store, counter: self.counter),
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { BoundAddress(portFile: settings.portFile).announce($0) },
            logger: Logger(label: "http.server")
        )
        var services: [any Service] = [producer]
        if let file = settings.file {
            services.append(WebTrackingSettingsService(producer: producer, file: file, every: .milliseconds(250)))
        }
        services += [ClosingReport(store: store), FailureLog(base: server)] as [any Service]
        // Services stop in reverse order, each after the one before has ended. The producer is first, and so it is the
        // last to stop: what the others log while they stop is delivered, too.
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: signals,
            logger: Logger(label: "service.group")
        )
        // A request that never ends is cancelled in time for the producer's flush before the process is killed, which
        // orchestrators do after 30 seconds.
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        self.group = ServiceGroup(configuration: configuration)
    }

    /// Serves until a signal comes.
    func run() async throws {
        try await self.group.run()
    }

    /// Stops as a signal does.
    func stop() async {
        await self.group.triggerGracefulShutdown()
    }
}
