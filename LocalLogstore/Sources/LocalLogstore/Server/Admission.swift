// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Finds the project and the logstore that a request is for.
struct Admission: Sendable {
    let project: String
    let projects: ProjectPolicy
    let registry: LogstoreRegistry
    let onEvent: @Sendable (ServerEvent) -> Void

    /// Longer names are cut in the list of deliveries. Real names are shorter.
    private static let longestNote = 128

    struct Place: Sendable {
        var project: String
        var logstore: String
    }

    /// Where the logs of a request belong. Throws what the service answers if there is no such project or logstore, or if
    /// the logstore takes no anonymous logs.
    func place(
        of request: Request,
        context: TrackContext,
        isSigned: Bool = false
    ) throws(ServiceError) -> Place {
        let name = context.parameters.get("logstore") ?? ""
        let project = try self.name(in: request)
        // Also of what is refused: a name that is not right is the commonest mistake.
        context.draft.update {
            $0.project = String(project.prefix(Self.longestNote))
            $0.logstore = String(name.prefix(Self.longestNote))
        }
        guard self.exists(project) else { throw .projectNotExist(project) }
        if try self.registry.use(name, in: project, isSigned: isSigned) { self.onEvent(.logstoreCreated(name)) }
        return Place(project: project, logstore: name)
    }

    /// The project that a request is for. Throws what the service answers if there is none.
    func project(of request: Request) throws(ServiceError) -> String {
        let project = try self.name(in: request)
        guard self.exists(project) else { throw .projectNotExist(project) }
        return project
    }

    /// The logstore that a request reads from. Throws what the service answers if there is none.
    func readPlace(of request: Request, context: TrackContext) throws(ServiceError) -> Place {
        let place = Place(project: try self.project(of: request), logstore: context.parameters.get("logstore") ?? "")
        try self.registry.check(place.logstore)
        return place
    }

    private func name(in request: Request) throws(ServiceError) -> String {
        guard let host = request.head.authority, !host.isEmpty else {
            throw ServiceError(status: 400, code: "MissingHost", message: "The header Host is missing.")
        }
        return ProjectHost.project(in: host) ?? self.project
    }

    private func exists(_ project: String) -> Bool {
        if project == self.project { return true }
        return switch self.projects {
        case .any: Names.isProject(project)
        case .only(let names): names.contains(project)
        }
    }
}
