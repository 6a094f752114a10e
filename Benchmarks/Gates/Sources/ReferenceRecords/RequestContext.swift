// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What an application knows of the request that it logs about; made beforehand, and the same in every run.
///
/// Without different ids and numbers the records would be so alike that compression had nothing to do.
struct RequestContext: Sendable {
    var id: String
    var path: String
    var status: Int
    var duration: Int

    /// One of 4,096.
    @inline(__always)
    static func number(_ index: Int) -> RequestContext {
        self.all[index & 4095]
    }

    private static let all: [RequestContext] = {
        // Marsaglia's xorshift: any fixed sequence would do.
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        return (0..<4096).map { _ in
            RequestContext(
                id: RequestContext.uuid(next(), next()),
                path: "/v1/customers/\(10_000 + next() % 90_000)/orders",
                status: [200, 200, 200, 201, 204, 404, 409, 500][Int(next() % 8)],
                duration: Int(1000 + next() % 99_000)
            )
        }
    }()

    private static func uuid(_ first: UInt64, _ second: UInt64) -> String {
        let digits = self.hexadecimal(first) + self.hexadecimal(second)
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
