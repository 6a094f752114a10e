// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which records go first when memory fills: each level has a share of the limit that it may fill up to.
struct SheddingPolicy: Sendable {
    /// By rank: the part of the memory limit, in percent, up to which records of the level are taken.
    private static let shares = [60, 70, 80, 85, 90, 100, 100]

    func ceiling(rank: Int, limit: Int) -> Int {
        limit / 100 * Self.shares[rank]
    }
}
