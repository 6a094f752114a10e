// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The command line's entry.
@main
struct WebTrackingTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webtracking",
        abstract: "Receives, shows and ships logs the way web tracking of Simple Log Service does.",
        discussion: """
            Try it with two terminals:

              webtracking serve
              echo 'hello' | webtracking send --project local --logstore app \\
                  --endpoint http://127.0.0.1:8080

            Then see what arrived, on the page that serve names, or here:

              webtracking query
              webtracking tail
            """,
        subcommands: [
            ServeCommand.self, SendCommand.self, RunCommand.self, QueryCommand.self, TailCommand.self,
            ClearCommand.self, SpoolCommand.self, DoctorCommand.self,
        ]
    )

    static func main() async {
        do {
            try self.check(Array(CommandLine.arguments.dropFirst()))
        } catch {
            self.exit(withError: error)
        }
        await self.main(nil)
    }

    /// Refuses what the parser takes for letters of options that are written together: `-hello` would ask for help.
    static func check(_ arguments: [String]) throws {
        for argument in arguments.prefix(while: { $0 != "--" }) {
            guard argument.count > 1, argument.hasPrefix("-"), !argument.hasPrefix("--"), argument != "-h",
                Double(argument) == nil
            else {
                continue
            }
            throw ValidationError(
                "Unknown option '\(argument)'. A search that begins with - stands behind --, as in: "
                    + "webtracking query -- '\(argument)'"
            )
        }
    }
}
