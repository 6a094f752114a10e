//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import ArgumentParser
import Foundation
import LocalLogstore
import Logging
import ServiceLifecycle
import UnixSignals

/// `webtracking serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs a local endpoint that accepts logs and keeps them in an SQLite file.",
        discussion: """
            The endpoint is strict: what the service does not document is refused. It stops on SIGTERM and on SIGINT \
            (control-C), once the requests under way are answered.

            Any logstore on port 8080, and on any free port, for a script:

              webtracking serve
              webtracking serve --port 0 --port-file port.txt --database logs.sqlite

            A third of the requests fail, as on a bad day:

              webtracking serve --fault-rate 0.33 --fault-kinds 500,reset
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for any that is free.")
    var port = 8080

    @Option(help: ArgumentHelp("Where logs are kept; created if there is none.", valueName: "file"))
    var database = "webtracking.sqlite"

    @Option(help: "The name of the project.")
    var project = "local"

    @Option(
        help: ArgumentHelp("Accept only this logstore; may be given several times. Default: any.", valueName: "name")
    )
    var logstore: [String] = []

    @OptionGroup(title: "Faults")
    var faults: FaultOptions

    @Option(help: ArgumentHelp("Write the port to this file once listening.", valueName: "file"))
    var portFile: String?

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("--port has to be from 0 to 65535.") }
        _ = try self.faults.plan()
    }

    /// What the options say, for the library.
    func settings() throws -> ServerSettings {
        var settings = ServerSettings()
        settings.host = self.host
        settings.port = self.port
        settings.project = self.project
        settings.faults = try self.faults.plan()
        if !self.logstore.isEmpty { settings.logstores = .only(Set(self.logstore)) }
        return settings
    }

    func run() async throws {
        let store = try LogStore(path: self.database)
        let server: LocalLogstoreServer
        do {
            server = try LocalLogstoreServer(settings: self.settings(), store: store, onEvent: ServeReport.print)
        } catch let error as ServiceError {
            throw ValidationError(error.message)
        }
        let announcer = Announcer(server: server, command: self)
        var logger = Logger(label: "webtracking.serve") {
            StreamLogHandler.standardError(label: $0, metadataProvider: nil)
        }
        logger.logLevel = .critical
        var configuration = ServiceGroupConfiguration(
            services: [server, announcer],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        // A client that sends half a request and then nothing must not hold up the end.
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: configuration).run()
        try Output.line(ServeReport.summary(server.statistics))
        try store.close()
    }
}

/// Says where the endpoint listens, once it does.
private struct Announcer: Service {
    var server: LocalLogstoreServer
    var command: ServeCommand

    func run() async throws {
        let port = try await self.server.port
        if let file = self.command.portFile {
            // Renamed into place, so that a script never reads half a number.
            try Data("\(port)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        }
        let host = self.command.host.contains(":") ? "[\(self.command.host)]" : self.command.host
        try Output.line(
            "webtracking: listening on http://\(host):\(port), project \(self.command.project), "
                + "database \(self.command.database)"
        )
        try? await gracefulShutdown()
    }
}
