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

/// Which logs, and how to print them: what `query` and `tail` have in common.
struct LogOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("What to look for; everything if there is none.", valueName: "search"))
    var search: SearchArgument?

    @Option(help: ArgumentHelp("The file of the endpoint.", valueName: "file"))
    var database = "webtracking.sqlite"

    @Option(help: "Only logs of this project.")
    var project: String?

    @Option(help: "Only logs of this logstore.")
    var logstore: String?

    @Option(help: "Only logs of this topic.")
    var topic: String?

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only logs whose field is exactly this; may be given several times.",
            valueName: "key=value"
        )
    )
    var conditions: [KeyValue] = []

    @Option(help: "text, or ndjson for one JSON object a line. Default: text on a terminal and with --fields.")
    var format: TextFormat?

    @Option(help: ArgumentHelp("Only these fields, separated by commas.", valueName: "names"))
    var fields: String?

    @Option(help: "Colours: auto for on a terminal only, always, or never.")
    var color = ColorChoice.auto

    /// What the options say, for the library.
    var query: LogQuery {
        var query = LogQuery(logstore: self.logstore, topic: self.topic)
        query.project = self.project
        query.search = self.search?.expression ?? .all
        query.fields = self.conditions.map { Field($0.key, $0.value) }
        return query
    }

    /// - Parameter isTerminal: Whether what is printed goes to one.
    func printer(isTerminal: Bool) -> LogPrinter {
        let fields = self.fields?.split(separator: ",").map(String.init) ?? []
        let format = self.format ?? (isTerminal || !fields.isEmpty ? .text : .ndjson)
        let isColored = format == .text && (self.color == .always || (self.color == .auto && isTerminal))
        return LogPrinter(format: format, fields: fields, isColored: isColored)
    }

    /// Opens the file; throws a message for the user if that is not possible.
    func store() throws -> LogStore {
        guard FileManager.default.fileExists(atPath: self.database) else {
            throw ValidationError("There is no file \(self.database); name one with --database.")
        }
        do {
            return try LogStore(readingFrom: self.database)
        } catch let error as StoreError {
            throw ValidationError("\(error).")
        }
    }

    /// Throws a message for the user if the file has no such logstore: a mistyped name would find nothing.
    func checkLogstore(in store: LogStore) throws {
        guard let logstore = self.logstore else { return }
        let known = try store.logstoresNow()
        guard !known.contains(logstore) else { return }
        Output.note(
            TerminalText.escaped("webtracking: no logs of a logstore \(logstore) in \(self.database); ")
                + (known.isEmpty ? "there are none at all" : "there are some of " + known.joined(separator: ", "))
        )
        throw ExitCode.failure
    }
}

/// A search; what is wrong with one is shown below it.
struct SearchArgument: ExpressibleByArgument, Equatable {
    var text: String
    var expression: SearchExpression

    init?(argument: String) {
        do {
            self.expression = try SearchExpression(parsing: argument)
            self.text = argument
        } catch {
            let pointer = error.pointer(in: argument).split(separator: "\n").map {
                "  " + TerminalText.escapedControls($0)
            }
            Output.note(pointer.joined(separator: "\n") + "\n  \(error)")
            return nil
        }
    }
}

/// When to use colours.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
}
