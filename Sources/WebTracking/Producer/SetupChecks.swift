// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension WebTrackingProducer {
    /// Looks at this producer's set-up: limits of the process, the way to the service, and the spool.
    ///
    /// Sends one request without records, which stores nothing, and makes a folder in the spool directory for a moment.
    /// Each part that hangs is given up, and its thread is left behind, but one for each part at most. Meant for a
    /// command or a page that somebody asks for, not for a probe of health that runs all the time. In a child of `fork` it
    /// looks at nothing.
    ///
    /// While it looks at what dead processes left, a producer that starts at that moment takes those records over half a
    /// minute later. If the process ends during the look, an empty folder stays, which a later start removes.
    public func check() async -> [SetupCheck] {
        guard !self.pipeline.isForked else {
            return [
                SetupCheck(
                    .settings,
                    .failed,
                    "this process was forked from the producer's",
                    suggestion: "make a producer in the child"
                )
            ]
        }
        return await Self.check(self.configuration, transport: self.transport, clock: self.clock)
    }

    /// Looks at a set-up as ``check()`` does, without a producer: no record is taken over from the spool.
    ///
    /// - Parameters:
    ///   - configuration: The settings. If they cannot work, nothing else is looked at.
    ///   - transport: Carries the request; it is not shut down.
    ///   - clock: The clock that is compared with the service's.
    public static func check(
        _ configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        clock: any ProducerClock = SystemProducerClock()
    ) async -> [SetupCheck] {
        let way: ServiceProbe
        do {
            try configuration.validate()
            way = try ServiceProbe(configuration, transport: transport, clock: clock)
        } catch {
            return SetupChecks.refused(error)
        }
        let settings = SetupChecks.settings(configuration)
        let openFiles = SetupChecks.openFiles(configuration)
        // What follows opens files, and some libraries end the process if they cannot.
        guard openFiles.state != .failed else {
            return [settings, openFiles] + SetupChecks.skipped(behind: .openFiles)
        }
        async let memory = SetupChecks.memory(configuration)
        async let spool = SetupChecks.spool(configuration)
        let checks = await way.checks()
        return await [settings, openFiles, memory] + checks + spool
    }
}

/// Looks at the parts of a set-up, each for a time.
enum SetupChecks {
    /// For what may hang: a name server, a disk of another machine.
    static let patience = Duration.seconds(15)

    /// Work that blocks its thread: what runs, and what was given up, by its label.
    private struct Ledger {
        var last = 0
        var running: Set<Int> = []
        var givenUp: [String: Int] = [:]

        mutating func start() -> Int {
            self.last += 1
            self.running.insert(self.last)
            return self.last
        }

        mutating func end(_ id: Int, _ label: String) {
            self.running.remove(id)
            if self.givenUp[label] == id { self.givenUp[label] = nil }
        }

        mutating func giveUp(_ id: Int, _ label: String) {
            // It may have ended since.
            if self.running.contains(id) { self.givenUp[label] = id }
        }
    }

    private static let ledger = Lock(Ledger())

    /// The result of work that blocks its thread; `nil` if it takes too long, and goes on by itself. While it does, work
    /// of its label is not started again: it would only take one more thread.
    static func inTime<Value: Sendable>(
        _ label: String,
        patience: Duration = Self.patience,
        _ body: @escaping @Sendable () -> Value
    ) async -> Value? {
        let id = self.ledger.withLock { $0.givenUp[label] == nil ? $0.start() : nil }
        guard let id else { return nil }
        let deadline = ExchangeDeadline(time: patience, limit: 1, clock: SystemProducerClock(), executor: nil)
        let value = await deadline.run {
            await SpoolWorker(label, isInline: false).run { () -> Value in
                defer { self.ledger.withLock { $0.end(id, label) } }
                return body()
            }
        }
        if value == nil { self.ledger.withLock { $0.giveUp(id, label) } }
        return value
    }

    static func settings(_ configuration: WebTrackingConfiguration) -> SetupCheck {
        #if SignedPutLogs
        let signature = "\(configuration.authentication)"
        #else
        let signature = "anonymous"
        #endif
        return SetupCheck(
            .settings,
            .ok,
            "\(configuration.endpoint.withoutCredentials), \(configuration.project)/\(configuration.logstore), "
                + signature
        )
    }

    /// The settings cannot work.
    static func refused(_ error: any Error) -> [SetupCheck] {
        [SetupCheck(refused: error)] + self.skipped(behind: .settings)
    }

    /// All that is behind a check which has failed.
    static func skipped(behind subject: SetupCheck.Subject) -> [SetupCheck] {
        SetupCheck.Subject.allCases.drop { $0 != subject }.dropFirst().map { SetupCheck($0, behind: subject) }
    }

    static func openFiles(_ configuration: WebTrackingConfiguration) -> SetupCheck {
        let limit = FileSystem.openFilesLimit
        let left = Descriptors.left(of: limit, enough: LimitChecks.enoughDescriptors(configuration))
        return LimitChecks.openFiles(limit: limit, left: left, for: configuration)
    }

    static func memory(_ configuration: WebTrackingConfiguration) async -> SetupCheck {
        let surroundings = await self.inTime("limits") { SurroundingsReader.read(for: configuration) }
        return LimitChecks.memory(surroundings, for: configuration)
    }

    static func spool(_ configuration: WebTrackingConfiguration) async -> [SetupCheck] {
        guard let directory = configuration.spoolDirectory else {
            return SpoolChecks.skipped("durability is memory: there is no spool")
        }
        var look = await self.inTime("check") { SpoolProbe.take(directory, configuration) }
        // Apart, so that many files are not taken for a disk that does not answer.
        if look != nil { look?.left = await self.inTime("left") { SpoolProbe.left(in: directory, configuration) } }
        return SpoolChecks(directory: directory, look: look).checks(for: configuration)
    }
}
