//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Testing
import WebTracking
import WebTrackingSimulation

/// That a seed says everything about a run; `Scripts/simulate` runs many more of them, optimised.
@Suite(.serialized)
struct DeterminismTests {
    @Test(arguments: Scenario.Family.allCases)
    func `one seed gives the same run twice`(family: Scenario.Family) async {
        var options = ScenarioMaker.Options()
        options.family = family
        options.producers = 2
        options.bursts = 40
        let first = await SimulationThread.run { [options] in Run.run(seed: 1, options: options) }
        let second = await SimulationThread.run { [options] in Run.run(seed: 1, options: options) }
        #expect(first.violation == nil)
        #expect(first.digest == second.digest)
        #expect(first.jobs == second.jobs)
        #expect(first.records > 0)
        #expect(first.requests > 0)
        // What lives in files is as certain as the rest.
        if family == .spool || family == .crash { #expect(first.deaths > 0 && first.recovered > 0) }
    }

    @Test
    func `another seed gives another run`() async {
        var options = ScenarioMaker.Options()
        options.bursts = 40
        let first = await SimulationThread.run { [options] in Run.run(seed: 1, options: options) }
        let second = await SimulationThread.run { [options] in Run.run(seed: 2, options: options) }
        #expect(first.digest != second.digest)
    }

    /// A seed finds something else as soon as the library takes its steps in another order, so this holds a fault only as long
    /// as it does not.
    @Test(arguments: [
        // An announcement of the shutdown found no room, and nobody was told.
        UInt64(681)
    ])
    func `seeds that found a fault once find none`(seed: UInt64) async {
        let outcome = await SimulationThread.run { Run.run(seed: seed) }
        #expect(outcome.violation == nil)
    }
}
