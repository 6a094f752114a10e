// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Progress")
struct ProgressTests {
    @Test func drawsABarIfTheEndIsKnown() {
        let progress = SendProgress(totalBytes: 200)
        progress.add(bytes: 50, records: 3)
        progress.add(bytes: 50, records: 4)
        #expect(
            progress.snapshot.line(delivered: 5, pending: 2)
                == "[############------------] 50 %  7 read, 5 delivered, 2 waiting"
        )
        // A file may grow while it is read.
        progress.add(bytes: 1000)
        #expect(progress.snapshot.line(delivered: 7, pending: 0).hasPrefix("[########################] 100 %"))
    }

    @Test(arguments: [nil, 0])
    func countsOtherwise(total: Int?) {
        let progress = SendProgress(totalBytes: total)
        progress.add(bytes: 10, records: 1)
        #expect(progress.snapshot.line(delivered: 0, pending: 1) == "1 read, 0 delivered, 1 waiting")
    }
}
