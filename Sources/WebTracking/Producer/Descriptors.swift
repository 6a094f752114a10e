// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The descriptors that this process may still open (`ulimit -n`).
///
/// Dispatch and SwiftNIO end the process where they get none for their timers, threads and event loops, so it is looked
/// beforehand.
enum Descriptors {
    /// Those of Dispatch: an epoll, an event, timers of three clocks, and a file in /proc for a look at its threads when work
    /// waits for one.
    static let forDispatch = 6
    /// The folder, its lock, and the file that is being made.
    static let forSpool = 3

    /// How many a process may have open; `nil` if there is no limit.
    static var limit: Int? {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    /// How many are left, counted as far as `enough`: a few system calls where few are open.
    static func left(of limit: Int?, enough: Int) -> Int {
        guard let limit, let limit = CInt(exactly: limit) else { return enough }
        var left = 0
        for descriptor in 0..<limit where left < enough && fcntl(descriptor, F_GETFD) == -1 { left += 1 }
        return left
    }

    /// Throws if fewer than `needed` are left.
    static func check(needed: Int) throws(ConfigurationError) {
        let limit = self.limit
        let left = self.left(of: limit, enough: needed)
        guard left < needed else { return }
        throw ConfigurationError(
            setting: "limit on open files",
            value: limit.map { "\($0)" } ?? "none",
            rule: "a producer takes \(needed) of the files that a process may have open, and \(left) are left",
            suggestion: "Raise the limit (ulimit -n, LimitNOFILE), or close files."
        )
    }
}

extension WebTrackingConfiguration {
    /// How many descriptors a producer takes before its first request.
    var neededDescriptors: Int {
        Descriptors.forDispatch + (self.durability == .memory ? 0 : Descriptors.forSpool)
    }
}
