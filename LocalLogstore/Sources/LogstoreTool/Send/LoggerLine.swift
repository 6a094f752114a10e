// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0
import LocalLogstore
import Logging

/// Names of members that a logger has of its own, tried before those that are known.
struct MemberNames: Equatable {
    var message: String?
    var level: String?
    var time: String?
    var label: String?
}

/// What the JSON line of a logger says, whichever logger wrote it: a value of the line's members alone.
///
/// What is understood is taken out of the members; everything else stays a field under its name.
struct LoggerLine {
    var level: Logger.Level?
    /// `nil` if the line has none.
    var message: String?
    /// Nanoseconds since 1970.
    var time: Int64?
    var label: String?
    private(set) var members: [(name: String, value: JSONValue)]
    /// Whether bytes of journald's were no text, and became U+FFFD in part.
    private(set) var isRepaired = false

    init(_ members: [(name: String, value: JSONValue)], names: MemberNames = MemberNames(), source: String = "") {
        self.members = members
        let isJournal = members.contains { $0.name == "MESSAGE" || $0.name == "__REALTIME_TIMESTAMP" }
        if isJournal { self.decodeBytes() }
        let isOwn = self.forgetRequest(source: source)
        let isGELF = members.contains { $0.name == "short_message" }
        // With ECS, a user's fields may have the names of other loggers' levels and labels.
        let isECS = members.contains { $0.name == "ecs.version" }
        func own(_ name: String?) -> [String] { name.map { [$0] } ?? [] }
        self.message = self.take(own(names.message) + Self.messageNames) { value, _ in
            Self.message(value, isJournal: isJournal)
        }
        self.level = self.take(own(names.level) + (isECS ? ["log.level", "log"] : []) + Self.levelNames) {
            Self.level($0, named: $1, isSyslog: isJournal || isGELF)
        }
        let timeNames = own(names.time) + (isOwn ? ["time"] : []) + Self.timeNames
        self.time = self.take(timeNames) { LineTime.nanoseconds($0, named: $1) }
        self.label = self.take(own(names.label) + (isECS ? ["log.logger", "log"] : []) + Self.labelNames) {
            Self.label($0, named: $1)
        }
    }

    /// Takes out what `webtracking query` says of the request that a log came in, since it will come in another one.
    /// Returns whether it is such a line.
    private mutating func forgetRequest(source: String) -> Bool {
        guard
            ["__receive_time__", "__topic__", "__source__"].allSatisfy({ name in
                self.members.contains { $0.name == name }
            })
        else { return false }
        self.members.removeAll { member in
            switch (member.name, member.value) {
            case ("__receive_time__", _), ("__tag__:__pack_id__", _): true
            // Another one stays, as a field.
            case ("__source__", .string(let text)): text.isEmpty || text == source
            default: false
            }
        }
        return true
    }

    // MARK: Names, the first that is there and understood counts

    /// Ours, ecs-logging, python-json-logger, zerolog, log4j2; bunyan, pino, zap, logrus; journald; GELF; structlog.
    private static let messageNames = ["message", "msg", "MESSAGE", "short_message", "event"]
    /// The last three are python-json-logger's, journald's, and an object's, as ECS has it.
    private static let levelNames = [
        "level", "severity", "lvl", "log.level", "levelname", "loglevel", "PRIORITY", "log",
    ]
    private static let timeNames = [
        "@timestamp", "time", "ts", "timestamp", "__REALTIME_TIMESTAMP", "instant", "eventTime",
    ]
    /// `_logger` is in log4j2's templates for GELF and Google Cloud.
    private static let labelNames = [
        "label", "log.logger", "logger", "loggerName", "logger_name", "log", "_logger",
    ]

    /// Takes the first member of these names that `read` understands out of the members.
    private mutating func take<Value>(
        _ names: [String],
        _ read: (JSONValue, _ name: String) -> Value?
    ) -> Value? {
        for name in names {
            guard let index = self.members.firstIndex(where: { $0.name == name }),
                let value = read(self.members[index].value, name)
            else { continue }
            // An object has more in it than the level.
            if case .object = self.members[index].value, name == "log" { return value }
            self.members.remove(at: index)
            return value
        }
        return nil
    }

    private static func label(_ value: JSONValue, named name: String) -> String? {
        switch value {
        case .string(let text) where !text.isEmpty && name != "log": text
        case .object(let members) where name == "log":
            members.first { $0.name == "logger" }.flatMap { Self.label($0.value, named: "logger") }
        default: nil
        }
    }

    // MARK: Messages

    private static func message(_ value: JSONValue, isJournal: Bool) -> String {
        if isJournal, case .null = value {
            return "(journalctl left out a message of over 4,096 bytes; it writes them with --all)"
        }
        return value.text
    }

    /// journald's JSON has a field that is not text as a list of its bytes.
    private mutating func decodeBytes() {
        for index in self.members.indices {
            guard case .array(let elements) = self.members[index].value, !elements.isEmpty else { continue }
            var bytes: [UInt8] = []
            for element in elements {
                guard case .number(let digits) = element, let byte = UInt8(digits) else { break }
                bytes.append(byte)
            }
            guard bytes.count == elements.count else { continue }
            if String(validating: bytes, as: UTF8.self) == nil { self.isRepaired = true }
            self.members[index].value = .string(String(decoding: bytes, as: UTF8.self))
        }
    }

    // MARK: Levels

    private static func level(_ value: JSONValue, named name: String, isSyslog: Bool) -> Logger.Level? {
        switch value {
        // One of Docker's, for one, is a whole line.
        case .string where name == "log", .number where name == "log": return nil
        case .string(let text):
            if name == "PRIORITY" || isSyslog, let number = Int(text) { return Self.level(syslog: number) }
            return Self.level(named: text)
        case .number(let digits):
            guard let number = Double(digits) else { return nil }
            if isSyslog { return Int(exactly: number).flatMap(Self.level(syslog:)) }
            return Self.level(pino: number)
        case .object(let members) where name == "log":
            return members.first { $0.name == "level" }.flatMap {
                Self.level($0.value, named: "level", isSyslog: false)
            }
        default: return nil
        }
    }

    /// The level of that name in any case, or of a name that other systems use for it.
    static func level(named name: String) -> Logger.Level? {
        switch name.lowercased() {
        case "trace", "verbose", "finest", "silly": .trace
        case "debug", "fine": .debug
        case "info", "information", "informational", "default": .info
        case "notice": .notice
        case "warn", "warning": .warning
        case "error", "err", "severe", "exception": .error
        case "critical", "fatal", "crit", "alert", "emergency", "emerg", "panic", "dpanic": .critical
        default: nil
        }
    }

    /// syslog's, from 0 to 7: journald and GELF.
    static func level(syslog number: Int) -> Logger.Level? {
        switch number {
        case 0...2: .critical
        case 3: .error
        case 4: .warning
        case 5: .notice
        case 6: .info
        case 7: .debug
        default: nil
        }
    }

    /// bunyan's and pino's, 10 to 60 with anything between; a smaller number may be anybody's.
    private static func level(pino number: Double) -> Logger.Level? {
        switch number {
        case 10..<20: .trace
        case 20..<30: .debug
        case 30..<40: .info
        case 40..<50: .warning
        case 50..<60: .error
        case 60...100: .critical
        default: nil
        }
    }
}

extension JSONValue {
    /// A string itself, and the JSON text of anything else.
    var text: String {
        if case .string(let text) = self { return text }
        return self.json
    }
}
