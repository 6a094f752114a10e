// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Kills processes that log, and proves that nothing they logged is lost; see `Scripts/chaos`.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Kills processes that log, and counts what arrived.",
        subcommands: [RunCommand.self, DisksCommand.self, ChildCommand.self, EndpointCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

/// What all three roles have to agree on.
enum Plan {
    static let project = "local"
    static let logstore = "chaos"
    static let topics = 4
    static func topic(_ number: Int) -> String { "topic-\(number)" }
    /// The most threads that append to one topic.
    static let mostThreads = 64
}
