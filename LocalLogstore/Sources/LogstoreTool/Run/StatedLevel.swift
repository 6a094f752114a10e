// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// The level that a line of text states, as loggers write it for people.
///
/// A word in the midst of a sentence says nothing: it has to stand where loggers put it.
enum StatedLevel {
    /// How far to look, in bytes and in words.
    private static let width = 128
    private static let words = 6

    static func level(of line: ArraySlice<UInt8>) -> Logger.Level? {
        let start = line.prefix(self.width)
        if let level = self.syslog(start) ?? self.glog(start) { return level }
        var place = Place.start
        for word in start.split(separator: 0x20).prefix(self.words) {
            let text = String(decoding: word, as: UTF8.self)
            if let level = self.member(text) ?? self.level(of: text, at: place) { return level }
            // A time, a place in a file, a process.
            let isNumber = word.contains { (0x30...0x39).contains($0) }
            place = isNumber && place != .sentence ? .behindNumbers : .sentence
        }
        return nil
    }

    private enum Place {
        case start
        case behindNumbers
        case sentence
    }

    /// `<3>text`, as for systemd.
    private static func syslog(_ line: ArraySlice<UInt8>) -> Logger.Level? {
        guard line.count > 3, line.first == UInt8(ascii: "<"), line[line.startIndex + 2] == UInt8(ascii: ">") else {
            return nil
        }
        return LoggerLine.level(syslog: Int(line[line.startIndex + 1]) - 0x30)
    }

    /// `E1130 12:00:00.000000`, as glog and Kubernetes write it.
    private static func glog(_ line: ArraySlice<UInt8>) -> Logger.Level? {
        guard line.count > 5, line.dropFirst().prefix(4).allSatisfy({ (0x30...0x39).contains($0) }),
            line[line.startIndex + 5] == 0x20
        else { return nil }
        return switch line.first {
        case UInt8(ascii: "I"): .info
        case UInt8(ascii: "W"): .warning
        case UInt8(ascii: "E"): .error
        case UInt8(ascii: "F"): .critical
        default: nil
        }
    }

    /// `level=error`, as logfmt has it.
    private static func member(_ word: String) -> Logger.Level? {
        let parts = word.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, ["level", "lvl", "severity", "loglevel"].contains(parts[0].lowercased()) else {
            return nil
        }
        return LoggerLine.level(named: parts[1].filter { $0 != "\"" })
    }

    /// `[error]`, `ERROR`, `WARNING:root:`; in small letters only `error:` at the beginning, and `info` behind a time.
    private static func level(of word: String, at place: Place) -> Logger.Level? {
        let name = word.drop { Self.brackets.contains($0) }.prefix { $0.isLetter }
        guard let level = LoggerLine.level(named: String(name)) else { return nil }
        let rest = word[name.endIndex...]
        guard rest.first.map({ ":,]>)|\"".contains($0) }) ?? true else { return nil }
        if name.startIndex > word.startIndex || name.allSatisfy(\.isUppercase) { return level }
        return switch place {
        case .start: rest.first == ":" ? level : nil
        case .behindNumbers: level
        case .sentence: nil
        }
    }

    private static let brackets: Set<Character> = ["[", "<", "(", "|", "\""]
}
