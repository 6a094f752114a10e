// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What befalls files.
enum Damage {
    /// Damages a file once, in the way that the input says.
    static func apply(_ input: inout FuzzInput, to bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            _ = input.rest()
            return
        }
        let kind = input.byte() & 7
        let place = input.short() % bytes.count
        switch kind {
        case 0: bytes[place] ^= 1 << (input.byte() & 7)
        case 1: bytes[place] = input.byte()
        case 2: for index in place..<min(place + Int(input.byte()), bytes.count) { bytes[index] = 0 }
        case 3: bytes.removeLast(bytes.count - place)
        case 4: bytes += [UInt8](repeating: input.byte(), count: Int(input.byte()))
        case 5:
            // The end, where the marks are.
            let mark = bytes.count - 1 - place % min(bytes.count, 256)
            bytes[mark] = input.byte()
        case 6:
            for (index, byte) in input.take(Int(input.byte() & 31)).enumerated() where place + index < bytes.count {
                bytes[place + index] = byte
            }
        default:
            // A sector that came from somewhere else.
            let source = input.short() % bytes.count
            let count = min(512, bytes.count - max(source, place))
            let sector = Array(bytes[source..<(source + count)])
            bytes.replaceSubrange(place..<(place + count), with: sector)
        }
    }
}
