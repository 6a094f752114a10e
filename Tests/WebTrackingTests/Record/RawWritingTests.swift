// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

/// Each function that writes to raw memory, against the plain way of doing the same, with random input: the same bytes, and
/// not one outside of what the function's invariant allows.
@Suite(.timeLimit(.minutes(10))) struct RawWritingTests {
    /// A number of any length, all lengths as often.
    private static func number(_ random: inout SeededGenerator) -> UInt64 {
        UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
    }

    private static let boundaries: [UInt64] = (0..<20).flatMap { power -> [UInt64] in
        let ten = (0..<power).reduce(UInt64(1)) { product, _ in product * 10 }
        return [ten - 1, ten, ten + 1]
    }

    @Test(arguments: [UInt8(0), 0x5A, 0xFF])
    func decimalDigitsAreThoseOfTheNumberAndNothingBehindThemIsWritten(pattern: UInt8) {
        var random = SeededGenerator(seed: 1)
        let numbers = Self.boundaries + [.max, .max - 1] + (0..<4000).map { _ in Self.number(&random) }
        for number in numbers {
            let digits = Array(String(number).utf8)
            let room = GuardedRoom(count: DecimalDigits.longest, pattern: pattern)
            #expect(DecimalDigits.count(number) == digits.count)
            #expect(DecimalDigits.write(number, to: room.start) == digits.count)
            #expect(room.prefix(digits.count) == digits)
            #expect(room.isUntouched(behind: digits.count))
        }
    }

    @Test func nineDigitsAreNineWithZerosInFront() {
        var random = SeededGenerator(seed: 2)
        let numbers =
            [0, 1, 9, 10, 99, 100, 999_999_999]
            + (0..<4000).map { _ in UInt32.random(in: 0..<1_000_000_000, using: &random) }
        for number in numbers {
            let digits = String(number)
            let room = GuardedRoom(count: 9, pattern: 0xA5)
            DecimalDigits.writeNine(number, to: room.start)
            #expect(room.prefix(9) == Array((String(repeating: "0", count: 9 - digits.utf8.count) + digits).utf8))
            #expect(room.isUntouched())
        }
    }

    /// JSON's escapes, a byte at a time.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x22: Array(#"\""#.utf8)
            case 0x5C: Array(#"\\"#.utf8)
            case 0x08: Array(#"\b"#.utf8)
            case 0x09: Array(#"\t"#.utf8)
            case 0x0A: Array(#"\n"#.utf8)
            case 0x0C: Array(#"\f"#.utf8)
            case 0x0D: Array(#"\r"#.utf8)
            case ..<0x20: Array((byte < 0x10 ? #"\u000"# : #"\u00"#).utf8) + Array(String(byte, radix: 16).utf8)
            default: [byte]
            }
        }
    }

    /// Mostly bytes that stay as they are, or mostly such that do not, or any.
    private static func bytes(_ random: inout SeededGenerator) -> [UInt8] {
        let special: [UInt8] = [0x22, 0x5C, 0x00, 0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x1F, 0x20, 0x21, 0x7F, 0x80, 0xFF]
        let share = [0, 1, 10, 50, 100].randomElement(using: &random) ?? 0
        return (0..<Int.random(in: 0..<100, using: &random)).map { _ in
            Int.random(in: 0..<100, using: &random) < share
                ? special.randomElement(using: &random) ?? 0 : UInt8.random(in: 0x20...0x7E, using: &random)
        }
    }

    @Test func escapesStayWithinTheirRoomAndReadNothingBehindTheText() {
        var random = SeededGenerator(seed: 3)
        let fenced = FencedBytes()
        for _ in 0..<4000 {
            let text = Self.bytes(&random)
            let expected = Self.escaped(text)
            fenced.atBothEnds(text) { source in
                guard let start = source.baseAddress else { return }
                let room = GuardedRoom(count: JSONEscape.room(for: text.count), pattern: 0xA5)
                let written = JSONEscape.write(start, count: text.count, to: room.start)
                #expect(room.prefix(written) == expected)
                #expect(room.isUntouched())
            }
        }
    }

    /// The worst case of the room: each byte becomes six.
    @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 1023, 1024])
    func theRoomIsEnoughForTheWorstText(count: Int) {
        let text: [UInt8] = Array(repeating: 0x01, count: count)
        let room = GuardedRoom(count: JSONEscape.room(for: count), pattern: 0xA5)
        text.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            #expect(JSONEscape.write(start, count: count, to: room.start) == 6 * count)
        }
        #expect(room.isUntouched())
    }

    @Test func aRecordTakesUpWhatItSaysAndNoMore() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<4000 {
            let name: String? = [nil, "seq", "n", "a \"name\""].randomElement(using: &random) ?? nil
            let sequence = name.map { _ in Self.number(&random) }
            let members = Self.bytes(&random)
            let opening = EncodedRecord.opening(sequenceName: name)
            members.withUnsafeBytes { members in
                let record = EncodedRecord(opening: opening, sequence: sequence, members: members)
                for isFirst in [true, false] {
                    let skipped = isFirst ? Envelope.separatorCount : 0
                    let room = GuardedRoom(count: record.count - skipped, pattern: 0xA5)
                    record.write(to: room.start, isFirst: isFirst)
                    var expected = Array(opening[skipped...])
                    if let sequence { expected += Array("\(sequence)\",".utf8) }
                    #expect(room.prefix(room.count) == expected + Array(members))
                    #expect(room.isUntouched())
                }
            }
        }
    }
}
