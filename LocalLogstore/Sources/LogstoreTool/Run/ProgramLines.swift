// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// Makes records of what a program wrote to one of its streams.
struct ProgramLines {
    /// `stdout` or `stderr`.
    let stream: String
    /// The level of lines that state none.
    let level: Logger.Level
    /// Whether a line of text is asked for its level, too.
    let readsLevels: Bool

    /// For lines that are JSON objects, and for all others.
    private var objects: RecordMapper
    private var text: RecordMapper
    private var groups: LineGroups

    init(stream: String, level: Logger.Level, readsLevels: Bool, messageLimit: Int) {
        self.stream = stream
        self.level = level
        self.readsLevels = readsLevels
        self.objects = RecordMapper(format: .ndjson, level: level, messageLimit: messageLimit)
        self.text = RecordMapper(format: .text, level: level, messageLimit: messageLimit)
        self.groups = LineGroups(limit: messageLimit)
    }

    /// The longest line to pass in, in bytes: text beyond a message's length becomes several.
    var lineLimit: Int { self.objects.lineLimit }
    /// How long what is held may wait for what belongs to it; `nil` if nothing is held.
    var patience: Duration? { self.groups.patience }

    /// The records that a line completes.
    mutating func add(_ line: ArraySlice<UInt8>, time: Int64) -> [OutgoingRecord] {
        let line = TerminalSequences.removed(from: line)
        if line.first == UInt8(ascii: "{"), let records = self.records(ofObject: line, time: time) {
            // It is one event, whatever is around it.
            return self.flush() + records
        }
        return self.groups.add(line, time: time).map { self.records(of: $0) } ?? []
    }

    /// Those of what is held.
    mutating func flush() -> [OutgoingRecord] {
        self.groups.flush().map { self.records(of: $0) } ?? []
    }

    /// Nothing comes any more.
    mutating func finish() -> [OutgoingRecord] {
        self.flush() + self.objects.finish()
    }

    /// `nil` if the line is none.
    private mutating func records(ofObject line: ArraySlice<UInt8>, time: Int64) -> [OutgoingRecord]? {
        let malformedLines = self.objects.malformedLines
        var records = self.objects.records(line)
        guard self.objects.malformedLines == malformedLines else { return nil }
        for index in records.indices {
            if !self.readsLevels { records[index].level = self.level }
            self.complete(&records[index], time: time)
        }
        return records
    }

    private mutating func records(of event: LineGroups.Event) -> [OutgoingRecord] {
        let stated = self.readsLevels ? StatedLevel.level(of: event.text.prefix { $0 != 0x0A }) : nil
        let level =
            switch event.kind {
            case .line: stated ?? self.level
            case .error: max(stated ?? self.level, .error)
            // A logger may quote another program's.
            case .crash: event.lines == 1 ? stated ?? .critical : .critical
            }
        var records = self.text.records(event.text[...])
        for index in records.indices {
            records[index].level = level
            self.complete(&records[index], time: event.time)
        }
        return records
    }

    private func complete(_ record: inout OutgoingRecord, time: Int64) {
        if record.time == nil { record.time = time }
        if record.metadata["stream"] == nil { record.metadata["stream"] = .string(self.stream) }
    }
}
