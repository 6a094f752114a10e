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
        var expected: [(number: Int, element: Int)] = []
        for element in 0..<5_000 {
            expected.append((list.append(element), element))
            // Now more come than go, now more go.
            while Int.random(in: 0..<100, using: &random) < (element / 500 % 2 == 0 ? 20 : 60) {
                guard let gone = expected.indices.randomElement(using: &random) else { break }
                list.remove(expected[gone].number)
                list.remove(expected[gone].number)
                expected.remove(at: gone)
            }
            guard element % 97 == 0 else { continue }
            #expect(Array(list) == expected.map(\.element))
        }
        for (number, _) in expected { list.remove(number) }
        #expect(Array(list).isEmpty)
        #expect(list.placeCount <= 64)
    }
}
