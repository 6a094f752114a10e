// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Breaks each gate on purpose, as little as can be, and checks that it says so.
enum SelfTest {
    /// Prints what the gates said; `false` if one of them let the fault through.
    static func run() throws -> Bool {
        guard let reference = Scenario.named("reference") else { return false }
        var missed = 0

        func expect(_ fault: String, isFound failure: String?) {
            if let failure {
                print("found: \(failure)")
            } else {
                print("missed: \(fault)")
                missed += 1
            }
        }

        let allocations = try AllocationCount(of: reference, handler: .allocating)
        expect("one record in 20,000 allocates once", isFound: allocations.failure)

        let sound = try InstructionCount(of: reference)
        let slow = try InstructionCount(of: reference, handler: .slow)
        expect("each record takes longer", isFound: slow.failure(threshold: sound.added))
        // A gain that nobody writes down would hide the next loss.
        expect("each record takes less", isFound: sound.failure(threshold: slow.added))
        expect("there is no threshold", isFound: sound.failure(threshold: nil))
        if let failure = sound.failure(threshold: sound.added) {
            print("found where there is nothing: \(failure)")
            missed += 1
        }
        let square = Growth.Result(name: "square", small: 40, large: 200)
        expect("what a record costs grows with the square of its size", isFound: square.failure)
        if let failure = Growth.Result(name: "sorted", small: 40, large: 60).failure {
            print("found where there is nothing: \(failure)")
            missed += 1
        }
        expect("fields leave in many orders", isFound: WireBytes(alone: 70, kept: 77).failure)
        if let failure = WireBytes(alone: 70, kept: 69).failure {
            print("found where there is nothing: \(failure)")
            missed += 1
        }
        print(missed == 0 ? "gates: each fault made on purpose was found" : "gates: \(missed) faults were missed")
        return missed == 0
    }
}
