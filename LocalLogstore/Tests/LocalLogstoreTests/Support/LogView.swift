// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

@testable import LocalLogstore

/// A log that is compared with a search by looking at it, to hold the database's answers against.
struct LogView {
    /// A flat JSON object.
    let fields: UnsafeBufferPointer<UInt8>
    let topic: String
    /// What it came with; only asked for if the search is about that.
    let request: () -> StoredRequest?
}

extension SearchExpression {
    func matches(_ log: LogView) -> Bool {
        switch self {
        case .all: return true
        case .words(let phrase):
            if phrase.occurs(in: log.topic) { return true }
            var object = FlatObject(log.fields)
            while let member = object.next() {
                if member.isNamed("time") || member.isNamed("seq") { continue }
                if member.withValue(phrase.occurs(in:)) { return true }
            }
            return false
        case .field(let name, let phrase): return log.contains(name) { phrase.occurs(in: $0) }
        case .exact(let name, let text): return log.contains(name) { $0.elementsEqual(text.utf8) }
        case .exists(.topic): return !log.topic.isEmpty
        case .exists(let name): return log.contains(name) { _ in true }
        case .comparison(let name, let comparison, let number):
            return log.contains(name) { text in
                Double(String(decoding: text, as: UTF8.self)).map { comparison.holds($0, number) } ?? false
            }
        case .and(let parts): return parts.allSatisfy { $0.matches(log) }
        case .or(let parts): return parts.contains { $0.matches(log) }
        case .not(let part): return !part.matches(log)
        }
    }
}

extension LogView {
    /// Whether there is a value under that name, and `test` likes it.
    fileprivate func contains(_ name: FieldName, _ test: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool {
        func apply(_ text: String) -> Bool {
            var text = text
            return text.withUTF8(test)
        }
        switch name {
        case .topic: return apply(self.topic)
        case .source: return self.request().map { apply($0.source) } ?? false
        case .tag(let tag):
            let value = self.request()?.tags.first { $0.name.utf8.elementsEqual(tag.utf8) }?.value
            return value.map(apply) ?? false
        case .log(let name):
            var object = FlatObject(self.fields)
            while let member = object.next() {
                if member.isNamed(name) { return member.withValue(test) }
            }
            return false
        }
    }
}
