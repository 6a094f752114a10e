// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import SystemPackage

/// The file with the token that reading takes. It is never printed, and never part of an address.
enum TokenFile {
    /// The token in the file, which is made with a new one, for its owner alone, if there is none.
    static func token(at path: String) throws -> String {
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard token.utf8.count >= 16 else {
                throw ValidationError("The token in \(path) is shorter than 16 characters.")
            }
            return token
        }
        let token = (0..<4).map { _ in String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16) }.joined()
        do {
            let file = try FileDescriptor.open(
                FilePath(path),
                .writeOnly,
                options: [.create, .exclusiveCreate],
                permissions: .ownerReadWrite
            )
            try file.closeAfter { _ = try file.writeAll((token + "\n").utf8) }
        } catch {
            throw ValidationError("Cannot write a token to \(path): \(error)")
        }
        return token
    }
}
