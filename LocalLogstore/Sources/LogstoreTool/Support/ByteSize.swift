// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A number of bytes, as `500MB` or `2GB`; the units are powers of 1000, and `KiB`, `MiB` and `GiB` those of 1024.
struct ByteSize: ExpressibleByArgument, Equatable, CustomStringConvertible {
    private static let units: [(name: String, bytes: Double)] = [
        ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("kb", 1_000), ("mb", 1_000_000),
        ("gb", 1_000_000_000), ("b", 1), ("", 1),
    ]

    var bytes: Int

    init(bytes: Int) {
        self.bytes = bytes
    }

    init?(argument: String) {
        let text = argument.lowercased()
        guard let unit = Self.units.first(where: { text.hasSuffix($0.name) }),
            let number = Double(text.dropLast(unit.name.count)), number >= 0, number * unit.bytes < 1e15
        else { return nil }
        self.bytes = Int(number * unit.bytes)
    }

    var description: String {
        for (name, bytes) in Self.units.reversed() where self.bytes > 0 && bytes >= 1000 {
            if self.bytes.isMultiple(of: Int(bytes)), self.bytes / Int(bytes) < 1000 {
                return "\(self.bytes / Int(bytes))\(name.prefix(1).uppercased())\(name.count == 2 ? "B" : "iB")"
            }
        }
        return String(self.bytes)
    }

    var defaultValueDescription: String { self.description }
}
