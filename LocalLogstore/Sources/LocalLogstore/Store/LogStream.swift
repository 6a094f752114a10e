// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Logs that agree in what most searches are about: where they belong, their level and their label.
///
/// There are few streams and many logs, so that whatever a search says about these is decided once for each stream.
struct LogStream: Sendable, Equatable {
    var id: Int64
    var project: String
    var logstore: String
    var topic: String
    var severity: Severity
    /// The fields `level` and `label` of all its logs; `nil` if they have none.
    var level: String?
    var label: String?
    /// Whether level and label are known. Once there are very many streams, new ones take in all levels and labels.
    var isExact = true
}

extension SearchExpression {
    /// Whether the logs of a stream match: all, none, or it depends on the log (`nil`).
    func verdict(for stream: LogStream) -> Bool? {
        switch self {
        case .all: true
        case .words(let phrase): phrase.occurs(in: stream.topic) ? true : nil
        case .field(let name, let phrase): Self.value(of: name, in: stream) { phrase.occurs(in: $0) }
        case .exact(let name, let text): Self.value(of: name, in: stream) { $0.utf8.elementsEqual(text.utf8) }
        case .exists(let name): name == .topic ? !stream.topic.isEmpty : Self.value(of: name, in: stream) { _ in true }
        case .comparison: nil
        case .not(let part): part.verdict(for: stream).map { !$0 }
        case .and(let parts): Self.combine(parts, stream, decisive: false)
        case .or(let parts): Self.combine(parts, stream, decisive: true)
        }
    }

    private static func combine(_ parts: [Self], _ stream: LogStream, decisive: Bool) -> Bool? {
        var isKnown = true
        for part in parts {
            let verdict = part.verdict(for: stream)
            if verdict == decisive { return decisive }
            if verdict == nil { isKnown = false }
        }
        return isKnown ? !decisive : nil
    }

    /// What `test` says of the value, if all logs of the stream have the same; `false` if they have none.
    private static func value(of name: FieldName, in stream: LogStream, _ test: (String) -> Bool) -> Bool? {
        switch name {
        case .topic: test(stream.topic)
        case .log("level") where stream.isExact: stream.level.map(test) ?? false
        case .log("label") where stream.isExact: stream.label.map(test) ?? false
        default: nil
        }
    }
}
