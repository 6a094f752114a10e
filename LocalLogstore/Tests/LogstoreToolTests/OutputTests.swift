// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import LogstoreTool

@Suite("Output")
struct OutputTests {
    @Test func noticesThatItsReaderIsGone() throws {
        let (reading, writing) = try FileDescriptor.pipe()
        defer { try? writing.close() }
        var output = Output(writing)
        #expect(output.hasReader)
        try output.write("x")
        try output.flush()
        // What is not read yet is read by somebody.
        #expect(output.hasReader)
        try reading.close()
        #expect(!output.hasReader)
    }

    @Test func aFileNeedsNoReader() throws {
        let file = try FileDescriptor.open("/dev/null", .writeOnly)
        defer { try? file.close() }
        #expect(Output(file).hasReader)
    }
}
