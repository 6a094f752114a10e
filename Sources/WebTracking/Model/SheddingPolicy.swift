// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides which records are dropped first when memory fills: each level may use a share of the limit.
struct SheddingPolicy: Sendable {
    /// By rank: the percentage of the memory limit up to which records of the level are accepted.
    private static let shares = [60, 70, 80, 85, 90, 100, 100]

    func ceiling(rank: Int, limit: Int) -> Int {
        limit / 100 * Self.shares[rank]
    }
}
