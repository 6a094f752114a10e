// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingPlatform
import WebTrackingSimulation

/// Runs the library under seeds; see ``Arguments/usage``.
@main
enum Simulate {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        guard !words.contains("--help"), let arguments = Arguments(words) else {
            print(Arguments.usage)
            exit(words.contains("--help") ? 0 : 2)
        }
        // Swift tells where it was, if it is asked to.
        if getenv("SWIFT_BACKTRACE") == nil { CrashReport.install() }
        if let directory = arguments.fleet {
            var settings = Fleet.Settings()
            settings.producers = arguments.options.producers ?? settings.producers
            settings.shards = arguments.shards ?? settings.shards
            settings.seed = arguments.first
            if let length = arguments.options.length { settings.length = length }
            exit(await FleetReport(directory: directory, settings: settings).run() ? 0 : 1)
        }
        exit(await SeedRange(arguments).run() == 0 ? 0 : 1)
    }
}
