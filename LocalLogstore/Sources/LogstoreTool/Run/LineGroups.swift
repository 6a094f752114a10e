// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CMemory

/// Puts the lines of one stream together that are one event: a backtrace, or an error that nobody handled.
///
/// The last line is held for a while, since the next may belong to it. Empty lines are part of an event or of none.
struct LineGroups {
    struct Event: Equatable {
        enum Kind: Comparable {
            case line
            /// An error with where it comes from.
            case error
            /// The end of the program.
            case crash
        }

        /// Without the last line feed.
        var text: [UInt8]
        var kind: Kind
        /// That of the first line, in nanoseconds since 1970.
        var time: Int64
        var lines = 1
    }

    /// What has been seen, and so what may follow.
    fileprivate enum Shape {
        case line
        case frames
        case pythonTrace
        case pythonEnd
        case pythonLink
        case goHead
        case goPanic
        case swiftError
        case swiftStack
        case swiftCrash
        case swiftEnd
    }

    /// The program is dead, but to read what names its functions have takes its time.
    private static let crashPatience = Duration.seconds(60)

    /// The longest event, in bytes; what is beyond is another.
    let limit: Int

    private var event: Event?
    private var shape = Shape.line
    private var blankLines = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// How long to wait for what may follow; `nil` if nothing is held.
    var patience: Duration? {
        guard self.event != nil else { return nil }
        return switch self.shape {
        case .line, .swiftEnd: .milliseconds(100)
        case .frames, .pythonTrace, .pythonEnd, .pythonLink, .goHead, .goPanic, .swiftError, .swiftStack: .seconds(1)
        case .swiftCrash: Self.crashPatience
        }
    }

    /// Adds a line, and returns the event that it ends, if it does.
    mutating func add(_ line: ArraySlice<UInt8>, time: Int64) -> Event? {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
            guard self.event != nil, self.shape.mayHaveBlankLines else { return self.flush() }
            self.blankLines += 1
            return nil
        }
        // Not the event itself, whose text would be copied to add to it.
        guard let held = self.event.map({ (length: $0.text.count, time: $0.time) }),
            let shape = self.shape.next(line),
            // Whatever starts like a crash may be none, and have lines without end that look like its.
            shape != .swiftCrash || .nanoseconds(time - held.time) < Self.crashPatience
        else {
            let last = self.flush()
            self.start(line, Shape(line), time: time)
            return last
        }
        guard held.length + self.blankLines + 1 + line.count <= self.limit else {
            let last = self.flush()
            self.start(line, shape, time: time)
            return last
        }
        self.event?.text += [UInt8](repeating: 0x0A, count: self.blankLines + 1) + line
        self.event?.lines += self.blankLines + 1
        if let kind = self.event?.kind { self.event?.kind = max(kind, shape.kind) }
        self.shape = shape
        self.blankLines = 0
        return nil
    }

    /// What is held.
    mutating func flush() -> Event? {
        defer { self.event = nil }
        self.blankLines = 0
        return self.event
    }

    private mutating func start(_ line: ArraySlice<UInt8>, _ shape: Shape, time: Int64) {
        self.event = Event(text: Array(line), kind: shape.kind, time: time)
        self.shape = shape
    }
}

extension LineGroups.Shape {
    fileprivate init(_ line: ArraySlice<UInt8>) {
        if let crash = Self.crash(line) {
            self = crash
        } else if line.starts("Fatal error: ") || line.contains(": Fatal error: ") {
            self = .swiftError
        } else if line.starts("Traceback (most recent call last):") {
            self = .pythonTrace
        } else if Self.isGoroutine(line) {
            self = .goPanic
        } else if line.starts("panic: ") || line.starts("fatal error: ") {
            self = .goHead
        } else {
            self = .line
        }
    }

