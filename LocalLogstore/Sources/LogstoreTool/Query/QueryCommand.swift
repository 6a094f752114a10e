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

/// `webtracking query`
struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Prints the logs that an endpoint has kept, in the order they arrived.",
        discussion: """
            It works while the endpoint runs, and afterwards.

              webtracking query --logstore app --where level=error --limit 20
              webtracking query --fields time,level,message
              webtracking query --topic orders --count
              webtracking query --format ndjson | jq .message

            Besides its own fields, a log has __topic__, __source__, __receive_time__ and __tag__:NAME. In text, \
            characters that could drive the terminal are escaped.
            """
    )

    @Option(help: ArgumentHelp("The file of the endpoint.", valueName: "file"))
    var database = "webtracking.sqlite"

    @Option(help: "Only logs of this logstore.")
    var logstore: String?

    @Option(help: "Only logs of this topic.")
    var topic: String?

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Only logs with this field; may be given several times.", valueName: "key=value")
    )
    var conditions: [KeyValue] = []

    @Option(help: ArgumentHelp("At most this many logs.", valueName: "number"))
    var limit: Int?

    @Flag(help: "The newest first.")
    var newest = false

    @Flag(help: "Print only how many there are.")
    var count = false

    @Option(help: "text, or ndjson for one JSON object a line.")
    var format = TextFormat.text

    @Option(help: ArgumentHelp("Only these fields, separated by commas.", valueName: "names"))
    var fields: String?

    func validate() throws {
        if let limit = self.limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    /// What the options say, for the library.
    var query: LogQuery {
        var query = LogQuery(logstore: self.logstore, topic: self.topic)
        query.fields = self.conditions.map { Field($0.key, $0.value) }
        query.limit = self.limit
        query.order = self.newest ? .newestFirst : .arrival
        return query
    }

    var printer: LogPrinter {
        LogPrinter(format: self.format, fields: self.fields?.split(separator: ",").map(String.init) ?? [])
    }

    func run() throws {
        guard FileManager.default.fileExists(atPath: self.database) else {
            throw ValidationError("There is no file \(self.database); name one with --database.")
        }
        let store = try LogStore(readingFrom: self.database)
        do {
            if self.count {
                try Output.line(String(store.countNow(matching: self.query)))
            } else {
                try self.print(store)
            }
        } catch Errno.brokenPipe {
            // The reader, `head` for one, has seen enough.
        }
        try store.close()
    }

    private func print(_ store: LogStore) throws {
        var output = Output(.standardOutput)
        let printer = self.printer
        try store.forEachLog(matching: self.query) { try output.write(printer.line($0) + "\n") }
        try output.flush()
    }
}
