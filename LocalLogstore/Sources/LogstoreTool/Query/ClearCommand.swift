// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LocalLogstore

/// `webtracking clear`
struct ClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Removes logs and deliveries for good: those of a project and logstore, or all.",
        discussion: """
            With --url it asks an endpoint that runs, which goes on taking logs: what comes meanwhile stays. Without, \
            it changes the file of an endpoint that does not run.

              webtracking clear
              webtracking clear --url http://127.0.0.1:8080 --logstore app --yes

            It asks before, on a terminal; a script says --yes.
            """
    )

    @OptionGroup
    var endpoint: EndpointOptions

    @Option(help: "Only what belongs to this project.")
    var project: String?

    @Option(help: "Only what belongs to logstores of this name.")
    var logstore: String?

    @Flag(help: "Do not ask.")
    var yes = false

    func validate() throws {
        // Of a variable of a script that is not set, perhaps.
        if self.project == "" { throw ValidationError("--project is empty; leave it out for all.") }
        if self.logstore == "" { throw ValidationError("--logstore is empty; leave it out for all.") }
    }

    func run() async throws {
        let server = try self.endpoint.server()
        let file = try server == nil ? self.endpoint.existingFile : nil
        // Opened to be changed, an empty file would become a database.
        if let file {
            do {
                try LogStore(readingFrom: file).close()
            } catch let error as StoreError {
                throw self.failure("\(error)")
            }
        }
        guard try self.yes || self.isConfirmed(server?.name ?? file ?? "") else {
            Output.note("webtracking: nothing is removed")
            throw ExitCode.failure
        }
        do {
            let cleared: Cleared
            if let server {
                cleared = try await server.clear(project: self.project, logstore: self.logstore)
            } else {
                let store = try LogStore(path: file ?? "")
                cleared = try await store.clear(project: self.project, logstore: self.logstore)
                try store.close()
            }
            try Output.line("webtracking: removed \(cleared.words)")
        } catch StoreError.inUse(let path) {
            throw self.failure("\(path) is served at present; clear it with --url and the endpoint's address")
        } catch let error as ServerSource.Problem {
            throw self.failure("\(error)")
        } catch let error as StoreError {
            throw self.failure("\(error)")
        } catch let error as StoreFailure {
            throw self.failure("\(error)")
        }
    }

    private func failure(_ message: String) -> ExitCode {
        Output.note(TerminalText.escaped("webtracking: \(message)"))
        return .failure
    }

    /// What is removed, in words.
    func question(_ name: String) -> String {
        let place = [self.logstore.map { "logstore \($0)" }, self.project.map { "project \($0)" }].compactMap(\.self)
        return TerminalText.escaped(
            "Remove all logs and deliveries of \((place + [name]).joined(separator: " in ")) for good?"
        )
    }

    private func isConfirmed(_ name: String) throws -> Bool {
        guard Output.canAsk else {
            throw ValidationError("Nobody can be asked here; say --yes to remove the logs.")
        }
        Output.note(self.question(name) + " Type yes:")
        return readLine()?.lowercased() == "yes"
    }
}

extension Cleared {
    /// As people read it.
    var words: String {
        func number(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }
        return number(self.logs, "log", "logs") + " and " + number(self.deliveries, "delivery", "deliveries")
    }
}
