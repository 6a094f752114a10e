// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// What the query of a request asks for.
struct WebParameters {
    private let parameters: [Field]

    /// The names of what ``selection()`` reads.
    static let ofSelection = ["q", "project", "logstore", "from", "until"]

    /// Throws 400 if the query is not encoded as it has to be: taken for none, it would ask for everything. The same for
    /// a name that the path does not know, which is misspelled perhaps, and for one that is there twice.
    ///
    /// - Parameter names: Those that the path knows.
    init(_ request: Request, _ names: [String] = []) throws(WebError) {
        guard let parameters = FormEncoding.parameters(of: request.head.path ?? "") else {
            throw .badRequest("The query is not encoded as it has to be: percent signs with two digits, and UTF-8.")
        }
        for (index, parameter) in parameters.enumerated() {
            guard names.contains(parameter.name) else {
                throw .badRequest(
                    "There is no parameter \(parameter.name) here; "
                        + (names.isEmpty ? "there are none." : "there are: \(names.joined(separator: ", ")).")
                )
            }
            guard !parameters[..<index].contains(where: { $0.name == parameter.name }) else {
                throw .badRequest("The parameter \(parameter.name) is there twice.")
            }
        }
        self.parameters = parameters
    }

    func text(_ name: String) -> String? {
        guard let value = self.parameters.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// The same where nothing must not be taken for everything, as a variable of a script that is not set.
    func name(_ name: String) throws(WebError) -> String? {
        if self.parameters.contains(where: { $0.name == name && $0.value.isEmpty }) {
            throw .badRequest("\(name) is empty; leave it out for all.")
        }
        return self.text(name)
    }

    func int(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(WebError) -> Int {
        guard let text = self.text(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequest("\(name) has to be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func id(_ name: String) throws(WebError) -> Int64? {
        guard let text = self.text(name) else { return nil }
        guard let number = Int64(text), number >= 0 else { throw .badRequest("\(name) has to be a number.") }
        return number
    }

    /// A time in ISO 8601, or a number of seconds, milliseconds or microseconds since 1970.
    private func time(_ name: String) throws(WebError) -> Int64? {
        guard var text = self.text(name) else { return nil }
        guard let time = text.withUTF8(EventTime.microseconds) else {
            throw .badRequest("\(name) is no time: write it as 2026-11-23T08:15:30Z, or as a number of seconds.")
        }
        return time
    }

    func selection() throws(WebError) -> LogSelection {
        try self.selection(self.parsed { text throws(SearchError) in try SearchExpression(parsing: text) })
    }

    /// The same with a statement behind the search; `nil` if there is none.
    func question() throws(WebError) -> (LogSelection, SelectStatement?) {
        let question = try self.parsed { text throws(SearchError) in try SearchQuestion(parsing: text) }
        return (try self.selection(question.search), question.statement)
    }

    private func parsed<Value>(_ parse: (String) throws(SearchError) -> Value) throws(WebError) -> Value {
        do {
            return try parse(self.text("q") ?? "")
        } catch {
            throw WebError(status: .badRequest, message: error.message, place: (error.column, error.length))
        }
    }

    private func selection(_ search: SearchExpression) throws(WebError) -> LogSelection {
        var selection = LogSelection()
        selection.search = search
        selection.project = self.text("project")
        selection.logstore = self.text("logstore")
        selection.from = try self.time("from")
        selection.until = try self.time("until")
        if let from = selection.from, let until = selection.until, from >= until {
            throw .badRequest("from has to be before until.")
        }
        return selection
    }
}
