// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import SystemPackage
import UnixSignals
import WebTracking

/// `webtracking send`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Ships lines from files, or from the standard input, to a logstore.",
        usage: """
            webtracking send --endpoint <url> --project <project>
                             --logstore <logstore> [<options>] [<file> ...]
            """,
        discussion: """
            A line becomes the message of a record. With --format ndjson every line is a JSON object, as journald and \
            the loggers of other languages write them: its message, level, time and label are used as such, the others \
            become fields, nested ones included. Objects may also stand in one array, or be printed over several lines. \
            Lines of containers (Docker's json-file, CRI) are what their programs wrote. A line that is no object is \
            shipped as text.

              webtracking send app.log --project demo --logstore app \\
                  --endpoint cn-hangzhou.log.aliyuncs.com
              journalctl -f -o json | webtracking send --format ndjson \\
                  --project local --logstore app --endpoint http://127.0.0.1:8080

            It reads no faster than it can ship, and gives up when nothing can be delivered for the time of \
            --timeout. The exit status is 0 only if every record was delivered; with an \
            interrupt (control-C), what was read is delivered and the status is 130.
            """
    )

    @Argument(help: ArgumentHelp("What to ship; the standard input if there is none, or for -.", valueName: "file"))
    var files: [String] = []

    @OptionGroup
    var options: SendOptions

    @Option(help: ArgumentHelp("How long the rest may take once all is read, in seconds.", valueName: "seconds"))
    var timeout = 60.0

    @Option(help: "The level of records that do not state one.")
    var level = LevelArgument(level: .info)

    @Option(help: "text, or ndjson for one JSON object a line.")
    var format = TextFormat.text

    @Option(
        help: ArgumentHelp("The member of objects that is the message, if it is another than usual.", valueName: "name")
    )
    var messageField: String?

    @Option(help: ArgumentHelp("The member that is the level.", valueName: "name"))
    var levelField: String?

    @Option(help: ArgumentHelp("The member that is the time.", valueName: "name"))
    var timeField: String?

    @Option(help: ArgumentHelp("The member that is the label.", valueName: "name"))
    var labelField: String?

    @Option(help: ArgumentHelp("At most this many records a second.", valueName: "number"))
    var rate: Double?

    func validate() throws {
        try checkTimeout(self.timeout)
        if self.format == .text, self.memberNames != MemberNames() {
            throw ValidationError(
                "--message-field, --level-field, --time-field and --label-field are for --format ndjson."
            )
        }
        if let rate = self.rate, !(rate > 0 && rate.isFinite) { throw ValidationError("--rate has to be over 0.") }
    }

    func run() async throws {
        let started = ContinuousClock.now
        let producer = try WebTrackingProducer(
            configuration: self.configuration,
            transport: AsyncHTTPClientTransport(),
            diagnostics: ProgressDisplay.diagnostics(endpoint: self.options.endpoint),
            clock: EventClock()
        )
        let progress = SendProgress(totalBytes: self.totalBytes())
        let display = Task { await ProgressDisplay(progress: progress, producer: producer).run() }
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let shipper = Shipper(
            producer: producer,
            mapper: RecordMapper(
                format: self.format,
                level: self.level.level,
                messageLimit: producer.configuration.limits.maximumValueBytes,
                names: self.memberNames,
                source: ProcessInfo.processInfo.hostName
            ),
            rate: self.rate,
            patience: .seconds(max(1, self.timeout)),
            progress: progress
        )
        let files = self.files.isEmpty ? ["-"] : self.files
        let reader = Task { await Self.ship(files, with: shipper) }
        let interrupt = self.interrupt(on: signals, producer, reader: reader, progress: progress, display: display)
        let shipped = await reader.value
        let failure = shipped.failure
        let isStalled = failure is Pace.Stalled
        // Then the process ends elsewhere.
        if progress.isStopped { await interrupt.value }
        // Who has waited that long for room need not wait again.
        await producer.shutdown(timeout: isStalled ? .zero : .seconds(self.timeout))
        interrupt.cancel()
        display.cancel()
        await display.value

        let report = SendReport(
            records: progress.snapshot.records,
            malformedLines: shipped.shipper.mapper.malformedLines,
            repairedLines: shipped.shipper.mapper.repairedLines,
            mendedLines: shipped.shipper.mapper.mendedLines,
            brokenLines: shipped.shipper.cutter.brokenLines,
            statistics: producer.statistics,
            seconds: (ContinuousClock.now - started) / .seconds(1)
        )
        Output.note(report.text)
        if isStalled {
            Output.note(
                "webtracking: nothing could be delivered for \(self.timeout) seconds, so the rest was not read"
            )
            throw ExitCode.failure
        }
        if let failure { throw failure }
        if !report.isComplete { throw ExitCode.failure }
    }

    private var memberNames: MemberNames {
        MemberNames(
            message: self.messageField,
            level: self.levelField,
            time: self.timeField,
            label: self.labelField
        )
    }

    private var configuration: WebTrackingConfiguration {
        var configuration = self.options.configuration
        // Lines that this library has written have a number of their own, which says more than that of this program.
        configuration.fields.includesSequence = self.format == .text
        // Those of `webtracking query` have a topic.
        if self.format == .ndjson, self.options.topic.isEmpty {
            configuration.topic = .metadata(key: "__topic__", fallback: "")
        }
        return configuration
    }

    /// Ends the process on a signal, once what was read is delivered; on a later signal at once.
    private func interrupt(
        on signals: UnixSignalsSequence,
        _ producer: WebTrackingProducer,
        reader: Task<Shipped, Never>,
        progress: SendProgress,
        display: Task<Void, Never>
    ) -> Task<Void, Never> {
        let timeout = Duration.seconds(self.timeout)
        return Task {
            var requests = StopRequests()
            for await _ in signals {
                switch requests.add(at: .now) {
                case nil: continue
                case .exit: Self.exit(withError: ExitCode(130))
                case .stop:
                    progress.stop()
                    reader.cancel()
                }
                Task {
                    // It ends at once, also in a read that nothing ends, and has logged what it held.
                    _ = await reader.value
                    await producer.shutdown(timeout: timeout)
                    display.cancel()
                    await display.value
                    let statistics = producer.statistics
                    Output.note(
                        "webtracking: interrupted, \(statistics.delivered) records delivered, "
                            + "\(statistics.totalDropped) dropped"
                    )
                    Self.exit(withError: ExitCode(130))
                }
            }
        }
    }

    /// What became of the inputs.
    private struct Shipped: Sendable {
        var shipper: Shipper
        /// Why it stopped early, if it did: what was read is delivered all the same.
        var failure: (any Error)?
    }

    /// Ships one input after the other.
    private static func ship(_ files: [String], with shipper: Shipper) async -> Shipped {
        var shipper = shipper
        for file in files {
            do {
                let input = try await file == "-" ? InputReader.standardInput : InputReader(path: file)
                try await shipper.ship(input)
                try input.close()
            } catch let error as Pace.Stalled {
                return Shipped(shipper: shipper, failure: error)
            } catch {
                return Shipped(shipper: shipper, failure: ValidationError("Cannot read \(file): \(error)"))
            }
        }
        return Shipped(shipper: shipper, failure: nil)
    }

    /// The size of all inputs; `nil` if one of them is not a file, and has none.
    private func totalBytes() -> Int? {
        guard !self.files.isEmpty else { return nil }
        var total = 0
        for file in self.files {
            guard
                let values = try? URL(fileURLWithPath: file).resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey]),
                values.isRegularFile == true, let size = values.fileSize
            else { return nil }
            total += size
        }
        return total
    }
}
