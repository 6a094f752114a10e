// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How a local endpoint runs.
public struct ServerSettings: Sendable {
    /// The address to listen on.
    public var host: String = "127.0.0.1"

    /// The port to listen on; 0 for any that is free.
    public var port: Int = 8080

    /// The project of requests that name none.
    ///
    /// A request names a project by the first label of its host, `local.example.com`; one to an IP address or to a name
    /// without a dot cannot, and belongs to this project.
    public var project: String = "local"

    /// Which projects there are besides.
    public var projects: ProjectPolicy = .only([])

    public var logstores: LogstorePolicy = .createOnFirstUse
    public var limits = TrackLimits()
    public var faults = FaultPlan.none
    public var mode: DecodingMode = .strict
    public var rehearsal = RehearsalSettings()
    public var access: AccessPolicy = .open

    /// The keys that requests to PutLogs, and to read logs, can be signed with; without any, no such request is taken.
    public var accessKeys: [AccessKey] = []

    public var retention = Retention()

    /// Connections beyond this wait until others are closed.
    public var maximumConnections = 1024

    /// A connection on which nothing arrives for so long is closed, unless it waits for an answer.
    public var idleTimeout: Duration = .seconds(120)

    public init() {}
}

/// Which projects there are besides the first.
public enum ProjectPolicy: Sendable, Equatable {
    /// Every valid name is a project.
    case any
    /// Only these; others are answered 404.
    case only(Set<String>)
}

/// Which clients may read.
public enum AccessPolicy: Sendable, Equatable {
    /// Every client that reaches the endpoint. Requests have to name it by an address or as localhost, so that no page
    /// of the web can reach it under a name of its own.
    case open
    /// Clients that send this token.
    case token(String)
}

/// Which logstores there are.
public enum LogstorePolicy: Sendable, Equatable {
    /// Every valid name is a logstore from the first request on.
    case createOnFirstUse
    /// Only these; others are answered 404.
    case only(Set<String>)
}

/// What a local endpoint reports about itself while it runs.
public enum ServerEvent: Sendable, Equatable {
    case listening(host: String, port: Int)
    /// A logstore was used for the first time.
    case logstoreCreated(String)
    /// So many old logs were deleted.
    case pruned(logs: Int)
    /// Somebody had logs removed.
    case cleared(Cleared)
    /// A request was refused.
    case refused(ServiceError)
    /// The store takes no logs any more. It is told once, and again if the reason changes.
    case storeFailed(StoreFailure)
    /// The store takes logs again, after so many requests that it refused.
    case storeRecovered(refused: Int)
}
