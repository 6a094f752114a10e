// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A process of this program in another role.
struct ChildProcess {
    let pid: pid_t

    /// Starts it; what it prints is appended to the file `output`.
    init(_ arguments: [String], output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: CInt in 1...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        let program = CommandLine.arguments[0]
        let argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, nil, argv, environ)
        guard code == 0 else { throw SystemFailure(call: "posix_spawn", code: code) }
        self.pid = pid
        Self.leaveNone
        Self.living.withLock { _ = $0.insert(pid) }
    }

    /// Those that have been started and not been waited for.
    private static let living = Mutex<Set<pid_t>>([])
    /// Whoever gives up half-way leaves none behind.
    private static let leaveNone: Void = {
        atexit { ChildProcess.living.withLock { for pid in $0 { sendSignal(pid, SIGKILL) } } }
    }()

    /// Kills it, and waits for its end; `false` if it had ended by itself.
    @discardableResult
    func kill() -> Bool {
        var status: CInt = 0
        // Once it has been waited for, its number may be another process's.
        guard Self.living.withLock({ $0.remove(self.pid) }) != nil else { return false }
        if waitpid(self.pid, &status, WNOHANG) == self.pid { return false }
        sendSignal(self.pid, SIGKILL)
        waitpid(self.pid, &status, 0)
        return true
    }

    /// Waits for its end for at most that many seconds; the code of its exit, or `nil` if it was killed or goes on.
    func wait(seconds: Double) -> CInt? {
        var status: CInt = 0
        var waited = 0.0
        while waitpid(self.pid, &status, WNOHANG) != self.pid {
            guard waited < seconds else { return nil }
            pause(seconds: 0.02)
            waited += 0.02
        }
        Self.living.withLock { _ = $0.remove(self.pid) }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }
}

private func sendSignal(_ pid: pid_t, _ signal: CInt) {
    kill(pid, signal)
}

/// Waits on the calling thread.
func pause(seconds: Double) {
    usleep(UInt32(seconds * 1_000_000))
}
