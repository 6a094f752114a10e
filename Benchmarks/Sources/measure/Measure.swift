// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchmarkSupport
import WebTracking

/// Measures with AsyncHTTPClient, and everything that needs no HTTP.
@main
struct Measure: AsyncParsableCommand {
    @OptionGroup var options: MeasureOptions

    func run() async throws {
        try await self.options.run { AsyncHTTPClientTransport() }
    }
}
