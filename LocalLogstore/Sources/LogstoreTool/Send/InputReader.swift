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

    /// Opens a file; throws the system's error.
    init(path: String) throws {
        self.init(descriptor: try FileDescriptor.open(FilePath(path), .readOnly), ownsDescriptor: true)
    }

    private init(descriptor: FileDescriptor, ownsDescriptor: Bool) {
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
    }

    /// The next bytes; empty at the end. Throws the system's error.
    func next() async throws -> [UInt8] {
        let descriptor = self.descriptor
        return try await NIOThreadPool.singleton.runIfActive {
            try [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
                count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    func close() throws {
        if self.ownsDescriptor { try self.descriptor.close() }
    }
}
