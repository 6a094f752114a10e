// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import LogstoreTool

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("The standard error that nobody reads")
struct ErrorOutputTests {
    @Test func aFullPipeHoldsUpNobodyAndTakesSoMuchAndNoMore() throws {
        let (reading, writing) = try FileDescriptor.pipe()
        defer { try? reading.close() }
        let flags = fcntl(writing.rawValue, F_GETFL)
        _ = fcntl(writing.rawValue, F_SETFL, flags | O_NONBLOCK)
        while (try? writing.writeAll("~".utf8)) != nil {}
        _ = fcntl(writing.rawValue, F_SETFL, flags)
        let output = ErrorOutput(writing)
        #expect((0..<100).filter { _ in output.write("line\n") }.count == 64)
        #expect(!output.write("progress", isTransient: true))
        var text = ""
        while !text.hasSuffix(String(repeating: "line\n", count: 64)) {
            let bytes = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = try reading.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            text = String((text + String(decoding: bytes, as: UTF8.self)).drop { $0 == "~" })
        }
        #expect(text.split(separator: "\n").count == 64)
    }
}
