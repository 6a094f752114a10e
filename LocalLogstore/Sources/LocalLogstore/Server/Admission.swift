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

/// Finds the project and the logstore that a request is for.
struct Admission: Sendable {
    let project: String
    let registry: LogstoreRegistry
    let onEvent: @Sendable (ServerEvent) -> Void

    /// The name of the logstore. Throws what the service answers if there is no such project or logstore, or if the
    /// logstore takes no anonymous logs.
    func logstore(of request: Request, context: TrackContext) throws(ServiceError) -> String {
        guard let host = request.head.authority, !host.isEmpty else {
            throw ServiceError(status: 400, code: "MissingHost", message: "The header Host is missing.")
        }
        if let project = ProjectHost.project(in: host), project != self.project {
            throw .projectNotExist(project)
        }
        let name = context.parameters.get("logstore") ?? ""
        if try self.registry.use(name) { self.onEvent(.logstoreCreated(name)) }
        return name
    }
}
