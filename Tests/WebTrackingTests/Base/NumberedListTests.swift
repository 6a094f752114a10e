// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

@Suite
struct NumberedListTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func elementsStayInTheOrderInWhichTheyCameWhateverGoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var list = NumberedList<Int>()
        var expected: [Int] = []
        for round in 0..<5_000 {
            // The numbers of some are taken first and used last.
            let numbers = (0..<Int.random(in: 1...3, using: &random)).map { _ in list.takeNumber() }
            for number in numbers.reversed() { list.insert(number, number: number) }
            expected += numbers
            // Now more come than go, now more go.
            while Int.random(in: 0..<100, using: &random) < (round / 500 % 2 == 0 ? 20 : 75) {
                guard let gone = expected.indices.randomElement(using: &random) else { break }
                let number = expected.remove(at: gone)
                #expect(list.remove(number) == number && list.remove(number) == nil)
            }
            guard round % 97 == 0 else { continue }
            #expect(Array(list) == expected)
        }
        for number in expected { #expect(list.removeFirst() == number) }
        #expect(list.isEmpty && Array(list).isEmpty)
        #expect(list.placeCount <= 64)
    }
}
