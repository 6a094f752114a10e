// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A thread of the system's own: what logs is not one of the delivering pool's threads.
struct WorkThread: ~Copyable {
    private final class Body {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    #if canImport(Darwin)
    private var handle: pthread_t?
    #else
    private var handle = pthread_t()
    #endif

    init(_ run: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(run: run)).toOpaque()
        let status = pthread_create(&self.handle, nil, workThreadMain, context)
        precondition(status == 0, "no thread")
    }

    /// Waits for its end.
    consuming func join() {
        #if canImport(Darwin)
        if let handle = self.handle { pthread_join(handle, nil) }
        #else
        pthread_join(self.handle, nil)
        #endif
    }

    fileprivate static func run(_ context: UnsafeMutableRawPointer) {
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
    }
}

#if canImport(Darwin)
private func workThreadMain(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    WorkThread.run(context)
    return nil
}
#else
private func workThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { WorkThread.run(context) }
    return nil
}
#endif
