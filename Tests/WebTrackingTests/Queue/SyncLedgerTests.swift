// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// What a round of syncs brings onto the disk, and what it leaves to the next.
@Suite struct SyncLedgerTests {
    @Test func aFileThatIsStillOpenIsInTheNextRoundToo() {
        var ledger = SyncLedger()
        ledger.noteOpened("a", isNew: false)
        ledger.noteOpened("b", isNew: false)
        ledger.noteSealed("a")
        #expect(ledger.beginRound(folder: "box").files.sorted() == ["a", "b"])
        #expect(ledger.beginRound(folder: "box").files == ["b"])
        ledger.noteSealed("b")
        // It may have been written to between the round before and its end.
        #expect(ledger.beginRound(folder: "box").files == ["b"])
        #expect(ledger.beginRound(folder: "box").files == [])
    }

    @Test func aFileWhoseRecordsAreDoneWithIsInNoRoundBehind() {
        var ledger = SyncLedger()
        ledger.noteOpened("a", isNew: false)
        ledger.noteFinished("a")
        #expect(ledger.beginRound(folder: "box").files == [])
        #expect(ledger.beginRound(folder: "box").files == [])
    }

    @Test func foldersAreInARoundOnlyWithNewFiles() {
        var ledger = SyncLedger()
        ledger.noteOpened("a", isNew: false)
        #expect(ledger.beginRound(folder: "box").folder == nil)
        ledger.noteOpened("b", isNew: true)
        #expect(ledger.beginRound(folder: "box").folder == "box")
        #expect(ledger.beginRound(folder: "box").folder == nil)
    }

    @Test func parentsWaitForTheFirstFileThatCouldBeMade() {
        var ledger = SyncLedger()
        ledger.noteMade(in: ["/", "/var"])
        #expect(ledger.beginRound(folder: nil).parents == [])
        ledger.noteOpened("a", isNew: true)
        // The folder has gone again.
        #expect(ledger.beginRound(folder: nil).folder == nil)
        ledger.noteMade(in: ["/var"])
        #expect(ledger.beginRound(folder: "box").parents == ["/", "/var"])
        #expect(ledger.beginRound(folder: "box").parents == [])
    }

    @Test func whatTheDiskRefusedIsInTheNextRound() {
        var ledger = SyncLedger()
        ledger.noteMade(in: ["/var"])
        ledger.noteOpened("a", isNew: true)
        ledger.noteSealed("a")
        let round = ledger.beginRound(folder: "box")
        ledger.noteMade(in: ["/tmp"])
        ledger.noteRefused(["a"])
        ledger.noteRefusedDirectories(of: round)
        let next = ledger.beginRound(folder: "box")
        #expect(next.files == ["a"])
        #expect(next.folder == "box")
        #expect(next.parents == ["/var", "/tmp"])
        #expect(ledger.beginRound(folder: "box").files == [])
    }
}
