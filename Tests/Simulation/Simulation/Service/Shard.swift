// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import WebTracking

/// What one shard takes: tokens for requests and bytes, which come back with time.
package struct Shard: Sendable {
    private let requestRate: Double
    private let byteRate: Double
    private var requests: Double
    private var bytes: Double
    private var last: MonotonicInstant

    /// A shard whose quota is counted over a second.
    package init(requestsPerSecond: Double, bytesPerSecond: Double, now: MonotonicInstant) {
        self.requestRate = requestsPerSecond
        self.byteRate = bytesPerSecond
        self.requests = max(requestsPerSecond, 1)
        self.bytes = bytesPerSecond
        self.last = now
    }

    /// Takes a write of `size` bytes if neither quota is used up. A large write may overdraw the bytes, which have to come
    /// back before the next one.
    package mutating func take(_ size: Int, at now: MonotonicInstant) -> Bool {
        let passed = (now - self.last).inSeconds
        self.last = now
        self.requests = min(self.requests + passed * self.requestRate, max(self.requestRate, 1))
        self.bytes = min(self.bytes + passed * self.byteRate, self.byteRate)
        guard self.requests >= 1, self.bytes > 0 else { return false }
        self.requests -= 1
        self.bytes -= Double(size)
        return true
    }
}
