// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool
@testable import WebTracking

@Suite struct SpoolTextTests {
    @Test func controlCharactersOfARecordAreEscapedAsJSONCan() {
        #expect(SpoolText.json("{\"a\":\"\u{7F}\u{9B}31m \u{202E}é\"}") == "{\"a\":\"\\u007f\\u009b31m \\u202eé\"}")
    }

    @Test func aBatchIsALineWithoutTabsOfItsOwn() {
        let batch = WebTrackingSpool.Batch.sample
        let columns = SpoolText.line(batch).split(separator: "\t", omittingEmptySubsequences: false)
        #expect(columns.count == 9)
        #expect(columns[0] == "2026-01-01T00:00:00.000Z")
        #expect(columns[1] == "dead")
        #expect(columns[5] == "a\\tb\\u{1b}")
    }
}

extension WebTrackingSpool.Batch {
    fileprivate static var sample: Self {
        Self(
            path: "/spool/producer-1/0.seg",
            folder: "producer-1",
            isAlive: false,
            bytes: 36_864,
            destination: "project/logstore",
            topic: "a\tb\u{1b}",
            batchID: "5A-1",
            openedAt: 1_767_225_600_000_000_000,
            records: 3,
            damage: nil
        )
    }
}
