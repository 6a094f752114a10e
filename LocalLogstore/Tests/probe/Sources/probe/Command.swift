// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A command: a name and, behind a colon, values that are separated by commas: `log:count=100,bytes=970`.
struct Command {
    let name: String
    private let values: [String: String]

    init?(_ argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
        guard let name = parts.first else { return nil }
        self.name = name
        var values: [String: String] = [:]
        for part in parts.dropFirst().joined().split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            // A value without a name is the only one.
            if pair.count == 2 { values[pair[0]] = pair[1] } else { values[""] = pair[0] }
        }
        self.values = values
    }

    func text(_ name: String = "") -> String? { self.values[name] }
    func number(_ name: String = "") -> Int? { self.values[name].flatMap { Int($0) } }
    func seconds(_ name: String = "") -> Duration { .seconds(self.values[name].flatMap { Double($0) } ?? 0) }

    /// A number of a record and what it is to have: `1100@5`.
    func atRecord(_ name: String) -> (what: String, record: Int)? {
        guard let parts = self.values[name]?.split(separator: "@").map(String.init), parts.count == 2,
            let record = Int(parts[1])
        else { return nil }
        return (parts[0], record)
    }
}
