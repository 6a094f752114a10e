// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import LogstoreTool

@Suite("Descriptors that whoever started this process gave it")
struct InheritedDescriptorTests {
    /// What has the number of a closed one is the runtime's, or a pipe that signals go through: it gets no text.
    @Test func whatIsOursTakesNoOutput() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        defer { try? readEnd.close() }
        #expect(try writeEnd.inherited() == writeEnd)
        try writeEnd.closeOnExec()
        let nowhere = try writeEnd.inherited()
        #expect(nowhere != writeEnd)
        #expect(try nowhere.isSamePlace(as: .open("/dev/null", .writeOnly)) && !nowhere.isSamePlace(as: writeEnd))
        try nowhere.close()
        try writeEnd.close()
    }
}
