#!/bin/bash
# On Linux, a program that Foundation's Process starts from a Swift task has nearly all signals blocked, so that
# terminate() does not end it.
#
# The threads that run tasks are Dispatch's, which block signals; a child inherits the mask of the thread that starts it
# (man 7 signal), and Process does not reset it. From the main thread of the same program the child has none blocked.
# Programs that set their own mask do not notice; sleep, or nginx without a master process, run on after terminate(), and
# waitUntilExit() waits for ever. SIGKILL ends them.
#
# Seen with Swift 6.3.1 on Linux (Debian 12).
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
cat >"$work/main.swift" <<'END'
import Foundation

func child(_ arguments: [String]) throws -> (process: Process, output: Pipe) {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    return (process, output)
}

/// Whether SIGTERM is blocked in a child, and what became of one a second after it was told to end.
func look() throws -> String {
    let (first, output) = try child(["sed", "-n", "s/^SigBlk:[^0-9a-f]*//p", "/proc/self/status"])
    first.waitUntilExit()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let mask = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines), radix: 16) ?? 0
    let (second, _) = try child(["sleep", "20"])
    second.terminate()
    let deadline = Date() + 1
    while second.isRunning, Date() < deadline { usleep(10_000) }
    let state = second.isRunning ? "runs on" : "has ended"
    kill(second.processIdentifier, SIGKILL)
    return "SIGTERM \(mask >> 14 & 1 == 1 ? "blocked" : "not blocked"), the child \(state)"
}

print(try CommandLine.arguments[1] == "task" ? await Task.detached { try look() }.value : look())
END
swiftc -swift-version 6 -o "$work/program" "$work/main.swift"
expect "from the main thread" "$("$work/program" main)" "SIGTERM not blocked, the child has ended"
expect "from a task" "$("$work/program" task)" "SIGTERM blocked, the child runs on"
