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
        case goPanic
        case swiftError
        case swiftCrash
        case swiftEnd
    }

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
        case .frames, .pythonTrace, .pythonEnd, .pythonLink, .goPanic, .swiftError: .seconds(1)
        // The program is dead, but to read what names its functions have takes its time.
        case .swiftCrash: .seconds(60)
        }
    }

    /// Adds a line, and returns the event that it ends, if it does.
    mutating func add(_ line: ArraySlice<UInt8>, time: Int64) -> Event? {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
            guard self.event != nil, self.shape.mayHaveBlankLines else { return self.flush() }
            self.blankLines += 1
            return nil
        }
        guard let event = self.event, let shape = self.shape.next(line) else {
            let last = self.flush()
            self.start(line, Shape(line), time: time)
            return last
        }
        guard event.text.count + self.blankLines + 1 + line.count <= self.limit else {
            let last = self.flush()
            self.start(line, shape, time: time)
            return last
        }
        self.event?.text += [UInt8](repeating: 0x0A, count: self.blankLines + 1) + line
        self.event?.lines += self.blankLines + 1
        self.event?.kind = max(event.kind, shape.kind)
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
        if Self.startsBacktrace(line) {
            self = .swiftCrash
        } else if line.starts("Fatal error: ") || line.contains(": Fatal error: ") {
            self = .swiftError
        } else if line.starts("Traceback (most recent call last):") {
            self = .pythonTrace
        } else if line.starts("panic: ") || line.starts("fatal error: ") || line.starts("goroutine ") {
            self = .goPanic
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
        case .goPanic:
            line.first == 0x09 || line.last == UInt8(ascii: ")")
                || ["goroutine ", "created by ", "[signal ", "panic: ", "exit status "].contains { line.starts($0) }
                ? .goPanic : nil
        case .swiftError: Self.startsBacktrace(line) ? .swiftCrash : nil
        case .swiftCrash: line.starts("Backtrace took ") ? .swiftEnd : .swiftCrash
        case .swiftEnd: nil
        }
    }

    fileprivate var mayHaveBlankLines: Bool {
        switch self {
        case .line, .frames, .pythonTrace, .swiftEnd: false
        case .pythonEnd, .pythonLink, .goPanic, .swiftError, .swiftCrash: true
        }
    }

    fileprivate var kind: LineGroups.Event.Kind {
        switch self {
        case .line: .line
        case .frames, .pythonTrace, .pythonEnd, .pythonLink: .error
        case .goPanic, .swiftError, .swiftCrash, .swiftEnd: .crash
        }
    }

    /// What the handler of signals in Swift's runtime writes, or `swift-backtrace`, with or without colours.
    private static func startsBacktrace(_ line: ArraySlice<UInt8>) -> Bool {
        if line.starts("*** ") { return line.starts("*** Signal ") || line.contains("Program crashed: ") }
        return line.starts("💣 ") || line.starts("Current stack trace:")
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
