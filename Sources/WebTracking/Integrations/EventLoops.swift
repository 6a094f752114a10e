// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOPosix

/// The event loops of the transport's own clients. Normally these are SwiftNIO's shared loops, one for each core. If
/// the process may not open enough files for them, or has switched them off, it is a single loop.
///
/// SwiftNIO ends the process if a loop cannot have its descriptors.
enum EventLoops {
    enum Choice: Equatable {
        case shared
        case one
        /// There are not even enough files for one.
        case none
    }

    /// The descriptors that SwiftNIO opens for a loop.
    static let descriptorsPerLoop = 3
    /// A connection, the file that a name look-up reads, and one that Dispatch needs at times.
    static let descriptorsForRequest = 3
    static let leastDescriptors = descriptorsPerLoop + descriptorsForRequest
    /// The descriptors that stay free for the rest of the program beside shared loops.
    static let spareDescriptors = 8

    private static let made = Lock<(any EventLoopGroup)?>(nil)

    /// Chooses loops for the number of descriptors that are left. `shared` is the number of shared loops; `nil` if they
    /// are switched off.
    static func choice(shared: Int?, left: Int) -> Choice {
        if let shared, left >= shared * self.descriptorsPerLoop + self.spareDescriptors { return .shared }
        return left >= self.leastDescriptors ? .one : .none
    }

    /// The loops for all clients of this process. Throws ``TransportError`` if there are not enough descriptors.
    static func group() throws -> any EventLoopGroup {
        try self.made.withLock { made in
            if let made { return made }
            let shared = NIOSingletons.singletonsEnabledSuggestion ? NIOSingletons.groupLoopCountSuggestion : nil
            let limit = FileSystem.openFilesLimit
            let enough = (shared ?? 0) * self.descriptorsPerLoop + self.spareDescriptors
            let left = Descriptors.left(of: limit, enough: enough)
            let group: any EventLoopGroup
            switch self.choice(shared: shared, left: left) {
            case .shared: group = HTTPClient.defaultEventLoopGroup
            // Like the shared ones, it is never shut down.
            case .one: group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            case .none:
                throw TransportError.connectionFailed(
                    "a connection takes \(self.leastDescriptors) of the files that this process may have open (ulimit -n"
                        + " \(limit ?? 0)), and \(left) are left"
                )
            }
            made = group
            return group
        }
    }
}

#endif
