// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import WebTracking

extension RunCommand {
    /// The program's streams, one with a terminal and two without.
    func streams(_ producer: WebTrackingProducer) throws -> [ProgramStream] {
        let sinks = try (
            output: FileDescriptor.standardOutput.inherited(), errors: FileDescriptor.standardError.inherited()
        )
        let turns = OutputTurns()
        func stream(
            _ name: String,
            _ channel: OutputChannel,
            to sink: FileDescriptor,
            _ turns: OutputTurns,
            _ level: LevelArgument
        ) throws -> ProgramStream {
            let backlog = SharedBacklog(limit: self.buffer.bytes / (self.tty ? 1 : 2))
            let lines = ProgramLines(
                stream: name,
                level: level.level,
                readsLevels: self.levels == .line,
                messageLimit: producer.configuration.limits.maximumValueBytes
            )
            let shipper = StreamShipper(backlog, lines: lines, producer: producer, label: self.label ?? self.program)
            return try ProgramStream(name, channel, to: sink, turns, backlog, shipper, note: self.note)
        }
        guard !self.tty else {
            return [try stream("stdout", .terminal(), to: sinks.output, turns, self.stdoutLevel)]
        }
        let others = sinks.errors.isSamePlace(as: sinks.output) ? turns : OutputTurns()
        return [
            try stream("stdout", .pipe(), to: sinks.output, turns, self.stdoutLevel),
            try stream("stderr", .pipe(), to: sinks.errors, others, self.stderrLevel),
        ]
    }
}
