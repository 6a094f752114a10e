// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How the objects of an input stand in it.
enum ObjectLayout: Equatable {
    /// Each on a line of its own.
    case lines
    /// In one array, or each over several lines.
    case spread

    /// What the beginning of an input says; `nil` as long as it says nothing.
    static func of(_ beginning: ArraySlice<UInt8>) -> ObjectLayout? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        // A piece of the mark says nothing yet.
        if mark.starts(with: beginning) { return nil }
        var rest = beginning.starts(with: mark) ? beginning.dropFirst(3) : beginning
        rest = rest.drop(while: \.isSpace)
        guard let first = rest.popFirst() else { return nil }
        switch first {
        // Text may begin with a bracket, too: [info] started
        case UInt8(ascii: "["):
            return rest.first { !$0.isSpace }.map {
                $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "]") ? .spread : .lines
            }
        // What prints an object over several lines has nothing behind its first brace.
        case UInt8(ascii: "{"):
            return rest.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }.map { $0 == 0x0A ? .spread : .lines }
        default: return .lines
        }
    }
}

extension UInt8 {
    /// Whether JSON takes it for white space.
    var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
