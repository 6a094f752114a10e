// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import NIOPosix
import SystemPackage

/// Reads files and the standard input one block after the other, without blocking the threads of Swift's concurrency.
struct InputReader {
    private static let blockSize = 256 * 1024

    private let descriptor: FileDescriptor
    private let ownsDescriptor: Bool

    /// The standard input.
    static var standardInput: InputReader { InputReader(descriptor: .standardInput, ownsDescriptor: false) }

    /// Opens a file; throws as ``next()`` does.
    init(path: String) async throws {
        self.init(
            descriptor: try await Self.unlessCancelled { try FileDescriptor.open(FilePath(path), .readOnly) },
            ownsDescriptor: true
        )
    }

    private init(descriptor: FileDescriptor, ownsDescriptor: Bool) {
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
    }

    /// The next bytes; empty at the end. Throws the system's error, and `CancellationError` as soon as the task is
    /// cancelled.
    func next() async throws -> [UInt8] {
        let descriptor = self.descriptor
        return try await Self.unlessCancelled {
            try [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
                count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// What `body` returns on a thread of its own. A cancelled task does not wait for it: nothing may ever come.
    private static func unlessCancelled<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let (values, continuation) = AsyncThrowingStream.makeStream(of: Value.self)
        Task {
            do {
                continuation.yield(try await NIOThreadPool.singleton.runIfActive(body))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        for try await value in values { return value }
        throw CancellationError()
    }

    func close() throws {
        if self.ownsDescriptor { try self.descriptor.close() }
    }
}
