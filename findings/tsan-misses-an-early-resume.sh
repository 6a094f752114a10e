#!/bin/bash
# The thread sanitizer does not see the order that a continuation makes which is resumed before its task waits for it.
#
# What a thread writes before it resumes a continuation happens before what the task does after its `await`. Swift's
# runtime tells the sanitizer so only where the task already waits. Where the thread is quicker than the task, which
# reaches the end of withCheckedContinuation's body later, a race is reported that is none; so it comes and goes with
# the load of the machine. A lock that both take is an order that the sanitizer sees.
#
# Seen with Swift 6.3.1 on Linux (Debian 12).
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
cat >"$work/main.swift" <<'END'
import Dispatch

final class Box: @unchecked Sendable { var value = 0 }
let queue = DispatchQueue(label: "worker")
let waited = DispatchSemaphore(value: 0)
let lock = DispatchSemaphore(value: 1)

/// Adds one on another thread, which resumes the task before it waits, or a moment after.
func add(to box: Box, _ way: String) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        queue.async {
            if way == "late" { _ = waited.wait(timeout: .now() + .milliseconds(20)) }
            box.value += 1
            if way == "lock" { lock.wait(); lock.signal() }
            continuation.resume()
        }
        // The sanitizer does not take a wait that times out for an order.
        if way != "late" { _ = waited.wait(timeout: .now() + .milliseconds(20)) }
    }
    if way == "lock" { lock.wait(); lock.signal() }
    box.value += 1
}

let way = CommandLine.arguments[1]
for _ in 0..<20 {
    let box = Box()
    await Task.detached { await add(to: box, way) }.value
    precondition(box.value == 2)
}
END
swiftc -swift-version 6 -sanitize=thread -o "$work/program" "$work/main.swift"

# reports WAY: how many kinds of race are reported.
reports() {
    "$work/program" "$1" >"$work/log" 2>&1 || true
    grep -c '^WARNING: ThreadSanitizer' "$work/log" || true
}
expect "reports where the task waits first" "$(reports late)" 0
expect "reports where the continuation is resumed first" "$(reports early)" 1
expect "the same with a lock that both take" "$(reports lock)" 0
