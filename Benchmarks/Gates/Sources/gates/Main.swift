// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#endif

/// `gates check FILE` compares allocations and instructions for each log with the thresholds of a file, and looks at what
/// grows with a record's size and with the number of its orders, `gates update FILE` writes the thresholds, `gates self-test`
/// breaks the gates on purpose, `gates count` prints the instructions of the reference records for a program to read, `gates
/// growth` compares the instructions for large records with those for small ones, and `gates bytes` the bytes on the wire, as
/// `check` does, and `gates log SCENARIO HANDLER` and `gates grow RECORD SIZE` are what all of them run under callgrind.
@main
enum Main {
    static func main() {
        do {
            try self.run()
        } catch {
            print("gates: \(error)")
            exit(1)
        }
    }

    private static func run() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.count) {
        case ("check", 2):
            guard try check(thresholds: Thresholds(file: arguments.last!)) else { exit(1) }
        case ("update", 2):
            try measureThresholds().write(to: arguments.last!)
        case ("self-test", 1):
            guard try SelfTest.run() else { exit(1) }
        case ("count", 1):
            for scenario in Scenario.reference {
                let count = try InstructionCount(of: scenario)
                print("\(scenario.name) \(count.noOp) \(count.ours)")
            }
        case ("growth", 1):
            let failures = try growth()
            for failure in failures { print("broken: \(failure)") }
            guard failures.isEmpty else { exit(1) }
        case ("bytes", 1):
            let bytes = try WireBytes()
            print(bytes.table)
            if let failure = bytes.failure {
                print("broken: \(failure)")
                exit(1)
            }
        case ("grow", 3):
            guard let growth = Growth.named(arguments.dropFirst().first!), let size = Int(arguments.last!) else {
                usage()
            }
            try growth.logForCallgrind(size)
        case ("log", 3):
            guard let scenario = Scenario.named(arguments.dropFirst().first!),
                let handler = Subject.Handler(rawValue: arguments.last!)
            else { usage() }
            try InstructionCount.logForCallgrind(scenario, handler: handler)
        default:
            usage()
        }
    }

    private static func usage() -> Never {
        print("usage: gates check FILE | update FILE | self-test | count | growth | bytes")
        print("       gates log SCENARIO HANDLER | grow RECORD SIZE")
        exit(2)
    }

    /// Prints both tables; `false` if a gate is broken.
    private static func check(thresholds: Thresholds) throws -> Bool {
        var failures: [String] = []

        print(
            "| allocations, calling thread | no-op, per log | ours, per log | may add | beyond that | opening a batch |"
        )
        print("|---|---|---|---|---|---|")
        for scenario in Scenario.allCases {
            let count = try AllocationCount(of: scenario)
            print(count.row)
            if let failure = count.failure { failures.append(failure) }
        }

        print("\n| instructions per log, calling thread | no-op | ours | added | threshold | change |")
        print("|---|---|---|---|---|---|")
        for scenario in Scenario.counted {
            let count = try InstructionCount(of: scenario)
            let threshold = thresholds.instructionsAdded[scenario.name]
            print(count.row(threshold: threshold))
            if let failure = count.failure(threshold: threshold) { failures.append(failure) }
        }

        print("")
        failures += try growth()

        print("")
        let bytes = try WireBytes()
        print(bytes.table)
        if let failure = bytes.failure { failures.append(failure) }

        print("")
        for failure in failures { print("broken: \(failure)") }
        let toolchain = Thresholds.currentToolchain
        if !failures.isEmpty, toolchain != thresholds.toolchain {
            print("the thresholds were taken with \(thresholds.toolchain); this is \(toolchain)")
        }
        if failures.isEmpty { print("gates: allocations and instructions are as they should be") }
        return failures.isEmpty
    }

    /// Prints a table, and returns what grows faster than it may.
    private static func growth() throws -> [String] {
        print("| instructions for each byte, calling thread | small | large |")
        print("|---|---|---|")
        return try Growth.allCases.compactMap { growth in
            let result = try growth.compare()
            print(result.row)
            return result.failure
        }
    }

    private static func measureThresholds() throws -> Thresholds {
        var thresholds = Thresholds(toolchain: Thresholds.currentToolchain, instructionsAdded: [:])
        for scenario in Scenario.counted {
            let count = try InstructionCount(of: scenario)
            thresholds.instructionsAdded[scenario.name] = count.added
            print("\(scenario.name): \(count.added) instructions per log added to \(count.noOp)")
        }
        return thresholds
    }
}
