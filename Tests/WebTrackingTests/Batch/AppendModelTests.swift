// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// The protocol of ``AppendLane``, checked in all orders in which the single steps of three callers and of whoever holds
/// the lock can come, with a caller that may stop for ever at each of its steps; in a file with a death between any two
/// steps, and a recovery after it.
@Suite(.timeLimit(.minutes(5))) struct AppendModelTests {
    @Test func inEveryOrderOfStepsEachRecordIsSentWholeAndOnce() throws {
        // An optimised build tries three callers and four turns of the lock: 1.5 million states.
        let isSmall = _isDebugAssertConfiguration()
        let result = AppendModel.explore(callers: isSmall ? 2 : 3, turns: isSmall ? 3 : 4)
        #expect(result.violations.isEmpty, "\(result.violations)")
        // So that the model is seen to reach what it is about.
        #expect(result.states > (isSmall ? 5000 : 1_000_000), "\(result.states) states")
        #expect(result.reached == Set(AppendModel.Event.allCases.filter { $0 != .foundBehindHole }))
    }

    @Test func afterADeathAtAnyStepEachRecordWhoseCallHasReturnedIsFoundAndNothingLooksDamaged() throws {
        let isSmall = _isDebugAssertConfiguration()
        let result = AppendModel.explore(isInFile: true, callers: isSmall ? 2 : 3, turns: isSmall ? 3 : 4)
        #expect(result.violations.isEmpty, "\(result.violations)")
        #expect(result.states > (isSmall ? 5000 : 1_000_000), "\(result.states) states")
        #expect(result.reached == Set(AppendModel.Event.allCases))
    }

    @Test(arguments: AppendModel.Fault.allCases.filter { $0 != .wordBeforeCheck && $0 != .readUpToTheFirstHole })
    func theModelFindsAProtocolThatIsBrokenOnPurpose(fault: AppendModel.Fault) throws {
        #expect(!AppendModel.explore(with: fault, callers: 2, turns: 3).violations.isEmpty)
    }

    @Test(arguments: AppendModel.Fault.allCases)
    func theModelFindsAFileThatIsWrittenOrReadWrongOnPurpose(fault: AppendModel.Fault) throws {
        #expect(!AppendModel.explore(with: fault, isInFile: true, callers: 2, turns: 3).violations.isEmpty)
    }
}

/// A small world with the same steps: each load, store and exchange is one.
struct AppendModel: Hashable {
    /// Ways to break the protocol.
    enum Fault: CaseIterable {
        /// The mark is stored before the record is copied.
        case commitBeforeCopy
        /// A batch is sealed although a caller is still copying.
        case sealUnseen
        /// The generation stays when the memory changes.
        case oneGeneration
        /// The memory is used again with the marks of the batch before.
        case marksStay
        /// In a file, the word of a mark is stored before its check.
        case wordBeforeCheck
        /// In a file, marks are read as in format 1.
        case readUpToTheFirstHole
    }

    /// What the model has to have come upon.
    enum Event: CaseIterable {
        case claimFailed, foundClosed, foundFull, setAside, sealedLate, memoryUsedAgain, stoppedForEver, sent
        case foundBehindHole
    }

    struct Result {
        var states = 0
        var violations: Set<String> = []
        var reached: Set<Event> = []
    }

    /// A caller with one record.
    struct Caller: Hashable {
        enum Step: UInt8, Hashable {
            case load, readBase, readLimit, exchange, copyFirst, copySecond, check, commit, done, locked, stopped
        }
        var step = Step.load
        var word = AppendWord(bits: 0)
        var base: UInt8 = 0
        var limit: UInt8 = 0
        var place: UInt8 = 0
    }

    /// The memory of a batch: two halves of each record, and its mark; in a file that has a check besides.
    struct Memory: Hashable {
        var first = Array(repeating: UInt8(0), count: Self.places)
        var second = Array(repeating: UInt8(0), count: Self.places)
        var marks = Array(repeating: UInt8(0), count: Self.places)
        var checks = Array(repeating: UInt8(0), count: Self.places)
        /// Whether the file's header says that records are in it.
        var isHolding = false
        static let places = 2
    }

    /// A batch: its memory, and the callers in the order of their claims (which the real one does not know).
    struct OpenOne: Hashable {
        var memory: UInt8
        var callers: [UInt8] = []
        var count: UInt8 = 0
    }

    /// What whoever holds the lock does next.
    enum Owner: Hashable {
        /// The lock is free. So many times it will be taken to seal the batch.
        case free
        case closing, wiping, writingBase, writingLimit, opening
    }

