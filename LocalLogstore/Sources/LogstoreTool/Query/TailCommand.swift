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
import LocalLogstore
import SystemPackage

/// `webtracking tail`
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Prints logs as they arrive, until control-C.",
        usage: "webtracking tail [<search>] [<options>]",
        discussion: """
            It begins with the last ones there are.

              webtracking tail
              webtracking tail 'level: error or level: critical' --lines 0
              webtracking tail --topic orders | jq --unbuffered .message

            \(SearchHelp.text)
            """
    )

    /// How often to look for new logs.
    private static let interval = Duration.milliseconds(200)
    private static let batch = 5_000

    @OptionGroup
    var options: LogOptions

    @Option(help: ArgumentHelp("Begin with this many of the last logs.", valueName: "number"))
    var lines = 10

    @Option(help: ArgumentHelp("End after this many logs.", valueName: "number"))
    var limit: Int?

    func validate() throws {
        if self.lines < 0 { throw ValidationError("--lines must not be negative.") }
        if let limit = self.limit, limit < 1 { throw ValidationError("--limit has to be at least 1.") }
    }

    func run() async throws {
        let store = try self.options.store()
        do {
            try await self.follow(store)
        } catch Errno.brokenPipe {
            // The reader, `head` for one, has seen enough.
        }
        try store.close()
    }

    private func follow(_ store: LogStore) async throws {
        let printer = self.options.printer(isTerminal: Output.isTerminal)
        var output = Output(.standardOutput)
        var left = self.limit ?? .max
        var query = self.options.query
        // Before the last logs are read: what comes in between is not missed but told apart.
        var position = try await store.newestID()
        query.order = .newestFirst
        query.limit = min(self.lines, left)
        for log in try await store.logs(matching: query).reversed() where log.id <= position {
            try output.write(printer.line(log) + "\n")
            left -= 1
        }
        try output.flush()
        while left > 0 {
            let arrivals = try await store.arrivals(
                after: position,
                matching: query.selection,
                limit: min(Self.batch, left)
            )
            for log in arrivals.logs { try output.write(printer.line(log) + "\n") }
            try output.flush()
            position = arrivals.position
            left -= arrivals.logs.count
            if arrivals.logs.count < Self.batch { try await Task.sleep(for: Self.interval) }
        }
    }
}
