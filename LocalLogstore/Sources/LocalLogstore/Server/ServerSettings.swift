//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// How a local endpoint runs.
public struct ServerSettings: Sendable {
    /// The address to listen on.
    public var host: String = "127.0.0.1"

    /// The port to listen on; 0 for any that is free.
    public var port: Int = 8080

    /// The one project there is.
    ///
    /// A request names it by the first label of its host, `local.example.com`; one to an IP address or to a name
    /// without a dot cannot, and belongs to this project.
    public var project: String = "local"

    public var logstores: LogstorePolicy = .createOnFirstUse
    public var limits = TrackLimits()
    public var faults = FaultPlan.none

    public init() {}
}

/// Which logstores there are.
public enum LogstorePolicy: Sendable, Equatable {
    /// Every valid name is a logstore from the first request on.
    case createOnFirstUse
    /// Only these; others are answered 404.
    case only(Set<String>)
}

/// What a local endpoint tells about itself while it runs.
public enum ServerEvent: Sendable, Equatable {
    case listening(host: String, port: Int)
    /// A logstore was used for the first time.
    case logstoreCreated(String)
    /// A request was refused.
    case refused(ServiceError)
}
