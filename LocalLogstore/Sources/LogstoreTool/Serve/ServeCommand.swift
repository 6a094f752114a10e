// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
        abstract: "Runs a local endpoint: it accepts logs, keeps them, and shows them on a page.",
        discussion: """
            The page is at the address it prints. It stops on SIGTERM and on SIGINT (control-C), once the requests \
            under way are answered.

            Any logstore on port 8080, and on any free port, for a script:

              webtracking serve
              webtracking serve --port 0 --port-file port.txt --database logs.sqlite

            A third of the requests fail, as on a bad day; or the service is gone for 20 seconds:

              webtracking serve --fault-rate 0.33 --fault-kinds 500,reset
              webtracking serve --outage 10:20

            With AccessKeys it takes signed requests to PutLogs as well, as web tracking's replacement in production, \
            and lets the service's own SDKs read: with any of the keys all logs of all projects. Anonymous ones stay \
            welcome. The file has one key a line: its id, its secret and, for a key of STS, its security token and the \
            time at which that expires:

              echo 'my-id my-secret' > keys.txt && webtracking serve --access-keys keys.txt

            It is strict: what the service does not document is refused. With --compatible it takes what official \
            clients really send, too.

            Only this machine can reach it. With another --host, everybody who can reach it may send logs, as with \
            the service; reading takes a token, which is in a file.
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for any that is free.")
    var port = 8080

    @Option(
        help: ArgumentHelp(
            "Where logs are kept; created if there is none. Default: webtracking.sqlite",
            valueName: "file"
        )
    )
    var database: String?

    @Flag(help: "Keep logs in memory only.")
    var inMemory = false

    @Option(help: ArgumentHelp("Delete logs after so many days.", valueName: "days"))
    var keepDays: Double?

    @Option(help: ArgumentHelp("Delete the oldest logs while there are more bytes.", valueName: "size"))
    var keepSize: ByteSize?

    @Option(
        help: ArgumentHelp(
            "A project; may be given several times. Requests that name none, as those to 127.0.0.1, are for the first.",
            valueName: "name"
        )
    )
    var project = ["local"]

    @Flag(help: "Accept every project.")
    var anyProject = false

    @Option(
        help: ArgumentHelp("Accept only this logstore; may be given several times. Default: any.", valueName: "name")
    )
    var logstore: [String] = []

    @Flag(help: "Take what official clients send, documented or not.")
    var compatible = false

    @OptionGroup(title: "Rehearsal")
    var rehearsal: RehearsalOptions

    @Option(
        help: ArgumentHelp(
            "The file with the token for reading, made if there is none. Default: the database's name with .token, "
                + "where others can reach the endpoint, and removed at the stop with --in-memory; otherwise reading "
                + "takes no token.",
            valueName: "file"
        )
    )
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The file with the AccessKeys that requests can be signed with: on each line ID SECRET [TOKEN [EXPIRY]], "
                + "the expiry like 2026-11-23T08:15:30Z. Lines with # are left out.",
            valueName: "file"
        )
    )
    var accessKeys: String?

    @Option(help: ArgumentHelp("Write the port to this file once listening.", valueName: "file"))
    var portFile: String?

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("--port has to be from 0 to 65535.") }
        if let days = self.keepDays, !(days > 0 && days < 36_500) {
            throw ValidationError("--keep-days has to be over 0.")
        }
        if let size = self.keepSize, size.bytes < 1_000_000 {
            throw ValidationError("--keep-size has to be at least 1MB.")
        }
        if self.inMemory, self.database != nil {
            throw ValidationError("With --in-memory there is no --database: name one of them.")
        }
        _ = try self.rehearsal.settings()
    }

    private var file: String { self.database ?? "webtracking.sqlite" }

    private var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.")
    }

    /// Where the token is; `nil` if none is needed.
    var tokenPath: String? {
        self.tokenFile ?? (self.isLoopback ? nil : (self.inMemory ? "webtracking" : self.file) + ".token")
    }

    /// What the options say, for the library.
    func settings() throws -> ServerSettings {
        var settings = ServerSettings()
        settings.host = self.host
        settings.port = self.port
        settings.project = self.project[0]
        settings.projects = self.anyProject ? .any : .only(Set(self.project.dropFirst()))
        settings.rehearsal = try self.rehearsal.settings()
        if self.compatible {
            settings.mode = .compatible
            settings.limits = .lenient
        }
        settings.retention = Retention(
            maximumAge: self.keepDays.map { .seconds($0 * 86_400) },
            maximumBytes: self.keepSize?.bytes
        )
        if let path = self.tokenPath { settings.access = .token(try TokenFile.token(at: path)) }
        if let path = self.accessKeys { settings.accessKeys = try AccessKeyFile.keys(at: path) }
        if !self.logstore.isEmpty { settings.logstores = .only(Set(self.logstore)) }
        return settings
    }

    /// The name that a browser on this machine has for it.
    fileprivate var pageHost: String {
        switch self.host {
        case "0.0.0.0", "::": "localhost"
        case _ where self.host.contains(":"): "[\(self.host)]"
        default: self.host
        }
    }

    func run() async throws {
        let store: LogStore
        do {
            store = try self.inMemory ? LogStore() : LogStore(path: self.file)
        } catch let error as StoreError {
            Output.note("webtracking: \(error)")
            throw ExitCode.failure
        }
        let isTokenNew = self.tokenPath.map { !FileManager.default.fileExists(atPath: $0) } ?? false
        let result: Result<Void, any Error>
        do {
            result = .success(try await self.serve(from: store))
        } catch {
            result = .failure(error)
        }
        // Remove a token file that no option names, and that no kept logs need.
        if isTokenNew, self.inMemory, self.tokenFile == nil, let path = self.tokenPath {
            try? FileManager.default.removeItem(atPath: path)
        }
        try store.close()
        try result.get()
    }

    private func serve(from store: LogStore) async throws {
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
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as ServerError {
            Output.note("webtracking: \(error)")
            throw ExitCode.failure
        }
        try Output.line(ServeReport.summary(server.statistics))
    }

    /// Where the logs are, in a few words.
    fileprivate var place: String { self.inMemory ? "logs in memory" : "database \(self.file)" }
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
            "webtracking: listening on http://\(host):\(port), project \(self.command.project.joined(separator: ", ")), "
                + self.command.place
        )
        try Output.line("webtracking: open http://\(self.command.pageHost):\(port)/ to see the logs")
        if let path = self.command.tokenPath { try Output.line("webtracking: reading takes the token in \(path)") }
        try? await gracefulShutdown()
    }
}
