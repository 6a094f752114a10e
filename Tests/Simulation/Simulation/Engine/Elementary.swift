// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

extension Double {
    /// The natural logarithm.
    var naturalLogarithm: Double { log(self) }

    func raised(to exponent: Double) -> Double { pow(self, exponent) }
}

/// What the process has used of a processor, and how long it has been running; for the reports only.
package func processTimes() -> (processor: Double, wall: Double) {
    func seconds(_ id: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    return (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
}
