// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Testing
import WebTrackingPlatform

/// Starts this binary with nothing but one test to run, and returns the process.
func spawn(_ test: String, environment: [String]) throws -> pid_t {
    var inherited: [String] = []
    var entry = environ
    while let text = entry.pointee {
        inherited.append(String(cString: text))
        entry += 1
    }
    let arguments = [CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", test]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in 1...2 {
        posix_spawn_file_actions_addopen(&actions, CInt(descriptor), "/dev/null", O_WRONLY, 0)
    }
    var child: pid_t = 0
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = (inherited + environment).map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    let code = posix_spawn(&child, "/proc/self/exe", &actions, nil, argv, envp)
    try #require(code == 0)
    return child
}
#endif
