//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import ArgumentParser
import LocalLogstore

/// The options that make an endpoint misbehave, for rehearsals.
struct FaultOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The share of valid requests that go wrong, from 0 to 1.", valueName: "share"))
    var faultRate = 0.0

    @Option(
        help: ArgumentHelp(
            "What goes wrong, separated by commas: \(Fault.kinds.map(\.name).joined(separator: ", ")).",
            valueName: "kinds"
        )
    )
    var faultKinds = "500,reset"

    @Option(help: ArgumentHelp("Another number picks other requests.", valueName: "number"))
    var faultSeed: UInt64 = 1

    /// The plan the options describe. Throws a message for the user if they make no sense.
    func plan() throws -> FaultPlan {
        guard (0...1).contains(self.faultRate) else {
            throw ValidationError("--fault-rate has to be from 0 to 1.")
        }
        let faults = try self.faultKinds.split(separator: ",").map { name in
            guard let fault = Fault.named(String(name)) else {
                throw ValidationError("There is no fault called \"\(name)\".")
            }
            return fault
        }
        guard self.faultRate > 0 else { return .none }
        return .random(share: self.faultRate, of: faults, seed: self.faultSeed)
    }
}
