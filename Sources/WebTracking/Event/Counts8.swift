//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Eight numbers in place, so that counting on the logging path allocates nothing.
///
/// Not a SIMD vector: a value with more than the usual alignment that lives across an `await` is laid out past the end of
/// the task's frame by the optimiser (seen with Swift 6.3.1 on Linux, found by the address sanitizer).
struct Counts8: Sendable, Equatable {
    private var c0 = 0
    private var c1 = 0
    private var c2 = 0
    private var c3 = 0
    private var c4 = 0
    private var c5 = 0
    private var c6 = 0
    private var c7 = 0

    /// The number at `index`, which is from 0 to 7.
    subscript(index: Int) -> Int {
        get {
            switch index {
            case 0: self.c0
            case 1: self.c1
            case 2: self.c2
            case 3: self.c3
            case 4: self.c4
            case 5: self.c5
            case 6: self.c6
            default: self.c7
            }
        }
        set {
            switch index {
            case 0: self.c0 = newValue
            case 1: self.c1 = newValue
            case 2: self.c2 = newValue
            case 3: self.c3 = newValue
            case 4: self.c4 = newValue
            case 5: self.c5 = newValue
            case 6: self.c6 = newValue
            default: self.c7 = newValue
            }
        }
    }

    /// The sum of all numbers.
    var total: Int {
        self.c0 &+ self.c1 &+ self.c2 &+ self.c3 &+ self.c4 &+ self.c5 &+ self.c6 &+ self.c7
    }

    static func += (left: inout Counts8, right: Counts8) {
        left.c0 &+= right.c0
        left.c1 &+= right.c1
        left.c2 &+= right.c2
        left.c3 &+= right.c3
        left.c4 &+= right.c4
        left.c5 &+= right.c5
        left.c6 &+= right.c6
        left.c7 &+= right.c7
    }

    static func -= (left: inout Counts8, right: Counts8) {
        left.c0 &-= right.c0
        left.c1 &-= right.c1
        left.c2 &-= right.c2
        left.c3 &-= right.c3
        left.c4 &-= right.c4
        left.c5 &-= right.c5
        left.c6 &-= right.c6
        left.c7 &-= right.c7
    }
}
