// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstore

/// Turns stored logs into lines.
struct LogPrinter {
    /// What fills a terminal of 80 columns and 24 lines.
    static let longestOnTerminal = 2_000

    var format: TextFormat
    /// The fields to print, in this order; all if empty.
    var fields: [String]
    /// Whether levels have colours.
    var isColored = false
    /// How many characters of a value text has; `nil` for all. NDJSON always has all.
    var valueLimit: Int?

    func line(_ stored: StoredLog) -> String {
        switch self.format {
        case .text: self.fields.isEmpty ? self.sentence(stored) : self.columns(stored)
        case .ndjson: self.fields.isEmpty ? self.object(stored) : self.selection(stored)
        }
    }

    // MARK: - Text

    /// The well-known fields in front, the others behind as `name=value`.
    private func sentence(_ stored: StoredLog) -> String {
        var rest = stored.log.fields
        func take(_ name: String) -> String? {
            guard let index = rest.firstIndex(where: { $0.name == name }) else { return nil }
            return self.shown(rest.remove(at: index).value)
        }
        let time = take("time") ?? stored.request.receivedAt.formatted(.iso8601Fractional)
        let level = take("level").map { self.colored($0, stored.severity) }
        let label = take("label")
        let message = take("message")
        var words = [
            time, level, stored.request.topic.isEmpty ? nil : "[\(TerminalText.escaped(stored.request.topic))]",
        ]
        .compactMap(\.self)
        if let label { words.append(label + ":") }
        if let message { words.append(message) }
        words += rest.map { TerminalText.escaped($0.name) + "=" + self.quotedIfNeeded($0.value) }
        return words.joined(separator: " ")
    }

    private func colored(_ level: String, _ severity: Severity) -> String {
        guard self.isColored else { return level }
        let code =
            switch severity {
            case .none, .trace, .debug: "2"
            case .info: "34"
            case .notice: "32"
            case .warning: "33"
            case .error: "31"
            case .critical: "1;35"
            }
        return "\u{1B}[\(code)m\(level)\u{1B}[0m"
    }

    private func quotedIfNeeded(_ value: String) -> String {
        let (start, rest) = TerminalText.cut(value, to: self.valueLimit)
        let escaped = TerminalText.escaped(start)
        guard escaped.isEmpty || escaped.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return escaped + rest
        }
        // What is left out is no part of the value, and so outside of its quotes.
        return "\"" + escaped.replacing("\"", with: "\\\"") + "\"" + rest
    }

    /// A value as text has it.
    private func shown(_ value: String) -> String {
        TerminalText.shown(value, limit: self.valueLimit)
    }

    /// Values only, with tabs between them; a field that the log lacks is empty.
    private func columns(_ stored: StoredLog) -> String {
        let fields = stored.log.fields
        return self.fields.map { self.shown(Self.value(of: $0, in: stored, fields) ?? "") }
            .joined(separator: "\t")
    }

    // MARK: - NDJSON

    /// The fields as they were sent, behind what the service knows about them, under the names it uses in results.
    private func object(_ stored: StoredLog) -> String {
        var head = [
            Field("__receive_time__", stored.request.receivedAt.formatted(.iso8601Fractional)),
            Field("__topic__", stored.request.topic),
            Field("__source__", stored.request.source),
        ]
        head += stored.request.tags.map { Field("__tag__:" + $0.name, $0.value) }
        return LogFields(head).json.dropLast() + "," + stored.log.json.dropFirst()
    }

    private func selection(_ stored: StoredLog) -> String {
        let fields = stored.log.fields
        let selected = self.fields.compactMap { name in
            Self.value(of: name, in: stored, fields).map { Field(name, $0) }
        }
        return LogFields(selected).json
    }

    private static func value(of name: String, in stored: StoredLog, _ fields: [Field]) -> String? {
        switch name {
        case "__topic__": stored.request.topic
        case "__source__": stored.request.source
        case "__receive_time__": stored.request.receivedAt.formatted(.iso8601Fractional)
        case _ where name.hasPrefix("__tag__:"):
            stored.request.tags.first { "__tag__:" + $0.name == name }?.value
        default: fields.first { $0.name == name }?.value
        }
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    /// UTC with milliseconds.
    fileprivate static var iso8601Fractional: Self { Date.ISO8601FormatStyle(includingFractionalSeconds: true) }
}