    let isInFile: Bool
    var word = AppendWord(bits: 0)
    var base: UInt8 = 0
    var limit: UInt8 = 0
    var memories = [Memory(), Memory()]
    var callers: [Caller] = []
    var open: OpenOne?
    var waiting: [OpenOne] = []
    var owner = Owner.free
    var turns: UInt8 = 0
    var sent: [UInt8] = []
    var lockedCallers: [UInt8] = []

    static func explore(
        with fault: Fault? = nil,
        isInFile: Bool = false,
        callers: Int,
        turns: UInt8
    ) -> Result {
        var result = Result()
        var start = AppendModel(isInFile: isInFile)
        start.memories[0].isHolding = isInFile
        start.callers = Array(repeating: Caller(), count: callers)
        start.turns = turns
        start.open = OpenOne(memory: 0)
        start.base = 1
        start.limit = UInt8(Memory.places)
        start.word = start.word.opened(used: 0, count: 0)
        var seen: Set<AppendModel> = [start]
        var stack = [start]
        while let model = stack.popLast() {
            result.states += 1
            if isInFile { model.checkDeath(fault, &result) }
            for next in model.steps(fault, &result) where seen.insert(next).inserted { stack.append(next) }
            if fault != nil, !result.violations.isEmpty { break }
        }
        return result
    }

    private func steps(_ fault: Fault?, _ result: inout Result) -> [AppendModel] {
        var next: [AppendModel] = []
        for index in self.callers.indices {
            // The callers are alike: of those that have not begun, the first one begins.
            if self.callers[index].step == .load, index > 0, self.callers[index - 1].step == .load { continue }
            if let model = self.stepping(index, fault, &result) { next.append(model) }
            // The last one may stop for ever, wherever it is.
            if index == self.callers.count - 1, ![.done, .stopped, .locked, .load].contains(self.callers[index].step) {
                var model = self
                model.callers[index].step = .stopped
                result.reached.insert(.stoppedForEver)
                next.append(model)
            }
        }
        if let model = self.steppingOwner(fault, &result) { next.append(model) }
        if next.isEmpty { self.checkEnd(&result) }
        return next
    }

    /// The model after the next step of a caller.
    private func stepping(_ index: Int, _ fault: Fault?, _ result: inout Result) -> AppendModel? {
        var model = self
        var caller = self.callers[index]
        let number = UInt8(index + 1)
        func target() -> AppendLane.Target {
            AppendLane.Target(
                base: UInt(caller.base),
                seed: 0,
                capacity: 1000,
                bodyLimit: 1000,
                countLimit: Int(caller.limit)
            )
        }
        switch caller.step {
        case .load:
            caller.word = self.word
            caller.step = self.word.isOpen ? .readBase : .locked
            if !self.word.isOpen { result.reached.insert(.foundClosed) }
        case .readBase:
            caller.base = self.base
            caller.step = .readLimit
        case .readLimit:
            caller.limit = self.limit
            caller.step = .exchange
        case .exchange:
            guard let claimed = caller.word.adding(10, in: target()) else {
                result.reached.insert(.foundFull)
                caller.step = .locked
                break
            }
            guard self.word == caller.word else {
                result.reached.insert(.claimFailed)
                caller.word = self.word
                caller.step = self.word.isOpen ? .readBase : .locked
                break
            }
            caller.place = UInt8(caller.word.count)
            model.word = claimed
            if model.open?.memory != caller.base - 1 {
                result.violations.insert("claimed in other memory than the open batch's")
            }
            model.open?.callers.append(number)
            caller.step = fault != .commitBeforeCopy ? .copyFirst : self.isInFile ? .check : .commit
        case .copyFirst:
            model.memories[Int(caller.base) - 1].first[Int(caller.place)] = number
            caller.step = .copySecond
        case .copySecond:
            model.memories[Int(caller.base) - 1].second[Int(caller.place)] = number
            let isCheckFirst = self.isInFile && fault != .wordBeforeCheck
            caller.step = fault == .commitBeforeCopy ? .done : isCheckFirst ? .check : .commit
        case .check:
            model.memories[Int(caller.base) - 1].checks[Int(caller.place)] = number
            caller.step = fault == .wordBeforeCheck ? .done : .commit
        case .commit:
            model.memories[Int(caller.base) - 1].marks[Int(caller.place)] = number
            let isCheckLast = self.isInFile && fault == .wordBeforeCheck
            caller.step = fault == .commitBeforeCopy ? .copyFirst : isCheckLast ? .check : .done
        case .locked:
            // Under the lock: one step, as what it appends there is not what this model is about.
            guard self.owner == .free else { return nil }
            model.lockedCallers.append(number)
            caller.step = .done
        case .done, .stopped:
            return nil
        }
        model.callers[index] = caller
        return model
    }

