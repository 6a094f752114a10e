// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The file descriptors that this process may still open (`ulimit -n`).
///
/// Dispatch and SwiftNIO end the process if they get no descriptor for a timer, a thread or an event loop. So a
/// producer checks beforehand that enough are left.
enum Descriptors {
    /// For Dispatch: an epoll, an event, timers of three clocks, and a file in /proc, which it reads when work waits
    /// for a thread.
    static let forDispatch = 6
    /// For a spool: the folder, its lock, and the file that is being made.
    static let forSpool = 3
    /// For this library's own transport: an event loop, a connection, the file that a name look-up reads, and one that
    /// Dispatch needs at times.
    static let forTransport = 6

    /// The number that are left. Stops counting at `enough`, so this takes few system calls if few are open.
    static func left(of limit: Int?, enough: Int) -> Int {
        guard let limit, let limit = CInt(exactly: limit) else { return enough }
        var left = 0
        // fcntl fails only for a number that is not open (man 2 fcntl: EBADF).
        for descriptor in 0..<limit where left < enough && fcntl(descriptor, F_GETFD) == -1 { left += 1 }
        return left
    }

    /// Throws if fewer than `needed` are left.
    static func check(needed: Int) throws(ConfigurationError) {
        let limit = FileSystem.openFilesLimit
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
    /// The descriptors that a producer needs before its first request.
    var neededDescriptors: Int {
        Descriptors.forDispatch + (self.durability == .memory ? 0 : Descriptors.forSpool)
    }
}
