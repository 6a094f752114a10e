// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
}
