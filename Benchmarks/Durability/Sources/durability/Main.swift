// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// What durability costs the caller, how fast a spool is recovered, and what an overload does.
@main
enum Main {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let directory = arguments.dropFirst().first,
            let number = arguments.dropFirst(2).first.flatMap({ Int($0) })
        else { return self.usage() }
        switch arguments.first {
        case "cost": try await Cost.measure(directory: directory, rounds: number)
        case "recovery": try await Recovery.measure(directory: directory, mebibytes: number)
        case "overload-memory": try await Overload.measure(.memory, directory: directory, seconds: number)
        case "overload-process": try await Overload.measure(.process, directory: directory, seconds: number)
        default: self.usage()
        }
    }

    private static func usage() {
        print(
            """
            usage: durability cost DIRECTORY ROUNDS        caller's time with .memory and .process
                   durability recovery DIRECTORY MEBIBYTES start and delivery with a spool of that size
                   durability overload-memory DIRECTORY SECONDS, durability overload-process DIRECTORY SECONDS
                                                           ten times what the endpoint takes
            The directory has to be empty, or not there.
            """
        )
    }

    static func configuration(_ durability: Durability, directory: String) -> WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = durability
        // A spool without durability is refused.
        if durability != .memory { configuration.spool.directory = directory }
        return configuration
    }
}
