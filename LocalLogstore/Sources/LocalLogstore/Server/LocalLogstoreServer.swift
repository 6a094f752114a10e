//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Hummingbird
import Logging
import NIOCore
public import ServiceLifecycle

/// A strict PutWebtracking endpoint that keeps what it accepts in a ``LogStore``.
///
/// Run it once, alone or in a `ServiceGroup`. On graceful shutdown it takes no new connections, answers the requests
/// it has, and returns.
public final class LocalLogstoreServer: Service {
    public let store: LogStore
    /// Switches web tracking of a logstore on and off while the endpoint runs.
    public let registry: LogstoreRegistry

    private let settings: ServerSettings
    private let onEvent: @Sendable (ServerEvent) -> Void
    private let counters = ServerCounters()
    private let listening = ListeningPort()

    /// Creates an endpoint that does not listen yet.
    ///
    /// - Parameters:
    ///   - settings: How it runs. Throws 400 if a name in there is not valid.
    ///   - store: Where accepted logs go. It is the caller's to close.
    ///   - onEvent: Is told what happens, from any thread.
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
        self.settings = settings
        self.store = store
        self.registry = LogstoreRegistry(policy: settings.logstores)
        self.onEvent = onEvent
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
            try await self.application().run()
            self.listening.settle(.failure(CancellationError()))
        } catch {
            self.listening.settle(.failure(error))
            throw error
        }
    }

    private func application() -> some ApplicationProtocol {
        let settings = self.settings
        return Application(
            router: self.router(),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                serverName: "local-logstore"
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
        let router = Router(context: TrackContext.self)
        router.add(middleware: AnswerMiddleware(counters: self.counters, onEvent: self.onEvent))
        let admission = Admission(project: self.settings.project, registry: self.registry, onEvent: self.onEvent)
        let put = PutHandler(
            settings: self.settings,
            admission: admission,
            store: self.store,
            counters: self.counters
        )
        router.post("logstores/:logstore/track", use: put.handle)
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
        return router
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
