// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Why a text is no search, and where.
public struct SearchError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    /// The first character that is wrong, from 1.
    public var column: Int
    /// How many characters are wrong; 0 where something is missing.
    public var length: Int

    init(_ message: String, at range: Range<Int>) {
        self.message = message
        self.column = range.lowerBound + 1
        self.length = range.count
    }

    public var description: String { "column \(self.column): \(self.message)" }

    /// The search with a mark below what is wrong, in two lines for a terminal.
    public func pointer(in search: String) -> String {
        let line = String(search.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        return line + "\n" + String(repeating: " ", count: self.column - 1)
            + String(repeating: "^", count: max(1, self.length))
    }
}
