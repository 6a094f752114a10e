// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOPosix

/// The event loops of the transport's own clients: those that all of SwiftNIO's users share, one for each core; or a single
/// one, where the process may not open enough files for those, or does not want them.
///
/// SwiftNIO ends the process if a loop cannot have its descriptors.
enum EventLoops {
    enum Choice: Equatable {
        case shared
        case one
        /// Not even one would do.
        case none
    }

    /// SwiftNIO opens three for a loop.
    static let descriptorsPerLoop = 3
    /// A connection, the file in which a name is looked up, and one that Dispatch needs at times.
    static let descriptorsForRequest = 3
    static let leastDescriptors = descriptorsPerLoop + descriptorsForRequest
    /// What is left for the rest of the program beside shared loops.
    static let spareDescriptors = 8

    private static let made = Lock<(any EventLoopGroup)?>(nil)

    /// Which loops are made with so many descriptors that are left; `shared` is how many the shared ones are, if they are
    /// allowed.
    static func choice(shared: Int?, left: Int) -> Choice {
        if let shared, left >= shared * self.descriptorsPerLoop + self.spareDescriptors { return .shared }
        return left >= self.leastDescriptors ? .one : .none
    }

    /// The loops, for all clients of this process. Throws ``TransportError`` where there can be none.
    static func group() throws -> any EventLoopGroup {
        try self.made.withLock { made in
            if let made { return made }
            let shared = NIOSingletons.singletonsEnabledSuggestion ? NIOSingletons.groupLoopCountSuggestion : nil
            let limit = Descriptors.limit
            let enough = (shared ?? 0) * self.descriptorsPerLoop + self.spareDescriptors
            let left = Descriptors.left(of: limit, enough: enough)
            let group: any EventLoopGroup
            switch self.choice(shared: shared, left: left) {
            case .shared: group = HTTPClient.defaultEventLoopGroup
            // As the shared ones, it is there for good.
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
