// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
            It begins with the last ones there are. With --url it follows an endpoint that runs, also one that \
            keeps its logs in memory.

              webtracking tail
              webtracking tail 'level: error or level: critical' --lines 0
              webtracking tail --topic orders | jq --unbuffered .message
              webtracking tail --url http://127.0.0.1:8080

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
        if self.options.search?.statement != nil {
            throw ValidationError("Statistics are computed from logs that are there: use webtracking query.")
        }
        if self.lines < 0 { throw ValidationError("--lines must not be negative.") }
        if let limit = self.limit, limit < 1 { throw ValidationError("--limit has to be at least 1.") }
    }

    func run() async throws {
        let source = try self.options.source()
        do {
            try await self.follow(source)
        } catch Errno.brokenPipe {
            // The reader, `head` for one, has seen enough.
        } catch let problem as ServerSource.Problem {
            Output.note(TerminalText.escaped("webtracking: \(problem)"))
            throw ExitCode.failure
        }
        try source.end()
    }

    private func follow(_ source: any LogSource) async throws {
        let printer = self.options.printer(isTerminal: Output.isTerminal)
        var output = Output(.standardOutput)
        var left = self.limit ?? .max
        var query = self.options.query
        // Ask before the last logs are read: logs that come in between are not missed, and duplicates are recognised.
        var position = try await source.newest()
        query.order = .newestFirst
        query.limit = min(self.lines, left)
        var last: [StoredLog] = []
        try await source.read(query) { if $0.id <= position { last.append($0) } }
        for log in last.reversed() {
            try output.write(printer.line(log) + "\n")
            left -= 1
        }
        try output.flush()
        var isGone = false
        // Without a reader, `head` for one, there may be no next log to write, and so to notice it by.
        while left > 0, output.hasReader {
            do {
                let limit = min(Self.batch, left)
                let news = try await source.news(after: position, query, limit: limit)
                isGone = false
                for log in news.logs { try output.write(printer.line(log) + "\n") }
                try output.flush()
                // An endpoint that began anew counts from 1 again; all it has is new.
                let began = news.logs.isEmpty ? try await source.newest() < position : false
                left -= news.logs.count
                let hasMoved = news.position > position
                position = began ? 0 : news.position
                if hasMoved, !news.logs.isEmpty { continue }
            } catch let problem as ServerSource.Problem {
                // It may come back; an answer that says no is final.
                guard case .unreachable = problem else { throw problem }
                if !isGone { Output.note(TerminalText.escaped("webtracking: \(problem); waiting for it")) }
                isGone = true
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}
