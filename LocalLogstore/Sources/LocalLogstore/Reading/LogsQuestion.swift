// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What GetLogs and GetHistograms ask for.
struct LogsQuestion: Sendable {
    var selection = LogSelection()
    /// The search as it was written.
    var query = ""
    /// Seconds since 1970, all that the time asked for has a part in; the end is not part of it.
    var seconds: Range<Int64>
    var offset = 0
    var line = 100
    /// Whether the newest come first.
    var reverse = false

    /// The names of all parameters. Those that are not read here ask for what is so anyhow, or for SQL.
    static let names: Set<String> = [
        "type", "from", "to", "fromNs", "toNs", "topic", "query", "line", "offset", "reverse", "powerSql", "accurate",
        "isAccurate", "forward", "highlight", "shard", "session",
    ]

    /// The year 9999 ends here.
    private static let lastSecond: Int64 = 253_402_300_799

    init(_ parameters: ReadParameters, in place: Admission.Place) throws(ServiceError) {
        let range = 0...Self.lastSecond
        let from = try parameters.int("from", in: range, code: "InvalidTimeRange")
        let to = try parameters.int("to", in: range, code: "InvalidTimeRange")
        let nanoseconds: ClosedRange<Int64> = 0...999_999_999
        let start = from * 1_000_000 + (try parameters.int("fromNs", in: nanoseconds, default: 0)) / 1_000
        let end = to * 1_000_000 + (try parameters.int("toNs", in: nanoseconds, default: 0)) / 1_000
        guard from < to, start < end else {
            throw ServiceError(status: 400, code: "InvalidTimeRange", message: "from has to be before to.")
        }
        self.seconds = from..<(end + 999_999) / 1_000_000
        self.query = parameters.text("query") ?? ""
        do {
            self.selection.search = try SearchExpression(parsing: self.query)
        } catch {
            throw ServiceError(status: 400, code: "InvalidQueryString", message: "\(error)")
        }
        if let session = parameters.text("session") {
            throw .parameterInvalid("The session \(session) is not supported: there is no scan mode here.")
        }
        if let topic = parameters.text("topic") {
            self.selection.search = self.selection.search.and(.exact(.topic, topic))
        }
        self.selection.project = place.project
        self.selection.logstore = place.logstore
        self.selection.from = start
        self.selection.until = end
        self.line = Int(try parameters.int("line", in: 0...100, default: 100, code: "InvalidLine"))
        self.offset = Int(try parameters.int("offset", in: 0...10_000_000, default: 0, code: "InvalidOffset"))
        self.reverse = try parameters.bool("reverse", code: "InvalidReverse")
    }
}
