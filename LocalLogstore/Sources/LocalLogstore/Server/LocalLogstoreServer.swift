// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
public import ServiceLifecycle

/// A PutWebtracking endpoint that keeps what it accepts in a ``LogStore``, and shows it on a page.
///
/// Run it once, alone or in a `ServiceGroup`. On graceful shutdown it takes no new connections, answers the requests
/// it has, and returns.
public final class LocalLogstoreServer: Service {
    public let store: LogStore
    /// Switches web tracking of a logstore on and off while the endpoint runs.
    public let registry: LogstoreRegistry
    /// Who may send signed requests.
    public let accessKeys: AccessKeyRing

    /// How the endpoint misbehaves, which can be changed while it runs.
    public let rehearsal: Rehearsal

    private let settings: ServerSettings
    private let onEvent: @Sendable (ServerEvent) -> Void
    private let counters = ServerCounters()
    private let listening = ListeningPort()

    /// Creates an endpoint that does not listen yet.
    ///
    /// - Parameters:
    ///   - settings: How it runs. Throws 400 if a name in there is not valid.
    ///   - store: Where accepted logs go. It is the caller's to close.
    ///   - onEvent: Receives the server's events, on any thread.
    public init(
        settings: ServerSettings,
        store: LogStore,
        onEvent: @escaping @Sendable (ServerEvent) -> Void = { _ in }
    ) throws {
        guard Names.isProject(settings.project) else {
            throw ServiceError.parameterInvalid("\"\(settings.project)\" is not a valid name of a project.")
        }
        if case .only(let names) = settings.logstores, let bad = names.first(where: { !Names.isLogstore($0) }) {
            throw ServiceError.parameterInvalid("\"\(bad)\" is not a valid name of a logstore.")
        }
        if case .only(let names) = settings.projects, let bad = names.first(where: { !Names.isProject($0) }) {
            throw ServiceError.parameterInvalid("\"\(bad)\" is not a valid name of a project.")
        }
        if let problem = settings.rehearsal.problem { throw ServiceError.parameterInvalid(problem) }
        self.settings = settings
        self.store = store
        self.rehearsal = Rehearsal(settings.rehearsal)
        self.registry = LogstoreRegistry(policy: settings.logstores)
        self.accessKeys = AccessKeyRing(settings.accessKeys)
        self.onEvent = onEvent
        store.transactions.health.observe { change in
            switch change {
            case .failed(let failure): onEvent(.storeFailed(failure))
            case .recovered(let refused): onEvent(.storeRecovered(refused: refused))
            }
        }
    }

    /// What happened since the start.
    public var statistics: ServerStatistics { self.counters.snapshot }

    /// The port it listens on, once it does. Throws if it could not listen.
    public var port: Int {
        get async throws { try await self.listening.get() }
    }

    /// Serves until graceful shutdown or cancellation. Throws if the address cannot be listened on.
    public func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                // Ends with the other.
                tasks.addTask { try await self.prune() }
                try await self.application().run()
                tasks.cancelAll()
            }
            self.listening.settle(.failure(CancellationError()))
        } catch {
            let named = ServerError.named(error, host: self.settings.host, port: self.settings.port)
            self.listening.settle(.failure(named))
            throw named
        }
    }

    private func application() -> some ApplicationProtocol {
        let settings = self.settings
        return Application(
            responder: FrontDoor(routes: self.router().buildResponder()),
            server: HTTPServerBuilder { responder in
                EndpointChannel(
                    responder: responder,
                    configuration: HTTP1Channel.Configuration(idleTimeout: TimeAmount(settings.idleTimeout))
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                serverName: "local-logstore",
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)
            ),
            onServerRunning: { [listening, onEvent] channel in
                let port = channel.localAddress?.port ?? settings.port
                onEvent(.listening(host: settings.host, port: port))
                listening.settle(.success(port))
            },
            logger: Self.logger()
        )
    }

    private func router() -> Router<TrackContext> {
        let router = self.routes()
        OtherMethods.add(to: router)
        return router
    }

    /// All that is served, as `GET /api/logs/:id`.
    var served: [String] { self.routes().routes.map { "\($0.method.rawValue) \($0.path.description)" } }

    private func routes() -> Router<TrackContext> {
        let access = Access(policy: self.settings.access, host: self.settings.host)
        let router = Router(context: TrackContext.self)
        router.add(
            middleware: AnswerMiddleware(
                counters: self.counters,
                store: self.store,
                mode: self.settings.mode,
                onEvent: self.onEvent
            )
        )
        router.add(middleware: WebMiddleware(access: access))
        router.add(middleware: PathMiddleware(mode: self.settings.mode))
        let admission = Admission(
            project: self.settings.project,
            projects: self.settings.projects,
            registry: self.registry,
            onEvent: self.onEvent
        )
        self.addService(to: router, admission)
        let reading = ReadHandler(
            settings: self.settings,
            admission: admission,
            store: self.store,
            keys: self.accessKeys
        )
        reading.add(to: router)
        PageHandler.add(to: router, project: reading.project)
        self.addInterface(to: router, access)
        return router
    }

    private func addService(to router: Router<TrackContext>, _ admission: Admission) {
        let put = PutHandler(
            settings: self.settings,
            admission: admission,
            store: self.store,
            counters: self.counters,
            rehearsal: self.rehearsal
        )
        router.post("logstores/:logstore/track", use: put.handle)
        var signed = put
        signed.keys = self.accessKeys
        router.post("logstores/:logstore/shards/lb", use: signed.handle)
        // Undocumented: where the Go SDK sends, and browsers with the plugin for STS.
        if self.settings.mode == .compatible { router.post("logstores/:logstore", use: signed.handle) }
        signed.isRouted = true
        router.post("logstores/:logstore/shards/route", use: signed.handle)
        for form in GetHandler.Form.allCases {
            let get = GetHandler(
                form: form,
                settings: self.settings,
                admission: admission,
                store: self.store,
                counters: self.counters
            )
            router.get(RouterPath("logstores/:logstore/\(form.rawValue)"), use: get.handle)
        }
        if self.settings.mode == .compatible { CompatibilityRoutes.add(to: router) }
    }

    private func addInterface(to router: Router<TrackContext>, _ access: Access) {
        let status = StatusAPI(store: self.store, settings: self.settings, access: access)
        status.addSessions(to: router.group("api"))
        let api = router.group("api").add(middleware: AccessMiddleware(access: access))
        status.add(to: api)
        LogAPI(store: self.store).add(to: api)
        StatisticsAPI(store: self.store).add(to: api)
        TailAPI(store: self.store).add(to: api)
        DeliveryAPI(store: self.store).add(to: api)
        RehearsalAPI(rehearsal: self.rehearsal, access: access).add(to: api)
        ClearAPI(store: self.store, access: access, onEvent: self.onEvent).add(to: api)
    }

    /// Deletes what need not be kept, once a minute.
    private func prune() async throws {
        while !Task.isCancelled {
            // What goes wrong there, the store's health tells; and where nobody sends, that a file was removed.
            try? self.store.transactions.checkFiles()
            let deleted = (try? await self.store.prune(self.settings.retention)) ?? 0
            if deleted > 0 { self.onEvent(.pruned(logs: deleted)) }
            try await Task.sleep(for: .seconds(60))
        }
    }

    /// Not the application's logger: the endpoint may run in the process whose logs it receives.
    private static func logger() -> Logger {
        var logger = Logger(label: "local-logstore") {
            StreamLogHandler.standardError(label: $0, metadataProvider: nil)
        }
        logger.logLevel = .error
        return logger
    }
}