    /// What it is with this line; `nil` if the line is another event's.
    fileprivate func next(_ line: ArraySlice<UInt8>) -> Self? {
        switch self {
        case .line, .frames: Self.isFrame(line) ? .frames : nil
        case .pythonTrace: line.first == 0x20 ? .pythonTrace : .pythonEnd
        case .pythonEnd:
            line.starts("During handling of the above exception")
                || line.starts("The above exception was the direct cause") ? .pythonLink : nil
        case .pythonLink: line.starts("Traceback ") ? .pythonTrace : nil
        // A compiler's error begins the same, and ends here.
        case .goHead:
            if Self.isGoroutine(line) {
                .goPanic
            } else {
                line.first == 0x09 || line.starts("[signal ") || line.starts("panic: ") ? .goHead : nil
            }
        case .goPanic:
            line.first == 0x09 || Self.isGoroutine(line) || Self.isCall(line)
                || ["created by ", "[signal ", "panic: ", "exit status "].contains { line.starts($0) }
                ? .goPanic : nil
        case .swiftError: Self.crash(line)
        case .swiftStack: Self.isSwiftFrame(line) ? .swiftStack : Self.crash(line)
        case .swiftCrash:
            if line.starts("Backtrace took ") {
                .swiftEnd
            } else {
                Self.crash(line) ?? (Self.isInBacktrace(line) ? .swiftCrash : nil)
            }
        case .swiftEnd: nil
        }
    }

    fileprivate var mayHaveBlankLines: Bool {
        switch self {
        case .line, .frames, .pythonTrace, .swiftStack, .swiftEnd: false
        case .pythonEnd, .pythonLink, .goHead, .goPanic, .swiftError, .swiftCrash: true
        }
    }

    fileprivate var kind: LineGroups.Event.Kind {
        switch self {
        // What panics states it; what the compiler of C calls fatal may be no crash.
        case .line, .goHead: .line
        case .frames, .pythonTrace, .pythonEnd, .pythonLink: .error
        case .goPanic, .swiftError, .swiftStack, .swiftCrash, .swiftEnd: .crash
        }
    }

    /// What begins with what the handler of signals in Swift's runtime writes, or `swift-backtrace`, with or without colours;
    /// `nil` if the line is nothing of theirs.
    private static func crash(_ line: ArraySlice<UInt8>) -> Self? {
        if line.starts("*** Signal "), line.contains(": Backtracing from ") {
            // Then nothing follows.
            return line.contains("failed ***") ? .swiftEnd : .swiftCrash
        }
        if line.starts("*** Program crashed: ") || line.starts("💣 Program crashed: ") { return .swiftCrash }
        return line.starts("Current stack trace:") ? .swiftStack : nil
    }

    /// Whether it may be in the midst of what `swift-backtrace` writes: threads, frames, source text, registers, images.
    private static func isInBacktrace(_ line: ArraySlice<UInt8>) -> Bool {
        let names = ["Platform: ", "Thread ", "Registers:", "Images", "Crash", "Fatal error: ", "in ", "..."]
        return line.first == 0x20 || names.contains { line.starts($0) } || Self.isSwiftFrame(line)
            || line.contains("│") || line.contains("0x")
    }

    /// `0 0x000055550000beef main in shop`, `1 [ra] …`: a number that stands alone.
    private static func isSwiftFrame(_ line: ArraySlice<UInt8>) -> Bool {
        let rest = line.drop { (0x30...0x39).contains($0) }
        return rest.count < line.count && rest.first == 0x20
    }

    private static func isGoroutine(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts("goroutine ") && line.contains(" [")
    }

    /// `main.f(0x1, …)`: a name without spaces, and its arguments.
    private static func isCall(_ line: ArraySlice<UInt8>) -> Bool {
        line.last == UInt8(ascii: ")") && !line.prefix { $0 != UInt8(ascii: "(") }.contains(0x20)
    }

    /// A place in the code, or the error behind the error, as the JVM and Node write them.
    private static func isFrame(_ line: ArraySlice<UInt8>) -> Bool {
        if line.starts("Caused by: ") { return true }
        guard line.first == 0x20 || line.first == 0x09 else { return false }
        let text = line.drop { $0 == 0x20 || $0 == 0x09 }
        return text.starts("at ") || text.starts("... ") || text.starts("Suppressed: ") || text.starts("Caused by: ")
    }
}

extension ArraySlice<UInt8> {
    fileprivate func starts(_ text: String) -> Bool { self.starts(with: text.utf8) }

    fileprivate func contains(_ text: StaticString) -> Bool {
        self.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memmem(start, bytes.count, text.utf8Start, text.utf8CodeUnitCount) != nil
        }
    }
}
