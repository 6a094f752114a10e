// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import SystemPackage

/// `webtracking query`
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Prints the logs that an endpoint has kept, in the order they arrived.",
        usage: "webtracking query [<search>] [<options>]",
        discussion: """
            It reads the endpoint's file, while that runs and afterwards; with --url it asks an endpoint that \
            runs, which keeps its logs in memory perhaps.

              webtracking query 'level: error and payment*' --newest --limit 20
              webtracking query 'status >= 500 not __tag__:env: test'
              webtracking query --fields time,level,message
              webtracking query '"order placed"' --since 15m --count
              webtracking query | jq .message

            Behind a | stands what to compute from the logs; the guide says what there is:

              webtracking query 'status >= 500 | select path, count(*) as n group by path order by n desc limit 20'
              webtracking query "| select date_trunc('minute', __time__) as t, approx_percentile(ms, 0.95) group by t"

            \(SearchHelp.text)

            Besides its own fields, a log has __topic__, __source__, __receive_time__ and __tag__:NAME. In text, \
            characters that could drive the terminal are escaped.
            """
    )

    @OptionGroup
    var options: LogOptions

    @Option(
        help: ArgumentHelp(
            "Only logs of the last 30s, 15m, 2h or 7d, or since a time as 2026-11-23T08:15:30Z, or since a day as "
                + "2026-11-23, which begins in UTC.",
            valueName: "time"
        ),
        transform: SinceArgument.init(reading:)
    )
    var since: SinceArgument?

    @Option(help: ArgumentHelp("At most this many logs.", valueName: "number"))
    var limit: Int?

    @Flag(help: "The newest first.")
    var newest = false

    @Flag(help: "Print only how many there are.")
    var count = false

    func validate() throws {
        if self.options.search?.statement != nil {
            if self.count || self.newest || self.limit != nil || self.options.fields != nil {
                throw ValidationError("Say in the statement which rows and columns it gives, with order by and limit.")
            }
        }
        if let limit = self.limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    /// What the options say, for the library.
    var query: LogQuery {
        var query = self.options.query
        query.since = self.since?.date(now: Date())
        query.limit = self.limit
        query.order = self.newest ? .newestFirst : .arrival
        return query
    }

    func run() async throws {
        let source = try self.options.source()
        do {
            try await self.options.checkLogstore(in: source)
            if let statement = self.options.search?.statement {
                try self.print(await source.statistics(self.query, statement))
            } else if self.count {
                try Output.line(String(await source.number(matching: self.query)))
            } else {
                try await self.print(source)
            }
        } catch Errno.brokenPipe {
            // The reader, `head` for one, has seen enough.
        } catch let problem as ServerSource.Problem {
            Output.note(TerminalText.escaped("webtracking: \(problem)"))
            throw ExitCode.failure
        } catch let problem as StatisticsError {
            Output.note(TerminalText.escaped("webtracking: \(problem)"))
            throw ExitCode.failure
        }
        try source.end()
    }

    private func print(_ statistics: Statistics) throws {
        var output = Output(.standardOutput)
        // As of logs.
        let logs = self.options.printer(isTerminal: Output.isTerminal)
        let printer = StatisticsPrinter(format: logs.format, valueLimit: logs.valueLimit)
        for line in printer.lines(statistics) { try output.write(line + "\n") }
        try output.flush()
        if statistics.hasMore {
            Output.note(
                "webtracking: these are the first \(statistics.rows.count) rows"
                    + (statistics.rows.count < SelectStatement.maximumLimit
                        ? "; limit, up to \(SelectStatement.maximumLimit), shows more" : "")
            )
        }
    }

    private func print(_ source: any LogSource) async throws {
        var output = Output(.standardOutput)
        let printer = self.options.printer(isTerminal: Output.isTerminal)
        try await source.read(self.query) { try output.write(printer.line($0) + "\n") }
        try output.flush()
    }
}

/// The search language in a few lines.
enum SearchHelp {
    static let text = """
        A search is made of words, "phrases", beginnings* and conditions: key: value, key: *, key > 10, __topic__: x, \
        __tag__:env: prod. They are joined by and, or, not and brackets; side by side means and.
        """
}

/// A time, or how long ago it was.
struct SinceArgument: Equatable {
    private enum Kind: Equatable {
        case ago(Double)
        case at(Date)
    }

    private var kind: Kind

    /// Throws a message for the user that says what is wrong.
    init(reading argument: String) throws {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let unit = argument.last.flatMap({ units[$0] }), let number = Double(argument.dropLast()) {
            // A century, so that no date is beyond what a calendar has.
            guard (0...3_155_760_000).contains(number * unit) else {
                throw ValidationError("it can be 0s to 36525d ago")
            }
            self.kind = .ago(number * unit)
            return
        }
        do {
            let time =
                try argument.utf8.count == 10
                ? ISOTime.beginning(ofDay: argument) : ISOTime.nanoseconds(argument)
            self.kind = .at(Date(timeIntervalSince1970: Double(time) / 1e9))
        } catch ISOTime.Fault.form {
            throw ValidationError("write 15m, 2026-11-23 or 2026-11-23T08:15:30Z")
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func date(now: Date) -> Date {
        switch self.kind {
        case .ago(let seconds): now.addingTimeInterval(-seconds)
        case .at(let date): date
        }
    }
}