    /// The model after the next step of whoever holds the lock. Each turn seals the open batch and opens another one.
    private func steppingOwner(_ fault: Fault?, _ result: inout Result) -> AppendModel? {
        var model = self
        switch self.owner {
        case .free:
            guard self.turns > 0 else { return nil }
            model.turns -= 1
            model.owner = .closing
        case .closing:
            if var open = self.open {
                if self.word.isOpen { open.count = UInt8(self.word.count) }
                model.word = AppendWord(bits: self.word.bits & ~AppendWord.openBit)
                model.open = nil
                model.waiting.append(open)
            }
            let before = model.waiting.count
            model.sealWhole(fault, &result)
            if model.waiting.count > 0 { result.reached.insert(.setAside) }
            if before > 1, model.waiting.count < before { result.reached.insert(.sealedLate) }
            let inUse = Set(model.waiting.map(\.memory))
            // Without memory, the next turn tries again.
            guard let free = [UInt8(0), 1].first(where: { !inUse.contains($0) }) else {
                model.owner = .free
                break
            }
            if free == 0 { result.reached.insert(.memoryUsedAgain) }
            model.open = OpenOne(memory: free)
            model.owner = fault == .marksStay ? .writingBase : .wiping
        case .wiping:
            let memory = Int(model.open?.memory ?? 0)
            // A file is wiped as a whole.
            if self.isInFile { model.memories[memory] = Memory() }
            model.memories[memory].marks = Array(repeating: 0, count: Memory.places)
            model.owner = .writingBase
        case .writingBase:
            let base = (model.open?.memory ?? 0) + 1
            // What is as it was needs no new generation: a late caller claims its place in the new batch.
            if self.base != base, fault != .oneGeneration { model.word.nextGeneration() }
            model.base = base
            model.owner = .writingLimit
        case .writingLimit:
            // It differs between the two memories, so that a mixture of both is seen.
            model.limit = model.open?.memory == 0 ? UInt8(Memory.places) : 1
            model.owner = .opening
        case .opening:
            model.word = model.word.opened(used: 0, count: 0)
            if self.isInFile { model.memories[Int(model.open?.memory ?? 0)].isHolding = true }
            model.owner = .free
        }
        return model
    }

    /// Seals the batches whose records all have marks, the oldest first.
    private mutating func sealWhole(_ fault: Fault?, _ result: inout Result) {
        while let batch = self.waiting.first {
            let memory = self.memories[Int(batch.memory)]
            let isWhole = (0..<Int(batch.count)).allSatisfy { memory.marks[$0] != 0 }
            guard isWhole || fault == .sealUnseen else { return }
            self.waiting.removeFirst()
            self.memories[Int(batch.memory)].isHolding = false
            for place in 0..<Int(batch.count) {
                let number = batch.callers[place]
                if memory.first[place] != number || memory.second[place] != number {
                    result.violations.insert("sent before it was whole")
                }
                if self.sent.contains(number) { result.violations.insert("sent twice") }
                self.sent.append(number)
                result.reached.insert(.sent)
            }
        }
    }

    /// What has to hold if the process dies now: a recovery finds each record whose call has returned and that was not sent,
    /// and nothing that looks damaged.
    private func checkDeath(_ fault: Fault?, _ result: inout Result) {
        var found: Set<UInt8> = []
        for memory in self.memories where memory.isHolding {
            var hasHole = false
            for place in 0..<Memory.places {
                let number = memory.marks[place]
                if number == 0 {
                    hasHole = true
                    continue
                }
                if hasHole && fault == .readUpToTheFirstHole { break }
                guard memory.checks[place] == number, memory.first[place] == number, memory.second[place] == number
                else {
                    result.violations.insert("a death looks like damage")
                    continue
                }
                if hasHole { result.reached.insert(.foundBehindHole) }
                if !found.insert(number).inserted || self.sent.contains(number) {
                    result.violations.insert("found again")
                }
            }
        }
        for (index, caller) in self.callers.enumerated() where caller.step == .done {
            let number = UInt8(index + 1)
            if !found.contains(number), !self.sent.contains(number), !self.lockedCallers.contains(number) {
                result.violations.insert("lost at a death")
            }
        }
    }

    /// What has to hold when no step is left: what was appended is sent, or is in a batch that waits or is open.
    private func checkEnd(_ result: inout Result) {
        let kept = self.sent + (self.waiting + (self.open.map { [$0] } ?? [])).flatMap(\.callers)
        for (index, caller) in self.callers.enumerated() where caller.step == .done {
            let number = UInt8(index + 1)
            if !kept.contains(number) && !self.lockedCallers.contains(number) { result.violations.insert("lost") }
        }
        if Set(kept).count != kept.count { result.violations.insert("kept twice") }
    }
}
