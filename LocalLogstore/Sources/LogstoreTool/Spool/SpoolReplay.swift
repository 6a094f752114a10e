// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore
import WebTracking

/// `webtracking spool replay`
struct SpoolReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Delivers all that dead processes left, however much and however old.",
        discussion: """
            Folders of living processes are left alone. Batches keep their ids, so that one that had arrived already \
            can be recognised.

            Whose files it can read: those of the user that runs it, if nobody else may write to them; with --group, \
            those too that one of the user's groups may write to; as root, everybody's. Links are never followed.

            With --region requests are signed, by default with the AccessKey of the environment \
            (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for one of STS, \
            ALIBABA_CLOUD_SECURITY_TOKEN); without it, web tracking has to be switched on for the logstore.

            Nothing is given up however long it takes or is refused; only a single record that is refused for what is in it \
            is dropped, and its whole file is kept in the folder damaged.

            It exits with 1 if anything was dropped, set aside, or left: at the timeout, for another \
            logstore, in a newer format, or in a folder or file that may not be used. What is left is told with what to \
            do about it.
            """
    )

    @OptionGroup var arguments: SpoolArguments

    @Option(help: "The endpoint: a region, a host or a URL.")
    var endpoint: String

    @Option(help: "Only records of this project; the only one there is if not given.")
    var project: String?

    @Option(help: "Only records of this logstore; the only one there is if not given.")
    var logstore: String?

    @Option(help: ArgumentHelp("How long to try, in seconds.", valueName: "seconds"))
    var timeout = 60.0

    @OptionGroup var signing: SigningOptions

    @Flag(help: "Take folders that a group of this user may write to.")
    var group = false

    @Flag(help: "Take http:// for another machine, where everybody on the way can read the records.")
    var allowPlainHTTP = false

    func validate() throws {
        guard self.timeout > 0, self.timeout <= 86_400 else {
            throw ValidationError("--timeout has to be above 0, and 86400 seconds at most.")
        }
    }

    private var permits: WebTrackingConfiguration.Spool.Permits { self.group ? .group : .owner }

    /// What a replay takes over, what became of it and what it leaves is in its own sum.
    @Sendable private static func isNews(_ diagnostic: ProducerDiagnostic) -> Bool {
        switch diagnostic {
        case .spoolRecovered, .spoolLeft, .shutdownFinished, .settingsInForce: false
        default: true
        }
    }

    /// The one logstore that is asked for; `nil` if there is nothing for any.
    private func destination(_ remains: [WebTrackingSpool.Remains]) throws -> (project: String, logstore: String)? {
        let destinations = Set(remains.compactMap(\.destination)).filter { destination in
            let names = Self.names(destination)
            return (self.project == nil || self.project == names.first)
                && (self.logstore == nil || self.logstore == names.last)
        }
        guard let destination = destinations.first else { return nil }
        guard destinations.count == 1 else {
            let list = destinations.sorted().map(TerminalText.escaped).joined(separator: ", ")
            throw ValidationError("There are records for \(list); name one with --project and --logstore.")
        }
        let names = Self.names(destination)
        guard names.count == 2 else { throw ValidationError("\(TerminalText.escaped(destination)) is no logstore.") }
        return (names[0], names[1])
    }

    private static func names(_ destination: String) -> [String] {
        destination.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }

    /// Reports what is left, except one logstore's records. Returns `false` if nothing is.
    private func report(_ remains: [WebTrackingSpool.Remains], but destination: String?) -> Bool {
        let others = remains.filter { $0.obstacle != nil || $0.destination != destination }
        for part in others {
            let records = part.records.map { "\($0) records" } ?? "records that cannot be counted"
            let reason = part.obstacle ?? "for \(part.destination ?? ""); name it with --project and --logstore"
            Output.note(TerminalText.escaped("webtracking: left in \(part.path): \(records), \(reason)"))
        }
        return !others.isEmpty
    }

    func run() async throws {
        let before = try self.arguments.remains(permits: self.permits)
        guard let (project, logstore) = try self.destination(before) else {
            let isLeft = self.report(before, but: nil)
            try Output.line("nothing to replay")
            if isLeft { throw ExitCode.failure }
            return
        }
        let producer = try WebTrackingProducer(
            configuration: self.configuration(project: project, logstore: logstore),
            diagnostics: ProgressDisplay.diagnostics(endpoint: self.endpoint, where: Self.isNews)
        )
        // It takes over and delivers what dead processes left, as far as there is time.
        await producer.shutdown(timeout: .seconds(self.timeout))
        let numbers = producer.statistics
        let destination = "\(project)/\(logstore)"
        let after = try self.arguments.spool.remains(permits: self.permits)
        func records(_ remains: [WebTrackingSpool.Remains]) -> Int {
            remains.filter { $0.destination == destination }.reduce(0) { $0 + ($1.records ?? 0) }
        }
        // What this producer has still in its hands looks like a living process's, and so does what is beside that. What was
        // not taken over is left, but for what turned out to be damaged.
        let untaken = numbers.damagedSpoolFiles > 0 ? 0 : records(before) - numbers.recovered
        let left = max(records(after), numbers.pending, untaken)
        let aside = numbers.damagedSpoolFiles > 0 ? ", \(numbers.damagedSpoolFiles) files set aside" : ""
        try Output.line("\(numbers.delivered) delivered, \(numbers.totalDropped) dropped, \(left) left\(aside)")
        let isOtherLeft = self.report(before, but: destination)
        if left > 0 || numbers.totalDropped > 0 || !aside.isEmpty || isOtherLeft { throw ExitCode.failure }
    }

    private func configuration(project: String, logstore: String) throws -> WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(endpoint: self.endpoint, project: project, logstore: logstore)
        configuration.allowsPlainHTTP = self.allowPlainHTTP
        configuration.durability = .process
        configuration.spool.directory = URL(fileURLWithPath: self.arguments.directory).standardizedFileURL.path
        configuration.spool.permits = self.permits
        configuration.spool.isRescue = true
        if let authentication = try self.signing.authentication { configuration.authentication = authentication }
        return configuration
    }
}
