// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// Which logs, and how to print them: what `query` and `tail` have in common.
struct LogOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("What to look for; everything if there is none.", valueName: "search"))
    var search: SearchArgument?

    @OptionGroup
    var endpoint: EndpointOptions

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

    @Flag(
        help: ArgumentHelp(
            "All of long values. Otherwise those of over \(LogPrinter.longestOnTerminal) characters are cut on a "
                + "terminal and with --fields, unless the format is ndjson."
        )
    )
    var full = false

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
        let isCut = !self.full && (isTerminal || !fields.isEmpty)
        return LogPrinter(
            format: format,
            fields: fields,
            isColored: isColored,
            valueLimit: isCut ? LogPrinter.longestOnTerminal : nil
        )
    }

    func validate() throws {
        if self.conditions.contains(where: { $0.key == "__receive_time__" }) {
            throw ValidationError("--where does not know __receive_time__; use --since.")
        }
    }

    /// Where the logs are; throws a message for the user if they cannot be read.
    func source(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> any LogSource {
        if let server = try self.endpoint.server(environment, search: self.remoteSearch) { return server }
        let database = try self.endpoint.existingFile
        do {
            return FileSource(store: try LogStore(readingFrom: database), name: database)
        } catch let error as StoreError {
            throw ValidationError("\(error).")
        }
    }

    /// The search with what the other options say, in the search language.
    var remoteSearch: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        var parts: [String] = []
        if let search = self.search?.text.trimmingCharacters(in: .whitespaces), !search.isEmpty {
            parts.append("(\(search))")
        }
        if let topic = self.topic { parts.append("__topic__ = \(quoted(topic))") }
        for condition in self.conditions {
            let name =
                condition.key.hasPrefix("__tag__:")
                ? "__tag__:" + quoted(String(condition.key.dropFirst("__tag__:".count))) : quoted(condition.key)
            parts.append("\(name) = \(quoted(condition.value))")
        }
        return parts.joined(separator: " and ")
    }

    /// Throws a message for the user if there is no such logstore: a mistyped name would find nothing.
    func checkLogstore(in source: any LogSource) async throws {
        guard let logstore = self.logstore else { return }
        let known = Set(try await source.knownLogstores()).sorted()
        guard !known.contains(logstore) else { return }
        Output.note(
            TerminalText.escaped("webtracking: no logs of a logstore \(logstore) in \(source.name); ")
                + (known.isEmpty ? "there are none at all" : "there are some of " + known.joined(separator: ", "))
        )
        throw ExitCode.failure
    }
}

/// A search; what is wrong with one is shown below it.
struct SearchArgument: ExpressibleByArgument, Equatable {
    var text: String
    var expression: SearchExpression
    /// What is computed, behind a `|`; `nil` if the logs themselves are asked for.
    var statement: StatementArgument?

    init?(argument: String) {
        do {
            let question = try SearchQuestion(parsing: argument)
            self.expression = question.search
            self.text = question.text
            if let text = question.statementText, let statement = question.statement {
                self.statement = StatementArgument(text: text, statement: statement)
            }
        } catch {
            let pointer = error.pointer(in: argument).split(separator: "\n").map {
                "  " + TerminalText.escapedControls($0)
            }
            Output.note(pointer.joined(separator: "\n") + "\n  \(error)")
            return nil
        }
    }
}

/// A statement, and how it was written.
struct StatementArgument: Equatable {
    var text: String
    var statement: SelectStatement
}

/// When to use colours.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
}
