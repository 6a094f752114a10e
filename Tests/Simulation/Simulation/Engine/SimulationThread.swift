// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The thread that a simulation belongs to.
///
/// Everything that a simulated producer does has to happen on it. A task that got away to Swift's pool would run when it
/// likes, so whatever such a task could touch asks here and ends the process.
package struct SimulationThread: Sendable {
    private let identity: UInt

    /// The calling thread.
    package init() {
        self.identity = Self.current
    }

    #if canImport(Darwin)
    private static var current: UInt { UInt(bitPattern: pthread_self()) }
    #else
    private static var current: UInt { UInt(pthread_self()) }
    #endif

    /// Ends the process unless it is called on the simulation's own thread.
    @inline(__always)
    package func check() {
        precondition(Self.current == self.identity, "something has escaped from the simulation's executor")
    }

    /// Runs `body` on a new thread, which nothing but the body uses.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(body)).toOpaque()
        #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(&thread, nil, { runSimulationThread($0) }, start)
        precondition(result == 0, "no thread could be started")
        if let thread { pthread_detach(thread) }
        #else
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { runSimulationThread($0) }, start)
        precondition(result == 0, "no thread could be started")
        pthread_detach(thread)
        #endif
    }

    /// Runs `body` on a new thread and waits for its result.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            Self.start { continuation.resume(returning: body()) }
        }
    }

    fileprivate final class Start: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}

private func runSimulationThread(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let start { Unmanaged<SimulationThread.Start>.fromOpaque(start).takeRetainedValue().body() }
    return nil
}
