// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import SystemPackage
@_spi(Doctor) import WebTracking

/// `webtracking doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at a set-up: settings, limits, the way to the service, the spool.",
        discussion: """
            Run it where the program runs, as its user and with its environment. Settings come from the options, then \
            from variables (WEBTRACKING_ENDPOINT and so on), then from the file.

              webtracking doctor --endpoint cn-hangzhou --project shop --logstore app
              webtracking doctor --settings logging.json --spool /var/lib/shop/spool

            Each line is ok, warn, FAIL or skip, with what was found and what to do; what is behind a failure is \
            skipped. With --json each check is there, spool_left once for each reason, and suggestion if there is one. \
            It sends one request without records, and makes a folder in the spool for a moment. \
            Only --send stores something: one record. The exit code is 1 if a check fails, and 0 if some only warn.
            """
    )

    @OptionGroup var options: DoctorOptions

    @Flag(help: "Send a record, and say how to find it.")
    var send = false

    @Flag(help: "Print an array of JSON objects: check, state, finding, suggestion.")
    var json = false

    func run() async throws {
        let rows = await self.rows()
        do {
            try self.print(rows)
        } catch Errno.brokenPipe {
            // The reader has seen enough.
        }
        if rows.contains(where: { $0.state == .failed }) { throw ExitCode.failure }
    }

    private func rows() async -> [DoctorRow] {
        let configuration: WebTrackingConfiguration
        do {
            configuration = try self.options.configuration(ProcessInfo.processInfo.environment)
        } catch {
            let others = SetupCheck.Subject.allCases.dropFirst().map(\.rawValue) + ["record"]
            return [DoctorRow(aboutSettings: error)]
                + others.map { DoctorRow($0, .skipped, "not looked at: settings failed") }
        }
        var rows = await Self.look(at: configuration)
        if !self.send {
            rows.append(DoctorRow("record", .skipped, "not sent: --send sends one"))
        } else if let obstacle = rows.first(where: { $0.state == .failed && $0.isOnTheWay }) {
            rows.append(DoctorRow("record", .skipped, "not sent: \(obstacle.check) failed"))
        } else {
            let record = TestRecord.row(for: await TestRecord.send(with: configuration))
            if record.state == .ok { rows = rows.map { $0.toldByARecord } }
            rows.append(record)
        }
        return rows
    }

    /// What the library says, with what the server's certificate says of itself.
    private static func look(at configuration: WebTrackingConfiguration) async -> [DoctorRow] {
        let rows = await WebTrackingProducer.check(configuration).map { DoctorRow($0) }
        guard rows.contains(where: { $0.check == "tls" && $0.state != .skipped }),
            let bytes = await WebTrackingProducer.shownCertificate(configuration),
            let certificate = ShownCertificate(der: bytes)
        else { return rows }
        return rows.map { $0.check == "tls" ? certificate.added(to: $0, now: Date()) : $0 }
    }

    private func print(_ rows: [DoctorRow]) throws {
        // A reader that has seen enough is an error of the write, and ends nothing.
        signal(SIGPIPE, SIG_IGN)
        var output = Output(.standardOutput)
        if self.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try output.write(String(decoding: encoder.encode(rows), as: UTF8.self) + "\n")
        } else {
            let width = rows.map(\.check.count).max() ?? 0
            for row in rows { try output.write(row.line(width: width) + "\n") }
        }
        try output.flush()
    }
}
