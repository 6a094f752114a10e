// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingSimulation

/// What the command line asks for.
struct Arguments {
    static let usage = """
        Usage: simulate [--seeds N] [--from S] [--scenario NAME] [--producers P] [--hours H]
                        [--threads T] [--trace] [--spools DIRECTORY]
               simulate --fleet DIRECTORY [--producers P] [--shards N]

          --seeds N         how many runs (default 1000), each from a seed of its own
          --from S          the first seed (default 1)
          --scenario NAME   one family of scenarios instead of one chosen by the seed: \
        \(Scenario.Family.allCases.map(\.rawValue).joined(separator: ", "))
          --producers P     how many producers there are, instead of 1 to 6 (fleet: 10000)
          --hours H         how long they log, in virtual time, instead of 20 s to 2 h
          --threads T       how many runs go on at once (default 2)
          --trace           print every event; for one seed
          --spools DIRECTORY  where spools are made (default: in memory)
          --fleet DIRECTORY simulate a fleet's return from an outage, and write its figures there
          --shards N        how many shards the fleet has (default 4)
        """

    var seeds: UInt64 = 1000
    var first: UInt64 = 1
    var threads = 2
    var traces = false
    var fleet: String?
    var shards: Int?
    var options = ScenarioMaker.Options()

    /// What makes a run of one seed the same again, beside the seed.
    var replay: String {
        var text = ""
        if let family = self.options.family { text += " --scenario \(family.rawValue)" }
        if let producers = self.options.producers { text += " --producers \(producers)" }
        if let length = self.options.length { text += " --hours \(length.inSeconds / 3600)" }
        return text
    }

    /// Reads the arguments; `nil` if they make no sense.
    init?(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let name = rest.popFirst() {
            if name == "--trace" {
                self.traces = true
                continue
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--seeds":
                guard let number = UInt64(value), number > 0 else { return nil }
                self.seeds = number
            case "--from":
                guard let number = UInt64(value) else { return nil }
                self.first = number
            case "--threads":
                guard let number = Int(value), (1...256).contains(number) else { return nil }
                self.threads = number
            case "--scenario":
                guard let family = Scenario.Family(rawValue: value) else { return nil }
                self.options.family = family
            case "--producers":
                guard let number = Int(value), (1...100_000).contains(number) else { return nil }
                self.options.producers = number
            case "--hours":
                guard let number = Double(value), number > 0, number <= 1000 else { return nil }
                self.options.length = .seconds(number * 3600)
            case "--spools": self.options.spools = value
            case "--fleet": self.fleet = value
            case "--shards":
                guard let number = Int(value), (1...1000).contains(number) else { return nil }
                self.shards = number
            default: return nil
            }
        }
    }
}
