// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import SystemPackage
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where the level of a program's line comes from.
enum LevelSource: String, ExpressibleByArgument, CaseIterable {
    /// What the line states, and else that of its stream.
    case line
    case stream
}

/// `webtracking run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Starts a program, and ships what it writes.",
        usage: """
            webtracking run --endpoint <url> --project <project>
                            --logstore <logstore> [<options>] -- <command> ...
            """,
        discussion: """
            The program's standard output and standard error are passed on unchanged, and each line becomes a record: its \
            level is what the line states, or that of its stream; a line that is a JSON object is read as with send. The \
            lines of a backtrace, or of an error that nobody handled, are one record. The last record says how the \
            program ended, how long it ran and how much memory it had.

              webtracking run --project demo --logstore app --spool /var/lib/shop/run \\
                  --endpoint cn-hangzhou.log.aliyuncs.com --region cn-hangzhou -- /shop

            Shipping does not hold up the program. What it writes faster than it can be shipped is dropped once the \
            buffer is full, the oldest first, and counted; with --spool, an endpoint that is down costs nothing for as long as \
            there is room. A slow reader of its output holds it up as without run, but its end for half of --timeout at most.

            It exits as the program does; with 128 and its number if a signal ended it; with 127 if there is no such \
            program, 126 if it cannot be started. Signals are passed on, and as process 1 it collects all processes that \
            end. Processes that the program leaves behind are read for the time of --linger; a second signal after the \
            end gives up what is not delivered.

            C programs write into a pipe when their buffer is full, not at each line: with --tty they write to a terminal, \
            both streams to one. Swift programs write backtraces if swift-backtrace is in the image, beside the \
            runtime or at SWIFT_BACKTRACE=swift-backtrace=<path>.
            """
    )

    /// Of records that are not a program's line.
    static let label = "webtracking.run"

    @OptionGroup var options: SendOptions

    @OptionGroup var signing: SigningOptions

    @Option(help: ArgumentHelp("How long the rest may take after the program's end, in seconds.", valueName: "seconds"))
    var timeout = 10.0

    @Option(help: ArgumentHelp("Keep lines here until they are delivered, also by the next start.", valueName: "dir"))
    var spool: String?

    @Flag(help: "Take a spool directory that a group of this user may write to.")
    var group = false

    @Option(help: ArgumentHelp("Who logs; the name of the program if not given.", valueName: "name"))
    var label: String?

    @Option(help: ArgumentHelp("Where levels come from: the line, or the stream alone.", valueName: "source"))
    var levels = LevelSource.line

    @Option(help: ArgumentHelp("The level of lines on standard output that state none.", valueName: "level"))
    var stdoutLevel = LevelArgument(level: .info)

    @Option(help: ArgumentHelp("The level of lines on standard error that state none.", valueName: "level"))
    var stderrLevel = LevelArgument(level: .error)

    @Option(help: ArgumentHelp("What may wait to become records.", valueName: "size"))
    var buffer = ByteSize(bytes: 16 << 20)

    @Option(help: ArgumentHelp("What records may take in memory.", valueName: "size"))
    var memory = ByteSize(bytes: 64 << 20)

    @Option(help: ArgumentHelp("How long to read what others write after the program's end.", valueName: "seconds"))
    var linger = 1.0

    @Flag(help: "Give the program a terminal, so that it writes each line at once.")
    var tty = false

    @Flag(help: "Tell nothing on standard error, but why the program could not be started.")
    var quiet = false

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        try checkTimeout(self.timeout)
        guard !self.command.isEmpty else {
            throw ValidationError("Write the program behind --, as in: -- /shop --port 80")
        }
        guard self.linger >= 0, self.linger <= 3600 else {
            throw ValidationError("--linger has to be from 0 to 3600 seconds.")
        }
        guard self.buffer.bytes >= 1 << 20 else { throw ValidationError("--buffer has to be 1MiB or more.") }
        guard !self.group || self.spool != nil else { throw ValidationError("--group takes --spool.") }
        do {
            try self.settings.validate()
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// For the library, without what has to be read from files.
    var settings: WebTrackingConfiguration {
        var configuration = self.options.configuration
        configuration.memoryLimit = self.memory.bytes
        if let spool = self.spool {
            configuration.durability = .process
            configuration.spool.directory = URL(fileURLWithPath: spool).standardizedFileURL.path
            configuration.spool.permits = self.group ? .group : .owner
        }
        return configuration
    }

    var program: String { FilePath(self.command[0]).lastComponent?.string ?? self.command[0] }

    func run() async throws {
        let signals = try SignalStream.start([SIGCHLD] + SignalPolicy.passed)
        var configuration = self.settings
        if let authentication = try self.signing.authentication { configuration.authentication = authentication }
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: AsyncHTTPClientTransport(),
            diagnostics: ProgressDisplay.diagnostics(
                endpoint: self.options.endpoint,
                replacesProgress: false,
                where: self.isNews
            ),
            clock: EventClock()
        )
        let streams = try self.streams(producer)
        let program: RunningProgram
        do {
            program = try RunningProgram(
                self.command,
                output: streams[0].channel.writeEnd,
                errors: streams[streams.count - 1].channel.writeEnd,
                caught: signals.caught
            )
        } catch {
            let end = ProgramEnd(cause: .notStarted(error.rawValue))
            Output.note("webtracking: " + TerminalText.escaped(end.message(program: self.command[0])))
            let collector = self.collect(nil, signals, SignalPolicy(), status: end.status)
            await self.finish(producer, end, passedOn: [], [], since: .now)
            collector.cancel()
            throw ExitCode(end.status)
        }
        for stream in streams { stream.start() }
        var policy = SignalPolicy()
        let end = await Self.wait(for: program, signals, &policy, terminal: self.tty ? streams[0].channel : nil)
        let collector = self.collect(program, signals, policy, status: end.status)
        let lastRead = ContinuousClock.now + .seconds(self.linger)
        await ProgramStream.passOn(
            streams,
            lastRead: lastRead,
            by: lastRead + max(.seconds(1), .seconds(self.timeout) / 2)
        )
        let now = ContinuousClock.now
        let start = min(now, lastRead)
        await self.ship(streams, by: now + max(.seconds(1), self.timeLeft(since: start) / 2))
        await self.finish(producer, end, passedOn: policy.passedOn, streams, since: start)
        collector.cancel()
        throw ExitCode(end.status)
    }

    /// Goes on until the program has ended.
    private static func wait(
        for program: RunningProgram,
        _ signals: SignalStream,
        _ policy: inout SignalPolicy,
        terminal: OutputChannel?
    ) async -> ProgramEnd {
        for await signal in signals.signals {
            if signal.number == SIGWINCH, let terminal {
                // It may have looked before there was something to see.
                terminal.takeWindowSize()
                program.send(SIGWINCH)
                continue
            }
            switch policy.action(for: signal, isRunning: true, at: .now) {
            case .reap: if let end = program.collect() { return end }
            case .passOn(let number): program.send(number)
            case .giveUp, nil: continue
            }
        }
        // The stream has no end.
        preconditionFailure("signals have ended")
    }

    /// Goes on collecting, and lets somebody who does not want to wait end it.
    private func collect(
        _ program: RunningProgram?,
        _ signals: SignalStream,
        _ policy: SignalPolicy,
        status: Int32
    ) -> Task<Void, Never> {
        Task { [note] in
            var policy = policy
            for await signal in signals.signals {
                switch policy.action(for: signal, isRunning: false, at: .now) {
                case .reap: _ = program?.collect()
                case .giveUp:
                    note("gave up what was not delivered yet")
                    Self.exit(withError: ExitCode(status))
                case .passOn, nil: continue
                }
            }
        }
    }

    /// What is left of ``timeout``.
    private func timeLeft(since start: ContinuousClock.Instant) -> Duration {
        max(.zero, .seconds(self.timeout) - (.now - start))
    }

    /// Waits until all is logged; what is not by then is dropped, and counted.
    private func ship(_ streams: [ProgramStream], by deadline: ContinuousClock.Instant) async {
        let backlogs = streams.map(\.backlog)
        let limit = Task {
            guard (try? await ContinuousClock().sleep(until: deadline)) != nil else { return }
            for backlog in backlogs { backlog.dropAll() }
        }
        for stream in streams { await stream.shipped() }
        limit.cancel()
    }

    /// Logs the end, and delivers what is left.
    ///
    /// - Parameter start: When ``timeout`` has begun.
    private func finish(
        _ producer: WebTrackingProducer,
        _ end: ProgramEnd,
        passedOn: Set<Int32>,
        _ streams: [ProgramStream],
        since start: ContinuousClock.Instant
    ) async {
        let lines = streams.map(\.backlog.counts).reduce(LineCounts(), +)
        let lostBytes = streams.map(\.pump.lostBytes).reduce(0, +)
        var log = RecordLog(producer, label: Self.label)
        var record = end.record(program: self.program, passedOn: passedOn, lines: lines)
        record.metadata["records_dropped"] = "\(producer.statistics.totalDropped)"
        if lostBytes > 0 { record.metadata["bytes_not_passed_on"] = "\(lostBytes)" }
        log.log(record)
        let report = await producer.shutdown(timeout: self.timeLeft(since: start))
        let sums = producer.statistics
        guard !report.isComplete || lines.dropped + sums.totalDropped + lostBytes > 0 else { return }
        self.note(
            "\(lines.read) lines read, \(lines.dropped) dropped; \(sums.accepted) records, "
                + "\(sums.delivered) delivered, \(sums.totalDropped) dropped"
                + (sums.pending > 0 ? ", \(sums.pending) left in the spool" : "")
                + (lostBytes > 0 ? "; \(lostBytes) bytes of output not passed on" : "")
        )
    }

    /// Tells it, unless nobody wants to know.
    var note: @Sendable (String) -> Void {
        guard !self.quiet else { return { _ in } }
        return { Output.note("webtracking: " + $0) }
    }

    /// What belongs between the program's own lines.
    private var isNews: @Sendable (ProducerDiagnostic) -> Bool {
        { [quiet] diagnostic in
            switch diagnostic {
            case .settingsInForce, .shutdownFinished, .spoolRecovered: false
            default: !quiet
            }
        }
    }
}
