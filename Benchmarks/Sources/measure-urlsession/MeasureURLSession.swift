// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchmarkSupport
import WebTracking
import WebTrackingURLSession

/// Measures with URLSession.
@main
struct MeasureURLSession: AsyncParsableCommand {
    @OptionGroup var options: MeasureOptions

    func run() async throws {
        try await self.options.run { URLSessionTransport() }
    }
}
