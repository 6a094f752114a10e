// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the probe says: a line of JSON for each event.
enum Output {
    static func event(_ name: String, _ members: [(String, Any)]) {
        let line = self.json(object: [("event", name)] + members) + "\n"
        // One call a line, so that those of a child and its parent stay whole.
        line.utf8.withContiguousStorageIfAvailable { bytes in
            _ = write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    /// Whatever a value consists of, under the names that its type gives: so this compiles whatever the names are.
    static func members(of value: Any) -> [(String, Any)] {
        Mirror(reflecting: value).children.compactMap { child in child.label.map { ($0, child.value) } }
    }

    private static func json(object: [(String, Any)]) -> String {
        "{" + object.map { "\(self.json(text: $0)):\(self.json($1))" }.joined(separator: ",") + "}"
    }

    private static func json(_ value: Any) -> String {
        switch value {
        case let number as Int: return "\(number)"
        case let number as Double: return "\(number)"
        case let flag as Bool: return "\(flag)"
        case let text as String: return self.json(text: text)
        case let time as Duration: return "\(time / .seconds(1))"
        default: break
        }
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .dictionary else { return self.json(text: "\(value)") }
        let pairs = mirror.children.map { Array(Mirror(reflecting: $0.value).children).map(\.value) }
        return self.json(object: pairs.map { ("\($0[0])", $0[1]) })
    }

    private static func json(text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
