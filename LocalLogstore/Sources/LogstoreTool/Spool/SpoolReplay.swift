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
import Foundation
import WebTracking

/// `webtracking spool replay`
struct SpoolReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Delivers what dead processes left, as the next start of one would.",
        discussion: """
            Folders of living processes are left alone. Batches keep their ids, so that one that had arrived already \
            can be recognised. It exits with 1 if something is left at the timeout.
            """
    )

    @OptionGroup var arguments: SpoolArguments

    @Option(help: "The endpoint: a region, a host or a URL.")
    var endpoint: String

    @Option(help: "Only records of this project; the only one there is if not given.")
    var project: String?

    @Option(help: "Only records of this logstore; the only one there is if not given.")
    var logstore: String?

    @Option(help: ArgumentHelp("How long to try, in seconds.", valueName: "seconds"))
    var timeout = 60.0

    @Flag(help: "Take http:// for another machine, where everybody on the way can read the records.")
    var allowPlainHTTP = false

    func validate() throws {
        guard self.timeout > 0 else { throw ValidationError("--timeout has to be above 0.") }
    }

    /// What a replay takes over and what became of it is in its own sum.
    @Sendable private static func isNews(_ diagnostic: ProducerDiagnostic) -> Bool {
        switch diagnostic {
        case .spoolRecovered, .shutdownFinished: false
        default: true
        }
    }

    /// The batches that are to be delivered.
    private func waiting() throws -> [WebTrackingSpool.Batch] {
        try self.arguments.batches().filter { batch in
            guard !batch.isAlive, batch.folder != "damaged", batch.records > 0 else { return false }
            let names = batch.destination.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return (self.project == nil || self.project == names.first)
                && (self.logstore == nil || self.logstore == names.last)
        }
    }

    func run() async throws {
        let waiting = try self.waiting()
        let destinations = Set(waiting.map(\.destination))
        guard let destination = destinations.first else { return try Output.line("nothing to replay") }
        guard destinations.count == 1 else {
            let list = destinations.sorted().map(TerminalText.escaped).joined(separator: ", ")
            throw ValidationError("There are records for \(list); name one with --project and --logstore.")
        }
        let names = destination.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard names.count == 2 else { throw ValidationError("\(TerminalText.escaped(destination)) is no logstore.") }
        var configuration = WebTrackingConfiguration(
            endpoint: self.endpoint,
            project: names[0],
            logstore: names[1]
        )
        configuration.allowsPlainHTTP = self.allowPlainHTTP
        configuration.durability = .process
        configuration.spool.directory = URL(fileURLWithPath: self.arguments.directory).standardizedFileURL.path
        // Who replays by hand wants them all, however old.
        configuration.spool.maximumAge = .seconds(365 * 86_400)
        let producer = try WebTrackingProducer(
            configuration: configuration,
            diagnostics: ProgressDisplay.diagnostics(endpoint: self.endpoint, where: Self.isNews)
        )
        let total = waiting.reduce(0) { $0 + $1.records }
        let deadline = ContinuousClock.now + .seconds(self.timeout)
        // What the producer has taken is pending until it is delivered; what is left in the end says the rest.
        while ContinuousClock.now < deadline {
            let numbers = producer.statistics
            if numbers.recovered >= total, numbers.pending == 0 { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        await producer.shutdown(timeout: .seconds(1))
        let numbers = producer.statistics
        // What this producer has still in its hands looks like a living process's.
        let left = try max(self.waiting().reduce(0) { $0 + $1.records }, numbers.pending)
        try Output.line("\(numbers.delivered) delivered, \(numbers.totalDropped) dropped, \(left) left")
        if left > 0 || numbers.totalDropped > 0 { throw ExitCode.failure }
    }
}
