// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The logstores of an endpoint, and whether they take anonymous logs at present.
public final class LogstoreRegistry: Sendable {
    private struct State {
        /// With their projects.
        var used: Set<[String]> = []
        var trackingOff: Set<String> = []
    }

    private let policy: LogstorePolicy
    private let state: Mutex<State>

    public init(policy: LogstorePolicy) {
        self.policy = policy
        self.state = Mutex(State())
    }

    /// The names of the logstores there are in some project, sorted.
    public var names: [String] {
        let used = self.state.withLock { state in Set(state.used.map { $0[1] }) }
        if case .only(let names) = self.policy { return names.union(used).sorted() }
        return used.sorted()
    }

    /// The names of the logstores of a project that are known before anything is stored, or have been used.
    func names(of project: String) -> Set<String> {
        if case .only(let names) = self.policy { return names }
        return self.state.withLock { state in Set(state.used.filter { $0[0] == project }.map { $0[1] }) }
    }

    /// Whether the logstores of one name take anonymous logs.
    func isTracking(_ logstore: String) -> Bool { self.state.withLock { !$0.trackingOff.contains(logstore) } }

    /// Finds a logstore to read from, which creates none. Throws as ``use(_:in:isSigned:)``.
    func check(_ name: String) throws(ServiceError) {
        guard Names.isLogstore(name) else {
            throw .parameterInvalid("\"\(name)\" is not a valid name of a logstore.")
        }
        if case .only(let names) = self.policy, !names.contains(name) { throw .logstoreNotExist(name) }
    }

    /// Switches web tracking on or off for the logstores of one name, as their owner can in the console. It is on to
    /// begin with.
    public func setTracking(_ isOn: Bool, for logstore: String) {
        self.state.withLock { state in
            if isOn {
                state.trackingOff.remove(logstore)
            } else {
                state.trackingOff.insert(logstore)
            }
        }
    }

    /// Finds the logstore for a request; `true` if it was created for it.
    ///
    /// Throws 400 for a name that no logstore can have, 404 for one that does not exist, and for an anonymous request 401
    /// where web tracking is off.
    func use(_ name: String, in project: String, isSigned: Bool = false) throws(ServiceError) -> Bool {
        guard Names.isLogstore(name) else {
            throw .parameterInvalid("\"\(name)\" is not a valid name of a logstore.")
        }
        let policy = self.policy
        let found: Result<Bool, ServiceError> = self.state.withLock { state in
            if !isSigned, state.trackingOff.contains(name) { return .failure(.trackingOff(name)) }
            if case .only(let names) = policy {
                // It was there before the request.
                return names.contains(name) ? .success(false) : .failure(.logstoreNotExist(name))
            }
            return .success(state.used.insert([project, name]).inserted)
        }
        return try found.get()
    }
}
