// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// How what dead producers left is taken over, decided without files.
@Suite struct AdoptionMachineTests {
    private static let records = RecoveryMachine.Finding.records(10, age: .seconds(1))

    private func machine(_ folders: [String], trimming victims: [String: Set<String>] = [:]) -> RecoveryMachine {
        var machine = RecoveryMachine(maximumAge: .seconds(60))
        machine.begin(folders, trimming: victims)
        return machine
    }

    @Test func foldersAndTheirFilesComeInOrder() {
        var machine = self.machine(["a", "b"])
        var steps: [RecoveryMachine.Step] = []
        while steps.last != .end {
            let step = machine.next(backlog: 0)
            steps.append(step)
            switch step {
            case .open(let folder): machine.opened(["\(folder)1", "\(folder)2"])
            case .examine: #expect(machine.found(Self.records) == .deliver)
            case .tell, .wait, .end: break
            }
        }
        let expected: [RecoveryMachine.Step] = [
            .open(folder: "a"), .examine(file: "a1"), .examine(file: "a2"),
            .open(folder: "b"), .examine(file: "b1"), .examine(file: "b2"), .end,
        ]
        #expect(steps == expected)
        #expect(machine.records == 40 && machine.filesTaken == 4)
        #expect(machine.takeFailure() == nil)
    }

    @Test func aFolderOfALivingProducerIsLeft() {
        var machine = self.machine(["a", "b"])
        #expect(machine.next(backlog: 0) == .open(folder: "a"))
        machine.opened(nil)
        #expect(machine.next(backlog: 0) == .open(folder: "b"))
    }

    @Test func itIsNeverMoreThanAFewSegmentsAhead() {
        var machine = self.machine(["a"])
        #expect(machine.next(backlog: RecoveryMachine.ahead + 1) == .wait)
        #expect(machine.next(backlog: RecoveryMachine.ahead) == .open(folder: "a"))
        machine.opened(["1"])
        #expect(machine.next(backlog: RecoveryMachine.ahead + 1) == .wait)
        #expect(machine.next(backlog: RecoveryMachine.ahead) == .examine(file: "1"))
    }

    @Test func whileMemoryIsShortNothingIsReadBesideABatchThatWaits() {
        var machine = self.machine(["a"])
        #expect(machine.next(backlog: 1, isMemoryShort: true) == .wait)
        #expect(machine.next(backlog: 0, isMemoryShort: true) == .open(folder: "a"))
        machine.opened(["1"])
        #expect(machine.next(backlog: 1, isMemoryShort: true) == .wait)
        #expect(machine.next(backlog: 0, isMemoryShort: true) == .examine(file: "1"))
    }

    @Test func whatIsFoundSaysWhatIsDone() {
        var machine = self.machine([])
        #expect(machine.found(.gone) == .leave)
        #expect(machine.found(.foreign) == .leave)
        #expect(machine.found(.empty) == .remove)
        #expect(machine.found(.damaged("why")) == .quarantine(reason: "why"))
        #expect(machine.found(.records(3, age: .seconds(60))) == .deliver)
        #expect(machine.found(.records(5, age: .seconds(61))) == .drop(.expired))
        // Only what is delivered is told as recovered.
        #expect(machine.records == 3 && machine.filesTaken == 1)
    }

    @Test func whatCannotBeOpenedLeavesTheRestOfItsFolderForTheNextLook() {
        var machine = self.machine(["a", "b"])
        _ = machine.next(backlog: 0)
        machine.opened(["1", "2", "3"])
        #expect(machine.next(backlog: 0) == .examine(file: "1"))
        #expect(machine.found(.unavailable("why")) == .leave)
        #expect(machine.next(backlog: 0) == .open(folder: "b"))
        machine.failed("another")
        #expect(machine.next(backlog: 0) == .end)
        #expect(machine.takeFailure() == "why")
    }

    @Test func aFileThatDoesNotOpenIsLeftAndTheRestGoesOn() {
        var machine = self.machine(["a", "b"])
        machine.opened(["1", "2"], failure: "no order")
        #expect(machine.next(backlog: 0) == .examine(file: "1"))
        #expect(machine.takeFailure() == "no order")
        #expect(machine.found(.unreadable("why")) == .leave)
        #expect(machine.next(backlog: 0) == .examine(file: "2"))
        #expect(machine.found(Self.records) == .deliver)
        #expect(machine.next(backlog: 0) == .open(folder: "b"))
        // One is told of in a look, and the next when that is over.
        #expect(machine.takeFailure() == nil)
        for reported in ["why", nil] {
            machine.begin(["a"])
            machine.opened(["1"])
            #expect(machine.found(.unreadable("why")) == .leave)
            #expect(machine.takeFailure() == reported)
        }
    }

    @Test func troubleIsToldOnceUntilItIsOver() {
        var machine = self.machine(["a"])
        for reported in ["why", nil, nil] {
            machine.failed("why")
            #expect(machine.takeFailure() == reported)
            #expect(machine.takeFailure() == nil)
            machine.begin(["a"])
        }
        // A look without trouble.
        machine.opened([])
        machine.begin(["a"])
        machine.failed("again")
        #expect(machine.takeFailure() == "again")
    }

    @Test func whatIsTooMuchGoesBeforeAnythingIsTakenOverAndWithoutWaiting() {
        var machine = self.machine(["a", "b"], trimming: ["b": ["b2"]])
        #expect(machine.next(backlog: 0) == .open(folder: "b"))
        machine.opened(["b1", "b2"])
        #expect(machine.next(backlog: 100) == .examine(file: "b2"))
        #expect(machine.found(Self.records) == .drop(.spoolFull))
        #expect(machine.next(backlog: 0) == .open(folder: "a"))
        machine.opened(["a1"])
        #expect(machine.next(backlog: 0) == .examine(file: "a1"))
        #expect(machine.found(Self.records) == .deliver)
        #expect(machine.next(backlog: 0) == .open(folder: "b"))
        machine.opened(["b1"])
        #expect(machine.next(backlog: 0) == .examine(file: "b1"))
    }
}

/// Which batches go first where there is too much.
@Suite struct EvictionPolicyTests {
    private typealias Candidate = EvictionPolicy.Candidate

    @Test func theLeastSevereGoFirstAndOfTheseTheOldest() {
        let candidates = [
            Candidate(rank: 5, age: 1, bytes: 10), Candidate(rank: 2, age: 4, bytes: 10),
            Candidate(rank: 2, age: 3, bytes: 10), Candidate(rank: 3, age: 2, bytes: 10),
        ]
        #expect(EvictionPolicy.victims(of: candidates, excess: 1) == [2])
        #expect(EvictionPolicy.victims(of: candidates, excess: 10) == [2])
        #expect(EvictionPolicy.victims(of: candidates, excess: 11) == [2, 1])
        #expect(EvictionPolicy.victims(of: candidates, excess: 1000) == [2, 1, 3, 0])
        #expect(EvictionPolicy.victims(of: candidates, excess: 0) == [])
        #expect(EvictionPolicy.victims(of: [], excess: 1) == [])
    }

    @Test func nothingMoreSevereThanTheRecordGoesForIt() {
        let candidates = [(rank: 5, age: 1), (rank: 3, age: 9), (rank: 3, age: 2), (rank: 4, age: 0)]
        #expect(EvictionPolicy.first(of: candidates, atMost: 6)?.index == 2)
        #expect(EvictionPolicy.first(of: candidates, atMost: 3)?.index == 2)
        #expect(EvictionPolicy.first(of: candidates, atMost: 2) == nil)
    }
}
