// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore

/// Why an endpoint does not run.
public enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another program listens there.
    case portInUse(host: String, port: Int)
    /// The address is none of this machine's, or may not be listened on.
    case cannotListen(host: String, port: Int, reason: String)

    /// The error in these terms; as it is if it is about something else.
    static func named(_ error: any Error, host: String, port: Int) -> any Error {
        if let error = error as? IOError {
            if error.errnoCode == EADDRINUSE { return Self.portInUse(host: host, port: port) }
            return Self.cannotListen(host: host, port: port, reason: String(cString: strerror(error.errnoCode)))
        }
        if error is SocketAddressError {
            return Self.cannotListen(host: host, port: port, reason: "the name has no address")
        }
        return error
    }

    public var description: String {
        switch self {
        case .portInUse(_, let port):
            "port \(port) is in use, perhaps by another \"webtracking serve\"; choose another with --port, or 0 for any"
        case .cannotListen(let host, let port, let reason):
            "cannot listen on \(host), port \(port): \(reason)"
        }
    }
}
