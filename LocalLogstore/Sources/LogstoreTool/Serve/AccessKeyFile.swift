// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// The file with the AccessKeys that an endpoint knows.
enum AccessKeyFile {
    /// The keys in the file. Messages name the line and nothing of what it says.
    static func keys(at path: String) throws -> [AccessKey] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ValidationError("Cannot read AccessKeys from \(path).")
        }
        var keys: [AccessKey] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
            let expiry = words.count == 4 ? try? Date(words[3], strategy: .iso8601) : nil
            guard (2...4).contains(words.count), words.count < 4 || expiry != nil else {
                throw ValidationError("Line \(index + 1) of \(path) is not of the form ID SECRET [TOKEN [EXPIRY]].")
            }
            keys.append(
                AccessKey(
                    id: words[0],
                    secret: words[1],
                    securityToken: words.count > 2 ? words[2] : nil,
                    expiresAt: expiry
                )
            )
        }
        guard !keys.isEmpty else { throw ValidationError("There are no AccessKeys in \(path).") }
        return keys
    }
}
